"""Carries a job out: rows go to the client, and outcomes to the files, as they become known.

This module decides when a job stops by itself, and what is written about rows that it did not
reach. Only rows that were read and have no outcome yet are in memory.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from attrs import frozen

from hubspot_batch._engine.chunker import Blocks
from hubspot_batch._engine.interrupts import Interrupts
from hubspot_batch._engine.iterators import OutcomeIterator
from hubspot_batch.client import HubSpotBatch
from hubspot_batch.errors import HubSpotBatchError, JournalError
from hubspot_batch.events import Event, RequestSent, Wait
from hubspot_batch.files import Input, Row
from hubspot_batch.journal import Journal
from hubspot_batch.options import Clock
from hubspot_batch.outcomes import Outcome

from .outcome_files import OutcomeFiles, row_done
from .plan import Plan
from .record_tables import RecordTables
from .recorded_rows import recorded_rows
from .report_files import write_reports
from .summary import JobEnded, JobEvent, JobSummary, PacePoint, Progress, RowDone, Waiting
from .work import Work

_log = logging.getLogger("hubspot_batch")

_BLOCK = 100
_STEPS = 600
_PROGRESS_SECONDS = 0.25


class MaxFailures(NamedTuple):
    """How many rows may fail, or be unknown, before a job stops.

    Attributes:
        number: A number of rows, or a percentage of them.
        percent: Whether `number` is a percentage.
    """

    number: float
    percent: bool = False

    def exceeded(self, failures: int, rows: int) -> bool:
        """Return whether there are too many, of all rows of the job."""
        return failures > (self.number * rows / 100 if self.percent else self.number)

    def __str__(self) -> str:
        return f"{self.number:g}{'%' if self.percent else ''}"


@frozen(eq=False)
class JobResult:
    """How a job ended.

    Attributes:
        summary: Its summary.
        failure: The exception that ended it early; None if there was none.
        unwritten: Why the reports could not be written; None if they were.
    """

    summary: JobSummary
    failure: BaseException | None = None
    unwritten: OSError | None = None


class Job:
    """A job, to be run once.

    Args:
        work: What is to be done.
        plan: Its plan.
        folder: Where the results are written; it exists.
        journal: The journal.
        command: The command that was given.
        resume: The command that goes on.
        tell: Told of events.
        max_failures: When to stop; None for never.
        records: Where records that are read go; None for nowhere.
        clock: Tells the seconds.
        wall: Returns the time of day, in seconds since 1970.
    """

    def __init__(
        self,
        work: Work,
        plan: Plan,
        *,
        folder: Path,
        journal: Journal,
        command: str,
        resume: str,
        tell: Callable[[JobEvent], object],
        clock: Clock,
        wall: Callable[[], float],
        max_failures: MaxFailures | None = None,
        records: RecordTables | None = None,
    ) -> None:
        self._work = work
        self._plan = plan
        self._folder = folder
        self._journal = journal
        self._command = command
        self._resume = resume
        self._listener = tell
        self._max_failures = max_failures
        self._records = records
        self._clock = clock
        self._wall_clock = wall
        self._began = clock.now()
        self._progress_at = self._began
        self._resumed = False
        # Rows that were read and have no outcome yet, by position.
        self._pending: dict[int, Row] = {}
        self._read = 0
        self._failures = 0
        self._results: OutcomeFiles | None = None
        self._notes: tuple[str, ...] = ()
        self._requests = self._waits = 0
        self._waited = 0.0
        self._lock = Lock()
        self._pace: Counter[int] = Counter()
        self._step = 1

    def on_event(self, event: Event) -> None:
        """Take an event of the client; for its `on_event`."""
        if isinstance(event, RequestSent):
            with self._lock:  # threads that send tell of it themselves
                self._count_request()
        elif isinstance(event, Wait):
            with self._lock:  # as do threads that wait
                self._waits += 1
                self._waited += event.seconds
            self._notify(Waiting(event.seconds, event.reason, event.status_code))

    def _count_request(self) -> None:
        self._requests += 1
        self._pace[int((self._clock.now() - self._began) // self._step)] += 1
        if len(self._pace) > _STEPS:
            self._step *= 2
            halved: Counter[int] = Counter()
            for at, count in self._pace.items():
                halved[at // 2] += count
            self._pace = halved

    def run(self, client: HubSpotBatch) -> JobResult:
        """Carry the job out.

        An error that stops it is not raised: the summary holds it. The files hold the outcome of
        each row, as far as they can be written.

        Args:
            client: The client, whose `on_event` is `on_event`.
        """
        started = self._wall_clock()
        self._resumed = self._journal.exists() and not self._journal.restart
        failure: BaseException | None = None
        stopped: str | None = None
        names: tuple[str, ...] = ()
        # Ctrl-C between two outcomes waits until the first of them is written.
        guard = Interrupts(lambda: None)
        try:
            with guard:
                try:
                    stopped, failure = self._load(client, guard)
                    # Where no row was read, the journal and the files may be another run's.
                    if self._read:
                        if stopped is not None:
                            self._settle_rest(stopped)
                        names = self._opened().close()
                        if self._records is not None:
                            names = (*names, *self._records.close())
                except OSError as error:
                    failure = error
                    stopped = f"The results cannot be written to {self._folder}: {error}."
                    if self._results is not None:
                        self._results.abandon()
                    if self._records is not None:
                        self._records.abandon()
        except KeyboardInterrupt as error:
            failure = failure or error
            stopped = stopped or _words(error)
        counts = self._counts(broken=isinstance(failure, OSError))
        summary = JobSummary(
            file=self._plan.file,
            folder=str(self._folder),
            command=self._command,
            operation=self._plan.operation,
            base_url=self._plan.base_url,
            started=dt.datetime.fromtimestamp(started, dt.UTC),
            ended=dt.datetime.fromtimestamp(self._wall_clock(), dt.UTC),
            rows=self._plan.rows,
            counts=_all_counts(counts),
            requests=self._requests,
            waits=self._waits,
            waited=self._waited,
            pace=[
                PacePoint(float(at * self._step), count) for at, count in sorted(self._pace.items())
            ],
            reasons=() if self._results is None else self._results.reasons(),
            mapping=self._plan.mapping,
            notes=(*self._plan.notes, *self._notes),
            stopped=stopped,
            resume=None if stopped is None or self._lacks_journal() else self._resume,
            files=names,
            unit=self._plan.unit,
        )
        unwritten: OSError | None = None
        if names:
            try:
                summary = write_reports(summary)
            except OSError as error:
                unwritten = error
        self._notify(JobEnded(summary))
        return JobResult(summary, failure, unwritten)

    def _load(
        self, client: HubSpotBatch, guard: Interrupts
    ) -> tuple[str | None, BaseException | None]:
        """Hand the rows to the client; return why it ended early, and the exception, if any."""
        try:
            outcomes = self._outcomes(client)
        except HubSpotBatchError as error:
            return error.message, error
        stopped: str | None = None
        failure: BaseException | None = None
        try:
            for outcome in outcomes:
                self._settle(outcome)
                if self._failing:
                    stopped = (
                        f"{self._failures} rows failed or are unknown, which is more than "
                        f"--max-failures {self._max_failures}."
                    )
                    break
                guard.check()
        except (HubSpotBatchError, KeyboardInterrupt, OSError) as error:
            stopped, failure = _words(error), error
        try:
            outcomes.close()
        except (HubSpotBatchError, KeyboardInterrupt) as error:
            failure = failure or error
        self._notes = outcomes.notes
        if isinstance(failure, OSError):
            raise failure  # the rest cannot be written either; the journal has it
        for outcome in outcomes.result or ():
            if outcome.index in self._pending:
                self._settle(outcome)
        return stopped, failure

    def _outcomes(self, client: HubSpotBatch) -> OutcomeIterator[Any]:
        work = self._work
        family, _, verb = work.spec.name.partition(".")
        arguments = {**work.arguments, **work.doubt_options}
        if work.allow_implausible:
            arguments["allow_implausible"] = True
        method: Callable[..., OutcomeIterator[Any]]
        method = getattr(getattr(client, family), f"{verb}_iter")
        return method(Blocks(self._inputs()), journal=self._journal, **arguments)

    def _inputs(self) -> Iterator[list[Input]]:
        rows = self._work.rows()
        while block := list(islice(rows, _BLOCK)):
            self._pending.update(enumerate([row for row, _ in block], self._read))
            self._read += len(block)
            yield [made for _, made in block]

    def _settle(self, outcome: Outcome[Any]) -> None:
        row = self._pending[outcome.index]
        if self._records is not None and outcome.result is not None:
            self._records.add(outcome.result)
        self._note(row_done(row, outcome), row)

    def _note(self, done: RowDone, row: Row) -> None:
        results = self._opened()
        self._pending.pop(done.index, None)
        results.add(done, row)
        if results.waits:
            results.write_in_order(next(iter(self._pending), None))
        self._failures += done.status in ("failed", "unknown")
        self._notify(done)
        now = self._clock.now()
        if now - self._progress_at >= _PROGRESS_SECONDS:
            self._progress_at = now
            results.flush()
            self._notify(
                Progress(
                    now - self._began,
                    self._plan.rows,
                    _all_counts(results.counts),
                    self._requests,
                    self._waits,
                    self._waited,
                )
            )

    def _lacks_journal(self) -> bool:
        """Return whether the journal was removed, so that another run would send all again."""
        return self._requests > 0 and not self._journal.exists()

    def _counts(self, *, broken: bool) -> Counter[str]:
        """Return how many rows have each status; from the journal if the files are incomplete."""
        counts = Counter[str]() if self._results is None else self._results.counts
        if broken:
            try:
                counts = Counter(self._journal.counts())
                counts["unknown"] += counts.pop("intended", 0)
            except JournalError:  # it may be gone with the folder, and what was sent with it
                counts["unknown"] += max(0, self._read - counts.total())
        missing = self._plan.rows - counts.total()
        if missing > 0 and not self._resumed:
            counts["not_sent"] += missing
        return counts

    def _notify(self, event: JobEvent) -> None:
        try:
            self._listener(event)
        except Exception as error:  # noqa: BLE001 - a listener must not harm the job
            _log.warning("A listener of the job raised %s.", type(error).__name__)

    def _opened(self) -> OutcomeFiles:
        """Return the files. They are begun when the journal is held: no other run has them then."""
        if self._results is None:
            self._results = OutcomeFiles(self._folder, self._work.table)
        return self._results

    @property
    def _failing(self) -> bool:
        limit = self._max_failures
        return limit is not None and limit.exceeded(self._failures, self._plan.rows)

    def _settle_rest(self, why: str) -> None:
        """Write what became of the rows that the client was not given, or has no outcome for."""
        left = sorted(self._pending)
        first = left[0] if left else self._read
        taken = set(left)
        for index, row, done in recorded_rows(
            self._work, self._journal if self._resumed else None, self._plan.base_url, first
        ):
            if index in taken or index >= self._read:
                self._note(done or RowDone(index, row.line, "not_sent", None, "stopped", why), row)


def _all_counts(counts: Counter[str]) -> dict[str, int]:
    return {status: counts[status] for status in ("succeeded", "failed", "unknown", "not_sent")}


def _words(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "It was stopped by a signal."
    return getattr(error, "message", "") or str(error)
