"""Loads with a journal, in processes that are killed at random moments until one of them ends.

The seed chooses the faults of the server, the size of requests, and when each process is killed;
which line that is, the machine decides. After each kill the journal is read, and nothing may be in
the account twice. At the end every row has one outcome, and it is true.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import tempfile
import traceback
from collections import Counter
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

from attrs import define, field
from hubspot_batch import (
    AsyncHubSpotBatch,
    BatchResult,
    HubSpotBatch,
    Journal,
    JournalError,
)
from hubspot_batch.sandbox import Sandbox, rates, served
from leak_watch import SECRET
from scripted_server import CALLS, NOON, held, mark
from soak_runs import Report, silence

CAN_KILL = "forkserver" in multiprocessing.get_all_start_methods()
"""Whether the system makes processes fast enough to kill many."""

ROWS = 501
KILLS_AT_MOST = 10
"""Kills of a load, after which it is left alone."""

_FAULTS = ("reset_before", "reset_after", "closed_after", "500", "500_after")
# A process is killed so many requests after it began, and so many seconds after that.
_REQUESTS, _SECONDS = 12, 0.02
_STUCK_AFTER = 60.0


def rows() -> list[dict[str, Any]]:
    """Return the rows of the load."""
    return [
        {"properties": {"hs_timestamp": NOON, "hs_call_title": f"Call {n}"}, "associations": []}
        for n in range(ROWS)
    ]


def load(url: str, path: str, size: int, kind: str, begins: Connection) -> None:
    """Load the rows, in a process of its own."""
    begins.send(None)
    if kind == "async":
        asyncio.run(_load_async(url, path, size))
        return
    with HubSpotBatch(SECRET, base_url=url, rate_limit=None) as client:
        for _ in client.calls.create_iter(iter(rows()), journal=path, chunk_size=size):
            pass


async def _load_async(url: str, path: str, size: int) -> None:
    async with AsyncHubSpotBatch(SECRET, base_url=url, rate_limit=None) as client:
        await client.calls.create(rows(), journal=path, chunk_size=size)


def _processes() -> BaseContext:
    """Return what makes processes that have imported everything already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "hubspot_batch_client.api.calls.create_calls"])
    return context


@define
class Load:
    """A load that is killed, and what is known of it."""

    kind: str
    size: int
    faults: float
    rng: random.Random = field(repr=False)
    kills: int = 0
    met: Counter[str] = field(factory=Counter[str], repr=False)
    recorded: int = field(default=0, repr=False)

    @classmethod
    def of(cls, rng: random.Random, kind: str) -> Load:
        """Return a load that chance chooses."""
        return cls(kind, rng.choice((10, 25, 50)), rng.choice((0.0, 0.02, 0.1)), rng)

    def judge(self, folder: Path) -> None:
        """Carry it out; raise an AssertionError if something is untrue."""
        journal = Journal(folder / "journal.sqlite")
        faults = rates(dict.fromkeys(_FAULTS, self.faults / len(_FAULTS)))
        sandbox = Sandbox(faults=faults, rate_limit=None)
        with served(sandbox) as url:
            while self.kills < KILLS_AT_MOST and self._is_killed(url, journal.path, sandbox):
                self.kills += 1
                self._look(journal, sandbox)
            sandbox.use_faults(rates({}))
            with HubSpotBatch(SECRET, base_url=url, rate_limit=None) as client:
                unknown = self._check(client.calls.create(rows(), journal=journal), sandbox)
                # Who looks into the account finds out which of them are missing.
                missing = [row for row in unknown if mark(CALLS, row) not in held(sandbox, CALLS)]
                client.calls.create(missing, journal=folder / "missing.sqlite")
        there = Counter(held(sandbox, CALLS))
        assert there == Counter(mark(CALLS, row) for row in rows()), "not all is there once"

    def _is_killed(self, url: str, path: str, sandbox: Sandbox) -> bool:
        """Load until a random moment; return False if the load has come to its end before."""
        context = _processes()
        begun, begins = context.Pipe(duplex=False)
        process: Any = context.Process(  # type: ignore[attr-defined]
            target=load, args=(url, path, self.size, self.kind, begins)
        )
        process.start()
        begins.close()
        assert begun.poll(_STUCK_AFTER), "it does not begin"
        begun.close()
        enough = len(sandbox.requests) + self.rng.randint(0, _REQUESTS)
        while len(sandbox.requests) < enough and process.exitcode is None:
            process.join(0.001)
        process.join(self.rng.uniform(0, _SECONDS))
        ended = process.exitcode is not None
        process.kill()
        process.join(_STUCK_AFTER)
        assert process.exitcode == 0 if ended else process.exitcode is not None, "it failed"
        return not ended

    def _look(self, journal: Journal, sandbox: Sandbox) -> None:
        """Look at what a killed process has left behind."""
        there = Counter(held(sandbox, CALLS))
        assert set(there.values()) <= {1}, "something is there twice"
        try:
            counts = journal.counts()
        except JournalError:
            assert not there, "a request was sent before there was a journal"
            self.met["before"] += 1
            return
        settled = counts["succeeded"] + counts["failed"]
        assert settled >= self.recorded, "an outcome is lost"
        assert len(there) <= counts["succeeded"] + counts["unknown"] + counts["intended"]
        self.recorded = settled
        self.met["requests under way" if counts["intended"] else "between requests"] += 1

    def _check(self, result: BatchResult[Any], sandbox: Sandbox) -> list[Any]:
        """Check the outcomes of the last run; return the inputs in doubt."""
        ids = {record.properties["hs_call_title"]: record.id for record in sandbox.records("calls")}
        assert [outcome.index for outcome in result.outcomes] == [*range(ROWS)]
        assert len(result.succeeded) + len(result.unknown) == ROWS, "a row has no final outcome"
        for outcome in result.succeeded:
            assert outcome.result.id == ids[mark(CALLS, outcome.input)]
        self.met["in doubt at the end" if result.unknown else "no doubt"] += 1
        return [outcome.input for outcome in result.unknown]


def one_load(seed: int, kind: str) -> Report:
    """Carry out the load of a seed, kill its processes, and judge it."""
    made, failure = Load.of(random.Random(seed), kind), None
    try:
        with silence(), tempfile.TemporaryDirectory() as folder:
            made.judge(Path(folder))
    except Exception:  # noqa: BLE001 - whatever it is, it is to be seen with its seed
        failure = f"{made}\n{traceback.format_exc()}"
    features = frozenset({f"met {name}" for name in made.met} | {f"kills {made.kills}"})
    return Report(seed, kind, "kill", features, failure)
