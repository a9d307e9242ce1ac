"""The words of type checkers about contacts in a copy of the project. Checked, never run.

A line that must be an error says so (`type: ignore`).
"""

from __future__ import annotations

import datetime as dt
from typing import Any, assert_type

from hubspot_batch import (
    AsyncHubSpotBatch,
    AsyncOutcomeIterator,
    BatchResult,
    HubSpotBatch,
    Outcome,
    OutcomeIterator,
)
from hubspot_batch_client.models import (
    CampaignWithAssets,
    Contact,
    ContactInput,
    ContactUpdate,
    ContactUpsert,
    UpsertedContact,
)


def blocking(hubspot: HubSpotBatch, rows: list[dict[str, Any]]) -> None:
    """Each method has exact types."""
    assert_type(hubspot.contacts.create([ContactInput({})]), BatchResult[Contact])
    assert_type(hubspot.contacts.read(["1"], id_property="email"), BatchResult[Contact])
    assert_type(hubspot.contacts.update([ContactUpdate("1", {})]), BatchResult[Contact])
    assert_type(hubspot.contacts.upsert(rows), BatchResult[UpsertedContact])
    assert_type(hubspot.contacts.upsert_iter(rows), OutcomeIterator[UpsertedContact])
    for outcome in hubspot.contacts.upsert([ContactUpsert("1", {})]).outcomes:
        if outcome.result is not None:
            assert_type(outcome.result.properties, dict[str, str | None])
            assert_type(outcome.result.new, bool)

    hubspot.contacts.create([ContactUpsert("1", {})])  # type: ignore[list-item]
    hubspot.contacts.read(["1"], id_property=5)  # type: ignore[arg-type]
    hubspot.contacts.read(["1"], properties=[5])  # type: ignore[list-item]
    hubspot.contacts.upsert(rows, id_property="email")  # type: ignore[call-arg]
    hubspot.contacts.archive(rows)  # type: ignore[attr-defined]


async def awaited(hubspot: AsyncHubSpotBatch, rows: list[dict[str, Any]]) -> None:
    """The asynchronous client has the same methods, awaited."""
    assert_type(await hubspot.contacts.upsert(rows), BatchResult[UpsertedContact])
    assert_type(hubspot.contacts.read_iter(["1"]), AsyncOutcomeIterator[Contact])
    async for outcome in hubspot.contacts.update_iter(rows):
        assert_type(outcome, Outcome[Contact])
    hubspot.contacts.upsert(rows)  # type: ignore[unused-coroutine]


def parameters(hubspot: HubSpotBatch) -> None:
    """A query parameter that the fragment of campaigns has gained is typed too."""
    found = hubspot.campaigns.read(["1"], archived=True, changed_after=dt.date(2026, 1, 1))
    assert_type(found, BatchResult[CampaignWithAssets])
    hubspot.campaigns.read_iter(["1"], changed_after="2026-01-01")
    hubspot.campaigns.read(["1"], archived="yes")  # type: ignore[arg-type]
    hubspot.campaigns.read(["1"], changed_after=5)  # type: ignore[arg-type]
