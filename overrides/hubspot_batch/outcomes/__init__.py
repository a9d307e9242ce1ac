"""The outcomes of inputs, as values.

This module decides what an outcome holds, and how it looks in a REPL, a notebook and a log: one
short line. It never decides which outcome an input has.
"""

from __future__ import annotations

import textwrap
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from enum import StrEnum
from typing import Any, Generic, NamedTuple, TypeVar, cast

from attrs import evolve, field, frozen

from hubspot_batch._json import is_list, is_map, json_ready, objects_in
from hubspot_batch.errors import IncompleteError

from .pickling import can_be_pickled, portable
from .remarks import Remark, remarks_on
from .traces import Attempted, Mark

ResultT_co = TypeVar("ResultT_co", covariant=True)

# Characters of a reason in the repr of an outcome.
_SHOWN = 100


class OutcomeStatus(StrEnum):
    """The outcome of an input, in a word."""

    SUCCEEDED = "succeeded"
    """The server said that it was done."""
    FAILED = "failed"
    """The server refused it, it was not valid and never sent, or a read got no record for it."""
    UNKNOWN = "unknown"
    """It was sent and may have been done: the response was lost, or does not say so."""
    NOT_SENT = "not_sent"
    """It was certainly not done, because the run ended early."""


class Detail(NamedTuple):
    """One problem of an input.

    Attributes:
        property: The name of the property or field that it is about; None if it names none.
        code: HubSpot's word for the problem, for example `INVALID_OPTION`; None if it gives none.
        message: What is wrong, for people.
    """

    property: str | None
    code: str | None
    message: str


@frozen
class OutcomeError:
    """Why an input did not succeed.

    Attributes:
        kind: One of
            `invalid_input` (it cannot be valid, and was not sent),
            `refused` (the server refused it),
            `missing_required_property` (the account requires properties that it lacks; `details`
            names them),
            `batch_refused` (the server refused the request with this and other inputs; the reason
            need not be this one's, and some campaigns of such a request may have been created),
            `not_returned` (the response to a read does not hold it),
            `no_answer` (the connection broke, or time ran out, after sending),
            `server_error` (the server, or what stands before it, failed, or its response was
            unreadable),
            `not_mentioned` (a write was accepted, but the response does not mention the input),
            `not_found` (it was looked up, and no record of it was found),
            `absent` (it was looked up by its unique key, and HubSpot has no such record),
            `not_distinguished` (it was looked up, and the records that were found can be of this
            input or of others),
            `stopped` (the run ended before it was done).
        message: What happened, for people; the server's words where there are any.
        category: HubSpot's word for the kind of error, for example `VALIDATION_ERROR`.
        sub_category: HubSpot's narrower word.
        context: HubSpot's details by name.
        correlation_id: HubSpot's name of the request, for its support.
        status_code: The HTTP status of the response that said so.
        details: The problems one by one, if HubSpot or the check of the input lists them, as
            (property, code, message).
    """

    kind: str
    message: str
    category: str | None = None
    sub_category: str | None = None
    context: Mapping[str, tuple[str, ...]] = field(factory=dict[str, tuple[str, ...]])
    correlation_id: str | None = None
    status_code: int | None = None
    _listed: tuple[Detail, ...] = field(default=(), alias="details", repr=False)
    _attempted: Attempted | None = field(default=None, alias="attempted", repr=False, eq=False)
    _marks: tuple[Mark, ...] = field(default=(), alias="marks", repr=False, eq=False)

    @property
    def attempted(self) -> Attempted | None:
        """When its request was under way, if the input may have been done."""
        return self._attempted

    @property
    def marks(self) -> tuple[Mark, ...]:
        """By which values its record can be found, if the run filled such properties in."""
        return self._marks

    @property
    def details(self) -> tuple[Detail, ...]:
        """The problems one by one: (property, code, message).

        HubSpot often writes them as JSON into the message, and nowhere else. They are read from
        there on each access, because few programs ask for them.
        """
        return self._listed or tuple(_details_in(self.message))

    def to_dict(self) -> dict[str, Any]:
        """Return the error in the types of JSON."""
        return {
            "kind": self.kind,
            "message": self.message,
            "category": self.category,
            "sub_category": self.sub_category,
            "context": {name: [*values] for name, values in self.context.items()},
            "correlation_id": self.correlation_id,
            "status_code": self.status_code,
            "details": [detail._asdict() for detail in self.details],
        }


@frozen(repr=False)
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
    _evidence: str | None = field(default=None, alias="evidence")

    @property
    def evidence(self) -> str | None:
        """Why it counts as done; None if it does not.

        `answer` (the response to its request says so), or, where the response was lost and the
        record was found afterwards: `key` (by a property whose values are unique), `stamp` (by a
        property that the run filled in), `properties` (by the values that were sent).
        """
        done = self.status is OutcomeStatus.SUCCEEDED
        return (self._evidence or "answer") if done else None

    @property
    def warnings(self) -> tuple[Remark, ...]:
        """HubSpot's warnings about the record, such as a value that it has normalised."""
        return remarks_on(self.result)

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome in the types of JSON; the input and the result with all their fields.

        Values that JSON lacks become texts: times in ISO 8601, and others as `str` writes them.
        """
        return {
            "index": self.index,
            "input": json_ready(self.input),
            "status": str(self.status),
            "result": json_ready(self.result),
            "error": None if self.error is None else self.error.to_dict(),
            "evidence": self.evidence,
        }

    def __repr__(self) -> str:
        if self.error is not None:
            said = f"{self.error.kind}: {self.error.message[: 4 * _SHOWN]}"
            return f"<Outcome {self.index}: {self.status}, {textwrap.shorten(said, _SHOWN)}>"
        result: Any = self.result
        id_ = getattr(result, "id", None) or getattr(result, "object_id", None)
        found = f", {type(result).__name__} {id_}" if id_ else ""
        return f"<Outcome {self.index}: {self.status}{found}>"


@frozen(repr=False)
class BatchResult(Generic[ResultT_co]):
    """The outcomes of all inputs.

    Its length is their number, and iterating it gives them in the order of the inputs.

    Attributes:
        outcomes: One for each input, in the order of the inputs.
        unmatched: Results of the server that could not be matched to an input.
    """

    outcomes: tuple[Outcome[ResultT_co], ...]
    unmatched: tuple[ResultT_co, ...] = ()

    def __len__(self) -> int:
        return len(self.outcomes)

    def __iter__(self) -> Iterator[Outcome[ResultT_co]]:
        return iter(self.outcomes)

    def __getitem__(self, index: int) -> Outcome[ResultT_co]:
        return self.outcomes[index]

    def __repr__(self) -> str:
        parts = in_words(self.counts) + (
            [f"{len(self.unmatched)} unmatched"] if self.unmatched else []
        )
        return f"<BatchResult {len(self)}{': ' if parts else ''}{', '.join(parts)}>"

    @property
    def counts(self) -> dict[OutcomeStatus, int]:
        """How many inputs have each status; 0 where none has it. `counts["failed"]` works too."""
        statuses = [outcome.status for outcome in self.outcomes]
        return {status: statuses.count(status) for status in OutcomeStatus}

    @property
    def records(self) -> tuple[ResultT_co, ...]:
        """HubSpot's records of the inputs that succeeded, as far as they could be matched."""
        found = [o.result for o in self.outcomes if o.status is OutcomeStatus.SUCCEEDED]
        return tuple([result for result in found if result is not None])

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return all outcomes in the types of JSON; see `Outcome.to_dict`."""
        return [outcome.to_dict() for outcome in self.outcomes]

    def picklable(self) -> BatchResult[ResultT_co]:
        """Return it with each input that cannot be pickled in the types of JSON."""
        if can_be_pickled(self):
            return self
        return evolve(self, outcomes=portable(self.outcomes))

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
        counts = self.counts
        if counts[OutcomeStatus.SUCCEEDED] == len(self.outcomes):
            return
        numbers = ", ".join(in_words(counts))
        first = next(o for o in self.outcomes if o.status is not OutcomeStatus.SUCCEEDED)
        reason = f" (the first, input {first.index}: {first.error.message})" if first.error else ""
        raise IncompleteError(
            f"Not all of the {len(self.outcomes)} inputs succeeded: {numbers}{reason}.", result=self
        )


def in_words(counts: Mapping[OutcomeStatus, int]) -> list[str]:
    """Return the number of inputs of each status that occurs, such as "3 failed"."""
    return [f"{counts[status]} {status}" for status in OutcomeStatus if counts.get(status)]


def attach(error: BaseException, result: BatchResult[Any], note: str = "") -> None:
    """Attach the outcomes of a run to the exception that ended it, for `result_of`.

    One exception can end several runs: the inputs of one may come from another.

    Args:
        error: The exception.
        result: The outcomes.
        note: A sentence for its traceback. It may be given several times.
    """
    with suppress(AttributeError):
        earlier = [one for one in _attached(error) if one is not result]
        error.result = result  # type: ignore[attr-defined]
        error._hubspot_batch_earlier = earlier  # type: ignore[attr-defined]
    if note and note not in getattr(error, "__notes__", ()):
        error.add_note(note)


def _attached(error: BaseException) -> list[BatchResult[Any]]:
    """Return the results that one exception carries, the outermost run first."""
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


def _details_in(message: str) -> Iterator[Detail]:
    """Yield the problems that a message lists as JSON.

    Two forms have been recorded: a list of objects, and a map from properties to messages.
    """
    for listed in objects_in(message):
        text = listed.get("message")
        if isinstance(text, str):
            yield Detail(_first(listed, _NAMES), _first(listed, _CODES), text)
            continue
        for name, messages in listed.items():
            for one in messages if is_list(messages) else [messages]:
                if isinstance(one, str):
                    yield Detail(name, None, one)


# The keys under which a listed problem names its property, and those of its code.
_NAMES = ("name", "propertyName", "property")
_CODES = ("error", "code", "errorCode")


def _first(listed: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    found = (listed.get(name) for name in names)
    return next((value for value in found if isinstance(value, str) and value), None)
