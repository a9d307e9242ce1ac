"""A destination for pipelines of dlt.

This module decides which journal a file of a load package has: one of its own, which dlt finds
again when a pipeline that broke off is run again. dlt hands over whole files, so requests are as
large as the operation allows, and equal rows of a file are counted.
"""

# dlt is installed only where it is used.
# pyright: basic, reportMissingImports=false

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from operator import attrgetter
from typing import Any

from hubspot_batch.client import HubSpotBatch
from hubspot_batch.errors import IncompleteError
from hubspot_batch.journal import Journal
from hubspot_batch.outcomes import BatchResult

from .needed import needed_by

with needed_by(__name__, "dlt"):
    import dlt
    from dlt.common.destination.exceptions import DestinationTerminalException
    from dlt.common.json import json
    from dlt.common.storages import FileStorage, ParsedLoadJobFileName


def _check(result: BatchResult[Any]) -> None:
    try:
        result.raise_for_failures()
    except IncompleteError as error:
        # Tried again, it would end in the same way.
        raise DestinationTerminalException(str(error)) from error


def hubspot(
    operation: str,
    *,
    journal: Callable[[str], Journal | str],
    new_client: Callable[[], HubSpotBatch] = HubSpotBatch,
    to_input: Callable[[Mapping[str, Any]], Any] = dict,
    on_result: Callable[[BatchResult[Any]], object] = _check,
    name: str = "hubspot",
    **arguments: Any,
) -> Any:
    """Return a destination that sends each row of a pipeline as an input.

    ```python
    destination = hubspot(
        "calls.create", journal=lambda key: PostgresJournal(key, conninfo="dbname=jobs")
    )
    dlt.pipeline("calls", destination=destination).run(rows, table_name="calls")
    ```

    If a pipeline broke off, run it again: nothing is created twice. Tables and columns with names
    that begin with `_dlt` are left out.

    Args:
        operation: The method of a client, such as `calls.create`.
        journal: Returns the journal of a file for its key, a text without blanks or slashes. It
            must be there when the pipeline is run again: on the disk that has dlt's own folder, or
            in Postgres.
        new_client: Returns the client of a file.
        to_input: Returns the input of a row. By default, rows are inputs.
        on_result: Is called with the outcomes of each file. By default, the file fails unless all
            its inputs succeeded, and is not tried again.
        name: The name of the destination.
        **arguments: Further arguments of the method.
    """

    def load(path: str, table: Mapping[str, Any]) -> None:
        file = ParsedLoadJobFileName.parse(path)
        key = f"{file.table_name}.{file.file_id}"  # the same in each attempt
        with new_client() as client:
            send = attrgetter(operation)(client)
            rows = map(to_input, _rows(path, table["columns"]))
            on_result(send(rows, journal=journal(key), **arguments))

    return dlt.destination(
        load,
        name=name,
        batch_size=0,  # whole files
        loader_file_format="typed-jsonl",
        naming_convention="direct",
        max_table_nesting=0,
    )


def _rows(path: str, columns: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    with FileStorage.open_zipsafe_ro(path) as lines:
        for line in lines:
            found = json.typed_loads(line)
            for row in found if isinstance(found, list) else [found]:
                yield {column: value for column, value in row.items() if column in columns}
