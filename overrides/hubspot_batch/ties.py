"""Ties what a server answered to the inputs of the request, by evidence alone.

This module decides which input a result or an error belongs to. Order is no evidence: HubSpot does
not promise any (`openapi/pages/create_campaigns.yaml`). What cannot be tied stays untied, and an
input of which the answer says nothing keeps no verdict.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from attrs import define, field, frozen

from .documents import canonical, read, read_field
from .likeness import Sent
from .outcomes import OutcomeError


# A frozen class takes twice as long to make, and there is one of these for each input.
@define
class Entry:
    """An input on its way; nothing of it is changed any more.

    Attributes:
        index: Its position.
        input: What was given.
        text: What is sent, as JSON text.
        key: What an answer can name it by, a record's id or a trace id; None where there is none.
    """

    index: int
    input: object
    text: bytes
    key: str | None

    @property
    def name(self) -> str | int:
        """What tells it apart from the others in a request."""
        return self.index if self.key is None else self.key

    @property
    def wire(self) -> dict[str, Any]:
        """What is sent, as a JSON object."""
        wire: dict[str, Any] = read(self.text)
        return wire


@frozen
class Results:
    """The results of an answer, with the evidence that they carry, in lists of the same length.

    Attributes:
        values: The results as the server gave them.
        ids: The ids of the records; None where one has none.
        keys: The keys by which they name their inputs; None where one names none.
        properties_of: Returns the property values that a result repeats.
    """

    values: Sequence[Any] = ()
    ids: Sequence[str | None] = ()
    keys: Sequence[str | None] = ()
    properties_of: Callable[[Any], Mapping[str, Any]] = lambda _: {}


@frozen
class Refusal:
    """An error that the server reported of some inputs, and the keys that it names them by."""

    error: OutcomeError
    keys: frozenset[str]


@define
class Tied:
    """What could be tied: by position in the batch, and what was left over.

    Attributes:
        done: The results of the inputs that were done; None where nobody knows which it is.
        refused: Why inputs were refused.
        unmatched: Results of no input.
        unattributed: Errors of no input.
    """

    done: dict[int, Any] = field(factory=dict[int, Any])
    refused: dict[int, OutcomeError] = field(factory=dict[int, OutcomeError])
    unmatched: list[Any] = field(factory=list[Any])
    unattributed: list[OutcomeError] = field(factory=list[OutcomeError])


def tie(
    entries: Sequence[Entry],
    results: Results,
    refusals: Iterable[Refusal],
    *,
    shared: bool,
    by_properties: bool,
    keys_in_messages: bool,
) -> Tied:
    """Tie results and errors to the entries of a batch.

    Args:
        entries: The inputs that were sent.
        results: What the answer reports as done.
        refusals: What the answer reports as refused.
        shared: Whether one result answers all inputs of its key, as in a read.
        by_properties: Whether a result without a key may be known by the values that it repeats.
        keys_in_messages: Whether an error that lists no keys may name one in its message.
    """
    tied = Tied()
    by_key: dict[str, list[int]] = {}
    for position, entry in enumerate(entries):
        key = entry.key
        if key in by_key:
            by_key[key].append(position)
        elif key is not None:
            by_key[key] = [position]

    keyless = _tie_by_key(tied, by_key, results, shared=shared)
    for refusal in refusals:
        keys = refusal.keys & by_key.keys()
        if not refusal.keys and keys_in_messages:
            keys = _keys_in(refusal.error.message, by_key)
        if not keys:
            tied.unattributed.append(refusal.error)
        for position in (position for key in keys for position in by_key[key]):
            if position not in tied.done:
                tied.refused.setdefault(position, refusal.error)
    if keyless and by_properties:
        open_ = [at for at in range(len(entries)) if at not in tied.done and at not in tied.refused]
        _tie_by_properties(tied, {at: entries[at] for at in open_}, results, keyless)
    else:
        tied.unmatched += [results.values[number] for number in keyless]
    return tied


def _tie_by_key(
    tied: Tied, by_key: Mapping[str, Sequence[int]], results: Results, *, shared: bool
) -> list[int]:
    """Tie the results that have a key, and return the numbers of the others."""
    keyless: list[int] = []
    done, values, keys = tied.done, results.values, results.keys
    for number in _once(tied, results):
        key = keys[number]
        if key is None:
            keyless.append(number)
            continue
        matched = False
        for position in by_key.get(key, ()):
            if position not in done:
                done[position] = values[number]
                matched = True
                if not shared:
                    break
        if not matched:
            tied.unmatched.append(values[number])
    return keyless


def _once(tied: Tied, results: Results) -> Iterable[int]:
    """Return the number of each record once, however often an answer lists it.

    One that is listed under two keys belongs to neither input.
    """
    ids, keys = results.ids, results.keys
    if len(set(ids)) == len(ids) and None not in ids:  # as a rule
        return range(len(ids))
    records: dict[object, int] = {}
    doubtful: set[object] = set()
    for number, id_ in enumerate(ids):
        name = number if id_ is None else id_
        first = keys[records.setdefault(name, number)]
        if first is None:
            records[name] = number
        elif keys[number] not in (None, first):
            doubtful.add(name)
    tied.unmatched += [results.values[records[name]] for name in records if name in doubtful]
    return [number for name, number in records.items() if name not in doubtful]


def _keys_in(message: str, by_key: Mapping[str, Sequence[int]]) -> frozenset[str]:
    # A key counts only as a word of its own: 12 is not named by 123.
    words = frozenset(re.findall(r"[\w-]+", message))
    return frozenset(words & by_key.keys())


def _tie_by_properties(
    tied: Tied, entries: Mapping[int, Entry], results: Results, keyless: Sequence[int]
) -> None:
    """Tie results without a key to the inputs that nothing is known of.

    Args:
        tied: What has been tied.
        entries: The inputs, by position.
        results: The results.
        keyless: The numbers of those without a key.
    """
    sent = Sent(_properties(entries.values()))
    groups = [[position] for position in entries]
    if not sent.all_differ:
        groups = _group(entries)
        sent = Sent(_properties(entries[group[0]] for group in groups))
    stored = {
        number: results.properties_of(results.values[number])
        for number in keyless
        if results.ids[number] is not None
    }
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
                    tied.done[groups[at].pop(0)] = results.values[number]
                    del stored[number]
                    settled = True
                    if not groups[at]:
                        free &= ~(1 << at)
    last = _count(tied, stored, sent, groups)
    if last is not None:
        tied.done[last] = results.values[stored.popitem()[0]]
    left = [number for number in keyless if number in stored or results.ids[number] is None]
    tied.unmatched += [results.values[number] for number in left]


def _properties(entries: Iterable[Entry]) -> list[Mapping[str, Any]]:
    texts = [entry.text for entry in entries]
    return [properties or {} for properties in read_field(texts, "properties")]


def _group(entries: Mapping[int, Entry]) -> list[list[int]]:
    """Put inputs together that are the same but for their keys, and so stand in for each other."""
    groups: dict[bytes, list[int]] = {}
    for position, entry in entries.items():
        wire = {name: value for name, value in entry.wire.items() if value != entry.key}
        groups.setdefault(canonical(wire), []).append(position)
    return [*groups.values()]


def _count(
    tied: Tied,
    stored: Mapping[int, Mapping[str, Any]],
    sent: Sent,
    groups: Sequence[Sequence[int]],
) -> int | None:
    """Tie by number: as many records as inputs are left, so each input was done.

    Nobody can say which record is whose, unless there is one of each. An error that names nobody
    forbids it, and so do records that cannot be of all the inputs: two of one and none of another.

    Returns:
        The position of the one input whose record is known, if there is one of each.
    """
    free = [position for group in groups for position in group]
    if len(stored) != len(free) or tied.unattributed:
        return None
    places = [number for number, group in enumerate(groups) for _ in group]
    possible = [sent.possible(properties) for properties in stored.values()]
    if not _all_find_a_place([[at for at, g in enumerate(places) if p >> g & 1] for p in possible]):
        return None
    tied.done.update(dict.fromkeys(free))
    return free[0] if len(free) == 1 else None


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
