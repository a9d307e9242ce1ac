"""One look-up of the inputs in doubt: when it asks, by what evidence, and what it says in the end.

This module performs nothing itself: `steps` is a generator that yields requests and waits, and is
sent their results, so `drivers` can perform them in threads and in tasks.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from attrs import evolve, frozen
from hubspot_batch_client.types import as_model

from hubspot_batch._engine.doubts import (
    ABSENT,
    LookUpResult,
    checked_seconds,
    is_conflict,
    look_times,
)
from hubspot_batch._json import is_map
from hubspot_batch._matching.items import EncodedInput
from hubspot_batch._operations.mark_names import check_names
from hubspot_batch._operations.registry import SPECS
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.options import Limiter
from hubspot_batch.outcomes import BatchResult, Outcome, OutcomeError, OutcomeStatus
from hubspot_batch.outcomes.traces import Attempted, Mark

from .by_key import LOOKS_APART, ByKey, NotUniqueError
from .by_properties import ByProperties
from .by_stamp import ByStamp
from .endpoints import LOOKUP_ENDPOINTS, FoundRecord
from .session import FailedError, LookupSession
from .steps import Sleep, Steps
from .strategy import DoubtfulInput, LookupStrategy

_log = logging.getLogger("hubspot_batch")

# Seconds after its end at which the keys that a run was refused are read back.
_READ_BACK = (0.0, 5.0, 15.0)
# Ids that a message names at most.
_IDS_SHOWN = 5

MatchedIds = Callable[[Iterable[str]], set[str]]


@frozen
class LookUpOptions:
    """The options of a look-up.

    Attributes:
        after: Seconds after the last request was given up at which it asks.
        assume_absent_after: Seconds after which an input that is not found counts as not sent;
            None for never.
        key_property: The property whose values are unique; None for the one that the run was given.
        stamp_property: The property that holds stamps; None for the one that the run was given.
    """

    after: tuple[float, ...]
    assume_absent_after: float | None = None
    key_property: str | None = None
    stamp_property: str | None = None

    @classmethod
    def of(
        cls,
        after: Iterable[float],
        assume_absent_after: float | None,
        key_property: str | None = None,
        stamp_property: str | None = None,
    ) -> LookUpOptions:
        """Return what the arguments of a method say.

        Raises:
            ConfigurationError: They are no seconds, or no names of properties.
        """
        check_names(key_property, stamp_property)
        seconds = look_times(checked_seconds("after", after), assume_absent_after)
        return cls(seconds, assume_absent_after, key_property, stamp_property)


class LookUp:
    """A look-up of all inputs in doubt among some outcomes.

    Args:
        operation: The id of the operation whose outcomes they are.
        outcomes: The outcomes.
        unmatched: Results that belong to none of them for certain.
        options: What is wanted.
        pace: When a search may start.
        matched: Returns which ids are those of records that belong to an input that was done.

    Attributes:
        notes: What a person should know of it, in sentences.
    """

    def __init__(
        self,
        operation: str,
        outcomes: Sequence[Outcome[Any]],
        unmatched: Sequence[Any],
        options: LookUpOptions,
        pace: Limiter,
        matched: MatchedIds,
    ) -> None:
        self._endpoint = LOOKUP_ENDPOINTS[operation]
        self._spec = SPECS[operation]
        self._outcomes = outcomes
        self._unmatched = unmatched
        self._options = options
        self._session = LookupSession(self._endpoint, pace)
        self._matched = matched
        self.notes: list[str] = []
        self._strategies: list[LookupStrategy] = []
        self._undated: set[int] = set()
        self._doubts: list[DoubtfulInput] = []
        # The properties of inputs that were done without a known record.
        self._others: list[dict[str, Any]] = []
        encoder = self._spec.encoder("", allow_implausible=True)
        for place, one in enumerate(outcomes):
            lacking = one.status is OutcomeStatus.SUCCEEDED and one.result is None
            refused = one.status is OutcomeStatus.FAILED
            if not lacking and one.status is not OutcomeStatus.UNKNOWN and not refused:
                continue
            marks = () if one.error is None else one.error.marks
            if refused and not is_conflict(one.error):
                continue
            (encoded,) = encoder.encode(one.index, [one.input])
            if not isinstance(encoded, EncodedInput):
                name = self._endpoint.method_name
                raise ConfigurationError(
                    f"{name} takes the outcomes of its family's create; input "
                    f"{one.index} is none of its inputs: {encoded.message}"
                )
            sent: dict[str, Any] = {**(encoded.wire.get("properties") or {})}
            sent.update((mark.property, mark.value) for mark in marks)
            if lacking:
                self._others.append(sent)
                continue
            attempted = None if one.error is None else one.error.attempted
            self._doubts.append(DoubtfulInput(place, sent, attempted, refused=refused))

    def steps(self, now: float) -> Steps:
        """Yield the requests and waits of the look-up, from a time on."""
        self._doubts = [_dated(one, now) for one in self._doubts]
        self._strategies = self._strategies_for(
            self._doubts, by_key=self._endpoint.reads is not None
        )
        if not self._strategies:
            return
        for moment in self._moments(now):
            if moment > now:
                now, _ = yield Sleep(moment - now)
            left = [*self._strategies]
            while left:
                strategy = left.pop(0)
                if strategy.settled:
                    continue
                try:
                    now = yield from strategy.look(now)
                except FailedError as failed:
                    strategy.failure = str(failed)
                except NotUniqueError as refusal:
                    left += self._fall_back(strategy, str(refusal))
                else:
                    strategy.failure = ""
            if all(one.settled for one in self._strategies):
                return

    def _moments(self, now: float) -> list[float]:
        """Return when it looks. What has been missed is made up for at once."""
        lost = [one.end for one in self._doubts if not one.refused and one.attempted is not None]
        after = self._options.after or _READ_BACK
        if not lost:
            return [now, *(now + delay for delay in after if delay)]
        moments = [max(lost) + delay for delay in after]
        due = [moment for moment in moments if moment > now]
        if len(moments) - len(due) > 1 and any(isinstance(one, ByKey) for one in self._strategies):
            # One look in place of several would prove no absence.
            due = sorted({*due, now + LOOKS_APART})
        at_once = len(due) < len(moments) or any(one.refused for one in self._doubts)
        return [now, *due] if at_once else due

    def _strategies_for(
        self, doubts: Iterable[DoubtfulInput], *, by_key: bool
    ) -> list[LookupStrategy]:
        """Give each input to the best kind of evidence that there is for it."""
        keyed: list[DoubtfulInput] = []
        stamped: list[DoubtfulInput] = []
        others: list[DoubtfulInput] = []
        for one in doubts:
            key, stamp = self._marks(one)
            if key is not None and by_key:
                keyed.append(one._replace(mark=key))
            elif one.refused:
                continue
            elif stamp is not None and (stamp.ours or one.attempted is not None):
                stamped.append(one._replace(mark=stamp))
            elif one.attempted is not None:
                others.append(one._replace(mark=None))
            else:
                self._undated.add(one.place)
        found: list[LookupStrategy] = []
        if keyed:
            found.append(ByKey(self._session, keyed, self._matched))
        if stamped:
            found.append(ByStamp(self._session, stamped, self._matched))
        if others:
            found.append(ByProperties(self._session, others, self._others, self._all_matched))
        return found

    def _marks(self, doubt: DoubtfulInput) -> tuple[Mark | None, Mark | None]:
        """Return the key and the stamp that find the record of an input."""
        error, options = self._outcomes[doubt.place].error, self._options
        marks = () if error is None else error.marks
        key = next((one for one in marks if one.unique), None) or _mark_from_caller(
            doubt, options.key_property
        )
        stamp = next((one for one in marks if not one.unique), None)
        stamp = stamp or _mark_from_caller(doubt, options.stamp_property) or key
        return key, stamp

    def _fall_back(self, failed: LookupStrategy, words: str) -> list[LookupStrategy]:
        """Look inputs up without their keys; return how."""
        name = next((one.mark.property for one in failed.doubts if one.mark is not None), "")
        note = (
            f"{self._endpoint.method_name}: {name} is not unique in this account "
            f"({words.rstrip('.')}). Inputs in doubt are looked up by a stamp or by "
            "their properties, so none is certain to be absent, and none is sent again."
        )
        _log.warning("%s", note)
        self.notes.append(note)
        made = self._strategies_for(failed.doubts, by_key=False)
        self._strategies = [*(one for one in self._strategies if one is not failed), *made]
        return made

    def _all_matched(self, ids: Iterable[str]) -> set[str]:
        """Return the ids whose records belong to inputs, those found by a mark included."""
        asked = {*ids}
        marked = [one for one in self._strategies if not isinstance(one, ByProperties)]
        found = {
            record.id for one in marked for record in one.found.done.values() if record is not None
        }
        return self._matched(asked) | (found & asked)

    def result(self, *, complete: bool = True) -> BatchResult[Any]:
        """Return the outcomes.

        Args:
            complete: Whether the look-up came to its end. If not, what was not found stays as it
                was.
        """
        outcomes, unclaimed = [*self._outcomes], list[FoundRecord]()
        for strategy in self._strategies:
            unclaimed += strategy.found.unclaimed
            for doubt in strategy.doubts:
                outcome = self._outcomes[doubt.place]
                outcomes[doubt.place] = self._settled(strategy, doubt, outcome, complete=complete)
        for place in self._undated:
            words = "When its request was sent is not known here, so it cannot be looked up."
            outcomes[place] = _with_message(outcomes[place], words)
        used = {_id_of(one.result) for one in outcomes}
        unmatched = [one for one in self._unmatched if _id_of(one) not in used]
        known = {_id_of(one) for one in unmatched}
        unmatched += [self._model(record) for record in unclaimed if record.id not in known]
        return BatchResult(tuple(outcomes), tuple(unmatched))

    def of_run(self, failure: BaseException | None = None) -> LookUpResult:
        """Return the result for a run, and what ended the look-up early, if something did."""
        return LookUpResult(self.result(complete=failure is None), failure, self.notes)

    def _settled(
        self,
        strategy: LookupStrategy,
        doubt: DoubtfulInput,
        outcome: Outcome[Any],
        *,
        complete: bool,
    ) -> Outcome[Any]:
        found = strategy.found
        if doubt.place in found.done:
            record = found.done[doubt.place]
            model = None if record is None else self._model(record)
            status = OutcomeStatus.SUCCEEDED
            return Outcome(outcome.index, outcome.input, status, model, evidence=strategy.evidence)
        if doubt.refused:
            return outcome
        if doubt.place in found.absent:
            since = f"{found.absent[doubt.place]:.0f} s after its request was given up"
            words = f"HubSpot was asked twice and has no record with its key, at last {since}."
            without_record = _with_message(outcome, words, ABSENT)
            return evolve(without_record, status=OutcomeStatus.NOT_SENT)
        return self._left(strategy, doubt, outcome) if complete else outcome

    def _left(
        self, strategy: LookupStrategy, doubt: DoubtfulInput, outcome: Outcome[Any]
    ) -> Outcome[Any]:
        """Return the outcome of an input that remains in doubt."""
        if disputed := strategy.found.disputed.get(doubt.place):
            ids = ", ".join(record.id for record in disputed[:_IDS_SHOWN])
            more = f" and {len(disputed) - _IDS_SHOWN} more" if len(disputed) > _IDS_SHOWN else ""
            words = f"Records were found that can be of this input or of others: {ids}{more}."
            return _with_message(outcome, words, "not_distinguished")
        if strategy.complete_at is None:
            return _with_message(outcome, f"It could not be looked up: {strategy.failure}.")
        if doubt.attempted is None:
            return _with_message(
                outcome, "No record of it was found; it may still be done.", "not_found"
            )
        looked = strategy.complete_at - doubt.end
        since = f"{looked:.0f} s after its request was given up, no record of it was found"
        limit = self._options.assume_absent_after
        if limit is None or looked < limit or strategy.failure:
            return _with_message(outcome, f"{since}; it may still be done.", "not_found")
        risk = f"at the caller's own risk (assume_absent_after={limit})"
        without_record = _with_message(
            outcome, f"{since}; it counts as not sent {risk}.", "not_found"
        )
        return evolve(without_record, status=OutcomeStatus.NOT_SENT)

    def _model(self, record: FoundRecord) -> Any:
        return as_model(self._spec.result, dict(record.json))


def matched_by(outcomes: Iterable[Outcome[Any]]) -> MatchedIds:
    """Return a function that returns which ids belong to records of these outcomes."""
    known = {_id_of(one.result) for one in outcomes}
    return lambda ids: {id_ for id_ in ids if id_ in known}


def _dated(doubt: DoubtfulInput, now: float) -> DoubtfulInput:
    """End a request that was given up under way; leave out the time of another clock."""
    if doubt.attempted is None:
        return doubt
    first, given_up = doubt.attempted
    end = now if given_up is None else given_up
    return doubt._replace(attempted=Attempted(first, end) if first <= end <= now else None)


def _mark_from_caller(doubt: DoubtfulInput, name: str | None) -> Mark | None:
    """Return the mark that an input has from its caller."""
    value = doubt.properties.get(name) if name else None
    if name is None or not isinstance(value, str) or not value:
        return None
    return Mark(name, value, unique=False, ours=False)


def _with_message(outcome: Outcome[Any], words: str, kind: str | None = None) -> Outcome[Any]:
    """Return an outcome whose error says what the look-up has brought."""
    error = outcome.error or OutcomeError("no_answer", "")
    if kind is None:
        if words not in error.message:
            error = evolve(error, message=f"{error.message} {words}".lstrip())
    else:
        error = evolve(error, kind=kind, message=words)
    return evolve(outcome, error=error)


def _id_of(record: object) -> str | None:
    id_ = record.get("id") if is_map(record) else getattr(record, "id", None)
    return None if id_ is None else str(id_)
