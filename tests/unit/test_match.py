"""Tying answers to inputs: by evidence, and by nothing else."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from attrs import Factory, frozen
from hubspot_batch._matching.by_properties import can_all_be_placed
from hubspot_batch._matching.items import EncodedInput
from hubspot_batch._matching.match import ItemError, Matches, Results, match
from hubspot_batch.outcomes import OutcomeError, OutcomeStatus
from hypothesis import given
from hypothesis import strategies as st

FAILED = OutcomeStatus.FAILED


@frozen
class Found:
    """A result with its evidence."""

    value: Any
    id: str | None = None
    key: str | None = None
    properties: Mapping[str, Any] = Factory(dict[str, Any])


def together(results: Sequence[Found]) -> Results:
    """Results as they stand in an answer."""
    by_value = {one.value: one.properties for one in results}
    return Results(
        [one.value for one in results],
        [one.id for one in results],
        [one.key for one in results],
        by_value.__getitem__,
    )


def entry(index: int, key: str | None = None, **properties: str) -> EncodedInput:
    return EncodedInput(index, None, json.dumps({"properties": properties}).encode(), key)


def found(id_: str, key: str | None = None, **properties: Any) -> Found:
    return Found(id_, id=id_, key=key, properties=properties)


def refusal(*keys: str, message: str = "no") -> ItemError:
    return ItemError(OutcomeError("refused", message), frozenset(keys))


def matched(
    entries: list[EncodedInput],
    results: list[Found],
    refusals: list[ItemError] | None = None,
    **how: Any,
) -> Matches:
    settings: dict[str, Any] = {"shared": False, "by_properties": True} | how
    settings.setdefault("keys_in_messages", False)
    return match(entries, together(results), refusals or [], **settings)


def said(given_: Matches) -> dict[int, Any]:
    """The result by position; None for one that succeeded without, the status otherwise."""
    return given_.done | dict.fromkeys(given_.refused, FAILED)


def test_keys_tie_results_in_any_order() -> None:
    """A result that names its input belongs to it."""
    entries = [entry(0, "a"), entry(1, "b"), entry(2, "c")]
    out = matched(entries, [found("2", "c"), found("0", "a")])
    assert said(out) == {0: "0", 2: "2"}
    assert out.unmatched == []


def test_a_result_of_a_foreign_key_is_unmatched() -> None:
    """Its properties match it to no other input."""
    out = matched([entry(0, "a", hs_name="x")], [found("9", "z", hs_name="x")])
    assert said(out) == {}
    assert out.unmatched == ["9"]


def test_a_second_result_of_a_key_is_unmatched_but_in_a_read() -> None:
    """A create makes one record of an input; a read answers all inputs of an id."""
    results = [found("1", "a"), found("2", "a")]
    assert matched([entry(0, "a")], results).unmatched == ["2"]
    assert said(matched([entry(0, "a"), entry(1, "a")], results[:1])) == {0: "1"}
    out = matched([entry(0, "a"), entry(1, "a")], results[:1], shared=True)
    assert said(out) == {0: "1", 1: "1"}


def test_an_error_fails_every_input_that_it_names() -> None:
    """One error can stand for many inputs, and cannot undo a result."""
    entries = [entry(0, "a"), entry(1, "b"), entry(2, "c"), entry(3, "d")]
    out = matched(entries, [found("2", "c")], [refusal("a", "b", "c", "elsewhere")])
    assert said(out) == {0: FAILED, 1: FAILED, 2: "2"}


def test_an_error_that_names_no_input_is_kept_apart() -> None:
    """It is matched to no input, also if there is only one input left."""
    out = matched([entry(0, "a")], [], [refusal("zz"), refusal(message="a is bad")])
    assert said(out) == {}
    assert [error.message for error in out.unattributed] == ["no", "a is bad"]


def test_a_read_may_name_an_id_in_the_message() -> None:
    """As a word of its own: 12 is not named by 123."""
    entries = [entry(0, "12"), entry(1, "123"), entry(2, "0b38-47")]
    out = matched(entries, [], [refusal(message="not found: 123, 0b38-47.")], keys_in_messages=True)
    assert said(out) == {1: FAILED, 2: FAILED}


def test_properties_tie_what_repeats_them() -> None:
    """All that a result repeats must agree, and something must be repeated."""
    entries = [entry(0, hs_name="A", x="1"), entry(1, hs_name="B", x="1")]
    out = matched(
        entries, [found("b", hs_name="B", x="1", hs_object_id="9"), found("a", hs_name="A")]
    )
    assert said(out) == {0: "a", 1: "b"}


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("1767225600000", "2026-01-01T00:00:00Z"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000Z"),
        ("2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00Z"),
        ("2026-01-01", "2026-01-01T00:00:00Z"),
        ("", None),
    ],
)
def test_values_that_the_server_spells_otherwise_are_the_same(sent: str, stored: Any) -> None:
    """Times come back in ISO 8601, and an empty value as null."""
    entries = [entry(0, when=sent), entry(1, when="other")]
    assert said(matched(entries, [found("r", when=stored)])) == {0: "r"}


@pytest.mark.parametrize("value", ["9" * 400, "2026-13-01T00:00:00Z", "12345678901234567890"])
def test_texts_that_are_no_times_are_compared_as_texts(value: str) -> None:
    """An absurd number is no time, and no reason to fail."""
    entries = [entry(0, when=value), entry(1, when="other")]
    assert said(matched(entries, [found("r", when="2026-01-01T00:00:00Z")])) == {}


def test_a_result_that_fits_several_inputs_is_not_guessed() -> None:
    """A value that two different inputs share is no evidence for either."""
    entries = [entry(0, hs_name="A", x="1"), entry(1, hs_name="A", x="2")]
    out = matched(entries, [found("r", hs_name="A")])
    assert said(out) == {}
    assert out.unmatched == ["r"]


def test_as_many_results_as_inputs_means_that_all_were_done() -> None:
    """Which result is whose stays open, but none of the inputs is."""
    entries = [entry(0, hs_name="A", x="1"), entry(1, hs_name="A", x="2")]
    out = matched(entries, [found("r", hs_name="A"), found("s", hs_name="A")])
    assert said(out) == {0: None, 1: None}
    assert sorted(out.unmatched) == ["r", "s"]


def test_the_last_result_belongs_to_the_last_input() -> None:
    """One of each is left, so there is nothing to guess, whatever the spelling."""
    entries = [entry(0, hs_name="A"), entry(1, hs_name="B ")]
    assert said(matched(entries, [found("a", hs_name="A"), found("b", hs_name="B")])) == {
        0: "a",
        1: "b",
    }


def test_a_record_that_is_listed_twice_counts_once() -> None:
    """Else a doubled result would make up for a missing one."""
    entries = [entry(0, hs_name="A", x="1"), entry(1, hs_name="A", x="2")]
    assert said(matched(entries, [found("r", hs_name="A"), found("r", hs_name="A")])) == {}


def test_a_nameless_error_forbids_counting() -> None:
    """It may be of one of the inputs, so the count is no evidence."""
    entries = [entry(0, hs_name="A", x="1"), entry(1, hs_name="A", x="2")]
    results = [found("r", hs_name="A"), found("s", hs_name="A")]
    assert said(matched(entries, results, [refusal()])) == {}


def test_a_record_that_was_made_twice_forbids_counting() -> None:
    """It is of one input, so another has none, although each record may be of some input."""
    entries = [entry(0, hs_name="sale"), entry(1, hs_name="x"), entry(2, hs_name="y")]
    results = [found("r", hs_name="SALE"), found("s", hs_name="SALE"), found("t")]
    out = matched(entries, results)
    assert said(out) == {0: "r"}, "one of them is the first input's"
    assert sorted(out.unmatched) == ["s", "t"]


@given(wishes=st.lists(st.sets(st.integers(0, 4)), max_size=5))
def test_places_are_found_for_all_where_that_can_be(wishes: list[set[int]]) -> None:
    """Where it says so, trying every way to give them out finds one."""
    can_be = any(
        all(place in wish for place, wish in zip(places, wishes, strict=True))
        for places in itertools.permutations(range(5), len(wishes))
    )
    assert can_be or not can_all_be_placed([sorted(wish) for wish in wishes])


def test_results_without_an_id_are_no_evidence() -> None:
    """Results without an id are handed on."""
    out = matched(
        [entry(0, hs_name="A")], [Found(None), Found("junk", properties={"hs_name": "A"})]
    )
    assert said(out) == {}
    assert out.unmatched == [None, "junk"]


def test_a_record_under_two_names_belongs_to_neither() -> None:
    """One of them is wrong, and it cannot be said which."""
    out = matched([entry(0, "a"), entry(1, "b")], [found("7", "a"), found("7", "b")])
    assert said(out) == {}
    assert out.unmatched == ["7"]


def test_a_record_that_is_listed_again_without_its_name_is_no_other() -> None:
    """It must not stand in for an input that was not done."""
    entries = [entry(0, "a", hs_name="A"), entry(1, "b", hs_name="B")]
    for results in (
        [found("7", "a", hs_name="A"), found("7", hs_name="A")],
        [found("7"), found("7", "a")],
    ):
        out = matched(entries, results)
        assert said(out) == {0: "7"}
        assert out.unmatched == []


@pytest.mark.parametrize(
    ("one", "other", "stored"),
    [
        ({"n": "A"}, {"n": "A "}, {"n": "A"}),
        ({"n": "A"}, {"n": "a"}, {"n": "A"}),
        ({"n": "5"}, {"n": "5.0"}, {"n": "5"}),
        ({"n": "\uff21"}, {"n": "A"}, {"n": "A"}),
        ({"n": "1"}, {"n": "1", "x": "2"}, {"n": "1", "x": "9"}),
        ({"n": "1", "x": "2"}, {"n": "1"}, {"n": "1", "x": "2"}),
        ({"n": "2026-01-01T00:00:00Z"}, {"n": "1767225600000"}, {"n": "2026-01-01T00:00:00Z"}),
    ],
)
def test_what_a_server_could_have_rewritten_is_no_evidence(
    one: dict[str, str], other: dict[str, str], stored: dict[str, str]
) -> None:
    """Either input could have become the record."""
    entries = [entry(0, **one), entry(1, **other)]
    out = matched(entries, [found("r", **stored)])
    assert said(out) == {}
    assert out.unmatched == ["r"]


def test_a_record_that_contradicts_every_input_forbids_counting() -> None:
    """It is somebody else's, so the number says nothing."""
    assert said(matched([entry(0, hs_name="A")], [found("r", hs_name="Z")])) == {}
    assert said(matched([entry(0, hs_name="A")], [found("r")])) == {0: "r"}


def test_a_record_that_repeats_nothing_is_no_evidence() -> None:
    """Not even where all inputs are the same."""
    assert said(matched([entry(0, hs_name="A"), entry(1, hs_name="A")], [found("r", x="1")])) == {}


def test_more_records_than_inputs_forbid_counting() -> None:
    """Some of them are somebody else's."""
    entries = [entry(0, hs_name="A", x="1"), entry(1, hs_name="A", x="2")]
    results = [found(name, hs_name="A") for name in "rst"]
    assert said(matched(entries, results)) == {}


def test_inputs_that_differ_in_their_keys_only_stand_in_for_each_other() -> None:
    """A trace id makes no other call of the same call."""
    wires = [{"properties": {"n": "A"}, "trace": key} for key in "ab"]
    entries = [
        EncodedInput(n, None, json.dumps(wire).encode(), wire["trace"])  # type: ignore[arg-type]
        for n, wire in enumerate(wires)
    ]
    out = matched(entries, [found("r", n="A")])
    assert len(out.done) == 1


def test_a_refusal_of_foreign_keys_names_nobody_in_its_message() -> None:
    """A message is read only where an error lists no keys at all."""
    out = matched(
        [entry(0, "12")], [], [refusal("99", message="12 is fine")], keys_in_messages=True
    )
    assert said(out) == {}


@given(
    names=st.lists(st.sampled_from("ABCD"), max_size=12),
    lost=st.sets(st.integers(0, 11)),
    order=st.randoms(use_true_random=False),
)
def test_what_is_tied_is_true(names: list[str], lost: set[int], order: Any) -> None:
    """Of a server that did some inputs and says so, no tie is wrong and no done input lost."""
    entries = [entry(n, hs_name=name) for n, name in enumerate(names)]
    done = [n for n in range(len(names)) if n not in lost]
    results = [found(str(n), hs_name=names[n]) for n in done]
    order.shuffle(results)
    out = matched(entries, results)
    for position, result in said(out).items():
        assert names[int(result)] == names[position]
    assert len(out.done) == len(done)
    assert out.unmatched == []
