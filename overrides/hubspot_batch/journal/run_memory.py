"""The memory of one run about its inputs, for every kind of journal.

This module keeps it in temporary tables of SQLite, so in a temporary file, because a run can have
any length.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Generator, Mapping, Sequence

_TEMPORARY = (
    "PRAGMA temp_store = FILE",
    "PRAGMA temp.journal_mode = MEMORY",  # what a kill leaves of them is of no use
    "CREATE TEMP TABLE counted (digest BLOB PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TEMP TABLE marked (key BLOB PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID",
)
# Every SQLite allows 999 values in a statement.
_VALUES_AT_MOST = 400


class RunMemory:
    """The memory of a run.

    Args:
        connection: A database to which the temporary tables are added.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        for statement in _TEMPORARY:
            connection.execute(statement)

    def count(self, digests: Sequence[bytes]) -> list[int]:
        """Return how often each digest was counted before, and count it."""
        one = self._connection
        known: dict[bytes, int] = {}
        for part, placeholders in _parts(digests):
            query = f"SELECT digest, number FROM counted WHERE digest IN ({placeholders})"  # noqa: S608
            known.update(one.execute(query, part))
        before: Counter[bytes] = Counter(known)
        ordinals: list[int] = []
        for digest in digests:
            ordinals.append(before[digest])
            before[digest] += 1
        one.executemany("INSERT OR REPLACE INTO counted VALUES (?, ?)", before.items())
        return ordinals

    def last_numbers(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        """Return the numbers that keys were marked with."""
        found: dict[bytes, int] = {}
        for part, placeholders in _parts(keys):
            query = f"SELECT key, number FROM marked WHERE key IN ({placeholders})"  # noqa: S608
            found.update(self._connection.execute(query, part))
        return found

    def note_numbers(self, numbers: Mapping[bytes, int]) -> None:
        """Mark keys with numbers."""
        self._connection.executemany("INSERT OR REPLACE INTO marked VALUES (?, ?)", numbers.items())


def _parts(values: Sequence[bytes]) -> Generator[tuple[Sequence[bytes], str]]:
    """Yield values in parts that a statement can have, with their placeholders."""
    for at in range(0, len(values), _VALUES_AT_MOST):
        part = values[at : at + _VALUES_AT_MOST]
        yield part, ",".join("?" * len(part))
