"""Hundreds of runs whose lost responses are looked up: what is said of each input is true.

`make soak` does a hundred thousand.
"""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest
from soak_lookups import (
    CHANGES,
    FAILURES,
    LAGS,
    LOSSES,
    PATIENCE,
    WAYS,
    WRONG_BY,
    one_lookup,
    shares,
    unknown_by_key,
)
from soak_runs import Report, run_all

RUNS, BLOCK = 400, 100
# What has to occur, or the runs see nothing of it.
ALWAYS = {
    *("family:calls", "family:campaigns"),
    *(f"found by {evidence}" for evidence in ("key", "stamp", "properties")),
    *(f"way:{way}" for ways in WAYS.values() for way in ways),
    *(f"inline:{inline}" for inline in (True, False)),
    *("status:succeeded", "status:unknown", "status:not_sent"),
    *("kind:not_found", "kind:not_distinguished", "kind:no_answer", "kind:absent"),
    *("others write:twins", "others write:strangers"),
    *(f"loss:{name}" for name in (*LOSSES, "late")),
    *(f"look-up:{name}" for name in (*FAILURES, *CHANGES)),
    *(f"lag:{lag}" for lag in LAGS),
    *(f"clock wrong by:{seconds}" for seconds in WRONG_BY),
    *(f"assumes:{seconds}" for seconds in (None, PATIENCE)),
}


@cache
def block(kind: str, number: int) -> tuple[Report, ...]:
    """Carry out a block of runs, once for all tests."""
    return tuple(run_all(one_lookup, kind, range(number * BLOCK, (number + 1) * BLOCK)))


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(number, marks=[pytest.mark.many, pytest.mark.once] if number else [])
        for number in range(RUNS // BLOCK)
    ],
)
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_every_look_up_is_true(kind: str, number: int) -> None:
    """No input is said to be done that is not, and none not sent that is there."""
    failed = [one for one in block(kind, number) if one.failure]
    if failed:
        words = f"{len(failed)} of {BLOCK} failed, the first:\n{failed[0].command}"
        pytest.fail(f"{words}\n{failed[0].failure}", pytrace=False)


@pytest.mark.many
@pytest.mark.once
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_the_look_ups_see_everything(kind: str) -> None:
    """Every loss, failure, lag and outcome occurred in them."""
    seen = {name for at in range(RUNS // BLOCK) for one in block(kind, at) for name in one.features}
    assert sorted(ALWAYS - seen) == []


@pytest.mark.many
@pytest.mark.once
def test_hardly_anything_with_a_key_stays_unknown() -> None:
    """The shares are those that `make soak` prints."""
    counts: Counter[str] = Counter()
    for kind in ("sync", "async"):
        for number in range(RUNS // BLOCK):
            for report in block(kind, number):
                counts.update(report.counts)
    assert unknown_by_key(counts) == ""
    assert {line.partition(":")[0] for line in shares(counts)} >= {
        *(f"unknown by {way}" for way in WAYS["calls"]),
    }
