"""Whether what a client said of its inputs is true, held against what a server on the wire saw.

It decides what must hold after a run: what is `succeeded` was done, what is `failed` or `not_sent`
was not, nothing was created twice, and what is `unknown` is so for a reason that was true. It
never decides what should have succeeded, except where nothing went wrong.
"""

from __future__ import annotations

import pickle
from base64 import b64encode
from collections import Counter
from typing import Any

from hubspot_batch import (
    AuthenticationError,
    ConfigurationError,
    DailyLimitError,
    ForbiddenError,
    HubSpotBatchError,
    MissingScopesError,
    Outcome,
    OutcomeStatus,
    RateLimitError,
    UnavailableError,
    UnreachableError,
)
from wire_peer import Peer
from wire_plan import SHORT, TOKEN, WirePlan
from wire_proxy import PASSWORD
from wire_store import CREATES

SUCCEEDED, FAILED, UNKNOWN, NOT_SENT = OutcomeStatus

REASONS: dict[str, set[str]] = {
    "no_answer": {"lost"},
    "server_error": {"ambiguous", "unreadable", "lost"},
    "not_mentioned": {"silent", "unreadable"},
    "batch_refused": {"refused together", "lost"},
    "refused": {"lost", "ambiguous", "unreadable", "silent"},
}
"""What must have happened to an input that is `unknown`, by the kind of its error."""

_ENDS: dict[type[HubSpotBatchError], set[int]] = {
    AuthenticationError: {401},
    MissingScopesError: {403},
    ForbiddenError: {403},
    RateLimitError: {429},
    DailyLimitError: {429},
    UnavailableError: {423, 477},
    ConfigurationError: {200, 404, 405, 301, 302, 303, 304, 307, 308},
}


def judge(
    plan: WirePlan, peer: Peer, outcomes: list[Outcome[Any]], error: BaseException | None
) -> None:
    """Raise an AssertionError that says what is untrue."""
    indexes = [outcome.index for outcome in outcomes]
    # An iteration that is stopped has no outcomes of what it has not read.
    count = len(indexes) if plan.iterate and error is not None else len(plan.inputs)
    assert sorted(indexes) == [*range(count)], f"the outcomes are of {sorted(indexes)}"
    _judge_error(plan, peer, error)
    done = Counter(peer.store.done(plan.operation))
    if plan.operation in CREATES:
        twice = [mark for mark, times in done.items() if times > 1]
        if plan.isolate:  # part of a refused request may have been created
            twice = [mark for mark in twice if "refused together" not in peer.reasons(mark)]
        assert not twice, f"{twice} were created twice"
    unexplained: list[str] = []
    for outcome in outcomes:
        mark = plan.marks[outcome.index]
        if not _is_true(plan, peer, outcome, mark, done[mark] > 0, error):
            told = sorted(peer.reasons(mark))
            unexplained.append(f"{outcome.index} ({mark}): {outcome.error}; it was told {told}")
    # A connection that ended before a whole request had come in hides the inputs of one.
    hidden = (peer.blind + (error is not None) * plan.concurrency) * plan.chunk_size
    few = len(unexplained) <= hidden
    assert few, "\n".join([f"at most {hidden} of these can be without a reason:", *unexplained])
    results = [one.result.id for one in outcomes if one.result and plan.operation in CREATES]
    assert len(results) == len({*map(str, results)}), "a record is said to be that of two inputs"
    if plan.calm:
        _judge_calm(plan, peer, outcomes)


def _is_true(
    plan: WirePlan,
    peer: Peer,
    outcome: Outcome[Any],
    mark: str,
    done: bool,
    error: BaseException | None,
) -> bool:
    """Hold one outcome against the store; return False if only a hidden request can explain it."""
    status, said = outcome.status, f"input {outcome.index} ({mark}) is {outcome.status}"
    reasons = peer.reasons(mark)
    said += f", its error is {outcome.error}; it was told {sorted(reasons)}"
    reads = plan.operation == "read_campaigns"
    if status is SUCCEEDED:
        assert done, f"{said}, but it was not done"
        _judge_result(plan, peer, outcome, mark)
        return True
    assert outcome.error is not None, f"{said} and has no error"
    if status is NOT_SENT:
        assert error is not None, f"{said}, but nothing stopped the run"
        assert reads or not done, f"{said}, but it was done"
        return True
    if status is FAILED:
        if not reads:
            assert not done, f"{said}, but it was done"
            refused = {"refused", "refused again", "refused together"} & reasons
            return bool(refused)
        if outcome.error.kind == "not_returned":
            return bool({"silent", "unreadable"} & reasons)
        return "refused" in reasons or _is_explained(plan, outcome, reasons)
    assert not reads, f"{said}, but a read changes nothing"
    if not _is_explained(plan, outcome, reasons):
        assert peer.blind or error is not None, f"{said}, and nothing on the wire explains it"
        return False
    return True


def _is_explained(plan: WirePlan, outcome: Outcome[Any], reasons: set[str]) -> bool:
    assert outcome.error is not None
    timed_out = "Timeout" in outcome.error.message and plan.timeout == SHORT
    return timed_out or bool(REASONS[outcome.error.kind] & reasons)


def judge_secrets(outcomes: list[Outcome[Any]], error: BaseException | None) -> None:
    """See that nothing that is said holds the token or the proxy's password."""
    for one in (error, *{id(one.error): one.error for one in outcomes}.values()):
        shown = f"{one} {one!r} {pickle.dumps(one)!r}"
        assert TOKEN not in shown, "the token is shown"
        for secret in (PASSWORD, b64encode(f"user:{PASSWORD}".encode()).decode()):
            assert secret not in shown, "the proxy's password is shown"


def _judge_result(plan: WirePlan, peer: Peer, outcome: Outcome[Any], mark: str) -> None:
    result = outcome.result
    if plan.operation == "read_campaigns":
        assert result.id == mark, f"input {mark} has the record {result.id}"
        assert result.properties["hs_name"] == peer.store.campaigns[mark]
    elif plan.operation == "update_marketing_events":
        given = plan.inputs[outcome.index]
        assert str(result.object_id) == given["objectId"], "the result is another record's"
        assert result.event_name == given["eventName"], "the result is of another change"
    elif result is not None:
        owner = peer.store.owner(str(result.id))
        assert owner == mark, f"input {mark} has the record of {owner}"


def _judge_error(plan: WirePlan, peer: Peer, error: BaseException | None) -> None:
    if error is None or plan.cancel_after is not None:
        return
    assert isinstance(error, HubSpotBatchError), f"{error!r} is not documented"
    if isinstance(error, UnreachableError):
        reached = not any(plan.proxy_faults or ()) and not peer.blind and plan.timeout != SHORT
        assert not reached, f"{error!r} has no reason"
        return
    if isinstance(error, RateLimitError) and plan.limited:
        return  # it was told to wait for longer than `retry` allows
    wanted = _ENDS.get(type(error), set())
    assert wanted & peer.ends, f"{error!r} has no reason: {sorted(peer.ends)} were sent"


def _judge_calm(plan: WirePlan, peer: Peer, outcomes: list[Outcome[Any]]) -> None:
    """See that what was done and said clearly has succeeded."""
    for outcome in outcomes:
        told = peer.reasons(plan.marks[outcome.index])
        if told == {"done"}:
            assert outcome.status is SUCCEEDED, f"it was said to be done: {outcome}"
        if told == {"refused"}:
            assert outcome.status is FAILED, f"it was refused: {outcome}"
    for record in plan.known if "update" in plan.operation else ():
        order = [one for one in peer.store.changes if one.startswith(f"{record}=")]
        given = [mark for mark in plan.marks if mark in order]
        assert order == given, f"the changes of {record} were made as {order}"
