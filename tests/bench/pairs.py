"""Comparisons of two that take turns, so that what else the machine does meets both alike."""

from __future__ import annotations

import gc
from collections.abc import Callable
from statistics import median, quantiles
from typing import TypeVar

from attrs import frozen

RunT = TypeVar("RunT")


def take_turns(
    first: Callable[[], RunT], second: Callable[[], RunT], times: int
) -> list[tuple[RunT, RunT]]:
    """Run both so often, each first by turns; the very first run of each is not counted."""
    first(), second()
    pairs: list[tuple[RunT, RunT]] = []
    for time in range(times):
        gc.collect()
        if time % 2:
            late = second()
            pairs.append((first(), late))
        else:
            early = first()
            pairs.append((early, second()))
    return pairs


@frozen
class Spread:
    """Figures of one kind: the median, and where the middle half lies."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, figures: list[float]) -> Spread:
        """Return the spread of some figures."""
        low, _, high = quantiles(figures, n=4)
        return cls(median(figures), low, high)

    def __str__(self) -> str:
        return f"middle half {self.low:.3g} to {self.high:.3g}"
