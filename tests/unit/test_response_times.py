"""How long responses usually take, and which took longer."""

from __future__ import annotations

import pytest
from hubspot_batch._transport.response_times import ResponseTimes


def test_a_late_response_is_noticed_and_usual_ones_are_not() -> None:
    """A packet that is sent again shows where responses come fast, and is noise where they vary."""
    fast, varied = ResponseTimes(), ResponseTimes()
    for number in range(50):
        assert fast.delay(0.005 + number % 3 / 1000) == 0
        varied.delay(0.2 + number % 7 / 5)
    assert fast.delay(0.305) == pytest.approx(0.3, abs=0.01)
    assert varied.delay(1.4) == 0


def test_nothing_is_said_of_the_first_response_or_of_a_small_delay() -> None:
    """There is nothing to compare the first one with, and limiters keep a margin."""
    times = ResponseTimes()
    assert times.delay(3.0) == 0
    fast = ResponseTimes()
    assert [fast.delay(0.0), fast.delay(0.04)] == [0, 0]
