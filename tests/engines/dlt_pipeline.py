"""A pipeline of dlt that a test runs as a process: ADDRESS FOLDER CONNINFO."""

from __future__ import annotations

import sys
from pathlib import Path

import dlt
from hubspot_batch import HubSpotBatch, PostgresJournal
from hubspot_batch.integrations.dlt import hubspot


def main(address: str, folder: str, conninfo: str) -> None:
    """Load 20 calls, five in a request; what an earlier process left is loaded first."""
    Path(folder).mkdir(exist_ok=True)
    destination = hubspot(
        "calls.create",
        journal=lambda key: PostgresJournal(f"{folder}/{key}", conninfo=conninfo),
        new_client=lambda: HubSpotBatch("token", base_url=address, max_concurrency=1),
        on_result=lambda result: print(result, flush=True),
        chunk_size=5,
    )
    rows = [
        {"properties": {"hs_timestamp": "2026-01-31T12:00:00Z", "hs_call_title": str(number)}}
        for number in range(20)
    ]
    pipeline = dlt.pipeline("calls", destination=destination, pipelines_dir=folder)
    if not pipeline.has_pending_data:
        pipeline.extract(rows, table_name="calls")
        pipeline.normalize()
    pipeline.load()


if __name__ == "__main__":
    main(*sys.argv[1:])
