"""The clients that users hold: `HubSpotBatch` and `AsyncHubSpotBatch`.

This module decides what a client is made of. The two clients have the same methods; a test compares
them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import httpx
from hubspot_batch_client import Client, families

from ._engine.executors import ThreadExecutor
from ._engine.runner import AsyncRunner, Runner
from ._operations.call import operation_call
from ._operations.registry import REPEATABLE
from ._transport.tokens import Token, TokenProvider
from ._transport.transport import Transport
from .errors import ConfigurationError
from .events import Event, Notify, Wait, notifier
from .options import (
    DEFAULT_BASE_URL,
    Clock,
    RateLimit,
    Retry,
    Settings,
    proxy_for,
    read_base_url,
)
from .version import __version__

DEFAULT_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
DEFAULT_CONCURRENCY = 8
DEFAULT_RATE_LIMIT = RateLimit(learns=True)
DEFAULT_RETRY = Retry()
SYSTEM_CLOCK = Clock()


class HubSpotBatch(families.Families):
    """HubSpot's batch endpoints, with an outcome for every input.

    Each family of records is an attribute, such as `campaigns`, `marketing_events` and `calls`.

    Args:
        token: The access token, or a function that returns it, which is asked when the first
            request needs it and again when HubSpot refuses it. The environment's
            HUBSPOT_ACCESS_TOKEN by default.
        base_url: HubSpot's address, which differs for accounts with a regional host; https, except
            on this machine itself. The environment's HUBSPOT_BASE_URL by default, or else
            https://api.hubapi.com.
        timeout: Seconds that a request may take, or an `httpx.Timeout`; None for no limit.
        max_concurrency: Requests under way at most, those of `raw` included. They are sent by
            threads, which end when the client is closed.
        rate_limit: How fast requests may start; None for as fast as they come. By default 100 in
            10 seconds, until the first answer says what the account's allowance is.
        retry: How often a request is sent again that was not done, or may be done twice.
        daily_reserve: Requests of the day that are left to others; a run that would take them ends
            with `DailyLimitError`. None to use all.
        on_wait: Called with a `Wait` before each wait for the rate limit or another attempt.
        on_event: Called with each event of a run: `RequestStarting`, `OutcomesKnown`, `Wait` and
            `RunEnded`. An exception that it raises is logged and changes nothing else.
        transport: An `httpx.BaseTransport` to send with, in place of the network.
        clock: How time is told and spent, for tests that must not wait.

    Attributes:
        raw: The generated client, for `hubspot_batch_client.api`; it sends through this one.

    Raises:
        ConfigurationError: An argument is wrong, or there is no token.
    """

    _base_url = ""  # until it is read, so that a half-made client has a repr

    def __init__(
        self,
        token: str | TokenProvider | None = None,
        *,
        base_url: str | None = None,
        timeout: float | httpx.Timeout | None = DEFAULT_TIMEOUT,
        max_concurrency: int = DEFAULT_CONCURRENCY,
        rate_limit: RateLimit | None = DEFAULT_RATE_LIMIT,
        retry: Retry = DEFAULT_RETRY,
        daily_reserve: int | None = None,
        on_wait: Callable[[Wait], object] | None = None,
        on_event: Callable[[Event], object] | None = None,
        transport: httpx.BaseTransport | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        held = _held(token)
        del token  # no traceback that shows variables may show it
        self._base_url = _read_base_url(base_url)
        _check("transport", transport, httpx.BaseTransport | None, "an httpx.BaseTransport")
        notify = _notify(on_event, on_wait)
        settings = _settings(rate_limit, retry, max_concurrency, daily_reserve, notify, clock)
        patience = httpx.Timeout(_read_timeout(timeout))
        if transport is None:
            with _blaming_the_environment():
                transport = httpx.HTTPTransport(
                    proxy=proxy_for(self._base_url), limits=_connections(max_concurrency)
                )
        wrapped = Transport(
            transport, held, origin=self._base_url, repeatable=REPEATABLE, settings=settings
        )
        self.raw = _generated(self._base_url, patience, wrapped)
        self._http = self.raw.get_httpx_client()
        self._executor = ThreadExecutor(max_concurrency)
        runner = Runner(self.raw, self._http, max_concurrency, self._executor, notify)
        super().__init__(runner, operation_call)

    def __repr__(self) -> str:
        return f"HubSpotBatch(base_url={self._base_url!r})"

    def close(self) -> None:
        """Close the connections; the client cannot be used again."""
        self._http.close()
        self._executor.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class AsyncHubSpotBatch(families.AsyncFamilies):
    """HubSpot's batch endpoints, with an outcome for every input, for asyncio.

    Like `HubSpotBatch`, with the same methods to await, and asynchronous iterators. The function
    that returns a token may be asynchronous too, and `transport` is an `httpx.AsyncBaseTransport`.
    """

    _base_url = ""  # until it is read, so that a half-made client has a repr

    def __init__(
        self,
        token: str | TokenProvider | None = None,
        *,
        base_url: str | None = None,
        timeout: float | httpx.Timeout | None = DEFAULT_TIMEOUT,
        max_concurrency: int = DEFAULT_CONCURRENCY,
        rate_limit: RateLimit | None = DEFAULT_RATE_LIMIT,
        retry: Retry = DEFAULT_RETRY,
        daily_reserve: int | None = None,
        on_wait: Callable[[Wait], object] | None = None,
        on_event: Callable[[Event], object] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        held = _held(token)
        del token  # no traceback that shows variables may show it
        self._base_url = _read_base_url(base_url)
        _check(
            "transport", transport, httpx.AsyncBaseTransport | None, "an httpx.AsyncBaseTransport"
        )
        notify = _notify(on_event, on_wait)
        settings = _settings(rate_limit, retry, max_concurrency, daily_reserve, notify, clock)
        patience = httpx.Timeout(_read_timeout(timeout))
        if transport is None:
            with _blaming_the_environment():
                transport = httpx.AsyncHTTPTransport(
                    proxy=proxy_for(self._base_url), limits=_connections(max_concurrency)
                )
        wrapped = Transport(
            transport, held, origin=self._base_url, repeatable=REPEATABLE, settings=settings
        )
        self.raw = _generated(self._base_url, patience, wrapped)
        self._http = self.raw.get_async_httpx_client()
        runner = AsyncRunner(self.raw, self._http, max_concurrency, notify)
        super().__init__(runner, operation_call)

    def __repr__(self) -> str:
        return f"AsyncHubSpotBatch(base_url={self._base_url!r})"

    async def close(self) -> None:
        """Close the connections; the client cannot be used again."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


@contextmanager
def _blaming_the_environment() -> Generator[None]:
    try:
        yield
    except (ValueError, ImportError, OSError) as error:
        raise ConfigurationError(
            "The proxy (HTTPS_PROXY) or the certificates (SSL_CERT_FILE) that the environment "
            f"names cannot be used: {type(error).__name__}."
        ) from error


def _held(token: str | TokenProvider | None) -> Token:
    """Return a token, or its provider, as a value that nothing shows, before anything is raised."""
    return Token(os.environ.get("HUBSPOT_ACCESS_TOKEN", "") if token is None else token)


def _read_base_url(base_url: str | None) -> str:
    if base_url is None:
        base_url = os.environ.get("HUBSPOT_BASE_URL") or DEFAULT_BASE_URL
    return read_base_url(base_url)


def _check(name: str, value: object, kind: Any, wanted: str) -> None:
    """Refuse an argument of the wrong type: not every caller has a type checker."""
    if not isinstance(value, kind):
        raise ConfigurationError(f"{name} is {value!r}; it is {wanted}.")


def _read_timeout(timeout: float | httpx.Timeout | None) -> float | httpx.Timeout | None:
    _check("timeout", timeout, float | int | httpx.Timeout | None, "seconds, or an httpx.Timeout")
    if isinstance(timeout, float | int) and not timeout > 0:
        raise ConfigurationError(f"timeout is {timeout!r}; it is more than 0 seconds, or None.")
    return timeout


def _settings(
    rate_limit: RateLimit | None,
    retry: Retry,
    max_concurrency: int,
    daily_reserve: int | None,
    notify: Notify | None,
    clock: Clock,
) -> Settings:
    _check("clock", clock, Clock, "Clock(now, sleep, asleep)")
    _check("rate_limit", rate_limit, RateLimit | None, "RateLimit(requests, seconds), or None")
    _check("retry", retry, Retry, "Retry(max_attempts, max_elapsed, max_wait)")
    if type(max_concurrency) is not int or max_concurrency < 1:
        raise ConfigurationError(f"max_concurrency is {max_concurrency!r}; it is 1 or more.")
    if daily_reserve is not None and (type(daily_reserve) is not int or daily_reserve < 0):
        raise ConfigurationError(f"daily_reserve is {daily_reserve!r}; it is 0 or more, or None.")
    return Settings(rate_limit, retry, max_concurrency, daily_reserve, notify, clock)


def _notify(
    on_event: Callable[[Event], object] | None, on_wait: Callable[[Wait], object] | None
) -> Notify | None:
    _check("on_event", on_event, Callable | None, "a function that takes an event, or None")
    _check("on_wait", on_wait, Callable | None, "a function that takes a Wait, or None")
    return notifier(on_event, on_wait)


def _connections(most: int) -> httpx.Limits:
    # Kept for a shorter time than servers keep theirs: one that the server closes at the moment
    # of a create would leave that create in doubt.
    return httpx.Limits(max_connections=None, max_keepalive_connections=most, keepalive_expiry=4.0)


def _generated(base_url: str, timeout: httpx.Timeout, transport: Transport) -> Client:
    # The transport is an argument and no httpx client is set, so that what `raw.with_headers` and
    # its like return has the token and the limits too.
    return Client(
        base_url=base_url,
        timeout=timeout,
        headers={"User-Agent": f"hubspot-batch/{__version__}"},
        httpx_args={"transport": transport},
    )
