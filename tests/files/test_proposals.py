"""Proposals: exports of known systems get a mapping that fits; nothing is guessed silently."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from call_files import HEADINGS, PLAIN, file
from hubspot_batch.files import InvalidRow, Mapping, MappingError, open_table, propose
from hubspot_batch.files.mapping_file import parse
from hubspot_batch.files.proposals import shipped
from hubspot_batch.files.table import FileForm, value_table
from hubspot_batch.files.toml import toml_key, toml_line, toml_value
from hypothesis import given
from hypothesis import strategies as st


def loaded(folder: Path, path: Path, *, change: tuple[str, str] = ("", "")) -> list[Any]:
    """The inputs of a file by the mapping that is proposed for it."""
    text = propose(open_table(path))
    return [*Mapping.load(file(folder, text.replace(*change), "m.toml")).inputs(path)]


AIRCALL = (
    "line,datetime (tz offset incl.),number timezone,datetime (utc),country_code,direction,from,to,"
    "answered,missed_call_reason,user,duration (total),duration (in call),voicemail,recording,"
    "comments,tags,call quality,team,call start time,call end time,aircall number,customer number,"
    "in-call duration,call id,call type,waiting time\n"
    "Shop,2026-05-04 12:20:30,Europe/Paris,2026-05-04 10:20:30.083,FR,inbound,33123450001,"
    '+33123450002,Yes,,Bo Lee,217,186,,https://calls.example/1,"Asked, twice",vip,,Sales,'
    "2026-05-04 12:20:30,2026-05-04 12:24:07,Shop (+33 1 23 45 00 02),+33 1 23 45 00 01,00:03:06,"
    "CA1,Answered,00:00:31\n"
    "Shop,2026-05-04 12:30:00,Europe/Paris,2026-05-04 10:30:00,FR,outbound,33123450002,33123450003,"
    "No,,Bo Lee,26,,,,,,,,2026-05-04 12:30:00,2026-05-04 12:30:26,Shop,+33,,CA2,Outbound,00:00:26\n"
)


def test_aircall(tmp_path: Path) -> None:
    """Its export loads with the proposed mapping as it is."""
    answered, missed = loaded(tmp_path, file(tmp_path, AIRCALL))
    assert answered["properties"] == {
        "hs_timestamp": "2026-05-04T10:20:30.083Z",
        "hs_call_direction": "INBOUND",
        "hs_call_status": "COMPLETED",
        "hs_call_from_number": "33123450001",
        "hs_call_to_number": "+33123450002",
        "hs_call_duration": "186000",
        "hs_call_recording_url": "https://calls.example/1",
        "hs_call_body": "Asked, twice",
    }
    assert missed["properties"]["hs_call_status"] == "NO_ANSWER"
    assert "hs_call_duration" not in missed["properties"]


SYSTEMS = {
    "Aircall older": (
        "line,date (TZ offset incl.),time (TZ offset incl.),number timezone,country_code,direction,"
        "from,to,answered,missed_call_reason,user,duration (total),duration (in call),via,"
        "voicemail,tags\n"
        "Shop,04/05/2026,12:20:30,Europe/Paris,FR,inbound,33123450001,33123450002,Yes,,Bo,40,31,,,\n",
        ('# timezone = "Europe/Paris"', 'timezone = "Europe/Paris"'),
        {
            "hs_timestamp": "2026-05-04T10:20:30Z",
            "hs_call_direction": "INBOUND",
            "hs_call_status": "COMPLETED",
            "hs_call_from_number": "33123450001",
            "hs_call_to_number": "33123450002",
            "hs_call_duration": "31000",
        },
    ),
    "Dialpad": (
        "call_id,master_call_id,email,name,date_started,date_rang,date_connected,date_ended,"
        "direction,category,categories,external_number,talk_duration,ringing_duration,was_recorded,"
        "entry_point_target_kind\n"
        "1,2,bo@example.com,Bo,2026-05-04 10:20:30.123456,,,,outbound,outgoing,,+1202,3.1,0.2,,\n",
        ("", ""),
        {
            "hs_timestamp": "2026-05-04T10:20:30.123Z",
            "hs_call_direction": "OUTBOUND",
            "hs_call_duration": "186000",
        },
    ),
    "RingCentral": (
        "Date,Time,Direction,From,To,Action Result,Duration,Name,Extension\n"
        "05/04/2026,1:05 PM,Incoming,(202) 555-0121,(202) 555-0122,Call connected,0:03:06,Bo,101\n",
        ('# timezone = "Europe/Paris"', 'timezone = "America/New_York"'),
        {
            "hs_timestamp": "2026-05-04T17:05:00Z",
            "hs_call_direction": "INBOUND",
            "hs_call_from_number": "(202) 555-0121",
            "hs_call_to_number": "(202) 555-0122",
            "hs_call_status": "COMPLETED",
            "hs_call_duration": "186000",
        },
    ),
    "Salesforce tasks": (
        "Id,WhoId,WhatId,Subject,ActivityDate,Status,Description,CallDurationInSeconds,CallType,"
        "CallDisposition,CallObject,OwnerId,CreatedDate\n"
        "00T1,0031,,Renewal,2026-05-04,Completed,Sent a quote,186,Outbound,Left voicemail,x,005,\n",
        ("", ""),
        {
            "hs_timestamp": "2026-05-04T12:00:00Z",
            "hs_call_title": "Renewal",
            "hs_call_body": "Sent a quote",
            "hs_call_status": "COMPLETED",
            "hs_call_duration": "186000",
            "hs_call_direction": "OUTBOUND",
            "hs_call_disposition": "b2cf5968-551e-4856-9783-52b3da59a7d0",
        },
    ),
    "HubSpot export": (
        "Record ID,Activity type,Title,Body,Activity date,Activity assigned to,"
        "Associated Contact IDs,Associated Company IDs,Associated Deal IDs\n"
        "1,Call,Renewal,Sent a quote,2026-05-04 12:20,Bo Lee,501;502,71,\n",
        ('# timezone = "Europe/Paris"', 'timezone = "Europe/Paris"'),
        {
            "hs_timestamp": "2026-05-04T10:20:00Z",
            "hs_call_title": "Renewal",
            "hs_call_body": "Sent a quote",
        },
    ),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_exports_of_other_systems(tmp_path: Path, name: str) -> None:
    """Each is known by its headings, and loads; where the zone is said nowhere, it must be said."""
    text, change, properties = SYSTEMS[name]
    path = file(tmp_path, text)
    assert f"Proposed from the mapping for {name}," in propose(open_table(path))
    (made,) = loaded(tmp_path, path, change=change)
    assert not isinstance(made, InvalidRow), made
    assert dict(sorted(made["properties"].items())) == dict(sorted(properties.items()))
    if name == "HubSpot export":
        assert [one["to"]["id"] for one in made["associations"]] == ["501", "502", "71"]


def test_every_shipped_mapping_has_a_source_and_fits_its_own_headings() -> None:
    """Settings that there are not, and targets that are taken twice, would be found here."""
    assert {one.name for one in shipped()} == {"Aircall", *SYSTEMS}
    for one in shipped():
        assert one.source
        for heading, value in one.columns.items():
            said = {"operation": one.operation, "columns": {heading: value}}
            (column,) = parse(said, one.name).columns
            columns = {heading, *column.join, "hs_timestamp"}
            if column.target == "hs_timestamp":
                columns.remove("hs_timestamp")
            assert Mapping(parse(said, one.name)).check(columns).targets


def test_unknown_headings_are_proposed_as_comments(tmp_path: Path) -> None:
    """Nothing is used that was not looked at: the run stops at these columns."""
    path = file(tmp_path, PLAIN)
    text = propose(open_table(path))
    assert tomllib.loads(text) == {"operation": "calls create", "ignore": [], "columns": {}}
    assert '# "Contact ID" = { associate = "contact" }   # 901 | 902;903' in text
    with pytest.raises(MappingError, match='"Deal ID" is not mapped'):
        loaded(tmp_path, path)
    text = text.replace('# "', '"')  # as a person would do
    mapping = Mapping.load(file(tmp_path, text, "m.toml"))
    assert [column.heading for column in mapping.settings.columns] == HEADINGS.split(",")
    assert len([*mapping.inputs(path)]) == 2


def test_hubspots_own_names(tmp_path: Path) -> None:
    """They map themselves, and show which operation it is."""
    path = file(tmp_path, "hs_name,hs_start_date,cost\nSpring,2026-05-04,5\n")
    said = tomllib.loads(propose(open_table(path)))
    assert said["operation"] == "campaigns create"
    assert said["columns"] == {"hs_name": "hs_name", "hs_start_date": "hs_start_date"}
    events = file(tmp_path, "objectId,eventName\n5,x\n")
    assert tomllib.loads(propose(open_table(events)))["operation"] == "marketing-events update"
    reads = tomllib.loads(propose(open_table(file(tmp_path, "id\n5\n")), "campaigns read"))
    assert reads == {"operation": "campaigns read", "ignore": [], "columns": {"id": "id"}}


@given(st.lists(st.text(min_size=1), min_size=1, max_size=5), st.text(min_size=1))
def test_a_proposal_is_always_toml(headings: list[str], cell: str) -> None:
    """Any headings and cells give a proposal that is TOML."""
    table = value_table(
        "a\nb", FileForm("jsonl").headed(headings), lambda: iter([[cell] * len(headings)])
    )
    assert "operation" in tomllib.loads(propose(table))


@given(
    st.recursive(
        st.text() | st.booleans() | st.integers(-(2**63), 2**63 - 1),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=6,
    ),
    st.text(),
)
def test_what_is_written_as_toml_is_read_as_that(value: Any, heading: str) -> None:
    """Values, keys and lines."""
    if not all(ok(text) for text in texts(value)) or not ok(heading):
        return
    assert tomllib.loads(f"x = {toml_value(value)}") == {"x": value}
    assert tomllib.loads(f"{toml_key(heading)} = 1") == {heading: 1}
    assert tomllib.loads(toml_line(heading, value)) == {heading: value}


def texts(value: Any) -> list[str]:
    """All texts within a value."""
    if isinstance(value, dict):
        return [one for key, inner in value.items() for one in (key, *texts(inner))]
    if isinstance(value, list):
        return [one for inner in value for one in texts(inner)]
    return [value] if isinstance(value, str) else []


def ok(text: str) -> bool:
    """Whether a text can be encoded."""
    return text.encode("utf-8", "replace").decode() == text
