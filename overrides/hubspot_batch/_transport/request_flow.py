"""The steps between a request and the response that its caller sees.

This module decides when a request is sent, and when it is sent again. It never looks into a batch:
it repeats requests, not records. It performs nothing itself: the flow is a generator that yields
steps and is sent their results, so `transport` can perform them in threads and in tasks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Generator, Mapping
from copy import copy
from typing import Any, NamedTuple, TypeAlias

import httpx

from hubspot_batch._json import is_map, read_object
from hubspot_batch.errors import ConfigurationError, DailyLimitError, RateLimitError
from hubspot_batch.events import Observer, Wait
from hubspot_batch.options import ClientOptions, Limiter

from .repeatable import Repeatable
from .request_events import NO_EVENTS, RequestEvents
from .request_log import log_attempt, log_wait
from .request_state import Interpretation, RequestState, state_of
from .retry import (
    WINDOW,
    Effect,
    RetryWhen,
    disposition_of,
    disposition_of_failure,
    is_daily_limit,
    pause_after,
)
from .tokens import Token, TokenSource, hide, hide_in_failure


class GetToken(NamedTuple):
    """Get a token; if one was refused, a different one."""

    refused: Token | None
    asked: int


class AcquireSlot(NamedTuple):
    """Wait until fewer than `max_concurrency` requests are under way.

    The result is a function that leaves the slot.
    """


class ReserveBudget(NamedTuple):
    """Ask the rate limiter for a start; the result is that of `RateLimiter.reserve`.

    The holder is the request: a limiter may have promised it a start when it asked before.
    """

    now: float
    holder: object


class ReportBudget(NamedTuple):
    """Give the rate limiter an attempt that has ended."""

    started: float
    now: float
    headers: Mapping[str, str]
    refused_until: float | None


class BeforeAttempt(NamedTuple):
    """Call what has to be done before a request leaves; it may wait for a disk."""

    call: Callable[[], object]


class Send(NamedTuple):
    """Send a request and read its response; the result is that, or an exception in its place.

    The state is told when the first byte of the request leaves.
    """

    request: httpx.Request
    state: RequestState


class Sleep(NamedTuple):
    """Let time pass."""

    seconds: float


Step: TypeAlias = (
    GetToken | AcquireSlot | ReserveBudget | ReportBudget | BeforeAttempt | Send | Sleep
)
# A step's result, after the time at which it came, in seconds of a steady clock.
StepResult: TypeAlias = tuple[float, Any]
Steps: TypeAlias = Generator[Step, StepResult, httpx.Response]
_Received: TypeAlias = httpx.Response | httpx.HTTPError


class _Attempt(NamedTuple):
    """One attempt: its start and end, what was received, and what that means.

    `asked` is how often the token's provider had been asked when it started.
    """

    started: float
    ended: float
    received: _Received
    meaning: Interpretation
    asked: int


_READING = ("GET", "HEAD", "OPTIONS")


class RequestFlow:
    """How the requests of one client become responses.

    Args:
        token: The token, or the function that returns it.
        options: How it sends, and the only address that the token is sent to.
        repeatable: Method and path of the operations that may be carried out twice; `{...}` in a
            path stands for a name.
        limiter: Decides when a request may start.
        observer: Told of attempts and waits; None if no function is to be told.
        proxy: The address of the proxy that it sends through, for people; None without one.

    Attributes:
        tokens: Where the token comes from.
    """

    def __init__(
        self,
        token: Token,
        *,
        options: ClientOptions,
        repeatable: Collection[tuple[str, str]],
        limiter: Limiter,
        observer: Observer | None,
        proxy: str | None = None,
    ) -> None:
        self.tokens = TokenSource(token)
        base_url = httpx.URL(options.base_url)
        self._origin = _origin(base_url)
        prefix = base_url.path.rstrip("/")
        self._repeatable = Repeatable(repeatable, prefix)
        self._proxy = proxy
        self._limiter = limiter
        self._set(options, observer)

    def _set(self, options: ClientOptions, observer: Observer | None) -> None:
        self._retry = options.retry
        # A wait for the limit that the user set, or for HubSpot's own window, is the normal pace
        # and not beyond what `retry` allows. The second is for margins and rounding.
        own = 0.0 if options.rate_limit is None else options.rate_limit.seconds
        self._longest_wait = 1.0 + max(options.retry.ceiling, own, WINDOW)
        self._observer = observer

    def with_options(self, options: ClientOptions, observer: Observer | None) -> RequestFlow:
        """Return a flow with other options, and the same token and rate limit."""
        made = copy(self)
        made._set(options, observer)
        return made

    def steps(self, request: httpx.Request) -> Steps:
        """Yield the steps of a request, and return its response."""
        self._check_origin(request)
        state = state_of(request)
        # A body that is not in memory is gone once it has been read.
        in_memory = isinstance(request.stream, httpx.ByteStream)
        renewable = in_memory and self.tokens.renewable
        events = NO_EVENTS
        if self._observer is not None:
            events = RequestEvents(self._observer, request, state)
        number = 1
        if self.tokens.renewable:
            if state.run.asked is None:
                state.run.asked = self.tokens.asked
            yield GetToken(None, state.run.asked)
        tokens = [self.tokens.latest]
        try:
            while True:
                attempt = yield from self._attempt(request, tokens, number, state, events)
                received, disposition = attempt.received, attempt.meaning.disposition
                # While its inputs still count as in doubt, because the caller's function may raise.
                events.answered(received, attempt.ended - attempt.started)
                state.interpretation = attempt.meaning
                state.end_attempt(attempt.started, attempt.ended, in_doubt=disposition.in_doubt)
                if disposition.effect is not Effect.APPLIED:
                    state.address = self._address(request.url)
                if _status(received) == 401 and renewable:
                    renewable = False
                    state.check()
                    _, token = yield GetToken(tokens[-1], attempt.asked)
                    tokens.append(token)
                    continue
                pause = self._pause(attempt, number, request, state) if in_memory else None
                if state.cancelled or pause is None:
                    break
                cause = _cause(attempt)
                self._wait(pause, "retry", request, number, state, _status(received), cause)
                yield from self._sleep(pause, state)
                number += 1
        except BaseException as error:
            events.broken_off(error)
            raise
        finally:
            # Responses and exceptions keep their request, and are shown and pickled.
            request.headers.pop("Authorization", None)
        if isinstance(received, httpx.Response):
            return received
        raise received

    def _pause(
        self, attempt: _Attempt, number: int, request: httpx.Request, state: RequestState
    ) -> float | None:
        """Return how long to wait before another attempt; None if there is to be none."""
        when = attempt.meaning.disposition.retry
        if when is RetryWhen.NEVER:
            return None
        if when is RetryWhen.IF_REPEATABLE and not self._harmless(request):
            return None
        pause = _pause(attempt, number)
        elapsed = 0.0 if state.span is None else state.span[1] - state.span[0]
        return pause if self._retry.allows(attempt=number, pause=pause, elapsed=elapsed) else None

    def _attempt(
        self,
        request: httpx.Request,
        tokens: list[Token],
        number: int,
        state: RequestState,
        events: RequestEvents,
    ) -> Generator[Step, StepResult, _Attempt]:
        """Send once, when there is a slot and the rate limit allows it."""
        state.waiting = True
        state.check()
        started, release = yield AcquireSlot()
        try:
            state.waiting = False
            started = yield from self._reserve(started, request, number, state)
            try:
                state.check()
                if state.before_attempt is not None:  # not earlier: a wait can be long
                    yield BeforeAttempt(state.before_attempt)
                asked = self.tokens.asked
                if self.tokens.renewing:  # the one that is known now would only be refused
                    yield GetToken(None, asked)
                if self.tokens.latest is not tokens[-1]:  # renewed while this one waited
                    tokens.append(self.tokens.latest)
                request.headers["Authorization"] = f"Bearer {tokens[-1].value}"
                if state.started is None:
                    state.started = started
                events.sent()
                ended, received = yield Send(request, state)
                if isinstance(received, Exception):
                    received = hide_in_failure(tokens, received)
                    if not isinstance(received, httpx.HTTPError):
                        raise received
            except BaseException:
                self._limiter.abandon(started)
                raise
            headers: Mapping[str, str] = {}
            if isinstance(received, httpx.Response):
                headers = received.headers
                received = hide(tokens, received)
            log_attempt(request, received, number, state.inputs, ended - started)
            meaning = self._interpret(request, received, state)
            attempt = _Attempt(started, ended, received, meaning, asked)
            until = None
            if _status(received) == 429:
                # Pause all requests: the next would get a 429 too, even if this one gives up.
                until = ended + min(_pause(attempt, number), self._retry.ceiling)
            yield ReportBudget(started, ended, headers, until)
        finally:
            release()
        return attempt

    def _reserve(
        self, now: float, request: httpx.Request, number: int, state: RequestState
    ) -> Generator[Step, StepResult, float]:
        """Wait until the rate limit allows a start, and return its time."""
        told_until = -math.inf
        while True:
            _, pause = yield ReserveBudget(now, state)
            if pause == 0.0:
                return now
            if pause is None:
                raise DailyLimitError(
                    "Of the account's requests for the day, only those are left that daily_reserve "
                    "leaves to other programs; go on after midnight in its time zone."
                )
            # Other programs can make a wait longer than the window; that is no reason to stop.
            if min(pause, self._limiter.window) > self._longest_wait:
                raise RateLimitError(
                    f"HubSpot lets the next request start in {pause:.0f} s, and `retry` allows no "
                    f"more than {self._retry.ceiling:.0f} s; go on later, or allow more."
                )
            if now >= told_until:
                self._wait(pause, "rate_limit", request, number, state)
                told_until = now + pause
            try:
                now = yield from self._sleep(self._limiter.seconds_to_sleep(pause), state)
            except BaseException:
                self._limiter.cancel_start(state)
                raise

    @staticmethod
    def _sleep(seconds: float, state: RequestState) -> Generator[Step, StepResult, float]:
        state.waiting = True
        state.check()
        now, _ = yield Sleep(seconds)
        state.waiting = False
        return now

    def _wait(
        self,
        seconds: float,
        reason: str,
        request: httpx.Request,
        number: int,
        state: RequestState,
        status: int | None = None,
        cause: str = "",
    ) -> None:
        """Tell of a wait before it begins."""
        run = state.run
        wait = Wait(seconds, reason, request.url.path, number, status, run.id, run.operation)
        if log_wait(wait, cause):
            state.waits += (seconds,)
        if self._observer is not None:
            self._observer.notify(wait)

    def _address(self, url: httpx.URL) -> str:
        port = url.port or {"https": 443, "http": 80}.get(url.scheme)
        host = f"[{url.host}]" if ":" in url.host else url.host
        through = f" through the proxy {self._proxy}" if self._proxy else ""
        return f"{url.scheme}://{host}:{port}{url.path}{through}"

    def _interpret(
        self, request: httpx.Request, received: _Received, state: RequestState
    ) -> Interpretation:
        """Interpret a response or failure, once for all readers."""
        if not isinstance(received, httpx.Response):
            return Interpretation(disposition_of_failure(received), None)
        status = received.status_code
        if not received.is_success:
            body = read_object(received.content)
            daily = is_daily_limit(status, body)
            page = body is None
            return Interpretation(disposition_of(status, daily=daily, page=page), body)
        if state.read is not None:
            body = state.read(received)
        elif request in self._repeatable:
            # An answer without content says that all was done.
            body = {} if status == 204 else read_object(received.content)
        else:
            return Interpretation(disposition_of(status), None)
        return Interpretation(disposition_of(status, readable=body is not None), body)

    def _harmless(self, request: httpx.Request) -> bool:
        return request.method in _READING or request in self._repeatable

    def _check_origin(self, request: httpx.Request) -> None:
        if _origin(request.url) != self._origin:
            raise ConfigurationError(
                f"The token is only sent to {self._origin[1]}, and not to {request.url.host}; "
                "make another client for another address."
            )


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _status(received: _Received) -> int | None:
    return received.status_code if isinstance(received, httpx.Response) else None


def _pause(attempt: _Attempt, number: int) -> float:
    received, body = attempt.received, attempt.meaning.body
    if not isinstance(received, httpx.Response):
        return pause_after(number, None, {}, None)
    policy = body.get("policyName") if is_map(body) else None
    return pause_after(number, received.status_code, received.headers, policy)


def _cause(attempt: _Attempt) -> str:
    """Return why an attempt is repeated, in a few words."""
    received, body = attempt.received, attempt.meaning.body
    if not isinstance(received, httpx.Response):
        return type(received).__name__
    policy = body.get("policyName") if is_map(body) else None
    return f"HTTP {received.status_code}" + (f" {policy}" if isinstance(policy, str) else "")
