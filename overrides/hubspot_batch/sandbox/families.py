"""What kinds of records there are: their properties, their ids and how a result looks.

One `Family` is one row of data. It decides which values the server takes and what it adds; what
an operation does with a family stands in `operations`. Property names and association types are
facts from HubSpot's pages on calls, campaigns and marketing events.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal
from zlib import crc32

from attrs import frozen

from .clock import is_date, parse, to_text
from .store import Record


@frozen
class Property:
    """What a property takes: one of `options` when there are any, else a text of its kind."""

    kind: Literal["text", "number", "datetime", "date", "email"] = "text"
    options: tuple[str, ...] = ()

    def accepts(self, value: str) -> bool:
        """Say whether the server takes `value`; an empty text clears a property, so it does."""
        if not value:
            return True
        if self.options:
            return value in self.options
        if self.kind == "number":
            return value.lstrip("-").replace(".", "", 1).isdigit()
        if self.kind == "datetime":
            return parse(value) is not None
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
    """Which part of a record an answer shows.

    `properties` None shows all of them. Assets come with reads, their metrics only with dates.
    """

    properties: tuple[str, ...] | None = None
    assets: bool = False
    metrics: bool = False
    trace_id: bool = False


@frozen
class Family:
    """A kind of record: how it is named, made, checked and shown.

    An `open` one takes properties and association types that it does not list.
    """

    store: str
    label: str
    properties: Mapping[str, Property]
    render: "Callable[[Record, View, Family], dict[str, Any]]"
    required: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    association_types: frozenset[tuple[str, int]] = frozenset()
    guids: bool = False
    open: bool = False
    first_number: int = 0


def _shown(record: Record, view: View, added: Mapping[str, str | None]) -> dict[str, str | None]:
    everything = {**record.properties, **added}
    if view.properties is None:
        return everything
    return {name: everything.get(name) for name in view.properties}


def _times(record: Record) -> dict[str, str]:
    return {"createdAt": to_text(record.created_at), "updatedAt": to_text(record.updated_at)}


def crm_object(record: Record, view: View, family: Family) -> dict[str, Any]:
    """Show an object of the CRM: what was set, moments in UTC, and what the server adds."""
    created, updated = _times(record).values()
    added: dict[str, str | None] = {
        "hs_object_id": record.id,
        "hs_createdate": created,
        "hs_lastmodifieddate": updated,
        "hs_object_source": "INTEGRATION",
        "hs_object_source_label": None,
    }
    # The server keeps a moment, not its spelling: epoch milliseconds come back as ISO 8601.
    for name, value in record.properties.items():
        known = family.properties.get(name, TEXT)
        if value and known.kind == "datetime" and (moment := parse(value)):
            added[name] = to_text(moment.timestamp()).replace(".000Z", "Z")
        if value and known.kind == "email":
            added[name] = value.lower()
    shown = {
        "id": record.id,
        "properties": _shown(record, view, added),
        **record.fields,
        **_times(record),
        "archived": False,
    }
    if view.trace_id and record.trace_id is not None:
        shown["objectWriteTraceId"] = record.trace_id
    return shown


def campaign(record: Record, view: View, _: Family) -> dict[str, Any]:
    """Show a campaign; a read adds its assets by type."""
    shown = {
        "id": record.id,
        "properties": _shown(record, view, {"hs_object_id": str(crc32(record.id.encode()))}),
        **record.fields,
        "businessUnits": [{"id": 0}],
        **_times(record),
    }
    if view.assets:
        shown["assets"] = {
            kind: {"results": [_asset(asset, view) for asset in assets]}
            for kind, assets in record.assets.items()
        }
    return shown


def _asset(asset: Mapping[str, Any], view: View) -> dict[str, Any]:
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


def marketing_event(record: Record, _view: View, _: Family) -> dict[str, Any]:
    """Show a marketing event; texts and dates that nobody set are null, not absent."""
    custom = [{"name": name, "value": value} for name, value in record.custom_properties.items()]
    return {
        "objectId": record.id,
        **_EVENT_FIELDS,
        **record.fields,
        "customProperties": custom,
        **_times(record),
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
    # No page says which property of a call must be unique; this one makes a 409 reachable.
    "hs_unique_creation_key": TEXT,
}

_CAMPAIGN_TEXTS = (
    "hs_name",
    "hs_notes",
    "hs_audience",
    "hs_currency_code",
    "hs_campaign_status",
    "hs_utm",
    "hs_owner",
    "hs_color_hex",
    "hs_goal",
)

CALLS = Family(
    "calls",
    "Call",
    CALL_PROPERTIES,
    crm_object,
    required=("hs_timestamp",),
    unique=("hs_unique_creation_key",),
    # Contact, company, deal, ticket.
    association_types=frozenset(("HUBSPOT_DEFINED", number) for number in (194, 182, 206, 220)),
    first_number=51_000_000_000,
)
CAMPAIGNS = Family(
    "campaigns",
    "Campaign",
    dict.fromkeys(_CAMPAIGN_TEXTS, TEXT) | {"hs_start_date": DATE, "hs_end_date": DATE},
    campaign,
    required=("hs_name",),
    guids=True,
)
MARKETING_EVENTS = Family(
    "marketing_events", "Marketing event", {}, marketing_event, first_number=330_000_000_000
)


def usual(store: str, fields: Sequence[str]) -> Family:
    """Make the family of records that nobody has described here: objects of the CRM.

    `fields` are those of a result, off the contract.
    """

    def render(record: Record, view: View, family: Family) -> dict[str, Any]:
        shown = crm_object(record, view, family)
        return {name: value for name, value in shown.items() if name in fields}

    label = store.replace("_", " ").capitalize().removesuffix("s")
    first = 7_000_000_000 + crc32(store.encode()) % 1_000_000
    return Family(store, label, {"email": EMAIL}, render, open=True, first_number=first)
