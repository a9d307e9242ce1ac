"""The rows of a measurement, and how they are shown and kept.

This module decides when a goal is met. It never measures.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from attrs import asdict, evolve, frozen

_VENV = Path(__file__).parents[2] / ".venv"
KEPT = _VENV / "cache" / "bench"
"""Where measurements are kept: a file for each subject, and a picture of all."""
PEERS_PYTHON = _VENV / "peers" / "bin" / "python"
"""The Python of the environment with what is compared with and drawn with."""


@frozen
class Row:
    """One figure.

    Attributes:
        name: What was measured.
        value: The figure.
        unit: What it is counted in.
        least: What it has to be at least; None for no such goal.
        most: What it may be at most; None for no such goal.
        floor: What something that does less reached in the same run; None where nothing did.
        noise: How far apart the repetitions are, or what else says how good the figure is.
    """

    name: str
    value: float
    unit: str = ""
    least: float | None = None
    most: float | None = None
    floor: float | None = None
    noise: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        if self.least is None and self.most is None:
            return None
        enough = self.least is None or self.value >= self.least
        return enough and (self.most is None or self.value <= self.most)

    @property
    def verdict(self) -> str:
        """The verdict about the goal; a goal that even less work misses is out of reach."""
        if self.met is not False:
            return "met" if self.met else ""
        if self.floor is None or evolve(self, value=self.floor).met:
            return "MISSED"
        better = self.value > self.floor if self.most is None else self.value < self.floor
        return "MISSED" if better else "out of reach"

    @property
    def goal(self) -> str:
        """The goal, as text."""
        least = "" if self.least is None else f"at least {self.least:g}"
        most = "" if self.most is None else f"at most {self.most:g}"
        return " and ".join(filter(None, (least, most)))


def table(rows: Sequence[tuple[str, Row]]) -> str:
    """Return rows of subjects as lines."""
    head = ("subject", "figure", "value", "goal", "", "noise and remarks")
    cells = [
        (subject, row.name, f"{row.value:,.4g} {row.unit}", row.goal, row.verdict, row.noise)
        for subject, row in rows
    ]
    widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in (head, *cells)
    )


def keep(subject: str, rows: Sequence[Row], seconds: float) -> None:
    """Write the rows of a subject into a file of its own."""
    made: dict[str, Any] = {
        "subject": subject,
        "seconds": round(seconds, 1),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs",
        "versions": {name: version(name) for name in ("hubspot-batch", "httpx", "attrs")},
        "rows": [{**asdict(row), "met": row.met, "verdict": row.verdict} for row in rows],
    }
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / f"{subject}.json").write_text(json.dumps(made, indent=1) + "\n", "utf-8")
