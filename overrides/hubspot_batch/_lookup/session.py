"""The requests of one look-up, as steps.

This module decides which responses are unusable, and what time it is for the server. The clock of
this machine may be wrong, so the header `Date` of the responses counts.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, TypeAlias

import httpx

from hubspot_batch._operations.parsing import MatchKeys, parse_response
from hubspot_batch._transport.request_state import ReadSuccess, RequestState
from hubspot_batch.options import Limiter
from hubspot_batch.outcomes import OutcomeError
from hubspot_batch.outcomes.traces import Attempted

from .endpoints import FoundRecord, LookupEndpoint, Page, Period, has_next_page, read_page
from .steps import Step, send

# A record can be of a request if it was created at most this many seconds before the first attempt
# (several servers have several clocks), or after the request was given up (HubSpot's edge gives up
# after 100 seconds, 524).
_STARTED_BEFORE, _CARRIED_OUT_WITHIN = 5.0, 120.0

# Characters of HubSpot's words that a message shows at most.
_WORDS_SHOWN = 200


# Returns the request of a page. Its arguments are the name of the page, None for the first, and the
# latest creation time that is wanted, None for any.
PageRequest: TypeAlias = Callable[[str | None, float | None], dict[str, Any]]
SendSteps: TypeAlias = Generator[Step, tuple[float, Any], tuple[Any, float]]


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


class LookupSession:
    """The requests of one look-up.

    Args:
        endpoint: How the records of the family are looked up.
        pace: When a search may start.

    Attributes:
        endpoint: The same.
        clock_offset: How far the server's clock is ahead of the client's, at least and at most.
            None before the first response.
    """

    def __init__(self, endpoint: LookupEndpoint, pace: Limiter) -> None:
        self.endpoint = endpoint
        self.clock_offset: Period | None = None
        self._pace = pace

    def send(
        self, now: float, request: dict[str, Any], read: ReadSuccess, *, searches: bool = False
    ) -> SendSteps:
        """Send a request; return what `read` makes of its response, and the time.

        Raises:
            FailedError: There was no response, or none that can be trusted.
            HubSpotBatchError: Later requests will fail, too.
        """
        state = RequestState(read=read)
        reply = yield from send(request, state, self._pace if searches else None, now)
        if isinstance(reply.result, httpx.HTTPError):
            raise FailedError(f"no response came ({type(reply.result).__name__})")
        return self._body(reply.result, state, reply.started, reply.now), reply.now

    def _body(
        self, response: httpx.Response, state: RequestState, started: float, now: float
    ) -> Any:
        read = state.interpretation
        if read is None or not response.is_success:
            said = None
            if read is not None:
                refusal = parse_response(response, read, MatchKeys(None, None, ()), None)
                # Anything else can be over at the next look.
                lasts = refusal.status_code in (401, 403) or refusal.daily
                if lasts and (stop := refusal.stop(self.endpoint.method_name)) is not None:
                    raise stop
                said = refusal.error
            status = response.status_code
            words = "" if said is None else " ".join(said.message.split())[:_WORDS_SHOWN]
            why = f"HubSpot answered HTTP {status}" + (f" ({words})" if words else "")
            raise FailedError(why, status, said)
        if read.body is None:
            raise FailedError("a page was unreadable or cut short")
        try:
            date = parsedate_to_datetime(response.headers["Date"]).timestamp()
        except (KeyError, ValueError, TypeError, OverflowError):
            raise FailedError("the response does not say when it was sent") from None
        # The header has whole seconds.
        self.clock_offset = Period(date - now, date + 1.0 - started)
        return read.body

    def pages(
        self,
        now: float,
        request: PageRequest,
        since: Callable[[], float] | None = None,
    ) -> SendSteps:
        """Return the records of all pages by their ids, and the time.

        Args:
            now: The time.
            request: Returns the request of a page.
            since: Returns the earliest creation time that is wanted; pages list the newest records
                first. None if they list them in any order.
        """
        found: dict[str, FoundRecord] = {}
        start, after, before = 0, None, None
        while True:
            page: Page
            read = partial(read_page, self.endpoint, start)
            page, now = yield from self.send(
                now, request(after, before), read, searches=self.endpoint.searches
            )
            found.update((record.id, record) for record in page.records)
            start, after = start + len(page.records), page.after
            if after is None or (since is not None and page.records[-1].created < since()):
                return found, now
            if not has_next_page(self.endpoint, start):
                oldest = page.records[-1].created
                if since is None or (before is not None and oldest >= before):
                    raise FailedError("more records were created at one time than a search shows")
                # The next search begins where this one ends.
                start, after, before = 0, None, oldest

    def period(self, attempted: Attempted) -> Period:
        """Return when a record of a request can have been created, on the server's clock."""
        offset, (first, given_up) = self.clock_offset, attempted
        assert offset is not None  # noqa: S101 - a page was read
        assert given_up is not None  # noqa: S101 - see `look_up`
        return Period(
            first + offset.start - _STARTED_BEFORE, given_up + offset.end + _CARRIED_OUT_WITHIN
        )
