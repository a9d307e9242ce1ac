"""Tells a type checker what a piece of JSON is.

`isinstance(value, dict)` alone says nothing of the keys and values. This module decides nothing.
"""

from __future__ import annotations

from typing import Any, TypeGuard


def is_map(value: object) -> TypeGuard[dict[str, Any]]:
    """Return whether a piece of JSON is an object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Return whether a piece of JSON is an array."""
    return isinstance(value, list)
