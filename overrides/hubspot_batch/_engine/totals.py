"""A run in numbers: its outcomes and requests, for its log line and for the exception that ends it.

This module decides what these two say, and that the values of the line are fields of its record.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Any

from hubspot_batch._transport.request_state import RequestState
from hubspot_batch.outcomes import Outcome, OutcomeStatus, in_words

_log = logging.getLogger("hubspot_batch")


class Totals:
    """The numbers of a run so far.

    Args:
        operation: The operation, as users write it.

    Attributes:
        counts: How many inputs have each status.
    """

    __slots__ = ("_first", "_last", "_operation", "_requests", "_waits", "counts")

    def __init__(self, operation: str) -> None:
        self.counts: Counter[OutcomeStatus] = Counter()
        self._operation = operation
        self._requests = 0
        self._waits: tuple[float, ...] = ()
        self._first: float | None = None
        self._last = 0.0

    def add_outcomes(self, outcomes: Sequence[Outcome[Any]]) -> None:
        """Count outcomes; there is at least one."""
        # Most chunks have one status. A list compares by identity first, which is faster than the
        # hash of a member of an Enum.
        statuses = [outcome.status for outcome in outcomes]
        first = statuses[0]
        if (number := statuses.count(first)) == len(statuses):
            self.counts[first] += number
        else:
            self.counts.update(statuses)

    def add_request(self, state: RequestState) -> None:
        """Add the attempts of a request, each only once."""
        self._requests += state.attempts
        if state.waits:
            self._waits += state.waits
        if state.span is not None:
            first, last = state.span
            self._first = first if self._first is None else min(self._first, first)
            self._last = max(self._last, last)
        state.attempts, state.waits = 0, ()

    def note(self, inputs: int, *, complete: bool) -> str:
        """Return the numbers in a sentence, for the exception that ends the run.

        Args:
            inputs: How many inputs were read.
            complete: Whether the exception carries the outcomes of all of them.
        """
        numbers = ", ".join(in_words(self.counts)) or "no outcome"
        which = "the outcomes" if complete else "the outcomes that were not handed out"
        return (
            f"{self._operation} ended early, after {inputs} inputs: {numbers}. "
            f"hubspot_batch.result_of(exception) returns {which}."
        )

    def log(self, stopped: str | None) -> None:
        """Log the numbers of a run that has ended.

        Args:
            stopped: The name of the exception that stopped it; None if all inputs were sent.
        """
        if not _log.isEnabledFor(logging.INFO):
            return
        seconds = 0.0 if self._first is None else self._last - self._first
        operation, counts = self._operation, self.counts
        inputs, waited = sum(counts.values()), sum(self._waits)
        fields = {
            "operation": operation,
            "inputs": inputs,
            **{str(status): counts.get(status, 0) for status in OutcomeStatus},
            "requests": self._requests,
            "seconds": seconds,
            "waits": len(self._waits),
            "waited": waited,
            "stopped": stopped,
        }
        _log.info(
            "%s%s: %d inputs (%s), %d requests in %.1f s, %d waits of %.1f s in all",
            *(operation, "" if stopped is None else f" stopped by {stopped}"),
            *(inputs, ", ".join(in_words(counts)) or "none"),
            *(self._requests, seconds, len(self._waits), waited),
            extra=fields,
        )
