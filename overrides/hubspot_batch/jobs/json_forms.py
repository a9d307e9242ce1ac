"""The events and the summary of a job in the types of JSON.

This module decides the names in `report.json` and in the lines of `--json`. Each text that JSON
allows is kept as it is; the caller writes with `ensure_ascii`, so any text can be written.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from attrs import asdict

from hubspot_batch._json import read

from .summary import JobEnded, JobEvent, JobSummary, PlanMade, Progress, RowDone, Waiting

FORMAT = 1
"""The version of these forms; it rises when a name goes or changes its meaning."""

_NAMES: dict[type[JobEvent], str] = {
    PlanMade: "plan",
    Progress: "progress",
    Waiting: "wait",
    RowDone: "outcome",
    JobEnded: "end",
}


def event_to_json(event: JobEvent) -> dict[str, Any]:
    """Return an event: its name under `event`, then its attributes."""
    if isinstance(event, JobEnded):
        return {"event": "end", **summary_to_json(event.summary)}
    values = event._asdict() if isinstance(event, RowDone) else asdict(event)
    return {"event": _NAMES[type(event)], **values}


def outcome_lines(done: Iterable[RowDone]) -> bytes:
    """Return the lines of outcomes in `outcomes.jsonl`, with their ends."""
    values = [one._asdict() for one in done]
    try:
        return _encode_lines()(values)
    except UnicodeEncodeError:  # half of a pair of UTF-16, which only an escape can stand for
        return b"".join([json.dumps(one).encode() + b"\n" for one in values])


def read_outcome_line(line: bytes) -> RowDone:
    """Return the outcome of a line.

    Raises:
        ValueError: The line is no outcome.
    """
    try:
        return RowDone(**read(line))
    except TypeError as error:
        raise ValueError(f"it is no outcome: {error}") from None


@cache
def _encode_lines() -> Callable[[Any], bytes]:
    from msgspec.json import Encoder  # noqa: PLC0415 - a plan needs none of it

    return Encoder().encode_lines


def summary_to_json(summary: JobSummary) -> dict[str, Any]:
    """Return the summary; times in ISO 8601, and seconds where there is a duration."""
    return {
        "format": FORMAT,
        "file": summary.file,
        "folder": summary.folder,
        "command": summary.command,
        "operation": summary.operation,
        "base_url": summary.base_url,
        "started": summary.started.isoformat(),
        "ended": summary.ended.isoformat(),
        "seconds": (summary.ended - summary.started).total_seconds(),
        "rows": summary.rows,
        "counts": dict(summary.counts),
        "requests": summary.requests,
        "waits": summary.waits,
        "waited": summary.waited,
        "stopped": summary.stopped,
        "resume": summary.resume,
        "unit": summary.unit,
        "reasons": [reason._asdict() for reason in summary.reasons],
        "mapping": [{"column": column, "meaning": words} for column, words in summary.mapping],
        "notes": [*summary.notes],
        "files": [*summary.files],
        "pace": [point._asdict() for point in summary.pace],
    }
