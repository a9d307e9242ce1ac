"""HubSpot's batch endpoints, with a true outcome for every input."""

from importlib.metadata import version as _version

from .client import AsyncHubSpotBatch, HubSpotBatch
from .errors import (
    AuthenticationError,
    BrokenOffError,
    ConfigurationError,
    DailyLimitError,
    HubSpotBatchError,
    IncompleteError,
    InputError,
    MissingScopesError,
    RateLimitError,
    UnavailableError,
    UnreachableError,
)
from .outcomes import BatchResult, Outcome, OutcomeError, OutcomeStatus
from .policies import RateLimit, Retry
from .transport import Clock

__all__ = [
    "AsyncHubSpotBatch",
    "AuthenticationError",
    "BatchResult",
    "BrokenOffError",
    "Clock",
    "ConfigurationError",
    "DailyLimitError",
    "HubSpotBatch",
    "HubSpotBatchError",
    "IncompleteError",
    "InputError",
    "MissingScopesError",
    "Outcome",
    "OutcomeError",
    "OutcomeStatus",
    "RateLimit",
    "RateLimitError",
    "Retry",
    "UnavailableError",
    "UnreachableError",
    "__version__",
]

__version__ = _version("hubspot-batch")
