"""HubSpot's warnings about records that it has written.

This module decides how a remark is read from a result. From the version 2026-09 on, HubSpot writes
dates in its own form, and says so in the `warnings` of the result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from hubspot_batch._json import is_list, is_map

# The category and the context of a value that was stored in another form than it was sent in
# (https://developers.hubspot.com/docs/api-reference/latest/crm/objects).
_PROPERTY, _RAW, _NORMALIZED = "propertyName", "rawValue", "normalizedValue"


class Remark(NamedTuple):
    """A warning of HubSpot about a result.

    Attributes:
        category: HubSpot's word for it, for example `PROPERTY_VALUE_NORMALIZED`; None if it gives
            none.
        message: The warning, for people.
        context: The details by name: of a normalised value `propertyName`, `rawValue` and
            `normalizedValue`.
    """

    category: str | None
    message: str
    context: Mapping[str, str]


def remarks_on(result: object) -> tuple[Remark, ...]:
    """Return the warnings of a result: a model, or None."""
    listed = _listed(result)
    return tuple(_read(listed)) if is_list(listed) else ()


def raw_values(result: object) -> dict[str, str]:
    """Return the values that HubSpot has normalised as they were sent, by property."""
    if not _listed(result):  # usually
        return {}
    found = (one.context for one in remarks_on(result))
    return {
        one[_PROPERTY]: one[_RAW] for one in found if {_PROPERTY, _RAW, _NORMALIZED} <= one.keys()
    }


def _listed(result: Any) -> object:
    """Return the field `warnings` of a model, also where the description lacks it."""
    try:
        return result.warnings
    except AttributeError:
        more: dict[str, Any] = getattr(result, "additional_properties", {})
        return more.get("warnings")


def _read(listed: list[Any]) -> Iterator[Remark]:
    for one in listed:
        fields = one.to_dict() if hasattr(one, "to_dict") else one
        if not is_map(fields):
            continue
        category, message, context = (fields.get(n) for n in ("category", "message", "context"))
        details: Mapping[str, Any] = context if is_map(context) else {}
        yield Remark(
            category if isinstance(category, str) else None,
            message if isinstance(message, str) else "",
            {name: str(value) for name, value in details.items()},
        )
