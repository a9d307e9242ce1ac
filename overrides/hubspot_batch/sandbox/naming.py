"""How an input names its record, and how a result repeats that name.

The module decides which fields find a record. An input can be an id and nothing else, a
field can hold the id, or several fields can name a record together.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias, cast

from .operations import SandboxOperation
from .store import Record, Store

Input: TypeAlias = Any
"""An item of `inputs`: a JSON object, or an id."""


def fields_of(item: Input) -> Mapping[str, Any]:
    """Return the fields of an input; an id has none."""
    return cast("dict[str, Any]", item) if isinstance(item, dict) else {}


def values_of(spec: SandboxOperation, item: Input) -> tuple[Any, ...]:
    """Return the values that name an input's record; none if it names none."""
    if not isinstance(item, dict):
        return (item,)
    names = spec.id_field if isinstance(spec.id_field, tuple) else (spec.id_field,)
    fields = fields_of(item)
    return tuple(fields[name] for name in names)


def name_of(spec: SandboxOperation, item: Input) -> str:
    """Return the name of an input's record, as messages show it; empty if it has none."""
    return ", ".join(map(str, values_of(spec, item)))


def find(
    spec: SandboxOperation, store: Store, item: Input, id_property: str | None
) -> Record | None:
    """Return the record that an input names, or None."""
    if isinstance(spec.id_field, tuple) and isinstance(item, dict):
        names, fields = spec.id_field, fields_of(item)
        wanted = [fields[name] for name in names]
        found = (one for one in store if [one.fields.get(name) for name in names] == wanted)
        return next(found, None) if names else None
    name = name_of(spec, item)
    return store.find(id_property, name) if id_property else store.get(name)


def repeat_name(
    spec: SandboxOperation, item: Input, record: Record, result: dict[str, Any]
) -> None:
    """Let a result name its record as the contract says, in the form that the input has."""
    if spec.record_field and spec.record_field not in result:
        result[spec.record_field] = record.id
    if isinstance(spec.id_field, tuple):
        for name in {*spec.id_field} - {*spec.echoes}:
            result.pop(name, None)
    if spec.echoes and (spec.kind != "create" or spec.id_field):
        for field, value in zip(spec.echoes, values_of(spec, item), strict=False):
            # The id of an input can be the value of a property, and not that of its record.
            if str(result.get(field, value)) == str(value):
                result[field] = value
