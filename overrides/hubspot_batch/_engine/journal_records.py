"""Turns outcomes into records of a journal, and back.

This module decides what a journal keeps of an outcome, and what a later run makes of it. A journal
has times of the wall clock, because each process has another steady clock.
"""

from __future__ import annotations

import json
from typing import TypeVar

from attrs import evolve, fields

from hubspot_batch._json import read
from hubspot_batch._matching.items import EncodedInput
from hubspot_batch.errors import JournalError
from hubspot_batch.journal.store import FINAL, Recorded, Status
from hubspot_batch.options import Clock
from hubspot_batch.outcomes import (
    Detail,
    Outcome,
    OutcomeError,
    OutcomeStatus,
    freeze_context,
)
from hubspot_batch.outcomes.traces import Attempted, read_marks

from .chunk import Operation

ResultT = TypeVar("ResultT")

DOUBTFUL = (Status.INTENDED, Status.UNKNOWN)
"""The states of inputs that may have been done."""

_CUT_OFF = OutcomeError(
    "no_answer",
    "An earlier run may have sent it, and ended before its outcome was known. Look it up in "
    "HubSpot before it is sent again.",
)
_UNSENT = OutcomeError("stopped", "It was not sent before, and this run sends nothing.")
NOT_SENT = Recorded(Status.NOT_SENT, error=json.dumps(_UNSENT.to_dict()).encode())
"""The record of an input that a journal does not know, in a run that sends nothing."""


def outcome_of(
    operation: Operation[ResultT], entry: EncodedInput, recorded: Recorded, clock: Clock
) -> Outcome[ResultT]:
    """Return the outcome that an input has from an earlier run.

    Raises:
        JournalError: The journal is damaged.
    """
    status = Status.UNKNOWN if recorded.status is Status.INTENDED else recorded.status
    result = error = None
    try:
        if recorded.result is not None:
            result = operation.read_result(recorded.result)
        if recorded.error is not None:
            error = _read_error(recorded.error)
        elif status not in FINAL:
            error = _CUT_OFF
        if error is not None:
            error = _with_traces(error, recorded, clock)
    except (ValueError, TypeError) as failure:
        raise JournalError(
            f"The journal is damaged: an outcome in it cannot be read ({failure})."
        ) from failure
    return Outcome(
        index=entry.index,
        input=entry.input,
        status=OutcomeStatus(status.value),
        result=result,
        error=error,
        evidence=recorded.evidence,
    )


def _with_traces(error: OutcomeError, recorded: Recorded, clock: Clock) -> OutcomeError:
    """Return an error with the time of its request, and with the marks that find its record."""
    error = evolve(error, marks=read_marks(recorded.marks))
    if recorded.sent is None or recorded.status not in DOUBTFUL:
        return error
    ahead = clock.now() - clock.wall()
    given_up = None if recorded.given_up is None else recorded.given_up + ahead
    return evolve(error, attempted=Attempted(recorded.sent + ahead, given_up))


_STATUSES = {one: Status(one.value) for one in OutcomeStatus}


def record_of(
    operation: Operation[ResultT],
    outcome: Outcome[ResultT],
    clock: Clock,
    text: bytes | None = None,
) -> Recorded:
    """Return what a journal keeps of an outcome.

    Args:
        operation: The operation.
        outcome: The outcome.
        clock: How time is told.
        text: The JSON text of its result; None if it is not known.
    """
    result, error, status = text, None, _STATUSES[outcome.status]
    if result is None and outcome.result is not None:
        result = operation.write_result(outcome.result)
    if outcome.error is not None:
        error = json.dumps(outcome.error.to_dict()).encode()
    given_up = clock.wall() if status is Status.UNKNOWN else None
    evidence = None if outcome.evidence == "answer" else outcome.evidence
    return Recorded(status, result, error, given_up=given_up, evidence=evidence)


def _read_error(text: bytes) -> OutcomeError:
    """Return an error from its JSON text; names that this version does not know are left out."""
    found = read(text)
    known = {one.alias for one in fields(OutcomeError)}
    values = {name: value for name, value in found.items() if name in known}
    values["context"] = freeze_context(values.get("context"))
    values["details"] = tuple(Detail(**one) for one in values.get("details", ()))
    return OutcomeError(**values)
