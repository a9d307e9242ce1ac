"""Events of a run, and who is told of them.

This module decides what an event holds. An event is told in the thread that drives the run, except
`Wait`, which is told in the thread or task that waits.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from attrs import frozen

from .outcomes import Outcome, OutcomeStatus

_log = logging.getLogger("hubspot_batch")


@frozen
class Wait:
    """A wait is about to begin.

    Attributes:
        seconds: Its length.
        reason: `rate_limit` (for the rate limit) or `retry` (before another attempt).
        path: The path of the request.
        attempt: The number of the last attempt; for `rate_limit`, of the one that waits.
        status_code: The HTTP status that made it necessary; None if there was no response.
    """

    seconds: float
    reason: str
    path: str
    attempt: int
    status_code: int | None = None


@frozen
class RequestStarting:
    """A request is about to be sent.

    Attributes:
        run_id: The run.
        operation: The operation's id, for example `create_calls`.
        indexes: The positions of its inputs.
        inputs: Its inputs.
    """

    run_id: str
    operation: str
    indexes: Sequence[int]
    inputs: Sequence[Any]


@frozen
class OutcomesKnown:
    """Outcomes of inputs have become known."""

    run_id: str
    operation: str
    outcomes: Sequence[Outcome[Any]]


@frozen
class RunEnded:
    """A run has ended, early or not.

    Attributes:
        run_id: The run.
        operation: The operation's id.
        counts: How many inputs had each outcome.
        stopped: The message of the error that stopped it; None if all was read and sent.
    """

    run_id: str
    operation: str
    counts: dict[OutcomeStatus, int]
    stopped: str | None


@frozen
class Noted:
    """Something that a person should know of a run, which changes no outcome.

    Attributes:
        run_id: The run.
        operation: The operation's id.
        message: What it is, in a sentence.
    """

    run_id: str
    operation: str
    message: str


Event: TypeAlias = Wait | RequestStarting | OutcomesKnown | RunEnded | Noted
Notify: TypeAlias = Callable[[Event], object]


def notifier(
    on_event: Callable[[Event], object] | None, on_wait: Callable[[Wait], object] | None
) -> Notify | None:
    """Return a function that tells users' functions of events; None if there is none to tell.

    An exception that one of them raises is logged, and changes nothing else.
    """
    if on_event is None and on_wait is None:
        return None

    def notify(event: Event) -> None:
        try:
            if on_wait is not None and isinstance(event, Wait):
                on_wait(event)
            if on_event is not None:
                on_event(event)
        except Exception as error:  # noqa: BLE001 - the function is the caller's
            _log.warning("on_event or on_wait raised %s.", type(error).__name__)

    return notify
