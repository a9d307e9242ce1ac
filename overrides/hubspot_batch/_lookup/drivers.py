"""Performs the steps of look-ups, in threads and in tasks.

This module decides how a step is performed. Which steps a look-up takes is decided by `look_up`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import httpx
from attrs import frozen

from hubspot_batch._engine.driver import check_open
from hubspot_batch._transport.rate_limit import RateLimiter
from hubspot_batch.options import Clock, Limiter, RateLimit, SharedRateLimit
from hubspot_batch.outcomes import BatchResult, Outcome, attach

if TYPE_CHECKING:
    from .look_up import LookUp, Step

# HubSpot lets an account search five times a second, and other programs may search, too
# (https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm).
_SEARCHES = RateLimit(4, 1.0)


def search_pace(limit: RateLimit | SharedRateLimit | None) -> Limiter:
    """Return what decides when a search of a client may start.

    Args:
        limit: The rate limit of the client: if several processes share it, they share this, too.
    """
    if isinstance(limit, SharedRateLimit):
        return limit.searches(_SEARCHES)
    return RateLimiter(_SEARCHES)


@frozen(eq=False, repr=False)
class Reconciler:
    """Looks up inputs in doubt for the calling thread.

    Args:
        client: The generated client that requests are sent with.
        http: The httpx client that is closed with it.
        clock: How time is told and spent.
        pace: When a search may start.
    """

    client: Any
    http: httpx.Client
    clock: Clock
    pace: Limiter

    def __call__(
        self,
        operation: str,
        outcomes: Iterable[Outcome[Any]],
        *,
        after: Iterable[float],
        assume_absent_after: float | None,
    ) -> BatchResult[Any]:
        """Return the outcomes, with those of inputs whose records were found."""
        check_open(self.http)
        look_up = _look_up(operation, outcomes, after, assume_absent_after, self.pace)
        steps = look_up.steps(self.clock.now())
        try:
            step = next(steps, None)
            while step is not None:
                came = self.perform(step)
                step = _following(steps, (self.clock.now(), came))
        except BaseException as error:
            attach(error, look_up.result(complete=False))
            raise
        return look_up.result()

    def perform(self, step: Step) -> object:
        """Perform a step of a look-up, or of reading pages, and return its result."""
        from .look_up import ReserveSearch, Rest  # noqa: PLC0415 - see `_look_up`

        if isinstance(step, Rest):
            return self.clock.sleep(step.seconds)
        if isinstance(step, ReserveSearch):
            return self.pace.reserve(*step)
        check_open(self.http)
        try:
            return self.client.send(**step.request)
        except httpx.HTTPError as error:
            return error


@frozen(eq=False, repr=False)
class AsyncReconciler:
    """Looks up inputs in doubt for the calling task."""

    client: Any
    http: httpx.AsyncClient
    clock: Clock
    pace: Limiter

    async def __call__(
        self,
        operation: str,
        outcomes: Iterable[Outcome[Any]],
        *,
        after: Iterable[float],
        assume_absent_after: float | None,
    ) -> BatchResult[Any]:
        """Return the outcomes, with those of inputs whose records were found."""
        check_open(self.http)
        look_up = _look_up(operation, outcomes, after, assume_absent_after, self.pace)
        steps = look_up.steps(self.clock.now())
        try:
            step = next(steps, None)
            while step is not None:
                came = await self.perform(step)
                step = _following(steps, (self.clock.now(), came))
        except BaseException as error:
            attach(error, look_up.result(complete=False))
            raise
        return look_up.result()

    async def perform(self, step: Step) -> object:
        """Perform a step, and return its result."""
        from .look_up import ReserveSearch, Rest  # noqa: PLC0415 - see `_look_up`

        if isinstance(step, Rest):
            return await self.clock.asleep(step.seconds)
        if isinstance(step, ReserveSearch):
            return await self.pace.areserve(*step)
        check_open(self.http)
        try:
            return await self.client.asend(**step.request)
        except httpx.HTTPError as error:
            return error


def _look_up(
    operation: str,
    outcomes: Iterable[Outcome[Any]],
    after: Iterable[float],
    assume_absent_after: float | None,
    pace: Limiter,
) -> LookUp:
    from .look_up import LookUp  # noqa: PLC0415 - few programs need it

    return LookUp(operation, outcomes, after, assume_absent_after, pace)


def _following(steps: Any, result: tuple[float, object]) -> Any:
    """Send a result; return the next step, or None at the end."""
    try:
        return steps.send(result)
    except StopIteration:
        return None
