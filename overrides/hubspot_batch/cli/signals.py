"""Signals while a job runs: which one stops it, and how long requests under way are waited for.

This module decides that SIGTERM and SIGHUP stop a job as Ctrl-C does: nothing new is sent, and
requests under way may finish. A second signal, or the end of the patience, ends that wait.
"""

from __future__ import annotations

import select
import signal
import socket
import threading
from types import FrameType, TracebackType
from typing import Any, Self

MAX_WAIT = 30.0
"""Seconds that requests under way are waited for after the first signal."""

WATCH = "hubspot-batch signals"
"""The name of the thread that waits for signals."""

_OTHERS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


class StoppedBySignalError(KeyboardInterrupt):
    """A signal came where nothing waits for one.

    Attributes:
        code: The exit code of a process that was stopped by it.
    """

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code


class Signals:
    """Signals of this process, as a context of the main thread.

    Args:
        patience: Seconds from the first signal, after which requests under way are given up.

    Attributes:
        first: The number of the first signal; None if there was none.
    """

    def __init__(self, patience: float = MAX_WAIT) -> None:
        self.first: int | None = None
        self._patience = patience
        self._before: dict[int, Any] = {}
        self._woken: socket.socket | None = None
        self._waker: socket.socket | None = None
        self._wakeup = -1

    @property
    def code(self) -> int:
        """The exit code of a process that was stopped by the first signal."""
        return 128 + (self.first or signal.SIGINT)

    def __enter__(self) -> Self:
        if threading.current_thread() is not threading.main_thread():
            return self
        for number in _OTHERS:
            before = signal.getsignal(number)
            # `nohup` ignores SIGHUP, and means it.
            if before != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._forward)
        self._woken, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        self._wakeup = signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        watch = threading.Thread(target=self._watch, args=(self._woken,), name=WATCH, daemon=True)
        watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._waker is None or self._woken is None:
            return
        try:
            signal.set_wakeup_fd(self._wakeup)
            for number, handler in self._before.items():
                signal.signal(number, handler)
        finally:
            # This ends the thread. Else it would send Ctrl-C later, into other work.
            self._waker.close()
        if isinstance(error, KeyboardInterrupt):
            raise StoppedBySignalError(self.code) from None

    def _forward(self, number: int, _frame: FrameType | None) -> None:
        self.first = self.first or number
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:  # also while this context is entered or left
            raise StoppedBySignalError(self.code) from None

    def _watch(self, woken: socket.socket) -> None:
        """Wait for the first signal, then send another one when the patience ends."""
        ours = {int(signal.SIGINT), *map(int, _OTHERS)}
        with woken:
            while not ours & {*(got := woken.recv(64))}:
                if not got:
                    return
            while select.select([woken], [], [], self._patience)[0]:
                if not woken.recv(64):
                    return
            main = threading.main_thread().ident
            if main is not None and hasattr(signal, "pthread_kill"):
                signal.pthread_kill(main, signal.SIGINT)
