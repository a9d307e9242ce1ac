"""The inputs of one request, its response, and the operation as the engine needs it.

This module decides how a refused request is split, and which error and message end a run.
`_transport.retry` decides the meaning of a status.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from enum import Enum
from textwrap import shorten
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeAlias, TypeVar

import httpx
from attrs import Factory, define, evolve, field, frozen

from hubspot_batch._matching.by_properties import PROPERTIES
from hubspot_batch._matching.match import ItemError, Results
from hubspot_batch._transport.request_state import ReadSuccess, RequestState
from hubspot_batch._transport.retry import Disposition
from hubspot_batch.errors import (
    AuthenticationError,
    ConfigurationError,
    DailyLimitError,
    ForbiddenError,
    HubSpotBatchError,
    MissingScopesError,
    RateLimitError,
    UnavailableError,
    UnreachableError,
)
from hubspot_batch.outcomes import Outcome, OutcomeError, OutcomeStatus
from hubspot_batch.outcomes.traces import Attempted, Mark

if TYPE_CHECKING:
    from hubspot_batch._matching.items import EncodedInput

ResultT = TypeVar("ResultT")

# The most extra requests that are spent to find the bad inputs of a refused one. HubSpot wants
# errors to stay below 5 % of a day's requests
# (https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines).
EXTRA_AT_MOST = 50

# Characters of what a response says in the message of an exception.
_WORDS_AT_MOST = 300

_STOPS: dict[int, tuple[type[HubSpotBatchError], str]] = {
    401: (AuthenticationError, "HubSpot does not accept the token; check it, or get a new one"),
    403: (ForbiddenError, "HubSpot forbids this request; the end of this message says why"),
    407: (UnreachableError, "A proxy wants you to log in; put user and password into its address"),
    511: (UnreachableError, "The network wants you to log in with a browser first"),
    423: (UnavailableError, "HubSpot has locked the records for now; try again later"),
    429: (RateLimitError, "HubSpot refuses more requests for now; try again later"),
    477: (UnavailableError, "HubSpot is moving the account; try again later"),
}
_SCOPES = (
    MissingScopesError,
    "The token may not do this; give its app the scope that is missing",
)
_DAILY = (
    DailyLimitError,
    "The account's requests for the day are spent; go on after midnight in its time zone",
)


class BatchResponse(NamedTuple):
    """The parsed response to a chunk.

    Attributes:
        status_code: Its HTTP status.
        disposition: Its meaning for the request.
        read_error: Returns the error of the whole request. It is a function because few successes
            need it.
        results: The results that it reports.
        errors: The errors that it reports for single inputs.
        daily: Whether it says that the limit of the day is reached.
        from_elsewhere: Whether it looks as if it came from another server than HubSpot's API.
        complete: Whether a success means that every input without an error was done.
    """

    status_code: int
    disposition: Disposition
    read_error: Callable[[], OutcomeError]
    results: Results = Results()
    errors: tuple[ItemError, ...] = ()
    daily: bool = False
    from_elsewhere: bool = False
    complete: bool = False

    @property
    def error(self) -> OutcomeError:
        """The error of the whole request, where it was refused."""
        return self.read_error()

    def stop(
        self, operation: str, address: str = "", *, alone: bool = False
    ) -> HubSpotBatchError | None:
        """Return the error that ends the run; None if the run goes on.

        Args:
            operation: The operation's name, for people.
            address: Where the request was sent.
            alone: Whether no other response of the run came from HubSpot's API.
        """
        wrong_address = self.from_elsewhere and alone
        if not (wrong_address or self.disposition.ends_run):
            return None
        kind: type[HubSpotBatchError]
        error = self.error
        words = shorten(error.message.rstrip("."), _WORDS_AT_MOST)
        if wrong_address:
            kind = ConfigurationError
            advice = f"{address} is no address of HubSpot's API; check base_url (HUBSPOT_BASE_URL)"
        elif self.daily and self.status_code == 429:
            kind, advice = _DAILY
        elif self.status_code == 403 and (scopes := _scopes(error)) is not None:
            kind, advice = _SCOPES
            words += "".join(f"; {name}: {', '.join(values)}" for name, values in scopes.items())
        else:
            kind, advice = _STOPS[self.status_code]
        if kind is UnreachableError:
            advice = f"No connection to {address}: {advice}"
        return kind(
            f"{advice} ({operation}, HTTP {self.status_code}: {words}).",
            status_code=self.status_code,
            correlation_id=error.correlation_id,
        )

    def maybe_partial(self, operation: Operation[Any]) -> bool:
        """Return whether a refused request of several inputs may have been carried out in part."""
        return self.disposition.partial and not operation.all_or_nothing

    def not_mentioned_error(
        self, unattributed: Sequence[OutcomeError], *, reads: bool
    ) -> OutcomeError:
        """Return the error of an input that a success does not mention.

        Args:
            unattributed: Errors that it reports without naming an input.
            reads: Whether records were asked for.
        """
        kind, message = (
            ("not_returned", "The response does not hold this record.")
            if reads
            else ("not_mentioned", "The response does not mention this input; it may be done.")
        )
        if unattributed:
            errors = "; ".join(dict.fromkeys(error.message for error in unattributed))
            message += f" It says of inputs that it does not name: {errors}"
        return OutcomeError(
            kind, message, correlation_id=self.error.correlation_id, status_code=self.status_code
        )


def _scopes(error: OutcomeError) -> dict[str, tuple[str, ...]] | None:
    """Return the scopes that a 403 names, under HubSpot's keys; None if it is not about scopes."""
    named = {name: one for name, one in error.context.items() if "scope" in name.lower()}
    said = f"{error.category} {error.sub_category} {error.message}".lower()
    return named if named or re.search(r"(?<![a-z])scopes?(?![a-z])", said) else None


def no_answer(failure: httpx.HTTPError) -> OutcomeError:
    """Return the error of an input whose request was sent and whose response is not known."""
    unreadable = isinstance(failure, httpx.DecodingError)
    what = "A response came that cannot be read" if unreadable else "No response came"
    return OutcomeError("no_answer", f"{what} ({_reason_of(failure)}).")


def _reason_of(failure: httpx.HTTPError) -> str:
    """Return why there is no response, in words."""
    return f"{type(failure).__name__}: {failure}".rstrip(": ")


def unreachable(address: str, failure: httpx.HTTPError) -> UnreachableError:
    """Return the error that ends a run because a request could not be sent to an address."""
    error = UnreachableError(
        f"No connection to {address or 'HubSpot'} ({_reason_of(failure)}); "
        "check network and address."
    )
    # Its frames belong to httpx and are long; the message says the same.
    error.__cause__ = failure.with_traceback(None)
    return error


class SameKey(Enum):
    """How several inputs with the same key are sent."""

    SHARED = "as one input of the request, whose result is for all of them"
    IN_TURN = "in one request after the other, in their order"
    RENAMED = "in one request, each with a key of its own"


Encoded: TypeAlias = "EncodedInput | OutcomeError"
MarksOf: TypeAlias = "Callable[[EncodedInput], tuple[Mark, ...]]"


@frozen(eq=False)
class Operation(Generic[ResultT]):
    """An operation, as the engine sees it.

    Attributes:
        id: Its id in the description.
        limit: Inputs in a request at most.
        reads: Whether it changes nothing.
        splits: Whether the parts of a refused request may be sent again.
        all_or_nothing: Whether no part of a refused request counts as done.
        by_properties: Whether a result repeats values of its input.
        named_by: A property that the server stores only as its own input sent it.
        same_key: How several inputs with the same key are sent.
        encode: Given the position of the first input and the inputs, returns each as it is sent,
            or the reason why it is not.
        rename: Returns an input with a key of its own.
        read: Reads the body of a success; None if it cannot be read.
        send: Sends a chunk with a client, and returns the response.
        asend: Does the same in a task.
        name: Its name in messages, as users write it: `calls.create`.
        repeatable: Whether carrying it out twice has the same effect as once.
        identify: Returns what is the same for equal inputs of all runs.
        write_result: Returns the JSON text of a result.
        read_result: Returns the result of a JSON text.
        repeated: The fields whose values a result repeats.
        marks_of: Returns the marks of an input: the values that find its record. None without
            marks.
        mark_again: Returns an input with the marks of an earlier run.
    """

    id: str
    limit: int
    reads: bool
    splits: bool
    all_or_nothing: bool
    by_properties: bool
    named_by: str | None
    same_key: SameKey
    encode: Callable[[int, list[Any]], list[Encoded]]
    rename: Callable[[EncodedInput], EncodedInput]
    read: ReadSuccess
    send: Callable[[Any, Chunk], BatchResponse]
    asend: Callable[[Any, Chunk], Awaitable[BatchResponse]]
    repeatable: bool
    identify: Callable[[EncodedInput], bytes]
    write_result: Callable[[ResultT], bytes]
    read_result: Callable[[bytes], ResultT]
    name: str = Factory(lambda self: self.id, takes_self=True)
    repeated: tuple[str, ...] = PROPERTIES
    marks_of: MarksOf | None = None
    mark_again: Callable[[EncodedInput, tuple[Mark, ...]], EncodedInput] | None = None

    def encode_again(self, outcome: Outcome[Any]) -> EncodedInput:
        """Return an input as it is sent again, by its outcome."""
        entry: Any = self.encode(outcome.index, [outcome.input])[0]
        marks = () if outcome.error is None else outcome.error.marks
        return entry if self.mark_again is None else self.mark_again(entry, marks)


@define
class SplitBudget:
    """Requests that may still be spent on splitting a refused one."""

    left: int = EXTRA_AT_MOST


@define(eq=False)
class Chunk:
    """The inputs of one request, and the state of that request.

    Attributes:
        entries: The inputs.
        state: The state of the request.
        shared: Whether inputs with the same key are sent as one.
        refusal: If this is a part of a refused request that may have been carried out in part: the
            error of that request.
        since: When that request started; None if it is not a part of one.
    """

    entries: list[EncodedInput]
    state: RequestState = field(factory=RequestState)
    shared: bool = False
    refusal: OutcomeError | None = None
    _budget: SplitBudget = field(factory=SplitBudget)
    since: float | None = None

    def outcomes(
        self, status: OutcomeStatus, error: OutcomeError, marks_of: MarksOf | None = None
    ) -> list[Outcome[Any]]:
        """Return the outcomes of inputs that all have the same one."""
        if status is OutcomeStatus.UNKNOWN:
            error = self.dated(error)
        if marks_of is not None:
            return [
                Outcome(one.index, one.input, status, None, evolve(error, marks=marks_of(one)))
                for one in self.entries
            ]
        return [Outcome(one.index, one.input, status, None, error) for one in self.entries]

    def dated(self, error: OutcomeError) -> OutcomeError:
        """Return the error of an input in doubt, with the time in which it may have been done."""
        state = self.state
        first = state.started if self.since is None else self.since
        if first is None:
            return error
        given_up = None if state.span is None or state.sending else state.span[1]
        return evolve(error, attempted=Attempted(first, given_up))

    @property
    def texts(self) -> Iterable[bytes]:
        """The JSON texts of what is sent. An input that is given twice is sent once."""
        texts = [entry.text for entry in self.entries]
        return dict.fromkeys(texts) if self.shared else texts

    def refused(
        self, response: BatchResponse, operation: Operation[Any]
    ) -> tuple[OutcomeError, bool]:
        """Return why its inputs were refused together, and whether they may have been done."""
        if len({entry.identity for entry in self.entries}) == 1:
            return self.refused_alone(response.error, operation)
        error = batch_refused(response.error)
        if response.maybe_partial(operation):
            return error, True
        return self.refused_alone(error, operation)

    def refused_alone(
        self, error: OutcomeError, operation: Operation[Any]
    ) -> tuple[OutcomeError, bool]:
        """Return why an input was refused, and whether an earlier attempt may have done it."""
        if operation.reads or not self.state.doubted:
            return error, False
        if self.refusal is None:
            return _with_reason(error, _REPEATED), True
        # A 400 is about the values of an input, which did not change, so the input was refused
        # before as well. A 409 can come from a record that the first request created, unless that
        # request was refused with the same words: one account has answered 409 for the name of an
        # existing campaign.
        if error.status_code == 400 or _words(error) == _words(self.refusal):
            return error, False
        return _with_reason(error, _PARTIAL), True

    def halves(self, refusal: OutcomeError | None = None) -> tuple[Chunk, Chunk] | None:
        """Return two chunks in its place; None if it is one input, or the budget is spent.

        Args:
            refusal: The error of the request, if it may have been carried out in part.
        """
        keys = [*dict.fromkeys(entry.identity for entry in self.entries)]
        if len(keys) < 2 or self._budget.left < 2:
            return None
        self._budget.left -= 2
        first = frozenset(keys[: len(keys) // 2])
        refusal = self.refusal or refusal
        return (
            self._part([one for one in self.entries if one.identity in first], refusal),
            self._part([one for one in self.entries if one.identity not in first], refusal),
        )

    def _part(self, entries: list[EncodedInput], refusal: OutcomeError | None) -> Chunk:
        old = self.state
        in_doubt = old.in_doubt or refusal is not None
        state = RequestState(old.run, old.read, inputs=len(entries), in_doubt=in_doubt)
        since = old.started if self.since is None else self.since
        return Chunk(entries, state, self.shared, refusal, self._budget, since)


# Added to the message of a refusal if the input may have been done nevertheless.
_REPEATED = "An earlier attempt, whose response was lost, may have been carried out."
_PARTIAL = "HubSpot does not say whether it created some of the inputs of the refused request."


def batch_refused(error: OutcomeError) -> OutcomeError:
    """Return the error of an input that was refused together with others."""
    return evolve(error, kind="batch_refused")


def _with_reason(error: OutcomeError, reason: str) -> OutcomeError:
    return evolve(error, message=f"{error.message.rstrip('.')}. {reason}")


def _words(error: OutcomeError) -> tuple[object, ...]:
    """Return values that are equal for two refusals with the same reason."""
    return error.status_code, error.category, error.sub_category, error.message
