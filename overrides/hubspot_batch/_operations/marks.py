"""The values that find the records of a run again.

This module decides what an input gets in the property that the caller names for it: the number of
the run, and the position of the input. An input that has a value there keeps it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from attrs import evolve, field, frozen

from hubspot_batch._engine.chunk import Encoded, Operation
from hubspot_batch._json import is_map
from hubspot_batch._matching.items import EncodedInput
from hubspot_batch.outcomes import OutcomeError
from hubspot_batch.outcomes.traces import Mark

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
# 41 bits. With longer numbers, fewer values would fit in a search. A record that is found by its
# mark must have the sent values, too.
_NUMBER_LENGTH = 8


def _run_number() -> str:
    return _in_digits(int.from_bytes(os.urandom(8)) % 36**_NUMBER_LENGTH).zfill(_NUMBER_LENGTH)


def _in_digits(number: int) -> str:
    digits = _DIGITS[number % 36]
    while number := number // 36:
        digits = _DIGITS[number % 36] + digits
    return digits


@frozen
class Marker:
    """Fills in the properties that find records again.

    Searches compare texts in lower case
    (https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm), so the values
    have only lower-case letters.

    Attributes:
        names: The properties, each with whether the server keeps its values unique.
    """

    names: Mapping[str, bool]
    _run: str = field(factory=_run_number)

    def marking(self, operation: Operation[Any]) -> Operation[Any]:
        """Return an operation that fills in these values before it sends an input."""

        def encode(first: int, given: list[Any]) -> list[Encoded]:
            found = operation.encode(first, given)
            return [one if isinstance(one, OutcomeError) else self.fill(one) for one in found]

        def identify(entry: EncodedInput) -> bytes:
            return operation.identify(self.unmarked(entry))

        return evolve(
            operation,
            encode=encode,
            identify=identify,
            marks_of=self.marks_of,
            mark_again=self.mark_again,
        )

    def fill(self, entry: EncodedInput) -> EncodedInput:
        """Return an input with a value in each of the properties."""
        value = self._value(entry)
        return _with(entry, {name: value for name in self.names if not _is_set(entry, name)})

    def marks_of(self, entry: EncodedInput) -> tuple[Mark, ...]:
        """Return the marks of an input."""
        sent, value = _properties(entry.wire), self._value(entry)
        return tuple(
            [
                Mark(name, sent[name], unique, ours=sent[name] == value)
                for name, unique in self.names.items()
                if isinstance(sent.get(name), str)
            ]
        )

    def mark_again(self, entry: EncodedInput, marks: tuple[Mark, ...]) -> EncodedInput:
        """Return an input with the marks that an earlier run gave it."""
        return _with(entry, {mark.property: mark.value for mark in marks if mark.ours})

    def unmarked(self, entry: EncodedInput) -> EncodedInput:
        """Return an input without the values that are filled in here."""
        value, wire = self._value(entry), entry.wire
        sent = _properties(wire)
        kept = {name: one for name, one in sent.items() if name not in self.names or one != value}
        return entry if kept == sent else _re_encoded(entry, {**wire, "properties": kept})

    def _value(self, entry: EncodedInput) -> str:
        return self._run + _in_digits(entry.index)


def _properties(wire: Mapping[str, Any]) -> Mapping[str, Any]:
    sent = wire.get("properties")
    return sent if is_map(sent) else {}


def _is_set(entry: EncodedInput, name: str) -> bool:
    return _properties(entry.wire).get(name) not in (None, "")


def _with(entry: EncodedInput, values: Mapping[str, str]) -> EncodedInput:
    if not values:
        return entry
    wire = entry.wire
    return _re_encoded(entry, {**wire, "properties": {**_properties(wire), **values}})


def _re_encoded(entry: EncodedInput, wire: Mapping[str, Any]) -> EncodedInput:
    return EncodedInput(entry.index, entry.input, json.dumps(wire).encode(), entry.key)
