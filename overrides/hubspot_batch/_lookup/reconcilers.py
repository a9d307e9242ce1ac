"""Looks up inputs in doubt, in threads and in tasks.

This module decides what a caller or a run gets, also where a look-up is ended by an exception.
`look_up` decides which steps a look-up takes, and `steps` how they are performed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import frozen

from hubspot_batch._transport.owners import check_open
from hubspot_batch._transport.rate_limit import RateLimiter
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.options import Limiter, RateLimit, SharedRateLimit
from hubspot_batch.outcomes import BatchResult, Outcome, attach

from .steps import AsyncStepPerformer, StepPerformer, next_step

if TYPE_CHECKING:
    from hubspot_batch._engine.doubts import LookUpResult
    from hubspot_batch._engine.run import Run

    from .look_up import LookUp

# HubSpot lets an account search five times a second, and other programs may search, too
# (https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm).
_SEARCHES = RateLimit(4, 1.0)


def search_pace(limit: RateLimit | SharedRateLimit | None) -> Limiter:
    """Return the limiter for the searches of a client.

    Args:
        limit: The rate limit of the client: if several processes share it, they share this, too.
    """
    if isinstance(limit, SharedRateLimit):
        return limit.searches(_SEARCHES)
    return RateLimiter(_SEARCHES)


@frozen(eq=False, repr=False)
class Reconciler:
    """Looks up inputs in doubt for the calling thread."""

    performer: StepPerformer

    def __call__(
        self, operation: str, outcomes: Iterable[Outcome[Any]], **options: Any
    ) -> BatchResult[Any]:
        """Return the outcomes, with those of inputs whose records were found."""
        check_open(self.performer.http)
        look_up = _of_outcomes(operation, outcomes, self.performer.pace, options)
        try:
            self._drive(look_up, None)
        except BaseException as error:
            attach(error, look_up.result(complete=False))
            raise
        return look_up.result()

    def of_run(self, run: Run[Any], check: Callable[[], object]) -> LookUpResult:
        """Look up what a run holds back.

        Args:
            run: The run.
            check: Called while time passes; it may raise an exception, which ends the look-up.
        """
        look_up = _of_run(run, self.performer.pace)
        try:
            self._drive(look_up, check)
        except BaseException as error:  # noqa: BLE001 - the run raises it
            return look_up.of_run(error)
        return look_up.of_run()

    def _drive(self, look_up: LookUp, check: Callable[[], object] | None) -> None:
        steps = look_up.steps(self.performer.clock.now())
        step = next(steps, None)
        while step is not None:
            if check is not None:
                check()
            result = self.performer.perform(step, check)
            step = next_step(steps, (self.performer.clock.now(), result))


@frozen(eq=False, repr=False)
class AsyncReconciler:
    """Looks up inputs in doubt for the calling task."""

    performer: AsyncStepPerformer

    async def __call__(
        self, operation: str, outcomes: Iterable[Outcome[Any]], **options: Any
    ) -> BatchResult[Any]:
        """Return the outcomes, with those of inputs whose records were found."""
        check_open(self.performer.http)
        look_up = _of_outcomes(operation, outcomes, self.performer.pace, options)
        try:
            await self._drive(look_up)
        except BaseException as error:
            attach(error, look_up.result(complete=False))
            raise
        return look_up.result()

    async def of_run(self, run: Run[Any]) -> LookUpResult:
        """Look up what a run holds back."""
        look_up = _of_run(run, self.performer.pace)
        try:
            await self._drive(look_up)
        except BaseException as error:  # noqa: BLE001 - the run raises it
            return look_up.of_run(error)
        return look_up.of_run()

    async def _drive(self, look_up: LookUp) -> None:
        steps = look_up.steps(self.performer.clock.now())
        step = next(steps, None)
        while step is not None:
            result = await self.performer.perform(step)
            step = next_step(steps, (self.performer.clock.now(), result))


def _of_outcomes(
    operation: str, outcomes: Iterable[Outcome[Any]], pace: Limiter, options: Mapping[str, Any]
) -> LookUp:
    """Return the look-up of outcomes that a caller hands in."""
    from .look_up import LookUp, LookUpOptions, matched_by  # noqa: PLC0415 - few programs need it

    wanted = LookUpOptions.of(**options)
    unmatched: tuple[Any, ...] = getattr(outcomes, "unmatched", ())
    listed = _checked(operation, outcomes)
    return LookUp(operation, listed, unmatched, wanted, pace, matched_by(listed))


def _checked(operation: str, outcomes: Any) -> list[Outcome[Any]]:
    """Return the outcomes that a caller hands in.

    Raises:
        ConfigurationError: They are none.
    """
    listed: list[Any] = [*outcomes] if isinstance(outcomes, Iterable) else [outcomes]
    for one in listed:
        if not isinstance(one, Outcome):
            from .endpoints import LOOKUP_ENDPOINTS  # noqa: PLC0415 - few programs need it

            name = LOOKUP_ENDPOINTS[operation].method_name
            raise ConfigurationError(
                f"{name} takes a BatchResult or other outcomes of its family's create; got "
                f"{type(one).__name__}."
            )
    return listed


def _of_run(run: Run[Any], pace: Limiter) -> LookUp:
    """Return the look-up of what a run holds back."""
    from .look_up import LookUp, LookUpOptions  # noqa: PLC0415 - few programs need it

    doubts = run.doubts
    assert doubts is not None  # noqa: S101 - see `Run.in_doubt`
    plan = doubts.plan
    options = LookUpOptions(plan.after, plan.assume_absent_after)
    listed = [*doubts.held.values(), *doubts.without_record]
    return LookUp(run.operation.id, listed, run.unmatched, options, pace, doubts.matched)
