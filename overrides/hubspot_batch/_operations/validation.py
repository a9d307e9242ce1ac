"""Checks what is to be sent against the description, before anything is sent.

This module decides whether an input can be valid, by the JSON Schema that the description gives
it. It never decides what HubSpot will make of a valid one.
"""

from __future__ import annotations

import json
import reprlib
from collections.abc import Callable, KeysView
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from attrs import define

from hubspot_batch._engine.chunk import Glimpse, InvalidInputError
from hubspot_batch._json import is_list, is_map

if TYPE_CHECKING:
    from fastjsonschema import JsonSchemaValueException

    from .shapes import Shape

_WRITE = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


@define(slots=False, eq=False, repr=False)
class InputCheck:
    """The check of an operation's inputs.

    Args:
        schema: The JSON Schema of an input, closed against names that it does not declare.
        key: The name of the text field whose value is wanted apart, if any.
    """

    schema: dict[str, Any]
    key: str | None

    # Most inputs are valid, and are seen to be so at a tenth of the price of `read`. None says only
    # that `read` has to look. An input is the caller's, and may raise anything.

    def glance(self, given: list[Any]) -> Glimpse | None:
        """Return mappings that are all valid at first sight, as `shapes` finds them."""
        try:
            return None if self._seen is None else Glimpse(self._seen.find(given))
        except Exception:  # noqa: BLE001 - see above
            return None

    def glance_at_text(self, write: Callable[[], bytes]) -> Glimpse | None:
        """Return the inputs of the JSON array that is written, if all are valid at first sight."""
        try:
            if self._seen is None:
                return None
            text = write()
            return Glimpse(self._seen.find_in_text(text), text)
        except Exception:  # noqa: BLE001 - see above
            return None

    def read(self, wire: dict[str, Any], *, more_names: bool) -> bytes:
        """Return what to send for an input, as JSON text.

        The caller may change the mapping afterwards, or fill it anew for the next input.

        A list that the API requires is sent empty where it was left out.

        Args:
            wire: The input as a JSON object.
            more_names: Whether names that the description lacks are sent on; else they are
                misspellings.

        Raises:
            InvalidInputError: It cannot be valid; the text says where and why.
        """
        from fastjsonschema import JsonSchemaValueException  # noqa: PLC0415 - see `_compile`

        for name in self._required_lists:
            wire.setdefault(name, [])
        if not more_names and not wire.keys() <= self._names:
            unknown = sorted(map(str, wire.keys() - self._names))
            raise InvalidInputError(
                f"The API has no field {', '.join(unknown)} here; it has {', '.join(self._names)}."
            )
        try:
            (self._open if more_names else self._closed)(wire)
            # What no JSON text can hold: numbers that are none, and halves of characters.
            return _WRITE(wire).encode()
        except JsonSchemaValueException as error:
            raise InvalidInputError(f"{_sentence(error)}.") from None
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidInputError(f"The input cannot be written as JSON: {error}.") from None

    @cached_property
    def _names(self) -> KeysView[str]:
        properties: dict[str, Any] = self.schema.get("properties", {})
        return properties.keys()

    @cached_property
    def _required_lists(self) -> tuple[str, ...]:
        properties = self.schema.get("properties", {})
        required = self.schema.get("required", ())
        return tuple(n for n in required if properties.get(n, {}).get("type") == "array")

    # Made when first needed, since that takes longer than importing this package.
    @cached_property
    def _seen(self) -> Shape | None:
        from .shapes import shape_of  # noqa: PLC0415

        return shape_of(self.schema, self.key, self._required_lists)

    @cached_property
    def _closed(self) -> Callable[[object], object]:
        return _compile(self.schema)

    @cached_property
    def _open(self) -> Callable[[object], object]:
        return _compile(_opened(self.schema))


def _compile(schema: dict[str, Any]) -> Callable[[object], object]:
    # Not needed for inputs that are seen to be valid, nor by who only imports this package.
    from fastjsonschema import compile  # noqa: A004, PLC0415

    check: Callable[[object], object] = compile(schema, use_default=False)
    return check


def _opened(schema: Any) -> Any:
    if is_map(schema):
        parts = schema.items()
        return {n: _opened(p) for n, p in parts if (n, p) != ("additionalProperties", False)}
    if is_list(schema):
        return [_opened(part) for part in schema]
    return schema


def _sentence(error: JsonSchemaValueException) -> str:
    where = str(error.name).removeprefix("data").lstrip(".") or "the input"
    value: Any = error.value
    rule: Any = error.rule_definition
    match error.rule:
        case "required":
            return f"{where} lacks {', '.join(name for name in rule if name not in value)}"
        case "additionalProperties":
            names = error.definition.get("properties", {})
            return (
                f"{where} has no field {', '.join(sorted(map(str, value.keys() - names.keys())))}"
            )
        case "type":
            wanted = f"{rule}{_as_text(rule, value)}"
            return f"{where} is {reprlib.repr(value)}, but must be of type {wanted}"
        case "format":
            example = {"date-time": " with a zone, such as 2026-01-31T09:30:00Z"}.get(rule, "")
            return f"{where} is {reprlib.repr(value)}, which is no {rule}{example}"
        case _:
            return str(error.message).removeprefix("data").lstrip(". ")


def _as_text(rule: object, value: object) -> str:
    """Return how a value is written as text, where text is wanted and people forget it."""
    if rule != "string":
        return ""
    if isinstance(value, date):  # a time is one too
        return ": write a time as 2026-01-31T09:30:00Z, and a date as 2026-01-31"
    plain = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return f': write "{value}"' if plain else ""
