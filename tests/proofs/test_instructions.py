"""A batch takes no more instructions than it did, so that no change slows it down unawares."""

from __future__ import annotations

import json
import os
import shutil

import pytest
from bench.instructions import FIGURES, VERSION, count

MORE_AT_MOST = 1.10
KEPT: dict[str, dict[str, float]] = json.loads(FIGURES.read_text("utf-8"))


@pytest.mark.once
@pytest.mark.skipif(
    shutil.which("valgrind") is None and not os.environ.get("CI"), reason="valgrind is missing"
)
@pytest.mark.skipif(VERSION not in KEPT, reason=f"no figures for Python {VERSION} are kept")
def test_a_batch_takes_no_more_instructions_than_before() -> None:
    """By a tenth at most; where that is meant, `make instructions` keeps the new figures."""
    found, kept = count(), KEPT[VERSION]
    assert found.keys() == kept.keys()
    more = {
        name: f"{found[name]} of plain httpx, and {kept[name]} is kept in {FIGURES.name}"
        for name in kept
        if found[name] > MORE_AT_MOST * kept[name]
    }
    assert not more, "more instructions; where that is meant, run `make instructions` and say why"
