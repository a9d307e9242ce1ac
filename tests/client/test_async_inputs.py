"""Inputs from an asynchronous iterable: a cursor of a database, a queue, a generator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from both_clients import clock_of
from hubspot_batch import (
    AsyncHubSpotBatch,
    AuthenticationError,
    ConfigurationError,
    HubSpotBatch,
    InputError,
    result_of,
)
from hubspot_batch.sandbox import FakeClock, Sandbox, SandboxTransport
from scripted_server import CALLS, UPDATE, ScriptedServer, says, statuses, wanted


def client_of(sandbox: Sandbox) -> AsyncHubSpotBatch:
    clock = sandbox.clock
    assert isinstance(clock, FakeClock)
    return AsyncHubSpotBatch("t", transport=SandboxTransport(sandbox), clock=clock_of(clock))


async def later(rows: list[Any], taken: list[int] | None = None) -> AsyncIterator[Any]:
    """Give rows one by one, each after the event loop has done something else."""
    for number, row in enumerate(rows):
        await asyncio.sleep(0)
        if taken is not None:
            taken.append(number)
        yield row


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
def test_all_inputs_of_an_asynchronous_generator_are_sent(count: int) -> None:
    """In full requests, with outcomes in their order."""
    sandbox = Sandbox(rate_limit=None)
    rows = wanted(sandbox, CALLS, count)

    async def main() -> None:
        async with client_of(sandbox) as hubspot:
            result = await hubspot.calls.create(later(rows))
            assert statuses(result) == ["succeeded"] * count
            assert [outcome.input for outcome in result] == rows
            assert len(sandbox.requests) == -(-count // 100)

    asyncio.run(main())


def test_an_iteration_reads_no_further_than_it_must() -> None:
    """Bounded memory is what a cursor is for."""
    sandbox = Sandbox(rate_limit=None)
    taken: list[int] = []
    rows = wanted(sandbox, CALLS, 5000)

    async def main() -> None:
        async with client_of(sandbox) as hubspot:
            async with hubspot.calls.create_iter(later(rows, taken), chunk_size=10) as outcomes:
                async for outcome in outcomes:
                    assert outcome.status == "succeeded"
                    break
            assert len(taken) <= 10 * (8 + 1)
            assert outcomes.result is not None
            assert len(outcomes.result) == len(taken) - 1

    asyncio.run(main())


def test_invalid_inputs_do_not_end_the_reading() -> None:
    """Further ones are read until a request is full."""
    sandbox = Sandbox(rate_limit=None)
    good = wanted(sandbox, CALLS, 6)
    rows: list[Any] = [5, good[0], *[None] * 30, *good[1:], "x"]

    async def main() -> None:
        async with client_of(sandbox) as hubspot:
            result = await hubspot.calls.create(later(rows), chunk_size=3)
            assert [o.index for o in result.succeeded] == [1, 32, 33, 34, 35, 36]
            assert len(sandbox.requests) == 2

    asyncio.run(main())


def test_a_mapping_that_is_filled_anew_is_read_in_time() -> None:
    """As with other iterators, each input is encoded before the next is read."""
    sandbox = Sandbox(rate_limit=None)

    async def rows() -> AsyncIterator[Any]:
        row: dict[str, Any] = {}
        for one in wanted(sandbox, CALLS, 5):
            row.update(one)
            yield row

    async def main() -> None:
        async with client_of(sandbox) as hubspot:
            await hubspot.calls.create(rows())

    asyncio.run(main())
    titles = {record.properties["hs_call_title"] for record in sandbox.records("calls")}
    assert titles == {f"Call {number}" for number in range(5)}


def test_updates_of_one_record_keep_their_order() -> None:
    """The later one waits for the earlier, and is read meanwhile."""
    sandbox = Sandbox(rate_limit=None)
    (row,) = wanted(sandbox, UPDATE, 1)
    rows = [{**row, "eventName": f"Name {number}"} for number in range(7)]

    async def main() -> None:
        async with client_of(sandbox) as hubspot:
            result = await hubspot.marketing_events.update(later(rows))
            assert statuses(result) == ["succeeded"] * 7

    asyncio.run(main())
    assert sandbox.records("marketing_events")[0].fields["eventName"] == "Name 6"


def test_an_exception_of_the_iterable_is_an_input_error() -> None:
    """After what came before it was sent."""
    sandbox = Sandbox(rate_limit=None)

    async def rows() -> AsyncIterator[Any]:
        for row in wanted(sandbox, CALLS, 4):
            yield row
        raise OSError("the cursor is gone")

    async def main() -> None:
        async with client_of(sandbox) as hubspot:
            with pytest.raises(InputError, match=r"raised OSError after 4 inputs") as caught:
                await hubspot.calls.create(rows(), chunk_size=2)
            assert isinstance(caught.value.__cause__, OSError)
            assert statuses(caught.value.result) == ["succeeded"] * 4  # type: ignore[arg-type]

    asyncio.run(main())


def test_a_stopped_run_has_an_outcome_for_the_rest() -> None:
    """It is read to its end, and not sent."""
    sandbox = Sandbox(rate_limit=None)
    rows = wanted(sandbox, CALLS, 7)
    server = ScriptedServer(sandbox, says(401, {"message": "no"}))

    async def main() -> None:
        async with AsyncHubSpotBatch("t", transport=server) as hubspot:
            with pytest.raises(AuthenticationError) as caught:
                await hubspot.calls.create(later(rows), chunk_size=2)
            assert statuses(caught.value.result) == ["not_sent"] * 7  # type: ignore[arg-type]
            assert "after 7 inputs: 7 not_sent." in caught.value.__notes__[0]

    asyncio.run(main())


def test_a_cancelled_run_keeps_what_was_read() -> None:
    """A queue that never ends is left by cancelling the task."""
    sandbox = Sandbox(rate_limit=None)
    rows = wanted(sandbox, CALLS, 5)
    waiting = asyncio.Event()

    async def endless() -> AsyncIterator[Any]:
        for row in rows:
            yield row
        waiting.set()
        await asyncio.Event().wait()

    async def main() -> None:
        async with client_of(sandbox) as hubspot:
            task = asyncio.create_task(hubspot.calls.create(endless(), chunk_size=2))
            await waiting.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            result = result_of(caught.value)
            assert result is not None
            assert len(result) == 5
            assert "not_sent" in statuses(result)

    asyncio.run(main())


class Both:
    """An iterable of both kinds, whose synchronous side would block the event loop."""

    def __init__(self, rows: list[Any]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[Any]:
        raise AssertionError("it blocks")

    def __aiter__(self) -> AsyncIterator[Any]:
        return later(self._rows)


def test_what_is_both_is_awaited() -> None:
    """The asynchronous client never blocks where it need not."""
    sandbox = Sandbox(rate_limit=None)

    async def main() -> None:
        async with client_of(sandbox) as hubspot:
            assert len(await hubspot.calls.create(Both(wanted(sandbox, CALLS, 3)))) == 3

    asyncio.run(main())


def test_the_synchronous_client_says_which_one_takes_it() -> None:
    """It has no event loop to await in."""
    inputs: Any = later([])
    with HubSpotBatch("t") as hubspot, pytest.raises(ConfigurationError, match="AsyncHubSpotBatch"):
        hubspot.calls.create(inputs)
