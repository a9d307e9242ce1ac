"""Hundreds of runs of every operation of the three families: what is said of each input is true.

`make soak` does a hundred thousand.
"""

from __future__ import annotations

from functools import cache

import pytest
from hubspot_batch import OutcomeStatus
from hubspot_batch_client.contract import VERSIONS
from soak_families import METHODS, one_of_families
from soak_runs import Report, run_all

RUNS = 200
# What has to occur, or the runs see nothing of it.
ALWAYS = {
    *(f"operation:{name}" for name in METHODS),
    *(f"version:{name}" for name in (None, *VERSIONS)),
    *(f"status:{name}" for name in OutcomeStatus),
    "ended",
    "UnfinishedError",
}


@cache
def runs(kind: str) -> tuple[Report, ...]:
    """Carry out the runs, once for both tests."""
    return tuple(run_all(one_of_families, kind, range(RUNS)))


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_every_outcome_is_true(kind: str) -> None:
    """No input is said to be done that is not, and none not done that is."""
    failed = [one for one in runs(kind) if one.failure]
    if failed:
        words = f"{len(failed)} of {RUNS} failed, the first:\n{failed[0].command}"
        pytest.fail(f"{words}\n{failed[0].failure}", pytrace=False)


@pytest.mark.once
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_the_runs_see_everything(kind: str) -> None:
    """Every operation, version and outcome occurred in them."""
    assert sorted(ALWAYS - {name for one in runs(kind) for name in one.features}) == []
