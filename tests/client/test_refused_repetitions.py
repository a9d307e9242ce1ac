"""A refusal says what became of one attempt, and nothing of the attempts before it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from both_clients import ClientFactory
from hubspot_batch import HubSpotBatchError, OutcomeStatus, Retry
from hubspot_batch.sandbox import Sandbox
from scripted_server import (
    CAMPAIGNS,
    DONE,
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

LOST = (
    fails(httpx.ReadError, work=True),
    fails(httpx.ReadTimeout, work=True),
    says(502, work=True),
    says(200, "<html>", work=True),
)


def item_error(inputs: list[dict[str, Any]], key: str, **more: Any) -> dict[str, Any]:
    """The body of a 207 that refuses some inputs, for a reason of the moment."""
    ids = [one[key] for one in inputs]
    error = {"status": "error", "category": "CONFLICT", "message": "Try again.", **more}
    error = {"context": {"ids": ids}, **error}
    return {"status": "COMPLETE", "results": [], "numErrors": 1, "errors": [error]}


def refuses_items(seen: SeenRequest, key: str = "objectId") -> Step:
    return says(207, item_error(seen.inputs, key))


REFUSALS = {
    "207": refuses_items,
    **{
        str(status): lambda _, status=status: says(
            status, {"category": "CONFLICT", "message": "Not now."}
        )
        for status in (400, 404, 409, 410, 413, 414, 422, 501, 522)
    },
}


@pytest.mark.parametrize("lost", LOST, ids=["reset", "time-out", "502", "unreadable"])
@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("count", [1, 3])
def test_an_update_that_may_have_been_done_is_unknown_when_its_repetition_is_refused(
    make_client: ClientFactory, lost: Step, refusal: str, count: int
) -> None:
    """The first attempt was carried out, and its response was lost."""
    sandbox = Sandbox()
    inputs = wanted(sandbox, UPDATE, count)
    meet = REFUSALS[refusal]
    server = ScriptedServer(sandbox, meet=lambda seen, number: meet(seen) if number else lost)
    result = carry_out(meeting(make_client, server), UPDATE, inputs)
    assert statuses(result) == ["unknown"] * count
    assert_true(result, sandbox, UPDATE)
    for outcome in result.outcomes:
        assert outcome.error is not None
        assert outcome.error.status_code == int(refusal), "the server's words are kept"
        assert "earlier attempt" in outcome.error.message, "and the reason for the doubt is named"


@pytest.mark.parametrize("between", [says(429), says(423), fails(httpx.ConnectError)], ids=str)
def test_the_doubt_outlasts_what_comes_between(make_client: ClientFactory, between: Step) -> None:
    """A rate limit, a lock or a broken connection says nothing of the attempt before it."""
    sandbox = Sandbox()
    inputs = wanted(sandbox, UPDATE, 2)
    steps = [says(503, work=True), between]

    def meet(seen: SeenRequest, number: int) -> Step:
        return steps[number] if number < len(steps) else refuses_items(seen)

    result = carry_out(meeting(make_client, ScriptedServer(sandbox, meet=meet)), UPDATE, inputs)
    assert statuses(result) == ["unknown"] * 2
    assert_true(result, sandbox, UPDATE)


@pytest.mark.parametrize(
    "last", [says(429), says(423), says(477), says(401), says(403), fails(httpx.ConnectError)]
)
def test_a_run_that_stops_leaves_the_doubt(make_client: ClientFactory, last: Step) -> None:
    """No end of a run after a lost response makes the input count as undone."""
    sandbox = Sandbox()
    inputs = wanted(sandbox, UPDATE, 2)
    server = ScriptedServer(sandbox, says(503, work=True), last)
    client = meeting(make_client, server, retry=Retry(max_attempts=3))
    result = carry_out_or_stop(client, UPDATE, inputs)
    assert statuses(result) == ["unknown"] * 2
    assert_true(result, sandbox, UPDATE)


def test_halves_carry_the_doubt_into_their_own_responses(make_client: ClientFactory) -> None:
    """An input that a half reports as done is done; one that it refuses is unknown."""
    sandbox = Sandbox()
    inputs = wanted(sandbox, UPDATE, 4)
    steps = [says(503, work=True), says(400, {"message": "One of them is bad."})]

    def meet(seen: SeenRequest, number: int) -> Step:
        if number < len(steps):
            return steps[number]
        return DONE if number == 2 else refuses_items(seen)

    client = meeting(make_client, ScriptedServer(sandbox, meet=meet), max_concurrency=1)
    result = carry_out(client, UPDATE, inputs)
    assert statuses(result) == ["succeeded"] * 2 + ["unknown"] * 2
    assert_true(result, sandbox, UPDATE)


@pytest.mark.parametrize("before", [says(429), says(423), fails(httpx.ConnectError)], ids=str)
def test_a_refusal_after_what_was_certainly_not_done_is_a_failure(
    make_client: ClientFactory, before: Step
) -> None:
    """There is nothing to doubt then."""
    sandbox = Sandbox()
    inputs = wanted(sandbox, UPDATE, 2)
    server = ScriptedServer(
        sandbox, meet=lambda seen, number: refuses_items(seen) if number else before
    )
    result = carry_out(meeting(make_client, server), UPDATE, inputs)
    assert statuses(result) == ["failed"] * 2
    assert {outcome.error.message for outcome in result.failed if outcome.error} == {"Try again."}
    assert held(sandbox, UPDATE) == [f"{one['objectId']}=Old" for one in inputs]


def test_a_read_that_was_refused_in_the_end_has_failed(make_client: ClientFactory) -> None:
    """It changes nothing, so there is nothing to doubt."""
    sandbox = Sandbox()
    inputs = wanted(sandbox, READ, 2)
    server = ScriptedServer(
        sandbox, meet=lambda seen, number: refuses_items(seen, "id") if number else says(503)
    )
    result = carry_out(meeting(make_client, server), READ, inputs)
    assert statuses(result) == ["failed"] * 2
    assert {outcome.error.message for outcome in result.failed if outcome.error} == {"Try again."}


class PartlyStored:
    """A server that creates campaigns one after the other, and refuses at the first bad one.

    With `unique`, it refuses a name that is used.
    """

    def __init__(self, *, unique: bool = False) -> None:
        self.names: list[str] = []
        self.requests = 0
        self._unique = unique

    def meet(self, seen: SeenRequest, _number: int) -> Step:
        self.requests += 1
        results: list[dict[str, Any]] = []
        for one in seen.inputs:
            name = one["properties"].get("hs_name")
            if not name:
                return says(400, {"category": "VALIDATION_ERROR", "message": "No hs_name."})
            if self._unique and name in self.names:
                return says(409, {"category": "CONFLICT", "message": f"{name} exists."})
            self.names.append(name)
            results.append({"id": f"id of {name} {len(self.names)}", **one})
        return says(201, {"status": "COMPLETE", "results": results})


def nameless_among(names: str) -> list[dict[str, Any]]:
    return [
        {"properties": {"hs_notes": "no name"} if name == "-" else {"hs_name": name}}
        for name in names
    ]


@pytest.mark.parametrize("chunk_size", [50, 3, 2])
def test_campaigns_of_a_refused_request_may_have_been_created(
    make_client: ClientFactory, chunk_size: int
) -> None:
    """None is said to have failed that the server may hold; alone, the refused one has failed."""
    server = PartlyStored()
    client = meeting(make_client, ScriptedServer(Sandbox(), meet=server.meet))
    result = carry_out(client, CAMPAIGNS, nameless_among("ab-cd"), chunk_size=chunk_size)
    for outcome in result.outcomes:
        stored = outcome.input["properties"].get("hs_name") in server.names
        assert not (stored and outcome.status in (OutcomeStatus.FAILED, OutcomeStatus.NOT_SENT))
    assert result.unknown
    assert {outcome.error.kind for outcome in result.unknown if outcome.error} == {"batch_refused"}


def test_a_campaign_that_is_refused_alone_has_failed(make_client: ClientFactory) -> None:
    """Nothing else was in its request."""
    client = meeting(make_client, ScriptedServer(Sandbox(), meet=PartlyStored().meet))
    result = carry_out(client, CAMPAIGNS, nameless_among("a-b"), chunk_size=1)
    assert statuses(result) == ["succeeded", "failed", "succeeded"]
    assert result.failed[0].error is not None
    assert result.failed[0].error.kind == "refused"


def test_a_campaign_that_exists_since_the_refused_request_has_not_failed(
    make_client: ClientFactory,
) -> None:
    """It is sent again with `isolate`, and refused for what the first request has created."""
    server = PartlyStored(unique=True)
    client = meeting(make_client, ScriptedServer(Sandbox(), meet=server.meet), max_concurrency=1)
    result = carry_out(client, CAMPAIGNS, nameless_among("ab-cd"), isolate=True)
    assert statuses(result) == ["unknown", "unknown", "failed", "succeeded", "succeeded"]
    assert sorted(server.names) == ["a", "b", "c", "d"]
    said = result.unknown[0].error
    assert said is not None
    assert said.kind == "refused"
    assert said.message.startswith("a exists.")


def test_a_stop_does_not_undo_what_a_refused_request_may_have_created(
    make_client: ClientFactory,
) -> None:
    """The halves that were not sent again are not `not_sent`: their campaigns were sent before."""
    server = PartlyStored()

    def meet(seen: SeenRequest, number: int) -> Step:
        return server.meet(seen, number) if number == 0 else says(401, {"message": "expired"})

    client = meeting(make_client, ScriptedServer(Sandbox(), meet=meet), max_concurrency=1)
    with pytest.raises(HubSpotBatchError) as caught:
        carry_out(client, CAMPAIGNS, nameless_among("ab-c"), isolate=True)
    result = caught.value.result
    assert result is not None
    assert statuses(result) == ["unknown"] * 4
    assert {outcome.error.kind for outcome in result.unknown if outcome.error} == {"batch_refused"}
