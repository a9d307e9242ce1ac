"""Keeps a journal in a file of SQLite.

This module decides the tables of the file, and the meaning of SQLite's errors. Every commit
waits until the disk has it (`synchronous=FULL`), so a kill or a power cut loses no intent.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from hubspot_batch.errors import JournalError

from .options import check_head
from .run_memory import RunMemory
from .store import Identity, Inspection, Recorded, Status

FORMAT = "1"

# Marks a file of SQLite as ours (https://www.sqlite.org/pragma.html#pragma_application_id).
_APPLICATION_ID = 0x48534A31
_TABLES = (
    f"PRAGMA application_id = {_APPLICATION_ID}",
    "CREATE TABLE head (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE inputs (digest BLOB NOT NULL, ordinal INTEGER NOT NULL, status TEXT NOT NULL, "
    "result BLOB, error BLOB, PRIMARY KEY (digest, ordinal))",
)
# What journals of older versions lack. They can be resumed; but what they leave in doubt has no
# time, and so cannot be looked up.
_ADDED = {"sent": "REAL", "given_up": "REAL", "marks": "TEXT", "evidence": "TEXT"}
_STATUSES = frozenset(Status)
# How long to wait for somebody who only looks into the journal.
_LOCK_SECONDS = 0.25


class SqliteStore:
    """A journal that is open for a run; see `Store`.

    Args:
        path: The file, which is made if there is none.
        head: What the runs of its job have in common.
        restart: Whether to forget what it says.

    Raises:
        ConfigurationError: It is the journal of another job.
        JournalError: It cannot be opened, or another run has it.
    """

    def __init__(self, path: str, head: Mapping[str, str], *, restart: bool = False) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        with _as_journal_error(path, "opened"):
            # Not the text itself, which SQLite may give a meaning, as it does to ":memory:".
            connection = self._connection = sqlite3.connect(
                Path(path).absolute(),
                timeout=_LOCK_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
            try:
                self._prepare(connection, head, restart=restart)
            except BaseException:
                self.close()
                raise

    def _prepare(
        self, connection: sqlite3.Connection, head: Mapping[str, str], *, restart: bool
    ) -> None:
        _check_kind(connection, self._path)
        # The operating system gives the lock back when the process ends, however it ends.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        with self._writing() as one:
            recorded = _head_of(one, self._path)
            if not recorded:
                for statement in _TABLES:
                    one.execute(statement)
            elif restart:
                one.execute("DELETE FROM inputs")
                one.execute("DELETE FROM head")
            else:
                check_head(self._path, recorded, head)
            one.executemany(
                "INSERT OR REPLACE INTO head VALUES (?, ?)", {**head, "format": FORMAT}.items()
            )
            names = {row[1] for row in one.execute("PRAGMA table_info(inputs)")}
            for name, kind in _ADDED.items():
                if name not in names:
                    one.execute(f"ALTER TABLE inputs ADD COLUMN {name} {kind}")
            self.fresh = one.execute("SELECT 1 FROM inputs LIMIT 1").fetchone() is None
        self._memory = RunMemory(connection)

    def count(self, digests: Sequence[bytes]) -> list[int]:
        """Return how often each digest was counted before in this run, and count it."""
        with self._writing():
            return self._memory.count(digests)

    def find(self, identities: Sequence[Identity]) -> Mapping[Identity, Recorded]:
        """Return what earlier runs recorded of inputs; other inputs are missing."""
        query = (
            "SELECT status, result, error, rowid, 0, sent, given_up, marks, evidence FROM inputs "
            "WHERE digest = ? AND ordinal = ?"
        )
        found: dict[Identity, Recorded] = {}
        if self.fresh:
            return found
        with _as_journal_error(self._path, "read"):
            one = self._open()
            for identity in identities:
                row = one.execute(query, identity).fetchone()
                if row is None:
                    continue
                if row[0] not in _STATUSES:
                    raise JournalError(f"The journal {self._path} has no status {row[0]!r}.")
                found[identity] = Recorded(Status(row[0]), *row[1:])
        return found

    def last_numbers(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        """Return the numbers that keys were marked with in this run."""
        with _as_journal_error(self._path, "read"):
            self._open()
            return self._memory.last_numbers(keys)

    def note_numbers(self, numbers: Mapping[bytes, int]) -> None:
        """Mark keys with numbers until the end of this run."""
        with self._writing():
            self._memory.note_numbers(numbers)

    def wait(self) -> None:
        """Do nothing: no other run has the journal."""

    def intend(
        self,
        identities: Sequence[Identity],
        seen: Sequence[int | None] | None = None,  # noqa: ARG002 - no other run has the journal
        *,
        sent: float,
        marks: Sequence[str | None],
    ) -> None:
        """Record durably that a request with these inputs is about to be sent."""
        # A row that takes the place of another gets a new rowid, which is greater than all others:
        # the number of the intent (https://www.sqlite.org/autoinc.html).
        with self._writing() as one:
            one.executemany(
                "INSERT OR REPLACE INTO inputs (digest, ordinal, status, sent, marks) "
                "VALUES (?, ?, 'intended', ?, ?)",
                [(*one, sent, mark) for one, mark in zip(identities, marks, strict=True)],
            )

    def settle(self, records: Sequence[tuple[Identity, Recorded]]) -> None:
        """Record durably the outcomes of inputs that are recorded as intended."""
        with self._writing() as one:
            one.executemany(
                "UPDATE inputs SET status = ?, result = ?, error = ?, given_up = ?, evidence = ? "
                "WHERE digest = ? AND ordinal = ? AND status = 'intended'",
                [
                    (*recorded[:3], recorded.given_up, recorded.evidence, *identity)
                    for identity, recorded in records
                ],
            )

    def resolve(self, records: Sequence[tuple[Identity, Recorded]]) -> None:
        """Record durably the results of look-ups."""
        with self._writing() as one:
            one.executemany(
                "UPDATE inputs SET status = ?, result = ?, error = ?, evidence = ? "
                "WHERE digest = ? AND ordinal = ? AND status != 'succeeded'",
                [(*recorded[:3], recorded.evidence, *identity) for identity, recorded in records],
            )

    def close(self) -> None:
        """Close it. It may be closed again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            # What it could not write is in the write-ahead log, or was never committed.
            with suppress(sqlite3.Error):
                connection.close()

    def __del__(self) -> None:
        self.close()

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            raise JournalError(f"The journal {self._path} is closed.")
        return self._connection

    @contextmanager
    def _writing(self) -> Generator[sqlite3.Connection]:
        """Commit what the block writes, or nothing of it."""
        with _as_journal_error(self._path, "written"):
            one = self._open()
            one.execute("BEGIN IMMEDIATE")
            try:
                yield one
                one.execute("COMMIT")
            except BaseException:
                # After some errors, such as a full disk, SQLite has done so by itself.
                with suppress(sqlite3.Error):
                    one.execute("ROLLBACK")
                raise


def look(path: str) -> Inspection | None:
    """Read a journal that no run has; return None if no run has begun with it.

    A run that was killed in its first moments leaves such a file.

    Raises:
        JournalError: There is no file, it cannot be read, or a run has it.
    """
    with _as_journal_error(path, "read"):
        address = f"file:{quote(str(Path(path).absolute()))}?mode=rw"
        one = sqlite3.connect(address, uri=True, timeout=_LOCK_SECONDS, isolation_level=None)
        try:
            _check_kind(one, path)
            head = _head_of(one, path)
            if not head:
                return None
            counts = dict(one.execute("SELECT status, count(*) FROM inputs GROUP BY status"))
            return Inspection(head, {status: counts.get(status, 0) for status in Status})
        finally:
            one.close()


def _check_kind(connection: sqlite3.Connection, path: str) -> None:
    """Refuse a database of another program, before anything is written to it."""
    (ours,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and ours != _APPLICATION_ID:
        raise JournalError(
            f"{path} is a database of another program; name another file for the journal."
        )


def _head_of(connection: sqlite3.Connection, path: str) -> dict[str, str]:
    """Return the head of a journal; empty if it has none yet."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'head'").fetchone():
        return {}
    head: dict[str, str] = dict(connection.execute("SELECT name, value FROM head"))
    if head.get("format") != FORMAT:
        raise JournalError(
            f"The journal {path} has format {head.get('format')}, and this version of "
            f"hubspot-batch reads format {FORMAT}; resume it with the version that made it."
        )
    return head


@contextmanager
def _as_journal_error(path: str, done: str) -> Generator[None]:
    """Raise what SQLite says as an error that names the journal and what to do."""
    try:
        yield
    except sqlite3.Error as error:
        said = str(error)
        if "locked" in said:
            text = (
                f"The journal {path} is in use by another run. Wait until that has ended, or name "
                "another journal for another job."
            )
        elif "not a database" in said:
            text = f"{path} is not a journal ({said}); name another file for the journal."
        elif "malformed" in said:
            text = (
                f"The journal {path} is damaged ({said}). Restore it from a copy; without it, "
                "check in HubSpot what was done before you send anything again."
            )
        else:
            text = (
                f"The journal {path} cannot be {done} ({said}). Check that its folder exists and "
                "can be written, and that the disk has space; then resume with the same journal."
            )
        raise JournalError(text) from error
