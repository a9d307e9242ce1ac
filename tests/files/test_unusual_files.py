"""Files that programs write wrongly or seldom: each is read as meant, or said to be wrong."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from call_files import HEADINGS, PLAIN, file
from hubspot_batch.files import FileError, InvalidRow, Mapping, open_table

FOUR = "Date,Title,Notes,Contact\n"
ROW = "2026-01-31 09:30,Intro,Hello,101\n"


def refused(path: Path, **options: str) -> str:
    """Why a file cannot be read, or not to its end."""
    with pytest.raises(FileError) as caught:
        list(open_table(path, **options))  # type: ignore[arg-type]
    return caught.value.message


def read_cells(path: Path) -> list[list[object]]:
    return [list(row.cells) for row in open_table(path)]


# ---------------------------------------------------------------- JSON


@pytest.mark.parametrize("name", ["calls.json", "calls.jsonl"])
@pytest.mark.parametrize("value", ['{"a": 1, "b": 2, "a": 3}', '{"b": {"a": 1, "a": 3}}'])
def test_a_name_that_is_there_twice_is_no_object(tmp_path: Path, name: str, value: str) -> None:
    """Readers keep the last value and lose the others without a word."""
    text = f'[{{"b": 0}},\n{value}]' if name.endswith(".json") else f'{{"b": 0}}\n{value}\n'
    path = file(tmp_path, text, name)
    assert next(iter(open_table(path))).cells[0] == 0
    assert refused(path).endswith('line 2: it is no JSON: "a" is there twice in one object.')


@pytest.mark.parametrize("name", ["calls.json", "calls.jsonl"])
def test_numbers_of_any_length_are_no_crash(tmp_path: Path, name: str) -> None:
    """Python reads integers of 4,300 digits at most."""
    text = f'[{{"a": {"9" * 5000}}}]' if name.endswith(".json") else f'{{"a": {"9" * 5000}}}\n'
    assert "line 1: it is no JSON" in refused(file(tmp_path, text, name))


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"results": [{"a": 1}]}, indent=1),
        '{"a": 1}{"a": 2}\n',
        '{"a": 1},\n{"a": 2}\n',
        '{\n "a": 1\n}\n{\n "a": 2\n}\n',
    ],
)
def test_objects_that_are_no_lines(tmp_path: Path, text: str) -> None:
    """The message says how objects must stand in a file."""
    for name in ("calls.json", "calls.jsonl"):
        said = refused(file(tmp_path, text, name))
        assert "line 1: it is no JSON" in said
        assert said.endswith("Write one whole object in each line, or an array: [{...}, {...}].")


def test_an_array_without_objects_has_no_rows(tmp_path: Path) -> None:
    assert refused(file(tmp_path, "[]", "calls.json")).endswith(": it has no rows.")


# ---------------------------------------------------------------- what is no table


def zipped(*names: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(name, PLAIN)
    return made.getvalue()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (gzip.compress(gzip.compress(PLAIN.encode())), "it is compressed twice by gzip."),
        (zipped("calls.csv"), "it is a ZIP archive that holds calls.csv. Unpack it first."),
        (b"\x28\xb5\x2f\xfd\x04", "it is compressed by Zstandard. Uncompress it first."),
        (b"BZh91AY&SY\x9a", "it is compressed by bzip2. Uncompress it first."),
        (b"\xfd7zXZ\0\0", "it is compressed by xz. Uncompress it first."),
        (b"7z\xbc\xaf\x27\x1c", "it is a 7-Zip archive. Unpack it first."),
        (b"{\\rtf1\\ansi Date}", "it is an RTF document, and no table."),
        (b"\x89PNG\r\n\x1a\n\0", "it is an image, and no table."),
        (b"SQLite format 3\0", "it is a SQLite database, and no table."),
    ],
)
def test_files_of_other_kinds_are_named(tmp_path: Path, content: bytes, sentence: str) -> None:
    """The first bytes say what a file is, whatever its name says."""
    for name in ("calls.csv", "calls.csv.gz", "calls"):
        packed = name.endswith(".gz") and not content.startswith(b"\x1f\x8b")
        path = file(tmp_path, gzip.compress(content) if packed else content, name)
        assert sentence in refused(path)


def test_a_stream_of_arrow_under_any_name(tmp_path: Path) -> None:
    """It has no magic word, but begins in one way."""
    made = io.BytesIO()
    table = pa.table({"Date": ["2026-01-31"]})
    with pa.ipc.new_stream(made, table.schema) as writer:
        writer.write_table(table)
    for name in ("calls", "calls.arrow", "calls.arrows"):
        assert read_cells(file(tmp_path, made.getvalue(), name)) == [["2026-01-31"]]


def test_a_time_that_python_lacks_does_not_hide_its_row(tmp_path: Path) -> None:
    """Such a value is a text, which no target takes for a time; the other rows stand."""
    made = io.BytesIO()
    table = pa.table({"at": pa.array([0, 2**62], pa.timestamp("s")), "b": ["x", "y"]})
    with pa.ipc.new_file(made, table.schema) as writer:
        writer.write_table(table)
    first, second = read_cells(file(tmp_path, made.getvalue(), "calls.arrow"))
    assert str(first[0]) == "1970-01-01 00:00:00"
    assert isinstance(second[0], str)
    assert second[1] == "y"


@pytest.mark.parametrize("at", [b"2026-01-31", b"Hello"])
def test_a_damaged_file_of_arrow_is_no_crash(tmp_path: Path, at: bytes) -> None:
    """Arrow believes the offsets of texts, and reads where they point to."""
    made = io.BytesIO()
    table = pa.table({"Date": ["2026-01-31"] * 3, "Notes": ["Hello"] * 3})
    with pa.ipc.new_file(made, table.schema) as writer:
        writer.write_table(table)
    content = bytearray(made.getvalue())
    offsets = (0, len(at), 2 * len(at), 3 * len(at))
    where = content.index(b"".join(one.to_bytes(4, "little") for one in offsets))
    content[where + 4 : where + 8] = (1 << 30).to_bytes(4, "little")
    path = file(tmp_path, bytes(content), "calls.arrow")
    assert "cannot be read" in refused(path)


@pytest.mark.parametrize("kind", ["arrow", "parquet"])
def test_names_of_columns_that_are_no_text(tmp_path: Path, kind: str) -> None:
    made = io.BytesIO()
    table = pa.table({"Datum-x": ["2026-01-31"]})
    if kind == "parquet":
        pq.write_table(table, made, store_schema=False)
    else:
        with pa.ipc.new_file(made, table.schema) as writer:
            writer.write_table(table)
    content = made.getvalue().replace(b"Datum-x", b"Dat\xff\xfe-x")
    assert "cannot be read as" in refused(file(tmp_path, content, f"calls.{kind}"))


@pytest.mark.parametrize("name", ["calls.xlsx", "calls.csv", "calls"])
def test_an_archive_of_an_unknown_version(tmp_path: Path, name: str) -> None:
    content = bytearray(zipped("xl/workbook.xml"))
    central = content.index(b"PK\x01\x02")
    content[central + 6] = 99
    assert refused(file(tmp_path, bytes(content), name))


# ---------------------------------------------------------------- dialects


def test_one_column_has_the_comma(tmp_path: Path) -> None:
    """Nothing separates its cells, and the rejects of a .csv must not get tabs."""
    assert open_table(file(tmp_path, "id\n101\n102\n")).form.delimiter == ","


@pytest.mark.parametrize(
    ("name", "delimiter", "option"),
    [("a.csv", "^", "'^'"), ("a.csv", "~", "'~'"), ("a.tsv", ",", "','"), ("a.tsv", ";", "';'")],
)
def test_an_unknown_delimiter_is_named(
    tmp_path: Path, name: str, delimiter: str, option: str
) -> None:
    """One column with the same character all over; the advice works, and so does its opposite."""
    path = file(tmp_path, (FOUR + ROW).replace(",", delimiter), name)
    assert f"add --delimiter {option}" in refused(path)
    assert len(open_table(path, delimiter=delimiter).columns) == 4
    assert len(open_table(path, delimiter="tab").columns) == 1


@pytest.mark.parametrize("first", ["sep=;;;;\n", "sep=; \n", '"sep=;"\r\n', '"sep=;";;;\n'])
def test_a_padded_line_of_the_separator(tmp_path: Path, first: str) -> None:
    """Excel fills it up with empty cells when it saves the file."""
    table = open_table(file(tmp_path, first + (FOUR + ROW).replace(",", ";")))
    assert (table.columns[0], table.form.sep_line, len(list(table))) == ("Date", True, 1)


@pytest.mark.parametrize(
    ("above", "line"),
    [
        ("Report of calls, January\n", 2),
        ("Report,Calls\nFrom,2026-01-01\n\n", 4),
        ("Report,Calls,,\nFrom,2026-01-01,,\n,,,\n", 4),
    ],
)
def test_titles_of_several_cells(tmp_path: Path, above: str, line: int) -> None:
    """Lines above the headings may have a comma, too."""
    path = file(tmp_path, above + FOUR + ROW * 3)
    assert f"line {line} has 4" in refused(path)
    assert f"add --headings {line}" in refused(path)
    table = open_table(path, headings=line)
    assert (table.columns, len(list(table))) == (tuple(FOUR.strip().split(",")), 3)


def test_rejects_have_their_headings_first(tmp_path: Path) -> None:
    """They are handed in again with the command of the file, which may have had a title."""
    path = file(tmp_path, "Date,Title,_status,_error,_line\n2026,x,failed,y,3\n", "rejects.csv")
    assert len(list(open_table(path, headings=3))) == 1


def test_some_rows_with_a_comma_too_many_are_no_titles(tmp_path: Path) -> None:
    """They are rows with a problem, as long as others fit."""
    table = open_table(file(tmp_path, FOUR + ROW + "a,b,c,d,e\n" + ROW))
    assert [bool(row.problem) for row in table] == [False, True, False]


def test_a_mark_within_the_first_heading(tmp_path: Path) -> None:
    """A program has read a file with a mark, and quoted what it read."""
    table = open_table(file(tmp_path, '"\ufeffDate",Title\n2026,x\n'))
    assert table.columns == ("Date", "Title")


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ('a, "b, c", "d ""e""", f', ["a", "b, c", 'd "e"', " f"]),
        ('"a",  "b\nc","d", "e"', ["a", "b\nc", "d", "e"]),
        ('  "a", b "c", , ""', ["a", ' b "c"', " ", ""]),
    ],
)
def test_spaces_before_quotes(tmp_path: Path, row: str, found: list[str]) -> None:
    """Quotes behind a space quote a cell, because only this reading keeps the rows in place."""
    path = file(tmp_path, f"{FOUR}{row}\n{ROW}")
    assert read_cells(path) == [found, ROW.strip().split(",")]


def test_text_behind_spaced_quotes_is_no_csv(tmp_path: Path) -> None:
    path = file(tmp_path, f'{FOUR}a, "b" c,d,e\n')
    assert "line 2: it is no CSV" in refused(path)


# ---------------------------------------------------------------- encodings


def test_one_byte_that_is_not_utf_8(tmp_path: Path) -> None:
    """The advice must not garble the other lines."""
    path = file(tmp_path, (PLAIN + "é,ü").encode() + b"\xfc\n" + PLAIN.encode())
    said = refused(path)
    assert "cp1252" not in said
    assert "--encoding utf-8" in said
    table = open_table(path, encoding="utf-8")
    rows = iter(table)
    assert next(rows).line == 2
    with pytest.raises(FileError, match="line 4"):
        list(rows)


def test_an_encoding_that_garbles_is_noted(tmp_path: Path) -> None:
    """All bytes are cp1252, also those of UTF-8."""
    notes = open_table(file(tmp_path, HEADINGS + "\n" + PLAIN), encoding="cp1252").notes
    assert any("UTF-8" in note for note in notes)
    assert not open_table(file(tmp_path, "a,b\n1,2\n"), encoding="cp1252").notes


# ---------------------------------------------------------------- options that do not apply


@pytest.mark.parametrize(
    ("name", "content", "options", "said"),
    [
        ("a.csv", PLAIN, {"sheet": "1"}, "--sheet is for workbooks, and it is csv."),
        ("a.json", "[]", {"delimiter": ";"}, "--delimiter is for csv and tsv, and it is json."),
        ("a.jsonl", "{}", {"headings": 2}, "--headings is for csv, tsv and workbooks, and it is"),
    ],
)
def test_options_of_another_form(
    tmp_path: Path, name: str, content: str, options: dict[str, str], said: str
) -> None:
    """An option without an effect would promise something."""
    assert said in refused(file(tmp_path, content, name), **options)


RECORDS = [{"hs_timestamp": "2026-01-31"}, {}, {"hs_timestamp": None}, {"hs_timestamp": " "}]


@pytest.mark.parametrize("form", ["json", "jsonl", "parquet", "arrow"])
def test_records_without_any_value_are_told_of(tmp_path: Path, form: str) -> None:
    """A program has written them, so a person is told how many are left out."""
    path = tmp_path / f"calls.{form}"
    table = pa.Table.from_pylist(RECORDS)
    if form == "json":
        path.write_text(json.dumps(RECORDS))
    elif form == "jsonl":
        path.write_text("\n\n".join(map(json.dumps, RECORDS)))
    elif form == "parquet":
        pq.write_table(table, path)
    else:
        with pa.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table)
    found = open_table(path)
    for _ in range(2):
        assert len(list(found)) == 1
        assert found.notes == ("3 rows have no value in any column, and are left out.",)


def test_blank_lines_are_no_records(tmp_path: Path) -> None:
    found = open_table(file(tmp_path, "hs_timestamp,b\n2026-01-31,\n\n,\n"))
    assert len(list(found)) == 1
    assert found.notes == ()


def test_items_of_an_array_in_one_line_are_counted(tmp_path: Path) -> None:
    """The line would be the same for all of them."""
    given = [{"hs_timestamp": "2026-01-31"}, {"hs_timestamp": "x"}, {"hs_timestamp": "y"}]
    path = file(tmp_path, json.dumps(given), "calls.json")
    table = open_table(path)
    assert ([row.line for row in table], table.form.unit) == ([1, 2, 3], "item")
    made = list(Mapping.from_options(operation="calls create").inputs(table))
    assert [one.reason.split(":")[0] for one in made if isinstance(one, InvalidRow)] == [
        "Item 2, hs_timestamp",
        "Item 3, hs_timestamp",
    ]
    table = open_table(file(tmp_path, json.dumps(given, indent=1), "calls.json"))
    assert ([row.line for row in table], table.form.unit) == ([2, 5, 8], "line")
