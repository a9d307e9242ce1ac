"""Looking up what an earlier run with the same journal has left in doubt."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from both_clients import ClientFactory
from hubspot_batch import Journal, PostgresJournal
from hubspot_batch.sandbox import FakeClock, Sandbox, rates, script

KEY, STAMP = "source_id", "load_stamp"

NewJournal = Callable[..., Journal]


@pytest.fixture(params=["sqlite", "postgres"])
def new_journal(request: pytest.FixtureRequest, tmp_path: Path) -> NewJournal:
    """Name one journal, with any options, in each kind of store."""
    if request.param == "sqlite":
        return functools.partial(Journal, tmp_path / "journal.sqlite")
    conninfo = request.getfixturevalue("postgres")
    return functools.partial(PostgresJournal, str(tmp_path), conninfo=conninfo)


def call(title: str, **more: str) -> dict[str, Any]:
    properties = {"hs_timestamp": "2026-01-31T09:30:00Z", "hs_call_title": title, **more}
    return {"properties": properties, "associations": []}


def account(*faults: Any) -> Sandbox:
    sandbox = Sandbox(
        faults=script(faults, operation="create_calls"), clock=FakeClock(), search_lag=(0.5, 4.0)
    )
    sandbox.add_property("calls", KEY, unique=True)
    sandbox.add_property("calls", STAMP, unique=False)
    return sandbox


def statuses(result: Any) -> list[str]:
    return [str(one.status) for one in result]


def creates(sandbox: Sandbox) -> int:
    return sum(one.operation == "create_calls" for one in sandbox.requests)


@pytest.mark.parametrize(
    ("how", "evidence"),
    [
        ({"key_property": KEY}, "key"),
        ({"stamp_property": STAMP}, "stamp"),
        ({}, "properties"),
    ],
)
def test_a_later_run_looks_up_what_an_earlier_one_has_lost(
    make_client: ClientFactory, new_journal: NewJournal, how: dict[str, str], evidence: str
) -> None:
    """The journal has when its request was sent, and its marks; nothing is sent again."""
    sandbox = account("reset_after")
    clock: Any = sandbox.clock
    rows = [call(name) for name in "AB"]
    calls = make_client(transport=sandbox).calls
    assert statuses(calls.create(rows, journal=new_journal(), **how)) == ["unknown"] * 2
    clock.advance(3600.0)
    again = make_client(transport=sandbox).calls
    found = again.create(rows, journal=new_journal(), reconcile=True, **how)
    assert [(str(one.status), one.evidence) for one in found] == [("succeeded", evidence)] * 2
    third = again.create(rows, journal=new_journal(), **how)
    assert [one.evidence for one in third] == [evidence] * 2
    assert third.records == found.records
    assert creates(sandbox) == 1
    assert new_journal().counts()["succeeded"] == 2


def test_what_is_absent_is_sent_by_the_next_run(
    make_client: ClientFactory, new_journal: NewJournal
) -> None:
    """It was certainly not done, which the journal keeps."""
    sandbox = account("reset_before")
    calls = make_client(transport=sandbox).calls
    how = {"key_property": KEY, "reconcile": True}
    (outcome,) = calls.create([call("A")], journal=new_journal(), **how)
    assert (str(outcome.status), outcome.error.kind) == ("not_sent", "absent")
    assert new_journal().counts()["not_sent"] == 1
    assert statuses(calls.create([call("A")], journal=new_journal(), **how)) == ["succeeded"]
    assert len(sandbox.records("calls")) == 1


def test_what_is_sent_again_is_recorded_again(
    make_client: ClientFactory, new_journal: NewJournal
) -> None:
    """By this run, and by one that finds it in doubt; with the key that it had."""
    how = {"key_property": KEY, "reconcile": True, "resend": True}
    sandbox = account("reset_before", "reset_after")
    calls = make_client(transport=sandbox).calls
    (outcome,) = calls.create([call("A")], journal=new_journal(), **how)
    assert (str(outcome.status), outcome.evidence) == ("succeeded", "key")
    assert creates(sandbox) == 2
    sandbox.use_faults(script(["reset_before"]))
    (lost,) = calls.create([call("B")], journal=new_journal(), key_property=KEY)
    assert str(lost.status) == "unknown"
    sandbox.clock.advance(3600.0)  # type: ignore[attr-defined]
    (outcome,) = calls.create([call("B")], journal=new_journal(), **how)
    assert (str(outcome.status), outcome.evidence) == ("succeeded", "answer")
    assert outcome.result.properties[KEY] == lost.error.marks[0].value
    assert len(sandbox.records("calls")) == 2
    assert new_journal().counts()["succeeded"] == 2


def test_a_refusal_in_a_journal_is_read_back_too(
    make_client: ClientFactory, new_journal: NewJournal
) -> None:
    """The run that met it was killed before it could."""
    sandbox = account()
    calls = make_client(transport=sandbox).calls
    row = call("A", **{KEY: "1"})
    calls.create([row])
    sandbox.use_faults(rates({"502": 1.0}, operation="read_calls"))
    assert statuses(calls.create([row], journal=new_journal(), key_property=KEY)) == ["failed"]
    sandbox.use_faults(None)
    (outcome,) = calls.create([row], journal=new_journal(), key_property=KEY)
    assert (outcome.status, outcome.evidence) == ("succeeded", "key")
    assert outcome.to_dict()["evidence"] == "key"
