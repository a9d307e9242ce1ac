"""How fast, and how often."""

from __future__ import annotations

import httpx
import pytest
from hubspot_batch import RateLimit, Retry
from hubspot_batch.policies import Fate, Window, fate_of
from hypothesis import given
from hypothesis import strategies as st


@given(
    requests=st.integers(1, 8),
    seconds=st.floats(0.1, 100),
    gaps=st.lists(st.floats(0, 20), max_size=60),
)
def test_no_window_holds_more_starts_than_allowed(
    requests: int, seconds: float, gaps: list[float]
) -> None:
    """Neither a calendar window nor any other; nobody waits longer than that and a margin."""
    window = Window(RateLimit(requests, seconds))
    now = 0.0
    starts: list[float] = []
    for gap in gaps:
        now += gap
        delay = window.reserve(now)
        assert delay >= 0
        now += delay
        starts.append(now)
        if len(starts) > requests:
            apart = starts[-1] - starts[-1 - requests]
            assert apart >= seconds * (1 - 1e-9) - 1e-9
            assert delay == 0 or apart == pytest.approx(seconds + 0.05)


def test_starts_can_be_reserved_ahead() -> None:
    """Two that ask at the same time get different starts."""
    window = Window(RateLimit(1, 10.0))
    assert [window.reserve(0.0) for _ in range(3)] == pytest.approx([0.0, 10.05, 20.1])


@pytest.mark.parametrize("numbers", [(0, 10.0), (1, 0.0), (-1, 1.0)])
def test_a_rate_limit_that_allows_nothing_is_refused(numbers: tuple[int, float]) -> None:
    """It would wait for ever."""
    with pytest.raises(ValueError, match="must be"):
        RateLimit(*numbers)


def test_a_retry_needs_an_attempt() -> None:
    """The first attempt counts."""
    with pytest.raises(ValueError, match="must be"):
        Retry(max_attempts=0)


@pytest.mark.parametrize(
    ("failure", "fate"),
    [
        (httpx.ConnectError, Fate.NEVER_SENT),
        (httpx.ConnectTimeout, Fate.NEVER_SENT),
        (httpx.PoolTimeout, Fate.NEVER_SENT),
        (httpx.ProxyError, Fate.NEVER_SENT),
        (httpx.UnsupportedProtocol, Fate.NEVER_SENT),
        (httpx.LocalProtocolError, Fate.MAYBE_DONE),  # it can come in the middle of a body
        (httpx.ReadTimeout, Fate.MAYBE_DONE),
        (httpx.WriteTimeout, Fate.MAYBE_DONE),
        (httpx.ReadError, Fate.MAYBE_DONE),
        (httpx.WriteError, Fate.MAYBE_DONE),
        (httpx.CloseError, Fate.MAYBE_DONE),
        (httpx.RemoteProtocolError, Fate.MAYBE_DONE),
        (httpx.DecodingError, Fate.MAYBE_DONE),
    ],
)
def test_what_a_failure_means(failure: type[httpx.RequestError], fate: Fate) -> None:
    """Only what cannot have reached the server was never sent."""
    assert fate_of(failure("x")) is fate
