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

from . import entries
from .options import check_head
from .run_memory import RunMemory
from .store import Identity, Inspection, Recorded, Status

FORMAT = "2"

# Marks a file of SQLite as ours (https://www.sqlite.org/pragma.html#pragma_application_id).
_APPLICATION_ID = 0x48534A31
_TABLES = (
    f"PRAGMA application_id = {_APPLICATION_ID}",
    "CREATE TABLE head (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    entries.TABLE,
)
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
                one.execute("DELETE FROM entries")
                one.execute("DELETE FROM head")
            else:
                check_head(self._path, recorded, head)
            one.executemany(
                "INSERT OR REPLACE INTO head VALUES (?, ?)", {**head, "format": FORMAT}.items()
            )
        self._memory = RunMemory(connection)
        self.fresh = not connection.execute("SELECT 1 FROM entries LIMIT 1").fetchone()
        self._known: entries.Known | None = None

    def count(self, digests: Sequence[bytes]) -> list[int]:
        """Return how often each digest was counted before in this run, and count it."""
        with self._writing():
            return self._memory.count(digests)

    def find(self, identities: Sequence[Identity]) -> Mapping[Identity, Recorded]:
        """Return what earlier runs recorded of inputs; other inputs are missing."""
        if self.fresh:
            return {}
        if self._known is None:
            with self._writing() as one:
                self._known = entries.Known(one)
        with _as_journal_error(self._path, "read"):
            self._open()
            return self._known.find(identities)

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
        self._add(entries.intended(identities, sent, marks))

    def settle(self, records: Sequence[tuple[Identity, Recorded]]) -> None:
        """Record durably the outcomes of inputs that are recorded as intended."""
        self._add(entries.settled(records))

    def resolve(self, records: Sequence[tuple[Identity, Recorded]]) -> None:
        """Record durably the results of look-ups."""
        self._add(entries.settled(records, entries.RESOLVED))

    def _add(self, entry: entries.Entry) -> None:
        with self._writing() as one:
            one.execute(entries.ADD, entry)

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


def look(path: str, *, counts: bool) -> Inspection | None:
    """Read a journal that no run has; return None if no run has begun with it.

    A run that was killed in its first moments leaves such a file.

    Args:
        path: The file.
        counts: Whether its inputs are counted, which takes a while.

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
            one.execute("BEGIN")
            found: Mapping[str, int] = entries.Known(one).counts() if counts else {}
            return Inspection(head, {status: found.get(status, 0) for status in Status})
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
    except (sqlite3.Error, entries.DamagedEntryError) as error:
        said = str(error)
        if "locked" in said:
            text = (
                f"The journal {path} is in use by another run. Wait until that has ended, or name "
                "another journal for another job."
            )
        elif "not a database" in said:
            text = f"{path} is not a journal ({said}); name another file for the journal."
        elif "malformed" in said or isinstance(error, entries.DamagedEntryError):
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
