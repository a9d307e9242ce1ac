"""Which record an input means, and whose a result or an error is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hubspot_batch._matching.items import EncodedInput
from hubspot_batch._matching.keys import KeyIndex, id_property_of, key_of


def names(*inputs: dict[str, Any], of_all: str | None = None, of_records: bool = True) -> KeyIndex:
    """Return an index of inputs, with the keys that an operation gives them."""
    entries = [
        EncodedInput(
            n, one, json.dumps(one).encode(), key_of(one["id"], id_property_of(one, of_all))
        )
        for n, one in enumerate(inputs)
    ]
    return KeyIndex(entries, "id", of_all, of_records=of_records)


def by(name: str, id_: str, **more: Any) -> dict[str, Any]:
    return {"id": id_, "idProperty": name, **more}


def test_equal_ids_of_different_kinds_mean_different_records() -> None:
    """A record's id, and the values of two properties; case counts but in emails."""
    keys = [key_of("A1", None), key_of("A1", "no"), key_of("a1", "no"), key_of("A1", "email")]
    assert len({*keys}) == 4
    assert key_of("A@x.com", "email") == key_of("a@X.com", "email")


def test_a_result_is_known_by_its_id_or_by_the_property_that_was_named() -> None:
    """Whichever the input has named."""
    found = names({"id": "1"}, by("no", "5"), by("email", "A@x.com"))
    assert found.of_result("1", None, {}) == "1"
    assert found.of_result("9", None, {"no": "5"}) == key_of("5", "no")
    assert found.of_result("9", None, {"email": "a@x.com", "no": None}) == key_of(
        "a@x.com", "email"
    )
    assert found.of_result("5", None, {"no": "1", "city": "5"}) is None
    assert found.of_result(None, None, {}) is None


def test_what_could_be_of_two_inputs_is_of_none() -> None:
    """An id and a value, two values, and a value that another input has set."""
    found = names({"id": "1"}, by("no", "5"), by("email", "a@x.com"))
    assert found.of_result("1", None, {"no": "5"}) is None
    assert found.of_result("9", None, {"no": "5", "email": "a@x.com"}) is None
    taken = names({"id": "1", "properties": {"email": "A@x.com"}}, by("email", "a@x.com"))
    assert taken.of_result("9", None, {"email": "a@x.com"}) is None
    assert taken.of_result("1", None, {"email": "b@x.com"}) == "1"


def test_a_trace_id_says_more_than_anything_else() -> None:
    """Unless two inputs carry the same one."""
    first = by("no", "1", objectWriteTraceId="t")
    found = names(first, by("no", "2", objectWriteTraceId="u"))
    assert found.of_result("9", "t", {"no": "2"}) == key_of("1", "no")
    assert found.of_result("9", "other", {"no": "2"}) == key_of("2", "no")
    twice = names(first, by("no", "2", objectWriteTraceId="t"))
    assert twice.of_result("9", "t", {}) is None
    assert twice.of_error([], ["t"]) == frozenset()


@pytest.mark.parametrize(
    ("ids", "traces", "expected"),
    [
        (["1"], [], {"1"}),
        (["A@x.com"], [], {key_of("a@x.com", "email")}),
        (["a@x.com", "5"], [], {key_of("a@x.com", "email")}),
        (["unheard"], ["unheard"], set[str]()),
        (["7"], [], set[str]()),
        ([], ["t"], {"1"}),
    ],
)
def test_an_error_names_inputs_by_what_they_sent(
    ids: list[str], traces: list[str], expected: set[str]
) -> None:
    """As it was sent or as it is kept; a number could be the id of another record."""
    found = names(
        *({"id": "1", "objectWriteTraceId": "t"}, by("email", "A@x.com")),
        *({"id": "5"}, by("no", "5"), by("no", "7")),
    )
    assert found.of_error(ids, traces) == expected


def test_ids_that_can_be_anything_tie_nothing() -> None:
    """As in an upsert of which the description does not say what its ids are."""
    found = names({"id": "5", "objectWriteTraceId": "t"}, {"id": "6"}, of_records=False)
    assert found.of_result("6", None, {"id": "6"}) is None
    assert found.of_error(["6"], []) == frozenset()
    assert found.of_result("6", "t", {}) == "5"


def test_all_ids_can_be_values_of_one_property() -> None:
    """As in a read, whose body names it once."""
    found = names({"id": "5"}, {"id": "6"}, of_all="no")
    assert found.of_result("5", None, {"no": "6"}) == key_of("6", "no")
    assert found.of_result("5", None, {}) is None
