"""Thousands of runs in which anything goes wrong: what is said of each input is true.

Each run comes out of its seed alone; `make soak` does a hundred thousand of them, and as many whose
answers are changed on their way.
"""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest
from hubspot_batch import OutcomeStatus
from hubspot_batch.sandbox import FAULTS
from mutations import CHANGES, RECIPES
from soak import main
from soak_inputs import FORMS, OPERATIONS
from soak_oracle import KINDS
from soak_runs import Report, one_body, one_run, run_all

CLIENTS = ("sync", "async")

# What has to occur, or the runs see nothing of it.
ANYTHING = {
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
CHANGED = {
    *(f"operation:{name}" for name in OPERATIONS),
    *(f"change:{name}" for name in (*CHANGES, *RECIPES, "status")),
    *(f"answers:{form}" for form in ("changed", "recorded")),
    *(f"status:{status}" for status in OutcomeStatus),
    *(f"change:body {name}" for name in ("cut", "byte", "hole", "twice", "utf-16", "empty")),
    *(f"change:header {name}" for name in ("Content-Encoding", "Content-Type", "Retry-After")),
    *(f"HTTP {status}" for status in (200, 201, 207, 400, 401, 403, 423, 429, 477, 500)),
}
# What is run, how many runs are a block and how many blocks there are, and what has to occur.
SORTS = {
    "anything": (one_run, 52, 20, ANYTHING),
    "changed answers": (one_body, 150, 10, CHANGED),
}
EVERY_BLOCK = [
    (sort, number) for sort, (_, _, count, _) in SORTS.items() for number in range(count)
]


@cache
def block(sort: str, kind: str, number: int) -> tuple[Report, ...]:
    """Carry out a block of runs, once for all tests."""
    run, size, _, _ = SORTS[sort]
    return tuple(run_all(run, kind, range(number * size, (number + 1) * size)))


@pytest.mark.parametrize(
    ("sort", "number"),
    [
        pytest.param(sort, number, marks=[pytest.mark.many, pytest.mark.once] if number else [])
        for sort, number in EVERY_BLOCK
    ],
)
@pytest.mark.parametrize("kind", CLIENTS)
def test_every_outcome_is_true(
    sort: str, kind: str, number: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """Every outcome is true, for any fault, interruption and change of a response."""
    with capfd.disabled():  # the watchdog's last words must be seen
        reports = block(sort, kind, number)
    failed = [f"{report.command}\n{report.failure}" for report in reports if report.failure]
    if failed:
        words = f"{len(failed)} of {len(reports)} runs failed, the first:\n{failed[0]}"
        pytest.fail(words, pytrace=False)


@pytest.mark.many
@pytest.mark.once
@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("kind", CLIENTS)
def test_the_runs_see_everything(sort: str, kind: str) -> None:
    """Every fault, change, interruption, status and form of input occurred in them."""
    _, _, count, always = SORTS[sort]
    seen = {
        name
        for number in range(count)
        for report in block(sort, kind, number)
        for name in report.features
    }
    wanted = always | BY_CLIENT[kind] if sort == "anything" else always
    assert sorted(wanted - seen) == []


def test_a_seed_says_it_all() -> None:
    """The same run has the same features, so a failure can be looked at again."""
    assert one_run(7, "async") == one_run(7, "async")


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """It ends with a line that says how many runs there were."""
    numbers = ["--runs", "20", "--bodies", "20"]
    assert main([*numbers, "--processes", "1"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("soak: 40 runs in ")


def test_the_command_names_what_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A failure is printed with the command that repeats it, and the exit code says so."""
    failed = Report(3, "sync", "true", frozenset(), "AssertionError: untrue")
    monkeypatch.setattr("soak._all", lambda *_: ([failed], Counter[str]()))
    assert main(["--runs", "1"]) == 1
    said = capsys.readouterr().out
    assert "python tests/proofs/soak.py --seed 3 --kind sync --runs 1" in said
    assert "untrue" in said
    assert "1 failed" in said
