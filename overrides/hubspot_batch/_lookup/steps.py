"""The steps of look-ups and of paging, and who performs them.

Look-ups and paging are generators: they yield steps and are sent the results. So threads and tasks
share them. This module decides what a step is, and how it is performed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, NamedTuple, TypeAlias

import httpx
from attrs import frozen

from hubspot_batch._transport.owners import check_open
from hubspot_batch._transport.request_state import EXTENSION, RequestState
from hubspot_batch.options import Clock, Limiter

# Seconds between two looks for Ctrl-C, while time passes.
_SLICE = 0.5


class Send(NamedTuple):
    """Send a request; the result is its response, or the `httpx.HTTPError` in its place."""

    request: dict[str, Any]


class Sleep(NamedTuple):
    """Let time pass."""

    seconds: float


class ReserveSearch(NamedTuple):
    """Ask when a search may start; the result is that of `Limiter.reserve`."""

    now: float
    holder: object


Step: TypeAlias = Send | Sleep | ReserveSearch
# A step's result, after the time at which it came, in seconds of the client's clock.
Steps: TypeAlias = Generator[Step, tuple[float, Any], None]


class Reply(NamedTuple):
    """The result of sending a request.

    Attributes:
        result: The response, or the `httpx.HTTPError` in its place.
        started: When the request started.
        now: When the result came.
    """

    result: Any
    started: float
    now: float


def send(
    request: dict[str, Any], state: RequestState, search_pace: Limiter | None, now: float
) -> Generator[Step, tuple[float, Any], Reply]:
    """Send a request.

    Args:
        request: The request.
        state: Its state.
        search_pace: Says when a search may start; None if it is no search.
        now: The time.
    """
    while search_pace is not None:
        _, pause = yield ReserveSearch(now, state)
        if not pause:
            break
        now, _ = yield Sleep(pause)
    started = now
    try:
        now, result = yield Send({**request, "extensions": {EXTENSION: state}})
    finally:
        if search_pace is not None:
            search_pace.report(started, now, {}, None)
    return Reply(result, started, now)


def next_step(steps: Any, result: tuple[float, object]) -> Any:
    """Send a result; return the next step, or None at the end."""
    try:
        return steps.send(result)
    except StopIteration:
        return None


@frozen(eq=False, repr=False)
class StepPerformer:
    """Performs steps for the calling thread.

    Args:
        client: The generated client that requests are sent with.
        http: The httpx client that is closed with it.
        clock: The clock to read and to sleep by.
        pace: When a search may start.
    """

    client: Any
    http: httpx.Client
    clock: Clock
    pace: Limiter

    def perform(self, step: Step, check: Callable[[], object] | None = None) -> object:
        """Perform a step, and return its result.

        Args:
            step: The step.
            check: Called while time passes; it may raise an exception. None if Ctrl-C is raised at
                once.
        """
        if isinstance(step, Sleep):
            left = step.seconds
            while check is not None and left > _SLICE:
                self.clock.sleep(_SLICE)
                left -= _SLICE
                check()
            return self.clock.sleep(left)
        if isinstance(step, ReserveSearch):
            return self.pace.reserve(*step)
        check_open(self.http)
        try:
            return self.client.send(**step.request)
        except httpx.HTTPError as error:
            return error


@frozen(eq=False, repr=False)
class AsyncStepPerformer:
    """Performs steps for the calling task."""

    client: Any
    http: httpx.AsyncClient
    clock: Clock
    pace: Limiter

    async def perform(self, step: Step) -> object:
        """Perform a step, and return its result."""
        if isinstance(step, Sleep):
            return await self.clock.asleep(step.seconds)
        if isinstance(step, ReserveSearch):
            return await self.pace.areserve(*step)
        check_open(self.http)
        try:
            return await self.client.asend(**step.request)
        except httpx.HTTPError as error:
            return error
