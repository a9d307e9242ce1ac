"""Threads that make the calls of runs.

This module decides which thread makes a call.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import TypeAlias

Report: TypeAlias = Callable[[], object]
# Makes a call, and returns a function that tells of its end.
Task: TypeAlias = Callable[[], Report]


class WorkerThread(threading.Thread):
    """A thread of a client."""

    def __init__(self, serve: Callable[[Task], None], first: Task) -> None:
        super().__init__(name="hubspot-batch", daemon=True)
        self._serve = serve
        self._first = [first]  # taken out, so a thread that waits holds nothing of its first run

    def run(self) -> None:
        """Do the first work, and what follows."""
        self._serve(self._first.pop())


class ThreadExecutor:
    """The threads of a client, which its runs share.

    They are daemon threads, unlike those of `concurrent.futures`: after a second Ctrl-C, the
    interpreter does not wait for a request that sleeps for a minute, or hangs. They end when the
    client is closed or not referenced any more.

    Args:
        keep: How many threads are kept while there is nothing to do.
    """

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._pool = _Pool(keep)

    def submit(self, work: Task) -> None:
        """Make a call in a thread. Its end is reported when the thread is free for another call."""
        if self._pool.process != os.getpid():  # a fork takes no threads along
            self._pool = _Pool(self._keep)
        self._pool.submit(work)

    def shutdown(self) -> None:
        """Let the threads end; a thread that makes a call ends after it."""
        self._pool.shutdown()

    def __del__(self) -> None:
        self.shutdown()


class _Pool:
    """The threads of one process. It is apart from the executor, which no thread must reference."""

    def __init__(self, keep: int) -> None:
        self.process = os.getpid()
        self._keep = keep
        self._closed = False
        self._queue: SimpleQueue[Task | None] = SimpleQueue()
        # A token for each thread that waits for work.
        self._idle: deque[None] = deque()
        self._lock = threading.Lock()

    def submit(self, work: Task) -> None:
        try:
            self._idle.pop()
        except IndexError:
            WorkerThread(self._serve, work).start()
        else:
            # If a signal handler raises before this, a thread waits until the process ends.
            self._queue.put(work)

    def _serve(self, work: Task | None) -> None:
        while work is not None:
            tell = work()
            with self._lock:
                stays = not self._closed and len(self._idle) < self._keep
                if stays:
                    self._idle.append(None)
            tell()
            if not stays:
                return
            del work, tell  # a thread that waits holds nothing of the last run
            work = self._queue.get()

    def shutdown(self) -> None:
        self._closed = True
        with suppress(IndexError):
            while True:
                self._idle.pop()
                self._queue.put(None)
