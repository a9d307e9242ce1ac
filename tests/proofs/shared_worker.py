"""A process that creates calls, one in a request, under a shared allowance, until it is time.

Arguments: kind of store, its port or file, base URL, seconds, own address, seconds that its clock
is off. It is started by `shared_limit`.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
from hubspot_batch import Clock, HubSpotBatch, SharedAllowance

ROW = {"properties": {"hs_timestamp": "2026-01-31T12:00:00Z"}}


def main(kind: str, where: str, url: str, seconds: str, address: str, off: str) -> None:
    """Create calls."""
    shift = float(off)
    clock = Clock(lambda: time.monotonic() + shift, time.sleep, asyncio.sleep)
    if kind == "local":
        shared = SharedAllowance.local(where)
    else:
        library: Any = __import__(kind)
        store = getattr(library, kind.capitalize())(port=int(where))
        shared = SharedAllowance(store, key="processes")
    end = time.monotonic() + float(seconds)

    def rows() -> Iterator[Any]:
        while time.monotonic() < end:
            yield ROW

    transport = httpx.HTTPTransport(local_address=address)
    with HubSpotBatch(
        "one-app", base_url=url, rate_limit=shared, transport=transport, clock=clock
    ) as hubspot:
        for _ in hubspot.calls.create_iter(rows(), chunk_size=1):
            pass


if __name__ == "__main__":
    main(*sys.argv[1:])
