"""When the token's provider is asked: once for all who need a token, and never in vain."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import virtual_time as virtual
from both_clients import ClientFactory, clock_of
from hubspot_batch import (
    AsyncHubSpotBatch,
    AuthenticationError,
    ConfigurationError,
    HubSpotBatch,
    HubSpotBatchError,
)
from hubspot_batch.sandbox import FakeClock, Sandbox
from scripted_server import (
    CALLS,
    CREATES,
    DONE,
    KINDS,
    ScriptedServer,
    SeenRequest,
    Step,
    assert_true,
    carry_out,
    carry_out_or_stop,
    carry_out_raw,
    fails,
    held,
    meeting,
    says,
    statuses,
    wanted,
)

OLD, NEW, NEWEST = (f"token-of-the-{age}-half-hour" for age in ("first", "second", "third"))


class Provider:
    """Gives tokens from a list, the last one again and again; raises what is an exception."""

    def __init__(self, *tokens: object) -> None:
        self.asked = 0
        self._tokens = tokens
        self._lock = threading.Lock()

    def __call__(self) -> Any:
        with self._lock:
            token = self._tokens[min(self.asked, len(self._tokens) - 1)]
            self.asked += 1
        for _ in range(200):
            # Whoever else needs a token gets as far as to ask for it, too.
            time.sleep(0)
        if isinstance(token, Exception):
            raise type(token)(*token.args)
        return token


def later(provider: Provider, make_client: ClientFactory) -> Any:
    """The provider, for the asynchronous client an asynchronous one."""

    async def provide() -> Any:
        await asyncio.sleep(0)
        return provider()

    return provide if make_client.kind == "async" else provider


def accepting(*tokens: str) -> Callable[[SeenRequest, int], Step]:
    """Let in who comes with one of these tokens."""
    return lambda seen, _: DONE if seen.token in tokens else says(401, {"message": "expired"})


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_provider_is_asked_at_first_use_and_then_no_more(
    make_client: ClientFactory, asynchronous: bool
) -> None:
    """Not when the client is made, and not for each request, run or raw call."""
    provider = Provider(NEW)
    server = ScriptedServer(Sandbox(), meet=accepting(NEW))
    client = meeting(
        make_client, server, later(provider, make_client) if asynchronous else provider
    )
    assert provider.asked == 0
    for kind in KINDS:
        inputs = wanted(server.sandbox, kind, 6)
        assert statuses(carry_out(client, kind, inputs, chunk_size=2)) == ["succeeded"] * 6
        assert carry_out_raw(make_client, client, kind, inputs[:1]).status_code < 300
    assert provider.asked == 1
    assert len(server.seen) == 4 * 4


def test_a_provider_of_no_use_is_not_asked(make_client: ClientFactory) -> None:
    """A run without a valid input sends nothing, and needs no token."""
    provider = Provider(NEW)
    carry_out(meeting(make_client, ScriptedServer(Sandbox(), DONE), provider), CALLS, [5, {}])
    assert provider.asked == 0


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_401_renews_the_token_for_the_whole_run(
    make_client: ClientFactory, asynchronous: bool
) -> None:
    """One after the other, only the first request meets it."""
    provider = Provider(OLD, NEW)
    server = ScriptedServer(Sandbox(), meet=accepting(NEW))
    given = later(provider, make_client) if asynchronous else provider
    client = meeting(make_client, server, given, max_concurrency=1)
    result = carry_out(client, CALLS, wanted(server.sandbox, CALLS, 5), chunk_size=1)
    assert statuses(result) == ["succeeded"] * 5
    assert provider.asked == 2
    assert [seen.token for seen in server.seen] == [OLD, *[NEW] * 5]
    assert set(server.times) == {0.0}, "a renewal is not waited for"


def four_threads(provider: Provider, server: ScriptedServer) -> HubSpotBatch:
    """Return a client that sends four requests at a time, each in a thread."""
    clock = clock_of(FakeClock(0.0))
    return HubSpotBatch(provider, transport=server, clock=clock, max_concurrency=4)


@pytest.mark.parametrize("kind", KINDS)
def test_threads_that_meet_the_401_together_ask_once(kind: str) -> None:
    """Each repeats its request with what the first of them got."""
    provider = Provider(OLD, NEW)
    together = threading.Barrier(4, timeout=10)

    def meet(seen: SeenRequest, number: int) -> Step:
        if seen.token == OLD:
            together.wait()
        return accepting(NEW)(seen, number)

    server = ScriptedServer(Sandbox(), meet=meet)
    with four_threads(provider, server) as client:
        inputs = wanted(server.sandbox, kind, 8)
        result = carry_out(client, kind, inputs, chunk_size=1)
    assert statuses(result) == ["succeeded"] * 8
    assert_true(result, server.sandbox, kind)
    assert provider.asked == 2
    assert [seen.token for seen in server.seen].count(OLD) == 4
    assert len(server.seen) == 12


def test_a_401_that_comes_late_finds_the_new_token(make_client: ClientFactory) -> None:
    """Its token was renewed while it was under way, so the provider is not asked again."""
    provider = Provider(OLD, NEW)
    renewed = threading.Event()
    together = threading.Barrier(2, timeout=10)

    def meet(seen: SeenRequest, number: int) -> Step:
        if seen.token == NEW:
            renewed.set()
        elif together.wait() == 0:
            assert renewed.wait(10)
        return accepting(NEW)(seen, number)

    server = ScriptedServer(Sandbox(), meet=meet)
    clock = clock_of(FakeClock(0.0))
    with HubSpotBatch(provider, transport=server, clock=clock, max_concurrency=2) as client:
        result = carry_out(client, CALLS, wanted(server.sandbox, CALLS, 2), chunk_size=1)
    assert statuses(result) == ["succeeded"] * 2
    assert (provider.asked, len(server.seen)) == (2, 4)


class Slow:
    """An asynchronous server that takes its time, in front of a played one."""

    def __init__(self, played: ScriptedServer, *seconds: float) -> None:
        self._played = played
        self._seconds = seconds

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        number = len(self._played.seen)
        step = self._played.note(request)
        await asyncio.sleep(self._seconds[number % len(self._seconds)])
        answer = self._played._inner.handle_request(request) if step.work else None
        return self._played.play(step, answer)


async def in_tasks(
    provide: Any, server: ScriptedServer, kind: str, count: int, *seconds: float
) -> Any:
    """Run with four requests at a time; each takes some seconds."""
    transport = httpx.MockTransport(Slow(server, *seconds))
    async with AsyncHubSpotBatch(
        provide, transport=transport, clock=virtual.clock(), max_concurrency=4
    ) as client:
        methods: Any = {CALLS: client.calls.create}
        try:
            return await methods[kind](wanted(server.sandbox, kind, count), chunk_size=1)
        except HubSpotBatchError as error:
            return error.result


@pytest.mark.parametrize("seconds", [(1.0,), (1.0, 2.0, 3.0, 4.0), (5.0, 0.5)], ids=str)
def test_tasks_that_meet_the_401_ask_once(seconds: tuple[float, ...]) -> None:
    """At the same moment, or while the provider is still thinking, or later."""
    provider = Provider(OLD, NEW)

    async def provide() -> Any:
        await asyncio.sleep(2.0)
        return provider()

    server = ScriptedServer(Sandbox(), meet=accepting(NEW))
    result = virtual.run(in_tasks(provide, server, CALLS, 12, *seconds))
    assert statuses(result) == ["succeeded"] * 12
    assert_true(result, server.sandbox, CALLS)
    assert provider.asked == 2


def test_threads_at_first_use_ask_once() -> None:
    """Also when the provider takes its time."""
    provider = Provider(NEW)
    together = threading.Barrier(4, timeout=10)
    server = ScriptedServer(
        Sandbox(), meet=lambda _, number: (number < 4 and together.wait(), DONE)[1]
    )
    with four_threads(provider, server) as client:
        result = carry_out(client, CALLS, wanted(server.sandbox, CALLS, 8), chunk_size=1)
    assert statuses(result) == ["succeeded"] * 8
    assert provider.asked == 1


FAILURES = [OSError("vault sealed"), AuthenticationError("no more"), "", None, 5]


@pytest.mark.parametrize("failure", FAILURES, ids=repr)
def test_threads_that_wait_for_a_provider_that_fails_do_not_ask_again(failure: object) -> None:
    """The failure that the first of them met counts for all; a later run asks anew."""
    provider = Provider(OLD, failure, NEW)
    together = threading.Barrier(4, timeout=10)

    def meet(seen: SeenRequest, number: int) -> Step:
        if seen.token == OLD and number < 4:
            together.wait()
        return accepting(NEW)(seen, number)

    server = ScriptedServer(Sandbox(), meet=meet)
    with four_threads(provider, server) as client:
        inputs = wanted(server.sandbox, CALLS, 8)
        with pytest.raises((AuthenticationError, ConfigurationError)) as caught:
            carry_out(client, CALLS, inputs, chunk_size=1)
        assert caught.value.result is not None
        assert statuses(caught.value.result) == ["not_sent"] * 8
        assert (provider.asked, held(server.sandbox, CALLS)) == (2, [])
        assert statuses(carry_out(client, CALLS, inputs, chunk_size=1)) == ["succeeded"] * 8
        assert provider.asked == 3


@pytest.mark.parametrize("seconds", [(1.0,), (1.0, 2.0, 3.0, 4.0)], ids=str)
def test_tasks_that_wait_for_a_provider_that_fails_do_not_ask_again(
    seconds: tuple[float, ...],
) -> None:
    """A provider that is asked again and again is locked out in the end."""
    provider = Provider(OLD, OSError("vault sealed"), NEW)

    async def provide() -> Any:
        await asyncio.sleep(9.0)
        return provider()

    server = ScriptedServer(Sandbox(), meet=accepting(NEW))
    result = virtual.run(in_tasks(provide, server, CALLS, 12, *seconds))
    assert statuses(result) == ["not_sent"] * 12
    assert (provider.asked, held(server.sandbox, CALLS)) == (2, [])


@pytest.mark.parametrize("failure", FAILURES, ids=repr)
def test_a_provider_that_fails_at_first_use_is_asked_again_by_the_next_run(
    make_client: ClientFactory, failure: object
) -> None:
    """And by no other request of the same one."""
    provider = Provider(failure, NEW)
    server = ScriptedServer(Sandbox(), meet=accepting(NEW))
    client = meeting(make_client, server, provider)
    inputs = wanted(server.sandbox, CALLS, 6)
    with pytest.raises((AuthenticationError, ConfigurationError)) as caught:
        carry_out(client, CALLS, inputs, chunk_size=1)
    assert caught.value.result is not None
    assert statuses(caught.value.result) == ["not_sent"] * 6
    assert (provider.asked, server.seen) == (1, [])
    assert statuses(carry_out(client, CALLS, inputs, chunk_size=1)) == ["succeeded"] * 6
    assert provider.asked == 2


def test_a_provider_that_knows_no_other_token_stops_the_run(make_client: ClientFactory) -> None:
    """It is asked once more, and the request sent once more; then nothing is."""
    provider = Provider(OLD)
    server = ScriptedServer(Sandbox(), meet=accepting(NEW))
    client = meeting(make_client, server, provider, max_concurrency=1)
    with pytest.raises(AuthenticationError, match="expired") as caught:
        carry_out(client, CALLS, wanted(server.sandbox, CALLS, 5), chunk_size=1)
    assert caught.value.status_code == 401
    assert caught.value.result is not None
    assert statuses(caught.value.result) == ["not_sent"] * 5
    assert (provider.asked, len(server.seen)) == (2, 2)


def test_threads_with_a_provider_that_knows_no_other_token_ask_little() -> None:
    """At most once for each token that was refused, however many meet the 401."""
    provider = Provider(OLD)
    together = threading.Barrier(4, timeout=10)

    def meet(seen: SeenRequest, number: int) -> Step:
        if number < 4:
            together.wait()
        return says(401, {"message": "expired"})

    server = ScriptedServer(Sandbox(), meet=meet)
    with four_threads(provider, server) as client:
        result = carry_out_or_stop(client, CALLS, wanted(server.sandbox, CALLS, 9), chunk_size=1)
    assert statuses(result) == ["not_sent"] * 9
    assert provider.asked == 2
    assert len(server.seen) <= 8


@pytest.mark.many
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("most", [1, 4])
def test_a_token_that_runs_out_in_a_long_run_loses_nothing(
    make_client: ClientFactory, kind: str, most: int
) -> None:
    """A 401 means not done, so creates are sent again too, and nothing is done twice."""
    provider = Provider(OLD, NEW, NEWEST)
    refused: set[str] = set()

    def meet(seen: SeenRequest, number: int) -> Step:
        valid = OLD if number < 11 else NEW if number < 33 else NEWEST
        inputs = str(seen.inputs)
        # However slow a thread is, no token runs out between its two attempts.
        if seen.token == valid or inputs in refused:
            return DONE
        refused.add(inputs)
        return says(401, {"message": "expired"})

    server = ScriptedServer(Sandbox(rate_limit=None), meet=meet)
    client = meeting(make_client, server, provider, max_concurrency=most)
    inputs = wanted(server.sandbox, kind, 60)
    result = carry_out(client, kind, inputs, chunk_size=1)
    assert statuses(result) == ["succeeded"] * 60
    assert_true(result, server.sandbox, kind)
    assert provider.asked == 3
    assert 62 <= len(server.seen) <= 60 + 2 * most
    if kind in CREATES:
        assert len(held(server.sandbox, kind)) == 60


def test_a_401_among_other_troubles(make_client: ClientFactory) -> None:
    """A renewal is no attempt: patience is as long as without it."""
    provider = Provider(OLD, NEW)
    steps = [says(423), fails(httpx.ConnectError), says(401), says(423), says(423), DONE]
    server = ScriptedServer(Sandbox(), *steps)
    result = carry_out(
        meeting(make_client, server, provider), CALLS, wanted(server.sandbox, CALLS, 1)
    )
    assert statuses(result) == ["succeeded"]
    assert [seen.token for seen in server.seen] == [*[OLD] * 3, *[NEW] * 3]
    assert server.times[2] == server.times[3]


def test_a_create_after_a_renewal_that_may_have_been_done_is_unknown(
    make_client: ClientFactory,
) -> None:
    """The new token changes nothing about that."""
    server = ScriptedServer(Sandbox(), says(401), says(503, work=True), DONE)
    client = meeting(make_client, server, Provider(OLD, NEW))
    result = carry_out(client, CALLS, wanted(server.sandbox, CALLS, 2))
    assert statuses(result) == ["unknown"] * 2
    assert len(server.seen) == 2
    assert_true(result, server.sandbox, CALLS)
