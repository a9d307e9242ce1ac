"""What can be done with each family of records, in a thread and in a task.

This module decides the names and arguments of the methods that users call. It never decides how a
run goes or what an answer means.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, cast

from .dates import read_date
from .errors import ConfigurationError
from .iterators import AsyncOutcomeIterator, OutcomeIterator
from .operations import (
    CREATE_CALLS,
    CREATE_CAMPAIGNS,
    READ_CAMPAIGNS,
    UPDATE_MARKETING_EVENTS,
    models,
)
from .outcomes import BatchResult
from .runs import AsyncRunner, Order, Runner

Fields: TypeAlias = Mapping[str, Any]
"""An input as a mapping in the API's own names."""

Date: TypeAlias = str | dt.date


def _read_query(
    properties: Iterable[str] | None, start_date: Date | None, end_date: Date | None
) -> dict[str, Any]:
    given = cast("object", properties)  # a text is iterable too, letter by letter
    if given is not None and (isinstance(given, str | bytes) or not isinstance(given, Iterable)):
        raise ConfigurationError('properties is a list of names, such as ["hs_name"].')
    first, last = _day("start_date", start_date), _day("end_date", end_date)
    names = None if properties is None else list(properties)
    query = {"properties": names, "start_date": first, "end_date": last}
    return {name: value for name, value in query.items() if value is not None}


def _day(name: str, value: Date | None) -> dt.date | None:
    if isinstance(value, dt.datetime):
        return value.date()
    if value is None or isinstance(value, dt.date):
        return value
    try:
        return read_date(value)
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"{name}: {error}; write it as YYYY-MM-DD.") from None


class Campaigns:
    """Marketing campaigns."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def create(
        self,
        inputs: Iterable[models.CampaignInput | Fields],
        *,
        chunk_size: int | None = None,
        isolate: bool = False,
    ) -> BatchResult[models.Campaign]:
        """Create a campaign for each input.

        Args:
            inputs: Models, or mappings such as `{"properties": {"hs_name": "Spring"}}`; any
                iterable, of any length.
            chunk_size: Inputs to a request; what the API takes at most by default.
            isolate: Whether a refused request is sent again in halves, to find its bad inputs. A
                campaign could be created twice: HubSpot does not say that it creates none then.

        Returns:
            An outcome for each input, in their order. A partial failure is no exception.

        Raises:
            HubSpotBatchError: Something stopped the run; `.result` has the outcomes all the same.
        """
        return self._runner.collect(Order(CREATE_CAMPAIGNS, inputs, chunk_size, isolate=isolate))

    def create_iter(
        self,
        inputs: Iterable[models.CampaignInput | Fields],
        *,
        chunk_size: int | None = None,
        isolate: bool = False,
    ) -> OutcomeIterator[models.Campaign]:
        """Create a campaign for each input; yield the outcomes as they become known.

        Like `create`, but only the inputs of the requests under way are in memory. When something
        stops the run, the outcomes of the inputs that were read come before it is raised.
        """
        return self._runner.iterate(Order(CREATE_CAMPAIGNS, inputs, chunk_size, isolate=isolate))

    def read(
        self,
        inputs: Iterable[str | models.CampaignReadInput | Fields],
        *,
        properties: Iterable[str] | None = None,
        start_date: Date | None = None,
        end_date: Date | None = None,
        chunk_size: int | None = None,
    ) -> BatchResult[models.CampaignWithAssets]:
        """Read the campaigns of the given ids.

        Args:
            inputs: Ids; any iterable, of any length. An id that occurs twice is answered twice.
            properties: Internal names of the properties to return; none by default.
            start_date: First day of the asset metrics, as a date or as text such as 2026-01-31.
            end_date: Last day of the asset metrics. Without the two no metrics come back.
            chunk_size: Inputs to a request; what the API takes at most by default.

        Returns:
            An outcome for each id, in their order. A partial failure is no exception.

        Raises:
            HubSpotBatchError: Something stopped the run; `.result` has the outcomes all the same.
        """
        query = _read_query(properties, start_date, end_date)
        return self._runner.collect(Order(READ_CAMPAIGNS, inputs, chunk_size, query))

    def read_iter(
        self,
        inputs: Iterable[str | models.CampaignReadInput | Fields],
        *,
        properties: Iterable[str] | None = None,
        start_date: Date | None = None,
        end_date: Date | None = None,
        chunk_size: int | None = None,
    ) -> OutcomeIterator[models.CampaignWithAssets]:
        """Read the campaigns of the given ids; yield the outcomes as they become known.

        Like `read`, but only the inputs of the requests under way are in memory. When something
        stops the run, the outcomes of the inputs that were read come before it is raised.
        """
        query = _read_query(properties, start_date, end_date)
        return self._runner.iterate(Order(READ_CAMPAIGNS, inputs, chunk_size, query))


class MarketingEvents:
    """Marketing events."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def update(
        self,
        inputs: Iterable[models.MarketingEventUpdate | Fields],
        *,
        chunk_size: int | None = None,
    ) -> BatchResult[models.MarketingEvent]:
        """Set new values of marketing events; what an input leaves out stays as it is.

        Args:
            inputs: Models, or mappings such as `{"objectId": "1", "eventName": "Open day"}`; any
                iterable, of any length. Two inputs for one event are sent one after the other.
            chunk_size: Inputs to a request; what the API takes at most by default.

        Returns:
            An outcome for each input, in their order. A partial failure is no exception.

        Raises:
            HubSpotBatchError: Something stopped the run; `.result` has the outcomes all the same.
        """
        return self._runner.collect(Order(UPDATE_MARKETING_EVENTS, inputs, chunk_size))

    def update_iter(
        self,
        inputs: Iterable[models.MarketingEventUpdate | Fields],
        *,
        chunk_size: int | None = None,
    ) -> OutcomeIterator[models.MarketingEvent]:
        """Set new values of marketing events; yield the outcomes as they become known.

        Like `update`, but only the inputs of the requests under way are in memory. When something
        stops the run, the outcomes of the inputs that were read come before it is raised.
        """
        return self._runner.iterate(Order(UPDATE_MARKETING_EVENTS, inputs, chunk_size))


class Calls:
    """Calls logged in the CRM."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def create(
        self, inputs: Iterable[models.CallInput | Fields], *, chunk_size: int | None = None
    ) -> BatchResult[models.Call]:
        """Create a call for each input.

        Each input gets an `objectWriteTraceId` if it has none of its own, so that the server
        carries out the good ones of a request and names the bad ones.

        Args:
            inputs: Models, or mappings such as
                `{"properties": {"hs_timestamp": "2026-01-31T09:30:00Z"}, "associations": [...]}`;
                any iterable, of any length.
            chunk_size: Inputs to a request; what the API takes at most by default.

        Returns:
            An outcome for each input, in their order. A partial failure is no exception.

        Raises:
            HubSpotBatchError: Something stopped the run; `.result` has the outcomes all the same.
        """
        return self._runner.collect(Order(CREATE_CALLS, inputs, chunk_size))

    def create_iter(
        self, inputs: Iterable[models.CallInput | Fields], *, chunk_size: int | None = None
    ) -> OutcomeIterator[models.Call]:
        """Create a call for each input; yield the outcomes as they become known.

        Like `create`, but only the inputs of the requests under way are in memory. When something
        stops the run, the outcomes of the inputs that were read come before it is raised.
        """
        return self._runner.iterate(Order(CREATE_CALLS, inputs, chunk_size))


class AsyncCampaigns:
    """Marketing campaigns."""

    def __init__(self, runner: AsyncRunner) -> None:
        self._runner = runner

    async def create(
        self,
        inputs: Iterable[models.CampaignInput | Fields],
        *,
        chunk_size: int | None = None,
        isolate: bool = False,
    ) -> BatchResult[models.Campaign]:
        """Create a campaign for each input; see `Campaigns.create`."""
        order = Order(CREATE_CAMPAIGNS, inputs, chunk_size, isolate=isolate)
        return await self._runner.collect(order)

    def create_iter(
        self,
        inputs: Iterable[models.CampaignInput | Fields],
        *,
        chunk_size: int | None = None,
        isolate: bool = False,
    ) -> AsyncOutcomeIterator[models.Campaign]:
        """Create campaigns, yielding outcomes as they become known; see `Campaigns.create_iter`."""
        return self._runner.iterate(Order(CREATE_CAMPAIGNS, inputs, chunk_size, isolate=isolate))

    async def read(
        self,
        inputs: Iterable[str | models.CampaignReadInput | Fields],
        *,
        properties: Iterable[str] | None = None,
        start_date: Date | None = None,
        end_date: Date | None = None,
        chunk_size: int | None = None,
    ) -> BatchResult[models.CampaignWithAssets]:
        """Read the campaigns of the given ids; see `Campaigns.read`."""
        query = _read_query(properties, start_date, end_date)
        return await self._runner.collect(Order(READ_CAMPAIGNS, inputs, chunk_size, query))

    def read_iter(
        self,
        inputs: Iterable[str | models.CampaignReadInput | Fields],
        *,
        properties: Iterable[str] | None = None,
        start_date: Date | None = None,
        end_date: Date | None = None,
        chunk_size: int | None = None,
    ) -> AsyncOutcomeIterator[models.CampaignWithAssets]:
        """Read campaigns, yielding outcomes as they become known; see `Campaigns.read_iter`."""
        query = _read_query(properties, start_date, end_date)
        return self._runner.iterate(Order(READ_CAMPAIGNS, inputs, chunk_size, query))


class AsyncMarketingEvents:
    """Marketing events."""

    def __init__(self, runner: AsyncRunner) -> None:
        self._runner = runner

    async def update(
        self,
        inputs: Iterable[models.MarketingEventUpdate | Fields],
        *,
        chunk_size: int | None = None,
    ) -> BatchResult[models.MarketingEvent]:
        """Set new values of marketing events; see `MarketingEvents.update`."""
        return await self._runner.collect(Order(UPDATE_MARKETING_EVENTS, inputs, chunk_size))

    def update_iter(
        self,
        inputs: Iterable[models.MarketingEventUpdate | Fields],
        *,
        chunk_size: int | None = None,
    ) -> AsyncOutcomeIterator[models.MarketingEvent]:
        """Update events, yielding outcomes as they become known; see `MarketingEvents`."""
        return self._runner.iterate(Order(UPDATE_MARKETING_EVENTS, inputs, chunk_size))


class AsyncCalls:
    """Calls logged in the CRM."""

    def __init__(self, runner: AsyncRunner) -> None:
        self._runner = runner

    async def create(
        self, inputs: Iterable[models.CallInput | Fields], *, chunk_size: int | None = None
    ) -> BatchResult[models.Call]:
        """Create a call for each input; see `Calls.create`."""
        return await self._runner.collect(Order(CREATE_CALLS, inputs, chunk_size))

    def create_iter(
        self, inputs: Iterable[models.CallInput | Fields], *, chunk_size: int | None = None
    ) -> AsyncOutcomeIterator[models.Call]:
        """Create calls, yielding outcomes as they become known; see `Calls.create_iter`."""
        return self._runner.iterate(Order(CREATE_CALLS, inputs, chunk_size))
