"""The work of a job: a table, what its columns mean, and an operation.

This module decides which rows belong to a job, and by what a row's content is recognized: what is
sent for it, as in the journal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from attrs import field, frozen

from hubspot_batch import files
from hubspot_batch._cached_property import cached_property
from hubspot_batch._matching.items import EncodedInput
from hubspot_batch._operations.call import OperationCall, operation_call
from hubspot_batch._operations.registry import SPECS, OperationSpec
from hubspot_batch.files import Row, RowMapper, Table
from hubspot_batch.journal.store import digest_of
from hubspot_batch.outcomes import OutcomeError

from .kept_rows import KeptRows

_BLOCK = 100


class RowContent(NamedTuple):
    """The input that a row makes.

    Attributes:
        row: The row.
        entry: The input as it is sent, or why there is none.
        digest: The digest of what is sent; None if there is none.
    """

    row: Row
    entry: EncodedInput | OutcomeError
    digest: bytes | None


@frozen(eq=False, slots=False)
class Work:
    """The work of a job.

    Attributes:
        operation: The operation's id, such as `create_calls`.
        table: The rows.
        mapping: What the columns mean.
        arguments: The operation's other arguments, by their names in Python.
        allow_implausible: Whether values are sent that are most likely not meant.
        doubt_options: The arguments about inputs in doubt, by their names in Python.
        limit: How many rows belong to the job, from the first on; None for all.
        api_version: The version of HubSpot's API; None for the default.
        kept: Where rows are kept from one pass to the next; None to read the table each time.
    """

    operation: str
    table: Table
    mapping: files.Mapping
    arguments: Mapping[str, Any] = field(factory=dict[str, Any])
    allow_implausible: bool = False
    limit: int | None = None
    doubt_options: Mapping[str, Any] = field(factory=dict[str, Any])
    api_version: str | None = None
    kept: KeptRows | None = None

    @property
    def spec(self) -> OperationSpec:
        """The operation."""
        return SPECS[self.operation]

    @cached_property
    def mapper(self) -> RowMapper:
        """Return the mapper of the table's columns.

        Raises:
            MappingError: The columns do not fit.
        """
        return self.mapping.mapper(self.table)

    @property
    def words(self) -> str:
        """How the command line calls the operation, such as `calls create`."""
        return command_words(self.spec)

    @property
    def call(self) -> OperationCall:
        """The operation with its arguments.

        Raises:
            ConfigurationError: An argument is not valid.
        """
        given: dict[str, Any] = {**self.arguments, **self.doubt_options}
        return operation_call(
            self.operation,
            None,
            allow_implausible=self.allow_implausible,
            api_version=self.api_version,
            **given,
        )

    def rows(self) -> Iterator[tuple[Row, files.Input]]:
        """Yield the rows of the job, each with its input or an `InvalidRow`."""
        if self.kept is not None and self.kept.complete:
            return iter(self.kept)
        rows = islice(self.mapper.rows(self.table), self.limit)
        return rows if self.kept is None else self.kept.keep(rows)

    def contents(self) -> Iterator[RowContent]:
        """Yield what each row makes, checked as before it is sent.

        Raises:
            ConfigurationError: An argument of the operation is not valid.
            FileError: The rest of the file cannot be read.
        """
        operation = self.call.operation
        rows = self.rows()
        at = 0
        while block := list(islice(rows, _BLOCK)):
            entries = operation.encode(at, [made for _, made in block])
            for (row, _), entry in zip(block, entries, strict=True):
                if isinstance(entry, EncodedInput):
                    yield RowContent(row, entry, digest_of(operation.identify(entry)))
                else:
                    yield RowContent(row, entry, None)
            at += len(block)


def command_words(spec: OperationSpec) -> str:
    """Return how the command line calls an operation: `marketing-events update`."""
    tag, _, verb = spec.name.partition(".")
    return f"{tag} {verb}".replace("_", "-")
