"""Shows what became of each row: a table for each operation, and one for all of them.

This module decides how the demo's output looks, on a terminal and in a file. It never decides what
an outcome is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TextIO

from attrs import frozen
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from hubspot_batch.jobs.summary import RowDone
from hubspot_batch.outcomes import OutcomeStatus

STATUSES: dict[OutcomeStatus, tuple[str, str]] = {
    OutcomeStatus.SUCCEEDED: ("succeeded", "green"),
    OutcomeStatus.FAILED: ("failed", "red"),
    OutcomeStatus.UNKNOWN: ("unknown", "yellow"),
    OutcomeStatus.NOT_SENT: ("not sent", "cyan"),
}
"""How each status is called, and its colour."""

_FIRST = 3
# Without a terminal, no line is broken, so tools can search and cut every row.
_ENDLESS = 1_000_000


@frozen
class DemoRow:
    """A row and what became of it.

    Attributes:
        file: The file's name.
        label: The name by which people know the row.
        done: What became of it.
    """

    file: str
    label: str
    done: RowDone

    @property
    def status(self) -> OutcomeStatus:
        """The row's outcome, in a word."""
        return OutcomeStatus(self.done.status)

    @property
    def record(self) -> str:
        """The id of the record that was matched to it."""
        return f"id {self.done.id}" if self.done.id else ""

    @property
    def reason(self) -> str:
        """Why it did not succeed, or the id of its record."""
        return self.done.message or self.record


@frozen
class Section:
    """The rows of one operation.

    Attributes:
        operation: The operation's name, as the command line has it.
        source: The rows' file, for people.
        entries: One for each row, in their order.
        stopped: Why the operation ended early; None if it did not.
    """

    operation: str
    source: str
    entries: tuple[DemoRow, ...]
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


class DemoReport:
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
            or (entry.status is not OutcomeStatus.SUCCEEDED and entry.done.kind != "stopped")
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
    for section in sections:
        table.add_row(*([section.operation] if total else []), *_numbers([section]))
    if total:
        table.add_row("total", *_numbers(sections), style="bold")
    return table


def _numbers(sections: Iterable[Section]) -> list[Text]:
    counts: Counter[OutcomeStatus] = Counter()
    inputs = 0
    for section in sections:
        counts += section.counts
        inputs += len(section.entries)
    return [
        Text(str(inputs)),
        *(Text(str(counts[s]), style if counts[s] else "") for s, (_, style) in STATUSES.items()),
    ]


def _rows(entries: Iterable[DemoRow]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("row", no_wrap=True)
    table.add_column("what", overflow="fold", ratio=2)
    table.add_column("status", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    table.add_column("reason", overflow="fold", ratio=5)
    for entry in entries:
        name, style = STATUSES[entry.status]
        table.add_row(
            Text(f"{entry.file}:{entry.done.line}"),
            Text(plain(entry.label)),
            Text(name, style),
            Text(entry.done.kind or ""),
            Text(plain(entry.reason)),
        )
    return table


def _successes(section: Section) -> str:
    done = [entry for entry in section.entries if entry.status is OutcomeStatus.SUCCEEDED]
    if not done:
        return "None succeeded."
    shown = "; ".join(plain(f"{entry.label} ({entry.record or 'done'})") for entry in done[:_FIRST])
    rest = "" if len(done) <= _FIRST else f"; and {len(done) - _FIRST} more (--all shows them)"
    return f"Succeeded: {shown}{rest}."
