"""Runs whose responses are lost, and that are looked up: what is said in the end is true.

Each run comes out of its seed alone, in fake time: which responses are lost, before or after the
work or with the work done up to 100 seconds later, how late each record is shown, which look-ups
fail or come back changed, what other programs create at the same time, and by how much this
machine's clock is wrong.

A record of another program that equals an input which was not done cannot be told from its own by
its properties. In the runs with such twins that have no key and no stamp, no more inputs may be
said to be done than there are equal records; in all others, than the run itself has created.

How many of the inputs in doubt stay unknown is counted for each way.
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

KEY, STAMP = "source_id", "load_stamp"
WAYS = {
    "calls": ("key", "own key", "refused key", "stamp", "both", "properties"),
    "campaigns": ("stamp", "properties"),
}
# Of the inputs in doubt of runs whose look-ups do not fail on purpose, in a thousand.
UNKNOWN_BY_KEY_AT_MOST = 1.0

Key = tuple[tuple[str, Any], ...]


def key_of(properties: Any) -> Key:
    """Return what equal inputs, and their records, have in common, without what a run fills in."""
    kept = {name: value for name, value in properties.items() if name not in (KEY, STAMP)}
    own = str(properties.get(KEY, ""))
    return tuple(sorted({**kept, **({KEY: own} if own.startswith("own-") else {})}.items()))


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
        self.way = self._pick("way", WAYS[self.family])
        self.inline = self._pick("inline", (False, True))
        self.resends = self.inline and self.way in ("key", "own key") and rng.random() < 0.5
        if self.way == "own key":
            for number, row in enumerate(self.rows):
                row["properties"][KEY] = f"own-{number}"
        self.chunk_size = rng.randrange(1, 9)
        self.fails = False
        self._clock = FakeClock(1_780_000_000.0 + rng.random() * 1e6)
        self._plans = [self._losses(), *self._failures()]
        self.sandbox = Sandbox(seed=seed, clock=self._clock, search_lag=(0.0, lag))
        self.sandbox.use_faults(self._plans)
        if self.family == "calls":
            self.sandbox.add_property("calls", KEY, unique=self.way != "refused key")
        self.sandbox.add_property(self.family, STAMP, unique=False)
        self.strangers: set[str] = set()
        self.looking = self.inline
        self.counts: Counter[str] = Counter()

    def _pick(self, what: str, among: Any) -> Any:
        picked = self._rng.choice(among)
        self.features.add(f"{what}:{picked}")
        return picked

    @property
    def marks(self) -> dict[str, str]:
        """The arguments by which the run is told of its properties."""
        named = {"key_property": KEY, "stamp_property": STAMP}
        wanted = {
            "stamp": ("stamp_property",),
            "both": ("key_property", "stamp_property"),
            "properties": (),
        }
        return {name: named[name] for name in wanted.get(self.way, ("key_property",))}

    @property
    def counted(self) -> bool:
        """Whether records of others cannot be taken for those of the run."""
        return self.way != "properties" or not self.twins

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
        own = {name: value for name, value in row["properties"].items() if name != KEY}
        row = {**row, "properties": own}
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

    def judge(self, before: BatchResult[Any] | None, after: BatchResult[Any]) -> None:
        """Compare what is said with the records that there are."""
        records = {one.id: one for one in self.sandbox.records(self.family)}
        ours = Counter(
            key_of(one.properties) for one in records.values() if one.id not in self.strangers
        )
        everybody = Counter(key_of(one.properties) for one in records.values())
        inputs = Counter(key_of(row["properties"]) for row in self.rows)
        said: dict[str, Counter[Key]] = {status: Counter() for status in OutcomeStatus}
        assert [one.index for one in after] == [*range(len(self.rows))]
        evidence = {
            "properties": ("properties",),
            "refused key": ("stamp",),
            "stamp": ("stamp",),
        }.get(self.way, ("key",) if not self.fails else ("key", "stamp", "properties"))
        for outcome in after:
            key = key_of(outcome.input["properties"])
            said[outcome.status][key] += 1
            self.features.add(f"status:{outcome.status}")
            was = None if before is None else before[outcome.index]
            if was is not None and was.status is not OutcomeStatus.UNKNOWN:
                assert outcome == was
                continue
            if outcome.status is OutcomeStatus.SUCCEEDED:
                assert outcome.evidence in ("answer", *evidence)
                self.features.add(f"found by {outcome.evidence}")
            else:
                self.features.add(f"kind:{outcome.error.kind}")
            self._count(outcome)
        done, absent = said["succeeded"], said["not_sent"]
        for key, number in inputs.items():
            there = ours[key] if self.counted else everybody[key]
            assert done[key] <= there, f"{done[key]} are said to be done, and {there} are: {key}"
            assert absent[key] <= number - ours[key], f"not sent, and there: {key}"
            if self.counted and not self.fails and ours[key] == number:
                assert done[key] == number, f"all are there, and not all were found: {key}"
        ids = [one.result.id for one in after if one.result is not None]
        assert len(ids) == len({*ids}), "one record is that of two inputs"
        for outcome in after:
            if outcome.result is not None:
                record = records[outcome.result.id]
                assert key_of(record.properties) == key_of(outcome.input["properties"])
                assert not self.counted or record.id not in self.strangers
        if self.resends and not self.fails:
            twice = {key: n for key, n in (ours - inputs).items() if n > 0}
            assert not twice, f"there twice: {twice}"
        unmatched = {one.id for one in after.unmatched}
        assert unmatched <= records.keys()
        assert not unmatched & {*ids}

    def _count(self, outcome: Any) -> None:
        """Count an input that was in doubt, and whether it still is."""
        if outcome.evidence == "answer" and not self.resends:
            return
        way = f"{self.way}{', failing look-ups' if self.fails else ''}"
        self.counts[f"in doubt: {way}"] += 1
        self.counts[f"unknown: {way}"] += outcome.status is OutcomeStatus.UNKNOWN


def carry_out(scenario: Scenario, kind: str) -> None:
    """Create, lose, look up, and compare."""
    transport = SandboxTransport(scenario.sandbox)
    how: dict[str, Any] = {"transport": transport, "clock": scenario.clock(), "max_concurrency": 1}
    looks = {"assume_absent_after": scenario.assumes}
    creates = {"chunk_size": scenario.chunk_size, **scenario.marks}
    if scenario.inline:
        creates |= {"reconcile": True, **looks}
    if scenario.resends:
        creates["resend"] = True
    before: Any = None
    if kind == "sync":
        with HubSpotBatch(SECRET, **how) as client:
            part: Any = getattr(client, scenario.family)
            after = part.create(scenario.rows, **creates)
            requests = _creates(scenario)
            if not scenario.inline:
                scenario.looking, before = True, after
                after = part.reconcile(before, **looks)
    else:

        async def main() -> tuple[Any, int, Any]:
            async with AsyncHubSpotBatch(SECRET, **how) as client:
                part: Any = getattr(client, scenario.family)
                after = await part.create(scenario.rows, **creates)
                requests = _creates(scenario)
                if scenario.inline:
                    return None, requests, after
                scenario.looking = True
                return after, requests, await part.reconcile(after, **looks)

        before, requests, after = asyncio.run(main())
    if not scenario.inline:
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
    features = frozenset(scenario.features)
    return Report(seed, kind, "look-up", features, failure, scenario.counts)


def shares(counts: Counter[str]) -> list[str]:
    """Return which share of the inputs in doubt stays unknown, in a line for each way."""
    ways = sorted(name.partition(": ")[2] for name in counts if name.startswith("in doubt: "))
    lines: list[str] = []
    for way in ways:
        doubts, unknown = counts[f"in doubt: {way}"], counts[f"unknown: {way}"]
        lines.append(f"unknown by {way}: {unknown / doubts:.2%} ({unknown} of {doubts})")
    return lines


def unknown_by_key(counts: Counter[str]) -> str:
    """Return by which keys more inputs stay unknown than may be; empty if there are none."""
    found: list[str] = []
    for way in ("key", "own key", "both"):
        doubts, unknown = counts[f"in doubt: {way}"], counts[f"unknown: {way}"]
        if unknown * 1000 > UNKNOWN_BY_KEY_AT_MOST * doubts:
            found.append(way)
    return ", ".join(found)
