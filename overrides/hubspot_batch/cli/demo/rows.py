"""Reads CSV as people keep it into rows, each with an input for the client or a reason for none.

This module decides what counts as a row and what is wrong with one. It never sends anything, never
guesses at a cell, and drops no row. What the columns mean stands in `forms`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any, TypeAlias

from attrs import define, field, frozen

from hubspot_batch.outcomes import OutcomeStatus

Input: TypeAlias = Mapping[str, Any] | str
"""What the client takes: a mapping in the API's own names, or an id to read."""


@frozen
class Problem:
    """Why a row is not handed to the client, in the terms of an outcome.

    `kind` is `unreadable_row` (a cell says nothing that could be sent) or `duplicate_row` (it says
    the same as an earlier row, and a create would make a second record of it).
    """

    status: OutcomeStatus
    kind: str
    reason: str


@frozen
class FileRow:
    """One row: where it stands, what people call it, and its input or the problem with it."""

    file: str
    line: int
    label: str
    input: Input | None
    problem: Problem | None = None


@frozen
class Sheet:
    """The rows of a file, and how many of its lines were blank."""

    file: str
    rows: tuple[FileRow, ...]
    blank: int


@frozen
class Column:
    """A column: its heading, the API's name for it, and what a cell of it means."""

    heading: str
    name: str
    read: Callable[[str], object] = str


@frozen
class Form:
    """How the rows of one kind of file are read.

    `label` names the columns by which people know a row; the first that is filled in counts.
    """

    file: str
    label: tuple[str, ...]
    build: Callable[[Cells], Input]
    creates: bool = False


@define
class Cells:
    """The cells of a row by their headings, and what is wrong with them so far."""

    texts: Mapping[str, str]
    problems: list[str] = field(factory=list[str])

    def text(self, heading: str) -> str:
        """Return what a cell holds; nothing where the file has no such column."""
        return self.texts.get(heading, "").strip()

    def read(self, columns: Sequence[Column]) -> dict[str, Any]:
        """Return the meanings of the cells that are filled in, in the API's names."""
        found: dict[str, Any] = {}
        for column in columns:
            if text := self.text(column.heading):
                try:
                    found[column.name] = column.read(text)
                except ValueError as error:
                    self.problems.append(f"{column.heading}: {error}")
        return found


def read_example(form: Form) -> Sheet:
    """Read the example file of a form out of the package."""
    data = files("hubspot_batch.cli.demo").joinpath("examples", form.file).read_bytes()
    # Spreadsheets put a mark before the first byte; it belongs to no heading.
    return read_sheet(form, data.decode("utf-8-sig"))


def read_sheet(form: Form, text: str) -> Sheet:
    """Read a CSV text with a line of headings; every row that is not blank becomes a `FileRow`."""
    records = _records(text)
    _, first = next(records, (1, ()))
    headings = [heading.strip() for heading in first]
    rows: list[FileRow] = []
    seen: dict[str, int] = {}
    blank = 0
    for line, cells in records:
        if not isinstance(cells, str) and not any(cell.strip() for cell in cells):
            blank += 1
            continue
        row = _row(form, headings, line, cells)
        if form.creates and row.problem is None:
            row = _unless_seen(row, seen)
        rows.append(row)
    return Sheet(form.file, tuple(rows), blank)


def _records(text: str) -> Iterator[tuple[int, list[str] | str]]:
    """Yield the line at which each record begins, with its cells or what is wrong with it."""
    reader = csv.reader(io.StringIO(text, newline=""))
    while True:
        line = reader.line_num + 1
        try:
            yield line, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, f"it is no CSV ({error})"


def _row(form: Form, headings: Sequence[str], line: int, given: Sequence[str] | str) -> FileRow:
    if isinstance(given, str):
        return _unreadable(form, line, "", [given])
    cells = Cells(dict(zip(headings, given, strict=False)))
    label = next((text for heading in form.label if (text := cells.text(heading))), "")
    if len(given) != len(headings):
        count = f"it has {len(given)} cells, but there are {len(headings)} headings"
        return _unreadable(form, line, label, [count])
    made = form.build(cells)
    if cells.problems:
        return _unreadable(form, line, label, cells.problems)
    return FileRow(form.file, line, label, made)


def _unreadable(form: Form, line: int, label: str, problems: Sequence[str]) -> FileRow:
    reason = f"Line {line}, {'; '.join(problems)}."
    return FileRow(
        form.file,
        line,
        label,
        None,
        Problem(OutcomeStatus.FAILED, "unreadable_row", reason),
    )


def _unless_seen(row: FileRow, seen: dict[str, int]) -> FileRow:
    before = seen.setdefault(json.dumps(row.input, sort_keys=True), row.line)
    if before == row.line:
        return row
    reason = f"Line {row.line} says the same as line {before}; a second record would come of it."
    problem = Problem(OutcomeStatus.NOT_SENT, "duplicate_row", reason)
    return FileRow(row.file, row.line, row.label, None, problem)
