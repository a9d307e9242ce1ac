"""The examples in the text of a page: JSON objects, as HubSpot prints them for each side.

Decides what is an example and what only looks like one, and merges the examples of the same side. A
damaged example is an error.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from attrs import field, frozen
from comparison.description import UnreadableError
from generation.yaml_source import is_list, is_map

# The deepest example, and the most objects that are not JSON: finding the line of each of those
# takes a look at all text before it.
_DEEPEST, _MOST_BROKEN = 50, 500

_OPENS = re.compile(r"\{\s*[\"}]")
# The first key of an example that we need, unlike sample code.
_OURS = re.compile(r"\{\s*\"(?:inputs|completedAt|results|status|startedAt)\"")
# True, None, a name, an escaped quote: a language other than JSON.
_CODE = re.compile(r"[A-Za-z$\\']")


@frozen
class Example:
    """A JSON object and its position in a text."""

    start: int
    end: int
    value: dict[str, Any] = field(repr=False)


class _DamagedError(ValueError):
    """JSON that no page prints; the text gives the reason."""


def find_examples(text: str, name: str) -> Iterator[Example]:
    """Yield the outermost JSON objects; other objects are sample code and skipped.

    Raises:
        UnreadableError: An example is cut off or damaged.
    """
    decoder = json.JSONDecoder(object_pairs_hook=_fields)
    broken = 0
    opens = _OPENS.search(text)
    while opens:
        start, following = opens.start(), opens.start() + 1
        try:
            value, following = decoder.raw_decode(text, start)
            _check_depth(value)
            yield Example(start, following, value)
        except (ValueError, RecursionError) as error:
            at = error.pos if isinstance(error, json.JSONDecodeError) else start
            if _OURS.match(text, start) and not _CODE.match(text, at):
                raise UnreadableError(_damaged(text, name, start, at, error)) from None
            broken += 1
            if broken > _MOST_BROKEN:
                raise UnreadableError(
                    f"{name}: more than {_MOST_BROKEN} braces in it begin no JSON; "
                    "this is code or a damaged page: capture the page again."
                ) from None
        opens = _OPENS.search(text, following)


def _damaged(text: str, name: str, start: int, at: int, error: Exception) -> str:
    said = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
    said = error.msg if isinstance(error, json.JSONDecodeError) else said
    return (
        f"{name}:{text.count(chr(10), 0, at) + 1}: the example that begins on line "
        f"{text.count(chr(10), 0, start) + 1} is not whole ({said}); "
        "the page is cut off or damaged: capture it again."
    )


def _fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _DamagedError("a field stands in it twice")
    return found


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for one in level
            if is_map(one) or is_list(one)
            for inner in (one.values() if is_map(one) else one)
        ]
    if level:
        raise _DamagedError("it is nested too deeply")


def merge(values: Sequence[dict[str, Any]], name: str) -> dict[str, Any]:
    """Merge examples: a page may print one twice, or with and without errors.

    Raises:
        UnreadableError: They contradict each other.
    """
    whole = max(values, key=lambda value: len(json.dumps(value)))
    for value in values:
        if extra := next(_extra_names(value, whole), None):
            raise UnreadableError(
                f"{name}: two examples of the page contradict each other: each has fields that "
                f"the other lacks, such as `{extra}`; capture the page again."
            )
        whole = _merge_two(whole, value, name)
    return whole


def _extra_names(one: Any, whole: Any) -> Iterator[str]:
    """Yield names in `one` that `whole` lacks at the same place, where that is not empty."""
    if is_map(one) and is_map(whole) and whole:
        yield from (key for key in one if key not in whole)
        for key in one:
            yield from _extra_names(one[key], whole.get(key))
    if is_list(one) and is_list(whole) and one and whole:
        yield from _extra_names(one[0], whole[0])


def _merge_two(one: Any, other: Any, name: str) -> Any:
    if is_map(one) and is_map(other):
        keys = [*one, *(key for key in other if key not in one)]
        return {key: _merge_two(one.get(key), other.get(key), name) for key in keys}
    if is_list(one) and is_list(other):
        return [_merge_two(one[0], other[0], name)] if one and other else one or other
    if one is None or other is None:
        return one if other is None else other
    if type(one) is not type(other):
        raise UnreadableError(
            f"{name}: two examples of the page contradict each other ({one!r} and {other!r}); "
            "capture the page again."
        )
    return one


def no_longer_shown(before: Any, now: Any, at: str = "") -> Iterator[str]:
    """Yield the places where an example showed something and now shows nothing."""
    if is_map(before) and is_map(now):
        for key in before:
            if key in now:
                inner = f"{at}.{key}" if at else key
                if before[key] not in ({}, []) and (now[key] is None or now[key] in ({}, [])):
                    yield inner
                else:
                    yield from no_longer_shown(before[key], now[key], inner)
    elif is_list(before) and is_list(now) and before and now:
        yield from no_longer_shown(before[0], now[0], f"{at}[]")
