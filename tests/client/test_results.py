"""The look of a result in a REPL, a notebook, a log line or a CSV of reasons."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from both_clients import ClientFactory
from hubspot_batch.sandbox import Sandbox
from scripted_server import CALLS, KINDS, ScriptedServer, carry_out, meeting, says, wanted


@pytest.mark.parametrize("kind", KINDS)
def test_a_result_is_short_to_look_at_and_whole_to_write(
    make_client: ClientFactory, kind: str
) -> None:
    """One line, its length, its records, and everything as JSON."""
    sandbox = Sandbox(rate_limit=None)
    result = carry_out(
        make_client(transport=sandbox), kind, [*wanted(sandbox, kind, 120), {"no": 1}]
    )
    assert repr(result) == "<BatchResult 121: 120 succeeded, 1 failed>"
    assert len(result) == 121
    assert len(result.records) == 120
    assert all(len(repr(outcome)) < 150 for outcome in result)
    written: list[dict[str, Any]] = json.loads(json.dumps(result.to_dicts(), allow_nan=False))
    assert [one["index"] for one in written] == [*range(121)]
    record = result.records[0].to_dict()
    assert record in [one["result"] for one in written]
    assert written[120]["error"]["kind"] == "invalid_input"


def test_an_id_that_is_not_found_is_told_about_itself(make_client: ClientFactory) -> None:
    """HubSpot names all ids of a request in one message."""
    ids = [str(uuid.UUID(int=number)) for number in range(120)]
    result = make_client(transport=Sandbox(rate_limit=None)).campaigns.read(ids)
    assert len(result.failed) == 120
    for one, outcome in zip(ids, result, strict=True):
        assert one in outcome.error.message
        assert len(outcome.error.message) < 100
        assert outcome.error.context == {"ids": (one,)}


def test_the_problems_of_an_input_are_a_list(make_client: ClientFactory) -> None:
    """HubSpot writes them as JSON into the message."""
    row = {"properties": {"hs_timestamp": "1767225600000", "hs_call_direction": "x", "odd": "y"}}
    client = make_client(transport=Sandbox(rate_limit=None))
    error = client.calls.create([row])[0].error
    found = {(detail.property, detail.code) for detail in error.details}
    assert ("hs_call_direction", "INVALID_OPTION") in found
    assert all(detail.message for detail in error.details)


def test_the_details_of_a_refusal_are_those_that_it_lists(make_client: ClientFactory) -> None:
    """Where HubSpot lists them beside the message."""
    listed = [
        {"message": "Too long", "code": "TOO_LONG", "context": {"propertyName": ["hs_name"]}},
        {"message": "Odd", "in": "hs_notes", "subCategory": "ODD"},
        {"code": "SILENT"},
    ]
    server = ScriptedServer(Sandbox(), says(400, {"message": "bad", "errors": listed}))
    result = carry_out(meeting(make_client, server), CALLS, wanted(server.sandbox, CALLS, 1))
    error = result[0].error
    assert error is not None
    assert error.details == (("hs_name", "TOO_LONG", "Too long"), ("hs_notes", "ODD", "Odd"))


def test_the_problems_of_an_input_that_is_not_sent_are_a_list(make_client: ClientFactory) -> None:
    """As HubSpot's own are, but without a code."""
    row = {"properties": {"hs_timestamp": "1767225600", "hs_call_body": b"x"}, "associations": 5}
    error = make_client(transport=Sandbox()).calls.create([row])[0].error
    assert error.kind == "invalid_input"
    assert {detail.property for detail in error.details} == {
        "hs_timestamp",
        "hs_call_body",
        "associations",
    }
    assert {detail.code for detail in error.details} == {None}
    assert all(detail.message in error.message for detail in error.details)
    whole = make_client(transport=Sandbox()).calls.create([7])[0].error.details
    assert [detail.property for detail in whole] == [None]


def test_a_family_shows_its_methods(make_client: ClientFactory) -> None:
    """The repr of a family lists its methods."""
    shown = repr(make_client(transport=Sandbox()).marketing_events)
    assert "MarketingEvents: update, update_iter, archive, archive_iter" in shown
