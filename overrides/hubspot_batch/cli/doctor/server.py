"""The findings about HubSpot: can it be reached, does it take the token, what does it allow.

This module decides which requests are sent: reads of a record that does not exist, and, only if
asked for, write operations with a batch without inputs. Neither changes anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from hubspot_batch._json import read_object
from hubspot_batch._operations.parsing import MatchKeys, parse_response
from hubspot_batch._operations.registry import SPECS, OperationSpec
from hubspot_batch._transport.request_state import Interpretation
from hubspot_batch._transport.retry import disposition_of, number
from hubspot_batch.client import HubSpotBatch
from hubspot_batch.errors import (
    ConfigurationError,
    DailyLimitError,
    HubSpotBatchError,
    UnreachableError,
)

from .findings import CheckResult, CheckState

# Seconds by which clocks may differ: the server's header has whole seconds.
_CLOCKS_APART = 5.0
# The share of the day's requests below which it is told.
_FEW = 0.1
_VERSION = re.compile(r"(?<=/)(v\d+|\d{4}-\d{2}(?:-beta)?)(?=/)")


class Server:
    """Asks HubSpot, over one client.

    Args:
        client: The client, which repeats no request.
        wall: Returns the time of day, in seconds since 1970.
        has_token: Whether a token was given; without one, only the way is looked at.
    """

    def __init__(self, client: HubSpotBatch, wall: Any, *, has_token: bool) -> None:
        self._client = client
        self._wall = wall
        self._has_token = has_token
        self._headers: Mapping[str, str] = {}
        self._clocks: tuple[float, float] | None = None

    def look(self, operations: Sequence[str], *, try_writes: bool) -> Iterator[CheckResult]:
        """Yield all findings about HubSpot.

        Args:
            operations: Ids of operations that the token must allow; none for all.
            try_writes: Whether write operations get a batch without inputs.
        """
        specs = [SPECS[one] for one in operations or SPECS]
        first = next((one for one in SPECS.values() if one.kind.reads and _plain(one)), None)
        answers: dict[str, httpx.Response] = {}
        if first is None:
            yield CheckResult(
                "connection", CheckState.SKIPPED, "There is no read operation to try."
            )
        else:
            try:
                answers[first.id] = self._ask(first)
            except (httpx.HTTPError, HubSpotBatchError) as error:
                said = str(error) or type(error).__name__
                text = f"{self._address} cannot be reached: {said}"
                yield CheckResult(
                    "connection", CheckState.FAILED, text, {"error": type(error).__name__}
                )
                return
            stop = self._stop(first, answers[first.id])
            yield self._reached(answers[first.id], stop)
            token = self._token(answers[first.id], stop)
            yield token
            if token.state is CheckState.OK:
                yield from self._scopes(specs, answers, try_writes=try_writes)
            yield self._allowance()
            yield self._day(stop)
            yield self._clock()
        yield _api_versions(specs, self._version)

    @property
    def _address(self) -> str:
        options = self._client.options
        return "HubSpot" if options is None else options.base_url

    @property
    def _version(self) -> str | None:
        options = self._client.options
        return None if options is None else options.api_version

    def _stop(self, spec: OperationSpec, response: httpx.Response) -> HubSpotBatchError | None:
        """Return the exception that would end a run after this response; None without one."""
        status, body = response.status_code, read_object(response.content)
        daily = status == 429 and body is not None and body.get("policyName") == "DAILY"
        disposition = disposition_of(status, daily=daily, page=body is None)
        paths = {one.path for one in spec.described.versions}
        read = Interpretation(disposition, body)
        parsed = parse_response(response, read, MatchKeys(None, None, ()), None, paths)
        return parsed.stop(spec.name, self._address, alone=True)

    def _ask(self, spec: OperationSpec) -> httpx.Response:
        described = spec.described
        by_id = spec.kind.reads and described.key == ("id",)
        inputs = [{"id": "1"}] if by_id else []
        before = self._wall()
        response = self._client.raw.send(
            method=described.method, url=described.path, json={"inputs": inputs}
        )
        # Assume that the server reads its clock halfway through the round trip.
        here = (before + self._wall()) / 2
        date = response.headers.get("Date")
        if date is not None and self._clocks is None:
            with suppress(ValueError):
                self._clocks = here, parsedate_to_datetime(date).timestamp() + 0.5
        self._headers = {**self._headers, **response.headers}
        return response

    def _reached(self, response: httpx.Response, stop: HubSpotBatchError | None) -> CheckResult:
        status = response.status_code
        values = {"status_code": status}
        if isinstance(stop, ConfigurationError | UnreachableError):
            text = stop.message
        elif read_object(response.content) is None:
            text = (
                f"{self._address} answers HTTP {status} with something else than JSON, so it is no "
                "address of HubSpot's API, or a proxy answers in its place."
            )
        elif status >= 500:
            text = f"{self._address} answers HTTP {status}, a fault of the server; try again later."
        else:
            return CheckResult("connection", CheckState.OK, f"{self._address} answers.", values)
        return CheckResult("connection", CheckState.FAILED, text, values)

    def _token(self, response: httpx.Response, stop: HubSpotBatchError | None) -> CheckResult:
        status = response.status_code
        if not self._has_token:
            text = "None is given; set HUBSPOT_ACCESS_TOKEN."
            return CheckResult("token", CheckState.FAILED, text, {"given": False})
        values = {"given": True, "status_code": status}
        if status == 401:
            text = "HubSpot does not accept it; check it, or get a new one."
            return CheckResult("token", CheckState.FAILED, text, values)
        # A 403 is about a scope, so the token was accepted.
        stopped = stop is not None and status != 403
        if stopped or status >= 500 or read_object(response.content) is None:
            text = f"Not known: HubSpot answers HTTP {status}."
            return CheckResult("token", CheckState.SKIPPED, text, values)
        return CheckResult("token", CheckState.OK, "HubSpot accepts it.", values)

    def _scopes(
        self,
        specs: Sequence[OperationSpec],
        answers: dict[str, httpx.Response],
        *,
        try_writes: bool,
    ) -> Iterator[CheckResult]:
        # Operations that need the same scopes get the same response: one of them is asked.
        known: dict[tuple[str, ...], httpx.Response] = {
            SPECS[id_].described.scopes: answer for id_, answer in answers.items()
        }
        for spec in sorted(specs, key=lambda one: not one.kind.reads):
            scopes = spec.described.scopes
            if scopes not in known and _plain(spec) and (spec.kind.reads or try_writes):
                try:
                    known[scopes] = self._ask(spec)
                except (httpx.HTTPError, HubSpotBatchError) as error:
                    text = f"{spec.name}: not known ({type(error).__name__})."
                    yield _scope(spec, CheckState.SKIPPED, text)
                    continue
            yield _judge(spec, known.get(scopes))

    def _said(self, *names: str) -> list[float | None]:
        """Return the numbers in the headers about limits."""
        said = {name.lower(): value for name, value in self._headers.items()}
        return [number(said, f"x-hubspot-ratelimit-{name}") for name in names]

    def _allowance(self) -> CheckResult:
        most, left, interval = self._said("max", "remaining", "interval-milliseconds")
        if most is None or interval is None:
            return CheckResult("allowance", CheckState.SKIPPED, "The responses do not say it.")
        text = f"{most:.0f} requests in {interval / 1000:g} seconds"
        text += "." if left is None else f", of which {left:.0f} were left."
        values = {"limit": most, "seconds": interval / 1000, "remaining": left}
        return CheckResult("allowance", CheckState.OK, text, values)

    def _day(self, stop: HubSpotBatchError | None) -> CheckResult:
        day, day_left = self._said("daily", "daily-remaining")
        values = {"limit": day, "remaining": day_left}
        if isinstance(stop, DailyLimitError):
            return CheckResult("day", CheckState.FAILED, stop.message, values)
        if day_left is None:
            text = "The responses do not say it, as with OAuth."
            return CheckResult("day", CheckState.SKIPPED, text)
        text = f"{day_left:.0f} requests are left"
        text += "." if day is None else f" of the {day:.0f} of the account's day."
        few = day_left == 0 or (day is not None and day_left < _FEW * day)
        state = CheckState.FAILED if day_left == 0 else CheckState.NOTE if few else CheckState.OK
        return CheckResult("day", state, text, values)

    def _clock(self) -> CheckResult:
        if self._clocks is None:
            return CheckResult("clock", CheckState.SKIPPED, "The responses have no Date header.")
        here, there = self._clocks
        ahead = here - there
        values = {"seconds_ahead": round(ahead, 1)}
        if abs(ahead) <= _CLOCKS_APART:
            text = "It agrees with HubSpot's within a few seconds."
            return CheckResult("clock", CheckState.OK, text, values)
        which = "ahead of" if ahead > 0 else "behind"
        text = (
            f"It is {abs(ahead):.0f} s {which} HubSpot's; set it, or reconcile looks for records "
            "in the wrong period."
        )
        return CheckResult("clock", CheckState.FAILED, text, values)


def _plain(spec: OperationSpec) -> bool:
    """Return whether a path has no names to fill in."""
    return "{" not in spec.described.path


def _judge(spec: OperationSpec, response: httpx.Response | None) -> CheckResult:
    needed = ", ".join(spec.described.scopes) or "no scope"
    if response is None:
        text = f"{spec.name}: not tried, because it writes; it needs {needed} (see --try-writes)."
        return _scope(spec, CheckState.SKIPPED, text)
    status = response.status_code
    if status == 403:
        text = f"{spec.name}: the token may not do this; it needs {needed}."
        return _scope(spec, CheckState.FAILED, text)
    if status in (401, 429) or status >= 500:
        return _scope(spec, CheckState.SKIPPED, f"{spec.name}: not known (HTTP {status}).")
    return _scope(spec, CheckState.OK, f"{spec.name}: allowed ({needed}).")


def _scope(spec: OperationSpec, state: CheckState, text: str) -> CheckResult:
    values = {"operation": spec.id, "scopes": [*spec.described.scopes]}
    return CheckResult(f"scope:{spec.name}", state, text, values)


def _api_versions(specs: Sequence[OperationSpec], version: str | None) -> CheckResult:
    described = [spec.described for spec in specs]
    used = [one.in_version(version or one.version) for one in described]
    found = sorted({name for one in used if one for name in _VERSION.findall(one.path)})
    text = f"The operations use {', '.join(found) or 'no version'} of HubSpot's API."
    return CheckResult("api_version", CheckState.OK, text, {"versions": found})
