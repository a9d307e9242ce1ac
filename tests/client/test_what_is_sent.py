"""Runs send what the generated functions send."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from hubspot_batch import AsyncHubSpotBatch, HubSpotBatch
from hubspot_batch_client.api.campaigns import read_campaigns
from hubspot_batch_client.client import address
from hubspot_batch_client.models import CampaignReadBatchInput, CampaignReadInput

BASE = "http://127.0.0.1/prefix"
BODY = CampaignReadBatchInput(inputs=[CampaignReadInput(id="a")])


@pytest.mark.parametrize(
    "base", ["https://a.example", "https://a.example/", "https://a.example/x/y"]
)
@pytest.mark.parametrize("path", ["/marketing/v3/campaigns/batch/read", "crm/3", "/a%2Fb/\u00e9"])
def test_an_address_is_the_one_that_httpx_finds(base: str, path: str) -> None:
    """Whether the client's own address has a path or not."""
    with httpx.Client(base_url=base) as http:
        assert address(http.base_url, path) == http.build_request("POST", path).url


def told(request: httpx.Request) -> tuple[object, ...]:
    """All that goes out, and how long it may take."""
    headers = request.headers.multi_items()
    limits = request.extensions["timeout"]
    return request.method, request.url, headers, request.content, limits


def test_a_run_sends_what_the_generated_function_sends() -> None:
    """The same method, address, query, headers, body and time limits."""
    seen: list[tuple[object, ...]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(told(request))
        return httpx.Response(200, json={"status": "COMPLETE", "results": []})

    transport = httpx.MockTransport(answer)
    with HubSpotBatch("token", transport=transport, base_url=BASE, timeout=7.0) as hubspot:
        read_campaigns.sync_detailed(client=hubspot.raw, body=BODY, properties=["hs_name"])
        hubspot.campaigns.read(["a"], properties=["hs_name"])

    async def run() -> None:
        client = AsyncHubSpotBatch("token", transport=transport, base_url=BASE, timeout=7.0)
        async with client as hubspot:
            await hubspot.campaigns.read(["a"], properties=["hs_name"])

    asyncio.run(run())
    assert len(seen) == 3
    assert seen[0] == seen[1] == seen[2]
