"""Native values arrive in HubSpot as people mean them, or are refused with the remedy.

Each advice that an error gives is followed here.
"""

from __future__ import annotations

import ast
import datetime as dt
import json
import math
import re
import sqlite3
import uuid
from collections import ChainMap, UserDict
from collections.abc import Iterator
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Any

import pytest
from both_clients import ClientFactory
from hubspot_batch import OutcomeStatus
from hubspot_batch.sandbox import Sandbox
from hubspot_batch_client.models import CallInput, MarketingEventUpdate

NOON = "2026-01-31T12:00:00Z"
MOMENT = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)
TO_CONTACT = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 194}


class Direction(Enum):
    """An option."""

    IN = "INBOUND"


class Row:
    """A row of a database: it has keys, and is no Mapping."""

    def __init__(self, **values: Any) -> None:
        self.values = values

    def keys(self) -> Iterator[str]:
        return iter(self.values)

    def __getitem__(self, name: str) -> Any:
        return self.values[name]


def call(value: Any, name: str = "hs_call_title") -> dict[str, Any]:
    return {"properties": {"hs_timestamp": NOON, name: value}}


def sent(make_client: ClientFactory, *inputs: Any, **how: Any) -> list[dict[str, Any]]:
    """The properties of the calls that the inputs made; all of them are made."""
    sandbox = Sandbox()
    result = make_client(transport=sandbox).calls.create([*inputs], **how)
    assert [o.error and o.error.message for o in result.outcomes] == [None] * len(inputs)
    return [{**record.properties} for record in sandbox.records("calls")]


def refusal(make_client: ClientFactory, method: str, given: Any, **how: Any) -> str:
    """Why an input is not sent."""
    sandbox = Sandbox()
    family, verb = method.split(".")
    (outcome,) = getattr(getattr(make_client(transport=sandbox), family), verb)(
        [given], **how
    ).outcomes
    assert outcome.error is not None
    assert outcome.error.kind == "invalid_input"
    assert sandbox.requests == ()
    message: str = outcome.error.message
    return message


def test_the_rows_of_a_table_arrive(make_client: ClientFactory) -> None:
    """With numbers, times and gaps in them."""
    row = {
        "hs_timestamp": MOMENT,
        "hs_call_title": None,
        "hs_call_body": math.nan,
        "hs_call_duration": 90_000.0,
        "hs_call_direction": Direction.IN,
        "hs_call_to_number": 4.47700900123e11,
    }
    assert sent(make_client, {"properties": row}) == [
        {
            "hs_timestamp": NOON,
            "hs_call_duration": "90000",
            "hs_call_direction": "INBOUND",
            "hs_call_to_number": "447700900123",
        }
    ]


def test_the_rows_of_a_data_frame_arrive(make_client: ClientFactory) -> None:
    """In five lines, and a row that fails says why."""
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame(
        {
            "hs_timestamp": pd.date_range("2026-01-31T12:00", periods=3, freq="min", tz="UTC"),
            "hs_call_title": ["A", None, "nan"],
            "hs_call_duration": [5, math.nan, 7],
        }
    )
    sandbox = Sandbox()
    client = make_client(transport=sandbox)
    result = client.calls.create([{"properties": row} for row in table.to_dict("records")])
    assert [o.index for o in result.failed] == [2]
    assert 'properties.hs_call_title is the text "nan"' in result.failed[0].error.message
    by_row = [{"properties": row} for _, row in table.iterrows()][:2]
    assert len(client.calls.create(by_row).succeeded) == 2
    first, second = ({**r.properties} for r in sandbox.records("calls")[:2])
    assert first == {"hs_timestamp": NOON, "hs_call_title": "A", "hs_call_duration": "5"}
    assert second == {"hs_timestamp": "2026-01-31T12:01:00Z"}
    assert [{**r.properties} for r in sandbox.records("calls")[2:]] == [first, second]
    # The two other ways to begin: the table itself, and its rows as they are.
    assert 'df.to_dict("records")' in client.calls.create(table).failed[0].error.message
    flat = client.calls.create(table.to_dict("records")).failed[0].error.message
    assert "put these under properties" in flat


def test_a_property_without_a_value_is_left_out_and_an_empty_text_clears_it(
    make_client: ClientFactory,
) -> None:
    """They are different things."""
    assert sent(make_client, call(None), call("")) == [
        {"hs_timestamp": NOON},
        {"hs_timestamp": NOON, "hs_call_title": ""},
    ]


def test_fields_take_what_people_have_for_them(make_client: ClientFactory) -> None:
    """Ids as numbers, times, flags; and properties in a list, without those that have no value."""
    sandbox = Sandbox()
    event = sandbox.add_marketing_event("Open day")
    row = {
        "objectId": float(event),
        "eventName": "Open house",
        "eventType": None,
        "eventCancelled": False,
        "startDateTime": MOMENT,
        "endDateTime": math.nan,
        "customProperties": (
            {"name": "room", "value": ["a", "b"]},
            {"name": "seats", "value": 5},
            {"name": "none", "value": None},
        ),
    }
    result = make_client(transport=sandbox).marketing_events.update([row])
    assert result.outcomes[0].error is None
    (request,) = sandbox.requests
    assert request.status == 200
    stored = result.outcomes[0].result.to_dict()
    assert (stored["eventName"], stored["startDateTime"][:19]) == ("Open house", NOON[:19])
    named = {one["name"]: one["value"] for one in stored["customProperties"]}
    assert named == {"room": "a;b", "seats": "5"}
    to = {"to": {"id": 20261.0}, "types": [{**TO_CONTACT, "associationTypeId": 194.0}]}
    made = Sandbox()
    client = make_client(transport=made)
    assert len(client.calls.create([{**call("A"), "associations": [to]}]).succeeded) == 1
    (record,) = made.records("calls")
    assert "20261" in str(record.associations)
    assert "20261.0" not in str(record.associations)


def test_an_id_to_read_may_be_a_number_or_a_uuid(make_client: ClientFactory) -> None:
    """As tables and databases have them; one without a value asks for nothing."""
    sandbox = Sandbox()
    campaign = sandbox.add_campaign("Spring")
    client = make_client(transport=sandbox)
    assert len(client.campaigns.read([uuid.UUID(campaign)]).succeeded) == 1
    result = client.campaigns.read([1, 2.0, None, 1.5, True, "None"])
    assert [o.error.kind for o in result.outcomes] == [
        *("refused", "refused", "invalid_input", "invalid_input", "invalid_input", "refused")
    ]
    assert result.outcomes[2].error.message == "id has no value."


@pytest.mark.parametrize("kind", [UserDict, MappingProxyType, ChainMap, lambda d: Row(**d)])
def test_every_kind_of_mapping_is_taken_like_a_dict(make_client: ClientFactory, kind: Any) -> None:
    """At every level."""
    to = kind({"to": kind({"id": "1"}), "types": [kind(TO_CONTACT)]})
    given = kind({"properties": kind({"hs_timestamp": NOON, "hs_call_title": "A"})})
    nested = kind({"properties": kind({"hs_timestamp": NOON}), "associations": (to,)})
    assert sent(make_client, given, nested) == [
        {"hs_timestamp": NOON, "hs_call_title": "A"},
        {"hs_timestamp": NOON},
    ]


def test_a_row_of_a_database_is_a_mapping(make_client: ClientFactory) -> None:
    """Under `properties`."""
    base = sqlite3.connect(":memory:")
    base.row_factory = sqlite3.Row
    rows = base.execute(f"select '{NOON}' as hs_timestamp, 5 as hs_call_duration").fetchall()
    base.close()
    (made,) = sent(make_client, *({"properties": row} for row in rows))
    assert made == {"hs_timestamp": NOON, "hs_call_duration": "5"}


def test_models_take_native_values_too(make_client: ClientFactory) -> None:
    """They are written like those of mappings, and a time needs a zone there too."""
    model = CallInput(properties={"hs_timestamp": MOMENT, "hs_call_duration": 5, "hs_x": None})  # type: ignore[dict-item]
    assert sent(make_client, model) == [{"hs_timestamp": NOON, "hs_call_duration": "5"}]
    naive = CallInput(properties={"hs_timestamp": MOMENT.replace(tzinfo=None)})  # type: ignore[dict-item]
    assert "without a zone" in refusal(make_client, "calls.create", naive)
    event = MarketingEventUpdate(object_id="1", start_date_time=MOMENT.replace(tzinfo=None))
    assert "without a zone" in refusal(make_client, "marketing_events.update", event)


def test_all_problems_of_an_input_are_named_at_once(make_client: ClientFactory) -> None:
    """Each with its place."""
    message = refusal(
        make_client,
        "calls.create",
        {
            "properties": {
                "hs_timestamp": MOMENT.replace(tzinfo=None),
                "hs_call_body": b"x",
                "hs_call_title": "None",
                "hs_call_duration": math.inf,
            },
            "associations": [{"to": {"id": None}, "types": [{"associationTypeId": "194"}]}],
            "associatons": [],
        },
    )
    for words in (
        "properties.hs_timestamp is 2026-01-31 12:00:00, a time without a zone",
        "properties.hs_call_body is b'x', which is bytes",
        'properties.hs_call_title is the text "None"',
        "properties.hs_call_duration is inf",
        "associations[0].to.id has no value",
        "associations[0].types[0] lacks associationCategory",
        "associations[0].types[0].associationTypeId is '194'",
        "The input has no field associatons",
    ):
        assert words in message


def test_a_flat_row_is_told_where_its_fields_belong(make_client: ClientFactory) -> None:
    """Also if only some of them stand in the wrong place; a misspelt field is no property."""
    message = refusal(make_client, "calls.create", {"hs_timestamp": NOON, "hs_call_title": "A"})
    assert message == (
        "The input has no field hs_call_title, hs_timestamp; put these under properties: "
        '{"properties": {"hs_timestamp": ..., "hs_call_title": ...}}.'
    )
    assert sent(make_client, {"properties": {"hs_timestamp": NOON, "hs_call_title": "A"}})
    message = refusal(make_client, "calls.create", {"properties": {}, "hs_timestamp": NOON})
    assert "put these under properties" in message
    message = refusal(make_client, "calls.create", {"property": {"hs_timestamp": NOON}})
    assert 'no field property; write "properties"' in message
    message = refusal(make_client, "marketing_events.update", {"objectId": "1", "room": "Upstairs"})
    assert '"customProperties": [{"name": "room", "value": ...}]' in message
    as_map = {"objectId": "1", "customProperties": {"room": "Upstairs"}}
    message = refusal(make_client, "marketing_events.update", as_map)
    assert 'must be a list such as [{"name": "room", "value": ...}]' in message


# ---------------------------------------------------------------- advice

AT_NINE = dt.datetime(2026, 1, 31, 9, 30)
SECONDS = int(AT_NINE.replace(tzinfo=dt.UTC).timestamp())
NINE = "2026-01-31T09:30:00Z"

# A field, a value that is refused there, and what has to be stored once the advice is followed.
ADVISED: list[tuple[str, Any, list[Any]]] = [
    ("hs_timestamp", AT_NINE, [NINE]),
    ("hs_timestamp", SECONDS, [NINE]),
    ("hs_timestamp", str(SECONDS), [NINE]),
    ("hs_timestamp", SECONDS + 0.25, ["2026-01-31T09:30:00.250Z"]),
    ("hs_timestamp", SECONDS * 1000 + 0.5, [NINE]),
    ("hs_timestamp", SECONDS * 10**6, [NINE]),
    ("hs_timestamp", str(SECONDS * 10**9), [NINE]),
    ("hs_call_title", dt.datetime(2026, 1, 31), ["2026-01-31T00:00:00Z", "2026-01-31"]),
    ("hs_call_duration", dt.timedelta(minutes=1), ["60000"]),
    ("startDateTime", AT_NINE, [NINE]),
    ("startDateTime", SECONDS * 1000, [NINE]),
    ("startDateTime", float(SECONDS), [NINE]),
    ("startDateTime", "2026-01-31 09:30:00+00:00", [NINE]),
    ("startDateTime", "31 Jan 2026 10:30 UTC+1", [NINE]),
    ("startDateTime", "2026-01-31 09:30", [NINE]),
    ("startDateTime", dt.date(2026, 1, 31), ["2026-01-31T00:00:00Z"]),
    ("eventCancelled", "true", [True]),
    ("eventCancelled", 0, [False]),
    ("associationTypeId", "194", [194]),
    ("associationCategory", "hubspot_defined", ["HUBSPOT_DEFINED"]),
    ("timestamp", AT_NINE.replace(tzinfo=dt.UTC), [SECONDS * 1000]),
]
# What is refused without a text to write in its place; it cannot be known.
UNADVISED: list[tuple[str, Any]] = [
    *(("hs_call_title", value) for value in (math.inf, b"x", {"a": 1}, ["a;b"], [None], object())),
    *(("hs_call_title", value) for value in ("nan", "None", "null", "NaT", "<NA>")),
    *(("hs_timestamp", value) for value in (0, "5", "1970-01-21T11:37:31Z", "0026-01-31")),
    *(("objectId", value) for value in (1.5, 2.0**60, True, "nan", math.nan, [])),
    *(("startDateTime", value) for value in ("soon", "02/03/2026", True, 5, [])),
    *(("eventCancelled", value) for value in ("maybe", 2)),
    *(("associationTypeId", value) for value in (1.5, "x", True)),
]


def with_field(name: str, value: Any, event: str = "1") -> tuple[str, dict[str, Any]]:
    """The method and the input that has a value in a field."""
    if name.startswith("hs_"):
        return "calls.create", call(value, name)
    if name.startswith("association"):
        kind = {**TO_CONTACT, name: value}
        to = {"to": {"id": "1"}, "types": [kind]}
        return "calls.create", {**call("A"), "associations": [to]}
    if name in ("timestamp", "value"):
        custom = [{"name": "room", "value": "5", name: value}]
        return "marketing_events.update", {"objectId": event, "customProperties": custom}
    return "marketing_events.update", {"objectId": event, name: value}


def advice_of(message: str) -> list[Any]:
    """The values that a message says to write."""
    return [*map(ast.literal_eval, re.findall(r'write ("[^"]*"|True|False|-?\d+)', message))]


@pytest.mark.parametrize(("name", "value", "stored"), ADVISED)
def test_what_an_error_says_to_write_is_accepted_and_means_the_same(
    make_client: ClientFactory, name: str, value: Any, stored: list[Any]
) -> None:
    """Followed to the letter."""
    method, given = with_field(name, value)
    message = refusal(make_client, method, given)
    advised = advice_of(message)
    assert len(advised) == len(stored), message
    for written, meant in zip(advised, stored, strict=True):
        if isinstance(meant, str) and str(written).isdecimal() and name == "hs_timestamp":
            written_time = dt.datetime.fromtimestamp(int(written) / 1000, dt.UTC)
            assert written_time.isoformat().replace("+00:00", "Z") == meant
        else:
            assert written == meant
        sandbox = Sandbox()
        _, corrected = with_field(name, written, sandbox.add_marketing_event("Open day"))
        client = make_client(transport=sandbox)
        called = client.calls.create if method == "calls.create" else client.marketing_events.update
        assert called([corrected]).succeeded


@pytest.mark.parametrize(("name", "value"), UNADVISED)
def test_no_error_says_to_write_what_nobody_meant(
    make_client: ClientFactory, name: str, value: Any
) -> None:
    """Such as "nan"; it says what to do in words."""
    message = refusal(make_client, *with_field(name, value))
    assert advice_of(message) == []
    assert name in message


# ---------------------------------------------------------------- what is most likely not meant

IMPLAUSIBLE: list[tuple[str, Any]] = [
    *(("hs_call_title", text) for text in ("nan", "NaN", "NaT", "None", "null", "NULL", "<NA>")),
    *(("hs_timestamp", value) for value in (SECONDS, str(SECONDS), 0, "1970-01-21T11:37:30Z")),
    *(("hs_timestamp", str(SECONDS) + "0" * zeros) for zeros in (6, 9)),
    *(("hs_timestamp", text) for text in ("0026-01-31T09:30:00Z", "1026-01-31T09:30:00Z")),
    ("hs_call_title", dt.date(1026, 1, 31)),
    ("hs_call_title", dt.datetime(26, 1, 31, tzinfo=dt.UTC)),
    *(("hs_start_date", text) for text in ("0202-01-31", "1899-12-30", "0001-01-01")),
    *(("value", value) for value in ("nan", dt.date(26, 1, 31))),
    *(("eventName", "None"), ("startDateTime", "0026-01-31T09:30:00Z"), ("objectId", "nan")),
]


@pytest.mark.parametrize(("name", "value"), IMPLAUSIBLE)
def test_what_is_implausible_is_sent_only_if_the_caller_says_so(
    make_client: ClientFactory, name: str, value: Any
) -> None:
    """A message names the likely cause and the argument that sends it anyway."""
    method, given = with_field(name, value)
    assert "pass allow_implausible=True" in refusal(make_client, method, given)
    family, verb = method.split(".")
    sandbox = Sandbox()
    methods = getattr(make_client(transport=sandbox), family)
    results = [
        *getattr(methods, verb)([given], allow_implausible=True).outcomes,
        *getattr(methods, f"{verb}_iter")([given], allow_implausible=True),
    ]
    assert len(results) == len(sandbox.requests) == 2
    assert {o.error.kind for o in results if o.error} <= {"refused", "not_found"}


@pytest.mark.parametrize(
    "value", ["Nan", "none", "Null", "NA", "n/a", "Nancy", "nan bread", "1899", "1026-01", "0"]
)
def test_usual_texts_are_plausible(make_client: ClientFactory, value: str) -> None:
    """A name, an answer, a number."""
    assert sent(make_client, call(value)) == [{"hs_timestamp": NOON, "hs_call_title": value}]


@pytest.mark.parametrize(
    "value", ["1769851800000", "946684800000", 1769851800000.0, "1999-12-31T09:30:00Z", NOON]
)
def test_usual_times_of_calls_are_plausible(make_client: ClientFactory, value: Any) -> None:
    """In epoch milliseconds and in ISO 8601, also those of the last century."""
    assert sent(make_client, call(value, "hs_timestamp"))


def test_one_implausible_input_fails_alone(make_client: ClientFactory) -> None:
    """The others of its request are sent."""
    sandbox = Sandbox()
    result = make_client(transport=sandbox).calls.create([call("A"), call("nan"), call(Decimal(5))])
    assert [o.status for o in result.outcomes] == [
        *(OutcomeStatus.SUCCEEDED, OutcomeStatus.FAILED, OutcomeStatus.SUCCEEDED)
    ]
    assert [entry.inputs for entry in sandbox.requests] == [2]
    assert json.dumps(result.outcomes[1].error.message)
