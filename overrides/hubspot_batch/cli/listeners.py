"""Who is told of a job's events: JSON lines on the output, and what shows the progress.

This module decides that nobody who listens can harm a job: an output that is closed early is not
written to any more, and the job goes on.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, TextIO

from attrs import asdict

from hubspot_batch.jobs import JobEnded, JobEvent, PlanMade, Progress, RowDone, Waiting

_NAMES: dict[type[Any], str] = {
    PlanMade: "plan",
    Progress: "progress",
    Waiting: "wait",
    RowDone: "outcome",
    JobEnded: "end",
}


class Out:
    """An output that may be closed by whoever reads it.

    Args:
        stream: Where it goes.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._open = True

    def lines(self, lines: Iterable[str]) -> None:
        """Write lines, unless the output was closed."""
        if not self._open:
            return
        try:
            self._stream.write("".join(f"{line}\n" for line in lines))
            self._stream.flush()
        except (OSError, ValueError):
            self._open = False
            discard_output(self._stream)


def discard_output(stream: TextIO) -> None:
    """Let nothing be written to a stream any more, not even when the process ends."""
    with suppress(OSError, ValueError, AttributeError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


def listener(arguments: argparse.Namespace, out: Out) -> Callable[[JobEvent], object]:
    """Return what is told of events, as the options want it."""
    if arguments.json:
        return lambda event: out.lines([json.dumps(as_json(event), default=str)])
    return lambda _: None


def as_json(event: JobEvent) -> dict[str, Any]:
    """Return an event as an object of JSON, with its name under `event`."""
    value = event.summary if isinstance(event, JobEnded) else event
    return {"event": _NAMES[type(event)], **asdict(value)}
