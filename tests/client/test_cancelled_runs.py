"""Cancelled runs leave no socket open, wherever the cancellation comes.

Services with time limits cancel runs all day, and keep one client. A task is cancelled here after
every number of steps of its event loop: while it connects, sends, waits, reads, and takes in what
it has read.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpcore
import pytest
from hubspot_batch import AsyncHubSpotBatch
from hubspot_batch._transport.cancellation import ClosingBackend
from hubspot_batch.sandbox import Sandbox, served
from leak_watch import SECRET

ROW = {"properties": {"hs_timestamp": "2026-01-31T09:30:00Z"}}
DESCRIPTORS = Path("/proc/self/fd" if sys.platform == "linux" else "/dev/fd")
pytestmark = pytest.mark.skipif(not DESCRIPTORS.exists(), reason="descriptors cannot be counted")


def count() -> int:
    """How many files and sockets the process has open."""
    return len([*DESCRIPTORS.iterdir()])


async def settled(most: int) -> int:
    """The number that is open, as soon as it is small: what was closed takes its time to end."""
    for _ in range(500):
        if count() <= most:
            break
        await asyncio.sleep(0.02)
    return count()


async def cancel_runs(client: AsyncHubSpotBatch, runs: int, width: int) -> None:
    """Cancel runs after some steps, or some tenths of a millisecond: one, two, and so on."""
    for number in range(runs):
        tasks = [
            asyncio.create_task(client.calls.create([ROW] * 3, chunk_size=1)) for _ in range(width)
        ]
        if number % 3:
            for _ in range(number % 150):
                await asyncio.sleep(0)
        else:
            await asyncio.sleep(number % 150 / 10_000)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        if number % 5 == 0:
            assert (await client.calls.create([ROW])).succeeded


@pytest.mark.parametrize(("width", "runs"), [(1, 150), (4, 40)])
def test_cancelled_runs_leave_no_socket(width: int, runs: int) -> None:
    """The client holds no more connections than it may keep, and none when it is closed."""

    async def main(url: str) -> None:
        async with AsyncHubSpotBatch(SECRET, base_url=url) as first:
            await first.calls.create([ROW])  # so that the server is there as a whole
        before = count()
        client = AsyncHubSpotBatch(SECRET, base_url=url, rate_limit=None, max_concurrency=width)
        async with client:
            await cancel_runs(client, runs, width)
            kept = before + 2 * width  # the server's ends are counted, too
            assert await settled(kept) <= kept
            assert (await client.calls.create([ROW])).succeeded
        assert await settled(before) <= before

    with served(Sandbox(rate_limit=None)) as url:
        asyncio.run(main(url))


class Held(httpcore.AsyncNetworkStream):
    """A connection whose TLS never begins."""

    def __init__(self) -> None:
        self.closed = False

    async def aclose(self) -> None:
        self.closed = True

    async def start_tls(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        await asyncio.sleep(3600)
        return self


class HeldBackend(httpcore.AsyncNetworkBackend):
    """Makes a connection when it is told to."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.made: list[Held] = []

    async def connect_tcp(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        await self.go.wait()
        self.made.append(Held())
        return self.made[-1]


@pytest.mark.parametrize("steps", range(6))
def test_a_connection_that_is_made_too_late(steps: int) -> None:
    """It is closed, whether it was there before the cancellation, with it, or after it."""

    async def main() -> None:
        backend = HeldBackend()
        connecting = asyncio.create_task(ClosingBackend(backend).connect_tcp("localhost", 1))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        backend.go.set()
        for _ in range(steps):
            await asyncio.sleep(0)
        connecting.cancel()
        with suppress(asyncio.CancelledError):
            await (await connecting).aclose()  # it was there before, and its request has it
        for _ in range(5):
            await asyncio.sleep(0)
        assert [stream.closed for stream in backend.made] == [True]

    asyncio.run(main())


def test_tls_that_is_cancelled() -> None:
    """The stream below is closed: nobody else knows of it yet."""

    async def main() -> None:
        backend = HeldBackend()
        backend.go.set()
        stream = await ClosingBackend(backend).connect_tcp("localhost", 1)
        beginning = asyncio.create_task(stream.start_tls(ssl.create_default_context()))
        await asyncio.sleep(0)
        beginning.cancel()
        with pytest.raises(asyncio.CancelledError):
            await beginning
        assert backend.made[0].closed

    asyncio.run(main())
