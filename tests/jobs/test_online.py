"""`--online`: names, options and read-only properties are checked as the account defines them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hubspot_batch import HubSpotBatch
from hubspot_batch._operations.registry import SPECS
from hubspot_batch.cli import main as cli
from hubspot_batch.files.definitions import read_definitions, value_problems
from hubspot_batch.jobs.online import ask_account
from hubspot_batch.sandbox import Sandbox, served
from job_files import arguments, call_rows, write_calls


@pytest.fixture
def sandbox() -> Sandbox:
    made = Sandbox(rate_limit=None)
    made.add_property("calls", "team")
    made.add_property("calls", "mood", ("good", "bad"))
    return made


@pytest.fixture
def url(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("HUBSPOT_ACCESS_TOKEN", "HUBSPOT_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with served(sandbox) as address:
        yield address


def table(folder: Path, heading: str, *cells: str, name: str = "calls.csv") -> Path:
    path = folder / name
    rows = [f"{row},{cell}" for row, cell in zip(call_rows(len(cells)), cells, strict=True)]
    path.write_text("".join(f"{row}\n" for row in (f"When,Title,{heading}", *rows)))
    return path


def test_what_the_account_has_is_sent(tmp_path: Path, url: str, sandbox: Sandbox) -> None:
    """Custom properties and their options pass, and the account is asked once for all files."""
    paths = [
        table(tmp_path, "mood", "good", "", "bad"),
        table(tmp_path, "mood", "bad", name="b.csv"),
    ]
    more = ("--map", "mood=mood", "--set", "team=North", "--online")
    given = arguments(paths[0], url, *more)
    assert cli.main([*given[:3], str(paths[1]), *given[3:]]) == 0
    assert [record.properties.get("mood") for record in sandbox.records("calls")] == [
        *("good", None, "bad", "bad")
    ]
    assert [one.path for one in sandbox.requests].count("/crm/v3/properties/calls") == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--map", "X=moood"), "has no property moood. Did you mean mood?"),
        (("--map", "X=hs_object_id"), "does not let hs_object_id be written: it is read-only"),
        (("--map", "X=team", "--set", "mood=fine"), "set mood: 'fine' is none of the account's"),
        (("--map", "X=team", "--set", "mod=x"), "set mod: the account has no property mod."),
    ],
)
def test_names_are_checked_before_anything_is_sent(
    tmp_path: Path,
    url: str,
    sandbox: Sandbox,
    capsys: pytest.CaptureFixture[str],
    given: tuple[str, ...],
    words: str,
) -> None:
    """A name that the account does not take stops the run, and the message tells it."""
    path = table(tmp_path, "X", "1")
    assert cli.main(arguments(path, url, *given, "--online")) == 2
    assert words in capsys.readouterr().err
    assert not sandbox.records("calls")


def test_options_are_checked_row_by_row(tmp_path: Path, url: str, sandbox: Sandbox) -> None:
    """A row with another value fails before it is sent, with its line; the others go."""
    path = table(tmp_path, "Mood", "good", "fine", "bad")
    assert cli.main(arguments(path, url, "--map", "Mood=mood", "--online")) == 1
    assert len(sandbox.records("calls")) == 2
    rejects = path.with_name("calls.csv.hubspot") / "rejects.csv"
    assert (
        "Line 3, Mood: 'fine' is none of the account's options: bad, good." in rejects.read_text()
    )


def test_rows_in_the_form_of_the_api_are_checked(tmp_path: Path, url: str) -> None:
    """Names that no heading tells are checked too."""
    path = tmp_path / "calls.jsonl"
    times = {"hs_timestamp": "2026-05-04T10:00:00Z"}
    rows = [{"properties": {**times, name: "x"}} for name in ("team", "tem")]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert cli.main(["calls", "create", str(path), "--base-url", url, "--online"]) == 1
    rejects = path.with_name("calls.jsonl.hubspot") / "rejects.jsonl"
    assert "tem: the account has no property tem. Did you mean team?" in rejects.read_text()


@pytest.mark.parametrize("option", ["--key-property", "--stamp-property"])
def test_what_a_run_fills_in_is_checked_too(
    tmp_path: Path, url: str, sandbox: Sandbox, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    """A property of keys or stamps that the account has not would refuse every row."""
    path = write_calls(tmp_path, call_rows(1))
    assert cli.main(arguments(path, url, "--online", option, "teams")) == 2
    said = f"{option}: the account has no property teams. Did you mean team?"
    assert said in capsys.readouterr().err
    assert not sandbox.records("calls")
    sandbox.add_property("calls", "teams", unique=True)
    assert cli.main(arguments(path, url, "--online", option, "teams")) == 0


def test_the_plan_asks_too(
    tmp_path: Path, url: str, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """It sends nothing else."""
    path = table(tmp_path, "Mood", "good", "fine")
    assert cli.main(arguments(path, url, "--map", "Mood=mood", "--online", "--plan")) == 0
    assert "1 invalid" in capsys.readouterr().out
    assert [one.path for one in sandbox.requests] == ["/crm/v3/properties/calls"]


def test_an_account_that_does_not_say(
    tmp_path: Path, url: str, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is sent unchecked."""
    sandbox.use_token("another")
    path = write_calls(tmp_path, call_rows(1))
    assert cli.main(arguments(path, url, "--online")) == 2
    err = capsys.readouterr().err
    assert "does not give its properties of calls (HTTP 401" in err
    assert "leave --online out" in err


def test_what_hubspot_says_of_a_property() -> None:
    """Options of others, several values, labels, and both ways to be read-only."""
    listed = [{"label": "Yes!", "value": "yes"}, {"label": "No", "value": "no"}]
    known = read_definitions(
        {
            "results": [
                {"name": "one", "options": listed, "fieldType": "select"},
                {"name": "many", "options": listed, "fieldType": "checkbox"},
                {"name": "owner", "options": listed, "externalOptions": True},
                {"name": "sum", "calculated": True},
                {"name": "id", "modificationMetadata": {"readOnlyValue": True}, "options": None},
            ]
        }
    )
    assert {name for name, one in known.items() if one.read_only} == {"sum", "id"}
    taken = {"one": "yes", "many": "no; yes", "owner": "7"}
    assert [*value_problems(taken, known)] == []
    refused = {"one": "yes;no", "many": "yes;maybe", "id": ""}
    assert [name for name, _ in value_problems(refused, known)] == ["one", "many", "id"]
    assert dict(value_problems({"one": "Yes!"}, known))["one"].endswith("its value is 'yes'")
    for body in ({}, {"results": []}, [], {"results": [{"label": "x"}]}, None):
        with pytest.raises(ValueError, match="lists no properties"):
            read_definitions(body)


@pytest.mark.parametrize("version", ["2026-03", "2026-09"])
def test_a_dated_version_has_its_own_path(
    tmp_path: Path, url: str, sandbox: Sandbox, version: str
) -> None:
    """No request of such a load goes to v3, which ends in 2027."""
    path = table(tmp_path, "mood", "good")
    options = ("--map", "mood=mood", "--online", "--api-version", version)
    assert cli.main(arguments(path, url, *options)) == 0
    asked = [one.path for one in sandbox.requests]
    assert f"/crm/properties/{version}/calls" in asked
    assert not any("v3" in one for one in asked)


@pytest.mark.parametrize("operation", sorted(SPECS))
def test_every_family_has_properties_to_ask_for(url: str, operation: str) -> None:
    """The kind of records is that of the operation's path, else the family's name."""
    spec = SPECS[operation]
    with HubSpotBatch("token", base_url=url) as client:
        assert "hs_object_id" in ask_account(client, spec)
