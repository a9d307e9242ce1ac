"""Looking up whether inputs were done whose responses were lost."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import attrs
import httpx
import pytest
from both_clients import ClientFactory, clock_of
from hubspot_batch import (
    ConfigurationError,
    MissingScopesError,
    OutcomeStatus,
    RateLimit,
    result_of,
)
from hubspot_batch.sandbox import LATE, FakeClock, Sandbox, SandboxTransport, script


def call(title: str, at: str = "2026-01-31T09:30:00Z", **more: str) -> dict[str, Any]:
    properties = {"hs_timestamp": at, "hs_call_title": title, **more}
    return {"properties": properties, "associations": []}


def campaign(name: str, **more: str) -> dict[str, Any]:
    return {"properties": {"hs_name": name, **more}}


FAMILIES: dict[str, Callable[..., dict[str, Any]]] = {"calls": call, "campaigns": campaign}


@pytest.fixture(params=["calls", "campaigns"])
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def lossy(*faults: Any, lag: tuple[float, float] = (0.5, 4.0), **more: Any) -> Sandbox:
    return Sandbox(faults=script(faults), clock=FakeClock(), search_lag=lag, **more)


def made_by_others(sandbox: Sandbox, family: str, *rows: dict[str, Any]) -> None:
    """Create records as another program does, beside any plan of faults."""
    paths = {"calls": "/crm/v3/objects/calls", "campaigns": "/marketing/v3/campaigns"}
    sandbox.use_faults(None)
    transport = SandboxTransport(sandbox)
    with httpx.Client(transport=transport, base_url="https://api.hubapi.com") as http:
        answer = http.post(
            f"{paths[family]}/batch/create",
            json={"inputs": [*rows]},
            headers={"Authorization": "Bearer other"},
        )
    assert answer.status_code == 201, answer.text


def statuses(result: Any) -> list[str]:
    return [str(one.status) for one in result]


def lookups(sandbox: Sandbox) -> int:
    ways = ("search_calls", "list_campaigns")
    return sum(one.operation in ways for one in sandbox.requests)


def test_a_lost_response_is_looked_up(make_client: ClientFactory, family: str) -> None:
    """All inputs succeed with their records, and it ends with the first look."""
    sandbox = lossy("reset_after")
    part = getattr(make_client(transport=sandbox), family)
    lost = part.create([FAMILIES[family](f"row {number}") for number in range(20)])
    assert statuses(lost) == ["unknown"] * 20
    found = part.reconcile(lost)
    assert statuses(found) == ["succeeded"] * 20
    assert {one.evidence for one in found} == {"properties"}
    assert {one.result.id for one in found} == {one.id for one in sandbox.records(family)}
    named = "hs_call_title" if family == "calls" else "hs_name"
    assert [one.result.properties[named] for one in found] == [f"row {n}" for n in range(20)]
    assert (found.unmatched, lookups(sandbox)) == ((), 1)


def test_what_was_not_done_is_never_said_to_be_absent(
    make_client: ClientFactory, family: str
) -> None:
    """It stays unknown, and the error says how long was looked."""
    sandbox = lossy("timeout_before")
    part = getattr(make_client(transport=sandbox), family)
    lost = part.create([FAMILIES[family]("A")])
    begun = sandbox.clock()
    (outcome,) = part.reconcile(lost)
    assert (outcome.status, outcome.error.kind) == (OutcomeStatus.UNKNOWN, "not_found")
    assert outcome.error.message.startswith("300 s after")
    assert lookups(sandbox) == 5
    assert sandbox.clock() - begun == pytest.approx(300.0, abs=1.0)
    assert outcome.evidence is None


def test_the_caller_may_count_it_as_absent(make_client: ClientFactory, family: str) -> None:
    """At the caller's own risk, after the time that the caller names."""
    sandbox = lossy("reset_before")
    part = getattr(make_client(transport=sandbox), family)
    lost = part.create([FAMILIES[family]("A")])
    (outcome,) = part.reconcile(lost, after=[1.0], assume_absent_after=400.0)
    assert (outcome.status, outcome.error.kind) == (OutcomeStatus.NOT_SENT, "not_found")
    assert "at the caller's own risk" in outcome.error.message
    assert lookups(sandbox) == 2


def test_equal_inputs_are_counted(make_client: ClientFactory, family: str) -> None:
    """As many records as inputs: all were done. Which record is whose stays open."""
    sandbox = lossy("reset_after")
    part = getattr(make_client(transport=sandbox), family)
    rows = [FAMILIES[family](name) for name in ("A", "A", "B")]
    found = part.reconcile(part.create(rows))
    assert statuses(found) == ["succeeded"] * 3
    assert [one.result is None for one in found] == [True, True, False]
    assert len(found.unmatched) == 2


def test_fewer_records_than_inputs_prove_nothing(make_client: ClientFactory, family: str) -> None:
    """Of equal inputs, it is open which were done."""
    sandbox = lossy("reset_after", None)
    part = getattr(make_client(transport=sandbox), family)
    lost = part.create([FAMILIES[family]("A")])
    sandbox.use_faults(script(["reset_before"]))
    also = part.create([FAMILIES[family]("A")])
    found = part.reconcile([*lost, *also])
    assert statuses(found) == ["unknown"] * 2
    assert {one.error.kind for one in found} == {"not_distinguished"}
    (record,) = sandbox.records(family)
    assert [one.id for one in found.unmatched] == [record.id]
    assert record.id in found[0].error.message


def test_more_records_than_inputs_prove_nothing(make_client: ClientFactory, family: str) -> None:
    """Somebody else writes the same."""
    sandbox = lossy("reset_after")
    part = getattr(make_client(transport=sandbox), family)
    lost = part.create([FAMILIES[family]("A"), FAMILIES[family]("B")])
    made_by_others(sandbox, family, FAMILIES[family]("A"))
    found = part.reconcile(lost)
    assert statuses(found) == ["unknown", "succeeded"]
    assert found[0].error.kind == "not_distinguished"


def test_a_record_that_is_somebody_s_is_left_out(make_client: ClientFactory, family: str) -> None:
    """An equal input that succeeded has its own record."""
    sandbox = lossy(None, "reset_before")
    part = getattr(make_client(transport=sandbox), family)
    result = part.create([FAMILIES[family]("A"), FAMILIES[family]("A")], chunk_size=1)
    assert sorted(statuses(result)) == ["succeeded", "unknown"]
    found = part.reconcile(result)
    assert sorted(statuses(found)) == ["succeeded", "unknown"]


def test_equal_inputs_without_a_record_of_their_own_count_too(make_client: ClientFactory) -> None:
    """Their records must not be taken for those of the lost ones."""
    sandbox = lossy(None, "reset_before")
    calls = make_client(transport=sandbox).calls
    done, lost = calls.create([call("A")]), calls.create([call("A")])
    given = [attrs.evolve(done[0], result=None), *lost]
    assert statuses(given) == ["succeeded", "unknown"]
    assert statuses(calls.reconcile(given)) == statuses(given)


def test_records_of_another_time_do_not_count(make_client: ClientFactory, family: str) -> None:
    """Equal ones that were created long before, or long after."""
    sandbox = lossy(None)
    made_by_others(sandbox, family, FAMILIES[family]("A"))
    clock: Any = sandbox.clock
    clock.advance(60.0)
    sandbox.use_faults(script(["reset_before"]))
    part = getattr(make_client(transport=sandbox), family)
    lost = part.create([FAMILIES[family]("A")])
    clock.advance(250.0)
    made_by_others(sandbox, family, FAMILIES[family]("A"))
    (outcome,) = part.reconcile(lost)
    assert outcome.error.kind == "not_found"


def test_late_work_is_found(make_client: ClientFactory, family: str) -> None:
    """A server can carry out a request long after its connection broke."""
    sandbox = lossy(LATE, lag=(0.5, 120.0))
    part = getattr(make_client(transport=sandbox), family)
    lost = part.create([FAMILIES[family](f"row {number}") for number in range(5)])
    assert statuses(part.reconcile(lost)) == ["succeeded"] * 5


@pytest.mark.parametrize("wrong_by", [-50_000.0, 0.0, 50_000.0])
def test_the_server_s_clock_counts(
    make_client: ClientFactory, family: str, wrong_by: float
) -> None:
    """The clock of this machine may be wrong by hours."""
    sandbox = lossy("reset_after")
    fake: Any = sandbox.clock
    right = clock_of(fake)
    clock = type(right)(lambda: fake() + wrong_by, right.sleep, right.asleep)
    part = getattr(make_client(transport=sandbox, clock=clock), family)
    assert statuses(part.reconcile(part.create([FAMILIES[family]("A")]))) == ["succeeded"]


@pytest.mark.parametrize(
    "properties",
    [
        {"hs_call_body": "<p>Agreed &amp; done</p>"},
        {"hs_call_body": " one\r\ntwo "},
        {"hs_call_duration": "60000.0"},
        {"hs_call_title": ""},
    ],
)
def test_values_count_as_the_server_keeps_them(
    make_client: ClientFactory, properties: dict[str, str]
) -> None:
    """Times in any form, numbers, line ends, blanks and HTML."""
    sandbox = lossy("reset_after")
    calls = make_client(transport=sandbox).calls
    row = call(
        "A", "1769851800123", **{k: v for k, v in properties.items() if k != "hs_call_title"}
    )
    row["properties"].update(properties)
    assert statuses(calls.reconcile(calls.create([row]))) == ["succeeded"]


def test_all_lost_requests_share_the_pages(make_client: ClientFactory) -> None:
    """Ten lost requests of a hundred calls take five searches, and no more than 4 a second."""
    sandbox = lossy(*["reset_after"] * 10, lag=(0.5, 3.0))
    calls = make_client(transport=sandbox).calls
    lost = calls.create([call(str(number)) for number in range(1000)])
    assert {*statuses(lost)} == {"unknown"}
    assert {*statuses(calls.reconcile(lost))} == {"succeeded"}
    assert lookups(sandbox) == 5
    assert 429 not in {one.status for one in sandbox.requests}


@pytest.mark.parametrize(
    "fault", ["502", "secondly", "truncated_json", "drop_results", "reset_after"]
)
def test_a_failed_look_up_is_not_an_empty_one(
    make_client: ClientFactory, family: str, fault: str
) -> None:
    """It is made again, and unknown values stay as they were."""
    way = {"calls": "search_calls", "campaigns": "list_campaigns"}[family]
    sandbox = lossy("reset_after")
    part = getattr(make_client(transport=sandbox), family)
    lost = part.create([FAMILIES[family](name) for name in "AB"])
    sandbox.use_faults(script([fault] * 3, operation=way))
    assert statuses(part.reconcile(lost)) == ["succeeded"] * 2
    sandbox.use_faults(script([fault] * 1000, operation=way))
    (outcome, _) = part.reconcile(lost, assume_absent_after=1.0)
    assert (outcome.status, outcome.error.kind) == (OutcomeStatus.UNKNOWN, "no_answer")
    assert "could not be looked up" in outcome.error.message


@pytest.mark.parametrize(
    "spoil",
    [
        lambda page: page.pop("total"),
        lambda page: page["results"][0].pop("id"),
        lambda page: page.update(results=[]),
        lambda page: page.update(total=3),
        lambda page: page["results"][0].pop("createdAt"),
    ],
)
def test_a_page_that_lacks_something_is_not_empty(
    make_client: ClientFactory, family: str, spoil: Any
) -> None:
    """A total, an id, a record, the next page, a time."""
    sandbox = lossy("reset_after")
    inner = SandboxTransport(sandbox)

    class Spoiling(httpx.BaseTransport, httpx.AsyncBaseTransport):
        connectionless = True

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            return self._spoiled(request, inner.handle_request(request))

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return self._spoiled(request, await inner.handle_async_request(request))

        @staticmethod
        def _spoiled(request: httpx.Request, response: httpx.Response) -> httpx.Response:
            if "batch" in request.url.path or not (page := response.json())["results"]:
                return response
            spoil(page)
            date = {"Date": response.headers["Date"]}
            return httpx.Response(200, json=page, headers=date, request=request)

    fake: Any = sandbox.clock
    part = getattr(make_client(transport=Spoiling(), clock=clock_of(fake)), family)
    lost = part.create([FAMILIES[family](name) for name in "AB"])
    found = part.reconcile(lost, assume_absent_after=1.0)
    assert statuses(found) == ["unknown"] * 2
    assert "could not be looked up" in found[0].error.message


def test_a_token_without_the_scope_is_told(make_client: ClientFactory) -> None:
    """The exception carries the outcomes as they are known."""
    sandbox = lossy("reset_after", scopes=["crm.objects.contacts.write"])
    calls = make_client(transport=sandbox).calls
    lost = calls.create([call("A")])
    with pytest.raises(MissingScopesError, match=r"calls\.reconcile") as caught:
        calls.reconcile(lost)
    assert statuses(caught.value.result) == ["unknown"]
    assert result_of(caught.value)[0].error.kind == "no_answer"  # type: ignore[index]


@pytest.mark.parametrize("fault", ["cut_texts", "straightened"])
def test_a_record_with_changed_values_is_not_absent(
    make_client: ClientFactory, family: str, fault: str
) -> None:
    """It can be the input's, so that one is neither done for certain nor to be sent again."""
    way = {"calls": "search_calls", "campaigns": "list_campaigns"}[family]
    sandbox = lossy("reset_after")
    part = getattr(make_client(transport=sandbox), family)
    more = "hs_call_body" if family == "calls" else "hs_notes"
    row = FAMILIES[family]("A", **{more: "\u201cone\u201d and two and three and four and five"})
    row["properties"][more] += " " + "and so on" * 10
    lost = part.create([row])
    sandbox.use_faults(script([fault] * 99, operation=way))
    (outcome,) = part.reconcile(lost, assume_absent_after=300.0)
    assert (outcome.status, outcome.error.kind) == (OutcomeStatus.UNKNOWN, "not_distinguished")
    (record,) = sandbox.records(family)
    assert record.id in outcome.error.message


def test_nothing_in_doubt_asks_nothing(make_client: ClientFactory, family: str) -> None:
    """Also where there is no outcome at all."""
    sandbox = Sandbox()
    part = getattr(make_client(transport=sandbox), family)
    result = part.create([FAMILIES[family]("A")])
    assert part.reconcile(result).outcomes == result.outcomes
    assert len(part.reconcile([])) == 0
    assert lookups(sandbox) == 0


def test_outcomes_of_another_process_have_no_time(make_client: ClientFactory) -> None:
    """Its clock is not this one's, so they stay as they are."""
    sandbox = lossy("reset_after")
    calls = make_client(transport=sandbox).calls
    lost = pickle.loads(pickle.dumps(calls.create([call("A")])))
    (outcome,) = calls.reconcile(lost)
    assert (outcome.status, outcome.error.kind) == (OutcomeStatus.UNKNOWN, "no_answer")
    assert "When its request was sent is not known here" in outcome.error.message
    assert lookups(sandbox) == 0


def test_a_late_look_makes_up_for_the_earlier_ones(make_client: ClientFactory, family: str) -> None:
    """Times that have passed are one look at once."""
    sandbox = lossy("reset_after")
    part = getattr(make_client(transport=sandbox), family)
    lost = part.create([FAMILIES[family]("A")])
    clock: Any = sandbox.clock
    clock.advance(3600.0)
    before = clock()
    assert statuses(part.reconcile(lost)) == ["succeeded"]
    assert (lookups(sandbox), clock() - before) == (1, 0.0)


@pytest.mark.parametrize("wrong", [{"after": []}, {"after": [-1]}, {"assume_absent_after": "5"}])
def test_wrong_times_are_refused(make_client: ClientFactory, wrong: dict[str, Any]) -> None:
    """Before anything is sent."""
    with pytest.raises(ConfigurationError):
        make_client(transport=Sandbox()).calls.reconcile([], **wrong)


def test_inputs_of_another_operation_are_refused(make_client: ClientFactory) -> None:
    """A call is no campaign."""
    client = make_client(transport=lossy("reset_after"))
    lost = client.calls.create([call("A")])
    with pytest.raises(ConfigurationError, match="campaigns"):
        client.campaigns.reconcile(lost)


def test_searches_are_no_part_of_the_window(make_client: ClientFactory) -> None:
    """They wait for their own allowance; the request limit of the client holds, too."""
    sandbox = lossy("reset_after", rate_limit=(2, 10.0))
    calls = make_client(transport=sandbox, rate_limit=RateLimit(2, 10.0)).calls
    assert statuses(calls.reconcile(calls.create([call("A")]))) == ["succeeded"]
    assert 429 not in {one.status for one in sandbox.requests}


def test_more_records_than_a_search_shows_take_another_search(
    make_client: ClientFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search ends after 10,000 records, and the next one begins where it ended."""
    monkeypatch.setattr("hubspot_batch.sandbox.lookups._HITS_AT_MOST", 400)
    monkeypatch.setattr("hubspot_batch._lookup.endpoints.RESULTS_AT_MOST", 400)
    clock = FakeClock()
    sandbox = Sandbox(faults=script(["reset_after"] * 3), clock=clock, search_lag=(0.5, 2.0))
    calls = make_client(transport=sandbox, clock=clock_of(clock)).calls
    lost: list[Any] = []
    for part in range(3):
        lost += calls.create([call(f"row {part} {number}") for number in range(100)])
        clock.advance(1.0)
    for _ in range(3):
        made_by_others(sandbox, "calls", *[call(f"other {number}") for number in range(100)])
        clock.advance(1.0)
    found = calls.reconcile(lost)
    assert statuses(found) == ["succeeded"] * 300
    assert len({one.result.id for one in found}) == 300


def test_records_of_one_moment_beyond_a_search_are_no_proof(
    make_client: ClientFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No search shows them all, so the look-up has failed."""
    monkeypatch.setattr("hubspot_batch.sandbox.lookups._HITS_AT_MOST", 200)
    monkeypatch.setattr("hubspot_batch._lookup.endpoints.RESULTS_AT_MOST", 200)
    sandbox = lossy("reset_after")
    calls = make_client(transport=sandbox).calls
    lost = calls.create([call("row")])
    for part in range(3):
        made_by_others(sandbox, "calls", *[call(f"{part} {number}") for number in range(100)])
    found = calls.reconcile(lost)
    assert statuses(found) == ["unknown"]
    assert "more records were created at one time than a search shows" in found[0].error.message
