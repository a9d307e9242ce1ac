"""Makes an order of what a caller gives a method.

This module decides whether what is given beside the inputs can be meant, and what is sent for it.
It never decides how a run goes or what an answer means. The methods themselves are generated.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from attrs import evolve

from hubspot_batch._engine.iterators import AsyncOutcomeIterator, OutcomeIterator
from hubspot_batch._engine.runner import Order
from hubspot_batch._matching.keys import ID_PROPERTY
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.outcomes import BatchResult

from .dates import read_date, read_datetime
from .registry import ROWS, Argument, Beside, Row, families, to_bytes

_T = TypeVar("_T")

# Type checkers know what the generated methods return; so does who asks for it at run time.
for _named in (AsyncOutcomeIterator, BatchResult, OutcomeIterator):
    setattr(families, _named.__name__, _named)


def order(
    operation: str,
    inputs: Iterable[object],
    chunk_size: int | None,
    /,
    *,
    isolate: bool = False,
    **given: Any,
) -> Order:
    """Return an order.

    Args:
        operation: The operation's id.
        inputs: Its inputs.
        chunk_size: Inputs to a request; None for the operation's limit.
        isolate: Whether a refused request is taken apart even if it may have done something.
        given: What is given beside, by its names in Python; None where it is left out.

    Raises:
        ConfigurationError: Something that is given beside cannot be meant.
    """
    row, beside = ROWS[operation], Beside()
    if given:
        row, beside = _read(row, given)
    return Order(row, inputs, chunk_size, beside, isolate=isolate)


def _read(row: Row, given: Mapping[str, Any]) -> tuple[Row, Beside]:
    query: dict[str, Any] = {}
    body: dict[str, Any] = {}
    for argument in row.described.arguments:
        value = given.get(argument.keyword)
        if value is None and not argument.required:
            continue
        read = _value(argument, value)
        if argument.place == "query":
            query[argument.keyword] = read
        else:
            body[argument.name] = read
    id_property: str | None = body.get(ID_PROPERTY)
    if id_property:
        row = _by_property(row, id_property)
        names = body.get("properties")
        # Without it nobody could say which result is whose.
        if isinstance(names, list) and id_property not in names:
            body["properties"] = [*names, id_property]
    return row, Beside(query, _tail(body))


@lru_cache(maxsize=64)
def _by_property(row: Row, id_property: str) -> Row:
    return evolve(row, id_property=id_property)


def _tail(body: Mapping[str, Any]) -> bytes:
    if not body:
        return b"}"
    try:
        return b"," + to_bytes(body)[1:]
    except (TypeError, ValueError, RecursionError) as error:
        names = ", ".join(body)
        raise ConfigurationError(f"{names} cannot be written as JSON: {error}.") from None


def _value(argument: Argument, value: Any) -> Any:
    """Return what is sent for an argument."""
    name, form = argument.keyword, argument.form
    if form == "json":
        return value
    if form in _SEVERAL:
        kind, words = _SEVERAL[form]
        if isinstance(value, str | bytes) or not isinstance(value, Iterable):
            raise ConfigurationError(f"{name} is {value!r}; it is a list of {words}.")
        listed: list[Any] = [*value]
        if not all(_is(kind, one) for one in listed):
            raise ConfigurationError(f"{name} is {listed!r}; it is a list of {words}.")
        return listed
    if form in _ONE:
        kind, words = _ONE[form]
        if not _is(kind, value):
            raise ConfigurationError(f"{name} is {value!r}; it is {words}.")
        return value
    return _day(name, value) if form == "date" else _time(name, value)


_ONE: Mapping[str, tuple[Any, str]] = {
    "text": (str, "text"),
    "integer": (int, "a whole number"),
    "number": (int | float, "a number"),
    "boolean": (bool, "True or False"),
}
_SEVERAL: Mapping[str, tuple[Any, str]] = {
    "texts": (str, 'names, such as ["hs_name"]'),
    "integers": (int, "whole numbers"),
    "numbers": (int | float, "numbers"),
}


def _is(kind: Any, value: object) -> bool:
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _day(name: str, value: object) -> dt.date:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    return _meant(name, value, read_date, "YYYY-MM-DD")


def _time(name: str, value: object) -> dt.datetime:
    if isinstance(value, dt.datetime):
        return value
    return _meant(name, value, read_datetime, "2026-01-31T09:30:00Z")


def _meant(name: str, value: Any, read: Callable[[str], _T], form: str) -> _T:
    try:
        return read(value)
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"{name}: {error}; write it as {form}.") from None
