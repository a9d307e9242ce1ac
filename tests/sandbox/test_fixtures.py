"""The fixtures that users' tests get."""

from __future__ import annotations

import asyncio

from hubspot_batch import AsyncHubSpotBatch, HubSpotBatch
from hubspot_batch.sandbox import Sandbox, SandboxTransport


def test_the_fixtures_are_one_sandbox(
    hubspot_sandbox: Sandbox, hubspot_sandbox_transport: SandboxTransport
) -> None:
    """The sandbox holds what goes in through the transport, and no time passes."""
    rows = [{"properties": {"hs_timestamp": "2026-01-31T12:00:00Z"}}] * 300
    with HubSpotBatch("token", transport=hubspot_sandbox_transport, rate_limit=None) as hubspot:
        hubspot.calls.create(rows, chunk_size=1).raise_for_failures()
    assert len(hubspot_sandbox.records("calls")) == 300


def test_the_fixtures_serve_both_clients(
    hubspot_sandbox: Sandbox, hubspot_sandbox_transport: SandboxTransport
) -> None:
    """An asynchronous client takes the same transport, and many of its requests at a time."""
    rows = [{"properties": {"hs_timestamp": "2026-01-31T12:00:00Z"}}] * 50

    async def main() -> None:
        transport = hubspot_sandbox_transport
        async with AsyncHubSpotBatch("token", transport=transport, rate_limit=None) as hubspot:
            (await hubspot.calls.create(rows, chunk_size=1)).raise_for_failures()

    asyncio.run(main())
    assert len(hubspot_sandbox.records("calls")) == 50


def test_each_test_has_a_sandbox_of_its_own(hubspot_sandbox: Sandbox) -> None:
    """Nothing is left of the test before."""
    assert hubspot_sandbox.records("calls") == ()
