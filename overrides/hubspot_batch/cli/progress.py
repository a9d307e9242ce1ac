"""Shows a job while it runs: a bar, a line now and then, events as JSON, or nothing.

This module decides who is shown what: a person at a terminal a bar, a log a line every ten seconds,
a program each event. It never decides what is true; all of it comes from the events. An output that
cannot be written ends the display, and never the job.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import threading
from collections.abc import Generator, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol, TextIO

from hubspot_batch.jobs import JobEnded, JobEvent, RowDone
from hubspot_batch.jobs.json_forms import event_to_json

from .tally import Tally

if TYPE_CHECKING:
    from .bar import Bar

EVERY = 10.0
"""Seconds from one line to the next."""
_HOW = ("auto", "bar", "lines", "none")


class Display(Protocol):
    """Shows the events of a job; any thread may tell them."""

    def notify(self, event: JobEvent) -> None:
        """Take an event."""

    def close(self) -> None:
        """Show how it ended, and give the terminal back."""


def add_progress_options(parser: argparse.ArgumentParser) -> None:
    """Add `--progress`, `--json` and `--quiet`."""
    group = parser.add_argument_group("output")
    group.add_argument(
        "--progress",
        choices=_HOW,
        default="auto",
        metavar="P",
        help="bar, lines (every 10 s), none; auto: a bar on a terminal",
    )
    group.add_argument(
        "--json", action="store_true", help="write events as JSON lines, and nothing else"
    )
    group.add_argument("--quiet", action="store_true", help="show errors only")


def displays(
    arguments: argparse.Namespace,
    out: TextIO,
    err: TextIO | None,
    environ: Mapping[str, str],
) -> tuple[Display, ...]:
    """Return what shows the job.

    Args:
        arguments: With the options of `add_progress_options`.
        out: Where JSON goes.
        err: Where everything else goes; None if it is closed.
        environ: The environment; `CI`, `NO_COLOR` and `TERM` are read.
    """
    chosen: list[Display] = [JsonLines(out)] if arguments.json else []
    how: str = arguments.progress
    if how == "auto":
        how = "none" if arguments.json or arguments.quiet else automatic(err, environ)
    if err is None or how == "none":
        return tuple(chosen)
    chosen.append(_bar(err, environ) if how == "bar" else Lines(err))
    return tuple(chosen)


def automatic(err: TextIO | None, environ: Mapping[str, str]) -> str:
    """Return `bar` if a person looks at a terminal that can draw one, and `lines` otherwise."""
    if err is None or not err.isatty() or find_spec("rich") is None:
        return "lines"
    in_ci = environ.get("CI", "").lower() not in {"", "0", "false"}
    dumb = environ.get("TERM", "").lower() in {"dumb", "unknown"}
    return "lines" if in_ci or dumb else "bar"


@contextlib.contextmanager
def shown(using: Sequence[Display]) -> Generator[Notify, None, None]:
    """Show a job while the block runs; gives the function to tell of events."""

    def tell(event: JobEvent) -> None:
        for display in using:
            display.notify(event)

    with contextlib.ExitStack() as stack:
        for display in using:
            stack.callback(display.close)
        yield tell


class Notify(Protocol):
    """A function that takes an event."""

    def __call__(self, event: JobEvent, /) -> None:
        """Take an event."""


def _bar(err: TextIO, environ: Mapping[str, str]) -> Bar | Lines:
    try:
        from .bar import Bar  # noqa: PLC0415 - rich is loaded only for a bar
    except ModuleNotFoundError:  # a bar was asked for, and rich is not installed
        return Lines(err)
    return Bar(err, colour=not environ.get("NO_COLOR"))


class JsonLines:
    """Writes each event as a line of JSON.

    A line is written whole, also when several threads tell. Outcomes are seen with the next event
    of another kind, because a system call for each of a million rows would take long.
    """

    def __init__(self, out: TextIO) -> None:
        self._out: TextIO | None = out
        self._lock = threading.Lock()

    def notify(self, event: JobEvent) -> None:
        """Write an event."""
        line = json.dumps(event_to_json(event)) + "\n"
        with self._lock:
            if self._out is None:
                return
            try:
                self._out.write(line)
                if not isinstance(event, RowDone):
                    self._out.flush()
            except (OSError, ValueError):  # the reader has gone; the job goes on
                discard(self._out)
                self._out = None

    def close(self) -> None:
        """Let what was written be seen."""
        with self._lock:
            if self._out is not None:
                with contextlib.suppress(OSError, ValueError):
                    self._out.flush()


class Lines:
    """Writes a line every ten seconds, and one at the end.

    Args:
        err: Where they go.
        every: Seconds from one line to the next; None writes none by itself.
    """

    def __init__(self, err: TextIO, every: float | None = EVERY) -> None:
        self._err: TextIO | None = err
        self._every = every
        self._tally = Tally()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def notify(self, event: JobEvent) -> None:
        """Take an event, and begin to write lines with the first one."""
        self._tally.take(event)
        if self._thread is None and self._every is not None:
            with self._lock:
                self._begin()
        if isinstance(event, JobEnded):
            self.close()

    def _begin(self) -> None:
        if self._thread is None and not self._ended.is_set():
            self._thread = threading.Thread(target=self._go, name="progress", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Write the last line."""
        with self._lock:
            if self._ended.is_set():
                return
            self._ended.set()
            if self._thread is not None:
                self._thread.join()
            self.write()

    def write(self) -> None:
        """Write a line of how far the job has come."""
        line = self._tally.line()
        if self._err is None or not line:
            return
        try:
            self._err.write(f"{line}\n")
            self._err.flush()
        except (OSError, ValueError):  # the reader has gone; the job goes on
            self._err = None

    def _go(self) -> None:
        while not self._ended.wait(self._every):
            self.write()


def discard(stream: TextIO) -> None:
    """Discard everything that a stream has not written, even at the end of the process."""
    with contextlib.suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
    if stream is sys.stdout:
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
