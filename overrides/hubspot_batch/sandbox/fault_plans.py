"""What can go wrong on demand, as a table, and when it does, as a plan.

It decides which request meets which fault, from a script or from rates and a seeded random
number. It never does the work of a request and never waits.

    Sandbox(faults=script([None, "reset_after"]))              # the second request
    Sandbox(faults=rates({"500": 0.1}, operation="create_calls"))
    Sandbox(faults={"reset_after": 0.05, "locked": 0.05})      # the same as rates(...)
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from attrs import define, field, frozen

from .faults import FAULTS, Fault


def named(fault: str | Fault) -> Fault:
    """Return the fault of this name; ValueError lists the names when there is none."""
    if isinstance(fault, Fault):
        return fault
    try:
        return FAULTS[fault]
    except KeyError:
        known = ", ".join(FAULTS)
        raise ValueError(f"no fault is called {fault!r}; choose one of: {known}") from None


@frozen
class Script:
    """The first requests meet these faults, one each; what comes after meets none."""

    steps: tuple[Fault | None, ...]
    operation: str | None = None

    def pick(self, turn: int, _rng: random.Random) -> Fault | None:
        """Return the fault of the `turn`-th request (from 0) that the plan is for."""
        return self.steps[turn] if turn < len(self.steps) else None


@frozen
class Rates:
    """Every request meets one of these faults with its probability, or none."""

    shares: tuple[tuple[Fault, float], ...]
    operation: str | None = None

    def pick(self, _turn: int, rng: random.Random) -> Fault | None:
        """Throw the dice once."""
        point = rng.random()
        for fault, share in self.shares:
            if point < share:
                return fault
            point -= share
        return None


Plan: TypeAlias = Script | Rates
Faults: TypeAlias = Plan | Mapping[str, float] | Sequence[Plan] | None
"""What a sandbox takes: one plan, several (the first that has a fault wins), or rates by name."""


def script(steps: Iterable[str | Fault | None], *, operation: str | None = None) -> Script:
    """Plan one fault for each of the first requests; None lets a request through.

    With `operation`, only requests of that operation count. ValueError for an unknown name.
    """
    return Script(tuple(None if step is None else named(step) for step in steps), operation)


def rates(shares: Mapping[str, float], *, operation: str | None = None) -> Rates:
    """Plan faults by probability, from 0 to 1 each and at most 1 together.

    With `operation`, only for that operation. ValueError for an unknown name or a bad number.
    """
    for name, share in shares.items():
        if not 0 <= share <= 1:
            raise ValueError(f"the rate of fault {name!r} is {share}; it goes from 0 to 1")
    if (total := sum(shares.values())) > 1 + 1e-9:
        raise ValueError(f"the rates of the faults add up to {total:g}; at most 1 is possible")
    return Rates(tuple((named(name), share) for name, share in shares.items()), operation)


def parse(texts: Sequence[str]) -> tuple[Rates, ...]:
    """Read `[OPERATION:]NAME[=RATE]` texts of a command line; without a rate it is 1.

    ValueError says which text is wrong.
    """
    collected: dict[str | None, dict[str, float]] = {}
    for text in texts:
        rest, _, number = text.partition("=")
        operation, _, name = rest.rpartition(":")
        try:
            share = float(number) if number else 1.0
        except ValueError:
            raise ValueError(f"the rate in fault {text!r} is not a number from 0 to 1") from None
        collected.setdefault(operation or None, {})[name] = share
    # The more special plan is asked first.
    ordered = sorted(collected.items(), key=lambda item: item[0] is None)
    return tuple(rates(shares, operation=operation) for operation, shares in ordered)


def plans(given: Faults, operations: Iterable[str]) -> tuple["Running", ...]:
    """Start plans for one sandbox; ValueError when one is for an operation it does not have."""
    if given is None:
        chosen: tuple[Plan, ...] = ()
    elif isinstance(given, Script | Rates):
        chosen = (given,)
    elif isinstance(given, Mapping):
        chosen = (rates(given),)
    else:
        chosen = tuple(_plan(one) for one in given)
    known = list(operations)
    for plan in chosen:
        if plan.operation is not None and plan.operation not in known:
            names = ", ".join(known)
            raise ValueError(f"no operation is called {plan.operation!r}; choose one of: {names}")
    return tuple(Running(plan) for plan in chosen)


def _plan(given: object) -> Plan:
    if isinstance(given, Script | Rates):
        return given
    raise ValueError(f"{given!r} is not a plan; write script([...]) or rates({{...}})")


@define
class Running:
    """A plan and how many requests it has seen; the plan itself stays a value."""

    plan: Plan
    _seen: int = field(default=0, init=False)

    def next(self, operation: str, rng: random.Random) -> Fault | None:
        """Return what the next request of this operation meets."""
        if self.plan.operation not in (None, operation):
            return None
        self._seen += 1
        return self.plan.pick(self._seen - 1, rng)
