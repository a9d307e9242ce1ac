"""The two clients against the sandbox: what is said agrees with what is held."""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import itertools
import json
import logging
import pickle
import re
import traceback
from typing import Any

import httpx
import pytest
import virtual_time as virtual
from both_clients import ClientFactory, clock_of
from hubspot_batch import (
    AsyncHubSpotBatch,
    AuthenticationError,
    BatchResult,
    ConfigurationError,
    DailyLimitError,
    HubSpotBatch,
    HubSpotBatchError,
    InputError,
    MissingScopesError,
    OutcomeStatus,
    RateLimit,
    RateLimitError,
    Retry,
    UnavailableError,
    UnreachableError,
)
from hubspot_batch.sandbox import FAULTS, FakeClock, Sandbox, SandboxTransport, rates, script
from hubspot_batch_client.api.calls import create_calls
from hubspot_batch_client.contract import OPERATIONS
from hubspot_batch_client.models import (
    Association,
    AssociationCategory,
    AssociationTarget,
    AssociationType,
    Call,
    CallBatch,
    CallBatchInput,
    CallInput,
    CampaignInput,
    CampaignReadInput,
    MarketingEventUpdate,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted_server import NOON, counts

# What the description says, so that a change of it is no change here.
LIMIT = OPERATIONS["create_calls"].max_inputs or 0
CAMPAIGNS = OPERATIONS["create_campaigns"].max_inputs or 0
SECRET = "pat-na1-0f1e2d3c-secret"


def call_row(number: int, **properties: str) -> dict[str, Any]:
    return {
        "properties": {
            "hs_timestamp": NOON,
            "hs_call_title": f"Call {number}",
            **properties,
        },
        "associations": [],
    }


def assert_agrees(result: BatchResult[Any], sandbox: Sandbox, store: str) -> None:
    """Assert that each outcome says what the sandbox holds."""
    titles = {one.id: one.properties.get("hs_call_title") for one in sandbox.records(store)}
    held = [*titles.values()]
    assert len(held) == len(set(held)), "a record was created twice"
    for outcome in result.outcomes:
        title = outcome.input["properties"]["hs_call_title"]
        if outcome.status is OutcomeStatus.SUCCEEDED:
            assert title in held
            if outcome.result is not None:
                # A fault may have changed the text of the response, but not the record.
                assert titles[outcome.result.id] == title
        elif outcome.status in (OutcomeStatus.FAILED, OutcomeStatus.NOT_SENT):
            assert title not in held
    told = {
        outcome.input["properties"]["hs_call_title"]
        for outcome in (*result.succeeded, *result.unknown)
    }
    assert set(held) <= told


def test_every_call_gets_an_outcome_in_input_order(make_client: ClientFactory) -> None:
    """Calls go in chunks of the contract's limit and come back in the order of the inputs."""
    sandbox = Sandbox()
    rows = [call_row(number) for number in range(2 * LIMIT + 1)]
    result = make_client(transport=sandbox).calls.create(iter(rows))
    assert counts(result) == (2 * LIMIT + 1, 0, 0, 0)
    assert [outcome.input for outcome in result.outcomes] == rows
    assert_agrees(result, sandbox, "calls")
    assert sorted(entry.inputs or 0 for entry in sandbox.requests) == [1, LIMIT, LIMIT]
    assert result.unmatched == ()
    result.raise_for_failures()


def test_models_and_mappings_are_inputs_alike(make_client: ClientFactory) -> None:
    """A generated model and a mapping in the API's own names mean the same."""
    sandbox = Sandbox()
    contact = Association(
        to=AssociationTarget(id="1"),
        types=[AssociationType(AssociationCategory.HUBSPOT_DEFINED, 194)],
    )
    typed = CallInput(properties={"hs_timestamp": NOON}, associations=[contact])
    mapped = typed.to_dict()
    result = make_client(transport=sandbox).calls.create([typed, mapped])
    assert counts(result) == (2, 0, 0, 0)
    first, second = sandbox.records("calls")
    assert first.associations == second.associations != ()
    assert typed.to_dict() == mapped, "the inputs are left as they were"
    assert all(isinstance(outcome.result, Call) for outcome in result.outcomes)


def test_what_the_api_requires_as_a_list_may_be_left_out(make_client: ClientFactory) -> None:
    """`associations` and `customProperties` are sent empty when an input lacks them."""
    sandbox = Sandbox()
    event = sandbox.add_marketing_event("Open day")
    client = make_client(transport=sandbox)
    assert counts(client.calls.create([{"properties": {"hs_timestamp": NOON}}])) == (1, 0, 0, 0)
    result = client.marketing_events.update([{"objectId": event, "eventName": "Open house"}])
    assert counts(result) == (1, 0, 0, 0)
    assert result.outcomes[0].result.event_name == "Open house"


def endless() -> Any:
    """A mapping that holds itself."""
    made: dict[str, Any] = {}
    made["again"] = made
    return made


INVALID = [
    (5, "not int"),
    (None, "not NoneType"),
    ("text", "not str"),
    ({}, "lacks properties"),
    ({"propertes": {}}, "no field propertes"),
    ({"properties": {"hs_timestamp": 5}}, "properties.hs_timestamp is 5"),
    ({"properties": {"a": {}}}, "properties.a is {}, a map"),
    ({"properties": []}, "properties is []"),
    ({"properties": {}, "associations": {}}, "associations is {}"),
    ({"properties": {}, "associations": [{"to": {}, "types": []}]}, "associations[0].to lacks id"),
    (
        {"properties": {}, "associations": [{"to": {"id": "1", "x": 1}, "types": []}]},
        "associations[0].to has no field x",
    ),
    (
        {
            "properties": {},
            "associations": [
                {
                    "to": {"id": "1"},
                    "types": [{"associationCategory": "NOPE", "associationTypeId": 1}],
                }
            ],
        },
        "must be one of",
    ),
    ({"properties": {"a": "\ud800"}}, "cannot be written as JSON"),
    ({"properties": endless()}, "properties.again is"),
    (CallInput(properties=5), "properties is 5"),  # type: ignore[arg-type]
    (CampaignInput(properties={}), "not CampaignInput"),
    (CallInput(properties=endless()), "properties.again is"),
    ({"properties": {"a": 10**5000}}, "properties.a is a number of more than"),
]


def test_inputs_that_cannot_be_valid_are_never_sent(make_client: ClientFactory) -> None:
    """Each is a failed outcome that says what is wrong, and the others go on."""
    sandbox = Sandbox()
    rows = [row for row, _ in INVALID]
    result = make_client(transport=sandbox).calls.create([*rows, call_row(1)])
    assert counts(result) == (1, len(rows), 0, 0)
    for outcome, (row, words) in zip(result.failed, INVALID, strict=True):
        assert outcome.input is row
        assert outcome.error is not None
        assert outcome.error.kind == "invalid_input"
        assert words in outcome.error.message
    assert [entry.inputs for entry in sandbox.requests] == [1]


def test_only_invalid_inputs_send_nothing(make_client: ClientFactory) -> None:
    """No request goes out for a run without a valid input, nor for one without any."""
    sandbox = Sandbox()
    client = make_client(transport=sandbox)
    assert counts(client.marketing_events.update([{"eventName": "x"}])) == (0, 1, 0, 0)
    assert counts(client.campaigns.read([""])) == (0, 1, 0, 0)
    assert counts(client.calls.create([])) == (0, 0, 0, 0)
    assert sandbox.requests == ()


def test_a_model_may_carry_fields_that_the_description_lacks(make_client: ClientFactory) -> None:
    """New fields of the API can be sent before the client is generated anew."""
    seen: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.content)
        return httpx.Response(200, json={"status": "COMPLETE", "results": []})

    row = CallInput(properties={})
    row["addedLater"] = [1]
    make_client(transport=httpx.MockTransport(answer)).calls.create([row])
    (sent,) = json.loads(seen[0])["inputs"]
    assert sent["addedLater"] == [1]


def test_bad_calls_are_refused_by_name_and_the_good_ones_created(
    make_client: ClientFactory,
) -> None:
    """Trace ids let the server carry out a part of a batch and name the rest."""
    sandbox = Sandbox()
    rows = [call_row(number) for number in range(20)]
    for bad in (3, 7):
        del rows[bad]["properties"]["hs_timestamp"]
    result = make_client(transport=sandbox).calls.create(rows)
    assert counts(result) == (18, 2, 0, 0)
    assert [outcome.index for outcome in result.failed] == [3, 7]
    error = result.failed[0].error
    assert error is not None
    assert (error.kind, error.category, error.status_code) == ("refused", "VALIDATION_ERROR", 207)
    assert error.correlation_id
    assert "hs_timestamp" in error.message
    assert_agrees(result, sandbox, "calls")


def test_own_trace_ids_are_kept_and_repeated_ones_replaced(make_client: ClientFactory) -> None:
    """A trace id that two inputs share would cost them the partial success."""
    sandbox = Sandbox()
    rows = [call_row(n) | {"objectWriteTraceId": trace} for n, trace in enumerate("abab")]
    assert counts(make_client(transport=sandbox).calls.create(rows)) == (4, 0, 0, 0)
    traces = [record.trace_id for record in sandbox.records("calls")]
    assert traces[:2] == ["a", "b"]
    assert len(set(traces)) == 4
    assert [row["objectWriteTraceId"] for row in rows] == list("abab")


def test_campaigns_are_tied_by_their_properties(make_client: ClientFactory) -> None:
    """Results of campaigns come in any order and have nothing but their own properties."""
    sandbox = Sandbox(seed=5)
    rows = [{"properties": {"hs_name": f"C{n}", "hs_notes": "same"}} for n in range(120)]
    result = make_client(transport=sandbox).campaigns.create(rows)
    assert counts(result) == (120, 0, 0, 0)
    for outcome in result.outcomes:
        assert outcome.result.properties["hs_name"] == outcome.input["properties"]["hs_name"]


def test_identical_campaigns_stand_in_for_each_other(make_client: ClientFactory) -> None:
    """Inputs that are the same get a result each, no matter which."""
    row = {"properties": {"hs_name": "Twin"}}
    result = make_client(transport=Sandbox()).campaigns.create([row] * 5)
    assert counts(result) == (5, 0, 0, 0)
    assert len({outcome.result.id for outcome in result.succeeded}) == 5


def test_a_refused_batch_of_campaigns_is_unknown_with_the_servers_words(
    make_client: ClientFactory,
) -> None:
    """One campaign without a name refuses its whole batch, and the next batch goes on."""
    sandbox = Sandbox()
    rows: list[Any] = [{"properties": {"hs_name": f"C{n}"}} for n in range(CAMPAIGNS + 10)]
    rows[4] = {"properties": {"hs_notes": "no name"}}
    result = make_client(transport=sandbox).campaigns.create(rows)
    assert counts(result) == (10, 0, CAMPAIGNS, 0)
    assert len(sandbox.records("campaigns")) == 10
    error = result.unknown[0].error
    assert error is not None
    assert (error.kind, error.status_code) == ("batch_refused", 400)


def test_reads_answer_every_id_also_a_repeated_one(make_client: ClientFactory) -> None:
    """An id that occurs twice is asked for once and answered twice; an unknown one fails."""
    sandbox = Sandbox()
    ids = [sandbox.add_campaign(f"C{n}") for n in range(60)]
    asked = [*ids[:10], *ids, "nobody", "no-one"]
    result = make_client(transport=sandbox).campaigns.read(asked, properties=["hs_name"])
    assert counts(result) == (70, 2, 0, 0)
    for outcome in result.succeeded:
        assert outcome.result.id == outcome.input
        assert outcome.result.properties["hs_name"].startswith("C")
    assert {outcome.input for outcome in result.failed} == {"nobody", "no-one"}
    assert all(outcome.error.category == "OBJECT_NOT_FOUND" for outcome in result.failed)
    assert sum(entry.inputs or 0 for entry in sandbox.requests) < len(asked)


def test_reads_take_ids_models_and_mappings(make_client: ClientFactory) -> None:
    """The three forms of an id mean the same."""
    sandbox = Sandbox()
    known = sandbox.add_campaign("C")
    inputs = [known, CampaignReadInput(id=known), {"id": known}]
    assert counts(make_client(transport=sandbox).campaigns.read(inputs)) == (3, 0, 0, 0)


def test_metrics_come_with_dates_as_people_write_them(make_client: ClientFactory) -> None:
    """Dates may be dates, times or text in any form that means one day."""
    sandbox = Sandbox()
    form = {"id": "1", "name": "Form", "metrics": {"submissions": 3.0}}
    known = sandbox.add_campaign("C", assets={"FORM": [form]})
    campaigns = make_client(transport=sandbox).campaigns
    for start in ("1 January 2026", "2026-01-01", dt.date(2026, 1, 1), dt.datetime(2026, 1, 1, 5)):
        result = campaigns.read([known], start_date=start, end_date="2026-02-01T00:00:00Z")
        (asset,) = result.outcomes[0].result.assets["FORM"].results
        assert asset.metrics == {"submissions": 3.0}
    (asset,) = campaigns.read([known]).outcomes[0].result.assets["FORM"].results
    assert not asset.metrics


@pytest.mark.parametrize("text", ["02/03/2026", "soon", "May", "2026", "", 5])
def test_a_date_that_is_none_or_several_is_refused(make_client: ClientFactory, text: str) -> None:
    """A date is never guessed."""
    sandbox = Sandbox()
    with pytest.raises(ConfigurationError, match=r"^start_date must be a date"):
        make_client(transport=sandbox).campaigns.read(["1"], start_date=text, end_date=text)
    assert sandbox.requests == ()


def test_updates_of_one_event_go_one_after_the_other(make_client: ClientFactory) -> None:
    """The last of two updates of an event is the one that stays."""
    sandbox = Sandbox()
    event = sandbox.add_marketing_event("Old")
    other = sandbox.add_marketing_event("Other")
    result = make_client(transport=sandbox).marketing_events.update(
        [
            {"objectId": event, "eventName": "First"},
            MarketingEventUpdate(object_id=other, event_name="Else"),
            {"objectId": event, "eventName": "Last"},
        ]
    )
    assert counts(result) == (3, 0, 0, 0)
    assert [outcome.result.event_name for outcome in result.outcomes] == ["First", "Else", "Last"]
    names = {record.fields["eventName"] for record in sandbox.records("marketing_events")}
    assert names == {"Last", "Else"}


def test_updates_of_unknown_events_fail_by_id(make_client: ClientFactory) -> None:
    """One error can stand for many inputs."""
    sandbox = Sandbox()
    event = sandbox.add_marketing_event("Known")
    rows = [{"objectId": key, "eventName": "New"} for key in ("77", event, "88")]
    result = make_client(transport=sandbox).marketing_events.update(rows)
    assert counts(result) == (1, 2, 0, 0)
    assert [outcome.index for outcome in result.failed] == [0, 2]


def test_iterating_yields_outcomes_chunk_by_chunk(make_client: ClientFactory) -> None:
    """Inputs are read no further than the next request needs."""
    read = 0

    def rows() -> Any:
        nonlocal read
        for number in range(2 * LIMIT + 1):
            read += 1
            yield call_row(number)

    outcomes = make_client(transport=Sandbox(), max_concurrency=1).calls.create_iter(rows())
    assert read == 0
    first = next(outcomes)
    assert first.status is OutcomeStatus.SUCCEEDED
    assert read == LIMIT
    assert 1 + sum(1 for _ in outcomes) == 2 * LIMIT + 1


def test_a_million_bad_inputs_are_told_as_they_are_read(make_client: ClientFactory) -> None:
    """An endless iterable of them yields outcomes nevertheless."""
    outcomes = make_client(transport=Sandbox()).calls.create_iter(itertools.count())
    assert [next(outcomes).index for _ in range(2500)] == list(range(2500))


def test_results_of_nobody_are_said_of_an_iteration(
    make_client: ClientFactory, caplog: pytest.LogCaptureFixture
) -> None:
    """Where there is no `unmatched`, a line of the log says that there were some."""
    body = {"status": "COMPLETE", "results": [{"id": "1", "objectWriteTraceId": "foreign"}]}
    transport = httpx.MockTransport(lambda _: httpx.Response(201, json=body))
    (outcome,) = make_client(transport=transport).calls.create_iter([call_row(1)])
    assert outcome.status is OutcomeStatus.UNKNOWN
    assert "1 results of create_calls could not be matched" in caplog.text


JANUARY = {"start_date": "2026-01-01", "end_date": "2026-01-31"}


def test_every_method_has_an_iterating_form(make_client: ClientFactory) -> None:
    """It says the same of each input."""
    sandbox = Sandbox()
    campaign, event = sandbox.add_campaign("C"), sandbox.add_marketing_event("E")
    client = make_client(transport=sandbox)
    forms = [
        client.calls.create_iter([call_row(1)]),
        client.campaigns.create_iter([{"properties": {"hs_name": "N"}}]),
        client.campaigns.read_iter(
            [campaign], properties=["hs_name"], start_date="2026-01-01", end_date="2026-01-31"
        ),
        client.marketing_events.update_iter([{"objectId": event, "eventName": "F"}]),
    ]
    for outcomes in forms:
        (outcome,) = outcomes
        assert outcome.status is OutcomeStatus.SUCCEEDED
        assert outcome.result is not None


@pytest.mark.parametrize("size", [1, 7, LIMIT])
def test_chunk_size_can_be_smaller(make_client: ClientFactory, size: int) -> None:
    """A smaller chunk size is kept to."""
    sandbox = Sandbox()
    rows = [call_row(number) for number in range(15)]
    assert counts(make_client(transport=sandbox).calls.create(rows, chunk_size=size)) == (
        15,
        0,
        0,
        0,
    )
    assert max(entry.inputs or 0 for entry in sandbox.requests) == min(size, 15)


@pytest.mark.parametrize("size", [0, -1, LIMIT + 1])
def test_chunk_size_beyond_the_limit_is_refused(make_client: ClientFactory, size: int) -> None:
    """The sentence names the limit."""
    with pytest.raises(ConfigurationError, match=f"1 to {LIMIT}"):
        make_client(transport=Sandbox()).calls.create([], chunk_size=size)


@pytest.mark.parametrize("inputs", ["abc", b"abc", {"properties": {}}, 5, None])
def test_what_is_no_list_of_inputs_is_refused(make_client: ClientFactory, inputs: Any) -> None:
    """A text or a mapping is iterable, but never what was meant."""
    with pytest.raises(ConfigurationError, match="iterable of inputs"):
        make_client(transport=Sandbox()).calls.create(inputs)


@pytest.mark.parametrize("properties", ["hs_name", b"hs_name", 5])
def test_properties_as_one_text_are_refused(make_client: ClientFactory, properties: Any) -> None:
    """A text would be read as a list of letters."""
    with pytest.raises(ConfigurationError, match="list of names"):
        make_client(transport=Sandbox()).campaigns.read(["1"], properties=properties)


def test_a_mapping_that_is_filled_anew_for_each_input_is_read_in_time(
    make_client: ClientFactory,
) -> None:
    """The content that the mapping had when it was handed over is sent."""
    sandbox = Sandbox()
    row = call_row(0)

    def rows() -> Any:
        for number in range(3):
            row["properties"]["hs_call_title"] = f"Call {number}"
            yield row

    make_client(transport=sandbox).calls.create(rows())
    titles = {record.properties["hs_call_title"] for record in sandbox.records("calls")}
    assert titles == {"Call 0", "Call 1", "Call 2"}


def test_a_proxy_that_cannot_be_used_is_named(
    make_client: ClientFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment names it."""
    monkeypatch.setenv("HTTPS_PROXY", "gopher://nowhere")
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY"):
        make_client("token")


STOPS: list[tuple[str, type[HubSpotBatchError], int | None]] = [
    ("expired_token", AuthenticationError, 401),
    ("daily_limit", DailyLimitError, 429),
    ("rate_limited", RateLimitError, 429),
    ("locked", UnavailableError, 423),
    ("moved", UnavailableError, 477),
    ("connect_error", UnreachableError, None),
]


@pytest.mark.parametrize(("fault", "error", "status"), STOPS, ids=str)
def test_what_stops_a_run_keeps_its_outcomes(
    make_client: ClientFactory, fault: str, error: type[HubSpotBatchError], status: int | None
) -> None:
    """The second request stops the run: its inputs and the rest are certainly not done."""
    sandbox = Sandbox(faults=script([None, *[fault] * 20]))
    rows = [call_row(number) for number in range(3 * LIMIT)]
    with pytest.raises(error) as caught:
        make_client(transport=sandbox, max_concurrency=1).calls.create(iter(rows))
    result = caught.value.result
    assert result is not None
    assert counts(result) == (LIMIT, 0, 0, 2 * LIMIT)
    assert {outcome.error.kind for outcome in result.not_sent if outcome.error} == {"stopped"}
    assert caught.value.status_code == status
    assert (caught.value.correlation_id is None) == (status is None)
    assert_agrees(result, sandbox, "calls")
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is error
    assert (str(again), again.status_code, again.correlation_id) == (
        str(caught.value),
        caught.value.status_code,
        caught.value.correlation_id,
    )
    assert again.result == result


@pytest.mark.parametrize(("fault", "error", "status"), STOPS, ids=str)
def test_a_stopped_iteration_hands_out_what_it_read(
    make_client: ClientFactory, fault: str, error: type[HubSpotBatchError], status: int | None
) -> None:
    """Inputs that were never read stay the caller's."""
    sandbox = Sandbox(faults=script([None, *[fault] * 20]))
    rows = iter([call_row(number) for number in range(3 * LIMIT)])
    seen: list[OutcomeStatus] = []
    outcomes = make_client(transport=sandbox, max_concurrency=1).calls.create_iter(rows)
    with pytest.raises(error) as caught:
        seen.extend(outcome.status for outcome in outcomes)
    assert seen == [OutcomeStatus.SUCCEEDED] * LIMIT + [OutcomeStatus.NOT_SENT] * LIMIT
    assert caught.value.result == BatchResult(())
    assert len(list(rows)) == LIMIT


def test_an_iterator_whose_closing_is_cut_short_has_an_account() -> None:
    """Requests that are still under way when the block is left are unknown."""
    inner = SandboxTransport(Sandbox(rate_limit=None))

    async def answer(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(1.0 if b"Call 0" in request.content else 9.0)
        return inner.handle_request(request)

    async def main() -> BatchResult[Any]:
        async with AsyncHubSpotBatch(
            SECRET, transport=httpx.MockTransport(answer), clock=virtual.clock(), max_concurrency=2
        ) as client:
            rows = [call_row(number) for number in range(6)]
            outcomes = client.calls.create_iter(rows, chunk_size=1)
            assert (await anext(outcomes)).index == 0
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await outcomes.aclose()
            assert outcomes.result is not None
            return outcomes.result

    result = virtual.run(main())
    assert {outcome.index: str(outcome.status) for outcome in result.outcomes}[1] == "unknown"
    assert not result.succeeded


def test_a_missing_scope_stops_and_is_named(make_client: ClientFactory) -> None:
    """The sentence repeats HubSpot's words, which name the scope."""
    (scope,) = OPERATIONS["create_calls"].scopes
    sandbox = Sandbox(scopes=["marketing.campaigns.read"])
    with pytest.raises(MissingScopesError, match=re.escape(scope)) as caught:
        make_client(transport=sandbox).calls.create([call_row(1)])
    assert caught.value.result is not None
    assert counts(caught.value.result) == (0, 0, 0, 1)


def test_an_iterable_that_raises_keeps_what_was_done(make_client: ClientFactory) -> None:
    """Its exception is the cause; what was read but not sent is not sent."""

    def rows() -> Any:
        yield from (call_row(number) for number in range(LIMIT + 3))
        raise OSError("disk gone")

    sandbox = Sandbox()
    with pytest.raises(InputError, match="OSError") as caught:
        make_client(transport=sandbox).calls.create(rows())
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.result is not None
    assert counts(caught.value.result) == (LIMIT, 0, 0, 3)


LOST = ["reset_after", "closed_after", "timeout_after", "reset_before", "closed_before"]
LOST += ["timeout_before", "truncated_json", "empty_body", "silent_noop"]
LOST += [name for name in FAULTS if name[:3] in ("500", "502", "503", "504", "520", "521")]
LOST += [name for name in FAULTS if name[:3] in ("523", "524")]


@pytest.mark.many
@pytest.mark.parametrize("fault", LOST)
def test_a_create_that_may_have_been_done_is_unknown_and_never_repeated(
    make_client: ClientFactory, fault: str
) -> None:
    """Whether it was done cannot be told from outside, so the error does not tell."""
    sandbox = Sandbox(faults=script([None, fault]))
    rows = [call_row(number) for number in range(2 * LIMIT + 1)]
    result = make_client(transport=sandbox, max_concurrency=1).calls.create(rows)
    assert counts(result) == (LIMIT + 1, 0, LIMIT, 0)
    assert len(sandbox.requests) == 3
    assert_agrees(result, sandbox, "calls")
    assert len(sandbox.records("calls")) == LIMIT + 1 + LIMIT * FAULTS[fault].work_done


@pytest.mark.parametrize("fault", ["522", "525", "526", "530", "redirect"])
def test_other_refusals_fail_the_batch(make_client: ClientFactory, fault: str) -> None:
    """These come from the edge before HubSpot saw the request; a redirect is not followed."""
    sandbox = Sandbox(faults=script([fault]))
    rows = [call_row(number) for number in range(LIMIT + 5)]
    result = make_client(transport=sandbox, max_concurrency=1).calls.create(rows)
    assert counts(result) == (5, LIMIT, 0, 0)
    assert_agrees(result, sandbox, "calls")


HARMLESS = ["success_code", "unknown_enum", "null_fields", "extra_fields", "delay"]


@pytest.mark.parametrize("fault", HARMLESS)
def test_odd_answers_that_say_enough_change_nothing(make_client: ClientFactory, fault: str) -> None:
    """The status class and the body count, not the exact code or form."""
    sandbox = Sandbox(faults=rates({fault: 1.0}))
    rows = [call_row(number) for number in range(20)]
    del rows[3]["properties"]["hs_timestamp"]
    client = make_client(transport=sandbox)
    result = client.calls.create(rows)
    assert counts(result) == (19, 1, 0, 0)
    assert_agrees(result, sandbox, "calls")
    ids = [sandbox.add_campaign(f"C{n}") for n in range(3)]
    assert counts(client.campaigns.read(ids)) == (3, 0, 0, 0)


def test_results_that_the_answer_leaves_out_are_unknown(make_client: ClientFactory) -> None:
    """Half of the results are dropped: the others are known by trace id or properties."""
    sandbox = Sandbox(faults=rates({"drop_results": 1.0}))
    result = make_client(transport=sandbox).calls.create([call_row(n) for n in range(20)])
    assert counts(result) == (10, 0, 10, 0)
    assert_agrees(result, sandbox, "calls")
    assert {o.error.kind for o in result.unknown if o.error} == {"not_mentioned"}


def test_a_read_that_is_not_answered_fails_as_not_returned(make_client: ClientFactory) -> None:
    """A read changes nothing, so it is never unknown."""
    sandbox = Sandbox()
    ids = [sandbox.add_campaign(f"C{n}") for n in range(4)]
    for fault, kind in (
        ("silent_noop", "not_returned"),
        ("timeout_after", "no_answer"),
        ("502", "server_error"),
        ("truncated_json", "server_error"),
    ):
        sandbox.use_faults(script([fault]))
        once = make_client(transport=sandbox, retry=Retry(max_attempts=1))
        result = once.campaigns.read(ids)
        assert counts(result) == (0, 4, 0, 0)
        assert {o.error.kind for o in result.failed if o.error} == {kind}


def test_errors_without_a_name_are_told_but_tied_to_nobody(make_client: ClientFactory) -> None:
    """An error that names no input is in the words of those that stay unknown."""
    sandbox = Sandbox(faults=rates({"bare_errors": 1.0}))
    rows = [call_row(number) for number in range(3)]
    del rows[1]["properties"]["hs_timestamp"]
    result = make_client(transport=sandbox).calls.create(rows)
    assert counts(result)[0] == 2
    (unknown,) = result.unknown
    assert unknown.error is not None
    assert "hs_timestamp" in unknown.error.message


@pytest.mark.many
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**20), size=st.integers(0, 130), chunk=st.integers(1, 40))
def test_under_any_fault_the_account_is_true(
    make_client: ClientFactory, seed: int, size: int, chunk: int
) -> None:
    """Faults hit half of all requests: outcomes add up, and what they say is so."""
    share = 0.5 / len(FAULTS)
    sandbox = Sandbox(seed=seed, faults=dict.fromkeys(FAULTS, share), rate_limit=None)
    rows = [call_row(number) for number in range(size)]
    chunk = min(chunk, LIMIT)
    for number in range(0, size, 9):
        del rows[number]["properties"]["hs_timestamp"]
    result: BatchResult[Any] | None
    try:
        result = make_client(transport=sandbox).calls.create(rows, chunk_size=chunk)
    except HubSpotBatchError as error:
        result = error.result
    assert result is not None
    assert sum(counts(result)) == size
    assert_agrees(result, sandbox, "calls")


def test_a_fresh_token_is_asked_for_once_after_a_401(make_client: ClientFactory) -> None:
    """A long run outlives an OAuth token."""
    sandbox = Sandbox(token="new")
    tokens = iter(["old", "new", *["new"] * 10])
    assert counts(
        make_client(lambda: next(tokens), transport=sandbox).calls.create([call_row(1)])
    ) == ((1, 0, 0, 0))
    assert [entry.status for entry in sandbox.requests] == [401, 201]


def test_a_provider_that_raises_stops_the_run(make_client: ClientFactory) -> None:
    """Its exception is the cause, and nothing was sent."""

    def provide() -> str:
        raise OSError("vault sealed")

    sandbox = Sandbox()
    with pytest.raises(AuthenticationError, match="raised OSError") as caught:
        make_client(provide, transport=sandbox).calls.create([call_row(1)])
    assert caught.value.result is not None
    assert counts(caught.value.result) == (0, 0, 0, 1)
    assert isinstance(caught.value.__cause__, OSError)
    assert sandbox.requests == ()


def test_an_asynchronous_provider_serves_the_asynchronous_client(
    make_client: ClientFactory,
) -> None:
    """The other client says which one to use."""

    async def provide() -> str:
        return "token"

    if make_client.kind == "async":
        client = make_client(provide, transport=Sandbox())
        assert counts(client.calls.create([call_row(1)])) == (1, 0, 0, 0)
    else:
        with pytest.raises(ConfigurationError, match="AsyncHubSpotBatch"):
            make_client(provide)


class _Provider:
    async def __call__(self) -> str:
        return "token"


async def _later() -> str:
    return "token"


@pytest.mark.parametrize("token", [_Provider(), functools.partial(_later), _later])
def test_an_asynchronous_provider_of_any_form_is_refused_at_once(token: Any) -> None:
    """The synchronous client sees it when it is made."""
    with pytest.raises(ConfigurationError, match="AsyncHubSpotBatch"):
        HubSpotBatch(token)


def test_a_provider_that_returns_an_awaitable_is_refused() -> None:
    """A plain function may return one too; it is seen at the first request."""
    token: Any = lambda: _later() if token else ""  # noqa: E731
    client = HubSpotBatch(token, transport=SandboxTransport(Sandbox()))
    with client, pytest.raises(ConfigurationError, match="AsyncHubSpotBatch"):
        client.calls.create([call_row(1)])


@pytest.mark.parametrize(
    "token", ["", "  ", "a\nb", "t\u00f6ken", 5, b"x", "Bearer ken", "'ken'", '"ken"']
)
def test_tokens_that_can_be_none_are_refused(make_client: ClientFactory, token: Any) -> None:
    """The sentence does not repeat the token."""
    with pytest.raises(ConfigurationError) as caught:
        make_client(token)
    assert "ken" not in str(caught.value).replace("token", "")


def test_the_token_comes_from_the_environment(
    make_client: ClientFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an argument HUBSPOT_ACCESS_TOKEN is used; white space around it is not."""
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", " from-env\n")
    sandbox = Sandbox(token="from-env")
    assert counts(make_client(None, transport=sandbox).calls.create([call_row(1)])) == (1, 0, 0, 0)
    monkeypatch.delenv("HUBSPOT_ACCESS_TOKEN")
    with pytest.raises(ConfigurationError, match="HUBSPOT_ACCESS_TOKEN"):
        make_client(None, transport=sandbox)


def test_the_address_comes_from_the_environment(
    make_client: ClientFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an argument HUBSPOT_BASE_URL is used, else HubSpot's public address."""
    monkeypatch.delenv("HUBSPOT_BASE_URL", raising=False)
    assert "'https://api.hubapi.com'" in repr(make_client("token"))
    monkeypatch.setenv("HUBSPOT_BASE_URL", "https://api-eu1.hubapi.com")
    assert "'https://api-eu1.hubapi.com'" in repr(make_client("token"))
    monkeypatch.setenv("HUBSPOT_BASE_URL", "http://api.hubapi.com")
    with pytest.raises(ConfigurationError, match="https"):
        make_client("token")


def test_rate_limit_answers_are_waited_for(make_client: ClientFactory) -> None:
    """A 429 of the rolling window was not done, so it is sent again when the window is open."""
    sandbox = Sandbox(rate_limit=(2, 10.0))
    rows = [call_row(number) for number in range(10)]
    client = make_client(transport=sandbox, rate_limit=None)
    assert counts(client.calls.create(rows, chunk_size=2)) == (10, 0, 0, 0)
    assert 429 in [entry.status for entry in sandbox.requests]


def test_the_rate_limit_is_kept(make_client: ClientFactory) -> None:
    """With the account's own allowance no request is refused as too fast."""
    sandbox = Sandbox(rate_limit=(5, 10.0))
    # Threads share the clock that jumps: one could move it while another's request is on its way.
    most = 1 if make_client.kind == "sync" else 8
    client = make_client(transport=sandbox, rate_limit=RateLimit(5, 10.0), max_concurrency=most)
    rows = [call_row(number) for number in range(40)]
    assert counts(client.calls.create(rows, chunk_size=2)) == (40, 0, 0, 0)
    assert {entry.status for entry in sandbox.requests} == {201}


def test_retry_bounds_the_attempts(make_client: ClientFactory) -> None:
    """No attempt beyond the caller's patience."""
    sandbox = Sandbox(faults=rates({"connect_error": 1.0}))
    with pytest.raises(UnreachableError):
        make_client(transport=sandbox, retry=Retry(max_attempts=3)).calls.create([call_row(1)])
    assert len(sandbox.requests) == 3
    with pytest.raises(UnreachableError):
        make_client(transport=sandbox, retry=Retry(max_elapsed=0)).calls.create([call_row(1)])
    assert len(sandbox.requests) == 4


def test_the_raw_client_sends_through_this_one(make_client: ClientFactory) -> None:
    """A generated function has the token, the retries and the connection of the client."""
    sandbox = Sandbox(token=SECRET, faults=script(["locked"]))
    body = CallBatchInput(inputs=[CallInput(properties={"hs_timestamp": NOON})])
    client = make_client(SECRET, transport=sandbox)
    if make_client.kind == "sync":
        batch = create_calls.sync(client=client.raw, body=body)
    else:
        batch = client._runner.run(create_calls.asyncio(client=client._target.raw, body=body))
    assert isinstance(batch, CallBatch)
    assert len(batch.results) == 1
    assert [entry.status for entry in sandbox.requests] == [423, 201]


def test_what_the_raw_client_returns_sends_through_this_one_too(make_client: ClientFactory) -> None:
    """Other headers or another time limit cost neither the token nor the limits."""
    sandbox = Sandbox(token=SECRET)
    client = make_client(SECRET, transport=sandbox)
    raw = client.raw if make_client.kind == "sync" else client._target.raw
    derived = raw.with_headers({"X-Job": "7"}).with_timeout(httpx.Timeout(5))
    body = CallBatchInput(inputs=[CallInput(properties={"hs_timestamp": NOON})])
    if make_client.kind == "sync":
        answer = create_calls.sync_detailed(client=derived, body=body)
    else:
        answer = client._runner.run(create_calls.asyncio_detailed(client=derived, body=body))
    assert answer.status_code == 201


def test_a_closed_client_says_so(make_client: ClientFactory) -> None:
    """Closing is for good."""
    client = make_client(transport=Sandbox())
    client.close()
    with pytest.raises(ConfigurationError, match="closed"):
        client.calls.create([call_row(1)])


@pytest.mark.parametrize(
    "arguments",
    [
        {"max_concurrency": 0},
        {"max_concurrency": "2"},
        {"transport": "https"},
        {"timeout": "5"},
        {"timeout": -1},
        {"timeout": float("nan")},
        {"clock": None},
        {"max_concurrency": True},
        {"rate_limit": (100, 10)},
        {"retry": None},
        {"base_url": "http://api.hubapi.com"},
    ],
    ids=str,
)
def test_wrong_arguments_are_refused(make_client: ClientFactory, arguments: dict[str, Any]) -> None:
    """A sentence says which one, and nothing is sent."""
    with pytest.raises(ConfigurationError, match=next(iter(arguments))):
        make_client("token", **arguments)


def test_the_token_shows_nowhere(
    make_client: ClientFactory, caplog: pytest.LogCaptureFixture
) -> None:
    """No repr, log line or exception holds it, whatever goes wrong."""
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []
    for fault in FAULTS:
        sandbox = Sandbox(token=SECRET, faults=script([fault] * 6))
        client = make_client(SECRET, transport=sandbox)
        shown += [repr(client), str(client), repr(sandbox)]
        try:
            shown.append(repr(client.calls.create([call_row(1)])))
        except HubSpotBatchError as error:
            shown += [repr(error), repr(error.result), repr(pickle.dumps(error))]
            shown += traceback.format_exception(error)
    shown += [record.getMessage() + repr(record.args) for record in caplog.records]
    assert not [text for text in shown if SECRET in text]


def test_a_server_that_is_not_there(make_client: ClientFactory) -> None:
    """A real connection that is refused stops the run with a sentence."""
    with pytest.raises(UnreachableError, match="No connection") as caught:
        make_client(base_url="http://127.0.0.1:9", retry=Retry(max_attempts=1)).calls.create(
            [call_row(1)]
        )
    assert caught.value.result is not None
    assert counts(caught.value.result) == (0, 0, 0, 1)


def test_context_managers_close() -> None:
    """Leaving the block closes the client."""
    with HubSpotBatch("token", transport=SandboxTransport(Sandbox())) as client:
        client.calls.create([call_row(1)])
    with pytest.raises(ConfigurationError):
        client.calls.create([call_row(1)])


def test_the_clock_fixture_never_waits() -> None:
    """The clock that tests hand in moves the sandbox's instead."""
    sandbox = Sandbox()
    fake = sandbox.clock
    assert isinstance(fake, FakeClock)
    clock_of(fake).sleep(7)
    assert fake() == FakeClock()() + 7
