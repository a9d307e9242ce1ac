"""Reads dates and times as people write them.

This module decides whether a text means one date and no other. It never guesses: where day and
month could change places, or a part is missing, there is no date.
"""

from __future__ import annotations

import datetime as dt

from dateutil import parser

# What a text leaves out is taken from a default, so it makes a difference between these two.
_DEFAULTS = (dt.datetime(2000, 1, 1, tzinfo=dt.UTC), dt.datetime(2004, 2, 2, tzinfo=dt.UTC))


def read_datetime(text: str) -> dt.datetime:
    """Return the time that a text means, in UTC where it names no other zone.

    Raises:
        ValueError: The text means no time, or could mean several; the message says which.
    """
    try:
        read = dt.datetime.fromisoformat(text)
        return read if read.tzinfo else read.replace(tzinfo=dt.UTC)
    except ValueError:
        pass
    try:
        meanings = {
            parser.parse(text, dayfirst=dayfirst, default=default)
            for dayfirst in (False, True)
            for default in _DEFAULTS
        }
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is no date") from None
    if len(meanings) > 1:
        raise ValueError(f"{text!r} could be several dates")
    return meanings.pop()


def read_date(text: str) -> dt.date:
    """Return the date that a text means.

    Raises:
        ValueError: The text means no date, or could mean several; the message says which.
    """
    return read_datetime(text).date()
