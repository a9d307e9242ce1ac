"""When the request of an input in doubt was under way."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from both_clients import ClientFactory
from hubspot_batch.sandbox import FakeClock, Sandbox, script

ROW = {"properties": {"hs_timestamp": "2026-01-31T09:30:00Z"}, "associations": []}


def outcome_of(make_client: ClientFactory, fault: str, **arguments: Any) -> Any:
    clock = FakeClock(1000.0)
    sandbox = Sandbox(faults=script([fault]), clock=clock)
    clock.advance(7.0)
    (outcome,) = make_client(transport=sandbox, **arguments).calls.create([ROW])
    return outcome


@pytest.mark.parametrize("fault", ["reset_after", "timeout_before", "502_after", "silent_noop"])
def test_an_input_in_doubt_has_the_time_of_its_request(
    make_client: ClientFactory, fault: str
) -> None:
    """A look-up needs it to know which records can be of that request."""
    outcome = outcome_of(make_client, fault, timeout=30.0)
    ended = 1037.0 if fault == "timeout_before" else 1007.0
    assert outcome.status == "unknown"
    assert outcome.error.attempted == (1007.0, ended)
    assert pickle.loads(pickle.dumps(outcome)) == outcome
    assert pickle.loads(pickle.dumps(outcome)).error.attempted is None


def test_a_certain_outcome_has_none(make_client: ClientFactory) -> None:
    """There is nothing to look up."""
    outcome = outcome_of(make_client, "refused")
    assert (outcome.status, outcome.error.attempted) == ("failed", None)


def test_a_success_says_on_what_it_rests(make_client: ClientFactory) -> None:
    """Here, on the response to its request."""
    (outcome,) = make_client(transport=Sandbox()).calls.create([ROW])
    assert (outcome.evidence, outcome.to_dict()["evidence"]) == ("answer", "answer")
    assert outcome_of(make_client, "refused").evidence is None
