"""Reads Parquet, Arrow and DataFrames, through pyarrow, one batch of rows at a time.

This module decides how a column's values become Python's. Neither pandas nor polars is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any, BinaryIO

from .errors import FileError

_ROWS = 1024
# Beside its own exceptions, a damaged file asks for too much memory, or names columns in no UTF-8.
_DAMAGED = (MemoryError, UnicodeDecodeError)


def pyarrow(name: str) -> Any:
    """Return the module pyarrow.

    Raises:
        FileError: It is not installed.
    """
    try:
        pa = import_module("pyarrow")  # which has no types of its own
        for part in ("ipc", "parquet"):
            import_module(f"pyarrow.{part}")
    except ImportError:
        raise FileError(
            'Parquet, Arrow and such tables need pyarrow: pip install "hubspot-batch[files]".',
            path=name,
        ) from None
    return pa


def read_parquet(
    name: str, open_bytes: Callable[[], BinaryIO]
) -> tuple[Any, Callable[[], Iterator[list[Any]]]]:
    """Return the schema of a Parquet file, and a function that yields its rows.

    Raises:
        FileError: It is no Parquet.
    """
    pa = pyarrow(name)

    def opened(stream: BinaryIO) -> Any:
        try:
            file = pa.parquet.ParquetFile(stream)
            _ = file.schema_arrow.names
            return file
        except (pa.ArrowException, OSError, *_DAMAGED) as error:
            raise FileError(f"it cannot be read as Parquet: {_words(error)}.", path=name) from None

    def rows() -> Iterator[list[Any]]:
        with open_bytes() as stream:
            yield from _rows(name, pa, opened(stream).iter_batches(batch_size=_ROWS))

    with open_bytes() as stream:
        return opened(stream).schema_arrow, rows


def read_arrow(
    name: str, open_bytes: Callable[[], BinaryIO]
) -> tuple[Any, Callable[[], Iterator[list[Any]]]]:
    """Return the schema of an Arrow file or stream, and a function that yields its rows.

    Raises:
        FileError: It is no Arrow.
    """
    pa = pyarrow(name)

    def opened(stream: BinaryIO) -> tuple[Any, Iterable[Any]]:
        try:
            if stream.read(6) == b"ARROW1":
                file = pa.ipc.open_file(stream)
                _ = file.schema.names
                return file.schema, map(file.get_batch, range(file.num_record_batches))
            stream.seek(0)
            reader = pa.ipc.open_stream(stream)
            _ = reader.schema.names
            return reader.schema, reader
        except (pa.ArrowException, OSError, *_DAMAGED) as error:
            raise FileError(f"it cannot be read as Arrow: {_words(error)}.", path=name) from None

    def rows() -> Iterator[list[Any]]:
        with open_bytes() as stream:
            yield from _rows(name, pa, map(_valid, opened(stream)[1]))

    with open_bytes() as stream:
        return opened(stream)[0], rows


def _valid(batch: Any) -> Any:
    """Return a batch whose offsets were checked: Arrow trusts those of a file, and crashes."""
    batch.validate(full=True)
    return batch


def read_frame(name: str, frame: Any) -> tuple[Any, Callable[[], Iterator[list[Any]]]]:
    """Return the schema of what has `__arrow_c_stream__`, and a function that yields its rows."""
    pa = pyarrow(name)
    table = pa.table(frame)
    return table.schema, lambda: _rows(name, pa, table.to_batches(max_chunksize=_ROWS))


def _rows(name: str, pa: Any, batches: Iterable[Any]) -> Iterator[list[Any]]:
    try:
        for batch in batches:
            for start in range(0, batch.num_rows, _ROWS):
                part = batch.slice(start, _ROWS)
                columns = [_values(pa, column) for column in part.columns]
                yield from map(list, zip(*columns, strict=True))
    except (pa.ArrowException, OSError, *_DAMAGED) as error:
        raise FileError(f"the rest cannot be read: {_words(error)}.", path=name) from None


def _values(pa: Any, column: Any) -> list[Any]:
    kind = column.type
    # Python's times have no nanoseconds.
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)
    elif pa.types.is_duration(kind) and kind.unit == "ns":
        column = column.cast(pa.duration("us"), safe=False)
    try:
        values: list[Any] = column.to_pylist()
    except (OverflowError, ValueError):
        return [_value(cell) for cell in column]
    return values


def _value(cell: Any) -> Any:
    """Return a value of Arrow; as a text if Python has no such value, such as the year 300000."""
    try:
        return cell.as_py()
    except (OverflowError, ValueError):
        return str(cell.cast("int64")) if hasattr(cell, "cast") else str(cell)


def _words(error: Exception) -> str:
    return (str(error) or "it is damaged").splitlines()[0].rstrip(".")
