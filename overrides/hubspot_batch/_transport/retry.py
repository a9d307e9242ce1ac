"""The meaning of a response or failure: the effect of its request, and whether to send again.

This module holds the one table of HTTP statuses. It answers and never acts: it sends nothing, and
reads no clock.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any, NamedTuple

import httpx

WINDOW = 10.0
"""Seconds of HubSpot's rolling rate limit
(https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines)."""
# Milliseconds of a rate limit's interval that are believed at most.
_LONGEST = 60_000


class Effect(Enum):
    """The effect of a request on the server, as far as its response tells."""

    NOT_SENT = "not sent"
    NOT_APPLIED = "not applied"
    AMBIGUOUS = "ambiguous"
    APPLIED = "applied"


class RetryWhen(Enum):
    """When a request is sent again."""

    NEVER = "never"
    IF_REPEATABLE = "if carrying it out twice does no harm"
    ALWAYS = "always"


class Disposition(NamedTuple):
    """The meaning of a response, or of its absence, for the request.

    Attributes:
        effect: Whether the request was carried out.
        retry: When it is sent again.
        least_pause: Seconds to wait before that; it applies if it is longer than the backoff.
        ends_run: Whether the run stops if repeating does not help.
        splits: Whether part of the inputs may be accepted although all together were refused.
        partial: Whether some inputs may have been done although the request was refused.
    """

    effect: Effect
    retry: RetryWhen = RetryWhen.NEVER
    least_pause: float = 0.0
    ends_run: bool = False
    splits: bool = False
    partial: bool = False

    @property
    def in_doubt(self) -> bool:
        """Whether the server may have carried the request out."""
        return self.effect in (Effect.APPLIED, Effect.AMBIGUOUS)


_REFUSED = Disposition(Effect.NOT_APPLIED)
_ENDS = Disposition(Effect.NOT_APPLIED, ends_run=True)
_AMBIGUOUS = Disposition(Effect.AMBIGUOUS)
_LOST = Disposition(Effect.AMBIGUOUS, RetryWhen.IF_REPEATABLE)
_APPLIED = Disposition(Effect.APPLIED)

# HubSpot: https://developers.hubspot.com/docs/api-reference/error-handling and
# https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines. Where they say
# nothing, a request counts as possibly applied.
DISPOSITIONS: Mapping[int, Disposition] = {
    **dict.fromkeys((400, 409), _REFUSED._replace(splits=True, partial=True)),
    413: _REFUSED._replace(splits=True),  # too large for any operation to look at
    303: _AMBIGUOUS,  # a server that has carried a request out may answer "see other"
    **dict.fromkeys((401, 403), _ENDS),
    # A proxy, or the network itself, wants a login, so HubSpot was not reached
    # (https://www.rfc-editor.org/rfc/rfc9110#section-15.5.8,
    # https://www.rfc-editor.org/rfc/rfc6585#section-6).
    **dict.fromkeys((407, 511), _ENDS),
    423: Disposition(Effect.NOT_APPLIED, RetryWhen.ALWAYS, least_pause=2.0, ends_run=True),
    429: Disposition(Effect.NOT_APPLIED, RetryWhen.ALWAYS, least_pause=1.0, ends_run=True),
    477: Disposition(Effect.NOT_APPLIED, RetryWhen.ALWAYS, least_pause=1.0, ends_run=True),
    **dict.fromkeys((500, 502, 503, 504, 521, 523, 524), _LOST),
    # The server does not implement it, or the edge could not hand it on to the server.
    **dict.fromkeys((501, 505, 522, 525, 526, 530), _REFUSED),
}


def disposition_of(
    status: int, *, readable: bool = True, daily: bool = False, page: bool = False
) -> Disposition:
    """Return the meaning of a response.

    Args:
        status: Its HTTP status.
        readable: Whether the body of a success could be read.
        daily: Whether a 429 says that the limit of the day is reached.
        page: Whether the body of a refusal is no JSON object.
    """
    if 200 <= status <= 299:
        # Any 2xx: HubSpot has changed the exact code of an endpoint overnight
        # (https://developers.hubspot.com/changelog).
        return _APPLIED if readable else _LOST
    if status == 429 and daily:
        return _ENDS
    if status == 403 and page:
        return _REFUSED  # HubSpot's edge refuses what this request holds, and not the token
    return DISPOSITIONS.get(status, _AMBIGUOUS if status >= 500 else _REFUSED)


def is_daily_limit(status: int, body: Mapping[str, Any] | None) -> bool:
    """Return whether a response says that the requests of the day are spent.

    HubSpot: https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
    """
    return status == 429 and body is not None and body.get("policyName") == "DAILY"


_NO_CONNECTION = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


def disposition_of_failure(failure: httpx.HTTPError) -> Disposition:
    """Return the meaning of a failure to get a response."""
    if isinstance(failure, httpx.ProxyError) and _refused_for_good(str(failure)):
        return Disposition(Effect.NOT_SENT)
    if isinstance(failure, _NO_CONNECTION):
        return Disposition(Effect.NOT_SENT, RetryWhen.ALWAYS)
    if isinstance(failure, httpx.UnsupportedProtocol):
        return Disposition(Effect.NOT_SENT)
    return _LOST


# A proxy repeats these, and most 3xx and 4xx, if asked again: it does not know CONNECT, or wants a
# person to log in
# (https://www.rfc-editor.org/rfc/rfc6585#section-6).
_LASTING = ("501", "505", "511")
_PASSING = ("408", "425", "429")
# httpcore's messages for a SOCKS proxy that will refuse again: no common way to log in, a wrong
# password, and the replies that are not about the path to the host
# (https://www.rfc-editor.org/rfc/rfc1928#section-6).
_SOCKS_LASTING = re.compile(
    r"Requested .* but got |Invalid username/password|.*: (?:Connection not allowed by ruleset"
    r"|Command not supported|Address type not supported)"
)


def _refused_for_good(words: str) -> bool:
    """Return whether a proxy would refuse again.

    The words begin with its status, unless it is a SOCKS proxy.
    """
    status = words[:3]
    if not status.isdigit():
        return _SOCKS_LASTING.match(words) is not None
    return status in _LASTING or ("300" <= status < "500" and status not in _PASSING)


def backoff(attempt: int) -> float:
    """Return the seconds to wait after an attempt: 1, 2, 4, 8, and 10 from then on."""
    return float(min(2 ** min(attempt - 1, 4), 10))


def pause_after(
    attempt: int, status: int | None, headers: Mapping[str, str], policy: object
) -> float:
    """Return how many seconds to wait before a request is sent again.

    Args:
        attempt: The number of the last attempt, from 1.
        status: The status of its response; None if there was none.
        headers: The headers of its response.
        policy: The limit that a 429 names, for example `TEN_SECONDLY_ROLLING`.
    """
    if status is None:
        return backoff(attempt)
    asked = _retry_after(headers)
    least = disposition_of(status).least_pause
    if status == 429:
        # HubSpot promises no Retry-After on a 429. Without one, the rolling window is open again
        # when all of it has passed
        # (https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines).
        if asked is None:
            asked = 1.0 if policy == "SECONDLY" else _interval(headers)
        return max(least, asked)
    if status == 477 and asked is not None:
        return max(least, asked)
    return max(least, backoff(attempt), asked or 0.0)


def _interval(headers: Mapping[str, str]) -> float:
    return believable_interval(headers, "X-HubSpot-RateLimit-Interval-Milliseconds") or WINDOW


def believable_interval(headers: Mapping[str, str], name: str) -> float | None:
    """Return the seconds of a rate limit's interval; None if there is none, or if it is nonsense.

    HubSpot's are 1 and 10 seconds
    (https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines).
    """
    milliseconds = number(headers, name)
    return milliseconds / 1000 if milliseconds and milliseconds <= _LONGEST else None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a response asks to wait, given as a number or as a date."""
    seconds = number(headers, "Retry-After")
    if seconds is not None:
        return seconds
    try:
        # Both dates are of the server's own clock.
        until = parsedate_to_datetime(headers["Retry-After"])
        return max(0.0, (until - parsedate_to_datetime(headers["Date"])).total_seconds())
    except (KeyError, ValueError, TypeError, OverflowError):
        return None


def number(headers: Mapping[str, str], name: str) -> float | None:
    """Return the number in a header, from 0 on; None if there is none."""
    text = headers.get(name, "").strip()
    if not text.isascii() or not text.replace(".", "", 1).isdigit():
        return None
    value = float(text)
    return value if math.isfinite(value) else None
