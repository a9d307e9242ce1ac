"""The sandbox's words about the form of an input, and how it reads moments."""

from typing import Any

import pytest
from hubspot_batch.sandbox.clock import format_datetime, parse_datetime
from hubspot_batch.sandbox.input_checks import schema_problem
from hypothesis import given
from hypothesis import strategies as st

TEXT: dict[str, Any] = {"type": "string"}


@pytest.mark.parametrize(
    ("value", "schema", "said"),
    [
        ("2026-02-28T00:00:00Z", {**TEXT, "format": "date-time"}, None),
        ("soon", {**TEXT, "format": "date-time"}, "an input must be date-time"),
        (None, {"type": ["string", "null"]}, None),
        (5, TEXT, "an input must be string"),
        ({}, {"required": ["a", "b"]}, "an input must contain ['a', 'b'] properties"),
        ({"a": 5}, {"properties": {"a": TEXT}}, "an input.a must be string"),
        (
            {"c": 1},
            {"properties": {}, "additionalProperties": False},
            "an input must not contain {'c'} properties",
        ),
    ],
)
def test_what_it_says(value: object, schema: dict[str, Any], said: str | None) -> None:
    """The words name the field and the reason, and never the position of the input."""
    assert schema_problem(value, schema, "an input") == said


@given(st.integers(-(10**12), 10**13))
def test_moments_survive_being_written_and_read(milliseconds: int) -> None:
    """A moment in milliseconds is the same after a round trip through text."""
    moment = parse_datetime(format_datetime(milliseconds / 1000))
    assert moment is not None
    assert round(moment.timestamp() * 1000) == milliseconds


@given(st.text(max_size=30))
def test_no_text_breaks_the_reading_of_moments(text: str) -> None:
    """Any text is a moment in UTC or nothing."""
    moment = parse_datetime(text)
    assert moment is None or moment.utcoffset() is not None
