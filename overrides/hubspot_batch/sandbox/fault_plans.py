"""Plans for faults: a script of requests, or a rate for each fault.

The module decides which request gets which fault. `faults` defines the faults.

    Sandbox(faults=script([None, "reset_after"]))              # the second request
    Sandbox(faults=rates({"500": 0.1}, operation="create_calls"))
    Sandbox(faults={"reset_after": 0.05, "locked": 0.05})      # the same as rates(...)
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from attrs import define, field, frozen

from .faults import FAULTS, Fault


@frozen
class Script:
    """One step for each of the first requests: a fault, or None. Later requests get no fault."""

    steps: tuple[Fault | None, ...]
    operation: str | None = None

    def pick(self, index: int, _rng: random.Random) -> Fault | None:
        """Return the fault of the request at `index` (from 0) among the plan's requests."""
        return self.steps[index] if index < len(self.steps) else None


@frozen
class Rates:
    """A probability for each fault. A request gets at most one of the faults."""

    shares: tuple[tuple[Fault, float], ...]
    operation: str | None = None

    def pick(self, _index: int, rng: random.Random) -> Fault | None:
        """Choose a fault, or None, at random."""
        point = rng.random()
        for fault, share in self.shares:
            if point < share:
                return fault
            point -= share
        return None


Plan: TypeAlias = Script | Rates
Faults: TypeAlias = Plan | Mapping[str, float] | Sequence[Plan] | None
"""The faults of a sandbox: one plan, several (the first fault found applies), or rates."""


def script(steps: Iterable[str | Fault | None], *, operation: str | None = None) -> Script:
    """Plan one fault for each of the first requests; None stands for no fault.

    With `operation`, the steps apply to requests of that operation only. ValueError for an unknown
    fault.
    """
    return Script(tuple(None if step is None else _get_fault(step) for step in steps), operation)


def rates(shares: Mapping[str, float], *, operation: str | None = None) -> Rates:
    """Plan faults by probability: each from 0 to 1, and together at most 1.

    With `operation`, the faults apply to requests of that operation only. ValueError for an unknown
    fault or a rate out of range.
    """
    for name, share in shares.items():
        if not 0 <= share <= 1:
            raise ValueError(f"the rate of fault {name!r} must be from 0 to 1; got {share}")
    if (total := sum(shares.values())) > 1 + 1e-9:
        raise ValueError(f"the rates of the faults add up to {total:g}; at most 1 is allowed")
    return Rates(tuple((_get_fault(name), share) for name, share in shares.items()), operation)


def _get_fault(fault: str | Fault) -> Fault:
    if isinstance(fault, Fault):
        return fault
    try:
        return FAULTS[fault]
    except KeyError:
        known = ", ".join(FAULTS)
        raise ValueError(f"no fault is called {fault!r}; choose one of: {known}") from None


def parse(options: Sequence[str]) -> tuple[Rates, ...]:
    """Parse command-line options of the form `[OPERATION:]NAME[=RATE]`; the default rate is 1.

    ValueError names the option that is wrong.
    """
    by_operation: dict[str | None, dict[str, float]] = {}
    for option in options:
        rest, _, number = option.partition("=")
        operation, _, name = rest.rpartition(":")
        try:
            share = float(number) if number else 1.0
        except ValueError:
            raise ValueError(f"the rate in fault {option!r} is not a number from 0 to 1") from None
        by_operation.setdefault(operation or None, {})[name] = share
    # A plan for one operation takes precedence over the plan for all operations.
    ordered = sorted(by_operation.items(), key=lambda item: item[0] is None)
    return tuple(rates(shares, operation=operation) for operation, shares in ordered)


def start_plans(faults: Faults, operations: Iterable[str]) -> tuple["ActivePlan", ...]:
    """Start the plans of one sandbox; ValueError if one names an unknown operation."""
    if faults is None:
        plans: tuple[Plan, ...] = ()
    elif isinstance(faults, Script | Rates):
        plans = (faults,)
    elif isinstance(faults, Mapping):
        plans = (rates(faults),)
    else:
        plans = tuple(_check_plan(plan) for plan in faults)
    known = list(operations)
    for plan in plans:
        if plan.operation is not None and plan.operation not in known:
            names = ", ".join(known)
            raise ValueError(f"no operation is called {plan.operation!r}; choose one of: {names}")
    return tuple(ActivePlan(plan) for plan in plans)


def _check_plan(plan: object) -> Plan:
    if isinstance(plan, Script | Rates):
        return plan
    raise ValueError(f"{plan!r} is not a plan; write script([...]) or rates({{...}})")


@define
class ActivePlan:
    """A plan in use by one sandbox. It counts the requests; the plan itself is immutable."""

    plan: Plan
    _count: int = field(default=0, init=False)

    def next(self, operation: str, rng: random.Random) -> Fault | None:
        """Return the fault of the next request, which is one of this operation."""
        if self.plan.operation not in (None, operation):
            return None
        self._count += 1
        return self.plan.pick(self._count - 1, rng)
