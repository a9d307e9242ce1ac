"""Batches of a Ray Dataset, sent by actors on any number of machines.

This module decides how a batch becomes inputs, and its outcomes become columns. If a machine is
lost, Ray runs its batch again; the journal, which all actors share, knows which inputs were sent.
"""

# pyright: basic, reportMissingImports=false

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from hubspot_batch._operations.registry import SPECS
from hubspot_batch.client import HubSpotBatch
from hubspot_batch.journal import Journal
from hubspot_batch.outcomes import Outcome

from .needed import needed_by

with needed_by(__name__, "ray[data]"):
    import pyarrow as pa  # type: ignore[import-untyped]

_COLUMNS: dict[str, Callable[[Outcome[Any]], str | None]] = {
    "_status": lambda outcome: str(outcome.status),
    "_id": lambda outcome: getattr(outcome.result, "id", None),
    "_kind": lambda outcome: getattr(outcome.error, "kind", None),
    "_message": lambda outcome: getattr(outcome.error, "message", None),
    "_correlation_id": lambda outcome: getattr(outcome.error, "correlation_id", None),
}


class Sender:
    """The class of the actors: each holds one client."""

    def __init__(
        self,
        method: str,
        new_client: Callable[[], HubSpotBatch],
        journal: Journal,
        arguments: dict[str, Any],
    ) -> None:
        self._send = attrgetter(method)(new_client())
        self._journal, self._arguments = journal, arguments

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Send the rows of a batch; return them with their outcomes."""
        result = self._send(batch.to_pylist(), journal=self._journal, **self._arguments)
        for name, read in _COLUMNS.items():
            batch = batch.append_column(name, pa.array(map(read, result), pa.string()))
        return batch


def create_calls(dataset: Any, *, journal: Journal, **options: Any) -> Any:
    """Create a call of each row of a dataset; see `send`."""
    return send(dataset, "create_calls", journal=journal, **options)


def send(
    dataset: Any,
    operation: str,
    *,
    journal: Journal,
    new_client: Callable[[], HubSpotBatch] = HubSpotBatch,
    actors: int = 2,
    arguments: dict[str, Any] | None = None,
    **options: Any,
) -> Any:
    """Return a dataset with the rows of another one, and the outcome of each.

    ```python
    outcomes = create_calls(
        ray.data.read_parquet("calls/"),
        journal=PostgresJournal("calls of November", conninfo="host=db.internal dbname=jobs"),
        new_client=new_client,
    )
    outcomes.filter(lambda row: row["_status"] != "succeeded").write_csv("rejects/")
    ```

    Rows are inputs, with columns such as `properties`. The added columns are `_status`, `_id`,
    `_kind`, `_message` and `_correlation_id`. Equal rows are one input if they come in different
    batches, unless they differ in `objectWriteTraceId`. Nothing is sent before the dataset is
    consumed; later consumptions find the outcomes in the journal.

    Args:
        dataset: A dataset of Ray.
        operation: The id of an operation, such as `create_calls`.
        journal: A journal that all actors can use at the same time: a `PostgresJournal`.
        new_client: Returns the client of an actor. Give all of them the same `SharedAllowance`.
        actors: How many actors send.
        arguments: Further arguments of the method.
        **options: Further arguments of `Dataset.map_batches`, such as `num_cpus`.
    """
    spec = SPECS[operation]
    return dataset.map_batches(
        Sender,
        fn_constructor_args=(spec.name, new_client, journal, arguments or {}),
        batch_format="pyarrow",
        concurrency=actors,
        **{"batch_size": spec.described.limit, **options},
    )
