"""Reading: what a person calls a table becomes the rows that stand there, or is said to be none."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import sys
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest
from call_files import FIRST, HEADINGS, NOTE, PLAIN, SECOND, file, read
from hubspot_batch import HubSpotBatchError
from hubspot_batch.files import EmptyTableError, FileError, Table, open_table

COLUMNS = tuple(HEADINGS.split(","))


CUT_GZIP = gzip.compress(b"a,b\n1,2\n" * 100, mtime=0)[:-12]


def cells(table: Table) -> list[list[Any]]:
    """The cells of all rows."""
    return [list(row.cells) for row in table]


EXPECTED = [FIRST.split(","), SECOND.split(",")]


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (PLAIN.encode(), {}),
        (PLAIN.encode("utf-8-sig"), {"mark": True}),
        (b"\xef\xbb\xbf" + PLAIN.encode("utf-8-sig"), {"mark": True}),
        (PLAIN.encode("utf-16"), {"encoding": "utf-16-le", "mark": True}),
        (PLAIN.encode("utf-16-be"), {"encoding": "utf-16-be"}),
        (b"\xfe\xff" + PLAIN.encode("utf-16-be"), {"encoding": "utf-16-be", "mark": True}),
        (PLAIN.encode("utf-32"), {"encoding": "utf-32-le", "mark": True}),
        (PLAIN.encode("cp1252"), {"encoding": "cp1252"}),
        (PLAIN.replace(",", "\t").encode("utf-16"), {"delimiter": "\t"}),
        (PLAIN.replace(";", "/").replace(",", ";").replace("/", ",").encode(), {"delimiter": ";"}),
        (PLAIN.replace(",", "|").encode(), {"delimiter": "|"}),
        (b"sep=|\n" + PLAIN.replace(",", "|").encode(), {"delimiter": "|", "sep_line": True}),
        (PLAIN.replace("\n", "\r\n").encode(), {"line_end": "\r\n"}),
        (PLAIN.replace("\n", "\r").encode(), {"line_end": "\r"}),
        (PLAIN.rstrip().encode(), {}),
        (gzip.compress(PLAIN.encode(), mtime=0), {"gzip": True, "suffix": ".csv.gz"}),
        (
            "\n".join(
                ",".join(f'"{cell}"' for cell in line.split(",")) for line in PLAIN.splitlines()
            ).encode(),
            {"quotes_all": True},
        ),
    ],
)
def test_the_same_table_in_any_form(tmp_path: Path, content: bytes, form: dict[str, Any]) -> None:
    """Encoding, marks, delimiter and line ends are found, and kept for writing."""
    name = "calls.csv.gz" if form.get("gzip") else "calls.csv"
    table = open_table(file(tmp_path, content, name))
    assert table.columns == COLUMNS
    found = cells(table)
    assert [[c.replace(",", ";") for c in row] for row in found] == EXPECTED
    assert {name: getattr(table.form, name) for name in form} == form
    assert cells(table) == found  # it can be read again


def test_tsv_and_text_files(tmp_path: Path) -> None:
    """The name's end says TSV; a .txt is what it looks like."""
    tabs = PLAIN.replace(",", "\t")
    for name in ("calls.tsv", "calls.txt", "calls"):
        assert cells(open_table(file(tmp_path, tabs, name))) == EXPECTED


def test_a_note_says_windows_1252(tmp_path: Path) -> None:
    """A file that is taken for cp1252 is reported, with the line that made it so."""
    table = open_table(file(tmp_path, PLAIN.encode("cp1252")))
    assert table.notes == ("Read as Windows-1252 (cp1252), because line 3 is not UTF-8.",)
    said = open_table(file(tmp_path, PLAIN.encode("cp1252")), encoding="cp1252")
    assert said.notes == ()
    assert cells(said) == cells(table) == EXPECTED


def test_a_file_in_two_encodings_is_refused(tmp_path: Path) -> None:
    """One line in another encoding does not turn the umlauts of all others into rubbish."""
    mixed = PLAIN.encode() + SECOND.encode("cp1252") + b"\n"
    with pytest.raises(FileError, match="line 4: it is not UTF-8 here, though other lines are"):
        open_table(file(tmp_path, mixed))
    rows, error, _ = read(file(tmp_path, mixed), encoding="utf-8")
    assert [row.line for row in rows] == [2, 3]
    assert error is not None
    assert error.line == 4
    assert "0x" in str(error)


def test_far_below_an_encoding_still_counts(tmp_path: Path) -> None:
    """The first byte that is no UTF-8 may stand behind the part that one would look at first."""
    text = HEADINGS + "\n" + f"{FIRST}\n" * 20_000
    table = open_table(file(tmp_path, text.encode() + SECOND.encode("cp1252")))
    assert "line 20002" in table.notes[0]
    assert list(table)[-1].cells[2] == NOTE


def test_an_encoding_that_is_said_must_fit(tmp_path: Path) -> None:
    """A name that is none, and one that the byte order mark contradicts."""
    path = file(tmp_path, PLAIN.encode("utf-8-sig"))
    with pytest.raises(FileError, match="byte order mark of utf-8"):
        open_table(path, encoding="cp1252")
    with pytest.raises(FileError, match="no encoding 'klingon'"):
        open_table(path, encoding="klingon")
    assert cells(open_table(path, encoding="utf-8-sig")) == EXPECTED
    plain = file(tmp_path, PLAIN.encode("utf-16-le"))
    assert cells(open_table(plain, encoding="utf-16")) == EXPECTED
    neither = file(tmp_path, f"{HEADINGS}\n{FIRST}\n".encode() + b"\x81")
    with pytest.raises(FileError, match="line 3: it is neither UTF-8 nor Windows-1252"):
        open_table(neither)


# ---------------------------------------------------------------- rows and lines


def test_blank_lines_do_not_count_but_are_counted(tmp_path: Path) -> None:
    """Blank lines and rows of blank cells are no rows; the others keep their line numbers."""
    text = f"\n\n{HEADINGS}\n\n{FIRST}\n,,,,,,,,,,,\n  ,\n\n{SECOND}\n\n"
    rows, error, _ = read(file(tmp_path, text))
    assert [row.line for row in rows] == [5, 9]
    assert error is None


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_cell_of_any_length_is_one_cell(tmp_path: Path, end: str) -> None:
    """A transcript of lines that look like calls stays in its cell, and lines are counted on."""
    note = end.join([FIRST] * 3_000)
    text = end.join([HEADINGS, FIRST.replace("Asked for a price", f'"{note}"'), SECOND, ""])
    rows, error, _ = read(file(tmp_path, text))
    assert error is None
    assert [row.line for row in rows] == [2, 3002]
    assert rows[0].cells[2] == note
    assert len(note) > 131_072
    long = file(tmp_path, f"{HEADINGS}\n{FIRST.replace('Hello', 'word ' * 200_000)}\n{SECOND}\n")
    assert [len(row.cells[1]) for row in open_table(long)] == [1_000_000, 5]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (FIRST.replace("Asked", '"Asked'), r"opened before cell 3 .* are never closed"),
        (FIRST.replace("Asked for", '"3" pipe for'), r"around cell 3 .* end in line 4"),
        (FIRST.replace("Asked for a price", '"Asked" '), "other text follows"),
        (FIRST.replace("Asked", r'"say \"hi\" to'), "must be doubled"),
        (FIRST.replace("Asked", "As\rked"), "carriage return"),
    ],
)
def test_what_is_no_csv_stops_the_file_there(tmp_path: Path, row: str, words: str) -> None:
    """The rows before it stand, and nothing after it is guessed."""
    rows, error, _ = read(file(tmp_path, f"{HEADINGS}\n{FIRST}\n{SECOND}\n{row}\n{SECOND}\n"))
    assert [row.line for row in rows] == [2, 3]
    assert error is not None
    assert error.line == 4
    with pytest.raises(FileError, match=words):
        raise error


def test_quotes_that_are_right(tmp_path: Path) -> None:
    """Doubled quotes, delimiters and line ends in quotes, and quotes that do not begin a cell."""
    text = 'a,b,c\n"x ""y"" z","1,2\r\n3",5" pipe\n"",""""," "\n="007",\'1,q\n'
    rows, error, _ = read(file(tmp_path, text))
    assert error is None
    assert [row.cells for row in rows] == [
        ['x "y" z', "1,2\r\n3", '5" pipe'],
        ["", '"', " "],
        ['="007"', "'1", "q"],
    ]
    assert [row.line for row in rows] == [2, 4, 5]


def test_a_row_of_another_width_is_a_problem_of_its_own(tmp_path: Path) -> None:
    """Too few or too many cells are refused by row; blank cells beyond the headings are nothing."""
    short = ",".join(FIRST.split(",")[:10])
    text = f"{HEADINGS},,\n{FIRST},,\n{short}\n{FIRST},,,,\n{FIRST},more\n{SECOND}\n"
    rows, error, table = read(file(tmp_path, text))
    assert error is None
    assert table.columns == COLUMNS
    assert [(row.line, row.problem) for row in rows] == [
        (2, ""),
        (3, "it has 10 cells, but there are 12 headings"),
        (4, ""),
        (5, "it has 13 cells, but there are 12 headings"),
        (6, ""),
    ]


def test_headings_that_are_blank_or_repeated_get_names(tmp_path: Path) -> None:
    """No column hides another, and a note says how they are called."""
    table = open_table(file(tmp_path, "Date, Notes ,,Notes\n1,2,3,4\n"))
    assert table.columns == ("Date", "Notes (column 2)", "(column 3)", "Notes (column 4)")
    assert 'The heading "Notes" is there 2 times' in " ".join(table.notes)
    assert "1 column has no heading" in " ".join(table.notes)


@pytest.mark.parametrize("title", ["Calls of March", "Calls of March,,,,,,,,,,,"])
def test_a_title_above_the_headings(tmp_path: Path, title: str) -> None:
    """A title is not taken for headings; the message names the line that they may be in."""
    path = file(tmp_path, f"{title}\n\n{PLAIN}")
    with pytest.raises(FileError, match=r"line 1: it looks like a title .* --headings 3"):
        open_table(path)
    table = open_table(path, headings=3)
    assert table.columns == COLUMNS
    assert [row.line for row in table] == [4, 5]
    with pytest.raises(FileError, match="line 2: there are no headings"):
        open_table(path, headings=2)


def test_one_column(tmp_path: Path) -> None:
    """A list of ids is a table too."""
    rows, _, table = read(file(tmp_path, "id\n101\n\n102\n"))
    assert table.columns == ("id",)
    assert [(row.line, row.cells) for row in rows] == [(2, ["101"]), (4, ["102"])]


def test_the_delimiter_may_be_said(tmp_path: Path) -> None:
    """By itself or by a word; anything longer is none."""
    path = file(tmp_path, "a;b,c\n1;2,3\n")
    assert open_table(path, delimiter="semicolon").columns == ("a", "b,c")
    assert open_table(path, delimiter=",").columns == ("a;b", "c")
    with pytest.raises(FileError, match="must be one character"):
        open_table(path, delimiter=";;")


# ---------------------------------------------------------------- what is no table


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"", "calls.csv", "it is empty"),
        (b"\xef\xbb\xbf\r\n \n", "calls.csv", "it is empty"),
        (HEADINGS.encode(), "calls.csv", "it has headings, but no rows"),
        (HEADINGS.encode() + b"\n,,,\n", "calls.csv", "it has headings, but no rows"),
        (b"<!DOCTYPE html><table></table>", "calls.csv", "it is an HTML or XML page"),
        (b"\n <html><body>Sign in</body></html>", "calls.csv", "it is an HTML or XML page"),
        (b"%PDF-1.7 ...", "calls.csv", "it is a PDF document"),
        (b"PK\x03\x04rest", "calls.csv", r"it is an Excel workbook .* end in .xlsx"),
        (b"\xd0\xcf\x11\xe0rest", "calls.csv", "it is an Excel workbook"),
        (b"\xd0\xcf\x11\xe0rest", "calls.csv", "Save it as .xlsx in Excel"),
        (b"\xd0\xcf\x11\xe0rest", "calls.xls", "Save it as .xlsx in Excel, without a password"),
        (b"\xd0\xcf\x11\xe0rest", "calls.xlsx", "Save it as .xlsx in Excel, without a password"),
        (b"PAR1rest", "calls.csv", "it is a Parquet file"),
        (b'[{"a": 1}]', "calls.csv", "it is JSON, and not csv. Add --format json"),
        (b'{"a": 1}\n', "calls.tsv", "it is JSON, and not tsv. Add --format jsonl"),
        (b"a,b\n1,2\n", "calls.xlsx", "it is not an Excel workbook"),
        (b"a,b\n1,2\n", "calls.parquet", "it is not a Parquet file"),
        (b"PAR1 and no more", "calls.parquet", "cannot be read as Parquet"),
        (b"a,b\n1,2\n", "calls.arrow", "cannot be read as Arrow"),
        (b"PK\x03\x04rest", "calls.xlsx", "cannot be read as a workbook"),
        (b"a,b\n1,2\n", "calls.csv.gz", "it is not compressed"),
        (CUT_GZIP, "calls.csv.gz", "compression is damaged"),
        (b"a,b\n1,\0\n", "calls.csv", "line 2: it holds the character NUL"),
        (b'{"a": 1}', "calls.json.csv", "it is JSON"),
    ],
)
def test_a_file_that_is_something_else_is_said_to_be_that(
    tmp_path: Path, content: bytes, name: str, words: str
) -> None:
    """Nothing is read out of a file that is not what its name says."""
    with pytest.raises(FileError, match=words) as caught:
        list(open_table(file(tmp_path, content, name)))
    assert str(tmp_path / name) in str(caught.value)
    assert isinstance(caught.value, EmptyTableError) is ("empty" in words or "no rows" in words)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """No file, a folder, and a format that there is not."""
    with pytest.raises(FileError, match="No such file"):
        open_table(tmp_path / "none.csv")
    with pytest.raises(FileError, match="it is a folder"):
        open_table(tmp_path)
    with pytest.raises(FileError, match="no format 'xml'"):
        open_table(file(tmp_path, PLAIN), format="xml")


def test_a_file_error_keeps_its_place() -> None:
    """It can be pickled, and is an error of this package."""
    error = pickle.loads(pickle.dumps(FileError("it is odd.", path="a.csv", line=7)))
    assert (str(error), error.path, error.line) == ("a.csv, line 7: it is odd.", "a.csv", 7)
    assert isinstance(error, HubSpotBatchError)
    assert str(error.again()) == str(error)


# ---------------------------------------------------------------- other sources and forms


class Pipe(io.RawIOBase):
    """Bytes that can be read once."""

    def __init__(self, content: bytes) -> None:
        self._rest = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._rest.readinto(buffer)


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read once, and its table any number of times."""
    stream = io.TextIOWrapper(io.BufferedReader(Pipe(gzip.compress(PLAIN.encode("cp1252")))))
    monkeypatch.setattr(sys, "stdin", stream)
    table = open_table("-")
    assert cells(table) == cells(table) == EXPECTED
    assert table.name == "standard input"


def test_an_open_file(tmp_path: Path) -> None:
    """A binary file that is open counts as well."""
    with file(tmp_path, PLAIN).open("rb") as stream:
        assert cells(open_table(stream)) == EXPECTED


def test_the_fingerprint_is_of_the_bytes(tmp_path: Path) -> None:
    """Size and digest change with any byte."""
    first = open_table(file(tmp_path, PLAIN)).fingerprint()
    assert first[0] == len(PLAIN.encode())
    assert open_table(file(tmp_path, PLAIN.replace("Hello", "hello"))).fingerprint() != first


RECORDS = '{"a": "007", "b": 1}\n\n{"b": 1e5, "c": null}\n{"a": "x", "d": ["p", "q"]}\n'


def test_json_lines(tmp_path: Path) -> None:
    """The columns are those of all rows, and a line keeps its number."""
    rows, error, table = read(file(tmp_path, RECORDS, "calls.jsonl"))
    assert error is None
    assert table.columns == ("a", "b", "c", "d")
    assert [(row.line, row.cells) for row in rows] == [
        (1, ["007", 1, None, None]),
        (3, [None, 1e5, None, None]),
        (4, ["x", None, None, ["p", "q"]]),
    ]


def test_a_json_array(tmp_path: Path) -> None:
    """Also when an item is longer than what is read at once, and one line holds all of them."""
    long = "x" * 200_000
    text = f'[\n{{"a": "1"}},\n\n{{"a": "{long}"}}, {{"a": "[,]"}}]\n'
    rows, error, _ = read(file(tmp_path, text, "calls.json"))
    assert error is None
    assert [(row.line, row.cells) for row in rows] == [(2, ["1"]), (4, [long]), (4, ["[,]"])]
    flat = "[" + ",".join(f'{{"n": {n}}}' for n in range(20_000)) + "]"
    assert [row.cells[0] for row in open_table(file(tmp_path, flat, "c.json"))] == [*range(20_000)]
    lines = open_table(file(tmp_path, RECORDS, "calls.json"))
    assert lines.form.format == "jsonl"


@pytest.mark.parametrize(
    ("text", "name", "before", "words"),
    [
        ('{"a": 1}\n{"a": 2\n{"a": 3}\n', "c.jsonl", 1, "it is no JSON"),
        ('{"a": 1}\n[1]\n', "c.jsonl", 1, "must be a JSON object, and not list"),
        ('[{"a": 1},\n{"a": }, {"a": 2}]', "c.json", 1, "it is no JSON"),
        ('[{"a": 1},\n2]', "c.json", 1, "a row must be an object"),
        ('[{"a": 1}\n{"a": 2}]', "c.json", 1, "a comma or ] must follow"),
        ('[{"a": 1},\n{"a": 2}', "c.json", 2, "a comma or ] must follow"),
        ('[{"a": 1}]\n[{"a": 2}]', "c.json", 1, "nothing may follow"),
    ],
)
def test_what_is_no_json_stops_the_file_there(
    tmp_path: Path, text: str, name: str, before: int, words: str
) -> None:
    """The rows before it stand."""
    rows, error, _ = read(file(tmp_path, text, name))
    assert [row.cells for row in rows] == [[1], [2]][:before]
    assert error is not None
    assert error.line == 2
    assert words in str(error)


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing package is named, with the command that installs it."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    book = io.BytesIO()
    with zipfile.ZipFile(book, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    for content, name in ((b"PAR1...PAR1", "c.parquet"), (book.getvalue(), "c.xlsx")):
        with pytest.raises(FileError, match=r'pip install "hubspot-batch\[files\]"'):
            open_table(file(tmp_path, content, name))


def written_as(folder: Path, form: str, count: int) -> Path:
    """A file of many rows."""
    path = folder / f"many.{form}"
    texts = [f"row {number} {'x' * 100}" for number in range(count)]
    if form == "parquet":
        pa = pytest.importorskip("pyarrow")
        parquet = pytest.importorskip("pyarrow.parquet")
        parquet.write_table(pa.table({"a": texts}), path, row_group_size=2_000)
    elif form == "csv":
        path.write_text("a,b\n" + "".join(f"{text},\n" for text in texts))
    else:
        lines = [json.dumps({"a": text}) for text in texts]
        path.write_text("\n".join(lines) if form == "jsonl" else f"[{','.join(lines)}]")
    return path


@pytest.mark.parametrize("form", ["csv", "jsonl", "json", "parquet"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, form: str) -> None:
    """Ten times as many rows need no more memory."""
    peaks: list[int] = []
    for count in (4_000, 16_000):
        path = written_as(tmp_path, form, count)
        list(open_table(path))  # what is made once only
        tracemalloc.start()
        assert sum(1 for _ in open_table(path)) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.25 * peaks[0] + 300_000  # of 1,900,000
