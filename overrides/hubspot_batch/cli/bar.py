"""The bar that a person at a terminal sees while a job runs.

This module decides how the bar looks. rich draws it, in a thread of its own, so that it also lives
while the job waits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from io import UnsupportedOperation
from typing import TextIO, cast

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from hubspot_batch.jobs import JobEnded, JobEvent
from hubspot_batch.jobs.pace_plot import duration

from .tally import Tally, done

_WIDTH = 40


class _SafeStream:
    """A terminal that may go away. rich would end the process then, and the job with it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream: TextIO | None = stream
        self.encoding = getattr(stream, "encoding", None) or "utf-8"  # rich draws what it can

    def isatty(self) -> bool:
        """Say that it is a terminal, or was one."""
        return True

    def write(self, text: str, /) -> int:
        """Write if that can be done."""
        self._attempt(lambda stream: stream.write(text))
        return len(text)

    def flush(self) -> None:
        """Let what was written be seen."""
        self._attempt(lambda stream: stream.flush())

    def fileno(self) -> int:
        """Return where rich reads the size of the window."""
        if self._stream is None:
            raise UnsupportedOperation
        return self._stream.fileno()

    def _attempt(self, act: Callable[[TextIO], object]) -> None:
        if self._stream is not None:
            try:
                act(self._stream)
            except (OSError, ValueError):
                self._stream = None


class Bar:
    """Draws a bar, and leaves a line with the last numbers.

    Args:
        err: The terminal.
        colour: Whether colours may be used.
    """

    def __init__(self, err: TextIO, *, colour: bool = True) -> None:
        self._console = Console(
            file=cast("TextIO", _SafeStream(err)),
            force_terminal=True,
            no_color=not colour,
            highlight=False,
            markup=False,
        )
        self._tally = Tally()
        self._live: Live | None = None
        self._ended = False
        self._lock = threading.Lock()

    def notify(self, event: JobEvent) -> None:
        """Take an event, and draw with the first one."""
        self._tally.take(event)
        if self._live is None and not self._ended:
            with self._lock:
                self._begin()
        if isinstance(event, JobEnded):
            self.close()

    def _begin(self) -> None:
        if self._live is not None or self._ended:
            return
        # What is logged meanwhile stands above the bar. Standard output belongs to others.
        self._live = Live(
            get_renderable=self.picture,
            console=self._console,
            refresh_per_second=4,
            transient=True,
            redirect_stdout=False,
        )
        self._live.start()
        # A process that is killed cannot give the cursor back, so it is not taken away.
        self._console.show_cursor(True)

    def close(self) -> None:
        """Take the bar away, and leave a line."""
        with self._lock:
            live, self._live = self._live, None
            if self._ended:
                return
            self._ended = True
            if live is not None:
                live.stop()
            if line := self._tally.line():
                self._console.print(Text(line), soft_wrap=True)

    def picture(self) -> Group:
        """Return what is drawn now."""
        tally = self._tally
        rows, now = tally.rows, tally.now
        number = 0 if now is None else done(now.counts)
        bar = ProgressBar(
            total=None if rows is None else max(rows, 1),
            completed=number if rows else 0,
            width=_WIDTH,
            pulse=rows is None,
        )
        left = tally.left()
        first = Table.grid(padding=(0, 2))
        place = Text(tally.place() or "reading the file")
        first.add_row(bar, place, Text("" if left is None else f"{duration(left)} left"))
        lines = [Text("; ".join(filter(None, (tally.counts(), tally.speed()))))]
        if wait := tally.wait():
            lines.append(Text(wait, style="yellow"))
        return Group(first, *lines)
