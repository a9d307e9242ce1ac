"""Reads JSON texts, puts JSON values into one form, and checks their types.

What counts as JSON is decided by `read`, which the generated client uses too: what Python's own
parser reads. The faster msgspec is imported on first use, since that takes a tenth of the time of
importing this package.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeGuard

from hubspot_batch_client._json import read

__all__ = [
    "canonical",
    "is_list",
    "is_map",
    "read",
    "read_object",
]


def read_object(text: bytes) -> dict[str, Any] | None:
    """Return the object that a JSON text holds; None if it holds none."""
    try:
        value = read(text)
    except (ValueError, RecursionError):
        return None
    return value if is_map(value) else None


def canonical(value: Any) -> bytes:
    """Return a JSON text that is the same for all values that are the same."""
    return _write_sorted()(value)


@cache
def _write_sorted() -> Callable[[Any], bytes]:
    from msgspec.json import Encoder  # noqa: PLC0415 - see above

    return Encoder(order="sorted").encode


def is_map(value: object) -> TypeGuard[dict[str, Any]]:
    """Return whether a piece of JSON is an object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Return whether a piece of JSON is an array."""
    return isinstance(value, list)
