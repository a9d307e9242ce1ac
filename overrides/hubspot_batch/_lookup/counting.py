"""Counts records against inputs in doubt.

This module decides which inputs were done: equal inputs, if exactly as many records were found. It
never guesses which record belongs to which input.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from hubspot_batch._matching.by_properties import can_all_be_placed

from .endpoints import FoundRecord, Period
from .stored import may_be_stored_as, stored_form, stored_forms


class CountedInput(NamedTuple):
    """An input that may have a record.

    Attributes:
        properties: The properties that were sent.
        period: When a record of it can have been created.
        to_find: Whether its record is wanted. If not, it was certainly done, but its record is not
            known.
    """

    properties: Mapping[str, Any]
    period: Period
    to_find: bool = True


class Count(NamedTuple):
    """The inputs that were done, and the others, by their places.

    Attributes:
        done: The inputs that were done, each with its record where that is certain.
        disputed: Other inputs, with the records that may belong to them.
        unclaimed: The records that belong to one of the inputs, but not certainly to which.
    """

    done: Mapping[int, FoundRecord | None]
    disputed: Mapping[int, tuple[FoundRecord, ...]]
    unclaimed: tuple[FoundRecord, ...]


class _Group:
    """Equal inputs of requests that were under way at the same time."""

    def __init__(self, names: tuple[str, ...], first: CountedInput) -> None:
        self.names = names
        self.first = first
        self.places: list[int] = []
        self.record_numbers: list[int] = []


def count(inputs: Sequence[CountedInput], records: Sequence[FoundRecord], named_by: str) -> Count:
    """Count records against inputs.

    Args:
        inputs: The inputs in doubt, and those that are done without a record of their own.
        records: The records that were found, and that belong to no other input.
        named_by: The property that every input has.
    """
    groups = _groups(inputs)
    _assign(groups, records)
    done: dict[int, FoundRecord | None] = {}
    disputed: dict[int, tuple[FoundRecord, ...]] = {}
    unclaimed: dict[int, FoundRecord] = {}
    claimed: set[int] = set()
    for part in _parts(groups, len(records)):
        numbers = sorted({number for group in part for number in group.record_numbers})
        found = tuple([records[number] for number in numbers])
        claimed.update(numbers)
        places = [place for group in part for place in group.places]
        if len(found) == len(places) and _all_done(part, numbers):
            one = found[0] if len(places) == 1 else None
            done.update(dict.fromkeys(places, one))
            if one is not None and inputs[places[0]].to_find:
                continue
        elif found:
            disputed.update(dict.fromkeys(places, found))
        unclaimed.update(zip(numbers, found, strict=True))
    others = [record for number, record in enumerate(records) if number not in claimed]
    lacking = [group for group in groups if group.places[0] not in done]
    for place, alike in _similar(lacking, others, named_by).items():
        disputed[place] = (*disputed.get(place, ()), *alike)
    wanted = {place for place, one in enumerate(inputs) if one.to_find}
    return Count(
        {place: record for place, record in done.items() if place in wanted},
        {place: some for place, some in disputed.items() if place in wanted},
        tuple(unclaimed.values()),
    )


def _groups(inputs: Sequence[CountedInput]) -> list[_Group]:
    groups: dict[Hashable, _Group] = {}
    for place, one in enumerate(inputs):
        names = tuple(sorted(one.properties))
        key = names, stored_forms(one.properties, names), one.period
        groups.setdefault(key, _Group(names, one)).places.append(place)
    return [*groups.values()]


def _assign(groups: Iterable[_Group], records: Sequence[FoundRecord]) -> None:
    """Tell each group of the records that have its values, and were created in its period."""
    by_values: defaultdict[tuple[str, ...], defaultdict[Hashable, list[int]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for group in groups:
        if group.names not in by_values:
            values = by_values[group.names]
            for number, record in enumerate(records):
                values[stored_forms(record.properties, group.names)].append(number)
        wanted = stored_forms(group.first.properties, group.names)
        start, end = group.first.period
        same = by_values[group.names].get(wanted, ())
        group.record_numbers = [
            number for number in same if start <= records[number].created <= end
        ]


def _parts(groups: Iterable[_Group], count: int) -> list[list[_Group]]:
    """Return the groups in parts that have no record in common."""
    part_of: list[list[_Group] | None] = [None] * count
    for group in groups:
        part = [group]
        for number in group.record_numbers:
            other = part_of[number]
            if other is not None and other is not part:
                part.extend(other)
                for number_of_other in (n for one in other for n in one.record_numbers):
                    part_of[number_of_other] = part
            part_of[number] = part
    return [*{id(part): part for part in part_of if part is not None}.values()]


def _all_done(part: Sequence[_Group], numbers: Sequence[int]) -> bool:
    """Whether each record can belong to an input of its own."""
    if len(part) == 1:
        return True
    owners = [group for group in part for _ in group.places]
    having = [{*group.record_numbers} for group in owners]
    return can_all_be_placed(
        [place for place, own in enumerate(having) if number in own] for number in numbers
    )


def _similar(
    groups: Iterable[_Group], records: Iterable[FoundRecord], named_by: str
) -> dict[int, tuple[FoundRecord, ...]]:
    """Return the records that may be of inputs, if the server changed their values otherwise."""
    by_name: defaultdict[Hashable, list[FoundRecord]] = defaultdict(list)
    for record in records:
        by_name[stored_form(record.properties.get(named_by))].append(record)
    found: dict[int, tuple[FoundRecord, ...]] = {}
    for group in groups:
        sent, (start, end) = group.first.properties, group.first.period
        near = by_name.get(stored_form(sent.get(named_by)), ())
        alike = tuple(
            [
                record
                for record in near
                if start <= record.created <= end and may_be_stored_as(sent, record.properties)
            ]
        )
        if alike:
            found.update(dict.fromkeys(group.places, alike))
    return found
