"""`calls search` and `campaigns list`: what is found goes into a file, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hubspot_batch.cli import main as cli
from hubspot_batch.sandbox import Sandbox, script, served
from hubspot_batch_client.contract import LISTINGS, OPERATIONS


@pytest.fixture
def sandbox() -> Sandbox:
    made = Sandbox(rate_limit=None, search_lag=(0.0, 0.0))
    for number in range(5):
        status = "COMPLETED" if number % 2 else "NO_ANSWER"
        properties = {"hs_call_title": f"Call {number}", "hs_call_status": status}
        made.add_record("calls", properties=properties)
        made.add_campaign({"hs_name": f"Campaign {number}"})
    return made


@pytest.fixture
def url(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    for name in ("HUBSPOT_ACCESS_TOKEN", "HUBSPOT_BASE_URL", "HUBSPOT_API_VERSION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    with served(sandbox) as address:
        yield address


def lines(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]


FILTERS = [
    (["--filter", "hs_call_status EQ COMPLETED"], 2),
    (["--filter", "hs_call_status in completed,busy"], 2),
    (["--filter", "hs_call_status HAS_PROPERTY"], 5),
    (["--filter", "hs_call_status EQ COMPLETED", "--filter", "hs_call_title EQ Call 1"], 1),
    (["--filter-groups", '[{"filters": [{"propertyName": "hs_call_title", '
      '"operator": "EQ", "value": "Call 4"}]}]'], 1),
    (["--limit", "3"], 3),
    ([], 5),
]  # fmt: skip


@pytest.mark.parametrize(("options", "count"), FILTERS)
def test_what_is_found_is_written(
    url: str, capsys: pytest.CaptureFixture[str], options: list[str], count: int
) -> None:
    """Filters are those of HubSpot; the sentence says how many there are, and where."""
    asked = ["--properties", "hs_call_title", "--to", "jsonl", "--base-url", url]
    assert cli.main(["calls", "search", *options, *asked]) == 0
    found = lines("calls-search.hubspot/records.jsonl")
    assert len(found) == count
    assert all(one["properties"]["hs_call_title"].startswith("Call ") for one in found)
    said = capsys.readouterr().out
    words = "1 record is" if count == 1 else f"{count} calls are"
    assert said.startswith(f"{words} in calls-search.hubspot/records.jsonl")


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_a_list_has_the_forms_of_a_read(url: str, form: str, sandbox: Sandbox) -> None:
    """Into the folder that is named, in the version that is named."""
    options = ["--properties", "hs_name", "--to", form, "--out", "mine/here"]
    more = ["--base-url", url, "--api-version", "2026-03"]
    assert cli.main(["campaigns", "list", *options, *more]) == 0
    assert [path.name for path in Path("mine/here").iterdir()] == [f"records.{form}"]
    if form == "csv":
        text = Path("mine/here/records.csv").read_text("utf-8")
        assert text.splitlines()[0].startswith("id,")
        assert text.count("Campaign ") == 5
    assert {one.path for one in sandbox.requests} == {"/marketing/campaigns/2026-03"}


def test_a_search_can_stand_in_a_file(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As the body that HubSpot describes; an option replaces what the file says."""
    group = [{"propertyName": "hs_call_status", "operator": "EQ", "value": "COMPLETED"}]
    body: dict[str, Any] = {"filterGroups": [{"filters": group}], "properties": ["hs_call_status"]}
    Path("search.json").write_text(json.dumps(body), "utf-8")
    command = ["calls", "search", "--search", "search.json", "--to", "jsonl", "--base-url", url]
    assert cli.main([*command, "--properties", "hs_call_title"]) == 0
    found = lines("calls-search.hubspot/records.jsonl")
    assert {"hs_call_title", "hs_call_status"} & {*found[0]["properties"]} == {"hs_call_title"}
    assert len(found) == 2
    for text, words in (
        (json.dumps({**body, "limit": 5}), "a search has no limit"),
        ("[]", "is no JSON object"),
        ("{", "cannot be read as JSON"),
    ):
        Path("search.json").write_text(text, "utf-8")
        assert cli.main(command) == 2
        assert words in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "x", "x EQ", "x BETWEEN 1", "x HAS_PROPERTY 5", "x EVIL y"])
def test_a_filter_that_is_none_is_refused(
    url: str, sandbox: Sandbox, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    """Before anything is sent, and no folder is made."""
    assert cli.main(["calls", "search", "--filter", text, "--base-url", url]) == 2
    assert capsys.readouterr().err
    assert sandbox.requests == ()
    assert not Path("calls-search.hubspot").exists()


def test_nothing_found_leaves_no_file(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Also not that of an earlier search."""
    command = ["calls", "search", "--to", "csv", "--base-url", url]
    assert cli.main(command) == 0
    assert cli.main([*command, "--filter", "hs_call_title EQ nothing"]) == 0
    said = capsys.readouterr().out
    assert "No calls are found, and no file is written." in said
    assert f"{Path('calls-search.hubspot/records.csv')} of an earlier search was removed." in said
    assert [*Path("calls-search.hubspot").iterdir()] == []


def test_a_folder_that_takes_no_file_is_refused(
    url: str, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is sent."""
    Path("taken").touch()
    assert cli.main(["calls", "search", "--out", "taken", "--base-url", url]) == 2
    said = capsys.readouterr().err
    assert "The records cannot be written to taken (File exists), so nothing was sent." in said
    assert "--out" in said
    assert sandbox.requests == ()


def test_a_search_that_stops_leaves_no_file(
    url: str, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """A part of what there is would look like all of it."""
    sandbox.use_faults(script(["daily_limit"]))
    assert cli.main(["calls", "search", "--base-url", url]) == 3
    assert "No file is written." in capsys.readouterr().err
    assert [*Path("calls-search.hubspot").iterdir()] == []


def test_the_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    """That can be typed as it stands."""
    for words in (["calls", "search"], ["campaigns", "list"]):
        assert cli.main([*words, "--help"]) == 0
        assert f"hubspot-batch {' '.join(words)} --" in capsys.readouterr().out


@pytest.mark.parametrize("words", ["calls search", "campaigns list", "campaigns read"])
def test_the_help_explains_each_argument(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An argument of the API has the description of its fragment."""
    assert cli.main([*words.split(), "--help"]) == 0
    shown = "".join(capsys.readouterr().out.split())
    name = "_".join(reversed(words.split()))
    described = LISTINGS[name] if name in LISTINGS else OPERATIONS[name]
    assert described.arguments
    for argument in described.arguments:
        assert "".join(argument.description.rstrip(".").split()) in shown


@pytest.mark.parametrize(
    "command",
    [
        ["calls", "search"],
        ["campaigns", "list"],
        ["stamp", "create", "calls", "--yes"],
        ["calls", "create", "calls.csv", "--map", "hs_timestamp=hs_timestamp", "--yes"],
    ],
)
def test_no_token(
    command: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The command says where it takes it from, and nothing of Python."""
    for name in ("HUBSPOT_ACCESS_TOKEN", "HUBSPOT_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    Path("calls.csv").write_text("hs_timestamp\n2026-01-31T09:30:00Z\n", "utf-8")
    assert cli.main(command) == 2
    said = capsys.readouterr().err
    assert "There is no access token; set HUBSPOT_ACCESS_TOKEN." in said
    assert "function" not in said
