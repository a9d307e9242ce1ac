"""The checks of an input, and the errors that report a bad one.

The module decides on form (names, types, required fields) and on meaning: required and known
properties, options, association types, unique values. It does not change the store.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, cast

import fastjsonschema
from attrs import frozen

from .families import Family
from .store import Store


@frozen
class Refusal:
    """A reason to refuse an input or a whole batch."""

    message: str
    status: int = 400
    category: str | None = "VALIDATION_ERROR"
    sub_category: str | None = None
    details: Sequence[dict[str, Any]] = ()
    tells_details: bool = False

    def item_error(self, context: Mapping[str, list[str]]) -> dict[str, Any]:
        """Return the problem as an item of a 207's `errors`.

        The form is the recorded one: no `links`, a `subCategory` that is a string, and `errors`
        only if `tells_details` says so.
        """
        error: dict[str, Any] = {
            "status": "error",
            "category": self.category,
            "message": self.message,
            "context": dict(context),
        }
        if self.sub_category:
            error["subCategory"] = self.sub_category
        if self.tells_details:
            error["errors"] = list(self.details)
        return error


def schema_problem(value: object, schema: Mapping[str, Any], name: str) -> str | None:
    """Return a description of the first violation of `schema`, or None.

    `name` stands for `value` in the description. As in HubSpot's own errors, the description names
    a field and not the position of the input in the batch.
    """
    try:
        _compile_schema(json.dumps(schema))(value)
    except fastjsonschema.JsonSchemaValueException as error:
        return str(error.message).replace("data", name, 1)
    return None


@cache
def _compile_schema(schema: str) -> Callable[[object], object]:
    validate: Callable[[object], object] = fastjsonschema.compile(
        json.loads(schema), use_default=False
    )
    return validate


def value_problem(
    family: Family, item: Mapping[str, Any], *, complete: bool = True
) -> Refusal | None:
    """Return the reason to refuse the values of an input, or None.

    `complete` is False for an update, which may leave out required properties.
    """
    properties: Mapping[str, str | None] = item.get("properties") or {}
    missing = [name for name in family.required if not properties.get(name)] if complete else []
    if missing:
        names = ", ".join(missing)
        return Refusal(
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
    forbidden = [
        name
        for name in properties
        if family.writable and name.startswith("hs_") and name not in family.writable
    ]
    if forbidden:
        return Refusal(
            f"Forbidden properties: {', '.join(forbidden)}. "
            f"Correct properties: {', '.join(family.writable)}",
            sub_category="CampaignApiError.PROPERTY_SET_CONTAINS_VALUES_FORBIDDEN_FOR_WRITE",
        )
    errors = [
        error
        for name, value in properties.items()
        if (error := _property_error(family, name, value))
    ]
    if errors:
        # As in HubSpot's errors, the message holds a whole JSON document as text.
        return Refusal(f"Property values were not valid: {json.dumps(errors)}")
    return _association_problem(family, item)


def rule_problem(enforced: Sequence[str], item: Mapping[str, Any]) -> Refusal | None:
    """Return the reason to refuse an input that lacks what the account requires, or None."""
    properties: Mapping[str, str | None] = item.get("properties") or {}
    missing = [name for name in enforced if not properties.get(name)]
    if not missing:
        return None
    return Refusal(
        "Required properties were not set",
        details=[
            {
                "message": f"{name} is required",
                "code": "MISSING_REQUIRED_PROPERTY",
                "context": {"propertyName": [name]},
            }
            for name in missing
        ],
        tells_details=True,
    )


def _property_error(family: Family, name: str, value: str | None) -> dict[str, Any] | None:
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


def _association_problem(family: Family, item: Mapping[str, Any]) -> Refusal | None:
    for association in () if family.open else item.get("associations") or ():
        for kind in association["types"]:
            category, type_id = kind["associationCategory"], kind["associationTypeId"]
            if (category, type_id) not in family.association_types:
                return Refusal(
                    f"No association type {type_id} in category {category} starts at a "
                    f"{family.label.lower()}",
                    sub_category="crm.associations.INVALID_ASSOCIATION_TYPE",
                )
    return None


def uniqueness_problem(
    family: Family, store: Store, item: Mapping[str, Any], claimed: set[tuple[str, str]]
) -> Refusal | None:
    """Return the reason to refuse a unique value that is already in use, or None.

    `claimed` holds the unique values of the earlier inputs of the batch. Those of an accepted input
    are added to it.
    """
    properties: Mapping[str, str | None] = item.get("properties") or {}
    claims: list[tuple[str, str]] = []
    for name in family.unique:
        if value := properties.get(name):
            existing_id = store.find_id(name, value)
            if existing_id or (name, value) in claimed:
                suffix = f" Existing ID: {existing_id}" if existing_id else ""
                return Refusal(f"{family.label} already exists.{suffix}", 409, "CONFLICT")
            claims.append((name, value))
    for name in family.keys:
        if value := properties.get(name):
            owner = store.find(name, value)
            if owner or (name, value) in claimed:
                return _conflict(family, name, value, "" if owner is None else owner.id)
            claims.append((name, value))
    claimed.update(claims)
    return None


def _conflict(family: Family, name: str, value: str, owner: str) -> Refusal:
    error = {
        "isValid": False,
        "message": f"{value} for {name}: {family.label} {owner} already has that value.",
        "error": "CONFLICTING_UNIQUE_VALUE",
        "name": name,
    }
    return Refusal(f"Property values were not valid: {json.dumps([error])}")


def id_property_problem(
    family: Family, kind: str, id_property: str | None, inputs: Sequence[Any]
) -> Refusal | None:
    """Return the reason to refuse a batch with records named by a property, or None.

    `id_property` is that of all inputs; each can have one of its own.
    """
    if family.open or not family.properties:
        return None
    objects = [cast("dict[str, Any]", item) for item in inputs if isinstance(item, dict)]
    named: set[str | None] = {id_property, *(item.get("idProperty") for item in objects)}
    for name in named - {None}:
        if name not in (*family.unique, *family.keys, *family.naming, "hs_object_id"):
            return Refusal(f"Unable to perform {kind} by non-unique property {name}")
    return None
