"""The part of JSON Schema that the sandbox reads."""

from typing import Any

import fastjsonschema
import pytest
from hubspot_batch.sandbox.clock import parse, to_text
from hubspot_batch.sandbox.schema import first_problem
from hypothesis import given
from hypothesis import strategies as st

TEXT: dict[str, Any] = {"type": "string"}
SCHEMAS: tuple[dict[str, Any], ...] = (
    {},
    TEXT,
    {"type": ["string", "null"]},
    {"type": "integer"},
    {"type": "number"},
    {"type": "boolean"},
    {"enum": ["a", 1, None]},
    {"anyOf": [TEXT, {"type": "null"}]},
    {"oneOf": [TEXT, {"type": "array", "items": {"type": "integer"}}]},
    {"type": "array"},
    {"type": "array", "items": TEXT},
    {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
    {"type": "object", "properties": {"a": TEXT}, "required": ["a"]},
    {"type": "object", "properties": {"a": TEXT}, "additionalProperties": False},
    {
        "type": "object",
        "properties": {"a": {"type": "array", "items": {"type": "object", "required": ["b"]}}},
        "additionalProperties": {"type": "boolean"},
    },
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from([0.5, "a", "b", ""]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("schema", SCHEMAS)
@given(VALUES)
def test_it_agrees_with_a_real_validator(schema: dict[str, Any], value: object) -> None:
    """What it takes and refuses is what fastjsonschema takes and refuses."""
    try:
        fastjsonschema.validate(schema, value)
    except fastjsonschema.JsonSchemaValueException:
        assert first_problem(value, schema, "an input")
    else:
        assert first_problem(value, schema, "an input") is None


@pytest.mark.parametrize(
    ("value", "schema", "said"),
    [
        (None, {**TEXT, "nullable": True}, None),
        ("2026-02-28", {**TEXT, "format": "date"}, None),
        ("2026-02-30", {**TEXT, "format": "date"}, "an input is not a date"),
        ("2026-02-28T00:00:00Z", {**TEXT, "format": "date-time"}, None),
        ("soon", {**TEXT, "format": "date-time"}, "an input is not a date-time"),
        ("any", {**TEXT, "format": "byte"}, None),
        (5, TEXT, "an input is not of type string"),
        ({}, {"required": ["a", "b"]}, "some required fields were not set: ['a', 'b']"),
        (
            {"c": 1},
            {"properties": {}, "additionalProperties": False},
            "unrecognized field 'c' in an input",
        ),
    ],
)
def test_what_it_says(value: object, schema: dict[str, Any], said: str | None) -> None:
    """The words name the field and the reason; `nullable` and formats are understood."""
    assert first_problem(value, schema, "an input") == said


@given(st.integers(-(10**12), 10**13))
def test_moments_survive_being_written_and_read(milliseconds: int) -> None:
    """A moment in milliseconds is the same after a round trip through text."""
    moment = parse(to_text(milliseconds / 1000))
    assert moment is not None
    assert round(moment.timestamp() * 1000) == milliseconds


@given(st.text(max_size=30))
def test_no_text_breaks_the_reading_of_moments(text: str) -> None:
    """Whatever is read, it is a moment in UTC or nothing."""
    moment = parse(text)
    assert moment is None or moment.utcoffset() is not None
