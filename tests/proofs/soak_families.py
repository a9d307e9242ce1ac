"""Runs of every operation of the three families, in any version: what is said is true.

Each run comes out of its seed alone: the operation, the version, the records that there are, the
inputs, of which some are bad and some name the same record, and what goes wrong. Every written
input carries a mark of its own, so the records at the end tell which inputs were carried out.
"""

from __future__ import annotations

import asyncio
import random
import traceback
from collections import defaultdict
from typing import Any

from both_clients import clock_of
from hubspot_batch import (
    AsyncHubSpotBatch,
    BatchResult,
    HubSpotBatch,
    HubSpotBatchError,
    OutcomeStatus,
    UnfinishedError,
    UnreachableError,
)
from hubspot_batch.sandbox import FAULTS, FakeClock, Sandbox, SandboxTransport, rates
from hubspot_batch_client.contract import LISTINGS, OPERATIONS, VERSIONS
from leak_watch import SECRET
from soak_runs import Report, silence

METHODS = (*OPERATIONS, *LISTINGS)
NOON = "2026-01-31T12:00:00Z"
# The property or field that holds the mark of an input.
MARKS = {"calls": "hs_call_title", "campaigns": "hs_notes", "marketing_events": "eventName"}
KEY = "hs_unique_creation_key"


class Scenario:
    """All that happens in one run."""

    def __init__(self, seed: int) -> None:
        rng = self.rng = random.Random(f"families/{seed}")
        self.operation = rng.choice(METHODS)
        described: Any = OPERATIONS.get(self.operation) or LISTINGS[self.operation]
        self.family: str = described.tag
        self.kind: str = described.kind
        self.method = self.operation.removesuffix(f"_{self.family}")
        self.by_names = self.operation in ("upsert_marketing_events", "delete_marketing_events")
        self.version = rng.choice((None, *VERSIONS))
        self.clock = FakeClock(1_780_000_000.0 + rng.random() * 1e6)
        self.sandbox = Sandbox(seed=seed, clock=self.clock, trace_echo=rng.choice((0.0, 0.7, 1.0)))
        self.ids = [self._record(number) for number in range(rng.choice((1, 5, 30, 230)))]
        self.clock.advance(100.0)
        self.bad = rng.choice((0.0, 0.0, 0.2))
        self.rows = [self._row(number) for number in range(rng.choice((0, 1, 7, 40)))]
        self.chunk_size = rng.randrange(1, 20)
        # A 204 says that all was done, so no client can tell one that is not true.
        among = [name for name in FAULTS if self.kind != "archive" or name != "silent_noop"]
        names = rng.sample(among, 3) if rng.random() < 0.8 else []
        self.faults = names
        if names:
            self.sandbox.use_faults(rates(dict.fromkeys(names, rng.choice((0.1, 0.3)))))
        self.features = {
            *(f"operation:{self.operation}", f"version:{self.version}"),
            *(f"fault:{name}" for name in names),
        }

    def _record(self, number: int) -> str:
        mark, sandbox = f"record {number}", self.sandbox
        if self.family == "campaigns":
            return sandbox.add_campaign(f"Campaign {number}", properties={"hs_notes": mark})
        if self.family == "marketing_events":
            names = {"externalAccountId": "a", "externalEventId": f"e{number}"}
            return sandbox.add_marketing_event(mark, fields=names)
        values = {"hs_timestamp": NOON, "hs_call_title": mark, KEY: f"key {number}"}
        return sandbox.add_record("calls", properties=values)

    def _row(self, number: int) -> tuple[str, Any]:
        """Return the name of a record, and an input for it, or a bad one."""
        rng = self.rng
        at = rng.randrange(len(self.ids) + 3)
        missing = f"00000000-0000-4000-8000-{at:012}" if self.family == "campaigns" else str(at)
        name = self.ids[at] if at < len(self.ids) else missing
        mark = f"mark {number}"
        if self.by_names:
            named: dict[str, Any] = {"externalAccountId": "a", "externalEventId": f"e{at}"}
            if self.kind == "archive":
                return f"e{at}", {**named, "appId": 1}
            return f"e{at}", {**named, "eventName": mark, "eventOrganizer": "o"}
        if self.kind in ("read", "archive"):
            return name, name
        if self.family == "marketing_events":
            return name, {"objectId": name, "eventName": mark}
        values = {MARKS[self.family]: mark}
        if self.kind == "create":
            needed = {"hs_timestamp": NOON} if self.family == "calls" else {"hs_name": mark}
            values |= needed if rng.random() >= self.bad else {"no_such_property": "x"}
            return mark, {"properties": values}
        if rng.random() < self.bad:
            values["no_such_property"] = "x"
        if self.kind == "upsert":
            values["hs_timestamp"] = NOON
            return f"key {at}", {"id": f"key {at}", "idProperty": KEY, "properties": values}
        return name, {"id": name, "properties": values}

    # -------------------------------------------------------------- what is true in the end

    def marks(self) -> dict[str, list[str]]:
        """Return the marks of the records that there are, by the names of the records."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for one in self.sandbox.records(self.family):
            values = one.fields if self.family == "marketing_events" else one.properties
            mark = str(values.get(MARKS[self.family]))
            name = one.id
            if self.by_names:
                name = str(one.fields["externalEventId"])
            elif self.kind == "upsert":
                name = str(one.properties.get(KEY))
            elif self.kind == "create":
                name = mark
            found[name].append(mark)
        return found

    def judge(self, result: BatchResult[Any], *, stopped: bool) -> None:
        """Compare what is said of each input with the records that there are."""
        marks, said = self.marks(), defaultdict[str, list[tuple[int, OutcomeStatus]]](list)
        assert [one.index for one in result] == [*range(len(self.rows))]
        for (name, _), outcome in zip(self.rows, result, strict=True):
            self.features.add(f"status:{outcome.status}")
            said[name].append((outcome.index, outcome.status))
            assert (outcome.error is None) is (outcome.status is OutcomeStatus.SUCCEEDED)
            if self.kind == "read":
                assert outcome.status is not OutcomeStatus.UNKNOWN
                if outcome.result is not None:
                    assert outcome.result.id == name
        for name, told in said.items():
            there = marks.get(name, [])
            assert self.kind == "create" or len(there) < 2, f"made twice: {name}"
            getattr(self, f"_judge_{self.kind}")(name, told, there)
        calm = not (self.faults or self.bad or stopped)
        known = {*marks} if self.kind in ("read", "update") else {name for name, _ in self.rows}
        if calm and not self.by_names:
            for (name, _), outcome in zip(self.rows, result, strict=True):
                assert outcome.status is OutcomeStatus.SUCCEEDED or name not in known, outcome

    def _judge_create(self, _: str, told: list[tuple[int, OutcomeStatus]], there: Any) -> None:
        ((_, status),) = told
        assert len(there) < 2, "created twice"
        if status is OutcomeStatus.SUCCEEDED:
            assert there, "said to be created, and not there"
        elif status is not OutcomeStatus.UNKNOWN:
            assert not there, f"{status}, and there"

    def _judge_update(self, name: str, told: list[tuple[int, OutcomeStatus]], there: Any) -> None:
        """Judge by the last mark: inputs of one record are sent one after the other."""
        done = [index for index, status in told if status is OutcomeStatus.SUCCEEDED]
        last = next((int(one.partition("mark ")[2]) for one in there if "mark " in one), -1)
        assert max(done, default=-1) <= last, f"said to be done, and not there: {name}"
        if last >= 0:
            status = dict(told)[last]
            assert status in (OutcomeStatus.SUCCEEDED, OutcomeStatus.UNKNOWN), f"{status}, and done"

    _judge_upsert = _judge_update

    def _judge_archive(self, name: str, told: list[tuple[int, OutcomeStatus]], there: Any) -> None:
        statuses = {status for _, status in told}
        if OutcomeStatus.SUCCEEDED in statuses:
            assert not there, f"said to be archived, and there: {name}"
        if statuses <= {OutcomeStatus.FAILED, OutcomeStatus.NOT_SENT}:
            existed = name in self.ids or name in {f"e{at}" for at in range(len(self.ids))}
            assert there or not existed, f"{statuses}, and gone: {name}"

    def _judge_read(self, name: str, told: list[tuple[int, OutcomeStatus]], there: Any) -> None:
        statuses = {status for _, status in told}
        assert there or OutcomeStatus.SUCCEEDED not in statuses, f"read, and not there: {name}"

    def judge_records(self, found: list[str], error: HubSpotBatchError | None) -> None:
        """Compare the records of a search or a list with those that there are."""
        assert len(found) == len({*found}), "handed out twice"
        assert {*found} <= {*self.ids}
        self.features.add("ended" if error is None else type(error).__name__)
        if error is None:
            assert sorted(found) == sorted(self.ids), "it just ended, and records are missing"
        assert self.faults or error is None


def carry_out(scenario: Scenario, kind: str) -> None:
    """Run the operation, and judge what is said."""
    how: dict[str, Any] = {
        "transport": SandboxTransport(scenario.sandbox),
        "clock": clock_of(scenario.clock),
        "max_concurrency": 1,
        "api_version": scenario.version,
    }
    inputs = [value for _, value in scenario.rows]
    pages = scenario.operation in LISTINGS
    found: list[str] = []
    error: HubSpotBatchError | None = None
    result: Any = None

    async def main() -> Any:
        async with AsyncHubSpotBatch(SECRET, **how) as client:
            method = getattr(getattr(client, scenario.family), scenario.method)
            if not pages:
                return await method(inputs, chunk_size=scenario.chunk_size)
            async for record in method():
                found.append(record.id)  # noqa: PERF401 - what came before an error counts
        return None

    try:
        if kind == "async":
            result = asyncio.run(main())
        else:
            with HubSpotBatch(SECRET, **how) as client:
                method = getattr(getattr(client, scenario.family), scenario.method)
                if pages:
                    for record in method():
                        found.append(record.id)  # noqa: PERF401 - as above
                else:
                    result = method(inputs, chunk_size=scenario.chunk_size)
    except HubSpotBatchError as stopped:
        error, result = stopped, stopped.result
    assert error is None or scenario.faults, error
    if pages:
        told = UnfinishedError | UnreachableError
        assert error is None or isinstance(error, told) or error.status_code
        scenario.judge_records(found, error)
    else:
        scenario.judge(result, stopped=error is not None)


def one_of_families(seed: int, kind: str) -> Report:
    """Carry out the run of a seed."""
    scenario = Scenario(seed)
    failure = None
    try:
        with silence():
            carry_out(scenario, kind)
    except BaseException:  # noqa: BLE001 - a failure is reported with its seed
        failure = traceback.format_exc()
    return Report(seed, kind, "families", frozenset(scenario.features), failure)
