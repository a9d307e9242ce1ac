"""The table of faults and the plans: what goes wrong, when, and whether the work was done."""

import json
from collections import Counter
from typing import Any

import pytest
from attrs import evolve
from hubspot_batch.sandbox import FAULTS, Sandbox, SandboxRequest, SandboxResponse, rates, script
from hubspot_batch.sandbox.fault_plans import Faults, Rates, parse
from hubspot_batch_client.contract import OPERATIONS
from hypothesis import given
from hypothesis import strategies as st

CALL = {"properties": {"hs_timestamp": "1767603600000"}, "associations": []}
WRITES = ("create_calls", "create_campaigns", "update_marketing_events")


def ask(sandbox: Sandbox, operation: str, inputs: list[Any]) -> SandboxResponse:
    """Send one well-made request to the core."""
    known = OPERATIONS[operation]
    body = json.dumps({"inputs": inputs}).encode()
    return sandbox.handle(
        SandboxRequest(known.method, known.path, (), {"authorization": "Bearer t"}, body)
    )


def faulty(faults: Faults) -> tuple[Sandbox, dict[str, list[Any]]]:
    """Make a sandbox with faults, and two good inputs for each write."""
    sandbox = Sandbox(faults=faults)
    events = [sandbox.add_marketing_event("A"), sandbox.add_marketing_event("B")]
    return sandbox, {
        "create_calls": [CALL, CALL],
        "create_campaigns": [{"properties": {"hs_name": "a"}}, {"properties": {"hs_name": "b"}}],
        "update_marketing_events": [{"objectId": one, "customProperties": []} for one in events],
    }


def done_by(sandbox: Sandbox, number: int) -> int:
    """Count the records that this request made or changed."""
    stores = ("calls", "campaigns", "marketing_events")
    held = [record for store in stores for record in sandbox.records(store)]
    return sum(number in (record.made_by, record.changed_by) for record in held)


@pytest.mark.parametrize("operation", WRITES)
@pytest.mark.parametrize("name", FAULTS)
def test_the_table_tells_the_truth_about_the_work(name: str, operation: str) -> None:
    """For every fault and write, the store agrees with `work_done`, and the log names the fault."""
    sandbox, inputs = faulty(script([name]))
    answer = ask(sandbox, operation, inputs[operation])
    assert done_by(sandbox, 1) == (2 if FAULTS[name].work_done else 0)
    entry = sandbox.requests[0]
    assert (entry.fault, entry.loss, entry.status, entry.inputs) == (
        name,
        FAULTS[name].loss,
        answer.status,
        2,
    )
    assert FAULTS[name].effect
    assert answer.correlation_id
    # The script is over: the next request finds everything in order.
    assert ask(sandbox, operation, inputs[operation]).status in {200, 201}
    assert sandbox.requests[1].fault is None


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if not fault.treatment])
def test_a_refusal_stays_a_refusal_under_every_fault_of_the_body(name: str) -> None:
    """A fault that does the work can only lose a refusal, hide it behind a page, or leave it."""
    sandbox = Sandbox(faults=script([name]))
    answer = ask(sandbox, "create_calls", [{"properties": {}, "associations": []}])
    assert not sandbox.records("calls")
    fault = FAULTS[name]
    if fault.work_done and fault.loss is None:
        assert answer.status == (int(name[:3]) if name[:3].isdigit() else 400)


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("rate_limited", 429, {"policyName": "TEN_SECONDLY_ROLLING", "errorType": "RATE_LIMIT"}),
        ("rate_limited_for", 429, {"policyName": "TEN_SECONDLY_ROLLING"}),
        ("secondly", 429, {"policyName": "SECONDLY", "errorType": "RATE_LIMIT"}),
        ("daily_limit", 429, {"policyName": "DAILY", "errorType": "RATE_LIMIT"}),
        ("expired_token", 401, {"category": "EXPIRED_AUTHENTICATION"}),
        ("locked", 423, {"category": "LOCKED"}),
        ("moved", 477, {"status": "error"}),
        ("moved_for_a_day", 477, {"status": "error"}),
        ("refused", 400, {"category": "VALIDATION_ERROR"}),
        ("conflict", 409, {"category": "CONFLICT"}),
        ("redirect", 307, {"status": "error"}),
    ],
)
def test_faults_that_answer_in_json(name: str, status: int, said: dict[str, str]) -> None:
    """Each has its status and a body that names the request."""
    answer = ask(Sandbox(faults=script([name])), "create_calls", [CALL])
    body = answer.document()
    assert answer.status == status
    assert body | said == body
    assert body["correlationId"] == answer.correlation_id
    assert ("category" in body) is (status in {400, 401, 409, 423})
    waits = {"rate_limited_for": "3", "moved": "60", "moved_for_a_day": "86400"}
    assert answer.headers.get("Retry-After") == waits.get(name)
    assert ("Location" in answer.headers) is (status == 307)


@pytest.mark.parametrize("name", [name for name in FAULTS if name[0].isdigit()])
def test_faults_that_answer_in_html(name: str) -> None:
    """These are pages of the edge, which knows no rate limits, but names the request."""
    answer = ask(Sandbox(faults=script([name])), "create_calls", [CALL])
    assert answer.status == int(name[:3])
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.body.startswith(b"<!DOCTYPE html>")
    assert set(answer.headers) == {"Content-Type", "X-HubSpot-Correlation-Id"}


@given(st.integers(), st.integers(1, 9))
def test_truncated_json_is_never_json(seed: int, count: int) -> None:
    """Wherever it is cut, the rest cannot be read, and is not empty."""
    answer = ask(
        Sandbox(seed=seed, faults=script(["truncated_json"])), "create_calls", [CALL] * count
    )
    assert answer.body
    with pytest.raises(ValueError, match=r"."):
        answer.document()


def test_faults_that_change_a_good_answer() -> None:
    """Each changes what its name says, in an answer that is good otherwise."""

    def told(name: str, inputs: list[Any] | None = None) -> SandboxResponse:
        return ask(Sandbox(faults=script([name])), "create_calls", inputs or [CALL] * 10)

    assert told("empty_body").body == b""
    assert told("success_code").status == 200
    assert told("unknown_enum").document()["status"] == "SOMETHING_NEW"
    assert told("silent_noop").document()["results"] == []
    assert "errors" not in told("silent_noop").document()
    assert len(told("drop_results").document()["results"]) == 5
    assert told("delay").delay == 2.0
    body = told("null_fields").document()
    assert (body["links"], body["errors"], body["numErrors"]) == (None, None, None)
    assert body["results"][0]["objectWriteTraceId"] is None
    assert body["results"][0]["properties"]["hs_object_id"] is None
    assert body["results"][0]["properties"]["hs_timestamp"] is not None
    body = told("extra_fields").document()
    assert body["addedLater"] == body["results"][0]["addedLater"]

    mixed = [{**CALL, "objectWriteTraceId": "a"}]
    mixed += [{"properties": {}, "associations": [], "objectWriteTraceId": "b"}]
    assert "context" not in told("bare_errors", mixed).document()["errors"][0]
    assert told("extra_fields", mixed).document()["errors"][0]["addedLater"]
    assert told("null_fields", mixed).document()["errors"][0]["links"] is None
    assert told("success_code", mixed).status == 200


def test_a_read_can_come_back_with_another_code() -> None:
    """Where 200 is documented, the other code is 201."""
    sandbox = Sandbox(faults=script(["success_code"]))
    assert ask(sandbox, "read_campaigns", []).status == 201


def test_a_variant_of_a_fault_can_stand_in_a_script() -> None:
    """A fault is a value: a changed copy does what it says."""
    short = evolve(FAULTS["delay"], delay=0.25)
    assert ask(Sandbox(faults=script([short])), "create_calls", [CALL]).delay == 0.25


def test_a_connection_that_never_came_about_is_not_counted() -> None:
    """The server cannot count what did not reach it; what was cut later did reach it."""
    sandbox = Sandbox(faults=script(["connect_error", "reset_before", None]), rate_limit=(9, 10.0))
    left = [ask(sandbox, "create_calls", [CALL]) for _ in range(3)][-1]
    assert left.headers["X-HubSpot-RateLimit-Remaining"] == "7"


def test_the_door_comes_before_the_fault() -> None:
    """A request that is turned away meets no fault, though a script moves on."""
    sandbox = Sandbox(faults=script(["500", "502"]), token="other")
    assert ask(sandbox, "create_calls", [CALL]).status == 401
    sandbox.use_token(None)
    assert ask(sandbox, "create_calls", [CALL]).status == 502
    assert [entry.fault for entry in sandbox.requests] == [None, "502"]


def test_a_script_counts_requests_of_its_operation_only() -> None:
    """Requests of other operations neither meet nor use up a step."""
    sandbox = Sandbox(faults=script([None, "503"], operation="create_calls"))
    order = ("create_calls", "read_campaigns", "create_calls", "create_calls")
    statuses = [ask(sandbox, operation, []).status for operation in order]
    assert statuses == [201, 200, 503, 201]


def test_the_first_of_several_plans_wins() -> None:
    """Plans are asked in order until one has a fault; new plans replace the old."""
    sandbox = Sandbox(faults=[script([None, "502"]), rates({"503": 1.0}, operation="create_calls")])
    assert [ask(sandbox, "create_calls", []).status for _ in range(3)] == [503, 502, 503]
    assert ask(sandbox, "read_campaigns", []).status == 200
    sandbox.use_faults(None)
    assert ask(sandbox, "create_calls", []).status == 201


def test_a_plan_is_a_value_and_begins_anew_in_each_sandbox() -> None:
    """Two sandboxes can share a plan."""
    plan = script(["500"])
    assert [ask(Sandbox(faults=plan), "create_calls", []).status for _ in range(2)] == [500, 500]


def test_rates_are_kept_and_depend_on_the_seed() -> None:
    """Over many requests each fault comes about as often as its rate says."""

    def met(seed: int) -> list[str | None]:
        sandbox = Sandbox(seed=seed, faults={"500": 0.2, "locked": 0.3}, rate_limit=None)
        for _ in range(1000):
            ask(sandbox, "read_campaigns", [])
        return [entry.fault for entry in sandbox.requests]

    counted = Counter(met(1))
    assert 150 < counted["500"] < 250
    assert 250 < counted["locked"] < 350
    assert met(1) == met(1) != met(2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: script(["rest_after"]), "no fault is called 'rest_after'; .*reset_after"),
        (lambda: rates({"rest_after": 0.1}), "no fault is called 'rest_after'"),
        (lambda: rates({"500": 1.5}), "must be from 0 to 1"),
        (lambda: rates({"500": float("nan")}), "must be from 0 to 1"),
        (lambda: rates({"500": 0.6, "502": 0.6}), "add up to 1.2"),
        (lambda: Sandbox(faults=script([], operation="calls")), "no operation is called 'calls'"),
        (lambda: Sandbox(faults=["500"]), "'500' is not a plan; write script"),  # type: ignore[list-item]
        (lambda: Sandbox(faults={"no": 1}), "no fault is called 'no'"),
        (lambda: parse(["500=often"]), "the rate in fault '500=often' is not a number"),
        (lambda: parse(["500=2"]), "must be from 0 to 1"),
        (lambda: parse(["often"]), "no fault is called 'often'"),
        (lambda: Sandbox(faults=parse(["x:500"])), "no operation is called 'x'"),
    ],
)
def test_a_plan_that_cannot_be_ends_in_a_clear_sentence(make: Any, message: str) -> None:
    """Wrong names and numbers are told at once, with the right ones."""
    with pytest.raises(ValueError, match=message):
        make()


def test_texts_of_a_command_line() -> None:
    """A rate follows `=`, an operation comes before `:`, and the more special plan goes first."""
    assert parse([]) == ()
    assert parse(["500=0.25", "create_calls:locked", "502=0.5"]) == (
        rates({"locked": 1.0}, operation="create_calls"),
        rates({"500": 0.25, "502": 0.5}),
    )
    assert all(isinstance(plan, Rates) for plan in parse(["500"]))


CAMPAIGNS = [{"properties": {"hs_name": "A"}}, {"properties": {}}, {"properties": {"hs_name": "B"}}]


@pytest.mark.parametrize(
    ("name", "status", "stored", "results", "errors"),
    [
        ("nameless_errors", 207, 2, 2, 1),
        ("partly_refused", 400, 1, 0, 0),
        ("incomplete_accepted", 201, 3, 3, 0),
        ("inputs_refused", 207, 0, 0, 3),
        (None, 400, 0, 0, 0),
    ],
)
def test_how_bad_campaigns_are_treated(
    name: str | None, status: int, stored: int, results: int, errors: int
) -> None:
    """HubSpot describes none of these treatments, and excludes none."""
    sandbox = Sandbox(faults=script([name]))
    answer = ask(sandbox, "create_campaigns", CAMPAIGNS)
    document = answer.document()
    assert answer.status == status
    assert len(sandbox.records("campaigns")) == stored
    assert len(document.get("results", ())) == results
    if results or errors:
        assert [one["context"] for one in document.get("errors", ())] == [{}] * errors


@pytest.mark.parametrize(
    ("operation", "given", "context"),
    [
        ("create_calls", CALL | {"objectWriteTraceId": "t"}, {"objectWriteTraceId": ["t"]}),
        ("update_marketing_events", {"objectId": "1", "customProperties": []}, {"ids": ["1"]}),
        ("read_campaigns", {"id": "1"}, {"id": ["1"]}),
    ],
)
def test_an_input_that_is_refused_for_the_moment_is_named(
    operation: str, given: dict[str, Any], context: dict[str, Any]
) -> None:
    """By the key that its operation has."""
    answer = ask(Sandbox(faults=script(["inputs_refused"])), operation, [given])
    assert answer.status == 207
    assert [one["context"] for one in answer.document()["errors"]] == [context]


def test_what_a_server_makes_of_values() -> None:
    """The record is what was sent, and the response says something else."""
    sent = {
        "hs_timestamp": "2026-01-31T10:30:00.123456+01:00",
        "hs_call_title": "\u201cTom & Jerry\u201d ",
        "hs_call_body": "",
    }
    said: dict[str, dict[str, Any]] = {}
    for name in ("milliseconds", "escaped_html", "straightened", "cut_texts", "dropped_empty"):
        sandbox = Sandbox(faults=script([name]))
        answer = ask(sandbox, "create_calls", [{"properties": sent, "associations": []}])
        said[name] = answer.document()["results"][0]["properties"]
        assert dict(sandbox.records("calls")[0].properties) == sent
    assert said["milliseconds"]["hs_timestamp"] == "2026-01-31T09:30:00.123Z"
    assert said["escaped_html"]["hs_call_title"] == "\u201cTom &amp; Jerry\u201d "
    assert said["straightened"]["hs_call_title"] == '"Tom & Jerry"'
    assert sent["hs_call_title"].startswith(said["cut_texts"]["hs_call_title"])
    assert "hs_call_body" not in said["dropped_empty"]


@pytest.mark.parametrize("told", [True, False])
def test_limits_that_no_response_tells(told: bool) -> None:
    """They hold nevertheless."""
    sandbox = Sandbox(rate_limit=(1, 10.0), limits_told=told)
    answers = [ask(sandbox, "create_calls", [CALL]) for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 429]
    for answer in answers:
        assert any("RateLimit" in name for name in answer.headers) is told
