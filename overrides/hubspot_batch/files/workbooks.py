"""Reads a sheet of an Excel workbook, through python-calamine.

This module decides which sheet is read and what a number of Excel means. A sheet is held in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, BinaryIO

from .errors import FileError
from .formats import OLD_WORKBOOK
from .sheet_facts import read_facts

# Excel keeps 15 digits of a number; it has replaced the others by zeros.
_EXACT = 10**15


def read_sheet(
    name: str, open_bytes: Callable[[], BinaryIO], wanted: str | None
) -> tuple[str, list[str], Callable[[], Iterator[list[Any]]]]:
    """Return the sheet's name, what to say of the choice, and a function that yields its rows.

    Args:
        name: The file's name, for messages.
        open_bytes: Opens the workbook.
        wanted: The sheet's name, or its number counted from 1; None for the first that is visible.

    Raises:
        FileError: It is no workbook, or has no such sheet.
    """
    try:
        from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415 - an extra
        from python_calamine import SheetVisibleEnum as Visible  # noqa: PLC0415
    except ImportError:
        raise FileError(
            'Excel workbooks need python-calamine: pip install "hubspot-batch[files]".', path=name
        ) from None
    try:
        with open_bytes() as stream:
            workbook = CalamineWorkbook.from_filelike(stream)
    except CalamineError as error:
        with open_bytes() as stream:
            old = stream.read(len(OLD_WORKBOOK)) == OLD_WORKBOOK
        hint = " Save it as .xlsx in Excel, without a password." if old else ""
        raise FileError(f"it cannot be read as a workbook: {error}.{hint}", path=name) from None
    names = workbook.sheet_names
    shown = [one.name for one in workbook.sheets_metadata if one.visible == Visible.Visible]
    sheet = _choose(name, names, shown or names, wanted)
    notes: list[str] = []
    if wanted is None and len(shown) > 1:
        notes.append(f'Read the sheet "{sheet}"; the others are {", ".join(set(shown) - {sheet})}.')

    with open_bytes() as stream:
        errors, hidden = read_facts(stream, sheet)
    if hidden:
        rows_are = "1 hidden row is" if hidden == 1 else f"{hidden} hidden rows are"
        notes.append(f"{rows_are} read, too; delete rows that must not be sent.")
    with suppress(CalamineError):  # which is said when the rows are read
        notes += _merged(workbook.get_sheet_by_name(sheet))

    def rows() -> Iterator[list[Any]]:
        try:
            found = workbook.get_sheet_by_name(sheet)
            left = found.start[1] if found.start else 0
            for number, cells in enumerate(found.iter_rows(), 1):
                made = [_exact(cell) for cell in cells]
                for at, text in errors.get(number, {}).items():
                    if left <= at < left + len(made):
                        made[at - left] = text
                yield made
        except CalamineError as error:
            raise FileError(f"the sheet {sheet} cannot be read: {error}.", path=name) from None

    return sheet, notes, rows


def _merged(sheet: Any) -> list[str]:
    """Return a note of cells that are merged over several rows, of which one has the value."""
    merged: list[Any] = sheet.merged_cell_ranges or []
    rows = [first[0] + 1 for first, last in merged if last[0] > first[0]]
    if not rows:
        return []
    return [
        f"Cells are merged over several rows, such as in row {min(rows)}; only the first of these "
        "rows has the value."
    ]


def _choose(name: str, names: list[str], shown: list[str], wanted: str | None) -> str:
    if not names:
        raise FileError("the workbook has no sheet.", path=name)
    if wanted is None:
        return shown[0]
    if wanted in names:
        return wanted
    if wanted.isdecimal() and 0 < int(wanted) <= len(names):
        return names[int(wanted) - 1]
    raise FileError(f"there is no sheet {wanted!r}; there are {', '.join(names)}.", path=name)


def _exact(cell: Any) -> Any:
    """Return a cell; a whole number without the fraction that Excel gives to all numbers."""
    if type(cell) is float and cell.is_integer() and abs(cell) < _EXACT:
        return int(cell)
    return cell
