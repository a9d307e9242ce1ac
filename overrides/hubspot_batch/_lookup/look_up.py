"""One look-up of the inputs in doubt: when it asks, what it asks, and what it says in the end.

This module performs nothing itself: `steps` is a generator that yields requests and waits, and is
sent their results, so `drivers` can perform them in threads and in tasks.

The times of the server are those of its own clock, which its responses tell (`Date`): the clock of
this machine may be wrong.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import httpx
from attrs import evolve
from hubspot_batch_client.types import as_model

from hubspot_batch._json import is_map
from hubspot_batch._matching.items import EncodedInput
from hubspot_batch._matching.likeness import instant_of
from hubspot_batch._operations.parsing import MatchKeys, parse_response
from hubspot_batch._operations.registry import SPECS
from hubspot_batch._transport.request_state import EXTENSION, RequestState
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.options import Limiter
from hubspot_batch.outcomes import Attempted, BatchResult, Outcome, OutcomeError, OutcomeStatus

from .counting import Count, InDoubt, count
from .ways import WAYS, Hit, Page, Period, may_go_on, read_page, request_for

# Seconds before the first attempt from which a record can be the request's, for clocks of several
# servers; and seconds after it was given up until which the request can be carried out. HubSpot's
# edge gives up after 100 (524).
_BEFORE, _AFTER = 5.0, 120.0
# Seconds by which a server may have rounded a time.
_ROUNDED = 1.0
# Ids that a message names at most.
_NAMED = 5


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


class _FailedError(Exception):
    """A look-up brought no complete result; the message says why."""


class _Doubt(NamedTuple):
    """An input in doubt: its place among the outcomes, what was sent of it, and when."""

    place: int
    properties: dict[str, Any]
    attempted: Attempted


class LookUp:
    """A look-up of all inputs in doubt among some outcomes.

    Args:
        operation: The id of the operation whose outcomes they are.
        outcomes: The outcomes.
        after: Seconds after the last request was given up at which it asks.
        assume_absent_after: Seconds after which an input that is not found counts as not sent;
            None for never.
        pace: When a search may start.
    """

    def __init__(
        self,
        operation: str,
        outcomes: Iterable[Outcome[Any]],
        after: Iterable[float],
        assume_absent_after: float | None,
        pace: Limiter,
    ) -> None:
        self._way = WAYS[operation]
        self._spec = SPECS[operation]
        self._unmatched: tuple[Any, ...] = getattr(outcomes, "unmatched", ())
        self._outcomes: list[Outcome[Any]] = [*outcomes]
        self._delays = _delays(after, assume_absent_after)
        self._assume_absent_after = assume_absent_after
        self._pace = pace
        self._offset: Period | None = None
        self._hits: dict[str, Hit] = {}
        self._counted: Count | None = None
        self._complete_at: float | None = None
        self._failure = ""
        self._taken = {id_ for one in self._outcomes if (id_ := _id_of(one.result)) is not None}
        self._doubts: list[_Doubt] = []
        self._done_somewhere: list[dict[str, Any]] = []
        self._timeless: set[int] = set()
        encoder = self._spec.encoder("", allow_implausible=True)
        for place, one in enumerate(self._outcomes):
            lacking = one.status is OutcomeStatus.SUCCEEDED and one.result is None
            if one.status is not OutcomeStatus.UNKNOWN and not lacking:
                continue
            (encoded,) = encoder.encode(one.index, [one.input])
            if not isinstance(encoded, EncodedInput):
                raise ConfigurationError(
                    f"{self._way.name} takes the outcomes of its family's create; input "
                    f"{one.index} is none of its inputs: {encoded.message}"
                )
            properties: dict[str, Any] = encoded.wire.get("properties") or {}
            if lacking:
                self._done_somewhere.append(properties)
            elif one.error is None or one.error.attempted is None:
                self._timeless.add(place)
            else:
                self._doubts.append(_Doubt(place, properties, one.error.attempted))

    def steps(self, now: float) -> Steps:
        """Yield the requests and waits of the look-up, from a time on."""
        self._close_periods(now)
        if not self._doubts:
            return
        given_up = max(_end_of(one) for one in self._doubts)
        moments = [given_up + delay for delay in self._delays]
        due = [moment for moment in moments if moment > now]
        # What has been missed is made up for at once.
        for moment in due if len(due) == len(moments) else [now, *due]:
            if moment > now:
                now, _ = yield Rest(moment - now)
            try:
                now = yield from self._look(now)
            except _FailedError as failed:
                self._failure = str(failed)
                continue
            self._failure = ""
            if self._counted is not None and len(self._counted.done) == len(self._doubts):
                return

    def _close_periods(self, now: float) -> None:
        """End the requests that were given up under way; leave out those of another clock."""
        kept: list[_Doubt] = []
        for one in self._doubts:
            first, given_up = one.attempted
            end = now if given_up is None else given_up
            if first <= end <= now:
                kept.append(one._replace(attempted=Attempted(first, end)))
            else:
                self._timeless.add(one.place)
        self._doubts = kept

    def _look(self, now: float) -> Generator[Step, tuple[float, Any], float]:
        """Ask for the records of the time in question, page by page, and count them."""
        found: dict[str, Hit] = {}
        begun, after, start = now, None, 0
        while True:
            page, now = yield from self._page(now, after, start)
            found.update((hit.id, hit) for hit in page.hits)
            start += len(page.hits)
            after = page.after
            if after is None or page.hits[-1].created < self._asked().start:
                break
            if not may_go_on(self._way, start):
                raise _FailedError("more records were created meanwhile than a search shows")
        # A record that was found once exists, whatever a later search shows.
        self._hits.update(found)
        self._complete_at = begun
        self._counted = self._count()
        return now

    def _page(
        self, now: float, after: str | None, start: int
    ) -> Generator[Step, tuple[float, Any], tuple[Page, float]]:
        way = self._way
        state = RequestState(read=partial(read_page, way, start))
        while way.searches:
            _, pause = yield ReserveSearch(now, state)
            if not pause:
                break
            now, _ = yield Rest(pause)
        started = now
        request = request_for(
            way,
            self._names(),
            created=None if self._offset is None else self._asked(),
            named=self._named(),
            after=after,
        )
        try:
            now, came = yield Ask({**request, "extensions": {EXTENSION: state}})
        finally:
            if way.searches:
                self._pace.report(started, now, {}, None)
        if isinstance(came, httpx.HTTPError):
            raise _FailedError(f"no response came ({type(came).__name__})")
        return self._read(came, state, started, now), now

    def _read(
        self, response: httpx.Response, state: RequestState, started: float, now: float
    ) -> Page:
        read = state.interpretation
        if read is None or not response.is_success:
            if read is not None:
                told = parse_response(response, read, MatchKeys(None, None, ()), None)
                # Anything else can be over at the next look.
                lasts = told.status_code in (401, 403) or told.daily
                if lasts and (stop := told.stop(self._way.name)) is not None:
                    raise stop
            raise _FailedError(f"HubSpot answered HTTP {response.status_code}")
        if not isinstance(read.body, Page):
            raise _FailedError("a page was unreadable or cut short")
        try:
            date = parsedate_to_datetime(response.headers["Date"]).timestamp()
        except (KeyError, ValueError, TypeError, OverflowError):
            raise _FailedError("the response does not say when it was sent") from None
        # The header has whole seconds.
        self._offset = Period(date - now, date + 1.0 - started)
        return read.body

    def _names(self) -> list[str]:
        names = {name for one in self._doubts for name in one.properties}
        names.update(name for one in self._done_somewhere for name in one)
        return sorted(names)

    def _named(self) -> Period | None:
        """Return the times that all inputs have; None if one has none."""
        times = [instant_of(one.properties.get(self._way.named_by)) for one in self._doubts]
        known = [time.timestamp() for time in times if time is not None]
        if not self._way.searches or len(known) < len(times):
            return None
        return Period(min(known) - _ROUNDED, max(known) + _ROUNDED)

    def _asked(self) -> Period:
        """Return the time in which a record of any of the requests can have been created."""
        periods = [self._period(one) for one in self._doubts]
        return Period(min(one.start for one in periods), max(one.end for one in periods))

    def _period(self, doubt: _Doubt) -> Period:
        offset = self._offset
        assert offset is not None  # noqa: S101 - a page was read
        return Period(
            doubt.attempted.first + offset.start - _BEFORE, _end_of(doubt) + offset.end + _AFTER
        )

    def _count(self) -> Count:
        whole = self._asked()
        inputs = [InDoubt(one.properties, self._period(one)) for one in self._doubts]
        inputs += [InDoubt(one, whole, counts=False) for one in self._done_somewhere]
        hits = [hit for hit in self._hits.values() if hit.id not in self._taken]
        return count(inputs, hits, self._way.named_by)

    def result(self, *, complete: bool = True) -> BatchResult[Any]:
        """Return the outcomes.

        Args:
            complete: Whether the look-up came to its end. If not, what was not found stays as it
                was.
        """
        outcomes = [*self._outcomes]
        counted = self._counted or Count({}, {}, ())
        for number, doubt in enumerate(self._doubts):
            outcome = outcomes[doubt.place]
            if number in counted.done:
                outcomes[doubt.place] = self._found(outcome, counted.done[number])
            elif complete:
                disputed = counted.disputed.get(number, ())
                outcomes[doubt.place] = self._left(outcome, doubt, disputed)
        for place in self._timeless:
            words = "When its request was sent is not known here, so it cannot be looked up."
            outcomes[place] = _told(outcomes[place], words)
        used = {_id_of(one.result) for one in outcomes}
        unmatched = [one for one in self._unmatched if _id_of(one) not in used]
        known = {_id_of(one) for one in unmatched}
        unmatched += [self._model(hit) for hit in counted.unclaimed if hit.id not in known]
        return BatchResult(tuple(outcomes), tuple(unmatched))

    def _found(self, outcome: Outcome[Any], hit: Hit | None) -> Outcome[Any]:
        record = None if hit is None else self._model(hit)
        status = OutcomeStatus.SUCCEEDED
        return Outcome(outcome.index, outcome.input, status, record, evidence="properties")

    def _model(self, hit: Hit) -> Any:
        return as_model(self._spec.result, dict(hit.record))

    def _left(self, outcome: Outcome[Any], doubt: _Doubt, disputed: Sequence[Hit]) -> Outcome[Any]:
        """Return the outcome of an input of which it is not certain that it was done."""
        if disputed:
            ids = ", ".join(hit.id for hit in disputed[:_NAMED])
            more = f" and {len(disputed) - _NAMED} more" if len(disputed) > _NAMED else ""
            words = f"Records were found that can be of this input or of others: {ids}{more}."
            return _told(outcome, words, "not_distinguished")
        if self._complete_at is None:
            return _told(outcome, f"It could not be looked up: {self._failure}.")
        looked = self._complete_at - _end_of(doubt)
        since = f"{looked:.0f} s after its request was given up, no record of it was found"
        limit = self._assume_absent_after
        if limit is None or looked < limit or self._failure:
            return _told(outcome, f"{since}; it may still be done.", "not_found")
        risk = f"at the caller's own risk (assume_absent_after={limit})"
        told = _told(outcome, f"{since}; it counts as not sent {risk}.", "not_found")
        return evolve(told, status=OutcomeStatus.NOT_SENT)


def _told(outcome: Outcome[Any], words: str, kind: str | None = None) -> Outcome[Any]:
    """Return an outcome whose error says what the look-up has brought."""
    error = outcome.error or OutcomeError("no_answer", "")
    if kind is None:
        if words not in error.message:
            error = evolve(error, message=f"{error.message} {words}".lstrip())
    else:
        error = evolve(error, kind=kind, message=words)
    return evolve(outcome, error=error)


def _end_of(doubt: _Doubt) -> float:
    end = doubt.attempted.given_up
    assert end is not None  # noqa: S101 - see `_close_periods`
    return end


def _delays(after: Iterable[Any], assume_absent_after: Any) -> list[float]:
    """Return when it asks; the last time is late enough to say that something is absent."""
    delays = [*after]
    for one in delays if assume_absent_after is None else [*delays, assume_absent_after]:
        if isinstance(one, bool) or not isinstance(one, int | float) or not 0 <= one < 1e9:
            raise ConfigurationError(f"after must be seconds, such as 5 or 0.5; got {one!r}.")
    if not delays:
        raise ConfigurationError("after must name at least one time to look; got none.")
    if assume_absent_after is not None and assume_absent_after > max(delays):
        delays.append(assume_absent_after)
    return sorted({*delays})


def _id_of(record: object) -> str | None:
    id_ = record.get("id") if is_map(record) else getattr(record, "id", None)
    return None if id_ is None else str(id_)
