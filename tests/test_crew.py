"""The threads of a client: they are kept between its calls, and end with it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextvars import ContextVar
from typing import Any

import pytest
from hubspot_batch import HubSpotBatch
from hubspot_batch._engine.executors import Crew, Workers
from hubspot_batch.sandbox import Sandbox, SandboxTransport
from signals import left_beside, rows
from watch import SECRET


def done(crew: Crew[Any, Any], *given: Any) -> list[Any]:
    """Have calls made at the same time, and return what came of them."""
    for one in given:
        crew.start(one)
    return [crew.fetch()[1] for _ in given]


def ours() -> set[threading.Thread]:
    """The threads that make calls."""
    return {one for one in threading.enumerate() if one.name == "hubspot-batch"}


@pytest.fixture
def others() -> set[threading.Thread]:
    """The threads of other tests' clients."""
    return ours()


def client_of(width: int) -> HubSpotBatch:
    """A client of a sandbox."""
    transport = SandboxTransport(Sandbox(rate_limit=None))
    return HubSpotBatch(SECRET, transport=transport, max_concurrency=width, rate_limit=None)


def test_a_thread_serves_many_runs(others: set[threading.Thread]) -> None:
    """To start one takes as long as a small request."""
    with client_of(8) as client:
        seen = set()
        for number in range(5):
            client.calls.create(rows(f"Run {number}", 3))
            seen |= ours() - others
        assert len(seen) == 1
    assert not left_beside(set(threading.enumerate()) - seen)


def test_threads_end_with_a_client_that_nobody_closed(others: set[threading.Thread]) -> None:
    """As soon as nobody has it any more."""
    client = client_of(4)
    client.calls.create(rows("Call", 12), chunk_size=3)
    left = ours() - others
    assert left
    del client
    assert not left_beside(set(threading.enumerate()) - left)


def test_no_more_threads_are_kept_than_needed(others: set[threading.Thread]) -> None:
    """What many users at once had need of ends when they are served."""
    together = threading.Barrier(6, timeout=10)
    workers = Workers(2)
    done(Crew(workers, lambda _: together.wait()), *range(6))
    for thread in ours() - others:
        thread.join(0.2)
    assert len(ours() - others) == 2
    workers.dismiss()


def test_a_dismissed_thread_still_does_its_work(others: set[threading.Thread]) -> None:
    """What is under way ends, and what begins later is done too, but no thread is kept."""
    go_on = threading.Event()
    workers = Workers(2)
    crew: Crew[int, Any] = Crew(workers, lambda _: go_on.wait(10))
    crew.start(1)
    workers.dismiss()
    go_on.set()
    assert crew.fetch() == (1, True)
    assert done(crew, 2) == [True]
    assert not left_beside(set(threading.enumerate()) - (ours() - others))


def test_calls_see_the_context_of_their_run() -> None:
    """Also in a thread that another run has used before."""
    place = ContextVar("place", default="none")
    workers = Workers(1)

    def call(name: str) -> str:
        before = place.get()
        place.set(name)
        return before

    assert done(Crew(workers, call), "a") == ["none"]
    place.set("here")
    crew = Crew(workers, call)
    assert done(crew, "b") + done(crew, "c") == ["here", "here"]
    workers.dismiss()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_begins_with_threads_of_its_own() -> None:
    """Those of its parent are not there; a call would wait for them for ever."""
    script = """
import os, warnings
from hubspot_batch._engine.executors import Crew, Workers
warnings.simplefilter("ignore", DeprecationWarning)
crew = Crew(Workers(1), lambda given: given + 1)
for _ in range(2):
    crew.start(1)
    crew.fetch()
if pid := os.fork():
    os._exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
crew.start(41)
os._exit(crew.fetch()[1])
"""
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode == 42


def test_an_interpreter_ends_though_threads_are_left() -> None:
    """Nobody has to close a client for that."""
    script = """
from hubspot_batch import HubSpotBatch
from hubspot_batch.sandbox import Sandbox, SandboxTransport
client = HubSpotBatch("token", transport=SandboxTransport(Sandbox()))
row = {"properties": {"hs_timestamp": "2026-01-31T09:30:00Z"}}
print(len(client.calls.create([row]).succeeded))
"""
    made = subprocess.run(
        [sys.executable, "-c", script], check=False, timeout=60, capture_output=True, text=True
    )
    assert (made.returncode, made.stdout, made.stderr) == (0, "1\n", "")
