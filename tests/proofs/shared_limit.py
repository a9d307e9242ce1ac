"""Processes that share the limit of one account, in real time, while things go wrong.

The module decides what a scenario is, and what must be true of it: no window is over the limit, no
request is refused, and the limit is used. The sandbox counts. `soak.py --shared SECONDS` runs all.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis_server
from attrs import field, frozen
from hubspot_batch.sandbox import Sandbox, TokenUsage, served
from hubspot_batch.sandbox.usage import Arrival, usage_of

ROOT = Path(__file__).parents[2]
WORKER = Path(__file__).with_name("shared_worker.py")
LIMIT = (190, 10.0)
OTHER = "127.0.0.99"
OFF = 3600.0


@frozen
class World:
    """A scenario under way: its processes, the store's, and the server's address."""

    url: str
    seconds: float
    workers: list[subprocess.Popen[bytes]]
    port: int
    store: list[subprocess.Popen[bytes]]

    def wait(self, part: float) -> None:
        """Let a part of the scenario's time pass."""
        time.sleep(part * self.seconds)


def freeze(world: World) -> None:
    """Stop one worker in the middle for longer than a window, and continue it."""
    world.wait(0.4)
    world.workers[0].send_signal(signal.SIGSTOP)
    time.sleep(LIMIT[1] + 2)
    world.workers[0].send_signal(signal.SIGCONT)


def empty(world: World) -> None:
    """Kill the store, and start it again, empty."""
    world.wait(0.4)
    redis_server.stop(world.store.pop())
    time.sleep(0.5)
    world.store.append(redis_server.start(world.port))


def silence(world: World) -> None:
    """Let the store answer nothing for a third of the time."""
    world.wait(0.3)
    world.store[0].send_signal(signal.SIGSTOP)
    world.wait(1 / 3)
    world.store[0].send_signal(signal.SIGCONT)


def join(world: World) -> None:
    """Let another program use a fifth of the limit, evenly, and know nothing of the allowance."""
    pause = LIMIT[1] / (LIMIT[0] / 5)
    end = time.monotonic() + world.seconds
    transport = httpx.HTTPTransport(local_address=OTHER)
    head = {"Authorization": "Bearer one-app"}
    with httpx.Client(base_url=world.url, transport=transport, headers=head) as client:
        due = time.monotonic()
        while due < end:
            client.post("/crm/v3/objects/calls/batch/read", json={"inputs": [], "properties": []})
            due += pause
            time.sleep(max(0.0, due - time.monotonic()))


@frozen
class Scenario:
    """Processes, and what happens to them.

    Attributes:
        processes: How many there are.
        store: `redis` or `local`.
        event: What happens meanwhile.
        used: The least part of the limit that all requests must use after the first window.
        spread: The most by which the shares of workers may differ, as a part of the largest.
        off: Whether the clock of one process is an hour off.
    """

    processes: int
    store: str = "redis"
    event: Callable[[World], None] | None = None
    used: float = 0.98
    spread: float = 0.2
    off: bool = False


SCENARIOS = {
    "1 process": Scenario(1),
    "4 processes": Scenario(4),
    "8 processes": Scenario(8),
    "8 processes, a file": Scenario(8, store="local"),
    "a clock an hour off": Scenario(8, off=True),
    # What a newcomer uses is seen when a response tells of it, and some is kept free for it.
    "another program": Scenario(8, event=join, used=0.95),
    # The worker that is stopped sends less than the others.
    "a worker is stopped": Scenario(8, event=freeze, used=0.95, spread=1.0),
    # All pause for a window.
    "the store comes back empty": Scenario(8, event=empty, used=0.7),
    # Each takes its share, which is less than the whole.
    "the store is silent": Scenario(8, event=silence, used=0.8, spread=0.3),
}


@frozen
class Seen:
    """The requests that the server saw in a scenario, and what is wrong with them."""

    usage: TokenUsage
    seconds: float
    problems: list[str] = field(factory=list[str])


def play(scenario: Scenario, seconds: float) -> Seen:
    """Run a scenario, and hold what the server saw against what must be true."""
    server = Sandbox(rate_limit=LIMIT, daily_limit=None, clock=time.time)
    with _world(scenario, server, seconds) as world:
        event = threading.Thread(target=scenario.event or (lambda _: None), args=(world,))
        event.start()
        codes = [process.wait(seconds + 60) for process in world.workers]
        event.join()
    usage = _usage(server, seconds)
    ours = [one.requests for one in usage.clients if one.client != OTHER]
    spread = (max(ours) - min(ours)) / max(ours)
    found = {
        f"a process ended with {codes}": any(codes),
        f"{len(ours)} processes sent": len(ours) != scenario.processes,
        f"{usage.refused} requests were refused": usage.refused > 0,
        f"a window held {usage.worst}": usage.worst > LIMIT[0],
        f"{usage.used or 0:.1%} of the limit was used": (usage.used or 0) < scenario.used,
        f"shares differ by {spread:.0%}": spread > scenario.spread,
    }
    return Seen(usage, seconds, [text for text, wrong in found.items() if wrong])


def _usage(server: Sandbox, seconds: float) -> TokenUsage:
    """Count what arrived before the first process can have come to its end."""
    arrivals = [Arrival(one.at, one.client, one.status == 429) for one in server.requests]
    end = next(one.at for one in arrivals if one.client != OTHER) + seconds
    return usage_of([one for one in arrivals if one.at <= end], LIMIT)


@contextmanager
def _world(scenario: Scenario, server: Sandbox, seconds: float) -> Iterator[World]:
    with ExitStack() as stack:
        url = stack.enter_context(served(server))
        where = f"{stack.enter_context(tempfile.TemporaryDirectory())}/allowance"
        port, store = 0, list[subprocess.Popen[bytes]]()
        if scenario.store != "local":
            port = redis_server.free_port()
            store.append(redis_server.start(port))
            where = str(port)
        stack.callback(lambda: [redis_server.stop(process) for process in store])
        paths = os.pathsep.join([str(ROOT / "overrides"), str(ROOT / "generated")])
        workers: list[subprocess.Popen[bytes]] = []
        for number in range(scenario.processes):
            off = OFF if scenario.off and number == 0 else 0.0
            told: list[Any] = [scenario.store, where, url, seconds, f"127.0.0.{number + 2}", off]
            command = [sys.executable, str(WORKER), *map(str, told)]
            workers.append(subprocess.Popen(command, env={**os.environ, "PYTHONPATH": paths}))
            stack.callback(workers[-1].kill)
        yield World(url, seconds, workers, port, store)


def play_all(seconds: float, names: list[str] | None = None) -> int:
    """Run scenarios one after the other, and print them; return how many failed."""
    failed = 0
    for name in names or SCENARIOS:
        try:
            seen = play(SCENARIOS[name], seconds)
        except pytest.skip.Exception as reason:
            print(f"{name}: skipped. {reason}")
            continue
        print(f"{name}: {'; '.join(seen.problems) or 'well'}")
        print("".join(f"  {line}\n" for line in seen.usage.lines()), end="", flush=True)
        failed += bool(seen.problems)
    return failed


if __name__ == "__main__":
    sys.exit(min(1, play_all(float(sys.argv[1]), sys.argv[2:])))
