"""The files with the outcome of each row: `outcomes.jsonl`, `rejects.*`, `unknown.*`.

This module decides what they contain, and when they are written. `outcomes.jsonl` never holds a
part of a line, and lags up to 100 rows behind while a job runs; the other two appear when they are
complete.
"""

from __future__ import annotations

import errno
import heapq
import os
import re
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from hubspot_batch.files import Row, RowWriter, Table
from hubspot_batch.outcomes import Outcome

from .json_forms import outcome_lines
from .summary import Reason, RowDone

OUTCOMES = "outcomes.jsonl"
REJECTS, UNKNOWN = "rejects", "unknown"
_STEMS = {"failed": REJECTS, "unknown": UNKNOWN}
STATUSES = ("succeeded", "failed", "unknown", "not_sent")
_REASONS = 50
_LINES_AT_ONCE = 100
_LINES = 5
# The parts of a message that differ from row to row, or from request to request.
_VARYING = re.compile(
    r"^(?:Line|Row) \d+, |'[^']*'|\b(?:[a-z]+_)?(?=[a-f-]*\d)[0-9a-f]{8,}(?:-[0-9a-f]+)*\b",
    re.ASCII,
)


def row_done(row: Row, outcome: Outcome[Any]) -> RowDone:
    """Return what became of a row, as it is written."""
    error, result = outcome.error, outcome.result
    found = getattr(result, "id", None) or getattr(result, "object_id", None)
    evidence = getattr(outcome, "evidence", None)
    return RowDone(
        index=outcome.index,
        line=row.line,
        status=str(outcome.status),
        id=None if found is None else str(found),
        kind=None if error is None else error.kind,
        message=None if error is None else error.message,
        correlation_id=None if error is None else error.correlation_id,
        evidence=None if evidence is None else str(evidence),
    )


class OutcomeFiles:
    """Writes what became of the rows of a table, and counts it.

    Args:
        folder: Where the files are written; it exists.
        table: The table.

    Raises:
        OSError: They cannot be written.

    Attributes:
        counts: How many rows have each status.
    """

    def __init__(self, folder: Path, table: Table) -> None:
        self.counts: Counter[str] = Counter()
        # By kind and what messages have in common: the first message, the number and lines of rows.
        self._reasons: dict[tuple[str, str], tuple[str, list[int]]] = {}
        self._writers = {status: RowWriter(folder, stem, table) for status, stem in _STEMS.items()}
        self._written: set[str] = set()
        # Rows for these files, which are written in the order of the table: (index, done, row).
        self._waiting: list[tuple[int, RowDone, Row]] = []
        # Lines that are still to be written, whole ones at a time: no kill leaves a part of one.
        self._lines: list[RowDone] = []
        self._stream = (folder / OUTCOMES).open("wb", buffering=0)

    def add(self, done: RowDone, row: Row) -> None:
        """Take what became of a row; it is written with others, or by `flush`."""
        self._lines.append(done)
        self.counts[done.status] += 1
        if done.kind is not None:
            self._count_reason(done)
        if done.status in _STEMS:
            heapq.heappush(self._waiting, (done.index, done, row))
        if len(self._lines) >= _LINES_AT_ONCE:
            self.flush()

    @property
    def waits(self) -> bool:
        """Whether rows wait for those before them, to be written in order."""
        return bool(self._waiting)

    def flush(self) -> None:
        """Write the lines of `outcomes.jsonl` that are there.

        Raises:
            OSError: They cannot be written; the file ends with the line before them.
        """
        lines = outcome_lines(self._lines)
        self._lines = []
        for _ in range(2):  # where the disk is full, the second attempt may say what it is
            written = self._stream.write(lines)
            if written == len(lines):
                return
            whole = lines.rfind(b"\n", 0, written) + 1
            self._stream.seek(whole - written, os.SEEK_CUR)
            self._stream.truncate()
            lines = lines[whole:]
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _count_reason(self, done: RowDone) -> None:
        message = done.message or ""
        key = (done.kind or "", _VARYING.sub("", message))
        if key not in self._reasons and len(self._reasons) >= _REASONS:
            message = "(other messages)"
            key = (key[0], message)
        _, numbers = self._reasons.setdefault(key, (message, [0]))
        numbers[0] += 1
        if len(numbers) <= _LINES:
            numbers.append(done.line)

    def write_in_order(self, before: int | None) -> None:
        """Write the rows of `rejects.*` and `unknown.*` that no other row can precede any more.

        Args:
            before: The lowest index of a row that has no outcome yet; None if there is none.
        """
        while self._waiting and (before is None or self._waiting[0][0] < before):
            _, done, row = heapq.heappop(self._waiting)
            self._writers[done.status].write(row, done.status, done.message or "")
            self._written.add(done.status)

    def reasons(self) -> tuple[Reason, ...]:
        """Return why rows did not succeed, the most frequent reason first."""
        found = [
            Reason(kind, message, rows, tuple(lines))
            for (kind, _), (message, (rows, *lines)) in self._reasons.items()
        ]
        return tuple(sorted(found, key=lambda one: -one.rows))

    def close(self) -> tuple[str, ...]:
        """Complete the files; return their names.

        Raises:
            OSError: One of them cannot be written.
        """
        self.write_in_order(None)
        self.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        names = [OUTCOMES]
        for status, writer in self._writers.items():
            writer.close()
            if status in self._written:
                names.append(writer.path.name)
            else:
                writer.path.unlink(missing_ok=True)  # of an earlier run; it holds no longer
        return tuple(names)

    def abandon(self) -> None:
        """Close the files where they cannot be completed."""
        with suppress(OSError):
            self._stream.close()
        for writer in self._writers.values():
            with suppress(OSError):
                writer.__exit__(OSError, None, None)


def check_folder(folder: Path, names: Iterable[str] = (OUTCOMES,)) -> None:
    """Make a folder if there is none, and check that files can be written there.

    Raises:
        OSError: They cannot.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        with (folder / name).open("ab"):
            pass
    probe = folder / ".writable"
    try:
        probe.write_bytes(b"\0" * 4096)
    finally:
        probe.unlink(missing_ok=True)
