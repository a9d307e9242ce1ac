"""Whether the server takes an input, and the words with which it refuses.

It decides on form (names, types, what must be there) and on meaning: required and known properties,
options, association types, unique values. It never changes the store.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import fastjsonschema
from attrs import frozen

from .families import Family
from .store import Store


@frozen
class Problem:
    """One reason to refuse an input or a whole batch."""

    message: str
    status: int = 400
    category: str | None = "VALIDATION_ERROR"
    sub_category: str | None = None
    details: Sequence[dict[str, Any]] = ()

    def item_error(self, context: Mapping[str, list[str]]) -> dict[str, Any]:
        """Write it as an item of a 207's `errors`.

        In the recorded form: no `links`, no `errors`, and a `subCategory` that is a text.
        """
        item: dict[str, Any] = {
            "status": "error",
            "category": self.category,
            "message": self.message,
            "context": dict(context),
        }
        if self.sub_category:
            item["subCategory"] = self.sub_category
        return item


def first_problem(value: object, schema: Mapping[str, Any], name: str) -> str | None:
    """Say in a few words what is wrong first with `value`, or return None.

    `name` is what the words call the value. As in HubSpot's own answers, they name a field and
    never the position of the input in the batch.
    """
    try:
        _compiled(json.dumps(schema))(value)
    except fastjsonschema.JsonSchemaValueException as error:
        return str(error.message).replace("data", name, 1)
    return None


@cache
def _compiled(schema: str) -> Callable[[object], object]:
    check: Callable[[object], object] = fastjsonschema.compile(
        json.loads(schema), use_default=False
    )
    return check


def first_value_problem(
    family: Family, one: Mapping[str, Any], *, complete: bool = True
) -> Problem | None:
    """Return what the server would refuse this input for, or None.

    `complete` is False for an update, which need not bring the required properties again.
    """
    properties: Mapping[str, str | None] = one.get("properties") or {}
    missing = [name for name in family.required if not properties.get(name)] if complete else []
    if missing:
        names = ", ".join(missing)
        return Problem(
            f"Some required properties were not set: {names}",
            details=[
                {
                    "message": f"{name} was not set",
                    "code": "REQUIRED_PROPERTY_MISSING",
                    "context": {"propertyName": [name]},
                }
                for name in missing
            ],
        )
    wrong = [
        said
        for name, value in properties.items()
        if (said := _property_problem(family, name, value))
    ]
    if wrong:
        # The message holds a whole JSON document as text, as HubSpot's does.
        return Problem(f"Property values were not valid: {json.dumps(wrong)}")
    return _association_problem(family, one)


def _property_problem(family: Family, name: str, value: str | None) -> dict[str, Any] | None:
    known = family.properties.get(name)
    if known is None and family.open:
        return None
    if known is None:
        message, code = f'Property "{name}" does not exist', "PROPERTY_DOESNT_EXIST"
    elif value is None or known.accepts(value):
        return None
    elif known.options:
        message = f"{value} was not one of the allowed options: {list(known.options)}"
        code = "INVALID_OPTION"
    else:
        message, code = f"{value} was not a valid {known.kind}", f"INVALID_{known.kind.upper()}"
    return {"isValid": False, "message": message, "error": code, "name": name}


def _association_problem(family: Family, one: Mapping[str, Any]) -> Problem | None:
    for association in () if family.open else one.get("associations") or ():
        for kind in association["types"]:
            named = (kind["associationCategory"], kind["associationTypeId"])
            if named not in family.association_types:
                return Problem(
                    f"No association type {named[1]} in category {named[0]} starts at a "
                    f"{family.label.lower()}",
                    sub_category="crm.associations.INVALID_ASSOCIATION_TYPE",
                )
    return None


def conflicts(
    family: Family, store: Store, one: Mapping[str, Any], taken: set[tuple[str, str]]
) -> Problem | None:
    """Refuse a value that a stored record, or an earlier input of the batch, already has.

    `taken` collects the unique values of the inputs that were let through.
    """
    properties: Mapping[str, str | None] = one.get("properties") or {}
    claims: list[tuple[str, str]] = []
    for name in family.unique:
        if value := properties.get(name):
            owner = store.owner(name, value)
            if owner or (name, value) in taken:
                said = f" Existing ID: {owner}" if owner else ""
                return Problem(f"{family.label} already exists.{said}", 409, "CONFLICT")
            claims.append((name, value))
    taken.update(claims)
    return None
