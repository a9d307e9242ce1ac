"""Cancelled runs leave no socket open, wherever the cancellation comes.

Services with time limits cancel runs all day, and keep one client. `make soak` cancels 10,000.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from typing import Any

import httpcore
import pytest
from cancelling import CAN_COUNT, cancel_and_count
from hubspot_batch._transport.cancellation import ClosingBackend


@pytest.mark.skipif(not CAN_COUNT, reason="open sockets cannot be counted on this system")
@pytest.mark.parametrize(("width", "runs"), [(1, 150), (4, 160)])
def test_cancelled_runs_leave_no_socket(width: int, runs: int) -> None:
    """The client holds no more connections than it may keep, and none when it is closed."""
    cancel_and_count(runs, width, seed=width)


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
    """The stream below is closed: nothing else knows of it yet."""

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
