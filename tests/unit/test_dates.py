"""Dates as people write them."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from typing import Any

import pytest
from hubspot_batch import ConfigurationError
from hubspot_batch._operations import call
from hubspot_batch._operations.dates import read_date, read_datetime
from hubspot_batch.files.moments import moment
from hubspot_batch_client.contract import Argument
from hubspot_batch_client.types import as_datetime
from hypothesis import example, given
from hypothesis import strategies as st

JANUARY = dt.date(2026, 1, 31)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31",
        "31 January 2026",
        "Jan 31, 2026",
        "31/01/2026",
        "01/31/2026",
        "31.1.2026",
        "2026/01/31",
        "2026-1-31",
        "2026-01-31 09:00:00 UTC",
        "2026-01-31T23:00:00Z",
        "20260131",
    ],
)
def test_what_means_one_day_is_read(text: str) -> None:
    """A day is read in any of its spellings."""
    assert read_date(text) == JANUARY


@pytest.mark.parametrize(
    "text", ["02/03/2026", "2.3.2026", "01/02/03", "May 2026", "10:30", "Monday"]
)
def test_what_could_mean_several_days_is_refused(text: str) -> None:
    """Day and month could change places, or a part is missing."""
    with pytest.raises(ValueError, match="could be several dates"):
        read_date(text)


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-02-30", "99/99/9999", "\x00", "1" * 500, "111111", "2026"]
)
def test_what_means_no_day_is_refused(text: str) -> None:
    """The sentence repeats the text."""
    with pytest.raises(ValueError, match=r"is no date|could be several"):
        read_date(text)


def test_nobody_writes_year_day_month() -> None:
    """A text that begins with the year has one meaning."""
    assert read_date("2026-2-3") == dt.date(2026, 2, 3)


def test_a_time_without_a_zone_is_utc() -> None:
    """HubSpot's own times are."""
    noon = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)
    assert read_datetime("2026-01-31 12:00") == noon
    assert read_datetime("31 Jan 2026 12:00") == noon
    assert read_datetime("2026-01-31T13:00+01:00") == noon
    assert read_datetime("31 Jan 2026 12:00 UTC") == noon
    assert read_datetime("Sat, 31 Jan 2026 13:00:00 +0100") == noon


@given(st.text(max_size=25))
def test_any_text_is_a_date_or_a_sentence(text: str) -> None:
    """Nothing else comes out, whatever a file holds."""
    with suppress(ValueError):
        assert isinstance(read_date(text), dt.date)


@given(
    st.dates(dt.date(1970, 1, 1), dt.date(2100, 1, 1)), st.sampled_from(["%d %B %Y", "%Y-%m-%d"])
)
def test_a_date_that_was_written_out_is_read_back(day: dt.date, form: str) -> None:
    """A month in letters leaves no doubt."""
    assert read_date(day.strftime(form)) == day


# ---------------------------------------------------------------- zones

TIME = Argument("x", "x", "query", required=False, form="time", schema={})


def every_reading(text: str) -> list[dt.datetime | None]:
    """Return what each reader makes of a text; None where it refuses it.

    The parser itself, cells of files, arguments of methods, and timestamps in models.
    """
    found: list[dt.datetime | None] = []
    readers = (
        (read_datetime, ValueError),
        (as_cell, ValueError),
        (as_argument, ConfigurationError),
    )
    for read, refusal in readers:
        try:
            found.append(read(text))
        except refusal:
            found.append(None)
    stamp = as_datetime(text)
    return [*found, stamp if isinstance(stamp, dt.datetime) else None]


def as_cell(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(moment(text, None, dt.UTC, None, milliseconds=False))


def as_argument(text: str) -> Any:
    return call._value(TIME, text)


READ = {
    "2026-01-31 09:30 UTC-05:00": "2026-01-31T14:30",
    "2026-01-31 09:30 GMT+1": "2026-01-31T08:30",
    "2026-01-31 09:30 utc +1": "2026-01-31T08:30",
    "2026-01-31T09:30:00Z-0700": "2026-01-31T16:30",
    "2026-01-31T09:30-05": "2026-01-31T14:30",
    "2026-01-31 09:30 -5:30": "2026-01-31T15:00",
    "31 Jan 2026 09:30 pm UTC+05:30": "2026-01-31T16:00",
    "Sat Jan 31 2026 09:30:00 GMT+0100 (Central European Standard Time)": "2026-01-31T08:30",
    "Sat Jan 31 09:30:00 -0500 2026": "2026-01-31T14:30",
    "Sat, 31 Jan 2026 09:30:00 +0100 (CET)": "2026-01-31T08:30",
    "Sat Jan 31 09:30:00 UTC 2026": "2026-01-31T09:30",
    "Sat 31 January 2026 at 9:30 a.m. Z": "2026-01-31T09:30",
}


@pytest.mark.parametrize("text", READ)
def test_an_offset_is_read_as_it_is_written(text: str) -> None:
    """Also behind the name of UTC, where dateutil turns its sign."""
    meant = dt.datetime.fromisoformat(READ[text]).replace(tzinfo=dt.UTC)
    assert every_reading(text) == [meant] * 4


@pytest.mark.parametrize(
    "text",
    [
        # Names that mean several zones, or none; and zones that the name and the offset contradict.
        *("2026-01-31 09:30 EST-5", "2026-01-31 09:30 CET+1", "2026-01-31 09:30 EST5EDT"),
        *("2026-01-31 09:30 EST +0100", "2026-01-31 09:30 +0100 UTC", "2026-01-31 09:30 UTC0"),
        *("2026-01-31 09:30 A", "2026-01-31 09:30 P", "2026-01-31 09:30 America/New_York"),
        # Spans, and two of what a date has once.
        *("2026-01-31/2026-02-01", "2026-01-31 09:30 - 10:30", "2026-01-31 09:30 10:30"),
        *("2026-01-31 09:30/10:30", "31 Jan - 2 Feb 2026", "Sat Sun 31 Jan 2026"),
        # An offset without a time, with a space in it, or with a sign that is no ASCII.
        *("2026-01-31+01:00", "2026-01-31-05:00", "20260131-0500", "2026-01-31 +01:00"),
        *("2026-01-31 09:30 + 01:00", "2026-01-31 09:30 \u221205:00", "2026-01-31 09:30 +05:75"),
        # Weekdays of other dates, hours of no clock, decimals for minutes, a sign before the year.
        *("Mon 31 Jan 2026", "Friday, 31.01.2026 09:30", "2026-01-31 00:30 PM"),
        *("2026-01-31 09.30", "2026-01-31x09:30", "-2026-01-31"),
    ],
)
def test_what_dateutil_reads_in_another_way_than_people_is_refused(text: str) -> None:
    """By all readers."""
    assert every_reading(text) == [None] * 4


def test_a_weekday_can_decide_which_number_is_the_month() -> None:
    """Only one order of day and month falls on it."""
    assert read_date("Sun 01/02/2026") == dt.date(2026, 2, 1)
    assert read_date("Fri 01/02/2026") == dt.date(2026, 1, 2)


CLOCKS = st.sampled_from(["09:30", "9:30", "09:30:00", "09:30:00.000", "9:30 am", "0930", "9h30"])
DATES = st.sampled_from(["2026-01-31", "31 Jan 2026", "Sat Jan 31 2026", "31.01.2026", "20260131"])
NAMES = st.sampled_from(
    ["", "UTC", "GMT", "Z", "utc", "UT", "EST", "CET", "PST8", "A", "T", "M", "Uhr", "ad", "m"]
)
SPACES = st.sampled_from(["", " ", "  ", "T", ", ", "/", "-"])
ENDS = st.sampled_from(["", " ", " 2026", " (CET)", " (Central European Time)", " UTC", "Z", "/2"])


@given(
    date=DATES,
    clock=CLOCKS,
    name=NAMES,
    sign=st.sampled_from("+-"),
    hours=st.integers(0, 99),
    minutes=st.integers(0, 99),
    form=st.sampled_from(["{h}", "{h:02}", "{h:02}{m:02}", "{h:02}:{m:02}", "{h}:{m:02}"]),
    gaps=st.tuples(SPACES, SPACES, SPACES),
    end=ENDS,
    ahead=st.booleans(),
)
@example("2026-01-31", "09:30", "UTC", "-", 5, 0, "{h:02}:{m:02}", (" ", " ", ""), "", False)
@example("20260131", "0930", "", "-", 5, 0, "{h:02}{m:02}", ("T", "", ""), "", False)
def test_a_zone_is_read_as_it_is_written_or_refused(
    date: str,
    clock: str,
    name: str,
    sign: str,
    hours: int,
    minutes: int,
    form: str,
    gaps: tuple[str, str, str],
    end: str,
    ahead: bool,
) -> None:
    """A zone is read in any of its spellings, in cells, arguments and models."""
    if "{m" not in form:
        minutes = 0
    offset = sign + form.format(h=hours, m=minutes)
    zone = f"{gaps[1]}{name}{gaps[2]}{offset}{end}"
    text = f"{clock}{zone}{gaps[0]}{date}" if ahead else f"{date}{gaps[0]}{clock}{zone}"
    written = dt.timedelta(hours=hours, minutes=minutes) * (-1 if sign == "-" else 1)
    meant = (dt.datetime(2026, 1, 31, 9, 30) - written).replace(tzinfo=dt.UTC)
    for read in every_reading(text):
        assert read is None or read == meant, (text, read, meant)
