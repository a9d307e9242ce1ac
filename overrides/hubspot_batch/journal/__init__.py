"""The journal of a job: what it is about to send, and the outcome of each input.

In: the digests of inputs before a request is sent, and outcomes after it. Out: the known outcomes
of the same inputs, for a later run. The engine decides what a run does with them.
"""

from .options import Journal
from .shared import PostgresJournal
from .store import SETTLED, Identity, Recorded, Status, Store, TakenError, digest_of

__all__ = [
    "SETTLED",
    "Identity",
    "Journal",
    "PostgresJournal",
    "Recorded",
    "Status",
    "Store",
    "TakenError",
    "digest_of",
]
