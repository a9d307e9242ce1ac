"""Words for a terminal: the plan of a job, and what became of its rows.

This module decides the sentences. Progress is shown elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from hubspot_batch.jobs import JobSummary, Plan

_REASONS = 5


def plan_lines(plan: Plan) -> Iterator[str]:
    """Yield the whole plan."""
    yield f"Plan of {plan.operation}: {plan.file} to {plan.base_url}. Nothing was sent."
    yield from _counts(plan)
    yield ""
    yield "Columns:"
    width = max((len(column) for column, _ in plan.mapping), default=0)
    for column, meaning in plan.mapping:
        yield f"  {one_line(column):<{width}}  {one_line(meaning)}"
    if plan.first is not None:
        yield ""
        yield "The first record as it would be sent:"
        text = json.dumps(plan.first, ensure_ascii=False, indent=2)
        yield from (f"  {one_line(line, keep=True)}" for line in text.splitlines())
    yield ""
    yield f"Digest: {plan.digest} (--expect {plan.digest} runs only this plan)"


def brief_lines(plan: Plan) -> Iterator[str]:
    """Yield what is said of a plan before it is carried out."""
    yield f"{plan.operation}: {plan.file} to {plan.base_url}"
    yield from _counts(plan)


def _counts(plan: Plan) -> Iterator[str]:
    yield (
        f"{_number(plan.rows, 'row')}, {plan.invalid} invalid, {plan.equal} equal to an earlier "
        f"one; {_number(plan.requests, 'request')}, about {duration(plan.seconds)}, "
        f"{plan.day:.2%} of a day's requests."
    )
    for line, message in plan.first_invalid:
        # The message of a row names its line.
        place = f"{plan.unit.capitalize()} {line}"
        yield f"  {one_line(message if message.startswith(place) else f'{place}: {message}')}"
    if plan.invalid > len(plan.first_invalid):
        yield f"  and {plan.invalid - len(plan.first_invalid)} more invalid rows"
    for note in plan.notes:
        yield f"Note: {one_line(note)}"


def summary_lines(summary: JobSummary) -> Iterator[str]:
    """Yield what became of a job."""
    counts = ", ".join(
        f"{count} {status.replace('_', ' ')}" for status, count in summary.counts.items()
    )
    yield f"{counts}; {_number(summary.requests, 'request')}."
    for reason in summary.reasons[:_REASONS]:
        more = ", ..." if reason.rows > len(reason.lines) else ""
        lines = ", ".join(map(str, reason.lines))
        yield f"  {reason.rows} x {reason.kind}: {one_line(reason.message)[:300]}"
        yield f"    {summary.unit} {lines}{more}"
    if summary.files:
        yield f"Written to {summary.folder}: {', '.join(summary.files)}"


def one_line(text: str, *, keep: bool = False) -> str:
    """Return a text on one line, without characters that could steer a terminal.

    Args:
        text: The text.
        keep: Whether spaces stay as they are.
    """
    shown = text if keep else " ".join(text.split())
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in shown)


def duration(seconds: float) -> str:
    """Return a duration in words."""
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    return f"{whole // 60} min" if whole < 7200 else f"{whole / 3600:.1f} h"


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def how_to_go_on(summary: JobSummary) -> str:
    """Return the command that goes on after a run that was stopped, or why there is none."""
    if summary.resume is not None:
        return f"To go on:\n  {summary.resume}"
    return (
        "The journal is gone, so another run would send all rows again. Look in HubSpot for what "
        "was sent, and remove those rows first."
    )
