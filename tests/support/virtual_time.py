"""Time that passes only when nothing else is left to do, for tests that would wait for minutes.

The event loop here never sleeps: when every task waits, its clock jumps to the moment of the next
timer. So what happens, and when, is the same on every machine and on every run. It decides nothing
about a client or a server, and it cannot wait for the world outside: sockets, threads, processes.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

from hubspot_batch import Clock

ResultT = TypeVar("ResultT")


class _Selector(selectors.DefaultSelector):  # type: ignore[misc, valid-type] # chosen at run time
    """Lets time pass in place of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        if events:
            return events
        if timeout is None:
            raise RuntimeError("Every task waits for something that no timer will bring about.")
        self.now += max(timeout, 0.0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock begins at 0 and passes over all waiting."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        """Return the seconds that have been passed over."""
        return self._virtual.now


def run(main: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Run a coroutine to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


def clock() -> Clock:
    """Return the clock, for a client, of the virtual loop that runs."""
    return Clock(now=asyncio.get_running_loop().time, asleep=asyncio.sleep)
