"""The requests that a look-up takes, for one batch that was lost and for many.

Each look asks for all that is missing, in fake time. The goals are those of the searches, of which
HubSpot allows an account five a second.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from both_clients import clock_of
from hubspot_batch import HubSpotBatch
from hubspot_batch.sandbox import FakeClock, Sandbox, SandboxTransport, script

from bench.rows import Row

KEY, STAMP = "source_id", "load_stamp"
_WAYS: dict[str, dict[str, Any]] = {
    "key": {"key_property": KEY},
    "stamp": {"stamp_property": STAMP},
    "properties": {},
}
# The two ways of the time: all is shown at the first look, and it takes all five.
_LAGS = {"one look": (0.5, 3.0), "all looks": (0.5, 250.0)}
_BATCH = 100
_BATCHES = (1, 10, 50)


def measure() -> Iterator[Row]:
    """Yield the requests of each way."""
    for way in _WAYS:
        for lost in _BATCHES:
            requests = _requests(way, lost, _LAGS["one look"])
            # A read has a hundred keys at most, and is no search.
            most = None if way == "key" else 2 if lost == 1 else lost / 2
            row = Row(f"by {way}, {lost} lost batches of {_BATCH}", requests, "requests", most=most)
            yield row
    for way in _WAYS:
        requests = _requests(way, 10, _LAGS["all looks"])
        yield Row(f"by {way}, 10 lost batches, records shown late", requests, "requests")


def _requests(way: str, lost: int, lag: tuple[float, float]) -> int:
    """Return how many requests look up so many batches that were all done."""
    sandbox = Sandbox(faults=script(["reset_after"] * lost), clock=FakeClock(), search_lag=lag)
    sandbox.add_property("calls", KEY, unique=True)
    sandbox.add_property("calls", STAMP, unique=False)
    rows = [
        {
            "properties": {"hs_timestamp": "2026-01-31T09:30:00Z", "hs_call_title": f"Call {n}"},
            "associations": [],
        }
        for n in range(lost * _BATCH)
    ]
    fake: Any = sandbox.clock
    how: dict[str, Any] = {"transport": SandboxTransport(sandbox), "clock": clock_of(fake)}
    with HubSpotBatch("token", **how) as hubspot:
        found = hubspot.calls.create(rows, reconcile=True, **_WAYS[way])
    if len(found.succeeded) < len(rows):
        raise RuntimeError(f"only {found} of the rows were found")
    looks = ("search_calls", "read_calls")
    return sum(one.operation in looks for one in sandbox.requests)


if __name__ == "__main__":
    for row in measure():
        print(f"{row.name:60}{row.value:6} {row.goal} {row.verdict}")
