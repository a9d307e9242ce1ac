"""Performs the steps of requests, in threads and in tasks, around an httpx transport.

This module decides how a step is performed, and which parts of a failure can be seen.
`request_flow` decides which steps a request takes.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Collection
from contextlib import closing
from copy import copy
from typing import TYPE_CHECKING, cast

import httpx

from hubspot_batch.events import Observer
from hubspot_batch.options import ClientOptions, Clock, Limiter, RateLimit

from .active_attempt import ActiveAttempt
from .owners import PerLoop
from .rate_limit import RateLimiter
from .request_flow import (
    AcquireSlot,
    BeforeAttempt,
    GetToken,
    ReportBudget,
    RequestFlow,
    ReserveBudget,
    Send,
    Sleep,
    Step,
)
from .request_state import CancelledBeforeSendError, RequestState
from .response_body import aread_whole, read_whole
from .tokens import Token

if TYPE_CHECKING:
    import asyncio


class Transport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """The one transport of both clients.

    Args:
        inner: The transport that sends.
        token: The token, or the function that returns it; for tasks it may return an awaitable.
        options: How it sends, and the only address that the token is sent to.
        repeatable: Method and path of the operations that may be carried out twice.
        observer: Told of attempts and waits; None if no function is to be told.
        clock: The clock to read and to sleep by.
        proxy: The address of the proxy that `inner` sends through, for people; None without one.
    """

    def __init__(
        self,
        inner: httpx.BaseTransport | httpx.AsyncBaseTransport,
        token: Token,
        *,
        options: ClientOptions,
        repeatable: Collection[tuple[str, str]],
        observer: Observer | None,
        clock: Clock,
        proxy: str | None = None,
    ) -> None:
        self._inner = inner
        # With another transport than ours, it is only known that it was called.
        self._tells_of_first_byte = getattr(inner, "begins_attempts", False)
        self._clock = clock
        self._limiter = _limiter(options)
        self._slots = _Slots(options.max_concurrency)
        self._flow = RequestFlow(
            token,
            options=options,
            repeatable=repeatable,
            limiter=self._limiter,
            observer=observer,
            proxy=proxy,
        )

    def with_options(self, options: ClientOptions, observer: Observer | None) -> Transport:
        """Return a transport with other options, over the same connections and at the same pace.

        It has slots of its own if `max_concurrency` differs.
        """
        made = copy(self)
        made._flow = self._flow.with_options(options, observer)
        if options.max_concurrency != self._slots.most:
            made._slots = _Slots(options.max_concurrency)
        return made

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request (httpx calls this)."""
        try:
            with closing(self._flow.steps(request)) as steps:
                step = next(steps)
                while True:
                    result = self._perform(step)
                    try:
                        step = steps.send((self._clock.now(), result))
                    except StopIteration as done:
                        return cast("httpx.Response", done.value)
        except BaseException:
            if self._limiter.has_unused:
                self._limiter.return_unused(self._clock.now())
            raise

    def _perform(self, step: Step) -> object:
        match step:
            case Send(request, state):
                inner = cast("httpx.BaseTransport", self._inner)
                try:
                    with self._attempt(request, state):
                        return read_whole(inner.handle_request(request))
                except BaseException as error:  # noqa: BLE001 - interrupts are raised again
                    return _without_frames(error)
            case AcquireSlot():
                return self._slots.acquire()
            case ReserveBudget():
                return self._limiter.reserve(*step)
            case ReportBudget():
                self._limiter.report(*step)
                return None
            case Sleep(seconds):
                return self._clock.sleep(seconds)
            case BeforeAttempt(call):
                return call()
            case GetToken(refused, asked):
                return self._flow.tokens.get(refused, asked)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request (httpx calls this)."""
        try:
            with closing(self._flow.steps(request)) as steps:
                step = next(steps)
                while True:
                    result = await self._perform_async(step)
                    try:
                        step = steps.send((self._clock.now(), result))
                    except StopIteration as done:
                        return cast("httpx.Response", done.value)
        except BaseException as error:
            if self._limiter.has_unused and not isinstance(error, GeneratorExit):
                await self._limiter.areturn_unused(self._clock.now())
            raise

    async def _perform_async(self, step: Step) -> object:
        match step:
            case Send(request, state):
                inner = cast("httpx.AsyncBaseTransport", self._inner)
                try:
                    with self._attempt(request, state):
                        return await aread_whole(await inner.handle_async_request(request))
                except BaseException as error:  # noqa: BLE001 - interrupts are raised again
                    return _without_frames(error)
            case AcquireSlot():
                return await self._slots.aacquire()
            case ReserveBudget():
                return await self._limiter.areserve(*step)
            case ReportBudget():
                await self._limiter.areport(*step)
                return None
            case Sleep(seconds):
                return await self._clock.asleep(seconds)
            case BeforeAttempt(call):
                from asyncio import to_thread  # noqa: PLC0415 - a thread needs none of it

                return await to_thread(call)
            case GetToken(refused, asked):
                return await self._flow.tokens.get_async(refused, asked)

    def _attempt(self, request: httpx.Request, state: RequestState) -> ActiveAttempt:
        attempt = ActiveAttempt(request, state)
        if not self._tells_of_first_byte:
            attempt.begin()
        return attempt

    def close(self) -> None:
        """Close the inner transport."""
        cast("httpx.BaseTransport", self._inner).close()

    async def aclose(self) -> None:
        """Close the inner transport."""
        await cast("httpx.AsyncBaseTransport", self._inner).aclose()


def _limiter(options: ClientOptions) -> Limiter:
    limit, reserve = options.rate_limit, options.daily_reserve
    if limit is None or isinstance(limit, RateLimit):
        return RateLimiter(limit, reserve)
    return limit.limiter(reserve)


class _Slots:
    """The slots of a client; each request under way takes one.

    Each event loop has slots of its own.

    Args:
        most: Requests under way at most.

    Attributes:
        most: As given.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._of_threads = threading.Semaphore(most)
        self._of_tasks = PerLoop(self._semaphore)

    def acquire(self) -> Callable[[], None]:
        """Wait for a slot in this thread; return what leaves it."""
        self._of_threads.acquire()
        return self._of_threads.release

    async def aacquire(self) -> Callable[[], None]:
        """Wait for a slot in this task; return what leaves it."""
        slots = self._of_tasks.here()
        await slots.acquire()
        return slots.release

    def _semaphore(self) -> asyncio.Semaphore:
        from asyncio import Semaphore  # noqa: PLC0415 - a thread needs none of it

        return Semaphore(self.most)


def _without_frames(error: BaseException) -> Exception:
    """Return a failure to send without the frames that it came through, or raise an interrupt so.

    The variables of those frames hold the header lines with the token, and tracebacks can show
    variables. A note says, as text, where an unforeseen failure was raised.
    """
    frames = traceback.format_tb(error.__traceback__)
    error.__traceback__ = error.__cause__ = error.__context__ = None
    if not isinstance(error, Exception):
        raise error
    if not isinstance(error, httpx.HTTPError | CancelledBeforeSendError):
        error.add_note("It was raised while a request was sent:\n" + "".join(frames))
    return error
