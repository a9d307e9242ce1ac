"""The README's examples do what it says; the first one is run by the packaging tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hubspot_batch import BatchResult, HubSpotBatch
from hubspot_batch.sandbox import Sandbox, SandboxTransport

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)[1:]
ROWS = [{"properties": {"hs_timestamp": "2026-01-31T09:30:00Z"}}, {"properties": {}}] * 200


def test_there_are_examples() -> None:
    """The test below runs something."""
    assert len(EXAMPLES) == 2


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_runs(example: str) -> None:
    """With a client and rows, and leaves a result."""
    sandbox = Sandbox(rate_limit=None)
    with HubSpotBatch("token", transport=SandboxTransport(sandbox)) as hubspot:
        names = {"hubspot": hubspot, "rows": ROWS}
        exec(compile(example, "README.md", "exec"), names)
    found = names.get("left", names.get("result"))
    assert isinstance(found, BatchResult)
    assert found.outcomes
    assert sandbox.records("calls")
