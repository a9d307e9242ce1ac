"""Checks inputs against the description, and encodes them, before anything is sent.

This module decides whether an input can be valid, by the JSON Schema of the description. Whether
HubSpot accepts a valid one is for HubSpot to decide.
"""

from __future__ import annotations

import json
import reprlib
from collections.abc import Callable, Iterable, KeysView, Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from attrs import define
from hubspot_batch_client.types import Model, to_bytes, to_json

from hubspot_batch._json import is_list, is_map
from hubspot_batch._lazy import cached_property
from hubspot_batch._matching.keys import TRACE_ID, KeyRules
from hubspot_batch.outcomes import OutcomeError

if TYPE_CHECKING:
    from fastjsonschema import JsonSchemaValueException

    from hubspot_batch._matching.items import EncodedInput

    from .fast_validation import FastValidator

_WRITE = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class InvalidInputError(Exception):
    """An input cannot be valid; the message says why."""


@define(slots=False, eq=False, repr=False)
class InputValidator:
    """Checks one input, with a message for what is wrong.

    Args:
        schema: The JSON Schema of an input, closed against names that it does not declare.
        key: The name of the field that holds an input's key; None if there is none.
    """

    schema: dict[str, Any]
    key: str | None

    def validate(self, wire: dict[str, Any], *, more_names: bool) -> bytes:
        """Return the JSON text of an input. Required lists that were left out are sent empty.

        Args:
            wire: The input as a JSON object.
            more_names: Whether names that the description lacks are sent on. If not, they are
                misspellings.

        Raises:
            InvalidInputError: It cannot be valid; the message says where and why.
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
            # No JSON text can hold infinity, NaN or half of a surrogate pair.
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

    # Compiled when first needed, since that takes longer than importing this package.
    @cached_property
    def fast(self) -> FastValidator | None:
        """A validator ten times as fast, which only proves that inputs are valid."""
        from .fast_validation import fast_validator  # noqa: PLC0415

        return fast_validator(self.schema, self.key, self._required_lists)

    @cached_property
    def _closed(self) -> Callable[[object], object]:
        return _compile(self.schema)

    @cached_property
    def _open(self) -> Callable[[object], object]:
        return _compile(_opened(self.schema))


def _encoded_input() -> type[EncodedInput]:
    from hubspot_batch._matching.items import EncodedInput  # noqa: PLC0415 - only a run needs it

    return EncodedInput


@define(slots=False, eq=False, repr=False)
class InputEncoder:
    """Encodes the inputs of one run.

    Args:
        validator: Checks an input.
        rules: How inputs name their records.
        model: The model of an input.
        key: The name of the field that holds an input's key; None if there is none.
        reads: Whether an id stands for an input.
        run_id: A text that no other run has, for trace ids.
    """

    validator: InputValidator
    rules: KeyRules
    model: type[Model]
    key: str | None
    reads: bool
    run_id: str

    def encode(self, first: int, given: list[Any]) -> list[EncodedInput | OutcomeError]:
        """Return each input as it is sent, or the reason why it cannot be valid.

        Args:
            first: The position of the first.
            given: The inputs: models, mappings, or ids for a read.
        """
        encoded: list[EncodedInput | OutcomeError] | None = None
        try:
            encoded = self._encode_fast(first, given)
        except Exception:  # noqa: BLE001 - not proven valid; an input's own code may raise anything
            encoded = None
        if encoded is not None:
            return encoded
        if len(given) == 1:
            return [self._encode_one(first, given[0])]
        return [self.encode(index, [one])[0] for index, one in enumerate(given, first)]

    def _encode_fast(self, first: int, given: list[Any]) -> list[Any] | None:
        """Encode inputs of one type that are all proven valid; None if they are not."""
        fast = self.validator.fast
        if fast is None:
            return None
        if not self.rules.plain and self.rules.needs_full_check(given, self.model):
            return None
        kinds = {*map(type, given)}
        texts: Iterable[bytes] | None = None
        if kinds == {dict}:
            found = fast.check(given)
        elif kinds == {self.model}:
            text = to_bytes(given)
            found, texts = fast.check_text(text), map(bytes, fast.split(text))
        elif kinds == {str} and self.reads:
            found = fast.check([{self.key: id_} for id_ in given])
        else:
            return None
        indexes = range(first, first + len(given))
        keys: list[str | None] = [None] * len(given)
        if self.key is not None:
            keys = [one.key or None for one in found]
            if self.key == TRACE_ID and None in keys:
                texts = None
                for at, index in enumerate(indexes):
                    if not keys[at]:
                        found[at].key = keys[at] = self.trace_id(index)
        texts = map(fast.write, found) if texts is None else texts
        return [*map(_encoded_input(), indexes, given, texts, keys)]

    def _encode_one(self, index: int, given: object) -> EncodedInput | OutcomeError:
        """Encode an input that was not proven valid."""
        try:
            wire, more_names = self._wire(given)
            if (self.key == TRACE_ID or self.rules.gives_trace_ids) and not wire.get(TRACE_ID):
                wire[TRACE_ID] = self.trace_id(index)
            text = self.validator.validate(wire, more_names=more_names)
            if self.key and wire.get(self.key) == "":
                raise InvalidInputError(f"{self.key} is empty.")
            return _encoded_input()(index, given, text, self.rules.key(wire))
        except InvalidInputError as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001 - an input's own code may raise anything
            reason = f"The input cannot be read: it raised {type(error).__name__}."
        return OutcomeError("invalid_input", reason)

    def trace_id(self, index: int) -> str:
        """Return a trace id that no other input of any run has."""
        return f"{self.run_id}-{index}"

    def rename(self, entry: EncodedInput) -> EncodedInput:
        """Return an input with a trace id of its own in place of one that another input has."""
        name = self.trace_id(entry.index)
        text = json.dumps({**entry.wire, TRACE_ID: name}).encode()
        return type(entry)(entry.index, entry.input, text, name)

    def _wire(self, given: object) -> tuple[dict[str, Any], bool]:
        """Return an input as a JSON object, and whether it may have names of its own."""
        if isinstance(given, self.model):
            return _json_of(given), True
        if self.reads and isinstance(given, str):
            return {str(self.key): given}, False
        # To ask for a dict first takes a tenth of the time.
        if isinstance(given, dict) or isinstance(given, Mapping):  # noqa: SIM101
            return {**cast("Mapping[str, Any]", given)}, False
        kind = type(given).__name__
        forms = f"{self.model.__name__} or a mapping in the API's own names"
        raise InvalidInputError(
            f"An input is {'an id as text, a ' if self.reads else 'a '}{forms}, and not {kind}."
        )


def _json_of(model: Model) -> dict[str, Any]:
    try:
        wire: dict[str, Any] = to_json(model)
    except RecursionError:
        raise InvalidInputError("The input is nested too deeply, or holds itself.") from None
    return wire


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
