"""Events of a run, and who is told of them.

This module decides what an event holds: numbers and names, and never an input, a record, a body or
the token. `Settled` and `RunEnded` are told in the thread that drives the run. `RequestSent`,
`Answered` and `Wait` are told in the thread or task that sends, so functions that are told must
allow for several threads.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from attrs import frozen

from .outcomes import Outcome, OutcomeStatus

_log = logging.getLogger("hubspot_batch")


@frozen
class RequestSent:
    """An attempt of a request is about to be sent.

    Attributes:
        run_id: The run that it belongs to; None for a request outside of a run.
        operation: The operation's id, for example `create_calls`; None outside of a run.
        request_id: A number that all attempts of the request share, and no other request.
        attempt: The number of the attempt, from 1.
        method: The HTTP method.
        path: The path of the address.
        inputs: How many inputs it has; None if it is no batch.
    """

    run_id: str | None
    operation: str | None
    request_id: int
    attempt: int
    method: str
    path: str
    inputs: int | None


@frozen
class Answered:
    """An attempt has ended, with a response or without.

    Attributes:
        run_id, operation, request_id, attempt: Those of its `RequestSent`.
        seconds: How long it took; None if it was broken off.
        status_code: The HTTP status of the response; None if there was none.
        error: What failed: the status as text, or the name of the exception; None after a success.
        correlation_id: HubSpot's name of the request, for its support.
        limit: Requests that HubSpot allows in its window; None if the response does not say.
        remaining: Requests that are left in this window.
        daily_limit: Requests that HubSpot allows in a day.
        daily_remaining: Requests that are left of the day.
    """

    run_id: str | None
    operation: str | None
    request_id: int
    attempt: int
    seconds: float | None
    status_code: int | None
    error: str | None
    correlation_id: str | None = None
    limit: int | None = None
    remaining: int | None = None
    daily_limit: int | None = None
    daily_remaining: int | None = None


@frozen
class Wait:
    """A wait is about to begin.

    Attributes:
        seconds: Its length.
        reason: `rate_limit` (for the rate limit) or `retry` (before another attempt).
        path: The path of the request.
        attempt: The number of the last attempt; for `rate_limit`, of the one that waits.
        status_code: The HTTP status that made it necessary; None if there was no response.
        run_id: The run that waits; None for a request outside of a run.
        operation: The operation's id; None outside of a run.
    """

    seconds: float
    reason: str
    path: str
    attempt: int
    status_code: int | None = None
    run_id: str | None = None
    operation: str | None = None


@frozen
class Settled:
    """Outcomes of inputs have become known.

    Attributes:
        run_id: The run.
        operation: The operation's id.
        counts: How many of these inputs have each outcome; 0 for the others.
    """

    run_id: str
    operation: str
    counts: Mapping[OutcomeStatus, int]


@frozen
class RunEnded:
    """A run has ended, early or not.

    Attributes:
        run_id: The run.
        operation: The operation's id.
        counts: How many inputs of the run have each outcome; 0 for the others.
        stopped: The name of the exception that stopped it, for example `AuthenticationError` or
            `KeyboardInterrupt`; `GeneratorExit` if an iterator was left; None if all was read and
            sent.
    """

    run_id: str
    operation: str
    counts: Mapping[OutcomeStatus, int]
    stopped: str | None


Event: TypeAlias = RequestSent | Answered | Wait | Settled | RunEnded
OnEvent: TypeAlias = Callable[[Event], object]
OnOutcome: TypeAlias = Callable[[Outcome[Any]], object]
OnWait: TypeAlias = Callable[[Wait], object]


class Observer:
    """Tells the functions of a program what happens.

    An exception that one of them raises is logged, and changes nothing else.

    Args:
        on_event: Told of each event; None if no function is.
        on_outcome: Given each outcome; None if no function is.

    Attributes:
        on_event, on_outcome: As given.
    """

    __slots__ = ("on_event", "on_outcome")

    def __init__(self, on_event: OnEvent | None, on_outcome: OnOutcome | None) -> None:
        self.on_event = on_event
        self.on_outcome = on_outcome

    def notify(self, event: Event) -> None:
        """Tell of an event."""
        if self.on_event is not None:
            _call("on_event", self.on_event, event)

    def settled(self, run_id: str, operation: str, outcomes: Sequence[Outcome[Any]]) -> None:
        """Tell of outcomes that have become known."""
        if self.on_outcome is not None:
            for outcome in outcomes:
                _call("on_outcome", self.on_outcome, outcome)
        if self.on_event is not None:
            counts = Counter(outcome.status for outcome in outcomes)
            self.notify(Settled(run_id, operation, counts))


def _call(name: str, function: Callable[[Any], object], value: object) -> None:
    try:
        function(value)
    except Exception as error:  # noqa: BLE001 - the function is the caller's
        _log.warning("%s raised %s.", name, type(error).__name__)


def observer_of(
    on_event: OnEvent | None, on_outcome: OnOutcome | None, on_wait: OnWait | None
) -> Observer | None:
    """Return what tells these functions; None if there are none."""
    if on_wait is not None:
        on_event = _with_waits(on_wait, on_event)
    return Observer(on_event, on_outcome) if on_event or on_outcome else None


def _with_waits(on_wait: OnWait, on_event: OnEvent | None) -> OnEvent:
    def tell(event: Event) -> None:
        if isinstance(event, Wait):
            _call("on_wait", on_wait, event)
        if on_event is not None:
            on_event(event)

    return tell
