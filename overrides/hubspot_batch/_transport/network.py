"""Sends requests over the network, with httpcore.

This module decides the meaning of a network failure. A failure before the first byte has left is
raised as a failure to connect, whichever exception httpcore raises. No message repeats bytes from
the network. A connection that received more than a response is not used again. httpx's own
transport does none of this, and has no hook for it.
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterable, Iterable
from http.client import responses as REASONS  # noqa: N812 - a constant
from typing import Any, cast

import httpcore
import httpx

from .active_attempt import active_attempt
from .environment import Proxy, Route
from .request_state import CancelledBeforeSendError
from .response_body import ResponseBody
from .streams import TaskBackend, ThreadBackend

# An idle connection is kept for so many seconds. Servers keep connections longer; if a server
# closed one at the moment of a create, the create would be in doubt.
_KEPT = 4.0


class Network(httpx.BaseTransport):
    """Sends for threads.

    Args:
        route: The way to the address that all requests go to.
        keep: Idle connections that are kept at most.
    """

    begins_attempts = True
    """Whether it notes itself when the first byte of a request leaves."""

    def __init__(self, route: Route, keep: int) -> None:
        self._proxy = route.proxy
        self._pool = httpcore.ConnectionPool(
            **_settings(route, keep), network_backend=ThreadBackend(route.context)
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and read its response whole."""
        try:
            answer = self._pool.handle_request(_as_httpcore(request))
            body = ResponseBody()
            try:
                for part in cast("Iterable[bytes]", answer.stream):
                    body.add(part)
                _retire_if_more_came(answer)
            except Exception as failure:  # noqa: BLE001 - raised again where the body matters
                body.failure = failure
            finally:
                answer.close()
            return _response(answer, body)
        except BaseException as error:
            for unused in _unused():
                unused.close()
            if not isinstance(error, Exception):
                raise
            raise _as_httpx(error, self._proxy) from error

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()


class AsyncNetwork(httpx.AsyncBaseTransport):
    """Sends for tasks of asyncio, like `Network`."""

    begins_attempts = True

    def __init__(self, route: Route, keep: int) -> None:
        self._proxy = route.proxy
        self._pool = httpcore.AsyncConnectionPool(
            **_settings(route, keep), network_backend=TaskBackend(route.context)
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and read its response whole."""
        try:
            answer = await self._pool.handle_async_request(_as_httpcore(request))
            body = ResponseBody()
            try:
                async for part in cast("AsyncIterable[bytes]", answer.stream):
                    body.add(part)
                _retire_if_more_came(answer)
            except Exception as failure:  # noqa: BLE001 - raised again where the body matters
                body.failure = failure
            finally:
                await answer.aclose()
            return _response(answer, body)
        except BaseException as error:
            for unused in _unused():
                await unused.aclose()
            if not isinstance(error, Exception):
                raise
            raise _as_httpx(error, self._proxy) from error

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pool.aclose()


def _settings(route: Route, keep: int) -> dict[str, Any]:
    return {
        "ssl_context": route.context,
        "proxy": None if route.proxy is None else route.proxy.for_httpcore(),
        "max_connections": None,
        "max_keepalive_connections": keep,
        "keepalive_expiry": _KEPT,
    }


def _as_httpcore(request: httpx.Request) -> httpcore.Request:
    url = request.url
    return httpcore.Request(
        method=request.method,
        url=httpcore.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        ),
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


def _response(answer: httpcore.Response, body: ResponseBody) -> httpx.Response:
    attempt = active_attempt()
    if answer.status == 408 and attempt is not None and attempt.reused:
        # Servers say so on a connection that has been idle for too long, also when a request is on
        # its way to them at that moment (https://www.rfc-editor.org/rfc/rfc9110#section-15.5.9).
        # So it says nothing about this request.
        raise httpx.RemoteProtocolError("the server ended an idle connection (408)")
    kept = {name: value for name, value in _extensions(answer).items() if name != "network_stream"}
    return body.response(answer.status, answer.headers, kept)


def _unused() -> list[Any]:
    """Return the connection that was made for a request of which nothing was sent.

    httpcore does not close it where a proxy by SOCKS says no.
    """
    attempt = active_attempt()
    return [] if attempt is None or attempt.sent or attempt.made is None else [attempt.made]


def _retire_if_more_came(answer: httpcore.Response) -> None:
    """Let no other request use the connection if more has arrived than the response.

    It would be taken for the next request's response. httpcore keeps it in the buffer of h11 and
    has no public name for that; if the private ones change, no connection is used twice.
    """
    stream: Any = answer.stream
    try:
        left, _ = stream._stream._connection._h11_state.trailing_data
    except AttributeError:
        left = b"?"
    if left or answer.status == 408:  # what was asked for can still come behind a 408
        _extensions(answer)["network_stream"].spent = True


def _extensions(answer: Any) -> dict[str, Any]:
    extensions: dict[str, Any] = answer.extensions
    return extensions


def _as_httpx(error: Exception, proxy: Proxy | None) -> Exception:
    """Return a failure as httpx names it, and as one to connect if nothing was sent."""
    attempt = active_attempt()
    if isinstance(error, httpx.HTTPError | CancelledBeforeSendError):
        return error
    known: type[httpx.HTTPError] | None = getattr(httpx, type(error).__name__, None)
    words = _words(error)
    if attempt is None or attempt.sent:
        return error if known is None else known(words)
    if isinstance(error, httpcore.LocalProtocolError | httpcore.UnsupportedProtocol):
        return httpx.UnsupportedProtocol(words)
    # A resolver can raise ValueError; the library for SOCKS raises what it likes.
    if known is None and proxy is None and not isinstance(error, OSError | ValueError):
        return error
    words = words or type(error).__name__
    if proxy is not None:
        words += f", with the proxy that {proxy.source} names"
    if isinstance(error, httpcore.ProxyError):
        return httpx.ProxyError(words)
    failed = httpx.ConnectTimeout if isinstance(error, _TIMED_OUT) else httpx.ConnectError
    return failed(words)


_TIMED_OUT = httpcore.TimeoutException | TimeoutError
_QUOTED = re.compile(r":? ?(?:bytearray\()?b['\"].*", re.DOTALL)


def _words(error: Exception) -> str:
    """Return what a failure says, without anything that came over the wire.

    h11 quotes lines that it cannot read, and httpcore the words behind a proxy's status. Both can
    repeat the request, and so the token or the proxy's password.
    """
    words = _system_words(error) or str(error)
    if isinstance(error, httpcore.ProxyError):
        status = words[:3]
        return f"{status} {REASONS.get(int(status), '')}".rstrip() if status.isdigit() else words
    if isinstance(error, httpcore.ProtocolError):
        words = _QUOTED.sub("", words)
    if not words and isinstance(error, httpcore.NetworkError):
        return "the connection was broken off"  # anyio says no more
    return words.rstrip(".") or ("timed out" if isinstance(error, _TIMED_OUT) else "")


def _system_words(error: Exception) -> str:
    """Return what the operating system said, which the library for tasks leaves out."""
    words = ""
    at: Any = next(iter(error.args), None)  # httpcore hands on what it met, without the cause
    while isinstance(at, BaseException):
        if isinstance(at, OSError):
            plain = at.errno is not None and type(at).__module__ == "builtins"
            words = (
                f"[Errno {at.errno}] {os.strerror(at.errno or 0)}" if plain else str(at) or words
            )
        several: tuple[BaseException, ...] = getattr(at, "exceptions", ())
        at = several[0] if several else at.__cause__
    return words
