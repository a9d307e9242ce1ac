"""The versions of the API: which path is asked, and what differs in 2026-09."""

from __future__ import annotations

import asyncio
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
from both_clients import ClientFactory
from hubspot_batch import ConfigurationError, OutcomeStatus
from hubspot_batch.cli.main import main
from hubspot_batch.sandbox import Sandbox, script, served
from hubspot_batch_client.api.calls import create_calls
from hubspot_batch_client.contract import OPERATIONS, VERSIONS
from hubspot_batch_client.models import CallBatchInput, CallInput

CALL = {"properties": {"hs_timestamp": "1767603600000", "hs_call_title": "Demo"}}
NEWEST = "2026-09"


def orders(sandbox: Sandbox) -> list[tuple[str, list[Any]]]:
    """One input for each operation of the three families."""
    campaign, event = sandbox.add_campaign("A"), sandbox.add_marketing_event("B")
    call = sandbox.add_record("calls", properties={"hs_timestamp": "2026-01-05T09:00:00Z"})
    named = {"externalAccountId": "a", "externalEventId": "b"}
    upsert = {**named, "eventName": "C", "eventOrganizer": "D"}
    return [
        ("campaigns.create", [{"properties": {"hs_name": "C"}}]),
        ("campaigns.read", [campaign]),
        ("campaigns.update", [{"id": campaign, "properties": {"hs_notes": "D"}}]),
        ("campaigns.archive", [campaign]),
        ("calls.create", [CALL]),
        ("calls.read", [call]),
        ("calls.update", [{"id": call, "properties": {"hs_call_title": "E"}}]),
        ("calls.upsert", [{"id": call, "properties": {"hs_call_title": "F"}}]),
        ("calls.archive", [call]),
        ("marketing_events.update", [{"objectId": event, "eventName": "E"}]),
        ("marketing_events.upsert", [upsert]),
        ("marketing_events.delete", [{**named, "appId": 1}]),
        ("marketing_events.archive", [event]),
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_each_operation_is_asked_at_the_path_of_its_version(
    make_client: ClientFactory, version: str
) -> None:
    """The sandbox serves all of them, and lost answers are asked for again as ever."""
    sandbox = Sandbox()
    hubspot = make_client(transport=sandbox, api_version=version)
    for name, inputs in orders(sandbox):
        sandbox.use_faults(script(["503"]))
        (outcome,) = attrgetter(name)(hubspot)(inputs).outcomes
        created = name.endswith("create")
        assert outcome.status == ("unknown" if created else "succeeded"), outcome
    asked = {entry.path for entry in sandbox.requests}
    assert asked == {one.in_version(version).path for one in OPERATIONS.values()}
    assert all(f"/{version}/" in path for path in asked)


def test_v3_is_the_default(make_client: ClientFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment can name another one, and an argument goes before it."""
    paths: list[str] = []
    for variable, given in (("", None), ("2026-03", None), ("2026-03", "v3")):
        monkeypatch.setenv("HUBSPOT_API_VERSION", variable)
        sandbox = Sandbox()
        hubspot = make_client(transport=sandbox, api_version=given)
        hubspot.calls.create([CALL]).raise_for_failures()
        paths.append(sandbox.requests[0].path.split("/")[2:4])
    assert paths == [["v3", "objects"], ["objects", "2026-03"], ["v3", "objects"]]


@pytest.mark.parametrize("wrong", ["v2", "2026-3", "pat-na1-secret", 3])
def test_an_unknown_version_is_refused(make_client: ClientFactory, wrong: Any) -> None:
    """The message names those that there are, and never what may be a token."""
    with pytest.raises(ConfigurationError, match="api_version") as caught:
        make_client(transport=Sandbox(), api_version=wrong)
    assert "pat-na1" not in str(caught.value)
    assert "2026-03" in str(caught.value)


def test_raw_requests_go_to_the_version_too(make_client: ClientFactory) -> None:
    """The generated functions name the path of the default version."""
    sandbox = Sandbox()
    hubspot = make_client(transport=sandbox, api_version=NEWEST)
    body = CallBatchInput([CallInput(properties=CALL["properties"], associations=[])])
    raw = hubspot.raw.with_headers({"X-Mine": "1"})
    if make_client.kind == "sync":
        create_calls.sync_detailed(client=raw, body=body)
    else:
        asyncio.run(create_calls.asyncio_detailed(client=raw, body=body))
    assert sandbox.requests[0].path == "/crm/objects/2026-09/calls/batch/create"


def test_errors_stand_in_the_one_answer_of_2026_09(make_client: ClientFactory) -> None:
    """It is a 201 for good and bad inputs alike; older versions answer with a 207."""
    for version, status in (("2026-03", 207), (NEWEST, 201)):
        sandbox = Sandbox()
        hubspot = make_client(transport=sandbox, api_version=version)
        bad = {"properties": {"hs_timestamp": "0", "hs_call_direction": "UP"}}
        rows = [{**CALL, "objectWriteTraceId": "a"}, {**bad, "objectWriteTraceId": "b"}]
        good, refused = hubspot.calls.create(rows, allow_implausible=True).outcomes
        assert (good.status, refused.status) == ("succeeded", "failed")
        assert sandbox.requests[0].status == status
        assert refused.error.status_code == status


def test_a_missing_required_property_is_named(make_client: ClientFactory) -> None:
    """2026-09 enforces what the account requires, in a refusal and for a single input."""
    sandbox = Sandbox()
    for name in ("hs_call_title", "hs_call_body"):
        sandbox.require_property("calls", name)
    bare = {"properties": {"hs_timestamp": "2026-01-05T09:00:00Z"}}
    whole = {"properties": {**bare["properties"], "hs_call_title": "A", "hs_call_body": "B"}}
    make_client(transport=sandbox).calls.create([bare]).raise_for_failures()
    hubspot = make_client(transport=sandbox, api_version=NEWEST)
    alone = hubspot.calls.create([bare]).outcomes[0]
    traced = [{**bare, "objectWriteTraceId": "a"}, {**whole, "objectWriteTraceId": "b"}]
    beside, good = hubspot.calls.create(traced).outcomes
    assert good.status is OutcomeStatus.SUCCEEDED
    for outcome in (alone, beside):
        error = outcome.error
        assert (outcome.status, error.kind) == ("failed", "missing_required_property")
        assert [one.property for one in error.details] == ["hs_call_title", "hs_call_body"]
        assert error.context["propertyName"] == ("hs_call_title", "hs_call_body")


def test_a_normalised_value_comes_with_a_warning(make_client: ClientFactory) -> None:
    """Epoch milliseconds come back as ISO 8601."""
    hubspot = make_client(transport=Sandbox(), api_version=NEWEST)
    (outcome,) = hubspot.calls.create([CALL]).outcomes
    (warning,) = outcome.warnings
    assert warning.category == "PROPERTY_VALUE_NORMALIZED"
    assert warning.context == {
        "propertyName": "hs_timestamp",
        "rawValue": "1767603600000",
        "normalizedValue": "2026-01-05T09:00:00Z",
    }
    (outcome,) = make_client(transport=Sandbox()).calls.create([CALL]).outcomes
    assert outcome.warnings == ()


@pytest.mark.parametrize("family", ["calls", "campaigns"])
def test_results_are_matched_by_what_was_sent_of_normalised_values(
    make_client: ClientFactory, family: str
) -> None:
    """The stored values look like nothing that was sent; only the warnings tell whose they are."""
    sandbox = Sandbox(trace_echo=0.0)
    hubspot = make_client(transport=sandbox, api_version=NEWEST)
    name = "hs_call_title" if family == "calls" else "hs_name"
    more = {"hs_timestamp": "2026-01-05T09:00:00Z"} if family == "calls" else {}
    rows = [{"properties": {name: f"Title {n}", **more}} for n in range(20)]
    sandbox.use_faults(script(["normalized"]))
    result = getattr(hubspot, family).create(rows)
    result.raise_for_failures()
    stored = {record.id: record.properties[name] for record in sandbox.records(family)}
    for outcome in result.outcomes:
        assert stored[outcome.result.id] == outcome.input["properties"][name]
        assert name in {one.context["propertyName"] for one in outcome.warnings}


def test_a_field_that_a_version_lacks_is_not_sent(make_client: ClientFactory) -> None:
    """2026-09 has no masked substrings in the properties of an event."""
    sandbox = Sandbox()
    event = sandbox.add_marketing_event("A")
    custom = {"name": "room", "value": "1", "maskedSubstrings": {}}
    rows = [{"objectId": event, "eventName": "B", "customProperties": [custom]}]
    older, newest = (
        make_client(transport=sandbox, api_version=one).marketing_events.update(rows).outcomes[0]
        for one in ("2026-03", NEWEST)
    )
    assert older.status is OutcomeStatus.SUCCEEDED
    assert newest.error.kind == "invalid_input"
    assert "maskedSubstrings" in newest.error.message


@pytest.mark.parametrize("named", ["option", "environment"])
def test_the_command_takes_a_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    """As an option, or from the environment; one that does not exist is wrong use."""
    sandbox = Sandbox()
    file = tmp_path / "ids.csv"
    file.write_text(f"id\n{sandbox.add_campaign('A')}\n", "utf-8")
    with served(sandbox) as url:

        def load(version: str) -> int:
            words = ["campaigns", "read", str(file), "--base-url", url, "--out", str(tmp_path)]
            if named == "option":
                words += ["--api-version", version]
            else:
                monkeypatch.setenv("HUBSPOT_API_VERSION", version)
            return main(words)

        assert load("2025-01") == 2
        assert load("2026-03") == 0
    assert [entry.path for entry in sandbox.requests] == ["/marketing/campaigns/2026-03/batch/read"]


def test_other_options_keep_the_version(make_client: ClientFactory) -> None:
    """A derived client asks in the same version, and one that validates checks by it."""
    sandbox = Sandbox()
    hubspot = make_client(transport=sandbox, api_version=NEWEST)
    derived = hubspot.with_options(max_concurrency=2)
    derived.calls.create([CALL]).raise_for_failures()
    assert list(derived.calls.search()) == []
    assert all("/2026-09/" in entry.path for entry in sandbox.requests)
    custom = {"name": "room", "value": "1", "maskedSubstrings": {}}
    rows = [{"objectId": "1", "customProperties": [custom]}]
    (checked,) = hubspot.validate.marketing_events.update(rows).outcomes
    assert checked.error.kind == "invalid_input"
    with pytest.raises(ConfigurationError, match="validate sends nothing"):
        hubspot.validate.calls.search()
