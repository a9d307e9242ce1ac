"""A part of the day's requests is left to others: the run stops in time, and says what is left."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
import virtual_time as virtual
from both_clients import ClientFactory
from hubspot_batch import (
    AsyncHubSpotBatch,
    BatchResult,
    ConfigurationError,
    DailyLimitError,
    Retry,
)
from hubspot_batch.sandbox import FakeClock, Sandbox, SandboxRequest, rates
from hubspot_batch_client.contract import OPERATIONS
from scripted_server import (
    CALLS,
    DONE,
    KINDS,
    READ,
    UPDATE,
    ScriptedServer,
    SeenRequest,
    Step,
    assert_true,
    carry_out,
    carry_out_or_stop,
    carry_out_raw,
    meeting,
    says,
    statuses,
    wanted,
)

DAY = 86_400.0
LEFT = "X-HubSpot-RateLimit-Daily-Remaining"


def left(sandbox: Sandbox) -> int:
    """Return the requests that are left for the day at the server."""
    said = [answer_of(sandbox).headers[LEFT]]
    # The question was a request too.
    return int(said[0]) + 1


def answer_of(sandbox: Sandbox) -> Any:
    body = json.dumps({"inputs": []}).encode()
    path = OPERATIONS[READ].path
    return sandbox.handle(SandboxRequest("POST", path, (), {"authorization": "Bearer o"}, body))


def stopped(client: Any, kind: str, inputs: list[Any]) -> BatchResult[Any]:
    """Carry out an operation input by input, and return the outcomes when the day stops it."""
    with pytest.raises(DailyLimitError) as caught:
        carry_out(client, kind, inputs, chunk_size=1)
    assert caught.value.result is not None
    return caught.value.result


@pytest.mark.many
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("reserve", "allowance"), [(20, 50), (0, 30), (29, 30), (100, 150)])
def test_a_run_stops_when_only_the_reserve_is_left(
    make_client: ClientFactory, kind: str, reserve: int, allowance: int
) -> None:
    """One request after the other, it is left to the very last; the rest is not sent."""
    sandbox = Sandbox(daily_limit=allowance, rate_limit=None)
    client = make_client(transport=sandbox, daily_reserve=reserve, max_concurrency=1)
    inputs = wanted(sandbox, kind, 80)
    result = stopped(client, kind, inputs)
    sent = allowance - reserve
    assert statuses(result) == ["succeeded"] * sent + ["not_sent"] * (80 - sent)
    assert {outcome.error.kind for outcome in result.not_sent if outcome.error} == {"stopped"}
    assert [outcome.input for outcome in result.outcomes] == inputs
    assert {entry.status for entry in sandbox.requests} <= {200, 201}
    assert_true(result, sandbox, kind)
    if reserve:
        assert left(sandbox) == reserve


@pytest.mark.many
@pytest.mark.parametrize("most", [2, 8])
def test_requests_under_way_count(make_client: ClientFactory, most: int) -> None:
    """With several at a time, no more are begun than the reserve bears."""
    for reserve in (0, 10, 25):
        sandbox = Sandbox(daily_limit=100, rate_limit=None)
        client = make_client(transport=sandbox, daily_reserve=reserve, max_concurrency=most)
        result = stopped(client, CALLS, wanted(sandbox, CALLS, 150))
        assert {entry.status for entry in sandbox.requests} == {201}
        sent = len(sandbox.requests)
        assert 100 - reserve - 2 * most <= sent <= 100 - reserve
        assert (len(result.succeeded), len(result.not_sent)) == (sent, 150 - sent)
        assert_true(result, sandbox, CALLS)


@pytest.mark.parametrize("most", [1, 8])
def test_a_new_client_takes_one_request_to_find_out(make_client: ClientFactory, most: int) -> None:
    """Not as many as it may send at a time."""
    sandbox = Sandbox(daily_limit=1000, rate_limit=None)
    client = make_client(transport=sandbox, daily_reserve=10_000, max_concurrency=most)
    result = stopped(client, CALLS, wanted(sandbox, CALLS, 50))
    assert len(sandbox.requests) == len(result.succeeded) == 1
    assert_true(result, sandbox, CALLS)


@pytest.mark.parametrize("seconds", [(1.0,), (0.5, 3.0, 0.1, 2.0, 7.0)], ids=str)
def test_answers_in_any_order_count(seconds: tuple[float, ...]) -> None:
    """An answer that comes late tells an older number, and is not believed over a newer one."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        sandbox = Sandbox(daily_limit=100, rate_limit=None, clock=loop.time)
        server = ScriptedServer(sandbox, DONE)

        async def answer(request: httpx.Request) -> httpx.Response:
            number = len(server.seen)
            said = server.handle_request(request)
            await asyncio.sleep(seconds[number % len(seconds)])
            return said

        async with AsyncHubSpotBatch(
            "token",
            transport=httpx.MockTransport(answer),
            clock=virtual.clock(),
            daily_reserve=30,
            max_concurrency=8,
        ) as client:
            with pytest.raises(DailyLimitError) as caught:
                await client.calls.create(wanted(sandbox, CALLS, 150), chunk_size=1)
        sent = len(server.seen)
        assert 70 - 16 <= sent <= 70
        result = caught.value.result
        assert result is not None
        assert (len(result.succeeded), len(result.not_sent)) == (sent, 150 - sent)
        assert_true(result, sandbox, CALLS)

    virtual.run(main())


@pytest.mark.many
@pytest.mark.parametrize("most", [1, 8])
def test_troubles_use_up_the_day_too(make_client: ClientFactory, most: int) -> None:
    """Responses of the edge do not say how many are left; a repeated request counts again."""
    faults = rates(
        {"503": 0.1, "504_after": 0.1, "locked": 0.1, "reset_after": 0.1, "truncated_json": 0.1}
    )
    for seed in range(5):
        sandbox = Sandbox(seed=seed, daily_limit=200, rate_limit=None)
        inputs = wanted(sandbox, UPDATE, 300)
        sandbox.use_faults(faults)
        client = make_client(
            transport=sandbox,
            daily_reserve=40,
            max_concurrency=most,
            retry=Retry(max_attempts=99, max_elapsed=1e6),
        )
        result = stopped(client, UPDATE, inputs)
        assert 429 not in {entry.status for entry in sandbox.requests}
        assert 120 <= len(sandbox.requests) <= 160
        assert len(result.outcomes) == 300
        assert_true(result, sandbox, UPDATE)


def test_what_others_use_counts(make_client: ClientFactory) -> None:
    """The limit is the account's, and each response says how many requests are left."""
    sandbox = Sandbox(daily_limit=100, rate_limit=None)

    def meet(seen: SeenRequest, number: int) -> Step:
        answer_of(sandbox)
        return DONE

    server = ScriptedServer(sandbox, meet=meet)
    client = meeting(make_client, server, daily_reserve=30, max_concurrency=1)
    result = stopped(client, CALLS, wanted(sandbox, CALLS, 80))
    assert len(result.succeeded) == 35


def test_a_client_that_knows_sends_nothing_more(make_client: ClientFactory) -> None:
    """Neither in another run, nor for a generated function."""
    sandbox = Sandbox(daily_limit=50, rate_limit=None)
    client = make_client(transport=sandbox, daily_reserve=40, max_concurrency=1)
    stopped(client, CALLS, wanted(sandbox, CALLS, 20))
    sent = len(sandbox.requests)
    for kind in KINDS:
        result = stopped(client, kind, wanted(sandbox, kind, 3))
        assert statuses(result) == ["not_sent"] * 3
    with pytest.raises(DailyLimitError):
        carry_out_raw(make_client, client, CALLS, wanted(sandbox, CALLS, 1))
    assert len(sandbox.requests) == sent == 10


@pytest.mark.parametrize("seconds", [DAY, 3 * DAY])
def test_a_new_day_lets_requests_go_again(make_client: ClientFactory, seconds: float) -> None:
    """The known number is of yesterday."""
    sandbox = Sandbox(daily_limit=50, rate_limit=None)
    client = make_client(transport=sandbox, daily_reserve=40, max_concurrency=1)
    assert len(stopped(client, CALLS, wanted(sandbox, CALLS, 20)).succeeded) == 10
    clock = sandbox.clock
    assert isinstance(clock, FakeClock)
    clock.advance(seconds)
    result = carry_out(client, READ, wanted(sandbox, READ, 8), chunk_size=1)
    assert statuses(result) == ["succeeded"] * 8
    assert len(stopped(client, READ, wanted(sandbox, READ, 20)).succeeded) == 2


def test_stale_knowledge_is_asked_anew_and_costs_little(make_client: ClientFactory) -> None:
    """On the same day, one request finds out that nothing has changed, now and then."""
    sandbox = Sandbox(daily_limit=50, rate_limit=None)
    client = make_client(transport=sandbox, daily_reserve=40, max_concurrency=1)
    stopped(client, CALLS, wanted(sandbox, CALLS, 20))
    clock = sandbox.clock
    assert isinstance(clock, FakeClock)
    for _ in range(60):
        clock.advance(60.0)
        carry_out_or_stop(client, READ, wanted(sandbox, READ, 3), chunk_size=1)
    assert len(sandbox.requests) - 10 <= 12


@pytest.mark.parametrize("most", [1, 8])
def test_who_is_told_nothing_of_the_day_is_not_stopped(
    make_client: ClientFactory, most: int
) -> None:
    """OAuth apps have no daily allowance, and no such header."""
    sandbox = Sandbox(daily_limit=None, rate_limit=None)
    client = make_client(transport=sandbox, daily_reserve=10**9, max_concurrency=most)
    result = carry_out(client, CALLS, wanted(sandbox, CALLS, 50), chunk_size=1)
    assert statuses(result) == ["succeeded"] * 50


@pytest.mark.parametrize("text", ["", "-5", "many", "nan", "-inf", "1e3", "0x1"])
def test_nonsense_about_the_day_stops_nobody(make_client: ClientFactory, text: str) -> None:
    """Only a number says how much is left."""
    server = ScriptedServer(
        Sandbox(),
        meet=lambda seen, _: says(
            201,
            {
                "status": "COMPLETE",
                "results": [
                    {"id": "1", "objectWriteTraceId": one["objectWriteTraceId"], "properties": {}}
                    for one in seen.inputs
                ],
            },
            headers={LEFT: text},
        ),
    )
    client = meeting(make_client, server, daily_reserve=1000, max_concurrency=1)
    result = carry_out(client, CALLS, wanted(server.sandbox, CALLS, 5), chunk_size=1)
    assert statuses(result) == ["succeeded"] * 5


@pytest.mark.parametrize("most", [1, 8])
def test_without_a_reserve_the_server_has_the_last_word(
    make_client: ClientFactory, most: int
) -> None:
    """All of the allowance is used, and then the run stops."""
    sandbox = Sandbox(daily_limit=30, rate_limit=None)
    client = make_client(transport=sandbox, max_concurrency=most)
    result = stopped(client, CALLS, wanted(sandbox, CALLS, 60))
    assert (len(result.succeeded), len(result.not_sent)) == (30, 30)
    assert 1 <= [entry.status for entry in sandbox.requests].count(429) <= most
    assert_true(result, sandbox, CALLS)


def test_a_repetition_is_not_sent_when_the_day_ends_before_it(make_client: ClientFactory) -> None:
    """An input that may have been done stays unknown; a create that was locked is not sent."""
    for kind, status, met in (
        (UPDATE, "unknown", says(503, work=True)),
        (CALLS, "not_sent", says(423)),
    ):
        sandbox = Sandbox(daily_limit=50, rate_limit=None)

        def meet(
            seen: SeenRequest, number: int, sandbox: Sandbox = sandbox, met: Step = met
        ) -> Step:
            if number != 1:
                return DONE
            # Others use up the day, and this request is told so.
            said = [int(answer_of(sandbox).headers[LEFT]) for _ in range(30)]
            response = met.said
            assert isinstance(response, httpx.Response)
            return says(response.status_code, work=met.work, headers={LEFT: str(said[-1] - 1)})

        server = ScriptedServer(sandbox, meet=meet)
        client = meeting(make_client, server, daily_reserve=30, max_concurrency=1)
        result = stopped(client, kind, wanted(sandbox, kind, 4))
        assert statuses(result) == ["succeeded", status, "not_sent", "not_sent"]
        assert len(server.seen) == 2
        assert_true(result, sandbox, kind)


@pytest.mark.parametrize("reserve", [-1, "5", 1.5, True])
def test_a_reserve_that_is_no_number_of_requests_is_refused(
    make_client: ClientFactory, reserve: object
) -> None:
    """The sentence names the argument."""
    with pytest.raises(ConfigurationError, match="daily_reserve"):
        make_client(transport=Sandbox(), daily_reserve=reserve)
