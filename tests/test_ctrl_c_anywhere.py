"""Ctrl-C can come between any two steps: the account is whole and true wherever it does.

A trace function raises KeyboardInterrupt before one line of ours, in the caller's thread, and the
next time before a later one. Every line that a small run passes is a place; some are tried here,
and all of those at which threads are started and waited for, most of which are Python's own.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Self

import hubspot_batch
import pytest
from attrs import define, field
from faces import clock_of
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
from played import CALLS, CAMPAIGNS, READ, UPDATE, held, mark, wanted
from signals import left_beside
from soaking import silence
from watch import SECRET

PACKAGE = Path(hubspot_batch.__file__).parent
FOLDERS = {str(PACKAGE), *(str(path) for path in PACKAGE.glob("_[a-z]*") if path.is_dir())}
# Beside these, no outcome is known to anybody yet, or all are known to the caller.
NOT_YET = ("_check_open", "begin", "operation", "limit", "__init__", "_holds_inputs")
NOT_YET += ("order", "_read", "_value", "_tail", "collect", "iterate", "_drive", "_length")
ROWS = 5


def is_ours(frame: FrameType) -> bool:
    """Whether a line of the package is about to be run."""
    return os.path.dirname(frame.f_code.co_filename) in FOLDERS  # noqa: PTH120 - it is quick


def is_for_a_crew(frame: FrameType | None) -> bool:
    """Whether a crew is at work, by itself or by what it calls."""
    while frame is not None and not is_ours(frame):
        frame = frame.f_back
    return frame is not None and frame.f_code.co_filename.endswith("executors.py")


@define
class CtrlC:
    """Interrupts before the n-th line, while the block runs; for a crew, or at a function's end."""

    number: int
    for_a_crew: bool = False
    place: str | None = None
    _passed: int = field(default=0, init=False)
    _before: Any = field(default=None, init=False)

    def __enter__(self) -> Self:
        self._before = sys.gettrace()
        sys.settrace(self._enter)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _enter(self, frame: FrameType, event: str, argument: object) -> Any:
        # Python itself swallows what is raised while an object is thrown away.
        caller = frame.f_back.f_code.co_name if frame.f_back else ""
        thrown_away = {"__del__", "_remove"} & {frame.f_code.co_name, caller}
        counts = is_for_a_crew(frame) if self.for_a_crew else is_ours(frame)
        return self._pass if counts and not thrown_away else None

    def _pass(self, frame: FrameType, event: str, argument: object) -> Any:
        if event == "line" or (event == "return" and self.for_a_crew):
            self._passed += 1
            if self._passed == self.number:
                code = frame.f_code
                self.place = f"{Path(code.co_filename).name}:{frame.f_lineno} {code.co_name}"
                sys.settrace(None)
                raise KeyboardInterrupt
        return self._pass


@define
class Run:
    """A small run that is interrupted, and what is known of it."""

    width: int
    iterates: bool
    for_a_crew: bool = False
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
        ctrl_c, error = CtrlC(number, self.for_a_crew), None
        try:
            with ctrl_c:
                self._carry_out(client)
        except (KeyboardInterrupt, RuntimeError, HubSpotBatchError) as raised:
            error = raised
        if ctrl_c.place is None:
            return None
        account = self._account(error, ctrl_c.place)
        # What it keeps alive goes with it.
        self.outcomes = error = None
        if account is not None:
            self._judge([*self.told, *account.outcomes])
        if not self.faults:
            self._use_again(client)
        client.close()
        self._complain(left_beside(others), "a thread is left")
        return ctrl_c.place

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
        begun = self.sandbox.requests or self.for_a_crew or not place.endswith(NOT_YET)
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


@pytest.mark.parametrize("iterates", [False, True])
@pytest.mark.parametrize("width", [1, 4])
def test_ctrl_c_anywhere(width: int, iterates: bool) -> None:
    """No input is forgotten or told twice, nothing is untrue, and the client can be used again."""
    seen = dict(places(width, iterates, step=9))
    assert len(seen) > 30
    assert {place: said for place, said in seen.items() if said} == {}


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
def test_ctrl_c_while_refusals_are_settled(
    kind: str, faults: dict[str, float], iterates: bool
) -> None:
    """Where requests are taken apart, stop the run, or are shared, likewise."""
    seen = dict(places(2, iterates, step=11, kind=kind, faults=faults))
    assert len(seen) > 30
    assert {place: said for place, said in seen.items() if said} == {}


def test_ctrl_c_while_threads_begin_and_end() -> None:
    """Nothing else comes out where Python's own lines are interrupted, and the threads end."""
    passed: set[str] = set()
    with silence():
        for place, complaints in places(2, iterates=False, for_a_crew=True):
            assert not complaints, place
            passed.add(place.split()[-1])
    assert passed >= {"start", "do", "give", "fetch"}


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
