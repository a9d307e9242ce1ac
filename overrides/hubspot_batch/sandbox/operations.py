"""The sandbox's side of each batch operation, as data.

A `SandboxOperation` names the family of records, the kind of operation, the success status and how
a batch with bad inputs ends. Paths, scopes, limits and the schema of an input come from the
contract. An operation that is not described here gets a spec from its contract: see
`_default_spec`.
"""

from collections.abc import Mapping
from typing import Literal

from attrs import field, frozen
from hubspot_batch_client.contract import OPERATIONS, Operation

from .families import CALLS, CAMPAIGNS, MARKETING_EVENTS, Family, View, crm_family

TRACE_ID = "objectWriteTraceId"


@frozen
class SandboxOperation:
    """The behaviour of one operation.

    - `success_status`: the status without item errors; with item errors it is 207.
    - `result_order`: the order of the results, relative to the inputs. HubSpot promises no order
      for campaigns and documents none for the other operations, so a client must not rely on it.
    - `id_field`: the field of an input that names the record of a read, an update or an upsert;
      several together, or none, if inputs name no record.
    - `trace_id_field`: if every input of a create or an upsert has a unique value of this field,
      bad inputs fail alone. Otherwise one bad input makes the server refuse the whole batch
      (HubSpot, calls batch create).
    - `creates_missing`: an update creates the records that it does not find, with the ids given.
    - `single_id_key`: the key in the `context` of the not-found error for exactly one id.
    - `not_found_sub_category`: the `subCategory` of that error.
    - `properties_argument`: the argument that names the properties to show.
    - `shows_all_by_default`: without that argument, results show all properties.
    - `results`: the field of a response that holds the results; empty if there is no body (204).
    - `echoes`: the fields of a result that repeat the record's name, as the input has it.
    - `record_field`: the field of a result with the record's own id; empty if it has none.
    - `tells_new`: the result of an upsert says whether its record is new.
    - `date_arguments`: the metrics of assets are shown if all of these arguments are present.
    """

    operation: str
    family: Family
    kind: Literal["create", "read", "update", "upsert", "archive", "action"]
    success_status: int
    result_order: Literal["shuffled", "reversed"] = "shuffled"
    id_field: str | tuple[str, ...] = "id"
    trace_id_field: str | None = None
    creates_missing: bool = False
    single_id_key: str = "ids"
    not_found_sub_category: str | None = None
    properties_argument: str | None = None
    shows_all_by_default: bool = False
    date_arguments: tuple[str, ...] = ()
    results: str = "results"
    echoes: tuple[str, ...] = ()
    record_field: str = ""
    tells_new: bool = True
    view: View = field(factory=View)


_DESCRIBED: Mapping[str, SandboxOperation] = {
    spec.operation: spec
    for spec in (
        SandboxOperation("create_campaigns", CAMPAIGNS, "create", 201),
        SandboxOperation(
            "read_campaigns",
            CAMPAIGNS,
            "read",
            200,
            single_id_key="id",
            not_found_sub_category="CampaignApiError.INVALID_REQUEST",
            properties_argument="properties",
            date_arguments=("startDate", "endDate"),
            view=View(assets=True),
        ),
        SandboxOperation(
            "update_marketing_events",
            MARKETING_EVENTS,
            "update",
            200,
            result_order="reversed",
            id_field="objectId",
        ),
        SandboxOperation(
            "upsert_marketing_events",
            MARKETING_EVENTS,
            "upsert",
            200,
            result_order="reversed",
            id_field=("externalAccountId", "externalEventId"),
            tells_new=False,
        ),
        SandboxOperation(
            "delete_marketing_events",
            MARKETING_EVENTS,
            "archive",
            204,
            id_field=("externalAccountId", "externalEventId"),
            results="",
        ),
        SandboxOperation("create_calls", CALLS, "create", 201, trace_id_field=TRACE_ID),
    )
}


def _default_spec(operation: Operation) -> SandboxOperation:
    """Derive the spec of an operation that is not described, from its contract."""
    families = {spec.family.name: spec.family for spec in _DESCRIBED.values()}
    fields = {
        name: part
        for schema in operation.input_schema.get("anyOf", (operation.input_schema,))
        for name, part in schema.get("properties", {}).items()
    }
    key = operation.key
    arguments = {argument.name for argument in operation.arguments}
    return SandboxOperation(
        operation.id,
        families.get(operation.tag) or crm_family(operation.tag, operation.result_fields),
        operation.kind,
        (201 if operation.kind == "create" else 200) if operation.results else 204,
        id_field=key[0] if len(key) == 1 else key,
        trace_id_field=TRACE_ID if TRACE_ID in fields else None,
        properties_argument="properties" if "properties" in arguments else None,
        shows_all_by_default=True,
        results=operation.results,
        echoes=operation.result_key,
        record_field=operation.record_key,
        tells_new="new" in operation.result_fields,
    )


SPECS: Mapping[str, SandboxOperation] = {
    name: _DESCRIBED.get(name) or _default_spec(operation) for name, operation in OPERATIONS.items()
}
