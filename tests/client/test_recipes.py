"""The recipe for engines that run a task again, as processes: one dies, and the next goes on."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from hubspot_batch.sandbox import Sandbox, script, served

PAGE = Path(__file__).parents[2] / "docs" / "engines" / "recipes.md"
TASK = """
import json, sys
from load import load
rows = [
    {"properties": {"hs_timestamp": "2026-01-31T12:00:00Z", "hs_call_title": str(number)}}
    for number in range(20)
]
print(json.dumps(load(sys.argv[1], rows)))
"""


@pytest.fixture
def task(tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command of a task, in a folder that has the code of the page."""
    if not PAGE.exists():
        pytest.skip("The page is not part of a source distribution.")
    found = re.search(
        r"^```python file=load.py\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert found is not None
    tmp_path.joinpath("load.py").write_text(found[1], "utf-8")
    monkeypatch.setenv("JOBS", postgres)
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", "anything")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    return [sys.executable, "-c", TASK, str(tmp_path)]


def test_a_task_that_is_killed_and_run_again(
    task: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next attempt has the outcomes of the first; a third one sends nothing."""
    sandbox = Sandbox(
        rate_limit=None, faults=script([*[None] * 2, *["timeout_after"] * 2]), clock=time.time
    )
    with served(sandbox) as address:
        monkeypatch.setenv("HUBSPOT_BASE_URL", address)
        first = subprocess.Popen(task)
        try:
            while len(sandbox.requests) < 4:
                assert first.poll() is None
                time.sleep(0.01)
            time.sleep(0.1)
        finally:
            first.kill()
            first.wait()
        told = [
            json.loads(subprocess.run(task, check=True, capture_output=True).stdout)
            for _ in range(2)
        ]
    assert told[0] == told[1]
    assert told[0]["succeeded"] + told[0]["unknown"] == 20
    assert 10 <= told[0]["unknown"] <= 20
    there = Counter(record.properties["hs_call_title"] for record in sandbox.records("calls"))
    assert there == Counter(map(str, range(20)))
    assert len(sandbox.requests) == 4
