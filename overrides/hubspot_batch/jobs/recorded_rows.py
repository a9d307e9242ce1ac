"""Reads from a journal, without sending, what an earlier run recorded of the rows of a file.

This module decides how a file that has changed since is compared with the journal: by content,
because rows move when others are added or removed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple

from attrs import frozen

from hubspot_batch.errors import JournalError
from hubspot_batch.files import FileError, Row
from hubspot_batch.journal import Journal
from hubspot_batch.journal.store import Identity, Recorded, Status, Store
from hubspot_batch.outcomes import OutcomeError

from .summary import RowDone
from .work import RowContent, Work

_BLOCK = 100
_SHOWN = 5


class RecordedRow(NamedTuple):
    """A row, and what an earlier run recorded of it.

    Attributes:
        at: Its position among the rows of the job.
        content: What it makes.
        recorded: What the journal says; None if it says nothing.
    """

    at: int
    content: RowContent
    recorded: Recorded | None


@frozen
class JournalComparison:
    """A file, compared with the journal of an earlier run.

    Attributes:
        known: How many rows the journal knows by their content.
        new: How many rows it does not know: new, edited, or not reached by the earlier run.
        new_lines: The lines of the first of these.
        gone: How many inputs of the journal are in no row any more: removed or edited.
        gone_succeeded: How many of those had succeeded, or may have been done.
    """

    known: int
    new: int
    new_lines: tuple[int, ...]
    gone: int
    gone_succeeded: int


def compare_with_journal(work: Work, journal: Journal, base_url: str) -> JournalComparison:
    """Compare the rows of a file with what the journal says.

    Raises:
        ConfigurationError: The file cannot be read, or the journal belongs to another job.
        JournalError: The journal cannot be read, or another run has it.
    """
    totals = journal.counts()
    found: Counter[Status] = Counter()
    new = 0
    lines: list[int] = []
    store = _open(work, journal, base_url)
    try:
        for _, content, recorded in _read_records(work, store):
            if recorded is not None:
                found[recorded.status] += 1
            elif content.digest is not None:
                new += 1
                if len(lines) < _SHOWN:
                    lines.append(content.row.line)
    finally:
        store.close()
    maybe_done = (Status.SUCCEEDED, Status.UNKNOWN, Status.INTENDED)
    return JournalComparison(
        known=found.total(),
        new=new,
        new_lines=tuple(lines),
        gone=sum(totals.values()) - found.total(),
        gone_succeeded=sum(totals[one] - found[one] for one in maybe_done),
    )


def recorded_rows(
    work: Work, journal: Journal | None, base_url: str, first: int
) -> Iterator[tuple[int, Row, RowDone | None]]:
    """Yield the rows from a position on, each with its outcome, if it has one without being sent.

    Where the file or the journal cannot be read, the rows end there.

    Args:
        work: The work.
        journal: The journal, which no run has; None if nothing is recorded of these rows.
        base_url: The server.
        first: The position of the first row.
    """
    if journal is None:
        with suppress(FileError):
            for index, content in enumerate(work.contents()):
                if index >= first:
                    yield index, content.row, _invalid(index, content)
        return
    try:
        store = _open(work, journal, base_url)
    except JournalError:
        return
    try:
        with suppress(FileError, JournalError):
            for index, content, recorded in _read_records(work, store):
                if index >= first:
                    done = _row_done(index, content.row, recorded) if recorded else None
                    yield index, content.row, done or _invalid(index, content)
    finally:
        store.close()


def _invalid(index: int, content: RowContent) -> RowDone | None:
    """Return the outcome of a row that makes no input; it will never be sent."""
    row, entry = content.row, content.entry
    if not isinstance(entry, OutcomeError):
        return None
    return RowDone(index, row.line, "failed", None, entry.kind, entry.message)


def _open(work: Work, journal: Journal, base_url: str) -> Store:
    plain = Journal(journal.path, account=journal.account, mapping=journal.mapping)
    return plain.open(work.call.head(base_url))


def _read_records(work: Work, store: Store) -> Iterator[RecordedRow]:
    contents = enumerate(work.contents())
    while block := list(islice(contents, _BLOCK)):
        digests = [one.digest for _, one in block if one.digest is not None]
        identities = [*map(Identity, digests, store.count(digests))]
        known = store.find(identities)
        left = iter(identities)
        for index, content in block:
            recorded = known.get(next(left)) if content.digest is not None else None
            yield RecordedRow(index, content, recorded)


def _row_done(index: int, row: Row, recorded: Recorded) -> RowDone:
    error: dict[str, Any] = json.loads(recorded.error or b"{}")
    result: dict[str, Any] = json.loads(recorded.result or b"{}")
    status = "unknown" if recorded.status is Status.INTENDED else str(recorded.status)
    return RowDone(
        index,
        row.line,
        status,
        result.get("id") or result.get("objectId"),
        error.get("kind") or ("no_answer" if status == "unknown" else None),
        error.get("message"),
        error.get("correlation_id"),
        evidence=(recorded.evidence or "answer") if status == "succeeded" else None,
    )
