"""`--rate` and `--daily-reserve` reach the client, and a person is asked before a real account."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from both_clients import clock_of
from hubspot_batch import HubSpotBatch, Journal
from hubspot_batch.cli import load
from hubspot_batch.cli import main as cli
from hubspot_batch.jobs import CREATES_TWICE
from hubspot_batch.sandbox import FakeClock, Sandbox, SandboxTransport, script
from job_files import COMMAND, arguments, call_rows, environment, outcomes, write_calls
from leak_watch import SECRET

REAL = "https://api.hubapi.com"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def sandbox(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """An account behind any address; no request leaves this process."""
    made = Sandbox(clock=clock, rate_limit=None, daily_limit=8)
    # Several threads that sleep at a time would let the time of all of them pass.
    given: dict[str, Any] = {"clock": clock_of(clock), "max_concurrency": 1}
    given["transport"] = SandboxTransport(made)
    monkeypatch.setattr(load, "HubSpotBatch", partial(HubSpotBatch, **given))
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", SECRET)
    return made


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return a function that types on the terminal of this process."""
    person, terminal = pty.openpty()
    with open(terminal, closefd=False) as stdin, os.fdopen(terminal, "w") as stderr:
        # pytest puts its own streams in place of those of `sys` when a test begins.
        mine = SimpleNamespace(stdin=stdin, stderr=stderr, stdout=sys.stdout)
        monkeypatch.setattr(load, "sys", mine)
        yield partial(os.write, person)
    os.close(person)


@pytest.mark.parametrize(
    ("rate", "least", "most"), [("1/10", 50, 52), ("3/2", 2, 4.5), ("100", 0, 1)]
)
def test_the_rate_is_that_of_the_option(
    tmp_path: Path, sandbox: Sandbox, clock: FakeClock, rate: str, least: float, most: float
) -> None:
    """Six requests wait for each other as it says; 10 seconds are meant where none are named."""
    begun = clock()
    path = write_calls(tmp_path, call_rows(600))
    assert cli.main(arguments(path, REAL, "--yes", "--rate", rate)) == 0
    assert len(sandbox.requests) == 6
    assert least <= clock() - begun <= most


def test_a_reserve_is_left_for_others(
    tmp_path: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run stops in time, says how to go on, and goes on the next day."""
    path = write_calls(tmp_path, call_rows(700))
    assert cli.main(arguments(path, REAL, "--yes", "--daily-reserve", "5", "--rate", "1/1")) == 3
    assert len(sandbox.requests) == 3
    err = capsys.readouterr().err
    assert "only those are left that daily_reserve leaves to other programs" in err
    assert "--daily-reserve 5 --rate 1/1 --resume" in err
    folder = path.with_name("calls.csv.hubspot")
    statuses = Counter(one["status"] for one in outcomes(folder))
    assert statuses == {"succeeded": 300, "not_sent": 400}
    counts = Journal(folder / "journal.sqlite").counts()
    assert (counts["succeeded"], counts["intended"], counts["unknown"]) == (300, 0, 0)
    assert cli.main(arguments(path, REAL, "--yes", "--resume", "--rate", "1/1")) == 0
    assert len(sandbox.records("calls")) == 700


@pytest.mark.parametrize(
    ("answer", "code"), [(b"y\n", 0), (b"YES\n", 0), (b"n\n", 2), (b"\n", 2), (b"\x04", 2)]
)
def test_a_person_is_asked_before_a_real_account(
    tmp_path: Path, sandbox: Sandbox, typed: Any, answer: bytes, code: int
) -> None:
    """Only yes is yes; without it nothing is sent, and nothing is left behind."""
    typed(answer)
    path = write_calls(tmp_path, call_rows(2))
    assert cli.main(arguments(path, REAL)) == code
    assert len(sandbox.records("calls")) == (2 if code == 0 else 0)
    assert path.with_name("calls.csv.hubspot").exists() is (code == 0)


@pytest.mark.usefixtures("typed")
@pytest.mark.parametrize("given", [(REAL, "--yes"), ("http://127.0.0.1:9",)])
def test_nobody_is_asked_in_vain(tmp_path: Path, sandbox: Sandbox, given: tuple[str, ...]) -> None:
    """With --yes, and for this machine's own sandbox: the terminal has nothing to read."""
    path = write_calls(tmp_path, call_rows(2))
    assert cli.main(arguments(path, *given)) == 0
    assert len(sandbox.records("calls")) == 2


@pytest.mark.usefixtures("typed")
def test_a_read_asks_for_nothing(tmp_path: Path, sandbox: Sandbox) -> None:
    """It changes nothing."""
    (tmp_path / "ids.csv").write_text(f"id\n{sandbox.add_campaign('A')}\n")
    assert cli.main(["campaigns", "read", str(tmp_path / "ids.csv"), "--base-url", REAL]) == 0


@pytest.mark.parametrize(("answer", "code"), [(f"{CREATES_TWICE}\n", 0), ("yes\n", 2)])
def test_the_sentence_is_typed(
    tmp_path: Path, sandbox: Sandbox, typed: Any, answer: str, code: int
) -> None:
    """Creates in doubt are sent again for the whole sentence, and for no other answer."""
    sandbox.use_faults(script(["500"]))
    path = write_calls(tmp_path, call_rows(2))
    assert cli.main(arguments(path, REAL, "--yes")) == 1
    typed(answer.encode())
    assert cli.main(arguments(path, REAL, "--yes", "--resume", "--retry", "unknown")) == code
    assert len(sandbox.records("calls")) == (2 if code == 0 else 0)


def test_the_question_of_a_process_of_its_own(tmp_path: Path) -> None:
    """It names the server, and a no ends the process before anything is sent."""
    person, terminal = pty.openpty()
    path = write_calls(tmp_path, call_rows(2))
    os.write(person, b"n\n")
    with subprocess.Popen(
        [*COMMAND, *arguments(path, REAL, "--quiet")],
        env=environment(HTTPS_PROXY="http://127.0.0.1:9"),
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
    ) as made:
        os.close(terminal)
        out, _ = made.communicate(timeout=60)
    said = os.read(person, 65536).decode()
    os.close(person)
    assert made.returncode == 2
    assert f"Write to the HubSpot account of this token at {REAL}? [y/N]" in said
    assert "Nothing was sent." in said
    assert out == b""
