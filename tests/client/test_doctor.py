"""The command `doctor`: what it finds, what it sends, and what it never prints."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from hubspot_batch import HubSpotBatch, Retry
from hubspot_batch._operations.registry import SPECS
from hubspot_batch.cli import main as cli
from hubspot_batch.cli.doctor.findings import CheckState
from hubspot_batch.cli.doctor.machine import journal_folder
from hubspot_batch.cli.doctor.server import Server
from hubspot_batch.sandbox import Sandbox, SandboxTransport, served

TOKEN = "a-token-that-nothing-may-print"
PASSWORD = "a-password-that-nothing-may-print"
READS = ("crm.objects.contacts.read", "marketing.campaigns.read")


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    names = ("BASE_URL", "API_VERSION")
    ways = ("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "ALL_PROXY")
    for name in (*(f"HUBSPOT_{one}" for one in names), *ways):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", TOKEN)
    monkeypatch.chdir(tmp_path)


def doctor(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit code, and the findings by name."""
    code = cli.main(["doctor", "--json", *arguments])
    printed = capsys.readouterr()
    assert printed.err == ""
    for secret in (TOKEN, PASSWORD):
        assert secret not in printed.out
    document = json.loads(printed.out)
    assert document["ok"] is (code == 0)
    return code, {one["name"]: one for one in document["findings"]}


def look(sandbox: Any, *operations: str, wall: Any = time.time, **how: bool) -> dict[str, Any]:
    """The findings about a server, by name."""
    how = {"try_writes": False, "has_token": True, **how}
    transport = SandboxTransport(sandbox) if isinstance(sandbox, Sandbox) else sandbox
    with HubSpotBatch(TOKEN, transport=transport, retry=Retry(1)) as client:
        server = Server(client, wall, has_token=how.pop("has_token"))
        return {one.name: one for one in server.look(operations, **how)}


def answering(status: int, headers: dict[str, str] | None = None, **body: Any) -> Any:
    return httpx.MockTransport(lambda _: httpx.Response(status, headers=headers, **body))


def test_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    """Sentences for people and values for programs, with the same exit code."""
    with served(Sandbox(clock=time.time)) as url:
        code, found = doctor(capsys, "--base-url", url)
        assert code == 0
        assert cli.main(["doctor", "--base-url", url]) == 0
    printed = capsys.readouterr().out
    assert printed.endswith("A load can begin.\n")
    assert TOKEN not in printed
    assert found["python"]["version"]
    assert {"hubspot-batch", "httpx", "orjson"} <= found["packages"]["versions"].keys()
    assert found["address"]["base_url"] == url
    assert found["proxy"]["proxy"] is None
    assert found["token"]["state"] == "ok"
    assert found["scope:campaigns.read"]["state"] == "ok"
    assert found["scope:calls.create"]["state"] == "skipped"
    assert found["allowance"]["limit"] == 100
    assert found["day"]["remaining"] <= found["day"]["limit"]
    assert abs(found["clock"]["seconds_ahead"]) <= 5
    assert found["api_version"]["versions"]
    assert found["journal_folder"]["free_bytes"] > 0


def test_only_reads_are_sent() -> None:
    """By default; and nothing is stored or changed by a batch without inputs."""
    sandbox = Sandbox()
    look(sandbox)
    assert {SPECS[str(one.operation)].kind.reads for one in sandbox.requests} == {True}
    found = look(sandbox, try_writes=True)
    assert len([*sandbox.records("calls")]) == 0
    scopes = [one for name, one in found.items() if name.startswith("scope:")]
    assert {one.state for one in scopes} == {CheckState.OK}
    assert len(scopes) == len([spec for spec in SPECS.values() if "{" not in spec.described.path])


def test_missing_scopes() -> None:
    """Each operation that needs one is named with it."""
    found = look(Sandbox(scopes=READS[1:]), try_writes=True)
    assert found["scope:campaigns.read"].state is CheckState.OK
    assert found["scope:calls.read"].state is CheckState.FAILED
    assert READS[0] in found["scope:calls.read"].message
    assert found["scope:calls.create"].state is CheckState.FAILED
    assert found["token"].state is CheckState.OK


def test_a_scope_that_no_given_operation_needs(capsys: pytest.CaptureFixture[str]) -> None:
    """With --operation, only what it needs counts."""
    with served(Sandbox(scopes=READS[1:], clock=time.time)) as url:
        code, found = doctor(capsys, "--base-url", url, "--operation", "campaigns read")
        assert code == 0, found
        assert [name for name in found if name.startswith("scope:")] == ["scope:campaigns.read"]
        code, _ = doctor(capsys, "--base-url", url, "--operation", "calls read")
        assert code == 1


def test_a_token_that_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Its scopes are not known then."""
    with served(Sandbox(token="another-token", clock=time.time)) as url:
        code, found = doctor(capsys, "--base-url", url)
    assert code == 1
    assert found["token"]["state"] == "failed"
    assert not [name for name in found if name.startswith("scope:")]


def test_no_token(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is not this machine needs one; the way to it is looked at anyway."""
    monkeypatch.delenv("HUBSPOT_ACCESS_TOKEN")
    found = look(Sandbox(token="another-token"), has_token=False)
    assert found["connection"].state is CheckState.OK
    assert found["token"].state is CheckState.FAILED
    assert "set HUBSPOT_ACCESS_TOKEN" in found["token"].message
    with served(Sandbox(clock=time.time)) as url:
        code, _ = doctor(capsys, "--base-url", url)
    assert code == 0


def test_a_server_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    """It is a sentence, and exit code 1."""
    code, found = doctor(capsys, "--base-url", "http://127.0.0.1:9")
    assert code == 1
    assert found["connection"]["state"] == "failed"
    assert "http://127.0.0.1:9 cannot be reached" in found["connection"]["message"]


def test_a_proxy(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named without its password; one that cannot be used is a finding, too."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://someone:{PASSWORD}@127.0.0.1:9")
    code, found = doctor(capsys)
    assert code == 1
    assert (found["proxy"]["proxy"], found["proxy"]["source"]) == (
        *("http://127.0.0.1:9", "HTTPS_PROXY"),
    )
    assert found["certificates"]["source"] == "certifi"
    assert found["connection"]["state"] == "failed"
    monkeypatch.setenv("HTTPS_PROXY", f"ftp://someone:{PASSWORD}@127.0.0.1:9")
    code, found = doctor(capsys)
    assert code == 1
    assert found["proxy"]["state"] == "failed"
    assert found["connection"]["state"] == "skipped"


def test_certificates(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The variable that names them is named, also where they cannot be read."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    _, found = doctor(capsys)
    assert found["certificates"]["source"] == "SSL_CERT_DIR"
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    code, found = doctor(capsys)
    assert code == 1
    assert "SSL_CERT_FILE cannot be used" in found["certificates"]["message"]
    assert found["certificates"]["state"] == "failed"
    assert found["connection"]["state"] == "skipped"


@pytest.mark.parametrize(
    ("apart", "state"), [(0, "ok"), (3, "ok"), (3600, "failed"), (-60, "failed")]
)
def test_a_clock_that_is_wrong(apart: int, state: str) -> None:
    """It is compared with the Date header, to which half the way belongs."""
    date = {"Date": "Mon, 30 Nov 2026 12:00:00 GMT"}
    there = 1796040000.5
    found = look(answering(200, date, json={"results": []}), wall=lambda: there + apart)
    assert found["clock"].state == state
    assert found["clock"].values["seconds_ahead"] == apart


@pytest.mark.parametrize(
    ("left", "state"), [("250000", "ok"), ("20000", "note"), ("0", "failed"), (None, "skipped")]
)
def test_the_day(left: str | None, state: str) -> None:
    """A day with few requests left is told before a load begins."""
    headers = {"X-HubSpot-RateLimit-Daily": "250000"}
    headers |= {} if left is None else {"X-HubSpot-RateLimit-Daily-Remaining": left}
    found = look(answering(200, headers, json={"results": []}))
    assert found["day"].state == state
    assert found["clock"].state is CheckState.SKIPPED
    assert found["allowance"].state is CheckState.SKIPPED


@pytest.mark.parametrize(
    ("status", "body", "name", "words"),
    [
        (404, {"x": 1}, "connection", "no address of HubSpot's API"),
        (405, {"x": 1}, "connection", "no address of HubSpot's API"),
        (407, {}, "connection", "A proxy wants you to log in"),
        (511, {}, "connection", "The network wants you to log in"),
        (500, {"status": "error"}, "connection", "HTTP 500"),
        (501, {"status": "error"}, "connection", "HTTP 501"),
        (429, {"status": "error", "policyName": "DAILY"}, "day", "for the day are spent"),
        (401, {"status": "error"}, "token", "HubSpot does not accept it"),
    ],
)
def test_what_would_end_a_run(status: int, body: dict[str, Any], name: str, words: str) -> None:
    """A response that a run cannot begin with is a failed finding."""
    found = look(answering(status, json=body))
    assert found[name].state is CheckState.FAILED, found
    assert words in found[name].message
    if name != "token":
        assert found["token"].state is CheckState.SKIPPED


@pytest.mark.parametrize("status", [423, 429, 477])
def test_an_answer_that_says_nothing_of_the_token(
    status: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a load can begin is not known then, so the exit code is not 0."""
    refused = answering(status, json={"status": "error", "message": "later"})
    found = look(refused)
    assert found["token"].state is CheckState.SKIPPED
    assert f"HTTP {status}" in found["token"].message
    with served(Sandbox(clock=time.time, rate_limit=(0, 10.0))) as url:
        code, told = doctor(capsys, "--base-url", url)
        assert (code, told["token"]["state"]) == (1, "skipped")
        assert cli.main(["doctor", "--base-url", url]) == 1
    assert "It is not known whether a load can begin" in capsys.readouterr().out


@pytest.mark.parametrize("by", ["option", "environment"])
def test_the_version_of_the_api(
    by: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests go to the version that a load would use, and the finding names it."""
    sandbox = Sandbox(clock=time.time)
    if by == "environment":
        monkeypatch.setenv("HUBSPOT_API_VERSION", "2026-03")
    given = ["--api-version", "2026-03"] if by == "option" else []
    with served(sandbox) as url:
        code, found = doctor(capsys, "--base-url", url, *given)
    assert code == 0
    assert found["api_version"]["versions"] == ["2026-03"]
    assert "2026-03" in found["api_version"]["message"]
    assert {"2026-03" in one.path for one in sandbox.requests} == {True}


def test_a_version_that_is_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a finding about the version, and not about the token."""
    monkeypatch.setenv("HUBSPOT_API_VERSION", "2099-03")
    code, found = doctor(capsys, "--base-url", "http://127.0.0.1:9")
    assert code == 1
    assert found["api_version"]["state"] == "failed"
    assert "2099-03" in found["api_version"]["message"]
    assert "token" not in found


def test_a_token_that_cannot_be_sent(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a finding about the token, which is not shown."""
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", f"{TOKEN}\u00e9")
    code, found = doctor(capsys, "--base-url", "http://127.0.0.1:9")
    assert (code, found["token"]["state"]) == (1, "failed")


@pytest.mark.parametrize("status", [200, 403, 503])
def test_a_page_in_place_of_the_api(status: int) -> None:
    """A portal's login page is not HubSpot."""
    found = look(answering(status, text="<html>Please log in</html>"))
    assert found["connection"].state is CheckState.FAILED
    assert found["token"].state is CheckState.SKIPPED


def test_a_folder_that_takes_no_journal(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in the place of a folder, and a folder in which SQLite cannot write."""
    (tmp_path / "file").touch()
    with served(Sandbox(clock=time.time)) as url:
        for name in ("file", "file/below"):
            code, found = doctor(capsys, "--base-url", url, "--out", str(tmp_path / name))
            assert code == 1
            assert "is no folder" in found["journal_folder"]["message"]
    (tmp_path / "file").unlink()

    def refuse(*_: Any, **__: Any) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(sqlite3, "connect", refuse)
    assert journal_folder(tmp_path).state is CheckState.FAILED
    assert [*tmp_path.iterdir()] == []


def test_a_folder_that_a_load_would_make(tmp_path: Path) -> None:
    """It need not be there; the folder above it is looked at, and nothing is left."""
    assert journal_folder(tmp_path / "a" / "b").state is CheckState.OK
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["--operation", "calls drop"],
            "'calls drop' is no operation; it is one of: calls",
        ),
        (["--nothing"], "unrecognized arguments"),
    ],
)
def test_wrong_use(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, in one line."""
    assert cli.main(["doctor", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_an_address_that_cannot_be_used(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is sent."""
    code, found = doctor(capsys, "--base-url", "http://api.hubapi.com")
    assert code == 1
    assert "only sent over https" in found["address"]["message"]
