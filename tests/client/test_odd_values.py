"""Values whose classes are the caller's own: what is sent for them, and what is said of them."""

from __future__ import annotations

import datetime as dt
import json
from collections import UserDict, UserList, UserString, deque
from decimal import Decimal
from typing import Any

import pytest
from both_clients import ClientFactory
from hubspot_batch import OutcomeStatus
from hubspot_batch.sandbox import Sandbox

WHEN = "2026-01-31T09:30:00Z"


class Real(float):
    """A number with words of its own."""

    def __repr__(self) -> str:
        return "about five"

    __str__ = __repr__


class Money(Decimal):
    """A number with words of its own, also where it is formatted."""

    def __str__(self) -> str:
        return "5 euros"

    def __format__(self, _spec: str, _context: object = None) -> str:
        return "5 euros"


class Unequal(str):
    """A text that is equal to nothing, not even to itself."""

    __slots__ = ()

    def __eq__(self, _other: object) -> bool:
        return False

    def __ne__(self, _other: object) -> bool:
        return True

    __hash__ = str.__hash__


class Mute(str):
    """A text that cannot be shown."""

    __slots__ = ()

    def __str__(self) -> str:
        raise RuntimeError

    __repr__ = __str__


class Closed:
    """An object of which nothing can be asked."""

    __hash__ = None  # type: ignore[assignment] # as the caller's code may have it

    def _refuse(self, *_: object) -> Any:
        raise RuntimeError

    __getattr__ = __eq__ = __bool__ = __str__ = __repr__ = __len__ = _refuse


class Zone(dt.tzinfo):
    """A zone that does not know its offset."""

    def utcoffset(self, _when: dt.datetime | None) -> dt.timedelta:
        raise RuntimeError


def nested(depth: int = 20_000) -> list[Any]:
    """A list in a list, and so on."""
    outer: list[Any] = []
    inner = outer
    for _ in range(depth):
        inner.append([])
        inner = inner[0]
    return outer


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Real(5.5), "5.5"),
        (Real(5.0), "5"),
        (Money("5.50"), "5.50"),
        (Unequal("text"), "text"),
        (Mute("text"), "text"),
        (UserString("text"), "text"),
        (UserList(["a", "b"]), "a;b"),
        (deque(["a", "b"]), "a;b"),
        ({"b": 1, "a": 2}.keys(), "a;b"),
    ],
)
def test_a_class_of_the_callers_own_is_taken_for_what_it_is(
    make_client: ClientFactory, value: Any, text: str
) -> None:
    """Its own words and comparisons do not count."""
    sandbox = Sandbox()
    row = {"properties": {"hs_timestamp": WHEN, "hs_call_title": value}}
    result = make_client(transport=sandbox).calls.create([row])
    assert result.counts["succeeded"] == 1
    assert sandbox.records("calls")[0].properties["hs_call_title"] == text


@pytest.mark.parametrize(
    "value",
    [Closed(), nested(), 10**5000, dt.datetime(2026, 1, 1, tzinfo=Zone()), int, {"a": 10**5000}],
    ids=["closed", "nested", "digits", "zone", "class", "map"],
)
@pytest.mark.parametrize(
    "place",
    [
        lambda value: {"properties": {"hs_timestamp": WHEN, "hs_call_title": value}},
        lambda value: {"properties": value},
        lambda value: {"properties": {"hs_timestamp": WHEN}, "associations": value},
        lambda value: {"properties": {"hs_timestamp": WHEN}, "objectWriteTraceId": value},
        lambda value: {"properties": UserDict({"hs_timestamp": value})},
        lambda value: value,
    ],
    ids=["property", "properties", "list", "key", "other map", "input"],
)
def test_what_nothing_can_be_made_of_fails_alone_and_can_be_reported(
    make_client: ClientFactory, place: Any, value: Any
) -> None:
    """The other inputs are sent, and the result is JSON also where the input is not."""
    good = {"properties": {"hs_timestamp": WHEN}}
    result = make_client(transport=Sandbox()).calls.create([good, place(value), good])
    assert [one.status for one in result] == [
        OutcomeStatus.SUCCEEDED,
        OutcomeStatus.FAILED,
        OutcomeStatus.SUCCEEDED,
    ]
    error = result[1].error
    assert error is not None
    assert "set_int_max_str_digits" not in error.message  # advice for another program
    assert len(json.dumps(result.to_dicts())) < 10_000


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"hs_call_title": int}, "hs_call_title is <class 'int'>, but"),
        ({"half \ud800": "x"}, "name"),
        ({"hs_call_title": [["a", "b\n" * 3]]}, "\\n"),
    ],
)
def test_a_message_names_the_place_of_an_odd_value(
    make_client: ClientFactory, properties: dict[Any, Any], words: str
) -> None:
    """It says more than that something was raised."""
    row = {"properties": {"hs_timestamp": WHEN, **properties}}
    (outcome,) = make_client(transport=Sandbox()).calls.create([row])
    assert outcome.error is not None
    assert words in outcome.error.message
    assert "properties" in outcome.error.message
    assert "codec" not in outcome.error.message


def test_a_whole_number_has_an_end(make_client: ClientFactory) -> None:
    """A number of thousands of digits is refused in our words, wherever it stands."""
    kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 10**5000}
    association = {"to": {"id": "1"}, "types": [kind]}
    row = {"properties": {"hs_timestamp": WHEN}, "associations": [association]}
    (outcome,) = make_client(transport=Sandbox()).calls.create([row])
    assert outcome.error is not None
    assert "associationTypeId is a number of more than 1000 digits" in outcome.error.message
