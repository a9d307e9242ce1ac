"""The way of one row through the code: how many functions, files and classes it passes.

A profiler counts the calls of Python functions while a warm client creates one call. Only the
project's own code counts; the transport is fixed and comes from memory.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import hubspot_batch
import hubspot_batch_client
from hubspot_batch import HubSpotBatch

from bench.memory import Echo
from bench.rows import Row

_OURS = Path(hubspot_batch.__file__).parent, Path(hubspot_batch_client.__file__).parent
_ROW = {"properties": {"hs_timestamp": "2026-01-31T09:30:00Z", "hs_call_title": "Renewal"}}
FILES, CLASSES = 17, 25
"""At most so many handwritten files and classes."""


def measure() -> Iterator[Row]:
    """Yield the figures of one row."""
    with HubSpotBatch("token", transport=Echo()) as hubspot:
        for _ in range(2):  # what is imported and compiled once does not count
            hubspot.calls.create([_ROW])
    # Only threads that are started under the profiler are seen.
    with HubSpotBatch("token", transport=Echo()) as hubspot:
        calls, classes = _profiled(lambda: hubspot.calls.create([_ROW]))
    files = [Path(code.co_filename) for code in calls]
    handwritten = {path for path in files if path.is_relative_to(_OURS[0])}
    names = ", ".join(sorted(path.stem for path in handwritten))
    yield Row("calls of functions", len(calls))
    yield Row("functions", len({*calls}))
    yield Row("files", len({*files}))
    yield Row("handwritten files", len(handwritten), most=FILES, noise=names)
    yield Row("changes of file", sum(one != other for one, other in pairwise(files)))
    yield Row("handwritten classes", len(classes), most=CLASSES, noise=", ".join(sorted(classes)))


def _profiled(work: Any) -> tuple[list[CodeType], set[str]]:
    """Return the functions of ours that are called, in all threads, and the handwritten classes."""
    calls: list[CodeType] = []
    classes: set[str] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        path = Path(code.co_filename)
        if event != "call" or not any(path.is_relative_to(folder) for folder in _OURS):
            return
        calls.append(code)
        if path.is_relative_to(_OURS[0]):
            # The class stands in the qualified name, also of a class method.
            parts = code.co_qualname.split(".")
            classes.update(part for part in parts[:-1] if part.lstrip("_")[:1].isupper())

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return calls, classes


if __name__ == "__main__":
    for row in measure():
        print(f"{row.name:22}{row.value:6} {row.noise}")
