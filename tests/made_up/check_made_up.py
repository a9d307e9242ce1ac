"""Made-up operations in a copy of the project, of which only a fragment was added.

`tests/tools/test_every_shape.py` makes that copy, and runs these with what was generated there.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import httpx
import pytest
from both_clients import ClientFactory
from hubspot_batch import ConfigurationError, OutcomeStatus
from hubspot_batch.sandbox import Sandbox, script
from hubspot_batch_client.contract import OPERATIONS
from made_up_shapes import MadeUp

SUCCEEDED, FAILED, UNKNOWN = OutcomeStatus.SUCCEEDED, OutcomeStatus.FAILED, OutcomeStatus.UNKNOWN
TABLE = "a b/ä?"
MADE = [MadeUp(*one) for one in json.loads(Path(os.environ["MADE_UP"]).read_text("utf-8"))]
made_up = pytest.mark.parametrize("one", MADE, ids=lambda one: "-".join(map(str, one[1:])))


def inputs(one: MadeUp, count: int, first: int = 1) -> list[Any]:
    """Inputs that name different records, each with values of its own."""
    found: list[Any] = []
    for number in range(first, first + count):
        named: dict[str, Any] = {
            "id": {"id": f"n{number}"},
            "objectId": {"objectId": f"n{number}"},
            "said": {"code": f"n{number}", "other": "o"},
            "number": {"id": number},
            "together": {"accountId": "a", "eventId": f"n{number}"},
            "bare": {},
            "fields": {},
            "either": {"id": f"n{number}"},
        }[one.key]
        more: dict[str, Any] = {"title": f"T{number}"}
        if one.key == "either" and number % 2:
            more = {"flag": True}
        found.append(f"n{number}" if one.key == "bare" else named | more)
    return found


def store_of(one: MadeUp) -> str:
    return f"{one.tag}/{TABLE}" if one.path == "named" else one.tag


def filled(one: MadeUp, count: int, **how: Any) -> Sandbox:
    """A sandbox with the records that inputs name, if the operation needs some that exist."""
    sandbox = Sandbox(rate_limit=None, **how)
    described = OPERATIONS[one.id]
    for given in inputs(one, count) if described.kind != "create" else ():
        name = None
        if isinstance(given, str):
            name = given
        elif len(described.key) == 1:
            name = str(given[described.key[0]])
        fields = {} if isinstance(given, str) else given
        sandbox.add_record(store_of(one), name, fields=fields)
    return sandbox


def run(
    make_client: ClientFactory, transport: Any, one: MadeUp, rows: list[Any], **more: Any
) -> Any:
    method = getattr(getattr(make_client(transport=transport), one.tag), one.kind)
    if one.path == "named":
        more.setdefault("table_id_or_name", TABLE)
    return method(rows, **more)


def is_own(one: MadeUp, outcome: Any) -> bool:
    """Whether a result is the outcome's own."""
    given, result = outcome.input, outcome.result.to_dict()
    if isinstance(given, str):
        return bool(result["id"] == given)
    same = {name: str(value) for name, value in given.items() if name in result}
    return bool(same) and same == {name: str(result[name]) for name in same}


def check(one: MadeUp, result: Any, count: int) -> None:
    assert len(result.outcomes) == count
    for outcome in result.succeeded:
        if outcome.result is not None:
            assert is_own(one, outcome)
    if one.answer == "none":
        assert all(outcome.result is None for outcome in result.outcomes)
        assert result.unmatched == ()


@made_up
def test_all_are_done(make_client: ClientFactory, one: MadeUp) -> None:
    """Each input succeeds, with the result that is its own."""
    sandbox = filled(one, 4)
    rows = inputs(one, 4)
    result = run(make_client, sandbox, one, rows)
    check(one, result, 4)
    assert [outcome.status for outcome in result.outcomes] == [SUCCEEDED] * 4
    # Two flags are alike, so it is open which result is whose: all that is known is their number.
    alike = one.kind in ("create", "upsert") and one.key == "either"
    if one.answer != "none" and not alike:
        assert all(outcome.result is not None for outcome in result.outcomes)
    assert sorted(entry.inputs or 0 for entry in sandbox.requests) == [1, 3]


@made_up
@pytest.mark.parametrize("fault", ["reset_after", "502_after", "timeout_before"])
def test_a_lost_answer(make_client: ClientFactory, one: MadeUp, fault: str) -> None:
    """An operation that may be done twice is repeated; another is unknown, done at most once."""
    sandbox = filled(one, 3, faults=script([fault]))
    result = run(make_client, sandbox, one, inputs(one, 3))
    check(one, result, 3)
    kind = OPERATIONS[one.id].kind
    repeatable = kind in ("read", "update", "upsert", "archive")
    assert len(sandbox.requests) == (2 if repeatable else 1)
    expected = SUCCEEDED if repeatable else UNKNOWN
    if one.answer != "none" and kind == "archive" and fault.endswith("after"):
        expected = UNKNOWN  # the second answer has no results, since all are gone
    assert {outcome.status for outcome in result.outcomes} == {expected}


@made_up
def test_a_refused_request(make_client: ClientFactory, one: MadeUp) -> None:
    """A 400 is for all; where it may be split, each input learns why it was refused."""
    sandbox = filled(one, 3, faults=script(["refused"] * 20))
    result = run(make_client, sandbox, one, inputs(one, 3))
    check(one, result, 3)
    assert not result.succeeded
    repeatable = OPERATIONS[one.id].kind in ("read", "update", "upsert", "archive")
    assert {outcome.status for outcome in result.outcomes} == {FAILED if repeatable else UNKNOWN}


@made_up
def test_a_part_is_refused(make_client: ClientFactory, one: MadeUp) -> None:
    """A 207 never lets an input seem done that was refused."""
    sandbox = filled(one, 3, faults=script(["inputs_refused"]))
    result = run(make_client, sandbox, one, inputs(one, 3))
    check(one, result, 3)
    assert not result.succeeded
    # The id of an upsert can be anything, so an error about it can be about another record.
    by_id = one.kind == "upsert" and one.key in ("id", "number", "either")
    if not (by_id or one.key in ("fields", "together") or OPERATIONS[one.id].kind == "create"):
        assert {outcome.status for outcome in result.outcomes} == {FAILED}


@made_up
def test_the_same_twice(make_client: ClientFactory, one: MadeUp) -> None:
    """Two inputs for one record get two outcomes, and neither the other's result."""
    sandbox = filled(one, 2)
    result = run(make_client, sandbox, one, inputs(one, 2) * 2)
    check(one, result, 4)
    assert not result.failed


@made_up
def test_a_wrong_input_is_never_sent(make_client: ClientFactory, one: MadeUp) -> None:
    """It says what an input is; and an argument of the path is checked."""
    sandbox = filled(one, 1)
    for wrong in (None, [], {"odd": 1}, ""):
        (outcome,) = run(make_client, sandbox, one, [wrong]).outcomes
        assert outcome.error is not None
        assert outcome.error.kind == "invalid_input"
    if one.path == "named":
        for part in ("", ".", "..", 5, "\ud800"):
            with pytest.raises(ConfigurationError, match="table_id_or_name must be"):
                run(make_client, sandbox, one, inputs(one, 1), table_id_or_name=part)
        with pytest.raises(TypeError):
            getattr(getattr(make_client(transport=sandbox), one.tag), one.kind)(inputs(one, 1))
    assert not sandbox.requests


def test_the_path_is_quoted(make_client: ClientFactory) -> None:
    """A slash in an argument is no slash of the address."""
    one = next(one for one in MADE if one.path == "named" and one.kind == "create")
    seen: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.raw_path)
        return httpx.Response(400, json={"message": "no"})

    run(make_client, httpx.MockTransport(answer), one, inputs(one, 1))
    assert seen == [
        OPERATIONS[one.id].path.replace("{tableIdOrName}", "a%20b%2F%C3%A4%3F").encode()
    ]
