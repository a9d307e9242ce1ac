"""Reads all pages of a search or a list, in threads and in tasks.

This module decides how records are handed out. `reading` decides which steps are taken.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from attrs import frozen

from hubspot_batch._lookup.steps import AsyncStepPerformer, StepPerformer, next_step
from hubspot_batch._transport.owners import check_open

if TYPE_CHECKING:
    from .query import Query


@frozen(eq=False, repr=False)
class Pages:
    """Reads the pages of searches and lists, for the calling thread.

    Args:
        performer: Performs the steps, at the pace of all searches of the client.
        version: The version of the API; None for the default.
    """

    performer: StepPerformer
    version: str | None

    def __call__(self, operation: str, **given: Any) -> Iterator[Any]:
        """Return an iterator of the records; arguments are checked at once."""
        check_open(self.performer.http)
        return self._records(_query(operation, self.version, given))

    def _records(self, query: Query) -> Iterator[Any]:
        from .reading import Records, pages  # noqa: PLC0415 - few programs need it

        now = self.performer.clock.now
        steps = pages(query, self.performer.pace, now())
        step = next(steps, None)
        while step is not None:
            result: object = None
            if isinstance(step, Records):
                yield from step.records
            else:
                result = self.performer.perform(step)
            step = next_step(steps, (now(), result))


@frozen(eq=False, repr=False)
class AsyncPages:
    """Reads the pages of searches and lists, for the calling task."""

    performer: AsyncStepPerformer
    version: str | None

    def __call__(self, operation: str, **given: Any) -> AsyncIterator[Any]:
        """Return an iterator of the records; arguments are checked at once."""
        check_open(self.performer.http)
        return self._records(_query(operation, self.version, given))

    async def _records(self, query: Query) -> AsyncIterator[Any]:
        from .reading import Records, pages  # noqa: PLC0415 - few programs need it

        now = self.performer.clock.now
        steps = pages(query, self.performer.pace, now())
        step = next(steps, None)
        while step is not None:
            result: object = None
            if isinstance(step, Records):
                for record in step.records:
                    yield record
            else:
                result = await self.performer.perform(step)
            step = next_step(steps, (now(), result))


def _query(operation: str, version: str | None, given: dict[str, Any]) -> Query:
    from .query import query_of  # noqa: PLC0415 - few programs need it

    return query_of(operation, version, given)
