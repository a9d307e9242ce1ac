"""The application of Celery that the tests' workers run."""

from __future__ import annotations

import os
from pathlib import Path

from celery import Celery
from hubspot_batch import HubSpotBatch
from hubspot_batch.integrations.celery import HubSpotTask

app = Celery("tests", broker=os.environ["BROKER"], backend=os.environ["BROKER"])
app.conf.broker_transport_options = {"visibility_timeout": 1}
app.conf.worker_prefetch_multiplier = 1


class Loading(HubSpotTask):
    """Loads into the sandbox of the test."""

    conninfo = os.environ["CONNINFO"]

    def new_client(self) -> HubSpotBatch:
        return HubSpotBatch("token", base_url=os.environ["SANDBOX"], max_concurrency=1)


@app.task(base=Loading, bind=True, name="load")
def load(self, titles: list[str]) -> dict[str, int]:
    """Create calls; write down which process does."""
    with Path(os.environ["PIDS"]).open("a") as pids:
        pids.write(f"{os.getpid()}\n")
    rows = [
        {"properties": {"hs_timestamp": "2026-01-31T12:00:00Z", "hs_call_title": title}}
        for title in titles
    ]
    result = self.hubspot.calls.create(rows, chunk_size=5, journal=self.journal)
    return {name: count for name, count in result.counts.items() if count}
