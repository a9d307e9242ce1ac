"""Attestations (PEP 740) for tests: the statement that a file is meant, without a signature."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

from releases.attestations import SUFFIX


def attest(file: Path, digest: str | None = None) -> Path:
    """Put a statement about a file beside it."""
    digest = digest or hashlib.sha256(file.read_bytes()).hexdigest()
    statement = {"subject": [{"name": file.name, "digest": {"sha256": digest}}]}
    encoded = base64.b64encode(json.dumps(statement).encode()).decode()
    made = Path(f"{file}{SUFFIX}")
    made.write_text(json.dumps({"version": 1, "envelope": {"statement": encoded}}))
    return made
