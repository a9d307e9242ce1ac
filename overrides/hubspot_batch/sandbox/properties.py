"""The properties of an account, which are read and made by requests of their own.

This module decides what such a request answers: the definition of each property says its type, its
options, and whether its value can be written. A family that cannot have unique properties says so,
and a search by a new property is refused until its index is built.

HubSpot: https://developers.hubspot.com/docs/api-reference/latest/crm/properties/guide
"""

import json
import re
from collections.abc import Mapping
from typing import Any, cast

from .families import DATE, DATETIME, NUMBER, TEXT, Family, Property
from .input_checks import Refusal
from .state import SandboxState

PROPERTIES = "properties"
"""The name of these requests in the log and in plans of faults."""

_PATH = re.compile(r"/crm/(?:v3/properties|properties/20\d\d-\d\d)/([^/]+)(?:/([^/]+))?")
# HubSpot sets these; a value that is sent for them is refused.
_READ_ONLY = ("hs_object_id", "hs_createdate", "hs_lastmodifieddate")
# The type and the field of each kind, and the kind that a type makes.
_TYPES = {
    "text": ("string", "text"),
    "number": ("number", "number"),
    "datetime": ("datetime", "date"),
    "date": ("date", "date"),
    "email": ("string", "text"),
}
_KINDS = {"string": TEXT, "number": NUMBER, "datetime": DATETIME, "date": DATE}
_UNIQUE_AT_MOST = 10
# Seconds for which the index of a new property is being built.
_INDEXING = 3.0


def property_path(families: Mapping[str, Family], path: str) -> tuple[Family, str | None] | None:
    """Return the family that a path names, and the property, if it names one; None otherwise."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    # The stores of families that this package does not describe are named by their paths.
    named = (one for name, one in families.items() if name.split("/")[-1] == found[1])
    family = next(named, None)
    return None if family is None else (family, found[2])


def list_properties(family: Family) -> dict[str, Any]:
    """Return the body that lists the properties of a family."""
    names = dict.fromkeys((*family.properties, *_READ_ONLY))
    return {"results": [_definition(family, name) for name in names]}


def show_property(family: Family, name: str) -> dict[str, Any] | Refusal:
    """Return the definition of a property, or why there is none."""
    if name not in (*family.properties, *_READ_ONLY):
        return Refusal(f"Property {name} does not exist", 404, "OBJECT_NOT_FOUND")
    return _definition(family, name)


def make_property(
    state: SandboxState, family: Family, body: bytes, now: float
) -> dict[str, Any] | Refusal:
    """Make a property; return its definition, or why it is refused."""
    try:
        document: object = json.loads(body)
    except ValueError:
        document = None
    asked = cast("dict[str, Any]", document) if isinstance(document, dict) else {}
    if not all(isinstance(asked.get(one), str) for one in ("name", "label", "type", "fieldType")):
        return Refusal("Invalid input JSON: some required fields were not set", category=None)
    if asked.get("groupName") != _group(family):
        return Refusal(f"Property group {asked.get('groupName')} does not exist")
    name, unique = asked["name"], bool(asked.get("hasUniqueValue"))
    if name in (*family.properties, *_READ_ONLY):
        return Refusal(f"A property named {name} already exists", 409, "CONFLICT")
    can_be_unique = family.name in state.unique_properties
    if unique and not (can_be_unique and len(family.keys) < _UNIQUE_AT_MOST):
        return Refusal(f"{family.label} cannot have another property with unique values")
    made = _KINDS.get(asked["type"])
    if made is None:
        return Refusal(f"{asked['type']} is no type of a property")
    state.add_property(family.name, name, made, unique=unique)
    state.indexed_at[family.name, name] = now + _INDEXING
    return _definition(state.families[family.name], name)


def _group(family: Family) -> str:
    return f"{family.name.split('/')[-1]}information"


def _definition(family: Family, name: str) -> dict[str, Any]:
    known = family.properties.get(name, Property())
    kind, field = ("enumeration", "select") if known.options else _TYPES[known.kind]
    own = name.startswith("hs_")
    return {
        "name": name,
        "label": name.removeprefix("hs_").replace("_", " ").capitalize(),
        "type": kind,
        "fieldType": field,
        "description": "",
        "groupName": _group(family),
        "options": [
            {"label": value, "value": value, "displayOrder": order, "hidden": False}
            for order, value in enumerate(known.options)
        ],
        "displayOrder": -1,
        "calculated": False,
        "externalOptions": False,
        "hasUniqueValue": name in (*family.unique, *family.keys),
        "hidden": False,
        "hubspotDefined": own,
        "modificationMetadata": {
            "archivable": not own,
            "readOnlyDefinition": own,
            "readOnlyValue": name in _READ_ONLY,
        },
        "formField": False,
    }
