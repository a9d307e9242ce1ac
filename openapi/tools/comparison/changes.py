"""Whether one side allows less than the other, more, or something else.

Decides about single values: kinds, formats, bounds. Never decides how much that matters.
"""

from typing import Any, Literal, TypeAlias

Way: TypeAlias = Literal["request", "response"]
Change: TypeAlias = Literal["added", "removed", "narrower", "wider", "other"]

DATES = ("date-time", "date")
# What a program holds in a type of its own; any other format is text or a number all the same.
_TYPED = (*DATES, "uuid", "binary")
_SIZES = ("int32", "int64", None)  # from the fewest numbers to the most
_AT_MOST = ("maxItems", "maxLength", "maximum", "exclusiveMaximum", "maxProperties")
_AT_LEAST = ("minItems", "minLength", "minimum", "exclusiveMinimum", "minProperties")


def of_presence(had: bool, has: bool) -> Change:
    """Compare something that is there or not."""
    return "other" if had == has else "added" if has else "removed"


def of_kinds(old: frozenset[str], new: frozenset[str]) -> Change:
    """Compare the kinds that a value may be of; none are all."""
    if not new:
        return "wider"
    if not old:
        return "narrower"
    old, new = _with_integers(old), _with_integers(new)
    return "wider" if old < new else "narrower" if new < old else "other"


def _with_integers(kinds: frozenset[str]) -> frozenset[str]:
    return kinds | {"integer"} if "number" in kinds else kinds


def of_format(old: str | None, new: str | None, way: Way) -> Change:
    """Compare formats; in an answer, by whether a program gets a value of another type."""
    if old in _SIZES and new in _SIZES:
        wider = _SIZES.index(new) > _SIZES.index(old)
        # A whole number has one type in programs, whatever its size.
        return "wider" if wider and way == "request" else "narrower"
    if way == "request":
        return "wider" if new is None else "narrower"
    if old in _TYPED or new in _TYPED:
        return of_presence(old is not None, new is not None)
    return "narrower"


def of_rule(name: str, old: Any, new: Any) -> Change:
    """Compare the values of a keyword such as `maxLength`."""
    if old is None or new is None:
        return "narrower" if old is None else "wider"
    if name not in (*_AT_MOST, *_AT_LEAST) or not _is_number(old) or not _is_number(new):
        return "other"
    return "narrower" if (new < old) == (name in _AT_MOST) else "wider"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
