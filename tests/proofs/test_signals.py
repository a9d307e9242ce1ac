"""Hundreds of runs that a real signal interrupts, at random moments: every account is true.

Here the interruption comes between any two instructions, also of Python's own code, and not only
between two lines of ours; `make soak` does ten thousand of them.
"""

from __future__ import annotations

import re
from functools import cache

import pytest
from soak import main
from soak_runs import Report, run_all
from soak_signals import CAN_SIGNAL, Run, one_signal

BLOCKS, SIZE = range(6), 50
PLACES = 10
"""So many lines at least are interrupted."""

pytestmark = [
    pytest.mark.skipif(not CAN_SIGNAL, reason="no timer of this system sends a signal"),
    # A signal within coverage's own lock would leave it locked, and the run would hang.
    pytest.mark.many,
]


@cache
def block(number: int) -> tuple[Report, ...]:
    """Carry out a block of runs, once for all tests."""
    return tuple(run_all(one_signal, "sync", range(number * SIZE, (number + 1) * SIZE)))


@pytest.mark.parametrize("number", BLOCKS)
def test_every_account_is_true(number: int, capfd: pytest.CaptureFixture[str]) -> None:
    """Wherever a signal comes, it is told as what it is, with the truth about every input."""
    with capfd.disabled():  # the watchdog's last words must be seen
        reports = block(number)
    failed = [f"{report.command}\n{report.failure}" for report in reports if report.failure]
    if failed:
        pytest.fail(f"{len(failed)} of {SIZE} runs failed, the first:\n{failed[0]}", pytrace=False)


def test_the_signals_come_in_the_midst_of_runs() -> None:
    """Most find a run at work, and they find it at many places."""
    reports = [report for number in BLOCKS for report in block(number)]
    seen = {name for report in reports for name in report.features}
    met = sum("met the run" in report.features for report in reports)
    assert met > len(reports) / 3
    assert sum(name.startswith("at ") for name in seen) > PLACES
    assert seen >= {f"status:{status}" for status in ("succeeded", "not_sent")}


def test_a_failure_names_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not come again at will, so all is told that is known, and what tries it often."""

    def judge(run: Run, share: float) -> str:
        def work() -> None:
            while True:
                pass

        run.alarm.interrupt(work, 0.2)  # when it works for sure, also on a machine that stalls
        raise AssertionError("untrue")

    monkeypatch.setattr(Run, "judge", judge)
    report = one_signal(7)
    assert report.failure
    assert re.match(r"Run.+ was interrupted at test_signals.py:\d+ work < ", report.failure)
    assert "untrue" in report.failure
    assert report.command.endswith("--seed 7 --kind sync --signals 1 --times 1000")


def test_the_command_has_a_share_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    """They are carried out in processes of their own, as all runs of the soak are."""
    numbers = ["--signals", "20"]
    assert main([*numbers, "--processes", "1"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("soak: 20 runs in ")
