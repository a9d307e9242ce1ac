"""A server that names no limit in its headers is not sent more than the client was told."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import httpx
import pytest
import virtual_time as virtual
from both_clients import ClientFactory
from hubspot_batch import AsyncHubSpotBatch, RateLimit
from hubspot_batch.sandbox import Sandbox, SandboxTransport
from scripted_server import READ, carry_out, wanted


class SlowWay(httpx.AsyncBaseTransport):
    """A way to the sandbox on which each request and each response takes its own time."""

    def __init__(self, sandbox: Sandbox, seed: int) -> None:
        self._inner = SandboxTransport(sandbox)
        self._rng = random.Random(seed)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Arrive late, and answer late."""
        await asyncio.sleep(0.05 + self._rng.expovariate(5.0))
        response = self._inner.handle_request(request)
        await asyncio.sleep(0.05 + self._rng.expovariate(5.0))
        return response


@pytest.mark.parametrize("learns", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_no_request_is_refused_where_the_limit_was_told(learns: bool, seed: int) -> None:
    """The server counts arrivals, and slow requests arrive together with fast ones."""

    async def main() -> list[int]:
        loop = asyncio.get_running_loop()
        sandbox = Sandbox(rate_limit=(20, 4.0), limits_told=False, clock=loop.time)
        ids = [one["id"] for one in wanted(sandbox, READ, 400)]
        async with AsyncHubSpotBatch(
            "token",
            transport=SlowWay(sandbox, seed),
            clock=virtual.clock(),
            rate_limit=RateLimit(20, 4.0, learns),
        ) as client:
            result = await client.campaigns.read(ids, chunk_size=1)
        assert len(result.succeeded) == 400
        assert loop.time() < 1.3 * 400 / 20 * 4.0, "and the limit is used"
        return [entry.status for entry in sandbox.requests]

    assert set(virtual.run(main())) == {200}


@pytest.mark.parametrize("limit", [None, RateLimit(100, 10.0)], ids=["default", "told"])
def test_a_429_without_headers_is_a_lesson(make_client: ClientFactory, limit: Any) -> None:
    """The default is 100 requests in 10 seconds; this account accepts 30, and does not say so."""
    sandbox = Sandbox(rate_limit=(30, 10.0), limits_told=False)
    ids = [one["id"] for one in wanted(sandbox, READ, 1500)]
    settings = {} if limit is None else {"rate_limit": limit}
    client = make_client(transport=sandbox, max_concurrency=1, **settings)
    result = carry_out(client, READ, ids, chunk_size=1)
    assert len(result.succeeded) == 1500
    statuses = [entry.status for entry in sandbox.requests]
    assert statuses.count(429) / len(statuses) < 0.01
