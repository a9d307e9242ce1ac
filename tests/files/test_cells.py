"""Cells: one meaning or none, and a reason that names what is wrong."""

from __future__ import annotations

import datetime as dt
import re
from contextlib import suppress
from typing import Any

import pytest
from hubspot_batch.files import InvalidRow, Mapping, cells
from hubspot_batch.files.known import DIRECTIONS, DISPOSITIONS, STATUSES
from hubspot_batch.files.mapping_file import parse
from hubspot_batch.files.moments import day, duration, moment, zone_of
from hypothesis import given
from hypothesis import strategies as st

PARIS = "Europe/Paris"


def time(value: Any, form: str | None = None, zone: str = "UTC", at: dt.time | None = None) -> str:
    """Read a time."""
    return moment(value, form, zone_of(zone), at, milliseconds=True)


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("2026-04-05T06:07:08Z", "2026-04-05T06:07:08Z"),
        ("2026-04-05 06:07", "2026-04-05T06:07:00Z"),
        ("2026-04-05T06:07:08.090+0200", "2026-04-05T04:07:08.090Z"),
        ("2026-04-05 06:07:08 +0200", "2026-04-05T04:07:08Z"),
        ("2026-04-05 06:07:08 UTC", "2026-04-05T06:07:08Z"),
        ("Sun, 05 Apr 2026 06:07:08 GMT", "2026-04-05T06:07:08Z"),
        ("25/04/2026 06:07", "2026-04-25T06:07:00Z"),
        ("4/25/2026, 6:07:08\u202fPM", "2026-04-25T18:07:08Z"),
        ("25.04.2026", "2026-04-25T00:00:00Z"),
        ("25-Apr-2026", "2026-04-25T00:00:00Z"),
        ("Apr 25, 2026", "2026-04-25T00:00:00Z"),
        ("20260425", "2026-04-25T00:00:00Z"),
        ("1777100828000", "2026-04-25T07:07:08Z"),
        (" 2026-04-25 ", "2026-04-25T00:00:00Z"),
        ("'2026-04-25", "2026-04-25T00:00:00Z"),
        ('="2026-04-25"', "2026-04-25T00:00:00Z"),
    ],
)
def test_a_time_with_one_meaning(text: str, sent: str) -> None:
    """It is sent in UTC, to the second, or to the millisecond if it has any."""
    assert time(text) == sent


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("01/02/2026", 'several dates. Set date = "day first"'),
        ("3.4.26", "several dates"),
        ("06:07", "several dates"),
        ("2026-04", "several dates"),
        ("Monday", "several dates"),
        ("2026", "no date"),
        ("today", "no date"),
        ("31/02/2026", "no date"),
        ("0000-00-00 00:00:00", "no date"),
        ("1777100828", 'no date. If these are seconds, set date = "epoch seconds"'),
        ("46137", 'no date. If it is a number of Excel, set date = "excel"'),
        ("46137.25", 'set date = "excel"'),
        ("1970-01-01", "the year 1970, which is not plausible"),
        ("0026-04-05", "the year 26, which is not plausible"),
        ("9999-12-31", "the year 9999, which is not plausible"),
        ("1777100828", "no date"),
        ("0000000001777", "the year 1970"),
        ("2026-04-05 06:07 EST", "no date"),
        ("99999999999999999999999", "no date"),
        ("5. Mai 2026", "no date"),
        ("x" * 100, "..."),
    ],
)
def test_a_time_without_one_meaning(text: str, words: str) -> None:
    """Nothing is guessed, and the message says what to set."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are compared below
        time(text)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "form", "sent"),
    [
        ("01/02/2026", "day first", "2026-02-01T00:00:00Z"),
        ("01/02/2026", "month first", "2026-01-02T00:00:00Z"),
        ("1.2.26 6:07 PM", "day first", "2026-02-01T18:07:00Z"),
        ("2026-02-01 06:07", "day first", "2026-02-01T06:07:00Z"),
        ("1-2-2026 06:07 +0100", "month first", "2026-01-02T05:07:00Z"),
        ("1777100828", "epoch seconds", "2026-04-25T07:07:08Z"),
        ("1777100828.5", "epoch seconds", "2026-04-25T07:07:08.500Z"),
        ("1777100828000", "epoch milliseconds", "2026-04-25T07:07:08Z"),
        ("46137", "excel", "2026-04-25T00:00:00Z"),
        ("46137.2965046296", "excel", "2026-04-25T07:06:58Z"),
        (46137.25, "excel", "2026-04-25T06:00:00Z"),
        ("25|04|26 07h06", "%d|%m|%y %Hh%M", "2026-04-25T07:06:00Z"),
    ],
)
def test_the_format_of_a_column(text: Any, form: str, sent: str) -> None:
    """A format that is said makes certain what was not."""
    assert time(text, form) == sent


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("13/13/2026", "day first"),
        ("04/25/2026", "day first"),
        ("yesterday", "epoch seconds"),
        ("1e400", "excel"),
        ("9" * 30, "excel"),
        ("9" * 30, "epoch seconds"),
        ("2026-04-25", "%d/%m/%Y"),
        (True, None),
        ("9999-12-31T23:59:59-12:00", None),
    ],
)
def test_what_does_not_fit_its_format(text: Any, form: str | None) -> None:
    """It is refused with a sentence, whatever exception it led to."""
    with pytest.raises(ValueError, match=r"is no|does not fit|plausible"):
        time(text, form)


@pytest.mark.parametrize(
    ("text", "form", "other"),
    [
        ("1/31/26 9:30 AM", "day first", "month first"),
        ("12/13/2026", "day first", "month first"),
        ("\u00a012/13/2026", "day first", "month first"),
        ("31.1.2026 09:30", "month first", "day first"),
        ("13/13/2026", "day first", ""),
        ("31/02/2026", "day first", ""),
        ("13/12-2026x", "month first", ""),
    ],
)
def test_a_date_is_quoted_as_it_was_written(text: str, form: str, other: str) -> None:
    """The message has the cell, and the other order only if the date has one meaning in it."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are compared below
        time(text, form)
    assert str(caught.value).startswith(f"{text!r} is no date")
    hint = f'with the {form}. If the column has the {other}, set date = "{other}"'
    assert (hint in str(caught.value)) == bool(other)


def test_a_time_that_was_not_is_quoted_as_it_was_written() -> None:
    with pytest.raises(ValueError, match=r"^'25/10/2026 02:30' was there twice"):
        time("25/10/2026 02:30", "day first", PARIS)


@pytest.mark.parametrize("kind", ["moment", "day"])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("31/01/2026", "12/13/2026"),
        ("12.13.2026", "31.01.2026"),
        ("1/31/2026 12:00 AM", "31/1/2026 12:00 am"),
        ("'1-31-2026", "31-1-2026"),
        ("31/01/2026 00:00", "00:00 12/13/2026"),
    ],
)
def test_a_column_has_one_order(kind: str, first: str, second: str) -> None:
    """Each date has one meaning alone, but one of the two is wrong; the message names both."""
    settings = {"zone": dt.UTC, "time": None, "own": False, "date": None}
    read = cells.reader(kind, **settings)
    read("2026-12-13")
    read(first)
    with pytest.raises(ValueError, match=re.escape(f"{second!r} has the")) as caught:
        read(second)
    assert repr(first) in str(caught.value)
    read(first)
    assert cells.reader(kind, **settings)(second)


def test_dates_of_two_programs_in_one_column() -> None:
    """Each writes its own form, and each has its own order."""
    read = cells.reader("moment", zone=dt.UTC, time=None, own=False, date=None)
    for _ in range(2):
        assert read("30/04/2026 10:20") == "2026-04-30T10:20:00Z"
        assert read("4/30/26 10:20 AM") == "2026-04-30T10:20:00Z"
        assert read("4.30.2026 10:20") == "2026-04-30T10:20:00Z"


def test_the_zone_of_a_file() -> None:
    """It counts for times that name none; an hour that was twice or never has no single meaning."""
    assert time("2026-07-01 10:00", zone=PARIS) == "2026-07-01T08:00:00Z"
    assert time("2026-07-01 10:00Z", zone=PARIS) == "2026-07-01T10:00:00Z"
    assert time("1 July 2026 10:00 UTC", zone=PARIS) == "2026-07-01T10:00:00Z"
    for text in ("1 July 2026 10:00 UTC+0", "10:00 UTC 1 July 2026", "1 July 2026 10:00 +0000"):
        assert time(text, zone=PARIS) == "2026-07-01T10:00:00Z"
    assert time("10:00 01-31-2026", zone=PARIS) == "2026-01-31T09:00:00Z"
    assert time("1 July 2026 10 AM", zone=PARIS) == "2026-07-01T08:00:00Z"
    assert time("1 July 2026 10:00", zone=PARIS) == "2026-07-01T08:00:00Z"
    assert time(dt.datetime(2026, 7, 1, 10), zone=PARIS) == "2026-07-01T08:00:00Z"
    assert time("1777100828", "epoch seconds", PARIS) == "2026-04-25T07:07:08Z"
    with pytest.raises(ValueError, match="was there twice in Europe/Paris"):
        time("2026-10-25 02:30", zone=PARIS)
    with pytest.raises(ValueError, match="was never there in Europe/Paris"):
        time("2026-03-29 02:30", zone=PARIS)
    with pytest.raises(ValueError, match="no time zone 'Paris'"):
        zone_of("Paris")


def test_a_date_without_a_time() -> None:
    """It is midnight, or the time that is set for such dates."""
    noon = dt.time(12)
    for value in ("2026-04-25", "25 April 2026", dt.date(2026, 4, 25)):
        assert time(value, at=noon) == "2026-04-25T12:00:00Z"
        assert time(value) == "2026-04-25T00:00:00Z"
    assert time("2026-04-25T00:00:00", at=noon) == "2026-04-25T00:00:00Z"


@pytest.mark.parametrize(
    "spelled", ["0000", "00", "T00", "t00", "0h00", "12 am", "12am", "12 a.m."]
)
def test_midnight_is_a_time(spelled: str) -> None:
    """A cell that names a time keeps it, in any spelling, also without a colon."""
    written = "2026-04-25" if spelled.strip("Tt") in ("0000", "00") else "25 April 2026"
    gap = "" if spelled[0] in "Tt" else " "
    text = f"{written}{gap}{spelled}"
    assert time(text, at=dt.time(12)) == "2026-04-25T00:00:00Z"


def test_a_time_without_a_colon_is_no_date() -> None:
    """It is not cut off: the cell of a date is refused, and the cell of a time keeps it."""
    assert time("2026-04-25 1030", at=dt.time(12)) == "2026-04-25T10:30:00Z"
    with pytest.raises(ValueError, match="has a time"):
        day("2026-04-25 1030", None)


def test_days() -> None:
    """A property that is a date takes no time of day."""
    assert day("25 April 2026", None) == "2026-04-25"
    assert day(dt.datetime(2026, 4, 25), None) == "2026-04-25"
    assert day("4/5/2026", "day first") == "2026-05-04"
    for value in ("2026-04-25 07:00", "1066-10-14", "4/5/2026"):
        with pytest.raises(ValueError, match=r"has a time|plausible|several"):
            day(value, None)


@pytest.mark.parametrize(
    ("value", "unit", "sent"),
    [
        ("00:02:30", None, "150000"),
        ("2:30", None, "150000"),
        ("2:30", "hh:mm", "9000000"),
        ("2:30", "seconds", "150000"),
        ("1:02:03.500", None, "3723500"),
        ("90:00", None, "5400000"),
        ("150", "seconds", "150000"),
        ("150.0", "seconds", "150000"),
        ("150", "milliseconds", "150"),
        ("2.5", "minutes", "150000"),
        ("2,5", "minutes", "150000"),
        ("0.00173611111111111", "days", "150000"),
        ("1.15741E-05", "days", "1000"),
        (1 / 86_400, "days", "1000"),
        ("2m 30s", None, "150000"),
        ("2 min", None, "120000"),
        ("1 hour 2 minutes", None, "3720000"),
        ("1h2m3s", None, "3723000"),
        ("150 s", "minutes", "150000"),
        ("PT2M30S", None, "150000"),
        ("0", "seconds", "0"),
        (dt.timedelta(minutes=2, seconds=30), None, "150000"),
        (dt.time(0, 2, 30), None, "150000"),
        (150, "seconds", "150000"),
        (2.5, "minutes", "150000"),
    ],
)
def test_a_duration(value: Any, unit: str | None, sent: str) -> None:
    """It becomes milliseconds, whoever has written it."""
    assert duration(value, unit) == sent


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        ("150", None, "has no unit"),
        ("0.00347222222222222", None, 'set unit = "days"'),
        ("0.00347222222222222", "mm:ss", 'set unit = "days"'),
        (0.00347222222222222, None, 'set unit = "days"'),
        ("1.15741E-05", None, 'set unit = "days"'),
        ("0,00347222222222222", None, 'set unit = "days"'),
        ("0.25", None, 'set unit = "seconds", "minutes" or "days"'),
        ("0.5", "milliseconds", "less than a millisecond; check the column's unit"),
        (0.5, "milliseconds", "less than a millisecond"),
        ("1E-05", "seconds", "less than a millisecond"),
        (dt.timedelta(microseconds=1), None, "less than a millisecond"),
        ("150", "hh:mm:ss", "has no unit"),
        ("0.00173611111111111", "minutes", 'set unit = "days"'),
        ("1,234", "seconds", "thousands or a fraction"),
        ("-1:00", None, "is no duration"),
        ("12:65", None, "is no duration"),
        ("1:75:00", None, "is no duration"),
        ("1:00:00:00", None, "is no duration"),
        ("in progress", "seconds", "is no duration"),
        ("", "seconds", "is no duration"),
        ("30 h", None, "more than a day"),
        (-5, "seconds", "is no duration"),
        (dt.timedelta(seconds=-1), None, "is negative"),
    ],
)
def test_what_is_no_duration(value: Any, unit: str | None, words: str) -> None:
    """The unit is the column's, and is never guessed from the number."""
    with pytest.raises(ValueError, match=words):
        duration(value, unit)


@given(st.integers(0, 86_400_000))
def test_a_duration_is_what_it_was(milliseconds: int) -> None:
    """However it is written, the same milliseconds come out."""
    seconds, rest = divmod(milliseconds, 1000)
    clock = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"
    assert duration(clock, None) == str(milliseconds)
    assert duration(f"{milliseconds}", "milliseconds") == str(milliseconds)
    assert duration(dt.timedelta(milliseconds=milliseconds), None) == str(milliseconds)
    assert duration(f"{milliseconds / 1000:.3f}s", None) == str(milliseconds)


@given(st.datetimes(dt.datetime(1991, 1, 1), dt.datetime(2099, 1, 1)))
def test_a_time_is_what_it_was(naive: dt.datetime) -> None:
    """Written with its zone, or in the zone of the file, it is the same time."""
    utc = naive.replace(microsecond=0, tzinfo=dt.UTC)
    sent = f"{utc:%Y-%m-%dT%H:%M:%SZ}"
    there = utc.astimezone(zone_of(PARIS))
    assert time(there.isoformat()) == sent
    assert time(str(int(utc.timestamp())), "epoch seconds") == sent
    assert time(f"{utc:%d/%m/%Y %H:%M:%S}", "day first") == sent
    assert time(f"{utc:%m/%d/%Y %I:%M:%S %p}", "month first") == sent
    if there.replace(fold=1).utcoffset() == there.replace(fold=0).utcoffset():
        assert time(f"{there:%Y-%m-%d %H:%M:%S}", zone=PARIS) == sent


@given(st.text() | st.sampled_from(["1/2/3", "12:3", "T", "2026-", "+", "\u0661"]))
def test_no_text_is_too_strange(text: str) -> None:
    """Every text is a time or a ValueError, and so for durations and ids."""
    for read in (
        time,
        lambda it: time(it, "day first"),
        lambda it: time(it, "excel"),
        lambda it: day(it, None),
        lambda it: duration(it, "seconds"),
        cells.record,
    ):
        with suppress(ValueError):
            assert isinstance(read(text), str)


# ---------------------------------------------------------------- ids, numbers, words


@pytest.mark.parametrize(
    ("value", "sent"),
    [("101", "101"), (" 101 ", "101"), ("'101", "101"), ('="0101"', "0101"), (101, "101")],
)
def test_the_id_of_a_record(value: Any, sent: str) -> None:
    """Digits only, without what Excel puts around them."""
    assert cells.record(value) == sent


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("101.0", "without the fraction"),
        ("1.01E+14", "Excel has replaced digits"),
        ("1,01E+14", "Excel has replaced digits"),
        (1e16, "15 digits only"),
        (101.5, "15 digits only"),
        ("001Ab000000XyZ", "digits only"),
        ("ann@example.com", "an e-mail address or a link"),
        ("https://app.hubspot.com/contacts/1/record/0-1/101", "an e-mail address or a link"),
        ("nan", "what a program writes for no value"),
        ("#N/A", "what a program writes for no value"),
        ("#REF!", "an error of the spreadsheet"),
        ("0", "no id"),
        ("-5", "no id"),
        ("\u0661\u0660\u0661", "no id"),
        ("101 102", "no id"),
    ],
)
def test_what_is_no_id(value: Any, words: str) -> None:
    """A lost digit must not become another record."""
    with pytest.raises(ValueError, match=words):
        cells.record(value)


@pytest.mark.parametrize(
    ("kind", "value", "sent"),
    [
        ("phone", "+44 20 7946 0000", "+44 20 7946 0000"),
        ("phone", '="0044207946"', "0044207946"),
        ("phone", "020 7946-0000 ext. 5", "020 7946-0000 ext. 5"),
        ("phone", 442079460000, "442079460000"),
        ("phone", 442079460000.0, "442079460000"),
        ("phone", "anonymous", "anonymous"),
        ("text", "None", "None"),
        ("text", " 1e5 ", " 1e5 "),
        ("url", " https://a.example/x ", "https://a.example/x"),
        ("id", "7be1c9a2-93d4", "7be1c9a2-93d4"),
        ("flag", "Yes", True),
        ("flag", "FALSE", False),
        ("flag", True, True),
    ],
)
def test_other_kinds(kind: str, value: Any, sent: Any) -> None:
    """A value of each kind."""
    assert cells.reader(kind)(value) == sent


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("phone", "4.47E+11", "Excel has replaced digits"),
        ("phone", "12025550101.0", "without the fraction"),
        ("phone", "nan", "no value"),
        ("text", "nan", "no value"),
        ("text", "NaT", "no value"),
        ("text", "<NA>", "no value"),
        ("text", "#VALUE!", "error of the spreadsheet"),
        ("short", "None", "no value"),
        ("short", "null", "no value"),
        ("short", {"a": 1}, "a map, but must be one value"),
        ("short", float("inf"), "must be finite"),
        ("short", dt.datetime(2026, 1, 1), "a time without a zone"),
        ("url", "see below", "no address"),
        ("id", "a b", "has a space"),
        ("flag", "perhaps", "neither yes nor no"),
    ],
)
def test_what_is_not_plausible(kind: str, value: Any, words: str) -> None:
    """Values that only a program or a spreadsheet would have written are refused."""
    with pytest.raises(ValueError, match=words):
        cells.reader(kind)(value)


def option(options: Any, text: str) -> str:
    """Read an option."""
    read = cells.reader("option", options=options)
    assert read(text) == read(text)  # from memory the second time
    sent: str = read(text)
    return sent


def test_options() -> None:
    """In any case and with spaces; other words are refused with what there is."""
    assert option(DIRECTIONS, " inbound ") == "INBOUND"
    assert option(STATUSES, "No answer") == option(STATUSES, "no_answer") == "NO_ANSWER"
    words = {name.lower(): id_ for name, id_ in DISPOSITIONS.items()}
    assert option(words, "LEFT voicemail") == DISPOSITIONS["Left voicemail"]
    assert option(words, DISPOSITIONS["Busy"].upper()) == DISPOSITIONS["Busy"]
    own = "01234567-89ab-cdef-0123-456789abcdef"
    assert option(words, own) == own
    for text in ("Incoming", "Voicemail", "", "In", "Eingehend"):
        with pytest.raises(ValueError, match=r"is none of INBOUND, OUTBOUND; say what it means"):
            option(DIRECTIONS, text)
    with pytest.raises(ValueError, match="none of busy, connected"):
        option(words, "fine")


def test_the_advice_for_a_time_that_was_there_twice() -> None:
    """Both of the times that it proposes can be written into the cell."""
    mapping = Mapping.from_options(
        operation="calls create", map=["When=hs_timestamp"], timezone="Europe/Paris"
    )
    (bad,) = mapping.inputs([{"When": "2026-10-25 02:30"}])
    assert isinstance(bad, InvalidRow)
    advice = bad.reason.partition("; write ")[2].rstrip(".").split(" or ")
    assert len(advice) == 2
    found = mapping.inputs([{"When": text} for text in advice])
    times = [made["properties"]["hs_timestamp"] for made in found]
    assert times == ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"]


def test_excel_writes_fractions_with_a_comma_in_some_countries() -> None:
    columns = {"When": {"property": "hs_timestamp", "date": "excel"}}
    mapping = Mapping(parse({"operation": "calls create", "columns": columns}, "test"))
    (made,) = mapping.inputs([{"When": "46053,5"}])
    assert made["properties"]["hs_timestamp"] == "2026-01-31T12:00:00Z"


@pytest.mark.parametrize("separator", [",", "|", "/"])
def test_the_advice_for_several_ids(separator: str) -> None:
    """The separator that it names is the one that reads them."""
    row = {"hs_timestamp": "2026-01-31T09:30:00Z", "C": f"101{separator} 102"}
    given = {"operation": "calls create", "columns": {"C": {"associate": "contact"}}}
    (bad,) = Mapping(parse(given, "test")).inputs([row])
    assert isinstance(bad, InvalidRow)
    assert f"set separator = {separator!r}" in bad.reason
    given["columns"] = {"C": {"associate": "contact", "separator": separator}}
    (made,) = Mapping(parse(given, "test")).inputs([row])
    assert [one["to"]["id"] for one in made["associations"]] == ["101", "102"]
