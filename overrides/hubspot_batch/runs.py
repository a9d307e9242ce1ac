"""Drives runs: one driver for threads, one for tasks, of a few lines each.

This module decides when a chunk is asked for and sent. It never decides what came of it.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Any

import httpx
from attrs import frozen

from .batch import BatchRun
from .errors import ConfigurationError, HubSpotBatchError
from .operations import Client, Row
from .outcomes import BatchResult, Outcome

_log = logging.getLogger("hubspot_batch")


def _begin(
    row: Row[Any],
    inputs: Iterable[object],
    chunk_size: int | None,
    http: httpx.Client | httpx.AsyncClient,
) -> BatchRun[Any]:
    _check_open(http)
    return BatchRun(row.operation(), inputs, run_id=uuid.uuid4().hex, chunk_size=chunk_size)


def _check_open(http: httpx.Client | httpx.AsyncClient) -> None:
    if http.is_closed:
        raise ConfigurationError("This client is closed; make a new one.")


def _finish(run: BatchRun[Any], outcomes: list[Outcome[Any]]) -> BatchResult[Any]:
    """Return the result of a run, or raise what stopped it, with the result."""
    if run.stopped is not None:
        run.drain()
        outcomes += run.take()
    result = run.result(outcomes)
    if run.stopped is not None:
        run.stopped.result = result
        raise run.stopped
    return result


def _end(run: BatchRun[Any]) -> None:
    """Say what an iterating run has no outcome for, and raise what stopped it."""
    if run.unmatched:
        _log.warning(
            "%d results of %s could not be tied to an input.", len(run.unmatched), run.operation_id
        )
    if run.stopped is not None:
        run.stopped.result = run.result(run.take())
        raise run.stopped


@frozen
class Runner:
    """Runs operations in the calling thread."""

    client: Client
    http: httpx.Client

    def collect(
        self,
        row: Row[Any],
        inputs: Iterable[object],
        chunk_size: int | None,
        query: Mapping[str, Any],
    ) -> BatchResult[Any]:
        """Carry out an operation and return the outcomes of all inputs."""
        run = _begin(row, inputs, chunk_size, self.http)
        return _finish(run, list(self._drive(run, row, query)))

    def iterate(
        self,
        row: Row[Any],
        inputs: Iterable[object],
        chunk_size: int | None,
        query: Mapping[str, Any],
    ) -> Iterator[Outcome[Any]]:
        """Carry out an operation and yield the outcomes as they become known."""
        run = _begin(row, inputs, chunk_size, self.http)
        return self._until_stopped(run, row, query)

    def _until_stopped(
        self, run: BatchRun[Any], row: Row[Any], query: Mapping[str, Any]
    ) -> Iterator[Outcome[Any]]:
        yield from self._drive(run, row, query)
        _end(run)

    def _drive(
        self, run: BatchRun[Any], row: Row[Any], query: Mapping[str, Any]
    ) -> Iterator[Outcome[Any]]:
        while (chunk := run.next_chunk()) is not None:
            try:
                if chunk.entries:
                    _check_open(self.http)
                    run.settle(chunk, row.call(self.client, chunk, query))
            except httpx.HTTPError as failure:
                run.lose(chunk, failure)
            except HubSpotBatchError as error:
                run.stop(chunk, error)
            except Exception as error:  # noqa: BLE001 - a transport is the caller's
                run.break_off(chunk, error)
            yield from run.take()
        yield from run.take()


@frozen
class AsyncRunner:
    """Runs operations in the calling task."""

    client: Client
    http: httpx.AsyncClient

    async def collect(
        self,
        row: Row[Any],
        inputs: Iterable[object],
        chunk_size: int | None,
        query: Mapping[str, Any],
    ) -> BatchResult[Any]:
        """Carry out an operation and return the outcomes of all inputs."""
        run = _begin(row, inputs, chunk_size, self.http)
        return _finish(run, [outcome async for outcome in self._drive(run, row, query)])

    def iterate(
        self,
        row: Row[Any],
        inputs: Iterable[object],
        chunk_size: int | None,
        query: Mapping[str, Any],
    ) -> AsyncIterator[Outcome[Any]]:
        """Carry out an operation and yield the outcomes as they become known."""
        run = _begin(row, inputs, chunk_size, self.http)
        return self._until_stopped(run, row, query)

    async def _until_stopped(
        self, run: BatchRun[Any], row: Row[Any], query: Mapping[str, Any]
    ) -> AsyncIterator[Outcome[Any]]:
        async for outcome in self._drive(run, row, query):
            yield outcome
        _end(run)

    async def _drive(
        self, run: BatchRun[Any], row: Row[Any], query: Mapping[str, Any]
    ) -> AsyncIterator[Outcome[Any]]:
        while (chunk := run.next_chunk()) is not None:
            try:
                if chunk.entries:
                    _check_open(self.http)
                    run.settle(chunk, await row.acall(self.client, chunk, query))
            except httpx.HTTPError as failure:
                run.lose(chunk, failure)
            except HubSpotBatchError as error:
                run.stop(chunk, error)
            except Exception as error:  # noqa: BLE001 - a transport is the caller's
                run.break_off(chunk, error)
            for outcome in run.take():
                yield outcome
        for outcome in run.take():
            yield outcome
