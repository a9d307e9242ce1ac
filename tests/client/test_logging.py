"""The log lines of a run: one at its end, one for each longer wait, and those of requests."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from both_clients import ClientFactory
from hubspot_batch import DailyLimitError, HubSpotBatch, RateLimit, Retry
from hubspot_batch.sandbox import Sandbox
from leak_watch import SECRET
from scripted_server import CALLS, READ, ScriptedServer, carry_out, fails, meeting, says, wanted

PATH = "/crm/v3/objects/calls/batch/create"


class Lines:
    """The records of our logger."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog

    def at(self, level: int) -> list[Any]:
        """Those of a level, in their order."""
        ours = (one for one in self._caplog.records if one.name == "hubspot_batch")
        return [one for one in ours if one.levelno == level]


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[Lines]:
    caplog.set_level(logging.DEBUG, "hubspot_batch")
    yield Lines(caplog)
    assert SECRET not in caplog.text


@pytest.mark.parametrize("iterates", [False, True])
def test_a_run_ends_with_one_line(make_client: ClientFactory, lines: Lines, iterates: bool) -> None:
    """It has the numbers in words, and as fields."""
    sandbox = Sandbox(rate_limit=None)
    rows = [*wanted(sandbox, CALLS, 5), {"properties": {}, "odd": 1}]
    client = make_client(transport=sandbox)
    if iterates:
        list(client.calls.create_iter(rows, chunk_size=2))
    else:
        client.calls.create(rows, chunk_size=2)
    (line,) = lines.at(logging.INFO)
    assert line.getMessage().startswith(
        "calls.create: 6 inputs (5 succeeded, 1 failed), 3 requests in "
    )
    assert (line.operation, line.inputs, line.requests) == ("calls.create", 6, 3)
    assert (line.succeeded, line.failed, line.unknown, line.not_sent) == (5, 1, 0, 0)
    assert (line.waits, line.waited, line.stopped) == (0, 0, None)


def test_a_run_that_is_stopped_says_by_what(make_client: ClientFactory, lines: Lines) -> None:
    """With what came of the inputs until then."""
    sandbox = Sandbox(rate_limit=None, daily_limit=1)
    client = make_client(transport=sandbox, max_concurrency=1)
    with pytest.raises(DailyLimitError):
        client.calls.create(wanted(sandbox, CALLS, 3), chunk_size=1)
    (line,) = lines.at(logging.INFO)
    assert line.getMessage().startswith("calls.create stopped by DailyLimitError: 3 inputs (1 succ")
    assert (line.requests, line.succeeded, line.not_sent) == (2, 1, 2)
    assert line.stopped == "DailyLimitError"


def test_attempts_waits_and_seconds_are_counted(make_client: ClientFactory, lines: Lines) -> None:
    """Each attempt is a request, and the time between two of them is a wait."""
    first, second = says(423, seconds=3.0), says(429, {"policyName": "TEN_SECONDLY_ROLLING"})
    server = ScriptedServer(Sandbox(), first, second, says(400, {"message": "no"}))
    carry_out(meeting(make_client, server), CALLS, wanted(server.sandbox, CALLS, 1))
    *waits, end = lines.at(logging.INFO)
    assert [(one.reason, one.status, one.attempt, one.seconds, one.path) for one in waits] == [
        ("retry", 423, 1, 2.0, PATH),
        ("retry", 429, 2, 10.0, PATH),
    ]
    assert "after HTTP 423, " in waits[0].getMessage()
    assert "after HTTP 429 TEN_SECONDLY_ROLLING, " in waits[1].getMessage()
    assert (end.requests, end.waits, end.waited, end.seconds) == (3, 2, 12.0, 15.0)
    assert "3 requests in 15.0 s, 2 waits of 12.0 s in all" in end.getMessage()


def test_a_wait_for_the_rate_limit_has_that_reason(
    make_client: ClientFactory, lines: Lines
) -> None:
    """It is counted where it is worth a line."""
    sandbox = Sandbox(rate_limit=None)
    client = make_client(transport=sandbox, rate_limit=RateLimit(1, 30.0), max_concurrency=1)
    client.calls.create(wanted(sandbox, CALLS, 2), chunk_size=1)
    wait, end = lines.at(logging.INFO)
    assert wait.reason == "rate_limit"
    assert "for the rate limit" in wait.getMessage()
    assert (end.waits, end.waited) == (1, wait.seconds)


def test_each_request_has_a_line_at_debug(make_client: ClientFactory, lines: Lines) -> None:
    """An attempt that failed has no status; the line says what was raised."""
    headers = {"X-HubSpot-Correlation-Id": "abc"}
    server = ScriptedServer(
        Sandbox(),
        fails(httpx.ConnectError, seconds=1.0),
        says(503, headers=headers, seconds=2.0),
        says(400, {"message": "no"}),
    )
    client = meeting(make_client, server, max_concurrency=1)
    carry_out(client, READ, wanted(server.sandbox, READ, 3), chunk_size=3)
    debug = lines.at(logging.DEBUG)
    assert [(one.status, one.duration, one.attempt, one.correlation_id) for one in debug[:3]] == [
        (None, 1.0, 1, None),
        (503, 2.0, 2, "abc"),
        (400, 0.0, 3, None),
    ]
    assert {(one.method, one.path) for one in debug} == {
        ("POST", "/marketing/v3/campaigns/batch/read")
    }
    assert [one.inputs for one in debug[:3]] == [3, 3, 3]
    # The refused request is sent again in parts.
    assert {one.inputs for one in debug[3:]} == {1, 2}
    assert "ConnectError in 1.000 s (inputs: 3, attempt 1, " in debug[0].getMessage()
    assert "HTTP 503 in 2.000 s" in debug[1].getMessage()
    assert "correlation id: abc" in debug[1].getMessage()


def test_a_request_of_ones_own_has_a_line_too(make_client: ClientFactory, lines: Lines) -> None:
    """It has no inputs."""
    client = meeting(make_client, ScriptedServer(Sandbox(), says(200, {})))
    make_client.request(client, "GET", "/account-info/v3/details")
    (line,) = lines.at(logging.DEBUG)
    assert (line.method, line.path, line.inputs) == ("GET", "/account-info/v3/details", None)


def test_the_documented_line_quiets_httpx_alone(
    make_client: ClientFactory, caplog: pytest.LogCaptureFixture
) -> None:
    """The package leaves the loggers of other libraries as they are."""
    caplog.set_level(logging.INFO)
    logger = logging.getLogger("httpx")
    sandbox = Sandbox(rate_limit=None)
    before = logger.level
    make_client(transport=sandbox).calls.create(wanted(sandbox, CALLS, 1))
    assert logger.level == before
    assert {"httpx", "hubspot_batch"} <= {record.name for record in caplog.records}
    (advice,) = (
        part for part in (HubSpotBatch.__doc__ or "").split("`") if part.startswith("logging.")
    )
    caplog.clear()
    try:
        eval(advice, {"logging": logging})
        make_client(transport=sandbox).calls.create(wanted(sandbox, CALLS, 1))
    finally:
        logger.setLevel(before)
    assert {record.name for record in caplog.records} & {"httpx", "hubspot_batch"} == {
        "hubspot_batch"
    }


def test_nothing_is_logged_at_warning_without_need(
    make_client: ClientFactory, caplog: pytest.LogCaptureFixture
) -> None:
    """A program that has set up no logging sees nothing."""
    server = ScriptedServer(Sandbox(), fails(httpx.ConnectError), says(400, {"message": "no"}))
    client = meeting(make_client, server, retry=Retry(2))
    carry_out(client, CALLS, wanted(server.sandbox, CALLS, 1))
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]
