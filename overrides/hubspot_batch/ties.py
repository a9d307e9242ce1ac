"""Ties what a server answered to the inputs of the request, by evidence alone.

This module decides which input a result or an error belongs to. Order is no evidence: HubSpot does
not promise any (`openapi/pages/create_campaigns.yaml`). What cannot be tied stays untied, and an
input of which the answer says nothing keeps no verdict.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from attrs import define, field, frozen

from .outcomes import OutcomeError, OutcomeStatus


@frozen
class Entry:
    """An input on its way: its position, what was given, what is sent, and its key if it has one.

    The key is what an answer can name the input by: a record's id, or a trace id.
    """

    index: int
    input: object
    wire: Mapping[str, Any]
    key: str | None


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

    keyless = _tie_by_key(tied, by_key, results, shared=shared)
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
            properties = entry.wire.get("properties", {})
            same = json.dumps(
                [item for item in sorted(entry.wire.items()) if item[1] != entry.key],
                sort_keys=True,
            )
            groups.setdefault(same, _Group(properties, [])).free.append(position)

    # Each record is counted once, however often an answer lists it.
    named = {found.id: found for found in results if found.id is not None}
    open_ = {
        id_: [group for group in groups.values() if _repeats(found, group)]
        for id_, found in named.items()
    }
    while single := next(
        ((id_, fits[0]) for id_, fits in open_.items() if len(fits) == 1 and fits[0].free), None
    ):
        id_, group = single
        tied.verdicts[group.free.pop(0)] = Verdict(OutcomeStatus.SUCCEEDED, named[id_].value)
        del open_[id_]
        if not group.free:
            open_ = {i: [g for g in fits if g is not group] for i, fits in open_.items()}

    # As many results as inputs left, and nothing refused without a name: each input was done,
    # although nobody can say which result is whose (unless there is one of each).
    free = [position for group in groups.values() for position in group.free]
    complete = len(open_) == len(free) and not tied.unattributed
    if complete and len(free) == 1:
        (id_,) = open_
        tied.verdicts[free[0]] = Verdict(OutcomeStatus.SUCCEEDED, named[id_].value)
        open_ = {}
    elif complete:
        tied.verdicts.update({p: Verdict(OutcomeStatus.SUCCEEDED) for p in free})
    tied.unmatched += [named[id_].value for id_ in open_]
    tied.unmatched += [found.value for found in results if found.id is None]


def _repeats(found: Found, group: _Group) -> bool:
    """Return whether a result repeats a value of the inputs, and contradicts none."""
    common = found.properties.keys() & group.properties.keys()
    return bool(common) and all(
        _same(found.properties[name], group.properties[name]) for name in common
    )


def _same(stored: object, sent: object) -> bool:
    if stored == sent or (stored is None and sent == ""):
        return True
    # A time that was sent as epoch milliseconds comes back in ISO 8601.
    instant = _instant(sent)
    return instant is not None and instant == _instant(stored)


def _instant(value: object) -> datetime | None:
    if not isinstance(value, str) or len(value) < len("2026-01-01"):
        return None
    try:
        if value.isdecimal():
            return datetime.fromtimestamp(int(value) / 1000, UTC)
        instant = datetime.fromisoformat(value)
    except (ValueError, OverflowError, OSError):
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
