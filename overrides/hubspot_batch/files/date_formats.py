"""Checks formats of dates before they are used.

This module decides which formats read a moment without loss. Python's parser takes more of them,
and then drops a part of what a cell says.
"""

from __future__ import annotations

import datetime as dt
import re

_YEAR, _MONTH, _DAY = set("YyGcxDF"), set("mbBjUWVcxDF"), set("djwuaAcxDF")


def format_problem(form: str) -> str:
    """Return why a format of strptime cannot be used; empty if it can."""
    try:
        dt.datetime.strptime("", form)  # noqa: DTZ007 - only for what it says of the format
    except ValueError as error:
        if "directive" in str(error) or "stray" in str(error):
            bad = re.search(r"'(.*?)' is a bad directive", str(error))
            return f"{'%' + bad[1] if bad else '%'!r} is no part of a format"
    codes = {*re.findall(r"%([^%])", form.replace("%%", ""))}
    if not (codes & _YEAR and codes & _MONTH and codes & _DAY):
        return "it has no day, month and year"
    if "p" in codes and "I" not in codes:
        return "%p needs %I, because %H counts to 24"
    if "I" in codes and "p" not in codes:
        return "%I needs %p, because it counts to 12; write %H for hours to 24"
    if "Z" in codes:
        return "the zone that %Z reads would be lost; write %z, or leave date out"
    if re.search(r"%[SfMHT]Z", form):
        return "the Z means UTC, and would be lost; write %z"
    return ""
