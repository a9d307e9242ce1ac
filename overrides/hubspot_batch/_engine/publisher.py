"""Hands out the outcomes of a run.

This module decides the order: an outcome goes into the journal first. If its input is in doubt, it
is held back until a look-up. Then it goes to the caller. An input has one outcome.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from hubspot_batch.events import Observer
from hubspot_batch.outcomes import Outcome

from .doubts import HeldOutcomes, LookUpResult

if TYPE_CHECKING:
    from hubspot_batch._matching.match import Results

    from .recorder import Recorder
    from .totals import Totals

ResultT = TypeVar("ResultT")


class Publisher(Generic[ResultT]):
    """The outcomes of one run.

    Args:
        names: The run and its operation, as events name them.
        left: The inputs that have no outcome yet, by position.
        totals: The numbers of the run.
        observer: Told of events and outcomes.
        recorder: The journal of the run.
        doubts: The outcomes that wait for a look-up; None if none ever do.

    Attributes:
        ready: Outcomes that are not taken yet; take them from the left.
    """

    def __init__(
        self,
        names: tuple[str, str],
        left: dict[int, object],
        totals: Totals,
        observer: Observer | None,
        recorder: Recorder[ResultT] | None,
        doubts: HeldOutcomes | None,
    ) -> None:
        self.ready: deque[Outcome[ResultT]] = deque()
        self._names = names
        self._open = left
        self._totals = totals
        self._observer = observer
        self._recorder = recorder
        self._doubts = doubts

    def publish(self, outcomes: list[Outcome[ResultT]], results: Results | None = None) -> None:
        """Hand out outcomes of inputs that have none yet.

        Args:
            outcomes: The outcomes.
            results: The results of the response that says so.
        """
        outcomes = [outcome for outcome in outcomes if outcome.index in self._open]
        if not outcomes:
            return
        if self._recorder is not None:
            outcomes = self._recorder.take_outcomes(outcomes, results)
        if self._doubts is not None:
            outcomes = self._doubts.hold(outcomes)
        self._hand_out(outcomes)

    def resolve(self, looked: LookUpResult) -> list[Outcome[Any]]:
        """Hand out what was looked up; return the inputs that are sent again, by their outcomes."""
        assert self._doubts is not None  # noqa: S101 - something was held back
        again, outcomes = self._doubts.resolve(looked.result)
        if self._recorder is not None:
            self._recorder.resolve(again, outcomes)
        self._doubts.notes += looked.notes
        self._hand_out(outcomes)
        return again

    def release(self) -> None:
        """Hand out what was held back and is not looked up any more."""
        if self._doubts is not None:
            self._hand_out(self._doubts.release())

    def forget_ready(self) -> None:
        """Count ready outcomes as handed out; a signal handler may have interrupted that."""
        for outcome in self.ready:
            self._open.pop(outcome.index, None)

    def _hand_out(self, outcomes: list[Outcome[ResultT]]) -> None:
        if not outcomes:
            return
        self.ready.extend(outcomes)
        for outcome in outcomes:
            self._open.pop(outcome.index, None)
        self._totals.add_outcomes(outcomes)
        if self._observer is not None:
            self._observer.settled(*self._names, outcomes)
