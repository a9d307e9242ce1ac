"""Two hundred users of one client at the same time: everyone gets his own, and nothing twice.

Each user is a thread, or a task, that does one of the things that a client can do, with inputs that
no other has. The outcomes are compared with what the sandbox holds.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx
import pytest
import virtual_time as virtual
from attrs import define, field
from both_clients import clock_of, look_at, watched_errors
from hubspot_batch import (
    AsyncHubSpotBatch,
    BatchResult,
    HubSpotBatch,
    HubSpotBatchError,
    Outcome,
    OutcomeStatus,
    RateLimit,
    Retry,
    result_of,
)
from hubspot_batch.sandbox import FakeClock, Sandbox, SandboxTransport
from hubspot_batch_client.api.calls import create_calls
from hubspot_batch_client.models import CallBatchInput, CallInput
from leak_watch import SECRET, WATCH
from scripted_server import NOON

USERS = 200
EACH = 5
WIDTH = 8
# A twentieth of the requests meets each of these.
FAULTS = ("reset_before", "reset_after", "502", "503_after", "locked", "connect_error")
FAULTS += ("rate_limited", "silent_noop", "drop_results", "truncated_json")


class Crowded(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A sandbox that counts who is in it.

    The first requests wait until as many are in it as may be, so a client that sends fewer at a
    time than it could is found out. `meet` is called with the number of each request.
    """

    def __init__(self, sandbox: Sandbox, wait_for: int = WIDTH) -> None:
        self.most = 0
        self.inside = 0
        self.count = 0
        self.meet: Callable[[int], object] = lambda _: None
        self.sandbox = sandbox
        self._inner = SandboxTransport(sandbox)
        self._lock = threading.Lock()
        self._wait_for = wait_for
        self._full = threading.Event()

    def _enter(self) -> None:
        with self._lock:
            self.inside += 1
            self.count += 1
            self.most = max(self.most, self.inside)
            self.meet(self.count)
            if self.inside >= self._wait_for:
                self._full.set()

    def _leave(self) -> None:
        with self._lock:
            self.inside -= 1

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._enter()
        try:
            assert self._full.wait(10), "never as many requests at a time as may be"
            return self._inner.handle_request(request)
        finally:
            self._leave()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._enter()
        try:
            for _ in range(5000):
                await asyncio.sleep(0)
                if self._full.is_set():
                    break
            else:
                raise AssertionError("never as many requests at a time as may be")
            await asyncio.sleep(0.05)  # a request takes longer than any step of ours
            return await self._inner.handle_async_request(request)
        finally:
            self._leave()


@define
class User:
    """One of many, with inputs of his own, and what he was told of them."""

    number: int
    deed: str
    inputs: list[Any]
    outcomes: list[Outcome[Any]] = field(factory=list)

    def note_raw(self, answer: Any) -> None:
        """Take what a generated function returned as an outcome."""
        status = OutcomeStatus.UNKNOWN
        if answer.status_code in (200, 201) and getattr(answer.parsed, "results", None):
            status = OutcomeStatus.SUCCEEDED
        elif answer.status_code in (401, 423, 429):
            status = OutcomeStatus.NOT_SENT
        self.outcomes.append(Outcome(0, self.inputs[0], status))


DEEDS = ("calls", "calls iter", "campaigns", "campaigns iter", "events", "read", "read iter", "raw")


def users(sandbox: Sandbox) -> list[User]:
    """Two hundred, whose deeds are mixed."""
    return [User(number, deed, list(rows(sandbox, number, deed))) for number, deed in numbered()]


def numbered() -> Iterable[tuple[int, str]]:
    return ((number, DEEDS[number % len(DEEDS)]) for number in range(USERS))


def rows(sandbox: Sandbox, number: int, deed: str) -> Iterable[Any]:
    for index in range(1 if deed == "raw" else EACH):
        name = f"{index} of user {number}"
        if deed.startswith("read"):
            yield sandbox.add_campaign(name)
        elif deed == "events":
            yield {"objectId": sandbox.add_marketing_event("old"), "eventName": name}
        elif deed.startswith("campaigns"):
            yield {"properties": {"hs_name": name}}
        else:
            yield {"properties": {"hs_timestamp": NOON, "hs_call_title": name}}


def raw_body(user: User) -> CallBatchInput:
    return CallBatchInput(inputs=[CallInput.from_dict({**user.inputs[0], "associations": []})])


def methods(client: Any) -> dict[str, Callable[..., Any]]:
    return {
        "calls": client.calls.create,
        "calls iter": client.calls.create_iter,
        "campaigns": client.campaigns.create,
        "campaigns iter": client.campaigns.create_iter,
        "events": client.marketing_events.update,
        "read": partial(client.campaigns.read, properties=["hs_name"]),
        "read iter": partial(client.campaigns.read_iter, properties=["hs_name"]),
    }


def act(client: HubSpotBatch, user: User) -> None:
    """Do what a user does, in his thread."""
    if user.deed == "raw":
        user.note_raw(create_calls.sync_detailed(client=client.raw, body=raw_body(user)))
        return
    made = methods(client)[user.deed](iter(user.inputs), chunk_size=2)
    for outcome in made.outcomes if isinstance(made, BatchResult) else made:
        user.outcomes.append(outcome)


async def act_async(client: AsyncHubSpotBatch, user: User) -> None:
    """Do what a user does, in his task."""
    if user.deed == "raw":
        user.note_raw(await create_calls.asyncio_detailed(client=client.raw, body=raw_body(user)))
        return
    made = methods(client)[user.deed](iter(user.inputs), chunk_size=2)
    if isinstance(made, AsyncIterator):
        async for outcome in made:
            user.outcomes.append(outcome)
    else:
        user.outcomes += (await made).outcomes


@contextmanager
def noting(user: User) -> Iterator[None]:
    """Let a user note what he is told by an exception."""
    try:
        with watched_errors("a user"):
            yield
    except HubSpotBatchError as error:
        result = result_of(error)
        user.outcomes += result.outcomes if result else ()
    except httpx.HTTPError:
        assert user.deed == "raw"
        user.outcomes.append(Outcome(0, user.inputs[0], OutcomeStatus.UNKNOWN))


def crowd(kind: str, everyone: list[User], token: Any, **arguments: Any) -> None:
    """Let everyone use one client at the same time."""
    if kind == "sync":
        threads(everyone, token, arguments)
    else:
        virtual.run(tasks(everyone, token, arguments))


def threads(everyone: list[User], token: Any, arguments: dict[str, Any]) -> None:
    together = threading.Barrier(USERS, timeout=30)

    def use(user: User) -> None:
        together.wait()
        with noting(user):
            act(client, user)

    with (
        HubSpotBatch(token, **arguments) as client,
        ThreadPoolExecutor(max_workers=USERS) as pool,
    ):
        list(pool.map(use, everyone))
        look_at(client)


async def tasks(everyone: list[User], token: Any, arguments: dict[str, Any]) -> None:
    arguments.setdefault("clock", virtual.clock())

    async def use(user: User) -> None:
        with noting(user):
            await act_async(client, user)

    async with AsyncHubSpotBatch(token, **arguments) as client, asyncio.TaskGroup() as group:
        for user in everyone:
            group.create_task(use(user))
    look_at(client)


def assert_all_true(everyone: list[User], sandbox: Sandbox) -> Counter[OutcomeStatus]:
    """Hold what everyone was told against the store; returns how often each status was told."""
    made = Counter(
        str(record.properties.get(name))
        for store, name in (("calls", "hs_call_title"), ("campaigns", "hs_name"))
        for record in sandbox.records(store)
        if record.made_by
    )
    assert set(made.values()) == {1}, "something was made twice"
    events = {record.id: record for record in sandbox.records("marketing_events")}
    told: Counter[OutcomeStatus] = Counter()
    results: list[str] = []
    told_of: set[str] = set()
    for user in everyone:
        WATCH.value("outcomes", user.outcomes)
        # An iteration that was stopped leaves what it has not read to the caller.
        count = len(user.outcomes) if user.deed.endswith("iter") else len(user.inputs)
        assert sorted(outcome.index for outcome in user.outcomes) == [*range(count)]
        for outcome in user.outcomes:
            assert outcome.input is user.inputs[outcome.index]
            done = is_done(user, outcome, made, events)
            if outcome.status is OutcomeStatus.SUCCEEDED:
                assert done
            elif outcome.status is not OutcomeStatus.UNKNOWN:
                assert not done or user.deed.startswith("read")
            if outcome.result is not None:
                assert f"{outcome.index} of user {user.number}" in repr(outcome.result)
                results.append(str(getattr(outcome.result, "id", None) or outcome.result.object_id))
            told[outcome.status] += 1
        told_of.update(f"{outcome.index} of user {user.number}" for outcome in user.outcomes)
    assert set(made) <= told_of, "something was made that has no outcome"
    assert len(results) == len(set(results)), "a result was told to two"
    return told


def is_done(user: User, outcome: Outcome[Any], made: Counter[str], events: dict[str, Any]) -> bool:
    if user.deed.startswith("read"):
        return True
    name = f"{outcome.index} of user {user.number}"
    if user.deed == "events":
        return bool(events[outcome.input["objectId"]].fields["eventName"] == name)
    return name in made


def arguments(crowded: Crowded, **more: Any) -> dict[str, Any]:
    """Those of the client; threads share a clock that whoever sleeps moves."""
    clock = crowded.sandbox.clock
    timed = {"clock": clock_of(clock)} if isinstance(clock, FakeClock) else {}
    return {
        "transport": crowded,
        "max_concurrency": WIDTH,
        "rate_limit": None,
        **timed,
        **more,
    }


def loop_time() -> float:
    """The time of the loop that runs, if one does: what tasks wait for is passed over there."""
    try:
        return asyncio.get_running_loop().time()
    except RuntimeError:
        return 0.0


both = pytest.mark.parametrize("kind", ["sync", "async"])


@pytest.mark.many
@both
def test_everyone_gets_his_own(kind: str) -> None:
    """All is done once, and as many requests are under way as may be, and no more."""
    sandbox = Sandbox(rate_limit=None, token=SECRET)
    everyone, crowded = users(sandbox), Crowded(sandbox)
    crowd(kind, everyone, SECRET, **arguments(crowded))
    told = assert_all_true(everyone, sandbox)
    assert told == {OutcomeStatus.SUCCEEDED: sum(len(user.inputs) for user in everyone)}
    assert crowded.most == WIDTH
    assert crowded.inside == 0
    # Three requests each, and one of the generated client; none went out twice.
    assert crowded.count == sum((len(user.inputs) + 1) // 2 for user in everyone)


@pytest.mark.many
@both
def test_under_faults_everyone_is_told_the_truth(kind: str) -> None:
    """Half of the requests go wrong, each in its own way."""
    sandbox = Sandbox(seed=1, faults=dict.fromkeys(FAULTS, 0.05), rate_limit=None)
    everyone, crowded = users(sandbox), Crowded(sandbox)
    crowd(kind, everyone, SECRET, **arguments(crowded))
    told = assert_all_true(everyone, sandbox)
    assert all(told[status] for status in (OutcomeStatus.SUCCEEDED, OutcomeStatus.UNKNOWN))
    assert crowded.most == WIDTH


@both
def test_the_token_is_renewed_once_each_time_it_expires(kind: str) -> None:
    """However many meet the 401, the provider is asked once for all of them."""
    sandbox = Sandbox(rate_limit=None, token=f"{SECRET}-0")
    everyone, crowded = users(sandbox), Crowded(sandbox)
    valid = [f"{SECRET}-0"]

    def expire(number: int) -> None:
        if number in (100, 350):
            valid.append(f"{SECRET}-{number}")
            sandbox.use_token(valid[-1])

    crowded.meet = expire
    asked: list[str] = []

    def provide() -> str:
        asked.append(valid[-1])
        return asked[-1]

    async def provide_later() -> str:
        await asyncio.sleep(0)
        return provide()

    given = provide if kind == "sync" else provide_later
    crowd(kind, everyone, given, **arguments(crowded))
    told = assert_all_true(everyone, sandbox)
    assert told == {OutcomeStatus.SUCCEEDED: sum(len(user.inputs) for user in everyone)}
    assert asked == valid
    assert len(valid) == 3
    # Only those that were under way when it expired; who waits for a place takes the new one.
    refused = [entry.number for entry in sandbox.requests if entry.status == 401]
    assert 2 <= len(refused) <= 2 * WIDTH


@both
def test_a_token_that_nobody_renews_stops_everyone(kind: str) -> None:
    """Requests that ended before are done; the others are told that nothing of theirs was sent."""
    sandbox = Sandbox(rate_limit=None, token=SECRET)
    everyone, crowded = users(sandbox), Crowded(sandbox)
    crowded.meet = lambda number: sandbox.use_token("another") if number == 200 else None
    crowd(kind, everyone, SECRET, **arguments(crowded))
    told = assert_all_true(everyone, sandbox)
    assert set(told) == {OutcomeStatus.SUCCEEDED, OutcomeStatus.NOT_SENT}
    # Each user who goes on meets it himself, with what he has under way.
    assert crowded.count < 200 + USERS * 3


LIMITS = [RateLimit(30, 10.0), RateLimit(100, 10.0, learns=True)]


@pytest.mark.many
@both
@pytest.mark.parametrize("limit", LIMITS, ids=str)
def test_everyone_together_keeps_the_rate_limit(kind: str, limit: RateLimit) -> None:
    """No request is refused as one too many, since all share one limit."""
    allowed = (30, 10.0) if limit.learns else (limit.requests, limit.seconds)
    if kind == "sync":
        # With several under way, one thread's sleep would move the clock under another's request.
        sandbox, width = Sandbox(rate_limit=allowed), 1
    else:
        sandbox, width = Sandbox(rate_limit=allowed, clock=loop_time), WIDTH
    everyone, crowded = users(sandbox), Crowded(sandbox, width)
    crowd(kind, everyone, SECRET, **arguments(crowded, rate_limit=limit, max_concurrency=width))
    told = assert_all_true(everyone, sandbox)
    assert told == {OutcomeStatus.SUCCEEDED: sum(len(user.inputs) for user in everyone)}
    assert not [entry.number for entry in sandbox.requests if entry.status == 429]
    assert crowded.most == width


@pytest.mark.many
@both
def test_a_refusal_as_too_many_is_waited_for_by_all(kind: str) -> None:
    """Where the limit is not known, a refusal is waited for by all, and no input is lost."""
    sandbox = Sandbox(rate_limit=(30, 10.0))
    everyone, crowded = users(sandbox), Crowded(sandbox)
    # Each thread's sleep moves the clock under all others' requests, so time must not run out.
    patient = Retry(max_attempts=50, max_elapsed=1e9)
    crowd(kind, everyone, SECRET, **arguments(crowded, retry=patient))
    told = assert_all_true(everyone, sandbox)
    assert told == {OutcomeStatus.SUCCEEDED: sum(len(user.inputs) for user in everyone)}
    assert 429 in {entry.status for entry in sandbox.requests}
