"""The inputs of a run that are looked up at its end.

This module decides which outcomes are held back until then: if the input may have been done, or if
the server refused it because a record has its key.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from attrs import frozen

from hubspot_batch.errors import ConfigurationError
from hubspot_batch.outcomes import BatchResult, Outcome, OutcomeError, OutcomeStatus

LOOK_TIMES = (5.0, 15.0, 45.0, 120.0, 300.0)
"""Seconds after a request was given up at which its inputs are looked up."""

ABSENT = "absent"
"""The error kind of an input that was certainly not done: no record has its unique key."""

# HubSpot's words, in lower case, when it refuses a second record with a unique value.
_CONFLICTS = ("already has that value", "conflicting_unique_value", "already exists")


@frozen
class LookUpPlan:
    """When and how a run looks up inputs in doubt.

    Attributes:
        after: When it looks, in seconds; empty if only refused keys are read back.
        assume_absent_after: Seconds after which an input without a record counts as not sent.
        resend: Whether an input that was certainly not done is sent again.
    """

    after: tuple[float, ...]
    assume_absent_after: float | None = None
    resend: bool = False

    @classmethod
    def of(
        cls,
        reconcile: bool | Iterable[float],
        assume_absent_after: float | None,
        *,
        resend: bool,
        by_key: bool,
    ) -> LookUpPlan | None:
        """Return what the arguments of a method ask for; None for nothing.

        Raises:
            ConfigurationError: They do not fit together, or are no seconds.
        """
        if resend and (reconcile is False or not by_key):
            raise ConfigurationError(
                "resend needs reconcile=True and key_property: without a unique property, HubSpot "
                "does not refuse what was created already."
            )
        if reconcile is False:
            if assume_absent_after is not None:
                raise ConfigurationError("assume_absent_after needs reconcile=True.")
            return cls(()) if by_key else None
        after = LOOK_TIMES if reconcile is True else checked_seconds("reconcile", reconcile)
        return cls(look_times(after, assume_absent_after), assume_absent_after, resend)


def look_times(after: tuple[float, ...], assume_absent_after: Any) -> tuple[float, ...]:
    """Return when to look: the last time is late enough to say that something is absent.

    Raises:
        ConfigurationError: The limit is no number of seconds.
    """
    if assume_absent_after is None:
        return after
    (last,) = checked_seconds("assume_absent_after", [assume_absent_after])
    return (*after, last) if last > after[-1] else after


class LookUpResult(NamedTuple):
    """The result of the look-up of a run.

    Attributes:
        result: The outcomes that were held back.
        failure: What ended it early; None if nothing did.
        notes: What a person should know of it, in sentences.
    """

    result: BatchResult[Any]
    failure: BaseException | None
    notes: Sequence[str]


def checked_seconds(name: str, given: Iterable[Any]) -> tuple[float, ...]:
    """Return seconds, least first.

    Raises:
        ConfigurationError: They are none.
    """
    try:
        found: list[Any] = [*given]
    except TypeError:
        found = [given]
    for one in found:
        if isinstance(one, bool) or not isinstance(one, int | float) or not 0 <= one < 1e9:
            raise ConfigurationError(f"{name} must be seconds, such as 5 or 0.5; got {one!r}.")
    if not found:
        raise ConfigurationError(f"{name} must name at least one time to look; got none.")
    return tuple(sorted({*found}))


def is_conflict(error: OutcomeError | None) -> bool:
    """Return whether the error says that a record has the input's key."""
    if error is None or error.kind not in ("refused", "batch_refused"):
        return False
    said = error.message.lower()
    return (
        error.status_code == 409
        or error.category == "CONFLICT"
        or any(words in said for words in _CONFLICTS)
    )


class HeldOutcomes:
    """The outcomes that a run holds back, and the facts about the others that a look-up needs.

    Args:
        plan: What the run does about them.

    Attributes:
        held: The outcomes that are held back, by position.
        without_record: Outcomes of inputs that were done without a known record.
        resent: The positions of inputs that were sent again.
        notes: What a person should know of the look-ups, in sentences.
    """

    def __init__(self, plan: LookUpPlan) -> None:
        self.plan = plan
        self.held: dict[int, Outcome[Any]] = {}
        self.without_record: list[Outcome[Any]] = []
        self.resent: set[int] = set()
        self.notes: list[str] = []
        # Hashes of the ids of matched records; hashes save memory, because a run can have any
        # length.
        self._ids = array("q")
        self._closed = False

    def hold(self, outcomes: list[Outcome[Any]]) -> list[Outcome[Any]]:
        """Hold outcomes back that are in doubt, and return the others."""
        if self._closed:
            return outcomes
        passed: list[Outcome[Any]] = []
        for one in outcomes:
            if self._is_held(one):
                self.held[one.index] = one
                continue
            passed.append(one)
            if one.status is OutcomeStatus.SUCCEEDED:
                id_ = getattr(one.result, "id", None)
                if id_ is None:
                    self.without_record.append(one)
                else:
                    self._ids.append(hash(str(id_)))
        return passed

    def _is_held(self, outcome: Outcome[Any]) -> bool:
        error = outcome.error
        if outcome.status is OutcomeStatus.UNKNOWN:
            return bool(self.plan.after) and error is not None
        keyed = error is not None and any(mark.unique for mark in error.marks)
        return keyed and outcome.status is OutcomeStatus.FAILED and is_conflict(error)

    def matched(self, ids: Iterable[str]) -> set[str]:
        """Return the ids whose records are already matched to an input."""
        by_hash = {hash(id_): id_ for id_ in ids}
        return {by_hash[one] for one in self._ids if one in by_hash}

    def resolve(
        self, found: Iterable[Outcome[Any]]
    ) -> tuple[list[Outcome[Any]], list[Outcome[Any]]]:
        """Return the inputs that are to be sent again, and the outcomes of the others."""
        held, again, settled = self.held, list[Outcome[Any]](), list[Outcome[Any]]()
        self.held = {}
        for one in found:
            if one.index not in held:
                continue
            absent = one.error is not None and one.error.kind == ABSENT
            if absent and self.plan.resend and one.index not in self.resent:
                self.resent.add(one.index)
                again.append(one)
            else:
                settled.append(one)
                if one.result is not None:
                    self._ids.append(hash(str(getattr(one.result, "id", None))))
        return again, settled

    def release(self) -> list[Outcome[Any]]:
        """Return what is held back, and hold nothing back any more."""
        held, self.held, self._closed = [*self.held.values()], {}, True
        return held
