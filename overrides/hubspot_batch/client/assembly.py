"""The parts of both clients: the transport, its connections, and the caller's functions.

This module decides how a client's arguments become these parts, and what is imported when. A client
is made without what only a run needs, which takes as long to import as httpx: the first run, or the
first request, imports it. So what is imported inside of functions here stays there.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NoReturn

from attrs import evolve
from hubspot_batch_client import Client

from hubspot_batch._deprecation import warn_argument
from hubspot_batch._operations.preload import preload_before_forks
from hubspot_batch._transport.environment import route_to
from hubspot_batch._transport.owners import AnyTransport, OneLoopTransport, ProcessTransport, lend
from hubspot_batch._transport.response_body import ACCEPT_ENCODING
from hubspot_batch._transport.tokens import AsyncTokenProvider, Token
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.events import Observer, OnEvent, OnOutcome, OnWait, observer_of
from hubspot_batch.options import SAME, ClientOptions, Clock, Same, check, merge_headers
from hubspot_batch.version import __version__

if TYPE_CHECKING:
    from hubspot_batch._engine.driver import RunRequest


def open_connections(
    options: ClientOptions, *, in_tasks: bool = False
) -> tuple[Callable[[], AnyTransport], str | None]:
    """Return a function that returns a new transport for the network, and its proxy."""
    route = route_to(options)  # certificates are read once: that takes longest

    def connect() -> AnyTransport:
        from hubspot_batch._transport.network import AsyncNetwork, Network  # noqa: PLC0415 - see above

        return (AsyncNetwork if in_tasks else Network)(route, options.max_concurrency)

    return connect, None if route.proxy is None else route.proxy.address


def lend_transport(transport: AnyTransport, options: ClientOptions) -> Callable[[], AnyTransport]:
    """Return a function that returns a transport of the caller's."""
    if options.proxy is not None or options.verify is not True:
        raise ConfigurationError(
            "proxy and verify are about the client's own connections; leave them out, or give "
            "them to the transport."
        )
    return lend(transport)


def hold_token(token: str | AsyncTokenProvider | None) -> Token:
    """Wrap a token, or its provider, at once, so no traceback shows it."""
    return Token(os.environ.get("HUBSPOT_ACCESS_TOKEN", "") if token is None else token)


def observe(
    on_event: OnEvent | None, on_outcome: OnOutcome | None, on_wait: OnWait | None = None
) -> Observer | None:
    """Return the observer that calls a client's functions; None if there are none."""
    check("on_event", on_event, Callable | None, "a function that takes an event, or None")
    check("on_outcome", on_outcome, Callable | None, "a function that takes an Outcome, or None")
    check("on_wait", on_wait, Callable | None, "a function that takes a Wait, or None")
    for name, given in (("on_event", on_event), ("on_outcome", on_outcome), ("on_wait", on_wait)):
        if _is_asynchronous(given) or _is_asynchronous(getattr(given, "__call__", None)):  # noqa: B004 - it is looked at
            raise ConfigurationError(
                f"{name} must not be asynchronous, because nothing would await it. Pass a function "
                "that starts a task, or puts what it is given into a queue."
            )
    if on_wait is not None:
        warn_argument("on_wait", since="0.1.0", until="0.3.0", instead="on_event", level=3)
    return observer_of(on_event, on_outcome, on_wait)


def _is_asynchronous(given: object) -> bool:
    return inspect.iscoroutinefunction(given) or inspect.isasyncgenfunction(given)


def change_options(
    options: ClientOptions | None, timeout: Any, retry: Any, max_concurrency: Any, headers: Any
) -> ClientOptions:
    """Return options with the changes that are not SAME."""
    assert options is not None  # noqa: S101 - no half-made client has methods to call
    given = {"timeout": timeout, "retry": retry, "max_concurrency": max_concurrency}
    if headers is not SAME:
        check("headers", headers, Mapping, "a mapping of header names to texts")
        given["headers"] = merge_headers(options.headers, headers)
    return evolve(options, **{name: one for name, one in given.items() if one is not SAME})


def change_observer(
    observer: Observer | None, on_event: OnEvent | Same | None, on_outcome: OnOutcome | Same | None
) -> Observer | None:
    """Return an observer with other functions; SAME keeps a function."""
    known = observer or Observer(None, None)
    return observe(
        known.on_event if on_event is SAME else on_event,
        known.on_outcome if on_outcome is SAME else on_outcome,
    )


def refuse_reconcile(*_: object, **__: object) -> NoReturn:
    """Refuse to look up inputs where nothing is sent."""
    raise ConfigurationError("validate sends nothing; call reconcile without it.")


def refuse_pages(*_: object, **__: object) -> NoReturn:
    """Refuse to search or list where nothing is sent."""
    raise ConfigurationError("validate sends nothing; search and list without it.")


def validating(
    options: ClientOptions | None,
) -> tuple[Callable[..., RunRequest], Callable[..., NoReturn], Callable[..., NoReturn]]:
    """Return the functions behind the methods of `validate`, besides its runner."""
    assert options is not None  # noqa: S101 - no half-made client has methods to call
    return partial(call_of, options.api_version), refuse_reconcile, refuse_pages


def call_of(
    version: str | None, operation: str, chunk_size: int | None, **given: Any
) -> RunRequest:
    """Return a call of an operation in a version of the API; see `operation_call`."""
    return _operation_call()(operation, chunk_size, api_version=version, **given)


@cache
def _operation_call() -> Callable[..., RunRequest]:
    from hubspot_batch._operations.call import operation_call  # noqa: PLC0415 - see above

    return operation_call


def make_transport(
    token: Token,
    options: ClientOptions,
    connect: Callable[[], AnyTransport],
    observer: Observer | None,
    clock: Clock,
    proxy: str | None,
    *,
    one_loop: bool = False,
) -> ProcessTransport:
    """Return the transport that sends the requests of a client."""
    if not callable(token.value):
        token.read()
    check("clock", clock, Clock, "a Clock(now, sleep, asleep)")

    def make() -> AnyTransport:
        from hubspot_batch._lookup.endpoints import lookup_requests  # noqa: PLC0415 - see above
        from hubspot_batch._operations.registry import REPEATABLE  # noqa: PLC0415 - see above
        from hubspot_batch._transport.transport import Transport  # noqa: PLC0415 - see above

        made = Transport(
            connect(),
            token,
            options=options,
            repeatable=REPEATABLE.union(lookup_requests()),
            observer=observer,
            clock=clock,
            proxy=proxy,
        )
        return OneLoopTransport(made) if one_loop else made

    preload_before_forks()
    return ProcessTransport(make)


def make_raw(options: ClientOptions, transport: ProcessTransport) -> Client:
    """Return the generated client that sends over a transport."""
    # The transport is an argument and no httpx client is set, so what `raw.with_headers` and its
    # like return has the token and the limits, too.
    return Client(
        base_url=options.base_url,
        timeout=options.timeout,
        headers=merge_headers(
            {"User-Agent": f"hubspot-batch/{__version__}", "Accept-Encoding": ACCEPT_ENCODING},
            options.headers,
        ),
        httpx_args={"transport": transport},
        path_of=_path_of(options.api_version),
    )


def _path_of(version: str | None) -> Callable[[str], str] | None:
    """Return a function from paths to those of a version; None for the default paths.

    Raises:
        ConfigurationError: There is no such version.
    """
    if version is None:
        return None
    from hubspot_batch._operations.versions import check_version, path_in  # noqa: PLC0415 - see above

    return partial(path_in, check_version(version))
