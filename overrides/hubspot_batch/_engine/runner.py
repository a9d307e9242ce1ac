"""Drives runs, in threads and in tasks.

This module decides when a chunk is sent, and when the driver waits for a response. `Run` decides
what a response means. The two drivers differ only in how they wait.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Awaitable, Callable, Generator
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from types import coroutine
from typing import TYPE_CHECKING, Any, TypeAlias

import httpx
from attrs import frozen

from hubspot_batch._transport.owners import running_loop
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.events import Observer
from hubspot_batch.options import SYSTEM_CLOCK, Clock
from hubspot_batch.outcomes import BatchResult, result_of

from .doubts import LookUpResult
from .driver import ChunkResult, Driver, RunRequest, check_open
from .executors import Report, ThreadExecutor, WorkerThread
from .interrupts import Interrupts
from .iterators import AsyncOutcomeIterator, OutcomeIterator

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task

    from .chunk import Chunk
    from .chunker import AsyncInputs, Inputs
    from .run import Run


LookUpRun: TypeAlias = Callable[["Run[Any]", Callable[[], object]], LookUpResult]
AsyncLookUpRun: TypeAlias = Callable[["Run[Any]"], Awaitable[LookUpResult]]


@frozen(eq=False, repr=False)
class Runner:
    """Runs operations for the calling thread, which alone reads inputs and settles outcomes.

    Args:
        client: The generated client that requests are sent with.
        http: Its httpx client.
        width: Requests of a run under way at most.
        executor: The threads that send them.
        look_up: Looks up inputs in doubt.
        observer: Told of events and outcomes.
        sends: Whether inputs are sent, or only checked.
        clock: The clock to read.
    """

    client: Any
    http: httpx.Client
    width: int
    executor: ThreadExecutor
    look_up: LookUpRun
    observer: Observer | None = None
    sends: bool = True
    clock: Clock = SYSTEM_CLOCK

    def collect(self, call: RunRequest, inputs: Inputs) -> BatchResult[Any]:
        """Carry out an operation, and return the outcomes of all inputs."""
        driver = ThreadDriver(self, call, inputs, collects=True)
        try:
            with driver.interrupts as interrupts:
                try:
                    while driver.advance():
                        pass
                    return _result_of(driver.run)
                except BaseException as error:
                    driver.finish(error)
                    driver.attach_result(error)
                    interrupts.absorb(error)
                    raise
        except BaseException as error:
            driver.interrupts.restore()
            if result_of(error) is None:  # it came while another one was handled
                driver.attach_result(error)
            raise

    def iterate(self, call: RunRequest, inputs: Inputs) -> OutcomeIterator[Any]:
        """Carry out an operation, and give the outcomes as they become known."""
        return OutcomeIterator(ThreadDriver(self, call, inputs, collects=False))


@frozen(eq=False, repr=False)
class AsyncRunner:
    """Runs operations for the calling task, which alone reads inputs and settles outcomes."""

    client: Any
    http: httpx.AsyncClient
    width: int
    look_up: AsyncLookUpRun
    observer: Observer | None = None
    sends: bool = True
    clock: Clock = SYSTEM_CLOCK

    async def collect(self, call: RunRequest, inputs: AsyncInputs) -> BatchResult[Any]:
        """Carry out an operation, and return the outcomes of all inputs."""
        driver = TaskDriver(self, call, inputs, collects=True)
        try:
            while await driver.advance():
                pass
            return _result_of(driver.run)
        except BaseException as error:
            try:
                await driver.finish(error)
            finally:
                driver.attach_result(error)
            raise

    def iterate(self, call: RunRequest, inputs: AsyncInputs) -> AsyncOutcomeIterator[Any]:
        """Carry out an operation, and give the outcomes as they become known."""
        return AsyncOutcomeIterator(TaskDriver(self, call, inputs, collects=False))


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
        self._came: deque[tuple[Chunk, ChunkResult]] = deque()
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
        if self._must_return(came=bool(self._came)):
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
        came: ChunkResult
        try:
            check_open(self._runner.http)
            came = self._operation.send(self._runner.client, chunk)
        except BaseException as error:  # noqa: BLE001 - the driving thread decides
            came = error
        return partial(self._tell, chunk, came)

    def _tell(self, chunk: Chunk, came: ChunkResult) -> None:
        self._came.append((chunk, came))
        self._news.put(None)

    def _fetch(self) -> tuple[Chunk, ChunkResult]:
        """Wait for a response."""
        while not self._came:
            self._news.get()
            if self.interrupts.pressed:
                self.interrupts.check()
        return self._take()

    def _take(self) -> tuple[Chunk, ChunkResult]:
        self._under_way.discard(self._came[0][0])
        return self._came.popleft()

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
            if self._came:
                graver = self._report_last(*self._take()) or graver
            else:
                self._news.get()
        if graver is not None and isinstance(cause, GeneratorExit):
            raise graver


class TaskDriver(Driver):
    """Drives a run in the calling task; requests are sent by other tasks.

    Attributes:
        run: The run.
    """

    def __init__(
        self, runner: AsyncRunner, call: RunRequest, inputs: AsyncInputs, *, collects: bool
    ) -> None:
        self._loop: AbstractEventLoop | None = None
        self._tasks: dict[Task[ChunkResult], Chunk] = {}
        self._look_up = runner.look_up
        self._begin(runner, call, inputs, collects=collects, in_task=True)

    async def advance(self) -> bool:
        """Send what can be sent, then wait for one response; return False at the end."""
        self._check_process()
        if not self._at_home():
            raise ConfigurationError(
                "This run belongs to the event loop in which it began; begin another one in this "
                "event loop."
            )
        await self._record()
        while True:
            if self.run.awaits_inputs and self._is_free:
                await self.run.fetch()
            if (chunk := self._next_chunk()) is None:
                break
            await self._start(chunk)
        if self._must_return(came=any(task.done() for task in self._tasks)):
            return True
        if self._is_pending(self._tasks.values()):
            self.run.report(*await self._fetch())
            await self._record()
        if self._is_pending(self._tasks.values()) or self.run.has_more:
            return True
        await self._cancel()
        if self.run.in_doubt:
            self._resolve(await self._look_up(self.run))
            await self._record()
            return self.run.has_more
        if self.run.awaits_inputs and self.run.stopped is not None:
            await self.run.fetch()
        return False

    async def _record(self) -> None:
        """Bring the journal up to date, before the caller gets the outcomes."""
        if (recorder := self.run.recorder) is not None and recorder.has_work:
            from asyncio import to_thread  # noqa: PLC0415 - threads need none of it

            self.run.stop_on_failure(await to_thread(recorder.catch_up))

    def _at_home(self) -> bool:
        """Whether this is the event loop in which the run began, if it has."""
        loop = running_loop()
        if self._loop is None:
            self._loop = loop
        return self._loop is loop

    async def _start(self, chunk: Chunk) -> None:
        if not self._runner.sends:
            self.run.settle_unsent(chunk)
            return
        self._tasks[running_loop().create_task(self._send(chunk))] = chunk
        await _yield()  # let it send before more inputs are read

    async def _send(self, chunk: Chunk) -> ChunkResult:
        try:
            check_open(self._runner.http)
            return await self._operation.asend(self._runner.client, chunk)
        except BaseException as error:
            from asyncio import CancelledError  # noqa: PLC0415 - threads need none of it

            if isinstance(error, CancelledError):
                raise
            return error  # raised in a task, it would end the whole event loop

    async def _fetch(self) -> tuple[Chunk, ChunkResult]:
        """Wait for a response."""
        from asyncio import FIRST_COMPLETED, wait  # noqa: PLC0415 - threads need none of it

        while True:
            for task in self._tasks:
                if task.done():
                    chunk = self._tasks.pop(task)
                    try:
                        return chunk, task.result()
                    except BaseException as error:  # noqa: BLE001 - it was cancelled
                        return chunk, error
            await wait(self._tasks, return_when=FIRST_COMPLETED)

    async def finish(self, cause: BaseException) -> None:
        """End the run early: wait for the requests under way if the caller only leaves the run.

        Otherwise, as when the calling task was cancelled, they are cancelled.

        Raises:
            BaseException: An interrupt that one of them met, if the caller only leaves the run.
        """
        if self.is_copy:
            return
        self.run.interrupt(cause)
        if self._tasks and not self._at_home():
            self.cancel_soon()  # they cannot be waited for in this event loop
            return
        graver: BaseException | None = None
        try:
            while isinstance(cause, GeneratorExit) and self._is_pending(self._tasks.values()):
                graver = self._report_last(*await self._fetch()) or graver
        finally:
            await self._cancel()
        if graver is not None:
            raise graver

    async def _cancel(self) -> None:
        """Cancel the requests under way, and wait until they have given up."""
        for task in self._tasks:
            task.cancel()
        while self._tasks:
            self._report_last(*await self._fetch())

    def cancel_soon(self) -> None:
        """Cancel the requests under way, from wherever this is called."""
        if self.is_copy:
            return
        for task in [*self._tasks]:
            loop = task.get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(task.cancel)


@coroutine
def _yield() -> Generator[None, None, None]:
    """Let the event loop take its other steps first."""
    yield


def _result_of(run: Run[Any]) -> BatchResult[Any]:
    """Return the result of a run that has come to its end; raise what stopped it."""
    result = run.close(drain=True)
    if run.stopped is not None:
        raise run.stopped
    return result
