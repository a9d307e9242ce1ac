"""How fast requests go and what may be repeated, as values that answer and never act.

This module decides when a request may start and whether an answer or a failure allows another
attempt. It never sends, sleeps or reads a clock: times are handed in, in seconds.
"""

from __future__ import annotations

from collections import deque
from enum import Enum

import httpx
from attrs import field, frozen
from attrs.validators import ge, gt, instance_of


@frozen
class RateLimit:
    """At most `requests` starts in any `seconds`.

    HubSpot allows a private app 100 requests in any 10 seconds on the smallest plan
    (HubSpot, API usage guidelines).
    """

    requests: int = field(default=100, validator=[instance_of(int), ge(1)])
    seconds: float = field(default=10.0, validator=gt(0))


@frozen
class Retry:
    """How often, and for how long, a request that was certainly not done is repeated.

    Attributes:
        max_attempts: Attempts in all, the first one included.
        max_elapsed: Seconds from the first attempt, after which none is begun.
    """

    max_attempts: int = field(default=5, validator=[instance_of(int), ge(1)])
    max_elapsed: float = field(default=120.0, validator=ge(0))


# The server counts arrivals: what starts at the end of one window and is quick on its way can
# arrive in the window of requests that were slower.
_MARGIN = 0.05


class Window:
    """The starts of the last requests.

    A token bucket would let nearly twice the allowance into one window of a rolling limit, so the
    start of each of the last N requests is kept instead.
    """

    def __init__(self, limit: RateLimit) -> None:
        self._seconds = limit.seconds + _MARGIN
        self._starts: deque[float] = deque(maxlen=limit.requests)

    def reserve(self, now: float) -> float:
        """Take the next free start, and return how many seconds from now it is."""
        start = now
        if len(self._starts) == self._starts.maxlen:
            start = max(now, self._starts[0] + self._seconds)
        self._starts.append(start)
        return start - now


class Fate(Enum):
    """What is known of a request that got no answer."""

    NEVER_SENT = "never sent"
    MAYBE_DONE = "maybe done"


_NO_CONNECTION = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_NEVER_SENT = (*_NO_CONNECTION, httpx.UnsupportedProtocol)


def may_pass(failure: httpx.HTTPError) -> bool:
    """Return whether another attempt can succeed where a request was never sent."""
    return isinstance(failure, _NO_CONNECTION)


def fate_of(failure: httpx.HTTPError) -> Fate:
    """Return whether a request that ended so can have reached the server."""
    return Fate.NEVER_SENT if isinstance(failure, _NEVER_SENT) else Fate.MAYBE_DONE
