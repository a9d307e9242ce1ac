"""The events of a job while it runs, and the summary at its end.

This module decides what those who show a job (a terminal, a report, events as JSON) are told. They
need nothing else of the job: no client, no journal, no clock.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from attrs import field, frozen


@frozen
class PlanMade:
    """Everything was read and checked, and nothing has been sent.

    Attributes:
        operation: The operation in words, such as `calls create`.
        file: The file's name, as it was given.
        rows: The rows of the file that are not blank.
        invalid: How many of them make no input and will not be sent.
        equal: How many rows make the same input as an earlier row.
        requests: How many requests will be sent, if none is repeated.
        seconds: How long they take at the pace that is allowed.
        digest: What `--expect` takes.
    """

    operation: str
    file: str
    rows: int
    invalid: int
    equal: int
    requests: int
    seconds: float
    digest: str


@frozen
class Progress:
    """The numbers of what has been done so far.

    Attributes:
        seconds: Seconds since the job began.
        rows: The rows of the file; None if they were not counted.
        counts: How many rows have each status (`succeeded`, `failed`, `unknown`, `not_sent`).
        requests: Requests that were begun, repetitions not counted.
        waits: How often the job waited.
        waited: Seconds of all waits.
    """

    seconds: float
    rows: int | None
    counts: Mapping[str, int]
    requests: int
    waits: int
    waited: float


@frozen
class Waiting:
    """A wait is about to begin.

    Attributes:
        seconds: Its length.
        reason: `rate_limit` or `retry`.
        status_code: The HTTP status that made it necessary; None if there was no response.
    """

    seconds: float
    reason: str
    status_code: int | None = None


class RowDone(NamedTuple):
    """The outcome of a row is known; also a line of `outcomes.jsonl`.

    Attributes:
        index: The position of the row among the rows that are not blank, from 0.
        line: Its line in the file; of a workbook, the row.
        status: `succeeded`, `failed`, `unknown` or `not_sent`.
        id: The id of the record in HubSpot; None if it is not known.
        kind: The kind of error; None without an error.
        message: What is wrong, in a sentence; None without an error.
        correlation_id: What HubSpot's support asks for; None if there is none.
        evidence: What a success rests on: `answer`, `key`, `stamp` or `properties`.
    """

    # The method of a tuple that it hides is of no use here.
    index: int  # type: ignore[assignment]
    line: int
    status: str
    id: str | None = None
    kind: str | None = None
    message: str | None = None
    correlation_id: str | None = None
    evidence: str | None = None


class PacePoint(NamedTuple):
    """Requests that were begun in one step of time.

    Attributes:
        second: Where the step begins, in seconds since the job began.
        requests: The requests that were begun in it.
    """

    second: float
    requests: int


class Reason(NamedTuple):
    """Rows that did not succeed for the same reason.

    Attributes:
        kind: The kind of error.
        message: The sentence, as the first of these rows has it.
        rows: How many rows there are.
        lines: The lines of the first of them, a few at most.
    """

    kind: str
    message: str
    rows: int
    lines: tuple[int, ...] = ()


@frozen(kw_only=True)
class JobSummary:
    """A job at its end, whatever ended it.

    Attributes:
        file: The file's name, as it was given.
        folder: The folder that holds `outcomes.jsonl`, `rejects.*` and the rest.
        command: The command that was given, without a token.
        operation: The operation in words, such as `calls create`.
        base_url: The server.
        started: When it began, in UTC.
        ended: When it ended, in UTC.
        rows: The rows that are known to be in the file; None if they were not counted.
        counts: How many rows have each status, all four of them named.
        requests: Requests that were begun, repetitions not counted.
        waits: How often it waited.
        waited: Seconds of all waits.
        pace: Requests over time; a step is a second or longer, and there are 600 at most.
        reasons: Why rows did not succeed, the most frequent first; 50 at most.
        mapping: What became of each column: its heading, and what it means, in words.
        notes: What a person should know of how the file and the mapping were read, in sentences.
        stopped: Why it ended early, in a sentence; None if it did not.
        resume: The command that goes on; None if there is nothing to go on with, or no journal.
        files: The names of the files that were written into the folder.
        unit: What the number of a row counts: `line` or `row`.
    """

    file: str
    folder: str
    command: str
    operation: str
    base_url: str
    started: dt.datetime
    ended: dt.datetime
    rows: int | None
    counts: Mapping[str, int]
    requests: int
    waits: int
    waited: float
    pace: Sequence[PacePoint] = ()
    reasons: Sequence[Reason] = ()
    mapping: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()
    stopped: str | None = None
    resume: str | None = None
    files: Sequence[str] = field(default=())
    unit: str = "line"


@frozen
class JobEnded:
    """A job has ended."""

    summary: JobSummary


JobEvent: TypeAlias = PlanMade | Progress | Waiting | RowDone | JobEnded
