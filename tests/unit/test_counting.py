"""Counting records against inputs in doubt."""

from __future__ import annotations

from typing import Any

from hubspot_batch._lookup.counting import CountedInput, count
from hubspot_batch._lookup.endpoints import FoundRecord, Period
from hubspot_batch._lookup.stored import stored_form
from hypothesis import given
from hypothesis import strategies as st

NOW = Period(0.0, 10.0)


def hit(id_: str, created: float = 5.0, **properties: Any) -> FoundRecord:
    return FoundRecord(id_, created, properties, {"id": id_, "properties": properties})


def test_an_input_that_leaves_a_property_out_can_have_the_record_of_another() -> None:
    """The record has the values of both, so only the number of records can decide."""
    less, more = CountedInput({"n": "A"}, NOW), CountedInput({"n": "A", "t": "x"}, NOW)
    both = hit("1", n="A", t="x")
    found = count([less, more], [both], "n")
    assert (found.done, {*found.disputed}) == ({}, {0, 1})
    found = count([less, more], [both, hit("2", n="A", t=None)], "n")
    assert found.done == {0: None, 1: None}


def test_as_many_records_as_inputs_are_not_enough_if_one_lacks_its_own() -> None:
    """Two records that only one of the inputs can have."""
    less, more = CountedInput({"n": "A"}, NOW), CountedInput({"n": "A", "t": "x"}, NOW)
    twice = [hit("1", n="A", t="x"), hit("2", n="A", t="y"), hit("3", n="A", t="z")]
    assert count([less, more], twice[1:], "n").done == {}
    assert count([less, more, more], twice, "n").done == {}


def test_equal_inputs_of_different_times_have_records_of_their_own_time() -> None:
    """Two records of the first period say nothing of an input of the second."""
    first, second = CountedInput({"n": "A"}, NOW), CountedInput({"n": "A"}, Period(100.0, 110.0))
    found = count([first, second], [hit("1", n="A"), hit("2", 6.0, n="A")], "n")
    assert found.done == {}
    found = count([first, second], [hit("1", n="A"), hit("2", 105.0, n="A")], "n")
    assert [one and one.id for one in found.done.values()] == ["1", "2"]


names = st.sampled_from("ABC")
cases = st.tuples(st.lists(names, max_size=6), st.lists(names, max_size=6))


@given(cases)
def test_no_more_is_done_than_there_is(case: tuple[list[str], list[str]]) -> None:
    """Exactly where as many records as inputs have a value."""
    inputs, records = case
    hits = [hit(str(number), n=name) for number, name in enumerate(records)]
    found = count([CountedInput({"n": name}, NOW) for name in inputs], hits, "n")
    for place, name in enumerate(inputs):
        same = records.count(name)
        assert (place in found.done) is (same == inputs.count(name))
        assert (place in found.disputed) is (same not in (0, inputs.count(name)))


@given(st.text(alphabet="ab <>&;/\r\n", max_size=12))
def test_a_form_is_the_same_once_more(text: str) -> None:
    """The form of a form is that form, so a server that cleans a value changes nothing."""
    form = stored_form(text)
    assert stored_form(form) == form
