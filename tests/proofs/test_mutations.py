"""Which changes of answers are tried: all but those that no client could see through.

What a client says when answers are changed is proved in `test_soak.py`.
"""

from __future__ import annotations

import random

import pytest
from evidence import Facts
from mutations import CHANGES, places_of
from soak_inputs import CALLS

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
