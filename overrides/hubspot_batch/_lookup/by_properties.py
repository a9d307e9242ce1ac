"""Finds records by the values that were sent.

This module decides which records are asked for: those that were created while the requests were
under way.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any

from hubspot_batch._matching.value_forms import instant_of

from .counting import CountedInput, count
from .endpoints import FoundRecord, Period, request_for
from .session import LookupSession
from .steps import Step
from .strategy import DoubtfulInput, Findings

# Seconds by which a server may have rounded a time.
_ROUNDED = 1.0


class ByProperties:
    """The look-up of inputs by their properties.

    Args:
        session: The requests.
        doubts: The inputs.
        others: The properties of inputs that were done without a known record.
        matched: Returns which ids are those of records that belong to an input.
    """

    evidence = "properties"

    def __init__(
        self,
        session: LookupSession,
        doubts: Sequence[DoubtfulInput],
        others: Sequence[dict[str, Any]],
        matched: Callable[[Iterable[str]], set[str]],
    ) -> None:
        self.doubts = doubts
        self.found = Findings({}, {}, (), {})
        self.complete_at: float | None = None
        self.failure = ""
        self._session = session
        self._others = others
        self._matched = matched
        self._found_records: dict[str, FoundRecord] = {}

    @property
    def settled(self) -> bool:
        """Whether all were done."""
        return len(self.found.done) == len(self.doubts)

    def look(self, now: float) -> Generator[Step, tuple[float, Any], float]:
        """Ask for the records of the time in question, page by page, and count them."""
        session, begun = self._session, now

        def request(after: str | None, before: float | None) -> dict[str, Any]:
            created = None if session.clock_offset is None else self._asked()
            if created is not None and before is not None:
                created = created._replace(end=before)
            return request_for(
                session.endpoint, self._names(), created=created, named=self._named(), after=after
            )

        found, now = yield from session.pages(now, request, lambda: self._asked().start)
        # A record that was found once exists, whatever a later search shows.
        self._found_records.update(found)
        self.complete_at = begun
        self._count()
        return now

    def _names(self) -> list[str]:
        names = {name for one in self.doubts for name in one.properties}
        names.update(name for one in self._others for name in one)
        return sorted(names)

    def _named(self) -> Period | None:
        """Return the times that all inputs have; None if one has none."""
        endpoint = self._session.endpoint
        times = [instant_of(one.properties.get(endpoint.named_by)) for one in self.doubts]
        known = [time.timestamp() for time in times if time is not None]
        if not endpoint.searches or len(known) < len(times):
            return None
        return Period(min(known) - _ROUNDED, max(known) + _ROUNDED)

    def _asked(self) -> Period:
        """Return the period in which any of the requests can have created a record."""
        periods = [self._period(one) for one in self.doubts]
        return Period(min(one.start for one in periods), max(one.end for one in periods))

    def _period(self, doubt: DoubtfulInput) -> Period:
        assert doubt.attempted is not None  # noqa: S101 - see `look_up`
        return self._session.period(doubt.attempted)

    def _count(self) -> None:
        whole = self._asked()
        inputs = [CountedInput(one.properties, self._period(one)) for one in self.doubts]
        inputs += [CountedInput(one, whole, to_find=False) for one in self._others]
        matched = self._matched(self._found_records)
        records = [record for record in self._found_records.values() if record.id not in matched]
        counted = count(inputs, records, self._session.endpoint.named_by)
        places = [one.place for one in self.doubts]
        self.found = Findings(
            {places[number]: record for number, record in counted.done.items()},
            {places[number]: some for number, some in counted.disputed.items()},
            counted.unclaimed,
            {},
        )
