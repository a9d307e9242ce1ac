"""Turns a cell into what is sent for it, according to its column's kind.

This module decides which values are plausible. It never detects a type: a text stays the text that
it is, and a value that only a program would have put there is refused with a reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from hubspot_batch._operations.values import NO_VALUE, property_text

from . import moments
from .date_order import DateOrder
from .known import NOTHING, SHEET_ERRORS, TEXT_NOTHING
from .moments import plain

Read = Callable[[Any], Any]
"""Turns a cell that is not blank into a value; raises ValueError with a sentence."""

_SCIENTIFIC = re.compile(r"\d(?:[.,]\d+)?E[+-]?\d+", re.ASCII | re.IGNORECASE)
_FLOAT = re.compile(r"\d+[.,]0+", re.ASCII)
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
# What nearly all numbers of phones look like; the others are looked at more closely.
_USUAL_PHONE = re.compile(r"[+(\d][\d() /-]*[\d)]", re.ASCII)
_SEVERAL = re.compile(r"\d+\s*([,|/])\s*\d+(?:\s*\1\s*\d+)*", re.ASCII)
_EXACT = 10**15
_LONGEST_WORD = 11  # of those that stand for no value, with a space around
_REMEMBERED, _SHORT = 1024, 64


def text_of(value: Any) -> str:
    """Return a value as HubSpot writes it.

    Raises:
        ValueError: HubSpot has no such values.
    """
    if type(value) is str:
        return value
    if type(value) in (list, tuple) and not value:
        return ""  # like an empty cell, of which the mapping says whether it clears
    try:
        text = property_text(value)
    except ValueError as error:
        raise ValueError(f"it {error}") from None
    if text is NO_VALUE:
        raise ValueError(f"{value} is no value")
    return text


def reader(kind: str, **settings: Any) -> Read:
    """Return the function that reads the cells of a column.

    Args:
        kind: What the column's target wants, as in `known`.
        settings: `options` for an option, `date`, `zone`, `time` and `own` for a moment (`own`:
            the heading is HubSpot's own name), `unit` for a duration.
    """
    if kind == "moment":
        form, zone, time = settings["date"], settings["zone"], settings["time"]
        own = settings["own"]

        def moment(cell: Any) -> str:
            return moments.moment(_not_empty(cell), form, zone, time, milliseconds=own)

        return _in_one_order(moment) if form is None else moment
    if kind == "day":
        form = settings["date"]

        def day(cell: Any) -> str:
            return moments.day(_not_empty(cell), form)

        return _in_one_order(day) if form is None else day
    if kind == "duration":
        unit = settings["unit"]
        return remembered(lambda cell: moments.duration(_not_empty(cell), unit))
    if kind == "option":
        options: Mapping[str, str] = settings["options"]
        return remembered(lambda cell: _option(cell, options))
    simple: Mapping[str, Read] = {
        "text": _text,
        "short": _short,
        "phone": _phone,
        "url": _url,
        "record": record,
        "id": _id,
        "flag": _flag,
    }
    return simple[kind]


def _in_one_order(read: Read) -> Read:
    """Return a reader of dates that refuses a day first and a month first in one column."""
    order = DateOrder()

    def read_in_order(cell: Any) -> Any:
        value = read(cell)
        # Most texts begin with the year.
        if type(cell) is str and not (cell[4:5] == "-" and cell[:4].isdecimal()):
            order.check(cell)
        return value

    return read_in_order


def remembered(read: Read) -> Read:
    """Return a reader that reads the same short text once only."""
    known: dict[str, Any] = {}

    def read_once(cell: Any) -> Any:
        if type(cell) is not str or len(cell) > _SHORT:
            return read(cell)
        if (found := known.get(cell)) is None:
            found = read(cell)
            if len(known) < _REMEMBERED:
                known[cell] = found
        return found

    return read_once


def _refuse(text: str, nothing: frozenset[str]) -> None:
    if len(text) > _LONGEST_WORD:
        return
    word = text.strip().casefold()
    if word in nothing:
        raise ValueError(f"{text!r} is what a program writes for no value; leave the cell empty")
    if word in SHEET_ERRORS:
        raise ValueError(f"{text!r} is an error of the spreadsheet")


# Each of these is called for nearly every cell, and nearly every text is longer than those words.


def _not_empty(cell: Any) -> Any:
    if isinstance(cell, str) and len(cell) <= _LONGEST_WORD:
        _refuse(cell, NOTHING)
    return cell


def _text(cell: Any) -> str:
    text = cell if type(cell) is str else text_of(cell)
    if len(text) <= _LONGEST_WORD:
        _refuse(text, TEXT_NOTHING)
    return text


def _short(cell: Any) -> str:
    text = cell if type(cell) is str else text_of(cell)
    if len(text) <= _LONGEST_WORD:
        _refuse(text, NOTHING)
    return text


def _phone(cell: Any) -> str:
    if type(cell) is str and _USUAL_PHONE.fullmatch(cell):
        return cell
    text = _digits(cell, "a phone number")
    _refuse(text, NOTHING)
    return text


def _digits(cell: Any, what: str) -> str:
    """Return a text of digits; refuse one that a spreadsheet has shortened."""
    if isinstance(cell, float):
        if not cell.is_integer() or abs(cell) >= _EXACT:
            raise ValueError(f"{cell} is not {what}: Excel keeps 15 digits only")
        cell = int(cell)
    elif isinstance(cell, Decimal) and cell.is_finite() and cell == cell.to_integral_value():
        cell = int(cell)
    text = plain(text_of(cell))
    if _SCIENTIFIC.fullmatch(text):
        raise ValueError(
            f"{text!r} is not {what}: Excel has replaced digits. Format the column as text, and "
            "export it again"
        )
    if _FLOAT.fullmatch(text):
        raise ValueError(f"{text!r} is not {what}: write it without the fraction")
    return text


def record(cell: Any) -> str:
    """Return the id of a record of the CRM, which is digits only."""
    if type(cell) is str and cell.isascii() and cell.isdecimal() and cell[0] != "0":
        return cell
    text = _digits(cell, "the id of a record")
    _refuse(text, NOTHING)
    if several := _SEVERAL.fullmatch(text):
        raise ValueError(
            f"{text!r} is several ids: set separator = {several[1]!r} for the column, which must "
            "be an association"
        )
    if not (text.isascii() and text.isdecimal()) or text.strip("0") == "":
        kind = "an e-mail address or a link" if re.search("@|://", text) else "no id"
        raise ValueError(f"{text!r} is {kind}; the id of a record is digits only")
    return text


def _id(cell: Any) -> str:
    text = _digits(cell, "an id")
    _refuse(text, NOTHING)
    if any(one.isspace() for one in text):
        raise ValueError(f"{text!r} is no id: it has a space")
    return text


def _url(cell: Any) -> str:
    text = text_of(cell).strip()
    _refuse(text, NOTHING)
    if any(one.isspace() for one in text) or "." not in text:
        raise ValueError(f"{text!r} is no address of a page")
    return text


def _option(cell: Any, options: Mapping[str, str]) -> str:
    text = plain(text_of(cell))
    found = options.get(text.casefold())
    if found is not None:
        return found
    ids = [value for value in options.values() if _GUID.fullmatch(value)]
    if ids and _GUID.fullmatch(text.casefold()):
        return text.casefold()  # one of the account's own
    names = [word for word in options if "_" not in word] if ids else sorted({*options.values()})
    raise ValueError(
        f"{text!r} is none of {', '.join(names)}; say what it means with words = {{ "
        f'"{text}" = "..." }}'
    )


_FLAGS = {"true": True, "yes": True, "false": False, "no": False, "1": True, "0": False}


def _flag(cell: Any) -> bool:
    if isinstance(cell, bool):
        return cell
    try:
        return _FLAGS[plain(text_of(cell)).casefold()]
    except KeyError:
        raise ValueError(f"{cell!r} is neither yes nor no") from None


def separated(cell: Any, separator: str, read: Read) -> list[Any]:
    """Return the values of a cell that lists several, each once."""
    if type(cell) is str and separator not in cell:
        return [read(cell)]
    if isinstance(cell, list | tuple):
        parts: list[Any] = [*cell]  # pyright: ignore[reportUnknownVariableType]
    elif isinstance(cell, str):
        parts = [part for part in plain(cell).split(separator) if part.strip()]
    else:
        parts = [cell]
    return [*dict.fromkeys(read(part) for part in parts)]
