"""The rule of a shared allowance, with many workers in simulated time."""

from __future__ import annotations

import heapq
import random
from collections import deque
from itertools import pairwise
from typing import Any

import pytest
from hubspot_batch.integrations.allowance_rule import (
    MARGIN,
    AllowanceReply,
    AllowanceRequest,
    AllowanceState,
    LimitReport,
    decide,
)
from hypothesis import given, settings
from hypothesis import strategies as st

TOLD = (100, 10_000)


def asking(worker: str = "a", **changes: Any) -> AllowanceRequest:
    """Return the question of a worker that has not asked before."""
    ask = AllowanceRequest(
        worker,
        0,
        wants=True,
        promised=0,
        requests=100,
        milliseconds=10_000,
        learns=True,
        reserve=-1,
    )
    return ask._replace(**changes)


class Server:
    """Counts arrivals in a rolling window, as HubSpot does, and those of other programs too."""

    def __init__(self, requests: int, milliseconds: int) -> None:
        self.requests, self.milliseconds = requests, milliseconds
        self.accepted: deque[int] = deque()
        self.worst = self.refused = 0

    def arrive(self, now: int) -> int:
        """Return how many requests are left; -1 if this one was refused."""
        while self.accepted and now - self.accepted[0] >= self.milliseconds:
            self.accepted.popleft()
        if len(self.accepted) >= self.requests:
            self.refused += 1
            return -1
        self.accepted.append(now)
        self.worst = max(self.worst, len(self.accepted))
        return self.requests - len(self.accepted)


class Simulation:
    """Simulation that ask, wait, send, report with the next ask, and begin again."""

    def __init__(self, workers: int, server: Server, seed: int, latency: int = 30) -> None:
        self.server, self.latency = server, latency
        # One request in so many arrives late, and its worker tells by how much; 0 for none.
        self.one_late_in = 0
        self.delays: dict[int, int] = {}
        self.rng = random.Random(seed)
        self.state: AllowanceState | None = None
        self.known_state = dict.fromkeys(range(workers), 0)
        self.reports: dict[int, list[LimitReport]] = {worker: [] for worker in range(workers)}
        self.sent = dict.fromkeys(range(workers), 0)
        self.order: list[int] = []
        # Simulation that are now and then stopped while they wait, and how often they woke late.
        self.frozen: set[int] = set()
        self.woken = 0
        # Simulation that give up while they wait, and how often they did.
        self.cancelling: set[int] = set()
        self.left = 0
        # When, a number for equal moments, what happens, and to whom.
        self.events: list[tuple[int, int, str, int, int]] = []
        self.count = 0
        for worker in range(workers):
            self.at(1_000 + self.rng.randrange(200), "ask", worker)

    def at(self, when: int, what: str, worker: int, start: int = 0) -> None:
        """Let something happen."""
        self.count += 1
        heapq.heappush(self.events, (when, self.count, what, worker, start))

    def run(self, until: int) -> None:
        """Let time pass."""
        while self.events and self.events[0][0] <= until:
            now, _, what, worker, start = heapq.heappop(self.events)
            if what == "empty":
                self.state = None
            elif what == "other":
                self.server.arrive(now)
            elif what == "arrive":
                left = self.server.arrive(now)
                refused = 0 if left >= 0 else self.server.milliseconds
                limit = self.server.requests, self.server.milliseconds
                delay = self.delays.pop(start, 0)
                self.reports[worker].append(
                    LimitReport(start, *limit, max(left, 0), -1, refused, delay)
                )
                self.sent[worker] += 1
                self.at(now + self.rng.randrange(self.latency + 1), "ask", worker)
            else:
                self.ask(now, worker, promised=start)

    def ask(self, now: int, worker: int, promised: int) -> None:
        told = tuple(self.reports[worker])
        self.reports[worker].clear()
        ask = asking(
            str(worker), known_state=self.known_state[worker], reports=told, promised=promised
        )
        self.state, reply = decide(self.state, now, ask)
        self.known_state[worker] = reply.state_id
        if reply.start > now + 1000:
            self.at(reply.start, "ask", worker, reply.start)  # it confirms what was long ago
        elif worker in self.frozen and reply.start > now and self.rng.random() < 0.5:
            self.woken += 1
            self.at(reply.start + 1_500, "ask", worker, reply.start)
        elif not reply.start:
            self.at(reply.again, "ask", worker)
        elif worker in self.cancelling and reply.start > now and self.rng.random() < 0.5:
            self.left += 1
            back = asking(
                str(worker), known_state=reply.state_id, wants=False, unused=(reply.start,)
            )
            self.state, _ = decide(self.state, now, back)
            self.at(now + 1, "ask", worker)
        else:
            self.order.append(reply.start)
            arrives = max(now, reply.start) + self.rng.randrange(20)
            if self.one_late_in and self.rng.randrange(self.one_late_in) == 0:
                self.delays[reply.start] = self.rng.randrange(60, 300)
                arrives += self.delays[reply.start]
            self.at(arrives, "arrive", worker, reply.start)


@settings(max_examples=30, deadline=None)
@given(
    workers=st.integers(1, 60),
    requests=st.integers(20, 250),
    seed=st.integers(0, 1000),
)
def test_no_window_is_over_the_limit(workers: int, requests: int, seed: int) -> None:
    """With any number of workers, nothing is refused, and each worker gets as much as any other."""
    server = Server(requests, 10_000)
    simulation = Simulation(workers, server, seed)
    simulation.state = AllowanceState(0, 0, requests=requests, milliseconds=10_000)
    simulation.run(20_000)
    before = dict(simulation.sent)
    simulation.run(80_000)
    assert server.refused == 0
    assert server.worst <= requests
    if workers * 10_000 // 50 > 2 * requests:  # there are enough workers to use all
        assert len(server.accepted) >= 0.95 * requests - 2
    shares = [simulation.sent[worker] - before[worker] for worker in before]
    assert max(shares) - min(shares) <= max(2, 0.2 * max(shares))


def test_the_whole_limit_is_used() -> None:
    """After the first window, 98 % of it."""
    server = Server(190, 10_000)
    simulation = Simulation(16, server, 1)
    simulation.run(12_000)
    before = sum(simulation.sent.values())
    simulation.run(112_000)
    assert sum(simulation.sent.values()) - before >= 0.98 * 1900
    assert server.refused == 0


def test_requests_that_arrive_late_are_not_those_of_another_program() -> None:
    """The server counts some of ours before them, and the whole limit is used anyway."""
    server = Server(190, 10_000)
    simulation = Simulation(16, server, 1)
    simulation.one_late_in = 20
    simulation.run(12_000)
    before = sum(simulation.sent.values())
    simulation.run(112_000)
    assert sum(simulation.sent.values()) - before >= 0.978 * 1900
    assert server.refused == 0


def test_a_late_request_counts_from_its_arrival_on() -> None:
    """It may be in the server's window for longer than its start is."""
    state, first = decide(None, 1000, asking(requests=1))
    told = LimitReport(first.start, 1, 10_000, 0, -1, 0, 700)
    state, reply = decide(
        state, 1800, asking(requests=1, known_state=first.state_id, reports=(told,))
    )
    assert (state.starts[0], reply.start) == (1700, 1700 + 10_000 + MARGIN)


def test_one_response_alone_shows_no_other_program() -> None:
    """Three must agree: a request of ours may have been overtaken by others of ours."""
    state, first = decide(None, 20_000, asking())
    seen = list[int]()
    for number, left in enumerate((99, 94, 94, 94, 99)):
        told = LimitReport(first.start, 100, 10_000, left, -1, 0)
        ask = asking(known_state=first.state_id, wants=False, reports=(told,))
        state, _ = decide(state, 20_100 + number, ask)
        seen.append(state.others[-1][1])
    assert seen == [0, 0, 0, 5, 5]


def test_a_thousand_workers_are_served_in_turn() -> None:
    """Once all have asked, none sends twice before each has sent."""
    server = Server(190, 10_000)
    simulation = Simulation(1000, server, 1)
    simulation.run(60_000)
    before = dict(simulation.sent)
    simulation.run(200_000)
    assert server.refused == 0
    shares = [simulation.sent[worker] - before[worker] for worker in before]
    assert max(shares) - min(shares) <= 2


def test_starts_are_given_in_the_order_of_asking() -> None:
    """The first to ask is the first to send."""
    state, starts = None, []
    for number in range(300):
        state, reply = decide(state, 1000 + number, asking(str(number)))
        starts.append(reply.start)
    assert starts == sorted(starts)
    assert all(b - a > 10_000 for a, b in zip(starts, starts[100:], strict=False))


def test_what_others_use_is_left_to_them() -> None:
    """A second application that uses a fifth is not kept out, and nothing is refused."""
    server = Server(190, 10_000)
    simulation = Simulation(8, server, 3)
    for when in range(1_000, 100_000, 263):
        simulation.at(when, "other", 0)
    simulation.run(100_000)
    assert server.refused == 0
    assert sum(simulation.sent.values()) >= 0.93 * 0.8 * 1900


def test_promises_are_taken_back_when_others_use_more() -> None:
    """Starts that are promised far ahead leave no room for a program that comes meanwhile."""
    server = Server(190, 10_000)
    simulation = Simulation(64, server, 3)
    for when in range(1_000, 60_000, 263):
        simulation.at(when, "other", 0)
    simulation.run(60_000)
    assert server.refused == 0
    assert sum(simulation.sent.values()) >= 0.9 * 0.8 * 1140


def test_a_store_that_comes_back_empty_makes_all_pause() -> None:
    """No window is over the limit, because none starts for one window."""
    server = Server(190, 10_000)
    simulation = Simulation(8, server, 4)
    simulation.at(30_000, "empty", 0)
    simulation.run(80_000)
    assert server.refused == 0
    late = [start for start in simulation.order if 30_500 < start < 30_000 + 10_000]
    assert late == []
    assert max(simulation.order) > 75_000


def test_a_frozen_worker_overfills_no_window() -> None:
    """Those that wake too late ask again, and each of them starts at once."""
    server = Server(50, 2_000)
    simulation = Simulation(8, server, 5)
    simulation.frozen = {2, 3}
    simulation.run(60_000)
    assert server.refused == 0
    assert simulation.woken > 10
    assert sum(simulation.sent.values()) > 0.9 * 29 * 48


def test_a_refusal_makes_all_wait() -> None:
    """None is given a start before it ends, and promised ones are given anew."""
    state, first = decide(None, 1000, asking("a"))
    promised = first
    for number in range(60):
        state, promised = decide(state, 1100, asking(str(number), known_state=first.state_id))
    assert promised.start > 2_100
    told = LimitReport(first.start, 100, 10_000, 0, -1, 7_000)
    state, reply = decide(
        state, 1200, asking("a", known_state=first.state_id, wants=False, reports=(told,))
    )
    assert reply.paused_until == 8_200
    assert max(state.starts) <= 2_200
    _, reply = decide(
        state, promised.start, asking("59", known_state=first.state_id, promised=promised.start)
    )
    assert reply.start >= 8_200


def test_a_start_that_is_given_back_goes_to_the_next_who_asks() -> None:
    """It is given once, and not after its time; another state knows nothing of it."""
    state, replies = None, list[AllowanceReply]()
    for number in range(120):
        state, reply = decide(state, 1000, asking(str(number)))
        replies.append(reply)
    back, known_state = replies[80].start, reply.state_id
    count = len(state.starts)
    state, _ = decide(
        state, 1100, asking("80", known_state=known_state - 1, wants=False, unused=(back,))
    )
    assert state.free == []
    state.paused_until = 0
    state, _ = decide(
        state, 1100, asking("80", known_state=known_state, wants=False, unused=(back,))
    )
    state, next_one = decide(state, 1200, asking("a", known_state=known_state))
    assert (next_one.start, len(state.starts)) == (back, count)
    _, behind = decide(state, 1200, asking("b", known_state=known_state))
    assert behind.start >= replies[-1].start
    state, _ = decide(
        state, 1300, asking("9", known_state=known_state, wants=False, unused=(back,))
    )
    _, late = decide(state, back + 1, asking("c", known_state=known_state))
    assert late.start > back + 1


def test_requests_that_are_cancelled_overfill_no_window() -> None:
    """And what they give back is used by others."""
    server = Server(50, 2_000)
    simulation = Simulation(12, server, 5)
    simulation.cancelling = {1, 2, 3}
    simulation.run(60_000)
    assert server.refused == 0
    assert simulation.left > 50
    assert sum(simulation.sent.values()) > 0.95 * 29 * 48


def test_a_worker_that_wakes_too_late_starts_now() -> None:
    """Its old start counts no more."""
    state, one = decide(None, 1000, asking("a"))
    state, two = decide(state, 1000, asking("b", known_state=one.state_id))
    late = two.start + 1_500
    state, reply = decide(state, late, asking("b", known_state=one.state_id, promised=two.start))
    assert reply.start == late
    assert state.starts == [one.start, late]


def test_a_late_start_never_fills_a_window_that_is_promised() -> None:
    """It is given a new start if others were promised what its old one would free."""
    state, replies = None, list[AllowanceReply]()
    for number in range(150):
        state, reply = decide(state, 1000, asking(str(number)))
        replies.append(reply)
    promised_start = replies[1].start
    _, reply = decide(
        state,
        promised_start + 2_000,
        asking("1", known_state=reply.state_id, promised=promised_start, reports=()),
    )
    assert reply.start >= replies[-1].start


def test_the_rest_of_the_day_is_shared() -> None:
    """The rest that one worker learns stops all of them at the largest reserve."""
    state, first = decide(None, 1000, asking("a", reserve=10))
    state, waits = decide(state, 1000, asking("b", known_state=first.state_id, reserve=5))
    assert (waits.start, waits.again) == (0, 1050)
    told = LimitReport(first.start, 100, 10_000, 99, 12, 0)
    given_ = 0
    for number in range(5):
        ask = asking(
            "b", known_state=first.state_id, reserve=5, reports=(told,) if not number else ()
        )
        state, reply = decide(state, 2000 + number, ask)
        given_ += reply.start > 0
    assert given_ == 2
    assert (reply.start, reply.again) == (0, 0)
    _, reply = decide(state, 2000 + 900_001, asking("b", known_state=first.state_id))
    assert reply.start or reply.again


def test_a_slow_response_says_an_old_number_of_the_day() -> None:
    """It is no sign that its request arrived late: the server counted it before the later ones."""
    state, first = decide(None, 1000, asking(reserve=3))
    reports = (LimitReport(first.start, 100, 10_000, 99, 30, 0),)
    state, slow = decide(state, 2000, asking(known_state=first.state_id, reports=reports))
    assert slow.start
    for number in range(10):
        state, reply = decide(state, 3000 + 500 * number, asking(known_state=first.state_id))
        assert reply.start
        told = LimitReport(reply.start, 100, 10_000, 99, 28 - number, 0)
        ask = asking(wants=False, known_state=first.state_id, reports=(told,))
        state, _ = decide(state, 3100 + 500 * number, ask)
    assert state.left_today == 28 - 9
    late = LimitReport(slow.start, 100, 10_000, 99, 29, 0, delay=6000)
    ask = asking(wants=False, known_state=first.state_id, reports=(late,))
    state, _ = decide(state, 8500, ask)
    assert state.left_today == 28 - 9


def test_a_limit_that_the_user_set_is_kept_beside_the_servers() -> None:
    """A burst that the server would accept is spread as the user said."""
    state, starts = None, []
    told = LimitReport(0, 190, 10_000, 189, -1, 0)
    for number in range(60):
        ask = asking(requests=5, milliseconds=1_000, learns=False, reports=(told,))
        state, reply = decide(state, 20_000 + number, ask)
        starts.append(reply.start)
    assert all(b - a >= 1_000 + MARGIN for a, b in zip(starts, starts[5:], strict=False))


def test_starts_without_the_store_are_counted_afterwards() -> None:
    """A start of a worker alone takes part of the window."""
    state, first = decide(None, 20_000, asking())
    state, _ = decide(state, 21_000, asking(known_state=first.state_id, offline=(500, 400, 300)))
    assert state.starts[:4] == [20_000, 20_500, 20_600, 20_700]


def test_others_are_not_seen_in_starts_that_were_not_told_yet() -> None:
    """After a loss of the store, each process tells its starts when it asks again."""
    state, first = decide(None, 20_000, asking())
    state, reply = decide(
        state, 40_000, asking(known_state=first.state_id, offline=(500, 400, 300))
    )
    full = LimitReport(
        reply.start, 100, 10_000, 50, -1, 0
    )  # 46 of them are those of another process
    state, _ = decide(state, 40_100, asking(known_state=first.state_id, reports=(full,)))
    assert state.others == []
    state, _ = decide(state, 41_000, asking("b", known_state=first.state_id, offline=(900,) * 46))
    state, reply = decide(state, 43_100, asking(known_state=first.state_id))
    state, _ = decide(
        state,
        43_200,
        asking(known_state=first.state_id, reports=(full._replace(start=reply.start),)),
    )
    assert state.others == [[43_000, 0]]


def test_the_first_to_find_the_store_again_waits_for_the_others() -> None:
    """They go on without it for up to a second, so nothing is given before they have told."""
    state, first = decide(None, 20_000, asking())
    state, found = decide(state, 40_000, asking(known_state=first.state_id, offline=(500,)))
    assert found.start >= 41_300
    state, other = decide(state, 40_900, asking("b", known_state=first.state_id, offline=(400,)))
    assert other.paused_until == found.paused_until == 41_300
    assert {39_500, 40_500} < {*state.starts}


def test_the_crew_is_those_who_asked_lately() -> None:
    """A worker that ends is forgotten, so nothing is kept for each job."""
    state, reply = None, None
    for number in range(20):
        state, reply = decide(state, 1000, asking(str(number)))
    assert reply is not None
    assert reply.workers == 20
    state, reply = decide(state, 60_000, asking("z", known_state=reply.state_id))
    assert (reply.workers, len(state.starts)) == (1, 1)


@pytest.mark.parametrize("requests", [1, 3])
def test_a_tiny_limit_is_kept(requests: int) -> None:
    """One request in a window is one request in a window."""
    state, starts = None, []
    for _ in range(6):
        state, reply = decide(state, 1000, asking(requests=requests))
        starts.append(reply.start)
    for first, last in zip(starts, starts[requests:], strict=False):
        assert last - first >= 10_050
    assert all(a <= b for a, b in pairwise(starts))


def test_a_limit_that_grows_keeps_the_order() -> None:
    """A request that asks later starts no earlier, even if more is allowed by then."""
    state, starts, known_state = None, [], 0
    for number in range(12):
        told = (LimitReport(0, 190, 10_000, -1, -1, 0),) if number == 8 else ()
        ask = asking(str(number), known_state=known_state, requests=4, reports=told)
        state, reply = decide(state, 30_000 + number, ask)
        known_state = reply.state_id
        starts.append(reply.start)
    assert starts == sorted(starts)
    assert starts[7] > 39_000
