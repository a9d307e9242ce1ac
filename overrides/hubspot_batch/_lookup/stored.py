"""Compares the sent properties with the properties of a record.

This module decides which records have exactly the sent values, as the server stores them, and which
may have them in another form.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from decimal import Decimal
from html import unescape
from typing import Any

from hubspot_batch._matching.value_forms import (
    forms_of_sent,
    forms_of_stored,
    instant_of,
    letters_and_digits,
)

# A telephone number with a zero or a plus in front is a text.
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?", re.ASCII)
_TAGS = re.compile(r"<[^<>]*>")


def stored_form(value: object) -> Hashable:
    """Return what is the same for all texts that the server keeps as one value.

    Times are kept in milliseconds, numbers without needless zeros, texts without blanks at their
    ends; HTML counts as its text.
    """
    if not isinstance(value, str):
        return None if value is None else str(value)
    if _NUMBER.fullmatch(value):
        return Decimal(value).normalize()
    if (instant := instant_of(value)) is not None:
        return Decimal(int(instant.timestamp()) * 1000 + instant.microsecond // 1000).normalize()
    return " ".join(_text_of(value).split()) or None


def _text_of(value: str) -> str:
    """Return the text of HTML, which may be escaped again."""
    while "&" in value and (read := unescape(value)) != value:
        value = read
    return _TAGS.sub(" ", value) if "<" in value else value


def stored_forms(properties: Mapping[str, Any], names: Sequence[str]) -> tuple[Hashable, ...]:
    """Return the stored forms of some properties."""
    return tuple([stored_form(properties.get(name)) for name in names])


def may_be_stored_as(sent: Mapping[str, Any], stored: Mapping[str, Any]) -> bool:
    """Return whether a server can have made a record of what was sent, by any known change."""
    return all(
        _may_become(value, stored.get(name)) for name, value in sent.items() if name in stored
    )


def _may_become(sent: object, stored: object) -> bool:
    if stored == sent or not forms_of_sent(sent).isdisjoint(forms_of_stored(stored)):
        return True
    if not isinstance(sent, str) or not isinstance(stored, str):
        return stored is None  # the server may drop a value
    return letters_and_digits(sent).startswith(letters_and_digits(stored))  # or cut it


def comparable_key(value: object) -> str:
    """Return a key or a stamp as servers compare it: without blanks at its ends, in lower case."""
    return "" if value is None else str(value).strip().lower()
