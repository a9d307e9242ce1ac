"""The account's rate limit: a rolling window of starts, and the requests left for the day.

This module decides when a request may start. It follows the limit that the server names, and leaves
other programs their share. Times are handed in, in seconds; it reads no clock.

HubSpot's rules: https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
"""

from __future__ import annotations

import math
import threading
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Mapping, Sequence

from hubspot_batch.options import RateLimit

from .configured_limit import MARGIN as _MARGIN
from .configured_limit import ConfiguredLimit
from .response_times import IDLE, ResponseTimes
from .retry import believable_interval, number

# Seconds below which two clock readings are the same moment. Otherwise a rounding error would make
# a request wait in endless steps of nothing.
_CLOCK_TOLERANCE = 0.001
# The most late starts that may be made up for at once.
_CATCH_UP = 4
# One request in this many stays free, so the first requests of another program get in and are seen.
_ONE_FREE_IN = 95
# Seconds of growth after which another program is expected to grow further before it shows.
_GROWTH_PERIOD = 1.0
# If it grew, this many more requests stay free than it grew by.
_GROWING_MORE = 3
# A window begins with this share of the limit at once; the other starts are spaced evenly.
_FIRST_BURST = 0.5
# Seconds before asking again while another program is seen: any response can change what is free.
_ASK_AGAIN = 0.05
# Starts are remembered for so many seconds beyond their window, to understand a slow response.
_SLOWEST_RESPONSE = 20.0
# Larger numbers of requests are not believed.
_LARGEST_LIMIT = 100_000
# The number of requests left for the day is believed for so many seconds: midnight resets it.
_DAY_VALID = 900.0


class ServerWindow:
    """The rolling limit that the server names, which other programs may use too.

    It starts with a burst of half the limit, then spaces requests evenly. Further bursts would keep
    other programs out for most of each window, and would hide them, because only responses show
    what they use.

    Args:
        since: The start of the first window.
        requests: Requests that the server accepts.
        seconds: The length of the window.
    """

    def __init__(self, since: float, requests: int, seconds: float) -> None:
        self.resize(requests, seconds)
        # When responses came, and how many requests of other programs they showed.
        self._others: deque[tuple[float, int]] = deque()
        self._next_even = -math.inf
        self._begun = since

    def resize(self, requests: int, seconds: float) -> None:
        """Set the limit that applies from now on."""
        self.requests = requests
        self.seconds = seconds
        self._span = seconds + _MARGIN

    def note_remaining(
        self, starts: Sequence[float], started: float, now: float, left: int
    ) -> None:
        """Note how many requests a response says are left, and so how many others have made."""
        first = bisect_right(starts, started - self._span)
        ours = bisect_right(starts, started + _MARGIN) - first
        self._others.append((now, max(0, self.requests - left - ours)))

    def allowed(self, now: float) -> int:
        """Return how many starts of this program a window may hold."""
        while self._others and self._others[0][0] < now - self.seconds:
            self._others.popleft()
        others = max((count for _, count in self._others), default=0)
        if not others:
            free = self.requests // _ONE_FREE_IN
        else:
            before = [count for when, count in self._others if when <= now - _GROWTH_PERIOD]
            growth = others - max(before, default=others)
            free = growth + _GROWING_MORE if growth else 1
        return max(1, self.requests - others - free)

    def next_start(self, starts: Sequence[float], now: float) -> float:
        """Return the time of the next start, as far as is known now."""
        first = bisect_right(starts, now - self._span)
        count = len(starts) - first
        allowed = self.allowed(now)
        if count == 0:
            self._begun = now
        end = self._begun + self._span
        moment = now
        if count >= allowed:
            moment = starts[len(starts) - allowed] + self._span
        if now >= end:
            moment = max(moment, self._next_even - _CATCH_UP * self._span / allowed)
        elif allowed * _FIRST_BURST <= count < allowed:
            moment = max(moment, starts[-1] + (end - starts[-1]) / (allowed - count + 1))
        return moment

    @property
    def others_seen(self) -> bool:
        """Whether other programs were seen, so any response can change what is free."""
        return any(count for _, count in self._others)

    def start(self, now: float) -> None:
        """Note that a request starts."""
        self._next_even = max(self._next_even, now) + self._span / self.allowed(now)


class RateLimiter:
    """Decides when the next request may start. Any number of threads may ask.

    It keeps the starts of the last window. A token bucket would let nearly twice the limit into one
    window of a rolling limit.

    This one is for one process. One that several processes share (`integrations.shared_limiter`)
    has the same methods, and waits for a store.

    Args:
        limit: The limit that the user set; None for none, until the server refuses a request.
        daily_reserve: Requests of the day that are left to others; None to use all.
    """

    def __init__(self, limit: RateLimit | None, daily_reserve: int | None = None) -> None:
        self._limit = limit
        self._configured = None if limit is None else ConfiguredLimit(limit)
        self._reserve = daily_reserve
        self._server: ServerWindow | None = None
        self._starts: list[float] = []
        # Starts that may have arrived late.
        self._slow_starts: deque[float] = deque(maxlen=1000)
        self._last_response = -math.inf
        self._response_times = ResponseTimes()
        self._paused_until = -math.inf
        self._under_way = 0
        # Requests left for the day, less those started since, and when a response said so.
        self._day: tuple[float, float] | None = None
        # Whether responses have that number; with OAuth they do not.
        self._day_is_reported = True
        # When the latest response with that number came.
        self._day_reported_at = -math.inf
        self._lock = threading.Lock()

    def reserve(self, now: float, _holder: object = None, /) -> float | None:
        """Take a start now and return 0, or return how many seconds to wait before asking again.

        None when no more than the day's reserve is left.
        """
        with self._lock:
            if self._day_is_spent(now):
                return None
            if self._day_is_unknown and self._under_way:
                # One request finds out how many are left, and the others wait for its response.
                return _ASK_AGAIN
            wait = max(self._paused_until, self._next_start(now)) - now
            if wait >= _CLOCK_TOLERANCE:
                return wait
            if self._limit is not None:
                insort(self._starts, now)
                if now - self._last_response > IDLE:
                    self._slow_starts.append(now)
                if (configured := self._configured_in_force) is not None:
                    configured.start(now)
            if self._server is not None:
                self._server.start(now)
            self._under_way += 1
            if self._day is not None:
                self._day = (self._day[0] - 1, self._day[1])
            return 0.0

    @property
    def window(self) -> float:
        """Seconds of the window that the server named; 0 if it named none."""
        server = self._server
        return 0.0 if server is None else server.seconds

    def seconds_to_sleep(self, wait: float) -> float:
        """Return how many seconds to sleep: less where any response can change the wait."""
        with self._lock:
            others_seen = self._server is not None and self._server.others_seen
            configured = self._configured_in_force
            changes = others_seen or (configured is not None and configured.awaits_response)
        return min(wait, _ASK_AGAIN) if changes else wait

    @property
    def _configured_in_force(self) -> ConfiguredLimit | None:
        """The configured limit, unless the server's limit replaces it."""
        if self._server is not None and self._limit is not None and self._limit.learns:
            return None
        return self._configured

    def _next_start(self, now: float) -> float:
        moments = [now]
        server, longest = self._server, 0.0
        if self._limit is not None and (configured := self._configured_in_force) is not None:
            longest = self._limit.seconds + _MARGIN
            moments.append(configured.next_start(now))
        if server is not None:
            longest = max(longest, server.seconds + _MARGIN)
            moments.append(server.next_start(self._starts, now))
        # A late response is about a window that began long ago.
        del self._starts[: bisect_left(self._starts, now - longest - _MARGIN - _SLOWEST_RESPONSE)]
        return max(moments)

    has_unused = False
    """Nothing is promised, so there is nothing to give back."""

    def cancel_start(self, _holder: object, /) -> None:
        """Do nothing; see `has_unused`."""

    def return_unused(self, now: float) -> None:
        """Do nothing; see `has_unused`."""

    async def areturn_unused(self, now: float) -> None:
        """Do nothing; see `has_unused`."""

    async def areserve(self, now: float, _holder: object = None, /) -> float | None:
        """Do as `reserve`, which never blocks."""
        return self.reserve(now)

    def abandon(self, started: float) -> None:
        """Forget a started request that will not be reported.

        Args:
            started: When it started.
        """
        with self._lock:
            self._under_way -= 1
            if self._configured is not None:
                self._configured.abandon(started)

    def report(
        self, started: float, now: float, headers: Mapping[str, str], refused_until: float | None
    ) -> None:
        """Take in the end of a request that had a start.

        Args:
            started: When it started.
            now: When it ended.
            headers: The headers of its response; none if there was no response.
            refused_until: If the server refused it as too many, when the next may start.
        """
        with self._lock:
            self._under_way -= 1
            if self._configured is not None:
                self._configured.end(started, now)
        if headers:
            self.learn(started, now, headers)
        if refused_until is not None:
            self.refuse(started, refused_until, now)

    async def areport(
        self, started: float, now: float, headers: Mapping[str, str], refused_until: float | None
    ) -> None:
        """Do as `report`, which never blocks."""
        self.report(started, now, headers, refused_until)

    def refuse(self, started: float, until: float, now: float | None = None) -> None:
        """Let no request start before a moment, because the server refused one as too many.

        A refused request does not count against the limit (HubSpot's usage guidelines).

        Args:
            started: When it started.
            until: The moment.
            now: When its response came; when it started, by default.
        """
        with self._lock:
            self._paused_until = max(self._paused_until, until)
            # A limit that the user set is kept exactly, so it counts this one, too.
            exact = self._limit is not None and not self._limit.learns
            if not exact and started in self._starts:
                self._starts.remove(started)
            if (configured := self._configured_in_force) is not None and self._server is None:
                configured.refuse(started, started if now is None else now, until)

    def learn(self, started: float, now: float, headers: Mapping[str, str]) -> None:
        """Learn from a response's headers (HubSpot's usage guidelines list them).

        Args:
            started: When its request started.
            now: When it came.
            headers: Its headers.
        """
        said = {name.lower(): value for name, value in headers.items()}  # faster to look up
        most = number(said, "x-hubspot-ratelimit-max")
        interval = believable_interval(said, "x-hubspot-ratelimit-interval-milliseconds")
        left = number(said, "x-hubspot-ratelimit-remaining")
        left_today = number(said, "x-hubspot-ratelimit-daily-remaining")
        with self._lock:
            self._last_response = now
            if started in self._slow_starts:
                self._slow_starts.remove(started)
                arrived = now  # or before; more is not known
            else:
                arrived = started + self._response_times.delay(now - started)
            if arrived > started and started in self._starts:
                self._starts.remove(started)
                insort(self._starts, arrived)
            else:
                arrived = started
            if self._limit is not None and most and interval and 1 <= most <= _LARGEST_LIMIT:
                limit = int(most), interval
                if self._server is None:
                    self._server = ServerWindow(arrived, *limit)
                self._server.resize(*limit)
                if left is not None:
                    self._server.note_remaining(self._starts, arrived, now, int(left))
            if left_today is None:
                # A response of HubSpot's edge has no limits at all, so it says nothing about the
                # day.
                if most is not None or self._day_reported_at == -math.inf:
                    self._day_is_reported = False
            else:
                self._day_is_reported = True
                # The server may not have counted the requests under way yet. By its start, not by
                # when it seems to have arrived: a response that was only slow has an old number.
                left_today -= self._under_way
                if self._day is not None and started <= self._day_reported_at:
                    # It may report an older number than the known one.
                    left_today = min(left_today, self._day[0])
                else:
                    self._day_reported_at = now
                self._day = (left_today, now)

    @property
    def _day_is_unknown(self) -> bool:
        return self._reserve is not None and self._day is None and self._day_is_reported

    def _day_is_spent(self, now: float) -> bool:
        if self._reserve is None or self._day is None:
            return False
        left, at = self._day
        if now - at > _DAY_VALID:
            self._day = None
            return False
        return left <= self._reserve
