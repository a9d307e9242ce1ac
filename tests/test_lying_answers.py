"""Answers that were changed on their way: an outcome is never untrue because of them.

The sandbox does what it does; then parts of its answer are dropped, doubled, stripped of names or
spelled otherwise. What is said of each input is compared with what the sandbox holds.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from typing import Any

import httpx
from faces import Face
from hubspot_batch import OutcomeStatus
from hubspot_batch.sandbox import Sandbox, SandboxTransport
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Change = Callable[[dict[str, Any], random.Random], None]
TITLES = ["A", "A ", "a", "B", " B", "0049", "49", "49.0"]


def drop(body: dict[str, Any], rng: random.Random) -> None:
    body["results"] = [result for result in body["results"] if rng.random() < 0.6]


def double(body: dict[str, Any], rng: random.Random) -> None:
    again = [copy.deepcopy(result) for result in body["results"] if rng.random() < 0.5]
    for result in again:
        if rng.random() < 0.5:
            result.pop("objectWriteTraceId", None)
    body["results"] += again


def forget_names(body: dict[str, Any], rng: random.Random) -> None:
    for result in body["results"]:
        if rng.random() < 0.5:
            result.pop("objectWriteTraceId", None)


def swap_names(body: dict[str, Any], rng: random.Random) -> None:
    for result in body["results"]:
        result["id"] = rng.choice([result["id"], int(result["id"]), None])


def rewrite(body: dict[str, Any], rng: random.Random) -> None:
    change = rng.choice([str.strip, str.casefold])
    for result in body["results"]:
        texts = result["properties"].items()
        result["properties"] = {k: change(v) if isinstance(v, str) else v for k, v in texts}


def forget_values(body: dict[str, Any], rng: random.Random) -> None:
    for result in body["results"]:
        kept = {k: v for k, v in result["properties"].items() if rng.random() < 0.6}
        result["properties"] = rng.choice([kept, {}, None])


def blur_errors(body: dict[str, Any], rng: random.Random) -> None:
    for error in body.get("errors") or ():
        error.pop("context", None)


def break_errors(body: dict[str, Any], rng: random.Random) -> None:
    if body.get("errors"):
        body["errors"] = rng.choice([None, [], "some", {"a": 1}, ["one"], [None]])


def add_junk(body: dict[str, Any], rng: random.Random) -> None:
    body["results"] += [None, 5, "x", [], {}]


# Each of them in this order, since the later ones rely on less.
CHANGES: tuple[Change, ...] = (
    *(rewrite, drop, double, forget_names, swap_names, forget_values),
    *(blur_errors, break_errors, add_junk),
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**20),
    titles=st.lists(st.sampled_from(TITLES), min_size=1, max_size=6),
    bad=st.sets(st.integers(0, 5)),
    changes=st.sets(st.sampled_from(CHANGES), max_size=4),
    echo=st.sampled_from([0.0, 0.5, 1.0]),
)
def test_no_outcome_is_untrue(
    face: Face, seed: int, titles: list[str], bad: set[int], changes: set[Change], echo: float
) -> None:
    """Succeeded is done, failed is not, no result is another input's, and none stands twice."""
    sandbox = Sandbox(seed=seed, trace_echo=echo)
    inner = SandboxTransport(sandbox)
    rng = random.Random(seed)

    def lie(request: httpx.Request) -> httpx.Response:
        answer = inner.handle_request(request)
        body = json.loads(answer.content)
        for change in CHANGES:
            if change in changes:
                change(body, rng)
        return httpx.Response(answer.status_code, json=body)

    rows = [
        {
            "properties": {"hs_timestamp": "2026-01-31T12:00:00Z", "hs_call_title": title}
            | ({"hs_call_duration": "long"} if number in bad else {}),
            # What tells the records apart, and no answer repeats.
            "associations": [
                {
                    "to": {"id": str(number)},
                    "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 194}],
                }
            ],
        }
        for number, title in enumerate(titles)
    ]
    result = face(transport=httpx.MockTransport(lie)).calls.create(rows)
    held = {
        int(record.associations[0]["to"]["id"]): record.id for record in sandbox.records("calls")
    }
    assert [outcome.index for outcome in result.outcomes] == list(range(len(rows)))
    told: list[str] = []
    for outcome in result.outcomes:
        if outcome.status is OutcomeStatus.SUCCEEDED:
            assert outcome.index in held
        elif outcome.status is not OutcomeStatus.UNKNOWN:
            assert outcome.index not in held
        if outcome.result is not None and outcome.result.id is not None:
            told.append(str(outcome.result.id))
            assert told[-1] == held[outcome.index]
    assert len(set(told)) == len(told)
