"""Closes a connection if its request is cancelled while it is opened.

anyio and httpcore lose a connection if a task is cancelled at certain moments, and its socket stays
open as long as the event loop. So each connection is opened in a task of its own, which closes it
if no other task waits for it any more. A connection is also closed if TLS cannot be begun on it.
"""

# ruff: noqa: ASYNC109 - the signatures are httpcore's
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpcore

if TYPE_CHECKING:
    from asyncio import Task


class ClosingBackend(httpcore.AsyncNetworkBackend):
    """Makes connections, and closes those that no task waits for any more."""

    def __init__(self, inner: httpcore.AsyncNetworkBackend) -> None:
        self._inner = inner

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to a host."""
        from asyncio import get_running_loop, shield  # noqa: PLC0415 - threads need none of it

        abandoned: list[bool] = []

        async def connect() -> httpcore.AsyncNetworkStream:
            made = await self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
            if abandoned:
                await made.aclose()
            return made

        # Cancelled itself, anyio could lose a connection that has just been made.
        connecting = get_running_loop().create_task(connect())
        try:
            return ClosingStream(await shield(connecting))
        except BaseException:
            abandoned.append(True)
            await _close_made(connecting)
            raise


async def _close_made(connecting: Task[httpcore.AsyncNetworkStream]) -> None:
    if connecting.done() and not connecting.cancelled() and connecting.exception() is None:
        await connecting.result().aclose()


class ClosingStream(httpcore.AsyncNetworkStream):
    """A connection that is closed if TLS cannot be begun on it."""

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what has arrived, or wait for it."""
        return await self._inner.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all."""
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        """Close it."""
        await self._inner.aclose()

    async def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Return the connection with TLS."""
        try:
            return ClosingStream(await self._inner.start_tls(ssl_context, server_hostname, timeout))
        except BaseException:
            await self._inner.aclose()
            raise

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore asks for."""
        return self._inner.get_extra_info(info)
