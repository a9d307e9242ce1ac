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

from hubspot_batch._engine.doubts import ABSENT, Looked, checked_seconds, is_conflict, looks
from hubspot_batch._json import is_map
from hubspot_batch._matching.items import EncodedInput
from hubspot_batch._operations.mark_names import check_names
from hubspot_batch._operations.registry import SPECS
from hubspot_batch._traces import Attempted, Mark
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.options import Limiter
from hubspot_batch.outcomes import BatchResult, Outcome, OutcomeError, OutcomeStatus

from .asking import Asking, FailedError, Rest, Steps
from .by_key import APART, ByKey, NotUniqueError
from .by_properties import ByProperties
from .by_stamp import ByStamp
from .inquiry import Doubt, Inquiry
from .ways import WAYS, Hit

_log = logging.getLogger("hubspot_batch")

# Seconds after its end at which the keys that a run was refused are read back.
_READ_BACK = (0.0, 5.0, 15.0)
# Ids that a message names at most.
_NAMED = 5

Taken = Callable[[Iterable[str]], set[str]]


@frozen
class Wish:
    """The wishes of a caller about a look-up.

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
    ) -> Wish:
        """Return what the arguments of a method say.

        Raises:
            ConfigurationError: They are no seconds, or no names of properties.
        """
        check_names(key_property, stamp_property)
        seconds = looks(checked_seconds("after", after), assume_absent_after)
        return cls(seconds, assume_absent_after, key_property, stamp_property)


class LookUp:
    """A look-up of all inputs in doubt among some outcomes.

    Args:
        operation: The id of the operation whose outcomes they are.
        outcomes: The outcomes.
        unmatched: Results that belong to none of them for certain.
        wish: What is wanted.
        pace: When a search may start.
        taken: Returns which ids are those of records that belong to an input that was done.

    Attributes:
        notes: What a person should know of it, in sentences.
    """

    def __init__(
        self,
        operation: str,
        outcomes: Sequence[Outcome[Any]],
        unmatched: Sequence[Any],
        wish: Wish,
        pace: Limiter,
        taken: Taken,
    ) -> None:
        self._way = WAYS[operation]
        self._spec = SPECS[operation]
        self._outcomes = outcomes
        self._unmatched = unmatched
        self._wish = wish
        self._asking = Asking(self._way, pace)
        self._taken = taken
        self.notes: list[str] = []
        self._inquiries: list[Inquiry] = []
        self._timeless: set[int] = set()
        self._doubts: list[Doubt] = []
        # What was sent of inputs that were done, and whose records are not known.
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
                raise ConfigurationError(
                    f"{self._way.name} takes the outcomes of its family's create; input "
                    f"{one.index} is none of its inputs: {encoded.message}"
                )
            sent: dict[str, Any] = {**(encoded.wire.get("properties") or {})}
            sent.update((mark.property, mark.value) for mark in marks)
            if lacking:
                self._others.append(sent)
                continue
            attempted = None if one.error is None else one.error.attempted
            self._doubts.append(Doubt(place, sent, attempted, refused=refused))

    def steps(self, now: float) -> Steps:
        """Yield the requests and waits of the look-up, from a time on."""
        self._doubts = [_closed(one, now) for one in self._doubts]
        self._inquiries = self._inquire(self._doubts, by_key=self._way.reads is not None)
        if not self._inquiries:
            return
        for moment in self._moments(now):
            if moment > now:
                now, _ = yield Rest(moment - now)
            left = [*self._inquiries]
            while left:
                inquiry = left.pop(0)
                if inquiry.settled:
                    continue
                try:
                    now = yield from inquiry.look(now)
                except FailedError as failed:
                    inquiry.failure = str(failed)
                except NotUniqueError as refusal:
                    left += self._fall_back(inquiry, str(refusal))
                else:
                    inquiry.failure = ""
            if all(one.settled for one in self._inquiries):
                return

    def _moments(self, now: float) -> list[float]:
        """Return when it looks. What has been missed is made up for at once."""
        lost = [one.end for one in self._doubts if not one.refused and one.attempted is not None]
        after = self._wish.after or _READ_BACK
        if not lost:
            return [now, *(now + delay for delay in after if delay)]
        moments = [max(lost) + delay for delay in after]
        due = [moment for moment in moments if moment > now]
        if len(moments) - len(due) > 1 and any(isinstance(one, ByKey) for one in self._inquiries):
            # One look in place of several would prove no absence.
            due = sorted({*due, now + APART})
        at_once = len(due) < len(moments) or any(one.refused for one in self._doubts)
        return [now, *due] if at_once else due

    def _inquire(self, doubts: Iterable[Doubt], *, by_key: bool) -> list[Inquiry]:
        """Give each input to the best kind of evidence that there is for it."""
        keyed: list[Doubt] = []
        stamped: list[Doubt] = []
        others: list[Doubt] = []
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
                self._timeless.add(one.place)
        found: list[Inquiry] = []
        if keyed:
            found.append(ByKey(self._asking, keyed, self._taken))
        if stamped:
            found.append(ByStamp(self._asking, stamped, self._taken))
        if others:
            found.append(ByProperties(self._asking, others, self._others, self._all_taken))
        return found

    def _marks(self, doubt: Doubt) -> tuple[Mark | None, Mark | None]:
        """Return the key and the stamp by which the record of an input is found."""
        error, wish = self._outcomes[doubt.place].error, self._wish
        marks = () if error is None else error.marks
        key = next((one for one in marks if one.unique), None) or _given(doubt, wish.key_property)
        stamp = next((one for one in marks if not one.unique), None)
        stamp = stamp or _given(doubt, wish.stamp_property) or key
        return key, stamp

    def _fall_back(self, failed: Inquiry, words: str) -> list[Inquiry]:
        """Look inputs up without their keys; return how."""
        name = next((one.mark.property for one in failed.doubts if one.mark is not None), "")
        note = (
            f"{self._way.name}: {name} is not unique in this account ({words.rstrip('.')}). Inputs "
            "in doubt are looked up by a stamp or by their properties, so none is certain to be "
            "absent, and none is sent again."
        )
        _log.warning("%s", note)
        self.notes.append(note)
        made = self._inquire(failed.doubts, by_key=False)
        self._inquiries = [*(one for one in self._inquiries if one is not failed), *made]
        return made

    def _all_taken(self, ids: Iterable[str]) -> set[str]:
        """Return the ids whose records belong to inputs, those found by a mark included."""
        asked = {*ids}
        marked = [one for one in self._inquiries if not isinstance(one, ByProperties)]
        found = {hit.id for one in marked for hit in one.found.done.values() if hit is not None}
        return self._taken(asked) | (found & asked)

    def result(self, *, complete: bool = True) -> BatchResult[Any]:
        """Return the outcomes.

        Args:
            complete: Whether the look-up came to its end. If not, what was not found stays as it
                was.
        """
        outcomes, unclaimed = [*self._outcomes], list[Hit]()
        for inquiry in self._inquiries:
            unclaimed += inquiry.found.unclaimed
            for doubt in inquiry.doubts:
                outcome = self._outcomes[doubt.place]
                outcomes[doubt.place] = self._settled(inquiry, doubt, outcome, complete=complete)
        for place in self._timeless:
            words = "When its request was sent is not known here, so it cannot be looked up."
            outcomes[place] = _told(outcomes[place], words)
        used = {_id_of(one.result) for one in outcomes}
        unmatched = [one for one in self._unmatched if _id_of(one) not in used]
        known = {_id_of(one) for one in unmatched}
        unmatched += [self._model(hit) for hit in unclaimed if hit.id not in known]
        return BatchResult(tuple(outcomes), tuple(unmatched))

    def looked(self, failure: BaseException | None = None) -> Looked:
        """Return the result for a run, and what ended the look-up early, if something did."""
        return Looked(self.result(complete=failure is None), failure, self.notes)

    def _settled(
        self, inquiry: Inquiry, doubt: Doubt, outcome: Outcome[Any], *, complete: bool
    ) -> Outcome[Any]:
        found = inquiry.found
        if doubt.place in found.done:
            hit = found.done[doubt.place]
            record = None if hit is None else self._model(hit)
            status = OutcomeStatus.SUCCEEDED
            return Outcome(outcome.index, outcome.input, status, record, evidence=inquiry.evidence)
        if doubt.refused:
            return outcome
        if doubt.place in found.absent:
            since = f"{found.absent[doubt.place]:.0f} s after its request was given up"
            words = f"HubSpot was asked twice and has no record with its key, at last {since}."
            told = _told(outcome, words, ABSENT)
            return evolve(told, status=OutcomeStatus.NOT_SENT)
        return self._left(inquiry, doubt, outcome) if complete else outcome

    def _left(self, inquiry: Inquiry, doubt: Doubt, outcome: Outcome[Any]) -> Outcome[Any]:
        """Return the outcome of an input of which it is not certain that it was done."""
        if disputed := inquiry.found.disputed.get(doubt.place):
            ids = ", ".join(hit.id for hit in disputed[:_NAMED])
            more = f" and {len(disputed) - _NAMED} more" if len(disputed) > _NAMED else ""
            words = f"Records were found that can be of this input or of others: {ids}{more}."
            return _told(outcome, words, "not_distinguished")
        if inquiry.complete_at is None:
            return _told(outcome, f"It could not be looked up: {inquiry.failure}.")
        if doubt.attempted is None:
            return _told(outcome, "No record of it was found; it may still be done.", "not_found")
        looked = inquiry.complete_at - doubt.end
        since = f"{looked:.0f} s after its request was given up, no record of it was found"
        limit = self._wish.assume_absent_after
        if limit is None or looked < limit or inquiry.failure:
            return _told(outcome, f"{since}; it may still be done.", "not_found")
        risk = f"at the caller's own risk (assume_absent_after={limit})"
        told = _told(outcome, f"{since}; it counts as not sent {risk}.", "not_found")
        return evolve(told, status=OutcomeStatus.NOT_SENT)

    def _model(self, hit: Hit) -> Any:
        return as_model(self._spec.result, dict(hit.record))


def taken_by(outcomes: Iterable[Outcome[Any]]) -> Taken:
    """Return what returns those of some ids whose records belong to one of these outcomes."""
    known = {_id_of(one.result) for one in outcomes}
    return lambda ids: {id_ for id_ in ids if id_ in known}


def _closed(doubt: Doubt, now: float) -> Doubt:
    """End a request that was given up under way; leave out the time of another clock."""
    if doubt.attempted is None:
        return doubt
    first, given_up = doubt.attempted
    end = now if given_up is None else given_up
    return doubt._replace(attempted=Attempted(first, end) if first <= end <= now else None)


def _given(doubt: Doubt, name: str | None) -> Mark | None:
    """Return the mark that an input has from its caller."""
    value = doubt.properties.get(name) if name else None
    if name is None or not isinstance(value, str) or not value:
        return None
    return Mark(name, value, unique=False, ours=False)


def _told(outcome: Outcome[Any], words: str, kind: str | None = None) -> Outcome[Any]:
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
