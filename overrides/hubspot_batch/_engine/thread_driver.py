"""Drives runs in threads.

This module decides when a chunk is sent and when a response is waited for, in the thread that
called. What a response means is decided by `Run`. `task_driver` does the same for tasks; the two
differ in how they wait.
"""

from __future__ import annotations

import threading
from collections import deque
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING

from hubspot_batch._transport.owners import check_open

from .driver import ChunkResult, Driver, RunRequest
from .executors import Report, WorkerThread
from .interrupts import Interrupts

if TYPE_CHECKING:
    from .chunk import Chunk
    from .chunker import Inputs
    from .runner import Runner


class ThreadDriver(Driver):
    """Drives a run in the calling thread; requests are sent by other threads.

    Even a single request is sent by another thread: Ctrl-C is raised in this one, and would
    interrupt the request.

    Attributes:
        run: The run.
        interrupts: Ctrl-C during the run.
    """

    def __init__(self, runner: Runner, call: RunRequest, inputs: Inputs, *, collects: bool) -> None:
        self._under_way: set[Chunk] = set()
        self._results: deque[tuple[Chunk, ChunkResult]] = deque()
        self._news: SimpleQueue[None] = SimpleQueue()
        self._executor = runner.executor
        self._look_up = runner.look_up
        self.interrupts = Interrupts(partial(self._news.put, None))
        self._begin(runner, call, inputs, collects=collects, reading=self.interrupts.reading)

    def advance(self) -> bool:
        """Send what can be sent, then wait for one response; return False at the end."""
        if self.interrupts.pressed:
            self.interrupts.check()
        self._record()
        while (chunk := self._next_chunk()) is not None:
            self._start(chunk)
        if self._must_return(arrived=bool(self._results)):
            return True
        if self._is_pending(self._under_way):
            self.run.report(*self._fetch())
            self._record()
        if self._is_pending(self._under_way) or self.run.has_more:
            return True
        if self.run.in_doubt:
            self._resolve(self._look_up(self.run, self.interrupts.check))
            self._record()
        return self.run.has_more

    def _record(self) -> None:
        """Bring the journal up to date, before the caller gets the outcomes."""
        if (recorder := self.run.recorder) is not None and recorder.has_work:
            self.run.stop_on_failure(recorder.catch_up())

    def _start(self, chunk: Chunk) -> None:
        if not self._runner.sends:
            self.run.settle_unsent(chunk)
            return
        context = copy_context()
        try:
            self._under_way.add(chunk)
            self._executor.submit(lambda: context.run(self._send, chunk))
        except BaseException:
            self._under_way.discard(chunk)
            raise

    def _send(self, chunk: Chunk) -> Report:
        """Send a chunk, in a thread of the executor."""
        result: ChunkResult
        try:
            check_open(self._runner.http)
            result = self._operation.send(self._runner.client, chunk)
        except BaseException as error:  # noqa: BLE001 - the driving thread decides
            result = error
        return partial(self._tell, chunk, result)

    def _tell(self, chunk: Chunk, result: ChunkResult) -> None:
        self._results.append((chunk, result))
        self._news.put(None)

    def _fetch(self) -> tuple[Chunk, ChunkResult]:
        """Wait for a response."""
        while not self._results:
            self._news.get()
            if self.interrupts.pressed:
                self.interrupts.check()
        return self._take()

    def _take(self) -> tuple[Chunk, ChunkResult]:
        self._under_way.discard(self._results[0][0])
        return self._results.popleft()

    def finish(self, cause: BaseException) -> None:
        """End the run early: wait for the requests under way, until Ctrl-C is pressed again.

        Raises:
            BaseException: An interrupt that one of them met, if the caller only leaves the run.
        """
        if self.is_copy:
            return
        self.run.interrupt(cause)
        if isinstance(threading.current_thread(), WorkerThread):
            return  # a thread that deletes an iterator would wait for itself
        pressed, graver = self.interrupts.pressed, None
        while self._is_pending(self._under_way) and self.interrupts.pressed == pressed:
            if self._results:
                graver = self._report_last(*self._take()) or graver
            else:
                self._news.get()
        if graver is not None and isinstance(cause, GeneratorExit):
            raise graver
