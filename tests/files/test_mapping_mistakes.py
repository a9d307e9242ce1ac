"""Mistakes in mapping files: each is named with its line, and with the word that was meant."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from call_files import file
from hubspot_batch.files import InvalidRow, Mapping, MappingError, open_table, propose

FILE = "When,Title,Length,My date\n2026-01-31 09:30,Intro,90,31/01/2026\n"
GOOD = """operation = "calls create"
ignore = ["Length", "My date"]

[columns]
"When" = { property = "hs_timestamp" }
"Title" = "hs_call_title"
"""


def said(tmp_path: Path, was: str, now: str, text: str = GOOD) -> str:
    """The message after a change of a good mapping."""
    assert text.count(was) == 1
    path = file(tmp_path, text.replace(was, now), "calls.toml")
    with pytest.raises(MappingError) as caught:
        list(Mapping.load(path).inputs(file(tmp_path, FILE)))
    return caught.value.message


def test_the_mapping_without_mistakes(tmp_path: Path) -> None:
    path = file(tmp_path, GOOD, "calls.toml")
    assert len(list(Mapping.load(path).inputs(file(tmp_path, FILE)))) == 1


@pytest.mark.parametrize(
    ("was", "now", "line", "words"),
    [
        ("ignore =", "ignor =", 2, "there is no setting 'ignor'; did you mean ignore?"),
        ('["Length", "My date"]', "5", 2, "ignore must be a list of headings"),
        ('["Length", "My date"]', "{ a = 1 }", 2, "ignore must be a list of headings"),
        ("ignore =", 'ignore_unknown = "yes"\nignore =', 2, "ignore_unknown is 'yes', but must be"),
        ("[columns]", "[column]", 4, "there is no setting 'column'; did you mean columns?"),
        ("property", "propety", 5, "there is no setting 'propety'; did you mean property?"),
        ('timestamp" }', 'timestamp", join = 3 }', 5, "join must be a list of headings"),
        ('timestamp" }', 'timestamp", date = "day frist" }', 5, "did you mean day first?"),
        ('timestamp" }', 'timestamp", timezone = "europe/pari" }', 5, "mean Europe/Paris?"),
        ('timestamp" }', 'timestamp", empty = "cleer" }', 5, "did you mean clear?"),
        ('timestamp" }', 'timestamp", date = "%d.%Q" }', 5, "'%Q' is no part of a format"),
        ('timestamp" }', 'timestamp", date = "%H:%M" }', 5, "has no day, month and year"),
        ('timestamp" }', 'timestamp", date = "%d.%m.%Y %H:%M %p" }', 5, "%p needs %I"),
        ('timestamp" }', 'timestamp", date = "%d.%m.%Y %H:%M %Z" }', 5, "%Z"),
        ('timestamp" }', 'timestamp", date = "%Y-%m-%dT%H:%M:%SZ" }', 5, "write %z"),
        (
            '"hs_call_title"',
            '{ property = "hs_call_title", words = { Yes = "a", yes = "b" } }',
            *(6, "'yes' stands for two texts"),
        ),
        ('"hs_call_title"', "7", 6, "write a property's name, or settings in braces"),
        ('"hs_call_title"', '"hs_call_title"\n[set]\nx = [1]', 8, "must be a single value"),
        ('"hs_call_title"', '""', 6, "'' is no name; write a property's name"),
        ('"hs_call_title"', '" "', 6, "' ' is no name; write a property's name"),
        ('"hs_timestamp"', '""', 5, "'' is no name; write a property's name"),
        ('"hs_timestamp"', '"\\t"', 5, "is no name; write a property's name"),
        ('"hs_call_title"', '"PROPERTY"', 6, "PROPERTY stands for a name; write it"),
        ('"hs_timestamp"', '"PROPERTY"', 5, "PROPERTY stands for a name; write it"),
        ('"hs_call_title"', '"hs_call_title"\n[set]\n"" = "x"', 7, "'', which is no name"),
        ("calls create", "call create", 1, "did you mean calls create?"),
        ('["Length"', '["Title", "Length"', 2, '"Title" is in ignore and in [columns]'),
    ],
)
def test_a_mistake_is_named_with_its_line(
    tmp_path: Path, was: str, now: str, line: int, words: str
) -> None:
    message = said(tmp_path, was, now)
    assert f"calls.toml, line {line}:" in message
    assert words in message


@pytest.mark.parametrize("heading", ["", "Notes"])
def test_a_proposed_line_needs_a_name(tmp_path: Path, heading: str) -> None:
    """A line of a blank or repeated heading is refused until a person has written the name."""
    rows = f"When,Zzz,{heading},Notes\n2026-01-31 09:30,a,b,c\n"
    text = propose(open_table(path := file(tmp_path, rows)), "calls create")
    assert f'# "{heading} (column 3)" = "PROPERTY"'.replace('" (', '"(') in text
    made = file(tmp_path, text.replace('# "', '"'), "m.toml")
    with pytest.raises(MappingError, match=r"m\.toml, line \d+: .*PROPERTY stands for a name"):
        Mapping.load(made).check(open_table(path))


@pytest.mark.parametrize("option", ["Title=PROPERTY", "Title= "])
def test_an_option_needs_a_name(option: str) -> None:
    with pytest.raises(MappingError, match="--map 'Title="):
        Mapping.from_options(operation="calls create", map=[option])


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ('unit = "seconds"', "unit is for durations, and my_value is not known as one"),
        ('date = "day first"', "date is for dates and times, and my_value is not known as one"),
        ('time = "12:00"', "time is for dates and times, and my_value is not known as one"),
        ('timezone = "Europe/Paris"', "timezone is for dates and times, and my_value is not known"),
    ],
)
def test_a_setting_without_effect_is_refused(tmp_path: Path, setting: str, words: str) -> None:
    """The cell would be sent as it stands, in the file's unit or order of day and month."""
    now = f'"hs_call_title"\n"Length" = {{ property = "my_value", {setting} }}'
    text = GOOD.replace('"Length", ', "")
    assert words in said(tmp_path, '"hs_call_title"', now, text)


def test_a_property_in_other_letters(tmp_path: Path) -> None:
    """HubSpot's names are in lower case."""
    assert "Did you mean hs_timestamp?" in said(tmp_path, '"hs_timestamp"', '"HS_Timestamp"')


@pytest.mark.parametrize("order", [1, -1])
def test_a_column_is_used_once(tmp_path: Path, order: int) -> None:
    """Also where it is a part of another one, and whichever comes first."""
    lines = ['"Length" = { property = "hs_call_body", join = ["Title"] }', '"Title" = "x_title"']
    text = GOOD.replace('"Length", ', "")
    message = said(tmp_path, '"Title" = "hs_call_title"', "\n".join(lines[::order]), text)
    assert '"Title" is mapped twice' in message
    again = said(tmp_path, '"hs_timestamp"', '"hs_timestamp", join = ["When"]')
    assert '"When" is mapped twice' in again


def test_a_mapping_of_another_operation_is_named(tmp_path: Path) -> None:
    """The file that says so, also when options are joined to it."""
    path = file(tmp_path, GOOD.replace("calls create", "campaigns create"), "calls.toml")
    with pytest.raises(MappingError, match=r"calls\.toml is for campaigns create, and not for"):
        Mapping.from_options(operation="create_calls", map=[str(path)])


@pytest.mark.parametrize("given", ["calls.tom", "Date", "calls"])
def test_a_map_that_is_no_pair(given: str) -> None:
    """It may have been meant for a file."""
    with pytest.raises(MappingError, match=r"or name a mapping file, which ends in \.toml"):
        Mapping.from_options(operation="create_calls", map=[given])


@pytest.mark.parametrize("given", ["europe/paris", "EUROPE/PARIS", "paris", "Europe/Pari"])
def test_the_zone_that_was_meant(given: str) -> None:
    with pytest.raises(MappingError, match=r"did you mean Europe/Paris\?"):
        Mapping.from_options(operation="create_calls", timezone=given)


# ---------------------------------------------------------------- rows of programs

ROWS = Mapping.from_options(
    operation="calls create", map=["When=hs_timestamp", "Title=hs_call_title"], ignore=["More"]
)
MOMENT = "2026-01-31T09:30:00Z"


def test_a_column_of_mixed_types(tmp_path: Path) -> None:
    """Arrow has one type for a column, but a DataFrame may have any values in it."""
    pandas = pytest.importorskip("pandas")
    when = [MOMENT, dt.datetime(2026, 1, 31, 9, 30)]
    frame = pandas.DataFrame({"When": when, "Title": ["a", 5]})
    found = [made["properties"] for made in ROWS.inputs(frame)]
    assert [one["hs_timestamp"] for one in found] == [MOMENT, MOMENT]
    assert [one["hs_call_title"] for one in found] == ["a", "5"]


def test_what_is_no_table_of_pandas() -> None:
    """Neither a column, nor a table with a name twice, of which one would be lost."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame([[MOMENT, "a", "b"]], columns=["When", "Title", "Title"])
    with pytest.raises(MappingError, match='"Title" is there twice'):
        list(ROWS.inputs(frame))
    with pytest.raises(MappingError, match="and not Series"):
        list(ROWS.inputs(frame["When"]))


def test_a_mapping_that_lacks_a_key_has_an_empty_cell() -> None:
    """As in JSON Lines; a key that was not there before is another thing."""
    rows = [
        {"When": MOMENT, "Title": "a", "More": 1},
        {"Title": "b", "When": MOMENT},
        {"Title": "c"},
        {"When": MOMENT, "Title": "d", "Other": 1},
    ]
    first, second, third, fourth = ROWS.inputs(rows)
    assert first["properties"]["hs_call_title"] == "a"
    assert second["properties"] == {"hs_timestamp": MOMENT, "hs_call_title": "b"}
    assert isinstance(third, InvalidRow)
    assert "Row 3, When: it is empty" in third.reason
    assert isinstance(fourth, InvalidRow)
    assert '"Other" is not mapped' in fourth.reason
