"""The exceptions that stop a run.

    HubSpotBatchError
    ├── ConfigurationError       an argument or a setting, such as `base_url`, is wrong
    ├── AuthenticationError      the token is missing, wrong or expired (401)
    ├── MissingScopesError       the token lacks a scope (403)
    ├── ForbiddenError           HubSpot forbids it for another reason (403)
    ├── DailyLimitError          the account's allowance for the day is spent (429)
    ├── RateLimitError           too many requests, for longer than `retry` allows (429)
    ├── UnavailableError         locked or being moved, for longer than `retry` allows (423, 477)
    ├── UnreachableError         no connection; nothing of the request was sent
    ├── InputError               the iterable of inputs raised; its exception is the cause
    ├── JournalError             the journal cannot be read or written, or another run uses it
    ├── UnfinishedError          a search or a list could not be read to its end
    ├── BrokenOffError           something unforeseen was raised; it is the cause
    └── IncompleteError          `BatchResult.raise_for_failures` found what did not succeed

This module decides the names and what each exception carries. It never decides when one is raised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from .outcomes import BatchResult


class HubSpotBatchError(Exception):
    """The base of all exceptions of this package.

    Attributes:
        message: What happened and what to do, in a sentence. It never holds the token.
        result: The outcomes so far, with every other input `not_sent`; None where no run had begun.
            After an iterating method (`create_iter` and its like) it holds only what the iterator
            had not handed out yet.
        status_code: The HTTP status that stopped the run, or None.
        correlation_id: HubSpot's name of the request, for its support, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        result: BatchResult[Any] | None = None,
        status_code: int | None = None,
        correlation_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.result = result
        self.status_code = status_code
        self.correlation_id = correlation_id

    def again(self) -> Self:
        """Return a copy without a result, for another run that met the same."""
        copy = type(self)(
            self.message, status_code=self.status_code, correlation_id=self.correlation_id
        )
        copy.__cause__ = self.__cause__
        return copy

    def __reduce__(self) -> tuple[Any, ...]:
        # Keyword arguments are lost by BaseException's own pickling.
        given = (
            type(self),
            self.message,
            None if self.result is None else self.result.picklable(),
            self.status_code,
            self.correlation_id,
        )
        notes = getattr(self, "__notes__", None)
        return (_rebuild, given, {"__notes__": [*notes]}) if notes else (_rebuild, given)


def _rebuild(
    error: type[HubSpotBatchError],
    message: str,
    result: BatchResult[Any] | None,
    status_code: int | None,
    correlation_id: str | None,
) -> HubSpotBatchError:
    return error(message, result=result, status_code=status_code, correlation_id=correlation_id)


class ConfigurationError(HubSpotBatchError, ValueError):
    """An argument or a setting is wrong.

    Nothing was sent, except where the address itself (`base_url`) turned out to be no address of
    HubSpot's API.
    """


class AuthenticationError(HubSpotBatchError):
    """The token is missing, wrong or expired."""


class MissingScopesError(HubSpotBatchError):
    """The token lacks a scope that the operation needs."""


class ForbiddenError(HubSpotBatchError):
    """HubSpot forbids the request for another reason than a scope; the message quotes it."""


class DailyLimitError(HubSpotBatchError):
    """The account's allowance of requests for the day is spent; it returns at midnight there."""


class RateLimitError(HubSpotBatchError):
    """The server refused too many requests in a row, or asks to wait longer than `retry` allows."""


class UnavailableError(HubSpotBatchError):
    """The account is locked or being moved; try again later."""


class UnreachableError(HubSpotBatchError):
    """No connection could be made, so nothing of the request was sent."""


class InputError(HubSpotBatchError):
    """The iterable of inputs raised an exception, which is this one's cause."""


class JournalError(HubSpotBatchError):
    """The journal cannot be opened, read or written, or another run uses it."""


class UnfinishedError(HubSpotBatchError):
    """A search or a list could not be read to its end, so records may be missing."""


class BrokenOffError(HubSpotBatchError):
    """Something unforeseen was raised while a request was under way; it is this one's cause."""


class IncompleteError(HubSpotBatchError):
    """Not every input succeeded; raised on request by `BatchResult.raise_for_failures`."""
