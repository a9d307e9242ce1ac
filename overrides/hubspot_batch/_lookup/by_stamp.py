"""Finds records by a value that the run has filled in.

This module decides what such a record proves. HubSpot does not keep the property unique, but no
other program writes the values of a run. A record counts only if its other values fit the input,
too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any

from .endpoints import FoundRecord, request_for, search_in
from .session import FailedError, LookupSession, PageRequest
from .steps import Step
from .stored import comparable_key, may_be_stored_as
from .strategy import DoubtfulInput, Findings


class ByStamp:
    """The look-up of inputs by their stamps.

    Args:
        session: The requests.
        doubts: The inputs, each with a mark.
        matched: Returns which ids are those of records that belong to an input.
    """

    evidence = "stamp"

    def __init__(
        self,
        session: LookupSession,
        doubts: Sequence[DoubtfulInput],
        matched: Callable[[Iterable[str]], set[str]],
    ) -> None:
        self.doubts = doubts
        self.found = Findings({}, {}, (), {})
        self.complete_at: float | None = None
        self.failure = ""
        self._session = session
        self._matched = matched
        self._found_records: dict[str, FoundRecord] = {}

    @property
    def settled(self) -> bool:
        """Whether all were done."""
        return len(self.found.done) == len(self.doubts)

    def look(self, now: float) -> Generator[Step, tuple[float, Any], float]:
        """Ask for the records with the stamps that were not found yet."""
        begun, failure = now, None
        for request in self._requests():
            try:
                found, now = yield from self._session.pages(now, request, self._since())
            except FailedError as failed:
                failure = failed
                if failed.status_code == 400:
                    continue  # this request is wrong, and not the next one
                break
            # A record that was found once exists, whatever a later search shows.
            self._found_records.update(found)
        if self._session.clock_offset is not None:
            self._count()
        if failure is not None:
            raise failure
        self.complete_at = begun
        return now

    def _requests(self) -> Iterator[PageRequest]:
        endpoint = self._session.endpoint
        left = [one for one in self.doubts if one.place not in self.found.done]
        names = sorted({name for one in left for name in one.properties})
        if not endpoint.searches:
            yield lambda after, _: request_for(
                endpoint, names, created=None, named=None, after=after
            )
            return
        by_name: defaultdict[str, list[str]] = defaultdict(list)
        for name, value in {property_and_value(one): None for one in left}:
            by_name[name].append(value)
        for name, values in by_name.items():
            yield from search_in(endpoint, name, values, names)

    def _since(self) -> Callable[[], float] | None:
        """Return a function for the earliest time to read; None to read all, and for searches."""
        attempted = [one.attempted for one in self.doubts if one.attempted is not None]
        if self._session.endpoint.searches or len(attempted) < len(self.doubts):
            return None
        return lambda: min(self._session.period(one).start for one in attempted)

    def _count(self) -> None:
        records: defaultdict[tuple[str, str], list[FoundRecord]] = defaultdict(list)
        matched = self._matched(self._found_records)
        names = {one.mark.property for one in self.doubts if one.mark is not None}
        for record in self._found_records.values():
            for name in names if record.id not in matched else ():
                records[name, comparable_key(record.properties.get(name))].append(record)
        groups: defaultdict[tuple[str, str], list[DoubtfulInput]] = defaultdict(list)
        for one in self.doubts:
            groups[property_and_value(one)].append(one)
        found = Findings({}, {}, (), {})
        unclaimed: list[FoundRecord] = []
        for mark, doubts in groups.items():
            some = [record for record in records.get(mark, ()) if self._in_time(doubts, record)]
            if not some:
                continue
            ours = all(one.mark is not None and one.mark.ours for one in doubts)
            enough = len(some) >= len(doubts) if ours else len(some) == len(doubts)
            like = all(
                may_be_stored_as(one.properties, record.properties)
                for one in doubts
                for record in some
            )
            places = [one.place for one in doubts]
            certain = some[0] if len(some) == len(doubts) == 1 else None
            if enough and like:
                found.done.update(dict.fromkeys(places, certain))
            else:
                found.disputed.update(dict.fromkeys(places, tuple(some)))
            if not (enough and like and certain):
                unclaimed += some
        self.found = found._replace(unclaimed=tuple(unclaimed))

    def _in_time(self, doubts: Sequence[DoubtfulInput], record: FoundRecord) -> bool:
        """Return whether a record was created in time; stamps of our own need no time."""
        return all(
            one.attempted is None
            or (one.mark is not None and one.mark.ours)
            or (period := self._session.period(one.attempted)).start <= record.created <= period.end
            for one in doubts
        )


def property_and_value(doubt: DoubtfulInput) -> tuple[str, str]:
    """Return property and value of an input's mark, as searches compare them."""
    assert doubt.mark is not None  # noqa: S101 - only such inputs are looked up so
    return doubt.mark.property, comparable_key(doubt.mark.value)
