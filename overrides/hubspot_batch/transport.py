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

from .guards import is_map
from .policies import Fate, RateLimit, Retry, Window, fate_of
from .tokens import TokenProvider, ask, ask_async, hide, read_token

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
        rate_limit: How fast requests may start; None for as fast as they come.
        retry: How often a request that was certainly not done is repeated.
        clock: How time is told and spent.
    """

    def __init__(
        self,
        inner: httpx.BaseTransport | httpx.AsyncBaseTransport,
        token: str | TokenProvider,
        *,
        rate_limit: RateLimit | None,
        retry: Retry,
        clock: Clock,
    ) -> None:
        self._inner = inner
        self._token = token if callable(token) else read_token(token)
        self._window = Window(rate_limit) if rate_limit else None
        self._window_lock = threading.Lock()
        self._retry = retry
        self._clock = clock

    def _exchange(self, request: httpx.Request) -> _Exchange:
        now, token = yield _Ask()
        begun, attempt, renewed = now, 1, not callable(self._token)
        while True:
            request.headers["Authorization"] = f"Bearer {token}"
            if (pause := self._reserve(now)) > 0:
                yield _Wait(pause)
            now, came = yield _Send(request)
            if isinstance(came, httpx.Response):
                now, came = yield _Read(came)
            if isinstance(came, httpx.Response):
                came = hide(token, came)
                if came.status_code not in _NOT_DONE:
                    return came
            if not renewed and _status(came) == 401:
                renewed = True
                now, token = yield _Ask()
                continue
            pause = _pause(came, attempt)
            patient = attempt < self._retry.max_attempts
            if not patient or now + pause - begun > self._retry.max_elapsed:
                break
            if not (_certainly_not_done(came) and isinstance(request.stream, httpx.ByteStream)):
                break  # A body that is not in memory is gone once it has been read.
            _log.info("Waiting %.1f s, then sending again: %s", pause, request.url.path)
            now, _ = yield _Wait(pause)
            attempt += 1
        if isinstance(came, httpx.Response):
            return came
        raise came

    def _reserve(self, now: float) -> float:
        if self._window is None:
            return 0.0
        with self._window_lock:
            return self._window.reserve(now)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request (httpx calls this)."""
        exchange = self._exchange(request)
        step = next(exchange)
        try:
            while True:
                came = self._act(step)
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
        try:
            while True:
                came = await self._act_async(step)
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


# 401: the token, 423: locked for about two seconds, 429: too fast. The server did nothing
# (HubSpot, error handling and usage guidelines).
_NOT_DONE = frozenset({401, 423, 429})


def _status(came: httpx.Response | httpx.HTTPError) -> int | None:
    return came.status_code if isinstance(came, httpx.Response) else None


def _certainly_not_done(came: httpx.Response | httpx.HTTPError) -> bool:
    if isinstance(came, httpx.Response):
        return came.status_code in (423, 429) and not is_daily_limit(came)
    return fate_of(came) is Fate.NEVER_SENT


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
