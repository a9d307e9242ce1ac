"""Network connections that know which attempt they work for.

This module decides how long a step on a connection may take, and when the first byte of a request
has left. A connection is used again only if nothing has arrived on it unasked. httpcore calls this
module for each connection, read and write, and decides which request uses which connection.
"""

# ruff: noqa: ASYNC109 - the signatures are httpcore's
from __future__ import annotations

import socket
import ssl
from typing import Any, TypeVar

import httpcore

from .active_attempt import ActiveAttempt, active_attempt
from .cancellation import ClosingBackend

# Bytes that are written at once in a thread. The time that is left is looked at between them,
# because a peer that reads slowly makes httpcore wait anew for each part of what it is handed.
_PIECE = 16 * 1024


class _ObservedStream:
    """Watches the connections of threads and of tasks.

    Args:
        inner: The connection of httpcore that performs the steps.
        server_context: The TLS settings for HubSpot itself; None over plain http.
        to_server: Whether what is written reaches HubSpot. It does not before TLS to it has begun:
            until then a proxy reads it.

    Attributes:
        spent: Whether more has arrived than was asked for, so that nothing else is sent on it.
    """

    def __init__(
        self, inner: Any, server_context: ssl.SSLContext | None, *, to_server: bool
    ) -> None:
        self._inner = inner
        self._server_context = server_context
        self._to_server = to_server
        self._attempt: ActiveAttempt | None = None
        self.spent = False

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore asks for.

        It closes an idle connection that is readable, so that one that is spent says it is.
        """
        if info == "is_readable" and self.spent:
            return True
        return self._inner.get_extra_info(info)

    def _before_write(self) -> None:
        """Note the first byte of an attempt, if this is it.

        Raises:
            httpcore.ConnectionNotAvailable: Something has arrived since the last response. httpcore
                then sends on another connection.
            httpcore.ConnectError: Something has arrived on a new connection, or its end.
            CancelledBeforeSendError: The request was cancelled.
        """
        attempt = active_attempt()
        if attempt is None or attempt is self._attempt:
            return
        if self._attempt is not None:
            if self.get_extra_info("is_readable") or _has_unread(self._inner):
                raise httpcore.ConnectionNotAvailable
            attempt.reused = True
        elif (
            self._to_server and self._server_context is None and self.get_extra_info("is_readable")
        ):
            # With TLS a new connection is readable: the server has sent tickets for other ones.
            raise httpcore.ConnectError("the server ended the connection, or spoke first")
        self._attempt = attempt
        if self._to_server:
            attempt.begin()


def _has_unread(inner: Any) -> bool:
    """Return whether the TLS layer holds bytes that were not read.

    The socket does not show them. The connection is not used again if it does, so a byte may be
    taken from it.
    """
    secured = inner.get_extra_info("ssl_object")
    if secured is None:
        return False
    if not isinstance(secured, ssl.SSLObject):
        return bool(secured.pending())
    try:
        secured.read(1)  # from memory: it never waits
    except ssl.SSLWantReadError:
        return False
    except ssl.SSLError:
        return True
    return True


def _left(timeout: float | None, failure: type[httpcore.TimeoutException]) -> float | None:
    attempt = active_attempt()
    if attempt is None:
        return timeout
    left = attempt.left(timeout)
    if left is not None and left <= 0:
        raise failure("timed out")
    return left


class ThreadStream(_ObservedStream, httpcore.NetworkStream):
    """A connection that a thread waits for."""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what has arrived, or wait for it."""
        data: bytes = self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all."""
        self._before_write()
        for start in range(0, len(buffer), _PIECE):
            piece = buffer[start : start + _PIECE]
            self._inner.write(piece, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        """Close it."""
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> ThreadStream:
        """Return the connection with TLS."""
        left = _left(timeout, httpcore.ConnectTimeout)
        inner = self._inner.start_tls(ssl_context, server_hostname, left)
        context = self._server_context
        return ThreadStream(inner, context, to_server=ssl_context is context)


class TaskStream(_ObservedStream, httpcore.AsyncNetworkStream):
    """A connection that a task waits for."""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what has arrived, or wait for it."""
        data: bytes = await self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all."""
        self._before_write()
        await self._inner.write(buffer, _left(timeout, httpcore.WriteTimeout))

    async def aclose(self) -> None:
        """Close it."""
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> TaskStream:
        """Return the connection with TLS."""
        left = _left(timeout, httpcore.ConnectTimeout)
        inner = await self._inner.start_tls(ssl_context, server_hostname, left)
        context = self._server_context
        return TaskStream(inner, context, to_server=ssl_context is context)


_StreamT = TypeVar("_StreamT", ThreadStream, TaskStream)


def _noted(stream: _StreamT) -> _StreamT:
    """Note a new connection at the attempt that it was made for."""
    if (attempt := active_attempt()) is not None:
        attempt.made = stream
    return stream


class ThreadBackend(httpcore.NetworkBackend):
    """Makes connections for threads.

    Args:
        server_context: The TLS settings for HubSpot itself; None over plain http.
    """

    def __init__(self, server_context: ssl.SSLContext | None) -> None:
        self._inner = httpcore.SyncBackend()
        self._server_context = server_context

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> ThreadStream:
        """Connect to one of a host's addresses.

        The addresses share the time equally; Python's `create_connection` would give all of it to
        each of them.
        """
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(str(error)) from error
        addresses = [str(one[4][0]) for one in found]
        left = _left(timeout, httpcore.ConnectTimeout)
        share = None if left is None else left / len(addresses)
        while True:
            address = addresses.pop(0)
            try:
                inner = self._inner.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if not addresses:
                    raise
            else:
                context = self._server_context
                return _noted(ThreadStream(inner, context, to_server=context is None))


class TaskBackend(httpcore.AsyncNetworkBackend):
    """Makes connections for tasks.

    Args:
        server_context: The TLS settings for HubSpot itself; None over plain http.
    """

    def __init__(self, server_context: ssl.SSLContext | None) -> None:
        inner: Any = httpcore.AnyIOBackend()
        self._inner = ClosingBackend(inner)
        self._server_context = server_context

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> TaskStream:
        """Connect to one of a host's addresses."""
        left = _left(timeout, httpcore.ConnectTimeout)
        inner = await self._inner.connect_tcp(host, port, left, local_address, socket_options)
        context = self._server_context
        return _noted(TaskStream(inner, context, to_server=context is None))
