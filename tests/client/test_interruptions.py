"""The result after an interruption holds every input that was read, and nothing untrue.

Whatever is raised, wherever it comes from, leaves as itself, and `result_of` gives the account that
it took along. That account is held against what the sandbox holds.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpx
import pytest
import virtual_time as virtual
from both_clients import ClientFactory, clock_of, waits_to
from hubspot_batch import (
    AsyncHubSpotBatch,
    BatchResult,
    Clock,
    ConfigurationError,
    HubSpotBatch,
    InputError,
    OutcomeStatus,
    RateLimit,
    Wait,
    result_of,
    results_of,
)
from hubspot_batch.sandbox import FakeClock, Sandbox, SandboxTransport, script
from leak_watch import SECRET
from scripted_server import CALLS, UPDATE, ScriptedServer, assert_true, says, wanted

SUCCEEDED, FAILED, UNKNOWN, NOT_SENT = OutcomeStatus


class OfMineError(BaseException):
    """Is no Exception, as those of a test runner or a scheduler are not."""


INTERRUPTS = [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError, OfMineError]
interrupts = pytest.mark.parametrize("kind", INTERRUPTS, ids=lambda kind: kind.__name__)
widths = pytest.mark.parametrize("width", [1, 4])


@pytest.fixture(autouse=True)
def _no_threads_are_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    for _ in range(500):
        later = set(threading.enumerate()) - before
        left = [each for each in later if each.name.startswith("hubspot-batch")]
        if not left:
            return
        time.sleep(0.01)
    raise AssertionError(f"threads are left: {left}")


def calls(count: int) -> list[dict[str, Any]]:
    return wanted(Sandbox(), CALLS, count)


def counts(result: BatchResult[Any] | None) -> tuple[int, ...]:
    """Numbers of succeeded, failed, unknown, not sent."""
    assert result is not None
    parts = (result.succeeded, result.failed, result.unknown, result.not_sent)
    assert sum(map(len, parts)) == len(result.outcomes)
    return tuple(map(len, parts))


def account(error: BaseException, sandbox: Sandbox, kind: str = CALLS) -> BatchResult[Any]:
    """The result that an exception took along, which is true."""
    result = result_of(error)
    assert result is not None
    assert_true(result, sandbox, kind)
    return result


def breaking(rows: Iterable[Any], raised: BaseException) -> Iterator[Any]:
    """Inputs that end in an exception."""
    yield from rows
    raise raised


# ---------------------------------------------------------------- where inputs come from


@widths
@interrupts
def test_inputs_that_interrupt(
    make_client: ClientFactory, kind: type[BaseException], width: int
) -> None:
    """Inputs that were read are accounted for, and those that were given out are done."""
    sandbox = Sandbox()
    client = make_client(transport=sandbox, max_concurrency=width)
    raised = kind()
    with pytest.raises(kind) as caught:
        client.calls.create(breaking(calls(5), raised), chunk_size=2)
    assert caught.value is raised
    succeeded, *others = counts(account(raised, sandbox))
    # A thread may not have come to send what it was given.
    assert (succeeded, *others) == (succeeded, 0, 0, 5 - succeeded)
    assert succeeded == 4 or (make_client.kind == "sync" and width > 1)


@widths
@interrupts
def test_inputs_that_interrupt_an_iteration(
    make_client: ClientFactory, kind: type[BaseException], width: int
) -> None:
    """The result of the exception and of the iterator holds all that was not handed out."""
    sandbox = Sandbox()
    raised = kind()
    outcomes = make_client(transport=sandbox, max_concurrency=width).calls.create_iter(
        breaking(calls(5), raised), chunk_size=2
    )
    told: list[Any] = []
    with pytest.raises(kind) as caught:
        told.extend(outcomes)
    assert caught.value is raised
    result = result_of(raised)
    assert result is not None
    assert outcomes.result == result
    assert sorted(o.index for o in (*told, *result.outcomes)) == [0, 1, 2, 3, 4]
    done = [o.index for o in (*told, *result.outcomes) if o.status is SUCCEEDED]
    assert len(done) == len(sandbox.records("calls"))
    assert len(done) == 4 or (make_client.kind == "sync" and width > 1)
    assert [o.index for o in result.outcomes if o.status is not SUCCEEDED][-1] == 4
    assert not result.unknown
    assert list(outcomes) == []


@widths
def test_inputs_that_fail(make_client: ClientFactory, width: int) -> None:
    """An exception of the iterable is the cause of ours."""
    sandbox = Sandbox()
    client = make_client(transport=sandbox, max_concurrency=width)
    with pytest.raises(InputError) as caught:
        client.calls.create(breaking(calls(5), OSError("disk gone")), chunk_size=2)
    assert isinstance(caught.value.__cause__, OSError)
    assert counts(account(caught.value, sandbox)) == (4, 0, 0, 1)


class Sized(list[Any]):
    """A list that is interrupted when its fourth item is read, the first time or always."""

    def __init__(self, items: Iterable[Any], *, always: bool) -> None:
        super().__init__(items)
        self.raised: list[BaseException] = []
        self._always = always

    def __iter__(self) -> Iterator[Any]:
        for number, item in enumerate(super().__iter__()):
            if number == 3 and (self._always or not self.raised):
                self.raised.append(KeyboardInterrupt())
                raise self.raised[-1]
            yield item


@pytest.mark.parametrize("always", [False, True])
def test_inputs_with_a_length_are_all_accounted_for(
    make_client: ClientFactory, always: bool
) -> None:
    """Also if reading them is interrupted each time: a list is not iterated to the end."""
    sandbox = Sandbox()
    rows = Sized(calls(6), always=always)
    with pytest.raises(KeyboardInterrupt) as caught:
        make_client(transport=sandbox).calls.create(rows, chunk_size=1)
    assert caught.value is rows.raised[0]
    result = account(caught.value, sandbox)
    assert len(result.outcomes) == 6
    assert not result.unknown


# ---------------------------------------------------------------- what a request meets


class Meeting(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A sandbox that does something before, or after, it carries out a request of a number."""

    def __init__(self, sandbox: Sandbox, number: int, act: Callable[[], object], *, after: bool):
        self.count = 0
        self._inner = SandboxTransport(sandbox)
        self._number = number
        self._act = act
        self._after = after
        self._lock = threading.Lock()

    def _meets(self) -> bool:
        with self._lock:
            self.count += 1
            return self.count == self._number

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        meets = self._meets()
        if meets and not self._after:
            self._act()
        answer = self._inner.handle_request(request)
        if meets and self._after:
            self._act()
        return answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        return self.handle_request(request)


def raising(error: BaseException) -> Callable[[], object]:
    def act() -> object:
        raise error

    return act


@widths
@interrupts
@pytest.mark.parametrize("after", [False, True])
def test_a_transport_that_interrupts(
    make_client: ClientFactory, kind: type[BaseException], width: int, after: bool
) -> None:
    """Its request may have been carried out, and nothing else is in doubt."""
    sandbox = Sandbox()
    raised = kind()
    transport = Meeting(sandbox, 3, raising(raised), after=after)
    client = make_client(transport=transport, max_concurrency=width, rate_limit=None)
    with pytest.raises(kind) as caught:
        client.calls.create(calls(12), chunk_size=2)
    assert caught.value is raised
    result = account(raised, sandbox)
    assert len(result.outcomes) == 12
    assert len(result.unknown) == 2
    assert len(result.succeeded) >= 4
    assert not result.failed
    assert len(sandbox.records("calls")) == len(result.succeeded) + 2 * after
    assert client.calls.create(calls(1)).succeeded


def clock_that(raised: BaseException, at: int) -> tuple[FakeClock, Clock]:
    """A clock whose sleeper is interrupted at its turn."""
    fake = FakeClock()
    turns: list[float] = []

    def sleep(seconds: float) -> None:
        turns.append(seconds)
        if len(turns) == at:
            raise raised
        fake.advance(seconds)

    async def asleep(seconds: float) -> None:
        sleep(seconds)

    return fake, Clock(now=fake, sleep=sleep, asleep=asleep)


@widths
@interrupts
@pytest.mark.parametrize("fault", ["locked", "moved", "rate_limited"])
def test_an_interruption_before_a_repetition(
    make_client: ClientFactory, kind: type[BaseException], width: int, fault: str
) -> None:
    """A refused input that waits to be sent again was certainly not done."""
    raised = kind()
    fake, clock = clock_that(raised, 1)
    sandbox = Sandbox(faults=script([None, fault]), clock=fake)
    client = make_client(
        transport=SandboxTransport(sandbox), clock=clock, max_concurrency=width, rate_limit=None
    )
    with pytest.raises(kind) as caught:
        client.calls.create(calls(12), chunk_size=2)
    assert caught.value is raised
    result = account(raised, sandbox)
    assert len(result.outcomes) == 12
    assert not result.unknown
    assert len(result.not_sent) >= 2
    assert len(result.succeeded) >= 2


@widths
def test_an_interruption_before_an_update_is_repeated(
    make_client: ClientFactory, width: int
) -> None:
    """The attempt before may have been done, so it is not called unsent."""
    raised = KeyboardInterrupt()
    fake, clock = clock_that(raised, 1)
    sandbox = Sandbox(clock=fake)
    server = ScriptedServer(sandbox, says(503, work=True))
    client = make_client(transport=server, clock=clock, max_concurrency=width, rate_limit=None)
    with pytest.raises(KeyboardInterrupt) as caught:
        client.marketing_events.update(wanted(sandbox, UPDATE, 6), chunk_size=2)
    assert caught.value is raised
    result = account(raised, sandbox, UPDATE)
    seen = {given["objectId"] for request in server.seen for given in request.inputs}
    assert {outcome.input["objectId"] for outcome in result.unknown} == seen
    assert len(result.not_sent) == 6 - len(result.unknown)


@widths
@interrupts
def test_an_interruption_during_a_long_wait_for_a_start(
    make_client: ClientFactory, kind: type[BaseException], width: int
) -> None:
    """An input that waits for the rate limit was certainly not done."""
    raised = kind()
    fake, clock = clock_that(raised, 1)
    sandbox = Sandbox(clock=fake)
    client = make_client(
        transport=SandboxTransport(sandbox),
        clock=clock,
        max_concurrency=width,
        rate_limit=RateLimit(3, 86400.0),
    )
    with pytest.raises(kind) as caught:
        client.calls.create(calls(12), chunk_size=2)
    assert caught.value is raised
    result = account(raised, sandbox)
    assert len(result.outcomes) == 12
    assert not result.unknown
    assert len(result.succeeded) >= 6
    # Where several wait, the others' sleep moves this clock on, unlike that of the next test.
    assert len(result.not_sent) == 6 or (width > 1 and result.not_sent)


@interrupts
def test_waiting_tasks_send_nothing_after_an_interruption(kind: type[BaseException]) -> None:
    """Of several tasks that wait for the rate limit one is interrupted, and none sends any more."""
    raised = kind()
    turns = iter([raised])

    async def asleep(seconds: float) -> None:
        for error in turns:
            raise error
        await asyncio.sleep(seconds)

    async def main() -> None:
        now = asyncio.get_running_loop().time
        sandbox = Sandbox(clock=now)
        async with AsyncHubSpotBatch(
            SECRET,
            transport=SandboxTransport(sandbox),
            clock=Clock(now=now, asleep=asleep),
            max_concurrency=4,
            rate_limit=RateLimit(3, 86400.0),
        ) as client:
            with pytest.raises(kind) as caught:
                await client.calls.create(calls(12), chunk_size=2)
            assert caught.value is raised
            assert counts(account(raised, sandbox)) == (6, 0, 0, 6)

    virtual.run(main())


@widths
@interrupts
@pytest.mark.parametrize("asked", [0, 1])
def test_a_provider_that_interrupts(
    make_client: ClientFactory, kind: type[BaseException], width: int, asked: int
) -> None:
    """At first, where nothing was sent yet, or after a 401."""
    raised = kind()
    given = iter([SECRET] * asked)

    def provide() -> str:
        for token in given:
            return token
        raise raised

    sandbox = Sandbox(token="another" * 3)
    client = make_client(provide, transport=sandbox, max_concurrency=width)
    with pytest.raises(kind) as caught:
        client.calls.create(calls(6), chunk_size=2)
    assert caught.value is raised
    assert counts(account(raised, sandbox)) == (0, 0, 0, 6)


@widths
def test_an_interruption_while_a_wait_is_told(make_client: ClientFactory, width: int) -> None:
    """Nothing is under way then."""
    raised = KeyboardInterrupt()

    def on_wait(_: Wait) -> None:
        raise raised

    sandbox = Sandbox(faults=script([None, "locked"]))
    told = waits_to(on_wait)
    client = make_client(transport=sandbox, on_event=told, max_concurrency=width, rate_limit=None)
    with pytest.raises(KeyboardInterrupt) as caught:
        client.calls.create(calls(6), chunk_size=2)
    assert caught.value is raised
    result = account(raised, sandbox)
    assert len(result.outcomes) == 6
    assert not result.unknown


# ---------------------------------------------------------------- consumers that have enough


@widths
@pytest.mark.parametrize("handed_out", [0, 1, 3])
def test_a_consumer_that_closes(make_client: ClientFactory, width: int, handed_out: int) -> None:
    """Requests on the wire are waited for; inputs that were read and not sent are not sent."""
    sandbox = Sandbox()
    rows = iter(calls(100))
    client = make_client(transport=sandbox, max_concurrency=width)
    outcomes = client.calls.create_iter(rows, chunk_size=2)
    told = [next(outcomes) for _ in range(handed_out)]
    assert outcomes.result is None
    outcomes.close()
    result = outcomes.result
    outcomes.close()
    assert outcomes.result is result
    assert list(outcomes) == []
    everything = (*told, *result.outcomes)
    read = 100 - len(list(rows))
    assert sorted(outcome.index for outcome in everything) == list(range(read))
    assert not result.unknown
    done = [outcome for outcome in everything if outcome.status is SUCCEEDED]
    assert len(done) == len(sandbox.records("calls"))
    assert read <= (2 * (width + 2) if handed_out else 0)
    assert client.calls.create(calls(1)).succeeded


def test_what_nobody_could_be_tied_to_is_told_at_the_end(make_client: ClientFactory) -> None:
    """`.unmatched` of an iterator is known once it has ended."""
    strange = {"id": "1", "properties": {"hs_call_title": "Of another"}, "archived": False}
    strange |= {"createdAt": "2026-01-31T12:00:00Z", "updatedAt": "2026-01-31T12:00:00Z"}
    server = ScriptedServer(Sandbox(), says(201, {"status": "COMPLETE", "results": [strange]}))
    outcomes = make_client(transport=server, rate_limit=None).calls.create_iter(calls(1))
    assert [outcome.status for outcome in outcomes] == [UNKNOWN]
    assert len(outcomes.result.unmatched) == 1
    assert outcomes.result.outcomes == ()


@widths
def test_an_iterator_that_is_dropped(width: int) -> None:
    """No one is told, no warning is given, and the client can be used."""
    sandbox = Sandbox()
    with HubSpotBatch(SECRET, transport=SandboxTransport(sandbox), max_concurrency=width) as client:
        for _ in client.calls.create_iter(iter(calls(100)), chunk_size=1):
            break
        next(client.calls.create_iter(calls(100), chunk_size=1))
        client.calls.create_iter(calls(100), chunk_size=1)
        gc.collect()
        before = len(sandbox.records("calls"))
        assert 2 <= before <= 2 * (width + 2)
        assert client.calls.create(calls(1)).succeeded
        assert len(sandbox.records("calls")) == before + 1


def in_flight(sandbox: Sandbox, seconds: float) -> httpx.MockTransport:
    """An asynchronous sandbox each of whose answers takes a time, the work being done at once."""
    inner = SandboxTransport(sandbox)

    async def handle(request: httpx.Request) -> httpx.Response:
        answer = inner.handle_request(request)
        await asyncio.sleep(seconds)
        return answer

    return httpx.MockTransport(handle)


def asynchronous(sandbox: Sandbox, seconds: float, **arguments: Any) -> AsyncHubSpotBatch:
    """A client of a slow sandbox, in virtual time."""
    arguments.setdefault("rate_limit", None)
    return AsyncHubSpotBatch(
        SECRET, transport=in_flight(sandbox, seconds), clock=virtual.clock(), **arguments
    )


def alone() -> bool:
    """Whether no task is left but the one that runs."""
    return asyncio.all_tasks() == {asyncio.current_task()}


@widths
@pytest.mark.parametrize("how", ["break", "drop", "aclosing", "aclose", "never begun"])
def test_an_asynchronous_iterator_that_is_left(width: int, how: str) -> None:
    """No coroutine is left unawaited, no task is left behind, and nothing is said twice."""
    sandbox = Sandbox(rate_limit=None)

    async def main() -> None:
        async with asynchronous(sandbox, 1.0, max_concurrency=width) as client:
            outcomes = client.calls.create_iter(iter(calls(100)), chunk_size=1)
            if how == "break":
                async for _ in outcomes:
                    break
            elif how == "drop":
                await anext(outcomes)
            elif how == "aclosing":
                async with contextlib.aclosing(outcomes):
                    await anext(outcomes)
            elif how == "aclose":
                await anext(outcomes)
                await outcomes.aclose()
                result = outcomes.result
                assert counts(result)[1:3] == (0, 0)
                await outcomes.aclose()
                assert outcomes.result is result
                assert alone()
            del outcomes
            gc.collect()
            await asyncio.sleep(5)
            assert alone()
            assert len(sandbox.records("calls")) <= width + 1
            assert (await client.calls.create(calls(1))).succeeded

    virtual.run(main())
    gc.collect()


# ---------------------------------------------------------------- cancellation


async def cancelled(task: asyncio.Task[Any]) -> asyncio.CancelledError:
    """Cancel a task; returns what it raised, which comes at once."""
    before = asyncio.get_running_loop().time()
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert asyncio.get_running_loop().time() == before
    assert alone()
    return caught.value


@widths
def test_a_task_that_is_cancelled(width: int) -> None:
    """Requests on the wire become unknown at once, and the rest is not sent."""
    sandbox = Sandbox(rate_limit=None)

    async def main() -> None:
        async with asynchronous(sandbox, 1.0, max_concurrency=width) as client:
            task = asyncio.create_task(client.calls.create(calls(20), chunk_size=1))
            await asyncio.sleep(2.5)
            result = account(await cancelled(task), sandbox)
            assert counts(result) == (2 * width, 0, width, 20 - 3 * width)
            assert len(sandbox.records("calls")) == 3 * width
            assert (await client.calls.create(calls(1))).succeeded

    virtual.run(main())


@widths
def test_a_cancelled_iteration(width: int) -> None:
    """The result holds all that was not handed out."""
    sandbox = Sandbox(rate_limit=None)
    told: list[Any] = []

    async def consume(client: AsyncHubSpotBatch) -> None:
        nonlocal told
        outcomes = client.calls.create_iter(iter(calls(20)), chunk_size=1)
        async for outcome in outcomes:
            told += [outcome]

    async def main() -> None:
        async with asynchronous(sandbox, 1.0, max_concurrency=width) as client:
            task = asyncio.create_task(consume(client))
            await asyncio.sleep(2.5)
            result = result_of(await cancelled(task))
            assert len(told) == 2 * width
            assert counts(result)[:3] == (0, 0, width)
            assert len(sandbox.records("calls")) == 3 * width

    virtual.run(main())


async def give_up_after(how: str, seconds: float, made: Any) -> Any:
    if how == "timeout":
        async with asyncio.timeout(seconds):
            return await made
    return await asyncio.wait_for(made, seconds)


@widths
@pytest.mark.parametrize("how", ["timeout", "wait_for"])
def test_a_time_limit_keeps_the_account(width: int, how: str) -> None:
    """It raises an exception of its own; ours stands behind it."""
    sandbox = Sandbox(rate_limit=None)

    async def main() -> None:
        async with asynchronous(sandbox, 1.0, max_concurrency=width) as client:
            with pytest.raises(TimeoutError) as caught:
                await give_up_after(how, 2.5, client.calls.create(calls(20), chunk_size=1))
            assert asyncio.get_running_loop().time() == 2.5
            assert alone()
            result = account(caught.value, sandbox)
            assert counts(result) == (2 * width, 0, width, 20 - 3 * width)

    virtual.run(main())


def test_a_group_whose_other_task_fails() -> None:
    """The run is cancelled by the group, and can say what was done."""
    sandbox = Sandbox(rate_limit=None)
    kept: list[BatchResult[Any]] = []

    async def load(client: AsyncHubSpotBatch) -> None:
        try:
            await client.calls.create(calls(20), chunk_size=1)
        except asyncio.CancelledError as error:
            kept.append(account(error, sandbox))
            raise

    async def fail() -> None:
        await asyncio.sleep(2.5)
        raise OSError("no more")

    async def main() -> None:
        async with asynchronous(sandbox, 1.0, max_concurrency=4) as client:
            with pytest.raises(ExceptionGroup):  # noqa: PT012 - a group is one statement
                async with asyncio.TaskGroup() as group:
                    group.create_task(load(client))
                    group.create_task(fail())
            assert alone()

    virtual.run(main())
    assert counts(kept[0]) == (8, 0, 4, 8)


def test_every_run_of_a_group_keeps_its_outcomes() -> None:
    """Those that failed are in the group; a task that the group cancelled says them again."""
    sandbox = Sandbox(rate_limit=None)
    tasks: list[asyncio.Task[BatchResult[Any]]] = []

    def rows(name: str) -> Iterator[dict[str, Any]]:
        yield from calls(2)
        raise OSError(name)

    async def main() -> None:
        async with asynchronous(sandbox, 1.0, max_concurrency=4) as client:
            with pytest.raises(ExceptionGroup) as caught:  # noqa: PT012 - a group is one statement
                async with asyncio.TaskGroup() as group:
                    for name in "ab":
                        created = client.calls.create(rows(name), chunk_size=2)
                        tasks.append(group.create_task(created))
                    tasks.append(group.create_task(client.calls.create(calls(20), chunk_size=1)))
            found = results_of(caught.value)
            assert [counts(result) for result in found] == [(2, 0, 0, 0)] * 2
            assert found[0] is result_of(caught.value)
            with pytest.raises(asyncio.CancelledError) as stopped:
                tasks[2].result()
            (cut_short,) = results_of(stopped.value)
            assert len(cut_short.outcomes) == 20

    virtual.run(main())


@pytest.mark.parametrize(("fault", "unknown"), [("locked", 0), ("moved", 0), ("503_after", 2)])
@widths
def test_a_cancellation_before_a_repetition(width: int, fault: str, unknown: int) -> None:
    """Only what may have been done by an attempt before is in doubt."""
    sandbox = Sandbox(rate_limit=None, faults=script([fault]))
    events = wanted(sandbox, UPDATE, 2)

    async def main() -> None:
        async with asynchronous(sandbox, 0.1, max_concurrency=width) as client:
            task = asyncio.create_task(client.marketing_events.update(events))
            await asyncio.sleep(0.5)
            result = account(await cancelled(task), sandbox, UPDATE)
            assert counts(result) == (0, 0, unknown, 2 - unknown)

    virtual.run(main())


@widths
def test_a_cancellation_during_a_wait_for_a_start(width: int) -> None:
    """An input that waits for the rate limit was certainly not done."""
    sandbox = Sandbox(rate_limit=None)

    async def main() -> None:
        limit = RateLimit(2, 100.0)
        async with asynchronous(sandbox, 0.1, max_concurrency=width, rate_limit=limit) as client:
            task = asyncio.create_task(client.calls.create(calls(6), chunk_size=1))
            await asyncio.sleep(50)
            assert counts(account(await cancelled(task), sandbox)) == (2, 0, 0, 4)

    virtual.run(main())


def test_a_cancellation_while_the_provider_is_asked() -> None:
    """Nothing was sent yet."""
    sandbox = Sandbox()

    async def provide() -> str:
        await asyncio.sleep(100)
        return SECRET

    async def main() -> None:
        transport = in_flight(sandbox, 1.0)
        async with AsyncHubSpotBatch(provide, transport=transport, clock=virtual.clock()) as client:
            task = asyncio.create_task(client.calls.create(calls(6), chunk_size=1))
            await asyncio.sleep(1)
            assert counts(account(await cancelled(task), sandbox)) == (0, 0, 0, 6)
            assert (await client.calls.create(calls(1))).succeeded

    virtual.run(main())


def test_a_second_cancellation_while_the_first_is_worked_off() -> None:
    """A transport that takes its time to give up does not take the account along."""
    sandbox = Sandbox(rate_limit=None)
    inner = SandboxTransport(sandbox)

    async def handle(request: httpx.Request) -> httpx.Response:
        answer = inner.handle_request(request)
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(100)  # says goodbye at length
        return answer

    async def main() -> None:
        async with AsyncHubSpotBatch(
            SECRET, transport=httpx.MockTransport(handle), clock=virtual.clock()
        ) as client:
            task = asyncio.create_task(client.calls.create(calls(6), chunk_size=1))
            await asyncio.sleep(1)
            task.cancel()
            await asyncio.sleep(1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            assert asyncio.get_running_loop().time() < 200
            assert counts(account(caught.value, sandbox)) == (0, 0, 6, 0)

    virtual.run(main())


def test_a_cancellation_that_comes_too_late() -> None:
    """A run that is over is over."""

    async def main() -> None:
        async with asynchronous(Sandbox(), 1.0) as client:
            task = asyncio.create_task(client.calls.create(calls(1)))
            await asyncio.sleep(2)
            assert not task.cancel()
            assert (await task).succeeded

    virtual.run(main())


# ---------------------------------------------------------------- a client that is closed


@widths
def test_a_client_that_is_closed_by_its_inputs(width: int) -> None:
    """Inputs that were given out before are done; the rest is told that the client is closed."""
    sandbox = Sandbox()
    client = HubSpotBatch(SECRET, transport=SandboxTransport(sandbox), max_concurrency=width)

    def rows() -> Iterator[Any]:
        yield from calls(4)
        client.close()
        yield from calls(6)[4:]

    with pytest.raises(ConfigurationError, match="closed") as caught:
        client.calls.create(rows(), chunk_size=1)
    result = account(caught.value, sandbox)
    assert len(result.outcomes) == 6
    assert not result.failed
    assert result.not_sent


def test_an_asynchronous_client_that_is_closed_during_a_run() -> None:
    """From another task."""
    sandbox = Sandbox(rate_limit=None)

    async def main() -> None:
        client = asynchronous(sandbox, 1.0, max_concurrency=4)
        task = asyncio.create_task(client.calls.create(calls(20), chunk_size=1))
        await asyncio.sleep(2.5)
        await client.close()
        with pytest.raises(ConfigurationError, match="closed") as caught:
            await task
        result = account(caught.value, sandbox)
        assert counts(result) == (12, 0, 0, 8)
        assert alone()

    virtual.run(main())


def test_a_client_that_is_closed_during_a_run() -> None:
    """From another thread."""
    sandbox = Sandbox()
    closed = threading.Event()

    def act() -> None:
        threading.Thread(target=lambda: (client.close(), closed.set())).start()
        assert closed.wait(10)

    transport = Meeting(sandbox, 5, act, after=False)
    clock = clock_of(FakeClock())
    client = HubSpotBatch(SECRET, transport=transport, max_concurrency=4, clock=clock)
    with pytest.raises(ConfigurationError, match="closed") as caught:
        client.calls.create(calls(20), chunk_size=1)
    result = account(caught.value, sandbox)
    assert len(result.outcomes) == 20
    assert len(result.succeeded) >= 5
    assert result.not_sent
    assert not result.failed


# ---------------------------------------------------------------- Ctrl-C itself


def ctrl_c() -> None:
    """Press Ctrl-C as the terminal does, in the thread that is interrupted by it."""
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def slowly(act: Callable[[], object]) -> Callable[[], object]:
    """Give the main thread time to notice."""

    def then() -> object:
        act()
        return time.sleep(0.1)

    return then


@pytest.fixture(autouse=True)
def heeded_signals() -> Iterator[None]:
    """A process that was started in the background ignores Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("iterates", [False, True])
@pytest.mark.parametrize(("width", "size"), [(4, 1), (1, 1), (4, 50)])
def test_what_is_on_the_wire_is_waited_for(iterates: bool, width: int, size: int) -> None:
    """Ctrl-C ends the run, and the answers that are on their way still count."""
    sandbox = Sandbox(rate_limit=None)
    transport = Meeting(sandbox, min(6, 50 // size), slowly(ctrl_c), after=False)
    told: list[Any] = []
    with HubSpotBatch(
        SECRET, transport=transport, max_concurrency=width, rate_limit=None
    ) as client:
        method: Any = client.calls.create_iter if iterates else client.calls.create
        with pytest.raises(KeyboardInterrupt) as caught:
            told.extend(method(calls(50), chunk_size=size))
        result = result_of(caught.value)
        assert result is not None
        assert not result.unknown
        assert not result.failed
        assert len(told) + len(result.succeeded) == len(sandbox.records("calls"))
        if not iterates:
            assert_true(result, sandbox, CALLS)
            assert len(result.outcomes) == 50
        assert client.calls.create(calls(1)).succeeded


def test_a_second_ctrl_c_waits_for_nothing() -> None:
    """Requests that are on the wire then are unknown."""
    sandbox = Sandbox(rate_limit=None)
    over = threading.Event()

    def twice() -> None:
        slowly(ctrl_c)()
        ctrl_c()
        assert over.wait(10)

    transport = Meeting(sandbox, 6, twice, after=False)
    with HubSpotBatch(SECRET, transport=transport, max_concurrency=4, rate_limit=None) as client:
        with pytest.raises(KeyboardInterrupt) as caught:
            client.calls.create(calls(50), chunk_size=1)
        over.set()
        result = account(caught.value, sandbox)
        assert len(result.outcomes) == 50
        assert len(result.unknown) == 1


@pytest.mark.parametrize("count", [1, 20])
def test_ctrl_c_during_a_far_off_repetition(count: int) -> None:
    """It is not waited for, in a worker's thread or in this one."""
    sandbox = Sandbox(rate_limit=None, faults=script(["moved"]))
    over = threading.Event()
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        threading.Thread(target=ctrl_c).start()
        assert over.wait(10)

    clock = Clock(sleep=sleep)
    with HubSpotBatch(SECRET, transport=SandboxTransport(sandbox), clock=clock) as client:
        with pytest.raises(KeyboardInterrupt) as caught:
            client.calls.create(calls(count), chunk_size=1)
        over.set()
        result = account(caught.value, sandbox)
    assert slept == [60.0]
    assert len(result.outcomes) == count
    assert not result.unknown
    assert result.not_sent
