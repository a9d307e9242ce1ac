"""Loads of a file whose processes are cut off: by SIGKILL, by SIGTERM, or by a full disk.

`make soak` cuts two thousand processes off.
"""

from __future__ import annotations

import subprocess
import sys
from functools import cache

import pytest
import soak
from soak_jobs import CAN_CUT_OFF, one_job
from soak_runs import Report

SEEDS = (101, 104)

pytestmark = [
    pytest.mark.skipif(not CAN_CUT_OFF, reason="this system makes processes too slowly"),
    pytest.mark.many,
]


@cache
def load(seed: int) -> Report:
    """Carry out a load, once for all tests."""
    return one_job(seed, "sync")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_load_that_is_cut_off_goes_on(seed: int) -> None:
    """Every row has one outcome, the account has each row once, and all files can be read."""
    report = load(seed)
    if report.failure:
        pytest.fail(f"{report.command}\n{report.failure}", pytrace=False)


def test_processes_are_cut_off() -> None:
    """Else the loads above would prove nothing."""
    seen = {name for seed in SEEDS for name in load(seed).features}
    assert seen & {"met kill", "met term", "met full"}


def test_the_command_has_a_share_of_them() -> None:
    """The number is that of processes, of which a load has up to ten."""
    command = [sys.executable, soak.__file__, "--jobs", "10", "--processes", "1", "--seed", "104"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("soak: 1 runs in ")
