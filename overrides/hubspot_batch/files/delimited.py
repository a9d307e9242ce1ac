"""Reads CSV and TSV: records of cells, with the line at which each begins.

This module decides what is a record and what is no CSV. It never guesses: at the first record that
is no CSV it stops, because everything after it could be misplaced. A cell may have any length.
"""

from __future__ import annotations

import csv
import re
import reprlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from .errors import FileError

# Where several fit, the first counts: a tab hardly ever stands in a text.
DELIMITERS = ("\t", ",", ";", "|")

# A quote that is never closed must not take all memory. No value in HubSpot is a thousandth of it.
_LONGEST_CELL = 1 << 26


class Dialect(NamedTuple):
    """How cells and lines are separated.

    Attributes:
        delimiter: What separates cells.
        line_end: What ends a line.
        quotes_all: Whether all cells stand in quotes.
        sep_line: Whether the first line is `sep=`.
    """

    delimiter: str
    line_end: str
    quotes_all: bool
    sep_line: bool


def find_dialect(name: str, sample: list[str], said: str | None) -> Dialect:
    """Return the dialect of a text.

    Args:
        name: The file's name, for messages.
        sample: Its first lines with their ends.
        said: The delimiter that the caller has named, or None.
    """
    first = sample[0] if sample else ""
    line_end = first[len(first.rstrip("\r\n")) :] or "\n"
    separator = _separator(first)
    sep_line = separator is not None
    rest = sample[1:] if sep_line else sample
    delimiter = said or separator or _best(name, rest)
    headings = next((line for line in rest if line.strip()), "").rstrip("\r\n")
    quotes_all = all(
        len(part) > 1 and part[0] == part[-1] == '"' for part in headings.split(delimiter)
    )
    return Dialect(delimiter, line_end, quotes_all, sep_line)


def _separator(line: str) -> str | None:
    """Return the separator that a line `sep=` names; None if it is no such line."""
    text = line.strip(" \r\n").lstrip('"')
    if text[:4].lower() != "sep=":
        return None
    # Excel fills the line up with empty cells when it saves a file.
    named = {*text[4:].replace('"', "").strip(" ")}
    return named.pop() if len(named) == 1 else None


def _best(name: str, sample: list[str]) -> str:
    """Return the delimiter that fits best; the comma if none is there."""
    fits = {one: _fit(name, sample, one) for one in DELIMITERS}
    best = max(DELIMITERS, key=lambda one: fits[one])
    return best if fits[best][2] > 1 else ","


def other_delimiter(sample: Iterable[str], delimiter: str) -> str:
    """Return what else may separate the cells of a single column; empty if nothing.

    It stands in the headings, and equally often in each line of the sample.
    """
    first, *others = [line for line in sample if line.strip()] or [""]
    for one in (*DELIMITERS, "^", "~", "\x1f", "\x01", "\xa6", "\xa7"):
        count = first.count(one)
        if one != delimiter and count and all(line.count(one) == count for line in others):
            return one
    return ""


def _fit(name: str, sample: list[str], delimiter: str) -> tuple[bool, float, int]:
    """Return how well a delimiter fits: the more records are as wide as the first, the better."""
    widths: list[int] = []
    try:
        for _, cells in DelimitedRecords(name, sample, delimiter, returns=True):
            if any(cells):
                widths.append(len(cells))
    except FileError:
        pass  # what was read before it counts; the sample may also end within a cell
    if not widths:
        return (False, 0, 0)
    width, count = Counter(widths).most_common(1)[0]
    return (width > 1 and width == widths[0], count / len(widths) if width > 1 else 0, width)


class DelimitedRecords:
    """The records of a text: the line at which each begins, and its cells.

    Args:
        name: The file's name, for messages.
        lines: The lines with their ends.
        delimiter: What separates cells.
        returns: Whether a carriage return alone ends a line, as in files of old Macintoshes.
        before: How many lines stand before these.
    """

    def __init__(
        self, name: str, lines: Iterable[str], delimiter: str, *, returns: bool, before: int = 0
    ) -> None:
        self._name = name
        self._lines = iter(lines)
        self._delimiter = delimiter
        self._returns = returns
        self._number = before
        self._spaced = re.compile(f'(?:^|{re.escape(delimiter)}) +"') if delimiter != " " else None
        # The parser in C, which takes as long to make as to read a line; and the line that it gets.
        self._reader: Iterator[list[str]] | None = None
        self._line: str | None = None

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """Yield each record.

        Raises:
            FileError: A record is no CSV. Nothing after it is read.
        """
        delimiter, returns = self._delimiter, self._returns
        for line in self._lines:
            self._number += 1
            if '"' in line:
                start = self._number
                yield start, self._simple(line) or self._quoted(line)
            elif line[-1:] == "\r" and not returns:
                raise self._fault(self._number, _RETURN)
            else:
                yield self._number, line.rstrip("\r\n").split(delimiter)

    def _simple(self, line: str) -> list[str] | None:
        """Return the cells of a record that is one line, by the parser in C; None if it fails.

        Where it fails (a record of several lines, a fault, a long cell), `_quoted` says why.
        """
        if line[-1:] == "\r" and not self._returns:
            return None
        if self._spaced is not None and self._spaced.search(line):
            return None
        self._line = line
        try:
            if self._reader is None:
                self._reader = csv.reader(self._fed(), delimiter=self._delimiter, strict=True)
            return next(self._reader)
        except (csv.Error, TypeError):
            return None

    def _fed(self) -> Iterator[Any]:
        """Yield the line that `_simple` has; None, which the parser refuses, for another one."""
        while True:
            line, self._line = self._line, None
            yield line

    def _quoted(self, line: str) -> list[str]:
        """Return the cells of a record with quotes, given its first line."""
        delimiter, start = self._delimiter, self._number
        cells: list[str] = []
        at = 0
        while True:
            quote = self._after_spaces(line, at)
            if line[quote : quote + 1] == '"':
                # Spaces before quotes are not of the cell: if they were, a delimiter within the
                # quotes would misplace the rest.
                cell, line, at = self._cell(line, quote + 1, len(cells) + 1)
                cells.append(cell)
                if not line[at:].strip("\r\n"):
                    break
                if line[at] != delimiter:
                    raise self._fault(
                        start,
                        f"it is no CSV: the quotes around cell {len(cells)} "
                        f"({_beginning(cell)}) end in line {self._number}, but other text follows "
                        f"({_beginning(line[at:])}). Quotes within a cell must be doubled.",
                    )
                at += 1
            else:
                # A quote that is not the first character of its cell is a character like others.
                end = line.find(delimiter, at)
                if end < 0:
                    cells.append(line[at:].rstrip("\r\n"))
                    break
                cells.append(line[at:end])
                at = end + 1
        if line[-1:] == "\r" and not self._returns:
            raise self._fault(self._number, _RETURN)
        return cells

    def _after_spaces(self, line: str, at: int) -> int:
        if self._spaced is not None:
            while line[at : at + 1] == " ":
                at += 1
        return at

    def _cell(self, line: str, at: int, position: int) -> tuple[str, str, int]:
        """Read a cell from behind its first quote; return it, the last line, and where it ends."""
        start, pieces, length = self._number, list[str](), 0
        while True:
            end = line.find('"', at)
            if end < 0:
                pieces.append(line[at:])
                length += len(line) - at
                line = next(self._lines, "")
                if not line or length > _LONGEST_CELL:
                    raise self._fault(
                        start,
                        "it is no CSV: the quotes that are opened before cell "
                        f"{position} ({_beginning(pieces[0])}) are never closed.",
                    )
                self._number += 1
                at = 0
            elif line[end + 1 : end + 2] == '"':
                pieces.append(line[at : end + 1])
                at = end + 2
            else:
                pieces.append(line[at:end])
                return "".join(pieces), line, end + 1

    def _fault(self, line: int, sentence: str) -> FileError:
        return FileError(sentence, path=self._name, line=line)


_RETURN = (
    "it is no CSV: a carriage return stands in it, and not as the end of a line as in the first "
    "line. A cell with line breaks must stand in quotes."
)


def _beginning(text: str) -> str:
    return reprlib.repr(text.strip("\r\n"))
