"""The request limits of one app: a rolling window and a daily allowance.

It decides whether a request is let in and what the rate-limit headers say. It never waits, and
a request that it refuses does not count (HubSpot, usage guidelines).
"""

from collections import deque

from attrs import define, field

ROLLING = "TEN_SECONDLY_ROLLING"
SECONDLY = "SECONDLY"
DAILY = "DAILY"
DAY = 86_400.0


@define
class RequestLimits:
    """Let in at most `requests` in any span of `seconds`, and at most `daily` in one UTC day.

    None for `requests` or for `daily` means no such limit; its headers are then absent.
    """

    requests: int | None
    seconds: float
    daily: int | None
    _arrivals: deque[float] = field(factory=deque[float], init=False)
    _day: float = field(default=0.0, init=False)
    _used: int = field(default=0, init=False)

    def admit(self, now: float) -> str | None:
        """Count the request and return None, or return the name of the limit that refuses it."""
        if now // DAY != self._day:
            self._day, self._used = now // DAY, 0
        if self.daily is not None and self._used >= self.daily:
            return DAILY
        if self.requests is not None:
            # The difference, not a precomputed bound: two roundings would let one in too early.
            while self._arrivals and now - self._arrivals[0] >= self.seconds:
                self._arrivals.popleft()
            if len(self._arrivals) >= self.requests:
                return ROLLING
            self._arrivals.append(now)
        self._used += 1
        return None

    def headers(self) -> dict[str, str]:
        """Say how much is left after the request that was just looked at."""
        said: dict[str, str] = {}
        if self.requests is not None:
            left = str(self.requests - len(self._arrivals))
            said["X-HubSpot-RateLimit-Max"] = str(self.requests)
            said["X-HubSpot-RateLimit-Remaining"] = left
            said["X-HubSpot-RateLimit-Interval-Milliseconds"] = str(round(self.seconds * 1000))
            # Deprecated, and still sent.
            said["X-HubSpot-RateLimit-Secondly"] = str(max(1, int(self.requests / self.seconds)))
            said["X-HubSpot-RateLimit-Secondly-Remaining"] = left
        if self.daily is not None:
            said["X-HubSpot-RateLimit-Daily"] = str(self.daily)
            said["X-HubSpot-RateLimit-Daily-Remaining"] = str(self.daily - self._used)
        return said
