"""Tells a type checker what a piece of JSON is.

`isinstance(value, dict)` alone says nothing of the keys and values. This module decides nothing:
what is not of the kind that is asked for is taken for absent.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeGuard


def is_map(value: object) -> TypeGuard[dict[str, Any]]:
    """Return whether a piece of JSON is an object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Return whether a piece of JSON is an array."""
    return isinstance(value, list)


def items_of(value: object) -> list[Any]:
    """Return the items of an array."""
    return value if is_list(value) else []


def text_of(value: object) -> str | None:
    """Return a text that is not empty."""
    return value if isinstance(value, str) and value else None


def name_of(value: object) -> str | None:
    """Return an id as text; one that comes as a number is the same id."""
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def names_of(values: Iterable[object], attribute: str) -> list[str | None]:
    """Return an attribute of each value as `name_of` does; None where a value lacks it."""
    names = [getattr(value, attribute, None) for value in values]
    if {*map(type, names)} == {str} and all(names):  # as a rule
        return names
    return [name_of(name) for name in names]
