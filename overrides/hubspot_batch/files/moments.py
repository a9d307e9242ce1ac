"""Reads dates, times and durations out of cells.

This module decides which single time or duration a cell means under a column's settings. It never
guesses: a cell that could mean several is refused.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from contextlib import suppress
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from hubspot_batch._operations.dates import read_datetime, read_iso

from .date_order import NUMBERS, order_hint, ordered
from .known import EARLIEST, LATEST
from .operations import nearest

NAMED = ("day first", "month first", "epoch seconds", "epoch milliseconds", "excel")
"""The formats of dates that have a name; another one is a format of strptime, with %."""


class AssumedUtc(dt.tzinfo):
    """The zone of times that name none, where none was set: UTC.

    Attributes:
        used: Whether there was such a time.
    """

    def __init__(self) -> None:
        self.used = False

    def utcoffset(self, _: dt.datetime | None) -> dt.timedelta:
        """Return no difference; a time that has this zone asks for it."""
        self.used = True
        return dt.timedelta(0)

    def dst(self, _: dt.datetime | None) -> None:
        """Return None: there is no summer time."""

    def tzname(self, _: dt.datetime | None) -> str:
        """Return the name."""
        return "UTC"


_EXCEL = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - times of Excel have no zone
# A zone by name anywhere, or an offset behind a time of day.
_ZONE = re.compile(
    r"\b(?:UTC|GMT)|\d\s?[Zz]\b"
    r"|:\d\d(?:[.,]\d+)?\s*(?:[AaPp]\.?[Mm]\.?)?\s*[+-]\d\d?(?::?\d\d)?\s*$",
    re.ASCII,
)
# A time of day in words of people, such as 10:30, 10h30 or 5 p.m.
_TIME = re.compile(r":|\d\s?(?:h\b|h\d|[ap]\.?\s?m\b)", re.ASCII | re.IGNORECASE)
_DIGITS = re.compile(r"\d+(?:[.,]\d+)?", re.ASCII)
_HUBSPOT_MILLISECONDS = 13
_AS_SENT = re.compile(r"\d{4}-\d\d-\d\dT(?!24)\d\d:\d\d:\d\dZ", re.ASCII)
_SECONDS = len("2026-01-31T09:30:00")


def moment(
    value: Any, form: str | None, zone: dt.tzinfo, time: dt.time | None, *, milliseconds: bool
) -> str:
    """Return a time as HubSpot takes it: ISO 8601 in UTC.

    Args:
        value: A text, or a date or time.
        form: The format of the column's dates; None for any that is certain.
        zone: The zone of a time that names none.
        time: The time of day of a date without one.
        milliseconds: Whether digits alone are milliseconds since 1970.

    Raises:
        ValueError: It means no time, several times, or one that is not plausible.
    """
    if form is None and time is None and type(value) is str and value[4:5] == "-":
        # Fast path for what programs write.
        with suppress(ValueError):
            as_sent = _AS_SENT.fullmatch(value)
            read = dt.datetime.fromisoformat(value) if as_sent else read_iso(value)
            if EARLIEST <= read.year < LATEST:
                if as_sent:
                    return value
                placed = read if read.tzinfo else _placed(read, zone, value)
                text = placed.astimezone(dt.UTC).isoformat()
                if len(text.partition("+")[0]) == _SECONDS:
                    return f"{text[:_SECONDS]}Z"
    read, dated = _read(value, form, milliseconds=milliseconds)
    if dated and time is not None:
        read = dt.datetime.combine(read.date(), time)
    if read.tzinfo is None:
        read = _placed(read, zone, value)
    try:
        utc = read.astimezone(dt.UTC)
    except OverflowError:
        raise ValueError(f"{_shown(value)} is no plausible time") from None
    _check_year(read.year, value)
    # HubSpot keeps milliseconds.
    timespec = "milliseconds" if utc.microsecond else "seconds"
    return f"{utc.replace(tzinfo=None).isoformat(timespec=timespec)}Z"


def day(value: Any, form: str | None) -> str:
    """Return a date as HubSpot takes it: YYYY-MM-DD.

    Raises:
        ValueError: It means no date, several dates, or one that is not plausible; or it is a time.
    """
    read, dated = _read(value, form, milliseconds=False)
    if not dated and read.time() != dt.time():
        raise ValueError(f"{_shown(value)} has a time, but the property is a date")
    _check_year(read.year, value)
    return read.date().isoformat()


def _check_year(year: int, value: Any) -> None:
    if not EARLIEST <= year < LATEST:
        raise ValueError(
            f"{_shown(value)} means the year {year}, which is not plausible{_hint(value)}"
        )


def _read(value: Any, form: str | None, *, milliseconds: bool) -> tuple[dt.datetime, bool]:
    """Return the time that a value means, and whether it is a date without a time of day."""
    if isinstance(value, dt.datetime):
        return dt.datetime.combine(value.date(), value.timetz()), False
    if isinstance(value, dt.date):
        return dt.datetime.combine(value, dt.time()), True
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{_shown(value)} is no date")
    text = plain(value if isinstance(value, str) else f"{value}")
    if form is None:
        # Nearly all texts of programs; what this refuses may still be a date.
        with suppress(ValueError):
            if not text.isdecimal() or len(text) == len("20260131"):
                return read_iso(text), _is_date(text)
        if milliseconds and text.isdecimal() and len(text) == _HUBSPOT_MILLISECONDS:
            form = "epoch milliseconds"
    return _formatted(text, form, _shown(value))


def _formatted(text: str, form: str | None, shown: str) -> tuple[dt.datetime, bool]:
    if form in ("epoch seconds", "epoch milliseconds", "excel"):
        if not _DIGITS.fullmatch(text):
            raise ValueError(f"{shown} is no number, and the format {form!r} needs one")
        number = float(text.replace(",", "."))
        try:
            if form == "excel":
                # Excel's fractions are rounded; people's times are whole seconds.
                seconds = round(number * 86_400)
                return _EXCEL + dt.timedelta(seconds=seconds), number.is_integer()
            factor = 1000 if form == "epoch milliseconds" else 1
            since = dt.timedelta(milliseconds=round(number * 1000 / factor))
            return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + since, False
        except OverflowError:
            raise ValueError(f"{shown} is no plausible time") from None
    if form is not None and "%" in form:
        try:
            read = dt.datetime.strptime(text, form)  # noqa: DTZ007 - a zone is added by the caller
        except ValueError:
            raise ValueError(f"{shown} does not fit the format {form!r}") from None
        return read, not any(code in form for code in ("%H", "%I", "%X", "%c", "%T", "%R"))
    written, text = text, text if form is None else ordered(text, form)
    try:
        read = read_datetime(text)
    except (ValueError, ArithmeticError) as error:
        several = "several" in str(error)
        sentence = f"{shown} {'could be several dates' if several else 'is no date'}"
        hint = order_hint(written, form) if form is not None and not several else ""
        raise ValueError(f"{sentence}{hint or _hint(written, sentence)}") from None
    if read.tzinfo == dt.UTC and not _ZONE.search(text):
        read = read.replace(tzinfo=None)
    return read, not _TIME.search(text) and read.time() == dt.time()


def _is_date(text: str) -> bool:
    """Whether a text of ISO 8601 has no time of day."""
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _placed(read: dt.datetime, zone: dt.tzinfo, value: Any) -> dt.datetime:
    """Put a time into a zone, where it must have been on the clock once."""
    placed = read.replace(tzinfo=zone)
    if isinstance(zone, ZoneInfo):
        other = placed.replace(fold=1)
        if placed.utcoffset() != other.utcoffset():
            there = placed.astimezone(dt.UTC).astimezone(zone).replace(tzinfo=None) == read
            what = "was there twice" if there else "was never there"
            both = f"write {placed.isoformat(' ')} or {other.isoformat(' ')}"
            raise ValueError(
                f"{_shown(value)} {what} in {zone.key}, because the clocks were changed; "
                f"{both if there else 'correct it, or set the timezone that it is from'}"
            )
    return placed


def plain(text: str) -> str:
    """Return a text without outer and unusual spaces, and without the marks of Excel."""
    text = text.strip()
    if text[:2] == '="' and text[-1:] == '"' and len(text) > 2:
        text = text[2:-1]
    elif text[:1] == "'":
        text = text[1:]
    if not text.isascii():
        text = "".join(" " if unicodedata.category(one) == "Zs" else one for one in text)
    return text


def _hint(value: Any, sentence: str = "") -> str:
    text = str(value).strip()
    if text.isdecimal() and len(text) == 10:
        return '. If these are seconds, set date = "epoch seconds"'
    if re.fullmatch(r"[345]\d{4}(\.\d+)?", text, re.ASCII):
        return '. If it is a number of Excel, set date = "excel"'
    if NUMBERS.match(text) and "several" in sentence:
        return '. Set date = "day first" or date = "month first"'
    return ""


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else str(value)
    return repr(text if len(text) <= 40 else f"{text[:37]}...")


@lru_cache(maxsize=64)
def zone_of(name: str) -> dt.tzinfo:
    """Return the time zone of a name such as `Europe/Paris`.

    Raises:
        ValueError: There is no such zone.
    """
    if name.upper() == "UTC":
        return dt.UTC
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        close = _zone_like(name)
        hint = f"did you mean {close}?" if close else "write it as Europe/Paris."
        raise ValueError(f"there is no time zone {name!r}; {hint}") from None


def _zone_like(name: str) -> str | None:
    """Return the zone that was meant: in other letters, without its continent, or misspelt."""
    zones = sorted(available_timezones())
    wanted = name.casefold().replace(" ", "_")
    city = (one for one in zones if wanted in (one.casefold(), one.rpartition("/")[2].casefold()))
    return next(city, None) or nearest(name, tuple(zones))


# ---------------------------------------------------------------- durations

UNITS = {
    "milliseconds": 1,
    "seconds": 1000,
    "minutes": 60_000,
    "hours": 3_600_000,
    "days": 86_400_000,
}
"""The milliseconds of each unit of a column's bare numbers."""

CLOCKS = ("hh:mm:ss", "mm:ss", "hh:mm")
"""The units of columns with clocks as cells."""

_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,4}):([0-5]\d)(\.\d{1,6})?", re.ASCII)
_SHORT_WHOLE = re.compile(r"\d{1,9}", re.ASCII)
# Excel writes a short part of a day as 1.15741E-05.
_NUMBER = re.compile(r"\d{1,12}(?:[.,]\d{1,24})?(?:[Ee]-\d{1,2})?", re.ASCII)
_SPELLED = re.compile(
    r"(?:(\d{1,4}(?:\.\d+)?)\s*(?:hours?|hrs?|h)(?![a-z])\.?\s*)?"
    r"(?:(\d{1,5}(?:\.\d+)?)\s*(?:minutes?|mins?|m)(?![a-z])\.?\s*)?"
    r"(?:(\d{1,6}(?:\.\d+)?)\s*(?:seconds?|secs?|s)(?![a-z])\.?)?",
    re.ASCII | re.IGNORECASE,
)
_ISO = re.compile(r"PT(?:(\d{1,4})H)?(?:(\d{1,5})M)?(?:(\d{1,6}(?:\.\d+)?)S)?", re.ASCII)


def duration(value: Any, unit: str | None) -> str:
    """Return a duration in milliseconds, as HubSpot takes it.

    Args:
        value: A text, a number, a timedelta or a time of day (which Excel makes of a duration).
        unit: What a bare number counts, or how a clock is read; None if only spelled-out durations
            and clocks with seconds are expected.

    Raises:
        ValueError: It is no duration, or could mean several.
    """
    if type(value) is str and unit in UNITS and _SHORT_WHOLE.fullmatch(value):
        found: float = int(value) * UNITS[unit]  # usually
    elif isinstance(value, dt.timedelta):
        found = value / dt.timedelta(milliseconds=1)
    elif isinstance(value, dt.time):
        found = ((value.hour * 60 + value.minute) * 60 + value.second) * 1000
    else:
        found = _milliseconds(plain(str(value)), unit)
    if found < 0:
        raise ValueError(f"{_shown(value)} is negative")
    if 0 < found < 1:
        raise ValueError(f"{_shown(value)} is less than a millisecond; check the column's unit")
    if found > UNITS["days"]:
        raise ValueError(f"{_shown(value)} is more than a day, which is not plausible")
    return str(round(found))


def _milliseconds(text: str, unit: str | None) -> float:
    if clock := _CLOCK.fullmatch(text):
        hours, minutes, seconds = int(clock[1] or 0), int(clock[2]), int(clock[3])
        if clock[1] and minutes > 59:
            raise ValueError(f"{_shown(text)} is no duration")
        if unit == "hh:mm" and not clock[1]:
            hours, minutes, seconds = minutes, seconds, 0
        return ((hours * 60 + minutes) * 60 + seconds + float(clock[4] or 0)) * 1000
    if _NUMBER.fullmatch(text):
        return _counted(text, unit)
    for pattern in (_SPELLED, _ISO):
        if (found := pattern.fullmatch(text)) and any(found.groups()):
            parts = [float(part or 0) for part in found.groups()]
            return ((parts[0] * 60 + parts[1]) * 60 + parts[2]) * 1000
    raise ValueError(f"{_shown(text)} is no duration; 90, 1:30, 0:01:30 and 1m 30s are some")


def _counted(text: str, unit: str | None) -> float:
    fraction = re.split("[.,]", text)[1:]
    if fraction and len(fraction[0]) > 6 and unit != "days":
        raise ValueError(
            f'{_shown(text)} looks like the part of a day that Excel stores: set unit = "days"'
        )
    if unit not in UNITS:
        words = '"seconds", "minutes" or "days"'
        raise ValueError(f"{_shown(text)} has no unit: set unit = {words} for the column")
    if "," in text and len(fraction[0]) == 3:
        raise ValueError(f"{_shown(text)} could mean thousands or a fraction")
    return float(text.replace(",", ".")) * UNITS[unit]
