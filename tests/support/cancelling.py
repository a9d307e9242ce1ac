"""Cancels very many runs of one client, and counts the sockets that are left.

It decides when a run is cancelled. What may be left is decided by `test_cancelled_runs.py`, and by
`soak.py`, which does more of them.
"""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

from hubspot_batch import AsyncHubSpotBatch
from hubspot_batch.sandbox import Sandbox, served

ROW = {"properties": {"hs_timestamp": "2026-01-31T09:30:00Z"}}
DESCRIPTORS = Path("/proc/self/fd" if sys.platform == "linux" else "/dev/fd")
CAN_COUNT = DESCRIPTORS.exists()


def count() -> int:
    """How many files and sockets the process has open."""
    return len([*DESCRIPTORS.iterdir()])


async def settled(most: int) -> int:
    """The number that is open, as soon as it is small: what was closed takes its time to end."""
    for _ in range(500):
        if count() <= most:
            break
        await asyncio.sleep(0.02)
    return count()


async def cancel_runs(client: AsyncHubSpotBatch, runs: int, width: int, seed: int) -> None:
    """Cancel runs after some steps of the event loop, or after some tenths of a millisecond."""
    chance = random.Random(seed)
    for number in range(runs // width):
        tasks = [
            asyncio.create_task(client.calls.create([ROW] * 3, chunk_size=1)) for _ in range(width)
        ]
        if chance.random() < 0.7:
            for _ in range(chance.randrange(150)):
                await asyncio.sleep(0)
        else:
            await asyncio.sleep(chance.randrange(150) / 10_000)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        if number % 5 == 0:
            assert (await client.calls.create([ROW])).succeeded


async def leaves_nothing(url: str, runs: int, width: int, seed: int) -> None:
    """Cancel runs; then a client holds the connections that it keeps, and at its end none."""
    async with AsyncHubSpotBatch("made-up", base_url=url) as first:
        await first.calls.create([ROW])  # so that the server is there as a whole
    before = count()
    kept = before + 2 * width  # the server's ends are counted, too
    client = AsyncHubSpotBatch("made-up", base_url=url, rate_limit=None, max_concurrency=width)
    async with client:
        await cancel_runs(client, runs, width, seed)
        assert await settled(kept) <= kept, "sockets are left while the client is open"
        assert (await client.calls.create([ROW])).succeeded
    assert await settled(before) <= before, "sockets are left when the client is closed"


def cancel_and_count(runs: int, width: int, seed: int) -> None:
    """Do so with a sandbox on a real socket."""
    with served(Sandbox(rate_limit=None)) as url:
        asyncio.run(leaves_nothing(url, runs, width, seed))
