"""A real pipeline of dlt that breaks in the middle and is run again."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from eventual import eventually
from hubspot_batch.sandbox import Sandbox, script, served

pytest.importorskip("dlt", reason="dlt is in .venv/engines; run `make engines`.")

PIPELINE = Path(__file__).with_name("dlt_pipeline.py")


def titles(sandbox: Sandbox) -> Counter[str]:
    return Counter(record.properties["hs_call_title"] for record in sandbox.records("calls"))


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def test_a_pipeline_that_is_killed_and_run_again(postgres: str, tmp_path: Path) -> None:
    """The file is handed over again; what was under way is unknown, and nothing is done twice."""
    sandbox = Sandbox(
        rate_limit=None, faults=script([None, "timeout_after"]), clock=time.time, trace_echo=1.0
    )
    with served(sandbox) as address:
        command = [sys.executable, str(PIPELINE), address, str(tmp_path / "dlt"), postgres]
        with (tmp_path / "log").open("wb") as log:
            first = subprocess.Popen(command, stdout=log, stderr=log)
        eventually(lambda: len(sandbox.requests) == 2)
        first.kill()
        first.wait()
        again = run(command)
        assert again.returncode == 0, again.stderr
        assert "15 succeeded, 5 unknown" in again.stdout
        assert titles(sandbox) == Counter(map(str, range(20)))
        assert len(sandbox.requests) == 4


def test_a_pipeline_that_stops_at_the_limit_of_the_day(postgres: str, tmp_path: Path) -> None:
    """It fails, and goes on when it is run the next day."""
    sandbox = Sandbox(rate_limit=None, faults=script([None, *["daily_limit"] * 9]), clock=time.time)
    with served(sandbox) as address:
        command = [sys.executable, str(PIPELINE), address, str(tmp_path / "dlt"), postgres]
        first = run(command)
        assert first.returncode != 0
        assert "DailyLimitError" in first.stderr
        sandbox.use_faults(None)
        again = run(command)
        assert "20 succeeded" in again.stdout, again.stderr
        assert titles(sandbox) == Counter(map(str, range(20)))


def test_rows_that_fail_end_their_file(tmp_path: Path) -> None:
    """The engine does not try again what would fail again, and says which file it was."""
    import dlt
    from dlt.pipeline.exceptions import PipelineStepFailed
    from hubspot_batch import HubSpotBatch
    from hubspot_batch.integrations.dlt import hubspot
    from hubspot_batch.sandbox import SandboxTransport

    sandbox = Sandbox(rate_limit=None)
    destination = hubspot(
        "calls.create",
        journal=lambda key: str(tmp_path / key),
        new_client=lambda: HubSpotBatch("token", transport=SandboxTransport(sandbox)),
        to_input=lambda row: {"properties": dict(row)},
    )
    rows = [
        {"hs_timestamp": "2026-01-31T12:00:00Z", "hs_call_title": "good"},
        {"hs_call_title": "bad"},
    ]
    pipeline = dlt.pipeline("bad", destination=destination, pipelines_dir=str(tmp_path / "dlt"))
    with pytest.raises(PipelineStepFailed, match="1 succeeded, 1 failed"):
        pipeline.run(rows, table_name="calls")
    assert titles(sandbox) == {"good": 1}
    assert len(sandbox.requests) == 1
