"""Drives runs: one driver for threads, one for tasks.

This module decides when a chunk is asked for and sent, and when its answer is waited for. It never
decides what came of it.
"""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import AsyncGenerator, Generator, Iterable, Mapping
from typing import Any, TypeAlias

import httpx
from attrs import Factory, frozen

from .answers import Answer
from .batch import BatchRun
from .chunks import Chunk
from .crew import Crew
from .errors import ConfigurationError, HubSpotBatchError
from .flights import HaltedError, flying
from .iterators import AsyncOutcomeIterator, OutcomeIterator
from .operations import Client, Row
from .outcomes import BatchResult, attach


@frozen
class Order:
    """What a caller wants done.

    Attributes:
        row: The operation.
        inputs: Its inputs.
        chunk_size: Inputs to a request; None for the operation's limit.
        query: Arguments of the generated function beside the inputs.
        isolate: Whether a refused request is taken apart even if it may have done something.
    """

    row: Row[Any]
    inputs: Iterable[object]
    chunk_size: int | None
    query: Mapping[str, Any] = Factory(dict[str, Any])
    isolate: bool = False

    def begin(self, *, collects: bool) -> BatchRun[Any]:
        """Return a run that carries it out."""
        return BatchRun(
            self.row.operation(isolate=self.isolate),
            self.inputs,
            run_id=uuid.uuid4().hex,
            chunk_size=self.chunk_size,
            collects=collects,
        )


def _check_open(http: httpx.Client | httpx.AsyncClient) -> None:
    if http.is_closed:
        raise ConfigurationError("This client is closed; make a new one.")


def _land(run: BatchRun[Any], chunk: Chunk, came: Answer | BaseException) -> None:
    """Tell a run what came of a chunk; raise what its caller has to be told of at once."""
    try:
        match came:
            case Answer():
                run.settle(chunk, came)
            case httpx.HTTPError():
                run.lose(chunk, came)
            case HaltedError():
                run.abandon(chunk)
            case HubSpotBatchError():
                run.stop(chunk, came)
            case Exception():
                run.break_off(chunk, came)
            case _:
                raise came
    except Exception as error:  # noqa: BLE001 - a mistake of ours loses no outcome
        run.break_off(chunk, error)


def _worth_waiting(chunks: Iterable[Chunk]) -> bool:
    """Whether one of the chunks under way was not called back while it waited."""
    return any(not chunk.flight.over for chunk in chunks)


@frozen
class Runner:
    """Runs operations for the calling thread, which alone reads inputs and settles outcomes."""

    client: Client
    http: httpx.Client
    width: int

    def collect(self, order: Order) -> BatchResult[Any]:
        """Carry out an operation and return the outcomes of all inputs."""
        _check_open(self.http)
        run = order.begin(collects=True)
        try:
            for _ in self._drive(run, order):
                pass
            result = run.close(drain=True)
            if run.stopped is not None:
                raise run.stopped
            return result
        except BaseException as error:
            # Only what has a length is read to its end: of the rest nobody knows where it is.
            attach(error, run.close(drain=run.length is not None))
            raise

    def iterate(self, order: Order) -> OutcomeIterator[Any]:
        """Carry out an operation and give the outcomes as they become known."""
        _check_open(self.http)
        run = order.begin(collects=False)
        return OutcomeIterator(run, self._drive(run, order))

    def _call(self, order: Order, chunk: Chunk) -> Answer:
        _check_open(self.http)
        with flying(chunk.flight):
            return order.row.call(self.client, chunk, order.query)

    def _drive(self, run: BatchRun[Any], order: Order) -> Generator[None, None, None]:
        """Carry out a run; give way whenever outcomes may have become known."""
        if self.width == 1 or run.single:
            return self._drive_here(run, order)
        return self._drive_threads(run, order)

    def _drive_here(self, run: BatchRun[Any], order: Order) -> Generator[None, None, None]:
        try:
            while run.going:
                if (chunk := run.next_chunk()) is not None:
                    try:
                        came: Answer | BaseException = self._call(order, chunk)
                    except Exception as error:  # noqa: BLE001 - a transport is the caller's
                        came = error
                    _land(run, chunk, came)
                yield
        except BaseException as error:
            run.interrupt(error)
            raise

    def _drive_threads(self, run: BatchRun[Any], order: Order) -> Generator[None, None, None]:
        crew: Crew[Chunk, Answer] = Crew(lambda chunk: self._call(order, chunk))
        try:
            while run.going or _worth_waiting(crew.under_way):
                while len(crew.under_way) < self.width:
                    if crew.ended() or (chunk := run.next_chunk()) is None:
                        break
                    crew.start(chunk)
                yield
                if _worth_waiting(crew.under_way):
                    _land(run, *crew.fetch())
                yield
        except BaseException as error:
            run.interrupt(error)
            # A request that is under way cannot be called back; its answer is known soon.
            while _worth_waiting(crew.under_way) and not crew.owns(threading.current_thread()):
                _land_quietly(run, *crew.fetch())
            raise
        finally:
            crew.dismiss()


def _land_quietly(run: BatchRun[Any], chunk: Chunk, came: Answer | BaseException) -> None:
    if isinstance(came, Exception | Answer):
        _land(run, chunk, came)
    else:
        run.abandon(chunk)


_Tasks: TypeAlias = dict["asyncio.Task[Answer | BaseException]", Chunk]


@frozen
class AsyncRunner:
    """Runs operations for the calling task, which alone reads inputs and settles outcomes."""

    client: Client
    http: httpx.AsyncClient
    width: int

    async def collect(self, order: Order) -> BatchResult[Any]:
        """Carry out an operation and return the outcomes of all inputs."""
        _check_open(self.http)
        run = order.begin(collects=True)
        try:
            async for _ in self._drive(run, order):
                pass
            result = run.close(drain=True)
            if run.stopped is not None:
                raise run.stopped
            return result
        except BaseException as error:
            # Only what has a length is read to its end: of the rest nobody knows where it is.
            attach(error, run.close(drain=run.length is not None))
            raise

    def iterate(self, order: Order) -> AsyncOutcomeIterator[Any]:
        """Carry out an operation and give the outcomes as they become known."""
        _check_open(self.http)
        run = order.begin(collects=False)
        return AsyncOutcomeIterator(run, self._drive(run, order))

    async def _call(self, order: Order, chunk: Chunk) -> Answer | BaseException:
        """Return what came of a chunk, or was raised, but for a cancellation."""
        try:
            _check_open(self.http)
            with flying(chunk.flight):
                return await order.row.acall(self.client, chunk, order.query)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - else it would end the whole event loop
            return error

    def _drive(self, run: BatchRun[Any], order: Order) -> AsyncGenerator[None, None]:
        """Carry out a run; give way whenever outcomes may have become known."""
        if self.width == 1 or run.single:
            return self._drive_here(run, order)
        return self._drive_tasks(run, order)

    async def _drive_here(self, run: BatchRun[Any], order: Order) -> AsyncGenerator[None, None]:
        try:
            while run.going:
                if (chunk := run.next_chunk()) is not None:
                    _land(run, chunk, await self._call(order, chunk))
                yield
        except BaseException as error:
            run.interrupt(error)
            raise

    async def _drive_tasks(self, run: BatchRun[Any], order: Order) -> AsyncGenerator[None, None]:
        tasks: _Tasks = {}
        try:
            while run.going or _worth_waiting(tasks.values()):
                await self._launch(run, order, tasks)
                yield
                if _worth_waiting(tasks.values()):
                    await self._land_some(run, tasks)
                yield
        except GeneratorExit as error:
            run.interrupt(error)
            while _worth_waiting(tasks.values()):
                await self._land_some(run, tasks)
            raise
        except BaseException as error:
            run.interrupt(error)
            raise
        finally:
            for task in tasks:
                task.cancel()
            while tasks:
                await self._land_some(run, tasks)

    async def _launch(self, run: BatchRun[Any], order: Order, tasks: _Tasks) -> None:
        while len(tasks) < self.width and (chunk := run.next_chunk()) is not None:
            task = asyncio.create_task(self._call(order, chunk))
            tasks[task] = chunk
            # It is sent before more is read, and may even end the run.
            if (await asyncio.wait([task], timeout=0))[0]:
                break

    @staticmethod
    async def _land_some(run: BatchRun[Any], tasks: _Tasks) -> None:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in [task for task in tasks if task.done()]:
            chunk = tasks.pop(task)
            if task.cancelled():
                run.abandon(chunk)
            elif run.stopped is None:
                _land(run, chunk, task.result())
            else:
                _land_quietly(run, chunk, task.result())
