"""Workers that share a journal: what one of them has sent, another one does not send again."""

from __future__ import annotations

import pickle
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from both_clients import ClientFactory, clock_of
from hubspot_batch import (
    BatchResult,
    ConfigurationError,
    HubSpotBatch,
    HubSpotBatchError,
    Journal,
    JournalError,
    PostgresJournal,
)
from hubspot_batch.sandbox import FakeClock, Sandbox, SandboxTransport, script
from leak_watch import SECRET
from scripted_server import NOON

NewJournal = Callable[..., PostgresJournal]


def call(title: object) -> dict[str, Any]:
    return {"properties": {"hs_timestamp": NOON, "hs_call_title": str(title)}}


def titles(sandbox: Sandbox) -> Counter[str]:
    return Counter(record.properties["hs_call_title"] for record in sandbox.records("calls"))


def statuses(result: BatchResult[Any]) -> list[str]:
    return [outcome.status.value for outcome in result]


@pytest.fixture
def new_journal(postgres: str, tmp_path: Path) -> NewJournal:
    """Name one journal, with any options."""

    def name(key: str = "", **options: Any) -> PostgresJournal:
        return PostgresJournal(f"{tmp_path}{key}", **{"conninfo": postgres, **options})

    return name


class Slow(httpx.BaseTransport):
    """A server that answers when it is told to."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.asked, self.answers = threading.Event(), threading.Event()
        self._inner = SandboxTransport(sandbox)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.set()
        assert self.answers.wait(20)
        return self._inner.handle_request(request)


class Worker(threading.Thread):
    """Another worker, which sends inputs at the same time."""

    def __init__(self, transport: Any, rows: list[Any], journal: Journal, **more: Any) -> None:
        super().__init__()
        self.result: BatchResult[Any] | None = None
        self.error: BaseException | None = None
        self._run = transport, rows, journal, more
        self.start()

    def run(self) -> None:
        transport, rows, journal, more = self._run
        try:
            with HubSpotBatch(SECRET, transport=transport, rate_limit=None) as client:
                self.result = client.calls.create(rows, journal=journal, **more)
        except HubSpotBatchError as error:
            self.error = error


def end_sessions(conninfo: str) -> None:
    """End all sessions of others, as where their processes are killed."""
    import psycopg

    with psycopg.connect(conninfo, autocommit=True) as one:
        one.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )


def test_two_workers_have_it_at_once(make_client: ClientFactory, new_journal: NewJournal) -> None:
    """While one of them is sending, the other one sends other inputs."""
    sandbox = Sandbox(rate_limit=None)
    slow = Slow(sandbox)
    worker = Worker(slow, [call("theirs")], new_journal())
    assert slow.asked.wait(10)
    result = make_client(transport=sandbox).calls.create([call("ours")], journal=new_journal())
    assert statuses(result) == ["succeeded"]
    slow.answers.set()
    worker.join(10)
    assert worker.result is not None
    assert titles(sandbox) == {"ours": 1, "theirs": 1}


def test_inputs_that_another_worker_is_sending_are_waited_for(
    make_client: ClientFactory, new_journal: NewJournal
) -> None:
    """Their outcomes are those of the other worker; only the rest is sent."""
    sandbox = Sandbox(rate_limit=None)
    slow = Slow(sandbox)
    worker = Worker(slow, [*map(call, range(5))], new_journal())
    assert slow.asked.wait(10)
    threading.Timer(0.4, slow.answers.set).start()
    rows = [*map(call, range(-3, 8))]
    result = make_client(transport=sandbox).calls.create(rows, chunk_size=4, journal=new_journal())
    worker.join(10)
    assert statuses(result) == ["succeeded"] * 11
    assert worker.result is not None
    assert result.records[3:8] == worker.result.records
    assert titles(sandbox) == Counter(map(str, range(-3, 8)))


def test_what_a_dead_worker_may_have_sent_is_unknown(
    make_client: ClientFactory, new_journal: NewJournal, postgres: str
) -> None:
    """At once, and not only after its lease; the rest is sent."""
    sandbox = Sandbox(rate_limit=None)
    slow = Slow(sandbox)
    worker = Worker(slow, [*map(call, range(3))], new_journal(lease=3600))
    assert slow.asked.wait(10)
    end_sessions(postgres)
    rows = [*map(call, range(5))]
    result = make_client(transport=sandbox).calls.create(rows, journal=new_journal(lease=3600))
    assert statuses(result) == ["unknown"] * 3 + ["succeeded"] * 2
    assert result.unknown[0].error is not None
    assert "Look it up in HubSpot" in result.unknown[0].error.message
    slow.answers.set()
    worker.join(10)
    assert isinstance(worker.error, JournalError)
    assert set(titles(sandbox).values()) == {1}


def test_a_worker_that_says_nothing_is_not_waited_for_longer_than_its_lease(
    make_client: ClientFactory, new_journal: NewJournal
) -> None:
    """It may still be sending, so its inputs are not sent; later its word counts."""
    sandbox = Sandbox(rate_limit=None)
    slow = Slow(sandbox)
    rows = [*map(call, range(2))]
    worker = Worker(slow, rows, new_journal())
    assert slow.asked.wait(10)
    client = make_client(transport=sandbox)
    assert statuses(client.calls.create(rows, journal=new_journal(lease=0.3))) == ["unknown"] * 2
    slow.answers.set()
    worker.join(10)
    result = make_client(transport=sandbox).calls.create(rows, journal=new_journal())
    assert statuses(result) == ["succeeded"] * 2
    assert set(titles(sandbox).values()) == {1}


def test_what_a_living_worker_may_still_send_is_never_called_absent(
    make_client: ClientFactory, new_journal: NewJournal
) -> None:
    """It is silent for longer than its lease, and then it sends."""
    clock = FakeClock(time.time() + 1)
    sandbox = Sandbox(rate_limit=None, clock=clock)
    sandbox.add_property("calls", "source_id", unique=True)
    slow = Slow(sandbox)
    rows = [*map(call, range(2))]
    keyed: dict[str, Any] = {"key_property": "source_id", "reconcile": True}
    worker = Worker(slow, rows, new_journal(), key_property="source_id")
    assert slow.asked.wait(10)
    client = make_client(transport=sandbox, clock=clock_of(clock))
    result = client.calls.create(rows, journal=new_journal(lease=0.3), **keyed)
    assert statuses(result) == ["unknown"] * 2
    slow.answers.set()
    worker.join(10)
    assert titles(sandbox) == {"0": 1, "1": 1}
    result = client.calls.create(rows, journal=new_journal(), **keyed)
    assert statuses(result) == ["succeeded"] * 2


@pytest.mark.parametrize("sizes", [(10, 10), (3, 7)])
def test_workers_that_begin_together_with_the_same_inputs(
    new_journal: NewJournal, sizes: tuple[int, int]
) -> None:
    """Each input is sent by one of them, however they cut their requests, and both are told."""
    sandbox = Sandbox(rate_limit=None)
    rows = [*map(call, range(60))]
    transport = SandboxTransport(sandbox)
    workers = [
        Worker(transport, order, new_journal(), chunk_size=size)
        for size in sizes
        for order in (rows, rows[::-1])
    ]
    for worker in workers:
        worker.join(30)
        assert worker.error is None, repr(worker.error.__cause__)
        assert worker.result is not None
        assert statuses(worker.result) == ["succeeded"] * 60
    assert titles(sandbox) == Counter(map(str, range(60)))


def test_an_input_that_another_worker_takes_meanwhile(
    make_client: ClientFactory, new_journal: NewJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looked free when it was looked up; the request with it is not sent as it is."""
    from hubspot_batch.journal import postgres as module

    sandbox = Sandbox(rate_limit=None)
    intend, others = module.PostgresStore.intend, [call("b")]

    def after_another(self: Any, *arguments: Any, **more: Any) -> None:
        if others:
            with HubSpotBatch(SECRET, transport=SandboxTransport(sandbox)) as other:
                other.calls.create([others.pop()], journal=new_journal())
        intend(self, *arguments, **more)

    monkeypatch.setattr(module.PostgresStore, "intend", after_another)
    rows = [call(one) for one in "abc"]
    result = make_client(transport=sandbox).calls.create(rows, journal=new_journal())
    assert statuses(result) == ["succeeded"] * 3
    assert titles(sandbox) == Counter("abc")


def test_a_run_that_stops_claims_nothing_of_what_another_has_taken(
    make_client: ClientFactory, new_journal: NewJournal
) -> None:
    """An input that another worker is sending is not `not_sent`."""
    sandbox = Sandbox(rate_limit=None)
    slow = Slow(sandbox)
    worker = Worker(slow, [call("theirs")], new_journal())
    assert slow.asked.wait(10)
    other = Sandbox(rate_limit=None, faults=script(["daily_limit"] * 5))
    rows = [call("ours"), call("theirs")]
    with pytest.raises(HubSpotBatchError) as caught:
        make_client(transport=other).calls.create(rows, chunk_size=1, journal=new_journal())
    assert caught.value.result is not None
    assert statuses(caught.value.result) == ["not_sent", "unknown"]
    slow.answers.set()
    worker.join(10)


def test_updates_of_two_workers_do_not_wait(
    make_client: ClientFactory, new_journal: NewJournal
) -> None:
    """To carry them out twice does no harm."""
    sandbox = Sandbox(rate_limit=None)
    sandbox.add_marketing_event("as it was", record_id="8001")
    slow = Slow(sandbox)
    rows = [{"objectId": "8001", "eventName": "new"}]

    def theirs() -> None:
        with HubSpotBatch(SECRET, transport=slow) as client:
            client.marketing_events.update(rows, journal=new_journal())

    worker = threading.Thread(target=theirs)
    worker.start()
    assert slow.asked.wait(10)
    update = make_client(transport=sandbox).marketing_events.update
    assert statuses(update(rows, journal=new_journal())) == ["succeeded"]
    slow.answers.set()
    worker.join(10)
    assert statuses(update(rows, journal=new_journal())) == ["succeeded"]
    assert len(sandbox.requests) == 2


def test_journals_of_one_database_are_apart(
    make_client: ClientFactory, new_journal: NewJournal
) -> None:
    """Another key is another job; one key is not two jobs."""
    sandbox = Sandbox(rate_limit=None)
    client = make_client(transport=sandbox)
    assert new_journal("a").begun() is None
    for key in ("a", "b", "a"):
        client.calls.create([call("x")], journal=new_journal(key))
    assert titles(sandbox) == {"x": 2}
    assert new_journal("a").counts()["succeeded"] == 1
    with pytest.raises(ConfigurationError, match="the operation was create_calls") as caught:
        client.campaigns.read(["1"], journal=new_journal("a"))
    assert "restart" not in str(caught.value)


def test_a_database_that_cannot_be_reached(make_client: ClientFactory) -> None:
    """The error names the journal and what to do, and nothing is called unsent."""
    pytest.importorskip("psycopg", reason="psycopg is not installed; the extra `postgres` has it.")
    sandbox = Sandbox(rate_limit=None)
    journal = PostgresJournal("load 1", conninfo="host=127.0.0.1 port=9 password=hushhush")
    with pytest.raises(JournalError, match="The journal load 1 cannot be opened") as caught:
        make_client(transport=sandbox).calls.create([call(1)], journal=journal)
    assert statuses(caught.value.result) == ["unknown"]  # type: ignore[arg-type]
    assert "hushhush" not in f"{caught.value!r} {journal!r}"
    with pytest.raises(ConfigurationError, match="conninfo must be") as wrong:
        PostgresJournal("load 1", conninfo="hushhush").counts()
    assert "hushhush" not in repr((wrong.value, wrong.value.__cause__))
    assert sandbox.requests == ()


def test_what_such_a_journal_refuses() -> None:
    """A worker that restarted it would make the others create everything again."""
    with pytest.raises(ConfigurationError, match="restart must be False"):
        PostgresJournal("x", restart=True)
    for lease in (0, -1, "1", float("inf"), True):
        with pytest.raises(ConfigurationError, match="lease must be more than 0"):
            PostgresJournal("x", lease=lease)  # type: ignore[arg-type]
    journal = PostgresJournal("x", conninfo="host=a", retry=["failed"])
    assert pickle.loads(pickle.dumps(journal)) == journal


def test_a_missing_psycopg_is_named(
    make_client: ClientFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the extra that brings it."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "hubspot_batch.journal.postgres", raising=False)
    monkeypatch.delattr("hubspot_batch.journal.postgres", raising=False)
    client = make_client(transport=Sandbox())
    with pytest.raises(ConfigurationError, match=r"hubspot-batch\[postgres\]"):
        client.calls.create([call(1)], journal=PostgresJournal("x"))


def test_a_database_that_is_strict_by_default_stops_no_worker(
    new_journal: NewJournal, postgres: str
) -> None:
    """Its default can be to refuse a transaction that meets another one."""
    from hubspot_batch.journal.postgres import PostgresStore
    from psycopg.conninfo import make_conninfo

    strict = make_conninfo(postgres, options="-c default_transaction_isolation=serializable")
    sandbox = Sandbox(rate_limit=None)
    rows = [*map(call, range(100))]
    workers = [
        Worker(SandboxTransport(sandbox), rows, new_journal(conninfo=strict), chunk_size=5)
        for _ in range(6)
    ]
    for worker in workers:
        worker.join(30)
    assert [worker.error for worker in workers] == [None] * 6
    assert set(titles(sandbox).values()) == {1}
    store = PostgresStore("strict", strict, {}, 1.0)
    assert store._open().execute("SHOW transaction_isolation").fetchall() == [("read committed",)]
    store.close()
