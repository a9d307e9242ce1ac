"""A run's use of its journal.

This module decides what a run does about inputs that an earlier run recorded: which are sent, and
which outcome the others get. It never decides what a response means.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from threading import RLock
from typing import Any, Generic, TypeVar

from attrs import evolve

from hubspot_batch._matching.items import EncodedInput
from hubspot_batch._matching.match import Results
from hubspot_batch.errors import ConfigurationError, HubSpotBatchError, JournalError
from hubspot_batch.journal import Journal
from hubspot_batch.journal.store import (
    Identity,
    Recorded,
    Status,
    Store,
    TakenError,
    digest_of,
)
from hubspot_batch.options import SYSTEM_CLOCK, Clock
from hubspot_batch.outcomes import Outcome, OutcomeStatus
from hubspot_batch.outcomes.traces import write_marks

from .chunk import BatchResponse, Chunk, Operation, SameKey
from .journal_records import DOUBTFUL, NOT_SENT, outcome_of, record_of

ResultT = TypeVar("ResultT")

_MAYBE_DONE = (*DOUBTFUL, Status.SUCCEEDED)
# Greater than the number of each recorded intent.
_IN_THIS_RUN = 2**62
_BLOCK = 100
_UNREAD = "The journal cannot tell whether an earlier run has sent it. "


class Recorder(Generic[ResultT]):
    """The journal of one run.

    The thread or task that drives the run calls its methods, except `intend`, which is called
    where a chunk is sent. While a task waits, another thread may call `catch_up`.

    Args:
        journal: The journal.
        operation: The operation of the run.
        job: What the journal's head says of the run.
        clock: The clock to read.
        looks: Whether inputs in doubt are looked up at the end of the run.
    """

    def __init__(
        self,
        journal: Journal,
        operation: Operation[ResultT],
        job: Mapping[str, str],
        clock: Clock = SYSTEM_CLOCK,
        *,
        looks: bool = False,
    ) -> None:
        self._journal = journal
        self._operation = operation
        self._job = job
        self._clock = clock
        self._reconciles = looks
        # By position: inputs in doubt, and inputs that are sent again. Then: the results of
        # look-ups.
        self._in_doubt: dict[int, Identity] = {}
        self._resent: dict[int, Identity] = {}
        self._resolved: list[tuple[Identity, Recorded]] = []
        self._store: Store | None = None
        self._must_open = True
        # Whether the journal cannot be read, so an earlier run may have sent any input.
        self._unread = False
        self._lock = RLock()
        # Whether inputs may have been counted while their records were not read. Counting them
        # again would treat them as further equal inputs.
        self._counts_unreliable = False
        # Inputs whose records are to be read; those whose records were read; and the outcomes that
        # some of them have.
        self._queue: list[EncodedInput] = []
        self._found: list[EncodedInput] = []
        self._known: dict[int, Outcome[ResultT]] = {}
        # By position: inputs that were counted, and whose records must be read (again).
        self._counted: dict[int, Identity] = {}
        # By position: the inputs that this run sends; their numbers in the journal; and the inputs
        # that are recorded as intended.
        self._identities: dict[int, Identity] = {}
        self._numbers: dict[int, int | None] = {}
        self._intended: dict[int, Identity] = {}
        # Inputs that are sent although an earlier run may have done them.
        self._doubts: set[int] = set()
        # Outcomes to record, with the texts of their results where the server's are known.
        self._pending: list[tuple[Outcome[ResultT], bytes | None]] = []

    @property
    def operation(self) -> Operation[ResultT]:
        """The operation, which records inputs as intended right before it sends them."""

        def send(client: Any, chunk: Chunk) -> BatchResponse:
            with self._intending(chunk):
                return self._operation.send(client, chunk)

        async def asend(client: Any, chunk: Chunk) -> BatchResponse:
            with self._intending(chunk):
                return await self._operation.asend(client, chunk)

        return evolve(self._operation, send=send, asend=asend)

    @contextmanager
    def _intending(self, chunk: Chunk) -> Generator[None]:
        chunk.state.before_attempt = partial(self.intend, chunk)
        try:
            yield
        finally:
            chunk.state.before_attempt = None  # else it would be kept until cycles are collected

    @property
    def has_work(self) -> bool:
        """Whether there is something to do for `catch_up`."""
        is_due = self._pending or self._queue or self._resolved or self._resent
        return bool(self._must_open or is_due)

    def catch_up(self) -> HubSpotBatchError | None:
        """Open the journal, record outcomes, read records; return why that cannot be done."""
        try:
            with self._lock:
                if self._must_open:
                    self._must_open = False
                    self._open()
                self._flush()
                queue, self._queue = self._queue, []
                if queue and not self._counts_unreliable:
                    self._queue = held = self._read_records(queue, waits=True)
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
        self._unread = journal.exists()
        try:
            self._store = journal.open(self._job)
        except ConfigurationError:
            self._unread = False  # the other job has other inputs
            raise
        self._unread = not self._store.fresh
        insists = "unknown" in journal.retry and not operation.repeatable
        if insists and not journal.may_create_twice:
            raise ConfigurationError(
                f"retry has 'unknown', but {operation.id} would create again what was done. Look "
                "these inputs up in HubSpot, and add may_create_twice=True to send them anyway."
            )

    @property
    def has_queue(self) -> bool:
        """Whether records are to be read by the next `catch_up`."""
        return bool(self._queue)

    @property
    def waiting(self) -> int:
        """The number of inputs here that the run has not taken back."""
        return len(self._queue) + len(self._found)

    def recall(self, entries: Sequence[EncodedInput]) -> None:
        """Have the records of inputs read by the next `catch_up`."""
        self._queue += entries

    def take(self) -> tuple[list[Outcome[ResultT]], list[EncodedInput]]:
        """Return what the journal knows: outcomes from an earlier run, and the inputs to send."""
        found, self._found = self._found, []
        left = [entry for entry in found if entry.index not in self._known]
        return [*self._known.values()], left

    def _read_records(
        self, entries: Sequence[EncodedInput], *, waits: bool = False
    ) -> list[EncodedInput]:
        """Read the records of inputs; return those to wait for: another run is sending them."""
        store, self._counts_unreliable = self._opened(), True
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
            if (
                waits
                and recorded is not None
                and recorded.in_other_run
                and not self._operation.repeatable
            ):
                held.append(entry)
                continue
            del self._counted[entry.index]
            if not self._journal.sends:
                recorded = recorded or NOT_SENT
            sends = self._journal.sends and (entry.index in again or self._resends(recorded))
            if recorded is not None and not sends:
                self._known[entry.index] = outcome_of(self._operation, entry, recorded, self._clock)
                if self._reconciles and recorded.status is not Status.SUCCEEDED:
                    self._in_doubt[entry.index] = identity
                continue
            if recorded is not None and recorded.status in _MAYBE_DONE:
                self._doubts.add(entry.index)
            self._identities[entry.index] = identity
            self._numbers[entry.index] = None if recorded is None else recorded.number
        self._counts_unreliable = False
        return held

    def _resends(self, recorded: Recorded | None) -> bool:
        """Return whether to send an input, given its record (None: no record)."""
        if recorded is None:
            return True
        if recorded.status in DOUBTFUL and self._operation.repeatable:
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

        They are sent again, because the last change of a record must be sent last.
        """
        if store.fresh or self._operation.same_key is not SameKey.IN_TURN:
            return set()
        keys = [digest_of(str(entry.identity).encode()) for entry in entries]
        latest, again = store.last_numbers(keys), set[int]()
        for entry, identity, key in zip(entries, identities, keys, strict=True):
            recorded, before = known.get(identity), latest.get(key, 0)
            number = _IN_THIS_RUN
            if recorded is not None and not self._resends(recorded):
                number = recorded.number or 0
                if number < before and recorded.status is Status.SUCCEEDED:
                    again.add(entry.index)
                    number = _IN_THIS_RUN
            latest[key] = max(number, before)
        store.note_numbers(latest)
        return again

    def intend(self, chunk: Chunk) -> None:
        """Record that a chunk is about to be sent.

        Raises:
            CancelledBeforeSendError: It was cancelled.
            JournalError: It cannot be recorded, and must not be sent.
            TakenError: Another run sends some of it, so its records must be read again.
        """
        with self._lock:
            # A chunk is cancelled before its inputs are settled, and settling takes the lock.
            chunk.state.check()
            entries = [entry for entry in chunk.entries if entry.index not in self._intended]
            identities = {entry.index: self._identities[entry.index] for entry in entries}
            if identities:
                marks_of = self._operation.marks_of
                marks = [marks_of and write_marks(marks_of(entry)) for entry in entries]
                # Noted first: a commit that fails may have been carried out.
                self._intended.update(identities)
                # Two runs may send the same input if repeating it is harmless.
                seen = None
                if not self._operation.repeatable:
                    seen = [self._numbers[index] for index in identities]
                asked = [*identities.values()]
                try:
                    self._opened().intend(asked, seen, sent=self._clock.wall(), marks=marks)
                except TakenError:
                    for index in identities:
                        self._counted[index] = self._identities.pop(index)
                        del self._intended[index]
                    raise

    def take_outcomes(
        self, outcomes: list[Outcome[ResultT]], results: Results | None = None
    ) -> list[Outcome[ResultT]]:
        """Take outcomes for `catch_up`; return them, `unknown` where an earlier run is in doubt."""
        outcomes = [self._with_doubt(outcome) for outcome in outcomes]
        known, identities, texts = self._known, self._identities, dict[int, bytes]()
        # To write results anew would take several times as long as all else here.
        if results is not None and (found := results.texts()) is not None:
            texts = dict(zip(map(id, results.values), found, strict=True))
        for outcome in outcomes:
            known.pop(outcome.index, None)
            if outcome.index in identities:
                self._pending.append((outcome, texts.get(id(outcome.result))))
        return outcomes

    def _with_doubt(self, outcome: Outcome[ResultT]) -> Outcome[ResultT]:
        said = outcome.index in self._known  # by the journal itself
        if self._operation.reads or outcome.error is None or said:
            return outcome
        error, not_sent = outcome.error, outcome.status is OutcomeStatus.NOT_SENT
        if outcome.index in self._doubts:
            refused = outcome.status is OutcomeStatus.FAILED and not self._operation.repeatable
            if not_sent or refused:
                return evolve(outcome, status=OutcomeStatus.UNKNOWN)
        elif not_sent and self._unread and outcome.index not in self._identities:
            error = evolve(error, message=_UNREAD + error.message)
            return evolve(outcome, status=OutcomeStatus.UNKNOWN, error=error)
        return outcome

    def _flush(self) -> None:
        # If this fails, the journal says that the outcomes are unknown, until the next attempt.
        pending, intended = [*self._pending], self._intended
        records = [
            (identity, record_of(self._operation, outcome, self._clock, text))
            for outcome, text in pending
            if (identity := intended.get(outcome.index)) is not None
        ]
        if records:
            self._opened().settle(records)
        del self._pending[: len(pending)]
        for outcome, _ in pending:
            identity = self._identities.pop(outcome.index, None)
            if self._reconciles and identity is not None and outcome.error is not None:
                self._in_doubt[outcome.index] = identity
            self._numbers.pop(outcome.index, None)
            intended.pop(outcome.index, None)
            self._doubts.discard(outcome.index)
        resolved = [*self._resolved]
        if resolved:
            self._opened().resolve(resolved)
            del self._resolved[: len(resolved)]
        if self._resent:
            known = self._opened().find([*self._resent.values()])
            for index, identity in self._resent.items():
                recorded = known.get(identity)
                self._identities[index] = identity
                self._numbers[index] = None if recorded is None else recorded.number
            self._resent = {}

    def resolve(
        self, again: Sequence[Outcome[ResultT]], outcomes: Sequence[Outcome[ResultT]]
    ) -> None:
        """Take the results of a look-up for `catch_up`, and the inputs that are sent again."""
        for outcome in again:
            if (identity := self._in_doubt.pop(outcome.index, None)) is not None:
                self._resent[outcome.index] = identity
        for outcome in outcomes:
            if (identity := self._in_doubt.pop(outcome.index, None)) is not None:
                self._resolved.append((identity, record_of(self._operation, outcome, self._clock)))

    def recall_rest(self, left: Mapping[int, object]) -> list[Outcome[ResultT]]:
        """Return the outcomes that inputs of a stopped run have from an earlier run.

        Args:
            left: Inputs that have no outcome, by position. Those whose records were read are left
                out.
        """
        with self._lock:
            self._queue = []
            known = self._identities.keys() | self._known.keys()
            unread = [(index, given) for index, given in left.items() if index not in known]
            for at in range(0, len(unread), _BLOCK):
                if self._store is None or self._store.fresh or self._counts_unreliable:
                    break
                part = [self._operation.encode(i, [row])[0] for i, row in unread[at : at + _BLOCK]]
                with suppress(JournalError):
                    self._read_records([entry for entry in part if isinstance(entry, EncodedInput)])
            return [*self._known.values()]

    def close(self) -> HubSpotBatchError | None:
        """Record what is left, and release the journal; return the error if that fails."""
        with self._lock:
            self._must_open, self._queue = False, []
            failure = self.catch_up()
            if self._store is not None:
                self._store.close()
                self._store = None
            return failure

    def _opened(self) -> Store:
        if self._store is None:
            raise JournalError("The journal is closed.")
        return self._store
