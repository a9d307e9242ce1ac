"""The rules for a retry: what may be repeated, when, and how often."""

from __future__ import annotations

import math
from typing import Any

import httpx
import pytest
from hubspot_batch import RateLimit, Retry
from hubspot_batch._engine.chunk import BatchResponse
from hubspot_batch._transport.retry import (
    DISPOSITIONS,
    Effect,
    backoff,
    disposition_of_failure,
    number,
    pause_after,
)
from hubspot_batch.outcomes import OutcomeError
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize("numbers", [(0, 10.0), (1, 0.0), (-1, 1.0)])
def test_a_rate_limit_that_allows_nothing_is_refused(numbers: tuple[int, float]) -> None:
    """It would wait without end."""
    with pytest.raises(ValueError, match="must be"):
        RateLimit(*numbers)


@pytest.mark.parametrize(
    "wrong", [{"max_attempts": 0}, {"max_elapsed": -1.0}, {"max_wait": -1.0}], ids=str
)
def test_a_retry_needs_an_attempt(wrong: dict[str, Any]) -> None:
    """The first attempt counts, and no time is negative."""
    with pytest.raises(ValueError, match="must be"):
        Retry(**wrong)


def test_every_status_that_ends_a_run_has_an_error() -> None:
    """The table of statuses and the table of errors agree."""
    ending = {status for status, meaning in DISPOSITIONS.items() if meaning.ends_run}
    assert len(ending) > 5
    for status in ending:
        refusal = OutcomeError("refused", "no", status_code=status)
        response = BatchResponse(status, DISPOSITIONS[status], lambda refusal=refusal: refusal)
        stop = response.stop("calls.create", "https://api.hubapi.com")
        assert stop is not None
        assert stop.status_code == status


@pytest.mark.parametrize(
    ("failure", "effect"),
    [
        (httpx.ConnectError, Effect.NOT_SENT),
        (httpx.ConnectTimeout, Effect.NOT_SENT),
        (httpx.PoolTimeout, Effect.NOT_SENT),
        (httpx.ProxyError, Effect.NOT_SENT),
        (httpx.UnsupportedProtocol, Effect.NOT_SENT),
        (httpx.LocalProtocolError, Effect.AMBIGUOUS),  # it can come in the middle of a body
        (httpx.ReadTimeout, Effect.AMBIGUOUS),
        (httpx.WriteTimeout, Effect.AMBIGUOUS),
        (httpx.ReadError, Effect.AMBIGUOUS),
        (httpx.WriteError, Effect.AMBIGUOUS),
        (httpx.CloseError, Effect.AMBIGUOUS),
        (httpx.RemoteProtocolError, Effect.AMBIGUOUS),
        (httpx.DecodingError, Effect.AMBIGUOUS),
    ],
)
def test_what_a_failure_means(failure: type[httpx.RequestError], effect: Effect) -> None:
    """Only what cannot have reached the server was never sent."""
    assert disposition_of_failure(failure("x")).effect is effect


def test_pauses_grow_to_ten_seconds() -> None:
    """And stay there, however often a request has been sent."""
    assert [backoff(attempt) for attempt in (1, 2, 3, 4, 5, 6, 10**6)] == [1, 2, 4, 8, 10, 10, 10]


@given(
    attempt=st.integers(1, 100),
    status=st.sampled_from([None, 423, 429, 477, 500, 503]),
    said=st.one_of(st.none(), st.text(max_size=20), st.floats().map(str), st.integers().map(str)),
    policy=st.sampled_from([None, "SECONDLY", "TEN_SECONDLY_ROLLING", 5]),
)
def test_a_pause_is_a_number_of_seconds(
    attempt: int, status: int | None, said: str | None, policy: Any
) -> None:
    """A pause is neither negative nor endless, and never too short, whatever the server says."""
    headers = {} if said is None else {"Retry-After": said}
    pause = pause_after(attempt, status, headers, policy)
    assert math.isfinite(pause)
    assert pause >= 1.0
    assert status != 423 or pause >= 2.0


@pytest.mark.parametrize(
    ("text", "value"),
    [("5", 5.0), (" 2.5 ", 2.5), ("0", 0.0)]
    + [(text, None) for text in ("", "-1", "nan", "inf", "1e3", "x", "1.2.3", "\u0665", ".")],
)
def test_numbers_in_headers(text: str, value: float | None) -> None:
    """Only a plain number is a number."""
    assert number({"X": text}, "X") == value
    assert number({}, "X") is None
