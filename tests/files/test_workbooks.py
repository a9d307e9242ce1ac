"""Workbooks as people have them: errors of formulas, hidden rows, merged cells, several sheets."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from call_files import file
from hubspot_batch.files import Mapping, open_table

_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def workbook(sheet: str, name: str = "Calls") -> bytes:
    """A workbook with a sheet, given as XML."""
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" '
        f'ContentType="application/xml"/><Override PartName="/xl/workbook.xml" '
        f'ContentType="{_TYPE}"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        f'<sheet name="{name}" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>",
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}">{sheet}</worksheet>',
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for path, text in parts.items():
            archive.writestr(path, text)
    return made.getvalue()


def text(place: str, value: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'


HEAD = f'<row r="2">{text("B2", "When")}{text("C2", "Contact")}</row>'
WHEN = "2026-01-31T09:30:00Z"


def data(*rows: str) -> str:
    return f"<sheetData>{HEAD}{''.join(rows)}</sheetData>"


@pytest.mark.parametrize("error", ["#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NUM!"])
def test_an_error_of_a_formula_is_no_empty_cell(tmp_path: Path, error: str) -> None:
    """A call without its contact would be created, and nothing would tell of it."""
    bad = f'<row r="4">{text("B4", WHEN)}<c r="C4" s="0" t="e"><f>A1/0</f><v>{error}</v></c></row>'
    good = f'<row r="3">{text("B3", WHEN)}{text("C3", "101")}</row>'
    path = file(tmp_path, workbook(data(good, bad), "A &amp; B"), "calls.xlsx")
    mapping = Mapping.from_options(
        operation="calls create", map=["When=hs_timestamp"], associate=["contact=Contact"]
    )
    first, second = mapping.inputs(path)
    assert first["associations"][0]["to"] == {"id": "101"}
    assert f"Row 4, Contact: {error!r}" in second.reason


def test_hidden_rows_and_merged_cells_are_noted(tmp_path: Path) -> None:
    """A person who filters a list sees fewer rows than are sent."""
    rows = [
        f'<row r="3">{text("B3", WHEN)}{text("C3", "101")}</row>',
        f'<row r="4" hidden="1">{text("B4", WHEN)}</row>',
        f'<row r="5" spans="1:3" hidden="true">{text("B5", WHEN)}</row>',
    ]
    merged = '<mergeCells count="1"><mergeCell ref="C3:C5"/></mergeCells>'
    table = open_table(file(tmp_path, workbook(data(*rows) + merged), "calls.xlsx"))
    assert len(list(table)) == 3
    assert "2 hidden rows are read, too" in table.notes[0]
    assert "merged over several rows, such as in row 3" in table.notes[1]
