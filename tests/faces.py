"""One face for both clients, so that a test is written once and run for each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Any

import httpx
from hubspot_batch import AsyncHubSpotBatch, Clock, HubSpotBatch
from hubspot_batch.sandbox import FakeClock, Sandbox, SandboxTransport


def clock_of(fake: FakeClock) -> Clock:
    """A clock for clients that moves a sandbox's clock instead of waiting."""

    async def asleep(seconds: float) -> None:
        fake.advance(seconds)

    return Clock(now=fake, sleep=fake.advance, asleep=asleep)


class Blocking:
    """Gives the methods of an asynchronous client (or of a part of it) as blocking ones."""

    def __init__(self, target: Any, runner: asyncio.Runner) -> None:
        self._target = target
        self._runner = runner

    def __repr__(self) -> str:
        return repr(self._target)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        if not callable(value):
            return Blocking(value, self._runner)

        def call(*args: Any, **kwargs: Any) -> Any:
            made = value(*args, **kwargs)
            if isinstance(made, AsyncIterator):
                return self._iterate(made)
            return self._runner.run(self._finish(made)) if isinstance(made, Awaitable) else made

        return call

    @staticmethod
    async def _finish(made: Awaitable[Any]) -> Any:
        return await made

    def _iterate(self, made: AsyncIterator[Any]) -> Iterator[Any]:
        while True:
            try:
                yield self._runner.run(self._finish(anext(made)))
            except StopAsyncIteration:
                return


class Face:
    """Makes clients of one kind, and closes them."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._open: list[Any] = []
        self._runner = asyncio.Runner()

    def __call__(self, token: Any = "test-token", **arguments: Any) -> Any:
        """Return a client; one of a sandbox tells time by the sandbox's clock."""
        transport = arguments.get("transport")
        if isinstance(transport, Sandbox):
            arguments["transport"] = SandboxTransport(transport)
            if isinstance(transport.clock, FakeClock):
                arguments.setdefault("clock", clock_of(transport.clock))
        if self.kind == "sync":
            client: Any = HubSpotBatch(token, **arguments)
        else:
            client = Blocking(AsyncHubSpotBatch(token, **arguments), self._runner)
        self._open.append(client)
        return client

    def request(self, client: Any, method: str, url: str, **arguments: Any) -> httpx.Response:
        """Send a request of one's own through a client's connection."""
        if isinstance(client, HubSpotBatch):
            return client.raw.get_httpx_client().request(method, url, **arguments)
        http: httpx.AsyncClient = client._target.raw.get_async_httpx_client()
        return self._runner.run(http.request(method, url, **arguments))

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
