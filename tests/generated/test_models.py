"""The generated models: whatever comes in is read without an exception and goes out again."""

from __future__ import annotations

import copy
import datetime as dt
import json
import os
import pickle
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import recorded_responses as bodies
import hubspot_batch_client.models as models
import pytest
from thoroughness import FACTOR
from hubspot_batch_client.contract import OPERATIONS
from hubspot_batch_client.models import (
    ApiError,
    Asset,
    AssetCollection,
    Association,
    AssociationCategory,
    AssociationTarget,
    AssociationType,
    BatchError,
    BatchStatus,
    Call,
    CallBatch,
    CallBatchInput,
    CallInput,
    CallWarning,
    CampaignBatch,
    CampaignInput,
    CampaignReadBatch,
    CampaignReadInput,
    CampaignWithAssets,
    CustomPropertyInput,
    ErrorDetail,
    MarketingEvent,
    MarketingEventBatch,
    MarketingEventUpdate,
    PropertyVersion,
)
from hubspot_batch_client.types import (
    UNSET,
    Model,
    Response,
    Timestamp,
    Unset,
    as_date,
    as_datetime,
    as_uuid,
    to_json,
    to_query,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]

MODELS: list[type[Model]] = [
    model
    for name in models.__all__
    if isinstance(model := getattr(models, name), type) and issubclass(model, Model)
]
BATCHES: dict[str, Any] = {
    "create_calls": CallBatch,
    "create_campaigns": CampaignBatch,
    "read_campaigns": CampaignReadBatch,
    "update_marketing_events": MarketingEventBatch,
}


def model_of(answer: bodies.Answer) -> Any:
    """The model that an answer is read into."""
    return BATCHES[answer.operation] if answer.status < 300 else ApiError


def read(name: str) -> Any:
    """The answer of a name, as a model."""
    answer = next(answer for answer in bodies.ANSWERS if answer.name == name)
    return model_of(answer).from_dict(answer.body)


def spelled(value: Any) -> str:
    """JSON text, in which true is not 1 and 1.0 is not 1."""
    return json.dumps(value, sort_keys=True)


# ---------------------------------------------------------------- what comes in

zones = (
    st.none()
    | st.just(dt.UTC)
    | st.integers(-1439, 1439).map(lambda minutes: dt.timezone(dt.timedelta(minutes=minutes)))
)
times = st.one_of(
    st.sampled_from(
        [
            "2026-03-02T08:15:30Z",
            "2026-03-02T08:15:30.120Z",
            "2026-03-02T08:15:30.000Z",
            "2026-03-02T08:15:30.123456789Z",
            "2026-03-02T08:15:30+00:00",
            "2026-03-02T08:15:30-0500",
            "2026-03-02T08:15:30+25:00",
            "2026-03-02",
            "2 March 2026 08:15 UTC",
            "2 March 2026 08:15 EST",
            "10",
            "May",
            "",
        ]
    ),
    st.datetimes(timezones=zones).map(dt.datetime.isoformat),
    st.text("0123456789-+:.,TZ ", max_size=30),
)
plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    times,
    st.sampled_from(["COMPLETE", "HUBSPOT_DEFINED", str(uuid.UUID(int=7)), "ERLEDIGT"]),
)


def names_in(value: Any) -> Iterator[str]:
    """The names of all objects in a JSON value."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from names_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from names_in(item)


WIRES = [answer.body for answer in bodies.ANSWERS] + [
    item for sent in bodies.SENT for item in sent.inputs[:3]
]
NAMES = sorted(
    {name for wire in WIRES for name in names_in(wire)}
    | {name for known in OPERATIONS.values() for name in names_in(known.input_schema)}
)
keys = st.sampled_from([*NAMES, "additional_properties", "to_dict", "self", ""]) | st.text(
    max_size=6
)
json_values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=6,
)
json_objects = st.dictionaries(keys, json_values, max_size=6)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a JSON value, with each key or index that it has."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in list(pairs):
        yield value, key
        if isinstance(item, dict | list):
            yield from places(item)


@st.composite
def damaged(draw: st.DrawFn) -> tuple[Any, Any]:
    """A model and a body of its shape with parts dropped, nulled, retyped, wrapped or added."""
    answer = draw(st.sampled_from(bodies.ANSWERS))
    body = copy.deepcopy(answer.body)
    for _ in range(draw(st.integers(1, 4))):
        container, key = draw(st.sampled_from(list(places(body)) or [(body, "")]))
        match draw(st.sampled_from(["drop", "null", "retype", "wrap", "list", "add", "double"])):
            case "drop":
                container.pop(key, None) if isinstance(container, dict) else container.pop(key)
            case "null":
                container[key] = None
            case "retype":
                container[key] = draw(json_values)
            case "wrap":
                container[key] = (
                    {draw(keys): container.get(key)} if key == "" else {draw(keys): container[key]}
                )
            case "list":
                container[key] = [
                    copy.deepcopy(container.get(key) if key == "" else container[key])
                ]
            case "add" if isinstance(container, dict):
                container[draw(keys)] = draw(json_values)
            case _ if isinstance(container, list):
                container.append(copy.deepcopy(container[key]))
            case _:
                pass
    return model_of(answer), body


# ---------------------------------------------------------------- nothing is lost


@pytest.mark.parametrize("answer", bodies.ANSWERS, ids=lambda answer: answer.name)
def test_an_answer_goes_out_as_it_came(answer: bodies.Answer) -> None:
    """Every form of answer that is known to occur is read, and written out unchanged."""
    model = model_of(answer).from_dict(answer.body)
    assert spelled(model.to_dict()) == spelled(answer.body)


@pytest.mark.parametrize("sent", bodies.SENT, ids=lambda sent: sent.name)
def test_an_input_goes_out_as_it_came(sent: bodies.Sent) -> None:
    """Inputs survive too."""
    model: Any = INPUTS[sent.operation]
    assert [model.from_dict(item).to_dict() for item in sent.inputs] == sent.inputs


@pytest.mark.parametrize("value", ["2026-03-02T08:15:30.120Z", "COMPLETE", [{}], {"a": [{}]}, 7])
@pytest.mark.parametrize("model", MODELS)
def test_any_value_fits_into_any_field(model: Any, value: Any) -> None:
    """Each field of each model takes and gives back a value of any type, declared or not."""
    wire = dict.fromkeys(NAMES, value)
    made = model.from_dict(wire)
    assert made.to_dict() == wire
    made["addedLater"] = dt.date(2026, 3, 2)
    assert json.loads(json.dumps(made.to_dict())) == {**wire, "addedLater": "2026-03-02"}


@settings(max_examples=300 * FACTOR)
@given(st.sampled_from(MODELS), json_objects)
def test_any_object_goes_out_as_it_came(model: Any, wire: dict[str, Any]) -> None:
    """No JSON object is refused by any model, and none is changed, down to the spelling."""
    before = spelled(wire)
    assert spelled(model.from_dict(wire).to_dict()) == before
    assert spelled(wire) == before


@settings(max_examples=300 * FACTOR)
@given(damaged())
def test_a_damaged_answer_goes_out_as_it_came(case: tuple[Any, Any]) -> None:
    """Answers of nearly the right shape keep every part."""
    model, wire = case
    read = model.from_dict(wire)
    assert spelled(read.to_dict()) == spelled(wire)
    assert read == model.from_dict(copy.deepcopy(wire))
    # Hypothesis makes texts of names that it finds in the code, so this may be one of them.
    assert json.dumps(to_json(read)).count("UNSET") == json.dumps(wire).count("UNSET")
    repr(read)


def models_in(value: Any) -> Iterator[Model]:
    """Every model that can be reached from a value."""
    if isinstance(value, Model):
        yield value
        for item in attrs.asdict(value, recurse=False).values():  # type: ignore[call-overload]
            yield from models_in(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from models_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from models_in(item)


def with_more(value: Any) -> Any:
    """The JSON value with a field that no description has in every object."""
    if isinstance(value, dict):
        return {**{k: with_more(v) for k, v in value.items()}, "addedLater": "by HubSpot"}
    return [with_more(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("answer", bodies.ANSWERS, ids=lambda answer: answer.name)
def test_unknown_fields_are_items_at_every_level(answer: bodies.Answer) -> None:
    """A field that the description lacks is read as an item, and goes out again."""
    wire = with_more(answer.body)
    model = model_of(answer).from_dict(wire)
    assert model.to_dict() == wire
    found = list(models_in(model))
    assert found
    for part in found:
        assert "addedLater" in part
        assert part["addedLater"] == "by HubSpot"
        assert part.additional_keys[-1] == "addedLater"


def test_further_fields_can_be_set_and_taken_away() -> None:
    """A field that the description does not have yet can be sent, in the types of the others."""
    model = CampaignInput(properties={"hs_name": "a"}, additional_properties={"color": "red"})
    model["from"] = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    model["kind"] = AssociationType(AssociationCategory.WORK, 1)
    assert model.to_dict() == {
        "properties": {"hs_name": "a"},
        "color": "red",
        "from": "2026-03-02T00:00:00Z",
        "kind": {"associationCategory": "WORK", "associationTypeId": 1},
    }
    del model["kind"]
    assert ("kind" in model, model.additional_keys) == (False, ["color", "from"])
    with pytest.raises(KeyError, match="kind"):
        model["kind"]


@pytest.mark.parametrize("depth", [50, 150])
def test_deep_answers_go_out_as_they_came(depth: int) -> None:
    """Unknown parts can be nested as deep as anyone nests them."""
    deep: Any = "end"
    for _ in range(depth):
        deep = {"deeper": [deep]}
    wire = {"status": "COMPLETE", "results": [deep], "links": deep, "more": deep}
    assert CallBatch.from_dict(wire).to_dict() == wire


# ---------------------------------------------------------------- what the values are


def test_an_answer_is_read_into_models_throughout() -> None:
    """Lists, maps of lists and maps of objects hold models, and nulls stay None."""
    created = read("calls with warnings, history and nulls")
    call = created.results[0]
    assert isinstance(call, Call)
    assert created.status is BatchStatus.COMPLETE
    assert (created.links, created.errors, created.num_errors) == (None, None, None)
    assert created.requested_at is UNSET
    assert (call.archived_at, call.url, call.object_write_trace_id) == (None, None, None)
    history = call.properties_with_history
    assert type(history) is dict
    assert history["hs_call_body"] == []
    (version,) = history["hs_call_title"]
    assert isinstance(version, PropertyVersion)
    assert (version.source_id, version.source_label) == (None, UNSET)
    assert [type(warning) for warning in call.warnings] == [CallWarning, CallWarning]
    assert call.warnings[0].context == {"hubspot_owner_id": "31"}

    found = read("campaigns with assets").results
    assert [type(campaign) for campaign in found] == [CampaignWithAssets] * 2
    assert found[0].business_units[0].id == 0
    assert found[1].assets is None
    assert [type(assets) for assets in found[0].assets.values()] == [AssetCollection] * 2
    (mail,) = found[0].assets["EMAIL"].results
    (hologram,) = found[0].assets["HOLOGRAM"].results
    assert isinstance(mail, Asset)
    assert (mail.metrics, hologram.metrics) == ({"SENT": 90, "OPEN": 0.25}, UNSET)
    paging = found[0].assets["EMAIL"].paging
    assert (paging.next_.after, paging.prev) == ("NTI%3D", None)


def test_events_are_read_as_they_are_met() -> None:
    """Null dates and texts, statuses and counters of events are all there."""
    first, second = read("events as they are read").results
    assert isinstance(first, MarketingEvent)
    assert (first.start_date_time, first.event_type, first.event_cancelled) == (None, None, None)
    assert (first.event_status, first.event_status_v2) == ("PAST", "PAST")
    assert (first["attendees"], first["noShows"]) == (12, 3)
    assert first.app_info.name == "Fair planner"
    assert second.start_date_time == dt.datetime(2026, 4, 1, 7, tzinfo=dt.UTC)
    assert (second.end_date_time, second.app_info) == (UNSET, None)


def test_a_partial_failure_is_read_as_it_is_met() -> None:
    """An error of a 207 has no links and no errors, and its sub-category is a text."""
    (error,) = read("calls created in part").errors
    assert isinstance(error, BatchError)
    assert (error.errors, error.links) == (UNSET, UNSET)
    assert error.sub_category == "CallApiError.MISSING_TIMESTAMP"
    assert error.context == {"objectWriteTraceId": [bodies.TRACE]}
    both = read("one error for two campaigns")
    assert (both.num_errors, both.errors[0].context) == (1, {"ids": ["a-1", "a-2"]})
    assert read("an error for one campaign").errors[0].sub_category == {"of": ["CampaignApiError"]}
    assert read("an error without context").errors[0].context is UNSET
    nothing = read("neither results nor errors")
    assert (nothing.results, nothing.errors, nothing.num_errors) == ([], UNSET, UNSET)


def test_a_refusal_is_read_as_it_is_met() -> None:
    """Contexts in every form, missing categories and further words of a 429 are all there."""
    assert read("malformed JSON, and no category").category is UNSET
    assert read("too many inputs, and nothing else said").status is UNSET
    assert read("a correlation id that is no UUID").correlation_id == "na1/7"
    assert read("an expired token").context["expire time"] == ["2026-03-02T06:15:30.120Z"]
    scope = read("a scope is missing")
    assert scope.context == {"links": ["https://developers.hubspot.com/scopes"], "app": "4711"}
    assert scope.sub_category is None
    (detail,) = read("a context that is one string").errors
    assert isinstance(detail, ErrorDetail)
    assert (detail.in_, detail.context) == ("startDate", "{fields=[startDate, endDate]}")
    limited = read("too fast")
    assert (limited.error_type, limited.policy_name) == ("RATE_LIMIT", "TEN_SECONDLY_ROLLING")
    assert read("the day's allowance is spent").request_id == "4f1e"


@given(st.text() | json_values)
def test_only_known_words_are_members(value: Any) -> None:
    """A known status is a member of its enumeration; any other value stays what it is."""
    known = isinstance(value, str) and value in {str(status) for status in BatchStatus}
    status = CallBatch.from_dict({"status": value}).status
    assert isinstance(status, BatchStatus) == known
    assert status == value
    kind = AssociationType.from_dict({"associationCategory": value}).association_category
    assert isinstance(kind, AssociationCategory) == (value in [*AssociationCategory])
    assert kind == value


@pytest.mark.parametrize("status", BatchStatus)
def test_members_are_texts(status: BatchStatus) -> None:
    """A member can be used wherever its text can."""
    read = CallBatch.from_dict({"status": status.value}).status
    assert read is status
    assert (str(read), f"{read}", json.dumps(read)) == (status.value, status.value, f'"{status}"')


def test_maps_are_plain_dicts() -> None:
    """A map is built from a dict, is a dict, and needs no class."""
    properties = {"hs_timestamp": "1772438400000"}
    made = CallInput(properties=properties)
    assert made.properties is properties
    made.properties["hs_call_title"] = "Renewal"
    assert made.to_dict()["properties"] == {**properties, "hs_call_title": "Renewal"}
    call = read("calls created").results[0]
    assert type(call.properties) is dict
    assert (call.properties["hs_call_title"], call.properties["hs_call_body"]) == ("Renewal", None)
    assert {**call.properties}.keys() == bodies.CALL["properties"].keys()
    assert models.Properties is not None


# ---------------------------------------------------------------- timestamps


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-03-02T08:15:30Z", "2026-03-02T08:15:30+00:00"),
        ("2026-03-02T08:15:30.000Z", "2026-03-02T08:15:30+00:00"),
        ("2026-03-02T08:15:30.12Z", "2026-03-02T08:15:30.120000+00:00"),
        ("2026-03-02T08:15:30.120Z", "2026-03-02T08:15:30.120000+00:00"),
        ("2026-03-02T08:15:30.120400Z", "2026-03-02T08:15:30.120400+00:00"),
        ("2026-03-02T08:15:30.120000Z", "2026-03-02T08:15:30.120000+00:00"),
        ("2026-03-02T08:15:30.1204005Z", "2026-03-02T08:15:30.120400+00:00"),
        ("2026-03-02T10:15:30+02:00", "2026-03-02T08:15:30+00:00"),
        ("2026-03-02T03:15:30.5-0500", "2026-03-02T08:15:30.500000+00:00"),
        ("2026-03-02T08:15:30+00:00", "2026-03-02T08:15:30+00:00"),
        ("2026-03-02T08:15", "2026-03-02T08:15:00"),
        ("2026-03-02", "2026-03-02T00:00:00"),
        ("20260302T081530Z", "2026-03-02T08:15:30+00:00"),
        # From here on the standard parser refuses.
        ("2026-03-02T8:15:30Z", "2026-03-02T08:15:30+00:00"),
        ("2026-03-02 08:15:30 UTC", "2026-03-02T08:15:30+00:00"),
        ("2026-03-02T10:15:30 +0200", "2026-03-02T08:15:30+00:00"),
        ("Mon, 02 Mar 2026 08:15:30 GMT", "2026-03-02T08:15:30+00:00"),
        ("March 2, 2026 8:15 am", "2026-03-02T08:15:00"),
        ("2026/3/2", "2026-03-02T00:00:00"),
        ("31.12.2026 23:59", "2026-12-31T23:59:00"),
        ("20260302081530", "2026-03-02T08:15:30"),
    ],
)
def test_a_timestamp_is_read_and_keeps_its_spelling(text: str, meant: str) -> None:
    """A text that means one instant becomes that instant, and goes out letter for letter."""
    instant = dt.datetime.fromisoformat(meant)
    event = MarketingEventUpdate.from_dict({"startDateTime": text})
    assert isinstance(event.start_date_time, dt.datetime)
    assert event.start_date_time == instant
    assert (event.start_date_time.tzinfo is None) == (instant.tzinfo is None)
    assert event.to_dict() == {"startDateTime": text}


@pytest.mark.parametrize(
    "text",
    [
        *(
            "10",
            "12:30",
            "May",
            "Monday",
            "now",
            "today",
            "2026",
            "May 2026",
            "5 May",
            "",
            " ",
            "Z",
        ),
        # A day and a month that could change places, years of two digits, epochs.
        *("03/04/2026", "01-02-03", "5 May 26", "260302", "202012", "1772438400", "1772438400000"),
        # Zones that are several, or none at all.
        *("2 March 2026 08:15 EST", "2026-03-02 08:15 IST", "2026-03-02T08:15:30+25:00"),
        # Instants that do not exist.
        *("2026-02-30T08:15:30Z", "2026-03-02T08:15:60Z", "0000-03-02T08:15:30Z", "2026-13-13"),
        # What dateutil answers with an exception that it does not mention.
        *("2026h12345678999999999999999999999", "\u0663"),
    ],
)
def test_what_is_no_single_instant_stays_text(text: str) -> None:
    """No date is invented, and none depends on today, on the machine's zone, or on a guess."""
    read = as_datetime(text)
    assert (type(read), read) == (str, text)


@given(st.datetimes(timezones=zones))
@example(dt.datetime.min.replace(tzinfo=dt.UTC))
@example(dt.datetime(2026, 3, 2, 8, 15, 30, 120_000, tzinfo=dt.UTC))
def test_a_timestamp_that_is_given_can_be_read_again(value: dt.datetime) -> None:
    """A datetime that a caller gives goes out as ISO 8601 that means the same."""
    text = to_json(value)
    assert dt.datetime.fromisoformat(text) == value
    assert to_json(as_datetime(text)) == text
    assert "+00:00" not in text or value.utcoffset() != dt.timedelta(0)


@settings(max_examples=300 * FACTOR)
@given(times | st.text(max_size=20) | plain)
def test_timestamps_never_raise_and_keep_their_spelling(value: Any) -> None:
    """Any value in the place of a timestamp is kept."""
    read = as_datetime(value)
    assert spelled(to_json(read)) == spelled(value)
    if isinstance(read, dt.datetime):
        assert spelled(to_json(pickle.loads(pickle.dumps(read)))) == spelled(value)


def test_what_is_computed_has_the_usual_spelling() -> None:
    """Only the timestamp that came keeps its spelling, not what is made of it."""
    read = as_datetime("2026-03-02T08:15:30.000+00:00")
    assert isinstance(read, Timestamp)
    assert to_json(read + dt.timedelta(days=1)) == "2026-03-03T08:15:30Z"
    assert to_json(read.replace(hour=9)) == "2026-03-02T09:15:30Z"
    assert to_json(read.astimezone(dt.timezone(dt.timedelta(hours=1)))).endswith("+01:00")
    assert read == dt.datetime(2026, 3, 2, 8, 15, 30, tzinfo=dt.UTC)
    assert type(as_datetime("2026-03-02T08:15:30.123Z")) is dt.datetime


@given(st.dates().map(str) | st.uuids().map(str) | st.text() | plain)
@example("20260302")
@example("2026-W10-1")
@example("0B8F6A52-3F0E-4F4B-9F2D-7F0F7F8A1C11")
@example("{0b8f6a52-3f0e-4f4b-9f2d-7f0f7f8a1c11}")
def test_dates_and_uuids_go_out_as_they_came(value: Any) -> None:
    """The decoders of forms that no field has yet lose nothing either."""
    assert spelled(to_json(as_date(value))) == spelled(value)
    assert spelled(to_json(as_uuid(value))) == spelled(value)


def test_dates_and_uuids_are_read() -> None:
    """The usual spellings become values."""
    assert as_date("2026-03-02") == dt.date(2026, 3, 2)
    assert as_uuid(bodies.CORRELATION) == uuid.UUID(bodies.CORRELATION)


# ---------------------------------------------------------------- what goes out

INPUTS: dict[str, Any] = {
    "create_calls": CallInput,
    "create_campaigns": CampaignInput,
    "read_campaigns": CampaignReadInput,
    "update_marketing_events": MarketingEventUpdate,
}


def test_lists_that_the_api_requires_are_sent_empty() -> None:
    """Fields that are left out are absent, except for the lists that the API requires."""
    assert CallInput(properties={}).to_dict() == {"properties": {}, "associations": []}
    assert MarketingEventUpdate(object_id="1").to_dict() == {
        "objectId": "1",
        "customProperties": [],
    }
    assert CustomPropertyInput("seats", "40").to_dict() == {"name": "seats", "value": "40"}
    first, second = CallInput(properties={}), CallInput(properties={})
    first.associations.append(Association(AssociationTarget("1"), []))
    assert second.associations == []


def test_a_full_input_is_written_in_the_api_names() -> None:
    """Models, members and timestamps become the JSON that the API wants."""
    call = CallInput(
        properties={"hs_timestamp": "1772438400000"},
        associations=[
            Association(
                AssociationTarget("501"),
                [AssociationType(AssociationCategory.HUBSPOT_DEFINED, 194)],
            )
        ],
        object_write_trace_id="t-1",
    )
    assert json.loads(json.dumps(to_json(CallBatchInput([call])))) == {
        "inputs": [
            {
                "properties": {"hs_timestamp": "1772438400000"},
                "associations": [
                    {
                        "to": {"id": "501"},
                        "types": [
                            {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 194}
                        ],
                    }
                ],
                "objectWriteTraceId": "t-1",
            }
        ]
    }
    event = MarketingEventUpdate(
        object_id="990017",
        custom_properties=[CustomPropertyInput("seats", "40")],
        event_name="Open house",
        event_cancelled=False,
        start_date_time=dt.datetime(2026, 4, 1, 9, tzinfo=dt.UTC),
        end_date_time=dt.datetime(2026, 4, 1, 9, 30, 0, 5_000, tzinfo=dt.UTC),
    )
    assert event.to_dict() == {
        "objectId": "990017",
        "customProperties": [{"name": "seats", "value": "40"}],
        "eventName": "Open house",
        "eventCancelled": False,
        "startDateTime": "2026-04-01T09:00:00Z",
        "endDateTime": "2026-04-01T09:30:00.005Z",
    }


@given(
    st.lists(st.text(min_size=1).filter(lambda text: "," not in text)),
    st.dates() | st.just(UNSET) | st.none(),
)
def test_query_values(names: list[str], day: Any) -> None:
    """A list is one value, a date is YYYY-MM-DD, and what is absent has no name."""
    query = to_query({"properties": names, "startDate": day})
    assert query.pop("properties", "").split(",") == (names or [""])
    assert query == ({"startDate": day.isoformat()} if day else {})


# ---------------------------------------------------------------- copies


@pytest.mark.parametrize("answer", bodies.ANSWERS, ids=lambda answer: answer.name)
@pytest.mark.parametrize(
    "copied",
    [
        *(lambda model, p=p: pickle.loads(pickle.dumps(model, p)) for p in range(2, 6)),
        copy.copy,
        copy.deepcopy,
        attrs.evolve,
    ],
    ids=["pickle 2", "pickle 3", "pickle 4", "pickle 5", "copy", "deepcopy", "evolve"],
)
def test_copies_are_equal_and_share_unset(copied: Any, answer: bodies.Answer) -> None:
    """A copy of any kind has the same fields, unknown ones included, and the one UNSET."""
    model = model_of(answer).from_dict(with_more(answer.body))
    other = copied(model)
    assert (other == model, other is model) == (True, False)
    assert spelled(other.to_dict()) == spelled(model.to_dict())
    unset = [
        getattr(part, name)
        for part in models_in(other)
        for name in attrs.fields_dict(type(part))  # type: ignore[arg-type]
        if isinstance(getattr(part, name), Unset)
    ]
    assert unset
    assert all(value is UNSET for value in unset)


def test_unset() -> None:
    """UNSET is false, empty, one of its kind, and shows its name."""
    assert (bool(UNSET), len(UNSET), list(UNSET), repr(UNSET)) == (False, 0, [], "UNSET")


def test_responses_can_be_pickled() -> None:
    """A whole answer can go to another process."""
    parsed = CallBatch.from_dict(bodies.CALLS[0].body)
    response = Response(207, b"{}", {"X-HubSpot-Correlation-Id": "1"}, parsed)
    assert pickle.loads(pickle.dumps(response)) == response


# ---------------------------------------------------------------- names


def schemas() -> dict[str, Any]:
    """The schemas of all fragments."""
    yaml = pytest.importorskip("yaml", reason="the fragments are YAML")
    found: dict[str, Any] = {}
    for path in sorted((ROOT / "openapi" / "fragments").glob("*.yaml")):
        found |= yaml.safe_load(path.read_text("utf-8"))["components"]["schemas"]
    return found


def test_the_models_have_the_names_of_the_fragments() -> None:
    """No name is made up by the generator, and no schema is left out."""
    assert sorted(models.__all__) == sorted(schemas())


def test_a_map_of_the_fragments_is_an_alias_of_dict() -> None:
    """A schema that declares no fields of its own is a dict, and not a class."""
    for name, schema in schemas().items():
        made = getattr(models, name)
        if "enum" in schema:
            assert [member.value for member in made] == sorted(schema["enum"]), name
        elif "properties" in schema or "allOf" in schema:
            assert issubclass(made, Model), name
        else:
            assert str(made).startswith("dict["), name
