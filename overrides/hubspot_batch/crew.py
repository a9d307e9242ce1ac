"""Makes the calls of a run in threads, several at a time.

This module decides which thread makes a call. It never decides what is called or what came of it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import Context, copy_context
from queue import SimpleQueue
from typing import Generic, TypeVar

GivenT = TypeVar("GivenT")
CameT = TypeVar("CameT")


class Crew(Generic[GivenT, CameT]):
    """Threads that make one kind of call; what came of each is fetched by the caller's thread.

    A thread is started when a call finds none free. They are daemons, so that one that waits for
    a far-off repetition, which nobody wants any more, does not keep the interpreter from ending.

    Args:
        call: What is called; what it raises is what came of it.

    Attributes:
        busy: Calls of which nothing has been fetched yet.
    """

    def __init__(self, call: Callable[[GivenT], CameT]) -> None:
        self.busy = 0
        self._call = call
        self._context = copy_context()
        self._given: SimpleQueue[GivenT | None] = SimpleQueue()
        self._came: SimpleQueue[tuple[GivenT, CameT | BaseException]] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def start(self, given: GivenT) -> None:
        """Have a call made."""
        self.busy += 1
        self._given.put(given)
        if self.busy > len(self._threads):
            thread = threading.Thread(
                target=self._work, args=(self._context.copy(),), name="hubspot-batch", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def fetch(self) -> tuple[GivenT, CameT | BaseException]:
        """Wait for a call to end; return what it was given, and what came of it or was raised."""
        ended = self._came.get()
        self.busy -= 1
        return ended

    def ended(self) -> bool:
        """Whether `fetch` would return at once."""
        return not self._came.empty()

    def owns(self, thread: threading.Thread) -> bool:
        """Whether a thread is one of these."""
        return thread in self._threads

    def dismiss(self, *, wait: bool) -> None:
        """Let the threads end when their calls have; `wait` for them to be gone."""
        for _ in self._threads:
            self._given.put(None)
        if wait:
            for thread in self._threads:
                if thread is not threading.current_thread():
                    thread.join()

    def _work(self, context: Context) -> None:
        while (given := self._given.get()) is not None:
            try:
                came: CameT | BaseException = context.run(self._call, given)
            except BaseException as error:  # noqa: BLE001 - the fetching thread decides
                came = error
            self._came.put((given, came))
            del given, came
