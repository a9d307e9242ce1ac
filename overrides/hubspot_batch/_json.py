"""Reads JSON texts, puts JSON values into one form, and checks their types.

What counts as JSON is decided by `read`, which the generated client uses too: what Python's own
parser reads. The faster msgspec is imported on first use, since that takes a tenth of the time of
importing this package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, NamedTuple, TypeGuard

from hubspot_batch_client._json import read

__all__ = [
    "canonical",
    "is_list",
    "is_map",
    "items_of",
    "name_of",
    "names_of",
    "read",
    "read_object",
    "text_of",
    "write_each",
]


def read_object(text: bytes) -> dict[str, Any] | None:
    """Return the object that a JSON text holds; None if it holds none."""
    try:
        value = read(text)
    except (ValueError, RecursionError):
        return None
    return value if is_map(value) else None


def write_each(values: Iterable[Any]) -> list[bytes]:
    """Return the JSON text of each msgspec struct.

    Raises:
        ValueError: One holds half of a surrogate pair.
    """
    return [*map(_fast().write, values)]


def canonical(value: Any) -> bytes:
    """Return a JSON text that is the same for all values that are the same."""
    return _fast().write_sorted(value)


class _Fast(NamedTuple):
    write: Callable[[Any], bytes]
    write_sorted: Callable[[Any], bytes]


@cache
def _fast() -> _Fast:
    from msgspec.json import Encoder  # noqa: PLC0415 - see above

    return _Fast(Encoder().encode, Encoder(order="sorted").encode)


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
