"""Drives runs in tasks of asyncio, as `thread_driver` does in threads.

This module decides when a chunk is sent and when a response is waited for, in the task that called.
What a response means is decided by `Run`.
"""

from __future__ import annotations

from collections.abc import Generator
from types import coroutine
from typing import TYPE_CHECKING

from hubspot_batch._transport.owners import check_open, running_loop
from hubspot_batch.errors import ConfigurationError

from .driver import ChunkResult, Driver, RunRequest

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task

    from .chunk import Chunk
    from .chunker import AsyncInputs
    from .runner import AsyncRunner


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
                await self.run.await_input()
            if (chunk := self._next_chunk()) is None:
                break
            await self._start(chunk)
        if self._must_return(arrived=any(task.done() for task in self._tasks)):
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
            await self.run.await_input()
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
