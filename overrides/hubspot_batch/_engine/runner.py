"""Runs operations, in threads and in tasks.

This module decides what a caller gets: the outcomes of all inputs, or one after the other. A client
has a runner before it runs anything, so all that a run needs is imported when one begins.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import httpx
from attrs import frozen

from hubspot_batch.options import SYSTEM_CLOCK, Clock
from hubspot_batch.outcomes import BatchResult, result_of

from .iterators import AsyncOutcomeIterator, OutcomeIterator

if TYPE_CHECKING:
    from hubspot_batch.events import Observer

    from .chunker import AsyncInputs, Inputs
    from .doubts import LookUpResult
    from .driver import RunRequest
    from .executors import ThreadExecutor
    from .run import Run
    from .task_driver import TaskDriver
    from .thread_driver import ThreadDriver


LookUpRun: TypeAlias = Callable[["Run[Any]", Callable[[], object]], "LookUpResult"]
AsyncLookUpRun: TypeAlias = Callable[["Run[Any]"], Awaitable["LookUpResult"]]


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
        driver = _thread_driver()(self, call, inputs, collects=True)
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
        return OutcomeIterator(_thread_driver()(self, call, inputs, collects=False))


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
        driver = _task_driver()(self, call, inputs, collects=True)
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
        return AsyncOutcomeIterator(_task_driver()(self, call, inputs, collects=False))


@cache
def _thread_driver() -> type[ThreadDriver]:
    from .thread_driver import ThreadDriver  # noqa: PLC0415 - see above

    return ThreadDriver


@cache
def _task_driver() -> type[TaskDriver]:
    from .task_driver import TaskDriver  # noqa: PLC0415 - see above

    return TaskDriver


def _result_of(run: Run[Any]) -> BatchResult[Any]:
    """Return the result of a run that has come to its end; raise what stopped it."""
    result = run.close(drain=True)
    if run.stopped is not None:
        raise run.stopped
    return result
