"""The cost of a rate limit that processes share, and how much of the limit they use together.

A start costs one round trip to the store. The bare loop only asks for starts, as fast as the store
gives them, so it shows what the store can bear; the processes send requests in real time.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import redis_server
from hubspot_batch import RateLimit, SharedAllowance
from hubspot_batch._transport.rate_limit import RateLimiter
from shared_limit import SCENARIOS, play

from bench.rows import Row

STARTS = 2_000
SECONDS = 3.0
LIVE = 60.0
# No start is waited for, and a window holds as many as one of an account.
MANY = RateLimit(400, 0.05)
HEADERS = {"X-HubSpot-RateLimit-Remaining": "200"}

LOOP = """
import sys, time
import redis
from hubspot_batch import RateLimit, SharedAllowance
shared = SharedAllowance(redis.Redis(port=int(sys.argv[1])), key="loop", limit=RateLimit(400, 0.05))
limiter, count, end = shared.limiter(None), 0, time.monotonic() + float(sys.argv[2])
while (now := time.monotonic()) < end:
    limiter.reserve(now, count)
    count += 1
print(count)
"""


def measure() -> Iterator[Row]:
    """Yield the cost of a start, the starts that a store gives, and the part of a limit used."""
    import redis

    alone = _cost(RateLimiter(MANY))
    yield Row("CPU of a start, alone", alone, "us")
    with tempfile.TemporaryDirectory() as folder:
        local = SharedAllowance.local(Path(folder) / "allowance", limit=MANY)
        yield Row("CPU of a start, a file", _cost(local.limiter(None)), "us")
    with redis_server.running() as port, redis.Redis(port=port) as client:
        before, calls = _store(client)
        limiter = SharedAllowance(client, key="cost", limit=MANY).limiter(None)
        yield Row("CPU of a start, Redis", _cost(limiter), "us")
        after, now_calls = _store(client)
        yield Row("round trips of a start, Redis", (now_calls - calls) / STARTS, "", most=1.05)
        yield Row("CPU of the store for a start, Redis", (after - before) / STARTS * 1e6, "us")
        for workers in (1, 8):
            yield Row(
                f"starts asked for in a bare loop, {workers} at a time", _loop(port, workers), "/s"
            )
    for name in ("1 process", "8 processes"):
        seen = play(SCENARIOS[name], LIVE)
        sent = [one.requests for one in seen.usage.clients]
        rate = sum(sent) / seen.usage.seconds
        yield Row(f"{name}: requests", rate, "/s", noise="; ".join(seen.problems))
        yield Row(f"{name}: limit used", 100 * (seen.usage.used or 0.0), "%", least=98.0)
        yield Row(f"{name}: refused", seen.usage.refused, most=0.0)
        apart = 100 * (max(sent) - min(sent)) / max(sent)
        yield Row(f"{name}: shares apart", apart, "%", most=20.0)


def _cost(limiter: Any) -> float:
    """Return the microseconds of CPU time that a start and its report take."""
    begun = time.process_time()
    for number in range(STARTS):
        now = time.monotonic()
        assert limiter.reserve(now, number) is not None
        limiter.report(now, now, HEADERS, None)
    return (time.process_time() - begun) / STARTS * 1e6


def _store(client: Any) -> tuple[float, int]:
    """Return the CPU seconds of a store, and how many scripts it was asked for."""
    cpu = client.info("cpu")
    asked = client.info("commandstats").get("cmdstat_evalsha", {"calls": 0})["calls"]
    return cpu["used_cpu_user"] + cpu["used_cpu_sys"], asked


def _loop(port: int, workers: int) -> float:
    """Return how many starts a second processes are given that do nothing else."""
    command = [sys.executable, "-c", LOOP, str(port), str(SECONDS)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(workers)]
    return sum(int(process.communicate()[0]) for process in processes) / SECONDS
