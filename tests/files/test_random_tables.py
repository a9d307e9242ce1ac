"""Any table in any dialect is read back as it was, and anything at all ends in a sentence."""

from __future__ import annotations

import codecs
import json
import tempfile
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from call_files import MAPPING, file
from hubspot_batch._matching.items import EncodedInput
from hubspot_batch._operations.registry import SPECS
from hubspot_batch.files import (
    EmptyTableError,
    FileError,
    InvalidRow,
    Mapping,
    RowWriter,
    open_table,
    propose,
)
from hubspot_batch.files.mapping_file import parse
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.once

# What an encoding of Windows has is in all others too.
LETTERS = st.characters(codec="cp1252", exclude_characters="\0\x81\x8d\x8f\x90\x9d")
TEXTS = st.text(LETTERS, max_size=12) | st.sampled_from(
    ['"', '""', ',";|\t', "a\nb", "a\r\nb", "\r", "007", "1e5", " x ", "=1", "'x", ""]
)
FILLED = TEXTS.filter(lambda text: bool(text.strip()))
HEADINGS = st.lists(
    st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=8),
    min_size=2,
    max_size=6,
    unique=True,
).filter(lambda names: "sep" not in names[0].lower())
ENCODINGS = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "cp1252": b"",
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    """Headings and rows; the first cell of each row holds something."""
    headings = draw(HEADINGS)
    cell = st.lists(TEXTS, min_size=len(headings) - 1, max_size=len(headings) - 1)
    rows = st.tuples(FILLED, cell).map(lambda parts: [parts[0], *parts[1]])
    return headings, draw(st.lists(rows, min_size=1, max_size=8))


@st.composite
def dialects(draw: st.DrawFn) -> dict[str, Any]:
    """How a table is written."""
    return {
        "delimiter": draw(st.sampled_from(",;\t|")),
        "end": draw(st.sampled_from(["\n", "\r\n", "\r"])),
        "quotes_all": draw(st.booleans()),
        "encoding": draw(st.sampled_from([*ENCODINGS])),
        "mark": draw(st.booleans()),
        "blank": draw(st.booleans()),
    }


def written(headings: list[str], rows: list[list[str]], how: dict[str, Any]) -> bytes:
    """The bytes of a table in a dialect, as RFC 4180 has it."""

    def quoted(cell: str) -> str:
        if how["quotes_all"] or {*cell} & {how["delimiter"], '"', "\r", "\n"}:
            return '"' + cell.replace('"', '""') + '"'
        return cell

    lines: list[str] = []
    for row in (headings, *rows):
        lines += [""] * (how["blank"] and row is not headings)
        lines.append(how["delimiter"].join(map(quoted, row)))
    mark = ENCODINGS[how["encoding"]] if how["mark"] or "16" in how["encoding"] else b""
    return mark + "".join(f"{line}{how['end']}" for line in lines).encode(how["encoding"])


@given(tables(), dialects())
@settings(max_examples=150)
def test_any_table_in_any_dialect(
    table: tuple[list[str], list[list[str]]], how: dict[str, Any]
) -> None:
    """Headings, cells and lines come back; so they do from what is then written of them."""
    headings, rows = table
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        said = how["encoding"] if how["encoding"] == "cp1252" else None
        path = file(folder, written(headings, rows, how))
        found = open_table(path, encoding=said, delimiter=how["delimiter"])
        assert found.columns == tuple(headings)
        assert [list(row.cells) for row in found] == rows
        assert not any(row.problem for row in found)
        with RowWriter(folder, "rejects", found) as writer:
            for row in found:
                writer.write(row, "failed", "why")
        again = open_table(writer.path, encoding=said, delimiter=how["delimiter"])
        assert again.columns == (*headings, "_status", "_error", "_line")
        assert [list(row.cells[: len(headings)]) for row in again] == rows
        assert [int(row.cells[-1]) for row in again] == [row.line for row in found]


def lines_of(text: str) -> int:
    """How many lines end in a text."""
    return text.replace("\r\n", "\n").replace("\r", "\n").count("\n")


@given(tables(), dialects())
def test_lines_are_counted_as_an_editor_counts(
    table: tuple[list[str], list[list[str]]], how: dict[str, Any]
) -> None:
    """Line ends within cells count too."""
    headings, rows = table
    expected: list[int] = []
    for count in range(len(rows)):
        before = written(headings, rows[:count], how).decode(how["encoding"])
        expected.append(lines_of(before) + 1 + how["blank"])
    with tempfile.TemporaryDirectory() as name:
        path = file(Path(name), written(headings, rows, how))
        said = how["encoding"] if how["encoding"] == "cp1252" else None
        found = open_table(path, encoding=said, delimiter=how["delimiter"])
        assert [row.line for row in found] == expected


PLAIN_CELLS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=6)


@given(
    st.integers(2, 6).flatmap(
        lambda width: st.lists(
            st.lists(PLAIN_CELLS, min_size=width, max_size=width), min_size=2, max_size=6
        )
    ),
    st.sampled_from(",;\t|"),
)
def test_the_delimiter_is_found(rows: list[list[str]], delimiter: str) -> None:
    """Among the four, by what fits all rows."""
    text = "".join(delimiter.join(row) + "\n" for row in rows)
    if text[:4].lower() == "sep=":
        return
    with tempfile.TemporaryDirectory() as name:
        table = open_table(file(Path(name), text, "calls.txt"))
        assert table.form.delimiter == delimiter
        assert [list(row.cells) for row in table] == rows[1:]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
RECORDS = st.lists(
    st.dictionaries(
        st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=5),
        VALUES,
        min_size=1,
        max_size=4,
    ),
    min_size=1,
    max_size=6,
)


def is_filled(value: Any) -> bool:
    """Whether a value is more than null or white space."""
    return value is not None and not (isinstance(value, str) and not value.strip())


@given(RECORDS, st.sampled_from(["jsonl", "json"]), st.sampled_from([None, 0, 2]))
def test_any_records_as_json(records: list[dict[str, Any]], form: str, indent: int | None) -> None:
    """Objects come back as they were, with null for what they lack."""
    text = json.dumps(records, indent=indent)
    if form == "jsonl":
        text = "\n".join(map(json.dumps, records))
    keys = [*dict.fromkeys(key for one in records for key in one)]
    filled = [one for one in records if any(map(is_filled, one.values()))]
    with tempfile.TemporaryDirectory() as name:
        path = file(Path(name), text, f"calls.{form}")
        if not filled:
            with pytest.raises(EmptyTableError):
                open_table(path)
            return
        table = open_table(path)
        assert table.columns == tuple(keys)
        assert [list(row.cells) for row in table] == [
            [one.get(key) for key in keys] for one in filled
        ]


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
@settings(max_examples=300)
def test_nothing_is_too_strange_to_be_read(content: bytes) -> None:
    """Any bytes at all are rows, or end in a sentence; no other exception is raised."""
    with tempfile.TemporaryDirectory() as name:
        for suffix in ("csv", "jsonl", "json", "txt"):
            with suppress(FileError):
                table = open_table(file(Path(name), content, f"calls.{suffix}"))
                rows = list(table)
                assert all(len(row.cells) == len(table.columns) or row.problem for row in rows)
                assert propose(table)


MAPPED = Mapping(parse(tomllib.loads(MAPPING), "the mapping"))
CELLS = st.text(max_size=15) | st.sampled_from(
    [
        "2026-05-04 10:20",
        "Inbound",
        "Completed",
        "Busy",
        "3:10",
        "501",
        "501;502",
        "",
        "nan",
        "1E+5",
    ]
)


@given(st.lists(CELLS, min_size=12, max_size=12))
def test_every_input_is_one_that_can_be_sent(cells: list[str]) -> None:
    """Any cells give a reason, or an input that the description allows."""
    names = [column.heading for column in MAPPED.settings.columns]
    (made,) = MAPPED.inputs([dict(zip(names, cells, strict=True))])
    if isinstance(made, InvalidRow):
        assert made.problems
    else:
        (encoded,) = SPECS["create_calls"].encoder("run").encode(0, [made])
        assert isinstance(encoded, EncodedInput), encoded
