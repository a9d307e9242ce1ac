"""Mapping: each column means what was said, or the run stops before it begins."""

from __future__ import annotations

import datetime as dt
import pickle
import re
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from call_files import FIRST, HEADINGS, MAPPING, PLAIN, SECOND, file, mapping, reasons
from hubspot_batch import InputError, OutcomeStatus
from hubspot_batch.files import (
    FileError,
    InvalidRow,
    Mapping,
    MappingError,
    Row,
    open_table,
)
from hubspot_batch.files.known import DISPOSITIONS
from hubspot_batch.sandbox import Sandbox

CONTACT, COMPANY, DEAL = 194, 182, 206


def options(**given: Any) -> Mapping:
    """A mapping for calls out of options."""
    return Mapping.from_options(**{"operation": "calls create", **given})


def one(given: Mapping, /, **row: Any) -> Any:
    """The input of one row, with a time if none is given."""
    (made,) = given.inputs([{"hs_timestamp": "2026-03-02T08:15:00Z", **row}])
    return made


def properties(given: Mapping, /, **row: Any) -> dict[str, Any]:
    """The properties of one row besides its time; the row must make an input."""
    made = one(given, **row)
    assert not isinstance(made, InvalidRow), made
    return {name: value for name, value in made["properties"].items() if name != "hs_timestamp"}


def test_a_file_of_calls(tmp_path: Path) -> None:
    """Every cell arrives where the mapping says."""
    first, second = mapping(tmp_path).inputs(file(tmp_path, PLAIN))
    assert first == {
        "properties": {
            "hs_timestamp": "2026-03-02T08:15:00Z",
            "hs_call_title": "Hello",
            "hs_call_body": "Asked for a price",
            "hs_call_direction": "INBOUND",
            "hs_call_status": "COMPLETED",
            "hs_call_disposition": DISPOSITIONS["Connected"],
            "hs_call_duration": "150000",
            "hs_call_from_number": "+1 202-555-0111",
            "hs_call_to_number": "+1 202-555-0112",
        },
        "associations": [
            {
                "to": {"id": "901"},
                "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": CONTACT}],
            }
        ],
    }
    assert isinstance(second, dict)
    assert [
        (made["to"]["id"], made["types"][0]["associationTypeId"]) for made in second["associations"]
    ] == [("902", CONTACT), ("903", CONTACT), ("71", COMPANY), ("81", DEAL)]


def test_a_client_takes_what_a_mapping_gives(make_client: Any, tmp_path: Path) -> None:
    """A row without an input is `failed` with line and column, and the others are created."""
    sandbox = Sandbox()
    text = f"{PLAIN}{FIRST.replace('2:30', 'long')}\n{FIRST.replace('Hello', 'Last')}\n"
    path = file(tmp_path, text)
    result = make_client(transport=sandbox).calls.create(mapping(tmp_path).inputs(path))
    assert [outcome.status for outcome in result.outcomes] == [
        OutcomeStatus.SUCCEEDED,
        OutcomeStatus.SUCCEEDED,
        OutcomeStatus.FAILED,
        OutcomeStatus.SUCCEEDED,
    ]
    (failed,) = result.failed
    assert failed.error.kind == "invalid_input"
    assert failed.error.message.startswith("Line 4, Duration: 'long' is no duration")
    titles = [record.properties["hs_call_title"] for record in sandbox.records("calls")]
    assert sorted(titles) == ["Again", "Hello", "Last"]


def test_an_invalid_row_has_no_input() -> None:
    """It is false, says why, and equals another with the same reason."""
    row = InvalidRow(5, [("From", "it is odd"), ("", "it is old")])
    assert not row
    assert row.reason == "Line 5, From: it is odd; it is old."
    assert row == InvalidRow(5, row.problems)
    assert row != InvalidRow(6, row.problems)
    assert "Line 5" in repr(row)
    assert dict(row.items()) == {"line": 5, "problem": row.reason}
    assert pickle.loads(pickle.dumps(row)) == row
    for use in (len, dict, list, lambda it: it["properties"]):
        with pytest.raises(Exception, match="Line 5, From"):
            use(row)


def test_a_file_that_breaks_gives_what_came_before(make_client: Any, tmp_path: Path) -> None:
    """The client says what stopped it, and has an outcome for each row before the fault."""
    path = file(tmp_path, f'{PLAIN}"{FIRST}\n')
    with pytest.raises(InputError) as caught:
        make_client(transport=Sandbox()).calls.create(mapping(tmp_path).inputs(path))
    assert isinstance(caught.value.__cause__, FileError)
    assert caught.value.__cause__.line == 4
    assert caught.value.result is not None
    assert len(caught.value.result.outcomes) == 2


# ---------------------------------------------------------------- columns that do not fit


def refused(given: Mapping, columns: str, operation: str | None = None) -> str:
    """Why the columns do not fit."""
    with pytest.raises(MappingError) as caught:
        given.check(columns.split(","), operation)
    return str(caught.value)


def test_a_column_that_is_not_mapped_stops_the_run(tmp_path: Path) -> None:
    """Each is named, with the line to add to the mapping."""
    said = refused(options(), f"hs_timestamp,{HEADINGS},hs_call_titel,Shoe size")
    for line in (
        '"Title" = { property = "hs_call_title" }',
        '"Duration" = { property = "hs_call_duration", unit =',
        '"Contact ID" = { associate = "contact" }',
        '"hs_call_titel" = "hs_call_title"',
        '"Shoe size" = "PROPERTY" or to its top: ignore = ["Shoe size"]',
    ):
        assert line in said
    assert said.startswith("The mapping does not fit the columns, so nothing was sent:\n- ")
    path = file(tmp_path, PLAIN)
    with pytest.raises(MappingError):
        options().inputs(path)  # before the first row is asked for


def test_the_line_that_is_printed_can_be_added(tmp_path: Path) -> None:
    """The lines that the message says to add are TOML that then fits."""
    lines = re.findall(r"\[columns\] of the mapping: (.*)", refused(options(), HEADINGS))
    text = 'operation = "calls create"\n[columns]\n' + "\n".join(lines)
    (first, *_) = mapping(tmp_path, text).inputs(file(tmp_path, PLAIN))
    assert isinstance(first, dict)
    assert first["properties"]["hs_call_title"] == "Hello"


@pytest.mark.parametrize(
    ("given", "columns", "words"),
    [
        ({"map": ["Strat=hs_timestamp"]}, "Start", 'column "Strat" .* Did you mean "Start"'),
        ({"map": ["A=hs_timestamp", "B=hs_timestamp"]}, "A,B", "are both mapped to hs_timestamp"),
        ({"map": ["A=hs_call_titel"]}, "hs_timestamp,A", "Did you mean hs_call_title"),
        ({"associate": ["person=A"]}, "hs_timestamp,A", "no association with 'person'"),
        ({"set": ["hs_call_status=Missed out"]}, "hs_timestamp", "'Missed out' is none of BUSY"),
        ({}, "hs_call_title", "No column is mapped to hs_timestamp, which HubSpot requires"),
        ({"map": ["Note=hs_call_body"]}, "hs_timestamp,Note (column 2),Note (column 3)", "2 times"),
        (
            {"operation": "campaigns create", "map": ["A=hs_color_hex"]},
            "hs_name,A",
            "does not let hs_color_hex be written",
        ),
        (
            {"operation": "campaigns create", "map": ["A=hs_strat_date"]},
            "hs_name,A",
            "Did you mean hs_start_date",
        ),
        ({"operation": "campaigns create"}, "hs_notes", "No column is mapped to hs_name"),
        (
            {"operation": "marketing-events update", "map": ["Room=room"]},
            "objectId,Room",
            r'"Room" = \{ custom = "room" \}',
        ),
        ({"operation": "marketing-events update"}, "eventName", "mapped to objectId"),
        ({"operation": "campaigns read", "associate": ["contact=A"]}, "id,A", "no association"),
    ],
)
def test_what_does_not_fit_is_said(given: dict[str, Any], columns: str, words: str) -> None:
    """Misspelled, forbidden, repeated and missing targets stop the run."""
    assert re.search(words, refused(options(**given), columns))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("operation = [", "it is no TOML"),
        ("colums = {}", "no setting 'colums'; did you mean columns"),
        ("columns = 1", "columns must be a table"),
        ("[columns]\nA = 1", "write a property's name"),
        ("[columns]\nA = {}", "name one of property, field"),
        ('[columns]\nA = { property = "x", field = "y" }', "name one of"),
        ('[columns]\nA = { property = "x", untis = "seconds" }', "did you mean unit"),
        ('[columns]\nA = { property = "x", unit = "weeks" }', "there are milliseconds"),
        ('[columns]\nA = { property = "x", date = "American" }', "there are day first"),
        ('[columns]\nA = { property = "x", time = "noon" }', 'write it as "12:00"'),
        ('[columns]\nA = { property = "x", words = { a = 1 } }', "words stand for texts"),
        ('[columns]\nA = { property = "x", empty = "null" }', "there are omit, clear"),
        ('timezone = "CET or so"', "there is no time zone"),
        ("ignore = [1]", "a list of headings"),
        ("[set]\na = [1]", "must be a single value"),
        ('operation = "calls delete"', "no operation 'calls delete'; there are calls create"),
        ('operation = "campaigns create"', "is for campaigns create, and not for calls create"),
    ],
)
def test_a_mapping_file_with_a_fault(tmp_path: Path, text: str, words: str) -> None:
    """The message names the file, or what it is for, and what there is."""
    with pytest.raises(MappingError, match=words):
        Mapping.load(file(tmp_path, text, "m.toml"), operation="calls create")


def test_a_mapping_without_an_operation(tmp_path: Path) -> None:
    """The message has the line to add; an argument does as well."""
    path = file(tmp_path, '[columns]\nA = "hs_timestamp"\n', "m.toml")
    assert 'operation = "calls create"' in refused(Mapping.load(path), "A")
    assert Mapping.load(path).check(["A"], "create_calls").operation.words == "calls create"
    with pytest.raises(MappingError, match="cannot be read"):
        Mapping.load(tmp_path / "none.toml")
    with pytest.raises(MappingError, match="not UTF-8"):
        Mapping.load(file(tmp_path, b"\xff", "m.toml"))


@pytest.mark.parametrize("option", ["A", "=b", "A="])
def test_an_option_with_a_fault(option: str) -> None:
    """It shows how the option is written."""
    with pytest.raises(MappingError, match="Column=property"):
        options(map=[option])


def test_options_and_files_together(tmp_path: Path) -> None:
    """Options win over the file before them; headings may have an equals sign."""
    path = file(tmp_path, MAPPING, "m.toml")
    given = options(
        map=[str(path), "Notes=hs_call_title", "Title=hs_call_body", "a=b=hs_call_to_number"],
        associate=["deal=Contact ID", "12=Company ID"],
        set=["hubspot_owner_id=77"],
        ignore=["To", "Deal ID"],
    )
    mapper = given.check([*HEADINGS.split(","), "a=b"])
    targets = dict(mapper.targets)
    assert targets["Notes"] == "hs_call_title"
    assert targets["a=b"] == "hs_call_to_number"
    assert targets["To"] == targets["Deal ID"] == "ignored"
    made = mapper.input(Row(2, [*SECOND.split(","), "1"]))
    assert isinstance(made, dict)
    assert made["properties"]["hubspot_owner_id"] == "77"
    kinds = [one["types"][0]["associationTypeId"] for one in made["associations"]]
    assert sorted({*kinds}) == [12, DEAL]


def test_the_digest_is_of_what_was_said(tmp_path: Path) -> None:
    """A file and options that say the same have the same digest; any change is another."""
    text = 'operation = "calls create"\ntimezone = "UTC"\n[columns]\nA = "hs_timestamp"\n'
    said = mapping(tmp_path, text).digest()
    assert options(map=["A=hs_timestamp"], timezone="UTC").digest() == said
    others = {
        mapping(tmp_path, text.replace(*change)).digest()
        for change in (("UTC", "Europe/Paris"), ("A =", "B ="), ("hs_timestamp", "hs_call_title"))
    }
    noon = '{ property = "hs_timestamp", time = "12:00" }'
    late = mapping(tmp_path, text.replace('"hs_timestamp"', noon))
    assert len({said, late.digest(), *others}) == 5


def test_headings_may_differ_in_case_and_space() -> None:
    """A mapping fits an export whose headings are spelled a little differently."""
    given = options(map=["Call  start=hs_timestamp"], ignore=["TAGS"])
    assert dict(given.check([" call START ", "tags"]).targets) == {
        " call START ": "hs_timestamp",
        "tags": "ignored",
    }
    assert "which HubSpot requires" in refused(given, "Call Start,call start,tags")


def test_what_we_wrote_behind_a_row_is_ignored() -> None:
    """A file of rejects can be handed in again."""
    mapper = options().check(["hs_timestamp", "_status", "_error", "_line"])
    assert [target for _, target in mapper.targets] == ["hs_timestamp", *["ignored"] * 3]


def test_unknown_columns_can_be_ignored_all_at_once() -> None:
    """By one option, which is said for each column."""
    mapper = options(ignore_unknown=True).check(["hs_timestamp", "x"])
    assert dict(mapper.targets)["x"] == "ignored"


# ---------------------------------------------------------------- no detection of types


@pytest.mark.parametrize("text", ["007", "1e5", " 5 ", "0.10", "TRUE", "2026-01-01", "12,5"])
def test_a_text_stays_the_text_that_it_is(text: str) -> None:
    """No detection of types."""
    made = properties(options(map=["x=my_own_property"]), x=text, hs_call_title=text)
    assert made == {"my_own_property": text, "hs_call_title": text}


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (7, "7"),
        (True, "true"),
        (1.0, "1"),
        (0.1, "0.1"),
        (1e22, "10000000000000000000000"),
        (Decimal("1.50"), "1.50"),
        (dt.date(2026, 3, 2), "2026-03-02"),
        (dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC), "2026-03-02T08:00:00Z"),
        (["a", "b"], "a;b"),
        (0, "0"),
        (False, "false"),
    ],
)
def test_values_of_python(value: Any, sent: str) -> None:
    """Values that are no text are written as HubSpot writes them."""
    assert properties(options(map=["x=my_own"]), x=value) == {"my_own": sent}


@pytest.mark.parametrize("value", [None, float("nan"), "", "  ", "\u00a0"])
def test_an_empty_cell(tmp_path: Path, value: Any) -> None:
    """It is left out, or clears the property if that is said."""
    assert properties(options(map=["x=my_own"]), x=value) == {}
    text = 'operation = "calls create"\n[columns]\nx = { property = "my_own", empty = "clear" }\n'
    assert properties(mapping(tmp_path, text), x=value) == {"my_own": ""}


# ---------------------------------------------------------------- settings of a column


def settings(tmp_path: Path, target: str, more: str) -> Mapping:
    """A mapping of the column x with settings."""
    return mapping(
        tmp_path,
        'operation = "calls create"\n[columns]\n' + f'x = {{ property = "{target}", {more} }}\n',
    )


def test_words(tmp_path: Path) -> None:
    """A word means what the table says, in any case; others are refused or kept."""
    table = 'words = { Incoming = "INBOUND", "Hung up" = "" }'
    given = settings(tmp_path, "hs_call_direction", table)
    assert properties(given, x=" incoming ") == {"hs_call_direction": "INBOUND"}
    assert properties(given, x="Outbound") == {"hs_call_direction": "OUTBOUND"}
    assert properties(given, x="hung UP") == {}
    assert "'Internal' is none of INBOUND, OUTBOUND" in one(given, x="Internal").reason
    strict = settings(tmp_path, "my_own", table)
    assert "none of the words" in one(strict, x="other").reason
    kept = settings(tmp_path, "my_own", f'{table}, others = "keep"')
    assert properties(kept, x="other") == {"my_own": "other"}


def test_a_date_and_a_time_joined(tmp_path: Path) -> None:
    """They are one time, as texts and as Excel gives them."""
    text = """
operation = "calls create"
timezone = "Europe/Berlin"
[columns]
Day = { property = "hs_timestamp", join = ["Time"], date = "month first" }
"""
    given = mapping(tmp_path, text)
    rows = [
        {"Day": "3/2/2026", "Time": "8:15 AM"},
        {"Day": dt.datetime(2026, 3, 2), "Time": dt.time(8, 15)},
        {"Day": dt.date(2026, 3, 2), "Time": dt.time(8, 15)},
        {"Day": "3/2/2026", "Time": ""},
        {"Day": "", "Time": "8:15"},
    ]
    *times, missing = given.inputs(rows)
    assert [made["properties"]["hs_timestamp"] for made in times] == [
        *["2026-03-02T07:15:00Z"] * 3,
        "2026-03-01T23:00:00Z",
    ]
    assert missing == InvalidRow(
        5, [("Day", "it is empty, but HubSpot requires hs_timestamp")], "row"
    )


def test_separators_and_categories(tmp_path: Path) -> None:
    """Lists are read as they are separated there; a type id may be the account's own."""
    text = """
operation = "calls create"
[columns]
Contacts = { associate = "contact", separator = "," }
Tags = { property = "my_tags", separator = "/" }
Own = { associate = 44, category = "USER_DEFINED" }
"""
    made = one(mapping(tmp_path, text), Contacts="1, 2,,2", Tags="a / b", Own="3")
    assert made["properties"]["my_tags"] == "a ; b"
    assert [(it["to"]["id"], *it["types"][0].values()) for it in made["associations"]] == [
        ("1", "HUBSPOT_DEFINED", CONTACT),
        ("2", "HUBSPOT_DEFINED", CONTACT),
        ("3", "USER_DEFINED", 44),
    ]


def test_a_column_that_is_joined_must_be_there(tmp_path: Path) -> None:
    """And a column means one thing only."""
    text = """
operation = "calls create"
[columns]
Day = { property = "hs_timestamp", join = ["Time"] }
"DAY " = "hs_call_title"
Who = { associate = "contact", words = { "Bo Lee" = "501" } }
"""
    given = mapping(tmp_path, text)
    said = refused(given, "Day,Tiime,Who")
    assert 'column "Time" that the table lacks. Did you mean "Tiime"' in said
    assert '"Day" is mapped twice' in said
    fixed = mapping(tmp_path, text.replace('"DAY " = "hs_call_title"', ""))
    mapper = fixed.check(["Day", "Time", "Who"])
    assert mapper.targets == (
        ("Day", "hs_timestamp"),
        ("Time", 'part of "Day"'),
        ("Who", "association with contact"),
    )
    made = mapper.input(Row(2, ["2026-03-02", "08:15", "bo lee"]))
    assert isinstance(made, dict)
    assert [it["to"]["id"] for it in made["associations"]] == ["501"]
    assert "Who: 'Al' is no id" in mapper.input(Row(3, ["2026-03-02", "8:15", "Al"])).reason  # type: ignore[union-attr]


def test_nothing_to_set_it_on() -> None:
    """A constant must have a place, and a value that its property takes."""
    assert "has no hs_name to set" in refused(
        options(operation="campaigns read", set=["hs_name=x"]), "id"
    )
    assert "'7.0' is not the id" in refused(options(set=["hubspot_owner_id=7.0"]), "hs_timestamp")


def test_constants() -> None:
    """Every record gets them; a cell of its own wins."""
    given = options(set=["hs_call_status=completed", "hs_call_title=Import", "my_own="])
    assert properties(given) == {
        "hs_call_status": "COMPLETED",
        "hs_call_title": "Import",
        "my_own": "",
    }
    assert properties(given, hs_call_title="x")["hs_call_title"] == "x"


# ---------------------------------------------------------------- the other operations


def test_campaigns() -> None:
    """Dates without a time; a line of totals is no campaign."""
    given = options(operation="campaigns create", map=["Day=hs_start_date", "Cost=cost"])
    rows = [
        {"hs_name": "Spring", "Day": "2 March 2026", "Cost": "1"},
        {"hs_name": "Spring", "Day": "2026-03-02T08:00:00Z", "Cost": "1"},
        {"hs_name": "", "Day": "2026-03-02", "Cost": "1"},
        {"hs_name": "Total:", "Day": "", "Cost": "2"},
    ]
    first, *others = given.inputs(rows)
    assert first == {
        "properties": {"hs_name": "Spring", "hs_start_date": "2026-03-02", "cost": "1"}
    }
    assert [it.split(", ", 1)[1] for it in reasons(others)] == [
        "Day: '2026-03-02T08:00:00Z' has a time, but the property is a date.",
        "hs_name: it is empty, but HubSpot requires hs_name.",
        "it looks like a line of totals, and not like a record.",
    ]


def test_event_updates(tmp_path: Path) -> None:
    """Fields have their own types, and custom properties stand apart."""
    text = """
operation = "marketing-events update"
timezone = "Europe/Paris"
[columns]
Event = "objectId"
Start = "startDateTime"
Off = "eventCancelled"
Room = { custom = "room" }
Seats = "customProperties.seats"
[set]
eventType = "TASTING"
"""
    given = mapping(tmp_path, text)
    row = {"Event": "501", "Start": "2026-07-01 10:00", "Off": "no", "Room": "A", "Seats": 12}
    made, bad = given.inputs([row, {**row, "Event": "x1", "Off": "maybe", "Room": None}])
    assert made == {
        "eventType": "TASTING",
        "objectId": "501",
        "startDateTime": "2026-07-01T08:00:00Z",
        "eventCancelled": False,
        "customProperties": [{"name": "room", "value": "A"}, {"name": "seats", "value": "12"}],
    }
    assert isinstance(bad, InvalidRow)
    assert [column for column, _ in bad.problems] == ["Event", "Off"]


def test_ids_to_read(make_client: Any, tmp_path: Path) -> None:
    """An input of a read is the id."""
    given = options(operation="campaigns read", map=["Campaign ID=id"], ignore=["Remark"])
    path = file(tmp_path, "Campaign ID,Remark\nc-1,x\n,y\n1.5E+12,z\n")
    made = [*given.inputs(path)]
    assert made[0] == "c-1"
    assert [it.split(":")[0] for it in reasons(made)] == [
        "Line 3, Campaign ID",
        "Line 4, Campaign ID",
    ]
    result = make_client(transport=Sandbox()).campaigns.read(given.inputs(path))
    assert [outcome.error.kind for outcome in result.outcomes][1:] == ["invalid_input"] * 2


def test_rows_in_the_form_of_the_api(tmp_path: Path) -> None:
    """JSON Lines may hold inputs as they are sent; a mapping adds to them."""
    line = '{"properties": {"hs_timestamp": "2026-03-02T08:15:00Z"}, "associations": []}'
    given = options(set=["hs_call_status=MISSED"])
    (made,) = given.inputs(file(tmp_path, f"{line}\n", "calls.jsonl"))
    assert made == {
        "properties": {"hs_timestamp": "2026-03-02T08:15:00Z", "hs_call_status": "MISSED"},
        "associations": [],
    }
    (bad,) = options().inputs([{"properties": "x"}])
    assert "must be in the API's own form" in bad.reason


# ---------------------------------------------------------------- rows of Python programs


class Frame:
    """The interface that every DataFrame of pandas has."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self._rows = rows

    def to_dict(self, orient: str) -> list[dict[str, Any]]:
        assert orient == "records"
        return self._rows


class NAType:
    """The missing value of pandas, which is neither true nor false."""

    def __eq__(self, other: object) -> Any:
        return self

    __ne__ = __eq__
    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        raise TypeError("boolean value of NA is ambiguous")


def test_a_dataframe_with_to_dict() -> None:
    """Missing values are empty cells, and ids that became floats are ids."""
    rows = [
        {"hs_timestamp": dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC), "Owner": 101.0, "T": NAType()},
        {"hs_timestamp": float("nan"), "Owner": 101.5, "T": "x"},
    ]
    given = options(map=["Owner=hubspot_owner_id", "T=hs_call_title"])
    first, second = given.inputs(Frame(rows))
    assert first == {
        "properties": {"hs_timestamp": "2026-03-02T08:00:00Z", "hubspot_owner_id": "101"}
    }
    assert isinstance(second, InvalidRow)
    assert [column for column, _ in second.problems] == ["Owner", "hs_timestamp"]
    assert second.reason.startswith("Row 2, ")


def test_a_table_of_arrow() -> None:
    """Any object with __arrow_c_stream__ is read by batches."""
    pa = pytest.importorskip("pyarrow")

    class Stream:
        def __init__(self, table: Any) -> None:
            self._table = table

        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            return self._table.__arrow_c_stream__(requested_schema)

    times = [dt.datetime(2026, 3, 2, 8, 0, n % 60, tzinfo=dt.UTC) for n in range(3000)]
    table = pa.table(
        {
            "hs_timestamp": pa.array(times, pa.timestamp("ns", "UTC")),
            "n": pa.array(range(3000), pa.int64()),
            "__index_level_0__": pa.array(range(3000)),
        }
    )
    for frame in (Stream(table), table):
        made = [*options(map=["n=my_number"]).inputs(frame)]
        assert [it["properties"]["my_number"] for it in made] == [str(n) for n in range(3000)]
        assert made[59]["properties"]["hs_timestamp"] == "2026-03-02T08:00:59Z"


def test_a_dataframe_without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """An object with both ways is read by the other one; one with neither says what is missing."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    class Both(Frame):
        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            raise AssertionError

    class Only:
        __arrow_c_stream__ = Both.__arrow_c_stream__

    (made,) = options().inputs(Both([{"hs_timestamp": "2026-03-02T08:15:00Z"}]))
    assert made == {"properties": {"hs_timestamp": "2026-03-02T08:15:00Z"}}
    with pytest.raises(FileError, match="need pyarrow: pip install"):
        options().inputs(Only())


def test_rows_are_read_when_they_are_needed() -> None:
    """An endless iterable is no problem; a row with other columns has its own answer."""

    def rows() -> Iterator[dict[str, Any]]:
        yield {"hs_timestamp": "2026-03-02T08:15:00Z"}
        yield {"hs_timestamp": "2026-03-02T08:15:00Z", "hs_call_title": "x"}
        yield {"hs_timestamp": "2026-03-02T08:15:00Z", "Tittle": "x"}
        raise AssertionError("this row was not asked for")

    made = options().inputs(rows())
    assert isinstance(next(made), dict)
    assert next(made)["properties"]["hs_call_title"] == "x"  # type: ignore[index,call-overload]
    odd = next(made)
    assert isinstance(odd, InvalidRow)
    assert '"Tittle" is not mapped' in odd.reason


@pytest.mark.parametrize("rows", [5, {"a": 1}, ["text"], None])
def test_what_are_no_rows(rows: Any) -> None:
    """A message says what rows are."""
    with pytest.raises(MappingError, match="of headings to values, and not"):
        list(options().inputs(rows))


def test_times_without_a_zone_are_said(tmp_path: Path) -> None:
    """A note says that they are taken as UTC, unless a zone is given."""
    table = open_table(file(tmp_path, PLAIN))
    plain = mapping(tmp_path).mapper(table)
    assert plain.notes == ()
    (_, first), *_ = plain.rows(table)
    assert first["properties"]["hs_timestamp"] == "2026-03-02T08:15:00Z"  # type: ignore[index,call-overload]
    assert "taken as UTC" in plain.notes[0]
    zone = options(map=[str(tmp_path / "mapping.toml")], timezone="Europe/Paris").mapper(table)
    (_, first), *_ = zone.rows(table)
    assert first["properties"]["hs_timestamp"] == "2026-03-02T07:15:00Z"  # type: ignore[index,call-overload]
    assert zone.notes == ()


@pytest.mark.parametrize(
    ("cell", "date", "said"),
    [
        ("2026-03-02T08:15:00Z", "", False),
        ("2026-03-02 08:15 +01:00", "", False),
        ("2026-03-02 08:15 UTC", "", False),
        ("1772439300000", "epoch milliseconds", False),
        ("1772439300", "epoch seconds", False),
        ("02/03/2026 08:15 +0100", "%d/%m/%Y %H:%M %z", False),
        ("02/03/2026 08:15", "%d/%m/%Y %H:%M", True),
        ("2026-03-02", "", True),
        ("2 March 2026 8:15 AM", "", True),
        ("46083.34375", "excel", True),
        ("soon", "", False),
    ],
)
def test_the_zone_is_spoken_of_only_where_a_time_names_none(
    tmp_path: Path, cell: str, date: str, *, said: bool
) -> None:
    """The cells decide, and not that the column holds times."""
    path = tmp_path / "calls.csv"
    path.write_text(f"Start,Title\n{cell},x\n{cell},y\n")
    settings = f', date = "{date}"' if date else ""
    text = f'"Start" = {{ to = "hs_timestamp"{settings} }}\n"Title" = "hs_call_title"'
    said_in = tmp_path / "m.toml"
    said_in.write_text(f'operation = "calls create"\n[columns]\n{text}\n')
    table = open_table(path)
    mapper = Mapping.load(said_in).mapper(table)
    assert [*mapper.rows(table)]
    assert any("taken as UTC" in note for note in mapper.notes) is said


def test_each_row_with_what_became_of_it(tmp_path: Path) -> None:
    """A job gets the rows too, to write them back."""
    table = open_table(file(tmp_path, PLAIN))
    pairs = [*mapping(tmp_path).map_rows(table)]
    assert [row.line for row, _ in pairs] == [2, 3]
    assert pairs[0][0].cells == FIRST.split(",")


def test_values_of_numpy_and_pandas_are_sent_as_their_python_counterparts() -> None:
    """Rows that Python programs give hold them, whatever the kind of their column."""
    np, pd = pytest.importorskip("numpy"), pytest.importorskip("pandas")
    for cell, sent in (
        *((np.int64(5), "5"), (np.float32(0.5), "0.5"), (np.float64(5), "5"), (5.0, "5")),
        *((np.True_, "true"), (np.False_, "false"), (np.array(["a", "b"]), "a;b"), (-0.0, "0")),
        *((np.datetime64("2026-01-31"), "2026-01-31"), (np.str_("x"), "x"), ({"b", "a"}, "a;b")),
    ):
        assert one(options(), hs_call_body=cell)["properties"]["hs_call_body"] == sent
    for cell in (
        np.ma.masked,
        pd.NA,
        pd.NaT,
        np.float32("nan"),
        Decimal("NaN"),
        np.array(None),
        [],
    ):
        assert "hs_call_body" not in one(options(), hs_call_body=cell)["properties"]
    made = one(options(), hs_timestamp=np.int64(1767225600000))
    assert made["properties"]["hs_timestamp"] == "2026-01-01T00:00:00Z"
    assert isinstance(one(options(), hs_call_body=np.timedelta64(5, "s")), InvalidRow)
    for cell in (np.float64(5), np.int32(5), Decimal("5.00")):  # a database has ids as decimals
        assert one(options(), hubspot_owner_id=cell)["properties"]["hubspot_owner_id"] == "5"
