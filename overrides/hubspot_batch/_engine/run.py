"""The state machine of a run: it settles every input.

This module decides the outcome of each input, from its chunk's response or from the lack of one,
and what stops the run. It performs no I/O: a driver takes chunks from it, sends several at a time,
and reports their responses in any order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from operator import attrgetter
from typing import TYPE_CHECKING, Generic, TypeVar

import httpx

from hubspot_batch._matching.items import EncodedInput
from hubspot_batch._transport.request_state import CancelledBeforeSendError, RequestState, RunState
from hubspot_batch._transport.retry import Effect, disposition_of_failure
from hubspot_batch.errors import (
    BrokenOffError,
    ConfigurationError,
    HubSpotBatchError,
    InputError,
)
from hubspot_batch.events import Observer, RunEnded
from hubspot_batch.journal.store import TakenError
from hubspot_batch.outcomes import BatchResult, Outcome, OutcomeError, OutcomeStatus

from .chunk import BatchResponse, Chunk, Operation, SameKey, batch_refused, no_answer, unreachable
from .chunker import AsyncInputReader, AsyncInputs, Chunker, InputReader
from .doubts import HeldOutcomes, LookUpPlan, LookUpResult
from .publisher import Publisher
from .success import not_known, outcomes_of_success
from .totals import Totals

if TYPE_CHECKING:
    from .recorder import Recorder

ResultT = TypeVar("ResultT")

# An iteration reads no further while so many outcomes wait to be taken.
_READY_AT_MOST = 1000


class Run(Generic[ResultT]):
    """One run: the state of each of its inputs.

    Args:
        operation: The operation.
        inputs: Its inputs, read no further than the next chunk needs.
        run_id: A text that no other run has.
        chunk_size: Inputs in a request; the operation's limit by default.
        collects: Whether all outcomes are kept until the end.
        observer: Told of the run's outcomes and end.
        reading: The context manager to enter while `inputs` is read.
        in_task: Whether `inputs` may be an asynchronous iterable.
        recorder: The journal of the run.
        look_up_plan: What it does about inputs in doubt; None for nothing.

    Attributes:
        stopped: The error that ended the run early; None if nothing did.
        ready: Outcomes that are not taken yet; take them from the left.
        under_way: Chunks that were handed out and not reported.
        unmatched: Results that could not be matched to an input.
        doubts: The outcomes that are held back until they were looked up; None if none are.
        awaits_inputs: Whether `await_input` has to be awaited before there is another chunk.
    """

    def __init__(
        self,
        operation: Operation[ResultT],
        inputs: AsyncInputs,
        *,
        run_id: str,
        chunk_size: int | None = None,
        collects: bool = False,
        observer: Observer | None = None,
        reading: AbstractContextManager[object] | None = None,
        in_task: bool = False,
        recorder: Recorder[ResultT] | None = None,
        look_up_plan: LookUpPlan | None = None,
    ) -> None:
        size = operation.limit if chunk_size is None else chunk_size
        if type(size) is not int or not 1 <= size <= operation.limit:
            raise ConfigurationError(
                f"chunk_size of {operation.name} must be from 1 to {operation.limit}, or None; "
                f"got {size!r}."
            )
        self.operation = operation
        self.collects, self.recorder = collects, recorder
        self.stopped: HubSpotBatchError | None = None
        self._stopped_by: str | None = None  # the name of what the caller sees
        self.under_way: set[Chunk] = set()
        self.unmatched: list[ResultT] = []
        self.doubts = None if look_up_plan is None else HeldOutcomes(look_up_plan)
        self._run_id, self._observer = run_id, observer
        self._size = size
        self.awaits_inputs = in_task and isinstance(inputs, AsyncIterable)
        kind = AsyncInputReader if self.awaits_inputs else InputReader
        self._reader = kind(inputs, operation.name, reading or nullcontext())
        self._chunker = Chunker(size, operation.same_key, operation.rename)
        self._halves: deque[Chunk] = deque()
        self._state = RunState(run_id, operation.id)
        self._totals = Totals(operation.name)
        names, left = (run_id, operation.id), self._reader.open
        publisher = Publisher(names, left, self._totals, observer, recorder, self.doubts)
        self._publisher: Publisher[ResultT] = publisher
        self.ready, self._publish = publisher.ready, publisher.publish
        self._reached = False
        self._closed: BatchResult[ResultT] | None = None

    @property
    def has_more(self) -> bool:
        """Whether there can be another chunk, now or when one under way has been reported."""
        left = self._halves or self._chunker.waiting or not self._reader.exhausted
        return self.stopped is None and bool(left or (self.recorder and self.recorder.waiting))

    @property
    def awaits_journal(self) -> bool:
        """Whether the journal must be asked about inputs before there is another chunk."""
        return self.stopped is None and self.recorder is not None and self.recorder.has_queue

    @property
    def in_doubt(self) -> bool:
        """Whether outcomes are to be looked up, now that everything was sent."""
        return self.stopped is None and self.doubts is not None and bool(self.doubts.held)

    def next_chunk(self) -> Chunk | None:
        """Return the next chunk to send; None if there is none now.

        There is none while an earlier change of the same record is under way, nor while many
        outcomes wait to be taken.
        """
        if self.stopped is None and not self._halves:
            if not self.has_more:
                return None
            self._read()
            short = not self._reader.exhausted and len(self._chunker.waiting) < self._size
            if self.recorder is not None and (short or self.awaits_journal):
                return None
        if self.stopped is not None:
            self._give_up_waiting()
            return None
        if self._halves:
            chunk = self._halves.popleft()
        elif entries := self._chunker.cut():
            state = RequestState(self._state, self.operation.read, inputs=len(entries))
            chunk = Chunk(entries, state, self.operation.same_key is SameKey.SHARED)
        else:
            return None
        self.under_way.add(chunk)
        return chunk

    def _read(self) -> None:
        """Read and encode inputs until they fill a chunk."""
        if (recorder := self.recorder) is None:  # usually
            self._chunker.waiting += self._encoded(self._size - len(self._chunker.waiting))
            return
        known, entries = recorder.take()
        self._chunker.waiting += entries
        self._publish(known)
        recorder.recall(self._encoded(self._size - len(self._chunker.waiting)))

    def _encoded(self, most: int) -> list[EncodedInput]:
        """Read inputs, and return those that are valid: as many as are wanted, or all."""
        found: list[EncodedInput] = []
        while (wanted := most - len(found)) > 0:
            if self._output_full or self._reader.exhausted:
                break
            first = self._reader.count
            try:
                given = self._reader.read(wanted)
            except InputError as error:
                self._end(error)
                break
            if not given:
                break
            encoded = self.operation.encode(first, given)
            valid = [one for one in encoded if type(one) is EncodedInput]
            if len(valid) < len(encoded):
                self._publish(
                    [
                        Outcome(at, value, OutcomeStatus.FAILED, error=one)
                        for at, (value, one) in enumerate(zip(given, encoded, strict=True), first)
                        if isinstance(one, OutcomeError)
                    ]
                )
            found += valid
        return found

    async def await_input(self) -> None:
        """Await the inputs of a chunk; after a stop, the rest, if all outcomes are kept."""
        reader = self._reader
        assert isinstance(reader, AsyncInputReader)  # noqa: S101 - `awaits_inputs` says so
        while self.stopped is None and not (reader.exhausted or self._halves or self._output_full):
            held = 0 if self.recorder is None else self.recorder.waiting
            if len(self._chunker.waiting) + held >= self._size:
                return
            await reader.await_input()
            self._read()
        while self.stopped is not None and self.collects and not reader.exhausted:
            await reader.await_input()
            with suppress(InputError):
                reader.read(1)

    @property
    def _output_full(self) -> bool:
        return not self.collects and len(self.ready) >= _READY_AT_MOST

    def report(self, chunk: Chunk, result: BatchResponse | BaseException) -> None:
        """Take in a chunk's response, or the exception in its place; re-raise interrupts."""
        try:
            match result:
                case BatchResponse():
                    self.settle(chunk, result)
                case httpx.HTTPError():
                    self.settle_lost(chunk, result)
                case TakenError() if self.stopped is None and self.recorder is not None:
                    self.under_way.discard(chunk)
                    self.recorder.recall(chunk.entries)
                case CancelledBeforeSendError() | TakenError():
                    self.abandon(chunk)
                case HubSpotBatchError():
                    self.stop(chunk, result)
                case Exception():
                    self.break_off(chunk, result)
                case _:
                    raise result
        except Exception as error:  # noqa: BLE001 - a mistake of ours must not lose an outcome
            self.break_off(chunk, error)

    def settle(self, chunk: Chunk, response: BatchResponse) -> None:
        """Settle each input of a chunk by its response."""
        disposition = response.disposition
        stop = response.stop(self.operation.name, chunk.state.address, alone=not self._reached)
        self._reached = self._reached or not response.from_elsewhere
        if stop is not None:
            self.stop(chunk, stop)
        elif disposition.effect is Effect.APPLIED:
            outcomes, unmatched = outcomes_of_success(self.operation, chunk, response)
            self.unmatched += unmatched
            self._publish(outcomes, response.results)
        elif disposition.effect is Effect.AMBIGUOUS:
            self._settle_all(chunk, not_known(self.operation), response.error)
        elif disposition.splits and self._split(chunk, response):
            self._end_request(chunk)  # its inputs are still to be sent
            return
        else:
            error, in_doubt = chunk.refused(response, self.operation)
            status = not_known(self.operation) if in_doubt else OutcomeStatus.FAILED
            self._settle_all(chunk, status, error)
        self._finish(chunk)

    def _split(self, chunk: Chunk, response: BatchResponse) -> bool:
        # A request that is too large (413) reaches no operation.
        may_split = self.operation.splits or not response.disposition.partial
        if self.stopped is not None or not may_split:
            return False
        halves = chunk.halves(response.error if response.maybe_partial(self.operation) else None)
        if halves is not None:
            self._halves.extendleft(reversed(halves))
        return halves is not None

    def settle_lost(self, chunk: Chunk, failure: httpx.HTTPError) -> None:
        """Settle a chunk that got no response."""
        if disposition_of_failure(failure).effect is Effect.NOT_SENT:
            self.stop(chunk, unreachable(chunk.state.address, failure))
        else:
            self._settle_all(chunk, not_known(self.operation), no_answer(failure))
            self._finish(chunk)

    def break_off(self, chunk: Chunk, failure: Exception) -> None:
        """End the run because of an exception that nothing else handles."""
        name = type(failure).__name__
        error = BrokenOffError(f"The run broke off: {name} was raised; see this error's cause.")
        error.__cause__ = failure
        self.stop(chunk, error)

    def stop(self, chunk: Chunk, error: HubSpotBatchError) -> None:
        """End the run with an error, and settle the chunk that met it."""
        self._end(error)
        self.abandon(chunk)
        self._give_up_waiting()

    def stop_on_failure(self, failure: HubSpotBatchError | None) -> None:
        """End the run if its journal or its look-up failed."""
        if failure is not None:
            self._end(failure)
            self._give_up_waiting()

    def interrupt(self, cause: BaseException) -> None:
        """End the run because its caller, or the caller's code, raised an exception."""
        self._publisher.forget_ready()
        if self.stopped is None:
            left = isinstance(cause, GeneratorExit)
            how = "left before its end" if left else f"ended by {type(cause).__name__}"
            self._end(BrokenOffError(f"The run was {how}."), type(cause).__name__)
        self._reader.register()
        self._give_up_waiting()

    def settle_unsent(self, chunk: Chunk) -> None:
        """Settle a chunk of a run that only checks its inputs."""
        status = OutcomeStatus.NOT_SENT
        self._publish([Outcome(one.index, one.input, status) for one in chunk.entries])
        self._finish(chunk)

    def abandon(self, chunk: Chunk) -> None:
        """Settle a chunk that the run no longer waits for, by the state of its request."""
        chunk.state.cancelled = True  # from now on nothing of it is sent
        if chunk.state.in_doubt:
            error = OutcomeError("no_answer", f"No response result. {self.stopped}")
            if chunk.refusal is not None:
                error = batch_refused(chunk.refusal)
            self._settle_all(chunk, not_known(self.operation), error)
        else:
            self._not_sent([(one.index, one.input) for one in chunk.entries])
        self._finish(chunk)

    def _end_request(self, chunk: Chunk) -> None:
        self.under_way.discard(chunk)
        self._totals.add_request(chunk.state)

    def _finish(self, chunk: Chunk) -> None:
        self._end_request(chunk)
        if self.operation.same_key is SameKey.IN_TURN:
            self._chunker.release(chunk.entries)

    def _end(self, error: HubSpotBatchError, seen_as: str | None = None) -> None:
        if self.stopped is None:
            self.stopped = error
            self._stopped_by = seen_as or type(error).__name__
        # Chunks that were handed out before the inputs ended in an error are still sent.
        if not isinstance(error, InputError):
            for chunk in [*self.under_way]:
                chunk.state.cancelled = True

    def _give_up_waiting(self) -> None:
        """Settle what was read and not handed out."""
        while self._halves:
            self.abandon(self._halves[0])
            self._halves.popleft()
        self._not_sent([(one.index, one.input) for one in self._chunker.waiting])
        self._chunker.waiting.clear()

    def _settle_all(self, chunk: Chunk, status: OutcomeStatus, error: OutcomeError) -> None:
        self._publish(chunk.outcomes(status, error, self.operation.marks_of))

    def _not_sent(self, inputs: Sequence[tuple[int, object]]) -> None:
        if inputs:
            error, status = OutcomeError("stopped", str(self.stopped)), OutcomeStatus.NOT_SENT
            self._publish([Outcome(at, one, status, None, error) for at, one in inputs])

    def resolve(self, looked: LookUpResult) -> None:
        """Take in the results of a look-up, and queue the inputs to send again."""
        self.unmatched = [*looked.result.unmatched]
        self._chunker.waiting += map(self.operation.encode_again, self._publisher.resolve(looked))

    @property
    def note(self) -> str:
        """The numbers of the run, in a sentence for the exception that ends it."""
        return self._totals.note(self._reader.count, complete=self.collects)

    def close(self, *, drain: bool, rest: bool = False) -> BatchResult[ResultT]:
        """Settle the remaining inputs, and return the outcomes that are not taken yet.

        It may be called again after an interruption. In the end it returns the same each time.

        Args:
            drain: Whether a stopped run reads the rest of its inputs, which are not sent.
            rest: Whether the rest of a sequence counts as read.
        """
        if self._closed is not None:
            return self._closed
        while self.under_way:
            self.abandon(next(iter(self.under_way)))
        if self.stopped is not None:
            try:
                while drain and self._reader.read(_READY_AT_MOST):
                    pass
            except InputError:
                pass
            if rest:
                self._reader.read_rest()
            self._give_up_waiting()
        self._publisher.release()
        if self.recorder is not None:
            self._publish(self.recorder.recall_rest(self._reader.open))
        self._not_sent([*self._reader.open.items()])
        if self.recorder is not None:
            self.stop_on_failure(self.recorder.close())
        ordered = sorted(self.ready, key=attrgetter("index"))
        self._closed = BatchResult(tuple(ordered), tuple(self.unmatched))
        self._totals.log(self._stopped_by)
        if self._observer is not None:
            end = (self._totals.counts.copy(), self._stopped_by)
            self._observer.notify(RunEnded(self._run_id, self.operation.id, *end))
        return self._closed
