# Copied from openapi/runtime/_requests.py; "make regenerate" writes it, do not edit.
"""Writes what a request sends: query parameters and the JSON text of a body."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import methodcaller
from typing import Any, cast

from ._model import UNSET, Model, to_json


def to_query(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return query parameters: absent ones are left out, and lists are joined by commas.

    An empty list counts as absent: the API would read it as one empty name.
    """
    query: dict[str, Any] = {}
    for name, value in values.items():
        if value is UNSET or value is None:
            continue
        json_form: Any = to_json(value)
        if json_form == []:
            continue
        if isinstance(json_form, list):
            json_form = ",".join(map(str, cast("Iterable[Any]", json_form)))
        query[name] = json_form
    return query


def to_bytes(body: Any) -> bytes:
    """Return the JSON text of a body; bytes are such a text already and stay as they are.

    Raises:
        ValueError: It holds what JSON cannot express: an infinite number, an unpaired surrogate,
            or itself.
    """
    if isinstance(body, bytes):
        return body
    try:
        try:
            text = plain_to_bytes(body)
        except TypeError:  # it holds more than models and the types of JSON
            text = _dump(body, _unfold)
    except TypeError:  # such as numbers of more than 64 bits
        return _to_bytes_slowly(body)
    # orjson silently writes null for what JSON cannot express.
    return _to_bytes_slowly(body) if b"null" in text else text


def plain_to_bytes(body: Any) -> bytes:
    """Return the JSON text of models that hold nothing but models and the types of JSON.

    Numbers that JSON cannot express are written as null.

    Raises:
        TypeError: They hold something else.
    """
    return _dump(body, _FIELDS)


def _dump(body: Any, unfold: Callable[[Any], Any]) -> bytes:
    import orjson  # noqa: PLC0415 - not needed before there is a request

    # orjson writes timestamps in another way, and would write any dataclass, described or not.
    as_we_write = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
    return orjson.dumps(body, unfold, as_we_write)


# Faster than a function in Python, which would be called for each model.
_FIELDS = methodcaller("_json_fields")


def _unfold(value: Any) -> Any:
    """Return what to write for a value that orjson does not know."""
    if isinstance(value, Model):
        return _FIELDS(value)
    json_form = to_json(value)
    if json_form is value:
        raise TypeError(type(value).__name__)
    return json_form


def _to_bytes_slowly(body: Any) -> bytes:
    import json  # noqa: PLC0415 - few bodies need it

    text = json.dumps(to_json(body), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode()
