"""An error for many inputs, as each of them is told it."""

from __future__ import annotations

import pytest
from hubspot_batch import OutcomeError
from hubspot_batch._matching.shared_errors import error_for_key
from hypothesis import given
from hypothesis import strategies as st

NUMBERS = st.integers(1, 10**12).map(str)
KEYS = st.lists(NUMBERS | st.uuids().map(str), min_size=2, max_size=50, unique=True)
SEPARATORS = st.sampled_from([",", ", ", "; ", " ", '", "', "', '", ",\n", " and ", ", or "])


@given(KEYS, SEPARATORS, st.sampled_from(["", "[", '["', "(ids: "]))
def test_each_input_is_told_its_own_key(keys: list[str], separator: str, before: str) -> None:
    """The keys are found with any text between and around them."""
    message = f"Not found: {before}{separator.join(keys)} -- look again"
    error = OutcomeError("refused", message, "C", context={"ids": tuple(keys), "x": ("y", "z")})
    told = error_for_key(error, keys)
    for key in keys:
        own = told(key)
        assert own.message == f"Not found: {before}{key} -- look again"
        assert own.context == {"ids": (key,), "x": ("y", "z")}
        assert (own.kind, own.category) == (error.kind, error.category)


@pytest.mark.parametrize(
    "message",
    [
        "Some were not found.",
        "12 was found, and 34 was not.",
        "x12, 34 and 12-34",
        "12 of 34 are missing",
        "",
    ],
)
def test_what_is_no_list_of_keys_stays(message: str) -> None:
    """Sentences are HubSpot's."""
    assert error_for_key(OutcomeError("refused", message), ["12", "34"])("12").message == message


def test_an_error_for_one_input_is_the_same_object() -> None:
    """Nothing is made anew for the usual case."""
    error = OutcomeError("refused", "12, 12")
    assert error_for_key(error, ["12"])("12") is error
