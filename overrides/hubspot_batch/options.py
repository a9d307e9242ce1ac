"""How a client sends, as values: address, pace, retries and clock.

This module decides which values are allowed, and that a token is only sent over https or to this
machine.
"""

from __future__ import annotations

import ipaddress
import os
import re
import reprlib
import ssl
import time
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from typing import Any, Literal, Protocol, runtime_checkable

import httpx
from attrs import field, frozen

from .errors import ConfigurationError


def check(name: str, value: object, kind: Any, wanted: str) -> None:
    """Refuse an argument of the wrong type: not every caller has a type checker.

    Raises:
        ConfigurationError: The value is of another type.
    """
    if not isinstance(value, kind):
        raise wrong(name, wanted, value)


def wrong(name: str, wanted: str, value: object) -> ConfigurationError:
    """Return the error for an argument: what it must be, and what it is."""
    # A text may be the token, put in the wrong place.
    text = isinstance(value, str | bytes)
    got = type(value).__name__ if text else reprlib.repr(value)
    return ConfigurationError(f"{name} must be {wanted}; got {got}.")


def whole(name: str, value: object, least: int, also: str = "") -> None:
    """Refuse a value that is not a whole number from `least` on."""
    if type(value) is not int or value < least:
        raise wrong(name, f"a whole number, {least} or more{also}", value)


def seconds(name: str, value: object, *, zero: bool = False, also: str = "") -> None:
    """Refuse a value that is not a number of seconds: more than 0, or 0 too."""
    fits = isinstance(value, float | int) and (value > 0 or (zero and value == 0))
    if isinstance(value, bool) or not fits:
        raise wrong(name, f"{'0 seconds or more' if zero else 'more than 0 seconds'}{also}", value)


@frozen
class RateLimit:
    """At most `requests` starts in any `seconds`.

    HubSpot allows a private app 100 requests in any 10 seconds on the smallest plan
    (HubSpot, API usage guidelines).

    Attributes:
        requests: The most requests that start in a span of `seconds`.
        seconds: The length of that span.
        learns: Whether the limit that the server names in its responses replaces this one. If not,
            this one is never exceeded, and neither is the server's.
    """

    requests: int = 100
    seconds: float = 10.0
    learns: bool = False

    def __attrs_post_init__(self) -> None:
        whole("requests of RateLimit", self.requests, 1)
        seconds("seconds of RateLimit", self.seconds)


class Limiter(Protocol):
    """Decides when the next request of a process may start, by the process's own clock.

    The asynchronous methods may wait for a store.
    """

    @property
    def window(self) -> float:
        """Seconds of the window; 0 if it is not known."""
        ...

    def seconds_to_sleep(self, wait: float) -> float:
        """Return how many seconds of a wait to sleep before asking again."""
        ...

    def reserve(self, now: float, holder: object = None, /) -> float | None:
        """Take a start now and return 0, or return how many seconds to wait before asking again.

        None when no more than the day's reserve is left. The holder is the request: it may have
        been promised a start when it asked before.
        """
        ...

    async def areserve(self, now: float, holder: object = None, /) -> float | None:
        """Do as `reserve`, in a task."""
        ...

    def cancel_start(self, holder: object, /) -> None:
        """Take in that a request waits for its start no longer."""

    @property
    def has_unused(self) -> bool:
        """Whether there are starts to give back, which were promised to such requests."""
        ...

    def return_unused(self, now: float) -> None:
        """Let others have those starts."""

    async def areturn_unused(self, now: float) -> None:
        """Do as `return_unused`, in a task."""

    def abandon(self, started: float) -> None:
        """Forget a started request that will not be reported."""

    def report(
        self, started: float, now: float, headers: Mapping[str, str], refused_until: float | None
    ) -> None:
        """Take in the end of a request, and until when a 429 lets none start."""

    async def areport(
        self, started: float, now: float, headers: Mapping[str, str], refused_until: float | None
    ) -> None:
        """Do as `report`, in a task."""


@runtime_checkable
class SharedRateLimit(Protocol):
    """A rate limit that several processes share, such as `integrations.SharedAllowance`."""

    @property
    def seconds(self) -> float:
        """The length of its window, as far as it is known."""
        ...

    def limiter(self, daily_reserve: int | None) -> Limiter:
        """Return the rate limiter of one process."""
        ...

    def searches(self, limit: RateLimit) -> Limiter:
        """Return the rate limiter of the searches of one process, which are counted apart."""
        ...


@frozen
class Retry:
    """How often, and for how long, a request is sent again.

    Attributes:
        max_attempts: Attempts in all, the first one included.
        max_elapsed: Seconds from the first attempt, after which none is begun.
        max_wait: Seconds that a server may ask to wait, at most; None for as long as `max_elapsed`.
            If it asks for more, the request is not sent again, and its response counts.
    """

    max_attempts: int = 5
    max_elapsed: float = 120.0
    max_wait: float | None = None

    def __attrs_post_init__(self) -> None:
        whole("max_attempts of Retry", self.max_attempts, 1)
        seconds("max_elapsed of Retry", self.max_elapsed, zero=True)
        if self.max_wait is not None:
            seconds("max_wait of Retry", self.max_wait, zero=True, also=", or None")

    @property
    def ceiling(self) -> float:
        """Seconds that are waited at most because a server asks for it."""
        return self.max_elapsed if self.max_wait is None else self.max_wait

    def allows(self, *, attempt: int, pause: float, elapsed: float) -> bool:
        """Return whether another attempt may follow, after a pause, `elapsed` from the first."""
        in_time = pause <= self.ceiling and elapsed + pause <= self.max_elapsed
        return in_time and attempt < self.max_attempts


def _asleep(seconds: float) -> Awaitable[object]:
    """Return asyncio's sleep, imported when a task first waits: threads never need it."""
    import asyncio  # noqa: PLC0415

    sleep = asyncio.sleep
    return sleep(seconds)


@frozen
class Clock:
    """The clock of a client, to read and to sleep by. Tests pass in their own, and never wait.

    Attributes:
        now: Returns seconds of a clock that never goes back.
        sleep: Waits for a number of seconds.
        asleep: The same, to be awaited.
        wall: Returns seconds since 1970, which mean the same to all processes.
    """

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep
    asleep: Callable[[float], Awaitable[object]] = _asleep
    wall: Callable[[], float] = time.time


class Same(Enum):
    """Stands for an option that stays as it is, where None says something."""

    SAME = "same"

    def __repr__(self) -> str:
        return "SAME"


SAME: Literal[Same.SAME] = Same.SAME

DEFAULT_BASE_URL = "https://api.hubapi.com"
DEFAULT_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
DEFAULT_RATE_LIMIT = RateLimit(learns=True)
DEFAULT_RETRY = Retry()
SYSTEM_CLOCK = Clock()


def _as_base_url(given: str | None) -> str:
    if given is not None:
        return read_base_url(given)
    named = os.environ.get("HUBSPOT_BASE_URL")
    return read_base_url(named, "HUBSPOT_BASE_URL") if named else DEFAULT_BASE_URL


def _as_api_version(given: str | None) -> str | None:
    check("api_version", given, str | None, 'the name of a version, such as "2026-03", or None')
    return given or os.environ.get("HUBSPOT_API_VERSION") or None


def _as_timeout(given: float | httpx.Timeout | None) -> httpx.Timeout:
    wanted = "a number of seconds, an httpx.Timeout, or None"
    check("timeout", given, float | int | httpx.Timeout | None, wanted)
    if given is not None and not isinstance(given, httpx.Timeout):
        seconds("timeout", given, also=", or None")
    return httpx.Timeout(given)


# What the client itself sets; a second value would contradict it.
_OWN_HEADERS = (
    *("accept-encoding", "authorization", "connection", "content-length", "content-type", "host"),
    "transfer-encoding",
)


def _as_headers(given: Mapping[str, str] | None) -> dict[str, str]:
    wanted = "a mapping of header names to texts, or None"
    check("headers", given, Mapping | None, wanted)
    headers: dict[Any, Any] = dict(given or {})
    seen: set[str] = set()
    for name, value in headers.items():
        # A value can be a secret, so none is repeated.
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            raise ConfigurationError("headers must have names of letters, digits and hyphens.")
        if name.lower() in _OWN_HEADERS:
            advice = "; pass the token as token" if name.lower() == "authorization" else ""
            raise ConfigurationError(f"headers must not name {name}: the client sets it{advice}.")
        if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
            raise ConfigurationError(
                f"headers[{name!r}] must be text of printable ASCII characters, without spaces "
                "around it."
            )
        if name.lower() in seen:
            raise ConfigurationError(f"headers names {name} twice; the case makes no difference.")
        seen.add(name.lower())
    return headers


def merge_headers(headers: Mapping[str, str], changes: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return headers with changes; a name may be spelled in another case."""
    named = {str(name).lower() for name in changes}
    return {**{name: one for name, one in headers.items() if name.lower() not in named}, **changes}


_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[!-~](?:[ -~]*[!-~])?")


@frozen
class ClientOptions:
    """The arguments of a client that another process can be given; the token is not among them.

    `headers` and `proxy` can hold secrets, so a repr leaves them out; a pickle has them.

    Attributes:
        base_url, timeout, max_concurrency, rate_limit, retry, daily_reserve: See `HubSpotBatch`.
        headers, proxy, verify, api_version: See `HubSpotBatch`.

    Raises:
        ConfigurationError: One of them is not valid.
    """

    base_url: str = field(default=None, converter=_as_base_url)
    timeout: httpx.Timeout = field(default=DEFAULT_TIMEOUT, converter=_as_timeout)
    max_concurrency: int = 8
    rate_limit: RateLimit | SharedRateLimit | None = DEFAULT_RATE_LIMIT
    retry: Retry = DEFAULT_RETRY
    daily_reserve: int | None = None
    headers: Mapping[str, str] = field(default=None, converter=_as_headers, repr=False)
    proxy: str | Literal[False] | None = field(default=None, repr=False)
    verify: ssl.SSLContext | str | os.PathLike[str] | Literal[True] = True
    api_version: str | None = field(default=None, converter=_as_api_version)

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.proxy, str | None) and self.proxy is not False:
            raise ConfigurationError("proxy must be an address such as http://host:port, or False.")
        given = isinstance(self.verify, ssl.SSLContext | str | os.PathLike)
        if self.verify is not True and not given:
            raise ConfigurationError(
                "verify must be True, the path of trusted certificates, or an ssl.SSLContext: the "
                "token is only sent to a server whose certificate was checked."
            )
        wanted = "a RateLimit, such as RateLimit(50, 10), a SharedAllowance, or None"
        check("rate_limit", self.rate_limit, RateLimit | SharedRateLimit | None, wanted)
        wanted = "a Retry, such as Retry(1), which sends every request once"
        check("retry", self.retry, Retry, wanted)
        whole("max_concurrency", self.max_concurrency, 1)
        if self.daily_reserve is not None:
            whole("daily_reserve", self.daily_reserve, 0, ", or None")


_HOST = re.compile(r"[\w.:%-]+")


def read_base_url(text: str, name: str = "base_url") -> str:
    """Return a base URL that a token may be sent to.

    Plain http would show the token to everyone on the way, so it is refused except on loopback.

    Args:
        text: The address.
        name: The name of the argument or the variable that it is from.

    Raises:
        ConfigurationError: The text is no such address.
    """
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, TypeError):
        raise ConfigurationError(f"{name} is not a URL; a URL looks like https://host.") from None
    if url.userinfo or "?" in text or "#" in text:
        raise ConfigurationError(
            f"{name} holds more than an address (a user, a query or a fragment); "
            "a base URL looks like https://host."
        )
    if url.scheme not in ("http", "https") or not _HOST.fullmatch(url.host):
        # It is not repeated: who has mixed up the arguments has put the token here.
        raise ConfigurationError(f"{name} is not an address; an address looks like https://host.")
    if url.port is not None and not 0 < url.port < 65536:
        raise ConfigurationError(
            f"{name} has a port that is not from 1 to 65535; a URL looks like https://host."
        )
    if url.scheme == "http" and not is_loopback(url.host):
        raise ConfigurationError(
            f"{name} is {text!r}, but the token is only sent over https "
            "(http:// is for localhost only)."
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


def without_password(proxy: str | None) -> str | None:
    """Return a proxy's address for people; it may hold a user and a password."""
    if proxy is None:
        return None
    url = httpx.URL(proxy)
    return f"{url.scheme}://{url.host}" + ("" if url.port is None else f":{url.port}")


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
