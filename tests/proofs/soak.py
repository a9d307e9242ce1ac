"""The command behind `make soak`: very many runs with faults and changed answers, on all cores.

It decides which seeds run where, and says at the end how many failed and what repeats them.
`soak_runs` decides what a run is, and `wire_runs` what one over real sockets is. Only these, the
signals of `soak_signals`, and the kills of `soak_kills` and `soak_jobs` happen in real time; what
overtakes what there is up to the machine, so what repeats such a failure does so often.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path

from attrs import frozen

# As a command it finds the helpers of the tests as pytest does.
sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import postgres_server
import pytest
from shared_limit import play_all
from soak_cancelled import CAN_COUNT, RUNS, one_cancelled
from soak_families import one_of_families
from soak_jobs import CAN_CUT_OFF, CUTS_AT_MOST, one_job
from soak_kills import CAN_KILL, KILLS_AT_MOST, one_load
from soak_lookups import one_lookup, shares, unknown_by_key
from soak_redeliveries import KILLS_AT_MOST as REDELIVERIES_AT_MOST
from soak_redeliveries import POSTGRES, one_redelivery
from soak_runs import Report, one_body, one_run, run_all
from soak_signals import CAN_SIGNAL, one_signal
from wire_runs import one_wire

_BLOCK = 50
_PROGRESS_EVERY = 10.0
_SHOWN = 20
_RUNS = {
    "runs": one_run,
    "bodies": one_body,
    "families": one_of_families,
    "lookups": one_lookup,
    "signals": one_signal,
    "cancelled": one_cancelled,
    "kills": one_load,
    "jobs": one_job,
    "redeliveries": one_redelivery,
    "wire": one_wire,
}
# How many there are of each, where no number is given.
_FULL = {
    "runs": 100_000,
    "bodies": 100_000,
    "families": 100_000,
    "lookups": 100_000,
    "signals": 10_000,
    "cancelled": 100,
    "kills": 2_000,
    "jobs": 2_000,
    "redeliveries": 400,
    "wire": 10_000,
    "shared": 60,
}


@frozen
class Block:
    """Seeds that are run one after the other, in one process."""

    what: str
    kind: str
    seeds: range


def blocks(what: str, kinds: list[str], first: int, count: int) -> Iterator[Block]:
    """Cut a number of runs into blocks, in turn for each kind of client."""
    each = -(-count // len(kinds))
    for start in range(first, first + each, _BLOCK):
        for kind in kinds:
            yield Block(what, kind, range(start, min(start + _BLOCK, first + each)))


def run_block(block: Block) -> tuple[list[Report], Counter[str]]:
    """Carry out a block; return what failed, and what all runs have counted."""
    reports = run_all(_RUNS[block.what], block.kind, block.seeds)
    counts: Counter[str] = Counter()
    for report in reports:
        counts.update(report.counts)
    return [report for report in reports if report.failure], counts


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line says; return 1 if anything failed."""
    chosen = _parser().parse_args(arguments)
    every = all(getattr(chosen, name) is None for name in _FULL)
    for name, number in _FULL.items():
        if getattr(chosen, name) is None:
            setattr(chosen, name, number if every else 0)
    with _database(chosen):
        work = _work(chosen)
        total = sum(len(block.seeds) for block in work)
        begun = time.monotonic()
        try:
            failed, counts = _all(work, chosen.processes, total)
        except BrokenProcessPool:
            print("A run hung or killed its process; its seed stands above.")
            return 1
    for report in failed[:_SHOWN]:
        print(f"\n{report.command}\n{report.failure}")
    rest = f" ({len(failed) - _SHOWN} more are not shown)" if len(failed) > _SHOWN else ""
    seconds = time.monotonic() - begun
    for line in shares(counts):
        print(line)
    if too_many := unknown_by_key(counts):
        print(f"Too many inputs with a key stay unknown: {too_many}")
    print(f"soak: {total} runs in {seconds:.0f} s, {len(failed)} failed{rest}")
    # Real time: what else runs at the same time would count.
    missed = play_all(chosen.shared) if chosen.shared else 0
    return 1 if failed or missed or too_many else 0


def _work(chosen: argparse.Namespace) -> list[Block]:
    """Return the blocks that the command line asks for."""
    kinds = ["sync", "async"] if chosen.kind == "both" else [chosen.kind]
    return [
        *blocks("runs", kinds, chosen.seed, chosen.runs),
        *blocks("bodies", kinds, chosen.seed, chosen.bodies),
        *blocks("families", kinds, chosen.seed, chosen.families),
        *blocks("lookups", kinds, chosen.seed, chosen.lookups),
        *(blocks("signals", ["sync"], chosen.seed, chosen.signals) if CAN_SIGNAL else ()),
        *(blocks("cancelled", ["async"], chosen.seed, chosen.cancelled) if CAN_COUNT else ()),
        *(
            blocks("kills", kinds, chosen.seed, -(-chosen.kills // KILLS_AT_MOST))
            if CAN_KILL
            else ()
        ),
        *(
            blocks("jobs", ["sync"], chosen.seed, -(-chosen.jobs // CUTS_AT_MOST))
            if CAN_CUT_OFF
            else ()
        ),
        *(
            blocks(
                "redeliveries", kinds, chosen.seed, -(-chosen.redeliveries // REDELIVERIES_AT_MOST)
            )
            if CAN_KILL
            else ()
        ),
        *blocks("wire", kinds, chosen.seed, chosen.wire),
    ] * chosen.times


@contextmanager
def _database(chosen: argparse.Namespace) -> Iterator[None]:
    """Let the runs that need it have a Postgres; without one there are none of them."""
    with ExitStack() as stack:
        if chosen.redeliveries:
            try:
                os.environ[POSTGRES] = stack.enter_context(postgres_server.running())
            except pytest.skip.Exception as reason:
                print(f"soak: no redeliveries. {reason}")
                chosen.redeliveries = 0
        yield


def _all(work: list[Block], processes: int, total: int) -> tuple[list[Report], Counter[str]]:
    failed: list[Report] = []
    counts: Counter[str] = Counter()
    done, said = 0, time.monotonic()
    left = iter(work)
    with ProcessPoolExecutor(processes) as pool:
        going: dict[Future[tuple[list[Report], Counter[str]]], Block] = {}
        while True:
            for block in islice(left, 2 * processes - len(going)):
                going[pool.submit(run_block, block)] = block
            if not going:
                return failed, counts
            for future in wait(going, timeout=1.0, return_when="FIRST_COMPLETED").done:
                done += len(going.pop(future).seeds)
                some, counted = future.result()
                failed += some
                counts.update(counted)
            if time.monotonic() - said > _PROGRESS_EVERY:
                said = time.monotonic()
                print(f"soak: {done} of {total}, {len(failed)} failed", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Run a client against a sandbox that goes wrong.",
        epilog="Without a number, all kinds of runs are made; with one, only those that have one.",
    )
    parser.add_argument("--runs", type=int, help="runs with faults")
    parser.add_argument("--bodies", type=int, help="runs with changed answers")
    parser.add_argument("--families", type=int, help="runs of every operation and version")
    help_ = "runs with lost responses that are looked up"
    parser.add_argument("--lookups", type=int, help=help_)
    help_ = "runs that a signal interrupts, on systems that have timers for it"
    parser.add_argument("--signals", type=int, help=help_)
    help_ = f"clients of which {RUNS} runs are cancelled each"
    parser.add_argument("--cancelled", type=int, help=help_)
    help_ = f"kills of loads with a journal, {KILLS_AT_MOST} a load, on systems that can fork"
    parser.add_argument("--kills", type=int, help=help_)
    help_ = f"processes of the command that are cut off, up to {CUTS_AT_MOST} a load"
    parser.add_argument("--jobs", type=int, help=help_)
    help_ = f"kills of workers whose tasks are delivered again, {REDELIVERIES_AT_MOST} a run"
    parser.add_argument("--redeliveries", type=int, help=help_)
    help_ = "seconds of each scenario of processes that share a limit, one after the other"
    parser.add_argument("--shared", type=int, help=help_)
    help_ = "runs over real sockets, against a server that shares no code with the sandbox"
    parser.add_argument("--wire", type=int, help=help_)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=0, help="of the first run of each kind")
    parser.add_argument("--kind", choices=("sync", "async", "both"), default="both")
    help_ = "how often to do all of it; threads take turns as they like"
    parser.add_argument("--times", type=int, default=1, help=help_)
    return parser


if __name__ == "__main__":
    sys.exit(main())
