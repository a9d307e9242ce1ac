"""Runs whose responses are lost, and that are looked up: what is said in the end is true.

Each run comes out of its seed alone, in fake time: which responses are lost, before or after the
work or with the work done up to 100 seconds later, how late each record is shown, which look-ups
fail or come back changed, what other programs create at the same time, and by how much this
machine's clock is wrong.

A record of another program that equals an input which was not done cannot be told from its own by
its properties. In the runs with such twins, no more inputs may be said to be done than there are
equal records; in all others, than the run itself has created.
"""

from __future__ import annotations

import asyncio
import random
import traceback
from collections import Counter
from typing import Any

import httpx
from hubspot_batch import AsyncHubSpotBatch, BatchResult, Clock, HubSpotBatch, OutcomeStatus
from hubspot_batch.sandbox import LATE, FakeClock, Sandbox, SandboxTransport, rates, script
from hubspot_batch.sandbox.fault_plans import Plan
from leak_watch import SECRET
from soak_runs import Report, silence

CREATES = {"calls": "create_calls", "campaigns": "create_campaigns"}
LOOKUPS = {"calls": "search_calls", "campaigns": "list_campaigns"}
LOSSES = ("reset_before", "reset_after", "timeout_before", "timeout_after", "502_after", "503")
FAILURES = ("502", "secondly", "truncated_json", "drop_results", "reset_after", "refused")
CHANGES = ("milliseconds", "escaped_html", "straightened", "dropped_empty")
LAGS = (0.5, 20.0, 120.0)
WRONG_BY = (0.0, 7_200.0, -40_000.0)
# Enough for the work that comes latest and the record that is shown latest.
PATIENCE = 400.0
_PATHS = {"calls": "/crm/v3/objects/calls", "campaigns": "/marketing/v3/campaigns"}
_NOTES = ("", " agreed\r\n", "<p>R&amp;D</p>", "+49 30 1234", "0049", "60000.0")

Key = tuple[tuple[str, Any], ...]


def key_of(properties: Any) -> Key:
    """Return what equal inputs, and their records, have in common."""
    return tuple(sorted(properties.items()))


class Scenario:
    """All that happens in one run."""

    def __init__(self, seed: int) -> None:
        rng = self._rng = random.Random(f"look-ups/{seed}")
        self.family = rng.choice(("calls", "campaigns"))
        self.features = {f"family:{self.family}"}
        lag = self._pick("lag", LAGS)
        self._wrong_by = self._pick("clock wrong by", WRONG_BY)
        self.twins = self._pick("twins", (False, False, True))
        self.assumes = self._pick("assumes", (None, PATIENCE))
        notes = rng.choice((("",), _NOTES))
        count = rng.randrange(1, 25)
        self.rows = [self._row(f"row {rng.randrange(12)}", rng.choice(notes)) for _ in range(count)]
        self.chunk_size = rng.randrange(1, 9)
        self.fails = False
        self._clock = FakeClock(1_780_000_000.0 + rng.random() * 1e6)
        self._plans = [self._losses(), *self._failures()]
        self.sandbox = Sandbox(seed=seed, clock=self._clock, search_lag=(0.0, lag))
        self.sandbox.use_faults(self._plans)
        self.strangers: set[str] = set()
        self.looking = False

    def _pick(self, what: str, among: Any) -> Any:
        picked = self._rng.choice(among)
        self.features.add(f"{what}:{picked}")
        return picked

    def _row(self, name: str, note: str) -> dict[str, Any]:
        if self.family == "calls":
            # Many calls of a load share their time.
            at = f"2026-01-31T09:30:0{self._rng.randrange(2)}Z"
            properties = {"hs_timestamp": at, "hs_call_title": name, "hs_call_body": note}
            return {"properties": properties, "associations": []}
        return {"properties": {"hs_name": name, "hs_notes": note}}

    def _losses(self) -> Plan:
        names: Any = self._rng.sample((*LOSSES, "late"), k=2)
        self.features.update(f"loss:{name}" for name in names)
        share = self._rng.choice((0.2, 0.45))
        if "late" not in names:
            return rates(dict.fromkeys(names, share), operation=CREATES[self.family])
        other = next(name for name in names if name != "late")
        steps = [
            LATE if (point := self._rng.random()) < share else other if point < 2 * share else None
            for _ in range(40)
        ]
        return script(steps, operation=CREATES[self.family])

    def _failures(self) -> list[Plan]:
        kind = self._rng.choice((None, None, FAILURES, CHANGES))
        if kind is None:
            return []
        name = self._rng.choice(kind)
        self.features.add(f"look-up:{name}")
        self.fails = kind is FAILURES
        share = self._rng.choice((0.2, 0.6, 1.0)) if self.fails else 1.0
        return [rates({name: share}, operation=LOOKUPS[self.family])]

    def clock(self) -> Clock:
        """The clock of this machine, on which other programs work, too."""

        def sleep(seconds: float) -> None:
            part = seconds * self._rng.random() if self.looking else 0.0
            self._clock.advance(part)
            if self.looking and self._rng.random() < 0.3:
                self.others_write()
            self._clock.advance(seconds - part)

        async def asleep(seconds: float) -> None:
            sleep(seconds)

        wrong = lambda: self._clock() + self._wrong_by  # noqa: E731
        return Clock(wrong, sleep, asleep, wrong)

    def others_write(self) -> None:
        """Create records as another program does."""
        equal = self.twins and self._rng.random() < 0.7
        row = self._rng.choice(self.rows) if equal else self._row("row of others", "")
        self.features.add(f"others write:{'twins' if equal else 'strangers'}")
        self.sandbox.use_faults(None)
        transport = SandboxTransport(self.sandbox)
        with httpx.Client(transport=transport, base_url="https://api.hubapi.com") as http:
            answer = http.post(
                f"{_PATHS[self.family]}/batch/create",
                json={"inputs": [row]},
                headers={"Authorization": "Bearer other"},
            )
        self.strangers.update(one["id"] for one in answer.json()["results"])
        self.sandbox.use_faults(self._plans[1:])  # the creates are over

    def settle(self) -> None:
        """Let all late work be done."""
        self._clock.advance(200.0)

    def judge(self, before: BatchResult[Any], after: BatchResult[Any]) -> None:
        """Compare what is said with the records that there are."""
        records = {one.id: one for one in self.sandbox.records(self.family)}
        ours = Counter(
            key_of(one.properties) for one in records.values() if one.id not in self.strangers
        )
        everybody = Counter(key_of(one.properties) for one in records.values())
        inputs = Counter(key_of(row["properties"]) for row in self.rows)
        said: dict[str, Counter[Key]] = {status: Counter() for status in OutcomeStatus}
        assert [one.index for one in after] == [*range(len(self.rows))]
        for was, outcome in zip(before, after, strict=True):
            key = key_of(outcome.input["properties"])
            said[outcome.status][key] += 1
            self.features.add(f"status:{outcome.status}")
            if was.status is not OutcomeStatus.UNKNOWN:
                assert outcome == was
                continue
            if outcome.status is OutcomeStatus.SUCCEEDED:
                assert outcome.evidence == "properties"
                self.features.add("found")
            else:
                self.features.add(f"kind:{outcome.error.kind}")
        done, absent = said["succeeded"], said["not_sent"]
        for key, number in inputs.items():
            there = everybody[key] if self.twins else ours[key]
            assert done[key] <= there, f"{done[key]} are said to be done, and {there} are: {key}"
            assert absent[key] <= number - ours[key], f"not sent, and there: {key}"
            if not (self.twins or self.fails) and ours[key] == number:
                assert done[key] == number, f"all are there, and not all were found: {key}"
        ids = [one.result.id for one in after if one.result is not None]
        assert len(ids) == len({*ids}), "one record is that of two inputs"
        for outcome in after:
            if outcome.result is not None:
                record = records[outcome.result.id]
                assert key_of(record.properties) == key_of(outcome.input["properties"])
                assert self.twins or record.id not in self.strangers
        unmatched = {one.id for one in after.unmatched}
        assert unmatched <= records.keys()
        assert not unmatched & {*ids}


def carry_out(scenario: Scenario, kind: str) -> None:
    """Create, lose, look up, and compare."""
    transport = SandboxTransport(scenario.sandbox)
    how: dict[str, Any] = {"transport": transport, "clock": scenario.clock(), "max_concurrency": 1}
    looks = {"assume_absent_after": scenario.assumes}
    if kind == "sync":
        with HubSpotBatch(SECRET, **how) as client:
            part: Any = getattr(client, scenario.family)
            before = part.create(scenario.rows, chunk_size=scenario.chunk_size)
            requests = _creates(scenario)
            scenario.looking = True
            after = part.reconcile(before, **looks)
    else:

        async def main() -> tuple[Any, int, Any]:
            async with AsyncHubSpotBatch(SECRET, **how) as client:
                part: Any = getattr(client, scenario.family)
                before = await part.create(scenario.rows, chunk_size=scenario.chunk_size)
                requests = _creates(scenario)
                scenario.looking = True
                return before, requests, await part.reconcile(before, **looks)

        before, requests, after = asyncio.run(main())
    assert _creates(scenario) == requests + len(scenario.strangers), "something was sent again"
    busy = [one for one in scenario.sandbox.requests if one.status == 429 and not one.fault]
    assert not busy, "more searches than are allowed"
    scenario.settle()
    scenario.judge(before, after)


def _creates(scenario: Scenario) -> int:
    return sum(one.operation == CREATES[scenario.family] for one in scenario.sandbox.requests)


def one_lookup(seed: int, kind: str) -> Report:
    """Carry out the run of a seed."""
    scenario = Scenario(seed)
    failure = None
    try:
        with silence():
            carry_out(scenario, kind)
    except BaseException:  # noqa: BLE001 - a failure is reported with its seed
        failure = traceback.format_exc()
    return Report(seed, kind, "look-up", frozenset(scenario.features), failure)
