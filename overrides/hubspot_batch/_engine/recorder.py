"""A run's use of its journal.

This module decides what a run does about inputs that an earlier run has recorded: which are sent,
and with which outcome the others end. It never decides what a response means.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from threading import RLock
from typing import Any, Generic, TypeVar

from attrs import evolve, fields

from hubspot_batch._json import read
from hubspot_batch._matching.items import EncodedInput
from hubspot_batch.errors import ConfigurationError, HubSpotBatchError, JournalError
from hubspot_batch.journal import (
    SETTLED,
    Identity,
    Journal,
    Recorded,
    Status,
    Store,
    TakenError,
    digest_of,
)
from hubspot_batch.outcomes import (
    Detail,
    Outcome,
    OutcomeError,
    OutcomeStatus,
    freeze_context,
)

from .chunk import BatchResponse, Chunk, Operation, SameKey

ResultT = TypeVar("ResultT")

_DOUBTFUL = (Status.INTENDED, Status.UNKNOWN)
_MAYBE_DONE = (*_DOUBTFUL, Status.SUCCEEDED)
# Greater than the number of each recorded intent.
_IN_THIS_RUN = 2**62
_BLOCK = 100
_CUT_OFF = OutcomeError(
    "no_answer",
    "An earlier run may have sent it, and ended before its outcome was known. Look it up in "
    "HubSpot before it is sent again.",
)
_UNREAD = "The journal cannot tell whether an earlier run has sent it. "


class Recorder(Generic[ResultT]):
    """The journal of one run.

    The thread or task that drives the run calls its methods, except `intend`, which is called
    where a chunk is sent. While a task waits, another thread may call `keep_up`.

    Args:
        journal: The journal.
        operation: The operation of the run.
        job: What the journal's head says of the run.

    """

    def __init__(
        self, journal: Journal, operation: Operation[ResultT], job: Mapping[str, str]
    ) -> None:
        self._journal = journal
        self._operation = operation
        self._job = job
        self._store: Store | None = None
        self._opens = True
        # Whether an earlier run may have done what cannot be looked up.
        self._blind = False
        self._lock = RLock()
        # Whether inputs may have been counted that were not looked up: counted again, they would
        # be taken for others that are equal.
        self._miscounts = False
        # Inputs to look up, those that were looked up, and the outcomes that some of these have.
        self._queue: list[EncodedInput] = []
        self._found: list[EncodedInput] = []
        self._known: dict[int, Outcome[ResultT]] = {}
        # By position: inputs that were counted and are to be looked up, or to be looked up again.
        self._counted: dict[int, Identity] = {}
        # By position: inputs that this run sends, the numbers that the journal has for them, and
        # those of them that are in the journal.
        self._identities: dict[int, Identity] = {}
        self._seen: dict[int, int | None] = {}
        self._intended: dict[int, Identity] = {}
        # Inputs that are sent although an earlier run may have done them.
        self._doubts: set[int] = set()
        self._pending: list[Outcome[ResultT]] = []

    @property
    def operation(self) -> Operation[ResultT]:
        """The operation, which records inputs as intended before it sends them."""

        def send(client: Any, chunk: Chunk) -> BatchResponse:
            self.intend(chunk)
            return self._operation.send(client, chunk)

        async def asend(client: Any, chunk: Chunk) -> BatchResponse:
            from asyncio import to_thread  # noqa: PLC0415 - threads need none of it

            await to_thread(self.intend, chunk)
            return await self._operation.asend(client, chunk)

        return evolve(self._operation, send=send, asend=asend)

    @property
    def behind(self) -> bool:
        """Whether there is something to do for `keep_up`."""
        return bool(self._opens or self._pending or self._queue)

    def keep_up(self) -> HubSpotBatchError | None:
        """Open the journal, record outcomes, look inputs up; return why that cannot be done."""
        try:
            with self._lock:
                if self._opens:
                    self._opens = False
                    self._open()
                self._flush()
                queue, self._queue = self._queue, []
                if queue and not self._miscounts:
                    self._queue = held = self._look_up(queue, waits=True)
                    undecided = {entry.index for entry in held}
                    self._found += [entry for entry in queue if entry.index not in undecided]
                store = self._store
            # Requests under way go on meanwhile, and need the lock.
            if self._queue and store is not None:
                store.wait()
        except HubSpotBatchError as error:
            return error
        return None

    def _open(self) -> None:
        journal, operation = self._journal, self._operation
        self._blind = journal.exists()
        try:
            self._store = journal.open(self._job)
        except ConfigurationError:
            self._blind = False  # the other job has other inputs
            raise
        self._blind = not self._store.fresh
        insists = "unknown" in journal.retry and not operation.repeatable
        if insists and not journal.may_create_twice:
            raise ConfigurationError(
                f"retry has 'unknown', but {operation.id} would create again what was done. Look "
                "these inputs up in HubSpot, and add may_create_twice=True to send them anyway."
            )

    @property
    def looks_up(self) -> bool:
        """Whether inputs are to be looked up by the next `keep_up`."""
        return bool(self._queue)

    @property
    def holds(self) -> int:
        """The number of inputs here that the run has not taken back."""
        return len(self._queue) + len(self._found)

    def look_up(self, entries: Sequence[EncodedInput]) -> None:
        """Have inputs looked up by the next `keep_up`."""
        self._queue += entries

    def take(self) -> tuple[list[Outcome[ResultT]], list[EncodedInput]]:
        """Return what was looked up: outcomes from an earlier run, and the inputs to send."""
        found, self._found = self._found, []
        left = [entry for entry in found if entry.index not in self._known]
        return [*self._known.values()], left

    def _look_up(
        self, entries: Sequence[EncodedInput], *, waits: bool = False
    ) -> list[EncodedInput]:
        """Look inputs up; return those that are waited for, because another run sends them."""
        store, self._miscounts = self._opened(), True
        new = [entry for entry in entries if entry.index not in self._counted]
        digests = [digest_of(self._operation.identify(entry)) for entry in new]
        for entry, digest, ordinal in zip(new, digests, store.count(digests), strict=True):
            self._counted[entry.index] = Identity(digest, ordinal)
        identities = [self._counted[entry.index] for entry in entries]
        known = store.find(identities)
        again = self._sent_after(store, entries, identities, known)
        held: list[EncodedInput] = []
        for entry, identity in zip(entries, identities, strict=True):
            recorded = known.get(identity)
            if waits and recorded is not None and recorded.held and not self._operation.repeatable:
                held.append(entry)
                continue
            del self._counted[entry.index]
            if recorded is not None and entry.index not in again and not self._resends(recorded):
                self._known[entry.index] = self._outcome(entry, recorded)
                continue
            if recorded is not None and recorded.status in _MAYBE_DONE:
                self._doubts.add(entry.index)
            self._identities[entry.index] = identity
            self._seen[entry.index] = None if recorded is None else recorded.number
        self._miscounts = False
        return held

    def _resends(self, recorded: Recorded) -> bool:
        """Return whether an input is sent that an earlier run has recorded."""
        if recorded.status in _DOUBTFUL and self._operation.repeatable:
            return True
        if recorded.status is Status.INTENDED:
            return "unknown" in self._journal.retry
        return recorded.status is Status.NOT_SENT or recorded.status in self._journal.retry

    def _sent_after(
        self,
        store: Store,
        entries: Sequence[EncodedInput],
        identities: Sequence[Identity],
        known: Mapping[Identity, Recorded],
    ) -> set[int]:
        """Return inputs that were done, but before the change that precedes them in the inputs.

        They are sent again: of several changes of a record, the last one has to be sent last.
        """
        if store.fresh or self._operation.same_key is not SameKey.IN_TURN:
            return set()
        keys = [digest_of(str(entry.identity).encode()) for entry in entries]
        latest, again = store.marks(keys), set[int]()
        for entry, identity, key in zip(entries, identities, keys, strict=True):
            recorded, before = known.get(identity), latest.get(key, 0)
            number = _IN_THIS_RUN
            if recorded is not None and not self._resends(recorded):
                number = recorded.number or 0
                if number < before and recorded.status is Status.SUCCEEDED:
                    again.add(entry.index)
                    number = _IN_THIS_RUN
            latest[key] = max(number, before)
        store.mark(latest)
        return again

    def _outcome(self, entry: EncodedInput, recorded: Recorded) -> Outcome[ResultT]:
        status = Status.UNKNOWN if recorded.status is Status.INTENDED else recorded.status
        result = error = None
        try:
            if recorded.result is not None:
                result = self._operation.read_result(recorded.result)
            if recorded.error is not None:
                error = _read_error(recorded.error)
            elif status not in SETTLED:
                error = _CUT_OFF
        except (ValueError, TypeError) as failure:
            raise JournalError(
                f"The journal is damaged: an outcome in it cannot be read ({failure})."
            ) from failure
        return Outcome(entry.index, entry.input, OutcomeStatus(status.value), result, error)

    def intend(self, chunk: Chunk) -> None:
        """Record that a chunk is about to be sent.

        Raises:
            CancelledBeforeSendError: It was cancelled.
            JournalError: It cannot be recorded, and must not be sent.
            TakenError: Another run sends some of it, so it must be looked up again.
        """
        with self._lock:
            # A chunk is cancelled before its inputs are settled, and to settle them takes the lock.
            chunk.state.check()
            indexes = [one.index for one in chunk.entries if one.index not in self._intended]
            identities = {one: self._identities[one] for one in indexes}
            if identities:
                # Noted first: where the commit fails, it may have been carried out.
                self._intended.update(identities)
                # What may be done twice may also be sent by two runs.
                seen = None if self._operation.repeatable else [self._seen[one] for one in indexes]
                try:
                    self._opened().intend([*identities.values()], seen)
                except TakenError:
                    for one in indexes:
                        self._counted[one] = self._identities.pop(one)
                        del self._intended[one]
                    raise

    def settle(self, outcomes: list[Outcome[ResultT]]) -> list[Outcome[ResultT]]:
        """Take outcomes for `keep_up`; return them, with what earlier runs leave in doubt."""
        outcomes = [self._with_doubt(outcome) for outcome in outcomes]
        for outcome in outcomes:
            self._known.pop(outcome.index, None)
        self._pending += [outcome for outcome in outcomes if outcome.index in self._identities]
        return outcomes

    def _with_doubt(self, outcome: Outcome[ResultT]) -> Outcome[ResultT]:
        if self._operation.reads or outcome.error is None:
            return outcome
        error, not_sent = outcome.error, outcome.status is OutcomeStatus.NOT_SENT
        if outcome.index in self._doubts:
            refused = outcome.status is OutcomeStatus.FAILED and not self._operation.repeatable
            if not_sent or refused:
                return evolve(outcome, status=OutcomeStatus.UNKNOWN)
        elif not_sent and self._blind and outcome.index not in self._identities:
            error = evolve(error, message=_UNREAD + error.message)
            return evolve(outcome, status=OutcomeStatus.UNKNOWN, error=error)
        return outcome

    def _flush(self) -> None:
        # Where it fails, the journal says that the outcomes are unknown, until the next time.
        pending, intended = [*self._pending], self._intended
        records = [
            (intended[one.index], self._recorded(one)) for one in pending if one.index in intended
        ]
        if records:
            self._opened().settle(records)
        del self._pending[: len(pending)]
        for one in pending:
            self._identities.pop(one.index, None)
            self._seen.pop(one.index, None)
            intended.pop(one.index, None)
            self._doubts.discard(one.index)

    def _recorded(self, outcome: Outcome[ResultT]) -> Recorded:
        result = error = None
        if outcome.result is not None:
            result = self._operation.write_result(outcome.result)
        if outcome.error is not None:
            error = json.dumps(outcome.error.to_dict()).encode()
        return Recorded(Status(outcome.status.value), result, error)

    def recall_rest(self, left: Mapping[int, object]) -> list[Outcome[ResultT]]:
        """Return the outcomes that inputs of a stopped run have from an earlier run.

        Args:
            left: Inputs that have no outcome, by position. Those that were looked up are left out.
        """
        with self._lock:
            self._queue = []
            looked_up = self._identities.keys() | self._known.keys()
            unread = [(index, given) for index, given in left.items() if index not in looked_up]
            for at in range(0, len(unread), _BLOCK):
                if self._store is None or self._store.fresh or self._miscounts:
                    break
                part = [self._operation.encode(i, [one])[0] for i, one in unread[at : at + _BLOCK]]
                with suppress(JournalError):
                    self._look_up([one for one in part if isinstance(one, EncodedInput)])
            return [*self._known.values()]

    def close(self) -> HubSpotBatchError | None:
        """Record what is left, and let another run have the journal; return why it cannot be."""
        with self._lock:
            self._opens, self._queue = False, []
            failure = self.keep_up()
            if self._store is not None:
                self._store.close()
                self._store = None
            return failure

    def _opened(self) -> Store:
        if self._store is None:
            raise JournalError("The journal is closed.")
        return self._store


def _read_error(text: bytes) -> OutcomeError:
    """Return an error from its JSON text; names that this version does not know are left out."""
    found = read(text)
    known = {one.alias for one in fields(OutcomeError)}
    values = {name: value for name, value in found.items() if name in known}
    values["context"] = freeze_context(values.get("context"))
    values["details"] = tuple(Detail(**one) for one in values.get("details", ()))
    return OutcomeError(**values)
