"""The journal of a job: what it is about to send, and the outcome of each input.

In: the digests of inputs before a request is sent, and outcomes after it. Out: the known outcomes
of the same inputs, for a later run. The engine decides what a run does with them.
"""

from .options import Journal
from .postgres_journal import PostgresJournal

__all__ = ["Journal", "PostgresJournal"]
