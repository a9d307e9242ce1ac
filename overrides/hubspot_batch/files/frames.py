"""Takes rows from wherever Python programs have them.

This module decides what counts as a table: a DataFrame is anything with `__arrow_c_stream__` or
`to_dict("records")`, whichever library it is from.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .arrow_tables import read_frame
from .errors import FileError, MappingError
from .opening import open_table
from .table import FileForm, Table, value_table

_INDEX = "__index_level_"  # what pandas adds for an index with values of its own


def as_table(rows: Any) -> Table | Iterable[dict[str, Any]]:
    """Return rows as a table, or as mappings of headings to values.

    Args:
        rows: A table, a path, a DataFrame, or an iterable of mappings.

    Raises:
        FileError: The file cannot be read, or the DataFrame needs pyarrow.
        MappingError: It is none of these.
    """
    if isinstance(rows, Table):
        return rows
    if isinstance(rows, str | os.PathLike):
        return open_table(rows)  # pyright: ignore[reportUnknownArgumentType]
    to_dict = getattr(rows, "to_dict", None)
    if hasattr(rows, "__arrow_c_stream__"):
        _refuse_repeated(rows)
        try:
            return _of_frame(rows)
        except FileError:
            if to_dict is None:
                raise
        except (TypeError, ValueError):  # Arrow's own exceptions are of these kinds
            if not _has_columns(rows):
                raise _no_rows(rows) from None
    if to_dict is not None and not isinstance(rows, Mapping):
        return _mappings(to_dict("records"))
    if isinstance(rows, Mapping) or not isinstance(rows, Iterable):
        raise _no_rows(rows)
    return _mappings(rows)  # pyright: ignore[reportUnknownArgumentType]


def _no_rows(rows: Any) -> MappingError:
    return MappingError(
        "Rows are a table, a path, a DataFrame, or mappings of headings to values, and not "
        f"{type(rows).__name__}."
    )


def _has_columns(frame: Any) -> bool:
    return hasattr(frame, "columns") and hasattr(frame, "to_dict")


def _refuse_repeated(frame: Any) -> None:
    """Refuse a DataFrame that has a column's name twice, because mappings would lose one."""
    if _has_columns(frame):
        counts = Counter(map(str, frame.columns))
        name, count = max(counts.items(), key=lambda one: one[1], default=("", 0))
        if count > 1:
            raise MappingError(f'The column "{name}" is there twice. Give each its own name.')


def _of_frame(frame: Any) -> Table:
    name = type(frame).__name__
    schema, read = read_frame(name, frame)
    kept = [at for at, one in enumerate(schema.names) if not one.startswith(_INDEX)]
    form = FileForm("arrow", suffix=".arrow", schema=schema)
    if len(kept) == len(schema.names):
        return value_table(name, form.headed(schema.names), read)

    def rows() -> Iterator[list[Any]]:
        for cells in read():
            yield [cells[at] for at in kept]

    return value_table(name, form.headed(schema.names[at] for at in kept), rows)


def _mappings(rows: Iterable[Any]) -> Iterator[dict[str, Any]]:
    for row in rows:
        if not isinstance(row, Mapping):
            raise MappingError(
                f"A row is a mapping of headings to values, and not {type(row).__name__}."
            )
        yield {str(name): cell for name, cell in row.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
