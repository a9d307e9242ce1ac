"""Results in a journal: what is read back is what the server said."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hubspot_batch._operations.parsing import write_result
from hubspot_batch._operations.registry import SPECS
from hubspot_batch_client.types import as_model
from hypothesis import given
from hypothesis import strategies as st

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
TIMES = st.sampled_from(["2026-01-31T09:30:00Z", "2026-01-31T09:30:00.123456+02:00", "soon", 5])


@pytest.mark.parametrize("operation", [one.id for one in SPECS.values() if one.result])
@given(data=st.data())
def test_any_result_comes_back(operation: str, data: st.DataObject) -> None:
    """With the fields that the description lacks, and values of types that it does not expect."""
    spec = SPECS[operation]
    names = [*spec.described.result_fields, "somethingNew"]
    wire = data.draw(st.dictionaries(st.sampled_from(names), VALUES | TIMES, max_size=6))
    result = as_model(spec.result, wire)
    assert spec.read_result(write_result(result)) == result
    assert json.loads(write_result(result)) == wire


@pytest.mark.parametrize("value", [2**70, "half a pair: \ud800", math.inf, [1e400], "text"])
def test_odd_values_come_back(value: Any) -> None:
    """Those that only Python's parser reads."""
    spec = SPECS["create_calls"]
    for wire in ({"id": "1", "properties": {"x": value}}, [value], value):
        result = as_model(spec.result, wire)
        assert spec.read_result(write_result(result)) == result
