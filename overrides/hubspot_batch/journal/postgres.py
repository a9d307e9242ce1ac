"""Keeps journals in a database of Postgres, for workers that share them.

This module decides what its tables look like, and when an intent counts as given up. Each intent
has a number, and an advisory lock of that number, which its session holds until its inputs are
settled. Postgres gives the lock back when the session ends, however it ends, and others can wait
for it (https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS). Times are
the server's.
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from hubspot_batch.errors import ConfigurationError, JournalError

from .options import check_head
from .run_memory import RunMemory
from .store import Identity, Inspection, Recorded, Status, TakenError

Connection: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"

FORMAT = "1"

# The first half of the keys of our advisory locks; the second is an intent's number.
_LOCKS = 0x48534A31
_NUMBERS = 2**31
_TABLES = (
    "CREATE SEQUENCE IF NOT EXISTS hubspot_batch_intents",
    "CREATE TABLE IF NOT EXISTS hubspot_batch_head (journal text NOT NULL, name text NOT NULL, "
    "value text NOT NULL, PRIMARY KEY (journal, name))",
    "CREATE TABLE IF NOT EXISTS hubspot_batch_inputs (journal text NOT NULL, "
    "digest bytea NOT NULL, ordinal integer NOT NULL, status text NOT NULL, result bytea, "
    "error bytea, number bigint NOT NULL, intended_at timestamptz NOT NULL, "
    "sent double precision, given_up double precision, marks text, evidence text, "
    "PRIMARY KEY (journal, digest, ordinal))",
)
_PREPARE = (
    "SET synchronous_commit = on",  # a crash of the server loses no intent
    # A statement that meets another run's waits for it, and then sees what that one wrote.
    "SET default_transaction_isolation = 'read committed'",
    # The session of a machine that has vanished ends, and with it what it holds.
    "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3",
)
_FIND = """
SELECT given.digest, given.ordinal, status, result, error, number, sent, given_up, marks, evidence,
  status = 'intended' AND intended_at > now() - make_interval(secs => %(lease)s)
FROM unnest(%(digests)s::bytea[], %(ordinals)s::integer[]) AS given (digest, ordinal)
JOIN hubspot_batch_inputs AS known ON known.journal = %(journal)s
  AND known.digest = given.digest AND known.ordinal = given.ordinal
"""
_LOCKED = """
SELECT objid::bigint FROM pg_locks
WHERE locktype = 'advisory' AND classid = %(locks)s AND objsubid = 2 AND granted
  AND mode = 'ExclusiveLock'
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
# In the order of the key, so two statements never wait for each other.
_INTEND = """
WITH given AS (
  SELECT * FROM unnest(%(digests)s::bytea[], %(ordinals)s::integer[], %(seen)s::bigint[],
    %(marks)s::text[]) AS one (digest, ordinal, seen, marks))
INSERT INTO hubspot_batch_inputs AS known
  (journal, digest, ordinal, status, number, intended_at, sent, marks)
SELECT %(journal)s, digest, ordinal, 'intended', %(number)s, now(), %(sent)s, marks FROM given
ORDER BY digest, ordinal
ON CONFLICT (journal, digest, ordinal) DO UPDATE
SET status = excluded.status, result = NULL, error = NULL, number = excluded.number,
  intended_at = excluded.intended_at, sent = excluded.sent, given_up = NULL,
  marks = excluded.marks, evidence = NULL
WHERE NOT %(checks)s OR known.number = (
  SELECT seen FROM given
  WHERE given.digest = excluded.digest AND given.ordinal = excluded.ordinal)
"""
# Rows are locked in that order here, too, before the first one is changed.
_SETTLE = """
WITH given AS (SELECT * FROM unnest(
  %(digests)s::bytea[], %(ordinals)s::integer[], %(numbers)s::bigint[], %(statuses)s::text[],
  %(results)s::bytea[], %(errors)s::bytea[], %(given_up)s::double precision[], %(evidence)s::text[])
  AS one (digest, ordinal, number, status, result, error, given_up, evidence)),
locked AS (SELECT digest, ordinal FROM hubspot_batch_inputs
  WHERE journal = %(journal)s AND (digest, ordinal) IN (SELECT digest, ordinal FROM given)
  ORDER BY digest, ordinal FOR UPDATE)
UPDATE hubspot_batch_inputs AS known
SET status = given.status, result = given.result, error = given.error,
  given_up = coalesce(given.given_up, known.given_up), evidence = given.evidence
FROM given JOIN locked USING (digest, ordinal)
WHERE known.journal = %(journal)s AND known.digest = given.digest AND known.ordinal = given.ordinal
"""
# Where another run has intended an input since, the number is another one.
_OF_THIS_RUN = _SETTLE + "AND known.number = given.number AND known.status = 'intended'"
_RESOLVE = (
    _SETTLE
    + "AND known.number = coalesce(given.number, known.number) AND known.status <> 'succeeded'"
)


class PostgresStore:
    """A journal that is open for a run; see `Store`.

    Args:
        key: The name of the journal.
        conninfo: How libpq connects.
        head: What the runs of its job have in common.
        lease: Seconds after which an intent counts as given up, though its session lives.

    Raises:
        ConfigurationError: It is the journal of another job.
        JournalError: The database cannot be used.
    """

    # Another run can record something at any time.
    fresh = False

    def __init__(self, key: str, conninfo: str, head: Mapping[str, str], lease: float) -> None:
        self._key = key
        self._conninfo = conninfo
        self._lease = lease
        self._process = os.getpid()
        self._waiting: Connection | None = None
        self._awaited: int | None = None
        # The intents of this run that are not settled, and how many inputs of each are not.
        self._numbers: dict[Identity, int] = {}
        self._left: Counter[int] = Counter()
        self._temporary = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._memory = RunMemory(self._temporary)
        self._connection: Connection | None = connect(key, conninfo)
        try:
            with as_journal_error(key, "opened"):
                self._begin(self._connection, head)
        except BaseException:
            self.close()
            raise

    def _begin(self, one: Connection, head: Mapping[str, str]) -> None:
        for statement in _PREPARE:
            one.execute(statement)
        _make_tables(one)
        own = {**head, "format": FORMAT}
        with one.transaction():
            # Whoever comes second waits here for whoever came first.
            one.cursor().executemany(
                "INSERT INTO hubspot_batch_head VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                [(self._key, name, own[name]) for name in sorted(own)],
            )
            check_head(self._key, _head_of(one, self._key), head, restarts=False)

    def count(self, digests: Sequence[bytes]) -> list[int]:
        """Return how often each digest was counted before in this run, and count it."""
        with as_journal_error(self._key, "read"):
            return self._memory.count(digests)

    def last_numbers(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        """Return the numbers that keys were marked with in this run."""
        with as_journal_error(self._key, "read"):
            return self._memory.last_numbers(keys)

    def note_numbers(self, numbers: Mapping[bytes, int]) -> None:
        """Mark keys with numbers until the end of this run."""
        with as_journal_error(self._key, "written"):
            self._memory.note_numbers(numbers)

    def find(self, identities: Sequence[Identity]) -> Mapping[Identity, Recorded]:
        """Return what other runs recorded of inputs; other inputs are missing."""
        with as_journal_error(self._key, "read"):
            found, _ = self._find(identities)
            if not any(one.status is Status.INTENDED for one in found.values()):
                return found
            rows = self._open().execute(_LOCKED, {"locks": _LOCKS}).fetchall()
            locked = {number for (number,) in rows}
            # Between the two questions, some may have been settled, and their locks given back.
            again, recent = self._find(identities)
        for identity, one in again.items():
            if one.status is not Status.INTENDED:
                continue
            number, before = one.number, found.get(identity)
            if _lock_of(number) not in locked and before is not None and before.number == number:
                continue  # its run has ended
            if identity in recent:
                again[identity] = one._replace(in_other_run=True)
                self._awaited = number
            else:
                # Its run is silent and may still send it, so no time is too late for its record.
                again[identity] = one._replace(sent=None)
        return again

    def _find(
        self, identities: Sequence[Identity]
    ) -> tuple[dict[Identity, Recorded], set[Identity]]:
        """Return what is recorded, and which of that is intended and within its lease."""
        asked = {"journal": self._key, "lease": self._lease, **_columns(identities)}
        found: dict[Identity, Recorded] = {}
        recent: set[Identity] = set()
        rows = self._open().execute(_FIND, asked, binary=True)
        for digest, ordinal, status, *rest, is_recent in rows:
            identity = Identity(bytes(digest), ordinal)
            result, error, number, *more = rest
            found[identity] = Recorded(Status(status), result, error, number, False, *more)
            if is_recent:
                recent.add(identity)
        return found, recent

    def wait(self) -> None:
        """Wait a moment for another run to settle its inputs."""
        if self._awaited is None:
            return
        key = (_LOCKS, _lock_of(self._awaited))
        with as_journal_error(self._key, "read"):
            if self._waiting is None:
                self._waiting = connect(self._key, self._conninfo)
                self._waiting.execute("SET lock_timeout = '250ms'")
            with suppress(errors.LockNotAvailable):
                self._waiting.execute("SELECT pg_advisory_lock_shared(%s, %s)", key)
                self._waiting.execute("SELECT pg_advisory_unlock_shared(%s, %s)", key)

    def intend(
        self,
        identities: Sequence[Identity],
        seen: Sequence[int | None] | None = None,
        *,
        sent: float,
        marks: Sequence[str | None],
    ) -> None:
        """Record durably that a request with these inputs is about to be sent."""
        with as_journal_error(self._key, "written"):
            one = self._open()
            row = one.execute("SELECT nextval('hubspot_batch_intents')").fetchone()
            number: int = row[0] if row else 0
            # Held before others see the intent: they never take it for one that was given up.
            one.execute("SELECT pg_advisory_lock(%s, %s)", (_LOCKS, _lock_of(number)))
            try:
                with one.transaction():
                    intended = one.execute(
                        _INTEND,
                        {
                            "journal": self._key,
                            "number": number,
                            "checks": seen is not None,
                            "seen": [None] * len(identities) if seen is None else [*seen],
                            "sent": sent,
                            "marks": [*marks],
                            **_columns(identities),
                        },
                    )
                    if intended.rowcount != len(identities):
                        raise TakenError
            except TakenError:
                self._unlock([number])
                raise
        self._numbers.update(dict.fromkeys(identities, number))
        self._left[number] = len(identities)

    def settle(self, records: Sequence[tuple[Identity, Recorded]]) -> None:
        """Record durably the outcomes of inputs that are recorded as intended."""
        mine = [(identity, one) for identity, one in records if identity in self._numbers]
        with as_journal_error(self._key, "written"):
            numbers = [self._numbers[identity] for identity, _ in mine]
            self._open().execute(_OF_THIS_RUN, self._values(mine, numbers))
            self._left.subtract(self._numbers.pop(identity) for identity, _ in mine)
            ended = [number for number, left in self._left.items() if left <= 0]
            self._unlock(ended)
        for number in ended:
            del self._left[number]

    def resolve(self, records: Sequence[tuple[Identity, Recorded]]) -> None:
        """Record durably the results of look-ups."""
        with as_journal_error(self._key, "written"):
            numbers = [one.number for _, one in records]
            self._open().execute(_RESOLVE, self._values(records, numbers))

    def _values(
        self, records: Sequence[tuple[Identity, Recorded]], numbers: Sequence[int | None]
    ) -> dict[str, Any]:
        return {
            "journal": self._key,
            "numbers": [*numbers],
            "statuses": [str(one.status) for _, one in records],
            "results": [one.result for _, one in records],
            "errors": [one.error for _, one in records],
            "given_up": [one.given_up for _, one in records],
            "evidence": [one.evidence for _, one in records],
            **_columns([identity for identity, _ in records]),
        }

    def _unlock(self, numbers: Sequence[int]) -> None:
        self._open().execute(
            "SELECT pg_advisory_unlock(%s, key) FROM unnest(%s::integer[]) AS key",
            (_LOCKS, [_lock_of(number) for number in numbers]),
        )

    def close(self) -> None:
        """Close it. It may be closed again."""
        connections = (self._connection, self._waiting)
        self._connection = self._waiting = None
        # A process that was forked has copies of the connections, which are not its own.
        if os.getpid() != self._process:
            return
        for connection in connections:
            if connection is not None:
                with suppress(psycopg.Error):
                    connection.close()
        self._temporary.close()

    def _open(self) -> Connection:
        if self._connection is None:
            raise JournalError(f"The journal {self._key} is closed.")
        return self._connection


def look(key: str, conninfo: str) -> Inspection | None:
    """Read a journal; return None if no run has begun with it.

    Raises:
        JournalError: It cannot be read.
    """
    with connect(key, conninfo) as one, as_journal_error(key, "read"):
        if not _has_tables(one) or not (head := _head_of(one, key)):
            return None
        query = "SELECT status, count(*) FROM hubspot_batch_inputs WHERE journal = %s GROUP BY 1"
        counts: dict[str, int] = dict(one.execute(query, (key,)).fetchall())
        return Inspection(head, {status: counts.get(status, 0) for status in Status})


def connect(key: str, conninfo: str) -> Connection:
    """Connect with the database.

    Raises:
        ConfigurationError: `conninfo` cannot be read.
        JournalError: It cannot be reached.
    """
    try:
        if "connect_timeout" not in conninfo_to_dict(conninfo):
            conninfo = make_conninfo(conninfo, connect_timeout=10)
    except psycopg.Error:
        # Its words quote what it cannot read, which can be a password.
        raise ConfigurationError(
            "conninfo must be a connection string of Postgres, such as "
            '"host=db.example.com dbname=jobs" or "postgresql://db.example.com/jobs".'
        ) from None
    with as_journal_error(key, "opened"):
        return psycopg.connect(conninfo, autocommit=True)


def _lock_of(number: int | None) -> int:
    return (number or 0) % _NUMBERS


def _columns(identities: Sequence[Identity]) -> dict[str, Any]:
    return {
        "digests": [identity.digest for identity in identities],
        "ordinals": [identity.ordinal for identity in identities],
    }


def _has_tables(one: Connection) -> bool:
    row = one.execute("SELECT to_regclass('hubspot_batch_inputs') IS NOT NULL").fetchone()
    return bool(row and row[0])


def _make_tables(one: Connection) -> None:
    if _has_tables(one):
        return  # whoever may only use the tables need not be allowed to make them
    with one.transaction():
        # `IF NOT EXISTS` fails where two sessions ask for it at the same time.
        one.execute("SELECT pg_advisory_xact_lock(%s, -1)", (_LOCKS,))
        for statement in _TABLES:
            one.execute(statement)


def _head_of(one: Connection, key: str) -> dict[str, str]:
    query = "SELECT name, value FROM hubspot_batch_head WHERE journal = %s"
    head: dict[str, str] = dict(one.execute(query, (key,)).fetchall())
    if head and head.get("format") != FORMAT:
        raise JournalError(
            f"The journal {key} has format {head.get('format')}, and this version of "
            f"hubspot-batch reads format {FORMAT}; resume it with the version that made it."
        )
    return head


@contextmanager
def as_journal_error(key: str, done: str) -> Generator[None]:
    """Raise what Postgres says as an error that names the journal and what to do."""
    try:
        yield
    except (psycopg.Error, sqlite3.Error) as error:
        said = " ".join(str(error).split())
        raise JournalError(
            f"The journal {key} cannot be {done} ({said}). Check that the database can be reached "
            "and that its user may use the tables hubspot_batch_*; then run again with the same "
            "journal."
        ) from error
