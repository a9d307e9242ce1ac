"""Ties what a server answered to the inputs of the request, by evidence alone.

This module decides which input a result or an error belongs to. Order is no evidence: HubSpot does
not promise any (`openapi/pages/create_campaigns.yaml`). What cannot be tied stays untied, and an
input of which the answer says nothing keeps no verdict.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import define, field, frozen

from .likeness import contradicts, repeats, sets_apart
from .outcomes import OutcomeError, OutcomeStatus


@frozen
class Entry:
    """An input on its way: its position, what was given, what is sent, and its key if it has one.

    What is sent is JSON text, so that nobody can change it any more. The key is what an answer can
    name the input by: a record's id, or a trace id.
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
        wire: dict[str, Any] = json.loads(self.text)
        return wire


@frozen
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


@frozen
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
    results: Iterable[Found],
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


def _once(tied: Tied, results: Iterable[Found]) -> list[Found]:
    """Return each record once, however often an answer lists it.

    One that is listed under two keys belongs to neither input.
    """
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
    tied: Tied, by_key: Mapping[str, list[int]], results: Iterable[Found], *, shared: bool
) -> list[Found]:
    keyless: list[Found] = []
    for found in results:
        if found.key is None:
            keyless.append(found)
            continue
        free = [p for p in by_key.get(found.key, ()) if p not in tied.verdicts]
        if not free:
            tied.unmatched.append(found.value)
        for position in free if shared else free[:1]:
            tied.verdicts[position] = Verdict(OutcomeStatus.SUCCEEDED, found.value)
    return keyless


def _keys_in(message: str, by_key: Mapping[str, list[int]]) -> frozenset[str]:
    # A key counts only as a word of its own: 12 is not named by 123.
    words = frozenset(re.findall(r"[\w-]+", message))
    return frozenset(words & by_key.keys())


@define
class _Group:
    """Inputs that are the same but for their keys, and so stand in for each other."""

    properties: Mapping[str, Any]
    free: list[int]


def _tie_by_properties(tied: Tied, entries: Sequence[Entry], results: Sequence[Found]) -> None:
    groups: dict[str, _Group] = {}
    for position, entry in enumerate(entries):
        if position not in tied.verdicts:
            wire = entry.wire
            properties = wire.get("properties", {})
            same = json.dumps(
                [item for item in sorted(wire.items()) if item[1] != entry.key], sort_keys=True
            )
            groups.setdefault(same, _Group(properties, [])).free.append(position)

    left = {found.id: found for found in results if found.id is not None}
    while newly := _belongings(left, groups.values()):
        for id_, group in newly:
            # Two results can fit one place that is left; then the second stays open.
            if group.free:
                value = left.pop(id_).value
                tied.verdicts[group.free.pop(0)] = Verdict(OutcomeStatus.SUCCEEDED, value)
    _count(tied, left, [group for group in groups.values() if group.free])
    tied.unmatched += [found.value for found in left.values()]
    tied.unmatched += [found.value for found in results if found.id is None]


def _belongings(left: Mapping[str, Found], groups: Iterable[_Group]) -> list[tuple[str, _Group]]:
    """Return the results that repeat one group's values, and set it apart from all others."""
    live = [group for group in groups if group.free]
    return [
        (id_, group)
        for id_, found in left.items()
        for group in live
        if repeats(found.properties, group.properties)
        and all(
            other is group or sets_apart(found.properties, group.properties, other.properties)
            for other in live
        )
    ]


def _count(tied: Tied, left: dict[str, Found], groups: Sequence[_Group]) -> None:
    """Tie by number: as many records as inputs are left, so each input was done.

    Nobody can say which record is whose, unless there is one of each. An error that names nobody,
    or a record that can be nobody's, forbids it.
    """
    free = [position for group in groups for position in group.free]
    foreign = any(
        all(contradicts(f.properties, g.properties) for g in groups) for f in left.values()
    ) or any(all(contradicts(f.properties, g.properties) for f in left.values()) for g in groups)
    if len(left) != len(free) or tied.unattributed or foreign:
        return
    for position in free:
        value = left.popitem()[1].value if len(free) == 1 else None
        tied.verdicts[position] = Verdict(OutcomeStatus.SUCCEEDED, value)
