"""Drives runs, in threads and in tasks.

This module decides when a chunk is sent and when a response is waited for. What a response means is
decided by `Run`. The two drivers differ in how they wait.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Generator, Iterable
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from types import coroutine
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import httpx
from attrs import frozen

from hubspot_batch.errors import ConfigurationError
from hubspot_batch.events import Notify
from hubspot_batch.outcomes import BatchResult, attach, result_of

from .chunk import BatchResponse
from .executors import Tell, ThreadExecutor, WorkerThread
from .interrupts import Interrupts
from .iterators import AsyncOutcomeIterator, OutcomeIterator

if TYPE_CHECKING:
    from asyncio import Task

    from .chunk import Chunk, Operation
    from .chunker import AsyncInputs, Inputs
    from .run import Run

_Came: TypeAlias = BatchResponse | BaseException


class Call(Protocol):
    """An operation, with everything but its inputs."""

    @property
    def operation(self) -> Operation[Any]:
        """The operation, as the engine sees it."""
        ...

    @property
    def chunk_size(self) -> int | None:
        """Inputs in a request; None for the operation's limit."""
        ...


@frozen(eq=False, repr=False)
class Runner:
    """Runs operations for the calling thread, which alone reads inputs and settles outcomes.

    Args:
        client: The generated client that requests are sent with.
        http: Its httpx client.
        width: Requests of a run under way at most.
        executor: The threads that send them.
        notify: Told of events.
    """

    client: Any
    http: httpx.Client
    width: int
    executor: ThreadExecutor
    notify: Notify | None = None

    def collect(self, call: Call, inputs: Inputs) -> BatchResult[Any]:
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
                    _attach_result(error, driver.run)
                    interrupts.absorb(error)
                    raise
        except BaseException as error:
            driver.interrupts.restore()
            if result_of(error) is None:  # it came while another one was handled
                _attach_result(error, driver.run)
            raise

    def iterate(self, call: Call, inputs: Inputs) -> OutcomeIterator[Any]:
        """Carry out an operation, and give the outcomes as they become known."""
        return OutcomeIterator(ThreadDriver(self, call, inputs, collects=False))


@frozen(eq=False, repr=False)
class AsyncRunner:
    """Runs operations for the calling task, which alone reads inputs and settles outcomes."""

    client: Any
    http: httpx.AsyncClient
    width: int
    notify: Notify | None = None

    async def collect(self, call: Call, inputs: AsyncInputs) -> BatchResult[Any]:
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
                _attach_result(error, driver.run)
            raise

    def iterate(self, call: Call, inputs: AsyncInputs) -> AsyncOutcomeIterator[Any]:
        """Carry out an operation, and give the outcomes as they become known."""
        return AsyncOutcomeIterator(TaskDriver(self, call, inputs, collects=False))


class _Driver:
    """What the two drivers have in common."""

    run: Run[Any]

    def _begin(
        self, runner: Runner | AsyncRunner, call: Call, inputs: AsyncInputs, **how: Any
    ) -> None:
        from .run import Run  # noqa: PLC0415 - not before there is a run

        _check_open(runner.http)
        self._runner = runner
        self._operation = call.operation
        self.run = Run(
            self._operation,
            inputs,
            run_id=os.urandom(16).hex(),
            chunk_size=call.chunk_size,
            notify=runner.notify,
            **how,
        )

    def _next_chunk(self) -> Chunk | None:
        """Return a chunk to send now, if fewer requests than allowed are under way."""
        return self.run.next_chunk() if self._is_free else None

    @property
    def _is_free(self) -> bool:
        return len(self.run.under_way) < self._runner.width

    @property
    def _outcomes_first(self) -> bool:
        """Whether the caller must take outcomes before anything is waited for."""
        return not self.run.collects and bool(self.run.ready)

    @staticmethod
    def _is_pending(chunks: Iterable[Chunk]) -> bool:
        """Whether a request is under way; one that was cancelled while it waited is not."""
        return any(not (one.state.cancelled and one.state.waiting) for one in chunks)

    def _report_last(self, chunk: Chunk, came: _Came) -> BaseException | None:
        """Report a chunk to a run that is ending; return an interrupt that came in its place."""
        if isinstance(came, Exception | BatchResponse):
            self.run.report(chunk, came)
            return None
        self.run.abandon(chunk)
        return came


class ThreadDriver(_Driver):
    """Drives a run in the calling thread; requests are sent by other threads.

    A single request, too, is sent by another thread: Ctrl-C comes to this one, and would break it
    off.

    Attributes:
        run: The run.
        interrupts: Ctrl-C during the run.
    """

    def __init__(self, runner: Runner, call: Call, inputs: Inputs, *, collects: bool) -> None:
        self._in_flight: set[Chunk] = set()
        self._came: deque[tuple[Chunk, _Came]] = deque()
        self._news: SimpleQueue[None] = SimpleQueue()
        self._executor = runner.executor
        self.interrupts = Interrupts(partial(self._news.put, None))
        self._begin(runner, call, inputs, collects=collects, reading=self.interrupts.reading)

    def advance(self) -> bool:
        """Send what can be sent, then wait for one response; return False at the end."""
        if self.interrupts.pressed:
            self.interrupts.check()
        while (chunk := self._next_chunk()) is not None:
            self._start(chunk)
        if self._outcomes_first:
            return True
        if self._is_pending(self._in_flight):
            self.run.report(*self._fetch())
        return self._is_pending(self._in_flight) or self.run.going

    def _start(self, chunk: Chunk) -> None:
        context = copy_context()
        try:
            self._in_flight.add(chunk)
            self._executor.submit(lambda: context.run(self._send, chunk))
        except BaseException:
            self._in_flight.discard(chunk)
            raise

    def _send(self, chunk: Chunk) -> Tell:
        """Send a chunk, in a thread of the executor."""
        came: _Came
        try:
            _check_open(self._runner.http)
            came = self._operation.send(self._runner.client, chunk)
        except BaseException as error:  # noqa: BLE001 - the driving thread decides
            came = error
        return partial(self._tell, chunk, came)

    def _tell(self, chunk: Chunk, came: _Came) -> None:
        self._came.append((chunk, came))
        self._news.put(None)

    def _fetch(self) -> tuple[Chunk, _Came]:
        """Wait for a response."""
        while not self._came:
            self._news.get()
            if self.interrupts.pressed:
                self.interrupts.check()
        return self._take()

    def _take(self) -> tuple[Chunk, _Came]:
        self._in_flight.discard(self._came[0][0])
        return self._came.popleft()

    def finish(self, cause: BaseException) -> None:
        """End the run early: wait for the requests under way, until Ctrl-C is pressed again.

        Raises:
            BaseException: An interrupt that one of them met, if the caller only leaves the run.
        """
        self.run.interrupt(cause)
        if isinstance(threading.current_thread(), WorkerThread):
            return  # a thread that throws an iterator away would wait for itself
        pressed, graver = self.interrupts.pressed, None
        while self._is_pending(self._in_flight) and self.interrupts.pressed == pressed:
            if self._came:
                graver = self._report_last(*self._take()) or graver
            else:
                self._news.get()
        if graver is not None and isinstance(cause, GeneratorExit):
            raise graver


class TaskDriver(_Driver):
    """Drives a run in the calling task; requests are sent by other tasks.

    Attributes:
        run: The run.
    """

    def __init__(
        self, runner: AsyncRunner, call: Call, inputs: AsyncInputs, *, collects: bool
    ) -> None:
        self._tasks: dict[Task[_Came], Chunk] = {}
        self._begin(runner, call, inputs, collects=collects, in_task=True)

    async def advance(self) -> bool:
        """Send what can be sent, then wait for one response; return False at the end."""
        while True:
            if self.run.awaits_inputs and self._is_free:
                await self.run.fetch()
            if (chunk := self._next_chunk()) is None:
                break
            await self._start(chunk)
        if self._outcomes_first:
            return True
        if self._is_pending(self._tasks.values()):
            self.run.report(*await self._fetch())
        if self._is_pending(self._tasks.values()) or self.run.going:
            return True
        await self._cancel()
        if self.run.awaits_inputs and self.run.stopped is not None:
            await self.run.fetch()
        return False

    async def _start(self, chunk: Chunk) -> None:
        from asyncio import get_running_loop  # noqa: PLC0415 - threads need none of it

        self._tasks[get_running_loop().create_task(self._send(chunk))] = chunk
        await _yield()  # let it send before more inputs are read

    async def _send(self, chunk: Chunk) -> _Came:
        try:
            _check_open(self._runner.http)
            return await self._operation.asend(self._runner.client, chunk)
        except BaseException as error:
            from asyncio import CancelledError  # noqa: PLC0415 - threads need none of it

            if isinstance(error, CancelledError):
                raise
            return error  # raised in a task, it would end the whole event loop

    async def _fetch(self) -> tuple[Chunk, _Came]:
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
        self.run.interrupt(cause)
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
        for task in [*self._tasks]:
            loop = task.get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(task.cancel)


@coroutine
def _yield() -> Generator[None, None, None]:
    """Let the event loop take its other steps first."""
    yield


def _check_open(http: httpx.Client | httpx.AsyncClient) -> None:
    if http.is_closed:
        raise ConfigurationError("This client is closed; make a new one.")


def _result_of(run: Run[Any]) -> BatchResult[Any]:
    """Return the result of a run that has come to its end; raise what stopped it."""
    result = run.close(drain=True)
    if run.stopped is not None:
        raise run.stopped
    return result


def _attach_result(error: BaseException, run: Run[Any]) -> None:
    """Attach the outcomes of a run to the exception that ends it."""
    if error is run.stopped:
        attach(error, run.close(drain=True), run.note)
    else:
        run.interrupt(error)
        attach(error, run.close(drain=False, rest=True), run.note)
