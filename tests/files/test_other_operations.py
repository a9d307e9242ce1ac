"""Mappings of operations that change or read records: what they need, and what is proposed."""

from __future__ import annotations

from pathlib import Path

import pytest
from call_files import file
from hubspot_batch.files import Mapping, MappingError, open_table
from hubspot_batch.files.proposals import propose


@pytest.mark.parametrize(
    ("operation", "row", "properties"),
    [
        ("calls update", {"id": "51", "hs_call_title": "New"}, {"hs_call_title": "New"}),
        ("campaigns update", {"id": "c1", "hs_notes": "New"}, {"hs_notes": "New"}),
        ("calls upsert", {"id": "x", "idProperty": "key", "hs_call_title": "N"}, None),
    ],
)
def test_a_change_needs_no_property_of_a_new_record(
    operation: str, row: dict[str, str], properties: dict[str, str] | None
) -> None:
    """HubSpot requires a time or a name of a new record only."""
    (made,) = Mapping.from_options(operation=operation).inputs([row])
    assert made["properties"] == (properties or {"hs_call_title": "N"})


@pytest.mark.parametrize(
    ("operation", "heading", "target"),
    [
        ("campaigns read", "Campaign ID", "id"),
        ("campaigns update", "Record ID", "id"),
        ("marketing-events update", "Object ID", "objectId"),
        ("marketing-events update", "Marketing event ID", "objectId"),
        ("calls update", "Record ID", "id"),
    ],
)
def test_the_id_of_a_record_is_proposed(
    tmp_path: Path, operation: str, heading: str, target: str
) -> None:
    """The line that the message proposes can be used."""
    line = f'"{heading}" = "{target}"'
    with pytest.raises(MappingError, match=line):
        list(Mapping.from_options(operation=operation).inputs([{heading: "1"}]))
    table = open_table(file(tmp_path, f"{heading},x\n1,2\n"))
    assert f"# {line}" in propose(table, operation)


def test_the_id_of_another_system_is_not_proposed(tmp_path: Path) -> None:
    """The "call id" of Aircall is not HubSpot's."""
    with pytest.raises(MappingError) as caught:
        list(Mapping.from_options(operation="calls update").inputs([{"call id": "1"}]))
    assert '"call id" = "id"' not in caught.value.message


@pytest.mark.parametrize(
    ("headings", "operation", "lines"),
    [
        (
            "Campaign name,Start date,End date,Notes,Owner",
            "campaigns create",
            ['# "Campaign name" = "hs_name"', '# "Start date" = "hs_start_date"'],
        ),
        (
            "Event ID,Event name,Event type,Start",
            "marketing-events update",
            ['# "Event ID" = "objectId"', '# "Event name" = "eventName"'],
        ),
        ("Date,Subject,Notes,From,To", "calls create", ['"hs_call_title"']),
        ("a,b,c", "calls create", ['# "a" = "PROPERTY"']),
    ],
)
def test_the_operation_is_proposed_by_what_headings_are_like(
    tmp_path: Path, headings: str, operation: str, lines: list[str]
) -> None:
    """None of them is HubSpot's own name, and none is used before a person has said so."""
    row = ",".join("1" for _ in headings.split(","))
    made = propose(open_table(file(tmp_path, f"{headings}\n{row}\n")))
    assert f'operation = "{operation}"' in made
    for line in lines:
        assert line in made
