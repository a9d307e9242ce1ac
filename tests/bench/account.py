"""An account in virtual time whose requests are counted, and who uses its allowance.

The sandbox decides who is let in; what is known of each request is when it arrived and how it was
answered. Nothing here decides when a request starts: that is what is measured.
"""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from contextlib import aclosing
from itertools import repeat
from typing import Any

import httpx
import virtual_time as virtual
from attrs import Factory, define, frozen
from hubspot_batch import AsyncHubSpotBatch, RateLimit, Wait
from hubspot_batch.sandbox import Sandbox, SandboxRequest, SandboxTransport

REQUESTS = 190
SECONDS = 10.0
CALL = {"properties": {"hs_timestamp": "2026-01-31T09:30:00Z"}}
LEARNS = RateLimit(learns=True)
TOLD = RateLimit(REQUESTS, SECONDS)

# Seconds, at least and at most.
Delay = tuple[float, float]


@frozen
class Seen:
    """A request: when it arrived, how it was answered, and whose it was."""

    at: float
    status: int
    user: str


@define
class Account:
    """The sandbox with its rolling limit, and what it has seen."""

    sandbox: Sandbox | None
    now: Callable[[], float]
    seen: list[Seen] = Factory(list[Seen])
    waits: list[Wait] = Factory(list[Wait])

    def note(self, user: str, status: int) -> None:
        """Take down a request that was answered now."""
        self.seen.append(Seen(self.now(), status, user))

    def refused(self, user: str) -> int:
        """Count the 429s of a user."""
        return sum(one.status == 429 and one.user == user for one in self.seen)

    def admitted(self, begin: float, end: float, user: str | None = None) -> int:
        """Count what was let in from one moment to another."""
        return len(self._times(begin, end, user))

    def used(self, begin: float, end: float) -> float:
        """Return how much of the allowance was used from one moment to another."""
        return self.admitted(begin, end) / (REQUESTS * (end - begin) / SECONDS)

    def rolling(self, begin: float, end: float) -> tuple[float, float]:
        """Return the mean and the least of what all windows hold that end in a span."""
        times = self._times(-SECONDS, end, None)
        ends = [begin + step * 0.05 for step in range(1 + int((end - begin) / 0.05))]
        held = [bisect_left(times, at) - bisect_left(times, at - SECONDS) for at in ends]
        return sum(held) / len(held) / REQUESTS, min(held) / REQUESTS

    def _times(self, begin: float, end: float, user: str | None) -> list[float]:
        return sorted(
            one.at
            for one in self.seen
            if one.status < 400 and begin <= one.at < end and user in (None, one.user)
        )


@frozen
class Line(httpx.AsyncBaseTransport):
    """The way to an account and back, which takes its time."""

    account: Account
    user: str
    there: Delay
    back: Delay
    chance: random.Random
    # Seconds that are still to be spent on opening connections, for each of them.
    unopened: list[float]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry a request there and its answer back."""
        opening = self.unopened.pop() if self.unopened else 0.0
        await asyncio.sleep(opening + self.chance.uniform(*self.there))
        answer = await SandboxTransport(self.account.sandbox).handle_async_request(request)
        self.account.note(self.user, answer.status_code)
        await asyncio.sleep(self.chance.uniform(*self.back))
        return answer


@frozen
class Client:
    """One of ours: how it is told to go, and how long its requests take on their way."""

    rate_limit: RateLimit | None = LEARNS
    concurrency: int = 8
    there: Delay = (0.01, 0.01)
    back: Delay = (0.01, 0.49)
    connecting: float = 0.0
    begin: float = 0.0
    name: str = "ours"


@frozen
class Other:
    """Another user of the allowance, who sends at these times whatever happens."""

    times: tuple[float, ...]
    name: str = "other"


def evenly(begin: float, end: float, requests: int = REQUESTS // 5) -> Other:
    """One that uses a fifth of the allowance, evenly spread."""
    count = int((end - begin) * requests / SECONDS)
    return Other(tuple(begin + i * SECONDS / requests for i in range(count)))


def in_bursts(begin: float, end: float, requests: int = REQUESTS // 5) -> Other:
    """One that uses a fifth of the allowance in the first fifth of a second of each window."""
    bursts = range(int((end - begin) / SECONDS) + 1)
    return Other(
        tuple(begin + b * SECONDS + 0.2 * i / requests for b in bursts for i in range(requests))
    )


def by_chance(begin: float, end: float, requests: int = REQUESTS // 5, seed: int = 1) -> Other:
    """One that uses a fifth of the allowance on average, at random times."""
    chance = random.Random(seed)
    times, at = [], begin
    while (at := at + chance.expovariate(requests / SECONDS)) < end:
        times.append(at)
    return Other(tuple(times))


def played(users: Iterable[Client | Other], seconds: float, *, seed: int = 1) -> Account:
    """Let users use an account for a while, in virtual time; return what it has seen."""
    return virtual.run(_play(users, seconds, seed))


async def _play(users: Iterable[Client | Other], seconds: float, seed: int) -> Account:
    now = asyncio.get_running_loop().time
    sandbox = Sandbox(rate_limit=(REQUESTS, SECONDS), daily_limit=None, clock=now)
    account = Account(sandbox, now)
    async with asyncio.TaskGroup() as group:
        for number, user in enumerate(users):
            if isinstance(user, Other):
                group.create_task(_send_at(account, user, seconds))
            else:
                chance = random.Random(seed * 100 + number)
                group.create_task(_create(account, user, seconds, chance))
    return account


async def _send_at(account: Account, other: Other, seconds: float) -> None:
    path = "/crm/v3/objects/calls/batch/create"
    request = SandboxRequest("POST", path, headers={"authorization": "Bearer other"})
    for at in other.times:
        if at >= seconds:
            break
        await asyncio.sleep(max(0.0, at - account.now()))
        answer = account.sandbox.handle(request)
        # An empty body is let in, and then refused.
        account.note(other.name, 200 if answer.status == 400 else answer.status)


async def _create(account: Account, user: Client, seconds: float, chance: random.Random) -> None:
    await asyncio.sleep(user.begin)
    unopened = [user.connecting] * user.concurrency
    line = Line(account, user.name, user.there, user.back, chance, unopened)
    client = AsyncHubSpotBatch(
        "token",
        transport=line,
        rate_limit=user.rate_limit,
        max_concurrency=user.concurrency,
        on_event=lambda event: account.waits.append(event) if isinstance(event, Wait) else None,
        clock=virtual.clock(),
    )
    inputs = until(lambda: account.now() >= seconds)
    async with client, aclosing(client.calls.create_iter(inputs, chunk_size=1)) as outcomes:
        async for _ in outcomes:
            pass


def until(over: Callable[[], bool]) -> Iterator[dict[str, Any]]:
    """Give calls until it is over."""
    for call in repeat(CALL):
        if over():
            return
        yield call
