"""Writing: a rejects file is in the input's own form, and loads after it is mended."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from call_files import FIRST, HEADINGS, NOTE, PLAIN, file, mapping
from hubspot_batch.files import FileError, InvalidRow, Row, RowWriter, Table, open_table
from hubspot_batch.files.table import FileForm, value_table

pa = pytest.importorskip("pyarrow")
import pyarrow.parquet  # noqa: E402


def reject(folder: Path, table: Table, *, rows: list[Row] | None = None) -> Path:
    """Write rows of a table back, all of them if none are named."""
    with RowWriter(folder, "rejects", table) as writer:
        for row in list(table) if rows is None else rows:
            writer.write(row, "failed", f"it is no good: „{row.line}“ \u0141")
    return writer.path


ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "cp1252"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rejects_have_the_dialect_of_the_input(
    tmp_path: Path, encoding: str, delimiter: str, end: str
) -> None:
    """The bytes of a row are those of the input, with three cells behind them."""
    text = PLAIN.replace(";", "/").replace(",", delimiter).replace("\n", end)
    path = file(tmp_path, text.encode(encoding))
    written = reject(tmp_path, open_table(path)).read_bytes()
    assert written.startswith(path.read_bytes()[: 2 if encoding == "utf-16" else 3])
    lines = written.decode(encoding).split(end)
    for before, after in zip(text.split(end)[:3], lines, strict=False):
        assert after.startswith(before + delimiter)
    assert lines[0].endswith(delimiter.join(["", "_status", "_error", "_line"]))
    assert lines[1].split(delimiter)[-3:][::2] == ["failed", "2"]
    # What an error says may not fit the encoding; it is written nevertheless.
    assert ("\\u0141" if encoding == "cp1252" else "\u0141") in lines[1]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (gzip.compress(PLAIN.encode(), mtime=0), "calls.csv.gz"),
        (b"sep=;\r\na;b\r\n1;2\r\n", "calls.csv"),
        (b'"a","b"\n"1","2, 3"\n', "calls.csv"),
        (b"a,b,b,\n1,,3,\n", "calls.csv"),
        (b"a\tb\n1\t2\n", "calls.tsv"),
        (b'{"a": "007", "b": [1, 2], "c": null}\n{"b": 1.5}\n', "calls.jsonl"),
        (b'[{"a": {"x": 1}}, {"a": "y", "b": true}]', "calls.json"),
    ],
)
def test_rejects_read_back_are_the_rows(tmp_path: Path, content: bytes, name: str) -> None:
    """Form, headings and cells are those of the input; our columns stand behind."""
    table = open_table(file(tmp_path, content, name))
    rows = list(table)
    path = reject(tmp_path, table)
    assert path.name == "rejects" + name.removeprefix("calls")
    again = open_table(path)
    assert again.columns == (*table.columns, "_status", "_error", "_line")
    assert again.form == table.form.headed([*table.form.headings, "_status", "_error", "_line"])
    for row, back in zip(rows, again, strict=True):
        assert list(back.cells[: len(row.cells)]) == list(row.cells)
        assert str(back.cells[-1]) == str(row.line)
        assert back.cells[-3] == "failed"


def test_rejects_of_rejects(tmp_path: Path) -> None:
    """The three columns are replaced, not added again."""
    first = reject(tmp_path, open_table(file(tmp_path, PLAIN)))
    table = open_table(first)
    (tmp_path / "again").mkdir()
    second = open_table(reject(tmp_path / "again", table, rows=[list(table)[1]]))
    assert second.columns == table.columns
    (row,) = second
    assert row.cells[2] == NOTE
    assert row.cells[-1] == "3"  # its line in the file of rejects


def test_rejects_load_after_they_are_mended(tmp_path: Path) -> None:
    """Refused rows are mended in the file, which is then handed in as it is."""
    bad = FIRST.replace("2:30", "soon").replace("Asked for a price", '"Asked, ""twice"",\nfor it"')
    table = open_table(file(tmp_path, f"{PLAIN}{bad}\n"))
    mapped = mapping(tmp_path)
    with RowWriter(tmp_path, "rejects", table) as writer:
        for row, made in mapped.map_rows(table):
            if isinstance(made, InvalidRow):
                writer.write(row, "failed", made.reason)
    text = writer.path.read_text("utf-8")
    assert text.startswith(f"{HEADINGS},_status,_error,_line\n")
    assert "Line 4, Duration: 'soon' is no duration" in text
    writer.path.write_text(text.replace(",soon,", ",2:30,"), "utf-8")
    (made,) = mapped.inputs(writer.path)
    assert isinstance(made, dict)
    assert made["properties"]["hs_call_body"].startswith('Asked, "twice",\nfor')


def test_a_row_with_cells_too_many_keeps_them(tmp_path: Path) -> None:
    """They stand behind our columns, so that no cell is under a wrong heading."""
    table = open_table(file(tmp_path, f"{HEADINGS}\n{FIRST},one,two\n1,2\n"))
    lines = reject(tmp_path, table).read_text("utf-8").splitlines()
    assert lines[1].startswith(f"{FIRST},failed,")
    assert lines[1].endswith(",2,one,two")
    assert lines[2].startswith("1,2,,,,,,,,,,,failed,")
    surplus, _ = open_table(tmp_path / "rejects.csv")
    assert surplus.problem


def test_nothing_written_is_no_file(tmp_path: Path) -> None:
    """And a writer that is broken off leaves none either."""
    table = open_table(file(tmp_path, PLAIN))
    with RowWriter(tmp_path, "rejects", table):
        pass

    def break_off() -> None:
        with RowWriter(tmp_path, "rejects", table) as writer:
            writer.write(Row(2, FIRST.split(",")), "failed", "")
            raise KeyError

    with pytest.raises(KeyError):
        break_off()
    assert [path.name for path in tmp_path.iterdir()] == ["calls.csv"]


def test_a_file_is_replaced_when_it_is_complete(tmp_path: Path) -> None:
    """Until then an older one of that name stands."""
    table = open_table(file(tmp_path, PLAIN))
    old = file(tmp_path, "old", "rejects.csv")
    with RowWriter(tmp_path, "rejects", table) as writer:
        writer.write(Row(2, FIRST.split(",")), "failed", "")
        assert old.read_text() == "old"
    assert old.read_text().startswith(HEADINGS)


VALUES: list[dict[str, Any]] = [
    {"text": " a\nb & <c> \u0141", "whole": 101, "part": 1.5, "flag": True},
    {"text": "007", "whole": None, "part": -0.25, "flag": False},
]


@pytest.mark.parametrize("name", ["calls.parquet", "calls.arrow", "stream.arrow"])
def test_parquet_and_arrow(tmp_path: Path, name: str) -> None:
    """Columns keep their types, and batches their order."""
    data = pa.table(
        {
            "day": pa.array([dt.date(2026, 5, n % 28 + 1) for n in range(2500)]),
            "at": pa.array([1_777_544_400_000_000_000 + n for n in range(2500)]).cast(
                pa.timestamp("ns", "UTC")
            ),
            "n": pa.array(range(2500), pa.int32()),
            "tags": pa.array([["a", "b"]] * 2500),
            "_status": pa.array(["old"] * 2500),
        }
    )
    path = tmp_path / name
    if name.endswith("parquet"):
        pyarrow.parquet.write_table(data, path)
    else:
        new = pa.ipc.new_stream if name == "stream.arrow" else pa.ipc.new_file
        with path.open("wb") as stream, new(stream, data.schema) as writer:
            writer.write_table(data)
    table = open_table(path)
    rows = list(table)
    assert [row.line for row in rows] == [*range(1, 2501)]
    assert [row.cells[2] for row in rows] == [*range(2500)]
    assert rows[0].cells[0] == dt.date(2026, 5, 1)
    assert rows[0].cells[1] == dt.datetime(2026, 4, 30, 10, 20, tzinfo=dt.UTC)
    again = open_table(reject(tmp_path, table))
    assert again.columns == ("day", "at", "n", "tags", "_status", "_error", "_line")
    assert again.form.schema.field("n").type == pa.int32()
    assert again.form.schema.field("at").type == pa.timestamp("ns", "UTC")
    assert [row.cells[:4] for row in again] == [row.cells[:4] for row in rows]
    assert [row.cells[4] for row in again] == ["failed"] * 2500


def workbook(folder: Path, headings: list[str], rows: list[list[Any]], sheet: str = "") -> Path:
    """Write a workbook of rows."""
    form = FileForm("xlsx", suffix=".xlsx", sheet=sheet).headed(headings)
    table = value_table("rows", form, lambda: iter(rows))
    with RowWriter(folder, "book", table) as writer:
        for row in table:
            writer.write(row, "", "")
    return writer.path


def test_workbooks(tmp_path: Path) -> None:
    """Texts, numbers, dates, times and flags come back as what they were."""
    rows: list[list[Any]] = [
        [" a\nb & <c>\r\u0141", 101, 1.5, True, dt.datetime(2026, 5, 4, 10, 20, 30)],
        ["=1+1", 447700900123, -0.25, False, dt.date(2026, 5, 4)],
        ["007", 12345678901234567890.0, 0, None, dt.timedelta(seconds=190)],
        ["+44", "101", "\x01x", "#N/A", dt.time(0, 3, 10)],
    ]
    path = workbook(tmp_path, ["a", "b", "c", "d", "e"], rows, 'Calls & "more"')
    table = open_table(path)
    assert table.form.sheet == 'Calls & "more"'
    found = [row.cells[:5] for row in table]
    assert found[0] == rows[0]
    assert found[1] == rows[1]
    assert found[2][:3] == ["007", 12345678901234567000.0, 0]
    assert found[2][4] == dt.timedelta(seconds=190)
    assert found[3] == ["+44", "101", "\ufffdx", "#N/A", dt.time(0, 3, 10)]
    assert [row.line for row in table] == [2, 3, 4, 5]
    again = open_table(reject(tmp_path, table))
    assert [row.cells[:5] for row in again] == found
    assert again.form.unit == "row"


def test_sheets(tmp_path: Path) -> None:
    """A sheet is chosen by name or number; a wide one has its columns in order."""
    headings = [f"h{n}" for n in range(60)]
    path = workbook(tmp_path, headings, [[*map(str, range(60))]], "Calls")
    assert open_table(path, sheet="Calls").columns == open_table(path, sheet="1").columns
    assert next(iter(open_table(path))).cells[:60] == [*map(str, range(60))]
    with pytest.raises(Exception, match="no sheet 'Other'; there are Calls"):
        open_table(path, sheet="Other")


def test_a_workbook_of_several_sheets(tmp_path: Path) -> None:
    """The first that is visible is read, and a note says so; a broken one is said to be broken."""
    first = workbook(tmp_path, ["a"], [["1"]])
    parts: dict[str, bytes] = {}
    with zipfile.ZipFile(first) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = re.search(rb"<sheet [^>]*/>", parts["xl/workbook.xml"])
    assert sheet
    hidden = sheet[0].replace(b"Sheet1", b"Old").replace(b"<sheet ", b'<sheet state="hidden" ')
    other = sheet[0].replace(b"Sheet1", b"New")
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(sheet[0], hidden + sheet[0] + other)

    def written() -> Path:
        with zipfile.ZipFile(tmp_path / "several.xlsx", "w") as archive:
            for name, content in parts.items():
                archive.writestr(name, content)
        return tmp_path / "several.xlsx"

    table = open_table(written())
    assert table.form.sheet == "Sheet1"
    assert table.notes == ('Read the sheet "Sheet1"; the others are New.',)
    assert open_table(written(), sheet="3").form.sheet == "New"
    parts["xl/worksheets/sheet1.xml"] = b"<worksheet><sheetData><row><c"
    with pytest.raises(FileError, match="sheet Sheet1 cannot be read"):
        open_table(written())


def test_rows_of_a_program_are_written_as_json_lines(tmp_path: Path) -> None:
    """Rows that came from no file have no form of their own."""
    table = value_table("rows", FileForm("jsonl").headed(["a", "b"]), lambda: iter([["x", None]]))
    path = reject(tmp_path, table)
    (line,) = path.read_text("utf-8").splitlines()
    record = json.loads(line)
    assert path.name == "rejects.jsonl"
    assert record.pop("_error").startswith("it is no good")
    assert record == {"a": "x", "b": None, "_status": "failed", "_line": 1}


def test_csv_that_others_read(tmp_path: Path) -> None:
    """Python's own reader reads what is written."""
    text = 'a,b\n"x ""y""","1\n2"\n'
    table = open_table(file(tmp_path, text))
    written = reject(tmp_path, table).read_text("utf-8")
    rows = list(csv.reader(io.StringIO(written, newline=""), strict=True))
    assert rows[1][:3] == ['x "y"', "1\n2", "failed"]
