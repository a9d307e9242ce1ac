"""How long is waited and for what, who else waits, and who is told."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
import virtual_time as virtual
from both_clients import ClientFactory, waits_to
from hubspot_batch import (
    AsyncHubSpotBatch,
    Clock,
    HubSpotBatch,
    HubSpotBatchError,
    RateLimit,
    RateLimitError,
    Retry,
    UnreachableError,
)
from hubspot_batch.sandbox import FakeClock, Sandbox, SandboxRequest
from hubspot_batch_client.contract import OPERATIONS
from scripted_server import (
    CALLS,
    DONE,
    READ,
    ScriptedServer,
    SeenRequest,
    Step,
    carry_out,
    carry_out_or_stop,
    fails,
    meeting,
    says,
    statuses,
    wanted,
)

PATH = OPERATIONS[CALLS].path
LIMIT = "X-HubSpot-RateLimit-"
INTERVAL = f"{LIMIT}Interval-Milliseconds"
NONSENSE = ["", "-5", "abc", "1e400", "inf", "nan", "0x10", "3 s", "--", "None", "1,000"]


def slow(policy: str = "TEN_SECONDLY_ROLLING", **headers: str) -> Step:
    """A 429; underscores in the names of headers are hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return says(429, {"policyName": policy, "message": "slow"}, headers=named)


def first_pause(make_client: ClientFactory, met: Step, kind: str = CALLS) -> float:
    """Return how long the client waits between two requests; the second succeeds."""
    server = ScriptedServer(Sandbox(), met, DONE)
    client = meeting(make_client, server, retry=Retry(max_elapsed=1e9))
    assert statuses(carry_out(client, kind, wanted(server.sandbox, kind, 1))) == ["succeeded"]
    (pause,) = server.pauses
    return pause


@pytest.mark.parametrize(
    ("met", "kind", "seconds"),
    [
        (slow(), CALLS, 10.0),
        (slow("SECONDLY"), CALLS, 1.0),
        (slow("SECONDLY", Retry_After="4"), CALLS, 4.0),
        (slow(Retry_After="3"), CALLS, 3.0),
        (slow(Retry_After="3"), READ, 3.0),
        (slow(Retry_After="86400"), CALLS, 86400.0),
        (slow(X_HubSpot_RateLimit_Interval_Milliseconds="5000"), CALLS, 5.0),
        (slow(Retry_After="2", X_HubSpot_RateLimit_Interval_Milliseconds="5000"), CALLS, 2.0),
        (slow("SECONDLY", X_HubSpot_RateLimit_Interval_Milliseconds="5000"), CALLS, 1.0),
        *((slow(Retry_After=text), CALLS, 10.0) for text in NONSENSE),
        *((slow(X_HubSpot_RateLimit_Interval_Milliseconds=t), CALLS, 10.0) for t in ("0", "-1")),
        (says(423, headers={"Retry-After": "1"}), CALLS, 2.0),
        (says(423, headers={"Retry-After": "30"}), CALLS, 30.0),
        (says(477, headers={"Retry-After": "7"}), CALLS, 7.0),
        (says(477, headers={"Retry-After": "86400"}), CALLS, 86400.0),
        (says(503, headers={"Retry-After": "7"}), READ, 7.0),
        (says(503, headers={"Retry-After": "-7"}), READ, 1.0),
        (says(500), READ, 1.0),
    ],
    ids=str,
)
def test_a_server_is_waited_for_as_long_as_it_says(
    make_client: ClientFactory, met: Step, kind: str, seconds: float
) -> None:
    """Else for as long as its status needs; what is no number says nothing."""
    assert first_pause(make_client, met, kind) == seconds


@pytest.mark.parametrize("kind_of_status", [429, 423, 477, 503])
def test_a_date_to_wait_for_is_taken_by_the_servers_own_clock(
    make_client: ClientFactory, kind_of_status: int
) -> None:
    """Its `Date` says what time it is there."""
    now = datetime.now(UTC).replace(microsecond=0)

    def pause(seconds: float) -> float:
        headers = {
            "Date": format_datetime(now, usegmt=True),
            "Retry-After": format_datetime(now + timedelta(seconds=seconds), usegmt=True),
        }
        return first_pause(make_client, says(kind_of_status, {}, headers=headers), READ)

    assert pause(75) == 75.0
    assert pause(3600) == 3600.0
    assert 0 <= pause(-3600) <= 10.0, "a moment that has passed is not waited for"


def test_no_wait_grows_less_than_the_server_asks(make_client: ClientFactory) -> None:
    """The longer of the server's seconds and our own pause counts."""
    server = ScriptedServer(Sandbox(), says(503, headers={"Retry-After": "3"}))
    carry_out(meeting(make_client, server), READ, wanted(server.sandbox, READ, 1))
    assert server.pauses == [3.0, 3.0, 4.0, 8.0]


@pytest.mark.parametrize("seconds", ["999999999999", "9" * 30, "121"])
def test_a_wait_beyond_all_patience_is_not_begun(make_client: ClientFactory, seconds: str) -> None:
    """The answer stands at once."""
    server = ScriptedServer(Sandbox(), slow(Retry_After=seconds))
    with pytest.raises(RateLimitError, match="slow"):
        carry_out(meeting(make_client, server), CALLS, wanted(server.sandbox, CALLS, 1))
    assert server.times == [0.0]


def test_no_number_of_digits_breaks_a_run(make_client: ClientFactory) -> None:
    """Python refuses to read very long numbers."""
    for name in ("Retry-After", INTERVAL, f"{LIMIT}Max", f"{LIMIT}Remaining"):
        server = ScriptedServer(Sandbox(), says(429, headers={name: "9" * 5000}), DONE)
        result = carry_out_or_stop(
            meeting(make_client, server), CALLS, wanted(server.sandbox, CALLS, 2), chunk_size=1
        )
        assert set(statuses(result)) <= {"succeeded", "not_sent"}


@pytest.mark.parametrize(
    ("met", "longest", "times"),
    [
        (slow(Retry_After="6"), 5.0, [0.0]),
        (slow(Retry_After="5"), 5.0, [0.0, 5.0, 10.0, 15.0, 20.0]),
        (slow(), 9.9, [0.0]),
        (fails(httpx.ConnectError), 3.0, [0.0, 1.0, 3.0]),
        (fails(httpx.ConnectError), 0.0, [0.0]),
    ],
    ids=str,
)
def test_no_single_wait_is_longer_than_max_wait(
    make_client: ClientFactory, met: Step, longest: float, times: list[float]
) -> None:
    """One that would be is not begun."""
    server = ScriptedServer(Sandbox(), met)
    client = meeting(make_client, server, retry=Retry(max_wait=longest))
    with pytest.raises((RateLimitError, UnreachableError)):
        carry_out(client, CALLS, wanted(server.sandbox, CALLS, 1))
    assert server.times == times


def test_patience_counts_from_the_first_sending(make_client: ClientFactory) -> None:
    """A long wait for a free start uses none of it up."""
    server = ScriptedServer(Sandbox(rate_limit=None), DONE, DONE, says(423), DONE)
    client = meeting(
        make_client,
        server,
        max_concurrency=1,
        rate_limit=RateLimit(2, 100.0),
        retry=Retry(max_elapsed=50.0),
    )
    result = carry_out(client, CALLS, wanted(server.sandbox, CALLS, 3), chunk_size=1)
    assert statuses(result) == ["succeeded"] * 3
    assert server.times[2] >= 100.0


def told(
    make_client: ClientFactory, server: ScriptedServer, count: int = 1, **arguments: Any
) -> list[Any]:
    """Create some calls one by one, and return the waits that a hook received."""
    waits: list[Any] = []
    client = meeting(
        make_client, server, on_event=waits_to(waits.append), max_concurrency=1, **arguments
    )
    carry_out_or_stop(client, CALLS, wanted(server.sandbox, CALLS, count), chunk_size=1)
    return waits


def test_a_hook_is_told_of_each_repetition(make_client: ClientFactory) -> None:
    """With its seconds, its reason, and what made it necessary."""
    steps = [says(423), fails(httpx.ConnectError), slow(Retry_After="20"), DONE]
    server = ScriptedServer(Sandbox(), *steps)
    waits = told(make_client, server)
    assert [(w.seconds, w.reason, w.path, w.attempt, w.status_code) for w in waits] == [
        (2.0, "retry", PATH, 1, 423),
        (2.0, "retry", PATH, 2, None),
        (20.0, "retry", PATH, 3, 429),
    ]
    assert server.times[-1] == sum(wait.seconds for wait in waits)


def test_a_hook_is_told_of_each_wait_for_a_start(make_client: ClientFactory) -> None:
    """That is no repetition, and no answer made it necessary."""
    server = ScriptedServer(Sandbox(rate_limit=None), DONE)
    waits = told(make_client, server, 3, rate_limit=RateLimit(1, 30.0))
    assert {(w.reason, w.path, w.status_code) for w in waits} == {("rate_limit", PATH, None)}
    assert sum(wait.seconds for wait in waits) == pytest.approx(server.times[-1])
    assert [wait.seconds for wait in waits] == pytest.approx([30.0, 30.0], abs=0.2)


@pytest.mark.many
@pytest.mark.parametrize("used", [0, 50, 98])
def test_a_hook_is_told_of_the_whole_of_each_wait(make_client: ClientFactory, used: int) -> None:
    """Also where others use the allowance too, and a wait is looked at again on its way."""
    sandbox = Sandbox(rate_limit=(100, 10.0))
    use_up(sandbox, used)
    fake = sandbox.clock
    assert isinstance(fake, FakeClock)
    begun = fake()
    waits: list[Any] = []
    client = make_client(transport=sandbox, on_event=waits_to(waits.append), max_concurrency=1)
    carry_out(client, CALLS, wanted(sandbox, CALLS, 150), chunk_size=1)
    assert fake() - begun > 10.0
    assert sum(wait.seconds for wait in waits) == pytest.approx(fake() - begun, rel=0.05)


def test_nobody_is_told_of_a_wait_that_is_not_begun(make_client: ClientFactory) -> None:
    """Neither of one that would be too long, nor of one after the last attempt."""
    assert told(make_client, ScriptedServer(Sandbox(), slow(Retry_After="9999"))) == []
    assert (
        len(told(make_client, ScriptedServer(Sandbox(), says(423)), retry=Retry(max_attempts=2)))
        == 1
    )


@pytest.mark.parametrize("raised", [ValueError("x"), StopIteration("x"), HubSpotBatchError("x")])
def test_a_hook_that_raises_does_no_harm(make_client: ClientFactory, raised: Exception) -> None:
    """The request goes its way nevertheless."""

    def hook(wait: Any) -> None:
        raise raised

    server = ScriptedServer(Sandbox(), says(423), DONE)
    client = meeting(make_client, server, on_event=hook, rate_limit=RateLimit(1, 30.0))
    result = carry_out(client, CALLS, wanted(server.sandbox, CALLS, 3), chunk_size=1)
    assert statuses(result) == ["succeeded"] * 3


def test_lines_are_logged_for_what_takes_long(
    make_client: ClientFactory, caplog: pytest.LogCaptureFixture
) -> None:
    """Each repetition, and each wait for a start of a second or more."""
    caplog.set_level(logging.INFO, "hubspot_batch")

    def lines(server: ScriptedServer, **arguments: Any) -> list[str]:
        caplog.clear()
        told(make_client, server, 2, **arguments)
        ours = [r for r in caplog.records if r.name.split(".")[0] == "hubspot_batch"]
        assert all(record.levelno == logging.INFO for record in ours)
        *waits, end = [record.getMessage() for record in ours]
        assert "calls.create: " in end
        return waits

    (line,) = lines(ScriptedServer(Sandbox(), says(423), DONE))
    assert PATH in line
    assert "2.0" in line
    (line,) = lines(ScriptedServer(Sandbox(), DONE), rate_limit=RateLimit(1, 30.0))
    assert PATH in line
    assert "30" in line
    assert lines(ScriptedServer(Sandbox(), DONE), rate_limit=RateLimit(1, 0.5)) == []
    assert lines(ScriptedServer(Sandbox(), DONE)) == []


class Sleepers(FakeClock):
    """A clock for threads: it moves when so many of them sleep, to the end of a sleep."""

    def __init__(self, threads: int) -> None:
        super().__init__(0.0)
        self.asleep = threading.Event()
        self._threads = threads
        self._count = 0
        self._turn = threading.Condition()

    def clock(self) -> Clock:
        return Clock(now=self, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        until = self() + seconds
        with self._turn:
            self._count += 1
            self._turn.notify_all()
            self.asleep.set()
            # In vain only where the others do not sleep; a second is enough to see what they do.
            self._turn.wait_for(lambda: self._count >= self._threads, timeout=1.0)
            self._count = self._threads
            if until > self():
                self.advance(until - self())


@pytest.mark.parametrize("limit", [None, RateLimit(100, 10.0, learns=True), RateLimit(50, 10.0)])
def test_a_429_stops_all_threads_for_a_while(limit: RateLimit | None) -> None:
    """The next request waits as long as the one that met it; also without a limit."""
    clock = Sleepers(threads=4)
    meeting_point = threading.Barrier(4, timeout=10)

    def meet(seen: SeenRequest, number: int) -> Step:
        if number < 4:
            meeting_point.wait()
        if number == 0:
            return slow(Retry_After="30")
        if number < 4:
            assert clock.asleep.wait(10)
        return DONE

    server = ScriptedServer(Sandbox(rate_limit=None, clock=clock), meet=meet)
    with HubSpotBatch(
        "token", transport=server, clock=clock.clock(), rate_limit=limit, max_concurrency=4
    ) as client:
        result = carry_out(client, CALLS, wanted(server.sandbox, CALLS, 8), chunk_size=1)
    assert statuses(result) == ["succeeded"] * 8
    assert server.times[:4] == [0.0] * 4
    assert len(server.times) == 9
    assert min(server.times[4:]) >= 30.0


@pytest.mark.parametrize("limit", [None, RateLimit(100, 10.0, learns=True), RateLimit(50, 10.0)])
def test_a_429_stops_all_tasks_for_a_while(limit: RateLimit | None) -> None:
    """Requests of generated functions are no exception."""
    times: list[float] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        loop = asyncio.get_running_loop()
        times.append(loop.time())
        number = len(times)
        await asyncio.sleep(0.5 if number == 1 else 1.0)
        if number == 1:
            return httpx.Response(429, headers={"Retry-After": "30"})
        return httpx.Response(201, json={"status": "COMPLETE", "results": []})

    async def main() -> None:
        async with AsyncHubSpotBatch(
            "token",
            transport=httpx.MockTransport(answer),
            clock=virtual.clock(),
            rate_limit=limit,
            max_concurrency=4,
        ) as client:

            async def raw() -> None:
                await asyncio.sleep(2.0)
                await client.raw.get_async_httpx_client().get("/account-info/v3/details")

            rows = wanted(Sandbox(), CALLS, 8)
            await asyncio.gather(client.calls.create(rows, chunk_size=1), raw())

    virtual.run(main())
    assert times[:4] == [0.0] * 4
    assert len(times) == 10
    assert min(times[4:]) >= 30.5


def test_a_429_that_is_not_repeated_stops_the_others_too(make_client: ClientFactory) -> None:
    """The next request would only be refused too."""
    server = ScriptedServer(Sandbox(), slow(Retry_After="5"), DONE)
    client = meeting(make_client, server, retry=Retry(max_attempts=1))
    with pytest.raises(RateLimitError):
        carry_out(client, CALLS, wanted(server.sandbox, CALLS, 1))
    carry_out(client, CALLS, wanted(server.sandbox, CALLS, 1))
    assert server.times == [0.0, 5.0]


def most_starts(times: list[float], seconds: float) -> int:
    """The most starts in any span of so many seconds."""
    return max(sum(0 <= other - one < seconds for other in times) for one in times)


def heard(**said: str) -> Callable[[SeenRequest, int], Step]:
    """Let the sandbox do the work, and answer with headers of one's own about the limit."""
    headers = {f"{LIMIT}{name.replace('_', '-')}": value for name, value in said.items()}

    def meet(seen: SeenRequest, number: int) -> Step:
        results = [
            {"id": "1", "properties": one["properties"], "objectWriteTraceId": trace}
            for one in seen.inputs
            if (trace := one.get("objectWriteTraceId"))
        ]
        return says(201, {"status": "COMPLETE", "results": results}, headers=headers)

    return meet


def starts(
    make_client: ClientFactory,
    count: int,
    meet: Callable[[SeenRequest, int], Step],
    **arguments: Any,
) -> Any:
    """When so many requests of one run start."""
    server = ScriptedServer(Sandbox(rate_limit=None), meet=meet)
    client = meeting(make_client, server, max_concurrency=1, **arguments)
    result = carry_out(client, CALLS, wanted(server.sandbox, CALLS, count), chunk_size=1)
    assert statuses(result) == ["succeeded"] * count
    return server.times


@pytest.mark.parametrize("most", ["5", "100", "190", "1000000"])
def test_what_was_told_is_never_exceeded(make_client: ClientFactory, most: str) -> None:
    """The limit that was told is kept, also where the server would allow more."""
    meet = heard(Max=most, Remaining=str(int(most) - 1), Interval_Milliseconds="10000")
    times = starts(make_client, 17, meet, rate_limit=RateLimit(5, 10.0))
    assert most_starts(times, 10.0) == 5
    assert times[-1] < 31.0


def test_what_was_told_is_lowered_by_what_the_server_says(make_client: ClientFactory) -> None:
    """The account may have a smaller allowance than its owner thinks."""
    server = Sandbox(rate_limit=(3, 10.0))
    client = make_client(transport=server, rate_limit=RateLimit(50, 10.0), max_concurrency=1)
    result = carry_out(client, CALLS, wanted(server, CALLS, 10), chunk_size=1)
    assert statuses(result) == ["succeeded"] * 10
    assert {entry.status for entry in server.requests} == {201}


@pytest.mark.many
@pytest.mark.parametrize(("most", "seconds"), [(190, 10.0), (20, 10.0), (60, 2.0), (30, 60.0)])
def test_the_default_follows_the_servers_own_words(
    make_client: ClientFactory, most: int, seconds: float
) -> None:
    """Up and down, from the first answer on; and no request is refused for it."""
    server = Sandbox(rate_limit=(most, seconds))
    client = make_client(transport=server, max_concurrency=1)
    fake = server.clock
    assert isinstance(fake, FakeClock)
    begun = fake()
    count = 3 * most
    result = carry_out(client, CALLS, wanted(server, CALLS, count), chunk_size=1)
    assert statuses(result) == ["succeeded"] * count
    assert {entry.status for entry in server.requests} == {201}
    # Three allowances fit into a little more than two windows; a small part may be left to others.
    assert 2 * seconds <= fake() - begun <= 3.5 * seconds


@pytest.mark.many
def test_a_plain_limit_does_not_learn_upwards(make_client: ClientFactory) -> None:
    """Only the default, and who asks for it, follows the server."""
    meet = heard(Max="190", Remaining="180", Interval_Milliseconds="10000")
    assert most_starts(starts(make_client, 130, meet, rate_limit=RateLimit()), 10.0) == 100
    learning = RateLimit(10, 10.0, learns=True)
    assert most_starts(starts(make_client, 130, meet, rate_limit=learning), 10.0) > 100


@pytest.mark.many
@pytest.mark.parametrize("limit", [None, RateLimit(10, 10.0), RateLimit(10, 10.0, learns=True)])
@pytest.mark.parametrize(
    "said",
    [
        *({"Max": text, "Interval_Milliseconds": "10000"} for text in (*NONSENSE, "0", "9" * 30)),
        *({"Max": "190", "Interval_Milliseconds": text} for text in (*NONSENSE, "0", "9" * 30)),
        *(
            {"Max": "10", "Interval_Milliseconds": "10000", "Remaining": text}
            for text in (*NONSENSE, "9" * 30)
        ),
        {"Max": "190"},
        {"Interval_Milliseconds": "1"},
        {"Remaining": "0"},
    ],
    ids=str,
)
def test_nonsense_about_the_limit_changes_nothing(
    make_client: ClientFactory, said: dict[str, str], limit: RateLimit | None
) -> None:
    """A limit that no account can have is not followed, up or down."""
    times = starts(make_client, 25, heard(**said), rate_limit=limit)
    if limit is None:
        assert times == [0.0] * 25
    else:
        assert most_starts(times, 10.0) == 10
        assert times[-1] < 21.0


def use_up(sandbox: Sandbox, requests: int) -> list[int]:
    """Let another user of the allowance send some requests."""
    body = json.dumps({"inputs": []}).encode()
    headers = {"authorization": "Bearer other"}
    one = SandboxRequest("POST", PATH, (), headers, body)
    return [sandbox.handle(one).status for _ in range(requests)]


@pytest.mark.many
@pytest.mark.parametrize("limit", [RateLimit(100, 10.0), RateLimit(100, 10.0, learns=True)])
@pytest.mark.parametrize("used", [50, 90, 98])
def test_what_others_have_used_is_theirs(
    make_client: ClientFactory, used: int, limit: RateLimit
) -> None:
    """`Remaining` shows it in the first answer, and so nothing is refused in that window."""
    sandbox = Sandbox(rate_limit=(100, 10.0))
    assert set(use_up(sandbox, used)) == {201}
    client = make_client(transport=sandbox, rate_limit=limit, max_concurrency=1)
    result = carry_out(client, CALLS, wanted(sandbox, CALLS, 150), chunk_size=1)
    assert statuses(result) == ["succeeded"] * 150
    assert {entry.status for entry in sandbox.requests} == {201}


def test_others_who_go_on_are_not_pushed_out() -> None:
    """Their share stays theirs for an interval after it was seen, so they are not refused."""
    refused: list[int] = []

    async def main() -> float:
        loop = asyncio.get_running_loop()
        sandbox = Sandbox(rate_limit=(100, 10.0), clock=loop.time)
        over = asyncio.Event()

        async def others() -> None:
            while not over.is_set():
                refused.extend(status for status in use_up(sandbox, 1) if status == 429)
                await asyncio.sleep(0.2)

        server = ScriptedServer(sandbox, DONE)

        async def answer(request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(0.1)
            return server.handle_request(request)

        busy = asyncio.create_task(others())
        await asyncio.sleep(20.0)
        begun = loop.time()
        async with AsyncHubSpotBatch(
            "token", transport=httpx.MockTransport(answer), clock=virtual.clock()
        ) as client:
            result = await client.calls.create(wanted(sandbox, CALLS, 300), chunk_size=1)
        seconds = loop.time() - begun
        over.set()
        await busy
        assert statuses(result) == ["succeeded"] * 300
        refused.extend(entry.status for entry in sandbox.requests if entry.status == 429)
        return seconds

    # Half of the allowance is free: 300 requests take about 60 seconds.
    assert 45.0 < virtual.run(main()) < 90.0
    assert refused == []
