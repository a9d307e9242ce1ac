"""The command shows a load: on a terminal, in a log, to a program, and in the report."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hubspot_batch.sandbox import Sandbox, served
from job_files import COMMAND, arguments, call_rows, environment, outcomes, run, write_calls
from leak_watch import SECRET
from page_tree import parsed

ROWS = [*call_rows(250), "yesterday,<b>A call without a time</b>"]


@pytest.fixture
def url() -> Iterator[str]:
    """A server."""
    with served(Sandbox(rate_limit=None)) as address:
        yield address


def on_a_terminal(given: list[str], **more: str) -> tuple[str, str, int]:
    """The text that the command writes on a terminal, and on standard output, which is none."""
    reader, writer = pty.openpty()
    command = [*COMMAND, *given]
    plain = {"TERM": "xterm", "COLUMNS": "100", "CI": "", **more}
    with subprocess.Popen(
        command,
        env=environment(**plain),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=writer,
        encoding="utf-8",
    ) as made:
        os.close(writer)
        seen = b""
        while True:
            try:
                part = os.read(reader, 65536)
            except OSError:  # Linux says so at the end of a terminal
                break
            if not part:
                break
            seen += part
        os.close(reader)
        out, _ = made.communicate(timeout=60)
    return seen.decode(), out, made.returncode


def test_a_terminal_shows_a_bar_and_the_output_is_left_alone(tmp_path: Path, url: str) -> None:
    """The bar is on the error output; what can be piped is the summary."""
    seen, out, code = on_a_terminal(arguments(write_calls(tmp_path, ROWS), url))
    assert code == 1
    assert "\x1b[2K" in seen  # lines are drawn again
    assert re.search(r"251 of 251 rows \(100%\); 250 succeeded, 1 failed; [0-9.]+ requests/s", seen)
    assert "\x1b" not in out
    assert "250 succeeded" in out


@pytest.mark.parametrize("more", [{"TERM": "dumb"}, {"CI": "true"}])
def test_a_terminal_that_cannot_draw_has_lines(
    tmp_path: Path, url: str, more: dict[str, str]
) -> None:
    """Nothing steers it."""
    seen, _, _ = on_a_terminal(arguments(write_calls(tmp_path, ROWS), url), **more)
    assert "\x1b" not in seen
    assert "251 of 251 rows (100%); 250 succeeded, 1 failed" in seen


def test_a_log_has_lines(tmp_path: Path, url: str) -> None:
    """And `--quiet` has none."""
    path = write_calls(tmp_path, ROWS)
    assert "251 of 251 rows (100%)" in run(*arguments(path, url)).stderr
    quiet = run(*arguments(path, url, "--restart", "--quiet"))
    assert (quiet.stdout, quiet.stderr, quiet.returncode) == ("", "", 1)


def test_json_is_events_and_nothing_else(tmp_path: Path, url: str) -> None:
    """A plan, the outcome of each row as in `outcomes.jsonl`, and the end as in the report."""
    path = write_calls(tmp_path, ROWS)
    done = run(*arguments(path, url, "--json"))
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (1, "")
    kinds = Counter(event["event"] for event in events)
    assert (events[0]["event"], events[-1]["event"]) == ("plan", "end")
    assert (kinds["plan"], kinds["end"], kinds["outcome"]) == (1, 1, 251)
    assert {*kinds} <= {"plan", "progress", "wait", "outcome", "end"}
    folder = path.with_name(f"{path.name}.hubspot")
    told = [event for event in events if event.pop("event") == "outcome"]
    assert sorted(told, key=lambda one: one["index"]) == outcomes(folder)
    assert events[-1] == json.loads((folder / "report.json").read_text("utf-8"))
    assert SECRET not in done.stdout


def test_the_report_tells_of_every_row(tmp_path: Path, url: str) -> None:
    """Text of the file is text in the page, and the token is in neither report."""
    path = write_calls(tmp_path, ROWS)
    run(*arguments(path, url))
    folder = path.with_name(f"{path.name}.hubspot")
    page = (folder / "report.html").read_text("utf-8")
    seen = parsed(page)
    (table,) = seen.all(".rows")
    assert len(table.all("tbody")[0].all("tr")) == 251
    assert "yesterday" in table.text
    assert all("A call" not in one.text for one in seen.all("b"))
    links = [one.attributes["href"] or "" for one in seen.all(".facts")[0].all("a")]
    assert links == ["./outcomes.jsonl", "./rejects.csv", "./report.json"]
    assert all((folder / link).is_file() for link in links)
    assert SECRET not in page + (folder / "report.json").read_text("utf-8")
