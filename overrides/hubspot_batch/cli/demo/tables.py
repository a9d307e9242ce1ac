"""Shows what became of each row: a table for each operation, and one for all of them.

This module decides how the demo's output looks, on a terminal and in a file. It never decides what
an outcome is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from attrs import frozen
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from hubspot_batch.outcomes import Outcome, OutcomeStatus

from .rows import FileRow

STATUSES: dict[OutcomeStatus, tuple[str, str]] = {
    OutcomeStatus.SUCCEEDED: ("succeeded", "green"),
    OutcomeStatus.FAILED: ("failed", "red"),
    OutcomeStatus.UNKNOWN: ("unknown", "yellow"),
    OutcomeStatus.NOT_SENT: ("not sent", "cyan"),
}
"""How each status is called, and its colour."""

_FIRST = 3
# Where there is no terminal no line is broken, so that every row can be searched and cut.
_ENDLESS = 1_000_000


@frozen
class Entry:
    """The outcome of one row; `outcome` is None where it was not handed to the client."""

    row: FileRow
    outcome: Outcome[Any] | None = None

    @property
    def status(self) -> OutcomeStatus:
        """The status of the row."""
        if self.outcome is not None:
            return self.outcome.status
        return self.row.problem.status if self.row.problem else OutcomeStatus.NOT_SENT

    @property
    def kind(self) -> str:
        """In a word, why it did not succeed."""
        if self.outcome is not None:
            return self.outcome.error.kind if self.outcome.error else ""
        return self.row.problem.kind if self.row.problem else ""

    @property
    def reason(self) -> str:
        """Why it did not succeed, or the id of the record that came of it."""
        if self.outcome is not None:
            return self.outcome.error.message if self.outcome.error else self.record
        return self.row.problem.reason if self.row.problem else ""

    @property
    def record(self) -> str:
        """The id of the record that was tied to it."""
        result = self.outcome.result if self.outcome else None
        found = getattr(result, "id", None) or getattr(result, "object_id", None)
        return f"id {found}" if found else ""


@frozen
class Section:
    """The outcomes of the rows of one operation.

    Attributes:
        operation: The operation's name, as the command line has it.
        source: The rows' files, for people.
        entries: One for each row, in their order.
        unmatched: How many results could not be tied to any row.
        stopped: Why the operation ended early, or None.
    """

    operation: str
    source: str
    entries: tuple[Entry, ...]
    unmatched: int = 0
    stopped: str | None = None

    @property
    def counts(self) -> Counter[OutcomeStatus]:
        """How many rows there are of each status."""
        return Counter(entry.status for entry in self.entries)


def plain(text: str) -> str:
    """Return a text on one line, without any character that could steer a terminal."""
    return "".join(
        c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in " ".join(text.split())
    )


class Report:
    """Writes the demo's output to a stream, in colour where that is a terminal.

    With `everything`, rows that succeeded get a line each too.
    """

    def __init__(self, stream: TextIO, *, everything: bool = False) -> None:
        self._stream = stream
        self._everything = everything
        self._console = Console(file=stream, highlight=False, markup=False, emoji=False)
        self._wide = not self._console.is_terminal
        if self._wide:
            self._console.width = _ENDLESS

    def say(self, text: str, style: str = "") -> None:
        """Write a sentence."""
        self._write(Text(plain(text), style=style))

    def section(self, section: Section) -> None:
        """Write the tables of one operation."""
        self._write(
            Text(f"\n{section.operation}", style="bold"), Text(f"{section.source}\n", style="dim")
        )
        self._write(_totals([section], total=False), Text(""))
        # What a stopped run left has one reason in common, which is said once.
        rest = [
            entry
            for entry in section.entries
            if self._everything
            or (entry.status is not OutcomeStatus.SUCCEEDED and entry.kind != "stopped")
        ]
        if rest:
            self._write(_rows(rest), Text(""))
        if not self._everything:
            self._write(Text(_successes(section)))
        if section.stopped:
            self.say(f"Stopped: {section.stopped}", "bold red")

    def summary(self, sections: Sequence[Section]) -> None:
        """Write the table of all operations."""
        self._write(
            Text("\nAll operations\n", style="bold"), _totals(sections, total=True), Text("")
        )

    def _write(self, *parts: RenderableType) -> None:
        with self._console.capture() as capture:
            self._console.print(*parts, sep="\n")
        lines = capture.get().splitlines()
        # Cells are padded to the longest of their column, which no reader of a file needs.
        text = "\n".join(line.rstrip() if self._wide else line for line in lines)
        self._stream.write(text + "\n")
        self._stream.flush()


def _totals(sections: Sequence[Section], *, total: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    if total:
        table.add_column("operation")
    table.add_column("inputs", justify="right")
    for name, _ in STATUSES.values():
        table.add_column(name, justify="right")
    table.add_column("unmatched", justify="right")
    for section in sections:
        table.add_row(*([section.operation] if total else []), *_numbers([section]))
    if total:
        table.add_row("total", *_numbers(sections), style="bold")
    return table


def _numbers(sections: Iterable[Section]) -> list[Text]:
    counts: Counter[OutcomeStatus] = Counter()
    inputs = unmatched = 0
    for section in sections:
        counts += section.counts
        inputs += len(section.entries)
        unmatched += section.unmatched
    return [
        Text(str(inputs)),
        *(Text(str(counts[s]), style if counts[s] else "") for s, (_, style) in STATUSES.items()),
        Text(str(unmatched), "yellow" if unmatched else ""),
    ]


def _rows(entries: Iterable[Entry]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("row", no_wrap=True)
    table.add_column("what", overflow="fold", ratio=2)
    table.add_column("status", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    table.add_column("reason", overflow="fold", ratio=5)
    for entry in entries:
        name, style = STATUSES[entry.status]
        table.add_row(
            Text(f"{entry.row.file}:{entry.row.line}"),
            Text(plain(entry.row.label)),
            Text(name, style),
            Text(entry.kind),
            Text(plain(entry.reason)),
        )
    return table


def _successes(section: Section) -> str:
    done = [entry for entry in section.entries if entry.status is OutcomeStatus.SUCCEEDED]
    if not done:
        return "None succeeded."
    shown = "; ".join(
        plain(f"{entry.row.label} ({entry.record or 'done'})") for entry in done[:_FIRST]
    )
    rest = "" if len(done) <= _FIRST else f"; and {len(done) - _FIRST} more (--all shows them)"
    return f"Succeeded: {shown}{rest}."
