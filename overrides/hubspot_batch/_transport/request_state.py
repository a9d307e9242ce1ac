"""The state of a request while it is under way.

This module decides whether a request that is given up may have been carried out. The engine makes
a state for each chunk and sends it along as an extension of the httpx request; the transport keeps
it up to date.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import httpx

from .retry import Disposition

EXTENSION = "hubspot_batch"
"""The name under which a request carries its state."""

ReadSuccess = Callable[[httpx.Response], Any]


class CancelledBeforeSendError(Exception):
    """A request was cancelled before anything of it was sent."""


class Interpretation(NamedTuple):
    """The one reading of a response.

    Attributes:
        disposition: Its meaning for the request.
        body: The model of a success; the JSON object of any other response; None if it has none.
    """

    disposition: Disposition
    body: Any


class RunState:
    """The state that the requests of one run share.

    Args:
        id: The run's id; None for requests outside of a run.
        operation: The id of its operation; None outside of a run.

    Attributes:
        id, operation: As given.
        asked: How often the token's provider had been asked when the first of them began; None
            before. If the provider fails then, it has failed for all of them.
    """

    __slots__ = ("asked", "id", "operation")

    def __init__(self, id: str | None = None, operation: str | None = None) -> None:  # noqa: A002
        self.id = id
        self.operation = operation
        self.asked: int | None = None


class RequestState:
    """One request, with all its attempts.

    One thread sends it while another may cancel it. Each writes its own flag first and then reads
    the other's, so at least one of them sees both.

    Attributes:
        run: The state that it shares with other requests.
        read: Reads the body of a success; None if only its status matters.
        cancelled: Whether nothing more may be sent.
        waiting: Whether it waits, for its turn or before another attempt.
        doubted: Whether an attempt before the last one may have been carried out.
        interpretation: The last response; None before.
        inputs: How many inputs it has; None for a request that is no batch.
        before_attempt: What is called right before each attempt, when it may start at once; None
            for nothing.
        attempts: How often it was sent.
        waits: The waits that are worth a line in the log, in seconds.
        span: When its first attempt started and its last one ended, on the client's clock; None
            before there was one.
        started: When its first attempt was about to start, on the client's clock; None before.
        address: Where the last attempt was sent, for people, if it was not successful.
    """

    __slots__ = (
        "_maybe_applied",
        "_sending",
        "address",
        "attempts",
        "before_attempt",
        "cancelled",
        "doubted",
        "inputs",
        "interpretation",
        "read",
        "run",
        "span",
        "started",
        "waiting",
        "waits",
    )

    def __init__(
        self,
        run: RunState | None = None,
        read: ReadSuccess | None = None,
        *,
        inputs: int | None = None,
        in_doubt: bool = False,
    ) -> None:
        self.run = RunState() if run is None else run
        self.read = read
        self.cancelled = False
        self.waiting = False
        self.interpretation: Interpretation | None = None
        self.inputs = inputs
        self.before_attempt: Callable[[], object] | None = None
        self.attempts = 0
        self.waits: tuple[float, ...] = ()
        self.span: tuple[float, float] | None = None
        self.started: float | None = None
        self.address = ""
        self._sending = False
        self._maybe_applied = self.doubted = in_doubt

    @property
    def sending(self) -> bool:
        """Whether an attempt has left and is under way."""
        return self._sending

    @property
    def in_doubt(self) -> bool:
        """Whether an attempt has left and is under way, or may have been carried out."""
        return self._sending or self._maybe_applied

    def check(self) -> None:
        """Raise CancelledBeforeSendError if it was cancelled."""
        if self.cancelled:
            raise CancelledBeforeSendError

    def begin_attempt(self) -> None:
        """Note that the first byte of an attempt is about to leave.

        Raises:
            CancelledBeforeSendError: It was cancelled.
        """
        self._sending = True
        if self.cancelled:
            self._sending = False
            raise CancelledBeforeSendError
        self.attempts += 1

    def end_attempt(self, started: float, ended: float, *, in_doubt: bool) -> None:
        """Note when and how an attempt ended; a doubt about an earlier attempt stays."""
        self.span = (started if self.span is None else self.span[0], ended)
        self.doubted = self._maybe_applied
        self._maybe_applied = self.doubted or in_doubt
        self._sending = False


def state_of(request: httpx.Request) -> RequestState:
    """Return the state that a request carries; a new one if it carries none."""
    state = request.extensions.get(EXTENSION)
    return state if isinstance(state, RequestState) else RequestState()
