"""Small runs that a real signal interrupts, at a random moment.

The signal does what Ctrl-C does, which a run defers, or its handler raises, as that of a program
may. After Ctrl-C, nothing is in doubt; after a handler that raises, nothing is untrue.

The seed chooses the run and the moment, but which line that is, the machine decides: so a failure
names the place, and its run is to be repeated often.
"""

from __future__ import annotations

import random
import signal
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from attrs import define, field
from both_clients import clock_of
from hubspot_batch import (
    BatchResult,
    HubSpotBatch,
    Outcome,
    OutcomeIterator,
    OutcomeStatus,
    result_of,
)
from hubspot_batch.sandbox import FakeClock, Sandbox, SandboxTransport
from leak_watch import SECRET
from scripted_server import CALLS, NOON, held, mark
from soak_runs import Report, silence

CAN_SIGNAL = hasattr(signal, "setitimer")
"""Windows has no timers that send signals."""

LONGEST = 1.1
"""The latest moment, as a share of the time that the same run has just taken."""


def left_beside(others: set[threading.Thread]) -> set[threading.Thread]:
    """Return the threads that do not end.

    After an interruption Python itself can take one for ended that is not, so it is asked for none.
    """
    for _ in range(5000):
        if not (left := set(threading.enumerate()) - others):
            break
        time.sleep(0.001)
    return left


def rows(name: str, count: int) -> list[dict[str, Any]]:
    """Return good inputs."""
    return [
        {"properties": {"hs_timestamp": NOON, "hs_call_title": f"{name} {n}"}, "associations": []}
        for n in range(count)
    ]


@define
class Alarm:
    """An interruption of some work, once, and where it came.

    Attributes:
        raises: Whether its handler raises; else it calls that of Ctrl-C.
    """

    raises: bool = False
    frames: list[tuple[str, int, str]] = field(factory=list)
    swallowed: bool = False
    mistakes: list[str] = field(factory=list)

    def interrupt(self, work: Callable[[], None], seconds: float) -> BaseException | None:
        """Work, and be interrupted after some seconds; return what was raised."""
        before, hook = signal.signal(signal.SIGALRM, self._ring), sys.unraisablehook
        sys.unraisablehook = self._note
        try:
            try:
                signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-5))
                work()
            finally:
                # What was sent just before is raised here, and caught like any other.
                signal.setitimer(signal.ITIMER_REAL, 0)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is judged
            return error
        finally:
            signal.signal(signal.SIGALRM, before)
            sys.unraisablehook = hook
        return None

    @property
    def place(self) -> str:
        """Where it rang: the innermost functions."""
        lines = [f"{Path(file).name}:{line} {function}" for file, line, function in self.frames]
        return " < ".join(lines[:4]) or "nowhere"

    def rang_in(self, *functions: str) -> bool:
        """Whether it rang in one of these functions, or in what they called."""
        return any(f"{Path(file).name} {name}" in functions for file, _, name in self.frames)

    def rang_in_file(self, name: str) -> bool:
        """Whether it rang in a module of ours, or in what that called."""
        return any(Path(file).name == name for file, _, _ in self.frames)

    def _ring(self, number: int, frame: FrameType | None) -> None:
        while frame is not None:
            code = frame.f_code
            self.frames.append((code.co_filename, frame.f_lineno or 0, code.co_name))
            frame = frame.f_back
        if self.raises:
            raise KeyboardInterrupt
        handler: Any = signal.getsignal(signal.SIGINT)
        handler(signal.SIGINT, None)

    def _note(self, unraisable: Any) -> None:
        """Python ends nothing by what is raised while an object is thrown away."""
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            self.swallowed = True
        else:
            self.mistakes.append(f"{unraisable.exc_type.__name__} in {unraisable.object}")


@define
class Run:
    """A run that is interrupted, and what is known of it."""

    count: int
    size: int
    width: int
    form: str
    raises: bool
    sandbox: Sandbox = field(factory=lambda: Sandbox(rate_limit=None), repr=False)
    alarm: Alarm = field(init=False, repr=False)
    told: list[Outcome[Any]] = field(factory=list, repr=False)
    statuses: frozenset[OutcomeStatus] = field(default=frozenset(), repr=False)
    outcomes: OutcomeIterator[Any] | None = field(default=None, repr=False)
    result: BatchResult[Any] | None = field(default=None, repr=False)

    def __attrs_post_init__(self) -> None:
        self.alarm = Alarm(self.raises)

    @classmethod
    def of(cls, rng: random.Random) -> Run:
        """Return a run that chance chooses."""
        form = rng.choice(("collect", "collect a generator", "iterate", "iterate a generator"))
        numbers = rng.randint(1, 20), rng.randint(1, 3), rng.choice((1, 1, 2, 3, 8))
        return cls(*numbers, form, raises=rng.random() < 0.4)

    def judge(self, share: float) -> str:
        """Carry it out, and return what the signal met; raise an AssertionError if it is untrue."""
        others = set(threading.enumerate())
        assert isinstance(self.sandbox.clock, FakeClock)
        client = HubSpotBatch(
            SECRET,
            transport=SandboxTransport(self.sandbox),
            clock=clock_of(self.sandbox.clock),
            max_concurrency=self.width,
            rate_limit=None,
        )
        seconds = self._calm(client, "Before", self.count)
        requests = len(self.sandbox.requests)
        error = self.alarm.interrupt(lambda: self._carry_out(client), share * seconds)
        met = self._met(error)
        account = self._account(error, begun=len(self.sandbox.requests) > requests)
        # What it keeps alive goes with it.
        self.outcomes = self.result = error = None
        if account is not None:
            self._check([*self.told, *account.outcomes], account)
        elif met == "after":
            assert len(self._there()) == self.count, "it was over, and not all was done"
        else:
            assert not self._there(), "something was done, and there is no account"
        self._calm(client, "After", 2)
        client.close()
        # Where a handler raises while a thread is started, that one may be left.
        if not (self.raises and self.alarm.rang_in_file("executors.py")):
            assert not left_beside(others), "a thread is left"
        return met

    def _calm(self, client: HubSpotBatch, name: str, count: int) -> float:
        before = time.perf_counter()
        result = client.calls.create(rows(name, count), chunk_size=self.size)
        assert len(result.succeeded) == count, "without a signal not all was done"
        return time.perf_counter() - before

    def _carry_out(self, client: HubSpotBatch) -> None:
        given: Any = rows("Call", self.count)
        if self.form.endswith("generator"):
            given = iter_rows(given)
        if self.form.startswith("collect"):
            self.result = client.calls.create(given, chunk_size=self.size)
            return
        self.outcomes = client.calls.create_iter(given, chunk_size=self.size)
        for outcome in self.outcomes:
            self.told.append(outcome)
        self.result = self.outcomes.result

    def _met(self, error: BaseException | None) -> str:
        assert not self.alarm.mistakes, self.alarm.mistakes
        # Where a handler raises within a lock, Python may raise another error of it.
        others = (KeyboardInterrupt, RuntimeError) if self.raises else KeyboardInterrupt
        if error is not None and not (isinstance(error, others) and self.alarm.frames):
            raise AssertionError(f"{error!r} came out") from error
        if not self.alarm.frames:
            return "nothing"
        if error is None:
            assert self.alarm.swallowed, "it is swallowed"
            return "a destructor"
        if self.alarm.rang_in("runner.py collect", "iterators.py __next__"):
            return "the run"
        if self.outcomes is not None and self.outcomes.result is None:
            return "between two outcomes"
        return "after" if self._there() else "before"

    def _account(self, error: BaseException | None, *, begun: bool) -> BatchResult[Any] | None:
        """Return what it says of itself; it may say nothing before it begins and after its end."""
        if error is None:
            return self.result
        account = result_of(error)
        if self.alarm.rang_in("runner.py advance", "runner.py finish"):
            assert account is not None, "there is no account"
        if account is None and self.outcomes is not None:
            # It came between two outcomes, as it can in the caller's own lines.
            self.outcomes.close()
            account = self.outcomes.result
            assert account is not None, "there is no account of the iterator"
        over = not self.alarm.rang_in("runner.py collect")
        assert account is not None or over or not begun, "there is no account, and it had begun"
        return account

    def _there(self) -> Counter[str]:
        return Counter(name for name in held(self.sandbox, CALLS) if name.startswith("Call"))

    def _check(self, outcomes: list[Outcome[Any]], account: BatchResult[Any]) -> None:
        there = self._there()
        self.statuses = frozenset(outcome.status for outcome in outcomes)
        assert set(there.values()) <= {1}, "something was done twice"
        assert not account.unmatched, "a result is matched to no input"
        indexes = Counter(outcome.index for outcome in outcomes)
        assert set(indexes.values()) <= {1}, "something was told twice"
        # An outcome that was on its way to the caller is lost.
        innermost = self.alarm.frames[0][2] if self.alarm.frames else ""
        goes_out = self.form.startswith("iterate") and innermost in ("__next__", "_carry_out")
        spare = 1 if goes_out else 0
        whole = self.form == "collect" or not self.alarm.frames or self.alarm.swallowed
        size = self.count if whole else max(indexes, default=-1) + 1
        assert len(indexes) + spare >= size, f"of {size} inputs it knows {sorted(indexes)}"
        known = {mark(CALLS, outcome.input) for outcome in outcomes}
        assert len(there.keys() - known) <= spare, "something was done that it does not know of"
        for outcome in outcomes:
            done, status = mark(CALLS, outcome.input) in there, outcome.status
            assert done or status is not OutcomeStatus.SUCCEEDED, f"{outcome} is not there"
            fine = status in (OutcomeStatus.SUCCEEDED, OutcomeStatus.UNKNOWN)
            assert fine or not done, f"{outcome} is there"
        if not self.raises:
            assert OutcomeStatus.UNKNOWN not in self.statuses, "an answer was not waited for"
        if not self.alarm.frames:
            assert self.statuses == {OutcomeStatus.SUCCEEDED}, "it was not interrupted"


def iter_rows(given: list[Any]) -> Iterator[Any]:
    """Give the inputs one by one, and not their number."""
    yield from given


def one_signal(seed: int, kind: str = "sync") -> Report:
    """Carry out the run of a seed and interrupt it, and judge it."""
    rng = random.Random(seed)
    run, share = Run.of(rng), rng.uniform(0, LONGEST)
    failure, met = None, "a mistake"
    try:
        with silence():
            met = run.judge(share)
    except Exception:  # noqa: BLE001 - whatever it is, it is to be seen with its seed
        failure = f"{run} was interrupted at {run.alarm.place}\n{traceback.format_exc()}"
    features = {f"met {met}", f"at {run.alarm.place.split(' < ')[0]}", run.form}
    features.add("a handler raises" if run.raises else "Ctrl-C")
    features |= {f"status:{status}" for status in run.statuses}
    return Report(seed, kind, "signal", frozenset(features), failure)
