"""Files of calls to load by the command, and the command as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from leak_watch import SECRET

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "hubspot_batch"]
MAP = ("--map", "When=hs_timestamp", "--map", "Title=hs_call_title")


def environment(**more: str) -> dict[str, str]:
    """This process's environment, with nothing in it that the command looks at, but a token."""
    ours = {"HUBSPOT_BASE_URL", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "PYTHONUNBUFFERED"}
    kept = {name: text for name, text in os.environ.items() if name not in ours}
    path = os.pathsep.join(str(ROOT / name) for name in ("generated", "overrides"))
    given = {"PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", "HUBSPOT_ACCESS_TOKEN": SECRET}
    return kept | given | more


def call_rows(count: int, first: int = 0) -> list[str]:
    return [f"2026-05-04T10:{at % 60:02d}:00Z,Call {at}" for at in range(first, first + count)]


def write_calls(folder: Path, rows: Sequence[str], name: str = "calls.csv") -> Path:
    path = folder / name
    path.write_text("".join(f"{row}\n" for row in ("When,Title", *rows)))
    return path


def arguments(path: Path, url: str, *more: str) -> list[str]:
    return ["calls", "create", str(path), *MAP, "--base-url", url, *more]


def run(*given: str, stdin: str | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the command as people do, in a process of its own."""
    return subprocess.run(
        [*COMMAND, *given],
        env=environment(**more),
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )


@contextmanager
def process(*given: str, **more: Any) -> Iterator[subprocess.Popen[str]]:
    """Start the command, and end it at the end of the block if it still runs."""
    with subprocess.Popen(
        [*COMMAND, *given],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        **more,
    ) as made:
        try:
            yield made
        finally:
            made.kill()


def wait_until(met: Callable[[], bool], made: subprocess.Popen[str]) -> None:
    """Wait until another process has come so far."""
    for _ in range(1500):
        if met():
            return
        if made.poll() is not None:
            break
        time.sleep(0.02)
    made.kill()
    raise AssertionError(f"the process does not get on: {made.communicate()}")


def outcomes(folder: Path) -> list[dict[str, Any]]:
    """The lines of `outcomes.jsonl` in the order of the rows."""
    lines = (folder / "outcomes.jsonl").read_text("utf-8").splitlines()
    return sorted(map(json.loads, lines), key=lambda one: one["index"])


def statuses(folder: Path) -> list[str]:
    return [one["status"] for one in outcomes(folder)]


def titles(sandbox: Any) -> list[str]:
    """The titles of the calls that a sandbox holds."""
    return sorted(record.properties["hs_call_title"] for record in sandbox.records("calls"))
