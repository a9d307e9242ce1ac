"""A load that is stopped by a signal, or killed: what it says and leaves, and how it goes on."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hubspot_batch.cli import main as cli
from hubspot_batch.cli.signals import WATCH, Signals, StoppedBySignalError
from hubspot_batch.jobs import Job
from hubspot_batch.sandbox import FAULTS, Sandbox, script, served
from job_files import (
    arguments,
    call_rows,
    environment,
    outcomes,
    process,
    run,
    statuses,
    titles,
    wait_until,
    write_calls,
)
from loopback import answering

ROWS = 1500  # more requests than may be under way at the same time


def slow(seconds: float, after: int = 0) -> Any:
    delay = evolve(FAULTS["delay"], delay=seconds)
    return script([*[None] * after, *[delay] * 99])


def resume_command(err: str) -> list[str]:
    """The command that the error output names, without the program."""
    (line,) = re.findall(r"^ +hubspot-batch (.*--resume)$", err, re.MULTILINE)
    return shlex.split(line)


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=["INT", "TERM", "HUP"],
)
def test_a_signal_ends_a_load_that_goes_on_later(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """Requests under way finish, nothing new is sent, and the printed command sends the rest."""
    sandbox = Sandbox(faults=slow(0.6), rate_limit=None)
    path = write_calls(tmp_path, call_rows(ROWS))
    folder = tmp_path / "calls.csv.hubspot"
    with served(sandbox) as url:
        with process(*arguments(path, url)) as made:
            wait_until(lambda: len(sandbox.requests) >= 8, made)
            made.send_signal(number)
            out, err = made.communicate(timeout=30)
        assert made.returncode == code, err
        done = len(sandbox.records("calls"))
        assert 0 < done < ROWS
        found = statuses(folder)
        assert (found.count("succeeded"), found.count("not_sent")) == (done, ROWS - done)
        assert f"{done} succeeded" in out
        again = run(*resume_command(err))
    assert again.returncode == 0, again.stderr
    assert titles(sandbox) == sorted(f"Call {at}" for at in range(ROWS))
    assert statuses(folder) == ["succeeded"] * ROWS


def test_a_second_signal_waits_for_nothing(tmp_path: Path) -> None:
    """Rows under way are unknown; they are in a file of its own, and is not sent again."""
    arrived: list[bytes] = []
    path = write_calls(tmp_path, call_rows(ROWS))
    with answering(lambda token: arrived.append(token) or b"") as address:
        url = f"http://{address}"
        with process(*arguments(path, url)) as made:
            wait_until(lambda: len(arrived) == 8, made)
            made.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            assert made.poll() is None
            before = time.monotonic()
            made.send_signal(signal.SIGTERM)
            _, err = made.communicate(timeout=30)
            assert time.monotonic() - before < 5
        assert made.returncode == 143, err
        found = statuses(tmp_path / "calls.csv.hubspot")
        assert (found.count("unknown"), found.count("not_sent")) == (800, ROWS - 800)
        rows = (tmp_path / "calls.csv.hubspot" / "unknown.csv").read_text().splitlines()
        assert rows[0] == "When,Title,_status,_error,_line"
        assert len(rows) == 801


def test_the_patience_ends(tmp_path: Path) -> None:
    """Requests under way are given up when their time is over, without another signal."""
    program = (
        "import signal, sys, time\n"
        "from hubspot_batch.cli.signals import Signals\n"
        "from hubspot_batch._engine.interrupts import Interrupts\n"
        "from queue import SimpleQueue\n"
        "came = SimpleQueue()\n"
        "with Signals(0.3) as signals, Interrupts(lambda: came.put(1)):\n"
        "    print('ready', flush=True)\n"
        "    came.get(timeout=10); came.get(timeout=10)\n"
        "    print('twice', signals.code, flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as made:
        assert made.stdout
        assert made.stdout.readline() == "ready\n"
        made.send_signal(signal.SIGTERM)
        out, _ = made.communicate(timeout=10)
    assert out == "twice 143\n"


def test_signals_are_given_back() -> None:
    """After a load, the handlers and the wakeup of the process are as before."""
    before = [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)]
    with Signals():
        assert signal.getsignal(signal.SIGTERM) not in before
    assert before == [
        signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
    ]
    assert signal.set_wakeup_fd(-1) == -1


def test_nohup_is_heeded() -> None:
    """A SIGHUP that the caller ignores stays ignored."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Signals() as signals:
            os.kill(os.getpid(), signal.SIGHUP)
            assert signals.first is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_kill_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    """After SIGKILL, rows that were under way are unknown, all others are sent once."""
    sandbox = Sandbox(faults=slow(0.5, after=3), rate_limit=None)
    path = write_calls(tmp_path, call_rows(ROWS))
    folder = tmp_path / "calls.csv.hubspot"
    with served(sandbox) as url:
        with process(*arguments(path, url)) as made:
            wait_until(
                lambda: len(sandbox.requests) >= 8 and (folder / "outcomes.jsonl").exists(), made
            )
            made.send_signal(signal.SIGKILL)
            made.wait()
        assert all(one["line"] for one in outcomes(folder))  # each line can be read
        assert run(*arguments(path, url)).returncode == 2
        time.sleep(0.6)  # until the requests that were cut off are done
        again = run(*arguments(path, url, "--resume"))
    found = outcomes(folder)
    assert len(found) == ROWS
    assert again.returncode == (0 if statuses(folder) == ["succeeded"] * ROWS else 1)
    assert {one["status"] for one in found} <= {"succeeded", "unknown"}
    held = titles(sandbox)
    assert len(held) == len({*held})
    done = {f"Call {one['index']}" for one in found if one["status"] == "succeeded"}
    assert done <= {*held}


def test_a_journal_in_use_is_noticed(tmp_path: Path) -> None:
    """A second run at the same time sends nothing."""
    arrived: list[bytes] = []
    path = write_calls(tmp_path, call_rows(ROWS))
    folder = tmp_path / "calls.csv.hubspot"
    with (
        answering(lambda token: arrived.append(token) or b"") as address,
        process(*arguments(path, f"http://{address}")) as made,
    ):
        wait_until(lambda: len(arrived) == 8, made)
        before = {one.name for one in folder.iterdir()}
        for more in ((), ("--resume",), ("--restart",)):
            other = run(*arguments(path, f"http://{address}", *more))
            assert other.returncode == 2
            assert "in use by another run" in other.stderr
        assert {one.name for one in folder.iterdir()} == before
    assert len(arrived) == 8


def test_an_output_that_is_closed_does_no_harm(tmp_path: Path) -> None:
    """The reader of the events may stop reading; the load goes on."""
    sandbox = Sandbox(rate_limit=None)
    path = write_calls(tmp_path, call_rows(ROWS))
    with served(sandbox) as url, process(*arguments(path, url, "--json")) as made:
        assert made.stdout
        made.stdout.readline()
        made.stdout.close()
        assert made.wait(timeout=30) == 0, made.stderr and made.stderr.read()
    assert len(titles(sandbox)) == ROWS


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_any_other_moment_has_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Also right before the job begins, and while the reports are written."""
    path = write_calls(tmp_path, call_rows(2))
    whole = Job.run

    def before(self: Job, client: Any) -> Any:
        signal.raise_signal(number)
        return whole(self, client)

    def after(self: Job, client: Any) -> Any:
        ended = whole(self, client)
        signal.raise_signal(number)
        return ended

    with served(Sandbox(rate_limit=None)) as url:
        for at in (before, after):
            monkeypatch.setattr(Job, "run", at)
            assert cli.main(arguments(path, url, "--resume")) == 128 + number
        monkeypatch.undo()
        assert cli.main(arguments(path, url, "--resume")) == 0


def test_a_signal_while_the_signals_are_given_back_has_its_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It comes when no job waits for it any more, and is still no Ctrl-C."""
    before = signal.set_wakeup_fd

    def late(number: int, **more: Any) -> int:
        if not more:
            signal.raise_signal(signal.SIGTERM)
        return before(number, **more)

    monkeypatch.setattr(signal, "set_wakeup_fd", late)
    kept = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(StoppedBySignalError) as caught, Signals():
            pass
        assert caught.value.code == 143
    finally:
        monkeypatch.undo()
        signal.signal(signal.SIGTERM, kept)
        signal.set_wakeup_fd(-1)
    # It would press Ctrl-C when the patience ends.
    for thread in threading.enumerate():
        if thread.name == WATCH:
            thread.join(5)
            assert not thread.is_alive()
