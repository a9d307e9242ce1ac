"""The values that users read."""

from __future__ import annotations

import pickle

import attrs
import pytest
from hubspot_batch import (
    BatchResult,
    IncompleteError,
    Outcome,
    OutcomeError,
    OutcomeStatus,
    result_of,
    results_of,
)
from hubspot_batch.outcomes import attach, freeze_context
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
