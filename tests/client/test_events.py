"""The events that a program is told while a run goes on."""

from __future__ import annotations

import logging
import pickle
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest
from both_clients import ClientFactory
from hubspot_batch import (
    AuthenticationError,
    ConfigurationError,
    Event,
    OutcomesKnown,
    OutcomeStatus,
    RequestStarting,
    RunEnded,
    Wait,
)
from hubspot_batch._operations.call import OperationCall
from hubspot_batch.options import ClientOptions, RateLimit
from hubspot_batch.sandbox import Sandbox, live_sandbox, script, served

ROWS: list[Any] = [
    {"properties": {"hs_timestamp": "2026-01-31T09:30:00Z", "hs_call_title": f"Call {number}"}}
    for number in range(5)
]
ROWS[3] = {"properties": {"hs_call_title": b"5"}}


@pytest.mark.parametrize("iterates", [False, True])
def test_a_run_is_told_from_its_first_request_to_its_end(
    make_client: ClientFactory, iterates: bool
) -> None:
    """Each request before it is sent, each outcome once, and the numbers at the end."""
    sandbox = Sandbox(rate_limit=None)
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
    starting = [(event, sent) for event, sent in seen if isinstance(event, RequestStarting)]
    assert [(event.indexes, sent) for event, sent in starting] == [((0, 1), 0), ((2, 4), 1)]
    assert [event.inputs for event, _ in starting] == [(ROWS[0], ROWS[1]), (ROWS[2], ROWS[4])]
    known = [one for event in events if isinstance(event, OutcomesKnown) for one in event.outcomes]
    assert sorted(outcome.index for outcome in known) == [0, 1, 2, 3, 4]
    end = events[-1]
    assert isinstance(end, RunEnded)
    assert end.counts == Counter(outcome.status for outcome in known)
    assert end.counts == {OutcomeStatus.SUCCEEDED: 4, OutcomeStatus.FAILED: 1}
    assert end.stopped is None
    assert {getattr(event, "run_id", end.run_id) for event in events} == {end.run_id}
    assert {getattr(event, "operation", end.operation) for event in events} == {"create_calls"}


def test_a_run_that_is_stopped_says_why(make_client: ClientFactory) -> None:
    """Its last event names the reason, and counts what was not sent."""
    events: list[Event] = []
    client = make_client(transport=Sandbox(token="another" * 3), on_event=events.append)
    with pytest.raises(AuthenticationError):
        client.calls.create(ROWS[:2])
    assert isinstance(events[-1], RunEnded)
    assert events[-1].counts == {OutcomeStatus.NOT_SENT: 2}
    assert "does not accept the token" in str(events[-1].stopped)


def test_waits_are_events(make_client: ClientFactory) -> None:
    """Both functions are told of the same ones."""
    waits: list[Wait] = []
    events: list[Event] = []
    sandbox = Sandbox(rate_limit=None, faults=script(["locked"]))
    client = make_client(transport=sandbox, on_wait=waits.append, on_event=events.append)
    client.calls.create(ROWS[:1])
    assert waits == [event for event in events if isinstance(event, Wait)]
    assert [(wait.reason, wait.seconds, wait.status_code) for wait in waits] == [
        ("retry", 2.0, 423)
    ]


def test_a_function_that_raises_changes_nothing(
    make_client: ClientFactory, caplog: pytest.LogCaptureFixture
) -> None:
    """It is the caller's, and its exception is logged."""

    def raising(_: Event) -> None:
        raise OSError("the caller's")

    client = make_client(transport=Sandbox(rate_limit=None), on_event=raising)
    with caplog.at_level(logging.WARNING):
        assert len(client.calls.create(ROWS[:2]).succeeded) == 2
    assert "on_event or on_wait raised OSError." in caplog.text


def test_only_a_function_is_told(make_client: ClientFactory) -> None:
    """Anything else is refused when the client is made."""
    with pytest.raises(
        ConfigurationError,
        match=r"^on_event must be a function that takes an event, or None; got str",
    ):
        make_client(transport=Sandbox(), on_event="log")


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
