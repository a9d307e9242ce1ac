"""Writes `report.json` and `report.html` of a job that has ended.

This module decides that each of them is whole or not there: it has its name when it is complete.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from attrs import evolve

from .json_forms import read_outcome_line, summary_to_json
from .outcome_files import OUTCOMES
from .report import PAGE, report_html
from .summary import JobSummary, RowDone

REPORTS = ("report.json", PAGE)


def write_reports(summary: JobSummary) -> JobSummary:
    """Write the reports into the folder of the results; return the summary that names them.

    Raises:
        OSError: They cannot be written.
    """
    folder = Path(summary.folder)
    summary = evolve(summary, files=(*summary.files, *REPORTS))
    text = json.dumps(summary_to_json(summary), indent=2) + "\n"
    write_whole(folder / REPORTS[0], text)
    write_whole(folder / REPORTS[1], report_html(summary, read_outcomes(folder)))
    return summary


def read_outcomes(folder: Path) -> Iterator[RowDone]:
    """Yield the lines of `outcomes.jsonl`.

    Raises:
        OSError: There are none, or they cannot be read.
    """
    with (folder / OUTCOMES).open("rb") as lines:
        yield from map(read_outcome_line, lines)


def write_whole(path: Path, text: str) -> None:
    """Write a file that has its name when it is complete.

    Raises:
        OSError: It cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise
