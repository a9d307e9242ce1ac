"""The demo: example files through all four operations, against a sandbox on real loopback."""

from __future__ import annotations

import csv
import functools
import io
import re
import string
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

import pytest
from attrs import evolve
from both_clients import clock_of
from hubspot_batch import ConfigurationError, HubSpotBatch, OutcomeStatus, Retry
from hubspot_batch._matching.items import EncodedInput
from hubspot_batch._operations.registry import SPECS
from hubspot_batch._operations.validation import InputEncoder
from hubspot_batch.cli.demo import forms
from hubspot_batch.cli.demo import run as demo
from hubspot_batch.cli.demo.account import disagreements, fill_account, look
from hubspot_batch.cli.demo.rows import FileRow, Form, read_example, read_sheet
from hubspot_batch.cli.demo.tables import Entry, Report, Section, plain
from hubspot_batch.sandbox import FakeClock, Sandbox, SandboxTransport, rates, served
from hubspot_batch_client.contract import OPERATIONS
from hypothesis import given
from hypothesis import strategies as st

EXAMPLES = files("hubspot_batch.cli.demo").joinpath("examples")
FORMS = {
    form.file: form
    for form in (
        forms.CALLS,
        forms.CAMPAIGNS,
        forms.CAMPAIGN_IDS,
        forms.EVENT_UPDATES,
        forms.ACCOUNT_EVENTS,
    )
}
HEADINGS = {
    name: next(csv.reader([EXAMPLES.joinpath(name).read_text("utf-8-sig").splitlines()[0]]))
    for name in FORMS
}
# Operation: inputs, succeeded, failed, unknown, not sent, unmatched.
TOTALS = {
    "campaigns create": [68, 60, 6, 0, 2, 0],
    "campaigns read": [72, 65, 7, 0, 0, 0],
    "marketing events update": [65, 57, 8, 0, 0, 0],
    "calls create": [432, 406, 23, 0, 3, 0],
    "total": [637, 588, 44, 0, 5, 0],
}


# Reading people's dates takes longer than all the rest of a run.
read_once = functools.cache(read_example)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "read_example", read_once)
    for name in ("HUBSPOT_ACCESS_TOKEN", "NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


def run(**options: Any) -> tuple[int, str]:
    """Run the demo with its output in a file, so to speak; returns the exit code and the text."""
    stream = io.StringIO()
    return demo.run(stream, **options), stream.getvalue()


def totals(text: str) -> dict[str, list[int]]:
    """The last table of the output."""
    rows = re.findall(
        r"^([a-z ]+?) {2,}(\d+(?: +\d+)+)$", text.partition("All operations")[2], re.MULTILINE
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
    lines, numbers = EXAMPLES.joinpath(name).read_bytes().decode("utf-8-sig"), []
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
def loaded() -> tuple[Any, Any, list[Section]]:
    """The records of a sandbox before and after a run, and what the client said of the run."""
    sandbox = Sandbox(seed=1)
    fill_account(sandbox)
    before = look(sandbox)
    with served(sandbox) as url:
        loading = demo.load(url, "made-up", Report(io.StringIO()))
    return before, look(sandbox), loading.sections


# What the report says


def test_every_row_of_every_file_is_reported_once(whole: str) -> None:
    """No row is left out, and none is listed twice, whatever was wrong with it."""
    listed = row_lines(whole)
    assert list(listed) == [name for name in TOTALS if name != "total"]
    for operation, name in (
        ("campaigns create", "campaigns.csv"),
        ("marketing events update", "event_updates.csv"),
        ("calls create", "calls.csv"),
    ):
        assert [where for where, _ in listed[operation]] == [
            f"{name}:{line}" for line in rows_of(name)
        ]
    made = [where for where, status in listed["campaigns create"] if status == "succeeded"]
    ids = [f"campaign_ids.csv:{line}" for line in rows_of("campaign_ids.csv")]
    assert [where for where, _ in listed["campaigns read"]] == made + ids


def test_the_totals_are_those_of_the_rows(whole: str) -> None:
    """Each line of the last table counts what the tables above list."""
    assert totals(whole) == TOTALS
    for operation, listed in row_lines(whole).items():
        inputs, *counts, unmatched = totals(whole)[operation]
        found = Counter(status for _, status in listed)
        assert inputs == len(listed) == sum(counts)
        assert [found[name] for name in ("succeeded", "failed", "unknown", "not sent")] == counts
        assert unmatched == 0


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
        "Line 20, Date: '03/04/2026 14:20' could be several dates; write it as 2026-01-31 15:30.",
        "Line 42, Date: 'last Tuesday' is no date; write it as 2026-01-31 15:30.",
        "Outcome: 'VM' is none of Busy, Connected, Left live message, Left voicemail, ",
        "Contact ID: 'see notes' is no record's id, which is digits only.",
        "Duration: '12:75' is no duration; write minutes, mm:ss or h:mm:ss.",
        "it has 9 cells, but there are 12 headings.",
        "Line 64 says the same as line 62; a second record would come of it.",
        "Name: it is empty, and a campaign needs one.",
        "Cancelled: 'maybe' is neither yes nor no.",
        "Some required properties were not set: hs_timestamp",
        "INTERNAL was not one of the allowed options: ['INBOUND', 'OUTBOUND']",
        "Marketing event records were not found: 330000009001",
        "Campaign records were not found: 7be1c9a2-93d4-4c7e-8f05-2f6f3d0b9e11\n",
        "id is empty",
        "lacks objectId",
    ):
        assert reason in whole


def test_output_that_is_piped_has_no_escapes_and_no_broken_lines(whole: str) -> None:
    """A file gets plain text, each row on a line of its own, and the whole of each reason."""
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\x9b]", whole)
    assert not re.search(r" $", whole, re.MULTILINE)
    (longest,) = (line for line in whole.splitlines() if line.startswith("calls.csv:261 "))
    assert longest.endswith("]")
    assert len(longest) > 300


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("no_color", [False, True])
def test_a_terminal_gets_colours_unless_it_wants_none(
    monkeypatch: pytest.MonkeyPatch, loaded: tuple[Any, Any, list[Section]], no_color: bool
) -> None:
    """Each status has its colour, lines fit the terminal, and NO_COLOR is obeyed."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "90")
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    report = Report(stream)
    for section in loaded[-1]:
        report.section(section)
    report.summary(loaded[-1])
    text = stream.getvalue()
    for colour in ("\x1b[32m", "\x1b[31m", "\x1b[36m"):
        assert (colour in text) is not no_color
    bare = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert max(map(len, bare.splitlines())) <= 90


def test_nothing_in_a_file_can_steer_a_terminal() -> None:
    """Control characters and markup out of a file or an answer are shown, never obeyed."""
    row = FileRow("x.csv", 2, "[red]\x1b[31m\x07\nname\x9b1m[/red]", {}, None)
    stream = io.StringIO()
    report = Report(stream, everything=True)
    report.section(Section("calls create", "a row", (Entry(row),)))
    assert "[red]�[31m� name�1m[/red]" in stream.getvalue()


@given(st.text())
def test_plain_text_is_printable_and_on_one_line(text: str) -> None:
    """Any text becomes one line of printable characters."""
    assert plain(text).isprintable()


# What really happened


def test_the_client_and_the_account_agree(whole: str) -> None:
    """The last sentence is about what the sandbox holds, and what it took to get there."""
    said = " ".join(whole.split()).rpartition("The client's word")[2]
    assert re.fullmatch(
        r" agrees with what the sandbox holds, in \d+ requests: all 588 that succeeded are there, "
        r"nothing is there twice, and nothing that failed or was not sent is there\.",
        said,
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
    monkeypatch.setattr(demo, "HubSpotBatch", hurried)
    code, text = run()
    assert "The client's word agrees with what the sandbox holds" in text
    assert code == 0


def changed(records: Mapping[str, Any], id_: str, **changes: Any) -> dict[str, Any]:
    return {**records, id_: evolve(records[id_], **changes)}


def without(records: Mapping[str, Any], id_: str) -> dict[str, Any]:
    return {key: record for key, record in records.items() if key != id_}


def test_every_difference_is_found(loaded: tuple[Any, Any, list[Section]]) -> None:
    """A record that is missing, changed, doubled or there in spite of a failure is named."""
    before, after, sections = loaded
    assert disagreements(before, after, sections) == []
    call, event = list(after.calls)[5], "330000000201"
    (first, *_) = (id_ for id_ in after.campaigns if id_ not in before.campaigns)
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
            evolve(after, campaigns={**after.campaigns, "Roastery tours": stray}),
            "The campaign Roastery tours was not found, but is there",
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

    monkeypatch.setattr(demo, "HubSpotBatch", client)
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
    assert "agrees" not in text


def test_loopback_needs_no_token() -> None:
    """A token is made up for a server on this machine."""
    with served(Sandbox()) as address:
        code, text = run(base_url=address)
    assert code == 0
    assert totals(text)["marketing events update"] == [65, 0, 65, 0, 0, 0]


def test_a_wrong_token_stops_the_run(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, url: str
) -> None:
    """After a 401 one sentence says so, every row has an outcome, and nothing was done."""
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", "wrong-and-secret")
    code, text = run(base_url=url, everything=True)
    assert code == 3
    assert text.count("Stopped: HubSpot does not accept the token") == 1
    # What was unreadable was so before anybody asked for a token; the rest was not sent.
    assert totals(text)["total"] == [577, 0, 28, 0, 549, 0]
    assert Counter(len(rows) for rows in row_lines(text).values()) == Counter([68, 12, 65, 432])
    assert "secret" not in text
    assert {entry.status for entry in sandbox.requests} == {401}
    assert not sandbox.records("calls")


def test_what_was_not_sent_is_said_once(url: str) -> None:
    """Without --all the rows that a stopped run left are counted, not listed."""
    code, text = run(base_url=url)
    assert code == 3
    assert totals(text)["calls create"] == [432, 0, 18, 0, 414, 0]
    assert {status for _, status in row_lines(text)["calls create"]} == {"failed", "not sent"}
    assert len(row_lines(text)["calls create"]) == 21
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
    assert found["marketing events update"][1] == 0
    assert found["calls create"] == [432, 0, 18, 0, 414, 0]


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
    monkeypatch.setattr(demo, "HubSpotBatch", impatient)
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
        return HubSpotBatch("made-up", transport=SandboxTransport(Sandbox(rate_limit=None)))

    monkeypatch.setattr(demo, "HubSpotBatch", client)
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", "made-up")
    with pytest.raises(ConfigurationError, match=r"made-up campaigns and calls .* --yes"):
        run(base_url="https://api.hubapi.com")
    assert asked == []
    code, _ = run(base_url="https://api.hubapi.com", confirmed=True)
    assert (code, asked) == (0, [{"base_url": "https://api.hubapi.com"}])


# The files


def test_the_files_are_what_people_would_have() -> None:
    """At least 500 records, a byte order mark, quoted line breaks, blank lines, made-up numbers."""
    texts = {name: EXAMPLES.joinpath(name).read_bytes() for name in FORMS}
    rows = {name: len(rows_of(name)) for name in FORMS}
    assert rows["calls.csv"] >= 400
    assert min(rows["campaigns.csv"], rows["event_updates.csv"]) >= 60
    assert texts["campaigns.csv"].startswith(b"\xef\xbb\xbfName,")
    assert b"\r\n" in texts["campaigns.csv"]
    assert texts["calls.csv"].endswith(b"\n\n")
    assert rows["calls.csv"] + 2 < len(texts["calls.csv"].splitlines())
    numbers = re.findall(rb"\+1[ \d()-]{9,}", texts["calls.csv"])
    assert len(numbers) > 800
    assert all(re.fullmatch(rb".*[ -]555-01\d\d", number) for number in numbers)


def written(name: str, rows: list[dict[str, str]]) -> list[FileRow]:
    """Write rows under the headings of an example file, and read them."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, HEADINGS[name])
    writer.writeheader()
    writer.writerows(rows)
    return list(read_sheet(FORMS[name], stream.getvalue()).rows)


@pytest.mark.parametrize("name", FORMS)
def test_no_column_of_a_file_is_ignored(name: str) -> None:
    """Every column changes what is made of some row, except remarks."""
    text = EXAMPLES.joinpath(name).read_text("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))[:40]
    before = [row.input for row in written(name, rows)]
    for heading in set(HEADINGS[name]) - {"Remark"}:
        emptied = written(name, [{**row, heading: ""} for row in rows])
        assert before != [row.input for row in emptied], heading


def one_call(**cells: str) -> FileRow:
    """Read one row of calls; names are headings with an underscore for the space."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow([heading.replace("_", " ") for heading in cells])
    writer.writerow(cells.values())
    (row,) = read_sheet(forms.CALLS, stream.getvalue()).rows
    return row


@pytest.mark.parametrize(
    ("heading", "text", "name", "value"),
    [
        ("Date", "5 Jan 2026 15:04", "hs_timestamp", "2026-01-05T15:04:00Z"),
        ("Date", "Jan 5, 2026 3:04 PM", "hs_timestamp", "2026-01-05T15:04:00Z"),
        ("Date", "2026-01-05T15:04:00+01:00", "hs_timestamp", "2026-01-05T14:04:00Z"),
        ("Date", "31/01/2026 09:30", "hs_timestamp", "2026-01-31T09:30:00Z"),
        ("Duration", "12", "hs_call_duration", "720000"),
        ("Duration", "7.5 min", "hs_call_duration", "450000"),
        ("Duration", "0,5", "hs_call_duration", "30000"),
        ("Duration", "4:35", "hs_call_duration", "275000"),
        ("Duration", "90:00", "hs_call_duration", "5400000"),
        ("Duration", "1:02:10", "hs_call_duration", "3730000"),
        ("Direction", " inbound ", "hs_call_direction", "INBOUND"),
        ("Status", "No answer", "hs_call_status", "NO_ANSWER"),
        *(
            ("Outcome", words.upper(), "hs_call_disposition", id_)
            for words, id_ in forms.DISPOSITIONS.items()
        ),
    ],
)
def test_a_cell_means_what_it_says(heading: str, text: str, name: str, value: str) -> None:
    """Dates, durations, words and options become what the API takes."""
    row = one_call(**{heading: text})
    assert isinstance(row.input, Mapping)
    assert row.input["properties"] == {name: value}


def test_a_call_is_associated_with_every_record_that_is_named() -> None:
    """Contacts, a company and a deal, each by its own type."""
    row = one_call(Contact_ID="12; 13", Company_ID="7", Deal_ID="8")
    assert isinstance(row.input, Mapping)
    assert [
        (one["to"]["id"], one["types"][0]["associationTypeId"]) for one in row.input["associations"]
    ] == [("12", 194), ("13", 194), ("7", 182), ("8", 206)]


@pytest.mark.parametrize(
    ("heading", "text"),
    [
        ("Date", "03/04/2026"),
        ("Date", "99999999999999999999999999999999999999m UTC"),
        ("Date", "0001-01-01T00:00+14:00"),
        ("Duration", "1:75:00"),
        ("Duration", "soon"),
        ("Duration", "1.30.00"),
        ("Contact_ID", "12,13"),
        ("Deal_ID", "١٢"),
        ("Outcome", "fine"),
    ],
)
def test_a_cell_that_says_nothing_is_a_problem_of_its_row(heading: str, text: str) -> None:
    """The reason names line, column and cell, and ends in one full stop."""
    row = one_call(Title="x", **{heading: text})
    assert row.problem is not None
    assert row.problem.kind == "unreadable_row"
    assert row.problem.status is OutcomeStatus.FAILED
    assert row.problem.reason.startswith(f"Line 2, {heading.replace('_', ' ')}: '{text[:8]}")
    assert row.problem.reason.endswith(".")
    assert row.label == "x"


def test_a_file_may_be_empty_or_no_csv_at_all() -> None:
    """No headings, no rows; a field without an end is a row with a reason."""
    assert read_sheet(forms.CALLS, "").rows == ()
    (row,) = read_sheet(forms.CALLS, "Title\n" + "x" * 140_000).rows
    assert row.problem
    assert row.problem.reason.startswith("Line 2, it is no CSV (field larger than")


cells = st.one_of(
    st.text(max_size=20),
    st.text(string.digits + "/:.-+ apmTZJanUC", max_size=20),
    st.datetimes().map(str),
    st.sampled_from(["Connected", "yes", "12:30", "5 Jan 2026 3pm", "12; 13", ""]),
)


@given(st.sampled_from(list(FORMS.values())), st.data())
def test_a_row_is_an_input_or_a_reason(form: Form, data: st.DataObject) -> None:
    """Each row that is not blank becomes an input or a reason, for any cells."""
    width = len(HEADINGS[form.file])
    rows = data.draw(st.lists(st.lists(cells, min_size=width, max_size=width + 1), max_size=5))
    stream = io.StringIO()
    csv.writer(stream).writerows([HEADINGS[form.file], *rows])
    sheet = read_sheet(form, stream.getvalue())
    assert len(sheet.rows) + sheet.blank == len(rows)
    for row in sheet.rows:
        assert (row.input is None) is not (row.problem is None)


FILES: dict[str, InputEncoder] = {
    "calls.csv": SPECS["create_calls"].encoder("run", allow_implausible=True),
    "campaigns.csv": SPECS["create_campaigns"].encoder("run", allow_implausible=True),
    "event_updates.csv": SPECS["update_marketing_events"].encoder("run", allow_implausible=True),
}


@given(st.sampled_from(list(FILES)), st.data())
def test_an_input_has_the_form_that_the_client_takes(name: str, data: st.DataObject) -> None:
    """An input made of a row is never refused for its form, except for an id that is missing."""
    row = data.draw(st.tuples(*[cells for _ in HEADINGS[name]]))
    if name == "event_updates.csv":
        row = ("1", *row[1:])
    stream = io.StringIO()
    csv.writer(stream).writerows([HEADINGS[name], row])
    for made in read_sheet(FORMS[name], stream.getvalue()).rows:
        if made.problem is None:
            assert isinstance(FILES[name].encode(0, [made.input])[0], EncodedInput)


@given(st.sampled_from(list(FORMS.values())), st.text())
def test_no_text_is_too_strange_to_be_read(form: Form, text: str) -> None:
    """Any text at all is a file of rows, each with an input or a reason."""
    for row in read_sheet(form, text).rows:
        assert (row.input is None) is not (row.problem is None)
