"""Matches results to inputs by the property values that they repeat, where no key names the input.

This module decides when two values are the same although the server spells them differently, when
they are so alike that one could have become the other, and which input a result therefore belongs
to. A result that could belong to two different inputs is given to neither.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from math import isnan
from typing import TYPE_CHECKING, Any, NamedTuple

from hubspot_batch._json import canonical
from hubspot_batch._lazy import cached_property

if TYPE_CHECKING:
    from .items import EncodedInput
    from .match import Results


Properties = Mapping[str, Any]

_SIGNS = frozenset("+-.")
# Values with one of these marks are alike.
_EMPTY = ("empty",)
_ODD = ("neither text nor number",)


class PropertyMatches(NamedTuple):
    """Results that were matched by their properties.

    Attributes:
        done: By position, the results of the inputs that were carried out; None where all of
            several inputs were, and it is open which result is whose.
        left: The numbers of the results that could not be matched.
    """

    done: dict[int, Any]
    left: list[int]


def match_by_properties(
    entries: Sequence[EncodedInput],
    positions: Sequence[int],
    results: Results,
    numbers: Sequence[int],
    *,
    complete: bool,
) -> PropertyMatches:
    """Match results without a key to inputs that nothing is known of.

    Args:
        entries: The inputs of the request.
        positions: The positions of those that nothing is known of.
        results: The results of the response.
        numbers: The numbers of those without a key.
        complete: Whether every error names its input. If not, counting proves nothing.
    """
    sent: list[Properties] = [entries[at].wire.get("properties") or {} for at in positions]
    groups = [[position] for position in positions]
    index = _PropertyIndex(sent)
    if not index.all_differ:
        groups = _equal_inputs(entries, positions)
        first = dict(zip(positions, sent, strict=True))
        index = _PropertyIndex([first[group[0]] for group in groups])
    stored = {
        number: results.properties_of(results.values[number])
        for number in numbers
        if results.ids[number] is not None
    }
    done: dict[int, Any] = {}
    candidates = {number: index.candidates(properties) for number, properties in stored.items()}
    free = {*range(len(groups))}
    settled = True
    while settled:
        # What one result says of the others counts from the next round on.
        among, settled = {*free}, False
        for number in [*stored]:
            for at, rivals in candidates[number]:
                if groups[at] and rivals & among == {at}:
                    done[groups[at].pop(0)] = results.values[number]
                    del stored[number]
                    settled = True
                    if not groups[at]:
                        free.discard(at)
                    break
    counted = _count(stored, index, groups) if complete else []
    done.update(dict.fromkeys(counted))
    if len(counted) == 1:
        done[counted[0]] = results.values[stored.popitem()[0]]
    left = [number for number in numbers if number in stored or results.ids[number] is None]
    return PropertyMatches(done, left)


def _equal_inputs(entries: Sequence[EncodedInput], positions: Sequence[int]) -> list[list[int]]:
    """Group inputs that are equal except for their keys. Any of a group stands for the others."""
    groups: dict[bytes, list[int]] = {}
    for position in positions:
        entry = entries[position]
        wire = {name: value for name, value in entry.wire.items() if value != entry.key}
        groups.setdefault(canonical(wire), []).append(position)
    return [*groups.values()]


def _count(
    stored: Mapping[int, Properties], index: _PropertyIndex, groups: Sequence[Sequence[int]]
) -> list[int]:
    """Return the inputs that are left if as many records as inputs are: then all were done.

    Each record must be able to belong to an input of its own. Two records of one input would leave
    another input without one.
    """
    free = [position for group in groups for position in group]
    if len(stored) != len(free):
        return []
    owners = [at for at, group in enumerate(groups) for _ in group]
    wishes = [
        [place for place, at in enumerate(owners) if index.may_be(properties, at)]
        for properties in stored.values()
    ]
    return free if _each_has_a_place(wishes) else []


def _each_has_a_place(wishes: Iterable[Sequence[int]]) -> bool:
    """Whether each can take a place that it wishes, the least choosy last.

    False does not mean that there is no way; looking for every way is not worth its code.
    """
    taken: set[int] = set()
    for wish in sorted(wishes, key=len):
        place = next((place for place in wish if place not in taken), None)
        if place is None:
            return False
        taken.add(place)
    return True


class _PropertyIndex:
    """The properties of inputs, indexed by the property that distinguishes most of them.

    Args:
        inputs: The properties of each input.
    """

    def __init__(self, inputs: Sequence[Properties]) -> None:
        self._inputs = inputs
        self._distinct = _distinct_name(inputs)
        self.all_differ = self._distinct is not None
        self._by_mark: dict[str, dict[Hashable, set[int]]] = {}

    @cached_property
    def _names(self) -> list[str]:
        """The properties, those that distinguish most inputs first."""
        values: defaultdict[str, set[str]] = defaultdict(set)
        for properties in self._inputs:
            for name, value in properties.items():
                values[name].add(str(value))
        return sorted(values, key=lambda name: len(values[name]), reverse=True)

    @cached_property
    def _by_text(self) -> dict[object, int]:
        """The inputs by a text that only one input has, however the server spells it.

        Most results repeat it as it was sent, and then nothing else has to be compared.
        """
        if self._distinct is None:
            return {}
        texts = [properties[self._distinct] for properties in self._inputs]
        words = all(text.isascii() and text[:1].isalpha() for text in texts)
        plain = {"".join(text.casefold().split()) for text in texts} if words else ()
        return {text: at for at, text in enumerate(texts)} if len(plain) == len(texts) else {}

    def candidates(self, stored: Properties) -> list[tuple[int, set[int]]]:
        """Return the inputs whose values a result repeats, each with its rivals.

        A rival is an input that the result could as well belong to; each input is its own rival.
        """
        value = stored.get(self._distinct) if self._distinct else None
        only = self._by_text.get(value) if isinstance(value, str) else None
        if only is not None and repeats(stored, self._inputs[only]):  # usually
            return [(only, {only})]
        name = next((name for name in self._names if name in stored), None)
        if name is None:
            return []
        return [
            (at, self._rivals(name, at, stored))
            for at in self._near(name, stored[name])
            if repeats(stored, self._inputs[at])
        ]

    def _rivals(self, name: str, at: int, stored: Properties) -> set[int]:
        sent = self._inputs[at]
        near = self._near(name, sent[name]) if name in sent else range(len(self._inputs))
        return {at, *(one for one in near if not _distinguished(stored, sent, self._inputs[one]))}

    def may_be(self, stored: Properties, at: int) -> bool:
        """Return False if a result has other values for all that the input set."""
        sent = self._inputs[at]
        common = sent.keys() & stored.keys()
        return not common or any(_alike(stored[name], sent[name]) for name in common)

    def _near(self, name: str, value: object) -> set[int]:
        """Return the inputs whose value is like another, and those that do not set the property."""
        by_mark = self._by_mark.get(name)
        if by_mark is None:
            by_mark = self._by_mark[name] = defaultdict(set)
            for at, properties in enumerate(self._inputs):
                for mark in _marks(properties[name]) if name in properties else (None,):
                    by_mark[mark].add(at)
        near: set[int] = set()
        for mark in (*_marks(value), None):
            near |= by_mark.get(mark, set())
        return near


def _distinct_name(inputs: Sequence[Properties]) -> str | None:
    """Return a property of which each input has a text of its own; None if there is none."""
    for name in inputs[0] if inputs else ():
        values = [properties.get(name) for properties in inputs]
        if {*map(type, values)} == {str} and len(set(values)) == len(values):
            return name
    return None


def repeats(stored: Properties, sent: Properties) -> bool:
    """Return whether a result repeats a value that was sent, and has no other value for any."""
    if sent and sent.items() <= stored.items():  # usually
        return True
    common = sent.keys() & stored.keys()
    return bool(common) and all(_same(stored[name], sent[name]) for name in common)


def _distinguished(stored: Properties, sent: Properties, other: Properties) -> bool:
    """Whether a result that repeats one input cannot belong to another.

    Only a property that both inputs set counts: the server can have filled in what one of them
    left out.
    """
    if sent is other:
        return False
    common = sent.keys() & stored.keys() & other.keys()
    return any(not _alike(sent[name], other[name]) for name in common)


def _same(stored: object, sent: object) -> bool:
    if stored == sent or (stored is None and sent == ""):
        return True
    # A time that was sent as epoch milliseconds comes back in ISO 8601.
    instant = _instant(sent)
    return instant is not None and instant == _instant(stored)


def _alike(one: object, other: object) -> bool:
    """Whether a server could have made one value of the other."""
    return one == other or not {*_marks(one)}.isdisjoint(_marks(other))


def _marks(value: object) -> tuple[Hashable, ...]:
    """Return marks of a value; values with a common mark are alike."""
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
    # Most texts are no numbers, and to find that out by an exception takes long.
    if text[:1].isdecimal() or text[:1] in _SIGNS:
        with suppress(ValueError):
            number = float(text)
            return text if isnan(number) else number  # NaN is not even equal to itself
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
