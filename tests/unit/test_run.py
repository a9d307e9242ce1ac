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
from hubspot_batch._engine.chunk import EXTRA_AT_MOST, BatchResponse, Chunk, Operation, SameKey
from hubspot_batch._engine.chunker import BYTES_AT_MOST
from hubspot_batch._engine.run import Run
from hubspot_batch._matching.items import EncodedInput
from hubspot_batch._matching.match import ItemError, Results
from hubspot_batch._transport.retry import Effect, disposition_of
from hypothesis import given
from hypothesis import strategies as st

SAID = OutcomeError("refused", "because", status_code=400)


STATUSES = [200, 201, 204, 207, 302, 400, 401, 403, 404, 409, 413, 423, 429, 477, 500, 502, 503]
STATUSES += [504, 520, 522, 524, 526, 530, 599]


def answer(
    status_code: int, *, readable: bool = True, daily: bool = False, **more: Any
) -> BatchResponse:
    """A response as the transport and the parser hand it on."""
    disposition = disposition_of(status_code, readable=readable, daily=daily)
    return BatchResponse(status_code, disposition, lambda: SAID, daily=daily, **more)


REFUSED = answer(400)


def encode(first: int, given_: list[Any]) -> list[EncodedInput | OutcomeError]:
    return [
        EncodedInput(index, value, json.dumps({"name": value}).encode(), value or None)
        if isinstance(value, str)
        else OutcomeError("invalid_input", "not text")
        for index, value in enumerate(given_, first)
    ]


def rename(entry: EncodedInput) -> EncodedInput:
    name = f"r-{entry.index}"
    return EncodedInput(entry.index, entry.input, json.dumps({"name": name}).encode(), name)


def no_request(*_: object) -> Any:
    raise AssertionError("the engine sends nothing by itself")


def operation(**changes: Any) -> Operation[Any]:
    plain: dict[str, Any] = {
        "id": "op",
        "limit": 10,
        "reads": False,
        "splits": False,
        "all_or_nothing": True,
        "by_properties": False,
        "named_by": None,
        "same_key": SameKey.SHARED if changes.get("reads") else SameKey.IN_TURN,
        "encode": encode,
        "rename": rename,
        "read": no_request,
        "send": no_request,
        "asend": no_request,
        "repeatable": False,
        "identify": no_request,
        "write_result": no_request,
        "read_result": no_request,
    }
    return Operation(**(plain | changes))


def keyed(results: Sequence[tuple[str, Any]]) -> Results:
    """Results that name their inputs, but have no ids."""
    return Results(
        [value for _, value in results], [None] * len(results), [key for key, _ in results]
    )


def keys(chunk: Chunk | None) -> list[str | None]:
    return [] if chunk is None else [entry.key for entry in chunk.entries]


def chunks(run: Run[Any]) -> list[list[str | None]]:
    found = []
    while (chunk := run.next_chunk()) is not None:
        found.append(keys(chunk))
        run.settle(chunk, REFUSED)
    return found


def handed_out(run: Run[Any]) -> list[Outcome[Any]]:
    """Return the outcomes that have become known since the last time."""
    return [run.ready.popleft() for _ in range(len(run.ready))]


def test_changes_of_one_record_never_share_a_request() -> None:
    """They keep their order."""
    run = Run(operation(), ["a", "b", "a", "a", "c"], run_id="r")
    assert chunks(run) == [["a", "b"], ["a"], ["a", "c"]]


def test_reads_of_one_record_share_a_request() -> None:
    """It is asked for once."""
    run = Run(operation(reads=True), ["a", "b", "a"], run_id="r")
    chunk = run.next_chunk()
    assert chunk is not None
    assert keys(chunk) == ["a", "b", "a"]
    assert [*map(json.loads, chunk.texts)] == [{"name": "a"}, {"name": "b"}]


def test_a_read_without_a_response_is_a_loss_of_all_who_asked() -> None:
    """A record that several inputs of a request ask for."""
    run = Run(operation(reads=True), iter("aab"), run_id="r", chunk_size=2)
    first = run.next_chunk()
    assert first is not None
    assert keys(first) == ["a", "a"]
    run.settle_lost(first, httpx.ReadTimeout("x"))
    assert [(o.index, o.error and o.error.kind) for o in handed_out(run)] == [
        (0, "no_answer"),
        (1, "no_answer"),
    ]
    assert chunks(run) == [["b"]]


def test_a_record_that_is_asked_for_twice_stands_alone() -> None:
    """The server's words are about it and no other input."""
    run = Run(operation(reads=True, splits=True), ["a", "a"], run_id="r")
    assert chunks(run) == [["a", "a"]]
    assert {o.error.kind for o in run.close(drain=True).outcomes if o.error} == {SAID.kind}


def test_a_list_may_grow_while_it_is_iterated() -> None:
    """Its end is not seen before more is wanted than it has."""
    given_ = ["a"]
    run = Run(operation(), given_, run_id="r", chunk_size=1)
    for key in "abc":
        chunk = run.next_chunk()
        assert keys(chunk) == [key]
        assert chunk is not None
        run.settle(chunk, REFUSED)
        given_.append(chr(ord(key) + 1))


def test_a_key_of_its_own_replaces_one_that_is_used() -> None:
    """A trace id names one input of a request."""
    run = Run(operation(same_key=SameKey.RENAMED), ["a", "b", "a"], run_id="r")
    chunk = run.next_chunk()
    assert chunk is not None
    assert keys(chunk) == ["a", "b", "r-2"]
    assert [one["name"] for one in map(json.loads, chunk.texts)] == ["a", "b", "r-2"]
    assert [entry.input for entry in chunk.entries] == ["a", "b", "a"]


def test_inputs_that_cannot_be_valid_do_not_pile_up() -> None:
    """Their outcomes are handed out before all inputs have been read."""
    run = Run(operation(), itertools.count(), run_id="r")
    for _ in range(3):
        assert run.next_chunk() is None
        assert run.has_more
        assert 0 < len(handed_out(run)) <= 1000


Reply = st.one_of(
    st.builds(
        answer,
        status_code=st.sampled_from(STATUSES),
        readable=st.booleans(),
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
    """Every input has one true outcome, for any response, order and end of the run."""
    reads, names, splits, collects = flags
    same_key = SameKey.SHARED if reads else SameKey.RENAMED if names else SameKey.IN_TURN
    row = operation(reads=reads, same_key=same_key, splits=splits)
    run = Run(row, iter(inputs), run_id="r", chunk_size=size, collects=collects)
    outcomes: list[Outcome[Any]] = []
    under_way: list[Chunk] = []
    turn = 0
    while run.has_more or under_way:
        while len(under_way) < width and (chunk := run.next_chunk()) is not None:
            assert len([*chunk.texts]) <= len(chunk.entries) <= size
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
        if isinstance(reply, BatchResponse):
            run.settle(chunk, reply)
        elif isinstance(reply, httpx.HTTPError):
            run.settle_lost(chunk, reply)
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

    run = Run(operation(), inputs(), run_id="r", chunk_size=1)
    chunk = run.next_chunk()
    assert chunk is not None
    stop = HubSpotBatchError("first")
    run.stop(chunk, stop)
    result = run.close(drain=True)
    assert run.stopped is stop
    assert [outcome.input for outcome in result.outcomes] == ["a", "b"]
    assert run.next_chunk() is None


def test_unmatched_results_of_all_chunks_are_kept() -> None:
    """And an error that names no input is told once."""
    run = Run(operation(), ["a", "b"], run_id="r", chunk_size=1)
    nobody = ItemError(OutcomeError("refused", "some were bad"), frozenset())
    while (chunk := run.next_chunk()) is not None:
        foreign = keyed([("zz", "x" + str(chunk.entries[0].index))])
        run.settle(chunk, answer(207, results=foreign, errors=(nobody, nobody)))
    result = run.close(drain=False)
    assert result.unmatched == ("x0", "x1")
    for outcome in result.unknown:
        assert outcome.error is not None
        assert outcome.error.message.count("some were bad") == 1


@pytest.mark.parametrize("status", [200, 201, 202, 207, 226, 299])
def test_any_2xx_is_a_success(status: int) -> None:
    """The exact code has changed overnight before."""
    assert disposition_of(status).effect is Effect.APPLIED


@pytest.mark.parametrize(("daily", "name"), [(True, "DailyLimitError"), (False, "RateLimitError")])
def test_only_a_429_ends_the_day(daily: bool, name: str) -> None:
    """Another status with the same word does not."""
    stop = answer(429, daily=daily).stop("op")
    assert type(stop).__name__ == name
    assert type(answer(423, daily=daily).stop("op")).__name__ == "UnavailableError"


def test_an_iterable_that_cannot_even_begin_is_an_input_error() -> None:
    """As if it had raised at its first input."""

    class Broken:
        def __iter__(self) -> Any:
            raise OSError("gone")

    run = Run(operation(), Broken(), run_id="r")
    assert run.next_chunk() is None
    assert isinstance(run.stopped, InputError)
    assert isinstance(run.stopped.__cause__, OSError)


@pytest.mark.parametrize("size", [0, 11, True, 2.5, "5"])
def test_a_chunk_is_no_larger_than_the_limit(size: Any) -> None:
    """The sentence names both numbers."""
    with pytest.raises(HubSpotBatchError, match="1 to 10"):
        Run(operation(), [], run_id="r", chunk_size=size)


def test_a_refused_request_is_taken_apart_within_a_bound() -> None:
    """When too much was spent, the rest is said to be refused together."""
    run = Run(operation(limit=100, splits=True), [str(n) for n in range(100)], run_id="r")
    requests = 0
    while (chunk := run.next_chunk()) is not None:
        requests += 1
        run.settle(chunk, REFUSED)
    result = run.close(drain=False)
    assert requests == 1 + EXTRA_AT_MOST
    assert len(result.failed) == 100
    kinds = Counter(outcome.error.kind for outcome in result.failed if outcome.error)
    assert kinds["refused"] > 15
    assert kinds["batch_refused"] == 100 - kinds["refused"]


def test_bytes_bound_a_request() -> None:
    """A single input that is larger goes alone."""

    def large(first: int, given_: list[Any]) -> list[Any]:
        return [
            EncodedInput(index, value, b" " * value, str(index))
            for index, value in enumerate(given_, first)
        ]

    half = BYTES_AT_MOST // 2
    sizes = [half, half, 1, 3 * BYTES_AT_MOST, half, 1]
    run = Run(operation(encode=large), sizes, run_id="r")
    assert chunks(run) == [["0", "1"], ["2"], ["3"], ["4", "5"]]
