"""One soak run after the other, each out of one seed.

It decides what a run is: a plan, carried out, judged, and followed by a moment of peace in which
the same client must work as if nothing had been. A failure names its seed and the command that
repeats it.
"""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any

from attrs import field, frozen
from hubspot_batch import AsyncHubSpotBatch, HubSpotBatch
from soak_drive import Told, carry_out_async, carry_out_sync, company, settings
from soak_inputs import NOON
from soak_oracle import check
from soak_scenario import Plan, body_plan, plan
from soak_server import World, make_world

STUCK_AFTER = 60.0
"""Seconds of the machine's clock after which a run is taken to hang."""

_REPEATED = {
    "true": "--runs 1",
    # Where a signal or a kill finds a run is up to the machine.
    "look-up": "--lookups 1",
    "families": "--families 1",
    "signal": "--signals 1 --times 1000",
    "cancelled": "--cancelled 1 --times 100",
    "kill": "--kills 1 --times 100",
    "job": "--jobs 1 --times 100",
    "redelivery": "--redeliveries 1 --times 100",
    # The same goes for the order of things on a socket.
    "wire": "--wire 1 --times 20",
}
_CALM_ROWS = [{"properties": {"hs_timestamp": NOON}}] * 2


@frozen
class Report:
    """The events of a run, by name, and what was wrong with it."""

    seed: int
    kind: str
    answers: str
    features: frozenset[str]
    failure: str | None = None
    counts: Counter[str] = field(factory=Counter[str])

    @property
    def command(self) -> str:
        """The command that repeats the run."""
        what = _REPEATED.get(self.answers, "--bodies 1")
        return f"python tests/proofs/soak.py --seed {self.seed} --kind {self.kind} {what}"


def one_run(seed: int, kind: str) -> Report:
    """Carry out the run of a seed with a client of a kind (`sync` or `async`), and judge it."""
    return _report(plan(seed, kind))


def one_body(seed: int, kind: str) -> Report:
    """Carry out a run whose answers are changed on their way, and judge it."""
    return _report(body_plan(seed, kind))


def _report(chosen: Plan) -> Report:
    world = make_world(chosen)
    kind, failure = chosen.kind, None
    try:
        with _signals(), silence():
            (_run_async if kind == "async" else _run_sync)(world)
    except Exception:  # noqa: BLE001 - whatever it is, it is to be seen with its seed
        failure = traceback.format_exc()
    return Report(chosen.seed, kind, chosen.answers, frozenset(_features(world)), failure)


def _run_sync(world: World) -> None:
    before = set(threading.enumerate())
    with HubSpotBatch(**settings(world)) as client:
        with company(world, client) if world.plan.company else nullcontext():
            told = _keyed(world, client)
            world.end()
        check(world, told)
        if _peaceful(world):
            world.now.advance(4000.0)
            result = client.calls.create(_CALM_ROWS, chunk_size=1)
            assert len(result.succeeded) == 2, f"afterwards the client is not as before: {result}"
    for thread in set(threading.enumerate()) - before:
        thread.join(5.0)
        assert not thread.is_alive(), f"{thread} is left over"


def _keyed(world: World, client: Any) -> Told:
    """Carry out the plan; a signal can also come when the run has just ended."""
    told = Told()
    try:
        carry_out_sync(world, client, told)
    except KeyboardInterrupt as error:
        told.error = told.error or error
    return told


def _run_async(world: World) -> None:
    loop = world.loop
    assert loop is not None
    try:
        loop.run_until_complete(_main(world))
        loop.run_until_complete(loop.shutdown_asyncgens())
    except BaseException as error:
        if isinstance(error, Exception):
            raise
        raise AssertionError(f"{error!r} went past the task that waits for the run") from error
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.close()


async def _main(world: World) -> None:
    async with AsyncHubSpotBatch(**settings(world)) as client:
        told = await carry_out_async(world, client)
        await asyncio.sleep(0)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"{left} are left over"
        await asyncio.sleep(1000.0)
        check(world, told)
        if _peaceful(world):
            await asyncio.sleep(3000.0)
            result = await client.calls.create(_CALM_ROWS, chunk_size=1)
            assert len(result.succeeded) == 2, f"afterwards the client is not as before: {result}"


def _peaceful(world: World) -> bool:
    """Let nothing go wrong from here on; return whether the client can still be used."""
    world.at_peace = True
    world.sandbox.mutator = None
    world.sandbox.use_faults(None)
    world.sandbox.use_token(None)
    world.sandbox.expiries = frozenset()
    spent = world.sandbox.allowance_is_small
    if world.plan.answers == "recorded" or world.plan.sandbox.get("scopes") is not None:
        return False
    return "client closed" not in world.features and not spent


@contextmanager
def _signals() -> Iterator[None]:
    """Let a signal raise a KeyboardInterrupt, also where the tests run in the background."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def silence() -> Iterator[None]:
    """Let nothing be logged: thousands of runs have much to say."""
    before = logging.root.manager.disable
    logging.disable()
    try:
        yield
    finally:
        logging.disable(before)


def _features(world: World) -> Iterable[str]:
    chosen: Plan = world.plan
    yield from world.features
    yield f"answers:{chosen.answers}"
    yield from (f"change:{name}" for name in world.sandbox.changes)
    yield f"operation:{chosen.operation}"
    yield f"form:{chosen.form}"
    yield f"token:{chosen.token}"
    yield f"concurrency:{chosen.settings['max_concurrency']}"
    yield "iterate" if chosen.iterate else "collect"
    yield from (f"sort:{given.sort}" for given in chosen.given)
    if chosen.stop_at is not None and "exhausted" not in world.features:
        yield f"stop:{chosen.stop_how}"
    if world.source.raised:
        yield "interruption:input"
        yield f"input raised:{type(world.source.error).__name__}"
    if chosen.company:
        yield "company"
    if world.most > 1:
        yield "several at a time"
    yield from (f"wait:{wait.reason}" for wait in world.waits)
    for entry in world.sandbox.requests:
        yield f"HTTP {entry.status}"
        if entry.fault:
            yield f"fault:{entry.fault}"


def run_all(run: Callable[[int, str], Report], kind: str, seeds: Iterable[int]) -> list[Report]:
    """Carry out one run after the other, and end the process when one of them hangs."""
    reports: list[Report] = []
    watchdog = Watchdog.of_this_process()
    for seed in seeds:
        watchdog.begin(f"{run.__name__}({seed}, {kind!r})")
        reports.append(run(seed, kind))
    watchdog.end()
    return reports


class Watchdog:
    """Ends the process, with the stacks of all threads, when one run takes too long."""

    @staticmethod
    @cache
    def of_this_process() -> Watchdog:
        """Return the one that watches this process."""
        return Watchdog()

    def __init__(self) -> None:
        self._now: tuple[str, float] | None = None
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def begin(self, what: str) -> None:
        """Say what begins now."""
        self._now = what, time.monotonic()

    def end(self) -> None:
        """Say that it is over."""
        self._now = None

    def _watch(self) -> None:
        while True:
            time.sleep(1.0)
            now = self._now
            if now is not None and time.monotonic() - now[1] > STUCK_AFTER:
                sys.__stderr__.write(f"\nThis run hangs: {now[0]}\n")
                faulthandler.dump_traceback(file=sys.__stderr__)
                os._exit(3)
