"""The plan of a job: everything that is known about it before the first request.

This module decides what is counted, and what the digest of a plan covers: two plans with the same
digest send the same inputs to the same server.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from math import ceil
from typing import Any, NamedTuple

from attrs import frozen

from hubspot_batch._matching.items import EncodedInput
from hubspot_batch._matching.keys import TRACE_ID
from hubspot_batch.options import RateLimit
from hubspot_batch.outcomes import OutcomeError

from .summary import PlanMade
from .work import Work

# The smallest daily allowance of a private app
# (https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines).
DAY = 250_000
_SHOWN = 5
_AT_ONCE = 5_000


class RowProblem(NamedTuple):
    """A row that makes no input.

    Attributes:
        line: Its line.
        message: What is wrong, in a sentence.
    """

    line: int
    message: str


@frozen
class Plan:
    """The plan of a job.

    Attributes:
        operation: The operation in words.
        file: The file's name.
        base_url: The server.
        rows: The rows of the job.
        invalid: How many of them make no input.
        first_invalid: The first of these.
        equal: How many rows make the same input as an earlier row.
        requests: How many requests will be sent, if none is repeated.
        seconds: How long they take at the pace that is allowed.
        mapping: What becomes of each column, in words.
        notes: What a person should know of how the file and the mapping were read.
        first: The first record as it will be sent; None if there is none.
        digest: Names this plan.
        unit: What the number of a row counts.
    """

    operation: str
    file: str
    base_url: str
    rows: int
    invalid: int
    first_invalid: Sequence[RowProblem]
    equal: int
    requests: int
    seconds: float
    mapping: Sequence[tuple[str, str]]
    notes: Sequence[str]
    first: Mapping[str, Any] | None
    digest: str
    unit: str

    @property
    def day(self) -> float:
        """The requests as a share of the smallest daily allowance of HubSpot."""
        return self.requests / DAY

    @property
    def event(self) -> PlanMade:
        """The plan as an event."""
        return PlanMade(
            self.operation,
            self.file,
            self.rows,
            self.invalid,
            self.equal,
            self.requests,
            self.seconds,
            self.digest,
        )


def make_plan(work: Work, base_url: str, rate_limit: RateLimit | None) -> Plan:
    """Read and check all rows, in bounded memory, and return the plan.

    Raises:
        ConfigurationError: The columns, an argument or the file cannot be used.
    """
    mapper = work.mapper
    rows = invalid = 0
    first: EncodedInput | None = None
    bad: list[RowProblem] = []
    equal = _Equal()
    for row, entry, digest in work.contents():
        rows += 1
        if digest is None or isinstance(entry, OutcomeError):
            invalid += 1
            if len(bad) < _SHOWN and isinstance(entry, OutcomeError):
                bad.append(RowProblem(row.line, entry.message))
        else:
            first = first or entry
            equal.add(digest)
    requests = ceil((rows - invalid) / work.spec.described.limit)
    return Plan(
        operation=work.words,
        file=work.table.name,
        base_url=base_url,
        rows=rows,
        invalid=invalid,
        first_invalid=tuple(bad),
        equal=rows - invalid - equal.distinct(),
        requests=requests,
        seconds=_seconds(requests, rate_limit),
        mapping=mapper.targets,
        notes=(*work.table.notes, *mapper.notes, *_doubt_notes(work.doubt_options)),
        first=None if first is None else _shown(first),
        digest=_digest(work, base_url, rows, invalid),
        unit=work.table.form.unit,
    )


def _shown(entry: EncodedInput) -> dict[str, Any]:
    """Return an input as it is sent, without a trace id of our own, which each run makes anew."""
    wire, given = entry.wire, entry.input
    if isinstance(given, Mapping) and TRACE_ID not in given:
        wire.pop(TRACE_ID, None)
    return wire


def _doubt_notes(how: Mapping[str, Any]) -> Iterator[str]:
    """Yield by what evidence inputs in doubt are looked up, in a sentence."""
    key, stamp = how.get("key_property"), how.get("stamp_property")
    if not (how.get("reconcile") or key):
        return
    ways = [f"by the unique property {key}"] if key else []
    ways += [f"by the stamp in {stamp}"] if stamp else []
    ways += ["by their own properties"] if not ways else []
    if how.get("reconcile"):
        yield f"Rows that may have been created are looked up {', else '.join(ways)}."
    else:
        yield f"Rows that are refused because a record has their {key} are read back."


def _digest(work: Work, base_url: str, rows: int, invalid: int) -> str:
    """Return the digest of a plan: of everything that is sent, and of the server."""
    said = [
        *(work.operation, base_url, work.mapping.digest(), work.table.fingerprint()),
        *(dict(work.arguments), work.allow_implausible, work.limit),
        *([dict(work.doubt_options)] if work.doubt_options else []),
        # Of the same bytes, another encoding, sheet or line of headings makes other rows.
        *(repr(work.table.form), rows, invalid),
    ]
    return sha256(json.dumps(said, default=str, sort_keys=True).encode()).hexdigest()[:16]


def _seconds(requests: int, limit: RateLimit | None) -> float:
    """Return how long requests take, if the first half of a window is sent at once."""
    if limit is None:
        return 0.0
    return max(0.0, (requests - limit.requests / 2) * limit.seconds / limit.requests)


class _Equal:
    """Counts distinct digests on disk, because a file can have any number of rows."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int]] = []
        # A file without a name, which SQLite removes (https://www.sqlite.org/inmemorydb.html).
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.execute("PRAGMA synchronous = OFF")
        self._file.execute("CREATE TABLE seen (digest INTEGER PRIMARY KEY)")

    def add(self, digest: bytes) -> None:
        # Half of it, as a number: two of ten million rows have the same by chance once in 300,000
        # files.
        self._waiting.append((int.from_bytes(digest[:8], "big", signed=True),))
        if len(self._waiting) >= _AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        self._file.execute("BEGIN")
        self._file.executemany("INSERT OR IGNORE INTO seen VALUES (?)", sorted(self._waiting))
        self._file.execute("COMMIT")
        self._waiting = []

    def distinct(self) -> int:
        """Return how many distinct digests there are; nothing can be added any more."""
        self._flush()
        (count,) = self._file.execute("SELECT count(*) FROM seen").fetchone()
        self._file.close()
        return int(count)
