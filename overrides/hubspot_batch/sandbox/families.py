"""The kinds of records: their properties, their ids and the form of a result.

A `Family` is data about one kind of record: which values the server accepts and what it adds to a
result. `operations` says what an operation does with a family. Property names and association types
are facts from HubSpot's pages on calls, campaigns and marketing events.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal
from zlib import crc32

from attrs import frozen
from hubspot_batch_client.contract import OPERATIONS

from .clock import format_datetime, is_date, parse_datetime
from .store import Record


@frozen
class Property:
    """The values that a property accepts: its `options` if it has any, else texts of its kind."""

    kind: Literal["text", "number", "datetime", "date", "email"] = "text"
    options: tuple[str, ...] = ()

    def accepts(self, value: str) -> bool:
        """Return True if the server accepts `value`; an empty text clears a property."""
        if not value:
            return True
        if self.options:
            return value in self.options
        if self.kind == "number":
            return value.lstrip("-").replace(".", "", 1).isdigit()
        if self.kind == "datetime":
            return parse_datetime(value) is not None
        if self.kind == "email":
            return "@" in value
        return self.kind == "text" or is_date(value)


TEXT, NUMBER, DATETIME, DATE, EMAIL = (
    Property(),
    Property("number"),
    Property("datetime"),
    Property("date"),
    Property("email"),
)


@frozen
class View:
    """The part of a record that a response shows.

    `properties` names the properties to show; None shows all of them.
    """

    properties: tuple[str, ...] | None = None
    assets: bool = False
    metrics: bool = False
    trace_id: bool = False


@frozen
class Family:
    """A kind of record: how its records are named, created, validated and shown.

    - `name`: the name of its store; `label`: its name in messages.
    - `render`: makes the result of a record.
    - `required`: names of the properties that every record must have.
    - `writable`: the server's own properties that a client may write; none if it may write all.
    - `unique`: names of the properties that must differ between records.
    - `keys`: the same, of properties that the account has made; a second one is another refusal.
    - `naming`: names of other properties by which records can be named, too.
    - `open`: properties and association types that are not listed are accepted, too.
    - `guids`: ids are GUIDs; otherwise they are numbers that follow `id_offset`.
    """

    name: str
    label: str
    properties: Mapping[str, Property]
    render: "Callable[[Record, View, Family], dict[str, Any]]"
    required: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    association_types: frozenset[tuple[str, int]] = frozenset()
    guids: bool = False
    open: bool = False
    id_offset: int = 0
    keys: tuple[str, ...] = ()
    naming: tuple[str, ...] = ()


def _select_properties(
    record: Record, view: View, added: Mapping[str, str | None]
) -> dict[str, str | None]:
    properties = {**record.properties, **added}
    if view.properties is None:
        return properties
    return {name: properties.get(name) for name in view.properties}


def _timestamps(record: Record) -> dict[str, str]:
    return {
        "createdAt": format_datetime(record.created_at),
        "updatedAt": format_datetime(record.updated_at),
    }


def render_crm_object(record: Record, view: View, family: Family) -> dict[str, Any]:
    """Show a CRM object: the values that were sent, and those that the server adds."""
    created, updated = _timestamps(record).values()
    added: dict[str, str | None] = {
        "hs_object_id": record.id,
        "hs_createdate": created,
        "hs_lastmodifieddate": updated,
        "hs_object_source": "INTEGRATION",
        "hs_object_source_label": None,
    }
    # The server stores a time, not its text: epoch milliseconds come back as ISO 8601 in UTC.
    for name, value in record.properties.items():
        kind = family.properties.get(name, TEXT).kind
        if value and kind == "datetime" and (time := parse_datetime(value)):
            added[name] = format_datetime(time.timestamp()).replace(".000Z", "Z")
        if value and kind == "email":
            added[name] = value.lower()
    result = {
        "id": record.id,
        "properties": _select_properties(record, view, added),
        **record.fields,
        **_timestamps(record),
        "archived": False,
    }
    if view.trace_id and record.trace_id is not None:
        result["objectWriteTraceId"] = record.trace_id
    return result


def render_campaign(record: Record, view: View, _: Family) -> dict[str, Any]:
    """Show a campaign, with its assets by type if the view has them."""
    added = {"hs_object_id": str(crc32(record.id.encode()))}
    result = {
        "id": record.id,
        "properties": _select_properties(record, view, added),
        **record.fields,
        "businessUnits": [{"id": 0}],
        **_timestamps(record),
    }
    if view.assets:
        result["assets"] = {
            kind: {"results": [_render_asset(asset, view) for asset in assets]}
            for kind, assets in record.assets.items()
        }
    return result


def _render_asset(asset: Mapping[str, Any], view: View) -> dict[str, Any]:
    return {key: value for key, value in asset.items() if view.metrics or key != "metrics"}


_EVENT_FIELDS: Mapping[str, Any] = {
    "eventName": "",
    "eventType": None,
    "eventOrganizer": None,
    "eventDescription": None,
    "eventUrl": None,
    "startDateTime": None,
    "endDateTime": None,
    "eventCancelled": False,
    "eventCompleted": False,
    "appInfo": None,
}


def render_marketing_event(record: Record, _view: View, _: Family) -> dict[str, Any]:
    """Show a marketing event. Texts and dates that were never set are null, not absent."""
    custom = [{"name": name, "value": value} for name, value in record.custom_properties.items()]
    return {
        "objectId": record.id,
        **_EVENT_FIELDS,
        **record.fields,
        "customProperties": custom,
        **_timestamps(record),
    }


CALL_PROPERTIES: Mapping[str, Property] = {
    "hs_timestamp": DATETIME,
    "hs_call_title": TEXT,
    "hs_call_body": TEXT,
    "hs_call_duration": NUMBER,
    "hs_call_direction": Property(options=("INBOUND", "OUTBOUND")),
    "hs_call_status": Property(
        options=(
            "BUSY",
            "CALLING_CRM_USER",
            "CANCELED",
            "COMPLETED",
            "CONNECTING",
            "FAILED",
            "IN_PROGRESS",
            "MISSED",
            "NO_ANSWER",
            "QUEUED",
            "RINGING",
        )
    ),
    "hs_call_disposition": TEXT,
    "hs_call_from_number": TEXT,
    "hs_call_to_number": TEXT,
    "hs_call_recording_url": TEXT,
    "hubspot_owner_id": TEXT,
    "hs_activity_type": TEXT,
    "hs_attachment_ids": TEXT,
    # No page names a property of a call that must be unique. This one lets tests get a 409.
    "hs_unique_creation_key": TEXT,
}

_CAMPAIGN_TEXTS = (
    "hs_name",
    "hs_notes",
    "hs_audience",
    "hs_currency_code",
    "hs_campaign_status",
    "hs_utm",
    "hs_business_unit_ids",
    "hs_owner",
    "hs_color_hex",
    "hs_goal",
)

CAMPAIGNS_CREATE = OPERATIONS.get("create_campaigns")

CALLS = Family(
    "calls",
    "Call",
    CALL_PROPERTIES,
    render_crm_object,
    required=("hs_timestamp",),
    unique=("hs_unique_creation_key",),
    # To a contact, a company, a deal, a ticket.
    association_types=frozenset(("HUBSPOT_DEFINED", number) for number in (194, 182, 206, 220)),
    id_offset=51_000_000_000,
)
CAMPAIGNS = Family(
    "campaigns",
    "Campaign",
    dict.fromkeys(_CAMPAIGN_TEXTS, TEXT) | {"hs_start_date": DATE, "hs_end_date": DATE},
    render_campaign,
    required=("hs_name",),
    writable=CAMPAIGNS_CREATE.writable if CAMPAIGNS_CREATE else (),
    guids=True,
)
MARKETING_EVENTS = Family(
    "marketing_events", "Marketing event", {}, render_marketing_event, id_offset=330_000_000_000
)


def crm_family(name: str, fields: Sequence[str]) -> Family:
    """Make the family of CRM objects that this module does not describe.

    `fields` are the fields of a result, as the contract lists them.
    """

    def render(record: Record, view: View, family: Family) -> dict[str, Any]:
        result = render_crm_object(record, view, family)
        return {key: value for key, value in result.items() if key in fields}

    label = name.replace("_", " ").capitalize().removesuffix("s")
    id_offset = 7_000_000_000 + crc32(name.encode()) % 1_000_000
    return Family(name, label, {"email": EMAIL}, render, open=True, id_offset=id_offset)
