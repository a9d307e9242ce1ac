"""Rows that may have been created are looked up: by a load, by `jobs reconcile`, after a kill."""

from __future__ import annotations

import functools
import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from both_clients import clock_of
from hubspot_batch import HubSpotBatch, Journal
from hubspot_batch.cli import load, stamp_commands
from hubspot_batch.cli import main as cli
from hubspot_batch.sandbox import FakeClock, Sandbox, rates, script, served
from job_files import arguments, call_rows, environment, outcomes, titles, write_calls


@pytest.fixture
def sandbox() -> Sandbox:
    made = Sandbox(rate_limit=None, clock=FakeClock(), search_lag=(0.5, 20.0))
    made.add_property("calls", "source_id", unique=True)
    made.add_property("calls", "load_stamp", unique=False)
    return made


@pytest.fixture
def url(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server whose clock goes on while the command waits."""
    for name in ("HUBSPOT_ACCESS_TOKEN", "HUBSPOT_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    fake: Any = sandbox.clock
    made = functools.partial(HubSpotBatch, clock=clock_of(fake))
    monkeypatch.setattr(load, "HubSpotBatch", made)
    monkeypatch.setattr(stamp_commands, "HubSpotBatch", made)
    with served(sandbox) as address:
        yield address


def folder_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.hubspot")


def told(path: Path) -> list[tuple[str, str | None]]:
    done = sorted(outcomes(folder_of(path)), key=lambda one: one["index"])
    return [(one["status"], one["evidence"]) for one in done]


@pytest.mark.parametrize(
    ("options", "evidence", "absent"),
    [
        (["--key-property", "source_id"], "key", "not_sent"),
        (["--stamp-property", "load_stamp"], "stamp", "unknown"),
        ([], "properties", "unknown"),
    ],
)
def test_a_load_looks_up_what_it_has_lost(
    tmp_path: Path, url: str, sandbox: Sandbox, options: list[str], evidence: str, absent: str
) -> None:
    """The files say by what evidence; one request was done, and one was not."""
    sandbox.use_faults(script(["reset_after"], operation="create_calls"))
    path = write_calls(tmp_path, call_rows(3))
    assert cli.main(arguments(path, url, "--reconcile", *options)) == 0
    assert told(path) == [("succeeded", evidence)] * 3
    sandbox.use_faults(script(["reset_before"], operation="create_calls"))
    other = write_calls(tmp_path, call_rows(2, 9), "others.csv")
    assert cli.main(arguments(other, url, "--reconcile", *options)) == 1
    assert told(other) == [(absent, None)] * 2
    report = json.loads((folder_of(path) / "report.json").read_text())
    assert any("looked up" in note for note in report["notes"])
    assert f"by {evidence}" in (folder_of(path) / "report.html").read_text()


def test_what_has_no_record_with_its_key_is_sent_by_the_next_run(
    tmp_path: Path, url: str, sandbox: Sandbox
) -> None:
    """It was certainly not done, so that needs no option; nothing is there twice."""
    sandbox.use_faults(script(["reset_before"], operation="create_calls"))
    path = write_calls(tmp_path, call_rows(2))
    options = ("--reconcile", "--key-property", "source_id")
    assert cli.main(arguments(path, url, *options)) == 1
    assert {one["kind"] for one in outcomes(folder_of(path))} == {"absent"}
    assert cli.main(arguments(path, url, *options, "--resume")) == 0
    assert told(path) == [("succeeded", "answer")] * 2
    assert len(titles(sandbox)) == 2
    assert Journal(folder_of(path) / "journal.sqlite").counts()["succeeded"] == 2


def test_an_account_without_unique_properties_is_in_the_report(
    tmp_path: Path, url: str, sandbox: Sandbox
) -> None:
    """As a note, beside those of the plan."""
    sandbox.use_faults(script(["reset_after"], operation="create_calls"))
    path = write_calls(tmp_path, call_rows(2))
    options = ("--reconcile", "--key-property", "load_stamp")
    assert cli.main(arguments(path, url, *options)) == 0
    assert told(path) == [("succeeded", "stamp")] * 2
    report = json.loads((folder_of(path) / "report.json").read_text())
    assert any("is not unique in this account" in note for note in report["notes"])


@pytest.mark.parametrize("options", [[], ["--stamp-property", "load_stamp"]])
def test_a_job_is_looked_up_later(
    tmp_path: Path,
    url: str,
    sandbox: Sandbox,
    options: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """From any folder; the files are written anew, and nothing is sent."""
    sandbox.use_faults(script(["reset_after"], operation="create_calls"))
    path = write_calls(tmp_path, call_rows(3))
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments(Path("calls.csv"), url, *options)) == 1
    assert (folder_of(path) / "unknown.csv").exists()
    sandbox.clock.advance(600.0)  # type: ignore[attr-defined]
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert cli.main(["jobs", "reconcile", "../calls.csv.hubspot"]) == 0, capsys.readouterr()
    evidence = "stamp" if options else "properties"
    assert told(path) == [("succeeded", evidence)] * 3
    assert not (folder_of(path) / "unknown.csv").exists()
    assert len(titles(sandbox)) == 3
    assert sum(one.operation == "create_calls" for one in sandbox.requests) == 1


@pytest.mark.parametrize("later", [None, "v3", "2026-09"])
def test_a_job_is_looked_up_in_its_own_version(
    tmp_path: Path, url: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, later: str | None
) -> None:
    """The version came from the environment, which says something else later."""
    monkeypatch.setenv("HUBSPOT_API_VERSION", "2026-03")
    sandbox.use_faults(script(["reset_after"], operation="create_calls"))
    path = write_calls(tmp_path, call_rows(2))
    assert cli.main(arguments(path, url)) == 1
    sandbox.clock.advance(600.0)  # type: ignore[attr-defined]
    monkeypatch.delenv("HUBSPOT_API_VERSION")
    if later:
        monkeypatch.setenv("HUBSPOT_API_VERSION", later)
    before = len(sandbox.requests)
    assert cli.main(["jobs", "reconcile", str(folder_of(path))]) == 0
    asked = {one.path for one in sandbox.requests[before:]}
    assert asked
    assert all("2026-03" in one for one in asked)


def test_a_stamp_is_made_in_the_version_of_the_environment(
    url: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of its requests."""
    monkeypatch.setenv("HUBSPOT_API_VERSION", "2026-03")
    assert cli.main(["stamp", "create", "calls", "--base-url", url]) == 0
    assert all(one.path.startswith("/crm/properties/2026-03/") for one in sandbox.requests)


def test_rows_that_were_not_sent_stay_so(
    tmp_path: Path, url: str, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """A look-up later sends nothing, also of what a stopped run has not reached."""
    sandbox.use_faults(script(["reset_after", "daily_limit"], operation="create_calls"))
    path = write_calls(tmp_path, call_rows(150))
    assert cli.main(arguments(path, url, "--rate", "1/1")) == 3
    sandbox.use_faults(None)
    assert cli.main(["jobs", "reconcile", str(folder_of(path))]) == 1, capsys.readouterr()
    statuses = [status for status, _ in told(path)]
    assert (statuses.count("succeeded"), statuses.count("not_sent")) == (100, 50)
    assert len(titles(sandbox)) == 100


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda path: path.unlink(), "cannot be read"),
        (lambda path: path.write_text("When,Title\n2026-05-04T10:00:00Z,Other\n"), "has changed"),
    ],
)
def test_a_job_whose_file_is_gone_or_changed_is_refused(
    tmp_path: Path,
    url: str,
    sandbox: Sandbox,
    spoil: Callable[[Path], object],
    says: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With the reason."""
    sandbox.use_faults(script(["reset_after"], operation="create_calls"))
    path = write_calls(tmp_path, call_rows(3))
    cli.main(arguments(path, url))
    spoil(path)
    requests = len(sandbox.requests)
    assert cli.main(["jobs", "reconcile", str(folder_of(path))]) == 2
    assert says in capsys.readouterr().err
    assert len(sandbox.requests) == requests


def test_a_journal_of_an_older_version_is_refused_with_a_sentence(
    tmp_path: Path, url: str, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """It does not say by which command it was made."""
    path = write_calls(tmp_path, call_rows(3))
    cli.main(arguments(path, url))
    with sqlite3.connect(folder_of(path) / "journal.sqlite") as one:
        one.execute("DELETE FROM head WHERE name = 'command'")
    one.close()
    assert cli.main(["jobs", "reconcile", str(folder_of(path))]) == 2
    assert "--resume --reconcile" in capsys.readouterr().err


# A process that is killed while it waits, or before or after a request, in a look-up.
_KILLED = """
import os, signal, sys
from hubspot_batch import Clock, HubSpotBatch
url, journal, moment, how = sys.argv[1:]
spent, left = [0.0], [int(moment)]
def sleep(seconds):
    spent[0] += seconds
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
start = float(os.environ["START"])
now = lambda: start + spent[0]
clock = Clock(now=now, sleep=sleep, wall=now)
rows = [{"properties": {"hs_timestamp": "2026-05-04T10:00:00Z", "hs_call_title": str(n % 3)},
         "associations": []} for n in range(6)]
with HubSpotBatch("made-up", base_url=url, clock=clock, max_concurrency=1) as client:
    client.calls.create(rows, chunk_size=2, journal=journal, reconcile=True, **eval(how))
"""


@pytest.mark.parametrize("moment", [2, 30])
@pytest.mark.parametrize(
    "how", [{"key_property": "source_id"}, {"stamp_property": "load_stamp"}, {}]
)
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="nothing can be killed here")
def test_a_kill_during_a_look_up_changes_nothing(
    tmp_path: Path, url: str, sandbox: Sandbox, moment: int, how: dict[str, str]
) -> None:
    """The next run ends as if there had been no kill, and nothing is there twice."""
    sandbox.use_faults(script(["reset_after", None, "reset_before"], operation="create_calls"))
    fake: Any = sandbox.clock
    journal = tmp_path / "journal.sqlite"
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, url, str(journal), str(moment), repr(how)],
        env=environment(START=str(fake())),
        check=False,
        timeout=60,
        capture_output=True,
        text=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    fake.advance(3600.0)
    sandbox.use_faults(rates({}))
    rows = [
        {
            "properties": {"hs_timestamp": "2026-05-04T10:00:00Z", "hs_call_title": str(n % 3)},
            "associations": [],
        }
        for n in range(6)
    ]
    with HubSpotBatch("made-up", base_url=url, clock=clock_of(fake)) as client:
        found = client.calls.create(rows, journal=journal, reconcile=True, chunk_size=2, **how)
    statuses = [str(one.status) for one in found]
    assert len(titles(sandbox)) == 4
    # By their properties, the second and the fifth are one record for two equal inputs.
    wanted = {
        "key": ["succeeded"] * 4 + ["not_sent"] * 2,
        "stamp": ["succeeded"] * 4 + ["unknown"] * 2,
        "": ["succeeded", "unknown", "succeeded", "succeeded", "unknown", "unknown"],
    }
    assert statuses == wanted["".join(how)[:5].partition("_")[0]]
    ids = [one.result.id for one in found if one.result is not None]
    assert len(ids) == len({*ids})


def test_a_stamp_is_made_once(
    url: str, sandbox: Sandbox, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """In the group of a property that is there; then a load can be given its name."""
    for family in ("calls", "campaigns"):
        for words in ("is made", "is there already"):
            assert cli.main(["stamp", "create", family, "--base-url", url]) == 0
            said = capsys.readouterr().out
            assert words in said
            assert "--stamp-property hubspot_batch_stamp" in said
    sandbox.clock.advance(10.0)  # type: ignore[attr-defined]
    sandbox.use_faults(script(["reset_after"], operation="create_calls"))
    path = write_calls(tmp_path, call_rows(2))
    options = ("--reconcile", "--stamp-property", "hubspot_batch_stamp")
    assert cli.main(arguments(path, url, *options)) == 0
    assert told(path) == [("succeeded", "stamp")] * 2


def test_a_unique_property_is_made_where_the_account_can_have_one(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Campaigns have none here; the refusal is told with advice."""
    assert cli.main(["stamp", "create", "calls", "--unique", "--base-url", url]) == 0
    assert "--key-property hubspot_batch_key" in capsys.readouterr().out
    assert cli.main(["stamp", "create", "campaigns", "--unique", "--base-url", url]) == 3
    assert "without --unique" in capsys.readouterr().err
    wrong = ["stamp", "create", "calls", "--property", "hs_call_duration", "--base-url", url]
    assert cli.main(wrong) == 2
    assert "type number" in capsys.readouterr().err
    plain = ["stamp", "create", "calls", "--unique", "--property", "load_stamp", "--base-url", url]
    assert cli.main(plain) == 2


@pytest.mark.parametrize("fault", ["502", "reset_before", "refused", "truncated_json"])
def test_a_stamp_that_cannot_be_made_is_told(
    url: str, sandbox: Sandbox, fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one sentence, without a traceback."""
    sandbox.use_faults(rates({fault: 1.0}, operation="properties"))
    assert cli.main(["stamp", "create", "calls", "--base-url", url]) == 3
    assert capsys.readouterr().err.startswith("hubspot-batch: ")


def test_what_cannot_be_looked_up_has_no_such_option(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Updates are simply sent again."""
    path = write_calls(tmp_path, call_rows(1))
    assert cli.main(["marketing-events", "update", str(path), "--reconcile"]) == 2
    assert "--reconcile" in capsys.readouterr().err
