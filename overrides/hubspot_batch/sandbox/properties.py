"""The definitions of an account's properties, by which a client checks before it writes.

This module decides what the sandbox says of each property: its type, its options, and whether its
value can be written.

HubSpot: https://developers.hubspot.com/docs/api-reference/crm-properties-v3/guide
"""

import re
from collections.abc import Mapping
from typing import Any

from .families import Family, Property

_PATH = re.compile(r"/crm/v3/properties/([^/]+)")
# HubSpot sets these; a value that is sent for them is refused.
_READ_ONLY = ("hs_object_id", "hs_createdate", "hs_lastmodifieddate")
_TYPES = {
    "text": ("string", "text"),
    "number": ("number", "number"),
    "datetime": ("datetime", "date"),
    "date": ("date", "date"),
    "email": ("string", "text"),
}


def family_on(families: Mapping[str, Family], path: str) -> Family | None:
    """Return the family whose properties a path names; None if it names none."""
    found = _PATH.fullmatch(path)
    wanted = found[1] if found else ""
    # The stores of families that this package does not describe are named by their paths.
    return next((one for name, one in families.items() if name.split("/")[-1] == wanted), None)


def definitions(family: Family) -> dict[str, Any]:
    """Return the body that lists the properties of a family."""
    known = [_definition(name, one, family) for name, one in family.properties.items()]
    given = [_definition(name, Property(), family, read_only=True) for name in _READ_ONLY]
    return {"results": [*known, *given]}


def _definition(
    name: str, known: Property, family: Family, *, read_only: bool = False
) -> dict[str, Any]:
    kind, field = ("enumeration", "select") if known.options else _TYPES[known.kind]
    label = name.removeprefix("hs_").replace("_", " ").capitalize()
    return {
        "name": name,
        "label": label,
        "type": kind,
        "fieldType": field,
        "description": "",
        "groupName": f"{family.name.split('/')[-1]}_information",
        "options": [
            {"label": value, "value": value, "displayOrder": order, "hidden": False}
            for order, value in enumerate(known.options)
        ],
        "displayOrder": -1,
        "calculated": False,
        "externalOptions": False,
        "hasUniqueValue": name in family.unique,
        "hidden": False,
        "hubspotDefined": name.startswith("hs_"),
        "modificationMetadata": {
            "archivable": not name.startswith("hs_"),
            "readOnlyDefinition": name.startswith("hs_"),
            "readOnlyValue": read_only,
        },
        "formField": False,
    }
