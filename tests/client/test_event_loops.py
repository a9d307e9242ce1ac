"""An asynchronous client in several event loops: one after the other, at once, or none of asyncio.

Task queues, web frameworks and notebooks call `asyncio.run` again and again with one client.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import warnings
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
from both_clients import clock_of, waits_to
from hubspot_batch import AsyncHubSpotBatch, ConfigurationError, RateLimit, Wait, result_of
from hubspot_batch.sandbox import FakeClock, Sandbox, SandboxTransport, served
from hubspot_batch_client.api.calls import create_calls
from hubspot_batch_client.models import CallBatchInput, CallInput
from leak_watch import SECRET

ROW = {"properties": {"hs_timestamp": "2026-01-31T09:30:00Z"}}


@pytest.fixture(autouse=True)
def _nothing_is_left_open() -> Iterator[None]:
    """A socket that was not closed is an error: Python says so when it throws it away."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        gc.collect()


class Holding(httpx.AsyncBaseTransport):
    """A transport of a user, which may hold anything."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._inner = SandboxTransport(sandbox)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._inner.handle_async_request(request)


def one_step(made: Coroutine[Any, Any, Any]) -> None:
    """Begin a coroutine where asyncio does not run, as trio and others do."""
    with suppress(StopIteration):
        made.send(None)
        made.close()


@pytest.mark.parametrize("count", [1, 30])
def test_one_loop_after_the_other(count: int) -> None:
    """Each one sends, and nothing is in doubt; its connections are closed when it ends."""
    sandbox = Sandbox(rate_limit=None)
    with served(sandbox) as url:
        client = AsyncHubSpotBatch(SECRET, base_url=url, rate_limit=None)
        for number in range(1, 5):
            result = asyncio.run(client.calls.create([ROW] * count, chunk_size=1))
            assert len(result.succeeded) == count
            assert len(sandbox.records("calls")) == count * number
            gc.collect()
        asyncio.run(client.close())
        with pytest.raises(ConfigurationError, match="closed"):
            asyncio.run(client.calls.create([ROW]))


def test_several_loops_at_once() -> None:
    """Threads with event loops of their own share a client."""
    sandbox = Sandbox(rate_limit=None)
    done: list[int] = []
    asked: list[int] = []

    async def token() -> str:
        asked.append(threading.get_ident())
        await asyncio.sleep(0.01)
        return SECRET

    with served(sandbox) as url:
        client = AsyncHubSpotBatch(token, base_url=url, rate_limit=None, max_concurrency=3)

        def work() -> None:
            for _ in range(3):
                result = asyncio.run(client.calls.create([ROW] * 10, chunk_size=1))
                done.append(len(result.succeeded))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert done == [10] * 12
    assert len(sandbox.records("calls")) == 120
    assert len(asked) == len({*asked}), "a loop asked twice at the same time"


def test_the_rate_limit_is_that_of_the_client() -> None:
    """A new event loop does not begin a new window."""
    sandbox, waits = Sandbox(rate_limit=None), list[Wait]()
    assert isinstance(sandbox.clock, FakeClock)
    client = AsyncHubSpotBatch(
        SECRET,
        transport=SandboxTransport(sandbox),
        clock=clock_of(sandbox.clock),
        rate_limit=RateLimit(2, 10),
        on_event=waits_to(waits.append),
    )
    for waited in (0, 0, 1, 1):
        assert asyncio.run(client.calls.create([ROW])).succeeded
        assert len(waits) == waited
    assert waits[0].reason == "rate_limit"


def test_the_generated_functions() -> None:
    """`raw` works in each loop as well."""
    sandbox = Sandbox(rate_limit=None)
    body = CallBatchInput(inputs=[CallInput(properties=ROW["properties"])])
    with served(sandbox) as url:
        client = AsyncHubSpotBatch(SECRET, base_url=url)
        for number in (1, 2, 3):
            assert asyncio.run(create_calls.asyncio(client=client.raw, body=body)) is not None
            assert len(sandbox.records("calls")) == number


def test_a_transport_of_the_callers_belongs_to_one_loop() -> None:
    """In another one nothing is sent, and the message says what to do."""
    sandbox = Sandbox(rate_limit=None)
    client = AsyncHubSpotBatch(SECRET, transport=Holding(sandbox))
    assert asyncio.run(client.calls.create([ROW])).succeeded
    with pytest.raises(ConfigurationError, match="belongs to another event loop") as caught:
        asyncio.run(client.calls.create([ROW] * 3, chunk_size=1))
    result = result_of(caught.value)
    assert result is not None
    assert len(result.not_sent) == 3
    assert len(sandbox.records("calls")) == 1


def test_an_iterator_belongs_to_the_loop_in_which_it_began() -> None:
    """Its requests are there; in another loop it sends nothing more, and says what is known."""
    sandbox = Sandbox(rate_limit=None)
    with served(sandbox) as url:
        client = AsyncHubSpotBatch(SECRET, base_url=url, rate_limit=None, max_concurrency=2)
        outcomes = client.calls.create_iter(iter([ROW] * 20), chunk_size=1)

        async def take() -> Any:
            return await anext(outcomes)

        first = asyncio.run(take())
        told = [first]
        with pytest.raises(  # noqa: PT012 - what is ready is handed out first
            ConfigurationError, match="the event loop in which it began"
        ) as caught:
            while True:
                told.append(asyncio.run(take()))
        result = result_of(caught.value)
        assert result is outcomes.result
        assert result is not None
        created = len(sandbox.records("calls"))
        succeeded = len(told) + len(result.succeeded)
        assert succeeded <= created <= succeeded + len(result.unknown) < 20
        assert not result.failed
        asyncio.run(outcomes.aclose())


def test_another_loop_closes_the_client() -> None:
    """The connections of a loop that has ended are closed already."""
    with served(Sandbox(rate_limit=None)) as url:
        client = AsyncHubSpotBatch(SECRET, base_url=url)
        assert asyncio.run(client.calls.create([ROW])).succeeded
        asyncio.run(client.close())
        asyncio.run(client.close())


def test_without_asyncio() -> None:
    """Under another library (trio, curio) nothing is sent, and the message says what to do."""
    sandbox = Sandbox(rate_limit=None)
    body = CallBatchInput(inputs=[CallInput(properties=ROW["properties"])])
    with served(sandbox) as url:
        client = AsyncHubSpotBatch(SECRET, base_url=url)
        assert asyncio.run(client.calls.create([ROW])).succeeded
        outcomes = client.calls.create_iter([ROW])
        for made in (client.calls.create([ROW]), anext(outcomes)):
            with pytest.raises(ConfigurationError, match="use HubSpotBatch in a thread"):
                one_step(made)  # type: ignore[arg-type] # both are coroutines
        # Before 0.28, httpx itself looks for a library that it knows, and first.
        first = RuntimeError if httpx.__version__.startswith("0.27.") else ConfigurationError
        with pytest.raises(first):
            one_step(create_calls.asyncio(client=client.raw, body=body))
        one_step(client.close())
        assert len(sandbox.records("calls")) == 1


def test_under_trio() -> None:
    """The same, with the library itself, where it is installed."""
    trio = pytest.importorskip("trio")
    sandbox = Sandbox(rate_limit=None)
    with served(sandbox) as url:

        async def main() -> None:
            async with AsyncHubSpotBatch(SECRET, base_url=url) as client:
                await client.calls.create([ROW])

        with pytest.raises(ConfigurationError, match="use HubSpotBatch in a thread"):
            trio.run(main)
    assert not sandbox.requests


def test_a_library_that_is_missing_is_looked_for_once() -> None:
    """The network layer tries to import sniffio six times for each request of a task."""
    with served(Sandbox(rate_limit=None)) as url:
        client = AsyncHubSpotBatch(SECRET, base_url=url)
        assert asyncio.run(client.calls.create([ROW])).succeeded
    assert "sniffio" in sys.modules
