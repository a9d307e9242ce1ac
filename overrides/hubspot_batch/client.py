"""The clients that users hold: `HubSpotBatch` and `AsyncHubSpotBatch`.

This module decides what a client is made of. The two clients have the same methods; a test compares
them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self

import httpx
from hubspot_batch_client import Client, families

from ._engine.executors import ThreadExecutor
from ._engine.runner import AsyncRunner, Runner
from ._lookup.drivers import AsyncReconciler, Reconciler, search_pace
from ._lookup.ways import lookup_requests
from ._operations.call import operation_call
from ._operations.preload import preload_before_forks
from ._operations.registry import REPEATABLE
from ._operations.versions import check_version, path_of
from ._paging.drivers import AsyncPages, Pages
from ._transport.owners import (
    AnyTransport,
    LoopTransport,
    OneLoopTransport,
    ProcessTransport,
    holds_connections,
    lend,
)
from ._transport.response_body import ACCEPT_ENCODING
from ._transport.tokens import AsyncTokenProvider, Token, TokenProvider, refuse_asynchronous
from ._transport.transport import Transport
from .events import Event, Notify, Wait, notifier
from .options import (
    DEFAULT_RATE_LIMIT,
    DEFAULT_RETRY,
    DEFAULT_TIMEOUT,
    SYSTEM_CLOCK,
    ClientOptions,
    Clock,
    RateLimit,
    Retry,
    SharedRateLimit,
    check,
)
from .version import __version__

if TYPE_CHECKING:
    from ._transport.network import AsyncNetwork, Network


class HubSpotBatch(families.Families):
    """HubSpot's batch endpoints, with an outcome for every input.

    Each family of records is an attribute, such as `campaigns`, `marketing_events` and `calls`.

    Any number of threads may use a client, and so may processes that are forked from this one: each
    opens connections of its own, asks for its own token, and counts its own requests. A run stays
    with the process that began it.

    Args:
        token: The access token, or a function that returns it, which is asked when the first
            request needs it and again when HubSpot refuses it. The environment's
            HUBSPOT_ACCESS_TOKEN by default.
        base_url: HubSpot's address, which differs for accounts with a regional host; https, except
            on this machine itself. The environment's HUBSPOT_BASE_URL by default, or else
            https://api.hubapi.com.
        timeout: Seconds that an attempt of a request may take, from connecting to the last byte of
            its response; or an `httpx.Timeout`, whose longest part bounds the attempt. None for no
            limit.
        max_concurrency: The most requests under way at the same time, those of `raw` included.
            Threads send them, and end when the client is closed.
        rate_limit: How fast requests may start; None for no limit. By default 100 in 10 seconds,
            until the first response says what the account's limit is. Several processes share one
            with an `integrations.SharedAllowance`.
        retry: How often and how long a request is sent again, if it was certainly not done or
            repeating it is harmless.
        daily_reserve: Requests of the day to leave to other programs; a run stops with
            `DailyLimitError` before it takes them. None to use all.
        api_version: The version of HubSpot's API: "v3", "2026-03" or "2026-09". The environment's
            HUBSPOT_API_VERSION by default, or else v3.
        on_wait: Called with a `Wait` before each wait for the rate limit or another attempt.
        on_event: Called with each event of a run: `RequestStarting`, `OutcomesKnown`, `Wait` and
            `RunEnded`. An exception that it raises is logged and changes nothing else.
        transport: An `httpx.BaseTransport` to send with, in place of the network. How long an
            attempt takes is then its own matter, and only its exceptions tell whether a request was
            sent.
        clock: How time is told and spent, for tests that must not wait.

    At the end of a run, one line is logged at INFO (logger `hubspot_batch`), and one for each
    longer wait; at DEBUG, one for each request. The values of a line are fields of its record too,
    for example `record.requests`. httpx logs a line of its own at INFO for each request, also for
    those of this client. To leave these out: `logging.getLogger("httpx").setLevel("WARNING")`.

    Attributes:
        raw: The generated client, for `hubspot_batch_client.api`; it sends through this one.
        options: Its arguments, except the token and functions, for another process.

    Raises:
        ConfigurationError: An argument is wrong, or there is no token.
    """

    options: ClientOptions | None = None  # until it is read, so a half-made client has a repr

    def __init__(
        self,
        token: str | TokenProvider | None = None,
        *,
        base_url: str | None = None,
        timeout: float | httpx.Timeout | None = DEFAULT_TIMEOUT,
        max_concurrency: int = 8,
        rate_limit: RateLimit | SharedRateLimit | None = DEFAULT_RATE_LIMIT,
        retry: Retry = DEFAULT_RETRY,
        daily_reserve: int | None = None,
        api_version: str | None = None,
        on_wait: Callable[[Wait], object] | None = None,
        on_event: Callable[[Event], object] | None = None,
        transport: httpx.BaseTransport | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        held = _held(token)
        del token  # no traceback that shows variables may show it
        refuse_asynchronous(held)
        self.options = ClientOptions(
            base_url, timeout, max_concurrency, rate_limit, retry, daily_reserve, api_version
        )
        version = check_version(self.options.api_version)
        check("transport", transport, httpx.BaseTransport | None, "an httpx.BaseTransport")
        notify = _notify(on_event, on_wait)
        proxy = None
        if transport is None:
            from ._transport.network import Network  # noqa: PLC0415 - httpcore is large

            connect, proxy = _connecting(Network, self.options)
        else:
            connect = lend(transport)
        self.raw = _generated(held, self.options, connect, notify, clock, proxy)
        self._http = self.raw.get_httpx_client()
        self._executor = ThreadExecutor(max_concurrency)
        self._runner = Runner(self.raw, self._http, max_concurrency, self._executor, notify)
        reconcile = Reconciler(self.raw, self._http, clock, search_pace(self.options.rate_limit))
        call = partial(operation_call, api_version=version)
        super().__init__(self._runner, call, reconcile, Pages(reconcile, version))

    def __repr__(self) -> str:
        return _repr(self)

    def close(self) -> None:
        """Close the connections; the client cannot be used again."""
        self._http.close()
        self.raw.get_httpx_client().close()  # another one, if a fork has copied this client
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

    Any number of event loops may use a client, one after the other or at once. Each has connections
    of its own, which are closed when it ends, and `max_concurrency` requests under way; the rate
    limit and the token are shared. A run, and a `transport` that holds connections, stay with the
    event loop that used them first.
    """

    options: ClientOptions | None = None  # until it is read, so a half-made client has a repr

    def __init__(
        self,
        token: str | AsyncTokenProvider | None = None,
        *,
        base_url: str | None = None,
        timeout: float | httpx.Timeout | None = DEFAULT_TIMEOUT,
        max_concurrency: int = 8,
        rate_limit: RateLimit | SharedRateLimit | None = DEFAULT_RATE_LIMIT,
        retry: Retry = DEFAULT_RETRY,
        daily_reserve: int | None = None,
        api_version: str | None = None,
        on_wait: Callable[[Wait], object] | None = None,
        on_event: Callable[[Event], object] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        held = _held(token)
        del token  # no traceback that shows variables may show it
        self.options = ClientOptions(
            base_url, timeout, max_concurrency, rate_limit, retry, daily_reserve, api_version
        )
        version = check_version(self.options.api_version)
        wanted = "an httpx.AsyncBaseTransport"
        check("transport", transport, httpx.AsyncBaseTransport | None, wanted)
        notify = _notify(on_event, on_wait)
        proxy, one_loop = None, False
        if transport is None:
            from ._transport.network import AsyncNetwork  # noqa: PLC0415 - httpcore is large

            open_one, proxy = _connecting(AsyncNetwork, self.options)
            connect: Callable[[], AnyTransport] = partial(LoopTransport, open_one)
        else:
            connect, one_loop = lend(transport), holds_connections(transport)
        self.raw = _generated(held, self.options, connect, notify, clock, proxy, one_loop=one_loop)
        self._http = self.raw.get_async_httpx_client()
        self._runner = AsyncRunner(self.raw, self._http, max_concurrency, notify)
        reconcile = AsyncReconciler(
            self.raw, self._http, clock, search_pace(self.options.rate_limit)
        )
        call = partial(operation_call, api_version=version)
        super().__init__(self._runner, call, reconcile, AsyncPages(reconcile, version))

    def __repr__(self) -> str:
        return _repr(self)

    async def close(self) -> None:
        """Close the connections; the client cannot be used again."""
        await self._http.aclose()
        await self.raw.get_async_httpx_client().aclose()  # another one, after a fork

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


def _connecting(
    kind: type[Network | AsyncNetwork], options: ClientOptions
) -> tuple[Callable[[], AnyTransport], str | None]:
    """Return a function that returns a new transport for the network, and its proxy."""
    first = kind(options.base_url, options.max_concurrency)
    made = [first]

    def connect() -> AnyTransport:
        try:
            return made.pop()
        except IndexError:
            # Certificates are read once: that takes longest.
            return kind(options.base_url, options.max_concurrency, first.context)

    return connect, first.proxy


def _held(token: str | AsyncTokenProvider | None) -> Token:
    """Return a token, or its provider, as a value that nothing shows, before anything is raised."""
    return Token(os.environ.get("HUBSPOT_ACCESS_TOKEN", "") if token is None else token)


def _repr(client: HubSpotBatch | AsyncHubSpotBatch) -> str:
    base_url = "" if client.options is None else client.options.base_url
    return f"{type(client).__name__}(base_url={base_url!r})"


def _notify(
    on_event: Callable[[Event], object] | None, on_wait: Callable[[Wait], object] | None
) -> Notify | None:
    check("on_event", on_event, Callable | None, "a function that takes an event, or None")
    check("on_wait", on_wait, Callable | None, "a function that takes a Wait, or None")
    return notifier(on_event, on_wait)


def _generated(
    token: Token,
    options: ClientOptions,
    connect: Callable[[], AnyTransport],
    notify: Notify | None,
    clock: Clock,
    proxy: str | None,
    *,
    one_loop: bool = False,
) -> Client:
    check("clock", clock, Clock, "a Clock(now, sleep, asleep)")

    def make() -> AnyTransport:
        made = Transport(
            connect(),
            token,
            options=options,
            repeatable=REPEATABLE.union(lookup_requests()),
            notify=notify,
            clock=clock,
            proxy=proxy,
        )
        return OneLoopTransport(made) if one_loop else made

    wrapped = ProcessTransport(make)
    preload_before_forks()
    # The transport is an argument and no httpx client is set, so what `raw.with_headers` and its
    # like return has the token and the limits, too.
    return Client(
        base_url=options.base_url,
        timeout=options.timeout,
        headers={
            "User-Agent": f"hubspot-batch/{__version__}",
            "Accept-Encoding": ACCEPT_ENCODING,
        },
        httpx_args={"transport": wrapped},
        path_of=path_of(options.api_version),
    )
