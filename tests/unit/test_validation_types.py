"""Inputs of any type: the fast check and the full check agree, and no type ends a run."""

from __future__ import annotations

import copy
import json
from collections import ChainMap, Counter, OrderedDict, UserDict, UserList, UserString, deque
from collections.abc import Callable
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from fractions import Fraction
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest
from both_clients import ClientFactory
from example_inputs import example_input
from hubspot_batch import OutcomeError, OutcomeStatus
from hubspot_batch._operations.registry import SPECS, OperationSpec
from hubspot_batch.sandbox import Sandbox
from hypothesis import given
from hypothesis import strategies as st

_TYPES = [{"associationCategory": "USER_DEFINED", "associationTypeId": 194}]
VALID: dict[str, dict[str, Any]] = {
    "create_campaigns": {"properties": {"hs_name": "A"}},
    "read_campaigns": {"id": "0b38"},
    "update_marketing_events": {
        "objectId": "1",
        "customProperties": [{"name": "n", "value": "v", "sourceVid": [1, 2]}],
        "eventCancelled": False,
    },
    "create_calls": {
        "properties": {"hs_timestamp": "2026-01-31T09:30:00Z"},
        "associations": [{"to": {"id": "1"}, "types": _TYPES}],
        "objectWriteTraceId": "t",
    },
}
VALID |= {name: example_input(name) for name in SPECS if name not in VALID}


def spots(value: Any) -> list[tuple[Any, Any]]:
    """Return every container in a value with each of its keys, and with one that it lacks."""
    if type(value) not in (dict, list):
        return []
    keys = [*value, "more"] if type(value) is dict else range(len(value))
    parts = value.values() if type(value) is dict else value
    return [(value, key) for key in keys] + [spot for part in parts for spot in spots(part)]


specs = pytest.mark.parametrize("spec", SPECS.values(), ids=lambda spec: spec.id)


def _raises(*_: Any) -> Any:
    raise OSError("not today")


# What the methods of a caller's own class can do.
BEHAVIOURS: tuple[Any, ...] = (
    _raises,
    None,
    lambda *_: True,
    lambda *_: False,
    lambda *_: "another",
    lambda *_: b"bytes",
    lambda *_: 7,
    lambda *_: iter(()),
    lambda *_: [("a", "another")],
)
METHODS = (
    *("__eq__", "__ne__", "__hash__", "__str__", "__repr__", "__len__", "__iter__", "__bool__"),
    *("__getitem__", "__contains__", "__int__", "__index__", "__float__", "__format__", "__lt__"),
    *("keys", "items", "values", "get", "encode", "lower", "strip", "__getattr__", "__reduce__"),
)


class Words(StrEnum):
    """Words that are text."""

    X = "x"
    USER = "USER_DEFINED"


class Mixed(str, Enum):  # noqa: UP042 - the old way is meant
    """The same in the old way; `str()` of one is its name."""

    X = "x"


class Numbers(IntEnum):
    """A number with a name."""

    CONTACT = 194


# Values and their class, of which a subclass can be made.
BASES: tuple[tuple[type, Any], ...] = (
    *((str, "x"), (str, ""), (str, "USER_DEFINED"), (str, "\ud800"), (int, 194), (float, 1.0)),
    *((dict, {"a": "b"}), (dict, {"a": 1}), (list, ["x"]), (list, [1]), (tuple, ("x",))),
    *((set, {1}), (set, {"x"}), (frozenset, {1, 2}), (bytes, b"x"), (Decimal, "1"), (object, None)),
    *((UserDict, {"a": "b"}), (UserList, [1]), (UserString, "x"), (OrderedDict, {"a": "b"})),
)
OTHERS: tuple[Callable[[], Any], ...] = (
    lambda: Words.X,
    lambda: Words.USER,
    lambda: Mixed.X,
    lambda: Numbers.CONTACT,
    lambda: MappingProxyType({"a": "b"}),
    lambda: ChainMap({"a": "b"}),
    lambda: Counter("a"),
    lambda: deque([1]),
    lambda: Fraction(1),
    lambda: SimpleNamespace(a="b"),
    lambda: memoryview(b"x"),
    lambda: (part for part in "ab"),
    lambda: {Words.X: "b"},
    lambda: {1: "b"},
    lambda: {None: "b"},
    lambda: {b"a": "b"},
    lambda: type,
    lambda: 1j,
    lambda: 10**5000,
)


@st.composite
def odd_values(draw: st.DrawFn) -> Any:
    """A value of a type that was not thought of."""
    if draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from(OTHERS))()
    base, value = draw(st.sampled_from(BASES))
    names = draw(st.sets(st.sampled_from(METHODS), max_size=3))
    body = {name: draw(st.sampled_from(BEHAVIOURS)) for name in sorted(names)}
    kind = type("Odd", (base,), body)
    try:
        return kind() if value is None else kind(value)
    except Exception:  # noqa: BLE001 - one that cannot even be made
        return kind.__new__(kind)


@st.composite
def inputs(draw: st.DrawFn, spec: OperationSpec) -> Any:
    """An input with up to two such values in any place of it, or in its own place."""
    wire = copy.deepcopy(VALID[spec.id])
    if draw(st.integers(0, 9)) == 0:
        return draw(odd_values())
    for _ in range(draw(st.integers(1, 2))):
        place, name = draw(st.sampled_from(spots(wire)))
        place[name] = draw(odd_values())
    return wire


@specs
@given(data=st.data())
def test_both_checks_agree_on_every_type(spec: OperationSpec, data: st.DataObject) -> None:
    """An input that the fast check proves valid is sent in the same words by the full check."""
    given_ = data.draw(inputs(spec))
    encoder = spec.encoder("run")
    (found,) = encoder.encode(0, [given_])
    if isinstance(found, OutcomeError):
        assert found.kind == "invalid_input"
        assert found.message
        return
    full = encoder._encode_one(0, given_)
    assert not isinstance(full, OutcomeError), full.message
    assert json.loads(full.text) == json.loads(found.text)
    assert full.key == found.key
    for one in (found, full):
        assert type(one.key) in (str, type(None)), "it is compared and hashed"


def test_a_subclass_of_str_is_text() -> None:
    """Such as `numpy.str_` and Django's SafeString; its content counts, and nothing else."""

    class Text(str):
        __slots__ = ()
        __hash__ = None  # type: ignore[assignment]

        def __str__(self) -> str:
            return "another"

    for spec in SPECS.values():
        wire = copy.deepcopy(VALID[spec.id])
        plain = spec.encoder("run").encode(0, [copy.deepcopy(wire)])[0]
        for place, name in spots(wire):
            if name != "more" and isinstance(place[name], str):
                place[name] = Text(place[name])
        (found,) = spec.encoder("run").encode(0, [wire])
        assert not isinstance(found, OutcomeError), found.message
        assert not isinstance(plain, OutcomeError)
        assert json.loads(found.text) == json.loads(plain.text)
        assert found.key == plain.key


@pytest.mark.parametrize("form", [list, iter, tuple])
@given(data=st.data())
def test_no_type_ends_a_run(form: Any, data: st.DataObject) -> None:
    """An odd input has an outcome like any other, and its neighbours succeed."""
    for kind in ("sync", "async"):
        sandbox = Sandbox(rate_limit=None)
        make_client = ClientFactory(kind)
        try:
            client = make_client(transport=sandbox)
            odd = data.draw(inputs(SPECS["create_calls"]))
            good = {"properties": {"hs_timestamp": "2026-01-31T09:30:00Z"}, "associations": []}
            result = client.calls.create(form([good, odd, good]))
        finally:
            make_client.close()
        assert [outcome.status for outcome in result.outcomes][::2] == [OutcomeStatus.SUCCEEDED] * 2
        assert result.outcomes[1].input is odd
