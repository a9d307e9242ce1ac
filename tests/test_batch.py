"""The engine, without any I/O: it settles every input, whatever the answers."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from hubspot_batch import HubSpotBatchError, InputError, Outcome, OutcomeError, OutcomeStatus
from hubspot_batch._engine.chunk import EXTRA_AT_MOST, Chunk, InvalidInputError, Operation
from hubspot_batch._engine.chunker import BYTES_AT_MOST
from hubspot_batch._engine.response import Answer
from hubspot_batch._engine.run import BatchRun
from hubspot_batch._matching.items import Entry, Refusal, Results
from hubspot_batch._transport.retry import Fate
from hypothesis import given
from hypothesis import strategies as st

SAID = OutcomeError("refused", "because", status_code=400)


STATUSES = [200, 201, 204, 207, 302, 400, 401, 403, 404, 409, 413, 423, 429, 477, 500, 502, 503]
STATUSES += [504, 520, 522, 524, 526, 530, 599]


def prepare(index: int, value: object) -> Entry:
    if not isinstance(value, str):
        raise InvalidInputError("not text")
    return Entry(index, value, json.dumps({"name": value}).encode(), value or None)


def operation(**changes: Any) -> Operation[Any]:
    plain: dict[str, Any] = {
        "id": "op",
        "limit": 10,
        "reads": False,
        "splits": False,
        "by_properties": False,
        "key_field": "name",
        "keys_are_names": False,
        "prepare": prepare,
        "glance": lambda _given: None,
    }
    return Operation(**(plain | changes))


def keyed(results: Sequence[tuple[str, Any]]) -> Results:
    """Results that name their inputs, but have no ids."""
    return Results(
        [value for _, value in results], [None] * len(results), [key for key, _ in results]
    )


def keys(chunk: Chunk | None) -> list[str | None]:
    return [] if chunk is None else [entry.key for entry in chunk.entries]


def chunks(run: BatchRun[Any]) -> list[list[str | None]]:
    found = []
    while (chunk := run.next_chunk()) is not None:
        found.append(keys(chunk))
        run.settle(chunk, Answer(400, readable=False, error=SAID))
    return found


def handed_out(run: BatchRun[Any]) -> list[Outcome[Any]]:
    """What has become known since the last time."""
    return [run.ready.popleft() for _ in range(len(run.ready))]


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
    assert chunk.texts == [b'{"name": "a"}', b'{"name": "b"}']


def test_a_run_that_keeps_its_outcomes_reads_no_record_twice() -> None:
    """What asks for it later has part in the answer, be it under way, known, or split up."""
    operation_ = operation(reads=True, splits=True)
    run = BatchRun(operation_, ["a", "b", "a", "c", "b"], run_id="r", chunk_size=2, collects=True)
    first = run.next_chunk()
    assert first is not None
    second = run.next_chunk()
    assert second is not None
    assert [keys(first), keys(second)] == [["a", "b", "a", "b"], ["c"]]
    run.settle(first, Answer(400, readable=False, error=SAID))
    asked = chunks(run)
    assert asked == [["a", "a"], ["b", "b"]]
    run.settle(second, Answer(200, readable=True, error=SAID, results=keyed([("c", "C")])))
    outcomes = run.close(drain=True).outcomes
    assert [outcome.index for outcome in outcomes] == [0, 1, 2, 3, 4]
    assert [outcome.result for outcome in outcomes] == [None, None, None, "C", None]


def test_what_is_known_of_a_record_answers_for_it() -> None:
    """Also when the request that asked for it is over."""
    run = BatchRun(operation(reads=True), iter("aba"), run_id="r", chunk_size=1, collects=True)
    for key in "ab":
        chunk = run.next_chunk()
        assert chunk is not None
        assert keys(chunk) == [key]
        run.settle(
            chunk, Answer(200, readable=True, error=SAID, results=keyed([(key, key.upper())]))
        )
    assert run.next_chunk() is None
    assert [outcome.result for outcome in run.close(drain=True).outcomes] == ["A", "B", "A"]


def test_a_lost_answer_is_not_handed_on() -> None:
    """Who asks for the record later asks again; who shared the request shares the loss."""
    run = BatchRun(operation(reads=True), iter("aaba"), run_id="r", chunk_size=1, collects=True)
    first = run.next_chunk()
    assert first is not None
    assert keys(first) == ["a", "a"]
    run.lose(first, httpx.ReadTimeout("x"))
    assert [(o.index, o.error and o.error.kind) for o in handed_out(run)] == [
        (0, "no_answer"),
        (1, "no_answer"),
    ]
    assert chunks(run) == [["b"], ["a"]]


def test_a_record_that_is_asked_for_twice_stands_alone() -> None:
    """The server's words are about it and about nobody else."""
    run = BatchRun(operation(reads=True, splits=True), ["a", "a"], run_id="r")
    assert chunks(run) == [["a", "a"]]
    assert {o.error.kind for o in run.close(drain=True).outcomes if o.error} == {SAID.kind}


def test_a_list_may_grow_while_it_is_iterated() -> None:
    """Its end is not seen before somebody wants more than it has."""
    given_ = ["a"]
    run = BatchRun(operation(), given_, run_id="r", chunk_size=1)
    for key in "abc":
        run.read_ahead()
        chunk = run.next_chunk()
        assert keys(chunk) == [key]
        assert chunk is not None
        run.read_ahead()
        run.settle(chunk, Answer(400, readable=False, error=SAID))
        given_.append(chr(ord(key) + 1))


def test_names_are_given_where_none_or_a_used_one_is() -> None:
    """What names an input in the answer is its own in the request."""
    run = BatchRun(operation(keys_are_names=True), ["a", "", "a", ""], run_id="r")
    chunk = run.next_chunk()
    assert chunk is not None
    assert keys(chunk) == ["a", "r-1", "r-2", "r-3"]
    assert [json.loads(text)["name"] for text in chunk.texts] == ["a", "r-1", "r-2", "r-3"]
    assert [entry.input for entry in chunk.entries] == ["a", "", "a", ""]


def test_inputs_that_cannot_be_valid_do_not_pile_up() -> None:
    """Their outcomes are handed out before all inputs have been read."""
    run = BatchRun(operation(), itertools.count(), run_id="r")
    for _ in range(3):
        assert run.next_chunk() is None
        assert run.going
        assert 0 < len(handed_out(run)) <= 1000


Reply = st.one_of(
    st.builds(
        Answer,
        status_code=st.sampled_from(STATUSES),
        readable=st.booleans(),
        error=st.just(SAID),
        results=st.lists(st.tuples(st.sampled_from("abcd"), st.integers()), max_size=5).map(keyed),
        daily=st.booleans(),
    ),
    st.sampled_from([httpx.ConnectError("x"), httpx.ReadTimeout("x"), HubSpotBatchError("x")]),
)


@given(
    inputs=st.lists(st.one_of(st.sampled_from(["a", "b", "c", "d"]), st.integers()), max_size=40),
    replies=st.lists(Reply, min_size=1, max_size=10),
    size=st.integers(1, 10),
    width=st.integers(1, 4),
    order=st.randoms(use_true_random=False),
    flags=st.tuples(*[st.booleans()] * 4),
)
def test_every_input_gets_exactly_one_outcome(
    inputs: list[Any],
    replies: list[Any],
    size: int,
    width: int,
    order: Any,
    flags: tuple[bool, ...],
) -> None:
    """Whatever comes back, in whatever order, and wherever the run stops."""
    reads, names, splits, collects = flags
    row = operation(reads=reads, keys_are_names=names and not reads, splits=splits)
    run = BatchRun(row, iter(inputs), run_id="r", chunk_size=size, collects=collects)
    outcomes: list[Outcome[Any]] = []
    under_way: list[Chunk] = []
    turn = 0
    while run.going or under_way:
        while len(under_way) < width and (chunk := run.next_chunk()) is not None:
            assert len(chunk.texts) <= size
            under_way.append(chunk)
        named = [entry.key for chunk in under_way for entry in chunk.entries]
        assert reads or names or len(set(named)) == len(named)
        if not collects:
            outcomes += handed_out(run)
        if not under_way:
            continue
        chunk = under_way.pop(order.randrange(len(under_way)))
        reply = replies[turn % len(replies)]
        turn += 1
        if isinstance(reply, Answer):
            run.settle(chunk, reply)
        elif isinstance(reply, httpx.HTTPError):
            run.lose(chunk, reply)
        else:
            run.stop(chunk, reply)
    outcomes += run.close(drain=True).outcomes
    outcomes.sort(key=lambda outcome: outcome.index)
    assert [outcome.index for outcome in outcomes] == list(range(len(inputs)))
    assert [outcome.input for outcome in outcomes] == inputs
    for outcome in outcomes:
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
    result = run.close(drain=True)
    assert run.stopped is stop
    assert [outcome.input for outcome in result.outcomes] == ["a", "b"]
    assert run.next_chunk() is None


def test_unmatched_results_of_all_chunks_are_kept() -> None:
    """And an error that names nobody is told once."""
    run = BatchRun(operation(), ["a", "b"], run_id="r", chunk_size=1)
    nobody = Refusal(OutcomeError("refused", "some were bad"), frozenset())
    while (chunk := run.next_chunk()) is not None:
        foreign = keyed([("zz", "x" + str(chunk.entries[0].index))])
        run.settle(chunk, Answer(207, True, SAID, results=foreign, refusals=(nobody, nobody)))
    result = run.close(drain=False)
    assert result.unmatched == ("x0", "x1")
    for outcome in result.unknown:
        assert outcome.error is not None
        assert outcome.error.message.count("some were bad") == 1


@pytest.mark.parametrize("status", [200, 201, 202, 207, 226, 299])
def test_any_2xx_is_a_success(status: int) -> None:
    """The exact code has changed overnight before."""
    assert Answer(status, True, SAID).rule.fate is Fate.DONE


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
    chunk = run.next_chunk()
    assert keys(chunk) == ["a", "b"]
    (outcome,) = handed_out(run)
    assert outcome.status is OutcomeStatus.FAILED
    assert outcome.error is not None
    assert "OSError" in outcome.error.message


@pytest.mark.parametrize("size", [0, 11, True, 2.5, "5"])
def test_a_chunk_is_no_larger_than_the_limit(size: Any) -> None:
    """The sentence names both numbers."""
    with pytest.raises(HubSpotBatchError, match="1 to 10"):
        BatchRun(operation(), [], run_id="r", chunk_size=size)


def test_a_refused_request_is_taken_apart_within_a_bound() -> None:
    """When too much was spent, the rest is said to be refused together."""
    run = BatchRun(operation(limit=100, splits=True), [str(n) for n in range(100)], run_id="r")
    requests = 0
    while (chunk := run.next_chunk()) is not None:
        requests += 1
        run.settle(chunk, Answer(400, readable=False, error=SAID))
    result = run.close(drain=False)
    assert requests == 1 + EXTRA_AT_MOST
    assert len(result.failed) == 100
    kinds = Counter(outcome.error.kind for outcome in result.failed if outcome.error)
    assert kinds["refused"] > 15
    assert kinds["batch_refused"] == 100 - kinds["refused"]


def test_bytes_bound_a_request() -> None:
    """A single input that is larger goes alone."""

    def large(index: int, value: Any) -> Entry:
        return Entry(index, value, b" " * value, str(index))

    half = BYTES_AT_MOST // 2
    sizes = [half, half, 1, 3 * BYTES_AT_MOST, half, 1]
    run = BatchRun(operation(prepare=large), sizes, run_id="r")
    assert chunks(run) == [["0", "1"], ["2"], ["3"], ["4", "5"]]
