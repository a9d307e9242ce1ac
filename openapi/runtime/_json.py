# Handwritten; "make regenerate" copies this module into generated/hubspot_batch_client.
"""Reads JSON text.

This module decides what counts as JSON: what Python's own parser reads. msgspec is faster but reads
less (no infinite numbers, no unpaired surrogates). What both read, they read alike.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any


def read(text: bytes) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: The text is not JSON.
        RecursionError: It is nested too deeply.
    """
    try:
        return _fast()(text)
    except Exception:  # noqa: BLE001 - whatever stops msgspec, json decides
        import json  # noqa: PLC0415 - few texts need it

        return json.loads(text)


@cache
def _fast() -> Callable[[bytes], Any]:
    # Not orjson: it drops the last digits of numbers of more than 64 bits.
    from msgspec.json import Decoder  # noqa: PLC0415 - not needed before there is a response

    return Decoder().decode
