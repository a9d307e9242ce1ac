"""Makes the calls of a run, several at a time: in threads, or in tasks.

This module decides which thread makes a call. It never decides what is called or what came of it.
"""

from __future__ import annotations

import os
import threading
from _thread import start_new_thread
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterable, KeysView
from contextlib import suppress
from contextvars import Context, copy_context
from functools import partial
from itertools import islice
from queue import Empty, SimpleQueue
from types import coroutine
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

if TYPE_CHECKING:
    from asyncio import Task

GivenT = TypeVar("GivenT")
CameT = TypeVar("CameT")

# Seconds in which a request is on its way, as a rule.
_A_MOMENT = 0.0005

Told: TypeAlias = Callable[[], None]
# What is to be done, which returns how to tell of it.
Work: TypeAlias = Callable[[], Told]


class Crew(Generic[GivenT, CameT]):
    """Makes one kind of call in threads; what came of each is fetched by the caller's thread.

    An interruption can come between any two steps in the caller's thread. No call is forgotten
    then, and none is waited for in vain.

    Args:
        workers: The threads.
        call: What is called; what it raises is what came of it.

    Attributes:
        under_way: What was given of which nothing has been fetched yet.
    """

    def __init__(self, workers: Workers, call: Callable[[GivenT], CameT]) -> None:
        self.under_way: set[GivenT] = set()
        self._workers = workers
        self._call = call
        self._context = copy_context()
        self._came: deque[tuple[GivenT, CameT | BaseException]] = deque()
        self._news: SimpleQueue[None] = SimpleQueue()

    def start(self, given: GivenT) -> None:
        """Have a call made."""
        context = self._context.copy()
        work = partial(_make, context, self._call, given, self._came, self._news)
        handed_over: list[None] = []
        try:
            self.under_way.add(given)
            self._workers.do(work, handed_over)
        except BaseException:
            if not handed_over:
                self.under_way.discard(given)
            raise

    def fetch(self) -> tuple[GivenT, CameT | BaseException]:
        """Wait for a call to end; return what it was given, and what came of it or was raised."""
        while not self._came:
            self._news.get()
        self.under_way.discard(self._came[0][0])
        return self._came.popleft()

    def ended(self) -> bool:
        """Whether `fetch` would return at once."""
        return bool(self._came)

    def let_begin(self) -> bool:
        """Let the calls come to where they wait for answers; return whether one has ended.

        Else they only begin when the caller's thread has nothing to do: the interpreter changes
        threads every 5 ms if nobody waits.
        """
        if not self.ended():
            with suppress(Empty):
                self._news.get(timeout=_A_MOMENT)
        return self.ended()


def _make(
    context: Context,
    call: Callable[[GivenT], CameT],
    given: GivenT,
    came: deque[tuple[GivenT, CameT | BaseException]],
    news: SimpleQueue[None],
) -> Told:
    try:
        return partial(_tell, came, news, given, context.run(call, given))
    except BaseException as error:  # noqa: BLE001 - the fetching thread decides
        return partial(_tell, came, news, given, error)


def _tell(
    came: deque[tuple[GivenT, CameT | BaseException]],
    news: SimpleQueue[None],
    given: GivenT,
    what: CameT | BaseException,
) -> None:
    came.append((given, what))
    news.put(None)


class Workers:
    """The threads of a client, of which its runs take those that are free.

    One is started when none is free, which takes as long as a small request. They end when the
    client is closed, or when nobody has it any more.

    Args:
        most: So many are kept while there is nothing to do.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._idle = _Idle(most)

    def do(self, work: Work, handed_over: list[None]) -> None:
        """Have work done, and told of when the thread is free again.

        Args:
            work: What to do.
            handed_over: Is given an item at the moment from which on it will be done.
        """
        if self._idle.process != os.getpid():  # a fork takes no threads along
            self._idle = _Idle(self._most)
        if not self._idle.give(work, handed_over):
            _begin(Worker(self._idle, work), handed_over)

    def dismiss(self) -> None:
        """Let the threads end, those that work when they are done."""
        self._idle.end()

    def __del__(self) -> None:
        """Let the threads end."""
        self.dismiss()


class Worker(threading.Thread):
    """A thread that does one piece of work after another.

    It is a daemon, so that one that waits for a far-off repetition, which nobody wants any more,
    does not keep the interpreter from ending.
    """

    def __init__(self, idle: _Idle, work: Work) -> None:
        # So named that a list of threads says whose it is.
        super().__init__(name="hubspot-batch", daemon=True)
        self._idle = idle
        self._given: SimpleQueue[Work | None] = SimpleQueue()
        self._given.put(work)

    def run(self) -> None:
        """Work until there is nothing to be done any more."""
        while (work := self._given.get()) is not None:
            tell = work()
            stays = self._idle.take(self._given)
            tell()
            if not stays:
                return
            del work, tell


class _Idle:
    """Threads that have nothing to do, as the queues from which they take work."""

    def __init__(self, most: int) -> None:
        self.process = os.getpid()
        self._most = most
        self._over = False
        self._waiting: deque[SimpleQueue[Work | None]] = deque()

    def take(self, thread: SimpleQueue[Work | None]) -> bool:
        """Take a thread that is done; return False if it shall end."""
        if len(self._waiting) >= self._most:
            return False
        self._waiting.append(thread)
        if self._over:
            self.end()
        return True

    def give(self, work: Work | None, handed_over: list[None]) -> bool:
        """Give work to a thread, or let it end; return whether there was one.

        To take the thread, to give and to note it is one step: no interruption comes in between.
        """
        thread = islice(iter(self._waiting.pop, None), 1)
        with suppress(IndexError):
            handed_over.extend(map(_PUT, thread, (work,)))
        return bool(handed_over)

    def end(self) -> None:
        """Let these threads end, and those that are taken later."""
        self._over = True
        while self.give(None, []):
            pass


# A function in C, through which no interruption comes.
_PUT = SimpleQueue[Any].put


def _begin(thread: threading.Thread, handed_over: list[None]) -> None:
    """Start a thread, from one that no signal handler ever interrupts.

    `Thread.start` waits at a condition. An interruption in the midst of that comes out as a
    RuntimeError of a lock, or leaves a lock taken for ever, so that the thread never gets on.
    """
    begun: SimpleQueue[BaseException | None] = SimpleQueue()
    aside: Iterable[Any] = map(start_new_thread, (_begin_aside,), ((thread, begun),))
    handed_over.extend(aside)  # in one step, as above
    if (failure := begun.get()) is not None:
        handed_over.clear()
        raise failure


def _begin_aside(thread: threading.Thread, begun: SimpleQueue[BaseException | None]) -> None:
    try:
        thread.start()
    except BaseException as error:  # noqa: BLE001 - there are too many threads, as a rule
        begun.put(error)
    else:
        begun.put(None)


class TaskCrew(Generic[GivenT, CameT]):
    """The same with tasks, of which a call may be cancelled; like `Crew`."""

    def __init__(self, call: Callable[[GivenT], Coroutine[Any, Any, CameT]]) -> None:
        from asyncio import Event, get_running_loop  # noqa: PLC0415 - threads need none of it

        self._call = call
        self._loop = get_running_loop()
        self._tasks: dict[GivenT, Task[CameT]] = {}
        self._ended: deque[GivenT] = deque()
        self._news = Event()

    @property
    def under_way(self) -> KeysView[GivenT]:
        """What was given of which nothing has been fetched yet."""
        return self._tasks.keys()

    async def start(self, given: GivenT) -> None:
        """Have a call made, and let it come as far as it can before anything else is done."""
        task = self._tasks[given] = self._loop.create_task(self._call(given))
        task.add_done_callback(lambda _: self._note(given))
        await _give_way()

    def _note(self, given: GivenT) -> None:
        self._ended.append(given)
        self._news.set()

    async def fetch(self) -> tuple[GivenT, CameT | BaseException]:
        """Wait for a call to end; return what it was given, and what came of it or was raised."""
        while not self._ended:
            self._news.clear()
            await self._news.wait()
        given = self._ended.popleft()
        try:
            return given, self._tasks.pop(given).result()
        except BaseException as error:  # noqa: BLE001 - the fetching task decides
            return given, error

    def ended(self) -> bool:
        """Whether `fetch` would return at once, or as soon as the event loop has noticed."""
        return any(task.done() for task in self._tasks.values())

    async def let_begin(self) -> bool:
        """Let the calls come to where they wait for answers; return whether one has ended."""
        if not self.ended():
            self._news.clear()
            moment = self._loop.call_later(_A_MOMENT, self._news.set)
            try:
                await self._news.wait()
            finally:
                moment.cancel()
        return self.ended()

    def cancel(self) -> None:
        """Cancel all calls; what comes of them is still to be fetched."""
        for task in self._tasks.values():
            task.cancel()


@coroutine
def _give_way() -> Generator[None, None, None]:
    """Let the event loop take its other steps first."""
    yield
