"""Sends requests: with a token, no faster than allowed, again where nothing can have been done.

This module decides what happens between a request and the answer that its caller sees. It never
looks into a batch: it repeats requests, not records. A create that may have been done is never
repeated here, because only what was certainly not done is.

The exchange is a generator that yields steps and is handed what came of them, so the synchronous
and the asynchronous driver below share everything but the acts themselves.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeAlias, cast

import httpx
from attrs import frozen

from .errors import ConfigurationError
from .guards import is_map
from .policies import RateLimit, Retry, Window, may_pass
from .tokens import Token, TokenProvider, ask, ask_async, hide, read_token

_log = logging.getLogger("hubspot_batch")


@frozen
class Clock:
    """How time is told and spent; tests hand in one of their own, and nobody waits.

    Attributes:
        now: Returns seconds of a clock that never goes back.
        sleep: Waits for a number of seconds.
        asleep: The same, to be awaited.
    """

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep
    asleep: Callable[[float], Awaitable[object]] = asyncio.sleep


@frozen
class _Ask:
    """Ask the provider for a token."""


@frozen
class _Send:
    request: httpx.Request


@frozen
class _Read:
    response: httpx.Response


@frozen
class _Wait:
    seconds: float


_Step: TypeAlias = _Ask | _Send | _Read | _Wait
# What came of a step, behind the time at which it came, in seconds of a steady clock.
_Came: TypeAlias = tuple[float, Any]
_Exchange: TypeAlias = Generator[_Step, _Came, httpx.Response]


class Transport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """The one transport of both clients, around an httpx transport of either kind.

    Args:
        inner: The transport that sends.
        token: The token, or a function that returns it; the asynchronous side also takes one
            that returns an awaitable. It is asked for each request, and once more after a 401,
            since OAuth tokens live 30 minutes and a long run outlives them.
        origin: The only address that the token is sent to.
        rate_limit: How fast requests may start; None for as fast as they come.
        retry: How often a request that was certainly not done is repeated.
        clock: How time is told and spent.
    """

    def __init__(
        self,
        inner: httpx.BaseTransport | httpx.AsyncBaseTransport,
        token: str | TokenProvider,
        *,
        origin: str,
        rate_limit: RateLimit | None,
        retry: Retry,
        clock: Clock,
    ) -> None:
        self._inner = inner
        self._token = token if callable(token) else Token(read_token(token))
        self._origin = _origin(httpx.URL(origin))
        self._window = Window(rate_limit) if rate_limit else None
        self._window_lock = threading.Lock()
        self._retry = retry
        self._clock = clock

    def _exchange(self, request: httpx.Request) -> _Exchange:
        self._check_origin(request)
        now, token = yield _Ask()
        begun, attempt, tokens = now, 1, [token]
        # A body that is not in memory is gone once it has been read.
        repeatable = isinstance(request.stream, httpx.ByteStream)
        renewable = repeatable and callable(self._token)
        try:
            while True:
                request.headers["Authorization"] = f"Bearer {tokens[-1].value}"
                if (pause := self._reserve(now)) > 0:
                    yield _Wait(pause)
                now, came = yield _Send(request)
                if isinstance(came, httpx.Response):
                    now, came = yield _Read(came)
                if isinstance(came, httpx.Response):
                    came = hide(tokens, came)
                if _status(came) == 401 and renewable:
                    renewable = False
                    now, token = yield _Ask()
                    tokens.append(token)
                    continue
                if not (repeatable and _not_done_and_may_pass(came)):
                    break
                pause = _pause(came, attempt)
                patient = attempt < self._retry.max_attempts
                if not patient or now + pause - begun > self._retry.max_elapsed:
                    break
                _log.info("Waiting %.1f s, then sending again: %s", pause, request.url.path)
                now, _ = yield _Wait(pause)
                attempt += 1
        finally:
            # Requests are kept in answers and exceptions, which are shown and pickled.
            request.headers.pop("Authorization", None)
        if isinstance(came, httpx.Response):
            return came
        raise came

    def _check_origin(self, request: httpx.Request) -> None:
        if _origin(request.url) != self._origin:
            raise ConfigurationError(
                f"The token is only sent to {self._origin[1]}, and not to {request.url.host}; "
                "make another client for another address."
            )

    def _reserve(self, now: float) -> float:
        if self._window is None:
            return 0.0
        with self._window_lock:
            return self._window.reserve(now)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request (httpx calls this)."""
        exchange = self._exchange(request)
        step = next(exchange)
        while True:
            came = self._act(step)
            try:
                step = exchange.send((self._clock.now(), came))
            except StopIteration as done:
                return cast("httpx.Response", done.value)

    def _act(self, step: _Step) -> object:
        inner = cast("httpx.BaseTransport", self._inner)
        try:
            match step:
                case _Ask():
                    return ask(self._token)
                case _Send(request):
                    return inner.handle_request(request)
                case _Read(response):
                    response.read()
                    return response
                case _Wait(seconds):
                    return self._clock.sleep(seconds)
        except httpx.HTTPError as failure:
            return failure

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request (httpx calls this)."""
        exchange = self._exchange(request)
        step = next(exchange)
        while True:
            came = await self._act_async(step)
            try:
                step = exchange.send((self._clock.now(), came))
            except StopIteration as done:
                return cast("httpx.Response", done.value)

    async def _act_async(self, step: _Step) -> object:
        inner = cast("httpx.AsyncBaseTransport", self._inner)
        try:
            match step:
                case _Ask():
                    return await ask_async(self._token)
                case _Send(request):
                    return await inner.handle_async_request(request)
                case _Read(response):
                    await response.aread()
                    return response
                case _Wait(seconds):
                    await self._clock.asleep(seconds)
                    return None
        except httpx.HTTPError as failure:
            return failure

    def close(self) -> None:
        """Close the inner transport."""
        cast("httpx.BaseTransport", self._inner).close()

    async def aclose(self) -> None:
        """Close the inner transport."""
        await cast("httpx.AsyncBaseTransport", self._inner).aclose()


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _status(came: httpx.Response | httpx.HTTPError) -> int | None:
    return came.status_code if isinstance(came, httpx.Response) else None


def _not_done_and_may_pass(came: httpx.Response | httpx.HTTPError) -> bool:
    if isinstance(came, httpx.Response):
        # Locked for about two seconds, or too fast: the server did nothing, and soon would
        # (HubSpot, error handling and usage guidelines).
        return came.status_code in (423, 429) and not is_daily_limit(came)
    return may_pass(came)


def _pause(came: httpx.Response | httpx.HTTPError, attempt: int) -> float:
    pause = float(min(2 ** (attempt - 1), 10))
    if not isinstance(came, httpx.Response) or came.status_code == 423:
        return max(2.0, pause) if _status(came) == 423 else pause
    # No Retry-After is promised on a 429; without one, the rolling window is open again when all
    # of it has passed (HubSpot, usage guidelines).
    for header, unit in (
        ("Retry-After", 1.0),
        ("X-HubSpot-RateLimit-Interval-Milliseconds", 0.001),
    ):
        value = came.headers.get(header, "")
        if value.isdecimal():
            return float(value) * unit
    return 10.0


def is_daily_limit(response: httpx.Response) -> bool:
    """Return whether a 429 says that the allowance of the day is spent.

    The body's `policyName` is then `DAILY` (HubSpot, usage guidelines).
    """
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return False
    return is_map(body) and body.get("policyName") == "DAILY"
