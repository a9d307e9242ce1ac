"""A job is shown while it runs: numbers, lines, a bar on a pseudo-terminal, events as JSON."""

from __future__ import annotations

import argparse
import datetime as dt
import io
import json
import os
import pty
import re
import select
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

import pytest
from attrs import define, evolve
from hubspot_batch.cli import progress
from hubspot_batch.cli.bar import Bar
from hubspot_batch.cli.progress import JsonLines, Lines, displays, shown
from hubspot_batch.cli.tally import Tally
from hubspot_batch.jobs import JobEnded, JobEvent, JobSummary, PlanMade, Progress, RowDone, Waiting

ROOT = Path(__file__).parents[2]
PLAN = PlanMade("calls create", "calls.csv", 1000, 5, 0, 190, 10.0, "d1")
BEGAN = dt.datetime(2026, 11, 30, 9, 0, tzinfo=dt.UTC)
END = JobEnded(
    JobSummary(
        file="calls.csv",
        folder="calls.csv.hubspot",
        command="hubspot-batch calls create calls.csv",
        operation="calls create",
        base_url="https://api.hubapi.com",
        started=BEGAN,
        ended=BEGAN + dt.timedelta(seconds=20),
        rows=1000,
        counts={"succeeded": 994, "failed": 6, "unknown": 0, "not_sent": 0},
        requests=190,
        waits=1,
        waited=8.0,
    )
)


def at(seconds: float, succeeded: int, requests: int, **more: Any) -> Progress:
    """Progress of which a test says what it is about."""
    plain = {"rows": 1000, "waits": 0, "waited": 0.0}
    return Progress(seconds, counts={"succeeded": succeeded}, requests=requests, **(plain | more))


def tallied(*events: JobEvent) -> Tally:
    """The tally after some events."""
    tally = Tally()
    for event in events:
        tally.take(event)
    return tally


# ---------------------------------------------------------------- the numbers


def test_the_pace_is_that_of_the_last_ten_seconds() -> None:
    """A job that was slow for long, and is fast now, is fast."""
    slow = [at(second, second, second) for second in range(100)]
    fast = [at(100 + second, 100 + 20 * second, 100 + 19 * second) for second in range(1, 21)]
    tally = tallied(PLAN, *slow, *fast)
    assert tally.pace() == (pytest.approx(19), pytest.approx(20))
    assert tally.share() == pytest.approx(1.0)
    assert tally.left() == pytest.approx((1000 - 500) / 20)


def test_very_many_events_take_no_more_memory_than_few() -> None:
    """The pace needs few of them, and is right anyway."""
    tally = tallied(*(at(number / 1000, number, number) for number in range(50_000)))
    assert tally.pace() == (pytest.approx(1000, rel=0.01), pytest.approx(1000, rel=0.01))
    assert len(tally._recent) < 30


def test_what_is_not_known_is_not_said() -> None:
    """Before the second event there is no pace; without a plan there is no share."""
    assert tallied().line() == ""
    assert tallied(PLAN).line() == ""
    assert tallied(at(0, 0, 0)).line() == "0 of 1,000 rows (0%); 0.0 requests/s"
    assert tallied(at(0, 0, 0), at(1, 9, 9)).share() is None
    assert tallied(at(0, 5, 1, rows=None)).line() == "5 rows; 5 succeeded; 0.0 requests/s"


def test_a_line_says_everything() -> None:
    """Rows, outcomes, pace, share, what was waited, what is left, and why nothing happens."""
    now = Progress(
        10, 1000, {"succeeded": 490, "failed": 9, "unknown": 0, "not_sent": 1}, 95, 2, 61.0
    )
    assert tallied(PLAN, at(0, 0, 0), now, Waiting(7.2, "retry", 503)).line() == (
        "500 of 1,000 rows (50%); 490 succeeded, 9 failed, 1 not sent; "
        "9.5 requests/s (50% of the allowance), waited 1 min 1 s; 10 s left; "
        "waiting 8 s to send again after HTTP 503"
    )


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (Waiting(0.2, "rate_limit"), ""),
        (Waiting(5, "rate_limit"), "waiting 5 s for the rate limit"),
        (Waiting(10, "rate_limit", 429), "waiting 10 s for the rate limit after HTTP 429"),
        (Waiting(2, "retry"), "waiting 2 s to send again after no response"),
    ],
)
def test_a_wait_is_explained(event: Waiting, said: str) -> None:
    """Short ones are not mentioned, and progress ends one."""
    tally = tallied(event)
    assert tally.wait() == said
    tally.take(at(1, 1, 1))
    assert tally.wait() == ""


def test_the_last_line_is_of_the_whole_job() -> None:
    """At the end the pace is the average, and nothing is left."""
    assert tallied(PLAN, at(18, 900, 170), at(19, 990, 189), END).line() == (
        "1,000 of 1,000 rows (100%); 994 succeeded, 6 failed; 9.5 requests/s, waited 8 s"
    )
    assert "(99%)" in tallied(at(1, 999, 9)).line()  # and never 100 before it


# ---------------------------------------------------------------- who is shown what


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


def options(*given: str) -> argparse.Namespace:
    """The options of a command that shows progress."""
    parser = argparse.ArgumentParser()
    progress.add_progress_options(parser)
    return parser.parse_args(given)


@pytest.mark.parametrize(
    ("given", "terminal", "environ", "kinds"),
    [
        ([], True, {"TERM": "xterm"}, [Bar]),
        ([], True, {"TERM": "xterm", "NO_COLOR": "1"}, [Bar]),
        ([], True, {"TERM": "xterm", "CI": "false"}, [Bar]),
        ([], True, {"TERM": "xterm", "CI": "true"}, [Lines]),
        ([], True, {"TERM": "dumb"}, [Lines]),
        ([], False, {"TERM": "xterm"}, [Lines]),
        (["--quiet"], True, {}, []),
        (["--json"], True, {}, [JsonLines]),
        (["--json", "--progress", "lines"], True, {}, [JsonLines, Lines]),
        (["--progress", "none"], True, {}, []),
        (["--progress", "lines"], True, {}, [Lines]),
        (["--progress", "bar"], False, {"TERM": "dumb"}, [Bar]),
    ],
)
def test_the_display_fits_who_looks(
    given: list[str], terminal: bool, environ: dict[str, str], kinds: list[type]
) -> None:
    """A person at a terminal has a bar; a log has lines; an explicit option wins."""
    err = Terminal() if terminal else io.StringIO()
    made = displays(options(*given), io.StringIO(), err, environ)
    assert [type(one) for one in made] == kinds


def test_without_rich_there_are_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bar needs the extra; without it nothing breaks, also if a bar is asked for."""
    for name in [name for name in sys.modules if name.split(".")[0] == "rich"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "hubspot_batch.cli.bar")
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setattr(progress, "find_spec", lambda name: None)
    for given in ([], ["--progress", "bar"]):
        (made,) = displays(options(*given), io.StringIO(), Terminal(), {"TERM": "xterm"})
        assert type(made) is Lines


def test_a_closed_stderr_shows_nothing() -> None:
    """The caller of the command may close it."""
    assert displays(options(), io.StringIO(), None, {}) == ()


# ---------------------------------------------------------------- lines


def test_a_line_is_written_every_so_often() -> None:
    """Also while nothing is told; the last one comes with the end, once."""
    err, seen = io.StringIO(), threading.Event()

    class Watched(io.StringIO):
        def write(self, text: str) -> int:
            err.write(text)
            if err.getvalue().count("\n") >= 3:
                seen.set()
            return len(text)

    with shown([Lines(Watched(), every=0.01)]) as tell:
        tell(at(1, 10, 1))
        assert seen.wait(20)
        tell(END)
    lines = err.getvalue().splitlines()
    assert len(lines) >= 4
    assert set(lines[:-1]) == {"10 of 1,000 rows (1%); 10 succeeded; 0.0 requests/s"}
    assert lines[-1].startswith("1,000 of 1,000 rows (100%)")
    assert sum(line.startswith("1,000 of") for line in lines) == 1


def test_a_job_that_breaks_has_a_last_line() -> None:
    """However the block ends, how far it came is said, and the thread is gone."""
    err = io.StringIO()

    def work() -> None:
        with shown([Lines(err)]) as tell:
            tell(at(2, 10, 1))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert err.getvalue().startswith("10 of 1,000 rows (1%)")
    assert not [one for one in threading.enumerate() if one.name == "progress"]


class Broken(io.StringIO):
    """A stream whose reader has gone."""

    def write(self, text: str) -> int:
        """Refuse."""
        raise BrokenPipeError(32, "Broken pipe")

    def fileno(self) -> int:
        """It is no file."""
        raise OSError


@pytest.mark.parametrize("make", [Lines, JsonLines, Bar])
def test_an_output_that_breaks_does_not_stop_the_job(make: Callable[[TextIO], Any]) -> None:
    """Nothing is raised, now or later."""
    with shown([make(Broken())]) as tell:
        for event in (PLAN, at(1, 1, 1), RowDone(0, 2, "succeeded"), END):
            tell(event)


# ---------------------------------------------------------------- events as JSON


def test_each_event_is_a_line() -> None:
    """In the order in which they were told, each with its name and all that it holds."""
    out = io.StringIO()
    row = RowDone(0, 2, "failed", kind="refused", message="No\nline\u2028ends \x1b[31m here \ud800")
    with shown([JsonLines(out)]) as tell:
        for event in (PLAN, at(1, 1, 1), Waiting(2, "retry", 503), row, END):
            tell(event)
    lines = out.getvalue().splitlines()
    assert out.getvalue().isascii()
    assert [json.loads(line)["event"] for line in lines] == [
        *("plan", "progress", "wait", "outcome", "end")
    ]
    assert json.loads(lines[3])["message"] == row.message
    assert json.loads(lines[4])["counts"]["failed"] == 6


def test_lines_of_several_threads_stay_whole() -> None:
    """Waits are told by the threads that wait."""
    out = io.StringIO()
    with shown([JsonLines(out)]) as tell:

        def work() -> None:
            for _ in range(200):
                tell(Waiting(1.0, "rate_limit"))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len([json.loads(line) for line in out.getvalue().splitlines()]) == 800


READER_GOES = """
import sys
from hubspot_batch.cli.progress import JsonLines, shown
from hubspot_batch.jobs import RowDone, Waiting
with shown([JsonLines(sys.stdout)]) as tell:
    tell(Waiting(1.0, "retry"))
    sys.stdin.readline()
    for number in range(5000):
        tell(RowDone(number, number, "succeeded"))
    tell(Waiting(1.0, "retry"))
sys.exit(7)
"""


def environment() -> dict[str, str]:
    """This process's environment, with our packages."""
    paths = os.pathsep.join(str(ROOT / name) for name in ("generated", "overrides"))
    return os.environ | {"PYTHONPATH": paths}


def test_a_reader_that_goes_does_no_harm() -> None:
    """`hubspot-batch ... --json | head` ends as the job ends, and says nothing of the pipe."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", READER_GOES]
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment()
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["event"] == "wait"
        process.stdout.close()
        process.stdin.write(b"\n")
        process.stdin.close()
        process.stdin = process.stdout = None
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (7, b"")


# ---------------------------------------------------------------- the bar


@define
class Screen:
    """A pseudo-terminal, and what was written to it."""

    reader: int
    err: TextIO
    seen: str = ""

    def until(self, words: str) -> str:
        """Read until words have appeared."""
        while words not in plain(self.seen):
            ready, _, _ = select.select([self.reader], [], [], 20)
            assert ready, f"{words!r} is not in {self.seen!r}"
            self.seen += os.read(self.reader, 65536).decode()
        return self.seen


def plain(written: str) -> str:
    """The text that was written, without what steers the terminal."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written)


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Screen]:
    """A terminal of 100 columns."""
    for name, text in {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}.items():
        monkeypatch.setenv(name, text)
    for name in ("NO_COLOR", "CI", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    reader, writer = pty.openpty()
    with os.fdopen(writer, "w", encoding="utf-8") as err:
        yield Screen(reader, err)
    os.close(reader)


def test_a_terminal_shows_a_bar(screen: Screen) -> None:
    """It moves with the job, says why the job waits, and leaves one line."""
    made = displays(options(), io.StringIO(), screen.err, os.environ)
    with shown(made) as tell:
        tell(PLAN)
        screen.until("reading the file")
        tell(at(0, 0, 0))
        tell(at(10, 250, 190, waited=3.0, waits=1))
        first = screen.until("250 of 1,000 rows (25%)")
        assert "━" in first
        screen.until("30 s left")
        screen.until("250 succeeded; 19.0 requests/s (100% of the allowance), waited 3 s")
        tell(Waiting(8, "rate_limit", 429))
        screen.until("waiting 8 s for the rate limit after HTTP 429")
        tell(END)
    last = screen.until(
        "1,000 of 1,000 rows (100%); 994 succeeded, 6 failed; 9.5 requests/s, waited 8 s"
    )
    assert re.search(r"\x1b\[[0-9;]*m━", last)
    # The cursor was given back, whatever took it away.
    assert last.rfind("\x1b[?25h") > last.rfind("\x1b[?25l")


def test_a_killed_job_leaves_the_cursor(screen: Screen) -> None:
    """While the bar is drawn the cursor is there, because SIGKILL cannot give it back."""
    bar = Bar(screen.err)
    bar.notify(at(1, 100, 1))
    seen = screen.until("100 succeeded")
    assert seen.rfind("\x1b[?25h") > seen.rfind("\x1b[?25l")
    bar.close()


def test_no_color_means_none(screen: Screen) -> None:
    """The bar moves without colours."""
    made = displays(options(), io.StringIO(), screen.err, {**os.environ, "NO_COLOR": "1"})
    with shown(made) as tell:
        tell(at(1, 500, 1))
        tell(Waiting(8, "retry", 500))
        screen.until("after HTTP 500")
        tell(END)
    seen = screen.until("994 succeeded")
    colours = [
        each for each in re.findall(r"\x1b\[([0-9;]*)m", seen) if re.search("[349][0-7]", each)
    ]
    assert colours == []


def test_rows_that_were_not_counted_have_a_bar_too(screen: Screen) -> None:
    """It only says how many are done."""
    with shown([Bar(screen.err)]) as tell:
        tell(at(1, 77, 1, rows=None))
        screen.until("77 rows")
        tell(JobEnded(evolve(END.summary, rows=None)))
    screen.until("1,000 rows; 994 succeeded")
