"""How long it takes to compare a published description with the fragments.

The description has 5 MB and 100 paths. What is compared with is `json.load` of the same file, and
the whole comparison counts, reading our fragments included; each pair one after the other.
"""

from __future__ import annotations

import copy
import gc
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import published_descriptions as published

from .rows import Row

sys.path.insert(0, str(Path(__file__).parents[2] / "openapi" / "tools"))

_SIZE, _PATHS, _PAIRS = 5_000_000, 100, 31


def large() -> dict[str, Any]:
    """A description as a whole product has it: ours, and much beside it."""
    document = copy.deepcopy(published.description("campaigns", others=_PATHS - 2))
    schemas = document["components"]["schemas"]
    filler = copy.deepcopy({**published.CALLS, **published.MARKETING_EVENTS})
    text = len(json.dumps(filler))
    for number in range((_SIZE - len(json.dumps(document))) // text + 1):
        schemas |= {f"{name}{number}": copy.deepcopy(one) for name, one in filler.items()}
    return document


def measure() -> Iterator[Row]:
    """Measure pairs of the two, in one process."""
    from comparison.compare_with_fragments import compare_with_fragments, read_fragments
    from comparison.description import read

    home = Path(__file__).parents[2] / "openapi"

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "published.json"
        path.write_text(json.dumps(large()), encoding="utf-8")

        def load() -> object:
            with path.open(encoding="utf-8") as stream:
                return json.load(stream)

        def compare() -> object:
            return compare_with_fragments(read(path), read_fragments(home))

        report = compare_with_fragments(read(path), read_fragments(home))
        if report.findings:
            raise AssertionError(f"the description is not like the fragments: {report.findings}")
        load()
        ratios = [_seconds(compare) / _seconds(load) for _ in range(_PAIRS)]
        size = path.stat().st_size / 1e6
    low, high = sorted(ratios)[len(ratios) // 4], sorted(ratios)[3 * len(ratios) // 4]
    yield Row(
        f"compare {size:.1f} MB and {_PATHS} paths with the fragments, to json.load",
        median(ratios),
        most=3.0,
        noise=f"{low:.2f} to {high:.2f}, {_PAIRS} pairs",
    )


def _seconds(work: Callable[[], object]) -> float:
    gc.collect()
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
