"""The request limits of one app: a rolling window and a daily limit.

The module decides whether a request is accepted and what the rate-limit headers say. A rejected
request does not count (HubSpot, usage guidelines).
"""

from collections import deque

from attrs import define, field

ROLLING = "TEN_SECONDLY_ROLLING"
SECONDLY = "SECONDLY"
DAILY = "DAILY"
DAY = 86_400.0


@define
class RequestLimits:
    """Accept at most `requests` in any span of `seconds`, and at most `daily` in one UTC day.

    If `requests` or `daily` is None, there is no such limit and its headers are absent. If
    `in_headers` is False, all headers are absent.
    """

    requests: int | None
    seconds: float
    daily: int | None
    in_headers: bool = True
    _arrivals: deque[float] = field(factory=deque[float], init=False)
    _day: float = field(default=0.0, init=False)
    _used: int = field(default=0, init=False)

    def admit(self, now: float) -> str | None:
        """Count the request and return None, or return the name of the limit that rejects it."""
        if now // DAY != self._day:
            self._day, self._used = now // DAY, 0
        if self.daily is not None and self._used >= self.daily:
            return DAILY
        if self.requests is not None:
            # Subtract here: a precomputed end of the window is rounded twice and can be too early.
            while self._arrivals and now - self._arrivals[0] >= self.seconds:
                self._arrivals.popleft()
            if len(self._arrivals) >= self.requests:
                return ROLLING
            self._arrivals.append(now)
        self._used += 1
        return None

    def headers(self) -> dict[str, str]:
        """Return the rate-limit headers of a response to the latest request."""
        headers: dict[str, str] = {}
        if not self.in_headers:
            return headers
        if self.requests is not None:
            remaining = str(self.requests - len(self._arrivals))
            headers["X-HubSpot-RateLimit-Max"] = str(self.requests)
            headers["X-HubSpot-RateLimit-Remaining"] = remaining
            headers["X-HubSpot-RateLimit-Interval-Milliseconds"] = str(round(self.seconds * 1000))
            # Deprecated, and still sent.
            secondly = max(1, int(self.requests / self.seconds))
            headers["X-HubSpot-RateLimit-Secondly"] = str(secondly)
            headers["X-HubSpot-RateLimit-Secondly-Remaining"] = remaining
        if self.daily is not None:
            headers["X-HubSpot-RateLimit-Daily"] = str(self.daily)
            headers["X-HubSpot-RateLimit-Daily-Remaining"] = str(self.daily - self._used)
        return headers
