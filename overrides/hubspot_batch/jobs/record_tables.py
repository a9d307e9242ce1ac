"""The records that a read returns, as a table: `records.*`, and `assets.*` for metrics of assets.

This module decides which columns the tables have. Records are first written as JSON lines, because
the columns are known only when all of them have come; so memory stays bounded.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from hubspot_batch._json import is_map, json_ready
from hubspot_batch.files.arrow_tables import pyarrow

FORMS = ("csv", "jsonl", "parquet")
_RECORDS, _ASSETS = "records", "assets"
_FIRST = ("id",)
_ASSET_COLUMNS = ("record_id", "asset_type", "asset_id", "asset_name", "metric", "value")
_BATCH = 1_000

Flat = dict[str, str | None]


class RecordTables:
    """Writes records into a folder.

    Args:
        folder: The folder; it exists.
        form: `csv`, `jsonl` or `parquet`.

    Raises:
        FileError: Parquet needs pyarrow, which is not installed.
    """

    def __init__(self, folder: Path, form: str) -> None:
        if form == "parquet":
            pyarrow(f"{_RECORDS}.parquet")
        self._folder = folder
        self._form = form
        self._path = folder / f"{_RECORDS}.jsonl.part"
        self._columns: dict[str, None] = dict.fromkeys(_FIRST)
        self._has_assets = False
        self._stream: Any = None

    def add(self, record: Any) -> None:
        """Write a record.

        Raises:
            OSError: It cannot be written.
        """
        if self._stream is None:
            self._stream = self._path.open("w", encoding="utf-8", newline="\n")
        wire = json_ready(record)
        self._columns.update(dict.fromkeys(_flat(wire)))
        self._has_assets = self._has_assets or any(True for _ in _metrics(wire))
        self._stream.write(json.dumps(wire, ensure_ascii=False) + "\n")

    def close(self) -> tuple[str, ...]:
        """Write the tables; return the names of the files.

        Raises:
            OSError: They cannot be written.
        """
        if self._stream is None:
            return ()
        _finish(self._stream)
        if self._form == "jsonl":
            name = f"{_RECORDS}.jsonl"
            self._path.replace(self._folder / name)
            return (name,)
        write = _write_csv if self._form == "csv" else _write_parquet
        names = [self._table(_RECORDS, write, tuple(self._columns), map(_flat, self._read()))]
        if self._has_assets:
            rows = (one for record in self._read() for one in _metrics(record))
            names.append(self._table(_ASSETS, write, _ASSET_COLUMNS, rows))
        self._path.unlink()
        return tuple(names)

    def abandon(self) -> None:
        """Leave nothing that is not complete."""
        if self._stream is not None:
            with suppress(OSError):
                self._stream.close()
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _read(self) -> Iterator[dict[str, Any]]:
        with self._path.open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)

    def _table(
        self,
        stem: str,
        write: Callable[[Path, tuple[str, ...], Iterable[Flat]], None],
        columns: tuple[str, ...],
        rows: Iterable[Flat],
    ) -> str:
        path = self._folder / f"{stem}.{self._form}"
        part = path.with_name(f"{path.name}.part")
        write(part, columns, rows)
        part.replace(path)
        return path.name


def _flat(record: Mapping[str, Any]) -> Flat:
    """Return a record as a row: properties by their names, other fields by theirs."""
    row: Flat = {
        name: _text(value) for name, value in record.items() if name not in ("properties", "assets")
    }
    for name, value in _map(record.get("properties")).items():
        # A property may have the name of a field.
        row[name if name not in record else f"properties.{name}"] = _text(value)
    return row


def _metrics(record: Mapping[str, Any]) -> Iterator[Flat]:
    """Yield a row for each metric of each asset; one without a metric for an asset without any."""
    for kind, listed in _map(record.get("assets")).items():
        assets: list[Any] = _map(listed).get("results") or []
        for asset in map(_map, assets):
            for metric, value in (_map(asset.get("metrics")) or {"": None}).items():
                values = (record["id"], kind, asset.get("id"), asset.get("name"), metric, value)
                yield {
                    column: _text(one) for column, one in zip(_ASSET_COLUMNS, values, strict=True)
                }


def _map(value: Any) -> Mapping[str, Any]:
    """Return an object of JSON; an empty one in place of anything else."""
    return value if is_map(value) else {}


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _write_csv(path: Path, columns: tuple[str, ...], rows: Iterable[Flat]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        _finish(stream)


def _write_parquet(path: Path, columns: tuple[str, ...], rows: Iterable[Flat]) -> None:
    pa = pyarrow(path.name)
    schema = pa.schema([pa.field(name, pa.string()) for name in columns])
    with path.open("wb") as stream:
        with pa.parquet.ParquetWriter(stream, schema) as writer:
            waiting: list[Flat] = []
            for row in rows:
                waiting.append(row)
                if len(waiting) == _BATCH:
                    writer.write_table(pa.Table.from_pylist(waiting, schema=schema))
                    waiting = []
            if waiting:
                writer.write_table(pa.Table.from_pylist(waiting, schema=schema))
        _finish(stream)


def _finish(stream: Any) -> None:
    """Bring a file to the disk before it gets its name."""
    stream.flush()
    os.fsync(stream.fileno())
    stream.close()
