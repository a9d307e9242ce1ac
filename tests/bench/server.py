"""The sandbox in a process of its own, for measurements: with a rolling limit or none, slow or not.

Beside HubSpot's paths it serves /bench/fresh, which puts an empty sandbox in place and says how
much CPU time the last one took, and /bench/seen, which says when each request came and how it was
answered. It prints its address, and ends with its standard input.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hubspot_batch.sandbox import Sandbox, SandboxRequest, SandboxResponse, app
from hubspot_batch.sandbox import server as sockets

_OTHER = SandboxRequest(
    "POST", "/crm/v3/objects/calls/batch/create", headers={"authorization": "Bearer other"}
)


_NEW_PATH = "/crm/objects/2026-03/calls/batch/create"

# What it holds from the beginning.
CAMPAIGNS = [f"00000000-0000-4000-8000-{number:012}" for number in range(50)]
EVENTS = [str(7_000_000 + number) for number in range(100)]
_ASSETS = {
    kind: [{"id": str(number), "name": f"{kind} {number}"} for number in range(3)]
    for kind in ("FORM", "EMAIL", "LANDING_PAGE")
}


def filled(
    rate_limit: tuple[int, float] | None = None, clock: Callable[[], float] = time.monotonic
) -> Sandbox:
    """Return a sandbox that holds the records that are read and changed."""
    sandbox = Sandbox(rate_limit=rate_limit, daily_limit=None, clock=clock)
    for id_ in CAMPAIGNS:
        sandbox.add_campaign(f"Campaign {id_}", record_id=id_, assets=_ASSETS)
    for id_ in EVENTS:
        sandbox.add_marketing_event(f"Event {id_}", record_id=id_)
    return sandbox


class Server:
    """The server: an ASGI application.

    Args:
        rate_limit: Requests and seconds of the rolling window; None for no limit.
        delay: Seconds that an answer takes, at least and at most.
        other: Requests in a window that another user sends, evenly spread.
    """

    def __init__(
        self,
        rate_limit: tuple[int, float] | None = None,
        delay: tuple[float, float] = (0.0, 0.0),
        other: int = 0,
    ) -> None:
        self._limit = rate_limit
        self._delay = delay
        self._chance = random.Random(1)
        self._fresh()
        if rate_limit is not None and other:
            pace = rate_limit[1] / other
            threading.Thread(target=self._be_other, args=(pace,), daemon=True).start()

    def _fresh(self) -> None:
        self._seen: list[tuple[float, int, str]] = []
        self._sandbox = filled(self._limit)
        self._app = app(self._sandbox)
        gc.collect()
        self._cpu = time.process_time()

    def _be_other(self, pace: float) -> None:
        due = time.monotonic()
        while True:
            time.sleep(max(0.0, due - time.monotonic()))
            due += pace
            self._note(self._sandbox.handle(_OTHER), "other")

    def _note(self, answer: SandboxResponse, user: str) -> None:
        status = 200 if user == "other" and answer.status == 400 else answer.status
        self._seen.append((time.monotonic(), status, user))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].startswith("/bench/"):
            await self._say(scope["path"], send)
            return

        # HubSpot's own new client asks for the same under another version of the path.
        if scope["path"] == _NEW_PATH:
            scope = {**scope, "path": _OTHER.path, "raw_path": _OTHER.path.encode()}

        async def noting(message: Any) -> None:
            if message["type"] == "http.response.start":
                self._seen.append((time.monotonic(), message["status"], "ours"))
                if self._delay[1]:
                    await asyncio.sleep(self._chance.uniform(*self._delay))
            await send(message)

        await self._app(scope, receive, noting)

    async def _say(self, path: str, send: Any) -> None:
        if path == "/bench/fresh":
            said: Any = time.process_time() - self._cpu
            self._fresh()
        else:
            said = self._seen
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(said).encode()})


@contextmanager
def running(**arguments: Any) -> Iterator[str]:
    """Serve in another process while the block runs; gives the address."""
    command = [sys.executable, str(Path(__file__)), json.dumps(arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as it:
        assert it.stdin is not None
        assert it.stdout is not None
        try:
            yield it.stdout.readline().strip()
        finally:
            it.stdin.close()


def _end_with(stream: Any) -> None:
    stream.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with, args=(sys.stdin,), daemon=True).start()
    with sockets.listen("127.0.0.1", 0) as listening:
        # Else headers and body wait for one another, 40 ms long (connections inherit this).
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        print(sockets.address(listening), flush=True)
        sockets.run(sockets.uvicorn_server(Server(**json.loads(sys.argv[1]))), listening)
