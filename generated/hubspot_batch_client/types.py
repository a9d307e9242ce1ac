# Copied from openapi/runtime/types.py; "make regenerate" writes it, do not edit.
"""Shared by models and endpoint functions: UNSET, the response, and the decoders of values.

The decoders never raise and never drop anything: each converts the JSON type that it is made for
and returns every other value as it came. Everything else stands in modules that begin with an
underscore; its names are imported from here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping
from enum import Enum
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

from attrs import define, field

from ._dates import Timestamp, as_date, as_datetime
from ._model import ABSENT, UNSET, Model, Unset, none_if_empty, to_json
from ._requests import plain_to_bytes, to_bytes, to_query
from ._responses import form_of, new, read_json, read_model, take_one

T = TypeVar("T")


@define
class Response(Generic[T]):
    """A response. The status is a number: servers use some that the standard library lacks."""

    status_code: int
    content: bytes
    headers: MutableMapping[str, str] = field(repr=False)
    parsed: T | None


def as_uuid(value: Any) -> Any:
    """Read a UUID in its usual spelling; anything else stays as it came."""
    if not isinstance(value, str):
        return value
    try:
        read = UUID(value)
    except ValueError:
        return value
    return read if str(read) == value else value


def as_enum(enum: type[Enum], value: Any) -> Any:
    """Return the member of a value; an unknown value stays as it came."""
    try:
        return enum(value)
    except ValueError:
        return value


def as_model(model: Any, value: Any) -> Any:
    """Read a JSON object into a model; anything else stays as it came."""
    return model.from_dict(value) if isinstance(value, dict) else value


def as_list(decode: Callable[[Any], Any], value: Any) -> Any:
    """Decode the items of a list; anything else stays as it came."""
    if not isinstance(value, list):
        return value
    return [decode(item) for item in cast("Iterable[Any]", value)]


def as_models(model: Any, value: Any) -> Any:
    """Read the JSON objects of a list into models; anything else stays as it came."""
    if not isinstance(value, list):
        return value
    read = model.from_dict
    return [read(item) if isinstance(item, dict) else item for item in cast("Iterable[Any]", value)]


def as_map(decode: Callable[[Any], Any], value: Any) -> Any:
    """Decode the values of a JSON object; anything else stays as it came."""
    if not isinstance(value, dict):
        return value
    return {name: decode(item) for name, item in cast("dict[str, Any]", value).items()}


__all__ = [
    "ABSENT",
    "UNSET",
    "Model",
    "Response",
    "Timestamp",
    "Unset",
    "as_date",
    "as_datetime",
    "as_enum",
    "as_list",
    "as_map",
    "as_model",
    "as_models",
    "as_uuid",
    "form_of",
    "new",
    "none_if_empty",
    "plain_to_bytes",
    "read_json",
    "read_model",
    "take_one",
    "to_bytes",
    "to_json",
    "to_query",
]
