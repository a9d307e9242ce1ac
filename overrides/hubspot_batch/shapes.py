"""Makes types out of JSON Schemas, for a check that takes a quarter of the time of a whole one.

This module decides which inputs are seen to be valid at once. It never decides that one is not: a
type here is found in values that are valid, and need not be found in all of them. It is imported
when it is first needed, since importing msgspec takes a while.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import Any, Literal

from attrs import frozen
from msgspec import convert, defstruct
from msgspec.json import Decoder


@frozen
class Shape:
    """How values of a type are found: in Python, and in JSON text. Both raise where there is none.

    What is found has the value of the key, if it has one, as the attribute `key`.
    """

    find: Callable[[object], Any]
    find_in_text: Callable[[bytes], Any]


def shape_of(schema: dict[str, Any], key: str | None = None) -> Shape | None:
    """Return how valid values are found, and no others.

    Not all of them need be found: those are not that have a field of which the schema says more
    than is understood here.

    Args:
        schema: The schema.
        key: The name of the field that becomes the attribute `key`.

    Returns:
        None where no value can be seen to be valid.
    """
    type_ = _type_of(schema, key)
    return None if type_ is None else Shape(partial(convert, type=type_), Decoder(type_).decode)


def _type_of(schema: dict[str, Any], key: str | None = None) -> Any:
    """Return a type that msgspec finds in valid values only; None where there is none."""
    said = schema.keys() - {"type"}
    match schema.get("type"):
        case "string" if not said:
            return str
        case "string" if said == {"enum"}:
            return Literal[tuple(schema["enum"])]
        case "boolean" if not said:
            return bool
        case "integer" if said <= {"format"}:  # a size, which only the server minds
            return int
        case "array" if said == {"items"}:
            item: Any = _type_of(schema["items"])
            return None if item is None else list[item]
        case "object" if said == {"additionalProperties"} and schema["additionalProperties"]:
            value: Any = _type_of(schema["additionalProperties"])
            return None if value is None else dict[str, value]
        case "object" if said <= _CLOSED and schema.get("additionalProperties") is False:
            return _object(schema.get("properties", {}), schema.get("required", ()), key)
        case _:
            return None


_CLOSED = {"properties", "required", "additionalProperties"}


def _object(schemas: dict[str, Any], required: Collection[str], key: str | None) -> Any:
    shapes = {name: shape for name in schemas if (shape := _type_of(schemas[name])) is not None}
    if not shapes.keys() >= set(required):
        return None
    names = {"key" if name == key else f"field{n}": name for n, name in enumerate(shapes)}
    fields: list[Any] = [
        (own, shapes[name]) if name in required else (own, shapes[name], None)
        for own, name in sorted(names.items(), key=lambda item: item[1] not in required)
    ]
    return defstruct("Input", fields, rename=names, forbid_unknown_fields=True, gc=False)
