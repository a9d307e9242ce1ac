"""When a request may start: what holds for any sequence of times, answers and limits."""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hubspot_batch._transport.rate_limit import RateLimiter
from hubspot_batch.options import RateLimit
from hypothesis import given
from hypothesis import strategies as st

LIMIT = "X-HubSpot-RateLimit-"


def said(most: object, interval: object, left: object = None, today: object = None) -> dict:
    """The headers of an answer; None for one that is not there."""
    names = {"Max": most, "Interval-Milliseconds": interval, "Remaining": left}
    names["Daily-Remaining"] = today
    return {LIMIT + name: str(value) for name, value in names.items() if value is not None}


def take(limiter: RateLimiter, now: float, until: float = 1e12) -> float | None:
    """Wait for a start; return when it came, or None when that is later than some moment."""
    for _ in range(10_000):
        pause = limiter.reserve(now)
        assert pause is not None
        if pause == 0.0:
            return now
        assert pause >= 0.001, "a chain of waits of nothing can be endless"
        if now + pause > until:
            return None
        now += pause
    raise AssertionError("it waits without end")


def most_in(times: Iterable[float], seconds: float) -> int:
    """The most that any span of so many seconds holds, its ends included."""
    ordered = sorted(times)
    return max(
        sum(begin <= other <= begin + seconds for other in ordered[first:])
        for first, begin in enumerate(ordered)
    )


limits = st.builds(RateLimit, st.integers(1, 30), st.sampled_from([0.5, 1.0, 10.0]), st.booleans())
begins = st.sampled_from([0.0, 1.5, 1e6 / 3, 1.7e9 + 0.1])
# Idle times between requests; most of them go as fast as they may.
idle = st.lists(st.one_of(st.just(0.0), st.floats(0.0, 15.0)), min_size=5, max_size=80)


@given(limits, begins, idle)
def test_no_window_holds_more_starts_than_told(
    limit: RateLimit, begin: float, idle: list[float]
) -> None:
    """However they come, and wherever the window is laid."""
    limiter, now, starts = RateLimiter(limit), begin, []
    for pause in idle:
        start = take(limiter, now + pause)
        assert start is not None
        starts.append(now := start)
        limiter.abandon(now)
    assert most_in(starts, limit.seconds) <= limit.requests


headers = st.builds(
    said,
    st.one_of(st.none(), st.integers(0, 40), st.sampled_from(["", "-1", "nan", "1e9", "x"])),
    st.one_of(
        st.none(), st.sampled_from([0, 500, 1000, 10_000, "", "-5", "inf", "0x1", "9" * 400])
    ),
    st.one_of(st.none(), st.integers(0, 50), st.sampled_from(["", "-1", "nan", "9" * 30])),
)


@given(limits, begins, st.lists(st.tuples(headers, st.floats(0.0, 3.0)), max_size=40))
def test_nothing_that_headers_say_lifts_a_told_limit(
    limit: RateLimit, begin: float, answers: list[tuple[dict[str, str], float]]
) -> None:
    """They are a second bound; and none of them stops everything for good."""
    limit = RateLimit(limit.requests, limit.seconds)
    limiter, now, starts = RateLimiter(limit), begin, []
    for answer, seconds in answers:
        start = take(limiter, now)
        assert start is not None
        starts.append(start)
        limiter.abandon(start)
        now = start + seconds
        limiter.learn(start, now, answer)
    if starts:
        assert most_in(starts, limit.seconds) <= limit.requests


@given(st.integers(1, 60), st.sampled_from([1.0, 10.0]), begins, st.floats(0.0, 2.0))
def test_what_the_server_names_is_learnt(
    most: int, seconds: float, begin: float, latency: float
) -> None:
    """Whether it is more than what was told at first, or less."""
    limiter, starts = RateLimiter(RateLimit(20, 10.0, learns=True)), [begin]
    assert limiter.reserve(begin) == 0.0
    limiter.abandon(begin)
    limiter.learn(begin, begin + latency, said(most, seconds * 1000))
    now = answered = begin + latency
    while (start := take(limiter, now, answered + 5 * seconds)) is not None:
        starts.append(now := start)
        limiter.abandon(now)
    assert most_in(starts, seconds) <= most
    later = [start for start in starts if start >= answered + 2 * seconds]
    assert len(later) >= 3 * (most - 1) * seconds / (seconds + 0.05) - 3, "it is used too"


def full(limit: RateLimit, answer: dict[str, str], seconds: float = 60.0) -> list[float]:
    """The starts of a client that has much to do and meets the same answer each time."""
    limiter, now, starts = RateLimiter(limit), 0.0, []
    while (start := take(limiter, now, seconds)) is not None:
        starts.append(now := start)
        limiter.abandon(now)
        limiter.learn(start, start, answer)
    return starts


@pytest.mark.parametrize(
    "answer",
    [
        {},
        said(0, 10_000, 5),
        said("9" * 30, 10_000, 5),
        said(10, "9" * 30, 5),
        said("many", 10_000, 5),
        said(10, 0, 5),
        said("", "", ""),
        said(None, 10_000, 0),
        said(10, None, 0),
        said("-10", "-1", "-5"),
        said("nan", "inf", "nan"),
    ],
    ids=str,
)
def test_what_names_no_limit_changes_none(answer: dict[str, str]) -> None:
    """The limit that was told goes on."""
    assert len(full(RateLimit(10, 10.0, learns=True), answer)) == 60


def test_an_limiter_that_others_have_spent_is_asked_for_again_and_again() -> None:
    """One request at a time, since only an answer tells when they have stopped."""
    starts = full(RateLimit(100, 10.0), said(100, 10_000, 0))
    assert 5 <= len(starts) <= 20


def test_a_limit_that_changes_is_followed() -> None:
    """Up and down, from the next start on."""
    limiter, now = RateLimiter(RateLimit(20, 10.0, learns=True)), 0.0
    counts: list[int] = []
    for most in (50, 10, 100):
        begin, count = now, 0
        while (start := take(limiter, now, begin + 40.0)) is not None:
            count += start >= begin + 20.0
            now = start
            limiter.abandon(now)
            limiter.learn(start, start, said(most, 10_000))
        counts.append(count)
        now = begin + 40.0
    assert counts == pytest.approx([100, 20, 200], rel=0.1)


def test_a_refusal_keeps_all_from_starting() -> None:
    """Until the moment that was named, and it never ends sooner."""
    limiter = RateLimiter(None)
    assert limiter.reserve(0.0) == 0.0
    limiter.refuse(0.0, 7.0)
    limiter.refuse(0.0, 3.0)
    assert limiter.reserve(1.0) == 6.0
    assert limiter.reserve(7.0) == 0.0


@pytest.mark.parametrize("learns", [True, False])
def test_what_was_refused_does_not_count(learns: bool) -> None:
    """HubSpot counts only what it lets in; but a limit that was told is kept to the letter."""
    limiter = RateLimiter(RateLimit(2, 10.0, learns))
    for now in (0.0, 1.0):
        assert limiter.reserve(now) == 0.0
        limiter.refuse(now, 0.0)
    assert (limiter.reserve(2.0) == 0.0) is learns


@given(st.integers(0, 20), st.integers(0, 40), st.integers(0, 6))
def test_the_reserve_of_the_day_is_left(reserve: int, left: int, under_way: int) -> None:
    """Counting what has started since, and what was under way when it was said."""
    limiter = RateLimiter(None, reserve)
    limiter.learn(0.0, 0.0, said(None, None, None, None))
    for _ in range(1 + under_way):
        assert limiter.reserve(0.0) == 0.0
    limiter.abandon(0.0)
    limiter.learn(0.0, 1.0, said(None, None, None, left))
    granted = 0
    while granted < 100 and limiter.reserve(2.0) == 0.0:
        granted += 1
    assert granted == max(0, left - under_way - reserve)


def test_one_request_finds_out_what_is_left_of_the_day() -> None:
    """The others wait for its answer, and go on when it says nothing of the day."""
    limiter = RateLimiter(None, 10)
    assert limiter.reserve(0.0) == 0.0
    assert limiter.reserve(0.0) == limiter.seconds_to_sleep(0.05) == 0.05
    limiter.abandon(0.0)
    assert limiter.reserve(1.0) == 0.0  # no answer came
    assert limiter.reserve(1.0) == 0.05
    limiter.learn(1.0, 2.0, said(None, None, None, None))
    assert limiter.reserve(2.0) == 0.0


def test_what_was_said_of_the_day_is_forgotten() -> None:
    """After midnight it is no longer true, so somebody has to ask again."""
    limiter = RateLimiter(None, 10)
    assert limiter.reserve(0.0) == 0.0
    limiter.abandon(0.0)
    limiter.learn(0.0, 1.0, said(None, None, None, 10))
    assert limiter.reserve(2.0) is None
    assert limiter.reserve(3600.0) == 0.0


@pytest.mark.parametrize("answer", ["edge", "limits without the day"])
def test_an_answer_of_the_edge_says_nothing_about_the_day(answer: str) -> None:
    """Where responses told the rest of the day before, still one request finds out."""
    limiter = RateLimiter(None, 10)
    limiter.learn(0.0, 1.0, said(None, None, None, 500))
    assert limiter.reserve(3600.0) == 0.0
    limiter.abandon(3600.0)
    limits = {} if answer == "edge" else said(100, 10_000)
    limiter.learn(3600.0, 3601.0, {"CF-Ray": "8a", **limits})
    assert limiter.reserve(3602.0) == 0.0
    assert (limiter.reserve(3602.0) == 0.0) is (answer != "edge")


def test_starts_are_spread_from_the_second_half_on() -> None:
    """So that another user is let in at any time, and is seen."""
    starts = full(RateLimit(100, 10.0), said(100, 10_000), 40.0)
    assert sum(start < 1.0 for start in starts) >= 50
    assert max(b - a for a, b in pairwise(starts)) < 0.5


@given(st.permutations(range(8)))
def test_an_older_number_of_the_day_is_not_believed_over_a_newer(order: list[int]) -> None:
    """Answers to requests that were under way together come in any order."""
    limiter = RateLimiter(None, 30)
    limiter.learn(0.0, 0.0, said(None, None, None, None))
    for _ in order:
        assert limiter.reserve(0.0) == 0.0
    for number in order:
        limiter.abandon(0.0)
        limiter.learn(0.0, 1.0, said(None, None, None, 99 - number))
    granted = 0
    while granted < 100 and limiter.reserve(2.0) == 0.0:
        granted += 1
    assert granted <= 92 - 30


def test_a_slow_response_says_an_old_number_of_the_day() -> None:
    """It is no sign that its request arrived late: the server counted it before the later ones."""
    limiter = RateLimiter(RateLimit(100, 10.0), 3)
    for now in range(20):
        assert limiter.reserve(float(now)) == 0.0
        limiter.report(float(now), now + 0.1, said(100, 10_000, 99, 40 - now), None)
    assert limiter.reserve(20.0) == 0.0
    for number in range(10):
        now = 20.5 + number
        assert limiter.reserve(now) == 0.0
        limiter.report(now, now + 0.1, said(100, 10_000, 99, 19 - number), None)
    limiter.report(20.0, 30.5, said(100, 10_000, 99, 20), None)
    granted = 0
    while granted < 100 and limiter.reserve(50.0) == 0.0:
        granted += 1
    assert granted == 10 - 1 - 3  # the slow one may not have been counted


def test_the_day_begins_anew() -> None:
    """A higher number that is newer than what was known is believed."""
    limiter = RateLimiter(None, 30)
    for now, left in ((0.0, 35), (10.0, 250_000)):
        assert limiter.reserve(now) == 0.0
        limiter.abandon(now)
        limiter.learn(now, now + 1.0, said(None, None, None, left))
    assert all(limiter.reserve(12.0) == 0.0 for _ in range(50))


def test_only_a_few_late_starts_are_made_up_for() -> None:
    """Else an idle moment would end in a burst, which keeps others out."""
    limiter, now = RateLimiter(RateLimit(100, 10.0)), 0.0
    while (start := take(limiter, now, 25.0)) is not None:
        now = start
        limiter.abandon(now)
        limiter.learn(start, start, said(100, 10_000, 50))
    begin = now = now + 3.0
    late = 0
    while (start := take(limiter, now, begin + 0.05)) is not None:
        now, late = start, late + 1
        limiter.abandon(now)
    assert 2 <= late <= 6


@pytest.mark.parametrize("tick", [0.0, 0.5])
def test_a_response_that_may_be_older_is_not_believed(tick: float) -> None:
    """Of two that cross each other, the lower number counts, also if the clock stood still."""
    limiter = RateLimiter(None, 10)
    assert limiter.reserve(0.0) == 0.0
    limiter.report(0.0, 0.0, said(None, None, None, 50), None)
    assert [limiter.reserve(0.0), limiter.reserve(0.0)] == [0.0, 0.0]
    limiter.report(0.0, tick, said(None, None, None, 48), None)
    limiter.report(0.0, 2 * tick, said(None, None, None, 49), None)
    starts = 0
    while limiter.reserve(2 * tick) == 0.0:
        starts += 1
    assert starts <= 48 - 10


@pytest.mark.parametrize("at_once", [1, 3, 8])
@pytest.mark.parametrize("jitter", [0.0, 0.02, 0.3, 2.0])
@given(
    limit=st.builds(RateLimit, st.integers(1, 12), st.sampled_from([1.0, 10.0]), st.booleans()),
    latency=st.sampled_from([0.0, 0.05, 0.4, 1.5]),
    seed=st.integers(0, 10_000),
)
def test_no_window_of_the_server_holds_more_arrivals_than_told(
    limit: RateLimit, latency: float, seed: int, jitter: float, at_once: int
) -> None:
    """Nothing but the told limit is known, and requests take their time on the way."""
    limiter, now, rng = RateLimiter(limit), 0.0, random.Random(seed)
    arrivals: list[float] = []
    under_way: list[tuple[float, float]] = []

    def end_until(moment: float) -> None:
        for ended, started in sorted(under_way):
            if ended <= moment:
                under_way.remove((ended, started))
                limiter.report(started, ended, {"Date": "today"}, None)

    for _ in range(60):
        while True:
            if len(under_way) == at_once:
                now = max(now, min(under_way)[0])
            end_until(now)
            pause = limiter.reserve(now)
            assert pause is not None
            if pause == 0.0:
                break
            now += limiter.seconds_to_sleep(pause)
        arrival = now + latency / 2 + rng.random() * jitter
        arrivals.append(arrival)
        under_way.append((arrival + latency / 2 + rng.random() * jitter, now))
    assert most_in(arrivals, limit.seconds) <= limit.requests


def rolling(limit: int, seconds: float, told: RateLimit, until: float) -> tuple[int, int, int]:
    """Requests, refused ones and the most in a window, of a server that names no limit."""
    limiter, now, accepted = RateLimiter(told), 0.0, list[float]()
    refused = count = 0
    while (start := take(limiter, now, until)) is not None:
        now, count = start, count + 1
        if sum(start - other < seconds for other in accepted) >= limit:
            refused += 1
            limiter.report(start, start, {"Date": "today"}, start + seconds)
        else:
            accepted.append(start)
            limiter.report(start, start, {"Date": "today"}, None)
    return count, refused, round(most_in(accepted, seconds))


@pytest.mark.parametrize("learns", [True, False])
def test_after_a_429_less_is_sent(learns: bool) -> None:
    """Half of the told limit is accepted: few are refused, and most of that half is used."""
    count, refused, _ = rolling(50, 10.0, RateLimit(100, 10.0, learns), 600.0)
    assert refused / count < 0.01
    assert count - refused > 0.7 * 50 * 60


def test_what_is_accepted_again_is_used_again() -> None:
    """The limit that was told comes back, step by step."""
    limiter = RateLimiter(RateLimit(100, 10.0))
    for number in range(40):
        assert limiter.reserve(number / 1000) == 0.0
        limiter.report(number / 1000, number / 1000, {}, None)
    assert limiter.reserve(0.05) == 0.0
    limiter.report(0.05, 0.05, {}, 10.05)

    def burst(begin: float) -> int:
        count = 0
        while limiter.reserve(begin) == 0.0:
            limiter.report(begin, begin, {}, None)
            count += 1
        return count

    counts = [burst(begin) for begin in (20.0, 40.0, 200.0, 4000.0)]
    assert counts[0] == counts[1] == 50, "never less than half at once"
    assert counts[1] < counts[2] < counts[3] == 100


def test_requests_that_are_refused_together_are_one_refusal() -> None:
    """The limit is not cut once for each of them."""
    limiter = RateLimiter(RateLimit(100, 10.0))
    for _ in range(88):
        assert limiter.reserve(0.0) == 0.0
    for _ in range(80):
        limiter.report(0.0, 0.1, {}, None)
    for _ in range(8):
        limiter.report(0.0, 0.1, {}, 10.0)
    count = 0
    while limiter.reserve(20.0) == 0.0:
        limiter.report(20.0, 20.0, {}, None)
        count += 1
    assert 50 <= count <= 80


def test_a_request_that_was_given_up_may_have_arrived_until_now() -> None:
    """Its response is not waited for any more, and it fills the window nevertheless."""
    limiter = RateLimiter(RateLimit(1, 10.0))
    assert limiter.reserve(0.0) == 0.0
    limiter.abandon(0.0)
    assert limiter.reserve(3.0) == pytest.approx(10.05)
    assert limiter.reserve(13.1) == 0.0


def test_a_request_that_was_overtaken_shows_no_other_program() -> None:
    """It arrived after later ones of the same client, so the server had counted those too."""
    limiter, now, left = RateLimiter(RateLimit(100, 10.0)), 0.0, 100
    for _ in range(60):
        start = take(limiter, now)
        assert start is not None
        left -= 1
        limiter.report(start, start + 0.005, said(100, 10_000, left), None)
        now = start + 0.01
    slow = take(limiter, now)
    later = [take(limiter, now + 0.01) for _ in range(5)]
    assert slow is not None
    assert None not in later
    ends = max(one for one in later if one is not None) + 0.3
    limiter.report(slow, ends, said(100, 10_000, left - 6), None)
    assert limiter.seconds_to_sleep(9.0) == 9.0  # it would ask again soon
