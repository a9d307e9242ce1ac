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


def meanings(
    text: str,
    *,
    dayfirst: Sequence[bool],
    yearfirst: Sequence[bool] = (False,),
    zone: dt.tzinfo | None = None,
) -> set[dt.datetime]:
    """Return all times that a text can mean: several if it is ambiguous, none if it is no date.

    Args:
        text: The text, in any spelling that dateutil knows.
        dayfirst: Whether the day comes before the month, where both are numbers; each is tried.
        yearfirst: Whether a year of two digits comes first; each is tried.
        zone: The zone of a text that names none; None for a time without a zone.
    """
    from dateutil import parser  # noqa: PLC0415 - few texts need it

    def read_zone(name: str | None, offset: int | None) -> dt.tzinfo | None:
        if offset is not None:
            return dt.timezone(dt.timedelta(seconds=offset))
        if name:
            raise ValueError(name)  # such as EST or IST, which mean several zones each
        return zone

    try:
        return {
            parser.parse(text, default=default, dayfirst=day, yearfirst=year, tzinfos=read_zone)
            for default in _DEFAULTS
            for day in dayfirst
            for year in yearfirst
        }
    except Exception:  # noqa: BLE001 - dateutil raises more than it says, such as InvalidOperation
        return set()


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
        kept = Timestamp.fromisoformat(text)
    except ValueError:
        other = _read_other_datetime(text)
        return text if other is None else _keep_text(other, text)
    kept.text = text
    return kept


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
