"""Writes a sheet of an Excel workbook: the least that Excel, and others that read .xlsx, accept.

This module decides how a value becomes a cell. Texts stay texts: no cell is a formula.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import zipfile
from collections.abc import Sequence
from typing import Any, BinaryIO
from xml.sax.saxutils import escape, quoteattr

from .table import FileForm

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
# The styles of cells, by their number: none, a time, a date, a duration, a time of day.
_TIME, _DATE, _DURATION, _CLOCK = 1, 2, 3, 4

_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
    "</Types>",
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    "</Relationships>",
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    "</Relationships>",
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><numFmts count="2">'
    '<numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/>'
    '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd"/></numFmts>'
    '<fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="5"><xf/><xf numFmtId="164" applyNumberFormat="1"/>'
    '<xf numFmtId="165" applyNumberFormat="1"/><xf numFmtId="46" applyNumberFormat="1"/>'
    '<xf numFmtId="21" applyNumberFormat="1"/></cellXfs></styleSheet>',
}
_EPOCH = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - times of Excel have no zone
_DAY = dt.timedelta(days=1)
# XML cannot hold these.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LETTERS = 26


class SheetWriter:
    """Writes one sheet, row after row.

    Args:
        stream: Where the workbook goes.
        form: The form of the rows.
    """

    def __init__(self, stream: BinaryIO, form: FileForm) -> None:
        self.stream = stream
        self._archive = zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED)
        name = quoteattr(form.sheet or "Sheet1")
        workbook = (
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
            f'<sheet name={name} sheetId="1" r:id="rId1"/></sheets></workbook>'
        )
        for part, text in {**_PARTS, "xl/workbook.xml": workbook}.items():
            self._archive.writestr(part, _XML + text)
        self._sheet = self._archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True)
        self._put(f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData>')
        self._row = 0
        self.write(form.headings)

    def write(self, cells: Sequence[Any]) -> None:
        """Write a row."""
        self._row += 1
        made = (_cell(f"{_column(at)}{self._row}", cell) for at, cell in enumerate(cells))
        self._put(f'<row r="{self._row}">{"".join(made)}</row>')

    def close(self) -> None:
        """Complete the workbook, and bring it to the disk."""
        self._put("</sheetData></worksheet>")
        self._sheet.close()
        self._archive.close()
        self.stream.flush()
        os.fsync(self.stream.fileno())
        self.stream.close()

    def _put(self, text: str) -> None:
        self._sheet.write(text.encode())


def _column(at: int) -> str:
    """Return the letters of a column: A, B, ..., Z, AA, ..."""
    at += 1
    letters = ""
    while at:
        at, rest = divmod(at - 1, _LETTERS)
        letters = chr(ord("A") + rest) + letters
    return letters


def _cell(place: str, value: Any) -> str:
    number, style = _number(value)
    if number is not None:
        return f'<c r="{place}"{style}><v>{number}</v></c>'
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if value is None or value == "":
        return ""
    text = escape(_CONTROLS.sub("\N{REPLACEMENT CHARACTER}", str(value))).replace("\r", "&#13;")
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _number(value: Any) -> tuple[str | None, str]:
    """Return a value as a number with its style; None if it is no number in Excel."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value), ""
    if isinstance(value, dt.datetime):
        return repr((value.replace(tzinfo=None) - _EPOCH) / _DAY), f' s="{_TIME}"'
    if isinstance(value, dt.date):
        return str(value.toordinal() - _EPOCH.toordinal()), f' s="{_DATE}"'
    if isinstance(value, dt.timedelta):
        return repr(value / _DAY), f' s="{_DURATION}"'
    if isinstance(value, dt.time):
        since = dt.timedelta(hours=value.hour, minutes=value.minute, seconds=value.second)
        return repr(since / _DAY), f' s="{_CLOCK}"'
    return None, ""
