"""Dates of three numbers: whether the day or the month is first.

This module decides which order a date shows by itself, and that a column has one order only.
"""

from __future__ import annotations

import re

NUMBERS = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?!\d)(.*)", re.ASCII | re.DOTALL)
"""Two numbers, one of which is the day, then a year and anything else."""

_AFTER_A_TIME = re.compile(r"\s(\d{1,2}[./-]\d{1,2}[./-]\d{4})(?!\d)", re.ASCII)
_MONTHS = 12
_OTHER = {"day first": "month first", "month first": "day first"}


def ordered(text: str, order: str) -> str:
    """Write a date of three numbers as year, month, day; others stay as they are."""
    if not (found := NUMBERS.fullmatch(text)):
        return text
    first, second, year, rest = found[1], found[3], found[4], found[5]
    month, day = (second, first) if order == "day first" else (first, second)
    return f"{year if len(year) > 2 else '20' + year}-{month:0>2}-{day:0>2}{rest}"


def shown_order(text: str) -> str:
    """Return the order that a date shows because one number is no month; empty if it shows none."""
    found = _numbers(text)
    if not found:
        return ""
    first, second = int(found[1]) > _MONTHS, int(found[3]) > _MONTHS
    return "" if first == second else "day first" if first else "month first"


def _numbers(text: str) -> re.Match[str] | None:
    """Return the three numbers of a date, which may stand behind a time."""
    behind = _AFTER_A_TIME.search(text)
    return NUMBERS.match(behind[1] if behind else text.lstrip(" \t'=\""))


def _form(text: str) -> tuple[str, bool, bool]:
    """Return how a date is written: what separates it, how long the year is, if it has AM or PM."""
    found = _numbers(text)
    half = text.rstrip(' \t".').upper()[-2:] in ("AM", "PM")
    return (found[2], len(found[4]) > 2, half) if found else ("", False, half)


def order_hint(text: str, order: str) -> str:
    """Return what to do with a date that is none in the order of its column."""
    other = _OTHER[order]
    if shown_order(text) != other:
        return ""
    return f' with the {order}. If the column has the {other}, set date = "{other}"'


class DateOrder:
    """The order of a column's dates, as those so far show it.

    A column may have dates of several programs, each of which writes one form in one order.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, bool, bool], tuple[str, str]] = {}

    def check(self, text: str) -> None:
        """Refuse a date in the other order than one of the same form before it.

        Raises:
            ValueError: The form has both orders, so one of the two dates is wrong.
        """
        if not (order := shown_order(text)):
            return
        before, example = self._known.setdefault(_form(text), (order, text.strip()))
        if before != order:
            raise ValueError(
                f"{text.strip()!r} has the {order}, but {example!r} above has the {before}. "
                'Correct one of them, or set date = "day first" or date = "month first"'
            )
