"""Draws the figures that have a goal: plot.py FOLDER, where the measurements were kept.

Run by the Python that the peers are installed for, since it draws with matplotlib.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt  # type: ignore[import-not-found]

_COLOURS = {"met": "#3a7d44", "MISSED": "#c44536", "out of reach": "#8d8d8d"}


def draw(folder: Path) -> Path:
    """Draw a bar for each figure, as a part of its goal, and return the picture's path."""
    bars: list[tuple[str, float, str]] = []
    for file in sorted(folder.glob("*.json")):
        measured: dict[str, Any] = json.loads(file.read_text("utf-8"))
        for row in measured["rows"]:
            goal = row["least"] if row["most"] is None else row["most"]
            if goal:
                text = f"{row['name']}: {row['value']:.3g} {row['unit']} ({_goal(row)})"
                # Older measurements only say whether it was met.
                verdict = row.get("verdict", "met" if row["met"] else "MISSED")
                bars.append((text, row["value"] / goal, _COLOURS[verdict]))
    height = 1.2 + 0.32 * len(bars)
    figure, axes = plt.subplots(figsize=(11, height), layout="constrained")
    colours = [colour for _, _, colour in bars]
    axes.barh([text for text, _, _ in bars], [part for _, part, _ in bars], color=colours)
    axes.axvline(1.0, color="black", linewidth=1)
    axes.invert_yaxis()
    axes.set_xlabel("figure / goal; red: the goal is missed; grey: it is out of reach")
    axes.set_title("hubspot-batch: what was measured, and what is promised")
    path = folder / "bench.svg"
    figure.savefig(path)
    return path


def _goal(row: dict[str, Any]) -> str:
    most = row["most"] is not None
    return f"at most {row['most']:g}" if most else f"at least {row['least']:g}"


if __name__ == "__main__":
    print(f"drawn: {draw(Path(sys.argv[1])).name}")
