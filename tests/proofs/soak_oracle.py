"""Whether what a client said of its inputs is true, held against what the sandbox did.

It decides what must hold after a run, whatever went wrong in it. It never decides how much must
succeed, except in runs in which nothing went wrong.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from evidence import ORIGIN
from hubspot_batch import (
    AuthenticationError,
    BatchResult,
    BrokenOffError,
    ConfigurationError,
    DailyLimitError,
    ForbiddenError,
    HubSpotBatchError,
    InputError,
    MissingScopesError,
    Outcome,
    OutcomeStatus,
    RateLimitError,
    UnavailableError,
    UnreachableError,
    result_of,
)
from soak_drive import Told
from soak_inputs import CAMPAIGNS, READ, UPDATE, UnforeseenError
from soak_server import STORES, World, mark_of

SUCCEEDED, FAILED, UNKNOWN, NOT_SENT = OutcomeStatus
KINDS = {
    *("invalid_input", "refused", "batch_refused", "not_returned", "no_answer", "server_error"),
    *("not_mentioned", "stopped"),
}


def made(world: World) -> dict[str, list[str]]:
    """Return the ids of the records that stand for each mark."""
    operation, found = world.plan.operation, dict[str, list[str]]()
    if operation == READ:
        return found
    if operation == UPDATE:
        for record_id, mark in dict.fromkeys(world.sandbox.updates):
            found.setdefault(mark, []).append(record_id)
        return found
    for record in world.sandbox.records(STORES[operation]):
        found.setdefault(mark_of(operation, record), []).append(record.id)
    return found


def check(world: World, told: Told) -> None:
    """Raise an AssertionError with what is untrue."""
    outcomes = _all_told(world, told)
    _check_reasons(world, told)
    _check_shapes(world, outcomes)
    if world.plan.answers == "recorded":
        _check_recorded(world, outcomes)
        return
    _check_store(world, outcomes)
    if world.plan.operation == UPDATE:
        _check_order(world)
    _check_manners(world)
    if world.plan.calm:
        _check_calm(world, told, outcomes)


def _all_told(world: World, told: Told) -> list[Outcome[Any]]:
    """See that each input that was read has one outcome."""
    chosen, source = world.plan, world.source
    assert not source.strangers, "the inputs were read in another thread"
    size = len(chosen.given)
    assert source.read <= size, "the inputs were read on after their end"
    if told.rest is None:
        assert told.error is not None, "there is no result"
        assert not told.handed, "the outcomes that were not handed out are lost"
        assert source.read == 0, f"{source.read} inputs were read, and there is no result"
        assert not made(world), "records were made, and there is no result"
        return []
    _check_result(told.rest)
    # A client is closed outside of the iterator, and a signal can come there.
    within = chosen.stop_how != "client" and not _by_key(world)
    if chosen.iterate and told.error is not None and within:
        assert result_of(told.error) == told.rest, "the exception has another result"
    outcomes = [*told.handed, *told.rest.outcomes]
    indexes = sorted(outcome.index for outcome in outcomes)
    doubled = [index for index, times in Counter(indexes).items() if times > 1]
    assert not doubled, f"inputs {doubled} have two outcomes"
    expected = source.read if source.counted else len(indexes)
    missing = set(range(expected)) - set(indexes)
    spare = 1 if _by_key(world) and chosen.iterate else 0  # an outcome on its way to the test
    assert len(missing) <= spare, f"inputs {sorted(missing)} were read and have no outcome"
    most = size if source.sized else expected  # the rest of a list is told without reading it
    assert not [index for index in indexes if index >= most], "there are too many outcomes"
    everything = not chosen.iterate and (source.sized or told.error is None) and not source.raised
    if everything or (chosen.iterate and "exhausted" in world.features):
        assert len(indexes) + spare >= size, f"only {len(indexes)} of {size} inputs have an outcome"
    return outcomes


def _by_key(world: World) -> bool:
    return world.plan.interruption is not None and world.plan.interruption.where == "key"


def _check_result(result: BatchResult[Any]) -> None:
    parts = [*result.succeeded, *result.failed, *result.unknown, *result.not_sent]
    assert sorted(part.index for part in parts) == [one.index for one in result.outcomes]
    for part, status in (
        (result.succeeded, SUCCEEDED),
        (result.failed, FAILED),
        (result.unknown, UNKNOWN),
        (result.not_sent, NOT_SENT),
    ):
        assert all(outcome.status is status for outcome in part)


def _check_reasons(world: World, told: Told) -> None:
    """See that what left the run is documented, and has a reason in the plan."""
    chosen, error, fired = world.plan, told.error, world.fired
    grave = [one for one in fired if not isinstance(one, Exception)]
    if grave and not _unheard(world, error):
        assert any(error is one for one in grave), f"{grave} was raised, and {error!r} came out"
        return
    if world.source.raised and not isinstance(world.source.error, Exception):
        assert error is world.source.error, f"{world.source.error!r} was raised, {error!r} came out"
        return
    if error is None:
        assert not world.source.raised or chosen.iterate
        return
    cancelled = chosen.interruption is not None and chosen.interruption.where
    if isinstance(error, asyncio.CancelledError):
        assert cancelled == "cancel", "it was not cancelled"
        return
    if isinstance(error, TimeoutError):
        assert cancelled == "timeout", "no time was set"
        return
    if isinstance(error, KeyboardInterrupt):
        assert cancelled == "key", "no key was pressed"
        return
    assert isinstance(error, HubSpotBatchError), f"{error!r} is not documented"
    seen = _reasons(world)
    assert any(isinstance(error, kind) for kind in seen), f"{error!r} has no reason"
    if isinstance(error, InputError):
        assert error.__cause__ is world.source.error
    if isinstance(error, BrokenOffError) and "client closed" not in world.features:
        assert error.__cause__ in fired


def _unheard(world: World, error: BaseException | None) -> bool:
    """Return whether what was raised in a sleep can have come after the run's end.

    Which ends without it: a thread or a task that only waits is not waited for.
    """
    chosen = world.plan
    several = chosen.settings["max_concurrency"] > 1
    asleep = chosen.interruption is not None and chosen.interruption.where == "sleep"
    ended = isinstance(error, HubSpotBatchError) or (error is None and chosen.stop_at is not None)
    return several and asleep and ended


def _reasons(world: World) -> set[type[HubSpotBatchError]]:
    """Return the exceptions that what happened can bring about."""
    chosen, statuses = world.plan, world.sandbox.statuses
    asked = any(isinstance(one, UnforeseenError) for one in world.fired)
    possible = {
        InputError: world.source.raised,
        # httpx raises a RuntimeError if its client is closed between a look at it and a request.
        BrokenOffError: world.fired or "client closed" in world.features,
        AuthenticationError: 401 in statuses or chosen.token == "failing" or asked,
        MissingScopesError: 403 in statuses,
        ForbiddenError: 403 in statuses,
        RateLimitError: 429 in statuses,
        DailyLimitError: 429 in statuses or "daily_reserve" in chosen.settings,
        UnavailableError: statuses & {423, 477},
        UnreachableError: any(e.fault == "connect_error" for e in world.sandbox.requests),
        # A 404 that names no record is a wrong address.
        ConfigurationError: "client closed" in world.features or 404 in statuses,
    }
    return {kind for kind, reason in possible.items() if reason}


def _check_shapes(world: World, outcomes: list[Outcome[Any]]) -> None:
    chosen = world.plan
    ids: list[str] = []
    for outcome in outcomes:
        given = chosen.given[outcome.index]
        if chosen.form != "reused":
            assert outcome.input is given.value, f"input {outcome.index} is another one's"
        world.features.add(f"status:{outcome.status}")
        if outcome.status is SUCCEEDED:
            assert outcome.error is None
            assert given.sort != "invalid", "what cannot be valid has succeeded"
            if chosen.operation in (READ, UPDATE):
                assert outcome.result is not None
        else:
            assert outcome.result is None
            assert outcome.error is not None
            assert outcome.error.kind in KINDS
            world.features.add(f"kind:{outcome.error.kind}")
            if given.sort == "invalid":
                assert outcome.status is not UNKNOWN, "what was never sent may have been done"
            if outcome.error.kind == "invalid_input":
                assert given.sort == "invalid"
        if outcome.result is not None and chosen.operation not in (READ, UPDATE):
            ids.append(_origin(outcome) or outcome.result.id)
    assert chosen.answers == "recorded" or len(ids) == len(set(ids)), (
        "a record is said to be that of two inputs"
    )


def _origin(outcome: Outcome[Any]) -> str | None:
    """Return the input that a result was made for, where the answer was signed."""
    origin: str | None = outcome.result.additional_properties.get(ORIGIN)
    return origin


def _check_recorded(world: World, outcomes: list[Outcome[Any]]) -> None:
    """See that no input succeeded where no answer said so."""
    if not any(200 <= status <= 299 for status in world.sandbox.statuses):
        assert not any(outcome.status is SUCCEEDED for outcome in outcomes)


def _check_store(world: World, outcomes: list[Outcome[Any]]) -> None:
    """Hold every outcome against the store."""
    chosen, there = world.plan, made(world)
    told = {str(outcome.index): outcome for outcome in outcomes}
    # A refused request of campaigns can create some; `isolate` sends them again anyway.
    partly = any(entry.fault == "partly_refused" for entry in world.sandbox.requests)
    again = partly and chosen.arguments.get("isolate", False)
    for mark, ids in there.items():
        assert len(ids) == 1 or again, f"input {mark} was carried out {len(ids)} times"
        lost = _by_key(world) and mark not in told
        assert lost or mark in told, f"input {mark} was carried out, and has no outcome"
        if not lost:
            said = told[mark].status
            assert said in (SUCCEEDED, UNKNOWN), f"input {mark} was carried out, but is {said}"
    for outcome in outcomes:
        given = chosen.given[outcome.index]
        if chosen.operation == READ:
            assert outcome.status is not UNKNOWN, "a read changes nothing"
            if outcome.status is SUCCEEDED:
                assert given.key in chosen.ids, "what is not there was read"
                assert str(outcome.result.id) == given.key, "the result is another input's"
                assert _origin(outcome) in (None, given.key), "the result is another input's"
            elif outcome.error.kind == "refused" and 200 <= (outcome.error.status_code or 0) <= 299:
                busy = "inputs_refused" in {entry.fault for entry in world.sandbox.requests}
                assert given.sort == "refused" or busy, f"{given.key} is there, but was refused"
        elif outcome.status is SUCCEEDED:
            assert str(outcome.index) in there, f"input {outcome.index} is not in the store"
            if outcome.result is not None:
                own = [given.key] if chosen.operation == UPDATE else [str(outcome.index)]
                told = _origin(outcome)
                if told is None:
                    own = there[str(outcome.index)]
                    told = (
                        outcome.result.object_id
                        if chosen.operation == UPDATE
                        else outcome.result.id
                    )
                assert told in own, "the result is another input's"


def _check_order(world: World) -> None:
    """See that changes of one record were made in the order of the inputs."""
    last: dict[str, int] = {}
    for record_id, mark in world.sandbox.updates:
        assert int(mark) >= last.get(record_id, -1), f"{record_id} was changed back to {mark}"
        last[record_id] = int(mark)


def _check_manners(world: World) -> None:
    """See that the client kept to its own settings."""
    chosen = world.plan
    assert world.most <= chosen.settings["max_concurrency"], "too many requests at a time"
    if chosen.token == "renewing":
        needed = 1 + len(world.sandbox.rejected) + world.asked_in_vain
        assert world.asked <= needed, "a token was asked for without need"
    twice = chosen.interruption is not None and chosen.interruption.again is not None
    assert twice or not world.inside_at_end, "a request was still under way"
    reserve = chosen.settings.get("daily_reserve")
    told = chosen.sandbox.get("limits_told", True)
    if reserve is not None and chosen.faults is None and told:
        used = sum(entry.status not in (401, 404, 429) for entry in world.sandbox.requests)
        left = max(chosen.sandbox["daily_limit"] - reserve, chosen.settings["max_concurrency"])
        assert used <= left, f"{used} requests were made, and {reserve} were to be left"
    # Threads tell the time after they were given a start, so only these can be held to it.
    single = chosen.settings["max_concurrency"] == 1 and not chosen.company
    exact = chosen.kind == "async" or single
    limit = chosen.settings.get("rate_limit")
    if exact and limit is not None and not limit.learns:
        times = sorted(world.times.values())
        for one, other in zip(times, times[limit.requests :], strict=False):
            assert other - one > limit.seconds - 0.001, f"{limit} was exceeded"


def _check_calm(world: World, told: Told, outcomes: list[Outcome[Any]]) -> None:
    """See that every good input succeeded, where nothing went wrong."""
    chosen = world.plan
    world.features.add("calm")
    assert told.error is None, f"nothing went wrong, but {told.error!r} was raised"
    sorts = {given.sort for given in chosen.given}
    for outcome in outcomes:
        sort = chosen.given[outcome.index].sort
        if sort == "good":
            wanted = {SUCCEEDED}
        else:
            wanted = {FAILED} if sort != "either" else {SUCCEEDED, FAILED}
        if chosen.operation == CAMPAIGNS and "refused" in sorts and sort != "invalid":
            wanted |= {UNKNOWN}  # a refused request may have created some of them
        if chosen.stop_at is not None:
            # A refused request is not split any more when the rest is not wanted.
            wanted |= {NOT_SENT, FAILED} if 400 in world.sandbox.statuses else {NOT_SENT}
        assert outcome.status in wanted, f"{sort} input {outcome.index} is {outcome.status}"
