"""How much of a rolling allowance is used, and that nothing is refused, in virtual time."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from bench.account import LEARNS, SECONDS, TOLD, Account, Client, evenly, played
from hubspot_batch import RateLimit

pytestmark = [pytest.mark.many, pytest.mark.once]

GOAL = 0.98
# A limit that no response tells counts a request until a window after its response has come, so
# that no window holds more than was told: what the responses take is not used.
TOLD_GOAL = 0.97
QUICK: dict[str, Any] = {"there": (0.01, 0.01), "back": (0.01, 0.01)}
SLOW: dict[str, Any] = {
    "there": (0.0, 0.03),
    "back": (0.47, 0.47),
    "concurrency": 32,
}
CONNECTING: dict[str, Any] = {"back": (0.02, 0.3), "connecting": 0.3}
# What a request takes by default is anything from 20 to 500 ms.
UNEVEN: dict[str, Any] = {}
LATE: dict[str, Any] = {"there": (0.0, 0.03), "back": (0.05, 0.3)}


def check(account: Account, begin: float, end: float, goal: float = GOAL) -> None:
    """No request was refused, and nearly all of the allowance was used."""
    assert account.refused("ours") == account.refused("other") == 0
    assert account.used(begin, end) >= goal


@pytest.fixture(autouse=True)
def _no_line_for_each_request(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "httpx")


@pytest.mark.parametrize(
    ("rate_limit", "way"),
    [
        (LEARNS, QUICK),
        (LEARNS, UNEVEN),
        (TOLD, UNEVEN),
        (LEARNS, SLOW),
        (LEARNS, CONNECTING),
        (TOLD, CONNECTING),
    ],
    ids=["20 ms", "20-500 ms", "20-500 ms, told", "500 ms", "connecting", "connecting, told"],
)
def test_an_allowance_of_ones_own_is_used(rate_limit: RateLimit, way: dict[str, Any]) -> None:
    """After the first window, and also when the server counts some arrivals 30 ms late."""
    account = played([Client(rate_limit, **way)], 30.0)
    check(account, 10.0, 30.0, TOLD_GOAL if rate_limit is TOLD else GOAL)
    assert account.admitted(0.0, 10.0) > 95


@pytest.mark.parametrize(
    ("after", "way", "end"),
    [
        (None, UNEVEN, 40.0),
        (1.0, LATE, 40.0),
        (5.0, UNEVEN, 40.0),
        (9.0, LATE, 40.0),
        (25.07, LATE, 70.0),
    ],
    ids=["it was there", "after 1 s", "after 5 s", "after 9 s", "after 25 s"],
)
def test_what_another_uses_is_left_to_it(
    after: float | None, way: dict[str, Any], end: float
) -> None:
    """A fifth of the allowance, whether it was there before or comes at any time later."""
    other = evenly(0.0 if after is None else 10.0 + after, end)
    account = played([other, Client(begin=10.0, **way)], end)
    check(account, 20.0, end)
    assert 18 <= account.admitted(end - 5.0, end, "other") <= 20


def test_nobody_is_told_of_more_waiting_than_there_was() -> None:
    """A wait that is looked at again on its way, since another is seen, is not told again."""
    slow = Client(RateLimit(20, SECONDS), begin=5.0, **{**QUICK, "concurrency": 1})
    account = played([evenly(0.0, 20.0), slow], 20.0)
    # The last one begins in time, and ends later.
    assert 5.0 < sum(wait.seconds for wait in account.waits) <= 20.0
