"""The inputs of one request, its response, and what the engine has to know of their operation.

This module decides how a refused request is split, and with which error and message a run ends. The
meaning of a status is decided in `_transport.retry`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeAlias, TypeVar

from attrs import define, evolve, field, frozen

from hubspot_batch._matching.match import ItemError, Results
from hubspot_batch._transport.request_state import ReadSuccess, RequestState
from hubspot_batch._transport.retry import Disposition
from hubspot_batch.errors import (
    AuthenticationError,
    DailyLimitError,
    HubSpotBatchError,
    MissingScopesError,
    RateLimitError,
    UnavailableError,
)
from hubspot_batch.outcomes import OutcomeError

if TYPE_CHECKING:
    from hubspot_batch._matching.items import EncodedInput

ResultT = TypeVar("ResultT")

# Requests that are spent at most to find the bad inputs of a refused one. HubSpot wants errors to
# stay below 5 % of a day's requests
# (https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines).
EXTRA_AT_MOST = 50

_STOPS: dict[int, tuple[type[HubSpotBatchError], str]] = {
    401: (AuthenticationError, "HubSpot does not accept the token; check it, or get a new one"),
    403: (MissingScopesError, "The token may not do this; give its app the scope that is missing"),
    423: (UnavailableError, "HubSpot has locked the records for now; try again later"),
    429: (RateLimitError, "HubSpot refuses more requests for now; try again later"),
    477: (UnavailableError, "HubSpot is moving the account; try again later"),
}
_DAILY = (
    DailyLimitError,
    "The account's requests for the day are spent; go on after midnight in its time zone",
)


class BatchResponse(NamedTuple):
    """The parsed response to a chunk.

    Attributes:
        status_code: Its HTTP status.
        disposition: Its meaning for the request.
        error: What it says of the whole request, where it was refused.
        results: The results that it reports.
        errors: The errors that it reports for single inputs.
        daily: Whether it says that the limit of the day is reached.
    """

    status_code: int
    disposition: Disposition
    error: OutcomeError
    results: Results = Results()
    errors: tuple[ItemError, ...] = ()
    daily: bool = False

    def stop(self, operation_id: str) -> HubSpotBatchError | None:
        """Return the error that ends the run; None if the run goes on."""
        if not self.disposition.ends_run:
            return None
        kind, advice = (
            _DAILY if self.daily and self.status_code == 429 else _STOPS[self.status_code]
        )
        words = self.error.message.rstrip(".")
        for name, values in self.error.context.items():
            if "scope" in name.lower():  # HubSpot names them under several keys
                words += f"; {name}: {', '.join(values)}"
        return kind(
            f"{advice} ({operation_id}, HTTP {self.status_code}: {words}).",
            status_code=self.status_code,
            correlation_id=self.error.correlation_id,
        )

    def silence(self, unattributed: Sequence[OutcomeError], *, reads: bool) -> OutcomeError:
        """Return the error of an input that a success does not mention.

        Args:
            unattributed: Errors that it reports without naming an input.
            reads: Whether records were asked for.
        """
        kind, message = (
            ("not_returned", "The answer does not hold this record.")
            if reads
            else ("not_mentioned", "The answer does not mention this input; it may have been done.")
        )
        if unattributed:
            errors = "; ".join(dict.fromkeys(error.message for error in unattributed))
            message += f" Of inputs that it does not name it says: {errors}"
        return OutcomeError(
            kind, message, correlation_id=self.error.correlation_id, status_code=self.status_code
        )


class SameKey(Enum):
    """How several inputs with the same key are sent."""

    SHARED = "as one input of the request, whose result is for all of them"
    IN_TURN = "in one request after the other, in their order"
    RENAMED = "in one request, each with a key of its own"


Encoded: TypeAlias = "EncodedInput | OutcomeError"


@frozen(eq=False)
class Operation(Generic[ResultT]):
    """An operation, as the engine sees it.

    Attributes:
        id: Its id in the description.
        limit: Inputs in a request at most.
        reads: Whether it changes nothing.
        splits: Whether the parts of a refused request may be sent again.
        all_or_nothing: Whether a refused request counts as one of which no part was done.
        by_properties: Whether a result repeats the properties of its input.
        named_by: The property whose text no server fills in with that of another input.
        same_key: How several inputs with the same key are sent.
        encode: Given the position of the first input and the inputs, returns each as it is sent,
            or the reason why it is not.
        rename: Returns an input with a key of its own.
        read: Reads the body of a success; None if it cannot be read.
        send: Sends a chunk with a client, and returns the response.
        asend: Does the same in a task.
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
        refusal: The error of the first refused request of which this one is a part, if that request
            may have been carried out in part.
    """

    entries: list[EncodedInput]
    state: RequestState = field(factory=RequestState)
    shared: bool = False
    refusal: OutcomeError | None = None
    _budget: SplitBudget = field(factory=SplitBudget)

    @property
    def array(self) -> bytes:
        """The JSON array that is sent. An input that is given twice is sent once."""
        texts: Iterable[bytes] = [entry.text for entry in self.entries]
        if self.shared:
            texts = dict.fromkeys(texts)
        return b"[" + b",".join(texts) + b"]"

    def doubt(self, error: OutcomeError) -> OutcomeError | None:
        """Return why a refused input may have been done all the same; None if it was not done.

        Args:
            error: Why the last attempt was refused.
        """
        if not self.state.doubted:
            return None
        if self.refusal is None:
            return _with_reason(error, _REPEATED)
        # A 400 is about the values of an input, so it was as bad before. A 409 can come from what
        # the first request has created, unless that one was refused in the same words: one account
        # has answered 409 for the name of a campaign that exists.
        if error.status_code == 400 or _words(error) == _words(self.refusal):
            return None
        return _with_reason(error, _PARTIAL)

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
        in_doubt = self.state.in_doubt or refusal is not None
        state = RequestState(self.state.run, self.state.read, in_doubt=in_doubt)
        return Chunk(entries, state, self.shared, refusal, self._budget)


# What is added to the words of a refusal where an input may have been done all the same.
_REPEATED = "An earlier attempt, whose response was lost, may have been carried out."
_PARTIAL = "HubSpot does not say whether it created some of the inputs of the refused request."


def batch_refused(error: OutcomeError) -> OutcomeError:
    """Return the error of an input that was refused together with others."""
    return evolve(error, kind="batch_refused")


def _with_reason(error: OutcomeError, reason: str) -> OutcomeError:
    return evolve(error, message=f"{error.message.rstrip('.')}. {reason}")


def _words(error: OutcomeError) -> tuple[object, ...]:
    """Return what two responses have in common that refuse a request for the same reason."""
    return error.status_code, error.category, error.sub_category, error.message
