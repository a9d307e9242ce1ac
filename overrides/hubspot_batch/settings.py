"""How a client sends, and by which clock, as values.

This module decides nothing; what the values mean is decided by `policies`, `allowance` and
`exchange`.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from attrs import frozen

from .policies import RateLimit, Retry, Wait


def _asleep(seconds: float) -> Awaitable[object]:
    """Hand on asyncio's sleep, which is imported no sooner than a task waits: threads need none."""
    import asyncio  # noqa: PLC0415

    sleep = asyncio.sleep
    return sleep(seconds)


@frozen
class Clock:
    """How time is told and spent; tests hand in one of their own, and nobody waits.

    Attributes:
        now: Returns seconds of a clock that never goes back.
        sleep: Waits for a number of seconds.
        asleep: The same, to be awaited.
    """

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep
    asleep: Callable[[float], Awaitable[object]] = _asleep


class Settings(NamedTuple):
    """How a client sends.

    Attributes:
        rate_limit: How fast requests may start; None for as fast as they come.
        retry: How often a request is sent again.
        max_concurrency: Requests under way, at most.
        daily_reserve: Requests of the day that are left to others; None to use all.
        on_wait: Told of each wait before it begins; what it raises is logged and ignored.
        clock: How time is told and spent.
    """

    rate_limit: RateLimit | None
    retry: Retry
    max_concurrency: int
    daily_reserve: int | None
    on_wait: Callable[[Wait], object] | None
    clock: Clock
