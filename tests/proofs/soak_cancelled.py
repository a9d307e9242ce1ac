"""Cancelled runs, very many of them: no socket may be left.

`cancelling` decides when a run is cancelled; where that finds it is up to the machine.
"""

from __future__ import annotations

import traceback

from cancelling import CAN_COUNT, cancel_and_count
from soak_runs import Report

__all__ = ["CAN_COUNT", "RUNS", "one_cancelled"]

# Cancelled runs of one client.
RUNS = 100
_WIDTHS = (1, 2, 4, 8)


def one_cancelled(seed: int, kind: str = "async") -> Report:
    """Cancel a hundred runs of a client, and judge what they leave."""
    width, failure = _WIDTHS[seed % len(_WIDTHS)], None
    try:
        cancel_and_count(RUNS, width, seed)
    except Exception:  # noqa: BLE001 - whatever it is, it is to be seen with its seed
        failure = traceback.format_exc()
    return Report(seed, kind, "cancelled", frozenset({f"width {width}"}), failure)
