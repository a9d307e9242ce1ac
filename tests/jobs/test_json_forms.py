"""The events and the summary of a job as JSON."""

from __future__ import annotations

import datetime as dt
import json
import typing

import pytest
from attrs import evolve, fields
from hubspot_batch.jobs import (
    JobEnded,
    JobEvent,
    JobSummary,
    PacePoint,
    PlanMade,
    Progress,
    Reason,
    RowDone,
    Waiting,
)
from hubspot_batch.jobs.json_forms import event_to_json, summary_to_json
from hypothesis import given
from hypothesis import strategies as st

BEGAN = dt.datetime(2026, 11, 30, 9, 0, tzinfo=dt.UTC)
SUMMARY = JobSummary(
    file="calls.csv",
    folder="calls.csv.hubspot",
    command="hubspot-batch calls create calls.csv",
    operation="calls create",
    base_url="https://api.hubapi.com",
    started=BEGAN,
    ended=BEGAN + dt.timedelta(seconds=2.5),
    rows=2,
    counts={"succeeded": 1, "failed": 1, "unknown": 0, "not_sent": 0},
    requests=1,
    waits=0,
    waited=0.0,
    pace=[PacePoint(0.0, 1)],
    reasons=[Reason("refused", "It is taken.", 1, (3,))],
    mapping=[("comments", "ignored")],
)
EVENTS: tuple[JobEvent, ...] = (
    PlanMade("calls create", "calls.csv", 2, 0, 0, 1, 0.1, "d1"),
    Progress(1.0, 2, {"succeeded": 1}, 1, 0, 0.0),
    Waiting(2.0, "retry", 503),
    RowDone(1, 3, "failed", kind="refused", message="It is taken."),
    JobEnded(SUMMARY),
)


def test_every_event_has_a_name() -> None:
    """Those that exist are those that are written, and each has a name of its own."""
    assert {type(event) for event in EVENTS} == set(typing.get_args(JobEvent))
    names = [event_to_json(event)["event"] for event in EVENTS]
    assert names == ["plan", "progress", "wait", "outcome", "end"]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_is_written_whole(event: JobEvent) -> None:
    """Nothing of an event is left out, and JSON gives it back."""
    of = event.summary if isinstance(event, JobEnded) else event
    made = event_to_json(event)
    names = of._fields if isinstance(of, RowDone) else [one.name for one in fields(type(of))]
    assert {*names} <= made.keys()
    if of is event:
        assert made == {"event": made["event"]} | {name: getattr(event, name) for name in names}
    assert json.loads(json.dumps(made)).keys() == made.keys()


def test_the_summary_is_the_report() -> None:
    """Times, durations, pace, reasons and mapping have names of their own."""
    made = json.loads(json.dumps(summary_to_json(SUMMARY)))
    assert made["format"] == 1
    assert (made["started"], made["seconds"]) == ("2026-11-30T09:00:00+00:00", 2.5)
    assert made["pace"] == [{"second": 0.0, "requests": 1}]
    assert made["reasons"] == [
        {"kind": "refused", "message": "It is taken.", "rows": 1, "lines": [3]}
    ]
    assert made["mapping"] == [{"column": "comments", "meaning": "ignored"}]


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_any_text_can_be_written(text: str) -> None:
    """A name that no encoding allows is written, and is the same when it is read."""
    made = json.dumps(summary_to_json(evolve(SUMMARY, file=text, stopped=text, resume=text)))
    assert made.isascii()
    assert json.loads(made)["stopped"] == json.loads(json.dumps(text))
