"""Compares property values as they were sent with those that came back.

This module decides when two values are the same, although a server writes times and empty values
its own way, and when they are so alike that one could have become the other. It never decides whose
a result is.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from math import isnan
from typing import Any

Properties = Mapping[str, Any]

_SIGNS = frozenset("+-.")
# Values that share one of these are alike.
_EMPTY = ("empty",)
_ODD = ("neither text nor number",)


def repeats(stored: Properties, sent: Properties) -> bool:
    """Return whether a result repeats a value that was sent, and has no other value for any."""
    if sent and sent.items() <= stored.items():  # as a rule
        return True
    common = False
    for name, value in sent.items():
        if name in stored:
            if not _same(stored[name], value):
                return False
            common = True
    return common


class Sent:
    """The properties of inputs, for looking up whose value one can be.

    Sets of inputs are numbers, with a bit for each. So a result is compared with all inputs at
    once, and in turn with the few that it can belong to.

    Args:
        inputs: The properties of each input.
    """

    def __init__(self, inputs: Sequence[Properties]) -> None:
        self._inputs = inputs
        self._all = (1 << len(inputs)) - 1
        self._first = _name_that_tells_all_apart(inputs)
        self._looked_into: dict[str, _Property] = {}

    @property
    def all_differ(self) -> bool:
        """Whether there is a property of which all have texts of their own."""
        return self._first is not None

    @cached_property
    def _turns(self) -> dict[str, int]:
        """The properties in the order in which to ask for them.

        First come those that tell most inputs apart. Often one is enough, so each is looked into
        when it is needed.
        """
        values: defaultdict[str, set[str]] = defaultdict(set)
        for properties in self._inputs:
            for name, value in properties.items():
                values[name].add(str(value))
        names = sorted(values, key=lambda name: len(values[name]), reverse=True)
        return {name: turn for turn, name in enumerate(names)}

    def repeated(self, stored: Properties) -> list[tuple[int, int]]:
        """Return the inputs whose values a result repeats, each with those it can be taken for.

        Only a property that both inputs set, and set to values that no server takes for each
        other, tells them apart: what just one of them sets, a server can have changed or filled
        in.

        Returns:
            Numbers of inputs, and for each the set of inputs that the result could as well be of,
            itself among them.
        """
        if (only := self.only(stored)) is not None:
            return [(only, 1 << only)]
        among = self._all
        for name in self._common(stored):
            found = self._property(name)
            among &= found.like(found.marks_of(stored[name])) | ~found.setting
            if not among & (among - 1):  # one is left at most
                break
        return [
            (number, self._like_input(number, stored))
            for number in _numbers(among)
            if repeats(stored, self._inputs[number])
        ]

    def only(self, stored: Properties) -> int | None:
        """Return the one input whose values a result repeats, where one look is enough."""
        value = None if self._first is None else stored.get(self._first)
        number = self._alone.get(value) if isinstance(value, str) else None
        same = number is not None and repeats(stored, self._inputs[number])
        return number if same else None

    @cached_property
    def _alone(self) -> dict[str, int]:
        """The inputs whose first property no server can take for that of another, by its text."""
        name = str(self._first)
        values = [properties[name] for properties in self._inputs]
        # Texts that are neither times nor numbers have one mark each.
        if all(value.isascii() and value[:1].isalpha() for value in values):
            plain = {"".join(value.casefold().split()) for value in values}
            if len(plain) == len(values):
                return {value: number for number, value in enumerate(values)}
        found = self._property(name)
        return {
            value: number
            for number, value in enumerate(values)
            if found.like(found.marks[number]) == 1 << number
        }

    def possible(self, stored: Properties) -> int:
        """Return the set of inputs to which a result may belong at all.

        It may not where it has other values for all that it could have repeated.
        """
        like = setting = 0
        for name in self._common(stored):
            like |= self._property(name).like(_marks(stored[name]))
            setting |= self._property(name).setting
        return like | (self._all & ~setting)

    def _like_input(self, number: int, stored: Properties) -> int:
        """Return the inputs that the properties of a result do not tell from one of them."""
        among = self._all
        for name in self._common(stored):
            found = self._property(name)
            if number in found.marks:
                among &= found.like(found.marks[number]) | ~found.setting
                if not among & (among - 1):
                    break
        return among

    def _common(self, stored: Properties) -> Iterable[str]:
        """Return the properties that a result can repeat, in the order in which to ask for them."""
        if len(self._turns) <= len(stored) + 20:  # as a rule, and the first often is enough
            return filter(stored.__contains__, self._turns)
        return sorted(stored.keys() & self._turns.keys(), key=self._turns.__getitem__)

    def _property(self, name: str) -> _Property:
        found = self._looked_into.get(name)
        if found is None:
            found = self._looked_into[name] = _Property(name, self._inputs)
        return found


def _name_that_tells_all_apart(inputs: Sequence[Properties]) -> str | None:
    """Return a property that is a text of its own in each input; None where there is none."""
    for name in inputs[0] if inputs else ():
        values = [properties.get(name) for properties in inputs]
        if {*map(type, values)} == {str} and len(set(values)) == len(values):
            return name
    return None


class _Property:
    """One property of all inputs.

    Attributes:
        setting: The set of those that set it.
        marks: The marks of their values, by number.
    """

    __slots__ = ("_by_mark", "_by_text", "marks", "setting")

    def __init__(self, name: str, inputs: Sequence[Properties]) -> None:
        self.setting = 0
        self.marks: dict[int, Sequence[Hashable]] = {}
        self._by_mark: dict[Hashable, int] = {}
        # Most results repeat a text as it was sent.
        self._by_text: dict[str, Sequence[Hashable]] = {}
        for number, properties in enumerate(inputs):
            if name in properties:
                value = properties[name]
                self.setting |= 1 << number
                self.marks[number] = marks = _marks(value)
                if isinstance(value, str):
                    self._by_text[value] = marks
                for mark in marks:
                    self._by_mark[mark] = self._by_mark.get(mark, 0) | 1 << number

    def marks_of(self, value: object) -> Sequence[Hashable]:
        """Return the marks of a value, which need not be one of the inputs'."""
        marks = self._by_text.get(value) if isinstance(value, str) else None
        return _marks(value) if marks is None else marks

    def like(self, marks: Sequence[Hashable]) -> int:
        """Return the set of inputs whose values share a mark with another."""
        like = 0
        for mark in marks:
            like |= self._by_mark.get(mark, 0)
        return like


def _numbers(bits: int) -> list[int]:
    numbers: list[int] = []
    while bits:
        numbers.append((bits & -bits).bit_length() - 1)
        bits &= bits - 1
    return numbers


def _same(stored: object, sent: object) -> bool:
    if stored == sent or (stored is None and sent == ""):
        return True
    # A time that was sent as epoch milliseconds comes back in ISO 8601.
    instant = _instant(sent)
    return instant is not None and instant == _instant(stored)


def _marks(value: object) -> Sequence[Hashable]:
    """Return what a value has in common with those that are like it."""
    if isinstance(value, str):
        instant = _instant(value)
        marks = (_plain(value),) if instant is None else (_plain(value), instant)
        return marks if value else (_EMPTY, *marks)
    if value is None:
        return (_EMPTY,)
    return (value,) if isinstance(value, int | float) else (_ODD,)


def _plain(text: str) -> Hashable:
    """Return a text without what servers are known to change: case, blanks, forms of numbers."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    text = "".join(text.casefold().split())
    # Most texts are no numbers, and to find out by an exception takes long.
    if text[:1].isdecimal() or text[:1] in _SIGNS:
        with suppress(ValueError):
            number = float(text)
            return text if isnan(number) else number  # which is not even like itself
    return text


def _instant(value: object) -> datetime | None:
    # To find out by an exception that a text is no time takes long.
    if not isinstance(value, str) or len(value) < len("2026-01-01") or not value[0].isdigit():
        return None
    try:
        if value.isdecimal():
            return datetime.fromtimestamp(int(value) / 1000, UTC)
        instant = datetime.fromisoformat(value)
    except (ValueError, OverflowError, OSError):
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
