"""Hundreds of runs over real sockets, against a server that shares no code with the sandbox.

Each run comes out of its seed; `make soak` does ten thousand of them. The last tests break the
client on purpose: the runs must see it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import wire_runs
from hubspot_batch import HubSpotBatch, OutcomeStatus
from hubspot_batch._engine import run
from hubspot_batch._engine.chunk import Chunk
from hubspot_batch._matching import match
from hubspot_batch._transport import network, request_flow, retry
from hubspot_batch._transport.retry import Disposition, Effect, RetryWhen
from soak_runs import Report, run_all
from wire_faults import DOUBTFUL, FAULTS, SLOW_FAULTS
from wire_plan import IDLE, OPERATIONS, WAYS, WirePlan, wire_plan
from wire_proxy import PROXY_FAULTS
from wire_runs import one_wire

# Python's `wrap_socket` drops its socket unclosed where the other side has reset the connection
# before the handshake. Each run counts the open sockets itself.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")

CLIENTS = ("sync", "async")
SIZE, BLOCKS = 30, 5
# What has to occur, or the runs see nothing of it.
WANTED = {
    *(f"operation:{name}" for name in OPERATIONS),
    *(f"way:{name}" for name in WAYS),
    *(f"idle:{name}" for name in IDLE),
    *(f"status:{status}" for status in OutcomeStatus),
    *(f"kind:{kind}" for kind in ("no_answer", "server_error", "not_mentioned", "not_returned")),
    *(f"kind:{kind}" for kind in ("refused", "batch_refused", "stopped")),
    *(f"fault:{name}" for name in FAULTS),
    *("iterate", "cancelled"),
}


@cache
def block(kind: str, number: int) -> tuple[Report, ...]:
    """Carry out a block of runs, once for all tests."""
    return tuple(run_all(one_wire, kind, range(number * SIZE, (number + 1) * SIZE)))


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(n, marks=[pytest.mark.many, pytest.mark.once] if n else [])
        for n in range(BLOCKS)
    ],
)
@pytest.mark.parametrize("kind", CLIENTS)
def test_every_outcome_is_true(kind: str, number: int, capfd: pytest.CaptureFixture[str]) -> None:
    """Every outcome is true, for anything that breaks on the wire or comes over it."""
    with capfd.disabled():  # the watchdog's last words must be seen
        reports = block(kind, number)
    failed = [f"{report.command}\n{report.failure}" for report in reports if report.failure]
    if failed:
        words = f"{len(failed)} of {len(reports)} runs failed, the first:\n{failed[0]}"
        pytest.fail(words, pytrace=False)


@pytest.mark.many
@pytest.mark.once
def test_the_runs_see_everything() -> None:
    """Every operation, way, status and reason, and all but a few of the faults."""
    reports = [report for kind in CLIENTS for n in range(BLOCKS) for report in block(kind, n)]
    seen = {name for report in reports for name in report.features}
    assert sorted(WANTED - seen) == []
    rare = {*(f"fault:{name}" for name in SLOW_FAULTS)}
    rare |= {f"fault:proxy: {name}" for name in PROXY_FAULTS}
    assert len(rare - seen) < len(rare) / 2, sorted(rare - seen)


# ---------------------------------------------------------------- what the runs would see

NOT_SENT = Disposition(Effect.NOT_SENT, RetryWhen.ALWAYS)
NOT_APPLIED = Disposition(Effect.NOT_APPLIED)
CREATES = ("create_calls", "create_campaigns")
LEFT_OPEN: list[HubSpotBatch] = []


class Broken(NamedTuple):
    """A way to break the client.

    Attributes:
        breaks: Breaks it.
        shows: Whether a run can show it.
        said: What one of the first such runs must say.
    """

    breaks: Callable[[pytest.MonkeyPatch], object]
    shows: Callable[[WirePlan], bool]
    said: tuple[str, ...]


def meets(*faults: str) -> Callable[[WirePlan], bool]:
    """Return whether a plan has only faults that begin so."""
    wanted = {name for name in FAULTS if name.startswith(faults)}
    return lambda plan: bool({*plan.faults} & wanted) and {*plan.faults} <= {*wanted, None}


def creates_that_meet(*faults: str) -> Callable[[WirePlan], bool]:
    return lambda plan: plan.operation in CREATES and meets(*faults)(plan)


def repeats_a_lost_update(plan: WirePlan) -> bool:
    habits = plan.habits
    lost = any(name and "after the work" in name for name in plan.faults[:5])
    refused = habits.repetitions == "error" and habits.naming == "context"
    return plan.operation == "update_marketing_events" and lost and refused and plan.attempts > 1


def match_in_order(
    entries: Any, positions: list[int], results: Any, keyless: list[int], **_: Any
) -> tuple[dict[int, Any], list[int]]:
    return {at: results.values[n] for at, n in zip(positions, keyless, strict=False)}, []


def keep_open(patch: pytest.MonkeyPatch) -> None:
    def close(client: HubSpotBatch) -> None:
        LEFT_OPEN.append(client)

    patch.setattr(HubSpotBatch, "close", close)
    patch.setattr(wire_runs, "PATIENCE", 0.1)
    patch.setattr(wire_runs, "DESCRIPTORS", Path("nowhere"))


def show_all(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(network, "_words", str)
    patch.setattr(request_flow, "hide", lambda _, response: response)
    patch.setattr(request_flow, "hide_in_failure", lambda _, failure: failure)


def refuse_doubtful(patch: pytest.MonkeyPatch) -> None:
    for status in DOUBTFUL:
        patch.setitem(retry.DISPOSITIONS, status, NOT_APPLIED)  # type: ignore[misc]


LOST = ("close after", "reset after", "close in the", "reset in the")
BROKEN = {
    "a stray response is taken for the next one": Broken(
        lambda patch: patch.setattr(network, "_retire_if_more_came", lambda _: None),
        lambda plan: plan.concurrency == 1 and meets("stray")(plan),
        ("but it was done", "but it was not done", "nothing on the wire", "afterwards"),
    ),
    "a lost response counts as not sent": Broken(
        lambda patch: patch.setattr(request_flow, "disposition_of_failure", lambda _: NOT_SENT),
        lambda plan: plan.attempts > 1 and creates_that_meet(*LOST)(plan),
        ("created twice",),
    ),
    "a lost response is a refusal": Broken(
        lambda patch: patch.setattr(run, "not_known", lambda _: OutcomeStatus.FAILED),
        creates_that_meet(*LOST),
        ("but it was done",),
    ),
    "a refused repetition is a refusal": Broken(
        lambda patch: patch.setattr(Chunk, "refused_alone", lambda _, error, op: (error, False)),
        repeats_a_lost_update,
        ("but it was done",),
    ),
    "every refusal is in doubt": Broken(
        lambda patch: patch.setattr(Chunk, "refused_alone", lambda _, error, op: (error, True)),
        lambda plan: plan.operation not in CREATES and plan.calm and "777" in str(plan.inputs),
        ("nothing on the wire explains it",),
    ),
    "an error of the server is a refusal": Broken(
        refuse_doubtful, creates_that_meet("doubtful"), ("but it was done",)
    ),
    "results belong to inputs by their position": Broken(
        lambda patch: patch.setattr(match, "match_by_properties", match_in_order),
        lambda plan: plan.operation == "create_campaigns" and plan.habits.order == "reversed",
        ("has the record of",),
    ),
    "messages repeat what came": Broken(show_all, meets("echo"), ("the token is shown",)),
    "connections are left open": Broken(
        keep_open, lambda plan: plan.calm, ("left a connection open",)
    ),
}


@pytest.mark.many
@pytest.mark.once
@pytest.mark.parametrize("way", BROKEN)
def test_a_broken_client_is_seen(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the first runs that can show it does."""
    broken = BROKEN[way]
    broken.breaks(monkeypatch)
    seeds = (seed for seed in range(10_000) if broken.shows(wire_plan(seed, "sync")))
    reports = [one_wire(seed, "sync") for seed in islice(seeds, 25)]
    monkeypatch.undo()
    while LEFT_OPEN:
        LEFT_OPEN.pop().close()
    failures = "\n".join(report.failure or "" for report in reports)
    assert any(words in failures for words in broken.said), failures or "nothing was seen"
