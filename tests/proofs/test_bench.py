"""The benchmark refuses measurements that would say nothing."""

from __future__ import annotations

import sys

import pytest
from bench import cost, rows, run

pytestmark = pytest.mark.once


def test_a_ratio_of_few_pairs_is_refused() -> None:
    """It would be a matter of chance."""
    few = [1.0] * (cost.FEWEST - 1)
    with pytest.raises(ValueError, match="15"):
        cost.ratio(few, few)
    assert cost.ratio([2.0, *few], [1.0, *few]).median == 1.0


def test_ratios_are_of_the_same_round() -> None:
    """Not of medians of their own: what else the machine does meets a round alike."""
    ours = [1.0, 20.0, 3.0] * 5
    theirs = [2.0, 10.0, 3.0] * 5
    assert cost.ratio(ours, theirs).median == 1.0
    assert cost.ratio(ours, [2 * one for one in ours]).median == 0.5


def test_goals() -> None:
    """A figure at its goal meets it; one without a goal is neither met nor missed."""
    assert rows.Row("a", 1.0, most=1.0).met is True
    assert rows.Row("a", 1.1, most=1.0).met is False
    assert rows.Row("a", 14.9, least=15.0).met is False
    assert rows.Row("a", 1.0).met is None


def test_a_goal_beyond_the_floor_is_out_of_reach() -> None:
    """Even less work misses it; where less work meets it, or was beaten, it is missed."""
    assert rows.Row("a", 8.0, least=15.0, floor=12.0).verdict == "out of reach"
    assert rows.Row("a", 8.0, least=15.0, floor=20.0).verdict == "MISSED"
    assert rows.Row("a", 1.3, most=1.2, floor=1.25).verdict == "out of reach"
    assert rows.Row("a", 16.0, least=15.0, floor=12.0).verdict == "met"
    assert rows.Row("a", 13.0, least=15.0, floor=12.0).verdict == "MISSED"
    assert rows.Row("a", 8.0, least=15.0).verdict == "MISSED"
    assert rows.Row("a", 8.0, floor=12.0).verdict == ""


def test_an_unknown_subject_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing is measured."""
    assert run.main(["speed"]) == 2
    assert "cost, start, rate, shared, throughput, memory, drift" in capsys.readouterr().out


def test_a_contestant_does_the_work() -> None:
    """One process asks another, over loopback, and says what it took."""
    names = (cost.PLAIN, cost.FASTEST, "function", "client", "client, in one thread")
    names += ("client, from rows", "client, async")
    for operation in cost.INPUTS:
        seconds = cost.compete(operation, names, rounds=2, times=1)
        assert [len(seconds[name]) for name in names] == [2] * len(names)
        assert all(one > 0 for name in names for one in seconds[name])


def test_a_contestant_that_gives_up_is_told() -> None:
    """A figure of work that was not done is none."""
    work = {"url": "http://127.0.0.1:9", "path": "/", "inputs": []}
    with (
        cost.contestant(cost.PLAIN, work, sys.executable) as one,
        pytest.raises(RuntimeError, match="httpx gave up"),
    ):
        one.cpu(1)
