"""Inputs are checked at a glance, and looked at closely where that says nothing."""

from __future__ import annotations

import copy
import datetime as dt
import json
import uuid
from collections import OrderedDict, namedtuple
from decimal import Decimal
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Any

import fastjsonschema
import pytest
from attrs import evolve
from hubspot_batch._engine.chunk import InvalidInputError
from hubspot_batch._json import write_array
from hubspot_batch._operations.registry import ROWS, Row
from hubspot_batch._operations.shapes import shape_of
from hubspot_batch_client.contract import OPERATIONS
from hubspot_batch_client.models import CallInput
from hubspot_batch_client.types import UNSET
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Struct, ValidationError


class Text(str):
    """A text of the caller's own kind."""

    __slots__ = ()


class Word(StrEnum):
    """A word as Python has them."""

    USER = "USER_DEFINED"


class Odd(Struct):
    """What one parser knows and the other does not."""

    id: str = "1"


class Other(Enum):
    """A word that is no text."""

    USER = "USER_DEFINED"


PAIR = namedtuple("PAIR", "a b")  # noqa: PYI024 - the plain kind is meant
VALID: dict[str, dict[str, Any]] = {
    "create_campaigns": {"properties": {"hs_name": "A"}},
    "read_campaigns": {"id": "0b38"},
    "update_marketing_events": {
        "objectId": "1",
        "customProperties": [{"name": "n", "value": "v", "timestamp": 5, "sourceVid": [1, 2]}],
        "eventName": "E",
        "eventCancelled": False,
    },
    "create_calls": {
        "properties": {"hs_timestamp": "2026-01-31T09:30:00Z", "x": ""},
        "associations": [
            {
                "to": {"id": "1"},
                "types": [{"associationCategory": "USER_DEFINED", "associationTypeId": 194}],
            }
        ],
        "objectWriteTraceId": "t",
    },
}


def values() -> list[Any]:
    """What may stand anywhere, made anew, since some of it is changed."""
    return [
        *(
            "",
            "x",
            "null",
            "\ud800",
            "\x00",
            "é\u2028",
            Text("x"),
            Word.USER,
            Other.USER,
            UNSET,
            None,
        ),
        *(
            True,
            0,
            -1,
            2**63,
            2**64,
            10**40,
            1.0,
            1.5,
            float("nan"),
            float("inf"),
            1e300,
            Decimal(1),
        ),
        *(
            b"x",
            uuid.UUID(int=1),
            dt.date(2026, 1, 1),
            dt.datetime(2026, 1, 1, tzinfo=None),
        ),
        *(
            [],
            {},
            ["x"],
            [1],
            (1,),
            {1},
            frozenset({"x"}),
            PAIR(1, 2),
            range(2),
            iter("ab"),
            object(),
        ),
        *({"a": "b"}, {1: "b"}, {None: "b"}, {Text("a"): "b"}, {"a": None}, {"a": {"b": []}}),
        *(OrderedDict(a="b"), MappingProxyType({"a": "b"}), Odd(), [Odd()], {"a": "\udfff"}),
    ]


rows = pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: row.id)


def spots(value: Any) -> list[tuple[Any, Any]]:
    """Every container in a value, with every key that it has, and one that it lacks."""
    if isinstance(value, dict):
        below = [spot for part in value.values() for spot in spots(part)]
        return [(value, name) for name in (*value, "more", 7)] + below
    if isinstance(value, list):
        below = [spot for part in value for spot in spots(part)]
        return [(value, number) for number in range(len(value))] + below
    return []


def looked_at(row: Row, given_: Any) -> tuple[Any, Any] | None:
    """What comes of looking closely: the document and its key, or None where it is invalid."""
    try:
        wire, more_names = row._wire(given_)
        text = row._check.read(wire, more_names=more_names)
    except InvalidInputError:
        return None
    return json.loads(text), wire.get(row.input_key) if row.input_key else None


def glanced_at(row: Row, given_: Any) -> tuple[Any, Any] | None:
    """What comes of a glance, likewise."""
    glimpse = row.glance([given_])
    if glimpse is None:
        return None
    found, _ = glimpse
    try:
        text = write_array(found)
    except ValueError:
        return None
    return json.loads(text)[0], (found[0].key or None) if row.input_key else None


@rows
def test_a_glance_is_enough_for_usual_inputs(row: Row) -> None:
    """As a mapping and as a model, and it sees the key."""
    wire = VALID[row.id]
    key = wire[row.input_key] if row.input_key else None
    assert glanced_at(row, wire) == (wire, key)
    assert glanced_at(row, row.input.from_dict(wire)) == (wire, key)


@rows
@given(data=st.data(), changes=st.integers(0, 3))
def test_a_glance_sees_nothing_that_is_not_there(
    row: Row, data: st.DataObject, changes: int
) -> None:
    """What it lets through is what a close look lets through, with the same text and key."""
    wire = copy.deepcopy(VALID[row.id])
    for _ in range(changes):
        place, key = data.draw(st.sampled_from(spots(wire)))
        if isinstance(place, dict) and key in place and data.draw(st.booleans()):
            del place[key]
        else:
            place[key] = values()[data.draw(st.integers(0, len(values()) - 1))]
    given_: Any = wire
    if data.draw(st.booleans()) and all(isinstance(name, str) for name in wire):
        given_ = row.input.from_dict(wire)
    seen = glanced_at(row, given_)
    if seen is not None:
        assert seen == looked_at(row, given_)


class Masked(dict[str, Any]):
    """A mapping that says something else than it holds."""

    def keys(self) -> Any:
        return {"id": 0}.keys()

    def __iter__(self) -> Any:
        return iter(self.keys())

    def __getitem__(self, name: str) -> Any:
        return "said"


def test_a_mapping_of_the_callers_own_is_taken_at_its_word() -> None:
    """Not by what lies beneath."""
    entry = ROWS["read_campaigns"].prepare(0, Masked(id="held"))
    assert (json.loads(entry.text), entry.key) == ({"id": "said"}, "said")


def test_what_is_sent_is_a_copy() -> None:
    """The caller may fill the same mapping anew, and the same text is checked and sent."""
    given_: Any = {"properties": {"hs_name": "first"}}
    glimpse = ROWS["create_campaigns"].glance([given_])
    assert glimpse is not None
    given_["properties"]["hs_name"] = "second"
    assert json.loads(write_array(glimpse.found)) == [{"properties": {"hs_name": "first"}}]


def test_a_list_that_the_api_requires_is_sent_empty() -> None:
    """At first sight as well as at a second."""
    given_: Any = {"properties": {"hs_timestamp": "1"}}
    assert glanced_at(ROWS["create_calls"], given_) == looked_at(ROWS["create_calls"], given_)
    assert glanced_at(ROWS["create_calls"], given_) == ({**given_, "associations": []}, None)


def test_an_empty_key_is_not_seen() -> None:
    """A close look says why it cannot be."""
    for row in ROWS.values():
        if row.input_key:
            assert glanced_at(row, VALID[row.id] | {row.input_key: ""}) is None


INPUTS = st.fixed_dictionaries(
    {"properties": st.dictionaries(st.sampled_from("ab"), st.sampled_from(["1", "2", 1]))},
    optional={"objectWriteTraceId": st.sampled_from(["", "x", "y", "\udfff"]), "more": st.just(1)},
)


@given(inputs=st.lists(INPUTS, max_size=4), first=st.integers(0, 3), typed=st.booleans())
def test_inputs_are_prepared_together_as_one_by_one(
    inputs: list[Any], first: int, typed: bool
) -> None:
    """With the same texts and names, or not at all."""
    given_ = [CallInput.from_dict(one) for one in inputs] if typed else inputs
    operation = ROWS["create_calls"].operation(isolate=False)
    entries = operation.prepare_all(first, given_, "run")
    if entries is None:
        return
    close = evolve(operation, glance=lambda _given: None)
    for number, (entry, one) in enumerate(zip(entries, given_, strict=True), first):
        other = close.prepare_one(number, one, "run", set())
        assert (entry.index, entry.input, entry.key) == (number, one, other.key)
        assert json.loads(entry.text) == json.loads(other.text)
    assert len({entry.key for entry in entries}) == len(entries)


def test_inputs_that_share_a_key_are_not_prepared_together() -> None:
    """One of them needs another name, or another request."""
    operation = ROWS["read_campaigns"].operation(isolate=False)
    assert operation.prepare_all(0, ["1", "2"], "run") is not None
    assert operation.prepare_all(0, ["1", "2", "1"], "run") is None


SCALARS = st.sampled_from(
    [
        {"type": "string"},
        {"type": "string", "enum": ["a", "b"]},
        {"type": "string", "minLength": 2},
        {"type": "string", "format": "date-time"},
        {"type": "boolean"},
        {"type": "integer"},
        {"type": "integer", "format": "int32"},
        {"type": "integer", "minimum": 1},
        {"type": "number"},
        {"type": ["string", "null"]},
        {"type": "string", "nullable": True},
        {"enum": ["a"]},
        {},
    ]
)


def _objects(schemas: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.sampled_from(["a", "b-c"])
    return st.builds(
        lambda fields, required, closed: {
            "type": "object",
            "properties": fields,
            "required": sorted(required),
            **({"additionalProperties": False} if closed else {}),
        },
        st.dictionaries(names, schemas),
        st.sets(names),
        st.booleans(),
    )


SCHEMAS = st.recursive(
    SCALARS,
    lambda schemas: st.one_of(
        schemas.map(lambda items: {"type": "array", "items": items}),
        schemas.map(lambda items: {"type": "array", "items": items, "minItems": 1}),
        schemas.map(lambda values: {"type": "object", "additionalProperties": values}),
        _objects(schemas),
    ),
    max_leaves=6,
)
JSON = st.recursive(
    st.sampled_from(["a", "abc", "", True, 0, 5, 1.5, None]),
    lambda values: st.one_of(
        st.lists(values, max_size=2),
        st.dictionaries(st.sampled_from(["a", "b-c", "d"]), values, max_size=2),
    ),
    max_leaves=6,
)


@given(schema=SCHEMAS, value=JSON)
@example(schema={"type": "object", "additionalProperties": {}}, value={})
@example(schema={"type": "object", "properties": {}, "additionalProperties": False}, value={"a": 1})
def test_a_type_is_found_in_valid_values_only(schema: Any, value: Any) -> None:
    """Whatever rules a schema has, also those that nobody thought of here."""
    shape = shape_of(schema)
    if shape is None:
        return
    try:
        found = shape.find([value])
    except ValidationError:
        return
    fastjsonschema.compile(schema, use_default=False)(value)
    assert json.dumps(json.loads(write_array(found))[0], sort_keys=True) == json.dumps(
        value, sort_keys=True
    )


def test_the_descriptions_schemas_are_understood() -> None:
    """Else every input would be looked at closely."""
    for operation in OPERATIONS.values():
        assert shape_of(operation.input_schema) is not None


TIMES = ": write a time as 2026-01-31T09:30:00Z, and a date as 2026-01-31"


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        (
            dt.datetime(2026, 1, 31),
            ": write a time as 2026-01-31T09:30:00Z, and a date as 2026-01-31",
        ),
        (dt.date(2026, 1, 31), ": write a time as 2026-01-31T09:30:00Z, and a date as 2026-01-31"),
        (5, ': write "5"'),
        (Decimal("1.50"), ': write "1.50"'),
        (True, ""),
        (None, ""),
    ],
)
def test_a_value_that_is_no_text_is_refused_with_advice(value: object, advice: str) -> None:
    """A number or a time is text in HubSpot, and rows from elsewhere have them as what they are."""
    with pytest.raises(InvalidInputError) as caught:
        ROWS["create_calls"].prepare(0, {"properties": {"x": value}, "associations": []})
    assert str(caught.value).startswith("properties.x is ")
    assert str(caught.value).endswith(f", but must be of type string{advice}.")


def test_advice_about_text_is_given_where_text_is_wanted() -> None:
    """A number in the place of a flag is not to be written as text."""
    with pytest.raises(InvalidInputError, match=r"must be of type boolean\.$"):
        ROWS["update_marketing_events"].prepare(0, {"objectId": "1", "eventCancelled": 1})
