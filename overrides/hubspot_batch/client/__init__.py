"""The clients that users hold: `HubSpotBatch` and `AsyncHubSpotBatch`.

This module decides what a client is made of. The two clients have the same methods; a test compares
them.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Mapping
from copy import copy
from functools import partial
from types import TracebackType
from typing import Literal, Self
from weakref import WeakSet

import httpx
from attrs import evolve
from hubspot_batch_client import families

from hubspot_batch._engine.executors import ThreadExecutor
from hubspot_batch._engine.iterators import AsyncOutcomeIterator, OutcomeIterator
from hubspot_batch._engine.runner import AsyncRunner, Runner
from hubspot_batch._lookup.reconcilers import AsyncReconciler, Reconciler, search_pace
from hubspot_batch._lookup.steps import AsyncStepPerformer, StepPerformer
from hubspot_batch._paging.pages import AsyncPages, Pages
from hubspot_batch._transport.owners import (
    AnyTransport,
    LoopTransport,
    check_open,
    holds_connections,
)
from hubspot_batch._transport.tokens import AsyncTokenProvider, TokenProvider, refuse_asynchronous
from hubspot_batch.events import Observer, OnEvent, OnOutcome, OnWait
from hubspot_batch.journal import Journal
from hubspot_batch.options import (
    DEFAULT_RATE_LIMIT,
    DEFAULT_RETRY,
    DEFAULT_TIMEOUT,
    SAME,
    SYSTEM_CLOCK,
    ClientOptions,
    Clock,
    RateLimit,
    Retry,
    Same,
    SharedRateLimit,
    check,
)
from hubspot_batch.outcomes import BatchResult, Outcome

from .assembly import (
    call_of,
    change_observer,
    change_options,
    hold_token,
    lend_transport,
    make_raw,
    make_transport,
    observe,
    open_connections,
    validating,
)

# The generated methods import these types only for type checkers. Programs that read the
# annotations at run time find them here.
for _named in (AsyncOutcomeIterator, BatchResult, Journal, Outcome, OutcomeIterator):
    setattr(families, _named.__name__, _named)


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
        max_concurrency: The most requests under way at the same time, including requests of `raw`.
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
        on_wait: Deprecated: `on_event` is called with each `Wait`, too.
        on_event: Called with each event: `RequestSent`, `Answered`, `Wait`, `Settled`, `RunEnded`.
            Events hold numbers and names, never an input or a record. Several threads may call it.
            An exception that it raises is logged and changes nothing else.
        on_outcome: Called with each `Outcome` as it becomes known, in the thread or task that made
            the call. An exception that it raises is logged and changes nothing else.
        headers: Headers to send with each request, in addition to the client's own.
        proxy: The address of a proxy, such as http://host:port; False for none. By default the
            environment's (HTTPS_PROXY, ALL_PROXY, NO_PROXY).
        verify: The certificates to trust: the path of a file or a folder, or an `ssl.SSLContext`.
            True for those that the environment names (SSL_CERT_FILE, SSL_CERT_DIR), or else those
            of the package certifi.
        transport: An `httpx.BaseTransport` to send with, in place of the network. How long an
            attempt takes is then its own matter, and only its exceptions tell whether a request was
            sent.
        clock: The clock to read and to sleep by, for tests that must not wait.

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
        on_wait: OnWait | None = None,
        on_event: OnEvent | None = None,
        on_outcome: OnOutcome | None = None,
        headers: Mapping[str, str] | None = None,
        proxy: str | Literal[False] | None = None,
        verify: ssl.SSLContext | str | os.PathLike[str] | Literal[True] = True,
        transport: httpx.BaseTransport | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        held = hold_token(token)
        del token  # no traceback that shows variables may show it
        refuse_asynchronous(held)
        options = ClientOptions(
            *(base_url, timeout, max_concurrency, rate_limit, retry, daily_reserve),
            *(headers, proxy, verify, api_version),
        )
        check("transport", transport, httpx.BaseTransport | None, "an httpx.BaseTransport")
        observer = observe(on_event, on_outcome, on_wait)
        if transport is None:
            connect, through = open_connections(options)
        else:
            connect, through = lend_transport(transport, options), None
        self._clock, self._pace = clock, search_pace(options.rate_limit)
        self._sending = make_transport(held, options, connect, observer, clock, through)
        self._begin(options, observer)

    def _begin(self, options: ClientOptions, observer: Observer | None) -> None:
        """Make what sends with these options, over the transport that is there."""
        self.options = options
        self.raw = make_raw(options, self._sending)
        self._http = self.raw.get_httpx_client()
        self._executor = ThreadExecutor(options.max_concurrency)
        self._observer = observer
        performer = StepPerformer(self.raw, self._http, self._clock, self._pace)
        reconcile = Reconciler(performer)
        self._runner = Runner(
            client=self.raw,
            http=self._http,
            width=options.max_concurrency,
            executor=self._executor,
            look_up=reconcile.of_run,
            observer=observer,
            clock=self._clock,
        )
        self._derived = WeakSet[HubSpotBatch]()
        self._parent: HubSpotBatch | None = None  # it closes this one, so it must live on
        version = options.api_version
        call = partial(call_of, version)
        super().__init__(self._runner, call, reconcile, Pages(performer, version))

    def with_options(
        self,
        *,
        timeout: float | httpx.Timeout | Same | None = SAME,
        retry: Retry | Same = SAME,
        max_concurrency: int | Same = SAME,
        headers: Mapping[str, str] | Same = SAME,
        on_event: OnEvent | Same | None = SAME,
        on_outcome: OnOutcome | Same | None = SAME,
    ) -> Self:
        """Return a client with other options that shares the connections and the rate limit.

        For example `hubspot.with_options(timeout=300).calls.create(rows)`. Other options stay as
        they are; `headers` are added to the present ones. With another `max_concurrency`, its
        requests are counted apart from this client's. Closing it leaves the connections open;
        closing this client closes it too.

        Args:
            timeout: Seconds that an attempt of a request may take.
            retry: How often and how long a request is sent again.
            max_concurrency: The most requests under way at the same time.
            headers: Headers to send with each request.
            on_event: Called with each event, in place of this client's function.
            on_outcome: Called with each outcome, in place of this client's function.

        Raises:
            ConfigurationError: An argument is wrong, or this client is closed.
        """
        check_open(self._http)
        options = change_options(self.options, timeout, retry, max_concurrency, headers)
        observer = change_observer(self._observer, on_event, on_outcome)
        made = copy(self)
        made._sending = self._sending.with_options(options, observer)
        made._begin(options, observer)
        made._parent = self
        self._derived.add(made)
        return made

    @property
    def validate(self) -> families.Families:
        """The same methods, which check their inputs and arguments and send nothing.

        For example `hubspot.validate.calls.create(rows)`. The result has the problems in `.failed`;
        all other inputs are `not_sent`, without an error. A journal is neither read nor written.
        """
        runner = evolve(self._runner, sends=False, observer=None)
        return families.Families(runner, *validating(self.options))

    def __repr__(self) -> str:
        return _repr(self)

    def close(self) -> None:
        """Close the connections; the client cannot be used again."""
        for derived in [*self._derived]:
            derived.close()
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
        on_wait: OnWait | None = None,
        on_event: OnEvent | None = None,
        on_outcome: OnOutcome | None = None,
        headers: Mapping[str, str] | None = None,
        proxy: str | Literal[False] | None = None,
        verify: ssl.SSLContext | str | os.PathLike[str] | Literal[True] = True,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        held = hold_token(token)
        del token  # no traceback that shows variables may show it
        options = ClientOptions(
            *(base_url, timeout, max_concurrency, rate_limit, retry, daily_reserve),
            *(headers, proxy, verify, api_version),
        )
        wanted = "an httpx.AsyncBaseTransport"
        check("transport", transport, httpx.AsyncBaseTransport | None, wanted)
        observer = observe(on_event, on_outcome, on_wait)
        through, one_loop = None, False
        if transport is None:
            open_one, through = open_connections(options, in_tasks=True)
            connect: Callable[[], AnyTransport] = partial(LoopTransport, open_one)
        else:
            connect, one_loop = lend_transport(transport, options), holds_connections(transport)
        self._clock, self._pace = clock, search_pace(options.rate_limit)
        self._sending = make_transport(
            held, options, connect, observer, clock, through, one_loop=one_loop
        )
        self._begin(options, observer)

    def _begin(self, options: ClientOptions, observer: Observer | None) -> None:
        """Make what sends with these options, over the transport that is there."""
        self.options = options
        self.raw = make_raw(options, self._sending)
        self._http = self.raw.get_async_httpx_client()
        self._observer = observer
        performer = AsyncStepPerformer(self.raw, self._http, self._clock, self._pace)
        reconcile = AsyncReconciler(performer)
        self._runner = AsyncRunner(
            client=self.raw,
            http=self._http,
            width=options.max_concurrency,
            look_up=reconcile.of_run,
            observer=observer,
            clock=self._clock,
        )
        self._derived = WeakSet[AsyncHubSpotBatch]()
        self._parent: AsyncHubSpotBatch | None = None
        version = options.api_version
        call = partial(call_of, version)
        super().__init__(self._runner, call, reconcile, AsyncPages(performer, version))

    def with_options(
        self,
        *,
        timeout: float | httpx.Timeout | Same | None = SAME,
        retry: Retry | Same = SAME,
        max_concurrency: int | Same = SAME,
        headers: Mapping[str, str] | Same = SAME,
        on_event: OnEvent | Same | None = SAME,
        on_outcome: OnOutcome | Same | None = SAME,
    ) -> Self:
        """Return a client with other options; see `HubSpotBatch.with_options`."""
        check_open(self._http)
        options = change_options(self.options, timeout, retry, max_concurrency, headers)
        observer = change_observer(self._observer, on_event, on_outcome)
        made = copy(self)
        made._sending = self._sending.with_options(options, observer)
        made._begin(options, observer)
        made._parent = self
        self._derived.add(made)
        return made

    @property
    def validate(self) -> families.AsyncFamilies:
        """The same methods, which send nothing; see `HubSpotBatch.validate`."""
        runner = evolve(self._runner, sends=False, observer=None)
        return families.AsyncFamilies(runner, *validating(self.options))

    def __repr__(self) -> str:
        return _repr(self)

    async def close(self) -> None:
        """Close the connections; the client cannot be used again."""
        for derived in [*self._derived]:
            await derived.close()
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


def _repr(client: HubSpotBatch | AsyncHubSpotBatch) -> str:
    base_url = "" if client.options is None else client.options.base_url
    return f"{type(client).__name__}(base_url={base_url!r})"
