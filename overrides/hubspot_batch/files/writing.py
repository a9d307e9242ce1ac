"""Writes rows back in the form of the file that they came from.

This module decides how a row looks in each form, with its status, error and line behind it. The
file appears under its name when it is complete; until then it has another.
"""

from __future__ import annotations

import gzip
import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol, Self, cast

from .arrow_tables import pyarrow
from .table import OUR_COLUMNS, FileForm, Row, Table
from .workbook_writing import SheetWriter

_ROWS = 1024


class RowWriter:
    """Writes rows of a table into a file of the same form.

    Columns, order and dialect are as in the table. Behind each row stand `_status`, `_error` and
    `_line`; what the table has of these columns is replaced. The file is made when the first row is
    written, and has its name when the writer is closed without an exception.

    Args:
        folder: Where the file is written.
        stem: Its name without the suffix, such as `rejects`.
        table: The table that the rows are from.
    """

    def __init__(self, folder: str | os.PathLike[str], stem: str, table: Table) -> None:
        form = table.form
        # The name of a workbook's columns is not its own name for them.
        ours = [at for at, name in enumerate(form.headings) if name.strip() in OUR_COLUMNS]
        self._left_out = frozenset(ours)
        self._width = len(form.headings)
        headings = [name for at, name in enumerate(form.headings) if at not in self._left_out]
        self._form = form.headed([*headings, *OUR_COLUMNS])
        self.path = Path(folder) / f"{stem}{form.suffix or '.jsonl'}"
        self._part = self.path.with_name(f"{self.path.name}.part")
        self._rows: _Rows | None = None

    def write(self, row: Row, status: str, error: str) -> None:
        """Write a row with what became of it."""
        if self._rows is None:
            self._rows = _rows(self._part.open("wb"), self._form)
        cells = [*row.cells, *[None] * (self._width - len(row.cells))]
        kept = [cell for at, cell in enumerate(cells[: self._width]) if at not in self._left_out]
        # Cells beyond the last heading stay beyond the last column.
        self._rows.write([*kept, status, error, row.line, *cells[self._width :]])

    def close(self) -> None:
        """Complete the file, and give it its name."""
        if self._rows is not None:
            rows, self._rows = self._rows, None
            rows.close()
            self._part.replace(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        elif self._rows is not None:
            self._rows.stream.close()
            self._part.unlink(missing_ok=True)


class _Rows(Protocol):
    stream: BinaryIO

    def write(self, cells: Sequence[Any]) -> None: ...

    def close(self) -> None: ...


def _rows(stream: BinaryIO, form: FileForm) -> _Rows:
    if form.format in ("csv", "tsv"):
        return _Delimited(stream, form)
    if form.format in ("parquet", "arrow"):
        return _Arrow(stream, form)
    if form.format == "xlsx":
        return SheetWriter(stream, form)
    return _Json(stream, form)


def _sync(stream: BinaryIO) -> None:
    """Bring a file to the disk before it gets its name."""
    stream.flush()
    os.fsync(stream.fileno())
    stream.close()


class _Text:
    def __init__(self, stream: BinaryIO, form: FileForm) -> None:
        self.stream = stream
        self._form = form
        # The time of writing is left out, so that the same rows make the same bytes.
        self._packed = gzip.GzipFile("", "wb", fileobj=stream, mtime=0) if form.gzip else None
        target = cast("BinaryIO", self._packed or stream)
        # An error's message may have characters that the encoding of the file lacks.
        self._out = io.TextIOWrapper(target, form.encoding, errors="backslashreplace", newline="")
        if form.mark:
            self._out.write("\ufeff")

    def close(self) -> None:
        self._out.flush()
        self._out.detach()
        if self._packed is not None:
            self._packed.close()
        _sync(self.stream)


class _Delimited(_Text):
    def __init__(self, stream: BinaryIO, form: FileForm) -> None:
        super().__init__(stream, form)
        if form.sep_line:
            self._out.write(f"sep={form.delimiter}{form.line_end}")
        self.write(form.headings)

    def write(self, cells: Sequence[Any]) -> None:
        form = self._form
        self._out.write(form.delimiter.join(map(self._cell, cells)) + form.line_end)

    def _cell(self, cell: Any) -> str:
        text = "" if cell is None else str(cell)
        special = any(one in text for one in ('"', "\r", "\n", self._form.delimiter))
        if special or self._form.quotes_all:
            return '"' + text.replace('"', '""') + '"'
        return text


class _Json(_Text):
    def __init__(self, stream: BinaryIO, form: FileForm) -> None:
        super().__init__(stream, form)
        self._array = form.format == "json"
        self._any = False

    def write(self, cells: Sequence[Any]) -> None:
        # Also what is null, so that each record shows all columns in their order.
        record = dict(zip(self._form.headings, cells, strict=True))
        text = json.dumps(record, ensure_ascii=False, default=str)
        if self._array:
            text = (",\n" if self._any else "[\n") + text
        self._out.write(text if self._array else f"{text}\n")
        self._any = True

    def close(self) -> None:
        if self._array:
            self._out.write("\n]\n" if self._any else "[]\n")
        super().close()


class _Arrow:
    def __init__(self, stream: BinaryIO, form: FileForm) -> None:
        pa = pyarrow("the rows")
        self.stream = stream
        self._pa = pa
        schema = form.schema
        kept = [field for field in schema if field.name not in OUR_COLUMNS]
        texts = [pa.field(name, pa.string()) for name in OUR_COLUMNS[:2]]
        self._schema = pa.schema(
            [*kept, *texts, pa.field(OUR_COLUMNS[2], pa.int64())], schema.metadata
        )
        if form.format == "parquet":
            self._writer = pa.parquet.ParquetWriter(stream, self._schema)
        else:
            self._writer = pa.ipc.new_file(stream, self._schema)
        self._waiting: list[Sequence[Any]] = []

    def write(self, cells: Sequence[Any]) -> None:
        self._waiting.append(cells)
        if len(self._waiting) >= _ROWS:
            self._flush()

    def _flush(self) -> None:
        columns = zip(*self._waiting, strict=True)
        arrays = [
            self._pa.array(values, field.type)
            for values, field in zip(columns, self._schema, strict=True)
        ]
        batch = self._pa.record_batch(arrays, schema=self._schema)
        self._writer.write_batch(batch)
        self._waiting = []

    def close(self) -> None:
        if self._waiting:
            self._flush()
        self._writer.close()
        _sync(self.stream)
