"""The values that users read."""

from __future__ import annotations

import datetime as dt
import json
import pickle
from enum import Enum
from typing import Any

import attrs
import pytest
from hubspot_batch import (
    BatchResult,
    Detail,
    IncompleteError,
    Outcome,
    OutcomeError,
    OutcomeStatus,
    result_of,
    results_of,
)
from hubspot_batch.outcomes import attach, freeze_context
from hubspot_batch_client.models import Call, CallInput
from hypothesis import given
from hypothesis import strategies as st


@given(st.lists(st.sampled_from(OutcomeStatus)))
def test_the_four_tuples_add_up(statuses: list[OutcomeStatus]) -> None:
    """Each outcome is in the one tuple of its status, in order."""
    result = BatchResult(tuple(Outcome(n, n, status) for n, status in enumerate(statuses)))
    parts = {
        OutcomeStatus.SUCCEEDED: result.succeeded,
        OutcomeStatus.FAILED: result.failed,
        OutcomeStatus.UNKNOWN: result.unknown,
        OutcomeStatus.NOT_SENT: result.not_sent,
    }
    for status, part in parts.items():
        assert [o.index for o in part] == [n for n, s in enumerate(statuses) if s is status]
    if all(status is OutcomeStatus.SUCCEEDED for status in statuses):
        result.raise_for_failures()
    else:
        with pytest.raises(IncompleteError) as caught:
            result.raise_for_failures()
        assert caught.value.result is result


def test_the_sentence_of_failures_has_numbers_and_the_first_reason() -> None:
    """It says how many of each, and why the first one failed."""
    bad = Outcome(1, {}, OutcomeStatus.FAILED, error=OutcomeError("refused", "too long"))
    result = BatchResult((Outcome(0, {}, OutcomeStatus.SUCCEEDED), bad))
    with pytest.raises(
        IncompleteError, match=r"2 inputs.*1 succeeded, 1 failed.*input 1: too long"
    ):
        result.raise_for_failures()


def test_values_are_frozen_and_pickle() -> None:
    """Outcomes go between processes and do not change."""
    outcome: Outcome[None] = Outcome(0, {"a": 1}, OutcomeStatus.NOT_SENT)
    assert pickle.loads(pickle.dumps(BatchResult((outcome,)))) == BatchResult((outcome,))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        outcome.index = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        (None, {}),
        ("", {}),
        ({}, {}),
        ({"ids": ["1", "2"]}, {"ids": ("1", "2")}),
        ({"expire time": "soon"}, {"expire time": ("soon",)}),
        ({"id": [5], "none": None}, {"id": ("5",)}),
        ("{missingScopes=[a, b]}", {"context": ("{missingScopes=[a, b]}",)}),
    ],
)
def test_a_context_is_a_map_of_texts_in_whatever_form_it_came(
    context: object, expected: dict[str, tuple[str, ...]]
) -> None:
    """Lists, single texts and printed maps have all been recorded."""
    assert freeze_context(context) == expected


def test_the_account_is_found_wherever_its_exception_went() -> None:
    """As a cause, in a context, in a group in a group, and round in a circle."""
    result: BatchResult[object] = BatchResult(())
    ended = KeyboardInterrupt()
    assert result_of(ended) is None
    attach(ended, result)
    within = TimeoutError()
    within.__cause__ = ended
    group = BaseExceptionGroup("", [ValueError(), BaseExceptionGroup("", [within])])
    above = OSError()
    above.__context__ = group
    group.__context__ = above
    for error in (ended, within, group, above):
        assert result_of(error) is result
    assert result_of(ExceptionGroup("", [ValueError(), OSError()])) is None


def test_each_run_of_a_group_is_found() -> None:
    """In the order of the group, once each; `result_of` is the first of them."""
    errors = [OSError(), KeyboardInterrupt(), ValueError()]
    results: list[BatchResult[object]] = [
        BatchResult((Outcome(n, n, OutcomeStatus.UNKNOWN),)) for n in range(3)
    ]
    for error, result in zip(errors, results, strict=True):
        attach(error, result)
    again = RuntimeError()
    again.__context__ = errors[0]
    group = BaseExceptionGroup("", [*errors, again, LookupError()])
    assert results_of(group) == tuple(results)
    assert result_of(group) is results[0]
    assert results_of(LookupError()) == ()


def test_a_cause_does_not_hide_a_context() -> None:
    """`raise ... from` names another exception than the one that is handled."""
    first: BatchResult[object] = BatchResult((), ("first",))
    second: BatchResult[object] = BatchResult((), ("second",))
    error, cause, context = OSError(), OSError(), OSError()
    error.__cause__, error.__context__ = cause, context
    attach(context, second)
    assert result_of(error) is second
    attach(cause, first)
    assert results_of(error) == (first, second)


def test_one_exception_can_end_two_runs() -> None:
    """The inputs of a run come from another one, and Ctrl-C ends both."""
    inner: BatchResult[object] = BatchResult((), ("inner",))
    outer: BatchResult[object] = BatchResult((), ("outer",))
    ended = KeyboardInterrupt()
    for result in (inner, outer, outer):
        attach(ended, result)
    assert result_of(ended) is outer
    assert results_of(ended) == (outer, inner)


# ---------------------------------------------------------------- what a REPL and a log show


def made(*statuses: OutcomeStatus) -> BatchResult[str]:
    """A result with these statuses."""
    return BatchResult(
        tuple([Outcome(n, {"n": n}, status, f"r{n}") for n, status in enumerate(statuses)]), ("x",)
    )


def test_a_result_is_one_short_line_however_long_it_is() -> None:
    """With the numbers that people want first."""
    many = [OutcomeStatus.SUCCEEDED] * 4997 + [OutcomeStatus.FAILED] * 3
    result = BatchResult(made(*many).outcomes)
    assert repr(result) == str(result) == "<BatchResult 5000: 4997 succeeded, 3 failed>"
    assert repr(made()) == "<BatchResult 0: 1 unmatched>"
    assert repr(BatchResult(())) == "<BatchResult 0>"
    assert repr(made(OutcomeStatus.NOT_SENT)) == "<BatchResult 1: 1 not_sent, 1 unmatched>"


def test_an_outcome_is_one_short_line() -> None:
    """With the reason, or with the id of the record."""
    error = OutcomeError("refused", "The value\nis bad. " * 1000)
    shown = repr(Outcome(7, {"a": "b" * 1000}, OutcomeStatus.FAILED, error=error))
    assert shown.startswith("<Outcome 7: failed, refused: The value is bad. ")
    assert len(shown) < 150
    assert "\n" not in shown
    call = Call.from_dict({"id": "51", "properties": {"x": "y" * 1000}})
    done = Outcome(0, {}, OutcomeStatus.SUCCEEDED, call)
    assert repr(done) == "<Outcome 0: succeeded, Call 51>"
    assert repr(Outcome(0, {}, OutcomeStatus.SUCCEEDED)) == "<Outcome 0: succeeded>"


@given(st.lists(st.sampled_from(OutcomeStatus)))
def test_a_result_is_a_collection_of_its_outcomes(statuses: list[OutcomeStatus]) -> None:
    """Length, iteration and items are those of `outcomes`; counts are of all statuses."""
    result = made(*statuses)
    assert len(result) == len(statuses)
    assert tuple(result) == result.outcomes
    assert [result[n] for n in range(len(result))] == [*result.outcomes]
    assert [*result.counts] == [*OutcomeStatus]
    assert sum(result.counts.values()) == len(result)
    assert result.counts == {status: statuses.count(status) for status in OutcomeStatus}
    assert result.counts["failed"] == len(result.failed)  # type: ignore[index]
    assert result.records == tuple(outcome.result for outcome in result.succeeded)


def test_a_success_without_a_record_is_no_record() -> None:
    """Several inputs could have matched it."""
    assert BatchResult((Outcome(0, {}, OutcomeStatus.SUCCEEDED),)).records == ()


class Colour(Enum):
    """A value that rows have."""

    RED = "red"


ANYTHING = st.recursive(
    st.one_of(
        *(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary()),
        *(st.datetimes(), st.dates(), st.times(), st.decimals(), st.uuids(), st.just(Colour.RED)),
        *(st.sampled_from(OutcomeStatus), st.just(object())),
    ),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner)
        | st.dictionaries(st.text() | st.integers() | st.none(), inner)
        | st.frozensets(st.integers())
        | st.builds(lambda value: CallInput(properties={"x": value}), inner)
    ),
    max_leaves=8,
)


@given(ANYTHING, ANYTHING)
def test_whatever_an_input_holds_it_can_be_written_as_json(given_: Any, found: Any) -> None:
    """Strictly: there is no NaN in JSON."""
    error = OutcomeError("refused", "no", context={"ids": ("1", "2")}, status_code=400)
    result = BatchResult((Outcome(0, given_, OutcomeStatus.FAILED, found, error),))
    (text,) = json.loads(json.dumps(result.to_dicts(), allow_nan=False))
    assert text == result[0].to_dict()
    assert [*text] == ["index", "input", "status", "result", "error", "evidence"]
    assert (text["status"], text["error"]["context"]) == ("failed", {"ids": ["1", "2"]})


def test_what_is_json_stays_as_it_is() -> None:
    """Models are written in the API's own names."""
    row = {"properties": {"a": "b", "n": None}, "associations": [1, 2.5, True]}
    assert Outcome(0, row, OutcomeStatus.UNKNOWN).to_dict()["input"] == row
    call = CallInput(properties={"at": "now"}, object_write_trace_id="t")
    done = Outcome(0, call, OutcomeStatus.SUCCEEDED).to_dict()
    assert done["input"] == call.to_dict()
    assert done["input"]["objectWriteTraceId"] == "t"
    moment = dt.datetime(2026, 1, 31, 9, 30, tzinfo=dt.UTC)
    assert Outcome(0, moment, OutcomeStatus.UNKNOWN).to_dict()["input"] == (
        "2026-01-31T09:30:00+00:00"
    )


def test_an_input_that_holds_itself_ends() -> None:
    """Such an input is invalid, and has an outcome."""
    row: dict[str, Any] = {"a": 1}
    row["again"] = [row]
    json.dumps(Outcome(0, row, OutcomeStatus.FAILED).to_dict())


@pytest.mark.parametrize(
    ("message", "details"),
    [
        ("no", ()),
        ("", ()),
        ("[]", ()),
        ("see [1] and {x}", ()),
        ('Bad: [{"message": "m", "error": "INVALID", "name": "p"}]', (("p", "INVALID", "m"),)),
        (
            'Bad [sic]: [{"isValid": false, "message": "m", "error": "E", "name": "p"}, '
            '{"message": "n", "code": "F", "propertyName": "q"}, 5] and more',
            (("p", "E", "m"), ("q", "F", "n")),
        ),
        (
            '{"hs_color_hex": ["no colour", "too long"]}',
            (("hs_color_hex", None, "no colour"), ("hs_color_hex", None, "too long")),
        ),
        ('one: {"message": "m"}', ((None, None, "m"),)),
        ("[" * 100_000, ()),
        ('{"a": ' * 5000, ()),
    ],
)
def test_details_are_read_out_of_a_message(message: str, details: Any) -> None:
    """HubSpot writes them as JSON into a sentence, so that users need not find them there."""
    error = OutcomeError("refused", message)
    assert error.details == details
    assert [tuple(one.values()) for one in error.to_dict()["details"]] == [*details]
    assert pickle.loads(pickle.dumps(error)) == error


def test_details_that_are_given_are_kept() -> None:
    """Also by a copy with another kind, and by pickling."""
    error = OutcomeError("refused", '[{"message": "m"}]', details=(Detail("p", "C", "w"),))
    for one in (
        error,
        attrs.evolve(error, kind="batch_refused"),
        pickle.loads(pickle.dumps(error)),
    ):
        assert one.details == (("p", "C", "w"),)
        assert one.details[0].property == "p"


def test_an_exception_is_told_of_its_run_once() -> None:
    """However often its outcomes are attached; what refuses attributes has the note alone."""

    class Slots(Exception):  # noqa: N818
        __slots__ = ()

    for error in (KeyboardInterrupt(), ValueError("x"), Slots()):
        for _ in range(2):
            attach(error, made(), "3 inputs")
        assert error.__notes__ == ["3 inputs"]
