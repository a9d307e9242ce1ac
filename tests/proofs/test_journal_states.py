"""One job with a journal, in any order of runs, kills, failing disks and edits of its inputs.

Hypothesis chooses the order. Nothing may be in the account more often than it was ever asked for,
unless the caller insisted, and whatever is said of an input must be true.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import journal_disk
import pytest
from both_clients import clock_of, run
from hubspot_batch import (
    AsyncHubSpotBatch,
    BatchResult,
    HubSpotBatch,
    HubSpotBatchError,
    Journal,
    Outcome,
    result_of,
)
from hubspot_batch.sandbox import FakeClock, Sandbox, script
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from journal_disk import Disk, Killed, Wire
from leak_watch import SECRET
from scripted_server import NOON

pytestmark = pytest.mark.many

TITLES = "abcdefghij"
BAD = "bad"
FAULTS = (
    *(None, None, "reset_before", "reset_after", "500_after", "refused", "daily_limit"),
    *("closed_after", "connect_error"),
)
ROWS = st.lists(st.sampled_from([*TITLES, BAD]), max_size=14)


def row(title: str) -> dict[str, Any]:
    """An input; a bad one lacks what HubSpot wants."""
    time = {} if title == BAD else {"hs_timestamp": NOON}
    return {"properties": {**time, "hs_call_title": title}}


class Job(RuleBasedStateMachine):
    """A job; `kind` says with which kind of client it runs."""

    kind = "sync"

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.patch = pytest.MonkeyPatch()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "journal.sqlite"
        self.disk = Disk()
        journal_disk.use(self.disk, self.patch)
        self.clock = FakeClock()
        self.sandbox = Sandbox(clock=self.clock, rate_limit=None)
        self.titles: list[str] = []
        # The most that a list has had of each title, and what the caller has insisted on besides.
        self.most: Counter[str] = Counter()
        self.insisted: Counter[str] = Counter()

    def teardown(self) -> None:
        """Leave nothing behind."""
        self.patch.undo()
        self.runner.close()
        self.folder.cleanup()

    @initialize(titles=ROWS)
    def begin(self, titles: list[str]) -> None:
        """Write the inputs."""
        self.edit(titles)

    @rule(titles=ROWS)
    def edit(self, titles: list[str]) -> None:
        """Change the list of inputs, in any way."""
        self.titles = titles
        self.most |= Counter(titles)

    @rule(faults=st.lists(st.sampled_from(FAULTS), max_size=8))
    def go_wrong(self, faults: list[str | None]) -> None:
        """Let the next requests meet faults."""
        self.sandbox.use_faults(script(faults))

    @rule(size=st.integers(1, 4), most=st.integers(1, 3), retry=st.booleans())
    def collect(self, size: int, most: int, *, retry: bool) -> None:
        """Run it."""
        journal = Journal(self.path, retry=["failed"] if retry else [])
        self.check(self.carry_out(journal, size, most), "a run")

    @rule(size=st.integers(1, 4), most=st.integers(1, 3), stop=st.integers(0, 20))
    def iterate(self, size: int, most: int, stop: int) -> None:
        """Run it, and leave it after some outcomes."""
        told: list[Outcome[Any]] = []
        client = self.client(most)
        outcomes = client.calls.create_iter(
            map(row, self.titles), chunk_size=size, journal=self.path
        )
        try:
            while len(told) < stop:
                step = anext(outcomes) if self.kind == "async" else next(outcomes)
                told.append(run(step, self.runner))
        except (StopIteration, StopAsyncIteration, HubSpotBatchError):
            pass
        run(outcomes.aclose() if self.kind == "async" else outcomes.close(), self.runner)
        run(client.close(), self.runner)
        self.check(BatchResult((*told, *outcomes.result.outcomes)), "an iteration", whole=False)

    @rule(steps=st.integers(0, 60), size=st.integers(1, 4))
    def kill(self, steps: int, size: int) -> None:
        """Run it, and kill the process while it runs."""
        self.disk.arm(steps, "killed", self.path.parent)
        with suppress(Killed):
            self.carry_out(Journal(self.path), size, 1)
        if self.disk.happened:
            self.disk.revive()
        self.disk.calm()

    @rule(
        steps=st.integers(0, 30),
        size=st.integers(1, 4),
        how=st.sampled_from(["full", "once", "late"]),
    )
    def fail(self, steps: int, size: int, how: str) -> None:
        """Run it on a disk that fails."""
        self.disk.arm(steps, how)
        result = self.carry_out(Journal(self.path), size, 2)
        self.disk.calm()
        self.check(result, f"a disk that is {how}")

    @precondition(lambda self: self.titles)
    @rule(size=st.integers(1, 4))
    def insist(self, size: int) -> None:
        """Run it, and send again what may have been done."""
        self.insisted += Counter(self.titles)
        journal = Journal(self.path, retry="unknown", may_create_twice=True)
        self.carry_out(journal, size, 2)

    @rule()
    def finish(self) -> None:
        """Run it to its end without faults; after that nothing is left to do."""
        self.sandbox.use_faults(script([]))
        result = self.carry_out(Journal(self.path), 3, 2)
        self.check(result, "the last run")
        assert not result.not_sent
        count = len(self.sandbox.requests)
        assert self.carry_out(Journal(self.path), 1, 1) == result
        assert len(self.sandbox.requests) == count

    @invariant()
    def nothing_is_done_twice(self) -> None:
        """No title is there more often than a list had it, or the caller insisted."""
        assert self.there() <= self.most + self.insisted, "something was done twice"

    def there(self) -> Counter[str]:
        """The records in the sandbox's account."""
        return Counter(
            str(record.properties["hs_call_title"]) for record in self.sandbox.records("calls")
        )

    def client(self, most: int) -> Any:
        """Return a client as a new process makes it."""
        made: Any = HubSpotBatch if self.kind == "sync" else AsyncHubSpotBatch
        wire = Wire(self.sandbox)
        wire.disk = self.disk
        return made(SECRET, transport=wire, clock=clock_of(self.clock), max_concurrency=most)

    def carry_out(self, journal: Journal, size: int, most: int) -> BatchResult[Any]:
        """Run it; return the outcomes, of a run that was stopped too."""
        client = self.client(most)
        rows = [*map(row, self.titles)]
        try:
            made = client.calls.create(rows, chunk_size=size, journal=journal)
            result: BatchResult[Any] = run(made, self.runner)
        except HubSpotBatchError as error:
            found = result_of(error)
            assert found is not None
            result = found
        finally:
            run(client.close(), self.runner)
        return result

    def check(self, result: BatchResult[Any], where: str, *, whole: bool = True) -> None:
        """Hold what is said against what is there."""
        indexes = [outcome.index for outcome in result.outcomes]
        assert sorted(indexes) == [*range(len(indexes))], where
        assert not whole or len(indexes) == len(self.titles), where
        by_status = {
            status: Counter(outcome.input["properties"]["hs_call_title"] for outcome in outcomes)
            for status, outcomes in {
                "succeeded": result.succeeded,
                "unknown": result.unknown,
                "others": (*result.failed, *result.not_sent),
            }.items()
        }
        there = self.there()
        assert by_status["succeeded"] <= there, where
        for title, count in by_status["others"].items() if whole else ():
            # What is there more often than that was asked for by inputs that the list has lost.
            done = by_status["succeeded"][title] + by_status["unknown"][title]
            lost = self.most[title] - (done + count) + self.insisted[title]
            assert there[title] <= done + lost, where
        ids = {record.id for record in self.sandbox.records("calls")}
        told = [outcome.result.id for outcome in result.succeeded if outcome.result is not None]
        assert len({*told}) == len(told), where
        assert {*told} <= ids, where


class AsyncJob(Job):
    """The same with the client for asyncio."""

    kind = "async"


TestJob = Job.TestCase
TestJob.settings = settings(max_examples=60, stateful_step_count=12, deadline=None)
TestAsyncJob = AsyncJob.TestCase
TestAsyncJob.settings = settings(max_examples=40, stateful_step_count=12, deadline=None)
