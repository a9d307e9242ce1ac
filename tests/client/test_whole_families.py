"""The operations beside the first four: archive, delete, and those of records that exist."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from both_clients import ClientFactory
from hubspot_batch import OutcomeStatus
from hubspot_batch.sandbox import Sandbox, script

SUCCEEDED, FAILED, UNKNOWN = OutcomeStatus.SUCCEEDED, OutcomeStatus.FAILED, OutcomeStatus.UNKNOWN
TIME = "2026-01-31T09:30:00Z"


def statuses(result: Any) -> list[OutcomeStatus]:
    return [outcome.status for outcome in result.outcomes]


def calls_in(make_client: ClientFactory, sandbox: Sandbox, count: int) -> list[str]:
    """Create calls, and return their ids."""
    rows = [{"properties": {"hs_timestamp": TIME, "hs_call_title": str(n)}} for n in range(count)]
    make_client(transport=sandbox).calls.create(rows)
    return [record.id for record in sandbox.records("calls")]


def test_what_is_archived_is_gone(make_client: ClientFactory) -> None:
    """A 204 says that all were done; an outcome has no result, and an id is sent once."""
    sandbox = Sandbox()
    ids = calls_in(make_client, sandbox, 3)
    calls = make_client(transport=sandbox).calls
    result = calls.archive([ids[0], {"id": ids[1]}, ids[0]])
    assert statuses(result) == [SUCCEEDED] * 3
    assert [outcome.result for outcome in result.outcomes] == [None] * 3
    assert result.unmatched == ()
    assert [record.id for record in sandbox.records("calls")] == [ids[2]]
    assert sandbox.requests[-1].status == 204
    assert sandbox.requests[-1].inputs == 2
    assert statuses(calls.read(ids)) == [FAILED, FAILED, SUCCEEDED]


def test_many_are_archived_in_chunks(make_client: ClientFactory) -> None:
    """Each request has as many ids as the description allows."""
    sandbox = Sandbox()
    ids = [sandbox.add_campaign(str(number)) for number in range(120)]
    result = make_client(transport=sandbox).campaigns.archive(iter(ids))
    assert statuses(result) == [SUCCEEDED] * 120
    assert sorted(entry.inputs or 0 for entry in sandbox.requests) == [20, 50, 50]
    assert not sandbox.records("campaigns")


@pytest.mark.parametrize("fault", ["reset_after", "timeout_after", "502_after", "504_after"])
def test_an_archive_whose_answer_is_lost_is_sent_again(
    make_client: ClientFactory, fault: str
) -> None:
    """Twice does no more than once."""
    sandbox = Sandbox(faults=script([fault]))
    name = sandbox.add_campaign("A")
    result = make_client(transport=sandbox).campaigns.archive([name])
    assert statuses(result) == [SUCCEEDED]
    assert [entry.status for entry in sandbox.requests][-1] == 204
    assert len(sandbox.requests) == 2


def test_a_refused_archive_is_split(make_client: ClientFactory) -> None:
    """An error is for all, and the halves find the bad ones."""

    def answer(request: httpx.Request) -> httpx.Response:
        ids = [one["id"] for one in json.loads(request.content)["inputs"]]
        if "bad" in ids:
            return httpx.Response(400, json={"message": "bad is no id", "category": "X"})
        return httpx.Response(204)

    ids = ["1", "2", "bad", "3"]
    result = make_client(transport=httpx.MockTransport(answer)).calls.archive(ids)
    assert statuses(result) == [SUCCEEDED, SUCCEEDED, FAILED, SUCCEEDED]
    assert result.failed[0].error.message == "bad is no id"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (204, b"", [SUCCEEDED, SUCCEEDED]),
        (200, b"", [SUCCEEDED, SUCCEEDED]),
        (202, b"{}", [SUCCEEDED, SUCCEEDED]),
        (207, {"errors": [{"message": "m", "context": {"ids": ["2"]}}]}, [SUCCEEDED, FAILED]),
        (207, {"errors": [{"message": "m", "context": {}}]}, [UNKNOWN, UNKNOWN]),
        (207, {"numErrors": 1}, [UNKNOWN, UNKNOWN]),
        (200, b"<html>", [UNKNOWN, UNKNOWN]),
    ],
)
def test_an_answer_says_what_was_archived(
    make_client: ClientFactory, status: int, body: Any, expected: list[OutcomeStatus]
) -> None:
    """An error that names no input leaves open which of them it means."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, content=content)

    result = make_client(transport=httpx.MockTransport(answer)).calls.archive(["1", "2"])
    assert statuses(result) == expected


def test_the_raw_client_takes_a_204_as_an_answer(make_client: ClientFactory) -> None:
    """Its body counts as read, so it is not sent again."""
    sandbox = Sandbox()
    client = make_client(transport=sandbox)
    url = "https://api.hubapi.com/crm/v3/objects/calls/batch/archive"
    answer = make_client.request(client, "POST", url, json={"inputs": [{"id": "1"}]})
    assert answer.status_code == 204
    assert len(sandbox.requests) == 1


def test_calls_are_updated_and_upserted(make_client: ClientFactory) -> None:
    """By id, and by a property with a value of its own for each call."""
    sandbox = Sandbox()
    sandbox.add_property("calls", "source_id")
    first, _ = calls_in(make_client, sandbox, 2)
    calls = make_client(transport=sandbox).calls
    changed = calls.update(
        [{"id": first, "properties": {"source_id": "A"}}, {"id": "9", "properties": {}}]
    )
    assert statuses(changed) == [SUCCEEDED, FAILED]
    rows = [
        {
            "id": name,
            "idProperty": "source_id",
            "properties": {"hs_timestamp": TIME, "hs_call_title": name},
        }
        for name in "AB"
    ]
    result = calls.upsert(rows)
    assert statuses(result) == [SUCCEEDED] * 2
    assert [o.result.new for o in result.succeeded if o.result] in ([False, True], [False], [True])
    assert len(sandbox.records("calls")) == 3
    found = calls.read(["A", "B"], id_property="source_id", properties=["hs_call_title"])
    assert [o.result.properties["hs_call_title"] for o in found.succeeded] == ["A", "B"]


def test_campaigns_are_updated(make_client: ClientFactory) -> None:
    """A result is its input's by id."""
    sandbox = Sandbox()
    ids = [sandbox.add_campaign(str(number)) for number in range(3)]
    rows = [{"id": id_, "properties": {"hs_notes": id_}} for id_ in ids]
    result = make_client(transport=sandbox).campaigns.update(
        [*rows, {"id": "no", "properties": {}}]
    )
    assert statuses(result) == [SUCCEEDED] * 3 + [FAILED]
    assert [o.result.properties["hs_notes"] for o in result.succeeded] == ids


def event(id_: str, **more: Any) -> dict[str, Any]:
    named = {"externalAccountId": "acme", "externalEventId": id_}
    return {**named, "eventName": f"Event {id_}", "eventOrganizer": "Acme", **more}


def test_marketing_events_are_upserted_and_deleted_by_external_ids(
    make_client: ClientFactory,
) -> None:
    """Results repeat no id of an input, so the fields that both have say whose they are."""
    sandbox = Sandbox()
    events = make_client(transport=sandbox).marketing_events
    custom = [{"name": "room", "value": "1"}]
    result = events.upsert([event("1"), event("2", customProperties=custom), event("3")])
    assert statuses(result) == [SUCCEEDED] * 3
    assert [o.result.event_name for o in result.succeeded] == ["Event 1", "Event 2", "Event 3"]
    again = events.upsert([event("2", eventName="Changed")])
    assert again.outcomes[0].result.event_name == "Changed"
    assert len(sandbox.records("marketing_events")) == 3
    gone = {"appId": 1, "externalAccountId": "acme", "externalEventId": "2"}
    assert statuses(events.delete([gone, gone])) == [SUCCEEDED] * 2
    left = [record.id for record in sandbox.records("marketing_events")]
    assert len(left) == 2
    assert statuses(events.archive(left)) == [SUCCEEDED] * 2
    assert not sandbox.records("marketing_events")


def test_two_changes_of_one_event_go_one_after_the_other(make_client: ClientFactory) -> None:
    """Account and id name it together; the last one stays."""
    sandbox = Sandbox()
    rows = [event("1", eventName=str(number)) for number in range(3)] + [event("2")]
    result = make_client(transport=sandbox).marketing_events.upsert(rows)
    assert statuses(result) == [SUCCEEDED] * 4
    names = sorted(record.fields["eventName"] for record in sandbox.records("marketing_events"))
    assert names == ["2", "Event 2"]


def test_events_that_cannot_be_told_apart_are_unknown(make_client: ClientFactory) -> None:
    """Two inputs with the same values: a result belongs to neither."""
    sandbox = Sandbox()
    rows = [event(id_, eventName="Same") for id_ in "12"]
    result = make_client(transport=sandbox).marketing_events.upsert(rows)
    assert {outcome.status for outcome in result.outcomes} <= {SUCCEEDED, UNKNOWN}
    assert [outcome.result for outcome in result.outcomes] == [None, None]
