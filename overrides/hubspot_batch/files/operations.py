"""The part of an operation that a mapping needs: the fields of an input, and the family.

This module decides where in an input a name belongs. All of it is data of the description and of
`known`, so a new operation needs no change here.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from attrs import frozen

from hubspot_batch._operations.registry import SPECS

from .errors import MappingError
from .known import FAMILIES, KnownFamily, KnownProperty

PROPERTIES, ASSOCIATIONS, CUSTOM = "properties", "associations", "customProperties"
_IDS = ("id", "objectId")
_CONTAINERS = (PROPERTIES, ASSOCIATIONS, CUSTOM)


@frozen(eq=False)
class FileOperation:
    """An operation as a mapping sees it.

    Attributes:
        id: The operation's id, such as `create_calls`.
        words: How the command calls it, such as `calls create`.
        reads: Whether an input is an id and nothing else.
        creates: Whether it creates records.
        fields: The JSON Schema of each field of an input.
        required: The fields that HubSpot requires, except lists.
        family: What is known of the records.
    """

    id: str
    words: str
    reads: bool
    creates: bool
    fields: Mapping[str, Any]
    required: tuple[str, ...]
    family: KnownFamily

    def place(self, name: str) -> tuple[str, str] | None:
        """Return where a name belongs (`field`, `property` or `custom`) and its name there.

        `properties.x` and `customProperties.x` name the place themselves. None if there is no such
        name.
        """
        container, _, inner = name.partition(".")
        if inner and container in (PROPERTIES, CUSTOM) and container in self.fields:
            return ("property" if container == PROPERTIES else "custom"), inner
        if name in self.fields:
            return "field", name
        return ("property", name) if PROPERTIES in self.fields else None

    @property
    def required_property(self) -> str | None:
        """The property without which HubSpot refuses an input; a change of a record has none."""
        return self.family.required if self.creates and PROPERTIES in self.fields else None

    @property
    def record_id(self) -> str | None:
        """The field of the record's id; None if there is none."""
        return next((name for name in _IDS if name in self.fields), None)

    def kind(self, place: str, name: str) -> KnownProperty:
        """Return what is known of the values of a target."""
        if place == "property":
            return self.family.properties.get(name, KnownProperty())
        if place == "custom":
            return KnownProperty()
        schema = self.fields.get(name, {})
        if name in _IDS:
            return KnownProperty(self.family.id_kind)
        if name in self.family.fields:
            return self.family.fields[name]
        if schema.get("type") in ("object", "array"):
            return KnownProperty("raw")
        if schema.get("format") == "date-time":
            return KnownProperty("moment")
        return KnownProperty("flag" if schema.get("type") == "boolean" else "short")

    def known(self) -> tuple[str, ...]:
        """Return the names that a heading may have to map itself."""
        names = [name for name in self.fields if name not in _CONTAINERS]
        return (*names, *(self.family.properties if PROPERTIES in self.fields else ()))


@lru_cache
def file_operation(name: str) -> FileOperation:
    """Return an operation by its id (`create_calls`) or its words (`calls create`).

    Raises:
        MappingError: There is no such operation.
    """
    for id_, spec in SPECS.items():
        described = spec.described
        words = _words(id_)
        if name in (id_, words):
            schema: Mapping[str, Any] = described.input_schema
            fields: Mapping[str, Any] = schema.get("properties", {})
            required = tuple(
                one
                for one in schema.get("required", ())
                if fields.get(one, {}).get("type") not in ("object", "array")
            )
            family = FAMILIES.get(described.tag, KnownFamily())
            kind = described.kind
            ids, creates = spec.takes_ids, kind == "create"
            return FileOperation(id_, words, ids, creates, fields, required, family)
    known = tuple(map(_words, SPECS))
    close = nearest(name.replace("_", " "), known)
    hint = f"did you mean {close}?" if close else f"there are {', '.join(known)}."
    raise MappingError(f"There is no operation {name!r}; {hint}")


def _words(id_: str) -> str:
    family, _, method = SPECS[id_].name.partition(".")
    return f"{family.replace('_', '-')} {method}"


def nearest(name: str, names: tuple[str, ...], cutoff: float = 0.8) -> str | None:
    """Return the name that is spelled almost like another; None if there is none."""
    close = get_close_matches(name.lower(), [one.lower() for one in names], 1, cutoff)
    return next((one for one in names if close and one.lower() == close[0]), None)
