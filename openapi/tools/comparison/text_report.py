"""The report of a comparison as text for a terminal.

Decides the layout, and that no text of a file can control the terminal.
"""

import json
import os
import sys
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from .findings import Report, Severity


def format_report(report: Report) -> str:
    """Return the findings by operation, and their counts."""
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
    """Escape control and invisible characters, which could move the cursor or hide text."""
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in line)


def _value(value: Any) -> str:
    return "-" if value is None else value if isinstance(value, str) else json.dumps(value)


def join_names(names: Sequence[str]) -> str:
    """Join names for a sentence: `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def print_text(text: str) -> None:
    """Print a text to a stream of any encoding, which a reader such as `head` may close early."""
    if reconfigure := getattr(sys.stdout, "reconfigure", None):
        reconfigure(errors="backslashreplace")
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
