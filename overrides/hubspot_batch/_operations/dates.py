"""Reads dates and times as people write them.

This module decides whether a text means one date and no other. It never guesses: where day and
month could change places, or a part is missing, there is no date.
"""

from __future__ import annotations

import datetime as dt
import re
import reprlib
from contextlib import suppress

from hubspot_batch_client._dates import meanings, read_iso


def read_datetime(text: str) -> dt.datetime:
    """Return the time that a text means, in UTC where it names no other zone.

    Raises:
        ValueError: The text means no time, or could mean several; the message says which.
    """
    # The digits of a bare number can mean anything, except in YYYYMMDD.
    bare = text.strip().isdecimal()
    if not bare or len(text) == len("20260131"):
        with suppress(ValueError):
            read = read_iso(text)
            return read if read.tzinfo else read.replace(tzinfo=dt.UTC)
    shown = reprlib.repr(text)
    # Nobody writes year, day, month: after a year of four digits, the order is known.
    orders = [False] if re.match(r"\s*\d{4}\D", text) else [False, True]
    found: set[dt.datetime] = set()
    if not bare:
        found = meanings(text, dayfirst=orders, yearfirst=orders, zone=dt.UTC)
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
