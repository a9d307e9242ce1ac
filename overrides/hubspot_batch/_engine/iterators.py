"""Hands out the outcomes of a run one by one.

This module decides what an iterator yields, and what its `result` holds afterwards.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from hubspot_batch.outcomes import BatchResult, Outcome, attach

if TYPE_CHECKING:
    from .run import Run
    from .task_driver import TaskDriver
    from .thread_driver import ThreadDriver

_log = logging.getLogger("hubspot_batch")

ResultT = TypeVar("ResultT")


class OutcomeIterator(Iterator[Outcome[ResultT]], Generic[ResultT]):
    """Outcomes as they become known.

    A `with` block closes it. An exception that ends the block takes its `result` along, for
    `result_of`.

    Attributes:
        result: None while it goes on. After its end, however that came, the outcomes that it has
            not handed out, and the results that could not be matched to an input (`.unmatched`).
    """

    def __init__(self, driver: ThreadDriver) -> None:
        self.result: BatchResult[ResultT] | None = None
        self._driver = driver
        self._run: Run[ResultT] = driver.run
        self._ready = driver.run.ready

    def __next__(self) -> Outcome[ResultT]:
        """Return the next outcome.

        Raises:
            HubSpotBatchError: Something stopped the run. All outcomes of inputs that were read
                have been handed out before.
        """
        while self.result is None:
            if self._ready:
                return self._ready.popleft()
            try:
                with self._driver.interrupts:
                    over = not self._driver.advance()
                if over and not self._ready:
                    self.result = self._run.close(drain=False)
            except BaseException as error:
                self._end_with(error)
                raise
            if self.result is not None:
                _raise_stop(self._run, self.result)
        raise StopIteration

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for people about how inputs in doubt were looked up."""
        doubts = self._run.doubts
        return () if doubts is None else tuple(doubts.notes)

    def close(self) -> None:
        """End the run: wait for the requests under way, and send nothing more."""
        if self.result is not None or self._driver.is_copy:
            return
        try:
            with self._driver.interrupts:
                self._driver.finish(GeneratorExit())
            self.result = self._run.close(drain=False)
        except BaseException as error:
            self._end_with(error)
            raise

    def _end_with(self, error: BaseException) -> None:
        self._driver.interrupts.restore()
        if self._driver.is_copy:
            return
        with self._driver.interrupts as interrupts:
            try:
                self._driver.finish(error)
            finally:
                self.result = close_with(error, self._run)
            interrupts.absorb(error)

    def __enter__(self) -> Self:
        """Return itself; it is closed at the end of the block."""
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Close it."""
        early = self.result is None
        self.close()
        _attach_rest(error, self.result, self._run.note if early else "")

    def __del__(self) -> None:
        """End the run of an iterator that is not referenced any more."""
        if hasattr(self, "_ready"):  # it was made whole
            self.close()


class AsyncOutcomeIterator(AsyncIterator[Outcome[ResultT]], Generic[ResultT]):
    """Outcomes as they become known; like `OutcomeIterator`."""

    def __init__(self, driver: TaskDriver) -> None:
        self.result: BatchResult[ResultT] | None = None
        self._driver = driver
        self._run: Run[ResultT] = driver.run
        self._ready = driver.run.ready

    async def __anext__(self) -> Outcome[ResultT]:
        """Return the next outcome; see `OutcomeIterator`."""
        while self.result is None:
            if self._ready:
                return self._ready.popleft()
            try:
                over = not await self._driver.advance()
                if over and not self._ready:
                    self.result = self._run.close(drain=False)
            except BaseException as error:
                await self._end_with(error)
                raise
            if self.result is not None:
                _raise_stop(self._run, self.result)
        raise StopAsyncIteration

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for people about how inputs in doubt were looked up."""
        doubts = self._run.doubts
        return () if doubts is None else tuple(doubts.notes)

    async def aclose(self) -> None:
        """End the run: wait for the requests under way, and send nothing more."""
        if self.result is not None or self._driver.is_copy:
            return
        try:
            await self._driver.finish(GeneratorExit())
            self.result = self._run.close(drain=False)
        except BaseException as error:
            await self._end_with(error)
            raise

    async def _end_with(self, error: BaseException) -> None:
        if self._driver.is_copy:
            return
        try:
            await self._driver.finish(error)
        finally:
            self.result = close_with(error, self._run)

    async def __aenter__(self) -> Self:
        """Return itself; it is closed at the end of the block."""
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Close it."""
        early = self.result is None
        await self.aclose()
        _attach_rest(error, self.result, self._run.note if early else "")

    def __del__(self) -> None:
        """Cancel the rest of an iterator that is not referenced any more."""
        if hasattr(self, "_ready"):  # it was made whole
            self._driver.cancel_soon()


def close_with(
    error: BaseException, run: Run[ResultT], *, drain: bool = False, rest: bool = False
) -> BatchResult[ResultT]:
    """Close a run, and attach its result to the exception that ends it.

    A caller's function for outcomes or events can raise too. Then that exception gets the result.
    The function is called only once for each, so a second attempt to close goes further.
    """
    try:
        result = run.close(drain=drain, rest=rest)
    except BaseException as later:
        close_with(later, run, drain=drain, rest=rest)
        raise
    attach(error, result, run.note)
    return result


def _attach_rest(error: BaseException | None, result: BatchResult[Any] | None, note: str) -> None:
    """Attach the rest of an iterator to the exception that ended its block, unless it has one."""
    if error is not None and result is not None and not hasattr(error, "result"):
        attach(error, result, note)


def _raise_stop(run: Run[Any], result: BatchResult[Any]) -> None:
    """Raise the error that stopped a run, after all its outcomes were handed out."""
    if run.unmatched:
        _log.warning(
            "%d results of %s could not be matched to an input.",
            *(len(run.unmatched), run.operation.id),
        )
    if run.stopped is not None:
        attach(run.stopped, result, run.note)
        raise run.stopped
