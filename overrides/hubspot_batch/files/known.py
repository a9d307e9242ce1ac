"""The properties, options and associations that are known, as data.

It holds nothing that HubSpot does not say or has not been seen to do. Which properties an account
has beside these is for the account to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from attrs import Factory, frozen


class KnownProperty(NamedTuple):
    """The values that a property takes, as far as they are known.

    Attributes:
        kind: How a cell is read: `text`, `short` (a text that must say something, such as a
            title), `phone`, `url`, `moment`, `day`, `duration`, `option`, `record` (a record's id,
            digits only), `id` (any id), `flag`.
        options: For `option`: each word in lower case, and what is sent for it.
    """

    kind: str = "short"
    options: Mapping[str, str] = {}


@frozen
class KnownFamily:
    """The properties of a family's records, as far as they are known.

    Attributes:
        properties: The known properties that can be written.
        required: The property without which HubSpot refuses a record; None if there is none.
        refused: Properties that HubSpot gives but does not take.
        closed: Whether every property that begins with `hs_` and is not known is refused.
        associations: The type ids of associations with other records, by the records' name.
        fields: What is known of fields beside `properties`.
        id_kind: The kind of a record's id.
    """

    properties: Mapping[str, KnownProperty] = Factory(dict[str, KnownProperty])
    required: str | None = None
    refused: frozenset[str] = frozenset()
    closed: bool = False
    associations: Mapping[str, int] = Factory(dict[str, int])
    fields: Mapping[str, KnownProperty] = Factory(dict[str, KnownProperty])
    id_kind: str = "id"


def _options(*names: str) -> Mapping[str, str]:
    """Return options as people write them: in any case, with a space for an underscore."""
    words = {name.lower(): name for name in names}
    return words | {name.lower().replace("_", " "): name for name in names}


# https://developers.hubspot.com/docs/guides/api/crm/engagements/calls
DIRECTIONS = _options("INBOUND", "OUTBOUND")
STATUSES = _options(
    *("BUSY", "CALLING_CRM_USER", "CANCELED", "COMPLETED", "CONNECTING", "FAILED", "IN_PROGRESS"),
    *("MISSED", "NO_ANSWER", "QUEUED", "RINGING"),
)
# The dispositions that every account has; others have ids of the account's own.
DISPOSITIONS = {
    "Busy": "9d9162e7-6cf3-4944-bf63-4dff82258764",
    "Connected": "f240bbac-87c9-4f6e-bf70-924b57d47db7",
    "Left live message": "a4c4c377-d246-4b32-a13b-75a56a4cd0ff",
    "Left voicemail": "b2cf5968-551e-4856-9783-52b3da59a7d0",
    "No answer": "73a0d17f-1163-4015-bdd5-ec830791da20",
    "Wrong number": "17b47fee-58de-441e-a44c-c6300d46f273",
}

_CALLS = KnownFamily(
    properties={
        "hs_timestamp": KnownProperty("moment"),
        "hs_call_title": KnownProperty("short"),
        "hs_call_body": KnownProperty("text"),
        "hs_call_duration": KnownProperty("duration"),
        "hs_call_direction": KnownProperty("option", DIRECTIONS),
        "hs_call_status": KnownProperty("option", STATUSES),
        "hs_call_disposition": KnownProperty(
            "option", {words.lower(): id_ for words, id_ in DISPOSITIONS.items()}
        ),
        "hs_call_from_number": KnownProperty("phone"),
        "hs_call_to_number": KnownProperty("phone"),
        "hs_call_recording_url": KnownProperty("url"),
        "hubspot_owner_id": KnownProperty("record"),
        "hs_activity_type": KnownProperty("short"),
        "hs_attachment_ids": KnownProperty("short"),
    },
    required="hs_timestamp",
    associations={"contact": 194, "company": 182, "deal": 206, "ticket": 220},
)

# HubSpot refuses all other names of its own with PROPERTY_SET_CONTAINS_VALUES_FORBIDDEN_FOR_WRITE,
# as recorded from two accounts in September 2026. A date with a time is refused as well.
_CAMPAIGNS = KnownFamily(
    properties={
        "hs_name": KnownProperty("short"),
        "hs_start_date": KnownProperty("day"),
        "hs_end_date": KnownProperty("day"),
        "hs_notes": KnownProperty("text"),
        "hs_audience": KnownProperty("text"),
        "hs_currency_code": KnownProperty("short"),
        "hs_campaign_status": KnownProperty("short"),
        "hs_utm": KnownProperty("short"),
        "hs_business_unit_ids": KnownProperty("short"),
    },
    required="hs_name",
    refused=frozenset(
        {
            *("hs_color_hex", "hs_goal", "hs_owner", "hs_created_by_user_id", "hs_object_id"),
            *("hs_budget_items_sum_amount", "hs_spend_items_sum_amount"),
        }
    ),
    closed=True,
)

_EVENTS = KnownFamily(
    fields={
        "eventName": KnownProperty("short"),
        "eventType": KnownProperty("short"),
        "eventOrganizer": KnownProperty("short"),
        "eventDescription": KnownProperty("text"),
        "eventUrl": KnownProperty("url"),
    },
    id_kind="record",
)

FAMILIES: Mapping[str, KnownFamily] = {
    "calls": _CALLS,
    "campaigns": _CAMPAIGNS,
    "marketing_events": _EVENTS,
}

EARLIEST, LATEST = 1990, 2100
"""The years between which a call or an event is plausible; LATEST is not one of them."""

NOTHING = frozenset({"nan", "nat", "<na>", "n/a", "#n/a", "none", "null", "undefined", "(null)"})
"""What programs write for a value that is missing, in lower case."""

TEXT_NOTHING = frozenset({"nan", "nat", "<na>", "#n/a"})
"""The texts among them that a person would not write."""

SHEET_ERRORS = frozenset(
    {"#ref!", "#value!", "#div/0!", "#name?", "#null!", "#num!", "#####", "#spill!", "#calc!"}
)
"""What a spreadsheet shows in place of a value."""

TOTALS = frozenset({"total", "totals", "grand total", "sum", "summe", "gesamt", "total général"})
"""What the first cell of a line of totals says, in lower case."""

SYNONYMS: Mapping[str, str] = {
    "body": "hs_call_body",
    "comment": "hs_call_body",
    "comments": "hs_call_body",
    "notes": "hs_call_body",
    "subject": "hs_call_title",
    "date": "hs_timestamp",
    "time": "hs_timestamp",
    "start": "hs_timestamp",
    "start time": "hs_timestamp",
    "outcome": "hs_call_disposition",
    "from": "hs_call_from_number",
    "to": "hs_call_to_number",
    "recording": "hs_call_recording_url",
    "owner": "hubspot_owner_id",
}
"""Words of people for properties. They are proposed, and never used without being said."""
