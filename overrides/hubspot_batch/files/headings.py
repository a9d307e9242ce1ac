"""Finds the line of the headings.

This module decides which line has them. Where lines of a title may stand above, it asks the person
and takes none of them for headings.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from .errors import EmptyTableError, FileError
from .table import OUR_COLUMNS, is_blank

_LOOKED_AT = 20


def find_headings(
    name: str, records: Iterator[tuple[int, list[Any]]], wanted: int | None
) -> tuple[int, list[str]]:
    """Return the line of the headings, and the headings without blank ones at the end.

    Args:
        name: The file's name, for messages.
        records: The records from the first on.
        wanted: The line that the caller has named; None for the first that is not blank.

    Raises:
        FileError: There are none, or a title may stand above them.
    """
    for line, cells in records:
        if line < (wanted or 0) and not set(OUR_COLUMNS) <= {*map(str, cells)}:
            continue  # rejects have their headings first, wherever the file had them
        filled = _without_blank_end(cells)
        if wanted is not None and line > wanted:
            break
        if filled:
            if wanted is None:
                _refuse_title(name, line, filled, records)
            return line, ["" if is_blank(cell) else str(cell) for cell in filled]
    if wanted is not None:
        raise FileError("there are no headings in this line.", path=name, line=wanted)
    raise EmptyTableError("it is empty.", path=name)


def _without_blank_end(cells: list[Any]) -> list[Any]:
    end = len(cells)
    while end and is_blank(cells[end - 1]):
        end -= 1
    return cells[:end]


def _refuse_title(
    name: str, line: int, found: list[Any], records: Iterator[tuple[int, list[Any]]]
) -> None:
    """Refuse headings that are fewer than the cells of most rows: they look like a title."""
    widths: list[tuple[int, int]] = []
    try:
        for number, cells in islice(records, _LOOKED_AT):
            if filled := _without_blank_end(cells):
                widths.append((number, len(filled)))
    except FileError:
        pass  # said again when the rows are read
    alone = sum(not is_blank(cell) for cell in found) == 1
    least = max(len(found), 2) if alone else len(found)
    wider = [(number, width) for number, width in widths if width > least]
    # One row that is too long is a row with a problem.
    if not wider or (not alone and (len(wider) < 2 or len(wider) * 2 <= len(widths))):
        return
    number, width = wider[0]
    there = "1 cell" if len(found) == 1 else f"{len(found)} cells"
    raise FileError(
        f"it looks like a title ({str(found[0 if not alone else -1])!r}), because it has {there}, "
        f"but line {number} has {width} cells. If that line has the headings, add --headings "
        f"{number}; otherwise add the headings that are missing.",
        path=name,
        line=line,
    )
