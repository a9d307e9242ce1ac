"""One interface for both clients, so that a test is written once and run for each.

It looks for tokens in everything that goes through it: reprs, results, outcomes, exceptions.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from hubspot_batch import AsyncHubSpotBatch, Clock, Event, HubSpotBatch, Wait
from hubspot_batch.sandbox import FakeClock, Sandbox, SandboxTransport
from leak_watch import SECRET, WATCH


def clock_of(fake: FakeClock) -> Clock:
    """A clock for clients that moves a sandbox's clock instead of waiting."""

    async def asleep(seconds: float) -> None:
        fake.advance(seconds)

    return Clock(now=fake, sleep=fake.advance, asleep=asleep, wall=fake)


def waits_to(function: Callable[[Wait], object]) -> Callable[[Event], None]:
    """A function for `on_event` that passes on waits only."""

    def tell(event: Event) -> None:
        if isinstance(event, Wait):
            function(event)

    return tell


@contextmanager
def watched_errors(where: str) -> Iterator[None]:
    """Look for tokens in the exception that leaves the block, whatever it is."""
    try:
        yield
    except BaseException as error:
        WATCH.error(where, error)
        raise


class Watched:
    """A client of either kind, or a part of one, whose methods block, and are watched."""

    def __init__(self, target: Any, runner: asyncio.Runner) -> None:
        self._target = target
        self._runner = runner

    def __repr__(self) -> str:
        return repr(self._target)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        if type(value).__module__ == "hubspot_batch_client.families":
            look_at(self._target)
            return Watched(value, self._runner)
        if not inspect.ismethod(value):
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            look_at(self._target)
            with watched_errors(name):
                made = value(*args, **kwargs)
                if hasattr(made, "__next__") or isinstance(made, AsyncIterator):
                    return Iterating(made, self._runner)
                if isinstance(made, HubSpotBatch | AsyncHubSpotBatch):
                    return Watched(made, self._runner)
                made = run(made, self._runner)
            WATCH.value(f"the result of {name}", made)
            return made

        return call


class Iterating:
    """An iterator of outcomes of either kind, that blocks and is watched."""

    def __init__(self, target: Any, runner: asyncio.Runner) -> None:
        self._target = target
        self._runner = runner

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        with watched_errors("next"):
            try:
                if isinstance(self._target, AsyncIterator):
                    outcome = run(anext(self._target), self._runner)
                else:
                    outcome = next(self._target)
            except (StopIteration, StopAsyncIteration):
                look_at(self._target)
                raise StopIteration from None
        WATCH.value("an outcome", outcome)
        return outcome

    def close(self) -> None:
        """Stop early; the asynchronous one calls it `aclose`."""
        with watched_errors("close"):
            if isinstance(self._target, AsyncIterator):
                run(self._target.aclose(), self._runner)
            else:
                self._target.close()
        look_at(self._target)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        WATCH.value(f"{name} of an iterator", value)
        return value


def run(made: Any, runner: asyncio.Runner) -> Any:
    """Return a value, or what an awaitable gives."""

    async def finish() -> Any:
        return await made

    return runner.run(finish()) if isinstance(made, Awaitable) else made


def look_at(target: object) -> None:
    """Look for tokens in the texts of an object and of its parts."""
    WATCH.value(type(target).__name__, target)
    for name, part in list(getattr(target, "__dict__", {}).items()):
        WATCH.value(f"{type(target).__name__}.{name}", part)


def watched_token(token: Any) -> Any:
    """The token, or the function that returns it, that the watch is told of."""
    if not callable(token):
        WATCH.add(os.environ.get("HUBSPOT_ACCESS_TOKEN") if token is None else token)
        return token
    if isinstance(token, functools.partial):
        return token  # for tests of what the function itself shows
    provide: Callable[[], Any] = token

    @functools.wraps(provide)
    def told() -> Any:
        made = provide()
        WATCH.add(made)
        return made

    @functools.wraps(provide)
    async def told_later() -> Any:
        made = await provide()
        WATCH.add(made)
        return made

    return told_later if inspect.iscoroutinefunction(provide) else told


class ClientFactory:
    """Makes clients of one kind, and closes them."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._open: list[Any] = []
        self._runner = asyncio.Runner()

    def __call__(self, token: Any = SECRET, **arguments: Any) -> Any:
        """Return a client; one of a sandbox tells time by the sandbox's clock, and none waits."""
        transport = arguments.get("transport")
        if isinstance(transport, httpx.MockTransport):
            arguments.setdefault("clock", clock_of(FakeClock()))
        if isinstance(transport, Sandbox):
            arguments["transport"] = SandboxTransport(transport)
            if isinstance(transport.clock, FakeClock):
                arguments.setdefault("clock", clock_of(transport.clock))
        kind: Any = HubSpotBatch if self.kind == "sync" else AsyncHubSpotBatch
        with watched_errors(kind.__name__):
            client = Watched(kind(watched_token(token), **arguments), self._runner)
        self._open.append(client)
        return client

    def request(self, client: Any, method: str, url: str, **arguments: Any) -> httpx.Response:
        """Send a request of one's own through a client's connection."""
        raw = client.raw
        http = raw.get_httpx_client() if self.kind == "sync" else raw.get_async_httpx_client()
        with watched_errors("a request"):
            response: httpx.Response = run(http.request(method, url, **arguments), self._runner)
        WATCH.value("a response", response)
        WATCH.value("its request", vars(response.request))
        WATCH.text("its body", response.content)
        WATCH.value("its headers", response.headers.multi_items())
        return response

    def body(self, *parts: bytes) -> Any:
        """A body that is read only once, part by part."""

        async def later() -> AsyncIterator[bytes]:
            for part in parts:
                yield part

        return iter(parts) if self.kind == "sync" else later()

    def close(self) -> None:
        for client in self._open:
            client.close()
        self._runner.close()
