"""A rate limiter of one process that shares its limit with others through a store.

This module decides when a process asks the store, and when it may send without it. The rule itself
is `allowance_rule`. The clock of a process only measures durations: its time is never compared with
the clock of the store or of another process.
"""

from __future__ import annotations

import math
import threading
import uuid
from collections import deque
from collections.abc import Mapping
from typing import Literal, NamedTuple, Protocol

from hubspot_batch._transport.response_times import IDLE, ResponseTimes
from hubspot_batch._transport.retry import believable_interval, number
from hubspot_batch.errors import UnreachableError
from hubspot_batch.options import RateLimit

from .allowance_rule import CONFIRM_AFTER, MARGIN, AllowanceReply, AllowanceRequest, LimitReport
from .forks import tell_of_forks

STORE_TIMEOUT = 0.25
"""Seconds after which a store that does not answer counts as unreachable."""

OnLost = Literal["share", "stop"]

# Seconds after which an unreachable store is asked again.
_ASK_AGAIN = 1.0
# Seconds below which two clock readings are the same moment.
_CLOCK_TOLERANCE = 0.001
# Larger numbers of requests are not believed.
_LARGEST_LIMIT = 100_000
# Seconds after which an unused start is forgotten: its request was cancelled.
_FORGET_AFTER = 120.0


class StoreLostError(Exception):
    """A store does not answer; the text says which, and why."""


class Store(Protocol):
    """Where the state of an allowance is kept.

    Both methods raise `StoreLostError` after `STORE_TIMEOUT`.
    """

    def ask(self, ask: AllowanceRequest) -> AllowanceReply:
        """Answer a process, in one step that no other process sees half done."""
        ...

    async def aask(self, ask: AllowanceRequest) -> AllowanceReply:
        """Do as `ask`, for a task."""
        ...


class _Promise(NamedTuple):
    """A start that the store promised, by the store's clock and by ours."""

    start: int
    due: float
    asked: float


class _Started(NamedTuple):
    """A request under way.

    Attributes:
        start: When it was to start, by the store's clock.
        late: How many seconds later it did.
        connects: Whether it may have to open a connection first.
    """

    start: int
    late: float
    connects: bool


class SharedLimiter:
    """Decides when the next request of this process may start.

    Args:
        store: Where the state is kept.
        limit: The limit until the server tells its own, or beside it.
        daily_reserve: Requests of the day that are left to others; None to use all.
        on_lost: What happens while the store does not answer.
    """

    def __init__(
        self, store: Store, limit: RateLimit, daily_reserve: int | None, on_lost: OnLost
    ) -> None:
        self._store = store
        self._limit = limit
        self._reserve = -1 if daily_reserve is None else daily_reserve
        self._on_lost = on_lost
        self._worker = uuid.uuid4().hex
        self._lock = threading.Lock()
        tell_of_forks(self)
        self._promises: dict[object, _Promise] = {}
        # Starts that were promised for requests that were cancelled.
        self._unused: list[int] = []
        # When requests started on our clock, and on the store's.
        self._started: dict[float, _Started] = {}
        self._response_times = ResponseTimes()
        self._last_response = -math.inf
        self._reports: deque[LimitReport] = deque(maxlen=50)
        self._reported = False
        self._reply: AllowanceReply | None = None
        # What the store's clock is ahead of ours, in seconds; None before it has replied.
        self._clock_offset: float | None = None
        self._paused_until = self._even_from = -math.inf
        # While the store is lost: when to ask it again, when to start, and what was started.
        self._lost_until: float | None = None
        self._lost_text = ""
        self._next_offline = 0.0
        self._offline_starts: list[float] = []

    def begin_in_fork(self) -> None:
        """Be another worker, to which nothing was promised."""
        self._worker = uuid.uuid4().hex
        self._lock = threading.Lock()
        self._reported = False
        for one in (self._promises, self._unused, self._started, self._reports):
            one.clear()
        self._offline_starts.clear()

    @property
    def window(self) -> float:
        """Seconds of the window that is shared; 0 before the store has told it."""
        return 0.0 if self._reply is None else self._reply.milliseconds / 1000

    def seconds_to_sleep(self, wait: float) -> float:
        """Return how many seconds to sleep: all, because the store is not polled."""
        return wait

    def reserve(self, now: float, holder: object = None, /) -> float | None:
        """Take a start now and return 0, or return how many seconds to wait before asking again.

        None when no more than the day's reserve is left.
        """
        ask = self._begin(now, holder)
        if not isinstance(ask, AllowanceRequest):
            return ask
        try:
            reply = self._store.ask(ask)
            if reply.again < 0:
                ask = self._renew(now, ask, reply)
                reply = self._store.ask(ask)
        except StoreLostError as error:
            return self._start_offline(now, ask, error)
        return self._use_reply(now, holder, ask, reply)

    async def areserve(self, now: float, holder: object = None, /) -> float | None:
        """Do as `reserve`, in a task."""
        ask = self._begin(now, holder)
        if not isinstance(ask, AllowanceRequest):
            return ask
        try:
            reply = await self._store.aask(ask)
            if reply.again < 0:
                ask = self._renew(now, ask, reply)
                reply = await self._store.aask(ask)
        except StoreLostError as error:
            return self._start_offline(now, ask, error)
        return self._use_reply(now, holder, ask, reply)

    def cancel_start(self, holder: object, /) -> None:
        """Take in that a request waits for its start no longer."""
        with self._lock:
            if (promise := self._promises.pop(holder, None)) is not None:
                self._unused.append(promise.start)

    @property
    def has_unused(self) -> bool:
        """Whether there are starts to give back."""
        return bool(self._unused) and self._lost_until is None

    def return_unused(self, now: float) -> None:
        """Let other processes have the starts that cancelled requests waited for."""
        with self._lock:
            ask = self._ask(now, wants=False)
        try:
            self._note(now, ask, self._store.ask(ask))
        except StoreLostError as error:
            self._note_lost(now, ask, error)

    async def areturn_unused(self, now: float) -> None:
        """Do as `return_unused`, in a task."""
        with self._lock:
            ask = self._ask(now, wants=False)
        try:
            self._note(now, ask, await self._store.aask(ask))
        except StoreLostError as error:
            self._note_lost(now, ask, error)

    def abandon(self, started: float) -> None:
        """Forget a started request that will not be reported."""
        with self._lock:
            self._started.pop(started, None)

    def report(
        self, started: float, now: float, headers: Mapping[str, str], refused_until: float | None
    ) -> None:
        """Take in the end of a request; tell the store with the next ask, or of a 429 at once."""
        if (ask := self._end(started, now, headers, refused_until)) is not None:
            try:
                self._note(now, ask, self._store.ask(ask))
            except StoreLostError as error:
                self._note_lost(now, ask, error)

    async def areport(
        self, started: float, now: float, headers: Mapping[str, str], refused_until: float | None
    ) -> None:
        """Do as `report`, in a task."""
        if (ask := self._end(started, now, headers, refused_until)) is not None:
            try:
                self._note(now, ask, await self._store.aask(ask))
            except StoreLostError as error:
                self._note_lost(now, ask, error)

    # ------------------------------------------------------------ before the store is asked

    def _begin(self, now: float, holder: object) -> AllowanceRequest | float:
        """Return what to ask the store, or the result if it need not be asked."""
        with self._lock:
            promise = self._promises.pop(holder, None)
            if promise is not None:
                if now < promise.due - _CLOCK_TOLERANCE:
                    self._promises[holder] = promise
                    return promise.due - now
                known = (
                    promise.due - promise.asked <= CONFIRM_AFTER / 1000
                    and now >= self._paused_until
                )
                if known and now <= promise.due + MARGIN / 1000:
                    self._start(now, promise.start, now - promise.due)
                    return 0.0
            if self._lost_until is not None:
                if now < self._lost_until:
                    return self._offline_start(now)
                self._lost_until = now + _ASK_AGAIN  # the others go on without it meanwhile
            return self._ask(now, promised=0 if promise is None else promise.start)

    def _ask(self, now: float, *, wants: bool = True, promised: int = 0) -> AllowanceRequest:
        reports, unused = tuple(self._reports), tuple(self._unused)
        alone = tuple(self._offline_starts)
        self._reports.clear()
        self._unused.clear()
        self._offline_starts.clear()
        return AllowanceRequest(
            worker=self._worker,
            known_state=0 if self._reply is None else self._reply.state_id,
            wants=wants,
            promised=promised,
            requests=self._limit.requests,
            milliseconds=round(self._limit.seconds * 1000),
            learns=self._limit.learns,
            reserve=self._reserve,
            offline=tuple(max(0, round((now - start) * 1000)) for start in alone),
            reports=reports,
            unused=unused,
            expires=self._expires(now),
        )

    def _expires(self, now: float) -> int:
        if self._clock_offset is None:
            return 0
        return round((now + self._clock_offset + STORE_TIMEOUT) * 1000)

    def _renew(self, now: float, ask: AllowanceRequest, reply: AllowanceReply) -> AllowanceRequest:
        """Return the request to ask again: it had not expired, only our clock stood still."""
        with self._lock:
            self._clock_offset = reply.now / 1000 - now
            return ask._replace(expires=self._expires(now))

    def _end(
        self, started: float, now: float, headers: Mapping[str, str], refused_until: float | None
    ) -> AllowanceRequest | None:
        """Keep what a response said; return what to tell the store at once."""
        said = {name.lower(): value for name, value in headers.items()}
        most = number(said, "x-hubspot-ratelimit-max")
        interval = believable_interval(said, "x-hubspot-ratelimit-interval-milliseconds")
        left = number(said, "x-hubspot-ratelimit-remaining")
        today = number(said, "x-hubspot-ratelimit-daily-remaining")
        limited = most is not None and interval and 1 <= most <= _LARGEST_LIMIT
        refused = 0.0 if refused_until is None else max(0.0, refused_until - now)
        with self._lock:
            begun = self._started.pop(started, None)
            if not headers:
                return None
            self._last_response = now
            self._reports.append(
                LimitReport(
                    0 if begun is None else begun.start,
                    int(most) if most is not None and limited else -1,
                    round(interval * 1000) if interval and limited else -1,
                    -1 if left is None else int(left),
                    -1 if today is None else int(today),
                    round(refused * 1000),
                    0 if begun is None else round(self._delay(begun, now - started) * 1000),
                )
            )
            # The first response tells the limit and the day's rest, which others may wait for.
            if refused_until is None and self._reported:
                return None
            self._reported = True
            if refused_until is not None:
                self._paused_until = max(self._paused_until, refused_until)
            if self._lost_until is not None:
                self._next_offline = max(self._next_offline, self._paused_until)
                return None
            return self._ask(now, wants=False)

    # ------------------------------------------------------------ after the store was asked

    def _use_reply(
        self, now: float, holder: object, ask: AllowanceRequest, reply: AllowanceReply
    ) -> float | None:
        self._note(now, ask, reply)
        if not reply.start:
            return None if not reply.again else (reply.again - reply.now) / 1000
        with self._lock:
            wait = (reply.start - reply.now) / 1000
            # A start that was held, and is confirmed, has just come, by one clock or the other.
            if wait <= (MARGIN / 1000 if reply.start == ask.promised else 0.0):
                self._start(now, reply.start, -wait)
                return 0.0
            for old in [k for k, v in self._promises.items() if now - v.due > _FORGET_AFTER]:
                del self._promises[old]
            self._promises[holder] = _Promise(reply.start, now + wait, now)
            return wait

    def _start(self, now: float, start: int, late: float = 0.0) -> None:
        connects = now - self._last_response > IDLE
        self._started[now] = _Started(start, max(0.0, late), connects)

    def _delay(self, begun: _Started, seconds: float) -> float:
        """Return how long after its start a request may have arrived."""
        return begun.late + (seconds if begun.connects else self._response_times.delay(seconds))

    def _note(self, now: float, ask: AllowanceRequest, reply: AllowanceReply) -> None:
        with self._lock:
            self._clock_offset = reply.now / 1000 - now
            if reply.again < 0:
                # Nothing of it was taken in, and the next question will not have expired.
                self._reports.extend(ask.reports)
                self._unused.extend(ask.unused)
                self._offline_starts[:0] = [now - ago / 1000 for ago in ask.offline]
                return
            self._reply = reply
            self._paused_until = now + (reply.paused_until - reply.now) / 1000
            self._even_from = now + (reply.even_from - reply.now) / 1000
            self._lost_until = None

    # ------------------------------------------------------------ without the store

    def _note_lost(self, now: float, ask: AllowanceRequest, error: StoreLostError) -> None:
        """Keep what the store was to be told, for the next time."""
        with self._lock:
            self._lost_text = str(error)
            self._reports.extend(ask.reports)
            self._offline_starts[:0] = [now - ago / 1000 for ago in ask.offline]
            if self._lost_until is None:
                # A first window can have begun with a burst, and is not known to have room.
                first = now + self._interval()
                self._next_offline = max(self._paused_until, self._even_from, first)
                # What the store promised is part of the share now.
                self._promises.clear()
            self._lost_until = now + _ASK_AGAIN

    def _start_offline(self, now: float, ask: AllowanceRequest, error: StoreLostError) -> float:
        self._note_lost(now, ask, error)
        with self._lock:
            return self._offline_start(now)

    def _interval(self) -> float:
        """Return the seconds between two starts of this process without the store."""
        reply = self._reply
        if reply is None:
            return 0.0
        # A window can begin just before a start of each process, so each counts one more.
        shared = max(reply.requests - reply.workers, reply.requests // 2, 1)
        return (reply.milliseconds + MARGIN) / 1000 * reply.workers / shared

    def _offline_start(self, now: float) -> float:
        if self._on_lost == "stop" or self._reply is None:
            raise UnreachableError(
                f"The shared allowance cannot be reached: {self._lost_text}. Nothing is sent "
                "without it; check the store, and run again."
            )
        if now < self._next_offline - _CLOCK_TOLERANCE:
            return self._next_offline - now
        self._next_offline = now + self._interval()
        self._offline_starts.append(now)
        self._start(now, 0)
        window = (self._reply.milliseconds + MARGIN) / 1000
        self._offline_starts = [start for start in self._offline_starts if now - start < window]
        return 0.0
