"""Compiles JSON Schemas to types, for a check that takes a quarter of the time of a full one.

This module decides which inputs are proven valid at once; others may be valid too. It is imported
when it is first needed, since importing msgspec takes a while.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from keyword import iskeyword
from typing import Annotated, Any, Literal

from attrs import frozen
from msgspec import UNSET, Meta, Raw, UnsetType, convert, defstruct, field
from msgspec.json import Decoder, Encoder

from hubspot_batch._cached_property import cached_property


@frozen(slots=False)
class FastValidator:
    """Proves lists of inputs valid, given in Python or as JSON text.

    Both checks raise an exception if they cannot prove the inputs valid. They return copies with
    the key in the attribute `key`. It is false if an input has no key; then it may be set. In
    Python, required lists that were left out are empty; text is only proven valid as it can be
    sent. `write` returns the JSON text of a copy, and raises ValueError for half of a surrogate
    pair; `split` returns the texts of the items of a JSON array.
    """

    _schema: dict[str, Any]
    _key: str | None
    _lists: Collection[str]
    write = staticmethod(Encoder().encode)
    split = staticmethod(Decoder(list[Raw]).decode)

    @cached_property
    def check(self) -> Callable[[list[Any]], list[Any]]:
        """Check inputs in Python."""
        item = _type_of(self._schema, self._key, self._lists)
        checked = partial(convert, type=list.__class_getitem__(item))
        # msgspec inspects a type when it is first used. Two threads that did so at the same time
        # would crash the process, so other threads get the type only after its first use.
        checked([])
        return checked

    @cached_property
    def check_text(self) -> Callable[[bytes], list[Any]]:
        """Check inputs in JSON text."""
        item = _type_of(self._schema, self._key)
        return Decoder(list.__class_getitem__(item)).decode


def fast_validator(
    schema: dict[str, Any], key: str | None = None, lists: Collection[str] = ()
) -> FastValidator | None:
    """Return a validator for a schema; None if it cannot prove any value valid.

    Args:
        schema: The schema.
        key: The name of the field that becomes the attribute `key`.
        lists: Names of required fields that are empty lists where they were left out.
    """
    return None if _type_of(schema) is None else FastValidator(schema, key, lists)


def _type_of(schema: dict[str, Any], key: str | None = None, lists: Collection[str] = ()) -> Any:
    """Return a type that only valid values have; None if there is none."""
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


def _attribute(name: str, number: int) -> str:
    return f"field{number}" if iskeyword(name) or not name.isidentifier() else name


def _object(
    schemas: dict[str, Any], required: Collection[str], key: str | None, lists: Collection[str]
) -> Any:
    shapes = {name: shape for name in schemas if (shape := _type_of(schemas[name])) is not None}
    if not shapes.keys() >= set(required):
        return None
    if key in shapes and shapes[key] is str:  # an empty one names nothing
        shapes[key] = Annotated[shapes[key], Meta(min_length=1)]
    fields: list[Any] = []
    names: dict[str, str] = {}
    for number, name in enumerate(shapes):
        own = "key" if name == key else _attribute(name, number)
        names[own] = name
        if name in lists:
            fields.append((own, shapes[name], field(default_factory=list)))
        elif name in required:
            fields.insert(0, (own, shapes[name]))
        else:
            fields.append((own, shapes[name] | UnsetType, UNSET))
    return defstruct("Input", fields, rename=names, forbid_unknown_fields=True, gc=False)
