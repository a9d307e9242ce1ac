"""A journal that cannot be written: the run stops before the request, and nothing is untrue."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import journal_disk
import pytest
from both_clients import ClientFactory
from hubspot_batch import BatchResult, Journal, JournalError, OutcomeStatus
from hubspot_batch.sandbox import Sandbox
from journal_disk import Disk
from scripted_server import CALLS, NOON, held, mark

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[2]
ROWS = 12


def rows() -> list[dict[str, Any]]:
    return [
        {"properties": {"hs_timestamp": NOON, "hs_call_title": f"Call {n}"}} for n in range(ROWS)
    ]


def check(result: BatchResult[Any], sandbox: Sandbox) -> None:
    """Hold outcomes against what is there."""
    there = Counter(held(sandbox, CALLS))
    assert set(there.values()) <= {1}
    assert [outcome.index for outcome in result.outcomes] == [*range(ROWS)]
    for outcome in result.outcomes:
        done, status = mark(CALLS, outcome.input) in there, outcome.status
        assert done or status is not OutcomeStatus.SUCCEEDED
        assert not done or status in (OutcomeStatus.SUCCEEDED, OutcomeStatus.UNKNOWN)


def create(client: Any, journal: Journal) -> tuple[str, BatchResult[Any]]:
    """Create the rows; return what the journal's error says, and the outcomes."""
    try:
        return "", client.calls.create(rows(), journal=journal, chunk_size=3)
    except JournalError as error:
        assert error.result is not None  # noqa: PT017 - not every run ends in an error
        return str(error), error.result


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    made = Disk()
    journal_disk.use(made, monkeypatch)
    return made


@pytest.mark.parametrize("known", [0, 5], ids=["new", "resumed"])
@pytest.mark.parametrize("how", ["full", "once", "late"])
def test_a_write_that_fails(
    make_client: ClientFactory, disk: Disk, tmp_path: Path, how: str, known: int
) -> None:
    """Whichever it is: the error says what to do, all outcomes are true, and the job goes on."""
    for steps in itertools.count():
        journal = Journal(tmp_path / f"{steps}.sqlite")
        sandbox = Sandbox(rate_limit=None)
        if known:
            make_client(transport=sandbox).calls.create(rows()[:known], journal=journal)
        disk.arm(steps, how)
        words, result = create(make_client(transport=sandbox), journal)
        if words:
            assert f"The journal {journal.path} cannot be" in words
            assert "then resume with the same journal" in words
        check(result, sandbox)
        happened = disk.happened
        disk.calm()
        again = make_client(transport=sandbox).calls.create(rows(), journal=journal)
        check(again, sandbox)
        assert len(again.succeeded) + len(again.unknown) == ROWS
        if not happened:
            break
    assert steps > 3


def test_nothing_is_sent_that_is_not_recorded(
    make_client: ClientFactory, disk: Disk, tmp_path: Path
) -> None:
    """Of a journal that cannot be written at all, all inputs are unsent."""
    sandbox = Sandbox(rate_limit=None)
    for how in ("full", "late"):
        disk.arm(0, how)
        with pytest.raises(JournalError) as caught:
            make_client(transport=sandbox).calls.create(rows(), journal=tmp_path / how)
        assert len(caught.value.result.not_sent) == ROWS  # type: ignore[union-attr]
    assert sandbox.requests == ()


LIMITED = """
import json, resource, signal, sys
from hubspot_batch import HubSpotBatch, JournalError
from hubspot_batch.sandbox import Sandbox, SandboxTransport

path, most = sys.argv[1], int(sys.argv[2])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
sandbox = Sandbox(rate_limit=None)
time = {"hs_timestamp": "1767603600000"}
rows = [{"properties": {**time, "hs_call_title": f"{n}"}} for n in range(501)]
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]

def run():
    with HubSpotBatch("t", transport=SandboxTransport(sandbox)) as hubspot:
        try:
            return None, hubspot.calls.create(rows, journal=path, chunk_size=50)
        except JournalError as error:
            return str(error), error.result

resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
words, first = run()
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
_, last = run()
there = [record.properties["hs_call_title"] for record in sandbox.records("calls")]
done = {outcome.input["properties"]["hs_call_title"] for outcome in last.succeeded}
names = ("succeeded", "failed", "unknown", "not_sent")
print(json.dumps({
    "words": words,
    "first": [len(getattr(first, name)) for name in names],
    "last": [len(getattr(last, name)) for name in names],
    "there": len(there), "different": len(set(there)), "said": done <= set(there),
}))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="files have no size limit there")
@pytest.mark.parametrize("most", [0, 4096, 40_000, 150_000, 10_000_000])
def test_a_disk_that_is_really_full(most: int, tmp_path: Path) -> None:
    """The system itself refuses to let the journal grow; then there is space again."""
    path = os.pathsep.join(str(ROOT / name) for name in ("generated", "overrides"))
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path / "j"), str(most)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout)
    assert sum(told["first"]) == sum(told["last"]) == 501
    assert told["there"] == told["different"]
    assert told["said"]
    assert told["last"][0] + told["last"][2] == 501
    if most == 10_000_000:
        assert told["words"] is None
    else:
        assert "the disk has space; then resume with the same journal" in told["words"]
        assert told["first"][3] > 0
