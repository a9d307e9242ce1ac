"""Maps columns to properties, fields and associations.

This module decides how a mapping is made, and what can be read with it. What its settings mean for
the columns of a table is decided in `checking`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any, Self

from attrs import asdict, evolve, field, frozen

from . import mapping_file
from .checking import check_columns
from .definitions import Definitions
from .errors import MappingError
from .frames import as_table
from .mapping_file import MappingSettings
from .operations import file_operation
from .row_mapper import Input, InvalidRow, RowMapper
from .table import Row, Table


@frozen
class Mapping:
    """The meaning of a file's columns.

    Attributes:
        settings: What was said.
        account: How the account defines its properties; None if it was not asked.
    """

    settings: MappingSettings
    account: Definitions | None = field(default=None, eq=False, repr=False)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, operation: str | None = None) -> Self:
        """Read a mapping file.

        Args:
            path: The file, in TOML. `hubspot-batch mapping FILE` writes one to start from.
            operation: The operation, such as `calls create`, if the file does not say.

        Raises:
            MappingError: It cannot be read, or has unknown settings.
        """
        return cls(mapping_file.load(path)).with_operation(operation)

    @classmethod
    def from_options(cls, *, operation: str | None = None, **options: Any) -> Self:
        """Return the mapping that options of the command line say.

        Args:
            operation: The operation, such as `calls create`.
            options: As `mapping_file.from_options` takes them: `map`, `set`, `associate`,
                `timezone`, `ignore`, `ignore_unknown`.

        Raises:
            MappingError: An option cannot be read.
        """
        return cls(mapping_file.from_options(**options)).with_operation(operation)

    def with_operation(self, name: str | None) -> Self:
        """Return the mapping for an operation.

        Raises:
            MappingError: It is for another operation.
        """
        if name is None:
            return self
        wanted, said = file_operation(name), self.settings.operation
        if said is not None and file_operation(said).id != wanted.id:
            raise MappingError(
                f"{self.settings.source} is for {file_operation(said).words}, and not for "
                f"{wanted.words}."
            )
        return evolve(self, settings=evolve(self.settings, operation=wanted.id))

    def digest(self) -> str:
        """Return the SHA-256 of what was said, wherever it was said, in hexadecimal."""
        name = self.settings.operation
        id_ = file_operation(name).id if name else None  # which has two spellings
        said = asdict(evolve(self.settings, source="", operation=id_))
        return sha256(json.dumps(said, default=str, sort_keys=True).encode()).hexdigest()

    def check(self, columns: Iterable[str], operation: str | None = None) -> RowMapper:
        """Return what makes inputs of rows with these columns.

        Args:
            columns: The names of the columns.
            operation: The operation, if the mapping does not say.

        Raises:
            MappingError: A column is not mapped, or cannot be; the message has a line for each.
        """
        settings = self.with_operation(operation).settings
        return check_columns(settings, tuple(columns), account=self.account)

    def map_rows(self, table: Table) -> Iterator[tuple[Row, Input]]:
        """Yield each row of a table, with its input or an `InvalidRow`.

        Raises:
            MappingError: The columns do not fit; raised before the first row.
            FileError: The rest of the file cannot be read.
        """
        return self.mapper(table).rows(table)

    def inputs(self, rows: Any) -> Iterator[Any]:
        """Yield the input of each row, to hand to any method of a client.

        A row that makes no input is an `InvalidRow`, which a client reports as `failed` with the
        reason, and does not send.

        Args:
            rows: A table, a path, mappings of headings to values, or a DataFrame (anything with
                `__arrow_c_stream__` or `to_dict("records")`).

        Raises:
            MappingError: The columns do not fit; raised before the first row.
            FileError: The rows cannot be read, or not from some line on.
        """
        table = as_table(rows)
        if isinstance(table, Table):
            return (made for _, made in self.map_rows(table))
        return self._of_mappings(table)

    def mapper(self, table: Table) -> RowMapper:
        """Return what makes the inputs of a table.

        Raises:
            MappingError: The columns do not fit.
        """
        return check_columns(self.settings, table.columns, table.form.unit, self.account)

    def _of_mappings(self, rows: Iterable[dict[str, Any]]) -> Iterator[Any]:
        known: dict[tuple[str, ...], RowMapper] = {}
        for number, row in enumerate(rows, 1):
            names, cells = tuple(row), list(row.values())
            if names not in known:
                # A key that is left out is an empty cell, as in JSON Lines.
                names = next((one for one in known if row.keys() <= {*one}), names)
                cells = [row.get(name) for name in names]
            if (mapper := known.get(names)) is None:
                try:
                    mapper = check_columns(self.settings, names, "row", self.account)
                except MappingError as error:
                    if not known:
                        raise
                    yield InvalidRow(number, [("", str(error).rstrip("."))], "row")
                    continue
                known[names] = mapper
            yield mapper.input(Row(number, cells))
