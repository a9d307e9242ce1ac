"""The words of type checkers about the generated client. Checked, never run.

A line that must be an error says so (`type: ignore`): both checkers report such a comment where
they find no error, and mypy also where it finds another one.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

import datetime as dt
from collections.abc import MutableMapping
from typing import assert_type

from hubspot_batch_client import AuthenticatedClient, Client
from hubspot_batch_client.api.calls import create_calls
from hubspot_batch_client.api.campaigns import create_campaigns, read_campaigns
from hubspot_batch_client.api.marketing_events import update_marketing_events
from hubspot_batch_client.contract import OPERATIONS, Operation
from hubspot_batch_client.models import (
    ApiError,
    Asset,
    AssetCollection,
    Association,
    AssociationCategory,
    AssociationTarget,
    AssociationType,
    BatchError,
    BatchStatus,
    Call,
    CallBatch,
    CallBatchInput,
    CallInput,
    CallWarning,
    Campaign,
    CampaignBatch,
    CampaignBatchInput,
    CampaignInput,
    CampaignReadBatch,
    CampaignReadBatchInput,
    CampaignReadInput,
    CampaignWithAssets,
    CustomPropertyInput,
    ErrorDetail,
    MarketingEvent,
    MarketingEventBatch,
    MarketingEventBatchInput,
    MarketingEventUpdate,
    Properties,
    PropertyVersion,
)
from hubspot_batch_client.types import UNSET, Response, Unset


def inputs() -> None:
    """Inputs are built from plain values."""
    call = CallInput(properties={"a": "b"})
    assert_type(call.properties, dict[str, str])
    assert_type(call.properties["a"], str)
    assert_type(call.associations, list[Association])
    assert_type(call.object_write_trace_id, str | Unset)
    call.properties["c"] = "d"
    named: Properties = {"a": "b"}
    CallInput(named, [Association(AssociationTarget("1"), [])], "trace")
    CallInput(properties={}, object_write_trace_id=UNSET, additional_properties={"later": 1})
    AssociationType(AssociationCategory.HUBSPOT_DEFINED, 194)
    MarketingEventUpdate(
        object_id="1",
        custom_properties=[CustomPropertyInput("a", "b")],
        start_date_time=dt.datetime.now(dt.UTC),
        event_cancelled=True,
    )
    assert_type(call.to_dict(), dict[str, object])  # type: ignore[assert-type]
    assert_type(CallInput.from_dict({}), CallInput)
    call["later"] = [1]
    assert_type("later" in call, bool)
    assert_type(call.additional_keys, list[str])


def wrong_inputs(client: Client) -> None:
    """An input that the API would refuse for its form is an error of types too."""
    CallInput()  # type: ignore[call-arg]
    CallInput(properties={"a": 1})  # type: ignore[dict-item]
    CallInput(properties={"a": None})  # type: ignore[dict-item]
    CallInput(properties={}, trace="1")  # type: ignore[call-arg]
    AssociationType("HUBSPOT_DEFINED", 194)  # type: ignore[arg-type]
    AssociationTarget(501)  # type: ignore[arg-type]
    MarketingEventUpdate(custom_properties=[])  # type: ignore[call-arg]
    MarketingEventUpdate("1", start_date_time="2026-01-01")  # type: ignore[arg-type]
    CampaignBatchInput([CallInput({})])  # type: ignore[list-item]
    create_calls.sync(client=client, body=CampaignBatchInput([]))  # type: ignore[arg-type]
    create_calls.sync(client, CallBatchInput([]))  # type: ignore[call-arg]
    AuthenticatedClient("https://host.example")  # type: ignore[call-arg]


def calls(client: Client, body: CallBatchInput) -> None:
    """An answer is a batch, an error, or nothing that can be read."""
    response = create_calls.sync_detailed(client=client, body=body)
    assert_type(response, Response[ApiError | CallBatch])
    assert_type(response.status_code, int)
    assert_type(response.content, bytes)
    assert_type(response.headers, MutableMapping[str, str])
    parsed = create_calls.sync(client=client, body=body)
    assert_type(parsed, ApiError | CallBatch | None)
    if isinstance(parsed, CallBatch):
        assert_type(parsed.status, BatchStatus | str)
        assert_type(parsed.started_at, dt.datetime)
        assert_type(parsed.requested_at, dt.datetime | None | Unset)
        assert_type(parsed.num_errors, int | None | Unset)
        call = parsed.results[0]
        assert_type(call, Call)
        assert_type(call.id, str)
        assert_type(call.properties, dict[str, str | None])
        assert_type(call.properties["x"], str | None)
        assert_type(call.archived_at, dt.datetime | None | Unset)
        if call.properties_with_history:
            assert_type(call.properties_with_history["x"], list[PropertyVersion])
        for warning in call.warnings or ():
            assert_type(warning, CallWarning)
        for error in parsed.errors or ():
            assert_type(error, BatchError)
            if error.context:
                assert_type(error.context["ids"], list[str] | str)
            for detail in error.errors or ():
                assert_type(detail, ErrorDetail)
                assert_type(detail.in_, str | None | Unset)
    elif parsed is not None:
        assert_type(parsed, ApiError)
        assert_type(parsed.message, str)
        assert_type(parsed.policy_name, str | None | Unset)
    parsed.results  # type: ignore[union-attr]  # noqa: B018


def others(client: AuthenticatedClient) -> None:
    """The other operations answer with models of their own."""
    created = create_campaigns.sync(
        client=client, body=CampaignBatchInput([CampaignInput({"hs_name": "a"})])
    )
    assert_type(created, ApiError | CampaignBatch | None)
    if isinstance(created, CampaignBatch):
        assert_type(created.results[0], Campaign)
        assert_type(created.results[0].business_units[0].id, int)
    read = read_campaigns.sync(
        client=client,
        body=CampaignReadBatchInput([CampaignReadInput("1")]),
        properties=["hs_name"],
        start_date=dt.date(2026, 1, 1),
    )
    assert_type(read, ApiError | CampaignReadBatch | None)
    if isinstance(read, CampaignReadBatch):
        campaign = read.results[0]
        assert_type(campaign, CampaignWithAssets)
        assert_type(campaign.assets, dict[str, AssetCollection] | None | Unset)
        if campaign.assets:
            assert_type(campaign.assets["EMAIL"].results[0], Asset)
    updated = update_marketing_events.sync(
        client=client, body=MarketingEventBatchInput([MarketingEventUpdate("1")])
    )
    assert_type(updated, ApiError | MarketingEventBatch | None)
    if isinstance(updated, MarketingEventBatch):
        event = updated.results[0]
        assert_type(event, MarketingEvent)
        assert_type(event.created_at, dt.datetime)
        assert_type(event.event_cancelled, bool | None | Unset)


async def asynchronous(client: AuthenticatedClient, body: CallBatchInput) -> None:
    """The asynchronous functions return the same."""
    assert_type(await create_calls.asyncio(client=client, body=body), ApiError | CallBatch | None)
    assert_type(
        await create_calls.asyncio_detailed(client=client, body=body),
        Response[ApiError | CallBatch],
    )
    async with client as entered:
        assert_type(entered, AuthenticatedClient)


def clients() -> None:
    """A changed client is of the same kind."""
    with AuthenticatedClient("https://host.example", token="t") as client:
        assert_type(client, AuthenticatedClient)
        assert_type(client.with_headers({"a": "b"}), AuthenticatedClient)
    assert_type(Client("https://host.example").with_cookies({}), Client)


def contract() -> None:
    """The table of operations is typed too."""
    operation = OPERATIONS["create_calls"]
    assert_type(operation, Operation)
    assert_type(operation.max_inputs, int | None)
    assert_type(operation.scopes, tuple[str, ...])
    operation.path = "/"  # type: ignore[misc]
