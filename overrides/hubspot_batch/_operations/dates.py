"""Reads dates and times as people write them, and writes times as HubSpot takes them.

This module decides whether a text means one date and no other. It never guesses: where day and
month could change places, or a part is missing, there is no date.
"""

from __future__ import annotations

import datetime as dt
import re
import reprlib
from contextlib import suppress

from hubspot_batch_client._dates import meanings, read_iso, write_datetime

__all__ = ["read_date", "read_datetime", "read_iso", "utc_text"]


def read_datetime(text: str, *, zone: dt.tzinfo | None = dt.UTC) -> dt.datetime:
    """Return the time that a text means, with the offset that it names.

    Args:
        text: The text.
        zone: The zone of a text that names none: UTC by default. None for a time without a zone.

    Raises:
        ValueError: The text means no time, or could mean several; the message says which.
    """
    # The digits of a bare number can mean anything, except in YYYYMMDD.
    bare = text.strip().isdecimal()
    if not bare or len(text) == len("20260131"):
        with suppress(ValueError):
            read = read_iso(text)
            return read if read.tzinfo else read.replace(tzinfo=zone)
    shown = reprlib.repr(text)
    # No country writes year, day, month: after a year of four digits, the order is known.
    orders = [False] if re.match(r"\s*\d{4}\D", text) else [False, True]
    found: set[dt.datetime] = set()
    if not bare:
        found = meanings(text, dayfirst=orders, yearfirst=orders, zone=zone)
    if not found:
        raise ValueError(f"{shown} is no date")
    if len(found) > 1:
        raise ValueError(f"{shown} could be several dates")
    return found.pop()


def read_date(text: str) -> dt.date:
    """Return the date that a text means.

    Raises:
        ValueError: The text means no date, or could mean several; the message says which.
    """
    return read_datetime(text).date()


def utc_text(value: dt.datetime) -> str:
    """Return a time with a zone as HubSpot takes it: ISO 8601 in UTC, with "Z".

    Raises:
        ValueError: It has no zone, or is outside of the years 1 to 9999 in UTC.
    """
    plain = dt.datetime.combine(value.date(), value.timetz())  # of any subclass, such as pandas'
    if plain.utcoffset() is None:
        as_utc = write_datetime(plain.replace(tzinfo=dt.UTC))
        raise ValueError(f'is {plain}, a time without a zone; if it is in UTC, write "{as_utc}"')
    try:
        return write_datetime(plain.astimezone(dt.UTC))
    except OverflowError:
        raise ValueError(f"is {plain}, which is outside of the years 1 to 9999 in UTC") from None
