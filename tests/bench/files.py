"""Measures what a file costs beside the same inputs from memory: CPU, memory, the journal's part.

Each run is a process of its own. A run of the command is the whole of it: it checks every row,
makes the plan, keeps a journal, sends, and writes outcomes and reports. What it costs is told in
parts: the same inputs from memory with a journal, and from the file without one.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

# The rows that CPU time is compared with: 200 requests.
ROWS, PAIRS = 20_000, 7
CPU_GOAL = 1.25
PARTS = {
    "file": "rows of CSV by the command",
    "rows": "rows of CSV, mapped, without a journal",
    "bare": "rows of CSV by Python's csv module, without a journal",
    "journaled": "inputs in memory, with a journal",
}
# The goal is for 1,000,000 rows, which take minutes; a tenth of them shows what grows.
FEW, MANY = 10_000, int(os.environ.get("ROWS_OF_A_LARGE_FILE", "100000"))
MEMORY_GOAL = 1.25
# 285 requests: half of a window at once, and the others at 19 a second.
PACED, PACE = 28_500, "190/10"
JOURNAL_GOAL = 10.0
HELP_GOAL = 1.5
UNLIMITED = "100000000/1"

NAMES = ("timestamp", "call_title", "call_body", "call_duration", "call_direction", "call_status")
_HELP = "from hubspot_batch.cli.main import main; main(['--help'])"
_IMPORT = "import argparse; import hubspot_batch"


def write_csv(path: Path, rows: int) -> Path:
    """Write calls that all differ."""
    with path.open("w", encoding="utf-8") as stream:
        stream.write(",".join(f"hs_{name}" for name in NAMES) + "\n")
        for number in range(rows):
            stream.write(
                f"2026-01-31T09:30:00Z,Call {number},"
                '"They want to know more about the renewal, and when it begins.",'
                f"{360_000 + number},OUTBOUND,COMPLETED\n"
            )
    return path


def measure() -> Iterator[Any]:
    """Yield a row for each goal."""
    from bench import server
    from bench.pairs import Spread, take_turns
    from bench.rows import Row
    from bench.start import cpu, ratio_row

    with TemporaryDirectory() as home:
        folder = Path(home)
        file = write_csv(folder / "calls.csv", ROWS)
        with server.running() as url:
            ratios: dict[str, Spread] = {}
            remarks: dict[str, str] = {}
            for kind in PARTS:
                pairs = take_turns(
                    partial(_run, kind, file, url), partial(_run, "memory", file, url), PAIRS
                )
                ratios[kind] = Spread.of([one[0] / other[0] for one, other in pairs])
                ours, theirs = (Spread.of([pair[at][0] for pair in pairs]).median for at in (0, 1))
                remarks[kind] = f"{len(pairs)} pairs; {ours:.2f} s of {theirs:.2f} s"
            for kind, words in PARTS.items():
                yield Row(
                    f"{ROWS:,} {words}, to inputs in memory: CPU",
                    ratios[kind].median,
                    "x",
                    most=CPU_GOAL if kind == "file" else None,
                    floor=ratios["bare"].median if kind == "file" else None,
                    noise=f"{ratios[kind]}; {remarks[kind]}",
                )
            paced = write_csv(folder / "paced.csv", PACED)
            taken, seconds = _run("journal", paced, url)
            disk = _sync_seconds(folder) * 2 * PACED / 100
            with_, without = (_run(kind, paced, url)[1] for kind in ("paced journal", "paced"))
            yield Row(
                "the journal, of a run's time at 19 requests a second",
                100 * (with_ - without) / with_,
                "%",
                most=JOURNAL_GOAL,
                noise=f"{with_:.1f} s with it, {without:.1f} s without; {PACED // 100} requests",
            )
            # Threads work in it while others wait for the rate limit, so this is no share of time.
            yield Row(
                "all threads' time in the journal in such a run, waits for the disk too",
                taken,
                "s",
                floor=disk,
                noise=f"of {seconds:.1f} s; two bare fsyncs a request take {disk:.2f} s here",
            )
        peaks = [
            _run("peak", write_csv(folder / f"{rows}.csv", rows), "")[0] for rows in (FEW, MANY)
        ]
        yield Row(
            f"peak resident at {MANY:,} over {FEW:,} rows of CSV",
            peaks[1] / peaks[0],
            "times",
            most=MEMORY_GOAL,
            noise=" MiB, then ".join(f"{peak:.1f}" for peak in peaks)
            + f" MiB; the goal is for 1,000,000 rows, and this is for {MANY:,}",
        )
    yield ratio_row(
        "hubspot-batch --help, to argparse and our import",
        lambda: cpu(sys.executable, "-c", _HELP),
        lambda: cpu(sys.executable, "-c", _IMPORT),
        *(HELP_GOAL, 1000, "ms"),
    )


def _sync_seconds(folder: Path) -> float:
    """Return how long the disk takes to keep the journal's part of a request."""
    taken: list[float] = []
    with (folder / "synced").open("wb", buffering=0) as stream:
        for _ in range(99):
            stream.write(bytes(20_000))
            begun = time.perf_counter()
            os.fsync(stream.fileno())
            taken.append(time.perf_counter() - begun)
    return median(taken)


def _run(kind: str, file: Path, url: str) -> tuple[float, float]:
    """Return the two figures of a process of its own."""
    command = [sys.executable, str(Path(__file__)), kind, str(file), url]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    first, second = done.stdout.split()
    return float(first), float(second)


# ---------------------------------------------------------------- in a process of its own


def _load(file: Path, url: str, rate: str = UNLIMITED) -> None:
    """Load a file by the command, as a person does."""
    from hubspot_batch.cli.main import main

    with TemporaryDirectory(dir=file.parent) as out:
        command = ["calls", "create", str(file), "--out", out, "--rate", rate, "--quiet"]
        code = main([*command, "--base-url", url or "http://127.0.0.1:9"])
        if code:
            raise RuntimeError(f"the command ended with {code}")


def _send(
    inputs: Iterable[Any], url: str, journal: Path | None = None, *, paced: bool = False
) -> None:
    """Send inputs, and look at their outcomes."""
    from hubspot_batch import HubSpotBatch, OutcomeStatus, RateLimit

    # The command cannot be without a limit, so none of them is.
    limit = RateLimit(*map(int, (PACE if paced else UNLIMITED).split("/")))
    with HubSpotBatch("token", base_url=url, rate_limit=limit) as client:
        outcomes = client.calls.create_iter(inputs, journal=journal)
        missed = sum(outcome.status is not OutcomeStatus.SUCCEEDED for outcome in outcomes)
    if missed:
        raise RuntimeError(f"{missed} calls were not created")


def _inputs(file: Path) -> Iterator[Any]:
    """Yield what the rows of a file make."""
    from hubspot_batch.files import Mapping, open_table

    mapping = Mapping.from_options(operation="create_calls")
    return (made for _, made in mapping.map_rows(open_table(file)))


def _bare(file: Path) -> Iterator[Any]:
    """Yield the same inputs, read by a module that checks and converts nothing."""
    with file.open(encoding="utf-8", newline="") as stream:
        yield from ({"properties": row} for row in csv.DictReader(stream))


def _cpu(work: Callable[[], None]) -> tuple[float, float]:
    begun, cpu = time.perf_counter(), time.process_time()
    work()
    return time.process_time() - cpu, time.perf_counter() - begun


def _journal(file: Path, url: str) -> tuple[float, float]:
    """Return the seconds that are spent in the journal, in all threads, and those of the run."""
    from hubspot_batch.journal.sqlite import SqliteStore

    taken, lock = [0.0], Lock()

    def timed(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            begun = time.perf_counter()
            try:
                return method(*arguments, **more)
            finally:
                with lock:
                    taken[0] += time.perf_counter() - begun

        return call

    for name in ("__init__", "count", "find", "marks", "mark", "intend", "settle", "close"):
        setattr(SqliteStore, name, timed(getattr(SqliteStore, name)))
    _, seconds = _cpu(lambda: _load(file, url, PACE))
    return taken[0], seconds


def _peak(file: Path) -> tuple[float, float]:
    """Return the peak of this process in MiB, with a server that keeps nothing."""
    from hubspot_batch import HubSpotBatch
    from hubspot_batch.cli import load

    from bench.memory import Echo, resident

    vars(load)["HubSpotBatch"] = partial(HubSpotBatch, transport=Echo())
    _, seconds = _cpu(lambda: _load(file, ""))
    return resident() / 2**20, seconds


def _main(kind: str, file: Path, url: str) -> tuple[float, float]:
    if kind == "peak":
        return _peak(file)
    with TemporaryDirectory(dir=file.parent) as folder:
        # What is imported and connected late is not counted.
        little = write_csv(Path(folder) / "little.csv", 200)
        if kind in ("file", "journal"):
            _load(little, url)
            return _cpu(lambda: _load(file, url)) if kind == "file" else _journal(file, url)
        _send([*_inputs(little)], url, Path(folder) / "little.sqlite")
        if kind in ("rows", "bare"):
            read = _inputs if kind == "rows" else _bare
            return _cpu(lambda: _send(read(file), url))
        inputs = [*_inputs(file)]
        journal = Path(folder) / "journal.sqlite" if "journal" in kind else None
        return _cpu(lambda: _send(inputs, url, journal, paced="paced" in kind))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    print(*_main(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
