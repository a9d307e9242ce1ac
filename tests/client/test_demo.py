"""The demo: example files by the commands, against a sandbox on real loopback."""

from __future__ import annotations

import csv
import functools
import io
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from both_clients import clock_of
from hubspot_batch import ConfigurationError, HubSpotBatch, Retry
from hubspot_batch.cli import load
from hubspot_batch.cli import main as cli
from hubspot_batch.cli.demo import run as demo
from hubspot_batch.cli.demo.account import Loaded, disagreements, fill_account, look
from hubspot_batch.cli.demo.examples import EXAMPLES
from hubspot_batch.cli.demo.tables import DemoReport, DemoRow, Section, plain
from hubspot_batch.jobs import RowDone
from hubspot_batch.sandbox import FakeClock, Sandbox, SandboxTransport, rates, served
from hubspot_batch_client.contract import OPERATIONS
from hypothesis import given
from hypothesis import strategies as st

HOME = files("hubspot_batch.cli.demo").joinpath("examples")
FILES = [example.file for example in EXAMPLES]
# Operation: inputs, succeeded, failed, unknown, not sent.
TOTALS = {
    "campaigns create": [68, 62, 6, 0, 0],
    "campaigns read": [12, 5, 7, 0, 0],
    "marketing-events update": [65, 57, 8, 0, 0],
    "calls create": [432, 409, 23, 0, 0],
    "total": [577, 533, 44, 0, 0],
}


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HUBSPOT_ACCESS_TOKEN", "HUBSPOT_BASE_URL", "NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


def run(**options: Any) -> tuple[int, str]:
    """Run the demo with its output in a text; returns the exit code and the text."""
    stream = io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        code = demo.run(stream, cli._run, folder=Path(folder), **options)
    return code, stream.getvalue()


def totals(text: str) -> dict[str, list[int]]:
    """The last table of the output."""
    rows = re.findall(
        r"^([a-z -]+?) {2,}(\d+(?: +\d+)+)$", text.partition("All operations")[2], re.MULTILINE
    )
    return {name: [int(number) for number in numbers.split()] for name, numbers in rows}


def row_lines(text: str) -> dict[str, list[tuple[str, str]]]:
    """Where (file:line) and status of each row that the table of an operation lists."""
    listed: dict[str, list[tuple[str, str]]] = {}
    names = "|".join(TOTALS)
    parts = re.split(rf"^({names})\n", text.partition("All operations")[0], flags=re.MULTILINE)
    for operation, part in zip(parts[1::2], parts[2::2], strict=True):
        pattern = r"^(\w+\.csv:\d+)  .*?  (succeeded|failed|unknown|not sent)(?:  |$)"
        listed[operation] = re.findall(pattern, part, re.MULTILINE)
    return listed


def rows_of(name: str) -> list[int]:
    """The lines of a file at which a record begins, counted without the code under test."""
    lines, numbers = HOME.joinpath(name).read_bytes().decode("utf-8-sig"), []
    reader = csv.reader(io.StringIO(lines, newline=""))
    next(reader)
    before = reader.line_num
    for record in reader:
        if any(record):
            numbers.append(before + 1)
        before = reader.line_num
    return numbers


@pytest.fixture(scope="module")
def whole() -> str:
    """The output of `demo --all`."""
    code, text = run(everything=True)
    assert code == 0
    return text


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, list[Loaded]]:
    """The records of a sandbox before and after a run, and the outcomes of the run."""
    sandbox = Sandbox(seed=1)
    fill_account(sandbox)
    before = look(sandbox)
    with served(sandbox) as url:
        report, folder = DemoReport(io.StringIO()), tmp_path_factory.mktemp("demo")
        code, files_ = demo._load(url, "made-up", cli._run, report, folder)
    assert code == 0
    return before, look(sandbox), files_


# What the report says


def test_every_row_of_every_file_is_reported_once(whole: str) -> None:
    """No row is left out, and none is listed twice, whatever was wrong with it."""
    listed = row_lines(whole)
    assert list(listed) == [name for name in TOTALS if name != "total"]
    for operation, name in (
        ("campaigns create", "campaigns.csv"),
        ("campaigns read", "campaign_ids.csv"),
        ("marketing-events update", "event_updates.csv"),
        ("calls create", "calls.csv"),
    ):
        assert [where for where, _ in listed[operation]] == [
            f"{name}:{line}" for line in rows_of(name)
        ]


def test_the_totals_are_those_of_the_rows(whole: str) -> None:
    """Each line of the last table counts what the tables above list."""
    assert totals(whole) == TOTALS
    for operation, listed in row_lines(whole).items():
        inputs, *counts = totals(whole)[operation]
        found = Counter(status for _, status in listed)
        assert inputs == len(listed) == sum(counts)
        assert [found[name] for name in ("succeeded", "failed", "unknown", "not sent")] == counts


def test_without_all_successes_are_counted_and_the_rest_is_listed(whole: str) -> None:
    """The short form lists exactly what did not succeed, and names a few successes."""
    code, text = run()
    assert code == 0
    assert totals(text) == TOTALS
    for operation, listed in row_lines(whole).items():
        assert row_lines(text)[operation] == [one for one in listed if one[1] != "succeeded"]
    assert text.count("more (--all shows them).") == 4
    assert "Succeeded: New Year, new beans (id " in text


def test_every_kind_of_bad_row_says_where_and_why(whole: str) -> None:
    """The reader names line and column of what it refuses; HubSpot's refusals are in its words."""
    for reason in (
        "Line 20, Date: '03/04/2026 14:20' could be several dates. Set date = ",
        "Line 42, Date: 'last Tuesday' is no date.",
        "Outcome: 'VM' is none of busy, connected, left live message, left voicemail, ",
        "Contact ID: 'see notes' is no id; the id of a record is digits only.",
        "Duration: '12:75' is no duration; 90, 1:30, 0:01:30 and 1m 30s are some.",
        "it has 9 cells, but there are 12 headings.",
        "Name: it is empty, but HubSpot requires hs_name.",
        "Cancelled: 'maybe' is neither yes nor no.",
        "Date: it is empty, but HubSpot requires hs_timestamp.",
        "Direction: 'Internal' is none of INBOUND, OUTBOUND",
        "Marketing event records were not found: 330000009001",
        "Campaign records were not found: 7be1c9a2-93d4-4c7e-8f05-2f6f3d0b9e11\n",
        "Object ID: it is empty, but HubSpot requires objectId.",
    ):
        assert reason in whole


def test_output_that_is_piped_has_no_escapes_and_no_broken_lines(whole: str) -> None:
    """A file gets plain text, each row on a line of its own, and the whole of each reason."""
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\x9b]", whole)
    assert not re.search(r" $", whole, re.MULTILINE)
    (longest,) = (line for line in whole.splitlines() if line.startswith("calls.csv:261 "))
    assert "RINGING" in longest
    assert len(longest) > 200


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("no_color", [False, True])
def test_a_terminal_gets_colours_unless_it_wants_none(
    monkeypatch: pytest.MonkeyPatch, no_color: bool
) -> None:
    """Each status has its colour, lines fit the terminal, and NO_COLOR is obeyed."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "90")
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    report = DemoReport(stream)
    statuses = ["succeeded", "failed", "not_sent"]
    entries = tuple(
        DemoRow(
            "calls.csv", "a call " * 20, RowDone(at, at + 2, status, None, "refused", "why " * 40)
        )
        for at, status in enumerate(statuses)
    )
    section = Section("calls create", "3 rows of calls.csv", entries)
    report.section(section)
    report.summary([section])
    text = stream.getvalue()
    for colour in ("\x1b[32m", "\x1b[31m", "\x1b[36m"):
        assert (colour in text) is not no_color
    bare = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert max(map(len, bare.splitlines())) <= 90


def test_nothing_in_a_file_can_steer_a_terminal() -> None:
    """Control characters and markup out of a file or an answer are shown, never obeyed."""
    row = DemoRow("x.csv", "[red]\x1b[31m\x07\nname\x9b1m[/red]", RowDone(0, 2, "failed"))
    stream = io.StringIO()
    report = DemoReport(stream, everything=True)
    report.section(Section("calls create", "a row", (row,)))
    assert "[red]�[31m� name�1m[/red]" in stream.getvalue()


@given(st.text())
def test_plain_text_is_printable_and_on_one_line(text: str) -> None:
    """Any text becomes one line of printable characters."""
    assert plain(text).isprintable()


# What really happened


def test_the_client_and_the_account_agree(whole: str) -> None:
    """The last sentence is about what the sandbox holds, and how many requests it took."""
    assert re.search(
        r"Checked: the outcomes match the records in the sandbox, in \d+ requests\. All 533 rows "
        r"that succeeded are there, and nothing that failed or was not sent is there\.\n$",
        whole,
    )


@pytest.mark.parametrize(
    "fault",
    [
        "500_after",
        "closed_after",
        "truncated_json",
        "silent_noop",
        "drop_results",
        "bare_errors",
        "null_fields",
    ],
)
def test_what_the_client_says_holds_when_things_go_wrong(
    monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """Answers get lost or lie, and still nothing that succeeded is missing, or failed and there."""
    monkeypatch.setattr(demo, "Sandbox", functools.partial(Sandbox, faults={fault: 0.6}))
    # Reads and updates are sent again, and the test does not wait.
    hurried = functools.partial(HubSpotBatch, clock=clock_of(FakeClock()))
    monkeypatch.setattr(load, "HubSpotBatch", hurried)
    code, text = run()
    assert "Checked: the outcomes match the records in the sandbox" in text
    assert code == 0


def changed(records: Mapping[str, Any], id_: str, **changes: Any) -> dict[str, Any]:
    return {**records, id_: evolve(records[id_], **changes)}


def without(records: Mapping[str, Any], id_: str) -> dict[str, Any]:
    return {key: record for key, record in records.items() if key != id_}


def test_every_difference_is_found(loaded: tuple[Any, Any, list[Loaded]]) -> None:
    """A record that is missing, changed, doubled or there in spite of a failure is named."""
    before, after, sections = loaded
    assert disagreements(before, after, sections) == []
    call, event = list(after.calls)[5], "330000000201"
    first = next(given for given, done in sections[1].rows if done.status == "succeeded")
    missing = "7be1c9a2-93d4-4c7e-8f05-2f6f3d0b9e11"
    bad = {"properties": {"hs_call_direction": "INTERNAL"}}
    stray = evolve(after.calls[call], id="9", **bad)
    for wrong, words in (
        (evolve(after, calls=without(after.calls, call)), "A call that succeeded is not there"),
        (evolve(after, calls=without(after.calls, call)), f"The id {call} belongs to another"),
        (evolve(after, calls=changed(after.calls, call, **bad)), f"The id {call} belongs to"),
        (
            evolve(after, calls={**after.calls, "9": evolve(after.calls[call], id="9")}),
            "A call is there twice",
        ),
        (evolve(after, calls={**after.calls, "9": stray}), "or although it did not succeed"),
        (
            evolve(after, campaigns=without(after.campaigns, first)),
            f"The campaign {first} is not what was read",
        ),
        (
            evolve(after, campaigns={**after.campaigns, missing: stray}),
            f"The campaign {missing} was not found, but is there",
        ),
        (
            evolve(
                after, marketing_events=changed(after.marketing_events, event, custom_properties={})
            ),
            f"The event {event} does not hold",
        ),
        (
            evolve(after, marketing_events=without(after.marketing_events, event)),
            f"The event {event} does not hold",
        ),
        (
            evolve(after, marketing_events={**after.marketing_events, "7": stray}),
            "The event 7 does not hold",
        ),
    ):
        assert any(words in said for said in disagreements(before, wrong, sections)), words
    less = evolve(before, marketing_events=without(before.marketing_events, event))
    assert f"The event {event} was updated, but is not there." in disagreements(
        less, after, sections
    )


def test_a_difference_is_shown_and_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo does not claim that all is well when it is not."""
    monkeypatch.setattr(demo, "disagreements", lambda *_: ["A call is there twice."])
    code, text = run()
    assert code == 1
    assert text.endswith(
        "The sandbox does not hold what the client said:\n- A call is there twice.\n"
    )


# Other servers


def test_a_token_without_a_server_stays_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a token but no base URL the sandbox is used, is not told the token, and this is said."""
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", "pat-na1-secret")
    tokens: list[Any] = []

    def client(token: object, **options: Any) -> HubSpotBatch:
        tokens.append(token)
        return HubSpotBatch(token, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(load, "HubSpotBatch", client)
    code, text = run()
    assert code == 0
    assert "HUBSPOT_ACCESS_TOKEN is set, but is not used" in text
    assert "add --base-url https://api.hubapi.com --yes." in text
    assert "secret" not in text + str(tokens)


@pytest.fixture
def sandbox() -> Sandbox:
    """A sandbox that lets in one token only."""
    sandbox = Sandbox(token="right")
    fill_account(sandbox)
    return sandbox


@pytest.fixture
def url(sandbox: Sandbox) -> Iterator[str]:
    """Where that sandbox is served."""
    with served(sandbox) as address:
        yield address


def test_a_server_of_ones_own(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, url: str) -> None:
    """A base URL is loaded into with the token; no word is lost about what it holds."""
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", "right")
    code, text = run(base_url=url)
    assert code == 0
    assert totals(text) == TOTALS
    assert len(sandbox.records("calls")) == TOTALS["calls create"][1]
    assert "Checked" not in text


def test_loopback_needs_no_token() -> None:
    """A token is made up for a server on this machine."""
    with served(Sandbox()) as address:
        code, text = run(base_url=address)
    assert code == 0
    assert totals(text)["marketing-events update"] == [65, 0, 65, 0, 0]


def test_a_wrong_token_stops_the_run(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, url: str
) -> None:
    """After a 401 one sentence says so, every row has an outcome, and nothing was done."""
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", "wrong-and-secret")
    code, text = run(base_url=url, everything=True)
    assert code == 3
    assert text.count("Stopped: HubSpot does not accept the token") == 4
    inputs, succeeded, failed, unknown, not_sent = totals(text)["total"]
    assert (inputs, succeeded, unknown) == (577, 0, 0)
    assert failed + not_sent == inputs
    assert Counter(len(rows) for rows in row_lines(text).values()) == Counter([68, 12, 65, 432])
    assert "secret" not in text
    assert {entry.status for entry in sandbox.requests} == {401}
    assert not sandbox.records("calls")


def test_what_was_not_sent_is_said_once(url: str) -> None:
    """Without --all the rows that a stopped run left are counted, not listed."""
    code, text = run(base_url=url)
    assert code == 3
    assert totals(text)["calls create"] == [432, 0, 23, 0, 409]
    assert {status for _, status in row_lines(text)["calls create"]} == {"failed"}
    assert len(row_lines(text)["calls create"]) == 23
    assert "None succeeded." in text


def test_a_token_that_expires_leaves_what_was_done(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, url: str
) -> None:
    """Rows before the 401 are reported as done, and those after it as not sent."""
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", "right")
    sandbox.use_faults(rates({"expired_token": 1.0}, operation="update_marketing_events"))
    code, text = run(base_url=url)
    assert code == 3
    found = totals(text)
    assert found["campaigns create"] == TOTALS["campaigns create"]
    assert found["marketing-events update"][1] == 0
    assert found["calls create"] == TOTALS["calls create"]


def test_a_missing_scope_stops_one_operation_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other operations go on, and the end is that of a run that was stopped."""
    with served(Sandbox(scopes=OPERATIONS["create_calls"].scopes)) as address:
        code, text = run(base_url=address)
    assert code == 3
    assert text.count("Stopped: The token may not do this") == 3
    assert totals(text)["calls create"] == TOTALS["calls create"]


def test_a_server_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection ends in a sentence, and every row is accounted for."""
    impatient = functools.partial(HubSpotBatch, retry=Retry(max_attempts=1))
    monkeypatch.setattr(load, "HubSpotBatch", impatient)
    with served(Sandbox()) as address:
        pass
    code, text = run(base_url=address)
    assert code == 3
    assert "Stopped: No connection" in text
    assert totals(text)["total"][0] == 577


@pytest.mark.parametrize(
    ("base_url", "words"),
    [
        ("https://api.hubapi.com", "needs an access token: set HUBSPOT_ACCESS_TOKEN, or leave out"),
        ("http://api.hubapi.com", "only sent over https"),
        ("api.hubapi.com", "looks like https://host"),
        ("", "looks like https://host"),
    ],
)
def test_a_server_that_may_not_be_asked(base_url: str, words: str) -> None:
    """Nothing is sent without a token, or to an address that is none."""
    with pytest.raises(ConfigurationError, match=words):
        run(base_url=base_url)


def test_a_hubspot_account_is_never_filled_by_one_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token in the environment and an address are not enough: the records are made up."""
    asked: list[dict[str, Any]] = []

    def client(token: object, **options: Any) -> HubSpotBatch:
        asked.append(options)
        transport = SandboxTransport(Sandbox(rate_limit=None))
        return HubSpotBatch("made-up", transport=transport, on_event=options["on_event"])

    monkeypatch.setattr(load, "HubSpotBatch", client)
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", "made-up")
    with pytest.raises(ConfigurationError, match=r"made-up campaigns .* --yes"):
        run(base_url="https://api.hubapi.com")
    assert asked == []
    code, _ = run(base_url="https://api.hubapi.com", confirmed=True)
    assert code == 0
    assert [options["base_url"] for options in asked] == ["https://api.hubapi.com"] * 4


# The files


def test_the_files_are_what_people_would_have() -> None:
    """At least 500 records, a byte order mark, quoted line breaks, blank lines, made-up numbers."""
    texts = {name: HOME.joinpath(name).read_bytes() for name in FILES}
    rows = {name: len(rows_of(name)) for name in FILES}
    assert rows["calls.csv"] >= 400
    assert min(rows["campaigns.csv"], rows["event_updates.csv"]) >= 60
    assert texts["campaigns.csv"].startswith(b"\xef\xbb\xbfName,")
    assert b"\r\n" in texts["campaigns.csv"]
    assert texts["calls.csv"].endswith(b"\n\n")
    assert rows["calls.csv"] + 2 < len(texts["calls.csv"].splitlines())
    numbers = re.findall(rb"\+1[ \d()-]{9,}", texts["calls.csv"])
    assert len(numbers) > 800
    assert all(re.fullmatch(rb".*[ -]555-01\d\d", number) for number in numbers)
