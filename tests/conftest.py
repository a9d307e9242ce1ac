"""Shared by all tests: Hypothesis runs the same examples every time, and keeps no results.

And no test passes that shows a token: in a repr, a log line of any library, an exception, an output
or a file. `leak_watch.py` says what is searched; clients of `make_client` are searched there.
"""

import gc
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import postgres_server
import pytest
from both_clients import ClientFactory
from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir
from leak_watch import SECRET, WATCH, WatchingHandler, watch_outputs

set_hypothesis_home_dir(Path(__file__).parents[1] / ".venv" / "cache" / "hypothesis")
settings.register_profile("ci", derandomize=True, deadline=None, database=None)
settings.load_profile("ci")


def pytest_sessionstart() -> None:
    """Search every log record, and what tests read of the outputs of commands."""
    root = logging.getLogger()
    root.addHandler(WatchingHandler())
    root.setLevel(logging.DEBUG)
    watch_outputs(pytest.CaptureFixture, "readouterr")
    watch_outputs(subprocess.Popen, "communicate")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that no process waits at the end for another."""
    items.sort(key=lambda item: item.path.parent.name not in ("proofs", "tools"))


def pytest_collection_finish() -> None:
    """Spare the thousands of tests that now exist from being looked through by each collection."""
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[Any]:
    """Measure no coverage in tests that repeat in great numbers what others cover.

    It would more than double the time that they take.
    """
    here, in_threads = sys.gettrace(), threading.gettrace()
    # A debugger looks on.
    if item.get_closest_marker("many") is None or type(here).__module__ != "coverage":
        return (yield)
    sys.settrace(None)
    threading.settrace(None)  # type: ignore[arg-type]
    try:
        return (yield)
    finally:
        sys.settrace(here)
        threading.settrace(in_threads)  # type: ignore[arg-type]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Look for the usual token, and for none of another test."""
    WATCH.begin(SECRET)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function, call: pytest.CallInfo[None]) -> Iterator[Any]:
    """Search what a test has printed and written, and let none pass that shows a token."""
    report: pytest.TestReport = yield
    if call.when != "teardown":
        return report
    # What was logged has been searched already.
    WATCH.sections(section for section in report.sections if "log" not in section[0])
    if (folder := item.funcargs.get("tmp_path")) is not None:
        WATCH.folder(folder)
    if (found := WATCH.take()) and report.passed:
        report.outcome = "failed"
        report.longrepr = "\n".join(["A token is shown:", *found])
    return report


@pytest.fixture(params=["sync", "async"])
def make_client(request: pytest.FixtureRequest) -> Iterator[ClientFactory]:
    """Make clients of each kind in turn."""
    made = ClientFactory(request.param)
    yield made
    made.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The connection string of a real Postgres."""
    with postgres_server.running() as conninfo:
        yield conninfo
