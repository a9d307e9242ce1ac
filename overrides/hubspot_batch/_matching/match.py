"""Ties what a server answered to the inputs of the request, by evidence alone.

This module decides which input a result or an error belongs to. Order is no evidence: HubSpot does
not promise any (`openapi/pages/create_campaigns.yaml`). What cannot be tied stays untied, and an
input of which the answer says nothing keeps no verdict.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import define, field

from hubspot_batch.outcomes import OutcomeError

from .by_properties import recognize
from .items import Entries, Refusal, Results


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
    entries: Entries,
    results: Results,
    refusals: Sequence[Refusal],
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
    at_once = _tie_at_once(entries.keys, results)
    by_key: Mapping[str, Sequence[int]] = {}
    if refusals or at_once is None:
        by_key = _by_key(entries.keys)
    if at_once is None:
        keyless = _tie_by_key(tied, by_key, results, shared=shared)
    else:
        tied.done, keyless = at_once
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
        left = [at for at in range(len(entries)) if at not in tied.done and at not in tied.refused]
        complete = not tied.unattributed
        done, keyless = recognize(entries, left, results, keyless, complete=complete)
        tied.done.update(done)
    tied.unmatched += [results.values[number] for number in keyless]
    return tied


def _tie_at_once(
    keys: Sequence[str | None], results: Results
) -> tuple[dict[int, Any], list[int]] | None:
    """Tie the results that have a key, and return the numbers of the others, as a rule.

    None where two inputs share a key, a record is listed twice, or a key names no input or one
    that another has named.
    """
    positions: dict[str | None, int] = dict(zip(keys, range(len(keys)), strict=True))
    if len(positions) < len(keys) or None in positions:
        return None
    places = map(positions.get, results.keys)
    done: dict[Any, Any] = dict(zip(places, results.values, strict=True))
    done.pop(None, None)
    if len(done) == len(results.values):  # as a rule
        # Where keys are ids, they were told apart just now.
        differ = results.ids is results.keys or _all_differ(results.ids)
        return (done, []) if differ else None
    keyless = [number for number, key in enumerate(results.keys) if key is None]
    whole = len(done) + len(keyless) == len(results.values) and _all_differ(results.ids)
    return (done, keyless) if whole else None


def _by_key(keys: Sequence[str | None]) -> Mapping[str, Sequence[int]]:
    """Return the positions of the inputs, by their keys."""
    by_key: dict[str, list[int]] = {}
    for position, key in enumerate(keys):
        if key is not None:
            by_key.setdefault(key, []).append(position)
    return by_key


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
    if _all_differ(ids):  # as a rule
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


def _all_differ(ids: Sequence[str | None]) -> bool:
    different = set(ids)
    return len(different) == len(ids) and None not in different


def _keys_in(message: str, by_key: Mapping[str, Sequence[int]]) -> frozenset[str]:
    # A key counts only as a word of its own: 12 is not named by 123.
    words = frozenset(re.findall(r"[\w-]+", message))
    return frozenset(words & by_key.keys())
