"""Reads JSON texts, puts JSON values into one form, and checks their types.

What counts as JSON is decided by `read`, which the generated client uses too: what Python's own
parser reads. The faster msgspec is imported on first use, since that takes a tenth of the time of
importing this package.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from functools import cache
from itertools import islice
from typing import Any, TypeGuard, cast

from hubspot_batch_client._json import read

__all__ = [
    "canonical",
    "is_list",
    "is_map",
    "json_ready",
    "objects_in",
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


# An integer, and how many values inside one another, that any JSON writer takes.
_LARGEST = 10**1000
_DEPTH = 50


def json_ready(value: Any, _around: tuple[int, ...] = ()) -> Any:
    """Return a value in the types of JSON, whatever it is.

    What JSON lacks becomes text; NaN and infinity, which it lacks too, become None.
    """
    try:
        return _json_ready(value, _around)
    except Exception:  # noqa: BLE001 - the caller's code, which may raise anything
        return f"<{type(value).__name__}>"


def _json_ready(value: Any, around: tuple[int, ...]) -> Any:
    if value is None or type(value) in (str, bool):
        return value
    if isinstance(value, Enum):
        return json_ready(value.value, around)
    if isinstance(value, float | int | str):
        return _scalar(value)
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if id(value) in around or len(around) == _DEPTH:  # it can hold itself
        return "..."
    around = (*around, id(value))
    if isinstance(value, Mapping):
        # Only pyright wants the cast.
        items = cast("Mapping[Any, Any]", value).items()  # type: ignore[redundant-cast]
        return {str(json_ready(name, around)): json_ready(one, around) for name, one in items}
    if isinstance(value, list | tuple | AbstractSet):
        return [json_ready(one, around) for one in cast("Iterable[Any]", value)]
    return _from_object(value, around)


def _scalar(value: float | str) -> Any:
    if isinstance(value, str):  # of a class of its own
        return str.__str__(value)
    if isinstance(value, int):
        return int(value) if abs(value) < _LARGEST else f"<{type(value).__name__}>"
    return float(value) if math.isfinite(value) else None


def _from_object(value: Any, around: tuple[int, ...]) -> Any:
    if isinstance(value, type):
        return str(value)
    if callable(to_dict := getattr(value, "to_dict", None)):  # of a model
        return json_ready(to_dict(), around)
    # A row of a database is a mapping, too.
    is_row = hasattr(value, "keys") and hasattr(value, "__getitem__")
    return json_ready(dict(value), around) if is_row else str(value)


# A text of many brackets would take long: a document is tried from so many of them at most.
_TRIES = 8


def objects_in(text: str) -> Iterator[dict[str, Any]]:
    """Yield the objects of the first JSON document inside a text, one or a list of them."""
    for start in islice(re.finditer(r"[\[{]", text), _TRIES):
        try:
            found, _ = json.JSONDecoder().raw_decode(text, start.start())
        except (ValueError, RecursionError):
            continue
        listed: Iterable[Any] = found if is_list(found) else [found]
        objects = [one for one in listed if is_map(one)]
        if objects:
            yield from objects
            return
