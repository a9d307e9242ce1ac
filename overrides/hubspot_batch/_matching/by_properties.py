"""Recognizes results by the property values that they repeat, where no key names their inputs.

This module decides which input such a result belongs to. What two values have in common, and what
tells them apart, is said by `likeness`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from hubspot_batch._json import canonical, read_field

from .items import Entries, Results
from .likeness import Sent


def recognize(
    entries: Entries,
    left: Sequence[int],
    results: Results,
    keyless: Sequence[int],
    *,
    complete: bool,
) -> tuple[dict[int, Any], list[int]]:
    """Tie results without a key to the inputs that nothing is known of.

    Args:
        entries: The inputs.
        left: The positions of those of which nothing is known.
        results: The results.
        keyless: The numbers of those without a key.
        complete: Whether no error is left that names no input.

    Returns:
        The results of the inputs that were done, by position, None where nobody knows which it is;
        and the numbers of the results that belong to none.
    """
    done: dict[int, Any] = {}
    sent = Sent(_properties(entries, left))
    groups = [[position] for position in left]
    if not sent.all_differ:
        groups = _group(entries, left)
        sent = Sent(_properties(entries, [group[0] for group in groups]))
    stored = {
        number: results.properties_of(results.values[number])
        for number in keyless
        if results.ids[number] is not None
    }
    owners = [sent.only(properties) for properties in stored.values()]
    if None not in owners and len(set(owners)) == len(owners):  # as a rule
        for number, at in zip(stored, cast("list[int]", owners), strict=True):
            done[groups[at][0]] = results.values[number]
        return done, [number for number in keyless if number not in stored]
    repeated = {number: sent.repeated(properties) for number, properties in stored.items()}
    free = (1 << len(groups)) - 1
    settled = True
    while settled:
        # What one result says of the others is said when this round is over.
        among, settled = free, False
        for number in [*stored]:
            for at, taken_for in repeated[number]:
                # Two results can fit one place that is left; then the second stays open.
                if number in stored and taken_for & among == 1 << at and groups[at]:
                    done[groups[at].pop(0)] = results.values[number]
                    del stored[number]
                    settled = True
                    if not groups[at]:
                        free &= ~(1 << at)
    counted = _count(stored, sent, groups) if complete else []
    done.update(dict.fromkeys(counted))
    if len(counted) == 1:
        done[counted[0]] = results.values[stored.popitem()[0]]
    return done, [number for number in keyless if number in stored or results.ids[number] is None]


def _properties(entries: Entries, positions: Sequence[int]) -> list[Mapping[str, Any]]:
    found = [entries.found[position] for position in positions]
    if None in found:
        texts = [entries.texts[position] for position in positions]
        return [one or {} for one in read_field(texts, "properties")]
    return [getattr(one, "properties", None) or {} for one in found]


def _group(entries: Entries, positions: Sequence[int]) -> list[list[int]]:
    """Put inputs together that are the same but for their keys, and so stand in for each other."""
    groups: dict[bytes, list[int]] = {}
    for position in positions:
        entry = entries[position]
        wire = {name: value for name, value in entry.wire.items() if value != entry.key}
        groups.setdefault(canonical(wire), []).append(position)
    return [*groups.values()]


def _count(
    stored: Mapping[int, Mapping[str, Any]], sent: Sent, groups: Sequence[Sequence[int]]
) -> list[int]:
    """Return the inputs that were done since as many records as inputs are left.

    Nobody can say which record is whose, unless there is one of each. Records that cannot be of
    all the inputs forbid it: two of one and none of another.
    """
    free = [position for group in groups for position in group]
    if len(stored) != len(free):
        return []
    places = [number for number, group in enumerate(groups) for _ in group]
    possible = [sent.possible(properties) for properties in stored.values()]
    wishes = [[at for at, g in enumerate(places) if p >> g & 1] for p in possible]
    return free if _all_find_a_place(wishes) else []


def _all_find_a_place(wishes: Sequence[Sequence[int]]) -> bool:
    """Whether each can be given one of the places that it wishes, no place to two.

    One after the other takes a place; who finds all of his taken asks those who have them to move
    on (Kuhn's algorithm).
    """
    taken_by: dict[int, int] = {}
    for first in range(len(wishes)):
        # Each asks for a place of his on behalf of the one who wants his own.
        came_from: dict[int, tuple[int, int | None]] = {}
        asking: list[tuple[int, int | None]] = [(first, None)]
        free: int | None = None
        while asking and free is None:
            who, gives_up = asking.pop()
            for place in wishes[who]:
                if place not in came_from:
                    came_from[place] = (who, gives_up)
                    if place not in taken_by:
                        free = place
                        break
                    asking.append((taken_by[place], place))
        if free is None:
            return False
        while free is not None:
            who, before = came_from[free]
            taken_by[free] = who
            free = before
    return True
