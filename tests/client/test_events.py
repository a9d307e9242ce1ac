"""The events that a program is told while a run goes on."""

from __future__ import annotations

import logging
import pickle
import subprocess
import sys
import warnings
from collections import Counter
from contextlib import suppress
from functools import partial
from typing import Any

import attrs
import httpx
import pytest
from both_clients import ClientFactory
from hubspot_batch import (
    Answered,
    AuthenticationError,
    ConfigurationError,
    Event,
    HubSpotBatchError,
    Outcome,
    OutcomeStatus,
    RequestSent,
    RunEnded,
    Settled,
    Wait,
    result_of,
)
from hubspot_batch._operations.call import OperationCall
from hubspot_batch.options import ClientOptions, RateLimit, Retry
from hubspot_batch.sandbox import Sandbox, live_sandbox, script, served
from leak_watch import SECRET

ROWS: list[Any] = [
    {"properties": {"hs_timestamp": "2026-01-31T09:30:00Z", "hs_call_title": f"Call {number}"}}
    for number in range(5)
]
ROWS[3] = {"properties": {"hs_call_title": b"5"}}


def of(kind: type[Any], events: list[Event]) -> list[Any]:
    """The events of one kind."""
    return [event for event in events if isinstance(event, kind)]


@pytest.mark.parametrize("iterates", [False, True])
def test_a_run_is_told_from_its_first_request_to_its_end(
    make_client: ClientFactory, iterates: bool
) -> None:
    """Each attempt before it is sent and after, each outcome once, and the numbers at the end."""
    sandbox = Sandbox(rate_limit=(100, 10.0))
    seen: list[tuple[Event, int]] = []
    client = make_client(
        transport=sandbox,
        on_event=lambda event: seen.append((event, len(sandbox.requests))),
        max_concurrency=1,
    )
    if iterates:
        list(client.calls.create_iter(ROWS, chunk_size=2))
    else:
        client.calls.create(ROWS, chunk_size=2)
    events = [event for event, _ in seen]
    sent = [(event.inputs, event.attempt, n) for event, n in seen if isinstance(event, RequestSent)]
    assert sent == [(2, 1, 0), (2, 1, 1)]
    answered = of(Answered, events)
    assert [event.request_id for event in answered] == [
        event.request_id for event in of(RequestSent, events)
    ]
    assert len({event.request_id for event in answered}) == 2
    assert {(event.status_code, event.error, event.limit) for event in answered} == {
        (201, None, 100)
    }
    assert [event.remaining for event in answered] == [99, 98]
    assert all(event.correlation_id and event.seconds is not None for event in answered)
    known: Counter[OutcomeStatus] = Counter()
    for event in of(Settled, events):
        known.update(event.counts)
    assert known == {OutcomeStatus.SUCCEEDED: 4, OutcomeStatus.FAILED: 1}
    assert isinstance(end := events[-1], RunEnded)
    assert end.counts == known
    assert end.stopped is None
    assert {event.run_id for event in events} == {end.run_id}
    assert {event.operation for event in events} == {"create_calls"}


def test_each_attempt_is_told(make_client: ClientFactory) -> None:
    """All attempts of a request share its number, and each says what failed."""
    events: list[Event] = []
    faults = script(["locked", "connect_error", "500"])
    client = make_client(transport=Sandbox(faults=faults), on_event=events.append)
    client.campaigns.read(["1"])
    (id_,) = {event.request_id for event in of(RequestSent, events)}
    told = [(event.attempt, event.status_code, event.error) for event in of(Answered, events)]
    assert [event.attempt for event in of(RequestSent, events)] == [1, 2, 3, 4]
    assert [one for one in told if one[0] != 2] == [
        *((1, 423, "423"), (3, 500, "500"), (4, 207, None)),
    ]
    assert told[1][1:] == (None, "ConnectError")
    assert {event.request_id for event in of(Answered, events)} == {id_}
    assert len(of(Wait, events)) == 3


def test_a_request_outside_of_a_run_is_told(make_client: ClientFactory) -> None:
    """It belongs to no run and to no operation."""
    events: list[Event] = []
    client = make_client(transport=Sandbox(), on_event=events.append)
    make_client.request(client, "POST", "/crm/v3/objects/calls/batch/create", json={"inputs": []})
    sent, answered = events
    assert isinstance(sent, RequestSent)
    assert isinstance(answered, Answered)
    assert (sent.run_id, sent.operation, sent.inputs) == (None, None, None)
    assert sent.path == "/crm/v3/objects/calls/batch/create"


def test_an_attempt_that_is_broken_off_is_told(make_client: ClientFactory) -> None:
    """Every RequestSent has its Answered, also after an interrupt."""
    events: list[Event] = []

    class Interrupting(httpx.BaseTransport, httpx.AsyncBaseTransport):
        connectionless = True

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            raise KeyboardInterrupt

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise KeyboardInterrupt

    client = make_client(transport=Interrupting(), on_event=events.append)
    with pytest.raises(KeyboardInterrupt):
        client.calls.create(ROWS[:1])
    (answered,) = of(Answered, events)
    assert (answered.seconds, answered.status_code) == (None, None)
    assert answered.error == "CancelledError"


def test_a_run_that_is_stopped_says_why(make_client: ClientFactory) -> None:
    """Its last event names the exception, and counts what was not sent."""
    events: list[Event] = []
    client = make_client(transport=Sandbox(token="another" * 3), on_event=events.append)
    with pytest.raises(AuthenticationError):
        client.calls.create(ROWS[:2])
    assert isinstance(events[-1], RunEnded)
    assert events[-1].counts == {OutcomeStatus.NOT_SENT: 2}
    assert events[-1].stopped == "AuthenticationError"


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit])
def test_a_run_that_is_interrupted_names_what_the_caller_sees(
    make_client: ClientFactory, raised: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    """Its last event and its line in the log have the name of the exception that is raised."""
    events: list[Event] = []

    def interrupted() -> Any:
        yield ROWS[0]
        raise raised

    caplog.set_level("INFO", "hubspot_batch")
    client = make_client(transport=Sandbox(), on_event=events.append)
    with pytest.raises(raised):
        client.calls.create(interrupted())
    assert of(RunEnded, events)[0].stopped == raised.__name__
    assert f"calls.create stopped by {raised.__name__}: " in caplog.text


def test_an_iterator_that_is_left_names_no_failure(make_client: ClientFactory) -> None:
    """`GeneratorExit` says that the program wanted no more."""
    events: list[Event] = []
    client = make_client(transport=Sandbox(), on_event=events.append, max_concurrency=1)
    outcomes = client.calls.create_iter(ROWS[:2] * 50, chunk_size=1)
    next(outcomes)
    outcomes.close()
    assert of(RunEnded, events)[0].stopped == "GeneratorExit"


def test_a_status_without_inputs_counts_as_0(make_client: ClientFactory) -> None:
    """So a function that reads a number need not know which outcomes there were."""
    events: list[Event] = []
    client = make_client(transport=Sandbox(), on_event=events.append)
    client.calls.create(ROWS[3:4])
    for event in (*of(Settled, events), *of(RunEnded, events)):
        assert [event.counts[status] for status in OutcomeStatus] == [0, 1, 0, 0]
        assert event.counts["succeeded"] == 0


class Later:
    async def __call__(self, told: object) -> None:
        raise AssertionError


async def later(told: object) -> None:
    raise AssertionError


async def yielding(told: object) -> Any:
    yield told


@pytest.mark.parametrize("name", ["on_event", "on_outcome", "on_wait"])
@pytest.mark.parametrize("given", [later, Later(), Later().__call__, partial(later), yielding])
def test_a_coroutine_function_is_refused(make_client: ClientFactory, name: str, given: Any) -> None:
    """Nothing would await it, so it would miss every event."""
    with pytest.raises(ConfigurationError, match=f"^{name} must not be asynchronous"):
        make_client(transport=Sandbox(), **{name: given})
    if name != "on_wait":
        with pytest.raises(ConfigurationError, match=f"^{name} must not be asynchronous"):
            make_client(transport=Sandbox()).with_options(**{name: given})


@pytest.mark.parametrize("fault", [None, "locked", "server_error", "forbidden", "bad_request"])
def test_an_event_holds_no_input_no_body_and_no_token(
    make_client: ClientFactory, fault: str | None
) -> None:
    """With each kind of response."""
    events: list[Event] = []
    secret = "a-value-of-a-customer"
    body = {"status": "error", "message": f"{secret} {SECRET}", "category": secret}
    status = {None: 201, "locked": 423, "server_error": 500, "forbidden": 403}.get(fault, 400)

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, json=body)

    client = make_client(
        transport=httpx.MockTransport(answer), on_event=events.append, retry=Retry(1)
    )
    row = {"properties": {"hs_timestamp": "2026-01-31T09:30:00Z", "hs_call_title": secret}}
    with suppress(HubSpotBatchError):
        client.calls.create([row])
    assert len(events) == 4
    for event in events:
        assert attrs.has(type(event))
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            event.run_id = "x"  # type: ignore[misc]
        assert secret not in repr(attrs.asdict(event))
        assert SECRET not in repr(event)
        assert pickle.loads(pickle.dumps(event)) == event


def test_waits_are_events(make_client: ClientFactory) -> None:
    """`on_wait` is told of the same ones, and is deprecated."""
    waits: list[Wait] = []
    events: list[Event] = []
    sandbox = Sandbox(rate_limit=None, faults=script(["locked"]))
    with pytest.warns(
        DeprecationWarning,
        match=r"^The argument on_wait is deprecated since version 0\.1\.0 and goes in 0\.3\.0: "
        r"use on_event\.$",
    ) as caught:
        client = make_client(transport=sandbox, on_wait=waits.append, on_event=events.append)
    assert caught[0].filename.endswith("both_clients.py")  # who made the client
    client.calls.create(ROWS[:1])
    assert waits == of(Wait, events)
    assert [(wait.reason, wait.seconds, wait.status_code) for wait in waits] == [
        ("retry", 2.0, 423)
    ]
    assert {wait.operation for wait in waits} == {"create_calls"}


def test_outcomes_are_handed_out_one_by_one(make_client: ClientFactory) -> None:
    """Each once, as it becomes known, with and without a function for events."""
    seen: list[Outcome[Any]] = []
    client = make_client(transport=Sandbox(), on_outcome=seen.append)
    result = client.calls.create(ROWS, chunk_size=1)
    assert sorted(seen, key=lambda one: one.index) == [*result.outcomes]


def test_a_function_that_raises_changes_nothing(
    make_client: ClientFactory, caplog: pytest.LogCaptureFixture
) -> None:
    """It is the caller's, and its exception is logged."""

    def raising(_: object) -> None:
        raise OSError("the caller's")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        client = make_client(
            transport=Sandbox(faults=script(["locked"])),
            on_event=raising,
            on_outcome=raising,
            on_wait=raising,
        )
    with caplog.at_level(logging.WARNING):
        assert len(client.calls.create(ROWS[:2]).succeeded) == 2
    for name in ("on_event", "on_outcome", "on_wait"):
        assert f"{name} raised OSError." in caplog.text
    assert "the caller's" not in caplog.text


@pytest.mark.parametrize("times", [1, 2, 9])
@pytest.mark.parametrize("iterates", [False, True])
def test_an_interrupt_while_an_event_is_told(
    make_client: ClientFactory, iterates: bool, times: int
) -> None:
    """Whichever it is, and if it comes again: the exception has every outcome that is left."""
    for first in range(8):
        number, raised = 0, list[BaseException]()

        def tell(event: Event, first: int = first, raised: list[BaseException] = raised) -> None:
            nonlocal number
            number += 1
            if first < number <= first + times:
                raised.append(KeyboardInterrupt(number))
                raise raised[-1]

        sandbox = Sandbox(rate_limit=None)
        client = make_client(transport=sandbox, on_event=tell, max_concurrency=1)
        handed: list[Outcome[Any]] = []

        def carry_out(client: Any = client, handed: list[Outcome[Any]] = handed) -> None:
            if iterates:
                handed.extend(client.calls.create_iter(ROWS, chunk_size=2))
            else:
                client.calls.create(ROWS, chunk_size=2)

        with pytest.raises(KeyboardInterrupt) as caught:
            carry_out()
        assert caught.value in raised
        rest = result_of(caught.value)
        assert rest is not None
        known = [*handed, *rest.outcomes]
        assert len({outcome.index for outcome in known}) == len(known)
        assert len(known) == 5 or iterates
        done = sum(outcome.status is OutcomeStatus.SUCCEEDED for outcome in known)
        doubt = sum(outcome.status is OutcomeStatus.UNKNOWN for outcome in known)
        assert done <= len([*sandbox.records("calls")]) <= done + doubt


def test_only_a_function_is_told(make_client: ClientFactory) -> None:
    """Anything else is refused when the client is made."""
    for name, wanted in (("on_event", "an event"), ("on_outcome", "an Outcome")):
        with pytest.raises(
            ConfigurationError,
            match=rf"^{name} must be a function that takes {wanted}, or None; got str",
        ):
            make_client(transport=Sandbox(), **{name: "log"})


# ---------------------------------------------------------------- another process


def test_a_call_can_be_carried_out_in_another_process() -> None:
    """The call and the client's options are pickled; the token is given there again."""
    script_ = """
import pickle, sys
from attrs import asdict
from hubspot_batch import HubSpotBatch
call, options, inputs = pickle.load(sys.stdin.buffer)
with HubSpotBatch("token-of-that-process", **asdict(options, recurse=False)) as hubspot:
    assert hubspot.options == options
    result = hubspot._runner.collect(call, inputs)
sys.stdout.buffer.write(pickle.dumps(result))
"""
    sandbox = live_sandbox()
    with served(sandbox) as url:
        call = OperationCall("create_calls", chunk_size=2)
        options = ClientOptions(url, max_concurrency=2, rate_limit=RateLimit(50, 10.0))
        given = pickle.dumps((call, options, ROWS))
        assert b"token" not in given
        command = [sys.executable, "-c", script_]
        done = subprocess.run(command, input=given, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        result = pickle.loads(done.stdout)
        assert [outcome.index for outcome in result.succeeded] == [0, 1, 2, 4]
        assert len(sandbox.records("calls")) == 4
