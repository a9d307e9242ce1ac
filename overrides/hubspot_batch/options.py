"""How a client sends, as values: address, pace, retries and clock.

This module decides which values are allowed, and that a token is only sent over https or to this
machine.
"""

from __future__ import annotations

import ipaddress
import os
import re
import time
import urllib.request
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from attrs import field, frozen
from attrs.validators import ge, gt, instance_of, optional

from .errors import ConfigurationError


@frozen
class RateLimit:
    """At most `requests` starts in any `seconds`.

    HubSpot allows a private app 100 requests in any 10 seconds on the smallest plan
    (HubSpot, API usage guidelines).

    Attributes:
        requests: How many.
        seconds: In any span of this length.
        learns: Whether the limit that the server names in its answers takes the place of this one.
            Without it this one is never exceeded, and the server's can only be a second bound.
    """

    requests: int = field(default=100, validator=[instance_of(int), ge(1)])
    seconds: float = field(default=10.0, validator=gt(0))
    learns: bool = False


@frozen
class Retry:
    """How often, and for how long, a request is sent again.

    Attributes:
        max_attempts: Attempts in all, the first one included.
        max_elapsed: Seconds from the first attempt, after which none is begun.
        max_wait: Seconds that a server may ask to wait, at most; None for as long as `max_elapsed`.
            When it asks for more, nothing is waited for, and its answer stands.
    """

    max_attempts: int = field(default=5, validator=[instance_of(int), ge(1)])
    max_elapsed: float = field(default=120.0, validator=ge(0))
    max_wait: float | None = field(default=None, validator=optional(ge(0)))

    @property
    def ceiling(self) -> float:
        """Seconds that are waited at most because a server asks for it."""
        return self.max_elapsed if self.max_wait is None else self.max_wait

    def allows(self, *, attempt: int, pause: float, elapsed: float) -> bool:
        """Return whether another attempt may follow, after a pause, `elapsed` from the first."""
        in_time = pause <= self.ceiling and elapsed + pause <= self.max_elapsed
        return in_time and attempt < self.max_attempts


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


DEFAULT_BASE_URL = "https://api.hubapi.com"
DEFAULT_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
DEFAULT_RATE_LIMIT = RateLimit(learns=True)
DEFAULT_RETRY = Retry()
SYSTEM_CLOCK = Clock()


def check(name: str, value: object, kind: Any, wanted: str) -> None:
    """Refuse an argument of the wrong type: not every caller has a type checker.

    Raises:
        ConfigurationError: The value is of another type.
    """
    if not isinstance(value, kind):
        raise ConfigurationError(f"{name} is {value!r}; it is {wanted}.")


def _as_base_url(given: str | None) -> str:
    if given is None:
        given = os.environ.get("HUBSPOT_BASE_URL") or DEFAULT_BASE_URL
    return read_base_url(given)


def _as_timeout(given: float | httpx.Timeout | None) -> httpx.Timeout:
    check("timeout", given, float | int | httpx.Timeout | None, "seconds, or an httpx.Timeout")
    if isinstance(given, float | int) and not given > 0:
        raise ConfigurationError(f"timeout is {given!r}; it is more than 0 seconds, or None.")
    return httpx.Timeout(given)


@frozen
class ClientOptions:
    """The arguments of a client that another process can be given; the token is not among them.

    Attributes:
        base_url, timeout, max_concurrency, rate_limit, retry, daily_reserve: See `HubSpotBatch`.

    Raises:
        ConfigurationError: One of them is not valid.
    """

    base_url: str = field(default=None, converter=_as_base_url)
    timeout: httpx.Timeout = field(default=DEFAULT_TIMEOUT, converter=_as_timeout)
    max_concurrency: int = 8
    rate_limit: RateLimit | None = DEFAULT_RATE_LIMIT
    retry: Retry = DEFAULT_RETRY
    daily_reserve: int | None = None

    def __attrs_post_init__(self) -> None:
        wanted = "RateLimit(requests, seconds), or None"
        check("rate_limit", self.rate_limit, RateLimit | None, wanted)
        check("retry", self.retry, Retry, "Retry(max_attempts, max_elapsed, max_wait)")
        most, reserve = self.max_concurrency, self.daily_reserve
        if type(most) is not int or most < 1:
            raise ConfigurationError(f"max_concurrency is {most!r}; it is 1 or more.")
        if reserve is not None and (type(reserve) is not int or reserve < 0):
            raise ConfigurationError(f"daily_reserve is {reserve!r}; it is 0 or more, or None.")


_HOST = re.compile(r"[\w.:%-]+")


def read_base_url(text: str) -> str:
    """Return a base URL that a token may be sent to.

    Plain http would show the token to everyone on the way, so it is refused except on loopback.

    Raises:
        ConfigurationError: The text is no such address.
    """
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, TypeError):
        raise ConfigurationError("base_url is not a URL; it looks like https://host.") from None
    if url.userinfo or "?" in text or "#" in text:
        raise ConfigurationError(
            "base_url holds more than an address (a user, a query or a fragment); "
            "it looks like https://host."
        )
    if url.scheme not in ("http", "https") or not _HOST.fullmatch(url.host):
        # It is not repeated: who has mixed up the arguments has put the token here.
        raise ConfigurationError("base_url is not an address; it looks like https://host.")
    if url.scheme == "http" and not is_loopback(url.host):
        raise ConfigurationError(
            f"base_url is {text!r}, but the token is only sent over https "
            "(or over http to this machine itself)."
        )
    return str(url).rstrip("/")


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def proxy_for(base_url: str) -> str | None:
    """Return the proxy that the environment names for an address, as httpx itself would use it.

    httpx looks at the environment only when it makes its transport itself.
    """
    url = httpx.URL(base_url)
    if is_loopback(url.host) or urllib.request.proxy_bypass(url.host):
        return None
    proxies = urllib.request.getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    return None if not proxy else proxy if "://" in proxy else f"http://{proxy}"
