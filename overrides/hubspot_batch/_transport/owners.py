"""Decides who may use which connection: one process, and one event loop.

A fork copies sockets, locks and waiting requests. Two processes that share a socket take each
other's responses, and a lock that another thread held at the fork is never released. An event loop
cannot use the sockets of another one. So this module decides that each process starts with a
transport of its own, and each event loop with connections of its own. What was copied is left
alone: the process that made it goes on with it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from copy import copy
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import httpx

from hubspot_batch.errors import ConfigurationError

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

T = TypeVar("T")
AnyTransport = httpx.BaseTransport | httpx.AsyncBaseTransport


@cache
def _remember_missing_sniffio() -> None:
    """Let the import of sniffio fail at once if it is not installed.

    httpcore tries to import it six times for each request of a task. Where it is missing, each time
    takes a tenth of a millisecond, and a lock that a fork could copy while it is held.
    """
    try:
        import_module("sniffio")
    except ImportError:
        sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type] # Python allows it


def running_loop() -> AbstractEventLoop:
    """Return the running event loop.

    Raises:
        ConfigurationError: None of asyncio is running.
    """
    from asyncio import get_running_loop  # noqa: PLC0415 - a thread needs none of it

    try:
        return get_running_loop()
    except RuntimeError:
        raise ConfigurationError(
            "AsyncHubSpotBatch needs an event loop of asyncio, and none is running here; "
            "with another library (trio), use HubSpotBatch in a thread."
        ) from None


def check_open(http: httpx.Client | httpx.AsyncClient) -> None:
    """Refuse a client that is closed.

    Raises:
        ConfigurationError: It is.
    """
    if http.is_closed:
        raise ConfigurationError("This client is closed; make a new one.")


class PerLoop(Generic[T]):
    """A value for each event loop, made when it is first needed there.

    Args:
        make: Returns a new value, which is never None.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self.values: dict[AbstractEventLoop, T] = {}

    def here(self) -> T:
        """Return the value of the running event loop."""
        loop = running_loop()
        value = self.values.get(loop)
        if value is None:
            for other in [*self.values]:
                if other.is_closed():
                    self.values.pop(other, None)
            value = self.values.setdefault(loop, self._make())
        return value


class ProcessTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Sends with a transport that no other process uses, and closes no other one.

    Args:
        make: Returns a new transport, with connections, locks and limits of its own. It is called
            for the first request: what it imports takes a while.
    """

    def __init__(self, make: Callable[[], AnyTransport]) -> None:
        self._make = make
        self._made: dict[int, AnyTransport] = {}
        self._process = os.getpid()

    def with_options(self, *changes: object) -> ProcessTransport:
        """Return one that sends otherwise over the same connections, which it never closes.

        Args:
            changes: The arguments of `Transport.with_options`.
        """
        return _BorrowingTransport(lambda: cast("Any", self._here()).with_options(*changes))

    def _here(self) -> AnyTransport:
        process = os.getpid()
        transport = self._made.get(process)
        if transport is None:
            # Several threads may come here first, and no lock is certain to be free after a fork.
            transport = self._made.setdefault(process, self._make())
            for other in [*self._made]:
                if other != process:
                    self._made.pop(other, None)
        return transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request (httpx calls this)."""
        return cast("httpx.BaseTransport", self._here()).handle_request(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request (httpx calls this)."""
        return await cast("httpx.AsyncBaseTransport", self._here()).handle_async_request(request)

    def close(self) -> None:
        """Close the transport of this process, if it has one."""
        if self._has_one:
            cast("httpx.BaseTransport", self._here()).close()

    async def aclose(self) -> None:
        """Close the transport of this process, if it has one."""
        if self._has_one:
            await cast("httpx.AsyncBaseTransport", self._here()).aclose()

    @property
    def _has_one(self) -> bool:
        """Whether this process has a transport, also one that the caller gave and never used."""
        return os.getpid() in (self._process, *self._made)


class _BorrowingTransport(ProcessTransport):
    """Sends over connections that another transport opens and closes."""

    def close(self) -> None:
        """Close nothing."""

    async def aclose(self) -> None:
        """Close nothing."""


class LoopTransport(httpx.AsyncBaseTransport):
    """Sends with connections of the running event loop.

    They are closed when the loop ends: `asyncio.run` and its like then close the asynchronous
    generators that have begun in the loop, and one of them closes the connections.

    Args:
        connect: Returns a transport that holds no connections yet.
    """

    begins_attempts = True  # as `AsyncNetwork` does, the only one that it opens

    def __init__(self, connect: Callable[[], AnyTransport]) -> None:
        self._connect = connect
        self._loops = PerLoop(self._open)

    def _open(self) -> tuple[httpx.AsyncBaseTransport, AsyncGenerator[None, None]]:
        _remember_missing_sniffio()
        transport = cast("httpx.AsyncBaseTransport", self._connect())
        closing = _close_at_the_end(transport)
        with suppress(StopIteration):  # how a coroutine ends that never waits
            closing.asend(None).send(None)
        return transport, closing

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and read its response (httpx calls this)."""
        transport = self._loops.here()[0]
        try:
            response = await transport.handle_async_request(request)
            await response.aread()
        except BaseException:
            await _close_orphans(transport, request)
            raise
        return response

    async def aclose(self) -> None:
        """Close the connections of this loop; other loops close theirs when they end."""
        with suppress(ConfigurationError):  # another library runs: nothing was opened in it
            made = self._loops.values.pop(running_loop(), None)
            if made is not None:
                await made[1].aclose()


async def _close_at_the_end(transport: httpx.AsyncBaseTransport) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await transport.aclose()


async def _close_orphans(transport: httpx.AsyncBaseTransport, ended: httpx.Request) -> None:
    """Close the connections that a transport has opened for requests that have ended.

    A task can be cancelled after its connection was made and before httpcore counts it as used, or
    after its response was read and before httpcore counts it as free. httpcore never closes such a
    connection, and has no public name for what uses one.

    Args:
        transport: The transport.
        ended: A request that has ended without a response.
    """
    pool: Any = getattr(transport, "_pool", None)
    if pool is None:
        return
    for request in [*pool._requests]:
        if request.request.extensions is ended.extensions:
            pool._requests.remove(request)
    used = {id(request.connection) for request in pool._requests}
    for connection in pool.connections:
        if id(connection) not in used and not (connection.is_idle() or connection.is_closed()):
            await connection.aclose()


class OneLoopTransport(httpx.AsyncBaseTransport):
    """Sends in the event loop that used it first, and in no other one."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        _remember_missing_sniffio()
        self._inner = inner
        self._first: list[AbstractEventLoop] = []

    def with_options(self, *changes: object) -> OneLoopTransport:
        """Return one that sends otherwise, in the same event loop."""
        made = copy(self)
        made._inner = cast("Any", self._inner).with_options(*changes)
        return made

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request (httpx calls this)."""
        loop = running_loop()
        if not self._first:
            self._first.append(loop)
        if self._first[0] is not loop:
            raise ConfigurationError(
                "The transport that this client was given belongs to another event loop; make a "
                "new client with a new transport in this one, or give no transport."
            )
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close it."""
        await self._inner.aclose()


def holds_connections(transport: AnyTransport) -> bool:
    """Return whether a transport of the caller's may hold connections, or locks for them."""
    none = httpx.MockTransport | httpx.ASGITransport | httpx.WSGITransport
    return not (isinstance(transport, none) or getattr(transport, "connectionless", False))


def lend(transport: AnyTransport) -> Callable[[], AnyTransport]:
    """Return a function that returns a transport of the caller's.

    If it may hold connections, another process gets a ConfigurationError instead.
    """
    process = os.getpid()

    def give() -> AnyTransport:
        if os.getpid() != process and holds_connections(transport):
            raise ConfigurationError(
                "This client was made in another process, and the transport that it was given may "
                "hold connections of that one; make a new client in this process."
            )
        return transport

    return give
