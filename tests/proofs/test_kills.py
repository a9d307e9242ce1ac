"""Loads whose processes are killed with SIGKILL at random moments: nothing is lost, nothing twice.

`make soak` kills two thousand processes.
"""

from __future__ import annotations

import subprocess
import sys
from functools import cache

import pytest
import soak
from soak_kills import CAN_KILL, one_load
from soak_runs import Report

SEEDS = range(2)

pytestmark = [
    pytest.mark.skipif(not CAN_KILL, reason="this system makes processes too slowly"),
    pytest.mark.many,
]


@cache
def load(kind: str, seed: int) -> Report:
    """Carry out a load, once for all tests."""
    return one_load(seed, kind)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_load_that_is_killed_goes_on(kind: str, seed: int) -> None:
    """Every row has one final outcome, and the account has each row once."""
    report = load(kind, seed)
    if report.failure:
        pytest.fail(f"{report.command}\n{report.failure}", pytrace=False)


def test_the_kills_come_in_the_midst_of_requests() -> None:
    """Some leave rows that may have been done."""
    seen = {name for seed in SEEDS for name in load("sync", seed).features}
    assert "met requests under way" in seen


def test_the_command_has_a_share_of_them() -> None:
    """The number is that of kills, of which a load has ten."""
    numbers = ["--kills", "10"]
    command = [sys.executable, soak.__file__, *numbers, "--processes", "1", "--kind", "async"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("soak: 1 runs in ")
