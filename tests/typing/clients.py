"""The words of type checkers about the handwritten package. Checked, never run.

A line that must be an error says so (`type: ignore`): both checkers report such a comment where
they find no error, and mypy also where it finds another one.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any, assert_never, assert_type

import httpx
from hubspot_batch import (
    Answered,
    AsyncHubSpotBatch,
    AsyncOutcomeIterator,
    AuthenticationError,
    BatchResult,
    ConfigurationError,
    Event,
    HubSpotBatch,
    HubSpotBatchError,
    IncompleteError,
    Journal,
    Outcome,
    OutcomeError,
    OutcomeIterator,
    OutcomeStatus,
    RateLimit,
    Remark,
    RequestSent,
    Retry,
    RunEnded,
    Settled,
    Wait,
    result_of,
    results_of,
)
from hubspot_batch.files import Mapping as ColumnMapping
from hubspot_batch_client import models
from hubspot_batch_client.models import (
    Call,
    CallInput,
    Campaign,
    CampaignInput,
    CampaignReadInput,
    CampaignWithAssets,
    FilterGroup,
    FilterOperator,
    MarketingEvent,
    MarketingEventUpdate,
    SearchFilter,
)


def token() -> str:
    """A provider."""
    return "t"


async def rows_later() -> AsyncIterator[CallInput]:
    yield CallInput({})


async def token_later() -> str:
    """An asynchronous provider."""
    return "t"


def clients(transport: httpx.BaseTransport, atransport: httpx.AsyncBaseTransport) -> None:
    """The arguments of both clients."""
    HubSpotBatch()
    HubSpotBatch("token")
    HubSpotBatch(token)
    HubSpotBatch(lambda: "t")
    HubSpotBatch(
        None,
        base_url="https://host.example",
        timeout=3,
        max_concurrency=2,
        rate_limit=RateLimit(190, 10),
        retry=Retry(max_attempts=3, max_elapsed=60),
        transport=transport,
    )
    HubSpotBatch(timeout=httpx.Timeout(5), rate_limit=None)
    AsyncHubSpotBatch(token)
    AsyncHubSpotBatch(token_later, transport=atransport)

    HubSpotBatch(5)  # type: ignore[arg-type]
    HubSpotBatch(token_later)  # type: ignore[arg-type]
    HubSpotBatch("t", "https://host.example")  # type: ignore[call-arg]
    HubSpotBatch(transport=atransport)  # type: ignore[arg-type]
    AsyncHubSpotBatch(transport=transport)  # type: ignore[arg-type]
    HubSpotBatch(rate_limit=100)  # type: ignore[arg-type]
    HubSpotBatch(retry=None)  # type: ignore[arg-type]
    HubSpotBatch(max_concurrency="2")  # type: ignore[arg-type]


def results(hubspot: HubSpotBatch, rows: list[dict[str, Any]]) -> None:
    """Each method returns outcomes with the model of its family."""
    created = hubspot.calls.create([CallInput(properties={"hs_timestamp": "0"})])
    assert_type(created, BatchResult[Call])
    assert_type(created.outcomes, tuple[Outcome[Call], ...])
    assert_type(created.succeeded, tuple[Outcome[Call], ...])
    assert_type(created.unmatched, tuple[Call, ...])
    for outcome in created.outcomes:
        assert_type(outcome, Outcome[Call])
        assert_type(outcome.result, Call | None)
        assert_type(outcome.index, int)
        assert_type(outcome.error, OutcomeError | None)
        if outcome.result is not None:
            assert_type(outcome.result.properties, dict[str, str | None])
        if outcome.error is not None:
            assert_type(outcome.error.context, Mapping[str, tuple[str, ...]])
            assert_type(outcome.error.status_code, int | None)
        assert_type(outcome.status, OutcomeStatus)

    assert_type(hubspot.calls.reconcile(created, after=[5, 0.5]), BatchResult[Call])
    assert_type(hubspot.calls.reconcile(created.unknown), BatchResult[Call])
    assert_type(hubspot.calls.create(rows, key_property="p", reconcile=True), BatchResult[Call])
    assert_type(hubspot.calls.create(rows, stamp_property="p", reconcile=[5]), BatchResult[Call])
    hubspot.campaigns.create(rows, key_property="p")  # type: ignore[call-arg]
    assert_type(created[0].evidence, str | None)
    hubspot.marketing_events.reconcile(created)  # type: ignore[attr-defined]

    assert_type(hubspot.campaigns.create(rows), BatchResult[Campaign])
    assert_type(hubspot.campaigns.read(["1"]), BatchResult[CampaignWithAssets])
    assert_type(hubspot.marketing_events.update(rows), BatchResult[MarketingEvent])
    print_all(created)


def print_all(result: BatchResult[object]) -> None:
    """A function for results of any family."""
    assert_type(result.outcomes[0].result, object | None)


def inputs(hubspot: HubSpotBatch, rows: list[dict[str, Any]]) -> None:
    """Models, mappings, ids, and any iterable of them."""
    hubspot.calls.create({"properties": {"hs_timestamp": str(n)}} for n in range(3))
    hubspot.calls.create([CallInput({}), {"properties": {}}])
    hubspot.calls.create(rows, chunk_size=10)
    hubspot.campaigns.create([CampaignInput({})])
    hubspot.campaigns.read({"1", "2"}, properties=("hs_name",), start_date="2026-01-01")
    hubspot.campaigns.read([CampaignReadInput("1"), {"id": "2"}, "3"], end_date=dt.date(2026, 1, 1))
    hubspot.marketing_events.update([MarketingEventUpdate("1")])
    assert_type(hubspot.calls.create_iter(rows), OutcomeIterator[Call])
    assert_type(next(hubspot.campaigns.read_iter(["1"])), Outcome[CampaignWithAssets])

    hubspot.calls.create([CampaignInput({})])  # type: ignore[list-item]
    hubspot.calls.create(["1"])  # type: ignore[list-item]
    hubspot.calls.create(CallInput({}))  # type: ignore[arg-type]
    hubspot.calls.create(rows, 10)  # type: ignore[call-arg]
    hubspot.calls.create(rows_later())  # type: ignore[arg-type]
    hubspot.campaigns.read([1])  # type: ignore[list-item]
    hubspot.campaigns.read(["1"], start_date=20260101)  # type: ignore[arg-type]
    hubspot.calls.replace(["1"])  # type: ignore[attr-defined]
    assert_type(hubspot.calls.archive(["1"]), BatchResult[None])
    assert_type(hubspot.calls.read(["1"], id_property="x"), BatchResult[Call])
    hubspot.calls.update(["1"])  # type: ignore[list-item]
    hubspot.marketing_events.delete(["1"])  # type: ignore[list-item]


def records(hubspot: HubSpotBatch, created: BatchResult[Call]) -> None:
    """Searches and lists give models; their arguments are models or mappings."""
    group = FilterGroup([SearchFilter("hs_call_status", FilterOperator.EQ, value="BUSY")])
    assert_type(hubspot.calls.search(filter_groups=[group]), Iterator[Call])
    assert_type(hubspot.calls.search(query="a", sorts=[{"propertyName": "x"}]), Iterator[Call])
    assert_type(next(hubspot.campaigns.list(sort="hs_name")), Campaign)
    assert_type(created[0].warnings, tuple[Remark, ...])
    HubSpotBatch(api_version="2026-03")

    hubspot.calls.search(filter_groups=["hs_call_status"])  # type: ignore[list-item]
    hubspot.campaigns.list(properties=1)  # type: ignore[arg-type]
    hubspot.campaigns.search()  # type: ignore[attr-defined]
    hubspot.marketing_events.list()  # type: ignore[attr-defined]
    HubSpotBatch(api_version=2026)  # type: ignore[arg-type]


async def records_later(hubspot: AsyncHubSpotBatch) -> None:
    """They are asynchronous iterators in the other client."""
    assert_type(hubspot.campaigns.list(name="a"), AsyncIterator[Campaign])
    async for call in hubspot.calls.search(properties=["hs_call_title"]):
        assert_type(call, Call)
    await hubspot.calls.search()  # type: ignore[misc]


async def asynchronous(hubspot: AsyncHubSpotBatch, rows: list[dict[str, Any]]) -> None:
    """The asynchronous client has the same methods, awaited."""
    assert_type(await hubspot.calls.create(rows), BatchResult[Call])
    assert_type(await hubspot.campaigns.create(rows), BatchResult[Campaign])
    assert_type(await hubspot.campaigns.read(["1"]), BatchResult[CampaignWithAssets])
    assert_type(await hubspot.marketing_events.update(rows), BatchResult[MarketingEvent])
    assert_type(hubspot.calls.create_iter(rows), AsyncOutcomeIterator[Call])
    async for outcome in hubspot.marketing_events.update_iter(rows):
        assert_type(outcome, Outcome[MarketingEvent])
    async with hubspot as entered:
        assert_type(entered, AsyncHubSpotBatch)

    assert_type(await hubspot.calls.create(rows_later()), BatchResult[Call])
    assert_type(hubspot.calls.create_iter(rows_later()), AsyncOutcomeIterator[Call])
    hubspot.calls.create(rows)  # type: ignore[unused-coroutine]
    await hubspot.calls.create_iter(rows)  # type: ignore[misc]
    for _ in hubspot.calls.create_iter(rows):  # type: ignore[attr-defined]
        pass
    with hubspot:  # type: ignore[attr-defined]
        pass


def errors(hubspot: HubSpotBatch) -> None:
    """The exception carries the outcomes."""
    try:
        with hubspot as entered:
            assert_type(entered, HubSpotBatch)
            entered.calls.create([]).raise_for_failures()
    except (AuthenticationError, IncompleteError) as error:
        assert_type(error.result, BatchResult[Any] | None)
        assert_type(error.status_code, int | None)
        assert_type(error.correlation_id, str | None)
    except ConfigurationError as error:
        base: HubSpotBatchError = error
        assert_type(base.message, str)


def frozen(outcome: Outcome[Call], limit: RateLimit) -> None:
    """Values are not changed."""
    outcome.index = 1  # type: ignore[misc]
    limit.requests = 5  # type: ignore[misc]


def interruptions(hubspot: HubSpotBatch) -> None:
    """Any exception can carry outcomes."""
    try:
        hubspot.calls.create([])
    except KeyboardInterrupt as error:
        assert_type(result_of(error), BatchResult[Any] | None)
        assert_type(results_of(error), tuple[BatchResult[Any], ...])


def events(event: Event) -> None:
    """A function that is told of each event."""
    match event:
        case Wait():
            assert_type(event.seconds, float)
        case Answered():
            assert_type(event.status_code, int | None)
        case RequestSent() | Settled() | RunEnded():
            pass
        case _:
            assert_never(event)
    hubspot = HubSpotBatch("token", on_event=events, daily_reserve=10)
    HubSpotBatch("token", on_event=5)  # type: ignore[arg-type]
    HubSpotBatch("token", verify=False)  # type: ignore[arg-type]
    assert_type(hubspot.with_options(timeout=None, retry=Retry(1)), HubSpotBatch)
    hubspot.with_options(rate_limit=None)  # type: ignore[call-arg]
    assert_type(hubspot.validate.calls.create([]), BatchResult[models.Call])


def journals(hubspot: HubSpotBatch, path: Path, rows: list[dict[str, Any]]) -> None:
    """A journal is a path or a `Journal`, for methods and iterators alike."""
    journal = Journal(path, retry=["failed"], account="1", source_size=5)
    assert_type(hubspot.calls.create(rows, journal=journal), BatchResult[Call])
    assert_type(hubspot.calls.create(rows, journal="a.sqlite"), BatchResult[Call])
    assert_type(hubspot.campaigns.read(["1"], journal=path), BatchResult[CampaignWithAssets])
    assert_type(hubspot.calls.create_iter(rows, journal=path), OutcomeIterator[Call])
    assert_type(journal.counts(), dict[str, int])
    assert_type(journal.head(), dict[str, str])
    assert_type(journal.begun(), dict[str, str] | None)
    assert_type(journal.exists(), bool)
    hubspot.calls.create(rows, journal=5)  # type: ignore[arg-type]
    journal.account = "2"  # type: ignore[misc]


async def journals_later(
    hubspot: AsyncHubSpotBatch, path: Path, rows: list[dict[str, Any]]
) -> None:
    """The asynchronous client takes the same journals."""
    assert_type(await hubspot.calls.create(rows, journal=Journal(path)), BatchResult[Call])
    assert_type(hubspot.calls.create_iter(rows, journal=path), AsyncOutcomeIterator[Call])
    await hubspot.calls.create(rows, journal=5)  # type: ignore[arg-type]


def files(hubspot: HubSpotBatch, path: Path, frame: object) -> None:
    """A mapping makes inputs of a file, of rows or of a DataFrame."""
    mapping = ColumnMapping.load(path)
    assert_type(mapping, ColumnMapping)
    assert_type(mapping.inputs(path), Iterator[Any])
    assert_type(mapping.digest(), str)
    assert_type(hubspot.calls.create(mapping.inputs(frame), journal=path), BatchResult[Call])
