"""Looking inputs up by a key that is unique, or by a stamp that the run has filled in."""

from __future__ import annotations

import asyncio
import logging
import pickle
import signal
from typing import Any

import httpx
import pytest
from both_clients import ClientFactory, clock_of
from hubspot_batch import (
    AsyncHubSpotBatch,
    Clock,
    ConfigurationError,
    HubSpotBatch,
    MissingScopesError,
    OutcomeStatus,
    result_of,
)
from hubspot_batch.sandbox import LATE, FakeClock, Sandbox, SandboxTransport, rates, script
from hubspot_batch_client.contract import VERSIONS

KEY, STAMP = "source_id", "load_stamp"


def call(title: str, **more: str) -> dict[str, Any]:
    properties = {"hs_timestamp": "2026-01-31T09:30:00Z", "hs_call_title": title, **more}
    return {"properties": properties, "associations": []}


def account(*faults: Any, unique: bool | None = True, **more: Any) -> Sandbox:
    more.setdefault("search_lag", (0.5, 4.0))
    sandbox = Sandbox(faults=script(faults), clock=FakeClock(), **more)
    sandbox.add_property("calls", KEY, unique=unique)
    for family in ("calls", "campaigns"):
        sandbox.add_property(family, STAMP, unique=False)
    return sandbox


def statuses(result: Any) -> list[str]:
    return [str(one.status) for one in result]


def asked(sandbox: Sandbox, operation: str) -> int:
    return sum(one.operation == operation for one in sandbox.requests)


EVIDENCE = pytest.mark.parametrize(
    ("name", "evidence", "operation"),
    [("key_property", "key", "read_calls"), ("stamp_property", "stamp", "search_calls")],
)
NAMES = {"key_property": KEY, "stamp_property": STAMP}


@EVIDENCE
def test_a_run_looks_up_what_it_has_lost(
    make_client: ClientFactory, name: str, evidence: str, operation: str
) -> None:
    """Equal inputs have their own records, and a batch of a hundred takes one request a look."""
    sandbox = account("reset_after")
    calls = make_client(transport=sandbox).calls
    found = calls.create([call("A")] * 100, reconcile=True, **{name: NAMES[name]})
    assert statuses(found) == ["succeeded"] * 100
    assert {one.evidence for one in found} == {evidence}
    assert [one.result.id for one in found] == [one.id for one in sandbox.records("calls")]
    assert asked(sandbox, operation) == 1
    assert found.unmatched == ()


def test_campaigns_are_found_in_the_list_by_their_stamps(make_client: ClientFactory) -> None:
    """The list shows only properties that it is asked for."""
    sandbox = account("timeout_after")
    campaigns = make_client(transport=sandbox).campaigns
    rows = [{"properties": {"hs_name": "A"}}] * 3
    found = campaigns.create(rows, reconcile=True, stamp_property=STAMP)
    assert {(one.evidence, str(one.status)) for one in found} == {("stamp", "succeeded")}
    assert len({one.result.id for one in found}) == 3


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", [*NAMES, None])
def test_look_ups_ask_the_version_of_their_client(
    make_client: ClientFactory, version: str, name: str | None
) -> None:
    """By each evidence, of inputs that are there and, by a key, of those that are not."""
    sandbox = account("reset_after", "timeout_before")
    hubspot = make_client(transport=sandbox, api_version=version)
    given = {} if name is None else {name: NAMES[name]}
    rows = [call(one) for one in "ABC"]
    found = hubspot.calls.create(rows, chunk_size=2, reconcile=True, **given)
    # Either of the two requests, of two inputs and of one, is carried out.
    there = {one.properties["hs_call_title"] for one in sandbox.records("calls")}
    absent = "not_sent" if name == "key_property" else "unknown"
    assert statuses(found) == ["succeeded" if one in there else absent for one in "ABC"]
    assert there
    sandbox.use_faults(script(["reset_after"], operation="create_campaigns"))
    named = {} if name is None else {"stamp_property": STAMP}
    (campaign,) = hubspot.campaigns.create(
        [{"properties": {"hs_name": "A"}}], reconcile=True, **named
    )
    assert campaign.status is OutcomeStatus.SUCCEEDED
    assert all(f"/{version}/" in f"{one.path}/" for one in sandbox.requests)


def test_a_key_that_is_missing_twice_was_not_done(make_client: ClientFactory) -> None:
    """The second time at least 120 s after its request, and 30 s after the first."""
    sandbox = account("timeout_before")
    calls = make_client(transport=sandbox).calls
    lost = calls.create([call("A")], key_property=KEY)
    assert statuses(lost) == ["unknown"]
    begun = sandbox.clock()
    (outcome,) = calls.reconcile(lost)
    assert (outcome.status, outcome.error.kind) == (OutcomeStatus.NOT_SENT, "absent")
    assert sandbox.clock() - begun == pytest.approx(120.0, abs=1.0)


@pytest.mark.parametrize("after", [[119.0], [130.0], [1.0, 119.0], [100.0, 125.0]])
def test_one_missing_read_proves_nothing(make_client: ClientFactory, after: list[float]) -> None:
    """A new record has been seen to come and go, and a request can be carried out late."""
    calls = make_client(transport=account("timeout_before")).calls
    (outcome,) = calls.reconcile(calls.create([call("A")], key_property=KEY), after=after)
    assert (outcome.status, outcome.error.kind) == (OutcomeStatus.UNKNOWN, "not_found")


def test_late_work_is_found_by_its_key(make_client: ClientFactory) -> None:
    """The clock of this machine may be wrong."""
    sandbox = account(LATE)
    fake: Any = sandbox.clock
    right = clock_of(fake)
    clock = type(right)(lambda: fake() - 40_000.0, right.sleep, right.asleep)
    calls = make_client(transport=sandbox, clock=clock).calls
    rows = [call(str(number)) for number in range(5)]
    found = calls.create(rows, key_property=KEY, reconcile=True)
    assert statuses(found) == ["succeeded"] * 5


def test_a_refused_key_is_a_success_that_is_read_back(make_client: ClientFactory) -> None:
    """Of inputs that a run before has created; another record with the key is none."""
    sandbox = account()
    calls = make_client(transport=sandbox).calls
    rows = [call(name, **{KEY: f"id-{name}"}) for name in "ABC"]
    first = calls.create(rows[:2], key_property=KEY)
    other = call("X", **{KEY: "id-B"})
    again = calls.create([rows[0], other, rows[2]], key_property=KEY)
    assert statuses(again) == ["succeeded", "failed", "succeeded"]
    assert (again[0].evidence, again[2].evidence) == ("key", "answer")
    assert again[0].result.id == first[0].result.id
    assert "already has that value" in again[1].error.message
    assert len(sandbox.records("calls")) == 3


def test_two_inputs_with_one_key_are_not_both_done(make_client: ClientFactory) -> None:
    """The record belongs to one of them; the other one is refused, or stays unknown."""
    rows = [call("A", **{KEY: "id"}), call("A", **{KEY: "id"})]
    calls = make_client(transport=account()).calls
    assert sorted(statuses(calls.create(rows, key_property=KEY))) == ["failed", "succeeded"]
    lost = make_client(transport=account("reset_after")).calls.create(
        rows, key_property=KEY, reconcile=True
    )
    assert statuses(lost) == ["unknown"] * 2
    assert {one.error.kind for one in lost} == {"not_distinguished"}


@pytest.mark.parametrize("more", [{}, {"stamp_property": STAMP}])
def test_an_account_without_unique_properties_is_searched(
    make_client: ClientFactory, caplog: pytest.LogCaptureFixture, more: dict[str, str]
) -> None:
    """It says so at the first request, which the log repeats."""
    sandbox = account("reset_after", "timeout_before", unique=False)
    calls = make_client(transport=sandbox).calls
    with caplog.at_level(logging.WARNING):
        rows = [call("A"), call("A")]
        found = calls.create(rows, key_property=KEY, reconcile=True, chunk_size=1, **more)
    assert sorted(statuses(found)) == ["succeeded", "unknown"]
    assert {one.evidence for one in found} == {"stamp", None}
    assert asked(sandbox, "read_calls") == 1
    (said,) = [one.message for one in caplog.records if "is not unique" in one.message]
    assert "non-unique property" in said


def test_what_was_certainly_not_done_is_sent_again(make_client: ClientFactory) -> None:
    """Once, and only where the server would refuse a second."""
    sandbox = account("timeout_before", "reset_after", None)
    calls = make_client(transport=sandbox).calls
    rows = [call(name) for name in "ABC"]
    found = calls.create(rows, key_property=KEY, reconcile=True, resend=True, chunk_size=1)
    assert statuses(found) == ["succeeded"] * 3
    assert [one.result.properties["hs_call_title"] for one in found] == ["A", "B", "C"]
    assert len(sandbox.records("calls")) == 3
    assert asked(sandbox, "create_calls") == 4
    sandbox.use_faults(rates({"timeout_before": 1.0}, operation="create_calls"))
    (outcome,) = calls.create([call("D")], key_property=KEY, reconcile=True, resend=True)
    assert (outcome.status, outcome.error.kind) == (OutcomeStatus.NOT_SENT, "absent")
    assert asked(sandbox, "create_calls") == 6


def test_nothing_is_sent_again_without_a_unique_key(make_client: ClientFactory) -> None:
    """Neither on demand, nor where the account turns out to have none."""
    sandbox = account("timeout_before", unique=False)
    calls = make_client(transport=sandbox).calls
    for wrong in ({"stamp_property": STAMP, "reconcile": True}, {"key_property": KEY}):
        with pytest.raises(ConfigurationError, match="resend"):
            calls.create([call("A")], resend=True, **wrong)
    found = calls.create([call("A")], key_property=KEY, reconcile=True, resend=True)
    assert statuses(found) == ["unknown"]
    assert asked(sandbox, "create_calls") == 1


@pytest.mark.parametrize(
    "fault", ["502", "truncated_json", "drop_results", "refused", "reset_after"]
)
@EVIDENCE
def test_a_failed_look_up_by_a_mark_is_not_an_empty_one(
    make_client: ClientFactory, fault: str, name: str, evidence: str, operation: str
) -> None:
    """A record that is there is never said to be absent."""
    sandbox = account("reset_after")
    calls = make_client(transport=sandbox).calls
    lost = calls.create([call(title) for title in "AB"], **{name: NAMES[name]})
    sandbox.use_faults(rates({fault: 1.0}, operation=operation))
    found = calls.reconcile(lost, assume_absent_after=1.0)
    assert OutcomeStatus.NOT_SENT not in {one.status for one in found}, (evidence, found)


class Spoiled(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Changes the answers to look-ups."""

    connectionless = True

    def __init__(self, sandbox: Sandbox, spoil: Any) -> None:
        self._inner = SandboxTransport(sandbox)
        self._spoil = spoil

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._spoiled(request, self._inner.handle_request(request))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self._spoiled(request, await self._inner.handle_async_request(request))

    def _spoiled(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if not request.url.path.endswith(("/batch/read", "/search")):
            return response
        page = response.json()
        self._spoil(page)
        date = {"Date": response.headers["Date"]}
        status = page.pop("as", response.status_code)
        return httpx.Response(status, json=page, headers=date, request=request)


SPOILS = {
    "no id": lambda page: [one.pop("id") for one in page.get("results", [])],
    "no key": lambda page: [one["properties"].clear() for one in page.get("results", [])],
    "nothing": lambda page: page.update(results=[], errors=[]),
    "nothing, 200": lambda page: page.update({"results": [], "as": 200}) or page.pop("errors", 0),
    "no results": lambda page: page.pop("results", None),
    "other error": lambda page: [one.update(category="BUSY") for one in page.get("errors", [])],
    "other ids": lambda page: [
        one.update(context={"ids": ["9"]}) for one in page.get("errors", [])
    ],
    "404": lambda page: page.clear() or page.update({"category": "NOT_HERE", "as": 404}),
}


@pytest.mark.parametrize("spoil", SPOILS)
@pytest.mark.parametrize("fault", ["reset_after", "reset_before"])
def test_a_read_that_does_not_name_a_key_proves_nothing(
    make_client: ClientFactory, spoil: str, fault: str
) -> None:
    """Only an error that names the key says that it is missing."""
    sandbox = account(fault)
    fake: Any = sandbox.clock
    transport = Spoiled(sandbox, SPOILS[spoil])
    calls = make_client(transport=transport, clock=clock_of(fake)).calls
    (outcome,) = calls.reconcile(calls.create([call("A")], key_property=KEY))
    # What spoils results changes no answer without one, and the same holds for errors.
    untouched = {
        "reset_after": ("other error", "other ids"),
        "reset_before": ("no id", "no key"),
    }
    status = {"reset_after": "succeeded", "reset_before": "not_sent"}[fault]
    assert str(outcome.status) == (status if spoil in untouched[fault] else "unknown")


def test_where_none_is_found_a_404_is_an_answer(make_client: ClientFactory) -> None:
    """If it is HubSpot's own."""
    sandbox = account("reset_before")
    fake: Any = sandbox.clock

    def spoil(page: dict[str, Any]) -> None:
        page.clear()
        page.update({"category": "OBJECT_NOT_FOUND", "message": "no such records", "as": 404})

    calls = make_client(transport=Spoiled(sandbox, spoil), clock=clock_of(fake)).calls
    (outcome,) = calls.reconcile(calls.create([call("A")], key_property=KEY))
    assert (outcome.status, outcome.error.kind) == (OutcomeStatus.NOT_SENT, "absent")


def test_more_stamped_records_than_inputs_are_all_ours(make_client: ClientFactory) -> None:
    """Somebody has copied one; the input was done anyway."""
    sandbox = account("reset_after")
    calls = make_client(transport=sandbox).calls
    lost = calls.create([call("A")], stamp_property=STAMP)
    (record,) = sandbox.records("calls")
    sandbox.add_record("calls", properties=dict(record.properties))
    (outcome,) = found = calls.reconcile(lost)
    assert (outcome.status, outcome.evidence, outcome.result) == ("succeeded", "stamp", None)
    assert len(found.unmatched) == 2


def test_a_stamp_with_other_values_is_not_ours_for_certain(make_client: ClientFactory) -> None:
    """Another run can have drawn the same number."""
    sandbox = account("reset_before")
    calls = make_client(transport=sandbox).calls
    lost = calls.create([call("A")], stamp_property=STAMP)
    (mark,) = lost[0].error.marks
    sandbox.add_record("calls", properties={"hs_call_title": "B", STAMP: mark.value})
    (outcome,) = calls.reconcile(lost)
    assert (outcome.status, outcome.error.kind) == (OutcomeStatus.UNKNOWN, "not_distinguished")


@EVIDENCE
def test_marks_survive_pickling(
    make_client: ClientFactory, name: str, evidence: str, operation: str
) -> None:
    """Another process can look up by them, without the time of the request."""
    sandbox = account("reset_after")
    calls = make_client(transport=sandbox).calls
    lost = pickle.loads(pickle.dumps(calls.create([call("A")], **{name: NAMES[name]})))
    sandbox.clock.advance(10.0)  # type: ignore[attr-defined]
    (outcome,) = calls.reconcile(lost)
    assert (outcome.status, outcome.evidence) == ("succeeded", evidence)
    assert asked(sandbox, operation) == 1


@pytest.mark.parametrize("name", ["key_property", "stamp_property"])
def test_a_caller_s_own_values_are_marks(make_client: ClientFactory, name: str) -> None:
    """Of a run that was not told of them."""
    sandbox = account("reset_after")
    calls = make_client(transport=sandbox).calls
    rows = [call("A", **{NAMES[name]: f"Own {number}"}) for number in range(3)]
    found = calls.reconcile(calls.create(rows), **{name: NAMES[name]})
    assert statuses(found) == ["succeeded"] * 3
    assert len({one.result.id for one in found}) == 3


def test_an_iteration_hands_out_what_was_looked_up(make_client: ClientFactory) -> None:
    """At its end; the others come as before."""
    sandbox = account(None, "reset_after", None)
    calls = make_client(transport=sandbox, max_concurrency=1).calls
    rows = (call(str(number)) for number in range(6))
    outcomes = [*calls.create_iter(rows, chunk_size=2, reconcile=True, stamp_property=STAMP)]
    assert sorted(one.index for one in outcomes) == [*range(6)]
    assert [one.index for one in outcomes][-2:] == [2, 3]
    assert {one.evidence for one in outcomes} == {"answer", "stamp"}


@pytest.mark.parametrize(
    "wrong",
    [
        *({"key_property": "A b"}, {"stamp_property": ""}, {"reconcile": []}),
        *({"reconcile": [-1.0]}, {"key_property": "same", "stamp_property": "same"}),
        {"reconcile": True, "assume_absent_after": "5"},
        {"assume_absent_after": 5.0},
    ],
)
def test_wrong_arguments_are_refused(make_client: ClientFactory, wrong: dict[str, Any]) -> None:
    """Before anything is sent."""
    sandbox = account()
    with pytest.raises(ConfigurationError):
        make_client(transport=sandbox).calls.create([call("A")], **wrong)
    assert not sandbox.requests


def test_a_search_has_as_many_stamps_as_fit(make_client: ClientFactory) -> None:
    """Ten lost batches take no more than five searches, none of them too long."""
    sandbox = account(*["reset_after"] * 10)
    calls = make_client(transport=sandbox).calls
    rows = [call(str(number)) for number in range(1000)]
    found = calls.create(rows, stamp_property=STAMP, reconcile=[10.0])
    assert statuses(found) == ["succeeded"] * 1000
    assert asked(sandbox, "search_calls") <= 5
    assert {one.status for one in sandbox.requests if one.operation == "search_calls"} == {200}


def test_a_key_of_a_run_that_was_not_told_is_read_back(make_client: ClientFactory) -> None:
    """If the caller names it afterwards."""
    sandbox = account()
    calls = make_client(transport=sandbox).calls
    row = call("A", **{KEY: "1"})
    first = calls.create([row])
    again = calls.create([row])
    assert statuses(again) == ["failed"]
    found = calls.reconcile(again, key_property=KEY)
    assert [(one.evidence, one.result.id) for one in found] == [("key", first[0].result.id)]
    assert statuses(calls.reconcile(again)) == ["failed"]


def test_another_conflict_stays_a_refusal(make_client: ClientFactory) -> None:
    """HubSpot has no record with its key, and it is not looked for any longer."""
    sandbox = account()
    calls = make_client(transport=sandbox).calls
    calls.create([call("A", hs_unique_creation_key="1")])
    row = call("B", hs_unique_creation_key="1")
    begun = sandbox.clock()
    (outcome,) = calls.create([row], key_property=KEY, reconcile=True)
    assert (outcome.status, outcome.error.category) == (OutcomeStatus.FAILED, "CONFLICT")
    assert sandbox.clock() - begun < 20.0


def test_an_assumption_is_looked_for_until_its_time(make_client: ClientFactory) -> None:
    """Also at the end of a run."""
    calls = make_client(transport=account("reset_before")).calls
    (outcome,) = calls.create([call("A")], reconcile=[1.0], assume_absent_after=400.0)
    assert (outcome.status, outcome.error.kind) == (OutcomeStatus.NOT_SENT, "not_found")
    assert "at the caller's own risk" in outcome.error.message


def test_a_token_without_the_scope_stops_the_run_in_the_end(make_client: ClientFactory) -> None:
    """With all outcomes; the inputs in doubt stay so."""
    sandbox = account("reset_after", None, scopes=["crm.objects.contacts.write"])
    calls = make_client(transport=sandbox, max_concurrency=1).calls
    with pytest.raises(MissingScopesError) as caught:
        calls.create([call("A"), call("B")], chunk_size=1, reconcile=True)
    assert statuses(caught.value.result) == ["unknown", "succeeded"]


def test_ctrl_c_ends_a_look_up_soon() -> None:
    """The outcomes are those that are known; nothing more is asked."""
    sandbox = account("reset_after", search_lag=(100.0, 110.0))
    fake: Any = sandbox.clock
    naps: list[float] = []

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        fake.advance(seconds)
        if len(naps) == 20:
            signal.raise_signal(signal.SIGINT)

    clock = Clock(fake, sleep, wall=fake)
    with HubSpotBatch("made-up", transport=SandboxTransport(sandbox), clock=clock) as client:
        with pytest.raises(KeyboardInterrupt) as caught:
            client.calls.create([call("A")], reconcile=True)
        (outcome,) = result_of(caught.value) or ()
    assert outcome.status is OutcomeStatus.UNKNOWN
    assert len(naps) == 20
    assert max(naps) <= 0.5


def test_a_cancelled_task_ends_a_look_up_at_once() -> None:
    """The outcomes are those that are known."""
    sandbox = account("reset_after", search_lag=(100.0, 110.0))
    fake: Any = sandbox.clock

    async def main() -> Any:
        task: Any = None

        async def asleep(seconds: float) -> None:
            fake.advance(seconds)
            if fake() > begun + 30.0:
                task.cancel()
            await asyncio.sleep(0)

        begun, clock = fake(), Clock(fake, asleep=asleep, wall=fake)
        transport = SandboxTransport(sandbox)
        async with AsyncHubSpotBatch("made-up", transport=transport, clock=clock) as client:
            work = client.calls.create([call("A")], reconcile=True)
            task = asyncio.ensure_future(work)
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
        return caught.value

    (outcome,) = result_of(asyncio.run(main())) or ()
    assert outcome.status is OutcomeStatus.UNKNOWN


def test_an_iteration_notes_that_keys_are_not_unique(make_client: ClientFactory) -> None:
    """For who shows it to a person."""
    sandbox = account("reset_after", unique=False)
    calls = make_client(transport=sandbox).calls
    outcomes = calls.create_iter([call("A")], key_property=KEY, reconcile=True)
    assert [one.evidence for one in outcomes] == ["stamp"]
    (note,) = outcomes.notes
    assert "is not unique in this account" in note
    assert calls.create_iter([]).notes == ()


def test_a_search_waits_until_its_index_is_built(make_client: ClientFactory) -> None:
    """The server refuses it before; that is a failed look-up, and no empty one."""
    sandbox = Sandbox(clock=FakeClock())
    client = make_client(transport=sandbox)
    create_stamp_of(make_client, client, sandbox)
    (outcome,) = client.calls.create([call("A")], reconcile=[0.5, 30.0], stamp_property="mark_one")
    assert (outcome.status, outcome.evidence) == ("succeeded", "stamp")
    assert [one.status for one in sandbox.requests if one.operation == "search_calls"] == [400, 200]


def create_stamp_of(make_client: ClientFactory, client: Any, sandbox: Sandbox) -> None:
    """Make a property by a request of the API."""
    body = {
        "name": "mark_one",
        "label": "Mark",
        "type": "string",
        "fieldType": "text",
        "groupName": "callsinformation",
    }
    made = make_client.request(client, "POST", "/crm/v3/properties/calls", json=body)
    assert made.status_code == 201
    sandbox.use_faults(script(["reset_after"], operation="create_calls"))


@pytest.mark.parametrize("name", NAMES)
def test_one_key_that_cannot_be_looked_up_keeps_no_other_from_it(
    make_client: ClientFactory, name: str
) -> None:
    """A search has 3,000 characters, and HubSpot refuses a longer one."""
    sandbox = account("reset_after", "reset_after", unique=name == "key_property")
    calls = make_client(transport=sandbox).calls
    keys = [f"key {number}" for number in range(200)]
    keys[3] = "x" * 3500
    rows = [call(key, **{NAMES[name]: key}) for key in keys]
    found = calls.create(rows, reconcile=[5.0, 15.0], **{name: NAMES[name]})
    evidence = name.removesuffix("_property")
    assert [one.evidence for one in found if one.index != 3] == [evidence] * 199
    assert found[3].status == ("unknown" if name == "stamp_property" else "succeeded")


def test_a_stamp_that_was_archived_finds_nothing(make_client: ClientFactory) -> None:
    """The other properties would also find an equal record of another program."""
    sandbox = account("reset_after")
    calls = make_client(transport=sandbox).calls
    lost = calls.create([call("A"), call("B")], stamp_property=STAMP)

    def archived(request: httpx.Request) -> httpx.Response | None:
        if STAMP.encode() not in request.content:
            return None
        body = {"status": "error", "category": "VALIDATION_ERROR", "message": f"no {STAMP} here"}
        return httpx.Response(400, json=body, headers={"Date": "x"}, request=request)

    fake: Any = sandbox.clock
    transport = Refusing(sandbox, archived)
    found = make_client(transport=transport, clock=clock_of(fake)).calls.reconcile(lost)
    assert statuses(found) == ["unknown"] * 2
    assert all(f"HTTP 400 (no {STAMP} here)" in one.error.message for one in found if one.error)


class Refusing(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers some requests itself."""

    connectionless = True

    def __init__(self, sandbox: Sandbox, answer: Any) -> None:
        self._inner = SandboxTransport(sandbox)
        self._answer = answer

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._answer(request) or self._inner.handle_request(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self._answer(request) or await self._inner.handle_async_request(request)


@pytest.mark.parametrize("wrong", [None, "A", 5, [None], ["A"], [{"id": "1"}]])
def test_what_is_no_outcome_is_refused(make_client: ClientFactory, wrong: Any) -> None:
    """By a sentence that says what is wanted."""
    calls = make_client(transport=Sandbox()).calls
    with pytest.raises(ConfigurationError, match="takes a BatchResult or other outcomes"):
        calls.reconcile(wrong)
