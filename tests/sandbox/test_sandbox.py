"""The sandbox's core: what each operation does, refuses and keeps."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from attrs import evolve
from example_inputs import example_input
from hubspot_batch.sandbox import (
    FAULTS,
    FakeClock,
    Sandbox,
    SandboxRequest,
    SandboxResponse,
    add_examples,
)
from hubspot_batch.sandbox.core import CAMPAIGN_IDS, MARKETING_EVENT_IDS
from hubspot_batch.sandbox.families import Family, Property, render_crm_object
from hubspot_batch.sandbox.operations import _DESCRIBED, SPECS, SandboxOperation
from hubspot_batch_client.contract import OPERATIONS
from hypothesis import given
from hypothesis import strategies as st

CREATES = ("create_calls", "create_campaigns")
CALL_ID = "51000000000"
TO_CONTACT = [
    {
        "to": {"id": "1"},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 194}],
    }
]


def ask(
    sandbox: Sandbox,
    operation: str,
    inputs: object,
    *,
    token: str | None = "secret-token",
    query: Sequence[tuple[str, str]] = (),
    operations: Any = OPERATIONS,
) -> SandboxResponse:
    """Send one well-made request to the core."""
    known = operations[operation]
    return sandbox.handle(
        SandboxRequest(
            method=known.method,
            path=known.path,
            query=tuple(query),
            headers={"authorization": f"Bearer {token}"} if token is not None else {},
            body=json.dumps({"inputs": inputs}).encode(),
        )
    )


def call(trace: str | None = None, **properties: str | None) -> dict[str, Any]:
    """Make one call that the sandbox takes, unless the properties say otherwise."""
    made: dict[str, Any] = {
        "properties": {"hs_timestamp": "2026-01-05T09:00:00Z", **properties},
        "associations": TO_CONTACT,
    }
    return made if trace is None else {**made, "objectWriteTraceId": trace}


def campaign(name: str = "Spring", **properties: str) -> dict[str, Any]:
    """Make one campaign input."""
    return {"properties": {"hs_name": name, **properties}}


def good_input(operation: str) -> dict[str, Any]:
    """Make one input that the operation takes in a sandbox with examples."""
    made: dict[str, Any] = example_input(operation)
    by_property = {"id": "A", "idProperty": "hs_unique_creation_key"}
    return made | {
        "create_calls": call(),
        "create_campaigns": campaign(),
        "read_campaigns": {"id": CAMPAIGN_IDS[0]},
        "update_campaigns": {"id": CAMPAIGN_IDS[0]},
        "update_marketing_events": {"objectId": MARKETING_EVENT_IDS[0], "customProperties": []},
        "read_calls": {"id": CALL_ID},
        "update_calls": {"id": CALL_ID},
        "upsert_calls": {**by_property, "properties": {"hs_timestamp": "1767225600000"}},
    }.get(operation, {})


@pytest.fixture
def sandbox() -> Sandbox:
    """A sandbox that holds the examples."""
    made = Sandbox()
    add_examples(made)
    return made


# What belongs to every operation


@pytest.mark.parametrize(
    ("operation", "status"), [(spec.operation, spec.success_status) for spec in SPECS.values()]
)
def test_a_good_batch_gives_the_documented_code(
    sandbox: Sandbox, operation: str, status: int
) -> None:
    """Each operation answers with its own 2xx, in the form of the pages."""
    sandbox.add_record("calls", CALL_ID, properties={"hs_timestamp": "0"})
    answer = ask(sandbox, operation, [good_input(operation)])
    assert answer.status == status
    if status == 204:
        assert answer.body == b""
        return
    body = answer.document()
    assert set(body) == {"status", "results", "startedAt", "completedAt"}
    assert body["status"] == "COMPLETE"
    assert len(body["results"]) == 1


def test_every_operation_of_the_contract_has_a_spec_that_names_its_fields() -> None:
    """The names that a spec uses are names that the contract has."""
    assert set(_DESCRIBED) <= set(OPERATIONS) == set(SPECS)
    for spec in SPECS.values():
        fields = OPERATIONS[spec.operation].input_schema["properties"]
        assert spec.trace_id_field is None or spec.trace_id_field in fields
        named = spec.id_field if isinstance(spec.id_field, tuple) else (spec.id_field,)
        assert spec.kind == "create" or {*named} <= {*fields}
        arguments = {*spec.date_arguments, spec.properties_argument} - {None}
        assert arguments <= {one.name for one in OPERATIONS[spec.operation].arguments}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("token", [None, "", " ", "wrong"])
def test_a_wrong_token_is_a_401(operation: str, token: str | None) -> None:
    """Without the right token nothing is done, counted or let slip."""
    sandbox = Sandbox(token="right")
    add_examples(sandbox)
    answer = ask(sandbox, operation, [good_input(operation)], token=token)
    assert answer.status == 401
    assert answer.document()["category"] == "INVALID_AUTHENTICATION"
    assert not any("ratelimit" in name.lower() for name in answer.headers)
    assert not sandbox.records("calls")
    assert ask(sandbox, operation, [good_input(operation)], token="right").status < 300


def test_another_token_takes_the_place_of_an_expired_one(sandbox: Sandbox) -> None:
    """After `use_token` the old token is refused and the new one let in."""
    assert ask(sandbox, "create_calls", [call()], token="old").status == 201
    sandbox.use_token("new")
    assert ask(sandbox, "create_calls", [call()], token="old").status == 401
    assert ask(sandbox, "create_calls", [call()], token="new").status == 201


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_missing_scope_is_a_403_that_names_it(operation: str) -> None:
    """The body of the 403 says which scope would be needed."""
    scopes = OPERATIONS[operation].scopes
    answer = ask(Sandbox(scopes=()), operation, [good_input(operation)])
    body = answer.document()
    assert answer.status == 403
    assert body["category"] == "MISSING_SCOPES"
    assert body["errors"][0]["context"] == {"requiredGranularScopes": list(scopes)}
    allowed = Sandbox(scopes=scopes)
    add_examples(allowed)
    assert ask(allowed, operation, [good_input(operation)]).status < 300


@pytest.mark.parametrize("operation", [one.id for one in OPERATIONS.values() if one.max_inputs])
def test_one_input_too_many_refuses_the_batch(sandbox: Sandbox, operation: str) -> None:
    """The limit of the contract holds, and the message names it."""
    most = OPERATIONS[operation].max_inputs
    assert most is not None
    before = len(sandbox.records(SPECS[operation].family.name))
    answer = ask(sandbox, operation, [good_input(operation)] * (most + 1))
    body = answer.document()
    assert answer.status == 400
    assert body["message"] == (
        f"The maximum number of inputs supported in a batch is {most}. "
        "Please reduce the number of items and try again"
    )
    assert set(body) == {"status", "message", "correlationId", "category"}
    assert body["category"] == "VALIDATION_ERROR"
    assert len(sandbox.records(SPECS[operation].family.name)) == before
    assert ask(sandbox, operation, [good_input(operation)] * most).status < 300


def test_a_limit_can_be_overridden() -> None:
    """A limit that is not published can be tried out."""
    sandbox = Sandbox(max_inputs={"update_marketing_events": 1})
    event = {"objectId": sandbox.add_marketing_event("Day"), "customProperties": []}
    assert ask(sandbox, "update_marketing_events", [event]).status == 200
    assert ask(sandbox, "update_marketing_events", [event, event]).status == 400


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b"{}", b'{"inputs": {}}']
)
def test_json_that_cannot_be_read_is_a_400_without_category(sandbox: Sandbox, body: bytes) -> None:
    """Broken JSON gives the recorded body, which has no category."""
    known = OPERATIONS["create_calls"]
    answer = sandbox.handle(
        SandboxRequest(known.method, known.path, (), {"authorization": "Bearer t"}, body)
    )
    assert answer.status == 400
    assert set(answer.document()) == {"status", "message", "correlationId"}
    assert sandbox.requests[-1].inputs is None


@pytest.mark.parametrize(
    ("operation", "one"),
    [
        ("create_calls", {}),
        ("create_calls", "text"),
        ("create_calls", {"properties": {}}),
        ("create_calls", {**call(), "propertys": {}}),
        ("create_calls", {**call(), "associations": [{"to": {"id": "1"}, "types": [{}]}]}),
        ("create_calls", call(hs_call_duration=5)),  # type: ignore[arg-type]
        ("create_campaigns", {"properties": []}),
        ("read_campaigns", {"id": 5}),
        ("update_marketing_events", {"customProperties": []}),
        ("update_marketing_events", {"objectId": "1", "customProperties": [{"name": "a"}]}),
        (
            "update_marketing_events",
            {"objectId": "1", "customProperties": [], "startDateTime": "soon"},
        ),
        (
            "update_marketing_events",
            {"objectId": "1", "customProperties": [], "eventCancelled": "yes"},
        ),
    ],
)
def test_an_input_of_the_wrong_form_refuses_the_batch(
    sandbox: Sandbox, operation: str, one: object
) -> None:
    """The contract's schema decides what an input may look like; no position is named."""
    answer = ask(sandbox, operation, [good_input(operation), one])
    assert answer.status == 400
    assert answer.document()["message"].startswith("Invalid input JSON: ")
    assert "category" not in answer.document()
    assert not sandbox.records("calls")


def test_paths_and_methods_that_there_are_not(sandbox: Sandbox) -> None:
    """An unknown path is a 404, a wrong method a 405 that names the right one."""
    known = OPERATIONS["create_calls"]
    lost = sandbox.handle(SandboxRequest("POST", "/crm/v3/objects/calls"))
    assert (lost.status, "category" in lost.document()) == (404, False)
    wrong = sandbox.handle(SandboxRequest("GET", known.path))
    assert (wrong.status, wrong.headers["Allow"]) == (405, known.method)
    assert [entry.operation for entry in sandbox.requests] == [None, None]


# Calls


def test_calls_without_trace_ids_are_all_or_nothing(sandbox: Sandbox) -> None:
    """One bad input refuses them all, and the error names the first problem only."""
    batch = [call(), call(hs_call_direction="SIDEWAYS"), call(hs_timestamp="")]
    answer = ask(sandbox, "create_calls", batch)
    body = answer.document()
    assert answer.status == 400
    assert body["category"] == "VALIDATION_ERROR"
    assert "SIDEWAYS" in body["message"]
    assert "hs_timestamp" not in body["message"]
    assert not sandbox.records("calls")


@pytest.mark.parametrize("traces", [("a", "a", "b"), ("a", None, "b"), ("a", "", "b")])
def test_trace_ids_that_do_not_tell_all_inputs_apart_count_for_nothing(
    sandbox: Sandbox, traces: tuple[str | None, ...]
) -> None:
    """A missing, empty or repeated trace id leaves the batch all or nothing."""
    batch = [call(traces[0]), call(traces[1]), call(traces[2], hs_timestamp="never")]
    assert ask(sandbox, "create_calls", batch).status == 400
    assert not sandbox.records("calls")


def test_calls_with_trace_ids_succeed_in_part(sandbox: Sandbox) -> None:
    """Each bad input has an error that names its trace id; the others are made."""
    batch = [call("a"), call("b", hs_timestamp=""), call("c"), call("d", nonsense="1")]
    answer = ask(sandbox, "create_calls", batch)
    body = answer.document()
    assert answer.status == 207
    assert body["numErrors"] == len(body["errors"]) == 2
    assert [error["context"] for error in body["errors"]] == [
        {"objectWriteTraceId": ["b"]},
        {"objectWriteTraceId": ["d"]},
    ]
    for error in body["errors"]:
        assert "links" not in error
        assert "errors" not in error
        assert isinstance(error.get("subCategory", ""), str)
    assert [record.trace_id for record in sandbox.records("calls")] == ["a", "c"]


def test_a_batch_of_bad_calls_has_errors_and_no_results(sandbox: Sandbox) -> None:
    """A 207 can hold nothing but errors."""
    answer = ask(sandbox, "create_calls", [call("a", hs_timestamp="")])
    assert (answer.status, answer.document()["results"]) == (207, [])


@pytest.mark.parametrize(
    ("properties", "error"),
    [
        ({"hs_timestamp": "yesterday"}, "INVALID_DATETIME"),
        ({"hs_timestamp": "9" * 30}, "INVALID_DATETIME"),
        ({"hs_call_duration": "long"}, "INVALID_NUMBER"),
        ({"hs_call_status": "ASLEEP"}, "INVALID_OPTION"),
        ({"hs_call_status": "", "unheard_of": ""}, "PROPERTY_DOESNT_EXIST"),
        ({"unheard_of": "1"}, "PROPERTY_DOESNT_EXIST"),
    ],
)
def test_a_bad_value_is_explained_by_json_within_the_message(
    sandbox: Sandbox, properties: dict[str, str], error: str
) -> None:
    """The message holds a JSON document as text, as HubSpot's does."""
    body = ask(sandbox, "create_calls", [call(**properties)]).document()
    before, _, document = body["message"].partition(": ")
    assert before == "Property values were not valid"
    assert [(said["error"], said["name"]) for said in json.loads(document)] == [
        (error, list(properties)[-1])
    ]


@pytest.mark.parametrize(
    "value", ["2026-01-05T09:00:00Z", "2026-01-05T10:00:00+01:00", "1767603600000"]
)
def test_a_moment_comes_back_in_utc(sandbox: Sandbox, value: str) -> None:
    """The store keeps what was sent, the result shows the same moment in ISO 8601."""
    answer = ask(sandbox, "create_calls", [call(hs_timestamp=value)])
    properties = answer.document()["results"][0]["properties"]
    assert properties["hs_timestamp"] == "2026-01-05T09:00:00Z"
    assert sandbox.records("calls")[0].properties["hs_timestamp"] == value


def test_a_call_comes_back_with_what_the_server_adds(sandbox: Sandbox) -> None:
    """A result has more properties than were sent, and some of them are null."""
    answer = ask(sandbox, "create_calls", [call(hs_call_title="Hello", hs_call_body="")])
    (result,) = answer.document()["results"]
    (record,) = sandbox.records("calls")
    assert result["id"] == record.id == result["properties"]["hs_object_id"]
    assert result["properties"]["hs_call_title"] == "Hello"
    assert result["properties"]["hs_call_body"] == ""
    assert result["properties"]["hs_object_source_label"] is None
    assert result["properties"]["hs_createdate"] == result["createdAt"]
    assert result["archived"] is False
    assert record.associations[0]["to"] == {"id": "1"}
    assert record.made_by == 1


@pytest.mark.parametrize(
    ("category", "number", "status"),
    [
        *(("HUBSPOT_DEFINED", number, 201) for number in (182, 194, 206, 220)),
        ("HUBSPOT_DEFINED", 1, 400),
        ("USER_DEFINED", 194, 400),
    ],
)
def test_only_known_association_types_are_taken(
    sandbox: Sandbox, category: str, number: int, status: int
) -> None:
    """An association type that a call does not have is refused, until the account has it."""
    kind = {"associationCategory": category, "associationTypeId": number}
    one = {**call(), "associations": [{"to": {"id": "1"}, "types": [kind]}]}
    assert ask(sandbox, "create_calls", [one]).status == status
    sandbox.add_association_type("calls", category, number)
    assert ask(sandbox, "create_calls", [one]).status == 201


def test_an_account_can_have_properties_of_its_own(sandbox: Sandbox) -> None:
    """A property that was added is taken, with its options if it has any."""
    sandbox.add_property("calls", "mood", ("good", "bad"))
    assert ask(sandbox, "create_calls", [call(mood="good")]).status == 201
    assert ask(sandbox, "create_calls", [call(mood="odd")]).status == 400
    assert ask(Sandbox(), "create_calls", [call(mood="good")]).status == 400


def test_a_value_that_must_be_unique_is_a_409(sandbox: Sandbox) -> None:
    """A conflict refuses the batch, or with trace ids its own input, also within one batch."""
    one = call(hs_unique_creation_key="k")
    assert ask(sandbox, "create_calls", [one, one]).status == 409
    assert ask(sandbox, "create_calls", [one]).status == 201
    answer = ask(sandbox, "create_calls", [one])
    (record,) = sandbox.records("calls")
    assert answer.status == 409
    assert answer.document()["category"] == "CONFLICT"
    assert record.id in answer.document()["message"]
    mixed = [{**one, "objectWriteTraceId": "a"}, call("b")]
    body = ask(sandbox, "create_calls", mixed).document()
    assert body["errors"][0]["category"] == "CONFLICT"
    assert len(sandbox.records("calls")) == 2


@pytest.mark.parametrize(("share", "echoed"), [(0.0, {0}), (1.0, {40}), (0.5, set(range(1, 40)))])
def test_trace_ids_come_back_in_some_results(share: float, echoed: set[int]) -> None:
    """`trace_echo` says how often a result repeats the trace id of its input."""
    sandbox = Sandbox(trace_echo=share, max_inputs={"create_calls": 40})
    answer = ask(sandbox, "create_calls", [call(str(n)) for n in range(40)])
    results = answer.document()["results"]
    assert sum("objectWriteTraceId" in result for result in results) in echoed


# Campaigns


def test_a_campaign_needs_a_name(sandbox: Sandbox) -> None:
    """One campaign without a name refuses the whole batch, and nothing of it is kept."""
    before = sandbox.records("campaigns")
    answer = ask(sandbox, "create_campaigns", [campaign(), {"properties": {"hs_notes": "n"}}])
    detail = answer.document()["errors"][0]
    assert answer.status == 400
    assert detail["context"] == {"propertyName": ["hs_name"]}
    assert sandbox.records("campaigns") == before


@pytest.mark.parametrize("properties", [{"hs_start_date": "01.02.2026"}, {"nonsense": "x"}])
def test_a_campaign_takes_known_properties_and_days_only(
    sandbox: Sandbox, properties: dict[str, str]
) -> None:
    """Unknown properties and dates in another form are refused."""
    assert ask(sandbox, "create_campaigns", [campaign(**properties)]).status == 400


@pytest.mark.parametrize("operation", CREATES)
def test_results_come_in_an_order_of_their_own(sandbox: Sandbox, operation: str) -> None:
    """Results of a create are shuffled, and every input has one."""
    name = "hs_name" if operation == "create_campaigns" else "hs_call_title"
    names = [f"n{number}" for number in range(20)]
    make = campaign if operation == "create_campaigns" else call
    results = ask(sandbox, operation, [make(**{name: text}) for text in names]).document()[
        "results"
    ]  # type: ignore[operator]
    shown = [result["properties"][name] for result in results]
    assert shown != names
    assert sorted(shown) == sorted(names)


def test_a_campaign_comes_back_without_assets(sandbox: Sandbox) -> None:
    """A create shows properties, business units and times."""
    answer = ask(sandbox, "create_campaigns", [campaign(hs_start_date="2026-02-01")])
    (result,) = answer.document()["results"]
    assert set(result) == {"id", "properties", "businessUnits", "createdAt", "updatedAt"}
    assert result["businessUnits"] == [{"id": 0}]
    assert result["properties"]["hs_start_date"] == "2026-02-01"


def test_a_read_drops_duplicates_and_tells_of_unknown_ids_at_once(sandbox: Sandbox) -> None:
    """Duplicates vanish without a word; one error lists all ids that were not found."""
    wanted = [CAMPAIGN_IDS[0], "x", CAMPAIGN_IDS[1], CAMPAIGN_IDS[0], "y", "x"]
    answer = ask(sandbox, "read_campaigns", [{"id": one} for one in wanted])
    body = answer.document()
    assert answer.status == 207
    assert sorted(result["id"] for result in body["results"]) == list(CAMPAIGN_IDS[:2])
    assert body["numErrors"] == 1
    (error,) = body["errors"]
    assert error["context"] == {"ids": ["x", "y"]}
    assert error["subCategory"] == "CampaignApiError.INVALID_REQUEST"


def test_one_unknown_id_stands_under_another_key(sandbox: Sandbox) -> None:
    """A single id that was not found is `context.id`."""
    body = ask(sandbox, "read_campaigns", [{"id": "x"}]).document()
    assert body["results"] == []
    assert body["errors"][0]["context"] == {"id": ["x"]}


@pytest.mark.parametrize(
    ("query", "properties"),
    [
        ((), {}),
        ((("properties", "hs_name,hs_notes"),), {"hs_name": "Spring launch", "hs_notes": None}),
        (
            (("properties", "hs_name"), ("properties", " hs_notes")),
            {"hs_name": "Spring launch", "hs_notes": None},
        ),
        ((("properties", ""),), {}),
    ],
)
def test_a_read_shows_the_properties_that_were_asked_for(
    sandbox: Sandbox, query: Sequence[tuple[str, str]], properties: dict[str, str | None]
) -> None:
    """Joined or repeated, the parameter chooses; without it the map is empty."""
    answer = ask(sandbox, "read_campaigns", [{"id": CAMPAIGN_IDS[0]}], query=query)
    (result,) = answer.document()["results"]
    assert result["properties"] == properties


@pytest.mark.parametrize(
    ("query", "metrics"),
    [
        ((), False),
        ((("startDate", "2026-01-01"),), False),
        ((("startDate", "2026-01-01"), ("endDate", "2026-01-31")), True),
    ],
)
def test_metrics_come_with_dates_only(
    sandbox: Sandbox, query: Sequence[tuple[str, str]], metrics: bool
) -> None:
    """Assets are always there; their metrics need both dates."""
    answer = ask(sandbox, "read_campaigns", [{"id": CAMPAIGN_IDS[0]}], query=query)
    (form,) = answer.document()["results"][0]["assets"]["FORM"]["results"]
    assert ("metrics" in form) is metrics


@pytest.mark.parametrize("day", ["soon", "2026-1-1", "20260101", "2026-02-30"])
def test_a_date_in_another_form_is_refused(sandbox: Sandbox, day: str) -> None:
    """Dates of a read are days written YYYY-MM-DD."""
    query = (("endDate", day),)
    answer = ask(sandbox, "read_campaigns", [{"id": CAMPAIGN_IDS[0]}], query=query)
    assert (answer.status, "endDate" in answer.document()["message"]) == (400, True)


# Marketing events


def test_an_update_sets_fields_and_merges_custom_properties(sandbox: Sandbox) -> None:
    """A field that is not named stays; a field that was never set is null."""
    one = {
        "objectId": MARKETING_EVENT_IDS[0],
        "eventName": "Open day",
        "customProperties": [{"name": "floor", "value": "2"}],
    }
    answer = ask(sandbox, "update_marketing_events", [one])
    (result,) = answer.document()["results"]
    assert answer.status == 200
    assert result["objectId"] == MARKETING_EVENT_IDS[0]
    assert result["eventName"] == "Open day"
    assert result["eventOrganizer"] == "Events team"
    assert result["customProperties"] == [
        {"name": "room", "value": "1"},
        {"name": "floor", "value": "2"},
    ]
    assert result["endDateTime"] is None
    assert result["eventUrl"] is None
    assert sandbox.records("marketing_events")[0].changed_by == 1


def test_updates_come_back_in_reverse_and_unknown_events_in_one_error(sandbox: Sandbox) -> None:
    """The order is turned round, and `context.ids` lists what was not found."""
    ids = [*MARKETING_EVENT_IDS, "8", "9"]
    inputs = [{"objectId": one, "customProperties": []} for one in ids]
    answer = ask(sandbox, "update_marketing_events", inputs)
    body = answer.document()
    assert answer.status == 207
    assert [result["objectId"] for result in body["results"]] == list(reversed(MARKETING_EVENT_IDS))
    assert [error["context"] for error in body["errors"]] == [{"ids": ["8", "9"]}]


def test_two_updates_of_one_event_are_done_in_order(sandbox: Sandbox) -> None:
    """The later one wins, and the event is mentioned once."""
    inputs = [
        {"objectId": MARKETING_EVENT_IDS[0], "customProperties": [], "eventName": name}
        for name in ("first", "second")
    ]
    (result,) = ask(sandbox, "update_marketing_events", inputs).document()["results"]
    assert result["eventName"] == "second"


def test_the_long_form_of_a_custom_property_saves_nothing(sandbox: Sandbox) -> None:
    """It is taken without complaint and not kept, as reported."""
    long = {"name": "room", "value": "9", "timestamp": 1}
    one = {"objectId": MARKETING_EVENT_IDS[0], "customProperties": [long]}
    (result,) = ask(sandbox, "update_marketing_events", [one]).document()["results"]
    assert result["customProperties"] == [{"name": "room", "value": "1"}]


# What it holds and says of itself


def test_the_log_tells_of_every_request_and_never_of_the_token(sandbox: Sandbox) -> None:
    """One line for each request; no text of the sandbox holds the token."""
    ask(sandbox, "create_calls", [call(), call()])
    sandbox.use_token("secret-token")
    ask(sandbox, "read_campaigns", [{"id": "x"}], query=(("properties", "a"),))
    told = [(one.number, one.operation, one.status, one.inputs) for one in sandbox.requests]
    assert told == [(1, "create_calls", 201, 2), (2, "read_campaigns", 207, 1)]
    request = SandboxRequest("POST", "/", (), {"authorization": "Bearer secret-token"}, b"{}")
    said = f"{sandbox!r} {sandbox.requests!r} {sandbox._state!r} {request!r}"
    assert "secret-token" not in said
    assert "calls=2" in repr(sandbox)


def test_records_cannot_be_changed_from_outside(sandbox: Sandbox) -> None:
    """A record is a value: its maps are read-only."""
    record = sandbox.records("campaigns")[0]
    with pytest.raises(TypeError):
        record.properties["hs_name"] = "other"  # type: ignore[index]


def test_an_unknown_store_is_named_with_the_known_ones(sandbox: Sandbox) -> None:
    """A wrong name ends in a sentence that lists the right ones."""
    known = "no store is called 'call'; choose one of: .*calls"
    for ask_for in (
        lambda: sandbox.records("call"),
        lambda: sandbox.add_property("call", "x"),
        lambda: sandbox.add_association_type("call", "WORK", 1),
    ):
        with pytest.raises(ValueError, match=known):
            ask_for()


def test_records_put_in_place_by_hand_get_ids_of_their_own() -> None:
    """Ids are made when none is given, and never twice."""
    sandbox = Sandbox()
    campaigns = {sandbox.add_campaign("A"), sandbox.add_campaign("A", properties={"hs_utm": "u"})}
    events = {
        sandbox.add_marketing_event("B"),
        sandbox.add_marketing_event("B", record_id="330000000002"),
        sandbox.add_marketing_event("B"),
    }
    assert (len(campaigns), len(events)) == (2, 3)
    assert {record.id for record in sandbox.records("campaigns")} == campaigns
    assert {record.made_by for record in sandbox.records("marketing_events")} == {0}


def test_times_are_those_of_the_clock() -> None:
    """Creation and change are distinguished by the sandbox's own clock."""
    clock = FakeClock(1_767_603_600.5)
    sandbox = Sandbox(clock=clock)
    event = sandbox.add_marketing_event("Day")
    clock.advance(60)
    one = {"objectId": event, "customProperties": []}
    (result,) = ask(sandbox, "update_marketing_events", [one]).document()["results"]
    assert result["createdAt"] == "2026-01-05T09:00:00.500Z"
    assert result["updatedAt"] == "2026-01-05T09:01:00.500Z"
    assert repr(clock) == "FakeClock(1767603660.5)"


def test_a_new_field_of_an_input_is_kept_and_shown() -> None:
    """A field that the contract gains needs no edit of the sandbox."""
    known = OPERATIONS["create_calls"]
    schema = dict(known.input_schema)
    schema["properties"] = {**schema["properties"], "priority": {"type": ["integer", "null"]}}
    operations = {**OPERATIONS, "create_calls": evolve(known, input_schema=schema)}
    sandbox = Sandbox(operations=operations)
    answer = ask(sandbox, "create_calls", [{**call(), "priority": 3}])
    assert answer.document()["results"][0]["priority"] == 3
    assert sandbox.records("calls")[0].fields == {"priority": 3}


def test_a_new_family_needs_data_only() -> None:
    """Contacts get create, read, update and upsert without a change of code."""
    contacts = Family(
        "contacts",
        "Contact",
        {"email": Property(), "age": Property("number")},
        render_crm_object,
        required=("email",),
        unique=("email",),
    )
    text = {"type": "string"}
    properties = {"type": "object", "additionalProperties": text}
    schema = {"type": "object", "properties": {"id": text, "properties": properties}}
    specs = {
        name: SandboxOperation(name, contacts, kind, 200, creates_missing=name == "upsert")
        for name, kind in (
            ("create", "create"), ("read", "read"), ("update", "update"), ("upsert", "update")
        )
    }  # fmt: skip
    operations = {
        name: evolve(
            OPERATIONS["create_calls"], id=name, path=f"/contacts/{name}", input_schema=schema
        )
        for name in specs
    }
    sandbox = Sandbox(specs=specs, operations=operations)

    def go(name: str, one: dict[str, Any]) -> SandboxResponse:
        return ask(sandbox, name, [one], operations=operations)

    assert go("create", {"properties": {"email": "a@example.com"}}).status == 200
    assert go("create", {"properties": {"email": "a@example.com"}}).status == 409
    (record,) = sandbox.records("contacts")
    assert go("update", {"id": record.id, "properties": {"age": "old"}}).status == 400
    assert go("update", {"id": record.id, "properties": {"email": "b@example.com"}}).status == 200
    assert go("create", {"properties": {"email": "a@example.com"}}).status == 200
    assert go("update", {"id": "7", "properties": {"age": "5"}}).status == 207
    assert go("upsert", {"id": "7", "properties": {"age": "5"}}).status == 200
    (shown,) = go("read", {"id": "7"}).document()["results"]
    assert shown["properties"]["age"] == "5"


# Properties


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("id", "objectId", "properties", "associations", "to", "types"),
                    *("customProperties", "name", "value", "hs_name", "objectWriteTraceId"),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
REQUESTS = st.builds(
    lambda operation, count, odd: (operation, [good_input(operation)] * count + odd),
    st.sampled_from(list(OPERATIONS)),
    st.integers(0, 5),
    st.lists(JSON, max_size=1),
)


@given(st.sampled_from(list(OPERATIONS)), JSON)
def test_no_body_breaks_it(operation: str, inputs: object) -> None:
    """Any JSON gets a JSON response with a correlation id, and never a 5xx."""
    answer = ask(Sandbox(), operation, inputs)
    if answer.status == 204:  # an archive
        assert answer.body == b""
        return
    assert answer.status in {200, 201, 207, 400, 409}
    assert isinstance(answer.document(), dict)
    assert answer.correlation_id


@given(st.integers(), st.lists(REQUESTS, max_size=6), st.sampled_from([None, *FAULTS]))
def test_the_same_seed_and_requests_give_the_same_bytes(
    seed: int, requests: list[tuple[str, list[Any]]], fault: str | None
) -> None:
    """Two sandboxes that are asked the same say the same, faults and all."""

    def run() -> list[SandboxResponse]:
        faults = {fault: 0.5} if fault else None
        sandbox = Sandbox(seed=seed, faults=faults)
        add_examples(sandbox)
        return [ask(sandbox, operation, inputs) for operation, inputs in requests]

    assert run() == run()


@given(st.lists(st.booleans(), min_size=1, max_size=20), st.booleans())
def test_the_store_and_the_answer_agree(good: list[bool], traced: bool) -> None:
    """The sandbox holds the records that the response says were made, and no others."""
    sandbox = Sandbox()
    inputs = [
        call(str(place) if traced else None, **({} if fine else {"hs_timestamp": ""}))
        for place, fine in enumerate(good)
    ]
    body = ask(sandbox, "create_calls", inputs).document()
    held = {record.id for record in sandbox.records("calls")}
    assert {result["id"] for result in body.get("results", ())} == held
    assert len(held) == (sum(good) if traced or all(good) else 0)
    assert body.get("numErrors", 0) == (good.count(False) if traced else 0)
