"""The engine, without any I/O: it settles every input, whatever the answers."""

from __future__ import annotations

import itertools
from typing import Any

import httpx
import pytest
from hubspot_batch import HubSpotBatchError, InputError, Outcome, OutcomeError, OutcomeStatus
from hubspot_batch.answers import Answer
from hubspot_batch.batch import BatchRun, Chunk, InvalidInputError, Operation
from hubspot_batch.ties import Entry, Found, Refusal
from hypothesis import given
from hypothesis import strategies as st

SAID = OutcomeError("refused", "because", status_code=400)


STATUSES = [200, 201, 204, 207, 302, 400, 401, 403, 404, 409, 413, 423, 429, 477, 500, 502, 503]
STATUSES += [504, 520, 522, 524, 526, 530, 599]


def prepare(index: int, value: object) -> Entry:
    if not isinstance(value, str):
        raise InvalidInputError("not text")
    return Entry(index, value, {"name": value}, value or None)


def operation(**changes: Any) -> Operation[Any]:
    plain: dict[str, Any] = {
        "id": "op",
        "limit": 10,
        "reads": False,
        "by_properties": False,
        "key_field": "name",
        "keys_are_names": False,
        "prepare": prepare,
    }
    return Operation(**(plain | changes))


def keys(chunk: Chunk | None) -> list[str | None]:
    return [] if chunk is None else [entry.key for entry in chunk.entries]


def chunks(run: BatchRun[Any]) -> list[list[str | None]]:
    found = []
    while (chunk := run.next_chunk()) is not None:
        found.append(keys(chunk))
    return found


def test_changes_of_one_record_never_share_a_request() -> None:
    """They keep their order."""
    run = BatchRun(operation(), ["a", "b", "a", "a", "c"], run_id="r")
    assert chunks(run) == [["a", "b"], ["a"], ["a", "c"]]


def test_reads_of_one_record_share_a_request() -> None:
    """It is asked for once."""
    run = BatchRun(operation(reads=True), ["a", "b", "a"], run_id="r")
    chunk = run.next_chunk()
    assert chunk is not None
    assert keys(chunk) == ["a", "b", "a"]
    assert chunk.wires == [{"name": "a"}, {"name": "b"}]


def test_names_are_given_where_none_or_a_used_one_is() -> None:
    """What names an input in the answer is its own in the request."""
    run = BatchRun(operation(keys_are_names=True), ["a", "", "a", ""], run_id="r")
    chunk = run.next_chunk()
    assert chunk is not None
    assert keys(chunk) == ["a", "r-1", "r-2", "r-3"]
    assert [wire["name"] for wire in chunk.wires] == ["a", "r-1", "r-2", "r-3"]
    assert [entry.input for entry in chunk.entries] == ["a", "", "a", ""]


def test_inputs_that_cannot_be_valid_do_not_pile_up() -> None:
    """Their outcomes are handed out before all inputs have been read."""
    run = BatchRun(operation(), itertools.count(), run_id="r")
    for _ in range(3):
        chunk = run.next_chunk()
        assert chunk is not None
        assert chunk.entries == ()
        assert 0 < len(run.take()) <= 1000


Reply = st.one_of(
    st.builds(
        Answer,
        status_code=st.sampled_from(STATUSES),
        readable=st.booleans(),
        error=st.just(SAID),
        results=st.lists(
            st.builds(Found, value=st.integers(), key=st.sampled_from("abcd")), max_size=5
        ).map(tuple),
        daily=st.booleans(),
    ),
    st.sampled_from([httpx.ConnectError("x"), httpx.ReadTimeout("x"), HubSpotBatchError("x")]),
)


@given(
    inputs=st.lists(st.one_of(st.sampled_from(["a", "b", "c", "d"]), st.integers()), max_size=40),
    replies=st.lists(Reply, min_size=1, max_size=10),
    size=st.integers(1, 10),
    reads=st.booleans(),
    names=st.booleans(),
)
def test_every_input_gets_exactly_one_outcome(
    inputs: list[Any], replies: list[Any], size: int, reads: bool, names: bool
) -> None:
    """Whatever comes back, and wherever the run stops."""
    row = operation(reads=reads, keys_are_names=names and not reads)
    run = BatchRun(row, iter(inputs), run_id="r", chunk_size=size)
    outcomes: list[Outcome[Any]] = []
    turn = 0
    while (chunk := run.next_chunk()) is not None:
        assert len(chunk.entries) <= size
        reply = replies[turn % len(replies)]
        turn += 1
        if isinstance(reply, Answer):
            run.settle(chunk, reply)
        elif isinstance(reply, httpx.HTTPError):
            run.lose(chunk, reply)
        else:
            run.stop(chunk, reply)
        outcomes += run.take()
    if run.stopped is not None:
        run.drain()
    outcomes += run.take()
    result = run.result(outcomes)
    assert [outcome.index for outcome in result.outcomes] == list(range(len(inputs)))
    assert [outcome.input for outcome in result.outcomes] == inputs
    for outcome in result.outcomes:
        assert (outcome.error is None) == (outcome.status is OutcomeStatus.SUCCEEDED)
        assert outcome.status is not OutcomeStatus.UNKNOWN or not reads
        if not isinstance(outcome.input, str) and outcome.status is not OutcomeStatus.NOT_SENT:
            assert outcome.error is not None
            assert outcome.error.kind == "invalid_input"


def test_a_stopped_run_stays_stopped() -> None:
    """An iterable that raises afterwards does not hide why."""

    def inputs() -> Any:
        yield "a"
        yield "b"
        raise OSError("late")

    run = BatchRun(operation(), inputs(), run_id="r", chunk_size=1)
    chunk = run.next_chunk()
    assert chunk is not None
    stop = HubSpotBatchError("first")
    run.stop(chunk, stop)
    run.drain()
    assert run.stopped is stop
    assert [outcome.input for outcome in run.take()] == ["a", "b"]
    assert run.next_chunk() is None


def test_unmatched_results_of_all_chunks_are_kept() -> None:
    """And an error that names nobody is told once."""
    run = BatchRun(operation(), ["a", "b"], run_id="r", chunk_size=1)
    nobody = Refusal(OutcomeError("refused", "some were bad"), frozenset())
    while (chunk := run.next_chunk()) is not None:
        foreign = Found("x" + str(chunk.entries[0].index), key="zz")
        run.settle(chunk, Answer(207, True, SAID, results=(foreign,), refusals=(nobody, nobody)))
    result = run.result(run.take())
    assert result.unmatched == ("x0", "x1")
    for outcome in result.unknown:
        assert outcome.error is not None
        assert outcome.error.message.count("some were bad") == 1


@pytest.mark.parametrize("status", [200, 201, 202, 207, 226, 299])
def test_any_2xx_is_a_success(status: int) -> None:
    """The exact code has changed overnight before."""
    assert Answer(status, True, SAID).accepted


@pytest.mark.parametrize(("daily", "name"), [(True, "DailyLimitError"), (False, "RateLimitError")])
def test_only_a_429_ends_the_day(daily: bool, name: str) -> None:
    """Another status with the same word does not."""
    stop = Answer(429, True, SAID, daily=daily).stop("op")
    assert type(stop).__name__ == name
    assert type(Answer(423, True, SAID, daily=daily).stop("op")).__name__ == "UnavailableError"


def test_an_iterable_that_cannot_even_begin_is_an_input_error() -> None:
    """As if it had raised at its first input."""

    class Broken:
        def __iter__(self) -> Any:
            raise OSError("gone")

    run = BatchRun(operation(), Broken(), run_id="r")
    assert run.next_chunk() is None
    assert isinstance(run.stopped, InputError)
    assert isinstance(run.stopped.__cause__, OSError)


def test_an_input_that_raises_fails_alone() -> None:
    """Whatever it raises."""

    def fussy(index: int, value: object) -> Entry:
        if value == "bad":
            raise OSError("cannot be read")
        return prepare(index, value)

    run = BatchRun(operation(prepare=fussy), ["a", "bad", "b"], run_id="r")
    assert chunks(run) == [["a", "b"]]
    (outcome,) = run.take()
    assert outcome.status is OutcomeStatus.FAILED
    assert outcome.error is not None
    assert "OSError" in outcome.error.message


@pytest.mark.parametrize("size", [0, 11, True, 2.5, "5"])
def test_a_chunk_is_no_larger_than_the_limit(size: Any) -> None:
    """The sentence names both numbers."""
    with pytest.raises(HubSpotBatchError, match="1 to 10"):
        BatchRun(operation(), [], run_id="r", chunk_size=size)
