"""Loads of a file by the command, of which process after process is cut off until one ends.

The seed chooses what goes wrong: SIGKILL or SIGTERM at a random moment, or a disk that takes no
more from a random byte on, and the faults of the server. After each process the journal and the
files are read, and nothing may be in the account twice. At the end every row has one outcome.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import resource
import signal
import tempfile
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from attrs import define, field
from hubspot_batch import Journal, JournalError
from hubspot_batch.cli.main import main
from hubspot_batch.files import open_table
from hubspot_batch.sandbox import Sandbox, rates, served
from leak_watch import SECRET
from scripted_server import CALLS, NOON, held
from soak_runs import Report, silence

CAN_CUT_OFF = "forkserver" in multiprocessing.get_all_start_methods()
"""Whether the system makes processes fast enough to cut off many."""

CUTS_AT_MOST = 10
"""Processes of a load that are cut off, after which it is left alone."""

_ROWS, _BAD = 780, 7
_FAULTS = ("reset_before", "reset_after", "closed_after", "500", "500_after")
_CUTS = ("kill", "term", "full")
# A run of one process takes about as long, its start and its reports included.
_SECONDS = 0.3
_LARGEST = 400_000
# So that a process has more requests before it than behind it when it is cut off.
_PACE = "2/0.1"
_STUCK_AFTER = 60.0
# What a process of the command imports, so that it begins at once.
_IMPORTED = (
    *(__name__, "hubspot_batch_client.api.calls.create_calls", "hubspot_batch.cli.load"),
    *("hubspot_batch.cli.commands", "hubspot_batch.cli.job_commands", "hubspot_batch.cli.progress"),
    *("hubspot_batch._matching.items", "hubspot_batch._transport.network", "orjson"),
    *("hubspot_batch._engine.recorder", "hubspot_batch.journal.sqlite", "msgspec.json"),
)
_ENDS = {"kill": {-9}, "term": {128 + signal.SIGTERM, -signal.SIGTERM}, "full": {2, 3}}


def titles() -> list[str]:
    return [f"Call {number}" for number in range(_ROWS)]


def write_file(folder: Path) -> Path:
    """Write the file of the load; some of its rows are no calls."""
    rows = [f"{NOON},{title}" for title in titles()]
    for number in range(_BAD):
        rows.insert(number * 60, f"nonsense,Bad {number}")
    path = folder / "calls.csv"
    path.write_text("hs_timestamp,hs_call_title\n" + "\n".join(rows) + "\n")
    return path


def command(arguments: list[str], most: int | None) -> None:
    """Run the command, in a process of its own, on a disk whose files cannot become larger."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.environ["HUBSPOT_ACCESS_TOKEN"] = SECRET
    if most is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
    raise SystemExit(main(arguments))


@define
class Load:
    """A load whose processes are cut off, and what is known of it."""

    faults: float
    rng: random.Random = field(repr=False)
    cuts: list[str] = field(factory=list[str])
    met: Counter[str] = field(factory=Counter[str], repr=False)
    recorded: int = field(default=0, repr=False)

    def judge(self, folder: Path) -> None:
        """Carry it out; raise an AssertionError if something is untrue."""
        path = write_file(folder)
        faults = rates(dict.fromkeys(_FAULTS, self.faults / len(_FAULTS)))
        sandbox = Sandbox(faults=faults, rate_limit=None)
        with served(sandbox) as url:
            arguments = ["calls", "create", str(path), "--base-url", url, "--rate", _PACE]
            arguments.append("--resume")
            while len(self.cuts) < CUTS_AT_MOST and self._is_cut_off(arguments, sandbox):
                self._look(path, sandbox)
            sandbox.use_faults(rates({}))
            code = self._run(arguments).exitcode
            assert code == 1, f"the last run ended with {code}"
            self._check(path, sandbox)
            unknown = path.with_name("calls.csv.hubspot") / "unknown.csv"
            if unknown.exists():
                # Who looks into the account finds out which of them are missing.
                there = {*held(sandbox, CALLS)}
                head, *rows = unknown.read_text().splitlines()
                missing = [row for row in rows if row.split(",")[1] not in there]
                unknown.write_text("\n".join([head, *missing]) + "\n")
                if missing:
                    arguments[2] = str(unknown)
                    assert self._run(arguments).exitcode == 0
        assert Counter(held(sandbox, CALLS)) == Counter(titles()), "not all is there once"

    def _start(self, arguments: list[str], most: int | None = None) -> Any:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([*_IMPORTED])
        process: Any = context.Process(target=command, args=(arguments, most))
        process.start()
        return process

    def _run(self, arguments: list[str]) -> Any:
        process = self._start(arguments)
        process.join(_STUCK_AFTER)
        assert process.exitcode is not None, "it does not end"
        return process

    def _is_cut_off(self, arguments: list[str], sandbox: Sandbox) -> bool:
        """Load until something happens; return False if the load has come to its end before."""
        cut = self.rng.choice(_CUTS)
        most = int(_LARGEST ** self.rng.random()) if cut == "full" else None
        enough = len(sandbox.requests) + self.rng.choice((0, 0, 0, 1, 2))
        process = self._start(arguments, most)
        if cut == "full":
            process.join(_STUCK_AFTER)
        else:
            while len(sandbox.requests) < enough and process.exitcode is None:
                process.join(0.001)
            process.join(self.rng.uniform(0, _SECONDS) * self.rng.random())
            if process.exitcode is None:
                os.kill(process.pid, signal.SIGKILL if cut == "kill" else signal.SIGTERM)
            process.join(_STUCK_AFTER)
        assert process.exitcode is not None, f"it does not end ({cut})"
        ended = process.exitcode == 1
        assert ended or process.exitcode in _ENDS[cut], f"{cut} ended in {process.exitcode}"
        if not ended:
            self.cuts.append(cut)
            self.met[cut] += 1
        # A load whose reports cannot be written has ended, too.
        return not ended or (cut == "full" and len(self.cuts) < CUTS_AT_MOST // 2)

    def _look(self, path: Path, sandbox: Sandbox) -> None:
        """Look at what a process has left behind."""
        there = Counter(held(sandbox, CALLS))
        assert set(there.values()) <= {1}, "something is there twice"
        folder = path.with_name("calls.csv.hubspot")
        for line in _lines(folder / "outcomes.jsonl"):
            json.loads(line)
        for name in ("rejects.csv", "unknown.csv"):
            if (folder / name).exists():
                assert [*open_table(folder / name)]
        if (folder / "report.json").exists():
            json.loads((folder / "report.json").read_text())
        journal = Journal(folder / "journal.sqlite")
        try:
            if journal.begun() is None:
                assert not there, "a request was sent before the journal was begun"
                return
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

    def _check(self, path: Path, sandbox: Sandbox) -> None:
        """Check the outcomes of the last run."""
        ids = {record.properties["hs_call_title"]: record.id for record in sandbox.records("calls")}
        rows = dict(enumerate(path.read_text().splitlines(), 1))
        lines = _lines(path.with_name("calls.csv.hubspot") / "outcomes.jsonl")
        found = [json.loads(line) for line in lines]
        assert sorted(one["index"] for one in found) == [*range(_ROWS + _BAD)]
        counts = Counter(one["status"] for one in found)
        assert counts["failed"] == _BAD, counts
        assert counts["succeeded"] + counts["unknown"] == _ROWS, "a row has no final outcome"
        for one in found:
            title = rows[one["line"]].split(",")[1]
            assert one["status"] != "succeeded" or one["id"] == ids[title]
        self.met["in doubt at the end" if counts["unknown"] else "no doubt"] += 1


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines() if path.exists() else []


def one_job(seed: int, _kind: str) -> Report:
    """Carry out the load of a seed, cut its processes off, and judge it."""
    rng = random.Random(seed)
    made, failure = Load(rng.choice((0.0, 0.05, 0.2)), rng), None
    try:
        with silence(), tempfile.TemporaryDirectory() as folder:
            made.judge(Path(folder))
    except Exception:  # noqa: BLE001 - whatever it is, it is to be seen with its seed
        failure = f"{made}\n{traceback.format_exc()}"
    features = frozenset({f"met {name}" for name in made.met} | {f"cuts {len(made.cuts)}"})
    return Report(seed, "sync", "job", features, failure)
