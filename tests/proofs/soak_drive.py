"""Carries out the plan of a soak run with a client of either kind.

It decides which method is called, how outcomes are taken, and when the run is stopped or cancelled.
It takes down what the client said, and judges nothing.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from attrs import define, field
from hubspot_batch import BatchResult, Clock, HubSpotBatchError, Outcome, result_of
from soak_inputs import CALLS, CAMPAIGNS, READ, UPDATE, CtrlC, Halt
from soak_server import ELSEWHERE, Wire, World

METHODS = {
    CALLS: ("calls", "create"),
    CAMPAIGNS: ("campaigns", "create"),
    READ: ("campaigns", "read"),
    UPDATE: ("marketing_events", "update"),
}


@define
class Told:
    """The outcomes that the client gave to the inputs."""

    handed: list[Outcome[Any]] = field(factory=list)
    rest: BatchResult[Any] | None = None
    error: BaseException | None = None


def settings(world: World) -> dict[str, Any]:
    chosen, loop = world.plan, world.loop
    token: Any = "the-token-that-never-changes"
    if chosen.token != "fixed":
        later = loop is not None and chosen.seed % 2
        token = world.provide_later if later else world.provide
    if loop is None:
        fake = world.now

        def sleep(seconds: float) -> None:
            world.come_to("sleep")
            fake.advance(seconds)

        clock = Clock(now=fake, sleep=sleep)
    else:

        async def asleep(seconds: float) -> None:
            world.come_to("sleep")
            await asyncio.sleep(seconds)

        clock = Clock(now=loop.time, asleep=asleep)
    told = {"on_event": world.on_event} if chosen.interruption or chosen.seed % 3 == 0 else {}
    return {"token": token, "transport": Wire(world), "clock": clock, **told, **chosen.settings}


def _method(world: World, client: Any, suffix: str = "") -> Any:
    family, verb = METHODS[world.plan.operation]
    return getattr(getattr(client, family), verb + suffix)


_PLANNED = (Exception, CtrlC, Halt, SystemExit)
_CAUGHT = (*_PLANNED, asyncio.CancelledError)


@contextmanager
def company(world: World, client: Any) -> Iterator[None]:
    """Let another thread make requests of its own with the same client."""

    def others() -> None:
        with suppress(Exception):
            for _ in range(world.plan.company):
                client.raw.get_httpx_client().get(ELSEWHERE)

    thread = threading.Thread(target=others)
    thread.start()
    try:
        yield
    finally:
        thread.join()


async def _company(world: World, client: Any) -> None:
    with suppress(Exception):
        http = client.raw.get_async_httpx_client()
        others = (http.get(ELSEWHERE) for _ in range(world.plan.company))
        await asyncio.gather(*others, return_exceptions=True)


def carry_out_sync(world: World, client: Any, told: Told) -> None:
    """Carry out the plan with a client for threads."""
    chosen = world.plan
    try:
        if not chosen.iterate:
            told.rest = _method(world, client)(world.source.open(), **chosen.arguments)
            return
        outcomes = _method(world, client, "_iter")(world.source.open(), **chosen.arguments)
    except _caught(world) as error:
        told.error, told.rest = error, _result(error)
        return
    try:
        while chosen.stop_at is None or len(told.handed) < chosen.stop_at:
            told.handed.append(next(outcomes))
        if chosen.stop_how == "client":
            client.close()
            world.features.add("client closed")
            while True:
                told.handed.append(next(outcomes))
        elif chosen.stop_how != "leave":
            outcomes.close()
    except StopIteration:
        world.features.add("exhausted")
    except _caught(world) as error:
        told.error = error
    try:
        outcomes.close()
        outcomes.close()
    except _caught(world) as error:
        told.error = told.error or error
    told.rest = outcomes.result


def _caught(world: World) -> Any:
    interruption = world.plan.interruption
    key = interruption is not None and interruption.where == "key"
    return (*_PLANNED, KeyboardInterrupt) if key else _PLANNED


def _result(error: BaseException) -> BatchResult[Any] | None:
    return error.result if isinstance(error, HubSpotBatchError) else result_of(error)


async def carry_out_async(world: World, client: Any) -> Told:
    """Carry out the plan with a client for tasks; it can be cancelled."""
    told = Told()
    task = asyncio.create_task(_carry_out(world, client, told))
    chosen = world.plan.interruption
    if chosen is not None and chosen.where == "cancel":
        _cancel_at(world, task, chosen.at, chosen.again)
    others = asyncio.create_task(_company(world, client))
    try:
        await task
    except asyncio.CancelledError as error:
        told.error = told.error or error
    world.end()
    await others
    if isinstance(told.error, TimeoutError):
        world.features.add("interruption:timeout")
    return told


def _cancel_at(world: World, task: asyncio.Task[Any], at: int, again: int | None) -> None:
    loop = world.loop
    assert loop is not None
    select, turns = loop._virtual.select, 0

    def turn(timeout: float | None = None) -> Any:
        nonlocal turns
        turns += 1
        if turns in (at, at + (again or 0)) and not task.done():
            world.features.add("interruption:cancel")
            task.cancel()
            return select(0)
        return select(timeout)

    loop._virtual.select = turn  # type: ignore[method-assign]
    if at == 0:
        world.features.add("interruption:cancel")
        task.cancel()


async def _carry_out(world: World, client: Any, told: Told) -> None:
    chosen = world.plan
    seconds = None
    if chosen.interruption is not None and chosen.interruption.where == "timeout":
        seconds = chosen.interruption.at * 1.7
    if chosen.iterate:
        await _iterate(world, client, told, seconds)
        return
    try:
        async with asyncio.timeout(seconds):
            method = _method(world, client)
            told.rest = await method(world.source.open(), **chosen.arguments)
    except _CAUGHT as error:
        told.error, told.rest = error, _result(error)


async def _iterate(world: World, client: Any, told: Told, seconds: float | None) -> None:
    outcomes = _method(world, client, "_iter")(world.source.open(), **world.plan.arguments)
    try:
        async with asyncio.timeout(seconds):
            await _take(world, client, told, outcomes)
    except StopAsyncIteration:
        world.features.add("exhausted")
    except _CAUGHT as error:
        told.error = error
    for _ in range(3):  # it may be interrupted once more
        try:
            await outcomes.aclose()
            break
        except _CAUGHT as error:
            told.error = told.error or error
    told.rest = outcomes.result


async def _take(world: World, client: Any, told: Told, outcomes: Any) -> None:
    chosen = world.plan
    while chosen.stop_at is None or len(told.handed) < chosen.stop_at:
        told.handed.append(await anext(outcomes))
    if chosen.stop_how == "client":
        await client.close()
        world.features.add("client closed")
        while True:
            told.handed.append(await anext(outcomes))
    elif chosen.stop_how != "leave":
        await outcomes.aclose()
