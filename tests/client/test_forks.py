"""A client in a forked process begins anew, and does not disturb the parent.

The programs are in `forking.py`. Each runs in a process of its own, against the sandbox on a real
socket, and forks in the usual ways.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hubspot_batch.sandbox import Sandbox, served

PROGRAM = Path(__file__).parents[1] / "support" / "forking.py"
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no forks")
kinds = pytest.mark.parametrize("kind", ["sync", "async"])


def run(
    kind: str, program: str, *arguments: str, allowed: set[str] | None = None, **environment: str
) -> list[dict[str, Any]]:
    """Run a program against a sandbox; gives what its processes say.

    Nothing may be in doubt, no input may get another one's record, and the sandbox may hold nothing
    that has no outcome.
    """
    sandbox = Sandbox(rate_limit=None)
    # Coverage has a lock that a fork can copy while another thread holds it.
    uncounted = {n: v for n, v in os.environ.items() if not n.startswith("COVERAGE_PROCESS")}
    with served(sandbox) as url:
        ended = subprocess.run(
            [sys.executable, PROGRAM, program, *arguments],
            env={**uncounted, "FORKING_URL": url, "FORKING_KIND": kind, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ended.returncode == 0, ended.stderr
    said: list[dict[str, Any]] = [json.loads(line) for line in ended.stdout.splitlines()]
    done = [one for one in said if "done" in one]
    assert all({*one["done"]} <= (allowed or {"succeeded"}) and one["own"] for one in done), said
    ids = Counter(id_ for one in done for id_ in one["ids"])
    assert max(ids.values(), default=1) == 1
    created = sum(len(one["done"]) for one in done)
    if program != "pool" or arguments != ("forkserver",):  # whose server creates some, too
        assert len(sandbox.records("calls")) == created
    return said


@kinds
def test_a_preloading_server(kind: str) -> None:
    """Its workers and it go on, at the same time, with the same client."""
    said = run(kind, "preloading_server")
    assert [len(one["done"]) for one in said] == [5, *[20] * 5, 5]


@kinds
def test_a_fork_while_requests_are_under_way(kind: str) -> None:
    """No child hangs and no request is disturbed, for any lock that a thread holds at the fork."""
    said = run(kind, "under_way")
    assert sum(one["who"].startswith("child") for one in said) == 20


@pytest.mark.parametrize("after", [0.01, 0.02, 0.03, 0.04, 0.06, 0.09, 0.15])
def test_a_fork_during_the_first_run(after: float) -> None:
    """A child can import and compile what its parent was just importing and compiling."""
    said = run("sync", "first_run", FORKING_AFTER=str(after))
    assert {one["who"] for one in said} == {"parent", "child"}


@kinds
@pytest.mark.parametrize("start", ["fork", "forkserver"])
def test_a_pool_of_processes(kind: str, start: str) -> None:
    """Its workers use the client of a module."""
    said = run(kind, "pool", start)
    assert len(said) == 9


@kinds
def test_the_generated_functions(kind: str) -> None:
    """`raw` begins anew as well."""
    assert len(run(kind, "raw")) == 6


@kinds
def test_a_child_that_closes_the_client(kind: str) -> None:
    """It is closed there, and nowhere else."""
    before, closed, after = run(kind, "child_closes")
    assert closed["raised"] == "ConfigurationError"
    assert "closed" in closed["words"]
    assert before["done"] == after["done"]


@kinds
@pytest.mark.parametrize("program", ["copied_run", "copied_iterator"])
def test_a_child_does_not_go_on_with_its_parents_run(kind: str, program: str) -> None:
    """It sends nothing of it, waits for nothing, and claims nothing about it."""
    # Where a child ends its copy of an event loop, one input of the parent can be left in doubt.
    shares_loop = (kind, program) == ("async", "copied_iterator")
    said = run(kind, program, allowed={"succeeded", "unknown"} if shares_loop else {"succeeded"})
    (refused,) = [one for one in said if "raised" in one]
    assert refused["raised"] == "ConfigurationError"
    assert "process that began it" in refused["words"]
    assert refused["outcomes"] is False
    assert [len(one["done"]) for one in said if "done" in one] == [12]


@kinds
def test_a_transport_of_the_callers(kind: str) -> None:
    """A child is told to make a client of its own, and sends nothing."""
    said = run(kind, "given_transport")
    (refused,) = [one for one in said if "raised" in one]
    assert refused["raised"] == "ConfigurationError"
    assert "make a new client in this process" in refused["words"]


def test_ctrl_c_in_a_child() -> None:
    """It is not deferred for a run that goes on in the parent alone."""
    assert {"interrupted": True} in run("sync", "ctrl_c")


def test_a_fork_in_a_coroutine() -> None:
    """The child has an event loop of its own, and leaves the parent's alone."""
    said = run("async", "in_a_coroutine")
    assert Counter(one["who"] for one in said) == {"child": 1, "parent": 1}
