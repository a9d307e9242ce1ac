"""The findings of a comparison for people at a terminal.

Decides the words and the layout. Never decides what is a finding.
"""

import json
import os
import sys
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from attrs import frozen

from .findings import Finding, Severity


@frozen
class Report:
    """What is told: the findings, what was compared, and what is to be known beside."""

    findings: list[Finding]
    old: str
    new: str
    notes: tuple[str, ...] = ()


def as_text(report: Report) -> str:
    """The findings for people."""
    lines: list[str] = [*report.notes]
    for operation, group in groupby(report.findings, key=lambda one: one.operation):
        lines += ["", operation]
        for one in group:
            lines += [f"  {str(one.severity).upper():<9} {one.kind}  {one.pointer or '/'}"]
            lines += [f"            was {_value(one.was)}", f"            is  {_value(one.now)}"]
            lines += [f"            {one.why}"] if one.why else []
            lines += [f"            edit {one.place}"] if one.place else []
    counts = [
        f"{count} {severity}"
        for severity in Severity
        if (count := sum(one.severity is severity for one in report.findings))
    ]
    what = f"between {report.old} and {report.new}"
    lines += [
        "",
        f"{what[0].upper()}{what[1:]}: {', '.join(counts)}." if counts else f"Nothing new {what}.",
    ]
    return "\n".join(map(printable, lines)).strip("\n")


def printable(line: str) -> str:
    """A line in which nothing moves the cursor, colours the screen or hides."""
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in line)


def _value(value: Any) -> str:
    return "-" if value is None else value if isinstance(value, str) else json.dumps(value)


def listed(names: Sequence[str]) -> str:
    """Names in a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def tell(text: str) -> None:
    """Print it, whatever the stream can hold; whoever reads may stop early."""
    if reconfigure := getattr(sys.stdout, "reconfigure", None):
        reconfigure(errors="backslashreplace")
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
