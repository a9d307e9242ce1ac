"""The events of one request and its attempts.

This module decides which numbers of a response an event repeats. It is only used where a function
is to be told.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from types import MappingProxyType

import httpx

from hubspot_batch.events import Answered, Observer, RequestSent

from .request_state import CancelledBeforeSendError, RequestState
from .retry import number

_numbers = count(1)

_LIMITS = {
    "limit": "max",
    "remaining": "remaining",
    "daily_limit": "daily",
    "daily_remaining": "daily-remaining",
}


class RequestEvents:
    """Tells of the attempts of one request.

    Args:
        observer: Told of them.
        request: The request.
        state: Its state.
    """

    __slots__ = ("_attempt", "_observer", "_request", "_request_id", "_state", "_under_way")

    def __init__(self, observer: Observer, request: httpx.Request, state: RequestState) -> None:
        self._observer = observer
        self._request = request
        self._request_id = next(_numbers)
        self._state = state
        self._attempt = 0
        self._under_way = False

    def sent(self) -> None:
        """Tell that an attempt is about to be sent."""
        run = self._state.run
        self._attempt += 1
        self._under_way = True
        self._observer.notify(
            RequestSent(
                run_id=run.id,
                operation=run.operation,
                request_id=self._request_id,
                attempt=self._attempt,
                method=self._request.method,
                path=self._request.url.path,
                inputs=self._state.inputs,
            )
        )

    def answered(self, received: httpx.Response | httpx.HTTPError, seconds: float) -> None:
        """Tell how the attempt ended."""
        if not isinstance(received, httpx.Response):
            self._ended(seconds, type(received).__name__)
            return
        status = received.status_code
        error = None if received.is_success else str(status)
        self._ended(seconds, error, status, received.headers)

    def broken_off(self, error: BaseException) -> None:
        """Tell that the attempt was given up, if one is under way."""
        if self._under_way:
            given_up = isinstance(error, GeneratorExit | CancelledBeforeSendError)
            self._ended(None, "CancelledError" if given_up else type(error).__name__)

    def _ended(
        self,
        seconds: float | None,
        error: str | None,
        status: int | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._under_way = False
        run = self._state.run
        limits = {
            name: None if limit is None else int(limit)
            for name, header in _LIMITS.items()
            for limit in [number(headers, f"x-hubspot-ratelimit-{header}")]
        }
        self._observer.notify(
            Answered(
                run_id=run.id,
                operation=run.operation,
                request_id=self._request_id,
                attempt=self._attempt,
                seconds=seconds,
                status_code=status,
                error=error,
                correlation_id=headers.get("x-hubspot-correlation-id"),
                **limits,
            )
        )


class _NoEvents(RequestEvents):
    """Tells nothing."""

    __slots__ = ()

    def __init__(self) -> None:
        """Make it."""

    def sent(self) -> None:
        """Tell nothing."""

    def answered(self, received: httpx.Response | httpx.HTTPError, seconds: float) -> None:
        """Tell nothing."""

    def broken_off(self, error: BaseException) -> None:
        """Tell nothing."""


NO_EVENTS: RequestEvents = _NoEvents()
