"""The requests of one look-up, as steps that somebody performs.

This module decides which responses count as no response at all, and what time it is for the
server: the clock of this machine may be wrong, so the server's own clock counts, which its
responses tell (`Date`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import httpx

from hubspot_batch._operations.parsing import MatchKeys, parse_response
from hubspot_batch._traces import Attempted
from hubspot_batch._transport.request_state import EXTENSION, ReadSuccess, RequestState
from hubspot_batch.options import Limiter
from hubspot_batch.outcomes import OutcomeError

from .ways import Hit, Page, Period, Way, may_go_on, read_page

# Seconds before the first attempt from which a record can be the request's, for clocks of several
# servers; and seconds after it was given up until which the request can be carried out. HubSpot's
# edge gives up after 100 (524).
_BEFORE, _AFTER = 5.0, 120.0


class Ask(NamedTuple):
    """Send a request; the result is its response, or the `httpx.HTTPError` in its place."""

    request: dict[str, Any]


class Rest(NamedTuple):
    """Let time pass."""

    seconds: float


class ReserveSearch(NamedTuple):
    """Ask when a search may start; the result is that of `Limiter.reserve`."""

    now: float
    holder: object


Step: TypeAlias = Ask | Rest | ReserveSearch
# A step's result, after the time at which it came, in seconds of the client's clock.
Steps: TypeAlias = Generator[Step, tuple[float, Any], None]
Asked: TypeAlias = Generator[Step, tuple[float, Any], tuple[Any, float]]


class FailedError(Exception):
    """A request brought no complete result; the message says why.

    Attributes:
        status_code: The HTTP status of the response; None if there was none.
        error: What the response says; None if it says nothing.
    """

    def __init__(
        self, why: str, status_code: int | None = None, error: OutcomeError | None = None
    ) -> None:
        super().__init__(why)
        self.status_code = status_code
        self.error = error


class Asking:
    """The requests of one look-up.

    Args:
        way: How the records of the family are looked up.
        pace: When a search may start.

    Attributes:
        way: The same.
        offset: What the server's clock is ahead of the client's, at least and at most; None before
            a response told it.
    """

    def __init__(self, way: Way, pace: Limiter) -> None:
        self.way = way
        self.offset: Period | None = None
        self._pace = pace

    def ask(
        self, now: float, request: dict[str, Any], read: ReadSuccess, *, searches: bool = False
    ) -> Asked:
        """Send a request; return what `read` makes of its response, and the time.

        Raises:
            FailedError: There was no response, or none that can be trusted.
            HubSpotBatchError: Later requests will fail, too.
        """
        state = RequestState(read=read)
        while searches:
            _, pause = yield ReserveSearch(now, state)
            if not pause:
                break
            now, _ = yield Rest(pause)
        started = now
        try:
            now, came = yield Ask({**request, "extensions": {EXTENSION: state}})
        finally:
            if searches:
                self._pace.report(started, now, {}, None)
        if isinstance(came, httpx.HTTPError):
            raise FailedError(f"no response came ({type(came).__name__})")
        return self._body(came, state, started, now), now

    def _body(
        self, response: httpx.Response, state: RequestState, started: float, now: float
    ) -> Any:
        read = state.interpretation
        if read is None or not response.is_success:
            said = None
            if read is not None:
                told = parse_response(response, read, MatchKeys(None, None, ()), None)
                # Anything else can be over at the next look.
                lasts = told.status_code in (401, 403) or told.daily
                if lasts and (stop := told.stop(self.way.name)) is not None:
                    raise stop
                said = told.error
            status = response.status_code
            raise FailedError(f"HubSpot answered HTTP {status}", status, said)
        if read.body is None:
            raise FailedError("a page was unreadable or cut short")
        try:
            date = parsedate_to_datetime(response.headers["Date"]).timestamp()
        except (KeyError, ValueError, TypeError, OverflowError):
            raise FailedError("the response does not say when it was sent") from None
        # The header has whole seconds.
        self.offset = Period(date - now, date + 1.0 - started)
        return read.body

    def pages(
        self,
        now: float,
        request: Callable[[str | None], dict[str, Any]],
        since: Callable[[], float] | None = None,
    ) -> Asked:
        """Return the records of all pages by their ids, and the time.

        Args:
            now: The time.
            request: Given what names a page, None for the first, returns its request.
            since: Returns from when on records are wanted, where pages have the newest first.
        """
        found: dict[str, Hit] = {}
        start, after = 0, None
        while True:
            page: Page
            read = partial(read_page, self.way, start)
            page, now = yield from self.ask(now, request(after), read, searches=self.way.searches)
            found.update((hit.id, hit) for hit in page.hits)
            start, after = start + len(page.hits), page.after
            if after is None or (since is not None and page.hits[-1].created < since()):
                return found, now
            if not may_go_on(self.way, start):
                raise FailedError("more records were created meanwhile than a search shows")

    def period(self, attempted: Attempted) -> Period:
        """Return when a record of a request can have been created, on the server's clock."""
        offset, (first, given_up) = self.offset, attempted
        assert offset is not None  # noqa: S101 - a page was read
        assert given_up is not None  # noqa: S101 - see `look_up`
        return Period(first + offset.start - _BEFORE, given_up + offset.end + _AFTER)
