"""Several clients, in one process or in many, share the allowance of one account."""

from __future__ import annotations

import json
import os
import pickle
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis_server
from both_clients import ClientFactory, clock_of
from hubspot_batch import (
    BrokenOffError,
    Clock,
    ConfigurationError,
    DailyLimitError,
    HubSpotBatch,
    RateLimit,
    SharedAllowance,
    UnreachableError,
)
from hubspot_batch.integrations.allowance_rule import AllowanceRequest, LimitReport, decide
from hubspot_batch.integrations.shared_limiter import SharedLimiter, StoreLostError
from hubspot_batch.sandbox import FakeClock, Sandbox, SandboxTransport, script, served

ROOT = Path(__file__).parents[2]
ROW = {"properties": {"hs_timestamp": "2026-01-31T12:00:00Z"}}
Make = Callable[..., SharedAllowance]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of a real server."""
    with redis_server.running() as port:
        yield port


@pytest.fixture(params=["local", "redis", "valkey"])
def allowance(
    request: pytest.FixtureRequest, make_client: ClientFactory, tmp_path: Path
) -> Iterator[Make]:
    """Return allowances of one store."""
    if request.param == "local":
        yield lambda **changes: SharedAllowance.local(tmp_path / "allowance", **changes)
        return
    port = request.getfixturevalue("port")
    library: Any = pytest.importorskip(request.param, reason=f"{request.param}-py is missing.")
    made: list[Any] = []

    def make(key: str = str(tmp_path), **changes: Any) -> SharedAllowance:
        module = library if make_client.kind == "sync" else library.asyncio
        made.append(getattr(module, request.param.capitalize())(port=port))
        return SharedAllowance(made[-1], key=key, **changes)

    yield make
    for client in made:
        if make_client.kind == "sync":
            client.close()
        else:
            make_client._runner.run(client.aclose())


def sandbox(requests: int = 20, seconds: float = 0.5) -> Sandbox:
    """A server with a short window, in real time."""
    return Sandbox(rate_limit=(requests, seconds), clock=time.time)


def statuses(server: Sandbox) -> list[int | None]:
    return [entry.status for entry in server.requests]


def test_two_clients_stay_below_one_limit(make_client: ClientFactory, allowance: Make) -> None:
    """Alone, each would send what the limit allows; together they send no more than that."""
    server = sandbox()
    limit = RateLimit(20, 0.5, learns=True)
    one, two = (
        make_client(
            transport=SandboxTransport(server), rate_limit=allowance(limit=limit), max_concurrency=1
        )
        for _ in range(2)
    )
    for _ in range(25):
        for client in (one, two):
            assert len(client.calls.create([ROW]).succeeded) == 1
    assert statuses(server) == [201] * 50


def test_the_rest_of_the_day_is_shared(make_client: ClientFactory, allowance: Make) -> None:
    """A client stops at its reserve because of what another one was told."""
    server = Sandbox(rate_limit=(20, 0.5), daily_limit=14, clock=time.time)
    one, two = (
        make_client(
            transport=SandboxTransport(server),
            rate_limit=allowance(),
            daily_reserve=10,
            max_concurrency=1,
        )
        for _ in range(2)
    )
    # The first response is told at once: the second client does not wait for the first one's next.
    for client in (one, two, one):
        assert len(client.calls.create([ROW]).succeeded) == 1
    two.calls.create([ROW])
    with pytest.raises(DailyLimitError):
        one.calls.create([ROW])
    assert len(server.requests) == 4


def test_a_429_makes_all_wait(make_client: ClientFactory, allowance: Make) -> None:
    """If one client is refused, another one does not try before the pause ends."""
    one, other = allowance().limiter(None), allowance().limiter(None)
    now = time.monotonic()
    assert run(make_client, one, "reserve", now) == 0.0
    run(make_client, one, "report", now, now, {"X-HubSpot-RateLimit-Max": "100"}, now + 5.0)
    assert 4.5 <= run(make_client, other, "reserve", now) <= 5.0


def run(make_client: ClientFactory, limiter: Any, name: str, *arguments: Any) -> Any:
    """Call a method of a limiter as a client of this kind does."""
    if make_client.kind == "sync":
        return getattr(limiter, name)(*arguments)
    return make_client._runner.run(getattr(limiter, f"a{name}")(*arguments))


def test_a_wait_asks_the_store_once(make_client: ClientFactory, allowance: Make) -> None:
    """A request that waits for a start that is near asks once, and then sends."""
    limiter = allowance(limit=RateLimit(4, 2.0)).limiter(None)
    store = limiter._store
    asked: list[AllowanceRequest] = []
    name = "ask" if make_client.kind == "sync" else "aask"
    real = getattr(store, name)

    def ask(one: AllowanceRequest) -> Any:
        asked.append(one)
        return real(one)

    setattr(store, name, ask)
    assert run(make_client, limiter, "reserve", 100.0, "a") == 0.0
    wait = run(make_client, limiter, "reserve", 100.0, "b")
    assert 0.0 < wait < 1.0
    assert run(make_client, limiter, "reserve", 100.0 + wait / 2, "b") == pytest.approx(wait / 2)
    assert run(make_client, limiter, "reserve", 100.0 + wait, "b") == 0.0
    assert len(asked) == 2


class LeftError(Exception):
    """A request was given up while it waited."""


def test_a_wait_that_is_cancelled_gives_its_start_back(
    make_client: ClientFactory, allowance: Make
) -> None:
    """At once: another process gets the start, and not the one behind it."""

    def leave(seconds: float) -> None:
        raise LeftError

    async def aleave(seconds: float) -> None:
        raise LeftError

    limit = RateLimit(1, 60.0)
    client = make_client(
        transport=Sandbox(rate_limit=None),
        rate_limit=allowance(limit=limit),
        clock=Clock(time.monotonic, leave, aleave),
    )
    assert len(client.calls.create([ROW]).succeeded) == 1
    for _ in range(3):
        with pytest.raises(BrokenOffError) as caught:
            client.calls.create([ROW])
        assert isinstance(caught.value.__cause__, LeftError)
    other = allowance(limit=limit).limiter(None)
    assert 55.0 < run(make_client, other, "reserve", time.monotonic(), "b") < 61.0
    assert 110.0 < run(make_client, other, "reserve", time.monotonic(), "c") < 122.0


def test_searches_are_shared_under_a_key_of_their_own(
    make_client: ClientFactory, allowance: Make
) -> None:
    """The searches of two processes wait for each other, and not for other requests."""
    one, two = (allowance(limit=RateLimit(1, 60.0)) for _ in range(2))
    now = time.monotonic()
    assert run(make_client, one.limiter(None), "reserve", now, "a") == 0.0
    assert run(make_client, two.limiter(None), "reserve", now, "b") > 50.0
    searches = RateLimit(1, 30.0)
    assert run(make_client, one.searches(searches), "reserve", now, "c") == 0.0
    assert 25.0 < run(make_client, two.searches(searches), "reserve", now, "d") < 31.0


def test_look_ups_of_clients_share_their_searches(
    make_client: ClientFactory, allowance: Make
) -> None:
    """A client looks up creates in doubt at the pace of all, HubSpot's five a second."""
    shared = allowance()
    asked: list[str] = []
    for name in ("reserve", "areserve"):
        make = shared.searches

        def searches(limit: RateLimit, name: str = name, make: Any = make) -> Any:
            limiter = make(limit)
            real = getattr(limiter, name)

            def ask(now: float, holder: object = None) -> Any:
                asked.append(name)
                return real(now, holder)

            setattr(limiter, name, ask)
            return limiter

        shared.searches = searches  # type: ignore[method-assign]
    clock = FakeClock()
    server = Sandbox(rate_limit=None, clock=clock, faults=script(["reset_after"]))
    client = make_client(transport=server, rate_limit=shared, clock=clock_of(clock))
    doubtful = client.calls.create([ROW])
    assert len(doubtful.unknown) == 1
    client.calls.reconcile(doubtful)
    assert {*asked} == {"reserve" if make_client.kind == "sync" else "areserve"}
    searched = [entry for entry in server.requests if entry.operation == "search_calls"]
    assert len(asked) >= len(searched) > 0


# ---------------------------------------------------------------- without a store


class Broken:
    """A store that answers as the rule does, until it is lost."""

    def __init__(self) -> None:
        self.state: Any = None
        self.lost = False
        self.asked = 0
        self.now = 1.0

    def ask(self, ask: AllowanceRequest) -> Any:
        self.asked += 1
        if self.lost:
            raise StoreLostError("the store (it is away)")
        self.state, reply = decide(self.state, int(self.now * 1000), ask)
        return reply

    async def aask(self, ask: AllowanceRequest) -> Any:
        return self.ask(ask)


def starts(limiter: Any, store: Broken, begin: float, end: float) -> list[float]:
    """Let one request after another start, as soon as it may."""
    found, now = [], begin
    while now < end:
        store.now = now
        pause = limiter.reserve(now, "holder")
        assert pause is not None
        if pause == 0.0:
            found.append(now)
            now += 0.01
        else:
            now += pause
    return found


def test_the_store_is_told_which_requests_may_have_arrived_late() -> None:
    """Those that opened a connection, began late, or had a response much later than usual."""
    store = Broken()
    limiter = SharedLimiter(store, RateLimit(100, 10), None, "share")
    told: list[LimitReport] = []
    real = store.ask
    store.ask = lambda ask: told.extend(ask.reports) or real(ask)  # type: ignore[method-assign]
    headers = {
        "X-HubSpot-RateLimit-Max": "100",
        "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
    }
    now = 1.0
    for took in (0.2, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.5):
        store.now = now
        while pause := limiter.reserve(now, "holder"):
            store.now = now = now + pause
        limiter.report(now, now + took, headers, None)
        store.now = now = now + took
    limiter.reserve(now, "last")
    assert [one.delay for one in told] == [200, 0, 0, 0, 0, 0, 0, 0, 490]


def test_without_the_store_each_takes_its_share() -> None:
    """All together start no more than the limit, and ask for the store once a second."""
    store = Broken()
    workers = [SharedLimiter(store, RateLimit(40, 10.0), None, "share") for _ in range(4)]
    store.now = 100.0
    for limiter in workers:
        limiter.reserve(100.0, "x")
    for limiter in workers:  # each has asked when all were there
        limiter.reserve(100.0, "y")
    store.lost = True
    asked = store.asked
    times = sorted(t for limiter in workers for t in starts(limiter, store, 120.0, 160.0))
    assert store.asked - asked <= 4 * 41
    worst = max(sum(t <= u < t + 10.0 for u in times) for t in times)
    assert 30 <= worst <= 40
    store.lost = False
    before = workers[0].reserve(161.2, "z")
    assert before is not None
    assert len([s for s in store.state.starts if s < 161_000]) > 5  # they were told afterwards


def test_a_store_that_is_lost_after_a_burst_has_no_room() -> None:
    """The first window may be half full, so no process starts before it has ended."""
    store = Broken()
    store.now = 100.0
    one, two = (SharedLimiter(store, RateLimit(40, 10.0), None, "share") for _ in range(2))
    for limiter in (one, two):
        assert limiter.reserve(100.0, limiter) is not None
    store.now, sent = 120.0, 0
    while one.reserve(120.0, sent) == 0.0:
        sent += 1
    promised = one.reserve(120.0, "promised")
    assert promised is not None
    assert sent == 20
    two.reserve(120.0, "late")
    store.lost = True
    assert one.reserve(120.1, "other") == pytest.approx(9.95, abs=0.01)
    wait = one.reserve(120.0 + promised, "promised")
    assert wait is not None
    assert wait > 8


@pytest.mark.parametrize("name", ["redis", "valkey"])
def test_a_real_store_is_lost_and_comes_back_empty(make_client: ClientFactory, name: str) -> None:
    """Meanwhile each takes its share; then all pause for one window."""
    library: Any = pytest.importorskip(name, reason=f"{name}-py is missing.")
    port = redis_server.free_port()
    process = redis_server.start(port)
    module = library if make_client.kind == "sync" else library.asyncio
    client: Any = getattr(module, name.capitalize())(port=port)
    limiter = SharedAllowance(client, key="a", limit=RateLimit(20, 0.4)).limiter(None)
    now = 50.0
    try:
        assert run(make_client, limiter, "reserve", now, "a") == 0.0
        redis_server.stop(process)
        wait = run(make_client, limiter, "reserve", now + 0.1, "b")
        assert 0.2 < wait < 0.4
        assert run(make_client, limiter, "reserve", now + 0.1 + wait, "b") == 0.0
        process = redis_server.start(port)
        pause = run(make_client, limiter, "reserve", now + 1.2, "c")
        assert 9.0 < pause <= 10.05  # HubSpot's window, because no response told another
    finally:
        redis_server.stop(process)
        if make_client.kind == "sync":
            client.close()
        else:
            make_client._runner.run(client.aclose())


def test_a_store_that_was_frozen_takes_nothing_in_that_was_given_up(
    make_client: ClientFactory,
) -> None:
    """It reads what was asked meanwhile; else it would promise starts that no process uses."""
    pytest.importorskip("redis", reason="redis-py is missing.")
    port = redis_server.free_port()
    process = redis_server.start(port)
    import redis

    module: Any = redis if make_client.kind == "sync" else redis.asyncio
    client: Any = module.Redis(port=port)
    limiter = SharedAllowance(client, key="a", limit=RateLimit(20, 60.0)).limiter(None)
    begun = time.monotonic()
    try:
        assert run(make_client, limiter, "reserve", begun, "a") == 0.0
        process.send_signal(signal.SIGSTOP)
        for number in range(3):  # each asks the store again
            run(make_client, limiter, "reserve", begun + 2.0 * number, number)
        time.sleep(0.6)
        process.send_signal(signal.SIGCONT)
        state = json.loads(redis.Redis(port=port).get("hubspot-batch:allowance:a"))
        assert len(state["starts"]) == 1
    finally:
        redis_server.stop(process)
        if make_client.kind == "sync":
            client.close()
        else:
            make_client._runner.run(client.aclose())


def test_a_clock_that_stood_still_costs_one_more_question() -> None:
    """As on a machine that was suspended: the store's time has gone on."""
    store = Broken()
    limiter = SharedLimiter(store, RateLimit(40, 10.0), None, "share")
    assert limiter.reserve(0.0, "a") == 0.0
    limiter.report(0.0, 0.1, {"X-HubSpot-RateLimit-Max": "40"}, None)
    store.now, store.asked = 3600.0, 0
    assert limiter.reserve(1.0, "b") == 0.0
    assert store.asked == 2
    assert limiter.reserve(1.1, "c") == 0.0
    assert store.asked == 3
    store.now += 3600.0
    limiter.report(1.1, 1.2, {"X-HubSpot-RateLimit-Max": "50"}, 7.2)  # nothing of it is lost
    assert limiter.reserve(1.3, "d") == pytest.approx(6.0, abs=0.2)


def test_without_the_store_a_run_can_stop(make_client: ClientFactory) -> None:
    """With "stop", and where no store ever answered, nothing is sent."""
    server = Sandbox()
    for on_lost in ("stop", "share"):
        shared = SharedAllowance.local("/nowhere/at/all", on_lost=on_lost)
        client = make_client(transport=server, rate_limit=shared)
        with pytest.raises(UnreachableError, match=r"The shared allowance cannot be reached: the"):
            client.calls.create([ROW])
    assert server.requests == ()


def test_a_store_that_is_lost_stops_a_run() -> None:
    """With "stop", a run that had begun stops, too."""
    store = Broken()
    limiter = SharedLimiter(store, RateLimit(40, 10.0), None, "stop")
    assert limiter.reserve(0.0, "a") == 0.0
    store.lost = True
    with pytest.raises(UnreachableError, match="it is away"):
        limiter.reserve(1.0, "b")


def test_an_hour_of_difference_between_clocks_changes_nothing() -> None:
    """Only the store's time counts."""
    store = Broken()
    one, two = (SharedLimiter(store, RateLimit(40, 10.0), None, "share") for _ in range(2))
    times = []
    for number in range(60):
        store.now = 50.0 + number / 100
        for limiter, shift in ((one, 0.0), (two, 3600.0)):
            pause = limiter.reserve(store.now + shift, number)
            assert pause is not None
            times.append(store.now + pause)
    assert times == sorted(times)
    assert all(b - a >= 10.0 for a, b in zip(times, times[40:], strict=False))


# ---------------------------------------------------------------- arguments


def test_a_local_allowance_can_be_given_to_another_process(tmp_path: Path) -> None:
    """It is pickled with its path, and opens the file there."""
    copy = pickle.loads(pickle.dumps(SharedAllowance.local(tmp_path / "a", key="k")))
    assert copy.limiter(None).reserve(0.0, "a") == 0.0


def test_an_allowance_in_a_store_is_made_in_each_process() -> None:
    """A client has connections and locks; the message says what to do."""
    redis = pytest.importorskip("redis")
    with redis.Redis() as client, pytest.raises(TypeError, match="Make it in each process"):
        pickle.dumps(SharedAllowance(client, key="a"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no forks")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Python's own, of a fork beside threads
def test_a_forked_process_is_another_worker(tmp_path: Path) -> None:
    """It has a connection and a lock of its own, and counts as one more."""
    limiter = SharedAllowance.local(tmp_path / "allowance").limiter(None)
    assert limiter.reserve(time.monotonic(), "parent") == 0
    with limiter._lock:  # as where another thread asks
        child = os.fork()
        if not child:
            signal.alarm(5)
            workers = 99
            try:
                limiter.reserve(time.monotonic(), "child")
                workers = limiter._reply.workers if limiter._reply else 98
            finally:
                os._exit(workers)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 2
    limiter.reserve(time.monotonic(), "parent again")
    assert limiter._reply is not None
    assert limiter._reply.workers == 2


def test_arguments_are_checked(tmp_path: Path) -> None:
    """The message names what is wrong."""
    wrong: Any = object()
    for make, text in (
        (lambda: SharedAllowance(wrong, key="a"), "client must be a client of redis-py"),
        (lambda: SharedAllowance.local(wrong), "path must be the path of a file"),
        (lambda: SharedAllowance.local(tmp_path, key=wrong), "key must be a text"),
        (lambda: SharedAllowance.local(tmp_path, limit=wrong), "limit must be a RateLimit"),
        (lambda: SharedAllowance.local(tmp_path, on_lost=wrong), 'on_lost must be "share" or'),
    ):
        with pytest.raises(ConfigurationError, match=text):
            make()


# ---------------------------------------------------------------- a real store


@pytest.mark.parametrize("seed", range(20))
def test_the_script_is_the_rule(port: int, seed: int) -> None:
    """Redis gives the same replies as the rule, whatever is asked."""
    import redis
    from hubspot_batch.integrations.redis_store import script

    rng = random.Random(seed)
    now = 1_790_000_000_000
    state, known_state, given = None, 0, [0]
    with redis.Redis(port=port) as client:
        for _ in range(400):
            now += rng.choice((0, 1, 7, 40, 300, 300, 3000))
            reports = [
                LimitReport(
                    rng.choice(given),
                    rng.choice((-1, 30, 30)),
                    rng.choice((-1, 10_000, 10_000)),
                    rng.randrange(-1, 30),
                    rng.choice((-1, 1000, 12)),
                    rng.choice((0,) * 12 + (2000,)),
                    rng.choice((0, 0, 120)),
                )
                for _ in range(rng.randrange(3))
            ]
            ask = AllowanceRequest(
                rng.choice("abc"),
                rng.choice((known_state,) * 20 + (0, 5)),
                rng.random() < 0.9,
                rng.choice((0, rng.choice(given[-9:]))),
                20,
                5_000,
                rng.random() < 0.8,
                rng.choice((-1,) * 9 + (10,)),
                tuple(rng.randrange(900) for _ in range(rng.randrange(2))),
                tuple(reports),
                tuple(rng.sample(given[-9:], 1)) if rng.random() < 0.3 else (),
                rng.choice((0, now + 1, now, now - 1)),
            )
            state, reply = decide(state, now, ask)
            text = json.dumps(ask._asdict())
            said = client.eval(script(), 1, f"rule{seed}", text, now)
            assert tuple(said) == tuple(reply)
            known_state = reply.state_id
            assert (reply.again == -1) == (0 < ask.expires < now)
            given.append(reply.start)
        assert client.pttl(f"rule{seed}") > 0


def test_a_client_of_the_wrong_kind_is_refused(make_client: ClientFactory, port: int) -> None:
    """A client that blocks would stop an event loop."""
    import redis

    module: Any = redis.asyncio if make_client.kind == "sync" else redis
    shared = SharedAllowance(module.Redis(port=port), key="a")
    with pytest.raises(ConfigurationError, match="needs a SharedAllowance of a"):
        make_client(transport=Sandbox(), rate_limit=shared).calls.create([ROW])


def test_a_client_of_a_class_of_its_own_or_of_a_sentinel_will_do() -> None:
    """Tests have stand-ins of Redis, and many servers are found by a sentinel."""
    redis = pytest.importorskip("redis")

    class Renamed(redis.Redis):  # type: ignore[misc]
        def __init__(self, first: int) -> None:
            super().__init__(port=first)

    with redis_server.running() as port, redis_server.sentinel(port) as sentinel_port:
        finder = redis.Sentinel([("127.0.0.1", sentinel_port)])
        for client in (Renamed(port), finder.master_for("store")):
            shared = SharedAllowance(client, key="a")
            with HubSpotBatch("t", transport=SandboxTransport(Sandbox()), rate_limit=shared) as one:
                assert len(one.calls.create([ROW]).succeeded) == 1
        with redis.Redis(port=port) as store:
            assert store.keys() == [b"hubspot-batch:allowance:a"]


def test_what_is_no_client_of_one_server_is_refused_at_once() -> None:
    """A pipeline sends nothing by itself, and a cluster has no one server."""
    redis = pytest.importorskip("redis")
    cluster = redis.RedisCluster.__new__(redis.RedisCluster)
    cluster.close = lambda: None
    for client in (redis.Redis().pipeline(), redis.Redis().pubsub(), cluster):
        with pytest.raises(ConfigurationError, match="for one server"):
            SharedAllowance(client, key="a")


def test_a_store_that_is_silent_is_given_up_in_time(make_client: ClientFactory) -> None:
    """A server that accepts a connection and says nothing costs 250 ms."""
    import socket

    redis = pytest.importorskip("redis")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        module = redis if make_client.kind == "sync" else redis.asyncio
        client = module.Redis(port=listening.getsockname()[1])
        limiter = SharedAllowance(client, key="a").limiter(None)
        begin = time.monotonic()
        with pytest.raises(UnreachableError):
            run(make_client, limiter, "reserve", 0.0, "a")
        assert time.monotonic() - begin < 1.0
        if make_client.kind == "async":
            make_client._runner.run(client.aclose())


# ---------------------------------------------------------------- processes

WORKER = """
import sys
from hubspot_batch import HubSpotBatch
from hubspot_batch.integrations import SharedAllowance
kind, where, url, seconds = sys.argv[1:]
if kind == "redis":
    import redis
    shared = SharedAllowance(redis.Redis(port=int(where)), key="processes")
else:
    shared = SharedAllowance.local(where)
import time
row = {"properties": {"hs_timestamp": "2026-01-31T12:00:00Z"}}
end = time.monotonic() + float(seconds)
count = 0
with HubSpotBatch("t", base_url=url, rate_limit=shared) as hubspot:
    def rows():
        while time.monotonic() < end:
            yield row
    for outcome in hubspot.calls.create_iter(rows(), chunk_size=1):
        count += outcome.status == "succeeded"
print(count)
"""


@pytest.mark.parametrize("kind", ["local", "redis"])
def test_processes_share_it(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Four processes use the whole limit of 50 in 2 s, in equal parts, and none is refused."""
    where = str(request.getfixturevalue("port") if kind == "redis" else tmp_path / "allowance")
    server = Sandbox(rate_limit=(50, 2.0), clock=time.time)
    with served(server) as url:
        workers = [
            subprocess.Popen(
                [sys.executable, "-c", WORKER, kind, where, url, "7"],
                stdout=subprocess.PIPE,
                text=True,
                env={"PYTHONPATH": f"{ROOT / 'overrides'}:{ROOT / 'generated'}", "PATH": ""},
            )
            for _ in range(4)
        ]
        counts = [int(process.communicate(timeout=60)[0]) for process in workers]
    assert statuses(server) == [201] * sum(counts)
    assert sum(counts) >= 3 * 50
    assert max(counts) - min(counts) <= 0.35 * max(counts)
