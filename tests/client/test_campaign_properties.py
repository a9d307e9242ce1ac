"""The properties of campaigns: those that HubSpot takes and gives are known, beside one's own."""

from __future__ import annotations

from typing import Any

import pytest
from both_clients import ClientFactory
from hubspot_batch import ConfigurationError
from hubspot_batch.files.known import FAMILIES
from hubspot_batch.sandbox import Sandbox
from hubspot_batch_client.contract import LISTINGS, OPERATIONS
from hubspot_batch_client.models import CampaignInput

WRITABLE = OPERATIONS["create_campaigns"].writable


@pytest.mark.parametrize("name", ["hs_owner", "hs_color_hex", "hs_object_id", "hs_nmae"])
@pytest.mark.parametrize("model", [False, True])
def test_a_property_that_hubspot_does_not_take_is_not_sent(
    make_client: ClientFactory, name: str, *, model: bool
) -> None:
    """It would make HubSpot refuse 50 campaigns; the others are sent."""
    sandbox = Sandbox()
    campaign = sandbox.add_campaign("A")
    hubspot = make_client(transport=sandbox)
    bad: dict[str, Any] = {"hs_name": "B", name: "x"}
    rows = [CampaignInput(bad) if model else {"properties": bad}, {"properties": {"hs_name": "C"}}]
    refused, good = hubspot.campaigns.create(rows).outcomes
    assert (refused.status, good.status) == ("failed", "succeeded")
    assert refused.error.kind == "invalid_input"
    assert f"properties.{name} is none of the properties that HubSpot takes" in (
        refused.error.message
    )
    assert ("did you mean hs_name" in refused.error.message) is (name == "hs_nmae")
    (changed,) = hubspot.campaigns.update([{"id": campaign, "properties": {name: "x"}}]).outcomes
    assert changed.error.kind == "invalid_input"
    (sent,) = hubspot.campaigns.create(rows[:1], allow_implausible=True).outcomes
    assert sent.error.sub_category == (
        "CampaignApiError.PROPERTY_SET_CONTAINS_VALUES_FORBIDDEN_FOR_WRITE"
    )


def test_the_accounts_own_properties_are_let_through(make_client: ClientFactory) -> None:
    """An account cannot give a property of its own a name that begins with hs_."""
    sandbox = Sandbox()
    sandbox.add_property("campaigns", "region")
    hubspot = make_client(transport=sandbox)
    values = dict.fromkeys(WRITABLE, "x") | {"region": "north"}
    values |= {"hs_start_date": "2026-01-01", "hs_end_date": "2026-01-31"}
    (made,) = hubspot.campaigns.create([{"properties": values}]).records
    assert made.properties["region"] == "north"
    (read,) = hubspot.campaigns.read([made.id], properties=["region", "hs_owner"]).records
    assert read.properties == {"region": "north", "hs_owner": None}


def test_a_property_that_hubspot_does_not_give_is_not_asked_for(
    make_client: ClientFactory,
) -> None:
    """HubSpot answers 400 to the whole request."""
    sandbox = Sandbox()
    campaigns = make_client(transport=sandbox).campaigns
    for ask in (
        lambda: campaigns.read(["1"], properties=["hs_goals"]),
        lambda: campaigns.list(properties=["hs_goals"]),
    ):
        with pytest.raises(ConfigurationError, match="did you mean hs_goal"):
            ask()
    assert sandbox.requests == ()


def test_files_know_the_same_names() -> None:
    """The mapping of a file proposes and refuses what the methods take and refuse."""
    known = FAMILIES["campaigns"]
    (argument,) = (one for one in LISTINGS["list_campaigns"].arguments if one.known)
    assert set(WRITABLE) == set(known.properties)
    assert set(argument.known) == {*known.properties, *known.refused}
