"""Workers with a journal on Postgres that are killed, while their tasks are delivered again.

The seed chooses the tasks, which overlap, the faults of the server, and when each process is
killed; which line that is, the machine decides. A task is delivered again after a kill, and now and
then while its first worker still lives, as queues do. Nothing may be in the account twice, and at
the end every input has one outcome, which is true.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import traceback
from collections import Counter
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

from attrs import define, field
from hubspot_batch import AsyncHubSpotBatch, HubSpotBatch, PostgresJournal
from hubspot_batch.sandbox import Sandbox, rates, served
from leak_watch import SECRET
from scripted_server import CALLS, NOON, held, mark
from soak_runs import Report, silence

POSTGRES = "SOAK_POSTGRES"
"""The variable that holds the connection string; without it no such run is made."""

ROWS, TASKS, SLOTS = 160, 6, 3
KILLS_AT_MOST = 8
"""Kills of a run, after which its workers are left alone."""

_FAULTS = ("reset_before", "reset_after", "closed_after", "500", "500_after")
_AGAIN = 0.25
_REQUESTS, _SECONDS = 15, 0.02
_STUCK_AFTER = 60.0


def rows(numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Return the rows of a task."""
    return [{"properties": {"hs_timestamp": NOON, "hs_call_title": f"Call {n}"}} for n in numbers]


def work(
    url: str,
    conninfo: str,
    key: str,
    kind: str,
    size: int,
    numbers: Sequence[int],
    told: Connection,
) -> None:
    """Carry out a task, in a process of its own; tell the statuses."""
    journal = PostgresJournal(key, conninfo=conninfo)
    how = {"base_url": url, "rate_limit": None, "max_concurrency": 3}
    if kind == "sync":
        with HubSpotBatch(SECRET, **how) as client:
            result = client.calls.create(rows(numbers), journal=journal, chunk_size=size)
    else:

        async def main() -> Any:
            async with AsyncHubSpotBatch(SECRET, **how) as client:
                return await client.calls.create(rows(numbers), journal=journal, chunk_size=size)

        result = asyncio.run(main())
    told.send([str(outcome.status) for outcome in result])


@define
class Attempt:
    """A task that a process carries out, and the number of requests after which it is killed."""

    task: int
    process: Any
    told: Connection
    killed_at: float


@define
class Queue:
    """Tasks that are delivered until each has ended, and what is known of them."""

    kind: str
    key: str
    conninfo: str
    rng: random.Random = field(repr=False)
    kills: int = 0
    doubled: int = 0
    waiting: list[int] = field(factory=list[int], repr=False)
    going: list[Attempt] = field(factory=list[Attempt], repr=False)
    met: Counter[str] = field(factory=Counter[str], repr=False)

    def judge(self) -> None:
        """Carry it out; raise an AssertionError if something is untrue."""
        rng = self.rng
        firsts = [0, *sorted(rng.sample(range(1, ROWS), TASKS - 1))]
        ends = [*firsts[1:], ROWS]
        # Tasks overlap, and have their rows in any order.
        tasks = [
            rng.sample(range(max(0, first - 8), end), end - max(0, first - 8))
            for first, end in zip(firsts, ends, strict=True)
        ]
        share = rng.choice((0.0, 0.05, 0.15)) / len(_FAULTS)
        sandbox = Sandbox(faults=rates(dict.fromkeys(_FAULTS, share)), rate_limit=None)
        self.waiting = [*range(TASKS)]
        with served(sandbox) as url:
            try:
                while self.waiting or self.going:
                    self._fill(url, sandbox, tasks)
                    self._watch(sandbox, tasks)
            finally:
                for attempt in self.going:
                    attempt.process.kill()
                    attempt.process.join()
            self._check(url, sandbox)

    def _fill(self, url: str, sandbox: Sandbox, tasks: list[list[int]]) -> None:
        while len(self.going) < SLOTS and (self.waiting or self._doubles()):
            task = self.waiting.pop(0) if self.waiting else self.going[0].task
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload(
                [__name__, "hubspot_batch_client.api.calls.create_calls"]
            )
            told, tells = context.Pipe(duplex=False)
            size = self.rng.choice((3, 7, 20))
            arguments = (url, self.conninfo, self.key, self.kind, size, tasks[task], tells)
            process: Any = context.Process(target=work, args=arguments)
            process.start()
            tells.close()
            enough = len(sandbox.requests) + self.rng.randint(0, _REQUESTS)
            self.going.append(Attempt(task, process, told, enough))

    def _doubles(self) -> bool:
        """Return whether a task is delivered to a second worker while its first one lives."""
        doubles = bool(self.going) and self.doubled < TASKS and self.rng.random() < _AGAIN
        self.doubled += doubles
        return doubles

    def _watch(self, sandbox: Sandbox, tasks: list[list[int]]) -> None:
        for attempt in [*self.going]:
            process = attempt.process
            process.join(0.001)
            if process.exitcode is None:
                if self.kills >= KILLS_AT_MOST or len(sandbox.requests) < attempt.killed_at:
                    continue
                process.join(self.rng.uniform(0, _SECONDS))
            self.going.remove(attempt)
            if process.exitcode is None:
                process.kill()
                process.join(_STUCK_AFTER)
                self.kills += 1
                self.waiting.append(attempt.task)
            else:
                assert process.exitcode == 0, "a worker failed"
                statuses = attempt.told.recv()
                assert len(statuses) == len(tasks[attempt.task])
                assert {*statuses} <= {"succeeded", "unknown"}, f"{Counter(statuses)}"
            attempt.told.close()
            assert set(Counter(held(sandbox, CALLS)).values()) <= {1}, "something is there twice"

    def _check(self, url: str, sandbox: Sandbox) -> None:
        """Check what the journal says at the end of all inputs."""
        count = len(sandbox.requests)
        journal = PostgresJournal(self.key, conninfo=self.conninfo)
        with HubSpotBatch(SECRET, base_url=url, rate_limit=None) as client:
            result = client.calls.create(rows(range(ROWS)), journal=journal)
        assert len(sandbox.requests) == count, "an input was lost"
        assert len(result.succeeded) + len(result.unknown) == ROWS
        ids = {record.properties["hs_call_title"]: record.id for record in sandbox.records("calls")}
        for outcome in result.succeeded:
            assert outcome.result is not None
            assert outcome.result.id == ids[mark(CALLS, outcome.input)]
        doubtful = {mark(CALLS, outcome.input) for outcome in result.unknown}
        assert ids.keys() | doubtful == {f"Call {n}" for n in range(ROWS)}
        self.met["in doubt at the end" if result.unknown else "no doubt"] += 1


def one_redelivery(seed: int, kind: str) -> Report:
    """Carry out the tasks of a seed, kill their workers, and judge them."""
    key, failure = f"{os.getpid()}-{os.urandom(6).hex()}", None
    made = Queue(kind, key, os.environ[POSTGRES], random.Random(seed))
    try:
        with silence():
            made.judge()
    except Exception:  # noqa: BLE001 - whatever it is, it is to be seen with its seed
        failure = f"{made}\n{traceback.format_exc()}"
    features = {f"met {name}" for name in made.met} | {f"kills {made.kills}"}
    features |= {"delivered twice"} if made.doubled else set()
    return Report(seed, kind, "redelivery", frozenset(features), failure)
