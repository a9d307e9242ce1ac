"""The attempt that a thread or a task is sending now.

This module decides how long an attempt may take, and when its request counts as sent. The transport
opens an attempt; the network layer, deep inside httpcore, consults it for each read and write.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar

import httpx

from hubspot_batch.options import SYSTEM_CLOCK

from .request_state import RequestState

# Seconds for a step at most: sockets cannot hold much more, and infinity not at all.
_LONGEST = 86_400.0

# Sockets wait in real time, also if the client has another clock.
_now = SYSTEM_CLOCK.now


class ActiveAttempt:
    """One attempt of a request, from connecting to the last byte of its response.

    As a context, it is the attempt of this thread or task.

    Args:
        request: The request. The longest part of its `timeout` extension bounds the attempt, if all
            parts are bounded.
        state: Its state, which is told when the first byte leaves.

    Attributes:
        sent: Whether its first byte has left.
        reused: Whether its connection has carried other requests before.
        made: The connection that was made for it; None if there is none.
    """

    __slots__ = ("_before", "_deadline", "_state", "made", "reused", "sent")

    def __init__(self, request: httpx.Request, state: RequestState) -> None:
        timeout = request.extensions.get("timeout", {})
        parts = [timeout.get(part) for part in ("connect", "read", "write")]
        self._deadline: float | None = None if None in parts else _now() + max(parts)
        self._state = state
        self.sent = False
        self.reused = False
        self.made: object = None

    def __enter__(self) -> None:
        self._before = _active.set(self)

    def __exit__(self, *_: object) -> None:
        _active.reset(self._before)

    def begin(self) -> None:
        """Note that the first byte of the request is about to leave.

        Raises:
            CancelledBeforeSendError: The request was cancelled.
        """
        self._state.begin_attempt()
        self.sent = True

    def left(self, timeout: float | None) -> float | None:
        """Return the seconds for one step: its own timeout, and no more than the attempt has left.

        It can be 0 or less.
        """
        if timeout is not None and timeout > _LONGEST:
            timeout = _LONGEST
        if self._deadline is None:
            return timeout
        left = min(_LONGEST, self._deadline - _now())
        return left if timeout is None else min(timeout, left)


_active: ContextVar[ActiveAttempt | None] = ContextVar("hubspot_batch_attempt", default=None)

active_attempt = _active.get
"""Returns the attempt of this thread or task; None if it is sending nothing."""


class _NamesOnly(logging.Filter):
    """Keeps the names of httpcore's log lines and drops their values, for our requests only.

    httpcore logs the headers of each response, and the user and password of a SOCKS proxy. A
    response can repeat the token, and a proxy's response the proxy's password.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if _active.get() is not None:
            record.msg, record.args = str(record.msg).partition(" ")[0], ()
        return True


_names_only = _NamesOnly()
for _part in ("connection", "http11", "http2", "proxy", "socks"):
    # A filter works only on the logger that a line is logged with, not on the loggers below it.
    logging.getLogger(f"httpcore.{_part}").addFilter(_names_only)
