"""A refused request is taken apart, until its bad inputs stand alone and the others are done."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Collection
from typing import Any

import httpx
import pytest
from both_clients import ClientFactory
from hubspot_batch import (
    AuthenticationError,
    BatchResult,
    DailyLimitError,
    HubSpotBatchError,
    MissingScopesError,
    UnreachableError,
)
from hubspot_batch.sandbox import Sandbox
from hubspot_batch_client.contract import OPERATIONS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted_server import (
    CALLS,
    CAMPAIGNS,
    CREATES,
    DONE,
    KINDS,
    READ,
    UPDATE,
    ScriptedServer,
    SeenRequest,
    Step,
    assert_true,
    carry_out,
    carry_out_or_stop,
    fails,
    held,
    meeting,
    says,
    statuses,
    wanted,
)

pytestmark = pytest.mark.many

SPLITTING = (400, 409, 413)
LIMIT = OPERATIONS[CALLS].max_inputs or 0


def spoil(kind: str, row: dict[str, Any], name: str) -> dict[str, Any]:
    """Return an input that the servers below do not like, and name in their words."""
    row = copy.deepcopy(row)
    if kind == READ:
        row["id"] = name
    elif kind == UPDATE:
        row["eventName"] = name
    else:
        row["properties"]["hs_call_title" if kind == CALLS else "hs_name"] = name
    return row


def name_of(kind: str, row: dict[str, Any]) -> str:
    if kind in (READ, UPDATE):
        return str(row["id" if kind == READ else "eventName"])
    return str(row["properties"]["hs_call_title" if kind == CALLS else "hs_name"])


def refusing(kind: str, status: int = 400) -> Callable[[SeenRequest, int], Step]:
    """Refuse a request as a whole for its first bad input, and name no other."""

    def meet(seen: SeenRequest, number: int) -> Step:
        names = [name_of(kind, one) for one in seen.inputs]
        bad = next((name for name in names if name.startswith("bad")), None)
        if bad is None:
            return DONE
        return says(status, {"message": f"It is {bad}.", "category": "VALIDATION_ERROR"})

    return meet


def rows(
    sandbox: Sandbox, kind: str, count: int, bad: Collection[int] = ()
) -> list[dict[str, Any]]:
    """Return inputs that are good except in some places."""
    made = wanted(sandbox, kind, count)
    return [spoil(kind, one, f"bad{n}") if n in bad else one for n, one in enumerate(made)]


def isolating(kind: str) -> dict[str, bool]:
    return {"isolate": True} if kind == CAMPAIGNS else {}


def assert_isolated(
    result: BatchResult[Any], bad: Collection[int], status: int, doubtful: Collection[int] = ()
) -> None:
    """The bad ones have the server's words about themselves, and the others are done."""
    for outcome in result.outcomes:
        if outcome.index in bad:
            assert outcome.status == ("unknown" if outcome.index in doubtful else "failed")
            assert outcome.error is not None
            assert outcome.error.kind == "refused"
            words = f"It is bad{outcome.index}."
            assert outcome.error.message.startswith(words)
            assert (outcome.error.message == words) is (outcome.index not in doubtful)
            assert outcome.error.category == "VALIDATION_ERROR"
            assert outcome.error.status_code == status
        else:
            assert outcome.status == "succeeded"
            assert outcome.error is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", SPLITTING)
@pytest.mark.parametrize("bad", [{3}, {0}, {19}, {7, 8}, {0, 10, 19}, {1, 2, 3, 4}], ids=str)
def test_each_bad_input_stands_alone(
    make_client: ClientFactory, kind: str, status: int, bad: set[int]
) -> None:
    """With the server's words about itself; every other one is done, and done once."""
    sandbox = Sandbox()
    server = ScriptedServer(sandbox, meet=refusing(kind, status))
    inputs = rows(sandbox, kind, 20, bad)
    result = carry_out(meeting(make_client, server), kind, inputs, **isolating(kind))
    # A refused request of campaigns may have created some, and a 409 may come from that. The first
    # bad input is the reason of the first 409.
    doubtful = bad - {min(bad)} if (kind, status) == (CAMPAIGNS, 409) else set[int]()
    assert_isolated(result, bad, status, doubtful)
    assert [outcome.input for outcome in result.outcomes] == inputs
    assert_true(result, sandbox, kind)
    assert len(server.seen) <= 1 + 2 * math.ceil(math.log2(20)) * len(bad)
    assert result.unmatched == ()


@pytest.mark.parametrize("most", [1, 8])
@pytest.mark.parametrize("kind", [READ, UPDATE, CALLS])
def test_one_bad_input_of_a_full_request_is_found_wherever_it_stands(
    make_client: ClientFactory, kind: str, most: int
) -> None:
    """In a few more requests; the requests beside it are none the wiser."""
    full = OPERATIONS[kind].max_inputs or 100
    for place in (0, 1, full // 2, full - 1):
        sandbox = Sandbox(rate_limit=None)
        server = ScriptedServer(sandbox, meet=refusing(kind))
        bad = {full + place}
        inputs = rows(sandbox, kind, 3 * full, bad)
        result = carry_out(meeting(make_client, server, max_concurrency=most), kind, inputs)
        assert_isolated(result, bad, 400)
        assert_true(result, sandbox, kind)
        assert len(server.seen) <= 3 + 2 * math.ceil(math.log2(full))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", SPLITTING)
def test_looking_for_bad_inputs_has_an_end(
    make_client: ClientFactory, kind: str, status: int
) -> None:
    """HubSpot wants few errors: when all are bad, the search is given up, and said to be."""
    full = OPERATIONS[kind].max_inputs or 100
    sandbox = Sandbox(rate_limit=None)
    server = ScriptedServer(sandbox, meet=refusing(kind, status))
    inputs = rows(sandbox, kind, 2 * full, range(2 * full))
    result = carry_out(meeting(make_client, server), kind, inputs, **isolating(kind))
    for outcome in result.outcomes:
        assert outcome.error is not None
        # A refused request of several campaigns may have created some of them.
        alone = outcome.error.kind == "refused" and (status != 409 or outcome.index % full == 0)
        doubtful = kind == CAMPAIGNS and status != 413 and not alone
        assert outcome.status == ("unknown" if doubtful else "failed")
    alone = {len(seen.inputs) for seen in server.seen}
    assert len(server.seen) <= 2 * 60, "far fewer than two for each input"
    assert alone >= {full, full // 2}
    for outcome in result.outcomes:
        assert outcome.error is not None
        assert outcome.error.kind in ("refused", "batch_refused")
        assert outcome.error.message.startswith("It is bad")
        if outcome.error.kind == "refused":
            assert outcome.error.message.startswith(f"It is bad{outcome.index}.")


def test_what_the_search_did_not_reach_is_not_done(make_client: ClientFactory) -> None:
    """Good inputs beside many bad ones can fail with them; that is said, and it is true."""
    sandbox = Sandbox(rate_limit=None)
    server = ScriptedServer(sandbox, meet=refusing(CALLS))
    bad = set(range(0, LIMIT, 2))
    result = carry_out(meeting(make_client, server), CALLS, rows(sandbox, CALLS, LIMIT, bad))
    assert_true(result, sandbox, CALLS)
    assert len(server.seen) <= 60
    for outcome in result.outcomes:
        if outcome.index not in bad and outcome.status == "failed":
            assert outcome.error is not None
            assert outcome.error.kind == "batch_refused"
    assert {str(o.status) for o in result.outcomes if o.index in bad} == {"failed"}


@pytest.mark.parametrize("status", [400, 409])
def test_campaigns_are_only_taken_apart_on_request(make_client: ClientFactory, status: int) -> None:
    """Nothing says whether a refused batch of campaigns was carried out in part."""
    sandbox = Sandbox()
    server = ScriptedServer(sandbox, meet=refusing(CAMPAIGNS, status))
    inputs = rows(sandbox, CAMPAIGNS, 6, {2})
    result = carry_out(meeting(make_client, server), CAMPAIGNS, inputs, chunk_size=3)
    assert statuses(result) == ["unknown"] * 3 + ["succeeded"] * 3
    assert {o.error.kind for o in result.unknown if o.error} == {"batch_refused"}
    assert len(server.seen) == 2


def test_iterating_takes_apart_too(make_client: ClientFactory) -> None:
    """Every operation has both forms."""
    for kind in KINDS:
        sandbox = Sandbox()
        client = meeting(make_client, ScriptedServer(sandbox, meet=refusing(kind)))
        inputs = rows(sandbox, kind, 9, {4})
        forms = {
            READ: client.campaigns.read_iter,
            UPDATE: client.marketing_events.update_iter,
            CALLS: client.calls.create_iter,
            CAMPAIGNS: client.campaigns.create_iter,
        }
        outcomes = list(forms[kind](inputs, **isolating(kind)))
        told = BatchResult(tuple(sorted(outcomes, key=lambda outcome: outcome.index)))
        assert_isolated(told, {4}, 400)
        assert_true(told, sandbox, kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", [404, 414, 415, 422, 307, 501, 522])
def test_other_refusals_are_of_the_whole_request(
    make_client: ClientFactory, kind: str, status: int
) -> None:
    """No input is to blame for them."""
    server = ScriptedServer(Sandbox(), says(status, {"message": "no", "category": "X"}))
    inputs = wanted(server.sandbox, kind, 5)
    result = carry_out(meeting(make_client, server), kind, inputs, **isolating(kind))
    # HubSpot does not say whether it has created some campaigns before it met a bad value.
    partial = kind == CAMPAIGNS and status in (404, 422)
    assert statuses(result) == ["unknown" if partial else "failed"] * 5
    kinds = {outcome.error.kind for outcome in result.outcomes if outcome.error}
    assert kinds == {"batch_refused"}
    assert len(server.seen) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("met", "error"),
    [
        (says(401), AuthenticationError),
        (says(403, {"message": "scope"}), MissingScopesError),
        (says(429, {"policyName": "DAILY"}), DailyLimitError),
        (fails(httpx.ConnectError), UnreachableError),
    ],
    ids=["401", "403", "day", "unreachable"],
)
def test_what_stops_a_run_stops_the_search(
    make_client: ClientFactory, kind: str, met: Step, error: type[HubSpotBatchError]
) -> None:
    """Inputs that had not been sent again by then are not done, except that campaigns may be."""
    sandbox = Sandbox()
    refuse = refusing(kind)
    server = ScriptedServer(
        sandbox, meet=lambda seen, number: met if number >= 2 else refuse(seen, number)
    )
    client = meeting(make_client, server, max_concurrency=1)
    inputs = rows(sandbox, kind, 8, {6})
    with pytest.raises(error) as caught:
        carry_out(client, kind, inputs, chunk_size=8, **isolating(kind))
    result = caught.value.result
    assert result is not None
    left = "unknown" if kind == CAMPAIGNS else "not_sent"
    assert statuses(result) == ["succeeded"] * 4 + [left] * 4
    kinds = {outcome.error.kind for outcome in result.outcomes if outcome.error}
    assert kinds == {"batch_refused" if kind == CAMPAIGNS else "stopped"}
    assert_true(result, sandbox, kind)


@pytest.mark.parametrize(
    "last",
    [says(403, {"message": "scope"}), says(429, {"policyName": "DAILY"}), says(401)],
    ids=str,
)
def test_a_doubt_goes_with_all_parts(make_client: ClientFactory, last: Step) -> None:
    """A request that may have been done as a whole is unknown in each part, sent again or not."""
    sandbox = Sandbox()
    steps = [says(503, work=True), says(400, {"message": "One of them is bad."}), last]
    inputs = wanted(sandbox, UPDATE, 8)
    result = carry_out_or_stop(
        meeting(make_client, ScriptedServer(sandbox, *steps)), UPDATE, inputs
    )
    assert statuses(result) == ["unknown"] * 8
    assert_true(result, sandbox, UPDATE)


@pytest.mark.parametrize("kind", CREATES)
def test_a_part_whose_answer_is_lost_is_unknown_alone(
    make_client: ClientFactory, kind: str
) -> None:
    """The other parts go on."""
    sandbox = Sandbox()
    refuse = refusing(kind)

    def meet(seen: SeenRequest, number: int) -> Step:
        return says(502, work=True) if number == 1 else refuse(seen, number)

    client = meeting(make_client, ScriptedServer(sandbox, meet=meet), max_concurrency=1)
    result = carry_out(client, kind, rows(sandbox, kind, 8, {6}), **isolating(kind))
    assert statuses(result) == [
        *["unknown"] * 4,
        *["succeeded", "succeeded", "failed", "succeeded"],
    ]
    assert_true(result, sandbox, kind)
    assert len(held(sandbox, kind)) == 7


def test_the_parts_are_repeated_like_any_request(make_client: ClientFactory) -> None:
    """A lock or a limit in the middle of the search is waited for."""
    sandbox = Sandbox()
    refuse = refusing(CALLS)

    def meet(seen: SeenRequest, number: int) -> Step:
        passing = {1: says(423), 3: says(429), 5: fails(httpx.ConnectError)}
        return passing.get(number) or refuse(seen, number)

    client = meeting(make_client, ScriptedServer(sandbox, meet=meet), max_concurrency=1)
    result = carry_out(client, CALLS, rows(sandbox, CALLS, 8, {6}))
    assert_isolated(result, {6}, 400)
    assert_true(result, sandbox, CALLS)


@pytest.mark.parametrize("kind", [READ, UPDATE, CALLS])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**16),
    bad=st.sets(st.integers(0, 29), max_size=8),
    chunk=st.integers(1, 30),
    faults=st.dictionaries(
        st.integers(0, 30), st.sampled_from(["503", "429", "reset", "401", "cut", "500"])
    ),
)
def test_whatever_happens_meanwhile_the_account_is_true(
    make_client: ClientFactory,
    kind: str,
    seed: int,
    bad: set[int],
    chunk: int,
    faults: dict[int, str],
) -> None:
    """Outcomes add up, stand in their order, and agree with the store."""
    sandbox = Sandbox(seed=seed, rate_limit=None)
    refuse = refusing(kind)

    def meet(seen: SeenRequest, number: int) -> Step:
        judged = refuse(seen, number)
        work = judged.work and (seed + number) % 2 == 0
        meant = {
            "503": says(503, work=work),
            "500": says(500, work=work),
            "429": says(429),
            "401": says(401),
            "cut": says(200, '{"res', work=work),
            "reset": fails(httpx.ReadError, work=work),
        }
        return meant.get(faults.get(number, ""), judged)

    client = meeting(
        make_client, ScriptedServer(sandbox, meet=meet), lambda: "a-token-that-can-be-renewed"
    )
    inputs = rows(sandbox, kind, 30, bad)
    result = carry_out_or_stop(client, kind, inputs, chunk_size=chunk)
    assert len(result.outcomes) == 30
    assert_true(result, sandbox, kind)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=30),
    chunk=st.integers(1, 8),
    most=st.sampled_from([1, 3, 8]),
)
def test_changes_of_one_record_keep_their_order_while_requests_are_taken_apart(
    make_client: ClientFactory, changes: list[tuple[int, bool]], chunk: int, most: int
) -> None:
    """The last good change of each record is the one that stays."""
    sandbox = Sandbox(rate_limit=None)
    ids = [sandbox.add_marketing_event("Old") for _ in range(5)]
    inputs = [
        {"objectId": ids[place], "eventName": f"{'bad' if bad else 'good'}{number}"}
        for number, (place, bad) in enumerate(changes)
    ]
    server = ScriptedServer(sandbox, meet=refusing(UPDATE))
    client = meeting(make_client, server, max_concurrency=most)
    result = carry_out(client, UPDATE, inputs, chunk_size=chunk)
    bad = {number for number, (_, is_bad) in enumerate(changes) if is_bad}
    assert_isolated(result, bad, 400)
    done: dict[str, list[int]] = {}
    for seen in server.seen:
        names = [str(one["eventName"]) for one in seen.inputs]
        if not any(name.startswith("bad") for name in names):
            for one, name in zip(seen.inputs, names, strict=True):
                done.setdefault(one["objectId"], []).append(int(name.removeprefix("good")))
    for place, record_id in enumerate(ids):
        good = [n for n, (where, is_bad) in enumerate(changes) if where == place and not is_bad]
        assert done.get(record_id, []) == good
        last = f"good{good[-1]}" if good else "Old"
        assert f"{record_id}={last}" in held(sandbox, UPDATE)


def big(count: int, size: int) -> list[dict[str, Any]]:
    """Calls with long bodies."""
    made = wanted(Sandbox(), CALLS, count)
    for row in made:
        row["properties"]["hs_call_body"] = "x" * size
    return made


def test_a_request_that_is_too_large_is_taken_apart(make_client: ClientFactory) -> None:
    """A 413 is about the bytes, so every part that is small enough is done."""
    sandbox = Sandbox()

    def meet(seen: SeenRequest, number: int) -> Step:
        return says(413) if seen.size > 100_000 else DONE

    server = ScriptedServer(sandbox, meet=meet)
    inputs = big(40, 10_000)
    inputs[17]["properties"]["hs_call_body"] = "x" * 120_000
    result = carry_out(meeting(make_client, server), CALLS, inputs)
    (failed,) = result.failed
    assert failed.index == 17
    assert failed.error is not None
    assert (failed.error.kind, failed.error.status_code) == ("refused", 413)
    assert len(result.succeeded) == 39
    assert_true(result, sandbox, CALLS)


def test_long_inputs_are_spread_over_several_requests(make_client: ClientFactory) -> None:
    """A hundred of them at once would be more than a server takes."""
    sandbox = Sandbox()
    server = ScriptedServer(sandbox, DONE)
    result = carry_out(meeting(make_client, server), CALLS, big(20, 400_000))
    assert statuses(result) == ["succeeded"] * 20
    assert_true(result, sandbox, CALLS)
    assert len(server.seen) > 2
    assert max(seen.size for seen in server.seen) <= 4_000_000
    assert max(len(seen.inputs) for seen in server.seen) > 1, "and not one by one either"
    assert [len(seen.inputs) for seen in server.seen].count(1) <= 1


def test_an_input_that_is_huge_goes_alone(make_client: ClientFactory) -> None:
    """Those before and after it go together, and none is left out."""
    sandbox = Sandbox()
    server = ScriptedServer(sandbox, DONE)
    inputs = [*big(5, 10), *big(1, 9_000_000), *big(5, 20)]
    for number, row in enumerate(inputs):
        row["properties"]["hs_call_title"] = f"Call {number}"
    client = meeting(make_client, server, max_concurrency=1)
    result = carry_out(client, CALLS, inputs)
    assert statuses(result) == ["succeeded"] * 11
    assert_true(result, sandbox, CALLS)
    assert [len(seen.inputs) for seen in server.seen] == [5, 1, 5]


@pytest.mark.parametrize("letter", ["\u0416", "\u65e5", "\U0001f600"])
def test_bytes_are_counted_and_not_letters(make_client: ClientFactory, letter: str) -> None:
    """Most letters of the world are several bytes in a request."""
    sandbox = Sandbox()
    server = ScriptedServer(sandbox, DONE)
    inputs = big(20, 1)
    for row in inputs:
        row["properties"]["hs_call_body"] = letter * 300_000
    result = carry_out(meeting(make_client, server), CALLS, inputs)
    assert statuses(result) == ["succeeded"] * 20
    sent = sum(len(json.dumps(row, ensure_ascii=False).encode()) for row in inputs)
    assert sum(seen.size for seen in server.seen) >= sent
    assert max(seen.size for seen in server.seen) <= 4_000_000
