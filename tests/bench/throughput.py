"""How many records a second go through, against a bare loop with httpx and json.

Both send the same requests to the same server, which is a process of its own and begins anew for
each run. Where the server is what both wait for, the ratio flatters; so the CPU time that each
takes, and the server's, stand beside it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from statistics import median
from typing import Any

import httpx
from attrs import frozen
from hubspot_batch import AsyncHubSpotBatch, HubSpotBatch, OutcomeStatus

from bench import server
from bench.pairs import Spread, take_turns
from bench.rows import Row

PAIRS = 25
SIZE = 100
BATCHES = 96
GOAL = 90.0
PATH = "/crm/v3/objects/calls/batch/create"
HEADERS = {"Authorization": "Bearer token"}
_TO = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 194}
ROWS = [
    {
        "properties": {
            "hs_timestamp": "2026-01-31T09:30:00Z",
            "hs_call_title": f"Call {number}",
            "hs_call_body": "They want to know more about the renewal, and when it begins.",
            "hs_call_duration": "360000",
            "hs_call_direction": "OUTBOUND",
            "hs_call_status": "COMPLETED",
        },
        "associations": [{"to": {"id": str(number)}, "types": [_TO]}],
        "objectWriteTraceId": f"call-{number}",
    }
    for number in range(SIZE * BATCHES)
]
CHUNKS = [ROWS[begin : begin + SIZE] for begin in range(0, len(ROWS), SIZE)]


@frozen
class Run:
    """One run: seconds and CPU seconds of this process, and CPU seconds of the server's."""

    seconds: float
    cpu: float
    server: float


def _timed(url: str, work: Callable[[], int]) -> Run:
    httpx.get(f"{url}/bench/fresh")
    begun, cpu = time.perf_counter(), time.process_time()
    done = work()
    run = time.perf_counter() - begun, time.process_time() - cpu
    if done != len(ROWS):
        raise RuntimeError(f"{done} of {len(ROWS)} records were created")
    return Run(*run, httpx.get(f"{url}/bench/fresh").json())


def _count(response: httpx.Response) -> int:
    return len(response.json()["results"])


def _bare(client: httpx.Client, pool: ThreadPoolExecutor, width: int) -> int:
    def send(chunk: list[dict[str, Any]]) -> int:
        return _count(client.post(PATH, json={"inputs": chunk}))

    if width == 1:
        return sum(map(send, CHUNKS))
    return sum(pool.map(send, CHUNKS))


def _ours(client: HubSpotBatch) -> int:
    outcomes = client.calls.create_iter(ROWS)
    return sum(outcome.status is OutcomeStatus.SUCCEEDED for outcome in outcomes)


async def _bare_async(client: httpx.AsyncClient, width: int) -> int:
    chunks = iter(CHUNKS)

    async def work() -> int:
        done = 0
        for chunk in chunks:
            done += _count(await client.post(PATH, json={"inputs": chunk}))
        return done

    return sum(await asyncio.gather(*(work() for _ in range(width))))


async def _ours_async(client: AsyncHubSpotBatch) -> int:
    outcomes = client.calls.create_iter(ROWS)
    return sum([outcome.status is OutcomeStatus.SUCCEEDED async for outcome in outcomes])


def _sync_pairs(url: str, width: int, times: int) -> list[tuple[Run, Run]]:
    with (
        HubSpotBatch("token", base_url=url, rate_limit=None, max_concurrency=width) as ours,
        httpx.Client(base_url=url, headers=HEADERS, timeout=60.0) as bare,
        ThreadPoolExecutor(width) as pool,
    ):
        return take_turns(
            lambda: _timed(url, lambda: _ours(ours)),
            lambda: _timed(url, lambda: _bare(bare, pool, width)),
            times,
        )


def _async_pairs(url: str, width: int, times: int) -> list[tuple[Run, Run]]:
    with asyncio.Runner() as runner:
        ours = AsyncHubSpotBatch("token", base_url=url, rate_limit=None, max_concurrency=width)
        bare = httpx.AsyncClient(base_url=url, headers=HEADERS, timeout=60.0)

        def running(main: Callable[[], Coroutine[Any, Any, int]]) -> Run:
            return _timed(url, lambda: runner.run(main()))

        try:
            return take_turns(
                lambda: running(lambda: _ours_async(ours)),
                lambda: running(lambda: _bare_async(bare, width)),
                times,
            )
        finally:
            runner.run(ours.close())
            runner.run(bare.aclose())


def measure() -> Iterator[Row]:
    """Yield a row for each kind of client and each concurrency, and what says how good it is."""
    for kind, pairs in (("sync", _sync_pairs), ("async", _async_pairs)):
        for width in (1, 8):
            with ExitStack() as stack:
                url = stack.enter_context(server.running())
                runs = pairs(url, width, PAIRS)
            yield from _rows(f"{kind}, {width} at a time", runs)


def _rows(name: str, runs: list[tuple[Run, Run]]) -> Iterator[Row]:
    ratio = Spread.of([100 * bare.seconds / ours.seconds for ours, bare in runs])
    rate = median(len(ROWS) / ours.seconds for ours, _ in runs)
    remarks = f"{ratio}; {len(runs)} pairs; {rate:,.0f} records/s"
    yield Row(f"{name}: speed of the bare loop", ratio.median, "%", least=GOAL, noise=remarks)
    ours = Spread.of([1000 * ours.cpu / BATCHES for ours, _ in runs])
    bare = median(1000 * bare.cpu / BATCHES for _, bare in runs)
    busy = median(ours.server / ours.seconds for ours, _ in runs)
    share = median(ours.cpu / ours.seconds for ours, _ in runs)
    remarks = f"{ours}; bare {bare:.2f} ms; client {share:.0%} busy, server {busy:.0%}"
    yield Row(f"{name}: CPU time of a batch of {SIZE}", ours.median, "ms", noise=remarks)
