"""Settles what becomes of each input of a run.

This module decides the outcome of every input: what an answer or its absence means for it, and what
stops the run. It never sends: a driver asks it for chunks, sends them, several at a time, and says
what came back, in any order. What differs between operations is data (`chunks.Operation`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from itertools import compress, repeat
from operator import attrgetter
from typing import Generic, TypeVar

import httpx
from attrs import evolve

from hubspot_batch._matching.items import Entries
from hubspot_batch._matching.match import tie
from hubspot_batch._transport.request_state import Flight, Journey
from hubspot_batch._transport.retry import Fate, rule_for_failure
from hubspot_batch.errors import (
    BrokenOffError,
    ConfigurationError,
    HubSpotBatchError,
    InputError,
    UnreachableError,
)
from hubspot_batch.outcomes import BatchResult, Outcome, OutcomeError, OutcomeStatus, make_outcomes

from .chunk import Chunk, Operation, Sharing
from .chunker import Intake
from .reading import Inputs
from .response import Answer

ResultT = TypeVar("ResultT")


class BatchRun(Generic[ResultT]):
    """The state of one run: what is known of each input so far.

    Args:
        operation: What is done with the inputs.
        inputs: The inputs, read no further than the next chunk needs.
        run_id: A text that no other run has.
        chunk_size: Inputs to a request; the operation's limit by default.
        collects: Whether the outcomes of all inputs are kept until the end.

    Attributes:
        stopped: What ended the run early, or None.
        ready: Outcomes that have become known; whoever hands them out takes them from the left.
        under_way: Chunks that were given out and of which nothing has been said yet.
        unmatched: Results that could not be tied to an input.
        length: How many inputs there are, where they say so.
    """

    def __init__(
        self,
        operation: Operation[ResultT],
        inputs: Iterable[object],
        *,
        run_id: str,
        chunk_size: int | None = None,
        collects: bool = False,
    ) -> None:
        size = operation.limit if chunk_size is None else chunk_size
        if type(size) is not int or not 1 <= size <= operation.limit:
            raise ConfigurationError(
                f"chunk_size is {size!r}, but {operation.id} takes 1 to {operation.limit} inputs "
                "in a request."
            )
        self.stopped: HubSpotBatchError | None = None
        self.under_way: set[Chunk] = set()
        self.unmatched: list[ResultT] = []
        self.operation_id = operation.id
        self._operation = operation
        self.collects = collects
        self._inputs: Inputs[ResultT] = Inputs(inputs, operation.id)
        self.ready = self._inputs.ready
        self._sharing: Sharing[ResultT] = Sharing(on=collects and operation.reads)
        self._intake = Intake(
            *(operation, self._inputs, self._sharing), run_id=run_id, size=size, collects=collects
        )
        self._gathering = self._intake.gathering
        self._again: deque[Chunk] = deque()
        self._journey = Journey()
        self._closed: BatchResult[ResultT] | None = None
        self.length = self._inputs.length

    @property
    def going(self) -> bool:
        """Whether there can be another chunk, now or when something has been settled."""
        return self.stopped is None and (bool(self._again) or not self._intake.over)

    def next_chunk(self) -> Chunk | None:
        """Return the inputs of the next request, or None when there is none to send now.

        There is none either after many inputs that cannot be valid, so that their outcomes can be
        handed out before all inputs have been read, and while an earlier change of the same record
        is under way.
        """
        if not self._again:
            self._gather()
        if self.stopped is not None:
            self._leave_waiting()
            return None
        if self._again:
            chunk = self._again.popleft()
        elif self._intake.brims or not self._gathering.filled:
            return None
        else:
            chunk = Chunk(self._gathering.give(), Flight(self._journey))
            self._sharing.ask(chunk)
        self.under_way.add(chunk)
        return chunk

    @property
    def can_read_ahead(self) -> bool:
        """Whether something is left to do for the next request that need not wait for answers."""
        idle = self.stopped is None and not self._again and not self._gathering.full
        return idle and self._intake.at_hand

    def read_ahead(self) -> None:
        """Make good use of waiting: get ready what the next request will hold."""
        if self.can_read_ahead:
            self._gather()

    def _gather(self) -> None:
        if self.stopped is None:
            try:
                self._intake.gather()
            except InputError as error:
                self._end(error)

    def settle(self, chunk: Chunk, answer: Answer) -> None:
        """Say what the answer to a chunk means for each of its inputs."""
        rule = answer.rule
        if (stop := answer.stop(self.operation_id)) is not None:
            self.stop(chunk, stop)
        elif rule.fate is Fate.DONE:
            self._settle_success(chunk, answer)
        elif rule.fate is Fate.MAYBE_DONE:
            self._lose(chunk, answer.error)
        elif not (rule.splits and self._take_apart(chunk, answer.status_code)):
            alone = len({*chunk.entries.names}) == 1
            error = answer.error if alone else evolve(answer.error, kind="batch_refused")
            if chunk.flight.in_doubt:  # an earlier attempt may have been carried out
                self._lose(chunk, error)
            else:
                self._settle_all(chunk.entries, OutcomeStatus.FAILED, error)
        self._landed(chunk)

    def _take_apart(self, chunk: Chunk, status: int) -> bool:
        # What was too large for the server (413) has not been looked at by any operation.
        if self.stopped is not None or not (self._operation.splits or status == 413):
            return False
        halves = chunk.halves()
        if halves is not None:
            self._again.extendleft(map(self._sharing.ask, reversed(halves)))
        return halves is not None

    def _landed(self, chunk: Chunk) -> None:
        self.under_way.discard(chunk)
        self._gathering.let_follow(chunk.entries, self._inputs.open)

    def _settle_success(self, chunk: Chunk, answer: Answer) -> None:
        operation, reads, entries = self._operation, self._operation.reads, chunk.entries
        tied = tie(
            *(entries, answer.results, answer.refusals),
            shared=reads,
            by_properties=operation.by_properties,
            keys_in_messages=reads,
        )
        self.unmatched += tied.unmatched
        done, refused = tied.done, tied.refused
        silence: OutcomeError | None = None
        if len(done) + len(refused) < len(entries):
            silence = answer.silence(tied.unattributed, reads=reads)
        succeeded, failed, not_known = (
            OutcomeStatus.SUCCEEDED,
            OutcomeStatus.FAILED,
            self._not_known,
        )
        if len(done) == len(entries):  # as a rule
            results = map(done.__getitem__, range(len(done)))
            self._tell(entries, repeat(succeeded), results, repeat(None))
            return
        verdicts = [
            (succeeded, done[position], None)
            if position in done
            else (failed, None, refused[position])
            if position in refused
            else (not_known, None, silence)
            for position in range(len(entries))
        ]
        self._tell(entries, *zip(*verdicts, strict=True))

    def lose(self, chunk: Chunk, failure: httpx.HTTPError) -> None:
        """Say what it means that no answer to a chunk came."""
        reason = f"{type(failure).__name__}: {failure}".rstrip(": ")
        if rule_for_failure(failure).fate is Fate.NEVER_SENT:
            error = f"No connection to HubSpot ({reason}); check network and address."
            self.stop(chunk, UnreachableError(error))
        else:
            self._lose(chunk, OutcomeError("no_answer", f"No answer came ({reason})."))
            self._landed(chunk)

    def break_off(self, chunk: Chunk, failure: Exception) -> None:
        """End the run with a chunk that may have been done, for a reason that nobody foresaw."""
        name = type(failure).__name__
        error = BrokenOffError(f"The run broke off: {name} was raised; see this error's cause.")
        error.__cause__ = failure
        self.stop(chunk, error)

    def stop(self, chunk: Chunk, error: HubSpotBatchError) -> None:
        """End the run with a chunk of which the last attempt is over, or cannot be waited for."""
        self._end(error)
        self.abandon(chunk)
        self._leave_waiting()

    def interrupt(self, cause: BaseException) -> None:
        """End the run because its caller, or what he awaits, wants no more of it."""
        # An interruption can have come between the two steps of telling outcomes.
        for outcome in self.ready:
            self._inputs.open.pop(outcome.index, None)
        if self.stopped is None:
            left = isinstance(cause, GeneratorExit)
            how = "left before its end" if left else f"ended by {type(cause).__name__}"
            self._end(BrokenOffError(f"The run was {how}."))
        self._inputs.resume()
        self._leave_waiting()

    def abandon(self, chunk: Chunk) -> None:
        """Give up a chunk; what may have been done, by this or an earlier attempt, is in doubt."""
        if chunk.flight.in_doubt:
            self._lose(chunk, OutcomeError("no_answer", f"No answer came. {self.stopped}"))
        else:
            self._not_sent(chunk.entries)
        self._landed(chunk)

    def _end(self, error: HubSpotBatchError) -> None:
        if self.stopped is None:
            self.stopped = error
        # What was given out before the inputs ended in an error is as good as any.
        if not isinstance(error, InputError):
            for chunk in self.under_way:
                chunk.flight.halted = True

    def _leave_waiting(self) -> None:
        """Settle what was read, and is not under way."""
        for chunk in self._again:
            self.abandon(chunk)
        self._again.clear()
        self._not_sent(self._gathering.give_up())

    @property
    def _not_known(self) -> OutcomeStatus:
        """What it means that nobody says what became of an input."""
        return OutcomeStatus.FAILED if self._operation.reads else OutcomeStatus.UNKNOWN

    def _lose(self, chunk: Chunk, error: OutcomeError) -> None:
        self._settle_all(chunk.entries, self._not_known, error)

    def _not_sent(self, entries: Entries) -> None:
        error = OutcomeError("stopped", str(self.stopped))
        self._settle_all(entries, OutcomeStatus.NOT_SENT, error)

    def _settle_all(self, entries: Entries, status: OutcomeStatus, error: OutcomeError) -> None:
        self._tell(entries, repeat(status), repeat(None), repeat(error))

    def _tell(
        self,
        entries: Entries,
        statuses: Iterable[OutcomeStatus],
        results: Iterable[ResultT | None],
        errors: Iterable[OutcomeError | None],
    ) -> None:
        outcomes = make_outcomes(entries.indexes, entries.inputs, statuses, results, errors)
        kept = [*map(self._inputs.open.__contains__, entries.indexes)]
        if not all(kept):  # some were told before an interruption
            entries, outcomes = Entries.of(compress(entries, kept)), [*compress(outcomes, kept)]
        self._sharing.note(entries, outcomes)
        self._inputs.tell(outcomes)

    def close(self, *, drain: bool) -> BatchResult[ResultT]:
        """Settle what is left, and return the outcomes that were not handed out.

        After an interruption it may be called again, and goes on; then it says the same for ever.

        Args:
            drain: Whether the rest of the inputs is read, which a stopped run does not send.
        """
        if self._closed is not None:
            return self._closed
        while self.under_way:
            self.abandon(next(iter(self.under_way)))
        if self.stopped is not None:
            with suppress(InputError):
                while drain and self._inputs.read() is not None:
                    pass
            self._leave_waiting()
        reason = OutcomeError("stopped", str(self.stopped))
        for index, given in self._inputs.left().items():
            self._inputs.tell([Outcome(index, given, OutcomeStatus.NOT_SENT, error=reason)])
        ordered = sorted(self.ready, key=attrgetter("index"))
        self._closed = BatchResult(tuple(ordered), tuple(self.unmatched))
        return self._closed
