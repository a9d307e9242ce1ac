"""Answers that were changed on their way: an outcome is never untrue because of them.

`make soak` does a hundred thousand of these runs.
"""

from __future__ import annotations

import random
from functools import cache

import pytest
from evidence import Facts
from hubspot_batch import OutcomeStatus
from mutations import CHANGES, RECIPES, places_of
from soak_inputs import CALLS, OPERATIONS
from soaking import Report, one_body, run_all

BLOCKS, SIZE = range(10), 150
CLIENTS = ("sync", "async")
ALWAYS = {
    *(f"operation:{name}" for name in OPERATIONS),
    *(f"change:{name}" for name in (*CHANGES, *RECIPES, "status")),
    *(f"answers:{form}" for form in ("changed", "recorded")),
    *(f"status:{status}" for status in OutcomeStatus),
    *(f"change:body {name}" for name in ("cut", "byte", "hole", "twice", "utf-16", "empty")),
    *(f"change:header {name}" for name in ("Content-Encoding", "Content-Type", "Retry-After")),
    *(f"HTTP {status}" for status in (200, 201, 207, 400, 401, 403, 423, 429, 477, 500)),
}


@cache
def block(kind: str, number: int) -> tuple[Report, ...]:
    """Carry out a block of runs, once for all tests."""
    return tuple(run_all(one_body, kind, range(number * SIZE, (number + 1) * SIZE)))


@pytest.mark.parametrize("number", BLOCKS)
@pytest.mark.parametrize("kind", CLIENTS)
def test_no_outcome_is_untrue(kind: str, number: int, capfd: pytest.CaptureFixture[str]) -> None:
    """Succeeded is done, failed is not, no result is another input's, and none stands twice."""
    with capfd.disabled():  # the watchdog's last words must be seen
        reports = block(kind, number)
    failed = [f"{report.command}\n{report.failure}" for report in reports if report.failure]
    if failed:
        pytest.fail(f"{len(failed)} of {SIZE} runs failed, the first:\n{failed[0]}", pytrace=False)


@pytest.mark.parametrize("kind", CLIENTS)
def test_the_runs_see_every_change(kind: str) -> None:
    """Each change was made, to answers of each operation."""
    seen = {name for number in BLOCKS for report in block(kind, number) for name in report.features}
    assert sorted(ALWAYS - seen) == []


FACTS = Facts(
    CALLS,
    keys={"0": "trace-0", "1": "trace-1", "2": "trace-2"},
    properties={n: {"hs_call_title": f"Call {n}"} for n in "012"},
    done=frozenset({"0", "1"}),
)


def result(origin: str, **more: object) -> dict[str, object]:
    return {"id": f"5{origin}", "soakOrigin": origin, **more}


@pytest.mark.parametrize(
    "document",
    [
        {"results": [result("0", objectWriteTraceId="trace-1")]},
        {"results": [result("0", objectWriteTraceId="trace-2")]},
        {"results": [result("0", properties={"hs_call_title": "call  1"})]},
        {"results": [result("0"), result("0", id="59")]},
        {"results": [result("0"), result("1"), result("2")]},
        {"results": [{"id": 0}]},
        {"errors": [{"context": {"objectWriteTraceId": ["trace-0"]}}]},
        {"errors": [{"message": "trace-1 is bad"}]},
    ],
    ids=str,
)
def test_forged_evidence_is_not_tried(document: dict[str, object]) -> None:
    """No client can see through an answer that says what is not so, and nothing against it."""
    assert FACTS.forged(document)


@pytest.mark.parametrize(
    "document",
    [
        {"results": [result("0", objectWriteTraceId="trace-0"), result("1")]},
        {"results": [result("0"), result("0")]},
        {"results": [result("0", properties={"hs_call_title": "CALL 0"})]},
        {"results": [result("0", properties={"hs_call_title": None})]},
        {
            "results": [
                result("0", objectWriteTraceId="trace-0"),
                result("0", objectWriteTraceId="trace-1"),
            ]
        },
        {"errors": [{"context": {"objectWriteTraceId": ["trace-2"]}}]},
        {"results": [None, 5], "errors": "some"},
        None,
    ],
    ids=str,
)
def test_evidence_that_is_lost_or_contradicts_itself_is_tried(document: object) -> None:
    """That is what a client has to see through."""
    assert not FACTS.forged(document)


def test_changes_reach_any_depth() -> None:
    """A walk that stayed at the top would change little."""
    seen: set[str] = set()
    for seed in range(300):
        document = {"a": [{"b": {"c": ["deep"]}}]}
        root = [document]
        places = places_of(root)
        CHANGES["odd"](random.Random(seed), random.Random(seed).choice(places), places)
        seen.add(str(root))
    assert len(seen) > 30
