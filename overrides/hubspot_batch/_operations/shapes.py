"""Makes types out of JSON Schemas, for a check that takes a quarter of the time of a whole one.

This module decides which inputs are seen to be valid at once. It never decides that one is not: a
type here is found in values that are valid, and need not be found in all of them. It is imported
when it is first needed, since importing msgspec takes a while.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cached_property, partial
from typing import Annotated, Any, Literal

from attrs import frozen
from msgspec import UNSET, Meta, UnsetType, convert, defstruct, field
from msgspec.json import Decoder


@frozen(slots=False)
class Shape:
    """How lists of values of a type are found: in Python, and in JSON text.

    Both raise where one value is not of the type. What is found is a copy, and its key is the
    attribute `key`: false where it has none, and it may be set then. A field `properties` is an
    attribute too. In Python, lists that are required are empty where they were left out; text is
    found only as it can be sent.
    """

    _schema: dict[str, Any]
    _key: str | None
    _lists: Collection[str]

    @cached_property
    def find(self) -> Callable[[list[Any]], list[Any]]:
        """Find values in Python."""
        item = _type_of(self._schema, self._key, self._lists)
        found = partial(convert, type=list.__class_getitem__(item))
        # msgspec looks at a type when it is first used. Two threads that did so at once would end
        # the process, so nobody else is given this one before.
        found([])
        return found

    @cached_property
    def find_in_text(self) -> Callable[[bytes], list[Any]]:
        """Find values in JSON text."""
        item = _type_of(self._schema, self._key)
        return Decoder(list.__class_getitem__(item)).decode


def shape_of(
    schema: dict[str, Any], key: str | None = None, lists: Collection[str] = ()
) -> Shape | None:
    """Return how valid values are found, and no others.

    Not all of them need be found: those are not that have a field of which the schema says more
    than is understood here.

    Args:
        schema: The schema.
        key: The name of the field that becomes the attribute `key`.
        lists: Names of required fields that are empty lists where they were left out.

    Returns:
        None where no value can be seen to be valid.
    """
    return None if _type_of(schema) is None else Shape(schema, key, lists)


def _type_of(schema: dict[str, Any], key: str | None = None, lists: Collection[str] = ()) -> Any:
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
            return _object(schema.get("properties", {}), schema.get("required", ()), key, lists)
        case _:
            return None


_CLOSED = {"properties", "required", "additionalProperties"}


def _object(
    schemas: dict[str, Any], required: Collection[str], key: str | None, lists: Collection[str]
) -> Any:
    shapes = {name: shape for name in schemas if (shape := _type_of(schemas[name])) is not None}
    if not shapes.keys() >= set(required):
        return None
    if key in shapes:  # an empty one names nothing
        shapes[key] = Annotated[shapes[key], Meta(min_length=1)]
    fields: list[Any] = []
    names: dict[str, str] = {}
    for number, name in enumerate(shapes):
        own = "key" if name == key else name if name == "properties" else f"field{number}"
        names[own] = name
        if name in lists:
            fields.append((own, shapes[name], field(default_factory=list)))
        elif name in required:
            fields.insert(0, (own, shapes[name]))
        else:
            fields.append((own, shapes[name] | UnsetType, UNSET))
    return defstruct("Input", fields, rename=names, forbid_unknown_fields=True, gc=False)
