"""Opens a file as a table.

This module decides where the headings are, and what is put together to read each form of file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, BinaryIO

from attrs import evolve

from . import arrow_tables, workbooks
from .delimited import DelimitedRecords, Dialect, find_dialect, other_delimiter
from .encodings import Encoding, find_encoding
from .errors import EmptyTableError, FileError
from .formats import FORMATS, find_format
from .headings import find_headings
from .json_rows import read_json_array, read_json_lines
from .sources import Source
from .table import (
    FileForm,
    LeftOut,
    Row,
    Table,
    column_names,
    filled_records,
    fitted,
    heading_notes,
    value_table,
)

_DELIMITERS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
_OPTIONS = {
    "encoding": (("csv", "tsv", "json", "jsonl"), "texts"),
    "delimiter": (("csv", "tsv"), "csv and tsv"),
    "sheet": (("xlsx",), "workbooks"),
    "headings": (("csv", "tsv", "xlsx"), "csv, tsv and workbooks"),
}
_SAMPLE_LINES = 100
_SAMPLE = 1 << 17


def open_table(
    path: str | os.PathLike[str] | BinaryIO,
    *,
    format: str | None = None,  # noqa: A002 - the option's name
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    headings: int | None = None,
) -> Table:
    """Open a file as a table; its rows are read one after another.

    Args:
        path: The file; `-` for standard input. It may be compressed by gzip.
        format: One of csv, tsv, jsonl, json, parquet, arrow and xlsx, if the name does not say.
        encoding: The encoding of a text. By default it is UTF-8 or UTF-16, or, if it can be
            neither, Windows-1252, which a note of the table then says.
        delimiter: What separates the cells of CSV. By default the one of comma, semicolon, tab and
            bar that fits.
        sheet: The sheet of a workbook: its name, or its number from 1. By default the first.
        headings: The line (in a workbook the row) of the headings. By default the first that is
            not blank.

    Raises:
        FileError: It is no such file, or has nothing to read.
    """
    source = Source(path)
    if format is not None and format not in FORMATS:
        raise FileError(
            f"there is no format {format!r}; there are {', '.join(FORMATS)}.", path=source.name
        )
    kind = find_format(source, format)
    _refuse_needless(
        source.name, kind, encoding=encoding, delimiter=delimiter, sheet=sheet, headings=headings
    )
    if kind == "xlsx":
        return _workbook(source, sheet, headings)
    if kind in ("parquet", "arrow"):
        return _arrow(source, kind)
    found = find_encoding(source.name, source.open, encoding)
    if kind in ("json", "jsonl"):
        return _json(source, kind, found)
    return _delimited(source, kind, found, delimiter, headings)


def _refuse_needless(name: str, kind: str, **options: Any) -> None:
    """Refuse an option that means nothing for a format, because it would have no effect."""
    for option, (kinds, words) in _OPTIONS.items():
        if options[option] is not None and kind not in kinds:
            raise FileError(
                f"--{option} is for {words}, and it is {kind}. Leave it out.", path=name
            )


# ---------------------------------------------------------------- CSV and TSV


def _delimited(
    source: Source, kind: str, encoding: Encoding, delimiter: str | None, headings: int | None
) -> Table:
    name = source.name
    sample = list(_sample(encoding.lines(name, source.open)))
    dialect = find_dialect(name, sample, _delimiter(name, kind, delimiter))

    def records() -> Iterator[tuple[int, list[str]]]:
        lines = encoding.lines(name, source.open)
        if dialect.sep_line:
            next(lines)
        return iter(
            DelimitedRecords(
                name,
                lines,
                dialect.delimiter,
                returns=dialect.line_end == "\r",
                before=int(dialect.sep_line),
            )
        )

    line, found = find_headings(name, records(), headings)
    columns = column_names(found)
    width = len(columns)
    if width == 1 and delimiter is None:
        _refuse_one_column(name, kind, other_delimiter(sample, dialect.delimiter))

    def rows() -> Iterator[Row]:
        for number, cells in records():
            if number <= line:
                continue
            if len(cells) == width and cells[0].strip():
                yield Row(number, cells)
            elif row := fitted(number, cells, width):
                yield row

    _check_rows(name, rows)
    form = _text_form(source, kind, encoding, dialect).headed(found)
    notes = [*([encoding.note] if encoding.note else []), *heading_notes(found)]
    return Table(name, columns, form, tuple(notes), rows=rows, fingerprint=source.fingerprint)


def _delimiter(name: str, kind: str, given: str | None) -> str | None:
    """Return the delimiter that the caller or the file's name says; None if neither does."""
    if not given:
        return "\t" if kind == "tsv" else None
    said = _DELIMITERS.get(given.lower(), given)
    if len(said) != 1 or said in '"\r\n':
        raise FileError(f"the delimiter must be one character, and not {given!r}.", path=name)
    return said


def _refuse_one_column(name: str, kind: str, other: str) -> None:
    """Refuse a single column, if another character may separate its cells."""
    if other:
        raise FileError(
            f"it has one column, but {other!r} stands equally often in every line. If that "
            f"separates cells, add --delimiter {other!r}; if not, add --delimiter "
            f"{'tab' if kind == 'tsv' else 'comma'}.",
            path=name,
        )


def _sample(lines: Iterator[str]) -> Iterator[str]:
    size = 0
    try:
        for line in islice(lines, _SAMPLE_LINES):
            yield line
            size += len(line)
            if size > _SAMPLE:
                break
    except FileError:
        return  # said again when the rows are read


def _text_form(source: Source, kind: str, encoding: Encoding, dialect: Dialect | None) -> FileForm:
    suffix = f".{kind}"
    form = FileForm(
        format=kind,
        suffix=suffix + (".gz" if source.gzip else ""),
        gzip=source.gzip,
        encoding=encoding.name,
        mark=encoding.mark,
    )
    if dialect is None:
        return form
    return evolve(
        form,
        delimiter=dialect.delimiter,
        line_end=dialect.line_end,
        quotes_all=dialect.quotes_all,
        sep_line=dialect.sep_line,
    )


def _check_rows(
    name: str, rows: Callable[[], Iterator[Row]], has: str = "headings, but no rows"
) -> None:
    """Refuse a table without any row."""
    try:
        found = next(rows(), None)
    except FileError:
        return  # said again when the rows are read
    if found is None:
        raise EmptyTableError(f"it has {has}.", path=name)


# ---------------------------------------------------------------- the other forms


def _workbook(source: Source, sheet: str | None, headings: int | None) -> Table:
    name = source.name
    chosen, notes, read = workbooks.read_sheet(name, source.open, sheet)
    line, found = find_headings(name, enumerate(read(), 1), headings)
    width = len(found)

    def rows() -> Iterator[Row]:
        for number, cells in enumerate(read(), 1):
            if number > line and (row := fitted(number, cells, width)):
                yield row

    _check_rows(name, rows)
    form = FileForm("xlsx", suffix=".xlsx", sheet=chosen).headed(found)
    said = (*notes, *heading_notes(found))
    return Table(name, column_names(found), form, said, rows=rows, fingerprint=source.fingerprint)


def _arrow(source: Source, kind: str) -> Table:
    read_file = arrow_tables.read_parquet if kind == "parquet" else arrow_tables.read_arrow
    schema, read = read_file(source.name, source.open)
    form = FileForm(kind, suffix=f".{kind}", schema=schema).headed(schema.names)
    table = value_table(source.name, form, read, source.fingerprint)
    _check_rows(table.name, table.__iter__)
    return table


def _json(source: Source, kind: str, encoding: Encoding) -> Table:
    name = source.name
    if kind == "json" and encoding.fault_line is not None:
        raise FileError(encoding.fault, path=name, line=encoding.fault_line)

    def objects() -> Iterator[tuple[int, dict[str, Any]]]:
        if kind == "jsonl":
            yield from read_json_lines(name, encoding.lines(name, source.open))
        else:
            with encoding.open(source.open) as text:
                yield from read_json_array(name, text)

    names: dict[str, None] = {}
    count, lines = 0, set[int]()
    try:
        for line, record in objects():
            names.update(dict.fromkeys(record))
            count += 1
            if len(lines) < 2:
                lines.add(line)
    except FileError:
        if not names:
            raise
    keys = list(names)
    in_one_line = len(lines) == 1 < count

    left_out = LeftOut()

    def rows() -> Iterator[Row]:
        numbered = objects() if not in_one_line else enumerate((one for _, one in objects()), 1)
        found = ((number, [one.get(key) for key in keys]) for number, one in numbered)
        return filled_records(found, len(keys), left_out)

    _check_rows(name, rows, "no rows")
    form = evolve(_text_form(source, kind, encoding, None).headed(keys), items=in_one_line)
    return Table(
        *(name, column_names(keys), form, (encoding.note,) if encoding.note else ()),
        rows=rows,
        fingerprint=source.fingerprint,
        left_out=left_out,
    )
