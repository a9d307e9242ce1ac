"""Values that can be sent and are most likely not meant, wherever they stand in an input."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from both_clients import ClientFactory
from hubspot_batch.sandbox import Sandbox
from hubspot_batch_client.models import CallInput

WHEN = "2026-01-31T09:30:00Z"


def call(to: Any = "1", **properties: Any) -> dict[str, Any]:
    """A call of a contact."""
    kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 194}
    return {
        "properties": {"hs_timestamp": WHEN, **properties},
        "associations": [{"to": {"id": to}, "types": [kind]}],
    }


@pytest.mark.parametrize("id_", ["nan", "None", "NaT", " nan "])
@pytest.mark.parametrize("model", [False, True])
def test_the_id_of_an_association_is_looked_at(
    make_client: ClientFactory, id_: str, *, model: bool
) -> None:
    """It is what a table without this record holds; the others are sent."""
    rows: list[Any] = [call(), call(id_), call()]
    if model:
        rows = [CallInput.from_dict(row) for row in rows]
    result = make_client(transport=Sandbox()).calls.create(rows)
    assert [str(one.status) for one in result] == ["succeeded", "failed", "succeeded"]
    error = result[1].error
    assert error is not None
    assert f'associations[0].to.id is the text "{id_}"' in error.message
    again = make_client(transport=Sandbox()).calls.create(rows, allow_implausible=True)
    assert len(again.succeeded) == 3


@pytest.mark.parametrize("name", ["hs_call_title", "kickoff", "hs_timestamp"])
@pytest.mark.parametrize("text", ["1899-12-30", "0026-01-31T09:30:00Z", "0001-01-01 00:00"])
def test_a_date_before_1900_is_unlikely_under_any_name(
    make_client: ClientFactory, name: str, text: str
) -> None:
    """The name of a property does not tell that it holds a date."""
    result = make_client(transport=Sandbox()).calls.create([call(), call(**{name: text})])
    assert result[0].result is not None
    error = result[1].error
    assert error is not None
    assert f"properties.{name} is {text}, in the year {int(text[:4])}" in error.message


@pytest.mark.parametrize(
    "text",
    [
        *("1815-06-18: a battle", "1234-56-78", "0026-01-32", "01-02-0003", "1899", "x 1899-12-30"),
        *("1799-01-01x", "1899-12", "19000101", "+49 89-01-01", "", "1900-01-01", "1899-12-300"),
    ],
)
def test_a_text_that_only_looks_like_an_old_date_is_sent(
    make_client: ClientFactory, text: str
) -> None:
    """It is a date from its first character to its last, or none."""
    sandbox = Sandbox()
    result = make_client(transport=sandbox).calls.create([call(hs_call_title=text)])
    assert len(result.succeeded) == 1
    assert sandbox.records("calls")[0].properties.get("hs_call_title", "") == text


@pytest.mark.parametrize(
    "value",
    [
        dt.datetime(2026, 1, 31, 9, 30, tzinfo=dt.UTC),
        "2026-01-31T00:00:00Z",
        "2026-01-31 09:30",
        "2026-01-31T09:30:00+01:00",
    ],
)
@pytest.mark.parametrize("name", ["hs_start_date", "hs_end_date"])
def test_a_date_of_a_campaign_has_no_time(
    make_client: ClientFactory, name: str, value: object
) -> None:
    """HubSpot would refuse the whole request for it; what the message says to write is taken."""
    sandbox = Sandbox()
    hubspot = make_client(transport=sandbox)
    good = {"properties": {"hs_name": "A", name: "2026-01-31"}}
    bad = {"properties": {"hs_name": "B", name: value}}
    result = hubspot.campaigns.create([good, bad])
    assert [str(one.status) for one in result] == ["succeeded", "failed"]
    error = result[1].error
    assert error is not None
    assert f"properties.{name} is 2026-01-31" in error.message
    assert 'write "2026-01-31"' in error.message
    sent = hubspot.campaigns.create([bad], allow_implausible=True)
    assert sent[0].error is not None
    assert sent[0].error.kind == "refused"


def test_a_property_of_the_accounts_own_may_hold_a_time(make_client: ClientFactory) -> None:
    """Only of HubSpot's own properties it is known that they hold dates."""
    sandbox = Sandbox()
    sandbox.add_property("campaigns", "launch_date")
    row = {"properties": {"hs_name": "A", "launch_date": WHEN}}
    (outcome,) = make_client(transport=sandbox).campaigns.create([row])
    assert outcome.error is None


@pytest.mark.parametrize("value", [-1, "-1", "-1.5", " -1 ", "+5", " 5 ", " None "])
def test_a_time_of_a_call_before_it_could_be_made_is_unlikely(
    make_client: ClientFactory, value: object
) -> None:
    """With a sign and blanks around it too; the others of its request are sent."""
    result = make_client(transport=Sandbox()).calls.create([call(), call(hs_timestamp=value)])
    assert [str(one.status) for one in result] == ["succeeded", "failed"]
    assert result[1].error is not None
    assert result[1].error.kind == "invalid_input"


@pytest.mark.parametrize("value", [[], (), set(), frozenset()])
def test_values_without_an_item_clear_nothing(make_client: ClientFactory, value: object) -> None:
    """Only an empty text says that a property is to be cleared."""
    result = make_client(transport=Sandbox()).calls.create([call(), call(own=value)])
    assert result[1].error is not None
    assert 'properties.own has no items; to clear the property, write ""' in result[1].error.message
