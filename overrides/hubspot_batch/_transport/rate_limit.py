"""The account's rate limit: a rolling window of starts, and the requests left for the day.

This module decides when a request may start. It follows the limit that the server names, and leaves
to other programs what they use of it. Times are handed in, in seconds; it reads no clock.

HubSpot's rules: https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
"""

from __future__ import annotations

import math
import threading
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Mapping, Sequence

from hubspot_batch.options import RateLimit

from .retry import number

# The server counts arrivals: what starts at the end of one window and is quick on its way can
# arrive in the window of requests that were slower.
_MARGIN = 0.05
# Two clock readings that are nearer than this are the same moment; else a rounding would make a
# request wait for ever, in steps of nothing.
_MOMENT = 0.001
# Evenly spread starts that came too late may be made up for, up to so many.
_LATE = 4
# Of this many requests one stays free, so that another user's first ones are let in and seen.
_NEWCOMER = 95
# Others that are seen to use more than so many seconds ago will use still more before it is heard.
_RECENT = 1.0
# While others are seen, what is free can change with any answer.
_LOOK_AGAIN = 0.05
# What starts when nothing was heard for so many seconds may have to open a connection first.
_SILENT = 1.0
# Starts are remembered for so long that an answer as slow as this can still be understood.
_LATEST = 20.0
# More requests, and longer intervals in milliseconds, than any account has are nonsense.
_MOST = 100_000
_LONGEST = 86_400_000
# What an answer says of the day is believed for so long: after midnight it is no longer true.
_DAY_KNOWN = 900.0


class ServerWindow:
    """The rolling allowance that the server names, which others may use too.

    A first window begins with half of the allowance at once; the rest, and all that follows, is
    spread evenly. Bursts would keep others out for most of each window, and nothing would be heard
    of them: only an answer tells what they use.

    Args:
        since: When the first window began.
        requests: Requests that the server lets in.
        seconds: In any span of this length.
    """

    def __init__(self, since: float, requests: int, seconds: float) -> None:
        self.resize(requests, seconds)
        # What others were seen to use, and when.
        self._others: deque[tuple[float, int]] = deque()
        self._due = -math.inf
        self._since = since

    def resize(self, requests: int, seconds: float) -> None:
        """Take in what the server lets in from now on."""
        self.requests = requests
        self.seconds = seconds
        self._span = seconds + _MARGIN

    def see(self, starts: Sequence[float], started: float, now: float, left: int) -> None:
        """Take in how many requests an answer says are left, and so how many others have made."""
        first = bisect_right(starts, started - self._span)
        ours = bisect_right(starts, started + _MARGIN) - first
        self._others.append((now, max(0, self.requests - left - ours)))

    def allowed(self, now: float) -> int:
        """Return how many starts of ours a window may hold."""
        while self._others and self._others[0][0] < now - self.seconds:
            self._others.popleft()
        others = max((count for _, count in self._others), default=0)
        if not others:
            free = self.requests // _NEWCOMER
        else:
            before = [count for when, count in self._others if when <= now - _RECENT]
            growth = others - max(before, default=others)
            free = growth + 3 if growth else 1
        return max(1, self.requests - others - free)

    def free_at(self, starts: Sequence[float], now: float) -> float:
        """Return when the next start may be, as far as is known now."""
        first = bisect_right(starts, now - self._span)
        count = len(starts) - first
        allowed = self.allowed(now)
        if count == 0:
            self._since = now
        end = self._since + self._span
        moment = now
        if count >= allowed:
            moment = starts[len(starts) - allowed] + self._span
        if now >= end:
            moment = max(moment, self._due - _LATE * self._span / allowed)
        elif allowed / 2 <= count < allowed:
            moment = max(moment, starts[-1] + (end - starts[-1]) / (allowed - count + 1))
        return moment

    @property
    def crowded(self) -> bool:
        """Whether others were seen, so that any answer can change what is free."""
        return any(count for _, count in self._others)

    def start(self, now: float) -> None:
        """Say that a request starts."""
        self._due = max(self._due, now) + self._span / self.allowed(now)


class RateLimiter:
    """Decides when the next request may start. Any number of threads may ask.

    A token bucket would let nearly twice the limit into one window of a rolling limit, so the
    starts of the last window are kept instead.

    This one is for one process. One that several processes share has the same methods, and may wait
    for a store in `areserve` and `areport`.

    Args:
        limit: The limit that the user set; None for none, until the server refuses a request.
        daily_reserve: Requests of the day that are left to others; None to use all.
    """

    def __init__(self, limit: RateLimit | None, daily_reserve: int | None = None) -> None:
        self._told = limit
        self._reserve = daily_reserve
        self._server: ServerWindow | None = None
        self._starts: list[float] = []
        # Those that may have been slow on their way, and when an answer came last.
        self._slow: deque[float] = deque(maxlen=1000)
        self._answered = -math.inf
        self._closed_until = -math.inf
        self._under_way = 0
        # What was left of the day, less what has started since, and when that was said.
        self._day: tuple[float, float] | None = None
        # Whether answers may say it: not every account has a limit for the day.
        self._may_tell = True
        # When that was last said by an answer that cannot be older than another.
        self._heard = -math.inf
        self._lock = threading.Lock()

    def reserve(self, now: float) -> float | None:
        """Take a start now and return 0, or return how many seconds to wait before asking again.

        None when no more than the day's reserve is left.
        """
        with self._lock:
            if self._day_is_spent(now):
                return None
            if self._day_is_unknown and self._under_way:
                # One request finds out what is left, and the others wait for its answer.
                return _LOOK_AGAIN
            wait = max(self._closed_until, self._free_at(now)) - now
            if wait >= _MOMENT:
                return wait
            if self._told is not None:
                insort(self._starts, now)
                if now - self._answered > _SILENT:
                    self._slow.append(now)
            if self._server is not None:
                self._server.start(now)
            self._under_way += 1
            if self._day is not None:
                self._day = (self._day[0] - 1, self._day[1])
            return 0.0

    def nap(self, wait: float) -> float:
        """Return how many seconds to sleep: less where any response can change the wait."""
        with self._lock:
            crowded = self._server is not None and self._server.crowded
        return min(wait, _LOOK_AGAIN) if crowded else wait

    def _free_at(self, now: float) -> float:
        moments = [now]
        told, server = self._told, self._server
        if told is not None and not (told.learns and server):
            longest = told.seconds + _MARGIN
            if len(self._starts) >= told.requests:
                moments.append(self._starts[-told.requests] + longest)
        else:
            longest = 0.0
        if server is not None:
            longest = max(longest, server.seconds + _MARGIN)
            moments.append(server.free_at(self._starts, now))
        # An answer that comes late is about a window that began long ago.
        del self._starts[: bisect_left(self._starts, now - longest - _MARGIN - _LATEST)]
        return max(moments)

    async def areserve(self, now: float) -> float | None:
        """Do as `reserve`, which never blocks."""
        return self.reserve(now)

    def abandon(self) -> None:
        """Take in that no report of a request that had a start will come."""
        with self._lock:
            self._under_way -= 1

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
        self.abandon()
        if headers:
            self.learn(started, now, headers)
        if refused_until is not None:
            self.refuse(started, refused_until)

    async def areport(
        self, started: float, now: float, headers: Mapping[str, str], refused_until: float | None
    ) -> None:
        """Do as `report`, which never blocks."""
        self.report(started, now, headers, refused_until)

    def refuse(self, started: float, until: float) -> None:
        """Say that the server refused a request as too many: let none start before a moment.

        What was refused does not count (HubSpot, API usage guidelines).
        """
        with self._lock:
            self._closed_until = max(self._closed_until, until)
            # A limit that was told is kept to the letter, and counts this one too.
            told = self._told is not None and not self._told.learns
            if not told and started in self._starts:
                self._starts.remove(started)

    def learn(self, started: float, now: float, headers: Mapping[str, str]) -> None:
        """Take in what an answer's headers say of the allowance (HubSpot, API usage guidelines).

        Args:
            started: When its request started.
            now: When it came.
            headers: Those of the answer.
        """
        said = {name.lower(): value for name, value in headers.items()}  # looked up at less cost
        most = number(said, "x-hubspot-ratelimit-max")
        interval = number(said, "x-hubspot-ratelimit-interval-milliseconds")
        left = number(said, "x-hubspot-ratelimit-remaining")
        left_today = number(said, "x-hubspot-ratelimit-daily-remaining")
        with self._lock:
            self._answered = now
            if started in self._slow:
                self._slow.remove(started)
                if started in self._starts:
                    # All that is known of its arrival is that it was before this.
                    self._starts.remove(started)
                    insort(self._starts, now)
                    started = now
            if (
                self._told is not None
                and most
                and interval
                and 1 <= most <= _MOST
                and interval <= _LONGEST
            ):
                limit = int(most), interval / 1000
                if self._server is None:
                    self._server = ServerWindow(started, *limit)
                self._server.resize(*limit)
                if left is not None:
                    self._server.see(self._starts, started, now, int(left))
            self._may_tell = left_today is not None
            if left_today is not None:
                # Those under way may not have been counted yet.
                left_today -= self._under_way
                if self._day is not None and started < self._heard:
                    # It may tell an older number than the one that is known.
                    left_today = min(left_today, self._day[0])
                else:
                    self._heard = now
                self._day = (left_today, now)

    @property
    def _day_is_unknown(self) -> bool:
        return self._reserve is not None and self._day is None and self._may_tell

    def _day_is_spent(self, now: float) -> bool:
        if self._reserve is None or self._day is None:
            return False
        left, at = self._day
        if now - at > _DAY_KNOWN:
            self._day = None
            return False
        return left <= self._reserve
