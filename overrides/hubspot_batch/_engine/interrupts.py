"""Defers Ctrl-C while a run goes on.

Python raises KeyboardInterrupt between any two bytecodes of the main thread, and no code can keep
its state consistent under that. So during a run, SIGINT is only noted, and KeyboardInterrupt is
raised at a safe point (as `asyncio.Runner` does). If the program has a SIGINT handler of its own,
or the run is not in the main thread, nothing changes.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import FrameType
from typing import Self

# The first Ctrl-C ends the run, the second ends the wait for requests under way; the next is raised
# at once.
_DEFERRED_PRESSES = 2


class Interrupts:
    """Ctrl-C during a run. As a context, it defers SIGINT.

    Args:
        wake: Called by the signal handler, to end a wait of the main thread.

    Attributes:
        pressed: How often Ctrl-C was pressed.
        immediate: Whether Ctrl-C is raised at once.
    """

    def __init__(self, wake: Callable[[], object]) -> None:
        self.pressed = 0
        self.immediate = False
        self._raised = 0
        self._wake = wake
        self._process = os.getpid()
        self._before: object = None

    def __enter__(self) -> Self:
        if self._before is None and threading.current_thread() is threading.main_thread():
            before = signal.getsignal(signal.SIGINT)
            # A run whose inputs come from another run defers for itself.
            ours = isinstance(getattr(before, "__self__", None), Interrupts)
            if before is signal.default_int_handler or ours:
                self._before = before
                signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        self.restore()
        self.check()

    def restore(self) -> None:
        """Restore the handler of SIGINT, also after another signal interrupted `__exit__`."""
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)  # type: ignore[arg-type] # it was the handler
            self._before = None

    @property
    def reading(self) -> AbstractContextManager[None]:
        """A context manager for the caller's own code: inside it, Ctrl-C is raised at once."""
        return _Immediately(self)

    def check(self) -> None:
        """Raise a KeyboardInterrupt that was deferred."""
        if self.pressed > self._raised:
            self._raised = self.pressed
            raise KeyboardInterrupt

    def absorb(self, error: BaseException) -> None:
        """Count all Ctrl-C so far as raised, if this exception is a KeyboardInterrupt."""
        if isinstance(error, KeyboardInterrupt):
            self._raised = self.pressed

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        if os.getpid() != self._process:  # a fork has copied the handler, and no run goes on here
            self.restore()
            raise KeyboardInterrupt
        self.pressed += 1
        impatient = self.pressed > self._raised + _DEFERRED_PRESSES
        if impatient:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if self.immediate or impatient:
            self.immediate = False
            self._raised = self.pressed
            raise KeyboardInterrupt
        self._wake()


class _Immediately(AbstractContextManager[None]):
    """The context in which Ctrl-C is raised at once."""

    def __init__(self, interrupts: Interrupts) -> None:
        self._interrupts = interrupts

    def __enter__(self) -> None:
        self._interrupts.check()
        self._interrupts.immediate = True

    def __exit__(self, *_: object) -> None:
        self._interrupts.immediate = False
