"""Finds records by the values that were sent.

This module decides which records are asked for: those that were created while the requests were
under way.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any

from hubspot_batch._matching.likeness import instant_of

from .asking import Asking, Step
from .counting import InDoubt, count
from .inquiry import Doubt, Found
from .ways import Hit, Period, request_for

# Seconds by which a server may have rounded a time.
_ROUNDED = 1.0


class ByProperties:
    """The look-up of inputs by their properties.

    Args:
        asking: The requests.
        doubts: The inputs.
        others: What was sent of inputs that were done, and whose records are not known.
        taken: Returns which ids are those of records that belong to an input.
    """

    evidence = "properties"

    def __init__(
        self,
        asking: Asking,
        doubts: Sequence[Doubt],
        others: Sequence[dict[str, Any]],
        taken: Callable[[Iterable[str]], set[str]],
    ) -> None:
        self.doubts = doubts
        self.found = Found({}, {}, (), {})
        self.complete_at: float | None = None
        self.failure = ""
        self._asking = asking
        self._others = others
        self._taken = taken
        self._hits: dict[str, Hit] = {}

    @property
    def settled(self) -> bool:
        """Whether all were done."""
        return len(self.found.done) == len(self.doubts)

    def look(self, now: float) -> Generator[Step, tuple[float, Any], float]:
        """Ask for the records of the time in question, page by page, and count them."""
        asking, begun = self._asking, now

        def request(after: str | None) -> dict[str, Any]:
            created = None if asking.offset is None else self._asked()
            return request_for(
                asking.way, self._names(), created=created, named=self._named(), after=after
            )

        found, now = yield from asking.pages(now, request, lambda: self._asked().start)
        # A record that was found once exists, whatever a later search shows.
        self._hits.update(found)
        self.complete_at = begun
        self._count()
        return now

    def _names(self) -> list[str]:
        names = {name for one in self.doubts for name in one.properties}
        names.update(name for one in self._others for name in one)
        return sorted(names)

    def _named(self) -> Period | None:
        """Return the times that all inputs have; None if one has none."""
        way = self._asking.way
        times = [instant_of(one.properties.get(way.named_by)) for one in self.doubts]
        known = [time.timestamp() for time in times if time is not None]
        if not way.searches or len(known) < len(times):
            return None
        return Period(min(known) - _ROUNDED, max(known) + _ROUNDED)

    def _asked(self) -> Period:
        """Return the time in which a record of any of the requests can have been created."""
        periods = [self._period(one) for one in self.doubts]
        return Period(min(one.start for one in periods), max(one.end for one in periods))

    def _period(self, doubt: Doubt) -> Period:
        assert doubt.attempted is not None  # noqa: S101 - see `look_up`
        return self._asking.period(doubt.attempted)

    def _count(self) -> None:
        whole = self._asked()
        inputs = [InDoubt(one.properties, self._period(one)) for one in self.doubts]
        inputs += [InDoubt(one, whole, counts=False) for one in self._others]
        taken = self._taken(self._hits)
        hits = [hit for hit in self._hits.values() if hit.id not in taken]
        counted = count(inputs, hits, self._asking.way.named_by)
        places = [one.place for one in self.doubts]
        self.found = Found(
            {places[number]: hit for number, hit in counted.done.items()},
            {places[number]: some for number, some in counted.disputed.items()},
            counted.unclaimed,
            {},
        )
