"""Decides whether a server could have stored a sent value in another form.

Servers are known to change case, blanks, punctuation and accents, to escape or strip HTML, to write
numbers and times in another form, and to keep times and numbers less exactly. A value that comes
back can therefore stand for several values that were sent.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, InvalidOperation
from html import unescape
from math import isnan

_SIGNS = frozenset("+-.")
_TAGS = re.compile(r"<[^<>]*>")
_PUNCTUATION = re.compile(r"[\W_]+")
# The same for ASCII, in a tenth of the time.
_ASCII_PUNCTUATION = dict.fromkeys(char for char in range(128) if _PUNCTUATION.match(chr(char)))
# Three numbers with the same separator, in any order.
_DATE = re.compile(r"\s*(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})\b")
# The form of an empty value, and the form of a value that is neither text nor number.
_EMPTY = ("empty",)
_OTHER = ("odd",)
# More decimals than this are not looked at one by one.
_DECIMALS = 15

Forms = frozenset[Hashable]


def forms_of_stored(value: object) -> Forms:
    """Return the forms of a value that came back.

    A sent value may be stored as it if they have a form in common (`forms_of_sent`).
    """
    if not isinstance(value, str):
        if value is None:
            return frozenset((_EMPTY,))
        return frozenset((value,) if isinstance(value, int | float) else (_OTHER,))
    instant = instant_of(value)
    if instant is None:
        return frozenset((_canonical(value),))
    return frozenset((_canonical(value), instant, instant.astimezone(UTC).date()))


def forms_of_sent(value: object) -> Forms:
    """Return the forms that a server may store for a sent value."""
    if not isinstance(value, str):
        return forms_of_stored(value)
    essence = _canonical(value)
    forms: set[Hashable] = {essence}
    instant = instant_of(value)
    if instant is not None:
        forms |= {instant, *_less_exact_times(instant)}
    elif isinstance(essence, float):
        forms.update(_rounded(value))
    if instant is None and (parts := _DATE.match(value)):
        forms.update(_dates(int(parts[1]), int(parts[3]), int(parts[4])))
    return frozenset(forms)


def letters_and_digits(text: str) -> str:
    """Return the letters and digits of a text, without case, accents and HTML."""
    while "&" in text and (read := unescape(text)) != text:
        text = read
    if "<" in text:
        text = _TAGS.sub("", text)
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
    return _PUNCTUATION.sub("", text.casefold())


def letters_and_digits_ascii(text: str) -> str:
    """Return the same as `letters_and_digits`, for an ASCII text without `&` and `<`."""
    return text.lower().translate(_ASCII_PUNCTUATION)


# `fromisoformat` takes any sign between date and time: it reads 2026-01-31+01:00 as one o'clock.
_ISO_DATE = re.compile(r"\d{4}-?(?:\d\d-?\d\d|W\d\d(?:-?\d)?)(?:[Tt ]|$)", re.ASCII)


def instant_of(value: object) -> datetime | None:
    """Return the time that a value is: a text in ISO 8601, or in milliseconds since 1970."""
    # An exception takes long, so most texts are recognized without one.
    if not isinstance(value, str) or len(value) < len("2026-01-01") or not value[0].isdigit():
        return None
    try:
        if value.isdecimal():
            return datetime.fromtimestamp(int(value) / 1000, UTC)
        if not _ISO_DATE.match(value):
            return None
        instant = datetime.fromisoformat(value.upper())  # a `z` is no zone to it
        instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
        instant.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return instant


def _canonical(text: str) -> Hashable:
    """Return a form that is equal for all spellings that servers turn into each other."""
    number = _number(text)
    if number is not None:
        return number
    word = letters_and_digits(text)
    if not word:
        return _EMPTY
    # A telephone number loses its punctuation, and a number of thousands its commas.
    return float(word) if word.isdecimal() else word


def _number(text: str) -> float | None:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    text = "".join(text.split())
    # Most texts are no numbers, and an exception takes long.
    if text[:1].isdecimal() or text[:1] in _SIGNS:
        with suppress(ValueError):
            number = float(text)
            return None if isnan(number) else number  # NaN is not even equal to itself
    return None


def _rounded(text: str) -> Iterator[float]:
    """Yield a number with fewer decimals."""
    try:
        number = Decimal("".join(text.split()))
        exponent = number.as_tuple().exponent
        if isinstance(exponent, str) or exponent >= 0:
            return
        for places in range(min(-exponent, _DECIMALS)):
            for rounding in (ROUND_DOWN, ROUND_HALF_UP, ROUND_HALF_EVEN):
                yield float(number.quantize(Decimal(1).scaleb(-places), rounding))
    except InvalidOperation:
        return


def _less_exact_times(instant: datetime) -> Iterator[datetime]:
    """Yield the milliseconds, the second and the day of a time, cut off and rounded."""
    with suppress(OverflowError):
        for unit in (1_000, 1_000_000):
            cut = instant - timedelta(microseconds=instant.microsecond % unit)
            yield cut
            if instant.microsecond % unit * 2 >= unit:
                yield cut + timedelta(microseconds=unit)
        for day in (instant, instant.astimezone(UTC)):
            yield datetime(day.year, day.month, day.day, tzinfo=UTC)


def _dates(first: int, second: int, third: int) -> Iterator[Hashable]:
    """Yield the dates that three numbers can mean."""
    orders = ((first, second, third), (third, second, first), (third, first, second))
    for year, month, day in orders:
        for century in (0, 1900, 2000) if year < 100 else (0,):
            with suppress(ValueError):
                yield datetime(year + century, month, day, tzinfo=UTC).date()
