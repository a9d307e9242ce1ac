"""Celery with real workers: one is killed while it sends, and its task is delivered again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis_server
from eventual import eventually
from hubspot_batch.sandbox import Sandbox, script, served

celery = pytest.importorskip("celery", reason="Celery is in .venv/engines; run `make engines`.")

HERE = Path(__file__).parent
TITLES = [str(number) for number in range(20)]
Start = Callable[[str], "subprocess.Popen[bytes]"]


@pytest.fixture
def sandbox() -> Sandbox:
    """A server that never answers the second request, though it carries it out."""
    return Sandbox(rate_limit=None, faults=script([None, "timeout_after"]), clock=time.time)


@pytest.fixture
def start(
    postgres: str, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Start]:
    """Start workers of one queue."""
    workers: list[subprocess.Popen[bytes]] = []
    with redis_server.running() as port, served(sandbox) as address:
        monkeypatch.setenv("BROKER", f"redis://127.0.0.1:{port}/0")
        monkeypatch.setenv("CONNINFO", postgres)
        monkeypatch.setenv("SANDBOX", address)
        monkeypatch.setenv("PIDS", str(tmp_path / "pids"))

        def begin(pool: str) -> subprocess.Popen[bytes]:
            command = [sys.executable, "-m", "celery", "-A", "celery_app", "worker"]
            options = [f"--pool={pool}", "--concurrency=1", "--loglevel=INFO", "--without-mingle"]
            with (tmp_path / "log").open("ab") as log:
                worker = subprocess.Popen([*command, *options], cwd=HERE, stdout=log, stderr=log)
            workers.append(worker)
            return worker

        yield begin
        for worker in workers:
            worker.terminate()
            worker.wait(20)


@pytest.mark.parametrize("pool", ["solo", "prefork"])
def test_a_worker_that_is_killed(
    start: Start, sandbox: Sandbox, tmp_path: Path, pool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its task is delivered again: what was under way is unknown, and nothing is created twice."""
    worker = start(pool)
    monkeypatch.syspath_prepend(str(HERE))
    monkeypatch.delitem(sys.modules, "celery_app", raising=False)
    from celery_app import load

    task = load.delay(TITLES)
    eventually(lambda: len(sandbox.requests) == 2)
    pids = tmp_path / "pids"
    os.kill(int(pids.read_text()), signal.SIGKILL)
    if pool == "solo":  # otherwise its parent lives, and gives the task to a new child
        worker.wait(10)
        time.sleep(1.1)  # the broker delivers again what was not acknowledged for a second
        start(pool)
    assert task.get(timeout=40) == {"succeeded": 15, "unknown": 5}
    there = Counter(record.properties["hs_call_title"] for record in sandbox.records("calls"))
    assert there == Counter(TITLES)
    assert len({*pids.read_text().split()}) == 2
