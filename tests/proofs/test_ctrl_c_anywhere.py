"""Ctrl-C, or a signal handler that raises, can come between any two steps.

A trace function acts before one line of ours, in the caller's thread, and the next time before a
later one. It does what Ctrl-C does, which a run defers, or raises, as the handler of a program may.
Wherever that is, each input has one outcome, none is untrue, and the client can be used again.
After Ctrl-C, nothing is in doubt either.
"""

from __future__ import annotations

import contextlib
import linecache
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Self

import hubspot_batch
import pytest
from attrs import define, field
from both_clients import clock_of
from hubspot_batch import (
    BatchResult,
    HubSpotBatch,
    HubSpotBatchError,
    Outcome,
    OutcomeIterator,
    OutcomeStatus,
    result_of,
)
from hubspot_batch.sandbox import FakeClock, Sandbox, SandboxTransport, rates
from leak_watch import SECRET
from scripted_server import CALLS, CAMPAIGNS, READ, UPDATE, held, mark, wanted
from soak_signals import left_beside

PACKAGE = Path(hubspot_batch.__file__).parent
FOLDERS = {str(PACKAGE), *(str(path) for path in PACKAGE.glob("_[a-z]*") if path.is_dir())}
# Beside these, no outcome is known to anybody yet, or all are known to the caller.
NOT_YET = ("check_open", "_begin", "operation", "limit", "__init__", "_refuse")
NOT_YET += ("operation_call", "_value", "_tail", "collect", "iterate", "encoder", "kind")
NOT_YET += ("__enter__", "reading")
ROWS = 5


def is_ours(frame: FrameType) -> bool:
    """Whether a line of the package is about to be run."""
    return os.path.dirname(frame.f_code.co_filename) in FOLDERS  # noqa: PTH120 - it is quick


def is_thrown_away(frame: FrameType | None) -> bool:
    """Whether this happens while an object is thrown away: Python swallows what is raised then."""
    while frame is not None:
        if frame.f_code.co_name in ("__del__", "_remove"):
            return True
        frame = frame.f_back
    return False


def press_ctrl_c(frame: FrameType) -> None:
    """Press Ctrl-C: Python calls the handler of the main thread."""
    handler: Any = signal.getsignal(signal.SIGINT)
    handler(signal.SIGINT, frame)


def raise_at_once(_: FrameType) -> None:
    """Raise as the handler of a program may."""
    raise KeyboardInterrupt


@define
class Interruption:
    """Interrupts before the n-th line of ours, while the block runs."""

    number: int
    act: Callable[[FrameType], None]
    place: str | None = None
    _passed: int = field(default=0, init=False)
    _before: Any = field(default=None, init=False)
    _blocks: set[tuple[int, int]] = field(factory=set, init=False)

    def __enter__(self) -> Self:
        self._before = sys.gettrace()
        sys.settrace(self._enter)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _enter(self, frame: FrameType, event: str, argument: object) -> Any:
        return self._pass if is_ours(frame) and not is_thrown_away(frame) else None

    def _pass(self, frame: FrameType, event: str, argument: object) -> Any:
        # At the end of a block, its first line comes again; no signal is handled there.
        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).lstrip()
        again = (id(frame), frame.f_lineno) in self._blocks
        if event == "line" and line.startswith("with "):
            self._blocks.add((id(frame), frame.f_lineno))
        if event == "line" and not (again and line.startswith("with ")):
            self._passed += 1
            if self._passed == self.number:
                code = frame.f_code
                self.place = f"{Path(code.co_filename).name}:{frame.f_lineno} {code.co_name}"
                sys.settrace(None)
                self.act(frame)
        return self._pass


@define
class Run:
    """A small run that is interrupted, and what is known of it."""

    width: int
    iterates: bool
    act: Callable[[FrameType], None] = press_ctrl_c
    kind: str = CALLS
    faults: dict[str, float] = field(factory=dict)
    sandbox: Sandbox = field(init=False)
    rows: list[Any] = field(init=False)
    told: list[Outcome[Any]] = field(factory=list)
    complaints: list[str] = field(factory=list)
    outcomes: OutcomeIterator[Any] | None = None

    def __attrs_post_init__(self) -> None:
        self.sandbox = Sandbox(rate_limit=None, faults=rates(self.faults), seed=3)
        self.rows = wanted(self.sandbox, self.kind, ROWS)
        if self.kind == READ:
            # In one request, in the next one, and when the answer is known.
            self.rows = [self.rows[number] for number in (0, 1, 0, 2, 1, 3, 3, 0)]

    def interrupted_at(self, number: int) -> str | None:
        """Return where it was interrupted; None where it was over before."""
        assert isinstance(self.sandbox.clock, FakeClock)
        others = set(threading.enumerate())
        client = HubSpotBatch(
            SECRET,
            transport=SandboxTransport(self.sandbox),
            clock=clock_of(self.sandbox.clock),
            max_concurrency=self.width,
            rate_limit=None,
        )
        interruption, error = Interruption(number, self.act), None
        try:
            with interruption:
                self._carry_out(client)
        except (KeyboardInterrupt, RuntimeError, HubSpotBatchError) as raised:
            error = raised
        if interruption.place is None:
            return None
        account = self._account(error, interruption.place)
        # What it keeps alive goes with it.
        self.outcomes = error = None
        if account is not None:
            self._judge([*self.told, *account.outcomes])
        if not self.faults:
            self._use_again(client)
        client.close()
        if not interruption.place.startswith("executors.py"):  # see there
            self._complain(left_beside(others), "a thread is left")
        return interruption.place

    def _complain(self, wrong: object, words: str) -> None:
        if wrong:
            self.complaints.append(words)

    def _carry_out(self, client: HubSpotBatch) -> None:
        if self.iterates:
            self.outcomes = method(client, self.kind, iterates=True)(self.rows, chunk_size=2)
            for outcome in self.outcomes or ():
                self.told.append(outcome)
        else:
            self.told += method(client, self.kind)(self.rows, chunk_size=2).outcomes

    def _account(self, error: BaseException | None, place: str) -> BatchResult[Any] | None:
        self._complain(error is None, "it is swallowed")
        other = not isinstance(error, KeyboardInterrupt)
        self._complain(error is not None and other, f"{error!r} came out")
        account = None if error is None else result_of(error)
        if account is None and self.outcomes is not None:
            # It came between two outcomes, as it can in the caller's own lines.
            self.outcomes.close()
            account = self.outcomes.result
        early = place.endswith(NOT_YET) or place.startswith(("versions.py", "schemas.py"))
        begun = self.sandbox.requests or not early
        begun = begun and not place.startswith(("call.py", "registry.py", "_cached_property.py"))
        self._complain(account is None and begun, "there is no account")
        return account

    def _judge(self, outcomes: list[Outcome[Any]]) -> None:
        indexes = sorted(outcome.index for outcome in outcomes)
        whole = len(indexes) if self.iterates else len(self.rows)
        self._complain(indexes != list(range(whole)), f"of the inputs it holds {indexes}")
        if self.kind == READ:  # which leaves no trace
            return
        there = [one for one in held(self.sandbox, self.kind) if not one.endswith("=Old")]
        known = {mark(self.kind, outcome.input) for outcome in outcomes}
        self._complain(set(there) - known, "something was done that it does not know of")
        for outcome in outcomes:
            done = mark(self.kind, outcome.input) in there
            doubtful = outcome.status is OutcomeStatus.UNKNOWN
            claimed = outcome.status is OutcomeStatus.SUCCEEDED
            self._complain(claimed != done and not doubtful, f"{outcome.status} is not true")
            timid = doubtful and self.act is press_ctrl_c and not self.faults
            self._complain(timid, "an outcome is in doubt, although requests are waited for")

    def _use_again(self, client: HubSpotBatch) -> None:
        """The client is as good as new: all of its places can be taken."""
        done: list[int] = []

        def create() -> None:
            result = client.calls.create(wanted(Sandbox(), CALLS, 2), chunk_size=1)
            done.append(len(result.succeeded))

        thread = threading.Thread(target=create, daemon=True)
        thread.start()
        thread.join(2)
        self._complain(done != [2], "the client is of no use any more")


def places(
    width: int, iterates: bool, step: int = 1, **how: Any
) -> Iterator[tuple[str, list[str]]]:
    """Interrupt a run at each step-th line; gives the places, and what is wrong there."""
    number = 1
    while (place := (run := Run(width, iterates, **how)).interrupted_at(number)) is not None:
        yield place, run.complaints
        number += step


def method(client: HubSpotBatch, kind: str, *, iterates: bool = False) -> Any:
    """The method that carries out an operation."""
    what, _, family = kind.partition("_")
    return getattr(getattr(client, family), f"{what}_iter" if iterates else what)


@pytest.fixture(scope="module", autouse=True)
def _imported() -> None:
    """An interruption within an import is no interruption of a run."""
    Run(1, iterates=False).interrupted_at(10**9)


acts = pytest.mark.parametrize("act", [press_ctrl_c, raise_at_once], ids=lambda act: act.__name__)


@pytest.fixture(autouse=True)
def _heeded_signals() -> Iterator[None]:
    """A process that was started in the background ignores Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    times = 0
    with contextlib.suppress(KeyboardInterrupt):
        for times in range(1, 4):  # noqa: B007 - at the third time it is raised in any case
            press_ctrl_c(sys._getframe())
    assert times < 4, "Ctrl-C is swallowed"
    assert signal.signal(signal.SIGINT, before) is signal.default_int_handler, "it is not restored"


@acts
@pytest.mark.parametrize("iterates", [False, True])
@pytest.mark.parametrize("width", [1, 4])
def test_anywhere(width: int, iterates: bool, act: Any) -> None:
    """No input is forgotten or told twice, nothing is untrue, and the client can be used again."""
    seen = dict(places(width, iterates, step=7, act=act))
    assert len(seen) > 30
    assert {place: said for place, said in seen.items() if said} == {}


@acts
@pytest.mark.parametrize("iterates", [False, True])
@pytest.mark.parametrize(
    ("kind", "faults"),
    [
        (CAMPAIGNS, {"refused": 1.0}),
        (UPDATE, {"refused": 0.5}),
        (CALLS, {"refused": 0.3, "500_after": 0.3}),
        (CALLS, {"expired_token": 0.5}),
        (READ, {"refused": 0.4}),
        (READ, {}),
    ],
    ids=str,
)
def test_while_refusals_are_settled(
    kind: str, faults: dict[str, float], iterates: bool, act: Any
) -> None:
    """Where requests are split, stop the run, or are shared, likewise."""
    seen = dict(places(2, iterates, step=11, kind=kind, faults=faults, act=act))
    assert len(seen) > 30
    assert {place: said for place, said in seen.items() if said} == {}


def test_there_can_be_no_more_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told, with an account, and nothing waits for a thread that never began."""

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    rows = wanted(Sandbox(), CALLS, ROWS)
    client = HubSpotBatch(SECRET, transport=SandboxTransport(Sandbox(rate_limit=None)))
    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(RuntimeError, match="new thread") as caught:
        client.calls.create(rows)
    account = result_of(caught.value)
    assert account is not None
    assert len(account.not_sent) == ROWS
