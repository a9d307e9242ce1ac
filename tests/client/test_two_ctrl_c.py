"""Two quick Ctrl-C during an asynchronous run end `asyncio.run`, wherever they come.

Python raises the second one between any two steps of the main thread. What a run waits for must not
depend on a step that it can skip. asyncio's own event loop can lose a step in its lines, whatever
runs in it (`_run_once` and `Handle`), so these are left out here.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

import httpx
import pytest
from hubspot_batch import AsyncHubSpotBatch, result_of
from leak_watch import SECRET

ROW = {"properties": {"hs_timestamp": "2026-01-31T09:30:00Z"}}
ROWS = 4
PLACES = (
    *("_engine/runner.py", "_engine/task_driver.py", "_engine/driver.py", "_engine/run.py"),
    "_transport/owners.py",
    *("_transport/transport.py", "_transport/request_flow.py", "asyncio/tasks.py"),
)
PATIENCE = 5.0


class HungError(BaseException):
    """The run goes on although it was interrupted twice."""


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    def hung(*_: object) -> None:
        raise HungError

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    alarm = signal.signal(signal.SIGALRM, hung)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, alarm)
    signal.signal(signal.SIGINT, before)


def press_twice() -> None:
    """Press Ctrl-C twice: the first cancels the main task, the second is raised here."""
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)


async def answer(_: httpx.Request) -> httpx.Response:
    await asyncio.sleep(0.001)
    return httpx.Response(201, json={"results": []})


async def create() -> None:
    transport = httpx.MockTransport(answer)
    async with AsyncHubSpotBatch(SECRET, transport=transport, rate_limit=None) as client:
        await client.calls.create([ROW] * ROWS, chunk_size=1)


def run_in_time(made: Any) -> BaseException | None:
    """Run a coroutine, which must end; gives what it raised."""
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        asyncio.run(made)
    except (KeyboardInterrupt, asyncio.CancelledError, RuntimeError) as error:
        return error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return None


# asyncio itself leaves coroutines behind where its end is interrupted.
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_anywhere() -> None:
    """Before each line of ours, and of asyncio's tasks, in turn."""
    number, places = 1, set[str]()
    asyncio.run(create())
    while (place := interrupted_at(number)) is not None:
        places.add(place)
        number += 3
    gc.collect()
    assert {place.partition(" ")[0] for place in places} >= {"runner.py", "driver.py", "tasks.py"}


def interrupted_at(number: int) -> str | None:
    """Press Ctrl-C twice before the n-th line; gives its place, or None if there are fewer."""
    passed, place = 0, None

    def line(frame: FrameType, event: str, _: object) -> Any:
        nonlocal passed, place
        if event == "line":
            passed += 1
            if passed == number:
                code = frame.f_code
                place = f"{os.path.basename(code.co_filename)} {code.co_name}"  # noqa: PTH119
                sys.settrace(None)
                press_twice()
        return line

    def enter(frame: FrameType, _: str, __: object) -> Any:
        return line if frame.f_code.co_filename.endswith(PLACES) else None

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        ended = run_in_time(create())
    except HungError:
        pytest.fail(f"it hangs after two Ctrl-C at {place}")
    finally:
        sys.settrace(before)
    assert place is None or ended is not None, f"Ctrl-C is swallowed at {place}"
    return place


@pytest.mark.parametrize("first", [False, True])
def test_at_the_moment_when_a_response_arrives(first: bool) -> None:
    """Also where the news of it is lost: what was under way is unknown, and nothing hangs."""
    pressed: list[bool] = []
    caught: list[BaseException] = []

    def press(_: object) -> None:
        if not pressed:
            pressed.append(True)
            press_twice()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(factory)
        try:
            await create()
        except BaseException as error:
            caught.append(error)
            raise

    def factory(loop: asyncio.AbstractEventLoop, made: Any, **how: Any) -> asyncio.Task[Any]:
        task = asyncio.Task(made, loop=loop, **how)
        if first:
            task.add_done_callback(press)  # before whoever waits for the task
        else:
            loop.call_soon(task.add_done_callback, press)
        return task

    raised = run_in_time(main())
    assert pressed
    assert isinstance(raised, KeyboardInterrupt)
    result = result_of(caught[0])
    assert result is not None
    assert len(result.outcomes) == ROWS
    assert {outcome.status.value for outcome in result.outcomes} <= {"unknown", "not_sent"}
