"""Compares property values as they were sent with those that came back.

This module decides when two values are the same, although a server writes times and empty values
its own way, and when they are so alike that one could have become the other. It never decides whose
a result is.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Properties = Mapping[str, Any]


def repeats(stored: Properties, sent: Properties) -> bool:
    """Return whether a result repeats a value that was sent, and has no other value for any."""
    common = stored.keys() & sent.keys()
    return bool(common) and all(_same(stored[name], sent[name]) for name in common)


def contradicts(stored: Properties, sent: Properties) -> bool:
    """Return whether a result has other values for all that it could have repeated."""
    common = stored.keys() & sent.keys()
    return bool(common) and not any(_alike(stored[name], sent[name]) for name in common)


def sets_apart(stored: Properties, sent: Properties, other: Properties) -> bool:
    """Return whether a result is that of one input and cannot be that of another.

    Only a property that both inputs set, and set to values that no server takes for each other,
    tells them apart: what just one of them sets, a server can have changed or filled in.
    """
    return any(
        name in stored and _same(stored[name], value) and not _alike(value, other[name])
        for name, value in sent.items()
        if name in other
    )


def _same(stored: object, sent: object) -> bool:
    if stored == sent or (stored is None and sent == ""):
        return True
    # A time that was sent as epoch milliseconds comes back in ISO 8601.
    instant = _instant(sent)
    return instant is not None and instant == _instant(stored)


def _alike(one: object, other: object) -> bool:
    return _same(one, other) or _same(other, one) or _plain(one) == _plain(other)


def _plain(value: object) -> object:
    """Return a value without what servers are known to change: case, blanks, forms of numbers."""
    if not isinstance(value, str):
        return value
    text = "".join(unicodedata.normalize("NFKC", value).casefold().split())
    try:
        return float(text)
    except ValueError:
        return text


def _instant(value: object) -> datetime | None:
    if not isinstance(value, str) or len(value) < len("2026-01-01"):
        return None
    try:
        if value.isdecimal():
            return datetime.fromtimestamp(int(value) / 1000, UTC)
        instant = datetime.fromisoformat(value)
    except (ValueError, OverflowError, OSError):
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
