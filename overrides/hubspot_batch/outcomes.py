"""The outcomes of inputs, as values."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from enum import StrEnum
from typing import Any, Generic, TypeVar, cast

from attrs import field, frozen

from ._json import is_list, is_map
from .errors import IncompleteError

ResultT_co = TypeVar("ResultT_co", covariant=True)


class OutcomeStatus(StrEnum):
    """The outcome of an input, in a word."""

    SUCCEEDED = "succeeded"
    """The server said that it was done."""
    FAILED = "failed"
    """The server refused it, it was not valid and never sent, or a read got no record for it."""
    UNKNOWN = "unknown"
    """It was sent, but the response was lost or does not mention it."""
    NOT_SENT = "not_sent"
    """It was certainly not done."""


@frozen
class OutcomeError:
    """Why an input did not succeed.

    Attributes:
        kind: One of
            `invalid_input` (it cannot be valid, and was not sent),
            `refused` (the server refused it),
            `batch_refused` (the server refused the request with this and other inputs; the reason
            need not be this one's),
            `not_returned` (a read answered without it),
            `no_answer` (the connection broke, or time ran out, after sending),
            `server_error` (the server, or what stands before it, failed, or its answer was
            unreadable),
            `not_mentioned` (a write was accepted, but the answer does not mention the input),
            `stopped` (the run ended before it was done).
        message: What happened, for people; the server's words where there are any.
        category: HubSpot's word for the kind of error, for example `VALIDATION_ERROR`.
        sub_category: HubSpot's narrower word.
        context: HubSpot's details by name.
        correlation_id: HubSpot's name of the request, for its support.
        status_code: The HTTP status of the answer that said so.
    """

    kind: str
    message: str
    category: str | None = None
    sub_category: str | None = None
    context: Mapping[str, tuple[str, ...]] = field(factory=dict[str, tuple[str, ...]])
    correlation_id: str | None = None
    status_code: int | None = None


@frozen
class Outcome(Generic[ResultT_co]):
    """The outcome of one input.

    Attributes:
        index: The input's position, from 0.
        input: The input as it was given.
        status: Its outcome, in a word.
        result: The server's record of it; None if none could be matched to it.
        error: Why it did not succeed; None when it did.
    """

    index: int
    input: Any
    status: OutcomeStatus
    result: ResultT_co | None = None
    error: OutcomeError | None = None


@frozen
class BatchResult(Generic[ResultT_co]):
    """The outcomes of all inputs.

    Attributes:
        outcomes: One for each input, in the order of the inputs.
        unmatched: Results of the server that could not be matched to an input.
    """

    outcomes: tuple[Outcome[ResultT_co], ...]
    unmatched: tuple[ResultT_co, ...] = ()

    def _with(self, status: OutcomeStatus) -> tuple[Outcome[ResultT_co], ...]:
        return tuple([outcome for outcome in self.outcomes if outcome.status is status])

    @property
    def succeeded(self) -> tuple[Outcome[ResultT_co], ...]:
        """The outcomes of the inputs that were done."""
        return self._with(OutcomeStatus.SUCCEEDED)

    @property
    def failed(self) -> tuple[Outcome[ResultT_co], ...]:
        """The outcomes of the inputs that were refused."""
        return self._with(OutcomeStatus.FAILED)

    @property
    def unknown(self) -> tuple[Outcome[ResultT_co], ...]:
        """The outcomes of the inputs that may have been done."""
        return self._with(OutcomeStatus.UNKNOWN)

    @property
    def not_sent(self) -> tuple[Outcome[ResultT_co], ...]:
        """The outcomes of the inputs that were certainly not done."""
        return self._with(OutcomeStatus.NOT_SENT)

    def raise_for_failures(self) -> None:
        """Raise if any input did not succeed.

        Raises:
            IncompleteError: With this object as `.result`, the numbers and the first reason.
        """
        counts = {status: len(self._with(status)) for status in OutcomeStatus}
        if counts[OutcomeStatus.SUCCEEDED] == len(self.outcomes):
            return
        numbers = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
        first = next(o for o in self.outcomes if o.status is not OutcomeStatus.SUCCEEDED)
        reason = f" (the first, input {first.index}: {first.error.message})" if first.error else ""
        raise IncompleteError(
            f"Not all of the {len(self.outcomes)} inputs succeeded: {numbers}{reason}.", result=self
        )


def attach(error: BaseException, result: BatchResult[Any]) -> None:
    """Attach the outcomes of a run to the exception that ended it, for `result_of`.

    One exception can end several runs: the inputs of one may come from another.
    """
    with suppress(AttributeError):
        earlier = [one for one in _attached(error) if one is not result]
        error.result = result  # type: ignore[attr-defined]
        error._hubspot_batch_earlier = earlier  # type: ignore[attr-defined]


def _attached(error: BaseException) -> list[BatchResult[Any]]:
    """Return the outcomes that one exception carries, those of the outermost run first."""
    result = getattr(error, "result", None)
    earlier: list[BatchResult[Any]] = getattr(error, "_hubspot_batch_earlier", [])
    return [result, *earlier] if isinstance(result, BatchResult) else []


def result_of(error: BaseException) -> BatchResult[Any] | None:
    """Return the outcomes of the run that an exception ended.

    Any exception that leaves a run carries them, also KeyboardInterrupt and asyncio's
    CancelledError; where another one was raised in its place, such as TimeoutError or a
    group of exceptions, what it was raised for is searched.

    Returns:
        The outcomes, of the first run that is found (`results_of` returns those of all runs); None
        where no run had begun. After an interruption, those of all inputs that had been read, or of
        all inputs where they have a length; after an iterating method, those that had not been
        handed out.
    """
    return next(_results(error), None)


def results_of(error: BaseException) -> tuple[BatchResult[Any], ...]:
    """Return the outcomes of all runs that an exception ended, as a group of exceptions can.

    An `asyncio.TaskGroup` drops the CancelledError of each task that it cancels, and the outcomes
    of its run with it. If you keep the tasks, `task.result()` raises that CancelledError again.

    Returns:
        What `result_of` returns for each run, in the order of the group, without repetitions.
    """
    return tuple({id(result): result for result in _results(error)}.values())


def _results(error: BaseException) -> Iterator[BatchResult[Any]]:
    """Search an exception, the exceptions behind it, and those that it groups, nearest first."""
    seen: set[int] = set()
    left: deque[BaseException | None] = deque([error])
    while left:
        at = left.popleft()
        if at is None or id(at) in seen:
            continue
        seen.add(id(at))
        yield from _attached(at)
        left += (at.__cause__, at.__context__)
        if isinstance(at, BaseExceptionGroup):
            left += cast("tuple[BaseException, ...]", at.exceptions)


def freeze_context(context: object) -> Mapping[str, tuple[str, ...]]:
    """Return an error's context as a map of text tuples, whatever form it came in.

    Single texts have been recorded in place of lists; what is neither is written as text.
    """
    if not is_map(context):
        return {} if not context else {"context": (str(context),)}
    return {
        str(name): tuple(map(str, value)) if is_list(value) else (str(value),)
        for name, value in context.items()
        if value is not None
    }
