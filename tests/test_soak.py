"""Thousands of runs in which anything goes wrong: what is said of each input is true.

Each run comes out of its seed alone; `make soak` does a hundred thousand of them.
"""

from __future__ import annotations

from functools import cache

import pytest
from hubspot_batch import OutcomeStatus
from hubspot_batch.sandbox import FAULTS
from soak import main
from soak_inputs import FORMS, OPERATIONS
from soak_truth import KINDS
from soaking import Report, one_run, run_all

BLOCKS, SIZE = range(20), 52
CLIENTS = ("sync", "async")

# What has to occur, or the runs see nothing of it.
ALWAYS = {
    *(f"operation:{name}" for name in OPERATIONS),
    *(f"fault:{name}" for name in FAULTS),
    *(f"status:{status}" for status in OutcomeStatus),
    *(f"kind:{kind}" for kind in KINDS),
    *(f"form:{form}" for form in FORMS),
    *(f"concurrency:{number}" for number in range(1, 9)),
    *(f"sort:{sort}" for sort in ("good", "invalid", "refused", "either")),
    *(f"token:{form}" for form in ("fixed", "provider", "renewing", "stale", "failing")),
    *(f"stop:{how}" for how in ("close", "close twice", "leave", "client")),
    *(f"interruption:{place}" for place in ("before", "after", "sleep", "provider", "told")),
    *(f"raised:{name}" for name in ("CtrlC", "Halt", "Leave", "UnforeseenError")),
    *(f"input raised:{name}" for name in ("CtrlC", "Halt", "Leave", "ValueError")),
    *(f"wait:{reason}" for reason in ("rate_limit", "retry")),
    *(
        "interruption:input",
        "calm",
        "collect",
        "iterate",
        "exhausted",
        "company",
        "several at a time",
    ),
}
BY_CLIENT = {
    "sync": {"interruption:key"},
    "async": {"interruption:cancel", "interruption:timeout"},
}


@cache
def block(kind: str, number: int) -> tuple[Report, ...]:
    """Carry out a block of runs, once for all tests."""
    return tuple(run_all(one_run, kind, range(number * SIZE, (number + 1) * SIZE)))


@pytest.mark.parametrize("number", BLOCKS)
@pytest.mark.parametrize("kind", CLIENTS)
def test_every_outcome_is_true(kind: str, number: int, capfd: pytest.CaptureFixture[str]) -> None:
    """Whatever goes wrong, and wherever the run is interrupted."""
    with capfd.disabled():  # the watchdog's last words must be seen
        reports = block(kind, number)
    failed = [f"{report.command}\n{report.failure}" for report in reports if report.failure]
    if failed:
        pytest.fail(f"{len(failed)} of {SIZE} runs failed, the first:\n{failed[0]}", pytrace=False)


@pytest.mark.parametrize("kind", CLIENTS)
def test_the_runs_see_everything(kind: str) -> None:
    """Every fault, interruption, status and form of input occurred in them."""
    seen = {name for number in BLOCKS for report in block(kind, number) for name in report.features}
    assert sorted((ALWAYS | BY_CLIENT[kind]) - seen) == []


def test_a_seed_says_it_all() -> None:
    """The same run has the same features, so a failure can be looked at again."""
    assert one_run(7, "async") == one_run(7, "async")


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """It ends with a line that says how many runs there were."""
    numbers = ["--runs", "20", "--bodies", "20", "--signals", "0"]
    assert main([*numbers, "--processes", "1"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("soak: 40 runs in ")


def test_the_command_names_what_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A failure is printed with the command that repeats it, and the exit code says so."""
    failed = Report(3, "sync", "true", frozenset(), "AssertionError: untrue")
    monkeypatch.setattr("soak._all", lambda *_: [failed])
    assert main(["--runs", "1", "--bodies", "0"]) == 1
    said = capsys.readouterr().out
    assert "python tests/soak.py --seed 3 --kind sync --runs 1 --bodies 0" in said
    assert "untrue" in said
    assert "1 failed" in said
