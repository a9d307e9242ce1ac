"""The log lines of requests: one at DEBUG for each attempt, one at INFO for each longer wait.

This module decides what these lines say, and that the same values are fields of the log record.
"""

from __future__ import annotations

import logging

import httpx

from hubspot_batch.events import Wait

_log = logging.getLogger("hubspot_batch")

# Shorter waits for the rate limit are normal at full pace.
_WORTH_A_LINE = 1.0


def log_wait(wait: Wait, cause: str) -> bool:
    """Log a wait, and return whether it was worth a line.

    Args:
        wait: The wait.
        cause: Why a request is sent again, in a few words.
    """
    if wait.reason == "retry":
        text = f"Waiting %.1f s after {cause}, then sending again (attempt {wait.attempt + 1}): %s"
    elif wait.seconds >= _WORTH_A_LINE:
        text = "Waiting %.1f s for the rate limit: %s"
    else:
        return False
    fields = {
        "seconds": wait.seconds,
        "reason": wait.reason,
        "path": wait.path,
        "attempt": wait.attempt,
        "status": wait.status_code,
    }
    _log.info(text, wait.seconds, wait.path, extra=fields)
    return True


def log_attempt(
    request: httpx.Request,
    received: httpx.Response | httpx.HTTPError,
    attempt: int,
    inputs: int | None,
    duration: float,
) -> None:
    """Log an attempt, if anybody wants such lines.

    Args:
        request: The request.
        received: Its response, or the failure in its place.
        attempt: The number of the attempt, from 1.
        inputs: How many inputs it had; None if it was no batch.
        duration: Seconds until the response was read.
    """
    if not _log.isEnabledFor(logging.DEBUG):
        return
    status, id_, came = None, None, type(received).__name__
    if isinstance(received, httpx.Response):
        status = received.status_code
        came, id_ = f"HTTP {status}", received.headers.get("X-HubSpot-Correlation-Id")
    fields = {
        "method": request.method,
        "path": request.url.path,
        "inputs": inputs,
        "status": status,
        "duration": duration,
        "attempt": attempt,
        "correlation_id": id_,
    }
    _log.debug(
        "%s %s: %s in %.3f s (inputs: %s, attempt %d, correlation id: %s)",
        *(request.method, request.url.path, came, duration, inputs, attempt, id_),
        extra=fields,
    )
