"""Makes the calls of a run, several at a time: in threads, or in tasks.

This module decides which thread makes a call. It never decides what is called or what came of it.
"""

from __future__ import annotations

import asyncio
import threading
from _thread import start_new_thread
from collections import deque
from collections.abc import Callable, Coroutine, KeysView
from contextvars import Context, copy_context
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

GivenT = TypeVar("GivenT")
CameT = TypeVar("CameT")


class Crew(Generic[GivenT, CameT]):
    """Threads that make one kind of call; what came of each is fetched by the caller's thread.

    A thread is started when a call finds none free. They are daemons, so that one that waits for
    a far-off repetition, which nobody wants any more, does not keep the interpreter from ending.

    An interruption can come between any two steps in the caller's thread. The order of the steps
    is such that a call is rather forgotten than waited for in vain.

    Args:
        call: What is called; what it raises is what came of it.

    Attributes:
        under_way: What was given of which nothing has been fetched yet.
    """

    def __init__(self, call: Callable[[GivenT], CameT]) -> None:
        self.under_way: set[GivenT] = set()
        self._call = call
        self._context = copy_context()
        self._given: SimpleQueue[GivenT | None] = SimpleQueue()
        self._came: deque[tuple[GivenT, CameT | BaseException]] = deque()
        self._news: SimpleQueue[None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def start(self, given: GivenT) -> None:
        """Have a call made."""
        if len(self.under_way) >= len(self._threads):
            context = self._context.copy()
            # So named that a list of threads says whose it is.
            thread = threading.Thread(
                target=_work,
                args=(context, self._call, self._given, self._came, self._news),
                name="hubspot-batch",
                daemon=True,
            )
            self._threads.append(thread)
            _begin(thread)
        self._given.put(given)
        self.under_way.add(given)

    def fetch(self) -> tuple[GivenT, CameT | BaseException]:
        """Wait for a call to end; return what it was given, and what came of it or was raised."""
        while not self._came:
            self._news.get()
        self.under_way.discard(self._came[0][0])
        return self._came.popleft()

    def ended(self) -> bool:
        """Whether `fetch` would return at once."""
        return bool(self._came)

    def owns(self, thread: threading.Thread) -> bool:
        """Whether a thread is one of these."""
        return thread in self._threads

    def dismiss(self) -> None:
        """Let the threads end when their calls have; wait for them where nothing is under way."""
        self._given.put(None)
        if not self.under_way and not self.owns(threading.current_thread()):
            _wait_for(self._threads)

    def __del__(self) -> None:
        """Let the threads end if an interruption came before they were dismissed."""
        if hasattr(self, "_given"):
            self._given.put(None)


def _begin(thread: threading.Thread) -> None:
    """Start a thread, from one that no signal handler ever interrupts.

    `Thread.start` waits at a condition. An interruption in the midst of that comes out as a
    RuntimeError of a lock, or leaves a lock taken for ever, so that the thread never gets on.
    """
    begun: SimpleQueue[BaseException | None] = SimpleQueue()
    start_new_thread(_begin_aside, (thread, begun))
    if (failure := begun.get()) is not None:
        raise failure


def _begin_aside(thread: threading.Thread, begun: SimpleQueue[BaseException | None]) -> None:
    try:
        thread.start()
    except BaseException as error:  # noqa: BLE001 - there are too many threads, as a rule
        begun.put(error)
    else:
        begun.put(None)


def _wait_for(threads: list[threading.Thread]) -> None:
    """Wait until threads have ended, but for those that an interruption kept from starting."""
    try:
        for thread in threads:
            if thread.is_alive():
                thread.join()
    except RuntimeError as error:
        # Before 3.13 Python can release a lock once too often when it is interrupted here.
        raise error.__context__ or error from None


def _work(
    context: Context,
    call: Callable[[GivenT], CameT],
    todo: SimpleQueue[GivenT | None],
    done: deque[tuple[GivenT, CameT | BaseException]],
    news: SimpleQueue[None],
) -> None:
    """Make calls until there are none to make any more."""
    while (given := todo.get()) is not None:
        try:
            came: CameT | BaseException = context.run(call, given)
        except BaseException as error:  # noqa: BLE001 - the fetching thread decides
            came = error
        done.append((given, came))
        news.put(None)
        del given, came
    todo.put(None)  # for the next thread


class TaskCrew(Generic[GivenT, CameT]):
    """The same with tasks, of which a call may be cancelled; like `Crew`."""

    def __init__(self, call: Callable[[GivenT], Coroutine[Any, Any, CameT]]) -> None:
        self._call = call
        self._tasks: dict[GivenT, asyncio.Task[CameT]] = {}

    @property
    def under_way(self) -> KeysView[GivenT]:
        """What was given of which nothing has been fetched yet."""
        return self._tasks.keys()

    async def start(self, given: GivenT) -> None:
        """Have a call made, and let it come as far as it can before anything else is done."""
        task = asyncio.create_task(self._call(given))
        self._tasks[given] = task
        await asyncio.wait([task], timeout=0)

    async def fetch(self) -> tuple[GivenT, CameT | BaseException]:
        """Wait for a call to end; return what it was given, and what came of it or was raised."""
        await asyncio.wait(self._tasks.values(), return_when=asyncio.FIRST_COMPLETED)
        given, task = next(item for item in self._tasks.items() if item[1].done())
        del self._tasks[given]
        try:
            return given, task.result()
        except BaseException as error:  # noqa: BLE001 - the fetching task decides
            return given, error

    def ended(self) -> bool:
        """Whether `fetch` would return at once."""
        return any(task.done() for task in self._tasks.values())

    def cancel(self) -> None:
        """Cancel all calls; what comes of them is still to be fetched."""
        for task in self._tasks.values():
            task.cancel()
