"""The columns of the demo's example files, and what the API calls them.

This module decides how a cell becomes a value. It is data for `rows`, which reads the files.
"""

from __future__ import annotations

import datetime as dt
import re

from hubspot_batch._operations.dates import read_date, read_datetime

from .rows import Cells, Column, Form, Input


def _moment(text: str) -> str:
    """Return a time as the API takes it: ISO 8601 in UTC, which a time without a zone is in."""
    try:
        moment = read_datetime(text).astimezone(dt.UTC)
    except (ValueError, ArithmeticError) as error:
        raise ValueError(f"{_sentence(text, error)}; write it as 2026-01-31 15:30") from None
    return moment.isoformat().replace("+00:00", "Z")


def _day(text: str) -> str:
    try:
        return read_date(text).isoformat()
    except (ValueError, ArithmeticError) as error:
        raise ValueError(f"{_sentence(text, error)}; write it as 2026-01-31") from None


def _sentence(text: str, error: Exception) -> str:
    # Numbers that are too large for a date end in other exceptions, whose words say nothing here.
    return str(error) if type(error) is ValueError else f"{text!r} is no date"


def _option(text: str) -> str:
    """Return a word as HubSpot spells its options; whether there is such an option it says."""
    return text.upper().replace(" ", "_")


# The dispositions that every account has (HubSpot, engagements: calls).
DISPOSITIONS = {
    "Busy": "9d9162e7-6cf3-4944-bf63-4dff82258764",
    "Connected": "f240bbac-87c9-4f6e-bf70-924b57d47db7",
    "Left live message": "a4c4c377-d246-4b32-a13b-75a56a4cd0ff",
    "Left voicemail": "b2cf5968-551e-4856-9783-52b3da59a7d0",
    "No answer": "73a0d17f-1163-4015-bdd5-ec830791da20",
    "Wrong number": "17b47fee-58de-441e-a44c-c6300d46f273",
}
_BY_WORDS = {words.casefold(): disposition for words, disposition in DISPOSITIONS.items()}


def _disposition(text: str) -> str:
    try:
        return _BY_WORDS[text.casefold()]
    except KeyError:
        raise ValueError(f"{text!r} is none of {', '.join(DISPOSITIONS)}") from None


_MINUTES = re.compile(r"(\d{1,5}(?:[.,]\d{1,3})?)\s*(?:min)?", re.ASCII)
_CLOCK = re.compile(r"(?:(\d{1,3}):(?=[0-5]\d:))?(\d{1,4}):([0-5]\d)", re.ASCII)


def _milliseconds(text: str) -> str:
    if clock := _CLOCK.fullmatch(text):
        hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        return str((hours * 3600 + minutes * 60 + seconds) * 1000)
    if minutes_only := _MINUTES.fullmatch(text):
        return str(round(float(minutes_only[1].replace(",", ".")) * 60_000))
    raise ValueError(f"{text!r} is no duration; write minutes, mm:ss or h:mm:ss")


def _record_id(text: str) -> str:
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(f"{text!r} is no record's id, which is digits only")
    return text


def _yes(text: str) -> bool:
    try:
        return {"yes": True, "no": False}[text.casefold()]
    except KeyError:
        raise ValueError(f"{text!r} is neither yes nor no") from None


_CALL = (
    Column("Date", "hs_timestamp", _moment),
    Column("Title", "hs_call_title"),
    Column("Notes", "hs_call_body"),
    Column("Direction", "hs_call_direction", _option),
    Column("Status", "hs_call_status", _option),
    Column("Outcome", "hs_call_disposition", _disposition),
    Column("Duration", "hs_call_duration", _milliseconds),
    Column("From", "hs_call_from_number"),
    Column("To", "hs_call_to_number"),
)


def _record_ids(text: str) -> list[str]:
    return [_record_id(part.strip()) for part in text.split(";")]


# The association types of a call with these records (HubSpot, associations).
_CALL_ASSOCIATIONS = {
    194: Column("Contact ID", "to", _record_ids),
    182: Column("Company ID", "to", _record_ids),
    206: Column("Deal ID", "to", _record_ids),
}


def _call(cells: Cells) -> Input:
    return {
        "properties": cells.read(_CALL),
        "associations": [
            {
                "to": {"id": record},
                "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}],
            }
            for type_id, column in _CALL_ASSOCIATIONS.items()
            for record in cells.read([column]).get("to", ())
        ],
    }


_CAMPAIGN = (
    Column("Name", "hs_name"),
    Column("Start", "hs_start_date", _day),
    Column("End", "hs_end_date", _day),
    Column("Audience", "hs_audience"),
    Column("Notes", "hs_notes"),
    Column("Currency", "hs_currency_code"),
    Column("Status", "hs_campaign_status"),
    Column("UTM", "hs_utm"),
    Column("Colour", "hs_color_hex"),
)


def _campaign(cells: Cells) -> Input:
    properties = cells.read(_CAMPAIGN)
    if "hs_name" not in properties:
        # One campaign without a name makes HubSpot refuse all of a request, and say not which.
        cells.problems.append("Name: it is empty, and a campaign needs one")
    return {"properties": properties}


_EVENT = (
    Column("Object ID", "objectId"),
    Column("Event", "eventName"),
    Column("Type", "eventType"),
    Column("Organizer", "eventOrganizer"),
    Column("Start", "startDateTime", _moment),
    Column("End", "endDateTime", _moment),
    Column("Cancelled", "eventCancelled", _yes),
    Column("URL", "eventUrl"),
    Column("Description", "eventDescription"),
)
_EVENT_CUSTOM = (Column("Room", "room"), Column("Seats", "seats"))


def _event(cells: Cells) -> Input:
    custom = cells.read(_EVENT_CUSTOM)
    return {
        **cells.read(_EVENT),
        "customProperties": [{"name": name, "value": value} for name, value in custom.items()],
    }


CALLS = Form("calls.csv", ("Title", "Notes", "Date"), _call, creates=True)
CAMPAIGNS = Form("campaigns.csv", ("Name", "UTM"), _campaign, creates=True)
CAMPAIGN_IDS = Form(
    "campaign_ids.csv", ("Campaign ID", "Remark"), lambda cells: cells.text("Campaign ID")
)
EVENT_UPDATES = Form("event_updates.csv", ("Event", "Object ID"), _event)
ACCOUNT_EVENTS = Form("account_events.csv", ("Event",), _event)
