"""Measures what the project promises of itself: run.py [subject ...], all by default.

A subject is a module here with a function `measure` that yields rows. Exit status 1 when a goal is
missed that can be reached, or a subject could not be measured, 2 for a subject that there is not.
"""

from __future__ import annotations

import subprocess
import sys
import time
import traceback
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(1, str(Path(__file__).parents[1] / "support"))
sys.path.insert(2, str(Path(__file__).parents[1] / "proofs"))

from bench.rows import KEPT, PEERS_PYTHON, Row, keep, table

SUBJECTS = (
    *("cost", "start", "rate", "shared", "throughput", "memory", "drift", "path", "files"),
    "lookup",
)


def main(wanted: list[str]) -> int:
    """Measure subjects, print one table, and return the exit status."""
    if unknown := set(wanted) - set(SUBJECTS):
        print(f"no such subject: {', '.join(sorted(unknown))}; there are {', '.join(SUBJECTS)}")
        return 2
    all_rows: list[tuple[str, Row]] = []
    broken = False
    for subject in wanted or SUBJECTS:
        begun = time.perf_counter()
        rows: list[Row] = []
        try:
            for row in import_module(f"bench.{subject}").measure():
                rows.append(row)
                print(f"{subject}: {row.name}", file=sys.stderr, flush=True)
        except Exception:  # noqa: BLE001 - the other subjects are measured nevertheless
            traceback.print_exc()
            broken = True
        seconds = time.perf_counter() - begun
        rows.append(Row("time that this took", seconds, "s"))
        keep(subject, rows, seconds)
        all_rows += [(subject, row) for row in rows]
    print(table(all_rows))
    drawn = [str(PEERS_PYTHON), str(Path(__file__).with_name("plot.py")), str(KEPT)]
    broken |= subprocess.run(drawn, check=False).returncode != 0
    missed = [row.name for _, row in all_rows if row.verdict == "MISSED"]
    if missed:
        print(f"\n{len(missed)} goals missed")
    return 1 if missed or broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
