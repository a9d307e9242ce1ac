"""Whether one input has the form that the contract describes.

It decides on form only (names, types, what must be there); what a value means is for the rows.
It knows the part of JSON Schema that the contract uses and never changes an input.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, cast

from .clock import parse

_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}


def first_problem(value: object, schema: Mapping[str, Any], name: str) -> str | None:
    """Say in a few words what is wrong first with `value`, or return None.

    `name` is what the words call the value. As in HubSpot's own answers, they name a field and
    never the position of the input in the batch.
    """
    if value is None and schema.get("nullable"):
        return None
    for key in ("anyOf", "oneOf"):
        if key in schema:
            problems = [first_problem(value, choice, name) for choice in schema[key]]
            return None if None in problems else problems[0]
    if "enum" in schema and value not in schema["enum"]:
        return f"{name} is not one of {schema['enum']}"
    if "type" in schema and not _has_type(value, schema["type"]):
        return f"{name} is not of type {schema['type']}"
    if isinstance(value, dict):
        return _object_problem(cast("dict[str, object]", value), schema, name)
    if isinstance(value, list):
        items = schema.get("items", {})
        checked = (first_problem(item, items, name) for item in cast("list[object]", value))
        return next(filter(None, checked), None)
    if isinstance(value, str) and not _has_format(value, schema.get("format")):
        return f"{name} is not a {schema['format']}"
    return None


def _object_problem(value: dict[str, object], schema: Mapping[str, Any], name: str) -> str | None:
    fields = schema.get("properties", {})
    missing = [key for key in schema.get("required", ()) if key not in value]
    if missing:
        return f"some required fields were not set: {missing}"
    others = schema.get("additionalProperties", True)
    for key, inner in value.items():
        if key in fields:
            problem = first_problem(inner, fields[key], key)
        elif others is False:
            problem = f"unrecognized field {key!r} in {name}"
        else:
            problem = None if others is True else first_problem(inner, others, key)
        if problem:
            return problem
    return None


def _has_type(value: object, types: str | list[str]) -> bool:
    names = [types] if isinstance(types, str) else types
    if isinstance(value, bool):
        return "boolean" in names
    return any(isinstance(value, _TYPES[name]) for name in names)


def _has_format(value: str, format_: object) -> bool:
    if format_ == "date":
        return is_date(value)
    return format_ != "date-time" or parse(value) is not None


def is_date(text: str) -> bool:
    """Say whether `text` is a day written YYYY-MM-DD."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
