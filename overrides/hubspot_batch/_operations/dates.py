"""Reads dates and times as people write them.

This module decides whether a text means one date and no other. It never guesses: where day and
month could change places, or a part is missing, there is no date.
"""

from __future__ import annotations

import datetime as dt
import re
import reprlib
from contextlib import suppress

# What a text leaves out is taken from a default, so it makes a difference between these two.
_DEFAULTS = (dt.datetime(2000, 1, 1, tzinfo=dt.UTC), dt.datetime(2004, 2, 2, tzinfo=dt.UTC))


def read_datetime(text: str) -> dt.datetime:
    """Return the time that a text means, in UTC where it names no other zone.

    Raises:
        ValueError: The text means no time, or could mean several; the message says which.
    """
    # A bare number has no parts that would say what they are, but for YYYYMMDD.
    bare = text.strip().isdecimal()
    if not bare or len(text) == len("20260131"):
        with suppress(ValueError):
            read = dt.datetime.fromisoformat(text)
            return read if read.tzinfo else read.replace(tzinfo=dt.UTC)
    shown = reprlib.repr(text)
    meanings: set[dt.datetime] = set()
    with suppress(ValueError, ArithmeticError):  # both stand in for "no date" in dateutil
        meanings = set() if bare else _meanings(text)
    if not meanings:
        raise ValueError(f"{shown} is no date")
    if len(meanings) > 1:
        raise ValueError(f"{shown} could be several dates")
    return meanings.pop()


def _meanings(text: str) -> set[dt.datetime]:
    from dateutil import parser  # noqa: PLC0415 - few texts need it

    # Nobody writes year, day, month.
    orders = (False,) if re.match(r"\s*\d{4}\D", text) else (False, True)
    return {
        parser.parse(text, default=default, dayfirst=day, yearfirst=year, tzinfos=_zone)
        for default in _DEFAULTS
        for day in orders
        for year in orders
    }


def _zone(name: str | None, offset: int | None) -> dt.tzinfo:
    if offset is not None:
        return dt.timezone(dt.timedelta(seconds=offset))
    if name is not None:
        raise ValueError(name)  # such as EST or IST, which stand for several zones each
    return dt.UTC


def read_date(text: str) -> dt.date:
    """Return the date that a text means.

    Raises:
        ValueError: The text means no date, or could mean several; the message says which.
    """
    return read_datetime(text).date()
