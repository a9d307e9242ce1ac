"""Dates as people write them."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress

import pytest
from hubspot_batch._operations.dates import read_date, read_datetime
from hypothesis import given
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
    """Whatever its spelling."""
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
