"""What may be repeated, when, and how often, as values that answer and never act.

This module decides what each answer and each failure means for the request that met it: whether it
can have been carried out, whether it is sent again, and after how long. It never sends, sleeps or
reads a clock.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import NamedTuple

import httpx


class Fate(Enum):
    """What is known of a request that was answered, or was not."""

    NEVER_SENT = "never sent"
    NOT_DONE = "not done"
    MAYBE_DONE = "maybe done"
    DONE = "done"


class Repeat(Enum):
    """Whether a request is sent again."""

    NEVER = "never"
    IF_HARMLESS = "if carrying it out twice is as good as once"
    ALWAYS = "always"


class Rule(NamedTuple):
    """What an answer, or its absence, means for a request.

    Attributes:
        fate: Whether it was carried out.
        repeat: Whether it is sent again.
        least: Seconds to wait before that, at least.
        strain: Whether fewer requests at a time would do the server good.
        ends_run: Whether no other request has a chance, when this is the last word.
        splits: Whether a part of the inputs may be accepted where all together were not.
    """

    fate: Fate
    repeat: Repeat = Repeat.NEVER
    least: float = 0.0
    strain: bool = False
    ends_run: bool = False
    splits: bool = False


_REFUSED = Rule(Fate.NOT_DONE)
_ENDS = Rule(Fate.NOT_DONE, ends_run=True)
_DOUBTFUL = Rule(Fate.MAYBE_DONE, strain=True)
_LOST = Rule(Fate.MAYBE_DONE, Repeat.IF_HARMLESS, strain=True)
_DONE = Rule(Fate.DONE)

# HubSpot, error handling and API usage guidelines; what they leave open is decided for the truth:
# what nobody has called undone may have been done.
RULES: Mapping[int, Rule] = {
    **dict.fromkeys((400, 409, 413), _REFUSED._replace(splits=True)),
    303: _DOUBTFUL,  # "see other" is what a server says when it is done
    401: _ENDS,
    403: _ENDS,
    423: Rule(Fate.NOT_DONE, Repeat.ALWAYS, least=2.0, strain=True, ends_run=True),
    429: Rule(Fate.NOT_DONE, Repeat.ALWAYS, least=1.0, strain=True, ends_run=True),
    477: Rule(Fate.NOT_DONE, Repeat.ALWAYS, least=1.0, ends_run=True),
    **dict.fromkeys((500, 502, 503, 504, 521, 523, 524), _LOST),
    # What the server does not implement, and what the edge could not even hand on to it.
    **dict.fromkeys((501, 505, 522, 525, 526, 530), _REFUSED),
}


def rule_for(status: int, *, readable: bool = True, daily: bool = False) -> Rule:
    """Return what an answer means.

    Args:
        status: Its HTTP status.
        readable: Whether its body is what a success has to hold.
        daily: Whether a 429 says that the allowance of the day is spent.
    """
    if 200 <= status <= 299:
        # Any 2xx: HubSpot has changed the exact code of an endpoint overnight (HubSpot, developer
        # changelog).
        return _DONE if readable else _LOST
    if status == 429 and daily:
        return _ENDS
    return RULES.get(status, _DOUBTFUL if status >= 500 else _REFUSED)


_NO_CONNECTION = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


def rule_for_failure(failure: httpx.HTTPError) -> Rule:
    """Return what it means that no answer came."""
    if isinstance(failure, _NO_CONNECTION):
        return Rule(Fate.NEVER_SENT, Repeat.ALWAYS, strain=True)
    if isinstance(failure, httpx.UnsupportedProtocol):
        return Rule(Fate.NEVER_SENT)
    return _LOST


def backoff(attempt: int) -> float:
    """Return the seconds to wait after an attempt: 1, 2, 4, 8, and 10 from then on."""
    return float(min(2 ** min(attempt - 1, 4), 10))


def pause_after(
    attempt: int, status: int | None, headers: Mapping[str, str], policy: str | None
) -> float:
    """Return how many seconds to wait before a request is sent again.

    Args:
        attempt: The attempt that was made last, from 1.
        status: The status that it met; None where no answer came.
        headers: Those of the answer.
        policy: The limit that a 429 names, for example `TEN_SECONDLY_ROLLING`.
    """
    if status is None:
        return backoff(attempt)
    said = _retry_after(headers)
    least = rule_for(status).least
    if status == 429:
        # No Retry-After is promised on a 429; without one, the rolling window is open again when
        # all of it has passed (HubSpot, API usage guidelines).
        if said is None:
            said = 1.0 if policy == "SECONDLY" else _interval(headers)
        return max(least, said)
    if status == 477 and said is not None:
        return max(least, said)
    return max(least, backoff(attempt), said or 0.0)


def _interval(headers: Mapping[str, str]) -> float:
    milliseconds = number(headers, "X-HubSpot-RateLimit-Interval-Milliseconds")
    return milliseconds / 1000 if milliseconds else 10.0


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that an answer asks to wait, whether it names them or a date."""
    seconds = number(headers, "Retry-After")
    if seconds is not None:
        return seconds
    try:
        # The server's own clock is the one that both dates are of.
        until = parsedate_to_datetime(headers["Retry-After"])
        return max(0.0, (until - parsedate_to_datetime(headers["Date"])).total_seconds())
    except (KeyError, ValueError, TypeError, OverflowError):
        return None


def number(headers: Mapping[str, str], name: str) -> float | None:
    """Return the number in a header, from 0 on; None where there is none."""
    text = headers.get(name, "").strip()
    if not text.isascii() or not text.replace(".", "", 1).isdigit():
        return None
    value = float(text)
    return value if math.isfinite(value) else None


class Concurrency:
    """How many requests may be under way: fewer when the server struggles, up again when not.

    Halved at the first sign of strain, once for all requests that were under way then; one more
    after as many successes as it is. Never less than one.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._now = float(most)
        self._cut = -math.inf

    @property
    def limit(self) -> int:
        """Requests under way, at most."""
        return int(self._now)

    def note(self, *, strain: bool, started: float, ended: float) -> None:
        """Take into account how a request that started and ended at these times fared."""
        if not strain:
            self._now = min(float(self._most), self._now + 1 / self._now)
        elif started >= self._cut:
            self._now = max(1.0, self._now / 2)
            self._cut = ended
