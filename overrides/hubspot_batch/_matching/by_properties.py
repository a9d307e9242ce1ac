"""Matches results to inputs by the property values that they repeat, where no key names the input.

This module decides which input a result belongs to: the only one that a server could have stored as
that record. `property_index` compares the values. A result that could belong to two
different inputs is given to neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from hubspot_batch._json import canonical, is_list, is_map

from .property_index import Properties, PropertyIndex

if TYPE_CHECKING:
    from .items import EncodedInput
    from .match import Results


PROPERTIES = ("properties",)
"""The field that most results repeat; a server may add values of its own to it."""


def repeated_values(wire: Mapping[str, Any], fields: Sequence[str]) -> Properties:
    """Return the values that an input and its result have in common.

    Args:
        wire: The JSON object.
        fields: The fields that both have.
    """
    if tuple(fields) == PROPERTIES:
        values: object = wire.get("properties")
        return values if is_map(values) else {}
    found: dict[str, Any] = {}
    for name in fields:
        value: object = wire.get(name)
        if is_list(value):  # a list of properties, such as customProperties
            value = {one["name"]: one.get("value") for one in value if _is_property(one)}
        if is_map(value):
            # A server may add names of its own, so each value is compared separately.
            inner = value.items()
            found |= {f"{name}.{key}": one for key, one in inner if not isinstance(one, _NESTED)}
        elif name in wire:
            found[name] = value
    return found


_NESTED = (dict, list)


def _is_property(value: object) -> bool:
    return is_map(value) and isinstance(value.get("name"), str)


class PropertyMatches(NamedTuple):
    """Results that were matched by their properties.

    Attributes:
        done: By position, the results of the inputs that were carried out. None if several inputs
            were carried out, and it is open which result belongs to which.
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
    named_by: str | None = None,
    repeated: Sequence[str] = PROPERTIES,
) -> PropertyMatches:
    """Match results without a key to inputs without a result or an error.

    Args:
        entries: The inputs of the request.
        positions: The positions of inputs without a result or an error.
        results: The results of the response.
        numbers: The numbers of those without a key.
        complete: Whether every error names its input. If not, counting proves nothing.
        named_by: The property that a record has only if its own input set it.
        repeated: The fields that results repeat.
    """
    sent: list[Properties] = [repeated_values(entries[at].wire, repeated) for at in positions]
    stored = {
        number: results.properties_of(results.values[number])
        for number in numbers
        if results.ids[number] is not None
    }
    records = [*stored.values()]
    groups = [[position] for position in positions]
    index = PropertyIndex(sent, records, named_by)
    if not index.all_differ:
        groups = _equal_inputs(entries, positions)
        first = dict(zip(positions, sent, strict=True))
        index = PropertyIndex([first[group[0]] for group in groups], records, named_by)
    done: dict[int, Any] = {}
    candidates = {number: index.candidates(properties) for number, properties in stored.items()}
    free = {*range(len(groups))}

    def settle(belongs: Callable[[Properties, int, set[int]], bool]) -> None:
        settled = True
        while settled:
            # A match made in this round narrows the choice from the next round on.
            among, settled = {*free}, False
            for number in [*stored]:
                for at, rivals in candidates[number]:
                    if groups[at] and belongs(stored[number], at, rivals & among):
                        done[groups[at].pop(0)] = results.values[number]
                        del stored[number]
                        settled = True
                        if not groups[at]:
                            free.discard(at)
                        break

    settle(lambda _, at, rivals: rivals == {at})
    # A second record of an input was made twice, so another input may have none.
    twice = any(not groups[at] for number in stored for at, _ in candidates[number])
    counted = _count(stored, index, groups) if complete and not twice else []
    if counted:
        done.update(dict.fromkeys(counted))
        settle(
            lambda shown, at, rivals: (
                rivals == {at}
                or index.shown_only_by(shown, at, rivals, stored.values(), len(groups[at]))
            )
        )
        if len(stored) == 1:
            (position,) = (position for group in groups for position in group)
            done[position] = results.values[stored.popitem()[0]]
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
    stored: Mapping[int, Properties], index: PropertyIndex, groups: Sequence[Sequence[int]]
) -> list[int]:
    """Return the remaining inputs if as many records remain: then all were done.

    Each record must be able to belong to an input of its own. Two records of one input would leave
    another input without one.
    """
    free = [position for group in groups for position in group]
    if len(stored) != len(free):
        return []
    owners = [at for at, group in enumerate(groups) for _ in group]
    wishes = [
        [place for place, at in enumerate(owners) if index.may_belong_to(properties, at)]
        for properties in stored.values()
    ]
    return free if can_all_be_placed(wishes) else []


def can_all_be_placed(wishes: Iterable[Sequence[int]]) -> bool:
    """Whether each can take one of its places; the ones with the fewest choices go first.

    False may be wrong: not every combination is tried, to keep the code small.
    """
    taken: set[int] = set()
    for wish in sorted(wishes, key=len):
        place = next((place for place in wish if place not in taken), None)
        if place is None:
            return False
        taken.add(place)
    return True
