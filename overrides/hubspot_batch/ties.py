"""Ties what a server answered to the inputs of the request, by evidence alone.

This module decides which input a result or an error belongs to. Order is no evidence: HubSpot does
not promise any (`openapi/pages/create_campaigns.yaml`). What cannot be tied stays untied, and an
input of which the answer says nothing keeps no verdict.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import define, field, frozen

from .documents import canonical, read
from .likeness import Sent
from .outcomes import OutcomeError, OutcomeStatus


# A frozen class takes twice as long to make, and there are three of these for each input.
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


@define
class Found:
    """A result as the server gave it, with the evidence that it carries."""

    value: Any
    id: str | None = None
    key: str | None = None
    properties: Mapping[str, Any] = field(factory=dict[str, Any])


@frozen
class Refusal:
    """An error that the server reported of some inputs, and the keys that it names them by."""

    error: OutcomeError
    keys: frozenset[str]


@define
class Verdict:
    """What the answer says of one input."""

    status: OutcomeStatus
    result: Any = None
    error: OutcomeError | None = None


@define
class Tied:
    """What could be tied: a verdict by position in the batch, and what was left over."""

    verdicts: dict[int, Verdict] = field(factory=dict[int, Verdict])
    unmatched: list[Any] = field(factory=list[Any])
    unattributed: list[OutcomeError] = field(factory=list[OutcomeError])


def tie(
    entries: Sequence[Entry],
    results: Sequence[Found],
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
        if entry.key is not None:
            by_key.setdefault(entry.key, []).append(position)

    keyless = _tie_by_key(tied, by_key, _once(tied, results), shared=shared)
    for refusal in refusals:
        keys = refusal.keys & by_key.keys()
        if not refusal.keys and keys_in_messages:
            keys = _keys_in(refusal.error.message, by_key)
        if not keys:
            tied.unattributed.append(refusal.error)
        for position in (position for key in keys for position in by_key[key]):
            tied.verdicts.setdefault(position, Verdict(OutcomeStatus.FAILED, error=refusal.error))
    if by_properties:
        _tie_by_properties(tied, entries, keyless)
    else:
        tied.unmatched += [found.value for found in keyless]
    return tied


def _once(tied: Tied, results: Sequence[Found]) -> Sequence[Found]:
    """Return each record once, however often an answer lists it.

    One that is listed under two keys belongs to neither input.
    """
    ids = {found.id for found in results}
    if len(ids) == len(results) and None not in ids:  # as a rule
        return results
    records: dict[object, Found] = {}
    doubtful: set[object] = set()
    for number, found in enumerate(results):
        name = number if found.id is None else found.id
        first = records.setdefault(name, found)
        if first.key is None:
            records[name] = found
        elif found.key not in (None, first.key):
            doubtful.add(name)
    tied.unmatched += [records[name].value for name in records if name in doubtful]
    return [found for name, found in records.items() if name not in doubtful]


def _tie_by_key(
    tied: Tied, by_key: Mapping[str, Sequence[int]], results: Iterable[Found], *, shared: bool
) -> list[Found]:
    keyless: list[Found] = []
    for found in results:
        if found.key is None:
            keyless.append(found)
            continue
        verdict = Verdict(OutcomeStatus.SUCCEEDED, found.value)
        matched = False
        for position in by_key.get(found.key, ()):
            if position not in tied.verdicts:
                tied.verdicts[position] = verdict
                matched = True
                if not shared:
                    break
        if not matched:
            tied.unmatched.append(found.value)
    return keyless


def _keys_in(message: str, by_key: Mapping[str, Sequence[int]]) -> frozenset[str]:
    # A key counts only as a word of its own: 12 is not named by 123.
    words = frozenset(re.findall(r"[\w-]+", message))
    return frozenset(words & by_key.keys())


@define
class _Group:
    """Inputs that are the same but for their keys, and so stand in for each other."""

    properties: Mapping[str, Any]
    free: list[int]


def _tie_by_properties(tied: Tied, entries: Sequence[Entry], results: Sequence[Found]) -> None:
    groups: dict[bytes, _Group] = {}
    for position, entry in enumerate(entries):
        if position not in tied.verdicts:
            wire = entry.wire
            same = canonical({n: value for n, value in wire.items() if value != entry.key})
            if same not in groups:
                groups[same] = _Group(wire.get("properties", {}), [])
            groups[same].free.append(position)

    open_ = list(groups.values())
    sent = Sent([group.properties for group in open_])
    left = {found.id: found for found in results if found.id is not None}
    repeated = {id_: sent.repeated(found.properties) for id_, found in left.items()}
    free = (1 << len(open_)) - 1
    settled = True
    while settled:
        # What one result says of the others is said when this round is over.
        among, settled = free, False
        for id_, may_be in repeated.items():
            for number, taken_for in may_be:
                # Two results can fit one place that is left; then the second stays open.
                if id_ in left and taken_for & among == 1 << number and open_[number].free:
                    position = open_[number].free.pop(0)
                    tied.verdicts[position] = Verdict(OutcomeStatus.SUCCEEDED, left.pop(id_).value)
                    settled = True
                    if not open_[number].free:
                        free &= ~(1 << number)
    _count(tied, left, sent, open_)
    tied.unmatched += [found.value for found in left.values()]
    tied.unmatched += [found.value for found in results if found.id is None]


def _count(tied: Tied, left: dict[str, Found], sent: Sent, groups: Sequence[_Group]) -> None:
    """Tie by number: as many records as inputs are left, so each input was done.

    Nobody can say which record is whose, unless there is one of each. An error that names nobody
    forbids it, and so do records that cannot be of all the inputs: two of one and none of another.
    """
    free = [position for group in groups for position in group.free]
    if len(left) != len(free) or tied.unattributed:
        return
    places = [number for number, group in enumerate(groups) for _ in group.free]
    possible = [sent.possible(found.properties) for found in left.values()]
    if not _all_find_a_place([[at for at, g in enumerate(places) if p >> g & 1] for p in possible]):
        return
    for position in free:
        value = left.popitem()[1].value if len(free) == 1 else None
        tied.verdicts[position] = Verdict(OutcomeStatus.SUCCEEDED, value)


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
