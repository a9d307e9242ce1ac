"""Waiting for another process."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

ValueT = TypeVar("ValueT")


def eventually(found: Callable[[], ValueT]) -> ValueT:
    """Return what is found in the end."""
    for _ in range(600):
        if value := found():
            return value
        time.sleep(0.05)
    raise AssertionError("It did not happen within 30 seconds.")
