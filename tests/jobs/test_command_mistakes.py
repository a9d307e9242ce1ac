"""Mistakes at the command line: what was meant is named, and nothing is promised or sent."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hubspot_batch.cli import main as cli
from hubspot_batch.jobs import Job
from hubspot_batch.sandbox import Sandbox, served
from job_files import MAP, arguments, call_rows, write_calls


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(rate_limit=None)


@pytest.fixture
def url(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.delenv("HUBSPOT_ACCESS_TOKEN", raising=False)
    with served(sandbox) as address:
        yield address


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("calls create c.csv --resum", "unrecognized arguments: --resum; did you mean --resume?"),
        (
            "calls create c.csv --max_failures 3",
            "arguments: --max_failures; did you mean --max-failures?",
        ),
        ("calls create c.csv --Plan", "unrecognized arguments: --Plan; did you mean --plan?"),
        ("calls create c.csv -plan", "unrecognized arguments: -plan; did you mean --plan?"),
        (
            "calls create c.csv --dry-run",
            "unrecognized arguments: --dry-run; --plan checks and sends nothing",
        ),
        (
            "calls create c.csv --force",
            "unrecognized arguments: --force (hubspot-batch calls create --help",
        ),
        ("calls create c.csv --maps=x", "unrecognized arguments: --maps; did you mean --map?"),
        ("calls create c.csv --format xls", "invalid choice: 'xls'; did you mean xlsx?"),
        ("calls create c.csv --resume=by_content", "did you mean by-content?"),
        ("calls crate c.csv", "invalid choice: 'crate'; did you mean create?"),
        ("call create c.csv", "invalid choice: 'call'; did you mean calls?"),
        ("sandbox --prt 1", "unrecognized arguments: --prt; did you mean --port?"),
        ("--versio", "unrecognized arguments: --versio; did you mean --version?"),
        ("demo x", "unrecognized arguments: x (hubspot-batch demo --help"),
    ],
)
def test_what_was_meant(given: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(given.split()) == 2
    assert said in capsys.readouterr().err


def test_files_on_both_sides_of_an_option(tmp_path: Path, url: str, sandbox: Sandbox) -> None:
    """Options may stand anywhere."""
    first = write_calls(tmp_path, call_rows(2))
    second = write_calls(tmp_path, call_rows(2, first=2), "second.csv")
    assert cli.main([*arguments(first, url), str(second)]) == 0
    assert len(sandbox.records("calls")) == 4


@pytest.mark.parametrize("bad", ["missing.csv", "other.csv"])
def test_no_file_is_sent_if_one_cannot_be(
    tmp_path: Path, url: str, sandbox: Sandbox, bad: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 promises that nothing was sent."""
    first = write_calls(tmp_path, call_rows(2))
    (tmp_path / "other.csv").write_text("When,Titel\n2026-05-04T10:00:00Z,x\n")
    given = arguments(first, url)
    assert cli.main([*given[:3], str(tmp_path / bad), *given[3:]]) == 2
    assert not sandbox.records("calls")
    assert bad in capsys.readouterr().err


def test_a_later_file_that_is_refused_is_no_wrong_use(
    tmp_path: Path, url: str, sandbox: Sandbox
) -> None:
    """Its journal shows an earlier run, but the first file was sent: that is no exit code 2."""
    second = write_calls(tmp_path, call_rows(2), "second.csv")
    assert cli.main(arguments(second, url)) == 0
    first = write_calls(tmp_path, call_rows(2, first=2))
    given = arguments(first, url)
    assert cli.main([*given[:3], str(second), *given[3:]]) == 3
    assert len(sandbox.records("calls")) == 4


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--plan", "--expect", "abc"], "and not abc"),
        (["--allow-edited"], "--allow-edited is about a changed file: add --resume=by-content."),
        (["--insist", "x"], "--insist is about unknown rows: add --retry unknown."),
        (["--assume-absent-after", "5"], "--assume-absent-after needs --reconcile"),
    ],
)
def test_options_that_contradict_each_other(
    tmp_path: Path, url: str, more: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_calls(tmp_path, call_rows(1))
    assert cli.main(arguments(path, url, *more)) == 2
    assert said in capsys.readouterr().err


def test_no_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is named before a person is asked anything, and leaves no journal behind."""
    for name in ("HUBSPOT_ACCESS_TOKEN", "HUBSPOT_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    path = write_calls(tmp_path, call_rows(1))
    assert cli.main(["calls", "create", str(path), *MAP, "--yes"]) == 2
    assert "HUBSPOT_ACCESS_TOKEN" in capsys.readouterr().err
    assert not (tmp_path / "calls.csv.hubspot" / "journal.sqlite").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows removes no file that is open")
def test_a_folder_that_is_removed_meanwhile_proves_nothing(
    tmp_path: Path,
    url: str,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Rows that were sent are not said to be not sent, though the journal has gone with it."""
    path = write_calls(tmp_path, call_rows(150))
    settle = Job._settle  # pyright: ignore[reportPrivateUsage]

    def removed(job: Job, *given: Any) -> None:
        shutil.rmtree(tmp_path / "calls.csv.hubspot", ignore_errors=True)
        settle(job, *given)

    monkeypatch.setattr(Job, "_settle", removed)
    assert cli.main(arguments(path, url)) == 3
    assert len(sandbox.records("calls")) > 0
    said, stopped = capsys.readouterr()
    assert ", 0 unknown" not in said
    assert "--resume" not in said + stopped
    assert "The journal is gone, so another run would send all rows again" in stopped
