"""The entries of a journal in a file: one for a request's inputs, one for their outcomes.

This module decides how an entry is written, and what all entries together say of each input.
Entries are only ever added, so a run writes one row for a request. Where a later run begins, they
are read once, in their order, into a temporary table that finds an input by its identity.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from msgspec import MsgspecError, msgpack

from .store import Identity, Recorded, Status

TABLE = (
    "CREATE TABLE entries (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, inputs BLOB NOT NULL, "
    "content BLOB NOT NULL)"
)
"""`inputs`: for each of them 16 bytes of its digest, and 4 of its ordinal, the highest first.
`content`: MessagePack (https://msgpack.org), an `Intent` or a list of `OutcomeEntry`."""

INTENDED, SETTLED, RESOLVED = "intended", "settled", "resolved"
ADD = "INSERT INTO entries (kind, inputs, content) VALUES (?, ?, ?)"

_DIGEST, _ORDINAL = 16, 4
_IDENTITY = _DIGEST + _ORDINAL
# Entries that are kept in memory while inputs are looked up.
_AT_HAND = 16

_KNOWN = (
    "CREATE TEMP TABLE known (digest BLOB NOT NULL, ordinal INTEGER NOT NULL, status TEXT NOT "
    "NULL, given_up REAL, intent INTEGER NOT NULL, intent_at INTEGER NOT NULL, outcome INTEGER, "
    "outcome_at INTEGER, PRIMARY KEY (digest, ordinal)) WITHOUT ROWID"
)
_INTEND = (
    "INSERT OR REPLACE INTO known (status, intent, intent_at, digest, ordinal) "
    "VALUES ('intended', ?, ?, ?, ?)"
)
_SETTLE = (
    "UPDATE known SET status = ?, given_up = coalesce(given_up, ?), outcome = ?, outcome_at = ? "
    "WHERE digest = ? AND ordinal = ? AND "
)
_CHANGES = {
    SETTLED: f"{_SETTLE} status = 'intended'",
    RESOLVED: f"{_SETTLE} status != 'succeeded'",
}


class Intent(NamedTuple):
    """The content of an entry about inputs that are about to be sent.

    Attributes:
        sent: The time, in seconds since 1970.
        marks: By which values the record of each is found; None if none of them has marks.
    """

    sent: float
    marks: list[str | None] | None


class OutcomeEntry(NamedTuple):
    """The outcome of an input, as in `Recorded`."""

    status: Status
    result: bytes | None
    error: bytes | None
    given_up: float | None
    evidence: str | None


ContentT = TypeVar("ContentT")
Entry = tuple[str, bytes, bytes]
_Row = tuple[str, float | None, int, int, int | None, int]
_write = msgpack.Encoder().encode
_read_intent: Callable[[bytes], Intent] = msgpack.Decoder(Intent).decode
_read_settled: Callable[[bytes], list[OutcomeEntry]] = msgpack.Decoder(list[OutcomeEntry]).decode


def intended(identities: Sequence[Identity], sent: float, marks: Sequence[str | None]) -> Entry:
    """Return the entry of inputs that are about to be sent."""
    content = Intent(sent, None if marks.count(None) == len(marks) else [*marks])
    return INTENDED, _pack(identities), _write(content)


def settled(records: Sequence[tuple[Identity, Recorded]], kind: str = SETTLED) -> Entry:
    """Return the entry of inputs that have outcomes, or (`RESOLVED`) were looked up."""
    content = [
        (one.status, one.result, one.error, one.given_up, one.evidence) for _, one in records
    ]
    return kind, _pack([identity for identity, _ in records]), _write(content)


def _pack(identities: Iterable[Identity]) -> bytes:
    return b"".join([digest + at.to_bytes(_ORDINAL, "big") for digest, at in identities])


def _unpack(inputs: bytes) -> list[Identity]:
    return [
        Identity(inputs[at : at + _DIGEST], int.from_bytes(inputs[at + _DIGEST : at + _IDENTITY]))
        for at in range(0, len(inputs), _IDENTITY)
    ]


class DamagedEntryError(Exception):
    """An entry cannot be read."""


class Known:
    """The state of each input, as the entries of a journal have it.

    Args:
        connection: The journal, with the table of entries.

    Raises:
        DamagedEntryError: An entry cannot be read.
        sqlite3.Error: The journal cannot be read.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._at_hand: dict[int, Any] = {}
        connection.execute(_KNOWN)
        for number, kind, inputs, content in connection.execute(
            "SELECT number, kind, inputs, content FROM entries ORDER BY number"
        ):
            self._take(number, kind, _unpack(inputs), content)

    def _take(self, number: int, kind: str, inputs: list[Identity], content: bytes) -> None:
        if kind == INTENDED:
            _, marks = _decoded(_read_intent, content)
            if marks is not None and len(marks) != len(inputs):
                raise DamagedEntryError(f"its entry {number} does not fit its inputs")
            rows = [(number, at, *identity) for at, identity in enumerate(inputs)]
            self._connection.executemany(_INTEND, rows)
            return
        found = _decoded(_read_settled, content)
        if kind not in _CHANGES or len(found) != len(inputs):
            raise DamagedEntryError(f"its entry {number} does not fit its inputs")
        self._connection.executemany(
            _CHANGES[kind],
            [
                (one.status, one.given_up, number, at, *identity)
                for at, (one, identity) in enumerate(zip(found, inputs, strict=True))
            ],
        )

    def counts(self) -> Mapping[str, int]:
        """Return how many inputs have each status."""
        return dict(self._connection.execute("SELECT status, count(*) FROM known GROUP BY status"))

    def find(self, identities: Iterable[Identity]) -> dict[Identity, Recorded]:
        """Return what is recorded of inputs; other inputs are missing.

        Raises:
            DamagedEntryError: An entry cannot be read.
            sqlite3.Error: The journal cannot be read.
        """
        query = (
            "SELECT status, given_up, intent, intent_at, outcome, outcome_at FROM known "
            "WHERE digest = ? AND ordinal = ?"
        )
        found: dict[Identity, Recorded] = {}
        for identity in identities:
            row: _Row | None = self._connection.execute(query, identity).fetchone()
            if row is None:
                continue
            status, given_up, number, at, outcome, outcome_at = row
            sent, marks = self._entry(number, _read_intent)
            found[identity] = Recorded(
                Status(status),
                number=number,
                sent=sent,
                given_up=given_up,
                marks=None if marks is None else marks[at],
            )
            if outcome is not None:
                one = self._entry(outcome, _read_settled)[outcome_at]
                found[identity] = found[identity]._replace(
                    result=one.result, error=one.error, evidence=one.evidence
                )
        return found

    def _entry(self, number: int, read: Callable[[bytes], ContentT]) -> ContentT:
        """Return the content of an entry; mostly, those before and behind it are wanted too."""
        if number not in self._at_hand:
            query = "SELECT content FROM entries WHERE number = ?"
            row = self._connection.execute(query, (number,)).fetchone()
            if row is None:
                raise DamagedEntryError(f"its entry {number} is missing")
            if len(self._at_hand) >= _AT_HAND:
                self._at_hand.clear()
            self._at_hand[number] = _decoded(read, row[0])
        content: ContentT = self._at_hand[number]
        return content


def _decoded(read: Callable[[bytes], ContentT], content: bytes) -> ContentT:
    try:
        return read(content)
    except (MsgspecError, TypeError) as error:
        raise DamagedEntryError(f"an entry cannot be read: {error}") from error
