"""Reads parts of JSON texts, and puts JSON values into one form.

What counts as JSON is decided by `read`, which the generated client uses too: what Python's own
parser reads. The faster msgspec reads less (no infinite numbers, no unpaired surrogates), but what
both read, they read alike. msgspec is imported on first use, since that takes a tenth of the time
of importing this package.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, NamedTuple

from hubspot_batch_client._json import read

__all__ = ["canonical", "read", "read_field", "split", "write_array"]


def read_field(texts: Iterable[bytes], name: str) -> list[Any]:
    """Return the values of a field of JSON objects, which are valid; None where one lacks it.

    Nothing else is read of them.
    """
    try:
        field = _field(name)
        return [field(text).value for text in texts]
    except Exception:  # noqa: BLE001 - see above
        return [json.loads(text).get(name) for text in texts]


def split(array: bytes) -> list[bytes]:
    """Return the texts of the items of a JSON array, which is valid."""
    return [bytes(item) for item in _fast().split(array)]


def write_array(values: list[Any]) -> bytes:
    """Return one JSON text of values that `shapes` has found.

    Raises:
        ValueError: It holds half a character.
    """
    return _fast().write(values)


def canonical(value: Any) -> bytes:
    """Return a JSON text that is the same for all values that are the same."""
    return _fast().write_sorted(value)


class _Fast(NamedTuple):
    split: Callable[[bytes], list[Any]]
    write: Callable[[Any], bytes]
    write_sorted: Callable[[Any], bytes]


@cache
def _fast() -> _Fast:
    from msgspec import Raw  # noqa: PLC0415 - see above
    from msgspec.json import Decoder, Encoder  # noqa: PLC0415

    split = Decoder(list[Raw]).decode
    return _Fast(split, Encoder().encode, Encoder(order="sorted").encode)


@cache
def _field(name: str) -> Callable[[bytes], Any]:
    from msgspec import defstruct  # noqa: PLC0415 - see above
    from msgspec.json import Decoder  # noqa: PLC0415

    found = defstruct("Found", [("value", Any, None)], rename={"value": name}, gc=False)
    return Decoder(found).decode
