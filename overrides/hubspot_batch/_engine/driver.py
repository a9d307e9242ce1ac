"""The common part of the drivers of threads and of tasks.

This module decides how a run begins, and whether it goes on in this process at all.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import httpx

from hubspot_batch._transport.owners import check_open
from hubspot_batch.errors import ConfigurationError, HubSpotBatchError
from hubspot_batch.events import Observer
from hubspot_batch.options import Clock

from .chunk import BatchResponse
from .iterators import close_with
from .run import Run

if TYPE_CHECKING:
    from .chunk import Chunk, Operation
    from .chunker import AsyncInputs
    from .doubts import LookUpPlan, LookUpResult
    from .recorder import Recorder

ChunkResult: TypeAlias = BatchResponse | BaseException


class RunRequest(Protocol):
    """An operation, with everything but its inputs."""

    @property
    def operation(self) -> Operation[Any]:
        """The operation, as the engine sees it."""
        ...

    @property
    def chunk_size(self) -> int | None:
        """Inputs in a request; None for the operation's limit."""
        ...

    @property
    def look_up_plan(self) -> LookUpPlan | None:
        """How a run settles inputs in doubt; None for not at all."""
        ...

    def recorder(
        self, operation: Operation[Any], base_url: httpx.URL, clock: Clock
    ) -> Recorder[Any] | None:
        """Return what a run of it records; None if it has no journal."""
        ...


class RunnerSettings(Protocol):
    """The settings that a runner gives to its drivers."""

    @property
    def client(self) -> Any:
        """The generated client that requests are sent with."""
        ...

    @property
    def http(self) -> httpx.Client | httpx.AsyncClient:
        """The httpx client that is closed with the client."""
        ...

    @property
    def width(self) -> int:
        """Requests of a run under way at most."""
        ...

    @property
    def observer(self) -> Observer | None:
        """Told of events and outcomes."""
        ...

    @property
    def sends(self) -> bool:
        """Whether inputs are sent, or only checked."""
        ...

    @property
    def clock(self) -> Clock:
        """The clock of the client."""
        ...


class Driver:
    """The common part of the two drivers."""

    run: Run[Any]

    def _begin(
        self, runner: RunnerSettings, call: RunRequest, inputs: AsyncInputs, **how: Any
    ) -> None:
        check_open(runner.http)
        self._process = os.getpid()
        self._runner = runner
        operation = call.operation
        recorder = None
        if runner.sends:
            recorder = call.recorder(operation, runner.http.base_url, runner.clock)
        self._operation = operation if recorder is None else recorder.operation
        self.run = Run(
            self._operation,
            inputs,
            recorder=recorder,
            run_id=os.urandom(16).hex(),
            chunk_size=call.chunk_size,
            observer=runner.observer,
            look_up_plan=call.look_up_plan,
            **how,
        )

    def _next_chunk(self) -> Chunk | None:
        """Return a chunk to send now, if fewer requests than allowed are under way."""
        chunk = self.run.next_chunk() if self._is_free else None
        self._check_process()  # the caller's iterable may have forked
        return chunk

    @property
    def _is_free(self) -> bool:
        return len(self.run.under_way) < self._runner.width

    def _check_process(self) -> None:
        if self.is_copy:
            raise ConfigurationError(
                "This run belongs to the process that began it, which goes on with it; a process "
                "that was forked meanwhile can only begin runs of its own."
            )

    @property
    def is_copy(self) -> bool:
        """Whether this is a copy of the run in a forked process, where its requests are unknown."""
        return os.getpid() != self._process

    def attach_result(self, error: BaseException) -> None:
        """Attach the outcomes of the run to the exception that ends it."""
        if self.is_copy:
            return
        if error is self.run.stopped:
            close_with(error, self.run, drain=True)
        else:
            self.run.interrupt(error)
            close_with(error, self.run, rest=True)

    def _must_return(self, *, arrived: bool) -> bool:
        """Return whether the caller must act before the driver waits for a response."""
        has_outcomes = not self.run.collects and bool(self.run.ready)
        if self.run.recorder is None:
            return has_outcomes
        return (has_outcomes or self.run.awaits_journal) and not arrived

    @staticmethod
    def _is_pending(chunks: Iterable[Chunk]) -> bool:
        """Whether a request is under way; one that was cancelled while it waited is not."""
        return any(not (one.state.cancelled and one.state.waiting) for one in chunks)

    def _resolve(self, looked: LookUpResult) -> None:
        """Take in the results of a look-up, and the error if one ended it."""
        self.run.resolve(looked)
        if isinstance(looked.failure, HubSpotBatchError):
            self.run.stop_on_failure(looked.failure)
        elif looked.failure is not None:
            raise looked.failure

    def _report_last(self, chunk: Chunk, result: ChunkResult) -> BaseException | None:
        """Report a chunk to a run that is ending; return the interrupt if its request met one."""
        if isinstance(result, Exception | BatchResponse):
            self.run.report(chunk, result)
            return None
        self.run.abandon(chunk)
        return result
