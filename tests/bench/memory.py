"""How much memory a long stream of inputs takes, beside a short one.

Each run is a process of its own, with a transport that answers and keeps nothing.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
from hubspot_batch import AsyncHubSpotBatch, HubSpotBatch, OutcomeStatus

FEW, MANY, TRACED = 10_000, 1_000_000, 100_000
GOAL = 1.25
_AT = "2026-01-31T09:30:00Z"


class Echo(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A server that does what it is asked, and remembers nothing."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer that all calls were created."""
        results = [
            {
                "id": given["properties"]["hs_call_title"],
                "properties": given["properties"],
                "createdAt": _AT,
                "updatedAt": _AT,
                "archived": False,
                "objectWriteTraceId": given["objectWriteTraceId"],
            }
            for given in json.loads(request.content)["inputs"]
        ]
        body = {"status": "COMPLETE", "startedAt": _AT, "completedAt": _AT, "results": results}
        return httpx.Response(201, json=body)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Do the same, when others have had their turn."""
        await asyncio.sleep(0)
        return self.handle_request(request)


def _inputs(count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield {"properties": {"hs_timestamp": _AT, "hs_call_title": f"Call {number}"}}


def _stream(count: int) -> int:
    with HubSpotBatch("token", transport=Echo(), rate_limit=None) as client:
        outcomes = client.calls.create_iter(_inputs(count))
        return sum(outcome.status is OutcomeStatus.SUCCEEDED for outcome in outcomes)


async def _stream_async(count: int) -> int:
    done = 0
    async with AsyncHubSpotBatch("token", transport=Echo(), rate_limit=None) as client:
        async for outcome in client.calls.create_iter(_inputs(count)):
            done += outcome.status is OutcomeStatus.SUCCEEDED
    return done


def _peak(kind: str, count: int, *, traced: bool) -> float:
    """Return the peak of a process of its own, in MiB."""
    command = [sys.executable, str(Path(__file__)), kind, str(count), str(int(traced))]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(said) / 2**20


def _main(kind: str, count: int, *, traced: bool) -> float:
    if traced:
        tracemalloc.start()
    done = _stream(count) if kind == "sync" else asyncio.run(_stream_async(count))
    if done != count:
        raise RuntimeError(f"{done} of {count} calls were created")
    if traced:
        return tracemalloc.get_traced_memory()[1]
    return resident()


def resident() -> int:
    """Return the peak of this process in bytes, from its own start on."""
    status = Path("/proc/self/status")
    if status.exists():
        # Linux hands ru_maxrss on to what a process starts, so a large parent would hide all.
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def measure() -> Iterator[Any]:
    """Yield how many times the memory of a short stream a long one takes."""
    from bench.rows import Row

    with ThreadPoolExecutor(2) as pool:
        runs = {
            (kind, count, traced): pool.submit(_peak, kind, count, traced=traced)
            for count, traced in ((MANY, False), (FEW, False), (TRACED, True), (FEW, True))
            for kind in ("sync", "async")
        }
        for traced, many in ((False, MANY), (True, TRACED)):
            for kind in ("sync", "async"):
                low = runs[kind, FEW, traced].result()
                high = runs[kind, many, traced].result()
                what = "allocated" if traced else "resident"
                yield Row(
                    f"{kind}: peak {what} at {many:,} over {FEW:,} inputs",
                    high / low,
                    "times",
                    # What is allocated is so little that the turns of threads show in it.
                    most=None if traced else GOAL,
                    noise=f"{low:.1f} MiB, then {high:.1f} MiB",
                )


if __name__ == "__main__":
    print(_main(sys.argv[1], int(sys.argv[2]), traced=sys.argv[3] == "1"))
