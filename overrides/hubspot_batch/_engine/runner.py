"""Drives runs: one driver for threads, one for tasks.

This module decides when a chunk is asked for and sent, and when its answer is waited for. It never
decides what came of it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncGenerator, Generator, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
from attrs import frozen

from hubspot_batch._operations.registry import Beside, Client, Row
from hubspot_batch._transport.request_state import HaltedError, depart
from hubspot_batch._transport.retry import Fate
from hubspot_batch.errors import ConfigurationError, HubSpotBatchError
from hubspot_batch.outcomes import BatchResult, attach, result_of

from .chunk import Chunk
from .executors import Crew, TaskCrew, Worker, Workers
from .iterators import AsyncOutcomeIterator, OutcomeIterator
from .response import Answer

if TYPE_CHECKING:
    from .run import BatchRun


class Order(NamedTuple):
    """What a caller wants done.

    Attributes:
        row: The operation.
        inputs: Its inputs.
        chunk_size: Inputs to a request; None for the operation's limit.
        beside: What goes with all inputs.
        isolate: Whether a refused request is taken apart even if it may have done something.
    """

    row: Row
    inputs: Iterable[object]
    chunk_size: int | None
    beside: Beside = Beside()
    isolate: bool = False

    def begin(self, *, collects: bool) -> BatchRun[Any]:
        """Return a run that carries it out."""
        from .run import BatchRun  # noqa: PLC0415 - not before there is a run

        return BatchRun(
            self.row.operation(isolate=self.isolate),
            self.inputs,
            run_id=os.urandom(16).hex(),
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


def _goes_on(run: BatchRun[Any], width: int, came: Answer | BaseException) -> bool:
    """Whether the next request can be sent before it is said what came of this one.

    Not where requests go one at a time and outcomes are handed out between them: whoever sees one
    may want no more.
    """
    done = isinstance(came, Answer) and came.rule.fate is Fate.DONE
    return done and (run.collects or width > 1)


def _account(run: BatchRun[Any], error: BaseException) -> BatchResult[Any]:
    """Return what is known of an interrupted run.

    Only inputs that have a length are read to their end; a second interruption ends that too. It is
    only told where the first was none, but something that stopped the run.
    """
    if error is not run.stopped:
        run.interrupt(error)
    try:
        return run.close(drain=run.length is not None)
    except BaseException as second:
        account = run.close(drain=False)
        if isinstance(error, Exception) and not isinstance(second, Exception):
            attach(second, account)
            raise
        return account


@frozen(eq=False, repr=False)
class Runner:
    """Runs operations for the calling thread, which alone reads inputs and settles outcomes."""

    client: Client
    http: httpx.Client
    width: int
    workers: Workers

    def collect(self, order: Order) -> BatchResult[Any]:
        """Carry out an operation and return the outcomes of all inputs."""
        _check_open(self.http)
        run = order.begin(collects=True)
        steps = self._drive(run, order)
        try:
            return self._collect(run, steps)
        except BaseException as error:
            if result_of(error) is None:  # it came while the account of another was made
                steps.close()
                attach(error, _account(run, error))
            raise

    @staticmethod
    def _collect(run: BatchRun[Any], steps: Generator[None, None, None]) -> BatchResult[Any]:
        try:
            for _ in steps:
                pass
            result = run.close(drain=True)
            if run.stopped is not None:
                raise run.stopped
            return result
        except BaseException as error:
            steps.close()  # it need not have been interrupted itself
            attach(error, _account(run, error))
            raise

    def iterate(self, order: Order) -> OutcomeIterator[Any]:
        """Carry out an operation and give the outcomes as they become known."""
        _check_open(self.http)
        run = order.begin(collects=False)
        return OutcomeIterator(run, self._drive(run, order))

    def _call(self, order: Order, chunk: Chunk) -> Answer:
        _check_open(self.http)
        depart(chunk.flight)  # each call of a crew has a context of its own
        return order.row.call(self.client, chunk, order.beside)

    def _drive(self, run: BatchRun[Any], order: Order) -> Generator[None, None, None]:
        """Carry out a run; give way whenever outcomes may have become known.

        Also a single request is made in another thread: Ctrl-C comes to this one, and would break
        it off.
        """
        crew: Crew[Chunk, Answer] = Crew(self.workers, lambda chunk: self._call(order, chunk))
        try:
            while run.going or _worth_waiting(crew.under_way):
                self._fill(run, crew)
                yield
                if _worth_waiting(crew.under_way):
                    if run.can_read_ahead and not crew.let_begin():
                        run.read_ahead()
                    chunk, came = crew.fetch()
                    try:
                        if _goes_on(run, self.width, came):
                            self._fill(run, crew)
                    finally:
                        _land(run, chunk, came)
                yield
        except BaseException as error:
            run.interrupt(error)
            graver = self._see_out(run, crew)
            if graver is not None and isinstance(error, GeneratorExit):
                raise graver from None
            raise

    def _fill(self, run: BatchRun[Any], crew: Crew[Chunk, Answer]) -> None:
        """Have as many requests made at a time as may be."""
        while len(crew.under_way) < self.width and not crew.ended():
            if (chunk := run.next_chunk()) is None:
                break
            crew.start(chunk)

    @staticmethod
    def _see_out(run: BatchRun[Any], crew: Crew[Chunk, Answer]) -> BaseException | None:
        """Wait for what is under way, which cannot be called back; its answer is known soon."""
        graver: BaseException | None = None
        # Where one of the threads throws an iterator away, it would wait for itself.
        waits = not isinstance(threading.current_thread(), Worker)
        while waits and _worth_waiting(crew.under_way):
            graver = _land_at_last(run, *crew.fetch()) or graver
        return graver


def _land_at_last(
    run: BatchRun[Any], chunk: Chunk, came: Answer | BaseException
) -> BaseException | None:
    """Tell a run that is ending what came of a chunk; return what is graver than its end."""
    if isinstance(came, Exception | Answer):
        _land(run, chunk, came)
        return None
    run.abandon(chunk)
    return came


@frozen(eq=False, repr=False)
class AsyncRunner:
    """Runs operations for the calling task, which alone reads inputs and settles outcomes."""

    client: Client
    http: httpx.AsyncClient
    width: int

    async def collect(self, order: Order) -> BatchResult[Any]:
        """Carry out an operation and return the outcomes of all inputs."""
        _check_open(self.http)
        run = order.begin(collects=True)
        steps = self._drive(run, order)
        try:
            async for _ in steps:
                pass
            result = run.close(drain=True)
            if run.stopped is not None:
                raise run.stopped
            return result
        except BaseException as error:
            await steps.aclose()  # it need not have been interrupted itself
            attach(error, _account(run, error))
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
            depart(chunk.flight)
            return await order.row.acall(self.client, chunk, order.beside)
        except BaseException as error:
            from asyncio import CancelledError  # noqa: PLC0415 - a thread needs none of it

            if isinstance(error, CancelledError):
                raise
            return error  # else it would end the whole event loop

    async def _drive(self, run: BatchRun[Any], order: Order) -> AsyncGenerator[None, None]:
        """Carry out a run; give way whenever outcomes may have become known."""
        crew: TaskCrew[Chunk, Answer | BaseException]
        crew = TaskCrew(lambda chunk: self._call(order, chunk))
        try:
            while run.going or _worth_waiting(crew.under_way):
                await self._fill(run, crew)
                yield
                if _worth_waiting(crew.under_way):
                    if run.can_read_ahead and not await crew.let_begin():
                        run.read_ahead()
                    chunk, came = await crew.fetch()
                    try:
                        if _goes_on(run, self.width, came):
                            await self._fill(run, crew)
                    finally:
                        _land(run, chunk, came)
                yield
        except GeneratorExit as error:
            run.interrupt(error)
            graver = await self._see_out(run, crew, all_=False)
            if graver is not None:
                raise graver from None
            raise
        except BaseException as error:
            run.interrupt(error)
            raise
        finally:
            crew.cancel()
            await self._see_out(run, crew, all_=True)

    async def _fill(
        self, run: BatchRun[Any], crew: TaskCrew[Chunk, Answer | BaseException]
    ) -> None:
        """Have as many requests made at a time as may be."""
        while len(crew.under_way) < self.width and not crew.ended():
            if (chunk := run.next_chunk()) is None:
                break
            await crew.start(chunk)

    @staticmethod
    async def _see_out(
        run: BatchRun[Any], crew: TaskCrew[Chunk, Answer | BaseException], *, all_: bool
    ) -> BaseException | None:
        """Wait for what is under way, or also for what waits, which has been cancelled."""
        graver: BaseException | None = None
        while crew.under_way if all_ else _worth_waiting(crew.under_way):
            graver = _land_at_last(run, *await crew.fetch()) or graver
        return graver
