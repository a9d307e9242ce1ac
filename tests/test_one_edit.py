"""A documentation change is one edit of a fragment."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]

# What a user's program does after the edit, in a process of its own: it prints JSON.
PROGRAM = """
import json
from hubspot_batch import HubSpotBatch
from hubspot_batch.sandbox import Sandbox, SandboxTransport
from hubspot_batch_client.models import CallInput

sandbox = Sandbox()
noon = "2026-01-31T12:00:00Z"
rows = [{"properties": {"hs_timestamp": noon, "hs_call_title": str(n)}} for n in range(60)]
rows[0] |= {"callTopic": "renewal"}
rows[1] |= {"callTopic": 5}
rows[2] = CallInput(properties=rows[2]["properties"], call_topic="upsell")
with HubSpotBatch("token", transport=SandboxTransport(sandbox)) as hubspot:
    result = hubspot.calls.create(rows)
print(json.dumps({
    "statuses": [outcome.status for outcome in result.outcomes[:3]],
    "topics": [getattr(outcome.result, "call_topic", None) for outcome in result.outcomes[:3]],
    "stored": [record.fields.get("callTopic") for record in sandbox.records("calls")[:2]],
    "error": result.outcomes[1].error.message,
    "sizes": [entry.inputs for entry in sandbox.requests],
}))
"""

FIELD_BEFORE = "        objectWriteTraceId:\n          type: string\n"
FIELD = """        callTopic:
          type: string
          description: What the call was about.
"""


@pytest.fixture
def edited(tmp_path: Path) -> Callable[[Callable[[str], str]], dict[str, Any]]:
    """Edit the fragment of calls in a copy, regenerate, and run the program against the copy."""

    def edit(change: Callable[[str], str]) -> dict[str, Any]:
        shutil.copytree(ROOT / "openapi", tmp_path / "openapi")
        for name in ("generator-config.yaml", "pyproject.toml"):
            shutil.copy(ROOT / name, tmp_path / name)
        fragment = tmp_path / "openapi" / "fragments" / "calls.yaml"
        before = fragment.read_text(encoding="utf-8")
        after = change(before)
        assert after != before
        fragment.write_text(after, encoding="utf-8")
        default = ROOT / ".venv" / "generator" / "bin" / "openapi-python-client"
        generator = os.environ.get("HUBSPOT_BATCH_GENERATOR", str(default))
        tool = ROOT / "openapi" / "tools" / "regenerate.py"
        arguments = ["--project", str(tmp_path), "--generator", generator]
        subprocess.run([sys.executable, tool, *arguments], check=True, capture_output=True)
        paths = (tmp_path / "generated", ROOT / "overrides")
        ran = subprocess.run(
            [sys.executable, "-W", "error", "-c", PROGRAM],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))},
            check=True,
            capture_output=True,
            text=True,
        )
        shown: dict[str, Any] = json.loads(ran.stdout)
        return shown

    return edit


def test_a_new_field_reaches_the_face(
    edited: Callable[[Callable[[str], str]], dict[str, Any]],
) -> None:
    """Mappings and models take it, its type is checked, it is sent and it comes back."""

    def add(text: str) -> str:
        at = text.index(FIELD_BEFORE)
        text = text[:at] + FIELD + text[at:]
        at = text.index("        url:\n          type: [string, 'null']")
        return text[:at] + FIELD + text[at:]

    shown = edited(add)
    assert shown["statuses"] == ["succeeded", "failed", "succeeded"]
    assert "callTopic is 5" in shown["error"]
    assert shown["topics"] == ["renewal", None, "upsell"]
    assert shown["stored"] == ["renewal", "upsell"]


def test_a_new_limit_changes_chunks_and_sandbox(
    edited: Callable[[Callable[[str], str]], dict[str, Any]],
) -> None:
    """100 to 25: requests are smaller, and the sandbox takes them."""

    def lower(text: str) -> str:
        at = text.index(FIELD_BEFORE)
        return re.sub(r"maxItems: \d+", "maxItems: 25", text[:at] + FIELD + text[at:])

    # Requests go side by side, so any of them can arrive first.
    assert sorted(edited(lower)["sizes"]) == [9, 25, 25]
