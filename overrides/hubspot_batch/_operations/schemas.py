"""Reads the JSON Schemas of inputs.

This module decides which fields hold ids, and which hold properties.
"""

from __future__ import annotations

from typing import Any

from hubspot_batch._json import is_map


def merged(schema: object) -> dict[str, Any]:
    """Return a schema with the fields that stand in the parts of `allOf`."""
    if not is_map(schema):
        return {}
    whole = {**schema}
    for part in map(merged, whole.pop("allOf", ())):
        for key, value in part.items():
            if key == "properties":
                declared = {n: each for n, each in whole.get(key, {}).items() if each is not True}
                whole[key] = {**value, **declared}
            elif key == "required":
                whole[key] = [*dict.fromkeys([*whole.get(key, ()), *value])]
            else:
                whole.setdefault(key, value)
    return whole


def fields_of(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of an input, those of all its alternatives."""
    fields: dict[str, Any] = {}
    for part in schema.get("anyOf", (schema,)):
        fields |= merged(part).get("properties", {})
    return fields


def is_field_of_all(schema: dict[str, Any], name: str) -> bool:
    """Return whether every alternative of an input has a field."""
    either = schema.get("anyOf", (schema,))
    return all(name in merged(part).get("properties", {}) for part in either)


def is_id(name: str) -> bool:
    """Return whether a text field holds an id, going by its name."""
    return name == "id" or name.endswith("Id")


def is_list_of_properties(schema: dict[str, Any]) -> bool:
    """Return whether a field holds a list of properties, each with a name and a value."""
    return {"name", "value"} <= {*merged(schema.get("items")).get("required", ())}
