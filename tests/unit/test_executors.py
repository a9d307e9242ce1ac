"""The threads of a client: they are kept between its calls, and end with it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextvars import ContextVar
from queue import SimpleQueue
from typing import Any

import pytest
from hubspot_batch import HubSpotBatch
from hubspot_batch._engine.executors import Report, ThreadExecutor
from hubspot_batch.sandbox import Sandbox, SandboxTransport
from leak_watch import SECRET
from soak_signals import left_beside, rows


def begin(executor: ThreadExecutor, *calls: Callable[[], Any]) -> SimpleQueue[Any]:
    """Have calls made at the same time; return where what came of them is put."""
    came: SimpleQueue[Any] = SimpleQueue()

    def work(call: Callable[[], Any]) -> Report:
        result = call()
        return lambda: came.put(result)

    for call in calls:
        executor.submit(lambda call=call: work(call))  # type: ignore[misc]
    return came


def done(executor: ThreadExecutor, *calls: Callable[[], Any]) -> list[Any]:
    """Have calls made at the same time, and return what came of them."""
    came = begin(executor, *calls)
    return [came.get(timeout=10) for _ in calls]


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
    """As soon as it is not referenced any more."""
    client = client_of(4)
    client.calls.create(rows("Call", 12), chunk_size=3)
    left = ours() - others
    assert left
    del client
    assert not left_beside(set(threading.enumerate()) - left)


def test_no_more_threads_are_kept_than_needed(others: set[threading.Thread]) -> None:
    """Threads that many users at once needed end when they are served."""
    together = threading.Barrier(6, timeout=10)
    workers = ThreadExecutor(2)
    done(workers, *[together.wait] * 6)
    for thread in ours() - others:
        thread.join(0.2)
    assert len(ours() - others) == 2
    workers.shutdown()


def test_a_thread_finishes_its_work_after_a_shutdown(others: set[threading.Thread]) -> None:
    """A call under way ends, and one that begins later is made too, but no thread is kept."""
    go_on = threading.Event()
    executor = ThreadExecutor(2)
    came = begin(executor, lambda: go_on.wait(10))
    executor.shutdown()
    go_on.set()
    assert came.get(timeout=10) is True
    assert done(executor, lambda: 2) == [2]
    assert not left_beside(set(threading.enumerate()) - (ours() - others))


def test_requests_see_the_context_of_their_run() -> None:
    """Also in a thread that another run has used before."""
    place = ContextVar("place", default="none")
    seen: list[str] = []

    class Looking(SandboxTransport):
        def handle_request(self, request: Any) -> Any:
            seen.append(place.get())
            place.set("left by a request")
            return super().handle_request(request)

    transport = Looking(Sandbox(rate_limit=None))
    with HubSpotBatch(SECRET, transport=transport, max_concurrency=1) as client:
        client.calls.create(rows("Before", 1))
        place.set("here")
        client.calls.create(rows("After", 2), chunk_size=1)
    assert seen == ["none", "here", "here"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_begins_with_threads_of_its_own() -> None:
    """Those of its parent are not there; a call would wait for them without end."""
    script = """
import os, warnings
from queue import SimpleQueue
from hubspot_batch._engine.executors import ThreadExecutor
warnings.simplefilter("ignore", DeprecationWarning)
executor, came = ThreadExecutor(1), SimpleQueue()
for _ in range(2):
    executor.submit(lambda: lambda: came.put(1))
    came.get()
if pid := os.fork():
    os._exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
executor.submit(lambda: lambda: came.put(42))
os._exit(came.get(timeout=10))
"""
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode == 42


def test_an_interpreter_ends_though_threads_are_left() -> None:
    """A client need not be closed for that."""
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
