"""The rule by which several processes share a rate limit.

This module decides which start a process is given. It is pure: the state and the store's time are
handed in. All times are whole milliseconds of the store, because only a store has one clock for all
processes. `allowance.lua` is the same rule for Redis; a test compares their replies.

The starts of the last window are kept in order, together with those that are promised. A process
asks once for each request, and is given the next free start, so the first to ask is the first to
send. Margin and spacing are those of `_transport.rate_limit`.

HubSpot's rules: https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from typing import NamedTuple

from attrs import define, field

# Added to each window, because the server's clock can run faster, and requests arrive late.
MARGIN = 50
# A process asks again before it uses a start that was promised more than this long ago.
CONFIRM_AFTER = 1_000
# How many evenly spaced starts that came late may be made up for at once.
_CATCH_UP = 4
# One request in this many stays free, so the first requests of another program get in and are seen.
_ONE_FREE_IN = 95
# From this limit on, at least one stays free, because some requests arrive later than others.
_SMALL_LIMIT = 20
# For how long the use of others is added up. If it grew for longer, it is expected to go on.
_GROWTH_PERIOD = 1_000
# If it grew, this many more stay free than it will grow by.
_GROWING_MORE = 3
# A window begins with this share of the limit at once; the other starts are spaced evenly.
_FIRST_BURST = 0.5
# So many responses in a row must agree about others, if they are told within the growth period. Our
# own requests overtake each other, and the server has then counted some that started later.
_AGREEING = 3
# For how long the number of requests left for the day is believed: midnight resets it.
_DAY_VALID = 900_000
# When to ask again while another request finds out how many are left for the day.
_ASK_AGAIN = 50
# Within this time after a process found the store again, the others find it, too. Until then they
# go on without it, so it gives no start.
_RECONNECT_TIME = 1_300


class LimitReport(NamedTuple):
    """The content of a response about limits; -1 where it said nothing.

    Attributes:
        start: When the request started; 0 if no store knows.
        requests, milliseconds: The server's limit.
        left: Requests that are left of it.
        left_today: Requests that are left for the day.
        refused_for: If the server refused it as too many, how long all must wait; else 0.
        delay: How long after its start the request may have arrived, at most.
    """

    start: int
    requests: int
    milliseconds: int
    left: int
    left_today: int
    refused_for: int
    delay: int = 0


class AllowanceRequest(NamedTuple):
    """The request of a process for a start, with its reports.

    Attributes:
        worker: The name of the process.
        known_state: When the state that it knows was made; 0 if it knows none.
        wants: Whether it wants a start.
        promised: The start that it was promised; 0 for none.
        requests, milliseconds: The limit that its user set or assumes.
        learns: Whether the server's limit replaces that one.
        reserve: Requests of the day that are left to others; -1 to use all.
        offline: How long ago it started each request that the store was not asked about.
        reports: What responses said.
        unused: Starts that it was promised for requests that were cancelled.
        expires: When it will have given up waiting for the reply, by the store's time as it reckons
            it; 0 if it knows no such time.
    """

    worker: str
    known_state: int
    wants: bool
    promised: int
    requests: int
    milliseconds: int
    learns: bool
    reserve: int
    offline: tuple[int, ...] = ()
    reports: tuple[LimitReport, ...] = ()
    unused: tuple[int, ...] = ()
    expires: int = 0


class AllowanceReply(NamedTuple):
    """The reply to a process.

    Attributes:
        now: The store's time.
        start: When its request may start; 0 for none, see `again`.
        again: When it is to ask again, if it was given no start; 0 if the day is spent, and -1 if
            the question had expired: then nothing of it was taken in.
        state_id: When the state began, which names it.
        paused_until: Until when no request starts.
        workers: How many processes share the allowance.
        requests, milliseconds: How many requests of them all a window may hold, and its length.
        even_from: From when starts are spaced evenly.
    """

    now: int
    start: int
    again: int
    state_id: int
    paused_until: int
    workers: int
    requests: int
    milliseconds: int
    even_from: int


@define
class AllowanceState:
    """The state that a store keeps.

    Attributes:
        created: When it began.
        now: When it was last asked.
        starts: When requests started, or will, in order.
        free: The starts that processes have given back.
        incomplete_until: Until when some starts without the store may not be reported yet.
        begun: The start of the first window after a pause.
        next_even: When the next start is due at an even pace.
        paused_until: Until when no request starts.
        others: When other programs were seen, and how many requests they used.
        said: When the last responses were told, and what they said of others.
        requests, milliseconds: The limit that the server named; 0 if it named none.
        left_today: Requests left for the day; -1 if unknown.
        left_at: When that was said.
        day_reported_at: When the request started whose response said that.
        day_is_reported: Whether responses have that number; with OAuth they do not.
        reserve: The largest number of requests of the day that a process leaves to others.
        workers: When each process last asked.
    """

    created: int
    now: int
    starts: list[int] = field(factory=list[int])
    free: list[int] = field(factory=list[int])
    incomplete_until: int = 0
    begun: int = 0
    next_even: int = 0
    paused_until: int = 0
    others: list[list[int]] = field(factory=list[list[int]])
    said: list[list[int]] = field(factory=list[list[int]])
    requests: int = 0
    milliseconds: int = 0
    left_today: int = -1
    left_at: int = 0
    day_reported_at: int = 0
    day_is_reported: bool = True
    reserve: int = -1
    workers: dict[str, int] = field(factory=dict[str, int])


def decide(
    state: AllowanceState | None, now: int, ask: AllowanceRequest
) -> tuple[AllowanceState, AllowanceReply]:
    """Take in the reports of a process, and give it a start if it wants one."""
    # If the clock went back, the machine was restarted.
    if state is None or now < state.now:
        state = AllowanceState(now, now)
    if 0 < ask.expires < now:
        # A store that was frozen reads requests whose processes have given up by now.
        return state, AllowanceReply(now, 0, -1, state.created, state.paused_until, 0, 0, 0, 0)
    state.now = now
    if ask.known_state and ask.known_state != state.created:
        # The store has lost what it knew: the last window may have been full.
        lost = max(ask.milliseconds, state.milliseconds, 10_000) + MARGIN
        state.paused_until = max(state.paused_until, state.created + lost)
    for ago in ask.offline:
        insort(state.starts, now - ago)
    if ask.offline:
        if now > state.incomplete_until + max(ask.milliseconds, state.milliseconds):
            state.paused_until = max(state.paused_until, now + _RECONNECT_TIME)
        state.incomplete_until = now + _RECONNECT_TIME
    unused = ask.unused if ask.known_state == state.created else ()
    state.free = sorted(start for start in {*state.free, *unused} if start >= now)
    for report in ask.reports:
        _learn(state, now, report, ask)
    limits = _limits(state, ask)
    longest = max(milliseconds for _, milliseconds in limits) + MARGIN
    del state.starts[: bisect_right(state.starts, now - longest)]
    state.workers[ask.worker] = now
    state.workers = {name: seen for name, seen in state.workers.items() if now - seen < 2 * longest}
    state.reserve = max(state.reserve, ask.reserve)
    allowed = _allowed(state, limits[0][0], now)
    if any(count for _, count in state.others):
        _take_back(state, now, allowed, limits[0][1])
    start = again = 0
    if ask.wants:
        promised = ask.promised if ask.known_state == state.created else 0
        start, again = _give_start(state, now, promised, limits, allowed)
    return state, AllowanceReply(
        now,
        start,
        again,
        state.created,
        state.paused_until,
        len(state.workers),
        allowed,
        limits[0][1],
        state.begun + limits[0][1] + MARGIN,
    )


def _limits(state: AllowanceState, ask: AllowanceRequest) -> list[tuple[int, int]]:
    """Return the limits in force; the first one spaces the starts."""
    own, server = (ask.requests, ask.milliseconds), (state.requests, state.milliseconds)
    if not state.requests:
        return [own]
    return [server] if ask.learns else [server, own]


def _allowed(state: AllowanceState, requests: int, now: int) -> int:
    """Return how many starts of these processes a window may hold."""
    span = (state.milliseconds or 0) + _GROWTH_PERIOD
    state.others = [seen for seen in state.others if seen[0] > now - span]
    others = max((count for _, count in state.others), default=0)
    if not others:
        free = requests // _ONE_FREE_IN or int(requests >= _SMALL_LIMIT)
    else:
        before = [count for when, count in state.others if when <= now - _GROWTH_PERIOD]
        growth = others - max(before, default=others)
        # It goes on until responses show it, and until the firmly promised starts are over.
        free = 2 * growth + _GROWING_MORE if growth > 0 else 1
    return max(1, requests - others - free)


def _take_back(state: AllowanceState, now: int, allowed: int, milliseconds: int) -> None:
    """Take promised starts back that a window has no room for, since others use more by now.

    A process that was promised one of these asks again before it uses it, so the first promised is
    the first to get another one.
    """
    starts = state.starts
    first = bisect_right(starts, now + CONFIRM_AFTER)
    for at in range(max(first, allowed), len(starts)):
        if starts[at] - starts[at - allowed] < milliseconds:
            del starts[at:]
            return


def _give_start(
    state: AllowanceState, now: int, promised: int, limits: list[tuple[int, int]], allowed: int
) -> tuple[int, int]:
    """Return the next start, or when to ask again."""
    span = limits[0][1] + MARGIN
    if promised and promised in state.starts:
        if state.paused_until <= now <= promised + MARGIN:
            return promised, 0
        state.starts.remove(promised)
        if state.paused_until <= now and (not state.starts or state.starts[-1] < promised + span):
            # Its start has passed. The last start is inside the window, so it may go now.
            insort(state.starts, now)
            return now, 0
    elif (again := _check_day(state, now)) is not None:
        return 0, again
    # A returned start obeys only the server's limit, so it is no use where the user set one.
    while state.free and len(limits) == 1:
        start = state.free.pop(0)
        if start >= state.paused_until and start in state.starts:
            return start, 0
    start = _next_start(state, now, limits, allowed)
    if start > now + span and any(count for _, count in state.others):
        # What others use can change before then, so nothing that far ahead is promised.
        return 0, now + span // 4
    if not promised and state.left_today >= 0:
        state.left_today -= 1
    state.starts.append(start)
    # Rounded down: the window itself holds back what would be too many.
    state.next_even = max(state.next_even, start) + math.floor(span / allowed)
    return start, 0


def _check_day(state: AllowanceState, now: int) -> int | None:
    """Return None if the day allows a start, 0 if it is spent, or else when to ask again."""
    if state.reserve < 0:
        return None
    if now - state.left_at > _DAY_VALID:
        state.left_today = -1
    if state.left_today >= 0:
        return 0 if state.left_today <= state.reserve else None
    # One request finds out how many are left, and the others wait for its response.
    return now + _ASK_AGAIN if state.day_is_reported and state.starts else None


def _next_start(
    state: AllowanceState, now: int, limits: list[tuple[int, int]], allowed: int
) -> int:
    """Return when the next request may start."""
    span = limits[0][1] + MARGIN
    count = len(state.starts)
    moment = max(now, state.paused_until)
    if not count:
        state.begun = now
        last = now
    else:
        last = state.starts[-1]
        moment = max(moment, last)
    for number, (requests, milliseconds) in enumerate(limits):
        most = allowed if number == 0 else requests
        if count >= most:
            moment = max(moment, state.starts[count - most] + milliseconds + MARGIN)
    end = state.begun + span
    # A new state says nothing of what was sent before it, so it begins without a burst.
    burst = 1 if state.begun == state.created else allowed * _FIRST_BURST
    if moment >= end:
        moment = max(moment, math.ceil(state.next_even - _CATCH_UP * span / allowed))
    elif burst <= count < allowed:
        moment = max(moment, math.ceil(last + (end - last) / (allowed - count + 1)))
    return moment


def _learn(state: AllowanceState, now: int, report: LimitReport, ask: AllowanceRequest) -> None:
    """Take in what a response said."""
    began = report.start
    later = len(state.starts) - bisect_right(state.starts, began)
    delay = report.delay if report.start in state.starts else 0
    if delay:
        # The server counts a request from its arrival on, and it counted ours that came before.
        state.starts.remove(report.start)
        report = report._replace(start=report.start + delay)
        insort(state.starts, report.start)
    if report.requests > 0 and report.milliseconds > 0:
        state.requests, state.milliseconds = report.requests, report.milliseconds
        # If not all of our starts are known, the use by others is unknown too.
        known = report.start >= state.created and report.start > state.incomplete_until
        if report.left >= 0 and known:
            ours = bisect_right(state.starts, report.start + MARGIN) - bisect_right(
                state.starts, began - state.milliseconds - MARGIN
            )
            _note_others(state, now, max(0, report.requests - report.left - ours))
    if report.refused_for > 0:
        state.paused_until = max(state.paused_until, now + report.refused_for)
        if ask.learns and report.start in state.starts:
            state.starts.remove(report.start)  # a refused request does not count
        # A process that was promised one of these asks again before it uses it.
        state.starts = [start for start in state.starts if start <= now + CONFIRM_AFTER]
    state.day_is_reported = report.left_today >= 0 or (
        report.requests < 0 and state.day_is_reported
    )
    if report.left_today >= 0:
        # The server may not have counted the requests that started later. By its start, not by
        # when it seems to have arrived: a response that was only slow has an old number.
        left = max(0, report.left_today - later)
        if state.left_today >= 0 and began <= state.day_reported_at:
            left = min(left, state.left_today)
        else:
            state.day_reported_at = began
        state.left_today, state.left_at = left, now


def _note_others(state: AllowanceState, now: int, count: int) -> None:
    """Note how many requests other programs used; the largest number of each second."""
    lately = [one for one in state.said if one[0] > now - _GROWTH_PERIOD]
    state.said = [*lately, [now, count]][-_AGREEING:]
    count = min(count for _, count in state.said)
    second = now - now % _GROWTH_PERIOD
    if state.others and state.others[-1][0] == second:
        state.others[-1][1] = max(state.others[-1][1], count)
    else:
        state.others.append([second, count])
