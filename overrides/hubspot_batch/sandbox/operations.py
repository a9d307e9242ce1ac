"""What each batch operation does, as one row of data.

A row names its family, its kind of work, its success code and how a batch with bad inputs ends.
Paths, scopes, limits and the form of an input come from the contract and are not repeated here; an
operation without a row does what its kind says, to records of which the contract says the fields.
"""

from collections.abc import Mapping
from typing import Literal

from attrs import field, frozen
from hubspot_batch_client.contract import OPERATIONS, Operation

from .families import CALLS, CAMPAIGNS, MARKETING_EVENTS, Family, View, usual

TRACE_ID = "objectWriteTraceId"


@frozen
class Row:
    """What one operation does.

    - `success`: the status when nothing went wrong; with item errors it is 207.
    - `order`: how the results come back. HubSpot promises no order for campaigns and documents
      none for the rest, so no client may lean on the order of its inputs.
    - `id_field`: names the record in an input of a read, an update or an upsert.
    - `trace_field`: a unique value of it in every input makes a create settle each input by
      itself, and of an upsert; without it the batch is all or nothing (HubSpot, calls batch
      create).
    - `makes_missing`: an update makes the records that it does not find, under the ids it got.
    - `select`, `dates`: names of the arguments that choose properties, and that bring the metrics
      of the assets when all of them are there.
    - `shows_all`: all properties come back where none are chosen.
    - `one_missing`: the key of `context` when exactly one id was not found; `missing_code`: the
      `subCategory` of that error.
    """

    operation: str
    family: Family
    kind: Literal["create", "read", "update", "upsert"]
    success: int
    order: Literal["shuffled", "reversed"] = "shuffled"
    id_field: str = "id"
    trace_field: str | None = None
    makes_missing: bool = False
    one_missing: str = "ids"
    missing_code: str | None = None
    select: str | None = None
    shows_all: bool = False
    dates: tuple[str, ...] = ()
    view: View = field(factory=View)


_SAID: Mapping[str, Row] = {
    row.operation: row
    for row in (
        Row("create_campaigns", CAMPAIGNS, "create", 201),
        Row(
            "read_campaigns",
            CAMPAIGNS,
            "read",
            200,
            one_missing="id",
            missing_code="CampaignApiError.INVALID_REQUEST",
            select="properties",
            dates=("startDate", "endDate"),
            view=View(assets=True),
        ),
        Row(
            "update_marketing_events",
            MARKETING_EVENTS,
            "update",
            200,
            order="reversed",
            id_field="objectId",
        ),
        Row("create_calls", CALLS, "create", 201, trace_field=TRACE_ID),
    )
}


def _usual(operation: Operation) -> Row:
    """Make the row of an operation that has none."""
    families = {row.family.store: row.family for row in _SAID.values()}
    fields = operation.input_schema.get("properties", {})
    return Row(
        operation.id,
        families.get(operation.tag) or usual(operation.tag, operation.result_fields),
        operation.kind,
        201 if operation.kind == "create" else 200,
        id_field=next((name for name in ("id", "objectId") if name in fields), "id"),
        trace_field=TRACE_ID if TRACE_ID in fields else None,
        select=next((one.name for one in operation.arguments if one.name == "properties"), None),
        shows_all=True,
    )


ROWS: Mapping[str, Row] = {
    name: _SAID.get(name) or _usual(operation) for name, operation in OPERATIONS.items()
}
