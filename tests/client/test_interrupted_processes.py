"""Whole processes that are interrupted: they end promptly, and say what was done.

Each runs a small program against a server on loopback, and gets a real SIGINT when its requests are
there. The clocks are the machine's, so a process that waits for what it need not is found out.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hubspot_batch.sandbox import FAULTS, Sandbox, script, served
from leak_watch import SECRET
from loopback import answering, http

ROOT = Path(__file__).resolve().parents[2]
SOON = 5.0
"""Seconds in which a process has to end, whose server answers in a minute or never."""

BEGIN = """
import asyncio, json, sys, time
from hubspot_batch import AsyncHubSpotBatch, HubSpotBatch, result_of

def rows(count):
    for number in range(count):
        yield {"properties": {"hs_timestamp": "1767603600000", "hs_call_title": f"Call {number}"}}

def tell(error):
    result = result_of(error)
    names = ("succeeded", "failed", "unknown", "not_sent")
    counts = {name: len(getattr(result, name)) for name in names}
    print(json.dumps({"error": type(error).__name__, **counts}), flush=True)
"""
SYNC = """
with HubSpotBatch(max_concurrency=4) as hubspot:
    try:
        hubspot.calls.create(list(rows(20)), chunk_size=1)
    except KeyboardInterrupt as error:
        tell(error)
"""
ALONE = SYNC.replace("rows(20)", "rows(1)")
ASYNC = """
async def main():
    async with AsyncHubSpotBatch(max_concurrency=4) as hubspot:
        await hubspot.calls.create(list(rows(20)), chunk_size=1)

try:
    asyncio.run(main())
except KeyboardInterrupt as error:
    tell(error)
"""
UNCAUGHT = """
hubspot = HubSpotBatch(max_concurrency=4)
print(json.dumps("begins"), flush=True)
hubspot.calls.create(list(rows(20)), chunk_size=1)
"""
LEFT = """
hubspot = HubSpotBatch(max_concurrency=4)
outcomes = hubspot.calls.create_iter(rows(20), chunk_size=1)
print(json.dumps(next(outcomes).index), flush=True)
"""


@contextmanager
def process(program: str, url: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program that loads calls."""
    path = os.pathsep.join(str(ROOT / name) for name in ("generated", "overrides"))
    names = {"HUBSPOT_BASE_URL": url, "HUBSPOT_ACCESS_TOKEN": SECRET, "PYTHONPATH": path}
    with subprocess.Popen(
        [sys.executable, "-X", "dev", "-c", BEGIN + program],
        env={**os.environ, **names},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as made:
        try:
            yield made
        finally:
            made.kill()


def until(met: Callable[[], bool], made: subprocess.Popen[str]) -> None:
    """Wait until another process has come so far."""
    for _ in range(1500):
        if met():
            return
        if made.poll() is not None:
            break
        time.sleep(0.02)
    made.kill()
    raise AssertionError(f"the process does not get on: {made.communicate()}")


def ended(made: subprocess.Popen[str], *, words: int = 1) -> list[Any]:
    """Wait for a process to end, which it does soon; returns what it has told."""
    before = time.monotonic()
    out, err = made.communicate(timeout=30)
    assert time.monotonic() - before < SOON
    assert not re.search("ignored|never awaited|destroyed|Warning", err), err
    told = [json.loads(line) for line in out.splitlines()]
    assert len(told) == words, err
    return told


def delayed(seconds: float, after: int = 0) -> Any:
    delay = evolve(FAULTS["delay"], delay=seconds)
    return script([*[None] * after, *[delay] * 99])


@pytest.mark.parametrize("program", [SYNC, ALONE], ids=["several", "one"])
def test_what_is_on_the_wire_counts(program: str) -> None:
    """The answers that are on their way are waited for, and the rest is not sent."""
    sandbox = Sandbox(faults=delayed(0.6), rate_limit=None)
    count = 1 if program is ALONE else 20
    with served(sandbox) as url, process(program, url) as made:
        until(lambda: len(sandbox.requests) >= min(4, count), made)
        made.send_signal(signal.SIGINT)
        (told,) = ended(made)
    done = len(sandbox.records("calls"))
    assert done < 20
    rest = {"failed": 0, "unknown": 0, "not_sent": count - done}
    assert told == {"error": "KeyboardInterrupt", "succeeded": done, **rest}


def test_a_second_ctrl_c_waits_for_nothing() -> None:
    """A server that never answers does not hold up a user who insists."""
    arrived: list[bytes] = []
    with (
        answering(lambda token: arrived.append(token) or b"") as address,
        process(SYNC, f"http://{address}") as made,
    ):
        until(lambda: len(arrived) == 4, made)
        made.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert made.poll() is None
        made.send_signal(signal.SIGINT)
        (told,) = ended(made)
    rest = {"succeeded": 0, "failed": 0, "unknown": 4, "not_sent": 16}
    assert told == {"error": "KeyboardInterrupt", **rest}


def test_asyncio_waits_for_nothing() -> None:
    """Cancellation makes what is on the wire unknown at once."""
    arrived: list[bytes] = []
    with (
        answering(lambda token: arrived.append(token) or b"") as address,
        process(ASYNC, f"http://{address}") as made,
    ):
        until(lambda: len(arrived) == 4, made)
        made.send_signal(signal.SIGINT)
        (told,) = ended(made)
    rest = {"succeeded": 0, "failed": 0, "unknown": 4, "not_sent": 16}
    assert told == {"error": "KeyboardInterrupt", **rest}


@pytest.mark.parametrize("program", [SYNC, ALONE, ASYNC], ids=["several", "one", "asyncio"])
def test_a_far_off_repetition_is_not_waited_for(program: str) -> None:
    """The server says to come back in a minute; whoever is interrupted need not."""
    sandbox = Sandbox(faults=script(["moved"] * 99), rate_limit=None)
    count = 1 if program is ALONE else 20
    with served(sandbox) as url, process(program, url) as made:
        until(lambda: len(sandbox.requests) >= min(4, count), made)
        time.sleep(0.2)
        made.send_signal(signal.SIGINT)
        (told,) = ended(made)
    rest = {"succeeded": 0, "failed": 0, "unknown": 0, "not_sent": count}
    assert told == {"error": "KeyboardInterrupt", **rest}


def test_an_interruption_that_nobody_catches() -> None:
    """The process ends with Python's own words, while a worker waits for a far-off repetition."""
    sandbox = Sandbox(faults=script(["moved"] * 99), rate_limit=None)
    with served(sandbox) as url, process(UNCAUGHT, url) as made:
        until(lambda: len(sandbox.requests) >= 4, made)
        made.send_signal(signal.SIGINT)
        assert made.stderr
        ended(made)
        assert made.returncode in (130, -signal.SIGINT)


def test_an_iterator_that_is_left_at_the_end() -> None:
    """A process ends with its program, while a worker waits for a far-off repetition."""
    sandbox = Sandbox(faults=script([None, *["moved"] * 99]), rate_limit=None)
    with served(sandbox) as url, process(LEFT, url) as made:
        (index,) = ended(made)
        assert index in range(20)
        assert made.returncode == 0


def test_an_iterator_that_is_left_with_requests_on_the_wire() -> None:
    """Nothing is there any more that could take their responses, so they do not hold up the end."""
    answers = iter([http(b"201 Created", b'{"status": "COMPLETE", "results": []}')])
    with (
        answering(lambda _: next(answers, b"")) as address,
        process(LEFT, f"http://{address}") as made,
    ):
        (index,) = ended(made)
        assert index in range(20)
        assert made.returncode == 0
