"""The fast check and the full check of inputs agree, and what is sent."""

from __future__ import annotations

import copy
import datetime as dt
import json
import uuid
from collections import OrderedDict, namedtuple
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Any

import fastjsonschema
import pytest
from example_inputs import example_input
from hubspot_batch import OutcomeError
from hubspot_batch._matching.items import EncodedInput
from hubspot_batch._operations.fast_validation import fast_validator
from hubspot_batch._operations.problems import InvalidInputError
from hubspot_batch._operations.registry import SPECS, OperationSpec
from hubspot_batch._operations.validation import InputEncoder
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
    """A value that one parser knows and the other does not."""

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
VALID |= {name: example_input(name) for name in SPECS if name not in VALID}


def values() -> list[Any]:
    """Return values that may stand anywhere, made anew, since some of them are changed."""
    return [
        *(
            "",
            "x",
            "null",
            "1026-01-31",
            "1769850600",
            "1769850600000",
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


specs = pytest.mark.parametrize("spec", SPECS.values(), ids=lambda spec: spec.id)


def spots(value: Any) -> list[tuple[Any, Any]]:
    """Every container in a value, with every key that it has, and one that it lacks."""
    if isinstance(value, dict):
        below = [spot for part in value.values() for spot in spots(part)]
        return [(value, name) for name in (*value, "more", 7)] + below
    if isinstance(value, list):
        below = [spot for part in value for spot in spots(part)]
        return [(value, number) for number in range(len(value))] + below
    return []


def encoder(spec: OperationSpec) -> InputEncoder:
    """Return the encoder of a run's inputs."""
    return spec.encoder("run")


def checked_fully(spec: OperationSpec, given_: Any) -> tuple[Any, Any] | None:
    """The document and the key that the full check finds; None where it refuses an input."""
    try:
        wire, more_names = encoder(spec).convert(given_)
        text = spec.validator.write(wire, more_names=more_names)
    except InvalidInputError:
        return None
    return json.loads(text), wire.get(spec.input_key) if spec.input_key else None


def checked_fast(spec: OperationSpec, given_: Any) -> tuple[Any, Any] | None:
    """The same of the fast check; None where it does not prove an input valid."""
    try:
        encoded = encoder(spec)._encode_fast(0, [given_])
    except Exception:  # noqa: BLE001 - not proven valid
        return None
    if encoded is None:
        return None
    wire = encoded[0].wire
    key = encoded[0].key
    if key is not None and key.startswith("run-"):  # a trace id that was added
        del wire["objectWriteTraceId"]
        key = None
    return wire, key


def one(spec: OperationSpec, given_: Any) -> EncodedInput:
    """An input as it is sent."""
    (encoded,) = encoder(spec).encode(0, [given_])
    assert isinstance(encoded, EncodedInput)
    return encoded


def refused(spec: OperationSpec, given_: Any) -> str:
    """Why an input is not sent."""
    (error,) = encoder(spec).encode(0, [given_])
    assert isinstance(error, OutcomeError)
    assert error.kind == "invalid_input"
    return error.message


@specs
def test_the_fast_check_is_enough_for_usual_inputs(spec: OperationSpec) -> None:
    """As a mapping and as a model, and it sees the key."""
    wire = VALID[spec.id]
    if spec._rules.together or spec._rules.gives_trace_ids:
        return  # a trace id is added, or several fields are one key: each is looked at in full
    key = wire[spec.input_key] if isinstance(spec.input_key, str) else None
    assert checked_fast(spec, wire) == (wire, key)
    assert checked_fast(spec, spec.inputs[0].from_dict(wire)) == (wire, key)


@specs
@given(data=st.data(), changes=st.integers(0, 3))
def test_the_fast_check_proves_valid_inputs_only(
    spec: OperationSpec, data: st.DataObject, changes: int
) -> None:
    """Inputs that it lets through pass the full check too, with the same text and key."""
    wire = copy.deepcopy(VALID[spec.id])
    for _ in range(changes):
        place, key = data.draw(st.sampled_from(spots(wire)))
        if isinstance(place, dict) and key in place and data.draw(st.booleans()):
            del place[key]
        else:
            place[key] = values()[data.draw(st.integers(0, len(values()) - 1))]
    given_: Any = wire
    if data.draw(st.booleans()) and all(isinstance(name, str) for name in wire):
        given_ = spec.inputs[0].from_dict(wire)
    seen = checked_fast(spec, given_)
    if seen is not None:
        assert seen == checked_fully(spec, given_)


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
    entry = one(SPECS["read_campaigns"], Masked(id="held"))
    assert (entry.wire, entry.key) == ({"id": "said"}, "said")


def test_an_encoded_input_is_a_copy() -> None:
    """The caller may fill the same mapping anew, and the same text is checked and sent."""
    given_: Any = {"properties": {"hs_name": "first"}}
    entry = one(SPECS["create_campaigns"], given_)
    given_["properties"]["hs_name"] = "second"
    assert entry.wire == {"properties": {"hs_name": "first"}}


def test_a_list_that_the_api_requires_is_sent_empty() -> None:
    """In the fast check as well as in the full one."""
    given_: Any = {"properties": {"hs_call_title": "1"}}
    spec = SPECS["create_calls"]
    assert checked_fast(spec, given_) == checked_fully(spec, {**given_})
    assert checked_fast(spec, given_) == ({**given_, "associations": []}, None)


def test_an_empty_key_is_not_proven_valid() -> None:
    """The full check says why it cannot be, or replaces it."""
    for spec in SPECS.values():
        if spec.input_key:
            assert checked_fast(spec, VALID[spec.id] | {spec.input_key: ""}) is None
    assert refused(SPECS["read_campaigns"], "") == "id is empty."


class Raising(Mapping[str, Any]):
    """A mapping that cannot be read."""

    def __getitem__(self, name: str) -> Any:
        raise OSError("gone")

    def __iter__(self) -> Any:
        raise OSError("gone")

    def __len__(self) -> int:
        return 1


def test_an_input_that_raises_fails_alone() -> None:
    """An input fails alone, whatever it raises."""
    encoded = encoder(SPECS["read_campaigns"]).encode(0, ["a", Raising(), "b"])
    assert isinstance(encoded[1], OutcomeError)
    assert "OSError" in encoded[1].message
    assert [one.key for one in (encoded[0], encoded[2]) if isinstance(one, EncodedInput)] == [
        *("a", "b")
    ]


INPUTS = st.fixed_dictionaries(
    {"properties": st.dictionaries(st.sampled_from("ab"), st.sampled_from(["1", "2", 1]))},
    optional={"objectWriteTraceId": st.sampled_from(["", "x", "y", "\udfff"]), "more": st.just(1)},
)


@given(inputs=st.lists(INPUTS, max_size=4), first=st.integers(0, 3), typed=st.booleans())
def test_inputs_are_encoded_together_as_one_by_one(
    inputs: list[Any], first: int, typed: bool
) -> None:
    """With the same texts and keys, whichever check sees them."""
    given_ = [CallInput.from_dict(one) for one in inputs] if typed else inputs
    made = encoder(SPECS["create_calls"])
    together = made.encode(first, given_)
    assert len(together) == len(given_)
    for number, (entry, value) in enumerate(zip(together, given_, strict=True), first):
        other = made._encode_one(number, value)
        if isinstance(entry, OutcomeError):
            assert entry == other
            continue
        assert isinstance(other, EncodedInput)
        assert (entry.index, entry.input, entry.key) == (number, value, other.key)
        assert entry.wire == other.wire


def test_a_renamed_input_has_a_trace_id_of_its_own() -> None:
    """And is the same otherwise."""
    made = encoder(SPECS["create_calls"])
    entry = one(SPECS["create_calls"], VALID["create_calls"])
    renamed = made.rename(entry)
    assert renamed.key == "run-0" != entry.key
    assert renamed.wire == {**entry.wire, "objectWriteTraceId": "run-0"}


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
    """A type is found in valid values only, for any rules of a schema."""
    validator = fast_validator(schema)
    if validator is None:
        return
    try:
        found = validator.check([value])
    except ValidationError:
        return
    fastjsonschema.compile(schema, use_default=False)(value)
    assert json.dumps(json.loads(validator.write(found[0])), sort_keys=True) == json.dumps(
        value, sort_keys=True
    )


def test_the_descriptions_schemas_are_understood() -> None:
    """Else every input would need the full check."""
    for operation in OPERATIONS.values():
        assert fast_validator(operation.input_schema) is not None
