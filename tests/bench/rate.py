"""How much of the account's rolling allowance is used, and whether anything is refused.

In virtual time for each way there and back, alone and beside another user; and once for a minute of
real time, with threads and with tasks, against the sandbox in a process of its own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, aclosing
from typing import Any

import httpx
from hubspot_batch import AsyncHubSpotBatch, HubSpotBatch

from bench import server
from bench.account import (
    LEARNS,
    REQUESTS,
    SECONDS,
    TOLD,
    Account,
    Client,
    Other,
    Seen,
    by_chance,
    evenly,
    in_bursts,
    played,
    until,
)
from bench.rows import Row

GOAL = 98.0
SIMULATED = 70.0
LIVE = 70.0
WAYS: dict[str, dict[str, Any]] = {
    "20 ms": {"there": (0.01, 0.01), "back": (0.01, 0.01)},
    "20-500 ms": {},
    "20-300 ms, 300 ms to connect": {"back": (0.02, 0.3), "connecting": 0.3},
    "300 ms": {"there": (0.15, 0.15), "back": (0.15, 0.15)},
    "100 ms, 0-30 ms late": {"there": (0.0, 0.03), "back": (0.1, 0.1)},
}
SLOW = "500 ms, 0-30 ms late, 32 at a time"
ALL_WAYS = WAYS | {SLOW: {"there": (0.0, 0.03), "back": (0.47, 0.47), "concurrency": 32}}
LATER = (0.5, 1.0, 3.0, 5.0, 9.0, 12.0, 25.0, 25.07, 25.13, 25.2)


def measure() -> Iterator[Row]:
    """Yield the least of what each group of scenarios used, and how many were refused."""
    end = SIMULATED
    for name, limit in (("learns", LEARNS), ("told", TOLD)):
        yield from _simulated(f"alone, {name}", limit, [None])
        yield from _simulated(f"beside an even user, {name}", limit, [evenly(0.0, end)])
    # A program that joins during a run is seen when a response tells of it. Where that takes half a
    # second, three of his requests are there by then, and 98 % leaves no more than three free.
    later = [evenly(10.0 + at, end) for at in LATER]
    yield from _simulated("an even user comes later, learns", LEARNS, later, ways=WAYS)
    slow = {SLOW: ALL_WAYS[SLOW]}
    name = "an even user comes later, learns, slow answers"
    yield from _simulated(name, LEARNS, later, ways=slow, goal=False)
    bursts = [in_bursts(at, end) for at in (0.5, 13.0)]
    yield from _simulated("beside bursts, learns", LEARNS, bursts, goal=False)
    chances = [by_chance(0.0, end, seed=seed) for seed in range(3)]
    yield from _simulated("beside a random user, learns", LEARNS, chances, goal=False)
    yield from _two_of_ours()
    yield from _live()


def _simulated(
    name: str,
    limit: Any,
    others: list[Other | None],
    *,
    ways: dict[str, dict[str, Any]] = ALL_WAYS,
    goal: bool = True,
) -> Iterator[Row]:
    accounts = [
        (way, played([*([other] if other else []), client], SIMULATED, seed=seed))
        for way, arguments in ways.items()
        for seed, other in enumerate(others)
        for client in [Client(limit, begin=10.0, **arguments)]
    ]
    yield from _rows(name, accounts, 20.0, SIMULATED, goal=goal)


def _two_of_ours() -> Iterator[Row]:
    second = Client(begin=25.0, name="other")
    accounts = [("two", played([Client(), second], SIMULATED))]
    yield from _rows("two of ours, one later", accounts, 10.0, SIMULATED, goal=False)


def _rows(
    name: str, accounts: list[tuple[str, Account]], begin: float, end: float, *, goal: bool
) -> Iterator[Row]:
    """Yield the worst of some accounts: the goal is for each of them."""
    used, way = min((100 * account.used(begin, end), way) for way, account in accounts)
    rolling = [account.rolling(begin + SECONDS, end) for _, account in accounts]
    mean, least = min(m for m, _ in rolling), min(m for _, m in rolling)
    noise = f"{len(accounts)} runs; least at {way}; rolling mean {mean:.1%}, least {least:.1%}"
    yield Row(f"{name}: used", used, "%", least=GOAL if goal else None, noise=noise)
    ours, other = (
        sum(account.refused(who) for _, account in accounts) for who in ("ours", "other")
    )
    noise = f"{ours} ours, {other} of the other"
    yield Row(f"{name}: 429s", ours + other, most=0 if goal else None, noise=noise)


def _live() -> Iterator[Row]:
    slow = {"rate_limit": (REQUESTS, SECONDS), "delay": (0.02, 0.3)}
    runs = {
        "a real minute, threads": (_use, {}),
        "a real minute, tasks": (_use_async, {}),
        "a real minute, threads, beside an even user": (_use, {"other": REQUESTS // 5}),
    }
    with ExitStack() as stack, ThreadPoolExecutor(len(runs)) as pool:
        urls = [stack.enter_context(server.running(**slow, **more)) for _, more in runs.values()]
        cpu = time.process_time()
        users = [use for use, _ in runs.values()]
        accounts = list(pool.map(lambda use, url: use(url), users, urls))
        cpu = time.process_time() - cpu
    for name, account in zip(runs, accounts, strict=True):
        begin = min(one.at for one in account.seen if one.user == "ours")
        yield from _rows(name, [("20-300 ms", account)], begin + SECONDS, begin + LIVE, goal=True)
    noise = f"{len(runs)} clients together"
    yield Row("a real minute: CPU of the clients", 100 * cpu / LIVE, "%", noise=noise)


def _use(url: str) -> Account:
    end = time.monotonic() + LIVE + 0.5
    with HubSpotBatch("token", base_url=url) as client:
        for _ in client.calls.create_iter(until(lambda: time.monotonic() >= end), chunk_size=1):
            pass
    return _seen(url)


def _use_async(url: str) -> Account:
    async def use() -> None:
        end = time.monotonic() + LIVE + 0.5
        inputs = until(lambda: time.monotonic() >= end)
        async with (
            AsyncHubSpotBatch("token", base_url=url) as client,
            aclosing(client.calls.create_iter(inputs, chunk_size=1)) as outcomes,
        ):
            async for _ in outcomes:
                pass

    asyncio.run(use())
    return _seen(url)


def _seen(url: str) -> Account:
    # All times are those of one clock: that of the machine.
    seen = [Seen(at, status, user) for at, status, user in httpx.get(f"{url}/bench/seen").json()]
    return Account(None, time.monotonic, seen)
