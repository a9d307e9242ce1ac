"""The outcomes of every recorded form of a response."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from both_clients import ClientFactory, clock_of
from hubspot_batch import (
    AuthenticationError,
    BatchResult,
    ConfigurationError,
    DailyLimitError,
    HubSpotBatchError,
    MissingScopesError,
    RateLimitError,
    UnavailableError,
)
from hubspot_batch.sandbox import FakeClock
from recorded_responses import ANSWERS, CAMPAIGN, EVENT, TRACE, UNREADABLE, Answer
from scripted_server import counts

pytestmark = pytest.mark.many

# Inputs that the answers speak of.
INPUTS: dict[str, list[Any]] = {
    "create_calls": [
        {"properties": {"hs_call_title": "Renewal", "hs_timestamp": "2026-03-02T08:00:00Z"}},
        {"properties": {"hs_call_title": "Else"}, "objectWriteTraceId": TRACE},
    ],
    "create_campaigns": [
        {"properties": {"hs_name": "Spring fair"}},
        {"properties": {"hs_name": "Winter fair"}},
    ],
    "read_campaigns": [CAMPAIGN["id"], "a-1", "a-2"],
    "update_marketing_events": [
        {"objectId": key, "eventName": "Open house"}
        for key in (EVENT["objectId"], "990018", "990019")
    ],
}

# Succeeded, failed, unknown and not sent; or what stops the run.
EXPECTED: dict[str, tuple[int, int, int, int] | type[HubSpotBatchError]] = {
    "calls created": (2, 0, 0, 0),
    "200 in place of 201": (1, 0, 1, 0),
    "calls created in part": (1, 1, 0, 0),
    "an error without context": (0, 0, 2, 0),
    "a status that is new": (1, 0, 1, 0),
    "calls with warnings, history and nulls": (1, 0, 1, 0),
    "campaigns created": (1, 0, 1, 0),  # one record, listed twice
    "no campaign created": (0, 0, 2, 0),
    "neither results nor errors": (0, 0, 2, 0),
    "results and no errors under 207": (1, 0, 1, 0),
    "campaigns with assets": (1, 2, 0, 0),
    "one error for two campaigns": (1, 2, 0, 0),
    "an error for one campaign": (0, 3, 0, 0),
    "events updated": (1, 0, 2, 0),
    "201 in place of 200": (1, 0, 2, 0),
    "events as they are read": (1, 0, 2, 0),
    "events updated in part": (1, 2, 0, 0),
    "too fast": RateLimitError,
    "the day's allowance is spent": DailyLimitError,
    "malformed JSON, and no category": (0, 0, 2, 0),  # a message is not read
    "too many inputs, and nothing else said": (0, 2, 0, 0),
    "a correlation id that is no UUID": (0, 3, 0, 0),
    "an expired token": AuthenticationError,
    "a scope is missing": MissingScopesError,
    "a context that is one string": (0, 3, 0, 0),
    "no category on a 404": (0, 3, 0, 0),  # it has HubSpot's form, and base_url adds no path
    "a call that exists": (0, 2, 0, 0),
    "a message that holds a document": (0, 2, 0, 0),
    "locked": UnavailableError,
    "being moved": UnavailableError,
}


def ask(make_client: ClientFactory, operation: str, status: int, **body: Any) -> BatchResult[Any]:
    """Run an operation against a server that always answers so."""
    clock = FakeClock()
    transport = httpx.MockTransport(lambda _: httpx.Response(status, **body))
    client = make_client(transport=transport, clock=clock_of(clock))
    verb, _, family = operation.partition("_")
    result: BatchResult[Any] = getattr(getattr(client, family), verb)(INPUTS[operation])
    return result


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.name)
def test_every_form_of_an_answer_settles_every_input(
    make_client: ClientFactory, answer: Answer
) -> None:
    """With the server's words where it refused something."""
    expected = EXPECTED[answer.name]
    body = {"json": answer.body, "headers": answer.headers}
    if isinstance(expected, tuple):
        result = ask(make_client, answer.operation, answer.status, **body)
        assert counts(result) == expected
        errors = [outcome.error for outcome in result.outcomes if outcome.error is not None]
    else:
        with pytest.raises(expected) as caught:
            ask(make_client, answer.operation, answer.status, **body)
        assert caught.value.result is not None
        assert counts(caught.value.result) == (0, 0, 0, len(INPUTS[answer.operation]))
        assert answer.body["message"].rstrip(".") in str(caught.value)
        assert caught.value.status_code == answer.status
        return
    said = [answer.body.get("message"), *(e["message"] for e in answer.body.get("errors") or ())]
    for words in filter(None, said if answer.status >= 300 else said[1:]):
        shown = [error.message for error in errors]
        shown += [repr(error.context) for error in errors]
        assert any(words in text for text in shown) or answer.status >= 300
    if answer.status >= 300:
        assert {error.message for error in errors} == {answer.body["message"]}
        assert {error.correlation_id for error in errors} == {answer.body.get("correlationId")}


def test_every_answer_is_expected() -> None:
    """A new form needs a line here."""
    assert set(EXPECTED) == {answer.name for answer in ANSWERS}


def test_a_missing_scope_is_named_wherever_it_stands(make_client: ClientFactory) -> None:
    """HubSpot names it in the details."""
    answer = next(answer for answer in ANSWERS if answer.name == "a scope is missing")
    with pytest.raises(MissingScopesError, match=r"marketing\.campaigns\.write"):
        ask(make_client, answer.operation, answer.status, json=answer.body)


def test_a_context_that_is_one_string_is_kept(make_client: ClientFactory) -> None:
    """The pages print it so."""
    answer = next(a for a in ANSWERS if a.name == "a context that is one string")
    result = ask(make_client, answer.operation, answer.status, json=answer.body)
    assert result.failed[0].error is not None
    assert result.failed[0].error.context == {"context": ("{fields=[startDate, endDate]}",)}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=list(UNREADABLE))
@pytest.mark.parametrize("status", [200, 201, 207, 400, 500, 502, 520, 530])
def test_bodies_that_say_nothing_settle_every_input(
    make_client: ClientFactory, status: int, body: bytes
) -> None:
    """A write may have been done unless the status says that it was not; a read has failed.

    Some campaigns of a refused request may have been created.
    """
    done = status in (200, 201, 207, 400, 500, 502, 520)
    created = ask(make_client, "create_campaigns", status, content=body)
    assert counts(created) == ((0, 0, 2, 0) if done else (0, 2, 0, 0))
    read = ask(make_client, "read_campaigns", status, content=body)
    assert counts(read) == (0, 3, 0, 0)
    for outcome in (*created.outcomes, *read.outcomes):
        assert outcome.error is not None
        assert outcome.error.status_code == status
        assert outcome.error.message


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=list(UNREADABLE))
def test_a_404_without_a_record_is_a_wrong_address(make_client: ClientFactory, body: bytes) -> None:
    """Nothing was done, and the run says what it asked."""
    for operation in ("create_campaigns", "read_campaigns"):
        with pytest.raises(ConfigurationError, match=r"https://api\.hubapi\.com:443/.*base_url"):
            ask(make_client, operation, 404, content=body)
