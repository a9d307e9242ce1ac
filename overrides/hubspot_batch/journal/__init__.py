"""The journal of a job: what it is about to send, and the outcome of each input.

In come the digests of inputs before a request is sent, and outcomes after. Out comes, for the same
inputs in a later run, what is known of them. What a run does with that is decided by the engine.
"""

from .options import Journal
from .shared import PostgresJournal

__all__ = ["Journal", "PostgresJournal"]
