"""One client over one sandbox, in any order of everything that can be done with it.

Hypothesis chooses the order: runs, iterators that are open at the same time, raw requests, faults,
expired tokens, interruptions. What was said of each input must be true at every moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from attrs import define, field
from hubspot_batch import (
    AsyncHubSpotBatch,
    Clock,
    HubSpotBatch,
    HubSpotBatchError,
    Outcome,
    OutcomeStatus,
    RateLimit,
    result_of,
)
from hubspot_batch.sandbox import FAULTS, FakeClock, Sandbox, SandboxTransport, script
from hubspot_batch.sandbox.clock import EXAMPLE_START
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
)
from soak_inputs import NOON, CtrlC, Halt, UnforeseenError
from soak_runs import silence
from virtual_time import VirtualLoop

pytestmark = pytest.mark.many

FAMILIES = ("calls", "campaigns", "marketing_events")
EVENTS = ("8001", "8002", "8003")


@define
class Run:
    """Inputs of one run, and what was said of them so far."""

    family: str
    marks: list[str]
    read: int = 0
    told: list[Outcome[Any]] = field(factory=list)
    iterator: Any = None
    over: bool = False

    def inputs(self) -> Iterator[dict[str, Any]]:
        """Yield an input for each mark; what is read is counted."""
        for number, mark in enumerate(self.marks):
            self.read = number + 1
            yield _input(self.family, mark)


def _input(family: str, mark: str) -> dict[str, Any]:
    if family == "marketing_events":
        return {"objectId": EVENTS[int(mark) % 3], "eventName": mark}
    if family == "campaigns":
        return {"properties": {"hs_name": f"Campaign {int(mark) % 2}", "hs_audience": mark}}
    # What tells the calls apart, and no answer repeats.
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 194}]
    return {
        "properties": {"hs_timestamp": NOON, "hs_call_title": f"Call {int(mark) % 2}"},
        "associations": [{"to": {"id": mark}, "types": types}],
    }


class Wire(SandboxTransport):
    """The way to the sandbox; an armed interruption is raised there, once."""

    armed: tuple[str, BaseException] | None = None

    def _break(self, where: str) -> None:
        if self.armed is not None and self.armed[0] == where:
            (_, error), self.armed = self.armed, None
            raise error

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Hand on a request."""
        self._break("before")
        response = super().handle_request(request)
        self._break("after")
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Hand on a request."""
        self._break("before")
        response = await super().handle_async_request(request)
        self._break("after")
        return response


class Life(RuleBasedStateMachine):
    """The life of a client; `kind` says of which kind it is."""

    kind = "sync"
    iterators: Bundle[Run] = Bundle("iterators")

    def __init__(self) -> None:
        super().__init__()
        self.loop = VirtualLoop() if self.kind == "async" else None
        self.fake = FakeClock()
        self.runs: list[Run] = []
        self.marked = 0

    @initialize(most=st.integers(1, 4), told=st.sampled_from([None, RateLimit(2, 10.0)]))
    def begin(self, most: int, told: RateLimit | None) -> None:
        """Make the sandbox and the client."""
        loop, fake = self.loop, self.fake
        now: Any = fake if loop is None else (lambda: EXAMPLE_START + loop.time())
        self.sandbox = Sandbox(clock=now, rate_limit=(20, 10.0))
        self.updates: set[str] = set()
        for one in EVENTS:
            self.sandbox.add_marketing_event("as it was", record_id=one)
        arguments: dict[str, Any] = {"max_concurrency": most, "rate_limit": told}
        if loop is None:
            self.wire = Wire(self.sandbox)
            clock = Clock(now=fake, sleep=fake.advance)
            self.client: Any = HubSpotBatch(
                self.provide, transport=self.wire, clock=clock, **arguments
            )
        else:
            self.wire = Wire(self.sandbox, sleep=asyncio.sleep)
            clock = Clock(now=loop.time, asleep=asyncio.sleep)
            self.client = AsyncHubSpotBatch(
                self.provide, transport=self.wire, clock=clock, **arguments
            )

    def provide(self) -> str:
        """Return a fresh token; the sandbox lets in no other."""
        self.marked += 1
        token = f"token-number-{self.marked}"
        self.sandbox.use_token(token)
        return token

    def wait(self, made: Any) -> Any:
        """Return what a call gave, or what it gave to be awaited."""
        if self.loop is None or not hasattr(made, "__await__"):
            return made
        return self.loop.run_until_complete(made)

    def _begin(self, family: str, size: int) -> Run:
        run = Run(family, [str(self.marked + n) for n in range(1, size + 1)])
        self.marked += size
        self.runs.append(run)
        return run

    def _method(self, run: Run, suffix: str = "") -> Any:
        verb = "update" if run.family == "marketing_events" else "create"
        return getattr(getattr(self.client, run.family), verb + suffix)

    def _ended(self, run: Run, error: BaseException | None, rest: Any) -> None:
        if isinstance(error, HubSpotBatchError):
            rest = error.result
        elif error is not None:
            rest = result_of(error)
        assert rest is not None
        run.told += rest.outcomes
        run.over = True

    @rule(family=st.sampled_from(FAMILIES), size=st.integers(0, 7), chunk=st.integers(1, 4))
    def carry_out(self, family: str, size: int, chunk: int) -> None:
        """Collect all outcomes at once."""
        run = self._begin(family, size)
        try:
            rest = self.wait(self._method(run)(run.inputs(), chunk_size=chunk))
        except (HubSpotBatchError, CtrlC, Halt) as error:
            self._ended(run, error, None)
        else:
            self._ended(run, None, rest)
            assert len(run.told) == size

    @rule(
        target=iterators,
        family=st.sampled_from(FAMILIES),
        size=st.integers(0, 7),
        chunk=st.integers(1, 4),
    )
    def open(self, family: str, size: int, chunk: int) -> Run:
        """Begin to iterate."""
        run = self._begin(family, size)
        run.iterator = self._method(run, "_iter")(run.inputs(), chunk_size=chunk)
        return run

    @rule(run=iterators, steps=st.integers(1, 4))
    def step(self, run: Run, steps: int) -> None:
        """Take some outcomes from an iterator."""
        for _ in range(steps):
            try:
                if self.loop is None:
                    run.told.append(next(run.iterator))
                else:
                    run.told.append(self.wait(run.iterator.__anext__()))
            except (StopIteration, StopAsyncIteration):
                self._close(run)
                return
            except (HubSpotBatchError, CtrlC, Halt) as error:
                if not run.over:
                    self._ended(run, error, None)
                return

    @rule(run=consumes(iterators))
    def close(self, run: Run) -> None:
        """Stop an iterator."""
        self._close(run)

    def _close(self, run: Run) -> None:
        error = None
        try:
            self.wait(run.iterator.close() if self.loop is None else run.iterator.aclose())
        except (HubSpotBatchError, CtrlC, Halt) as raised:
            error = raised
        if not run.over:
            self._ended(run, error, run.iterator.result)

    @rule(steps=st.lists(st.sampled_from([None, *sorted(FAULTS)]), max_size=6))
    def change_faults(self, steps: list[str | None]) -> None:
        """Let the next requests meet these faults."""
        self.sandbox.use_faults(script(steps))

    @rule()
    def let_the_token_expire(self) -> None:
        """The provider has another one."""
        self.sandbox.use_token("another")

    @rule(seconds=st.floats(0, 100))
    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.fake.advance(seconds)
        if self.loop is not None:
            self.loop.run_until_complete(asyncio.sleep(seconds))

    @rule()
    def send_something_else(self) -> None:
        """Send a request of one's own through the same connection."""
        try:
            if self.loop is None:
                self.client.raw.get_httpx_client().get("/nowhere")
            else:
                self.wait(self.client.raw.get_async_httpx_client().get("/nowhere"))
        except (httpx.HTTPError, HubSpotBatchError, CtrlC, Halt, UnforeseenError):
            pass

    @rule(
        where=st.sampled_from(["before", "after"]),
        error=st.sampled_from([CtrlC, Halt, UnforeseenError]),
    )
    def interrupt(self, where: str, error: type[BaseException]) -> None:
        """Let the next request raise this."""
        if self.wire.armed is None:
            self.wire.armed = where, error("as the test wants it")

    @invariant()
    def what_was_said_is_true(self) -> None:
        """Each input has at most one outcome, and all of them once a run is over."""
        if not hasattr(self, "sandbox"):
            return
        there = self._marks()
        assert len(there) == len(set(there)), "something was carried out twice"
        for run in self.runs:
            indexes = sorted(outcome.index for outcome in run.told)
            assert len(set(indexes)) == len(indexes)
            if run.over:
                assert indexes == list(range(run.read))
            for outcome in run.told:
                done = run.marks[outcome.index] in there
                if outcome.status is OutcomeStatus.SUCCEEDED:
                    assert done or run.family == "marketing_events"
                elif outcome.status is not OutcomeStatus.UNKNOWN:
                    assert not done, outcome

    def _marks(self) -> list[str]:
        calls = [one.associations[0]["to"]["id"] for one in self.sandbox.records("calls")]
        campaigns = [
            str(one.properties["hs_audience"]) for one in self.sandbox.records("campaigns")
        ]
        events = [str(one.fields["eventName"]) for one in self.sandbox.records("marketing_events")]
        return [*calls, *campaigns, *(name for name in events if name != "as it was")]

    def teardown(self) -> None:
        """End everything; afterwards the client is as good as new."""
        if not hasattr(self, "sandbox"):
            return
        self.sandbox.use_faults(None)
        self.wire.armed = None
        for run in self.runs:
            if run.iterator is not None and not run.over:
                self._close(run)
        self.what_was_said_is_true()
        self.pass_time(5_000.0)
        result = self.wait(self.client.calls.create([_input("calls", "0")]))
        assert len(result.succeeded) == 1
        self.wait(self.client.close())
        if self.loop is not None:
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.loop.close()


class AsyncLife(Life):
    """The same for a client for tasks."""

    kind = "async"


SETTINGS = settings(max_examples=60, stateful_step_count=30)


@pytest.mark.parametrize("life", [Life, AsyncLife])
def test_any_order_of_things(life: type[Life]) -> None:
    """No order makes an outcome untrue."""
    machine = life.TestCase
    machine.settings = SETTINGS
    with silence():
        machine("runTest").runTest()
