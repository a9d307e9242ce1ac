# Copied from openapi/runtime/_dates.py; "make regenerate" writes it, do not edit.
"""Reads and writes dates and times, and guesses nothing.

`as_datetime` and `as_date` read what an API sends. They never raise: what they cannot read with
certainty stays as it came. `meanings` is what they share with other strict readers of dates.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

# dateutil takes the parts that a text lacks from a default. If a part of the date is missing, these
# two give different results.
_DEFAULTS = (dt.datetime(2000, 1, 1, tzinfo=dt.UTC), dt.datetime(2004, 2, 2, tzinfo=dt.UTC))

# Patterns are texts, which `re` compiles on first use: few programs meet a text that needs them.
_CLOCK = r"\d{1,2}:\d{1,2}(?::\d{1,2}(?:[.,]\d+)?)?"
# An offset stands behind a time: UTC+1, GMT-05:00, Z-0700, and JavaScript's GMT+0100 (name).
_OFFSET = (
    rf"(?P<time>{_CLOCK}(?:\s?[ap]m)?)\s*(?:UTC|GMT|Z)?\s*"
    r"(?P<sign>[+-])(?:(?P<hh>\d\d):?(?P<mm>\d\d)|(?P<h>\d{1,2})(?::(?P<m>\d\d))?)"
    r"(?![\d:.,/+-])(?:\s*\([a-z][a-z .]*\))?"
)
# Signs stand between the parts of a date, and not at a time, whose place a colon holds.
_STRAY_SIGN = r"[^\w\s:/.,-]|_|[-/]\s*:|:\s*[-/]|^\s*[-/.,]"
_FILL = frozenset(("t", "at", "on", "of", "st", "nd", "rd", "th", "h"))
_HALVES = frozenset(("am", "pm"))
_UTC = frozenset(("utc", "gmt", "z"))


def meanings(
    text: str,
    *,
    dayfirst: Sequence[bool],
    yearfirst: Sequence[bool] = (False,),
    zone: dt.tzinfo | None = None,
) -> set[dt.datetime]:
    """Return all times that a text can mean: several if it is ambiguous, none if it is no date.

    dateutil reads some texts in another way than people mean: it turns the sign of UTC-05:00, takes
    the last of two times, and ignores a weekday. So the offset is read here, and dateutil only gets
    a text that has each part of a date at most once.

    Args:
        text: The text, in any spelling that dateutil knows.
        dayfirst: Whether the day comes before the month, where both are numbers; each is tried.
        yearfirst: Whether a year of two digits comes first; each is tried.
        zone: The zone of a text that names none; None for a time without a zone.
    """
    from dateutil import parser  # noqa: PLC0415 - few texts need it

    def read_zone(name: str | None, offset: int | None) -> dt.tzinfo | None:
        if name is None and offset is None:
            return zone
        # Such as EST or IST, which mean several zones each; or an offset whose sign may be turned.
        if name is None or name.lower() not in _UTC or offset:
            raise ValueError(name)
        return dt.UTC

    if any(sign.isdecimal() and not sign.isascii() for sign in text):
        return set()  # dateutil reads digits of any script, and the patterns here do not
    try:
        text, offset = _split_offset(re.sub(r"(?i)\b([ap])\.\s?m\b\.?", r"\1m", text))
        info = parser.parserinfo()
        weekday = _weekday(text, info, has_offset=offset is not None)
        zone = zone if offset is None else offset
        found = {
            parser.parse(text, default=default, dayfirst=day, yearfirst=year, tzinfos=read_zone)
            for default in _DEFAULTS
            for day in dayfirst
            for year in yearfirst
        }
    except Exception:  # noqa: BLE001 - dateutil raises more than it says, such as InvalidOperation
        return set()
    return {read for read in found if weekday in (None, read.weekday())}


def _split_offset(text: str) -> tuple[str, dt.tzinfo | None]:
    """Return a text without the offset behind its time, and that offset as it is written."""
    found = re.search(_OFFSET, text, re.ASCII | re.IGNORECASE)
    if found is None:
        return text, None
    hours, minutes = int(found["hh"] or found["h"]), int(found["mm"] or found["m"] or 0)
    offset = dt.timedelta(hours=hours, minutes=minutes) * (-1 if found["sign"] == "-" else 1)
    if minutes > 59 or not _offset_exists(offset):
        raise ValueError(text)
    return f"{text[: found.start()]}{found['time']}{text[found.end() :]}", dt.timezone(offset)


def _weekday(text: str, info: Any, *, has_offset: bool) -> int | None:
    """Return the weekday that a text names; None if it names none.

    Args:
        text: The text, without an offset.
        info: The words that dateutil knows.
        has_offset: Whether the text had an offset, so that it names no other zone.

    Raises:
        ValueError: It has more than the parts of one date and one time, or signs that can belong to
            an offset or to a span of time.
    """
    clocks: list[str] = re.findall(_CLOCK, text, re.ASCII)
    rest = re.sub(_CLOCK, " : ", text, flags=re.ASCII)
    numbers: list[str] = re.findall(r"\d+", rest)
    words = [word.lower() for word in re.findall(r"[^\W\d_]+", rest)]
    months = [word for word in words if info.month(word)]
    days = [word for word in words if info.weekday(word) is not None]
    halves = [word for word in words if word in _HALVES]
    zones = [word for word in words if word in _UTC]
    known = {*_FILL, *months, *days, *halves, *zones}
    # A time without a colon, such as 5pm or 10h30.
    hours = 0 if clocks else 2 if "h" in words else len(halves)
    date = 2 if months else 3
    if (
        len(clocks) > 1
        or len(numbers) > date + hours
        or (len(numbers) > 1 and any(len(number) > 4 for number in numbers))
        or any(len(found) > 1 for found in (months, days, halves))
        or len(zones) > (0 if has_offset else 1)
        or not known.issuperset(words)
        or re.search(_STRAY_SIGN, rest)
        # Noon is 12 pm; there is no 0 pm.
        or (halves and clocks and int(clocks[0].split(":")[0]) == 0)
    ):
        raise ValueError(text)
    return info.weekday(days[0]) if days else None


def read_iso(text: str) -> dt.datetime:
    """Return the time of an ISO 8601 text.

    `fromisoformat` alone takes any sign between date and time, so it would read the offset of
    2026-01-31+01:00 as a time.

    Raises:
        ValueError: It is none.
    """
    if not re.fullmatch(_ISO, text, re.ASCII):
        raise ValueError(text)
    read = dt.datetime.fromisoformat(text)
    if not _offset_exists(read.utcoffset()):
        raise ValueError(text)
    return read


def _offset_exists(offset: dt.timedelta | None) -> bool:
    """Whether clocks of a place on earth can be so far from UTC, or no offset is given."""
    return offset is None or dt.timedelta(hours=-12) <= offset <= dt.timedelta(hours=14)


_ISO = (
    r"(?:\d{4}-?\d\d-?\d\d|\d{4}-?W\d\d(?:-?\d)?)"
    r"(?:[Tt ]\d\d(?::?\d\d(?::?\d\d(?:[.,]\d+)?)?)?"
    r"(?:[Zz]|[+-]\d\d(?::?[0-5]\d(?::?[0-5]\d(?:\.\d+)?)?)?)?)?"
)


class Timestamp(dt.datetime):
    """A time with the unusual spelling that it came in; `to_json` writes that spelling again.

    What is computed from one (another zone, a day later) is written in the usual spelling.
    """

    text: str = ""

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        return _keep_text, (dt.datetime.combine(self.date(), self.timetz()), self.text)


def _keep_text(value: dt.datetime, text: str) -> Timestamp:
    made = Timestamp.combine(value.date(), value.timetz())
    made.text = text
    return made


def as_datetime(value: Any) -> Any:
    """Read a timestamp; what neither the standard parser nor dateutil reads stays text."""
    if not isinstance(value, str):
        return value
    read = _read_before.get(value)
    if read is None:
        read = _read_datetime(value)
        if len(value) < 64:
            if len(_read_before) >= 256:
                _read_before.clear()
            _read_before[value] = read
    return read


# The records of one response were often created or changed at the same moment.
_read_before: dict[str, dt.datetime | str] = {}


def _read_datetime(text: str) -> dt.datetime | str:
    try:
        if _is_usual(text):
            return dt.datetime.fromisoformat(text)
        read = read_iso(text)
    except ValueError:
        other = _read_other_datetime(text)
        return text if other is None else _keep_text(other, text)
    return _keep_text(read, text)


def _is_usual(text: str) -> bool:
    """Whether a text, if it is a timestamp, is what `write_datetime` makes of it."""
    # Every third character from the fifth on is a sign, and only the last one can differ. Some
    # versions of Python read 24:00 as the midnight that follows.
    signs = text[4:20:3]
    if len(text) == 24:
        usual = signs == "--T::." and text[23] == "Z" and text[20:23] != "000"
    else:
        usual = signs == "--T::Z" and len(text) == 20
    return usual and text[11:13] != "24"


def _read_other_datetime(text: str) -> dt.datetime | None:
    """Read a text that has a whole year and only one meaning."""
    found = meanings(text, dayfirst=[False])
    if len(found) != 1:
        return None
    (read,) = found
    # dateutil guesses the century of a short year.
    found_years = re.finditer(_YEAR, text, re.ASCII)
    years = [year for year in found_years if int(year[0][:4]) == read.year]
    if not years:
        return None
    # After a year comes the month. Otherwise, day and month could change places.
    if any(text[: year.start()].strip() == "" for year in years):
        return read
    return read if meanings(text, dayfirst=[True]) == found else None


# A year, by itself or with what follows when date and time are written without a sign between.
# It is compiled on first use, since few programs meet such a text.
_YEAR = r"(?<!\d)\d{4}(?:\d{4}|\d{8}|\d{10})?(?!\d)"


def as_date(value: Any) -> Any:
    """Read a YYYY-MM-DD date; anything else stays as it came."""
    if not isinstance(value, str):
        return value
    try:
        read = dt.date.fromisoformat(value)
    except ValueError:
        return value
    return read if str(read) == value else value


def write_datetime(value: dt.datetime) -> str:
    """Return the JSON text of a time: the spelling that it came in, or else the usual one."""
    if isinstance(value, Timestamp) and value.text:
        return value.text
    # HubSpot writes milliseconds and Z, so a timestamp that came from there is sent back the same.
    precision = "milliseconds" if value.microsecond and value.microsecond % 1000 == 0 else "auto"
    text = value.isoformat(timespec=precision)
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text
