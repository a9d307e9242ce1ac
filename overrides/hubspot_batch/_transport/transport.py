"""Carries requests out, in threads and in tasks, around an httpx transport of either kind.

This module decides how a step of an exchange is done, and what may be seen of a failure. It never
decides what is sent: that is `exchange`.
"""

from __future__ import annotations

import traceback
from contextlib import closing
from typing import cast

import httpx

from hubspot_batch.options import Settings

from .request_flow import Ask, Enter, Exchange, Repeatable, Send, Sleep, Step
from .tokens import Token


class Transport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """The one transport of both clients.

    Args:
        inner: The transport that sends.
        token: The token, or a function that returns it, held; on the asynchronous side it may
            return an awaitable.
        origin: The only address that the token is sent to.
        repeatable: The operations that may be carried out twice.
        settings: How it sends.
    """

    def __init__(
        self,
        inner: httpx.BaseTransport | httpx.AsyncBaseTransport,
        token: Token,
        *,
        origin: str,
        repeatable: Repeatable,
        settings: Settings,
    ) -> None:
        self._inner = inner
        self._clock = settings.clock
        self._exchange = Exchange(token, origin=origin, repeatable=repeatable, settings=settings)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request (httpx calls this)."""
        with closing(self._exchange.steps(request)) as steps:
            step = next(steps)
            while True:
                came = self._act(step)
                try:
                    step = steps.send((self._clock.now(), came))
                except StopIteration as done:
                    return cast("httpx.Response", done.value)

    def _act(self, step: Step) -> object:
        inner = cast("httpx.BaseTransport", self._inner)
        match step:
            case Enter(gate, place):
                gate.enter(place)
                return None
            case Ask(refused, asked):
                return self._exchange.tokens.get(refused, asked)
            case Sleep(seconds):
                return self._clock.sleep(seconds)
            case Send(request):
                try:
                    response = inner.handle_request(request)
                    response.read()
                except BaseException as error:  # noqa: BLE001 - most are raised again
                    return _what_is_left(error)
                return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request (httpx calls this)."""
        with closing(self._exchange.steps(request)) as steps:
            step = next(steps)
            while True:
                came = await self._act_async(step)
                try:
                    step = steps.send((self._clock.now(), came))
                except StopIteration as done:
                    return cast("httpx.Response", done.value)

    async def _act_async(self, step: Step) -> object:
        inner = cast("httpx.AsyncBaseTransport", self._inner)
        match step:
            case Ask(refused, asked):
                return await self._exchange.tokens.get_async(refused, asked)
            case Enter(gate, place):
                await gate.enter_async(place)
                return None
            case Sleep(seconds):
                return await self._clock.asleep(seconds)
            case Send(request):
                try:
                    response = await inner.handle_async_request(request)
                    await response.aread()
                except BaseException as error:  # noqa: BLE001 - most are raised again
                    return _what_is_left(error)
                return response

    def close(self) -> None:
        """Close the inner transport."""
        cast("httpx.BaseTransport", self._inner).close()

    async def aclose(self) -> None:
        """Close the inner transport."""
        await cast("httpx.AsyncBaseTransport", self._inner).aclose()


def _what_is_left(error: BaseException) -> httpx.HTTPError:
    """Return a failure to send without the frames that it came through, or raise another error so.

    Their variables are the header lines with the token, and tracebacks can show variables. Where
    an error was raised stands in a note, as text.
    """
    frames = traceback.format_tb(error.__traceback__)
    error.__traceback__ = error.__cause__ = error.__context__ = None
    if isinstance(error, httpx.HTTPError):
        return error
    if isinstance(error, Exception):
        error.add_note("It was raised while a request was sent:\n" + "".join(frames))
    raise error
