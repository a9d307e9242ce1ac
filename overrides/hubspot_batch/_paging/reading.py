"""Reads all pages of a search or a list.

This module performs nothing itself: it yields requests, waits and records, and is sent the results,
so threads and tasks share it. It decides whether a page is complete. If records are missing, the
page is requested again, and if they stay missing, an error ends the iterator. So an iterator that
ends without an error has handed out everything.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple, TypeAlias

import httpx
from hubspot_batch_client import models
from hubspot_batch_client.types import Model, read_model

from hubspot_batch._engine.chunk import unreachable
from hubspot_batch._json import is_list
from hubspot_batch._lookup.endpoints import RESULTS_AT_MOST
from hubspot_batch._lookup.steps import Step as RequestStep
from hubspot_batch._lookup.steps import send
from hubspot_batch._operations.parsing import MatchKeys, parse_response
from hubspot_batch._transport.request_state import RequestState
from hubspot_batch._transport.retry import Effect, disposition_of_failure
from hubspot_batch.errors import ConfigurationError, HubSpotBatchError, UnfinishedError
from hubspot_batch.options import Limiter

from .query import Position, Query


class Records(NamedTuple):
    """Hand out records."""

    records: Sequence[Any]


class _Page(NamedTuple):
    """A page of records.

    Attributes:
        records: The records.
        total: How many there are on all pages; None if it does not say so.
        after: What names the next page; None if this is the last one.
    """

    records: Sequence[Any]
    total: int | None
    after: str | None


Step: TypeAlias = RequestStep | Records
# A step's result, after the time at which it came, in seconds of the client's clock.
Steps: TypeAlias = Generator[Step, tuple[float, Any], None]


def pages(query: Query, pace: Limiter, now: float) -> Steps:
    """Yield the requests and waits of a search or a list, and its records.

    Args:
        query: The search or the list.
        pace: When a search may start.
        now: The time.

    Raises:
        UnfinishedError: A page cannot be trusted to be whole.
    """
    at, start, total = Position(), 0, None
    handed_out: set[str] = set()
    searches = query.listing.kind == "search"
    while True:
        page, now = yield from _page(query, at, start, pace, now)
        if searches and at == Position() and (page.total or 0) > RESULTS_AT_MOST:
            _check_goes_on(query, page.total or 0)
        fewer = start > 0 and page.total is not None and total is not None and page.total < total
        if fewer and not query.by_id:
            raise UnfinishedError(
                f"{query.name}: records went away while the pages were read, so others may have "
                "been left out. Ask again."
            )
        if fewer:  # what came after them has moved to earlier pages
            at, start, total = Position(last_id=_last(handed_out)), 0, None
            continue
        total = page.total
        new = [one for one in page.records if one.id not in handed_out]
        handed_out.update(one.id for one in new)
        if new:
            now, _ = yield Records(new)
        start += len(page.records)
        if page.after is None:
            return
        if page.after == at.after:
            raise UnfinishedError(f"{query.name}: HubSpot names the same page again. Ask again.")
        at = Position(page.after, at.last_id)
        if searches and start + query.listing.limit > RESULTS_AT_MOST:
            last = _last(handed_out)
            at, start, total, handed_out = Position(last_id=last), 0, None, {last}


def _last(ids: set[str]) -> str:
    """Return the greatest id; ids are whole numbers."""
    return max(ids, key=lambda one: (len(one), one))


def _check_goes_on(query: Query, total: int) -> None:
    """Refuse a search with more results than HubSpot would show."""
    if not query.goes_on:
        cause = "with these filters" if query.by_id else "in an order of your own"
        raise ConfigurationError(
            f"{query.name} finds {total:,} records, and HubSpot shows {RESULTS_AT_MOST:,} of them "
            f"{cause}. Leave out `sorts`, or ask for fewer at a time."
        )


def _page(
    query: Query, at: Position, start: int, pace: Limiter, now: float
) -> Generator[Step, tuple[float, Any], tuple[_Page, float]]:
    """Ask for a page, at the pace of searches."""
    listing = query.listing
    state = RequestState(read=partial(_read, query, start))
    function: Any = import_module(f"hubspot_batch_client.api.{listing.tag}.{listing.id}")
    request: dict[str, Any] = function._get_kwargs(**query.arguments(at))
    reply = yield from send(request, state, pace if listing.kind == "search" else None, now)
    return _page_of(query, reply.result, state), reply.now


def _page_of(query: Query, result: Any, state: RequestState) -> _Page:
    """Return the page of a response, or raise why there is none."""
    if isinstance(result, httpx.HTTPError):
        if disposition_of_failure(result).effect is Effect.NOT_SENT:
            raise unreachable(state.address, result)
        raise UnfinishedError(
            f"{query.name}: no response came ({type(result).__name__}). Ask again."
        ) from result.with_traceback(None)
    read = state.interpretation
    if read is not None and isinstance(read.body, _Page):
        return read.body
    status = result.status_code
    if read is None or result.is_success:
        raise UnfinishedError(
            f"{query.name}: a page was unreadable, or lacked records that there should be. "
            "Ask again.",
            status_code=status,
        )
    refusal = parse_response(result, read, MatchKeys(None, None, ()), None)
    stop: HubSpotBatchError | None = refusal.stop(query.name, state.address, alone=True)
    if stop is not None:
        raise stop
    kind = ConfigurationError if status == 400 else UnfinishedError
    words = refusal.error.message.rstrip(".")
    raise kind(
        f"{query.name}: HubSpot refuses it (HTTP {status}: {words}).",
        status_code=status,
        correlation_id=refusal.error.correlation_id,
    )


def _read(query: Query, start: int, response: httpx.Response) -> _Page | None:
    """Return the page that a response holds; None if it cannot be trusted to be whole.

    Args:
        query: The search or the list.
        start: How many records stand on the pages before it.
        response: The response.
    """
    listing = query.listing
    body = read_model(getattr(models, listing.page_model), response)
    records: Any = getattr(body, "results", None)
    if not is_list(records) or not all(_is_record(one) for one in records):
        return None
    after = _after(body)
    total = getattr(body, "total", None)
    if not listing.counted:
        return _Page(records, None, after) if records or after is None else None
    if type(total) is not int or total < 0:
        return None
    ends = start + len(records) >= total
    whole = len(records) >= min(listing.limit, total - start)
    if listing.kind == "search":
        after = None if ends else after  # some name a page after the last one
    return _Page(records, total, after) if whole and (ends or after) else None


def _is_record(value: object) -> bool:
    id_ = getattr(value, "id", None)
    return isinstance(value, Model) and isinstance(id_, str) and id_ != ""


def _after(body: Any) -> str | None:
    following = getattr(getattr(body, "paging", None), "next_", None)
    after = getattr(following, "after", None)
    return None if after in (None, "") or not isinstance(after, str | int) else str(after)
