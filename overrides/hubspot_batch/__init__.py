"""HubSpot's batch endpoints, with a true outcome for every input."""

from ._engine.iterators import AsyncOutcomeIterator, OutcomeIterator
from .client import AsyncHubSpotBatch, HubSpotBatch
from .errors import (
    AuthenticationError,
    BrokenOffError,
    ConfigurationError,
    DailyLimitError,
    ForbiddenError,
    HubSpotBatchError,
    IncompleteError,
    InputError,
    JournalError,
    MissingScopesError,
    RateLimitError,
    UnavailableError,
    UnfinishedError,
    UnreachableError,
)
from .events import Answered, Event, RequestSent, RunEnded, Settled, Wait
from .integrations import SharedAllowance
from .journal import Journal, PostgresJournal
from .options import Clock, RateLimit, Retry
from .outcomes import (
    BatchResult,
    Detail,
    Outcome,
    OutcomeError,
    OutcomeStatus,
    result_of,
    results_of,
)
from .outcomes.remarks import Remark
from .version import __version__

__all__ = [
    "Answered",
    "AsyncHubSpotBatch",
    "AsyncOutcomeIterator",
    "AuthenticationError",
    "BatchResult",
    "BrokenOffError",
    "Clock",
    "ConfigurationError",
    "DailyLimitError",
    "Detail",
    "Event",
    "ForbiddenError",
    "HubSpotBatch",
    "HubSpotBatchError",
    "IncompleteError",
    "InputError",
    "Journal",
    "JournalError",
    "MissingScopesError",
    "Outcome",
    "OutcomeError",
    "OutcomeIterator",
    "OutcomeStatus",
    "PostgresJournal",
    "RateLimit",
    "RateLimitError",
    "Remark",
    "RequestSent",
    "Retry",
    "RunEnded",
    "Settled",
    "SharedAllowance",
    "UnavailableError",
    "UnfinishedError",
    "UnreachableError",
    "Wait",
    "__version__",
    "result_of",
    "results_of",
]
