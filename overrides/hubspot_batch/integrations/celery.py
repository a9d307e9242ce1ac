"""A base class for tasks of Celery that may be run twice.

This module decides which journal a task has: one of its own, which every attempt finds again.
The library decides which inputs a second attempt sends.
"""

# Celery has no types, and is installed only where it is used.
# pyright: basic, reportMissingImports=false

from __future__ import annotations

from functools import cached_property
from typing import Any

from hubspot_batch.client import HubSpotBatch
from hubspot_batch.errors import JournalError, RateLimitError, UnavailableError, UnreachableError
from hubspot_batch.journal import Journal, PostgresJournal

from .needed import needed_by

with needed_by(__name__, "celery"):
    from celery import Task


class HubSpotTask(Task):  # type: ignore[misc]
    """A task that Celery may deliver, retry and repeat at any time: it creates nothing twice.

    ```python
    class Loading(HubSpotTask):
        conninfo = "host=db.internal dbname=jobs"

        def new_client(self):
            allowance = SharedAllowance(redis.Redis("redis.internal"), key="app 1")
            return HubSpotBatch(rate_limit=allowance)

    @app.task(base=Loading, bind=True)
    def load(self, rows):
        result = self.hubspot.calls.create(rows, journal=self.journal)
        return result.counts
    ```

    The message of a task is acknowledged after it was carried out, so another worker gets it if the
    first one is killed. A task is retried if the server, HubSpot or the database cannot be reached
    for now; other errors fail it. What an attempt did is known to the next one by the journal.

    Attributes:
        conninfo: How libpq connects with the database of the journal; see `PostgresJournal`.
        journal_options: Other arguments of `PostgresJournal`.
    """

    abstract = True
    acks_late = True
    reject_on_worker_lost = True
    autoretry_for = (JournalError, RateLimitError, UnavailableError, UnreachableError)
    retry_backoff = True
    conninfo = ""
    journal_options: dict[str, Any] = {}  # noqa: RUF012 - Celery's way to set options of tasks

    def new_client(self) -> HubSpotBatch:
        """Return a client for the tasks of a worker process; override it to set it up."""
        return HubSpotBatch()

    @cached_property
    def hubspot(self) -> HubSpotBatch:
        """The client of this process."""
        return self.new_client()

    @property
    def journal(self) -> Journal:
        """The journal of this task. All attempts have one id (`task_id`), and so one journal."""
        request: Any = self.request
        key = f"{self.name}:{request.id}"
        return PostgresJournal(key, conninfo=self.conninfo, **self.journal_options)
