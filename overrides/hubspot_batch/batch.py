"""Settles what becomes of each input of a run.

This module decides the outcome of every input: which inputs go together, what an answer or its
absence means for them, and what stops the run. It never sends: a driver asks it for a chunk, sends
that, and says what came back. Nothing here knows an endpoint; what differs between operations is
data (`Operation`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

import httpx
from attrs import evolve, frozen

from .answers import Answer
from .errors import (
    BrokenOffError,
    ConfigurationError,
    HubSpotBatchError,
    InputError,
    UnreachableError,
)
from .outcomes import BatchResult, Outcome, OutcomeError, OutcomeStatus
from .policies import Fate, fate_of
from .ties import Entry, Tied, tie

ResultT = TypeVar("ResultT")


class InvalidInputError(Exception):
    """An input that cannot be valid, and why in a sentence."""


@frozen
class Operation(Generic[ResultT]):
    """What the engine has to know of an operation.

    Attributes:
        id: The operation's id in the description.
        limit: Inputs to a request, at most.
        reads: Whether it changes nothing, so that one answer serves all inputs of a key.
        by_properties: Whether results repeat the values of their inputs.
        key_field: The field of an input that answers name it by, or None.
        keys_are_names: Whether that field is only a name for the input, so that a fresh one may be
            given, and not the id of a record.
        prepare: Turns the input at a position into what is sent, or raises `InvalidInputError`.
    """

    id: str
    limit: int
    reads: bool
    by_properties: bool
    key_field: str | None
    keys_are_names: bool
    prepare: Callable[[int, object], Entry]


@frozen
class Chunk:
    """Inputs that go into one request."""

    entries: tuple[Entry, ...]

    @property
    def wires(self) -> list[Mapping[str, Any]]:
        """What to send, each record that is read once."""
        return list({entry.key or entry.index: entry.wire for entry in self.entries}.values())


# Outcomes of inputs that cannot be valid wait for no more than these.
_READY_AT_MOST = 1000


class BatchRun(Generic[ResultT]):
    """The state of one run: what is known of each input so far.

    Args:
        operation: What is done with the inputs.
        inputs: The inputs, read no further than the next chunk needs.
        run_id: A text that no other run has.
        chunk_size: Inputs to a request; the operation's limit by default.
    """

    def __init__(
        self,
        operation: Operation[ResultT],
        inputs: Iterable[object],
        *,
        run_id: str,
        chunk_size: int | None = None,
    ) -> None:
        size = operation.limit if chunk_size is None else chunk_size
        if type(size) is not int or not 1 <= size <= operation.limit:
            raise ConfigurationError(
                f"chunk_size is {size!r}, but {operation.id} takes 1 to {operation.limit} inputs "
                "in a request."
            )
        if not _holds_inputs(inputs):
            raise ConfigurationError(
                f"The inputs of {operation.id} are an iterable of inputs, such as a list, and "
                f"not {type(inputs).__name__}."
            )
        self.stopped: HubSpotBatchError | None = None
        self.unmatched: list[ResultT] = []
        self.operation_id = operation.id
        self._operation = operation
        self._inputs = _numbered(inputs)
        self._run_id = run_id
        self._size = size
        self._held: Entry | None = None
        self._ready: list[Outcome[ResultT]] = []

    def take(self) -> list[Outcome[ResultT]]:
        """Return the outcomes that have become known since the last call."""
        ready, self._ready = self._ready, []
        return ready

    def next_chunk(self) -> Chunk | None:
        """Return the inputs of the next request, or None when there is none to send.

        After many inputs that cannot be valid it holds none, so that their outcomes can be handed
        out before all inputs have been read.
        """
        entries: list[Entry] = []
        keys: set[str] = set()
        while self.stopped is None and len(entries) < self._size and not self._full():
            if self._held is not None:
                entry, self._held = self._held, None
            elif (numbered := self._read()) is None:
                break
            elif (prepared := self._prepare(*numbered)) is None:
                continue
            else:
                entry = prepared
            if self._operation.keys_are_names and (entry.key is None or entry.key in keys):
                entry = self._named(entry)
            elif entry.key in keys and not self._operation.reads:
                # Two changes of one record go one after the other, in the order they were given.
                self._held = entry
                break
            if entry.key is not None:
                keys.add(entry.key)
            entries.append(entry)
        if self.stopped is not None:
            self._leave(entries)
            return None
        return Chunk(tuple(entries)) if entries or self._full() else None

    def _full(self) -> bool:
        return len(self._ready) >= _READY_AT_MOST

    def _named(self, entry: Entry) -> Entry:
        name = f"{self._run_id}-{entry.index}"
        return evolve(entry, wire={**entry.wire, str(self._operation.key_field): name}, key=name)

    def _prepare(self, index: int, given: object) -> Entry | None:
        try:
            return self._operation.prepare(index, given)
        except InvalidInputError as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001 - an input is the caller's, and may raise anything
            reason = f"The input cannot be read: it raised {type(error).__name__}."
        problem = OutcomeError("invalid_input", reason)
        self._ready.append(Outcome(index, given, OutcomeStatus.FAILED, error=problem))
        return None

    def _read(self) -> tuple[int, object] | None:
        try:
            return next(self._inputs, None)
        except Exception as error:  # noqa: BLE001 - whatever the caller's code raises
            if self.stopped is None:
                self.stopped = InputError(
                    f"The iterable of inputs raised {type(error).__name__}; see this error's cause."
                )
                self.stopped.__cause__ = error
            return None

    def settle(self, chunk: Chunk, answer: Answer) -> None:
        """Say what the answer to a chunk means for each of its inputs."""
        if (stop := answer.stop(self.operation_id)) is not None:
            self.stop(chunk, stop)
        elif answer.accepted and answer.readable:
            self._settle_success(chunk, answer)
        elif answer.maybe_done:
            self._lose(chunk, answer.error)
        else:
            alone = len(chunk.entries) == 1
            error = answer.error if alone else evolve(answer.error, kind="batch_refused")
            self._settle_all(chunk, OutcomeStatus.FAILED, error)

    def _settle_success(self, chunk: Chunk, answer: Answer) -> None:
        operation = self._operation
        tied = tie(
            chunk.entries,
            answer.results,
            answer.refusals,
            shared=operation.reads,
            by_properties=operation.by_properties,
            keys_in_messages=operation.reads,
        )
        self.unmatched += tied.unmatched
        silence = self._silence(tied, answer.error)
        for position, entry in enumerate(chunk.entries):
            verdict = tied.verdicts.get(position)
            if verdict is None:
                status = OutcomeStatus.FAILED if operation.reads else OutcomeStatus.UNKNOWN
                self._ready.append(Outcome(entry.index, entry.input, status, error=silence))
            else:
                self._ready.append(
                    Outcome(entry.index, entry.input, verdict.status, verdict.result, verdict.error)
                )

    def _silence(self, tied: Tied, said: OutcomeError) -> OutcomeError:
        kind, message = (
            ("not_returned", "The answer does not hold this record.")
            if self._operation.reads
            else ("not_mentioned", "The answer does not mention this input; it may have been done.")
        )
        if tied.unattributed:
            errors = "; ".join(dict.fromkeys(error.message for error in tied.unattributed))
            message += f" Of inputs that it does not name it says: {errors}"
        return OutcomeError(
            kind, message, correlation_id=said.correlation_id, status_code=said.status_code
        )

    def lose(self, chunk: Chunk, failure: httpx.HTTPError) -> None:
        """Say what it means that no answer to a chunk came."""
        reason = f"{type(failure).__name__}: {failure}".rstrip(": ")
        if fate_of(failure) is Fate.NEVER_SENT:
            self.stop(
                chunk,
                UnreachableError(
                    f"No connection to HubSpot ({reason}); check network and address."
                ),
            )
        else:
            self._lose(chunk, OutcomeError("no_answer", f"No answer came ({reason})."))

    def break_off(self, chunk: Chunk, failure: Exception) -> None:
        """End the run with a chunk that may have been done, for a reason that nobody foresaw."""
        self.stopped = BrokenOffError(
            f"The run broke off: {type(failure).__name__} was raised; see this error's cause."
        )
        self.stopped.__cause__ = failure
        self._lose(chunk, OutcomeError("no_answer", str(self.stopped)))
        self._leave(())

    def _lose(self, chunk: Chunk, error: OutcomeError) -> None:
        reads = self._operation.reads
        self._settle_all(chunk, OutcomeStatus.FAILED if reads else OutcomeStatus.UNKNOWN, error)

    def stop(self, chunk: Chunk, error: HubSpotBatchError) -> None:
        """End the run with a chunk that was certainly not done."""
        self.stopped = error
        self._leave(chunk.entries)

    def _leave(self, entries: Iterable[Entry]) -> None:
        held = () if self._held is None else (self._held,)
        self._held = None
        for entry in (*entries, *held):
            self._not_sent(entry.index, entry.input)

    def drain(self) -> None:
        """Read the rest of the inputs, which a run that was stopped does not send."""
        while (numbered := self._read()) is not None:
            self._not_sent(*numbered)

    def _not_sent(self, index: int, given: object) -> None:
        reason = OutcomeError("stopped", str(self.stopped))
        self._ready.append(Outcome(index, given, OutcomeStatus.NOT_SENT, error=reason))

    def _settle_all(self, chunk: Chunk, status: OutcomeStatus, error: OutcomeError) -> None:
        self._ready += [Outcome(e.index, e.input, status, error=error) for e in chunk.entries]

    def result(self, outcomes: Iterable[Outcome[ResultT]]) -> BatchResult[ResultT]:
        """Return outcomes, in the order of their inputs, with what could not be tied to any."""
        ordered = sorted(outcomes, key=lambda outcome: outcome.index)
        return BatchResult(tuple(ordered), tuple(self.unmatched))


def _numbered(inputs: Iterable[object]) -> Iterator[tuple[int, object]]:
    # Here even `iter(inputs)` is called only when the first input is wanted.
    yield from enumerate(inputs)


def _holds_inputs(inputs: object) -> bool:
    # A text and a mapping are iterable, but never what was meant.
    return isinstance(inputs, Iterable) and not isinstance(inputs, str | bytes | Mapping)
