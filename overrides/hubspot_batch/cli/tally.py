"""How far a job has come, in words and numbers, from its events.

This module decides how the pace, the share of the allowance and the time left are calculated. It
reads no clock: the events say when they happened.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import zip_longest

from hubspot_batch.jobs import JobEnded, JobEvent, PlanMade, Progress, Waiting
from hubspot_batch.jobs.pace_plot import duration

WINDOW = 10.0
"""Seconds that a pace is taken over; HubSpot counts requests over as many."""
SHORTEST_WAIT = 1.0
"""Seconds of a wait that is worth mentioning; each request waits a little for the rate limit."""
_STEP = 0.5
_STATUSES = ("succeeded", "failed", "unknown", "not_sent")


class Tally:
    """The last numbers that were told.

    Each event is put in place as a whole, so any thread may read.
    """

    def __init__(self) -> None:
        self.plan: PlanMade | None = None
        self.now: Progress | None = None
        self.waiting: Waiting | None = None
        self.ended = False
        # Seconds, requests and rows that are done, of late: what the pace is taken from.
        self._recent: tuple[tuple[float, int, int], ...] = ()

    def take(self, event: JobEvent) -> None:
        """Take an event."""
        if isinstance(event, Progress):
            self.now, self.waiting = event, None
            if not self._recent or event.seconds >= self._recent[-1][0] + _STEP:
                # The last one before the window is its beginning.
                begin = event.seconds - WINDOW
                kept = [
                    one
                    for one, later in zip_longest(self._recent, self._recent[1:])
                    if later is None or later[0] > begin
                ]
                self._recent = (*kept, (event.seconds, event.requests, done(event.counts)))
        elif isinstance(event, Waiting):
            if event.seconds >= SHORTEST_WAIT:
                self.waiting = event
        elif isinstance(event, PlanMade):
            self.plan = event
        elif isinstance(event, JobEnded):
            self._end(event)

    def _end(self, event: JobEnded) -> None:
        summary = event.summary
        seconds = (summary.ended - summary.started).total_seconds()
        self.now = Progress(
            seconds=max(0.0, seconds),
            rows=summary.rows,
            counts=summary.counts,
            requests=summary.requests,
            waits=summary.waits,
            waited=summary.waited,
        )
        self.waiting, self.ended = None, True

    @property
    def rows(self) -> int | None:
        """The rows of the file; None if they are not known."""
        if self.now is not None and self.now.rows is not None:
            return self.now.rows
        return None if self.plan is None else self.plan.rows

    def pace(self) -> tuple[float, float]:
        """Return requests and rows a second: of late, and at the end of the whole job."""
        now, recent = self.now, self._recent
        if now is None:
            return 0.0, 0.0
        first = recent[0] if recent and not self.ended else (0.0, 0, 0)
        last = (now.seconds, now.requests, done(now.counts))
        seconds = last[0] - first[0]
        if seconds <= 0:
            return 0.0, 0.0
        return (last[1] - first[1]) / seconds, (last[2] - first[2]) / seconds

    def share(self) -> float | None:
        """Return the share of the allowance that is used; None if the plan names no pace."""
        if self.plan is None or self.plan.seconds <= 0 or self.plan.requests <= 0:
            return None
        return self.pace()[0] / (self.plan.requests / self.plan.seconds)

    def left(self) -> float | None:
        """Return the seconds that are left at this pace; None if that cannot be said."""
        _, rows_a_second = self.pace()
        if self.now is None or self.rows is None or self.ended or rows_a_second <= 0:
            return None
        return max(0.0, (self.rows - done(self.now.counts)) / rows_a_second)

    def counts(self) -> str:
        """Return how many rows have each outcome, without zeros."""
        if self.now is None:
            return ""
        counts = self.now.counts
        said = [
            f"{counts[name]:,} {name.replace('_', ' ')}" for name in _STATUSES if counts.get(name)
        ]
        return ", ".join(said)

    def speed(self) -> str:
        """Return the pace, its share of the allowance, and what was waited."""
        if self.now is None:
            return ""
        said = f"{self.pace()[0]:.1f} requests/s"
        if (share := self.share()) is not None and not self.ended:
            said += f" ({share:.0%} of the allowance)"
        if self.now.waited >= SHORTEST_WAIT:
            said += f", waited {duration(self.now.waited)}"
        return said

    def wait(self) -> str:
        """Return what is waited for, or an empty text."""
        waiting = self.waiting  # another thread may change it
        if waiting is None:
            return ""
        reason = "for the rate limit" if waiting.reason == "rate_limit" else "to send again"
        if waiting.status_code is not None:
            reason += f" after HTTP {waiting.status_code}"
        elif waiting.reason != "rate_limit":
            reason += " after no response"  # it was lost, or there was no connection
        return f"waiting {duration(math.ceil(waiting.seconds))} {reason}"

    def place(self) -> str:
        """Return how many rows are done, of how many."""
        if self.now is None:
            return ""
        rows, number = self.rows, done(self.now.counts)
        if rows is None:
            return f"{number:,} rows"
        return f"{number:,} of {rows:,} rows" + (f" ({100 * number // rows}%)" if rows else "")

    def line(self) -> str:
        """Return all of it on one line; nothing before the job has begun."""
        if self.now is None:
            return self.wait()
        left = self.left()
        parts = [
            self.place(),
            self.counts(),
            self.speed(),
            "" if left is None else f"{duration(left)} left",
            self.wait(),
        ]
        return "; ".join(part for part in parts if part)


def done(counts: Mapping[str, int]) -> int:
    """Return how many rows have an outcome."""
    return sum(counts.values())
