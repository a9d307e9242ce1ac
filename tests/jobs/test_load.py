"""Loads by the command: exit codes, plans, the files that remain, and refusals."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hubspot_batch.cli import main as cli
from hubspot_batch.files import open_table
from hubspot_batch.sandbox import Sandbox, script, served
from hubspot_batch_client.contract import OPERATIONS
from job_files import (
    arguments,
    call_rows,
    outcomes,
    run,
    statuses,
    titles,
    write_calls,
)


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(rate_limit=None)


@pytest.fixture
def url(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("HUBSPOT_ACCESS_TOKEN", "HUBSPOT_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with served(sandbox) as address:
        yield address


def folder_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.hubspot")


def test_reasons_that_differ_in_values_only_are_one(tmp_path: Path, url: str) -> None:
    """A thousand bad dates are one reason with the first of its messages, and others stay apart."""
    rows = [f"{day}/13/2026,Bad {day}" for day in range(14, 32)]
    path = write_calls(tmp_path, [*rows, ",Without", *call_rows(1), "2026-05-04,Good,more"])
    assert cli.main(arguments(path, url)) == 1
    report = json.loads((folder_of(path) / "report.json").read_text())
    assert [one["rows"] for one in report["reasons"]] == [18, 1, 1]
    assert report["reasons"][0]["message"].startswith("Line 2, When: '14/13/2026'")


def test_reasons_of_a_page_with_a_number_are_one(tmp_path: Path, sandbox: Sandbox) -> None:
    """The edge writes a new number into each of its pages."""
    path = write_calls(tmp_path, call_rows(300))
    sandbox.use_faults(script(["500", "500", "500"]))
    with served(sandbox) as address:
        assert cli.main(arguments(path, address)) == 1
    report = json.loads((folder_of(path) / "report.json").read_text())
    assert [one["rows"] for one in report["reasons"]] == [300]


# How it ends


def test_all_succeeded(
    tmp_path: Path, url: str, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 0, and each row has its record's id."""
    path = write_calls(tmp_path, call_rows(120))
    assert cli.main(arguments(path, url)) == 0
    done = outcomes(folder_of(path))
    assert [one["line"] for one in done] == list(range(2, 122))
    assert {one["id"] for one in done} == {record.id for record in sandbox.records("calls")}
    names = {one.name for one in folder_of(path).iterdir()}
    assert names == {"journal.sqlite", "outcomes.jsonl", "report.json", "report.html"}
    assert "120 succeeded" in capsys.readouterr().out


def test_some_failed_and_load_after_mending(tmp_path: Path, url: str, sandbox: Sandbox) -> None:
    """Rejects have the file's own form, in its order, and load like the file once mended."""
    rows = [*call_rows(3), "nonsense,Third", *call_rows(2, 3), '"no, no","Fifth"']
    path = write_calls(tmp_path, rows)
    assert cli.main(arguments(path, url)) == 1
    rejects = folder_of(path) / "rejects.csv"
    lines = rejects.read_text().splitlines()
    assert lines[0] == "When,Title,_status,_error,_line"
    assert lines[1].startswith("nonsense,Third,failed,")
    assert lines[1].endswith(",5")
    assert lines[2].startswith('"no, no",Fifth,failed,')
    assert lines[2].endswith(",8")
    text = rejects.read_text().replace("nonsense", "2026-05-04").replace("no, no", "2026-05-05")
    mended = tmp_path / "mended.csv"
    mended.write_text(text)
    assert cli.main(arguments(mended, url)) == 0
    assert len(titles(sandbox)) == 7


@pytest.mark.parametrize("fault", ["expired_token", "daily_limit"])
def test_what_stops_a_run_ends_in_3(
    tmp_path: Path, fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every row is told of, and the command that goes on is printed."""
    sandbox = Sandbox(faults=script([None, *[fault] * 50]), rate_limit=None)
    path = write_calls(tmp_path, call_rows(2500))
    with served(sandbox) as url:
        assert cli.main(arguments(path, url)) == 3
        assert "--resume" in capsys.readouterr().err
        found = statuses(folder_of(path))
        assert len(found) == 2500
        assert {*found} == {"succeeded", "not_sent"}
        assert found.count("succeeded") == len(sandbox.records("calls")) == 100


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--map", "missing.toml"], "cannot be read"),
        (["--map", "Nothing=hs_call_body"], "Nothing"),
        (["--resume", "--restart"], "exclude each other"),
        (["--retry", "failed"], "add --resume"),
        (["--max-failures", "many"], "'many' is no whole number"),
        (["--rate", "fast"], "'fast' is no whole number"),
        (["--limit", "0"], "'0' is no whole number from 1 on"),
        (["--base-url", "http://example.com"], "only sent over https"),
        (["--expect", "abc"], "The plan's digest is"),
        (["--encoding", "martian"], "martian"),
    ],
)
def test_wrong_use_ends_in_2_and_sends_nothing(
    tmp_path: Path,
    url: str,
    sandbox: Sandbox,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    words: str,
) -> None:
    """A sentence says what is wrong, and no folder is left."""
    path = write_calls(tmp_path, call_rows(3))
    assert cli.main(arguments(path, url, *more)) == 2
    assert words in capsys.readouterr().err
    assert not sandbox.requests
    assert not folder_of(path).exists()


def test_no_token_ends_in_2(tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A real account needs a token."""
    path = write_calls(tmp_path, call_rows(3))
    assert cli.main(arguments(path, "https://api.hubapi.com", "--yes")) == 2
    assert "HUBSPOT_ACCESS_TOKEN" in capsys.readouterr().err
    assert not folder_of(path).exists()


def test_a_folder_that_cannot_be_made_ends_in_2(
    tmp_path: Path, url: str, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said before anything is sent."""
    path = write_calls(tmp_path, call_rows(3))
    (tmp_path / "taken").write_text("a file")
    assert cli.main(arguments(path, url, "--out", str(tmp_path / "taken"))) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert not sandbox.requests


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC])
@pytest.mark.parametrize(
    ("option", "words"), [("--out", "The results cannot"), ("--journal", "The journal cannot")]
)
def test_a_folder_that_cannot_be_written_ends_in_2(
    tmp_path: Path,
    url: str,
    sandbox: Sandbox,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    option: str,
    words: str,
    number: int,
) -> None:
    """It is tried by writing, because permissions do not tell: for root, or on another system."""
    path, there = write_calls(tmp_path, call_rows(3)), tmp_path / "locked"
    write = Path.write_bytes

    def refuse(self: Path, content: bytes) -> int:
        if self.parent == there:
            raise OSError(number, os.strerror(number), str(self))
        return write(self, content)

    monkeypatch.setattr(Path, "write_bytes", refuse)
    name = there if option == "--out" else there / "j.sqlite"
    assert cli.main(arguments(path, url, option, str(name))) == 2
    said = capsys.readouterr().err
    assert f"{words} be written to {there} ({os.strerror(number)}), so nothing was sent" in said
    assert option in said
    assert not sandbox.requests


def test_a_file_that_breaks_off_ends_in_2(
    tmp_path: Path, url: str, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """A quote that is never closed is found before the first request."""
    path = write_calls(tmp_path, [*call_rows(150), '"never closed,x'])
    assert cli.main(arguments(path, url)) == 2
    assert "line 152" in capsys.readouterr().err
    assert not sandbox.requests


def test_a_full_disk_loses_nothing(
    tmp_path: Path, url: str, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run stops, the journal has what was done, and a later run writes it all."""
    path = write_calls(tmp_path, call_rows(3000))
    folder = folder_of(path)
    folder.mkdir()
    (folder / "outcomes.jsonl").symlink_to("/dev/full")
    assert cli.main(arguments(path, url)) == 3
    out, err = capsys.readouterr()
    assert "No space left" in err
    assert "--resume" in err
    done = len(sandbox.records("calls"))
    assert 0 < done < 3000
    assert f"{done} succeeded, 0 failed, 0 unknown, {3000 - done} not sent" in out
    (folder / "outcomes.jsonl").unlink()
    assert cli.main(arguments(path, url, "--resume")) == 0
    assert len(titles(sandbox)) == len({*titles(sandbox)}) == 3000
    assert statuses(folder) == ["succeeded"] * 3000


# The plan


def test_a_plan_sends_nothing(
    tmp_path: Path, url: str, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """It counts rows, invalid rows, equal rows and requests, and shows the first record."""
    path = write_calls(tmp_path, [*call_rows(150), *call_rows(1), *["bad,x"] * 7])
    assert cli.main(arguments(path, url, "--plan")) == 0
    out = capsys.readouterr().out
    assert "158 rows, 7 invalid, 1 equal to an earlier one; 2 requests" in out
    assert out.count("'bad' is no date") == 5
    assert "and 2 more invalid rows" in out
    assert '"hs_call_title": "Call 0"' in out
    assert "objectWriteTraceId" not in out
    assert not sandbox.requests
    assert not folder_of(path).exists()


def test_only_the_plan_that_was_reviewed_is_run(
    tmp_path: Path, url: str, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """The digest stays the same for the same job, and differs for every other one."""
    path = write_calls(tmp_path, call_rows(3))

    def digest(*more: str) -> str:
        assert cli.main(arguments(path, url, "--plan", "--json", *more)) == 0
        (line,) = capsys.readouterr().out.splitlines()
        return str(json.loads(line)["digest"])

    reviewed = digest()
    assert digest() == reviewed
    assert len({reviewed, digest("--limit", "2"), digest("--set", "hs_call_body=x")}) == 3
    write_calls(tmp_path, call_rows(4))
    assert cli.main(arguments(path, url, "--expect", reviewed)) == 2
    assert reviewed in capsys.readouterr().err
    assert not sandbox.requests
    write_calls(tmp_path, call_rows(3))
    assert cli.main(arguments(path, url, "--expect", reviewed)) == 0


def test_events_are_json_and_nothing_else(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every line of the output is an event; each row has one outcome, and the end comes last."""
    path = write_calls(tmp_path, [*call_rows(150), "bad,x"])
    assert cli.main(arguments(path, url, "--json")) == 1
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    kinds = [one["event"] for one in events]
    assert (kinds[0], kinds[-1]) == ("plan", "end")
    assert kinds.count("outcome") == 151
    assert events[-1]["counts"] == {"succeeded": 150, "failed": 1, "unknown": 0, "not_sent": 0}


def test_quiet_says_nothing(tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Where all is well, there is nothing to read."""
    path = write_calls(tmp_path, call_rows(3))
    assert cli.main(arguments(path, url, "--quiet")) == 0
    assert capsys.readouterr() == ("", "")


# How much


def test_a_limit_takes_the_first_rows(tmp_path: Path, url: str, sandbox: Sandbox) -> None:
    """The rest can follow."""
    path = write_calls(tmp_path, call_rows(10))
    assert cli.main(arguments(path, url, "--limit", "4")) == 0
    assert titles(sandbox) == [f"Call {at}" for at in range(4)]
    assert cli.main(arguments(path, url, "--resume")) == 0
    assert titles(sandbox) == [f"Call {at}" for at in range(10)]


@pytest.mark.parametrize(("limit", "stops"), [("5", True), ("1%", True), ("50%", False)])
def test_a_run_that_goes_wrong_stops(
    tmp_path: Path, limit: str, stops: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """A server that answers 500 to everything gets few requests."""
    wrong = 40 if stops else 2
    sandbox = Sandbox(faults=script([None, *["500"] * wrong]), rate_limit=None)
    path = write_calls(tmp_path, call_rows(3000))
    with served(sandbox) as url:
        code = cli.main(arguments(path, url, "--max-failures", limit))
    found = statuses(folder_of(path))
    assert len(found) == 3000
    if stops:
        assert code == 3
        assert found.count("not_sent") > 1000
        assert f"more than --max-failures {limit}" in capsys.readouterr().err
    else:
        assert code == 1
        assert found.count("unknown") == 200


# An earlier run


@pytest.fixture
def loaded(tmp_path: Path, url: str) -> Path:
    """A file of 20 rows, one of which failed."""
    path = write_calls(tmp_path, [*call_rows(19), "bad,x"])
    assert cli.main(arguments(path, url)) == 1
    return path


def test_an_earlier_run_is_not_overlooked(
    loaded: Path, url: str, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a word about it, nothing is sent, and both commands are printed."""
    before = len(sandbox.requests)
    capsys.readouterr()
    assert cli.main(arguments(loaded, url)) == 2
    err = capsys.readouterr().err
    assert f"calls create {loaded}" in err
    assert err.count("--resume\n") == err.count("--restart\n") == 1
    assert len(sandbox.requests) == before


def test_a_resumed_run_sends_nothing_twice(loaded: Path, url: str, sandbox: Sandbox) -> None:
    """The files are as after the first run."""
    before = {one.name: one.read_text() for one in folder_of(loaded).glob("*s.*")}
    assert cli.main(arguments(loaded, url, "--resume")) == 1
    assert len(titles(sandbox)) == 19
    assert sorted(before["outcomes.jsonl"].splitlines()) == sorted(
        (folder_of(loaded) / "outcomes.jsonl").read_text().splitlines()
    )
    assert before["rejects.csv"] == (folder_of(loaded) / "rejects.csv").read_text()


def test_a_restarted_run_sends_all_again(loaded: Path, url: str, sandbox: Sandbox) -> None:
    """If the earlier run is forgotten, everything is created again."""
    assert cli.main(arguments(loaded, url, "--restart")) == 1
    assert len(titles(sandbox)) == 38


@pytest.mark.parametrize(
    "more", [["--set", "hs_call_body=x"], ["--timezone", "Europe/Paris"]], ids=["set", "zone"]
)
@pytest.mark.parametrize("resume", ["--resume", "--resume=by-content"])
def test_another_job_is_always_refused(
    loaded: Path,
    url: str,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    resume: str,
) -> None:
    """A journal belongs to one mapping."""
    assert cli.main(arguments(loaded, url, resume, *more)) == 2
    assert "belongs to another job: the mapping" in capsys.readouterr().err


def test_a_changed_file(
    loaded: Path, url: str, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is counted what is new and gone; edited rows that succeeded need one more word."""
    rows = [*call_rows(5), "2026-05-04T11:00:00Z,Edited", *call_rows(13, 6), "2026-05-05,Mended"]
    write_calls(loaded.parent, rows)
    before = len(sandbox.requests)
    assert cli.main(arguments(loaded, url, "--resume")) == 2
    err = capsys.readouterr().err
    assert "18 rows are as before, 2 are new, 1 are gone" in err
    assert "--resume=by-content" in err
    assert cli.main(arguments(loaded, url, "--resume=by-content")) == 2
    err = capsys.readouterr().err
    assert "line 7, 21" in err
    assert "--allow-edited" in err
    assert len(sandbox.requests) == before
    assert cli.main(arguments(loaded, url, "--resume=by-content", "--allow-edited")) == 0
    assert len(titles(sandbox)) == 21
    assert {"Edited", "Mended"} < {*titles(sandbox)}


def test_a_file_that_is_read_in_another_way(
    tmp_path: Path, url: str, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same bytes in another encoding are other rows: they are not sent besides the first."""
    path = write_calls(tmp_path, [])
    path.write_bytes("When,Title\n2026-05-04,Caf\u00e9\n2026-05-05,Plain\n".encode("cp1252"))
    assert cli.main(arguments(path, url)) == 0
    capsys.readouterr()
    assert cli.main(arguments(path, url, "--encoding", "cp850", "--resume")) == 2
    err = capsys.readouterr().err
    assert "is read in another way" in err
    assert "line 2" in err
    assert len(sandbox.records("calls")) == 2
    assert cli.main(arguments(path, url, "--resume")) == 0
    more = ("--encoding", "cp850", "--resume=by-content", "--allow-edited")
    assert cli.main(arguments(path, url, *more)) == 0
    assert len(sandbox.records("calls")) == 3


def test_a_plan_is_of_what_was_read(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another encoding, or other headings, is another plan."""
    path = write_calls(tmp_path, ["When,Title", *call_rows(2)])
    digests: set[str] = set()
    for more in ((), ("--encoding", "cp1252"), ("--headings", "2")):
        assert cli.main(arguments(path, url, "--plan", "--json", *more)) == 0
        digests.add(json.loads(capsys.readouterr().out)["digest"])
    assert len(digests) == 3


def test_a_file_with_more_rows_needs_no_permission(
    loaded: Path, url: str, sandbox: Sandbox
) -> None:
    """Rows that were added, moved or mended are sent, and only they."""
    write_calls(loaded.parent, ["2026-05-05,Mended", *call_rows(30)])
    assert cli.main(arguments(loaded, url, "--resume=by-content")) == 0
    assert titles(sandbox) == sorted([*(f"Call {at}" for at in range(30)), "Mended"])


def test_failed_rows_are_sent_again_if_that_is_said(tmp_path: Path) -> None:
    """Else they have their outcome from the journal."""
    sandbox = Sandbox(faults=script(["inputs_refused"]), rate_limit=None)
    path = write_calls(tmp_path, call_rows(20))
    with served(sandbox) as url:
        assert cli.main(arguments(path, url)) == 1
        count = statuses(folder_of(path)).count("failed")
        assert count
        before = len(sandbox.requests)
        assert cli.main(arguments(path, url, "--resume")) == 1
        assert len(sandbox.requests) == before
        assert cli.main(arguments(path, url, "--resume", "--retry", "failed")) == 0
    assert len(titles(sandbox)) == 20
    assert not (folder_of(path) / "rejects.csv").exists()


def test_unknown_rows_need_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A create that may have been done is only repeated by those who say that they know."""
    sandbox = Sandbox(faults=script(["500"]), rate_limit=None)
    path = write_calls(tmp_path, call_rows(20))
    with served(sandbox) as url:
        assert cli.main(arguments(path, url)) == 1
        assert statuses(folder_of(path)) == ["unknown"] * 20
        assert (folder_of(path) / "unknown.csv").exists()
        again = arguments(path, url, "--resume", "--retry", "unknown")
        assert cli.main(again) == 2
        assert "some may be created twice" in capsys.readouterr().err
        assert cli.main([*again, "--insist", "yes"]) == 2
        assert cli.main([*again, "--insist", "some may be created twice"]) == 0
    assert len(titles(sandbox)) == 20


# Files and operations


def test_standard_input_and_several_files(tmp_path: Path, url: str, sandbox: Sandbox) -> None:
    """Each file is a job of its own, with a folder of its own."""
    first = write_calls(tmp_path, call_rows(3), "first.csv")
    second = write_calls(tmp_path, call_rows(3, 3), "second.csv")
    out = tmp_path / "out"
    command, verb, *rest = arguments(first, url, "--out", str(out))
    code = cli.main([command, verb, str(second), *rest])
    assert code == 0
    assert statuses(out / "first.csv") == statuses(out / "second.csv") == ["succeeded"] * 3
    done = run(
        *arguments(Path("-"), url, "--out", str(tmp_path / "piped")),
        stdin="When,Title\n2026-05-04,Piped\n",
    )
    assert (done.returncode, done.stderr.count("\n")) == (0, 1), done.stderr
    assert "Piped" in titles(sandbox)


@pytest.mark.parametrize("id_", OPERATIONS)
def test_every_operation_has_its_command(id_: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its help has an example and names its own arguments."""
    described = OPERATIONS[id_]
    assert cli.main([described.tag.replace("_", "-"), described.kind, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"{described.tag.replace('_', '-')} {described.kind} {described.tag}.csv" in out
    for argument in described.arguments:
        assert f"--{argument.keyword.replace('_', '-')}" in out
    assert all(len(line) <= 100 for line in out.splitlines())


def test_reads_and_updates(tmp_path: Path, url: str, sandbox: Sandbox) -> None:
    """The other kinds of operations go the same way, with arguments of their own."""
    from hubspot_batch.sandbox import add_examples

    add_examples(sandbox)
    ids = [record.id for record in sandbox.records("campaigns")]
    path = tmp_path / "ids.csv"
    path.write_text("".join(f"{one}\n" for one in ("id", *ids, "missing")))
    code = cli.main(
        ["campaigns", "read", str(path), "--base-url", url, "--properties", "hs_name,hs_notes"]
    )
    assert code == 1
    assert statuses(folder_of(path)) == [*["succeeded"] * len(ids), "failed"]
    assert (
        cli.main(
            [
                "campaigns",
                "read",
                str(path),
                "--base-url",
                url,
                "--restart",
                "--start-date",
                "2026-01-01",
            ]
        )
        == 2
    )


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_records_that_are_read(tmp_path: Path, url: str, sandbox: Sandbox, form: str) -> None:
    """They are a table, with a column for each property, also after a resumed run."""
    for at in range(120):
        form_asset = {"id": "7", "name": "Sign up", "metrics": {"SUBMISSIONS": float(at)}}
        sandbox.add_campaign(f"Campaign {at}", record_id=f"id-{at}", assets={"FORM": [form_asset]})
    path = tmp_path / "ids.csv"
    path.write_text("".join(f"{one}\n" for one in ("id", *(f"id-{at}" for at in range(120)))))
    command = ["campaigns", "read", str(path), "--base-url", url, "--to", form]
    command += ["--properties", "hs_name", "--start-date", "2026-01-01", "--end-date", "2026-02-01"]
    for more in ([], ["--resume"]):
        assert cli.main([*command, *more]) == 0
        records = folder_of(path) / f"records.{form}"
        if form == "jsonl":
            rows = [json.loads(line) for line in records.read_text().splitlines()]
            found = {one["id"]: one["properties"]["hs_name"] for one in rows}
        else:
            table = open_table(records)
            id_, name = table.columns.index("id"), table.columns.index("hs_name")
            found = {row.cells[id_]: row.cells[name] for row in table}
            assets = open_table(folder_of(path) / f"assets.{form}")
            metrics = sorted([*row.cells] for row in assets)
            assert len(metrics) == 120
            assert metrics[0] == ["id-0", "FORM", "7", "Sign up", "SUBMISSIONS", "0.0"]
        assert found == {f"id-{at}": f"Campaign {at}" for at in range(120)}
        assert not [*folder_of(path).glob("*.part")]


def test_the_journal_may_be_elsewhere(loaded: Path, url: str, tmp_path: Path) -> None:
    """The journal may be elsewhere, and is found again there."""
    elsewhere = tmp_path / "kept" / "j.sqlite"
    out = ["--out", str(tmp_path / "o"), "--journal", str(elsewhere)]
    assert cli.main(arguments(loaded, url, *out)) == 1
    assert elsewhere.exists()
    shutil.rmtree(tmp_path / "o")
    assert cli.main(arguments(loaded, url, *out)) == 2
    assert cli.main(arguments(loaded, url, *out, "--resume")) == 1
    assert len(outcomes(tmp_path / "o")) == 20


def test_jobs(loaded: Path, url: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The folders of loads can be listed, and one of them looked at."""

    def said(*words: str) -> str:
        capsys.readouterr()
        assert cli.main(["jobs", *words]) == 0
        return capsys.readouterr().out

    folder = folder_of(loaded)
    assert f"{folder}  create_calls 19 succeeded" in said("list", str(tmp_path))
    assert "19 succeeded" in said("list", str(folder))
    shown = said("show", str(folder))
    assert all(word in shown for word in (str(loaded), url, "failed    1", "report.html"))
    rejected = said("rejects", str(folder))
    assert rejected.startswith("21\tfailed\tinvalid_input\t")
    assert str(folder / "rejects.csv") in rejected
    assert cli.main(["jobs", "show", str(tmp_path)]) == 2


def test_a_job_whose_last_run_was_cut_off(loaded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The report of the run before it does not pass as its own."""
    folder = folder_of(loaded)
    report = json.loads((folder / "report.json").read_text())
    (folder / "report.json").write_text(json.dumps({**report, "stopped": "It was stopped."}))
    assert cli.main(["jobs", "show", str(folder)]) == 0
    assert "; It was stopped." in capsys.readouterr().out
    with (folder / "outcomes.jsonl").open("ab"):
        os.utime(folder / "report.json", (0, 0))
    assert cli.main(["jobs", "show", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "The last run was cut off" in out
    assert "; It was stopped." not in out


LIMITED = """
import resource, signal, sys
from hubspot_batch.files import open_table
from hubspot_batch.jobs import RowDone
from hubspot_batch.jobs.outcome_files import OutcomeFiles
from pathlib import Path

folder = Path(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
table = open_table(folder / "calls.csv")
results = OutcomeFiles(folder, table)
rows = list(table)
try:
    for at, row in enumerate(rows):
        results.add(RowDone(at, row.line, "succeeded", str(at)), row)
    results.flush()
except OSError as error:
    results.abandon()
    sys.exit(error.errno in (27, 28) and 7)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no limits of this kind")
def test_no_line_is_cut_by_a_disk_that_is_full_within_it(tmp_path: Path) -> None:
    """The part of a line that went to the disk is taken back."""
    write_calls(tmp_path, call_rows(20))
    for most in (1000, 1071):
        command = [sys.executable, "-c", LIMITED, str(tmp_path), str(most)]
        assert subprocess.run(command, check=False).returncode == 7
        whole = (tmp_path / "outcomes.jsonl").stat().st_size
        assert most - 150 < whole <= most
        assert [one["index"] for one in outcomes(tmp_path)] == [*range(len(outcomes(tmp_path)))]
