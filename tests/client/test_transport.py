"""The one transport of both clients."""

from __future__ import annotations

import logging
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from both_clients import ClientFactory, clock_of
from hubspot_batch import (
    BrokenOffError,
    ConfigurationError,
    DailyLimitError,
    HubSpotBatchError,
    OutcomeStatus,
    RateLimit,
    RateLimitError,
    Retry,
    UnreachableError,
)
from hubspot_batch.sandbox import FakeClock

ROW = {"properties": {"hs_timestamp": "2026-01-31T12:00:00Z"}}
OK = {"status": "COMPLETE", "results": []}


class Scripted:
    """Answers from a list, the last one again and again, and remembers when each request came."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.clock = FakeClock(0.0)
        self.times: list[float] = []
        self._answers = list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.times.append(self.clock())
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def arguments(self) -> dict[str, Any]:
        return {"transport": httpx.MockTransport(self), "clock": clock_of(self.clock)}


def answer(status: int, body: Any = None, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=named, json=OK if body is None else body)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 10.0),
        ({"Retry_After": "3"}, 3.0),
        ({"Retry_After": "soon"}, 10.0),
        ({"X_HubSpot_RateLimit_Interval_Milliseconds": "5000"}, 5.0),
        ({"Retry_After": "1", "X_HubSpot_RateLimit_Interval_Milliseconds": "5000"}, 1.0),
    ],
    ids=str,
)
def test_a_429_is_waited_for_as_long_as_the_server_says(
    make_client: ClientFactory, headers: dict[str, str], seconds: float
) -> None:
    """Else for as long as the rolling window is."""
    server = Scripted(answer(429, {"message": "slow"}, **headers), answer(200))
    make_client(**server.arguments()).calls.create([ROW])
    assert server.times == [0.0, seconds]


def test_a_lock_is_waited_for_two_seconds_at_least(make_client: ClientFactory) -> None:
    """A lock lasts about two seconds; after that the pauses grow."""
    server = Scripted(*[answer(423, {})] * 3, answer(200))
    make_client(**server.arguments()).calls.create([ROW])
    assert server.times == [0.0, 2.0, 4.0, 8.0]


def test_pauses_before_a_new_connection_grow(make_client: ClientFactory) -> None:
    """One, two, four seconds."""
    server = Scripted(*[httpx.ConnectError("refused")] * 3, answer(200))
    make_client(**server.arguments()).calls.create([ROW])
    assert server.times == [0.0, 1.0, 3.0, 7.0]


def test_patience_is_bounded_in_time(make_client: ClientFactory) -> None:
    """A pause that would go beyond it is not begun."""
    server = Scripted(answer(429, {"message": "slow"}, Retry_After="86400"))
    with pytest.raises(RateLimitError, match="slow"):
        make_client(**server.arguments(), retry=Retry(max_elapsed=3600)).calls.create([ROW])
    assert server.times == [0.0]


def test_waiting_is_logged_without_the_token(
    make_client: ClientFactory, caplog: pytest.LogCaptureFixture
) -> None:
    """A wait that is noticed has a line in the log."""
    caplog.set_level(logging.INFO, "hubspot_batch")
    server = Scripted(answer(423, {}), answer(200))
    make_client("very-secret", **server.arguments()).calls.create([ROW])
    line, _ = [r.getMessage() for r in caplog.records if r.name == "hubspot_batch"]
    assert "Waiting 2.0 s" in line
    assert "/calls/batch/create" in line


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"policyName": 5}', b"\xff"])
def test_a_429_that_says_nothing_is_a_rolling_one(make_client: ClientFactory, body: bytes) -> None:
    """Only the word DAILY ends the day."""
    server = Scripted(httpx.Response(429, content=body), answer(200))
    make_client(**server.arguments()).calls.create([ROW])
    assert len(server.times) == 2


class Unreachable(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Fails before it reads the body."""

    def __init__(self) -> None:
        self.attempts = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.attempts += 1
        raise httpx.ConnectError("refused", request=request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


def test_a_body_that_is_not_in_memory_is_sent_once(make_client: ClientFactory) -> None:
    """A stream is gone once it has been read, so a second attempt would send nothing."""
    server = Unreachable()
    client = make_client(transport=server)
    with pytest.raises(httpx.ConnectError):
        make_client.request(client, "POST", "/x", content=make_client.body(b"x"))
    assert server.attempts == 1


def test_a_refusal_that_breaks_off_is_one(make_client: ClientFactory) -> None:
    """A 429 says by its status that nothing was done, whatever becomes of its body."""

    class Broken(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __iter__(self) -> Any:
            raise httpx.ReadError("cut")

        async def __aiter__(self) -> Any:
            raise httpx.ReadError("cut")
            yield b""

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(429, stream=Broken())

    with pytest.raises(RateLimitError) as caught:
        make_client(transport=httpx.MockTransport(handle)).calls.create([ROW])
    assert caught.value.result is not None
    assert len(caught.value.result.not_sent) == 1


def test_a_fixed_token_is_not_asked_for_again(make_client: ClientFactory) -> None:
    """There is no other one to get."""
    server = Scripted(answer(401, {"message": "expired"}))
    with pytest.raises(Exception, match="expired"):
        make_client("fixed", **server.arguments()).calls.create([ROW])
    assert len(server.times) == 1


def test_a_provider_is_asked_again_once_only(make_client: ClientFactory) -> None:
    """A second 401 in a row stops the run."""
    asked = 0

    def provide() -> str:
        nonlocal asked
        asked += 1
        return "expired"

    server = Scripted(answer(401, {"message": "expired"}))
    with pytest.raises(Exception, match="expired"):
        make_client(provide, **server.arguments()).calls.create([ROW])
    assert (len(server.times), asked) == (2, 2)


def test_each_request_carries_the_token_and_a_name(make_client: ClientFactory) -> None:
    """The header is HubSpot's; the agent says what we are."""
    seen: list[httpx.Headers] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.copy())
        return answer(200)

    make_client("abc", transport=httpx.MockTransport(handle)).calls.create([ROW])
    assert seen[0]["Authorization"] == "Bearer abc"
    assert seen[0]["User-Agent"].startswith("hubspot-batch/")
    assert seen[0]["Content-Type"] == "application/json"


def test_pauses_have_an_end(make_client: ClientFactory) -> None:
    """Ten seconds are the longest by ourselves."""
    server = Scripted(*[httpx.ConnectError("refused")] * 6, answer(200))
    make_client(**server.arguments(), retry=Retry(max_attempts=9)).calls.create([ROW])
    assert server.times[-1] - server.times[-2] == 10.0


def test_the_daily_limit_is_met_once(make_client: ClientFactory) -> None:
    """It does not pass by waiting."""
    server = Scripted(answer(429, {"message": "spent", "policyName": "DAILY"}))
    with pytest.raises(DailyLimitError):
        make_client(**server.arguments()).calls.create([ROW])
    assert len(server.times) == 1


def test_repeated_requests_keep_to_the_rate_limit_too(make_client: ClientFactory) -> None:
    """Each attempt is a request to the server."""
    server = Scripted(answer(423, {}), answer(200))
    limit = RateLimit(1, 30.0)
    make_client(**server.arguments(), rate_limit=limit).calls.create([ROW])
    assert server.times[1] - server.times[0] >= 30.0


@pytest.mark.parametrize("raised", [OSError("x"), StopIteration("x"), RuntimeError("x")])
def test_what_nobody_foresaw_keeps_the_outcomes(
    make_client: ClientFactory, raised: Exception
) -> None:
    """A transport may raise anything; the chunk may have been done, and the rest is not sent."""
    server = Scripted(answer(200), raised)
    with pytest.raises(BrokenOffError, match="broke off") as caught:
        make_client(**server.arguments(), max_concurrency=1).calls.create([ROW] * 3, chunk_size=1)
    assert caught.value.__cause__ is not None
    result = caught.value.result
    assert result is not None
    assert [len(result.unknown), len(result.not_sent)] == [2, 1]


@pytest.mark.parametrize(
    "content",
    [b'{"results":[{"id":"\xff"}]}', b'{"a":' + b"9" * 5000 + b"}", b"[]", b'{"a":'],
    ids=len,
)
def test_a_read_whose_answer_cannot_be_read_is_sent_again(
    make_client: ClientFactory, content: bytes
) -> None:
    """The transport and the engine see the same, at any part that the parser stumbles over."""
    good = {"status": "COMPLETE", "results": [{"id": "a", "properties": {}}]}
    server = Scripted(httpx.Response(200, content=content), answer(200, good))
    result = make_client(**server.arguments()).campaigns.read(["a"])
    assert len(server.times) == 2
    assert len(result.succeeded) == 1


def test_closing_in_the_middle_of_an_iteration(make_client: ClientFactory) -> None:
    """The inputs that were not sent are handed out before the exception."""
    client = make_client(**Scripted(answer(200)).arguments(), max_concurrency=1)
    outcomes = client.calls.create_iter([ROW] * 3, chunk_size=1)
    next(outcomes)
    client.close()
    rest: list[OutcomeStatus] = []
    with pytest.raises(ConfigurationError, match="closed"):
        rest.extend(outcome.status for outcome in outcomes)
    assert rest
    assert set(rest) == {OutcomeStatus.NOT_SENT}


@pytest.mark.parametrize("where", ["http://127.0.0.1:1/", "https://elsewhere.example/"])
def test_the_token_goes_to_one_address_only(make_client: ClientFactory, where: str) -> None:
    """Also when the generated client is turned to another one."""
    server = Scripted(answer(200))
    client = make_client(**server.arguments())
    with pytest.raises(ConfigurationError, match="only sent to"):
        make_client.request(client, "GET", where)
    assert server.times == []


def test_no_request_that_is_kept_has_the_token(make_client: ClientFactory) -> None:
    """Exceptions and answers of raw calls hold the request, and are pickled."""
    secret = "pat-na1-0f1e2d3c-secret"
    client = make_client(secret, **Scripted(httpx.ReadError("cut")).arguments())
    with pytest.raises(httpx.ReadError) as caught:
        make_client.request(client, "POST", "/x")
    assert secret.encode() not in pickle.dumps(caught.value)
    lines = traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    ours = "".join(line for line in lines if "hubspot_batch" in line)
    assert secret not in ours


def test_a_streamed_body_is_not_sent_empty_after_a_401(make_client: ClientFactory) -> None:
    """A fresh token does not bring back a body that has been read."""
    seen: list[bytes] = []

    class Reading(httpx.BaseTransport, httpx.AsyncBaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            seen.append(b"".join(request.stream))  # type: ignore[arg-type]
            return httpx.Response(401)

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            seen.append(b"".join([part async for part in request.stream]))  # type: ignore[union-attr]
            return httpx.Response(401)

    client = make_client(lambda: "token", transport=Reading())
    make_client.request(client, "POST", "/x", content=make_client.body(b"data"))
    assert seen == [b"data"]


@pytest.mark.parametrize(
    "shown",
    [
        "pat-na1/0f1e2d3c=secret",
        "pat-na1\\/0f1e2d3c\\u003dsecret",
        "".join(f"\\u{ord(char):04X}" for char in "pat-na1/0f1e2d3c=secret"),
    ],
)
def test_no_spelling_of_the_token_is_shown(make_client: ClientFactory, shown: str) -> None:
    """JSON can write any character as an escape."""
    body = b'{"message": "%s is no good", "category": "X"}' % shown.encode()
    transport = httpx.MockTransport(lambda _: httpx.Response(400, content=body))
    result = make_client("pat-na1/0f1e2d3c=secret", transport=transport).calls.create([ROW])
    assert "secret" not in repr(result.to_dicts())
    assert result.failed[0].error.message == "(the token) is no good"


def test_no_header_of_an_answer_shows_the_token(make_client: ClientFactory) -> None:
    """HubSpot's name of the request is one, and stands in outcomes and exceptions."""
    secret = "pat-na1-0f1e2d3c-secret"
    server = Scripted(answer(400, {"message": "bad"}, X_HubSpot_Correlation_Id=f"of {secret}"))
    result = make_client(secret, **server.arguments()).calls.create([ROW])
    assert result.failed[0].error.correlation_id == "of (the token)"


@pytest.mark.parametrize("status", [400, 401, 403, 500, 207])
def test_an_answer_that_repeats_the_token_does_not_show_it(
    make_client: ClientFactory, status: int
) -> None:
    """The rest of its message is kept."""
    secret = "pat-na1-0f1e2d3c-secret"
    error = {"message": f"{secret} is no good", "status": "error", "category": "X"}
    body = {"results": [], "errors": [error], **error}
    shown: list[object] = []
    try:
        shown += [
            make_client(secret, **Scripted(answer(status, body)).arguments()).calls.create([ROW])
        ]
    except HubSpotBatchError as stopped:
        shown += [stopped, stopped.result]
    texts = [repr(shown), *(repr(one.to_dicts()) for one in shown if hasattr(one, "to_dicts"))]
    assert secret not in repr(texts)
    assert "(the token) is no good" in repr(texts)


def test_a_made_up_token_may_stand_in_an_answer(make_client: ClientFactory) -> None:
    """A short text would be found by chance."""
    result = make_client("error", **Scripted(answer(400, {"message": "an error"})).arguments())
    assert "an error" in repr(result.calls.create([ROW]).to_dicts())


def never(request: httpx.Request) -> httpx.Response:
    raise httpx.UnsupportedProtocol("no", request=request)


def test_closing_closes_the_given_transport(make_client: ClientFactory) -> None:
    """The client closes the transport that it was given."""
    closed: list[str] = []

    class Closing(httpx.MockTransport):
        def close(self) -> None:
            closed.append("sync")

        async def aclose(self) -> None:
            closed.append("async")

    handler: Callable[[httpx.Request], httpx.Response] = never
    client = make_client(transport=Closing(handler), retry=Retry(max_attempts=1))
    with pytest.raises(UnreachableError):
        client.calls.create([ROW])
    client.close()
    assert closed == [make_client.kind]
