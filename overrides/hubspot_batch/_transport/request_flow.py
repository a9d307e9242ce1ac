"""What happens between a request and the answer that its caller sees.

This module decides when a request is sent, and when it is sent again. It never looks into a batch:
it repeats requests, not records. A create that may have been done is never repeated here, because
only what was certainly not done is. And it never acts: an exchange is a generator that yields steps
and is handed what came of them, so that `transport` can carry it out in threads and in tasks.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Generator, Mapping
from typing import Any, NamedTuple, TypeAlias

import httpx

from hubspot_batch._json import is_map, read
from hubspot_batch.errors import ConfigurationError, DailyLimitError
from hubspot_batch.options import Settings, Wait

from .concurrency import Gate, Place
from .rate_limit import Allowance
from .request_state import Flight, current_flight
from .retry import Concurrency, Fate, Repeat, Rule, pause_after, rule_for, rule_for_failure
from .tokens import Token, TokenSource, hide

_log = logging.getLogger("hubspot_batch")

# Shorter waits for a free start are part of going at the allowed pace.
_WORTH_A_LINE = 1.0


class Ask(NamedTuple):
    """Get a token: any, or another one than the refused."""

    refused: Token | None
    asked: int


class Enter(NamedTuple):
    """Wait until a gate lets one through."""

    gate: Gate
    place: Place


class Send(NamedTuple):
    """Send a request, and read its answer."""

    request: httpx.Request


class Sleep(NamedTuple):
    """Let time pass."""

    seconds: float


Step: TypeAlias = Ask | Enter | Send | Sleep
# What came of a step, behind the time at which it came, in seconds of a steady clock.
Came: TypeAlias = tuple[float, Any]
_Answer: TypeAlias = httpx.Response | httpx.HTTPError
# Methods and paths of the operations that may be carried out twice, each with what reads its answer
# to a success; None where it cannot be read.
Repeatable: TypeAlias = Mapping[tuple[str, str], Callable[[httpx.Response], object]]
Steps: TypeAlias = Generator[Step, Came, httpx.Response]


class _Sent(NamedTuple):
    """One attempt: when it started and ended, what came, and what that means.

    `asked` is how often the token's provider had been asked when it started.
    """

    started: float
    ended: float
    came: _Answer
    rule: Rule
    asked: int


_READING = ("GET", "HEAD", "OPTIONS")


class Exchange:
    """How the requests of one client are exchanged for answers.

    Args:
        token: The token, or a function that returns it, held.
        origin: The only address that the token is sent to.
        repeatable: The operations that may be carried out twice.
        settings: How it sends.

    Attributes:
        tokens: Where the token comes from.
    """

    def __init__(
        self,
        token: Token,
        *,
        origin: str,
        repeatable: Repeatable,
        settings: Settings,
    ) -> None:
        self.tokens = TokenSource(token)
        # So many requests may be under way, and one of them waits for a start; those behind it
        # would only wake when it does, and find that start taken.
        self._places = Gate(Concurrency(settings.max_concurrency))
        self._turn = Gate(Concurrency(1))
        self._origin = _origin(httpx.URL(origin))
        prefix = httpx.URL(origin).path.rstrip("/")
        self._repeatable = {(method, prefix + path): r for (method, path), r in repeatable.items()}
        self._retry = settings.retry
        self._on_wait = settings.on_wait
        self._allowance = Allowance(settings.rate_limit, settings.daily_reserve)

    def steps(self, request: httpx.Request) -> Steps:
        """Yield what is to be done for a request, and return its answer."""
        self._check_origin(request)
        flight = current_flight()
        # A body that is not in memory is gone once it has been read.
        in_memory = isinstance(request.stream, httpx.ByteStream)
        renewable = in_memory and self.tokens.renewable
        attempt = 1
        begun: float | None = None
        if self.tokens.renewable:
            if flight.journey.asked is None:
                flight.journey.asked = self.tokens.asked
            yield Ask(None, flight.journey.asked)
        tokens = [self.tokens.latest]
        try:
            while True:
                sent = yield from self._attempt(request, tokens, attempt, flight)
                came, rule = sent.came, sent.rule
                begun = sent.started if begun is None else begun
                flight.land(in_doubt=rule.fate in (Fate.DONE, Fate.MAYBE_DONE))
                if _status(came) == 401 and renewable:
                    renewable = False
                    flight.check()
                    _, token = yield Ask(tokens[-1], sent.asked)
                    tokens.append(token)
                    continue
                if rule.repeat is Repeat.NEVER:
                    break
                pause = _pause(came, attempt)
                if _status(came) == 429:
                    # Whoever sends next would only be refused too, whether this one goes on or not.
                    until = sent.ended + min(pause, self._retry.ceiling)
                    self._allowance.refuse(sent.started, until)
                if not in_memory or not self._may_repeat(request, rule):
                    break
                elapsed = sent.ended - begun
                patient = self._retry.allows(attempt=attempt, pause=pause, elapsed=elapsed)
                if flight.halted or not patient:
                    break
                self._tell(Wait(pause, "retry", request.url.path, attempt, _status(came)))
                yield from self._sleep(pause, flight)
                attempt += 1
        finally:
            # Requests are kept in answers and exceptions, which are shown and pickled.
            request.headers.pop("Authorization", None)
        if isinstance(came, httpx.Response):
            return came
        raise came

    def _attempt(
        self, request: httpx.Request, tokens: list[Token], attempt: int, flight: Flight
    ) -> Generator[Step, Came, _Sent]:
        """Send once, when there is a place and a start for it."""
        place: Place = Place()
        try:
            flight.pause()
            started, _ = yield Enter(self._places, place)
            flight.go_on()
            # Where others wait for a start, this one waits behind them.
            if self._turn.occupied or self._allowance.reserve(started) != 0.0:
                started = yield from self._start(request, attempt, flight)
            try:
                flight.take_off()
                asked = self.tokens.asked
                if self.tokens.latest is not tokens[-1]:  # renewed while this one waited
                    tokens.append(self.tokens.latest)
                request.headers["Authorization"] = f"Bearer {tokens[-1].value}"
                now, came = yield Send(request)
            finally:
                self._allowance.land()
            if isinstance(came, httpx.Response):
                self._allowance.learn(started, now, came.headers)
                came = hide(tokens, came)
            rule = self._rule(request, came)
            self._places.note(strain=rule.strain, started=started, ended=now)
        finally:
            self._places.leave(place)
        return _Sent(started, now, came, rule, asked)

    def _start(
        self, request: httpx.Request, attempt: int, flight: Flight
    ) -> Generator[Step, Came, float]:
        """Wait until the allowance has a start, and return its time."""
        told_until = -math.inf
        turn: Place = Place()
        try:
            flight.pause()
            now, _ = yield Enter(self._turn, turn)
            flight.go_on()
            while (pause := self._allowance.reserve(now)) != 0.0:
                if pause is None:
                    raise DailyLimitError(
                        "No more of the account's requests for the day are left than daily_reserve "
                        "leaves to others; go on after midnight in its time zone."
                    )
                if now >= told_until:
                    self._tell(Wait(pause, "rate_limit", request.url.path, attempt))
                    told_until = now + pause
                now = yield from self._sleep(self._allowance.nap(pause), flight)
            return now
        finally:
            self._turn.leave(turn)

    @staticmethod
    def _sleep(seconds: float, flight: Flight) -> Generator[Step, Came, float]:
        flight.pause()
        now, _ = yield Sleep(seconds)
        flight.go_on()
        return now

    def _tell(self, wait: Wait) -> None:
        if wait.reason == "retry":
            _log.info("Waiting %.1f s, then sending again: %s", wait.seconds, wait.path)
        elif wait.seconds >= _WORTH_A_LINE:
            _log.info("Waiting %.1f s for the rate limit: %s", wait.seconds, wait.path)
        if self._on_wait is not None:
            try:
                self._on_wait(wait)
            except Exception as error:  # noqa: BLE001 - a hook is the caller's
                _log.warning("on_wait raised %s.", type(error).__name__)

    def _rule(self, request: httpx.Request, came: _Answer) -> Rule:
        if not isinstance(came, httpx.Response):
            return rule_for_failure(came)
        # Only an answer that decides about a repetition is worth reading here.
        read_answer = self._repeatable.get(self._key(request)) if came.is_success else None
        readable = read_answer is None or read_answer(came) is not None
        return rule_for(came.status_code, readable=readable, daily=is_daily_limit(came))

    def _may_repeat(self, request: httpx.Request, rule: Rule) -> bool:
        harmless = request.method in _READING or self._key(request) in self._repeatable
        return rule.repeat is Repeat.ALWAYS or (rule.repeat is Repeat.IF_HARMLESS and harmless)

    @staticmethod
    def _key(request: httpx.Request) -> tuple[str, str]:
        return request.method, request.url.path

    def _check_origin(self, request: httpx.Request) -> None:
        if _origin(request.url) != self._origin:
            raise ConfigurationError(
                f"The token is only sent to {self._origin[1]}, and not to {request.url.host}; "
                "make another client for another address."
            )


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _status(came: _Answer) -> int | None:
    return came.status_code if isinstance(came, httpx.Response) else None


def _pause(came: _Answer, attempt: int) -> float:
    if not isinstance(came, httpx.Response):
        return pause_after(attempt, None, {}, None)
    policy = (document_of(came) or {}).get("policyName")
    return pause_after(attempt, came.status_code, came.headers, policy)


def document_of(response: httpx.Response) -> dict[str, Any] | None:
    """Return the JSON object of an answer's body; None where there is none."""
    try:
        document = read(response.content)
    except (ValueError, RecursionError):
        return None
    return document if is_map(document) else None


def is_daily_limit(response: httpx.Response) -> bool:
    """Return whether a 429 says that the allowance of the day is spent.

    The body's `policyName` is then `DAILY` (HubSpot, API usage guidelines).
    """
    if response.status_code != 429:
        return False
    return (document_of(response) or {}).get("policyName") == "DAILY"
