"""The properties of an account, which are read and made by their own requests.

The module decides what such a request answers. A family that cannot have unique properties says so,
and a search by a new property is refused until its index is built.

HubSpot: https://developers.hubspot.com/docs/api-reference/latest/crm/properties/guide
"""

import json
import re
from typing import Any, cast

from .families import DATE, DATETIME, NUMBER, TEXT, Property
from .state import State
from .validation import Problem

PROPERTIES = "properties"
"""The name of these requests in the log and in plans of faults."""

_PATH = re.compile(r"/crm/(?:v3/properties|properties/20\d\d-\d\d)/(\w+)(?:/(\w+))?")
_KINDS = {"string": TEXT, "number": NUMBER, "datetime": DATETIME, "date": DATE}
_NAMES = {"text": "string"}
_UNIQUE_AT_MOST = 10
# Seconds for which the index of a new property is being built.
_INDEXING = 3.0


def property_path(state: State, path: str) -> tuple[str, str | None] | None:
    """Return the family that a path names, and the property, if it names one; None otherwise."""
    found = _PATH.fullmatch(path)
    return (found[1], found[2]) if found and found[1] in state.families else None


def show_property(state: State, family: str, name: str) -> dict[str, Any] | Problem:
    """Return a property as an answer shows it, or why there is none."""
    known = state.families[family].properties.get(name)
    if known is None:
        return Problem(f"Property {name} does not exist", 404, "OBJECT_NOT_FOUND")
    return _shown(state, family, name, known)


def make_property(state: State, family: str, body: bytes, now: float) -> dict[str, Any] | Problem:
    """Make a property; return it, or why it is refused."""
    try:
        document: object = json.loads(body)
    except ValueError:
        document = None
    asked = cast("dict[str, Any]", document) if isinstance(document, dict) else {}
    if not all(isinstance(asked.get(one), str) for one in ("name", "label", "type", "fieldType")):
        return Problem("Invalid input JSON: some required fields were not set", category=None)
    if asked.get("groupName") != _group(family):
        return Problem(f"Property group {asked.get('groupName')} does not exist")
    name, unique, found = asked["name"], bool(asked.get("hasUniqueValue")), state.families[family]
    if name in found.properties:
        return Problem(f"A property named {name} already exists", 409, "CONFLICT")
    if unique and (family not in state.unique_properties or len(found.keys) >= _UNIQUE_AT_MOST):
        return Problem(f"{found.label} cannot have another property with unique values")
    made = _KINDS.get(asked["type"])
    if made is None:
        return Problem(f"{asked['type']} is no type of a property")
    state.add_property(family, name, made, unique=unique)
    state.indexed_at[family, name] = now + _INDEXING
    return _shown(state, family, name, made)


def _group(family: str) -> str:
    return f"{family}information"


def _shown(state: State, family: str, name: str, known: Property) -> dict[str, Any]:
    return {
        "name": name,
        "label": name.replace("_", " ").capitalize(),
        "type": "enumeration" if known.options else _NAMES.get(known.kind, known.kind),
        "fieldType": "select" if known.options else "text",
        "groupName": _group(family),
        "hasUniqueValue": name in (*state.families[family].unique, *state.families[family].keys),
    }
