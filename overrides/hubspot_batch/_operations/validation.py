"""Checks inputs against the description, and encodes them, before anything is sent.

This module decides whether an input can be valid, by the JSON Schema of the description. HubSpot
decides whether it accepts a valid one. `conversion` turns Python values into JSON, and
`plausibility` finds implausible values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import UUID

from attrs import define
from hubspot_batch_client.types import Model, plain_to_bytes

from hubspot_batch._cached_property import cached_property
from hubspot_batch._json import canonical, is_list, is_map
from hubspot_batch._matching.items import EncodedInput
from hubspot_batch._matching.keys import TRACE_ID, KeyRules
from hubspot_batch.outcomes import OutcomeError

from .conversion import Convert, converter, items_of
from .plausibility import WrittenTexts, written_texts
from .problems import InputProblem, InvalidInputError
from .schemas import fields_of
from .values import NO_VALUE, id_text, is_real, shown, simplify, time_advice, whole_number

if TYPE_CHECKING:
    from fastjsonschema import JsonSchemaValueException

    from .fast_validation import FastValidator

_WRITE = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


@define(slots=False, eq=False, repr=False)
class InputValidator:
    """Checks one input, with a message for what is wrong.

    Args:
        schema: The JSON Schema of an input, closed against names that it does not declare.
        key: The name of the field that holds an input's key; None if there is none.
        writable: The properties of HubSpot's own that can be written; none if that is not known.
    """

    schema: dict[str, Any]
    key: str | None
    writable: tuple[str, ...] = ()

    def convert(
        self, given: object, *, more_names: bool
    ) -> tuple[dict[str, Any], list[InputProblem]]:
        """Return an input as a JSON object, and what is wrong with it.

        Required lists that were left out are empty.

        Args:
            given: The input: a mapping or a model.
            more_names: Whether names that the description lacks are sent on. If not, they are
                misspellings.
        """
        if self._alternatives:
            return self._convert_either(given, more_names=more_names)
        problems: list[InputProblem] = []
        wire: Any = (self._convert_open if more_names else self._convert_closed)(
            given, "", problems
        )
        # A value that was not converted is of any type, and may compare as it likes.
        given_key: Any = wire.get(self.key) if is_map(wire) and self.key else None
        if self.key and type(given_key) is str and not given_key:
            problems.append(InputProblem(self.key, "is empty"))
        return wire, problems

    def write(self, wire: dict[str, Any], *, more_names: bool) -> bytes:
        """Return the JSON text of an input.

        Args:
            wire: The input as a JSON object.
            more_names: Whether it may have names that the description lacks.

        Raises:
            InvalidInputError: It cannot be valid.
        """
        from fastjsonschema import JsonSchemaValueException  # noqa: PLC0415 - see `_compile`

        try:
            (self._open if more_names else self._closed)(wire)
            # No JSON text can hold infinity, NaN or half of a surrogate pair.
            return _WRITE(wire).encode()
        except JsonSchemaValueException as error:
            where = str(error.name).removeprefix("data").lstrip(".")
            raise InvalidInputError([InputProblem(where, _reason(error))]) from None
        except (TypeError, ValueError, RecursionError) as error:
            problem = InputProblem("", f"cannot be written as JSON: {error}")
            raise InvalidInputError([problem]) from None

    @cached_property
    def _alternatives(self) -> list[InputValidator]:
        """A validator for each form that an input may have; none if there is only one."""
        return [InputValidator(part, self.key) for part in self.schema.get("anyOf", ())]

    def _convert_either(
        self, given: object, *, more_names: bool
    ) -> tuple[dict[str, Any], list[InputProblem]]:
        """Convert an input by the first form that it fits, or else by the nearest one."""
        nearest: tuple[dict[str, Any], list[InputProblem]] = {}, []
        for one in self._alternatives:
            wire, problems = one.convert(given, more_names=more_names)
            if not problems:
                try:
                    one.write(wire, more_names=more_names)
                except InvalidInputError as error:
                    problems = [*error.problems]
                else:
                    return wire, []
            if not nearest[1] or len(problems) < len(nearest[1]):
                nearest = wire, problems
        return nearest

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
    def written(self) -> WrittenTexts:
        """The fields with texts that HubSpot stores."""
        key = None if self.key == TRACE_ID else self.key
        if self._alternatives:
            return written_texts({"properties": fields_of(self.schema)}, key, self.writable)
        return written_texts(self.schema, key, self.writable)

    @cached_property
    def _convert_closed(self) -> Convert:
        return converter(self.schema)

    @cached_property
    def _convert_open(self) -> Convert:
        return converter(self.schema, closed=False)

    @cached_property
    def _closed(self) -> Callable[[object], object]:
        return _compile(self.schema)

    @cached_property
    def _open(self) -> Callable[[object], object]:
        return _compile(_opened(self.schema))


@define(slots=False, eq=False, repr=False)
class InputEncoder:
    """Encodes the inputs of one run.

    Args:
        validator: Checks an input.
        rules: How inputs name their records.
        models: The models of an input: several for alternatives, none for an input that is a text.
        key: The name of the field that holds an input's key; None if there is none.
        takes_ids: Whether an id stands for an input.
        run_id: A text that no other run has, for trace ids.
        plausible: Whether implausible values are refused.
    """

    validator: InputValidator
    rules: KeyRules
    models: tuple[type[Model], ...]
    key: str | None
    takes_ids: bool
    run_id: str
    plausible: bool = True

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
            return self._encode_texts(first, given) if not self.models else None
        if not self.rules.plain and self.rules.needs_full_check(given, self.models):
            return None
        found, texts = self._check_fast(fast, given)
        if not found or (self.plausible and self.validator.written.suspicious(found)):
            return None
        indexes = range(first, first + len(given))
        keys: list[str | None] = [None] * len(given)
        if self.key is not None:
            keys = _keys_of(found)
            if self.key == TRACE_ID and None in keys:
                texts = None
                for at, index in enumerate(indexes):
                    if not keys[at]:
                        found[at].key = keys[at] = f"{self.run_id}-{index}"
        texts = map(fast.write, found) if texts is None else texts
        return [*map(EncodedInput, indexes, given, texts, keys)]

    def _encode_texts(self, first: int, given: list[Any]) -> list[Any] | None:
        """Encode inputs that are nothing but texts; None if they need a full check."""
        if self.validator.schema != {"type": "string"} or {*map(type, given)} != {str}:
            return None
        if not all(given):
            return None
        texts = [_WRITE(text).encode() for text in given]
        return [*map(EncodedInput, count(first), given, texts, given)]

    def _check_fast(
        self, fast: FastValidator, given: list[Any]
    ) -> tuple[list[Any], Iterable[bytes] | None]:
        """Return copies of inputs that are proven valid, and their texts, if these are known."""
        kinds = {*map(type, given)}
        if kinds == {dict}:
            return fast.check(given), None
        if len(kinds) == 1 and kinds <= {*self.models}:
            text = plain_to_bytes(given)
            return fast.check_text(text), map(bytes, fast.split(text))
        if kinds == {str} and self.takes_ids:
            return fast.check([{self.key: id_} for id_ in given]), None
        return [], None

    def _encode_one(self, index: int, given: object) -> EncodedInput | OutcomeError:
        """Encode an input that was not proven valid."""
        try:
            wire, more_names = self.convert(given)
            if (self.key == TRACE_ID or self.rules.gives_trace_ids) and not wire.get(TRACE_ID):
                wire[TRACE_ID] = self.trace_id(index)
            text = self.validator.write(wire, more_names=more_names)
            return EncodedInput(index, given, text, self.rules.key(wire))
        except InvalidInputError as error:
            details = tuple(problem.detail for problem in error.problems)
            return OutcomeError("invalid_input", str(error), details=details)
        except Exception as error:  # noqa: BLE001 - an input's own code may raise anything
            reason = f"The input cannot be read: it raised {type(error).__name__}."
        return OutcomeError("invalid_input", reason)

    def _bare(self, given: object) -> Any:
        """Return an input that is a text or a whole number."""
        try:
            if self.validator.schema.get("type") == "integer":
                return _whole(given)
            wire = given if type(given) is str else id_text(given)
        except ValueError as error:
            raise InvalidInputError([InputProblem("", str(error))]) from None
        if wire is NO_VALUE or wire == "":
            raise InvalidInputError([InputProblem("", "is empty")])
        return wire

    def convert(self, given: object) -> tuple[Any, bool]:
        """Return an input as JSON, and whether it may have names of its own.

        Raises:
            InvalidInputError: It cannot be valid, or is implausible.
        """
        if not self.models:
            return self._bare(given), False
        more_names = isinstance(given, self.models)
        wire, problems = self.validator.convert(self._mapping(given), more_names=more_names)
        if self.plausible and is_map(wire):
            problems += self.validator.written.problems(wire)
        if problems := [one for one in problems if self.plausible or not one.doubtful]:
            raise InvalidInputError(problems)
        return wire, more_names

    def trace_id(self, index: int) -> str:
        """Return a trace id that no other input of any run has."""
        return f"{self.run_id}-{index}"

    def rename(self, entry: EncodedInput) -> EncodedInput:
        """Return an input with a trace id of its own in place of one that another input has."""
        name = self.trace_id(entry.index)
        text = json.dumps({**entry.wire, TRACE_ID: name}).encode()
        return type(entry)(entry.index, entry.input, text, name)

    def identify(self, entry: EncodedInput) -> bytes:
        """Return a text that is the same for equal inputs, also of another run.

        The order of names does not count, nor does a trace id that was added here.
        """
        wire: Any = entry.wire
        if is_map(wire) and wire.get(TRACE_ID) == self.trace_id(entry.index):
            del wire[TRACE_ID]
        try:
            return canonical(wire)
        except OverflowError:  # a number of more than 64 bits
            return json.dumps(wire, sort_keys=True).encode()

    def _mapping(self, given: object) -> object:
        """Return an input as a model or a mapping; an id stands for one that has only that."""
        if isinstance(given, self.models):
            return given
        if not isinstance(given, Model) and (items := items_of(given)) is not None:
            return items
        value = simplify(given)
        if self.takes_ids and (value is NO_VALUE or _may_be_id(value)):
            kind = fields_of(self.validator.schema).get(str(self.key), {}).get("type")
            return {str(self.key): _whole(given) if kind == "integer" else given}
        names = [one.__name__ for one in self.models]
        forms = f"{', a '.join(names)} or a mapping in the API's own names"
        hint = ""
        if isinstance(given, str) and not self.takes_ids:
            hint = (
                f": {shown(given)}. Iterating over a DataFrame gives its column names; pass "
                '[{"properties": row} for row in df.to_dict("records")]'
            )
        raise InvalidInputError(
            [
                InputProblem(
                    "",
                    f"must be {'an id, a ' if self.takes_ids else 'a '}{forms}, "
                    f"not {type(given).__name__}{hint}",
                )
            ]
        )


_KEY_TYPES = {str, type(None)}


def _keys_of(found: Iterable[Any]) -> list[str | None]:
    keys = [one.key or None for one in found]
    # The class of an enumeration decides how its texts compare.
    kinds = {*map(type, keys)}
    if kinds == {int}:
        return [*map(str, keys)]
    if not kinds <= _KEY_TYPES:
        raise TypeError("a key is a text of the caller's own kind")
    return keys


def _whole(given: object) -> Any:
    """Return a whole number that may be given as the text of an id."""
    digits = isinstance(given, str) and given.isascii() and given.isdecimal()
    return int(given) if isinstance(given, str) and digits else whole_number(given)


def _may_be_id(value: object) -> bool:
    return (isinstance(value, str | int | UUID) and not isinstance(value, bool)) or is_real(value)


def _compile(schema: dict[str, Any]) -> Callable[[object], object]:
    # Imported only when the fast path cannot prove an input valid.
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


def _reason(error: JsonSchemaValueException) -> str:
    value: Any = error.value
    if error.rule == "format" and error.rule_definition == "date-time":
        return f"is {shown(value)}, which is not an ISO 8601 time with a zone; {time_advice(value)}"
    rest = re.sub(r"^data\S*\s*", "", str(error.message))
    return f"is {shown(value)}, but {rest}"
