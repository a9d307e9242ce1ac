"""The rate limit that the client keeps by itself: the user set it, or it is the default.

This module decides when the next request may start, so no window of the server holds more than the
limit. It does not know what the server counts. Times are handed in, in seconds.
"""

from __future__ import annotations

from bisect import bisect_right, insort

from hubspot_batch.options import RateLimit

# Seconds added to each window, because the server's clock can run faster.
MARGIN = 0.05
# After a 429, the limit is this share of the requests that the window accepted.
_REFUSAL_FACTOR = 0.9
# Seconds without a 429 after which the limit rises by a fiftieth.
_RAISE_AFTER = 60.0


class ConfiguredLimit:
    """The rolling window of a configured limit.

    The server counts arrivals, and a request arrives at some time between its start and its
    response. So it counts while it is under way, and for a whole window after that.

    Args:
        limit: The limit.

    Attributes:
        awaits_response: Whether the last wait is for a response.
    """

    def __init__(self, limit: RateLimit) -> None:
        self.awaits_response = False
        self._most = limit.requests
        self._span = limit.seconds + MARGIN
        # A limit that the user set is kept exactly, so refused requests count, too.
        self._ignores_refused = limit.learns
        self._open: list[float] = []
        self._ended: list[float] = []
        self._refused: list[float] = []
        self._abandoned = 0
        # The limit before the last refusal, and after it.
        self._limit_before = self._limit_after = limit.requests
        self._refused_at: float | None = None
        self._refused_until = 0.0

    def next_start(self, now: float) -> float:
        """Return the time of the next start, as far as is known now."""
        for _ in range(self._abandoned):
            insort(self._ended, now)
        self._abandoned = 0
        allowed = self._allowed(now)
        count = len(self._open) + len(self._ended)
        self.awaits_response = False
        if count < allowed:
            return now
        self._forget_before(now)
        excess = len(self._open) + len(self._ended) - allowed
        if excess < 0:
            return now
        self.awaits_response = excess >= len(self._ended)
        return now + self._span if self.awaits_response else self._ended[excess] + self._span

    def start(self, now: float) -> None:
        """Note that a request starts."""
        self._open.append(now)

    def end(self, started: float, ended: float) -> None:
        """Note that a request ended; it may have arrived at any time until then."""
        if started in self._open:
            self._open.remove(started)
            insort(self._ended, ended)

    def abandon(self, started: float) -> None:
        """Note that no response to a request will come. It may have arrived until now."""
        if started in self._open:
            self._open.remove(started)
            self._abandoned += 1

    def refuse(self, started: float, ended: float, until: float) -> None:
        """Note that the server refused a request as too many, and accepts none before a moment.

        From then on, fewer are sent than the server had accepted when it refused this one.
        """
        times = self._ended if ended in self._ended else self._open
        if self._ignores_refused:
            if (time := ended if times is self._ended else started) in times:
                times.remove(time)
        elif times is self._ended:
            insort(self._refused, ended)
        if self._refused_at is None or started > self._refused_until:
            # Requests that were refused together are one refusal.
            self._limit_before = self._allowed(started)
        self._refused_until = max(self._refused_until, until)
        self._forget_before(ended)
        accepted = len(self._ended) - len(self._refused)
        if accepted > 0:  # else it is not this program that sends too many
            least = max(1, self._limit_before // 2)
            self._limit_after = min(self._limit_before, max(least, int(accepted * _REFUSAL_FACTOR)))
            self._refused_at = started

    def _forget_before(self, now: float) -> None:
        """Forget the requests that no window holds any more."""
        for times in (self._ended, self._refused):
            del times[: bisect_right(times, now - self._span)]

    def _allowed(self, now: float) -> int:
        """Return how many requests a window may hold."""
        if self._refused_at is None:
            return self._most
        periods = int(max(0.0, now - self._refused_at) / _RAISE_AFTER)
        return min(self._most, self._limit_after + periods * max(1, self._most // 50))
