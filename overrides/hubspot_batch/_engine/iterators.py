"""Hands outcomes out one by one, and the rest of them when it ends.

This module decides what a caller is given who iterates. It never decides what an outcome is.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from hubspot_batch.outcomes import BatchResult, Outcome, attach

if TYPE_CHECKING:
    from .run import BatchRun

_log = logging.getLogger("hubspot_batch")

ResultT = TypeVar("ResultT")

_OVER = object()


class OutcomeIterator(Iterator[Outcome[ResultT]], Generic[ResultT]):
    """Outcomes, as they become known.

    A `with` block closes it, and leaves its `result` with an exception that ends the block, for
    `result_of`.

    Attributes:
        result: None while it goes on. Once it has ended, in whatever way, the outcomes that it has
            not handed out, and the results that could not be tied to an input (`.unmatched`).
    """

    def __init__(self, run: BatchRun[ResultT], steps: Generator[None, None, None]) -> None:
        self.result: BatchResult[ResultT] | None = None
        self._run = run
        self._ready = run.ready
        self._steps = steps

    def __next__(self) -> Outcome[ResultT]:
        """Return the next outcome.

        Raises:
            HubSpotBatchError: Something stopped the run, after all outcomes of inputs that were
                read had been handed out.
        """
        while self.result is None:
            if self._ready:
                return self._ready.popleft()
            try:
                over = next(self._steps, _OVER) is _OVER
            except BaseException as error:
                self._steps.close()  # it need not have been interrupted itself
                self._run.interrupt(error)
                self.result = self._run.close(drain=False)
                attach(error, self.result)
                raise
            if over and not self._run.ready:
                self.result = self._run.close(drain=False)
                _say_why(self._run, self.result)
        raise StopIteration

    def close(self) -> None:
        """End the run: wait for what is under way, and send nothing more."""
        try:
            self._steps.close()
        except BaseException as error:
            self.result = self._run.close(drain=False)
            attach(error, self.result)
            raise
        if self.result is None:
            self.result = self._run.close(drain=False)

    def __enter__(self) -> Self:
        """Return itself; it is closed at the end of the block."""
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Close it."""
        self.close()
        _leave_with(error, self.result)

    def __del__(self) -> None:
        """End the run when nobody is interested any more."""
        if hasattr(self, "_steps"):
            self.close()


class AsyncOutcomeIterator(AsyncIterator[Outcome[ResultT]], Generic[ResultT]):
    """Outcomes, as they become known; like `OutcomeIterator`."""

    def __init__(self, run: BatchRun[ResultT], steps: AsyncGenerator[None, None]) -> None:
        self.result: BatchResult[ResultT] | None = None
        self._run = run
        self._ready = run.ready
        self._steps = steps

    async def __anext__(self) -> Outcome[ResultT]:
        """Return the next outcome; see `OutcomeIterator`."""
        while self.result is None:
            if self._ready:
                return self._ready.popleft()
            try:
                over = await anext(self._steps, _OVER) is _OVER
            except BaseException as error:
                await self._steps.aclose()  # it need not have been interrupted itself
                self._run.interrupt(error)
                self.result = self._run.close(drain=False)
                attach(error, self.result)
                raise
            if over and not self._run.ready:
                self.result = self._run.close(drain=False)
                _say_why(self._run, self.result)
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """End the run: wait for what is under way, and send nothing more."""
        try:
            await self._steps.aclose()
        except BaseException as error:
            self.result = self._run.close(drain=False)
            attach(error, self.result)
            raise
        if self.result is None:
            self.result = self._run.close(drain=False)

    async def __aenter__(self) -> Self:
        """Return itself; it is closed at the end of the block."""
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Close it."""
        await self.aclose()
        _leave_with(error, self.result)


def _leave_with(error: BaseException | None, result: BatchResult[Any] | None) -> None:
    """Leave an iterator's rest with what ended its block, unless it came from the run itself."""
    if error is not None and result is not None and not hasattr(error, "result"):
        attach(error, result)


def _say_why(run: BatchRun[Any], result: BatchResult[Any]) -> None:
    """Raise what stopped a run, when all its outcomes have been handed out."""
    if run.unmatched:
        _log.warning(
            "%d results of %s could not be tied to an input.", len(run.unmatched), run.operation_id
        )
    if run.stopped is not None:
        run.stopped.result = result
        raise run.stopped
