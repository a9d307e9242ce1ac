"""A table: columns with distinct names, rows, and the form of its file.

This module decides how columns are called and which rows count. It never decides what a cell means.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from attrs import evolve, field, frozen

from hubspot_batch._operations.values import is_missing

OUR_COLUMNS = ("_status", "_error", "_line")
"""The columns that are written behind a row, and ignored when it is handed in again."""


class Row(NamedTuple):
    """One row.

    Attributes:
        line: The line at which it begins; of a workbook or a DataFrame, the row; of a JSON array
            in one line, the item. Counted from 1.
        cells: The cells in the order of the columns; of a row with a problem, as many as it has.
        problem: Why its cells cannot be put under the headings; empty if they can.
    """

    line: int
    cells: Sequence[Any]
    problem: str = ""


@frozen
class FileForm:
    """The form of a file: enough to write rows in the same form.

    Attributes:
        format: `csv`, `tsv`, `jsonl`, `json`, `parquet`, `arrow` or `xlsx`.
        headings: The headings as they stand there.
        suffix: The end of a file's name in this form, such as `.csv.gz`.
        gzip: Whether it is compressed.
        encoding: The encoding of a text.
        mark: Whether a text begins with a byte order mark.
        delimiter: What separates cells.
        line_end: What ends a line.
        quotes_all: Whether all cells stand in quotes.
        sep_line: Whether the first line is `sep=`, which tells Excel the delimiter.
        sheet: The name of a workbook's sheet.
        schema: The schema of Parquet and Arrow.
        items: Whether the items of a JSON array are counted, because all are in one line.
    """

    format: str
    headings: tuple[str, ...] = ()
    suffix: str = ""
    gzip: bool = False
    encoding: str = "utf-8"
    mark: bool = False
    delimiter: str = ","
    line_end: str = "\n"
    quotes_all: bool = False
    sep_line: bool = False
    sheet: str = ""
    schema: Any = field(default=None, eq=False, repr=False)
    items: bool = field(default=False, eq=False)

    @property
    def unit(self) -> str:
        """The thing that the number of a row counts."""
        if self.items:
            return "item"
        return "line" if self.format in ("csv", "tsv", "jsonl", "json") else "row"

    def headed(self, headings: Iterable[str]) -> FileForm:
        """Return the form with these headings."""
        return evolve(self, headings=tuple(headings))


class LeftOut:
    """The records without any value that were left out, as far as a table was read.

    A blank line of a text is no row. A record of nulls was written by a program, so it is told of.
    """

    def __init__(self) -> None:
        self._count = 0

    def count(self, number: int) -> None:
        """Note that this many were left out in one reading."""
        self._count = max(self._count, number)

    @property
    def notes(self) -> tuple[str, ...]:
        """The sentence about them; none if there were none."""
        rows, are = ("1 row has", "is") if self._count == 1 else (f"{self._count} rows have", "are")
        return (f"{rows} no value in any column, and {are} left out.",) if self._count else ()


@frozen(eq=False)
class Table:
    """A table that can be read any number of times, from its beginning each time.

    Attributes:
        name: The file's name, as it was given.
        columns: The name of each column. No two are the same.
        form: The form of its file.
    """

    name: str
    columns: tuple[str, ...]
    form: FileForm
    _notes: tuple[str, ...] = field(alias="notes", default=())
    _rows: Callable[[], Iterator[Row]] = field(alias="rows", kw_only=True, repr=False)
    _fingerprint: Callable[[], tuple[int, str]] | None = field(
        alias="fingerprint", kw_only=True, default=None, repr=False
    )
    _left_out: LeftOut = field(alias="left_out", kw_only=True, factory=LeftOut, repr=False)

    @property
    def notes(self) -> tuple[str, ...]:
        """The sentences that a person should know of how it was read so far."""
        return (*self._notes, *self._left_out.notes)

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows that are not blank.

        Raises:
            FileError: The rest cannot be read. The rows before it stand.
        """
        return self._rows()

    def fingerprint(self) -> tuple[int, str]:
        """Return the size of the file in bytes, and the SHA-256 of its bytes in hexadecimal."""
        if self._fingerprint is None:
            raise TypeError(f"{self.name} is no file.")
        return self._fingerprint()


def column_names(headings: Sequence[str]) -> tuple[str, ...]:
    """Return a name for each column: its heading if it is there once, else with its position."""
    trimmed = [_trimmed(heading) for heading in headings]
    counts = Counter(trimmed)
    return tuple(
        name if name and counts[name] == 1 else f"{name} (column {number})".strip()
        for number, name in enumerate(trimmed, 1)
    )


def _trimmed(heading: str) -> str:
    # A program that reads a byte order mark as text writes it into the first heading.
    return heading.strip("\ufeff").strip()


def normal(heading: str) -> str:
    """Return a heading without differences of case and space."""
    return " ".join(heading.split()).casefold()


def heading_notes(headings: Sequence[str]) -> list[str]:
    """Return what is said of headings that are blank or repeated."""
    counts = Counter(map(_trimmed, headings))
    notes: list[str] = []
    if blank := counts.pop("", 0):
        columns = "1 column has" if blank == 1 else f"{blank} columns have"
        notes.append(f'{columns} no heading, and a name by position, such as "(column 3)".')
    notes += [
        f'The heading "{name}" is there {count} times, so its columns are called '
        f'"{name} (column N)".'
        for name, count in counts.items()
        if count > 1
    ]
    return notes


def is_blank(cell: Any) -> bool:
    """Return whether a cell holds nothing: no text, None, NaN, NaT or NA."""
    if isinstance(cell, str):
        return not cell or cell.isspace()
    return cell is None or is_missing(cell)


def fitted(line: int, cells: list[Any], width: int) -> Row | None:
    """Return a row with its cells under the headings, or with a problem; None if blank.

    Args:
        line: The line at which it begins.
        cells: The cells that were found.
        width: The number of headings.
    """
    if all(map(is_blank, cells)):
        return None
    if len(cells) == width:
        return Row(line, cells)
    if len(cells) > width and all(map(is_blank, cells[width:])):
        return Row(line, cells[:width])
    found = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
    wanted = "is 1 heading" if width == 1 else f"are {width} headings"
    return Row(line, cells, f"it has {found}, but there {wanted}")


def filled_records(
    found: Iterable[tuple[int, list[Any]]], width: int, left_out: LeftOut
) -> Iterator[Row]:
    """Yield the records that have a value, and count the others."""
    count = 0
    for number, cells in found:
        if row := fitted(number, cells, width):
            yield row
        else:
            count += 1
            left_out.count(count)


def value_table(
    name: str,
    form: FileForm,
    read: Callable[[], Iterator[list[Any]]],
    fingerprint: Callable[[], tuple[int, str]] | None = None,
) -> Table:
    """Return a table of values that stand under the form's headings.

    Args:
        name: The table's name.
        form: Its form.
        read: Yields the rows from the first on.
        fingerprint: Returns the size and the digest of the file, if it is one.
    """
    width = len(form.headings)
    left_out = LeftOut()

    def rows() -> Iterator[Row]:
        return filled_records(enumerate(read(), 1), width, left_out)

    notes = tuple(heading_notes(form.headings))
    columns = column_names(form.headings)
    return Table(name, columns, form, notes, rows=rows, fingerprint=fingerprint, left_out=left_out)
