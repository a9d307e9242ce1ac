"""Reads JSON texts, and puts JSON values into one form.

This module decides what counts as JSON: what Python's own parser reads. The fast parser reads less
(no infinite numbers, no halves of characters), but what it reads, it reads alike. It is imported
when it is first needed, since that takes a tenth of the time of importing this package.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from attrs import frozen


def read(text: bytes) -> Any:
    """Return what a JSON text says.

    Raises:
        ValueError: It is no JSON text.
        RecursionError: It is nested too deeply.
    """
    try:
        return _fast().read(text)
    except Exception:  # noqa: BLE001 - see above
        return json.loads(text)


def canonical(value: Any) -> bytes:
    """Return a JSON text that is the same for all values that are the same."""
    return _fast().write_sorted(value)


@frozen
class _Fast:
    read: Callable[[bytes], Any]
    write_sorted: Callable[[Any], bytes]


@cache
def _fast() -> _Fast:
    from msgspec.json import Decoder, Encoder  # noqa: PLC0415 - see above

    return _Fast(Decoder().decode, Encoder(order="sorted").encode)
