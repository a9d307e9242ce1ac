"""Matches the results and errors of a response to the inputs of its request.

This module decides which input a result or an error belongs to: by id, trace id or returned
properties. Position is no evidence: HubSpot promises no order
(`openapi/pages/create_campaigns.yaml`). What cannot be matched stays unmatched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from attrs import define, field

from hubspot_batch.outcomes import OutcomeError

from .by_properties import PROPERTIES, match_by_properties
from .shared_errors import error_for_key

if TYPE_CHECKING:
    from .items import EncodedInput


class Results(NamedTuple):
    """The results of a response, in lists of the same length.

    Attributes:
        values: The results as the server gave them.
        ids: The ids of the records; None where a result has none.
        keys: The keys by which they name their inputs; None where a result names none.
        properties_of: Returns the values that a result repeats, by name.
        texts: Returns the JSON texts of the results, as the server sent them; None if the body
            cannot be split into these.
    """

    values: Sequence[Any] = ()
    ids: Sequence[str | None] = ()
    keys: Sequence[str | None] = ()
    properties_of: Callable[[Any], Mapping[str, Any]] = lambda _: {}
    texts: Callable[[], Sequence[bytes] | None] = lambda: None


class ItemError(NamedTuple):
    """An error that the server reported for some inputs, and the keys that it names them by."""

    error: OutcomeError
    keys: frozenset[str]


@define
class Matches:
    """The results and errors that were matched, by position in the request, and the others.

    Attributes:
        done: The results of the inputs that were carried out; None if it is not known which
            result belongs to the input.
        refused: The errors of the inputs that were refused.
        unmatched: Results of no input.
        unattributed: Errors of no input.
    """

    done: dict[int, Any] = field(factory=dict[int, Any])
    refused: dict[int, OutcomeError] = field(factory=dict[int, OutcomeError])
    unmatched: list[Any] = field(factory=list[Any])
    unattributed: list[OutcomeError] = field(factory=list[OutcomeError])


def match(
    entries: Sequence[EncodedInput],
    results: Results,
    errors: Sequence[ItemError],
    *,
    shared: bool,
    by_properties: bool,
    keys_in_messages: bool,
    named_by: str | None = None,
    repeated: Sequence[str] | None = PROPERTIES,
) -> Matches:
    """Match results and errors to inputs.

    Args:
        entries: The inputs that were sent.
        results: The results that the response reports.
        errors: The errors that it reports for single inputs.
        shared: Whether one result is for all inputs with its key, as in a read.
        by_properties: Whether a result without a key may be matched by the values that it repeats.
        keys_in_messages: Whether an error that lists no keys may name one in its message.
        named_by: The property that a record has only if its own input set it.
        repeated: The fields that a result repeats. None if there are no results, and every input
            without an error was done.
    """
    matches = Matches()
    by_key: dict[Any, Sequence[int]] = {entry.key: (at,) for at, entry in enumerate(entries)}
    if len(by_key) < len(entries):  # several have the same, or none
        several: dict[Any, list[int]] = {key: [] for key in by_key}
        for at, entry in enumerate(entries):
            several[entry.key].append(at)
        by_key = {**several}
    by_key.pop(None, None)
    keyless = _match_by_key(matches, by_key, results, shared=shared)
    _match_errors(matches, by_key, errors, keys_in_messages=keys_in_messages)
    if repeated is None:
        _finish_unmentioned(matches, len(entries))
    elif keyless and by_properties:
        known = matches.done.keys() | matches.refused.keys()
        positions = [at for at in range(len(entries)) if at not in known]
        complete = not matches.unattributed
        done, keyless = match_by_properties(
            entries,
            positions,
            results,
            keyless,
            complete=complete,
            named_by=named_by,
            repeated=repeated,
        )
        matches.done.update(done)
    matches.unmatched += [results.values[number] for number in keyless]
    return matches


def _match_errors(
    matches: Matches,
    by_key: Mapping[Any, Sequence[int]],
    errors: Sequence[ItemError],
    *,
    keys_in_messages: bool,
) -> None:
    """Match the errors to the inputs that they name; an input with a result was done."""
    for error in errors:
        keys = error.keys & by_key.keys()
        if not error.keys and keys_in_messages:
            keys = _keys_in(error.error.message, by_key)
        if not keys:
            matches.unattributed.append(error.error)
        error_for = error_for_key(error.error, keys)
        for key in keys:
            own = error_for(key)
            for position in by_key[key]:
                if position not in matches.done:
                    matches.refused.setdefault(position, own)


def _finish_unmentioned(matches: Matches, count: int) -> None:
    """If every error names an input, count the inputs without an error as done."""
    if not matches.unattributed:
        matches.done.update((at, None) for at in range(count) if at not in matches.refused)


def _match_by_key(
    matches: Matches, by_key: Mapping[str, Sequence[int]], results: Results, *, shared: bool
) -> list[int]:
    """Match the results that have a key, and return the numbers of the others."""
    keyless: list[int] = []
    done, values, keys = matches.done, results.values, results.keys
    for number in _distinct(matches, results):
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
            matches.unmatched.append(values[number])
    return keyless


def _distinct(matches: Matches, results: Results) -> Iterable[int]:
    """Return the number of each record once, however often the response lists it.

    A record that is listed under two keys belongs to neither input.
    """
    ids, keys = results.ids, results.keys
    different = set(ids)
    if len(different) == len(ids) and None not in different:  # usually
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
    matches.unmatched += [results.values[records[name]] for name in records if name in doubtful]
    return [number for name, number in records.items() if name not in doubtful]


def _keys_in(message: str, by_key: Mapping[str, Sequence[int]]) -> frozenset[str]:
    # A key counts only as a whole word: 123 does not name 12.
    words = frozenset(re.findall(r"[\w-]+", message))
    return frozenset(words & by_key.keys())
