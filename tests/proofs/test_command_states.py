"""One file and the command that loads it, in any order of runs, kills, edits and resumes.

Hypothesis chooses the order. No row may be in the account more often than a version of the file had
it, unless a restart sent it again, and what is written of each row must be true.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path

import journal_disk
import pytest
from both_clients import clock_of
from hubspot_batch import HubSpotBatch, Journal
from hubspot_batch.cli import load
from hubspot_batch.cli import main as cli
from hubspot_batch.sandbox import FakeClock, Sandbox, script
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from journal_disk import Disk, Killed, Wire
from leak_watch import SECRET
from scripted_server import NOON

pytestmark = [
    pytest.mark.many,
    # A process that is killed closes nothing.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

BAD = "bad"
FAULTS = (
    *(None, None, "reset_before", "reset_after", "500_after", "refused", "daily_limit"),
    "closed_after",
)
ROWS = st.lists(st.sampled_from([*"abcdefgh", BAD]), min_size=1, max_size=12)
EARLIER = st.sampled_from(
    [
        *(
            [],
            ["--resume"],
            ["--resume"],
            ["--resume=by-content"],
            ["--resume", "--retry", "failed"],
        ),
        ["--resume=by-content", "--allow-edited"],
    ]
)
ENDED, REFUSED, STOPPED = (0, 1), 2, 3


class Command(RuleBasedStateMachine):
    """A file, its folder of results, and an account."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.home = tempfile.TemporaryDirectory()
        self.path = Path(self.home.name) / "calls.csv"
        self.folder = Path(self.home.name) / "calls.csv.hubspot"
        self.disk = Disk()
        journal_disk.use(self.disk, self.patch)
        self.clock = FakeClock()
        self.sandbox = Sandbox(clock=self.clock, rate_limit=None)
        wire = Wire(self.sandbox)
        wire.disk = self.disk
        made = partial(HubSpotBatch, transport=wire, clock=clock_of(self.clock), max_concurrency=2)
        self.patch.setattr(load, "HubSpotBatch", made)
        self.patch.setenv("HUBSPOT_ACCESS_TOKEN", SECRET)
        self.titles: list[str] = []
        # The most that a version of the file has had of each title since the last restart, and all
        # that was there before it.
        self.most: Counter[str] = Counter()
        self.before: Counter[str] = Counter()

    def teardown(self) -> None:
        """Leave nothing behind."""
        self.patch.undo()
        self.home.cleanup()

    @initialize(titles=ROWS)
    def begin(self, titles: list[str]) -> None:
        """Write the file."""
        self.edit(titles)

    @rule(titles=ROWS)
    def edit(self, titles: list[str]) -> None:
        """Write another version of the file."""
        self.titles = titles
        rows = [f"{'nonsense' if title == BAD else NOON},{title}" for title in titles]
        self.path.write_text("hs_timestamp,hs_call_title\n" + "\n".join(rows) + "\n")
        self.most |= Counter(titles)

    @rule(faults=st.lists(st.sampled_from(FAULTS), max_size=4))
    def go_wrong(self, faults: list[str | None]) -> None:
        """Let the next requests meet faults."""
        self.sandbox.use_faults(script(faults))

    @rule(options=EARLIER, limit=st.none() | st.integers(1, 12))
    def run(self, options: list[str], limit: int | None) -> None:
        """Run the command, and look at what it has written."""
        begun = self.begun()
        requests = len(self.sandbox.requests)
        code = self.carry_out([*options, *([] if limit is None else ["--limit", str(limit)])])
        assert code in (*ENDED, REFUSED, STOPPED)
        if begun and not options:
            assert code == REFUSED, "an earlier run was overlooked"
        if code == REFUSED:
            assert len(self.sandbox.requests) == requests, "it was refused, and yet sent"
        else:
            self.check(self.titles[:limit], code)

    @rule()
    def restart(self) -> None:
        """Forget the earlier runs: every row is sent again."""
        self.before, self.most = self.there(), Counter(self.titles)
        assert self.carry_out(["--restart"]) in (*ENDED, STOPPED)

    @rule(steps=st.integers(0, 60), options=EARLIER)
    def kill(self, steps: int, options: list[str]) -> None:
        """Run the command, and kill it while it runs."""
        self.folder.mkdir(exist_ok=True)
        self.disk.arm(steps, "killed", self.folder)
        with suppress(Killed):
            self.carry_out(options)
        if self.disk.happened:
            self.disk.revive()
        self.disk.calm()

    @rule()
    def finish(self) -> None:
        """Run it to its end without faults; after that nothing is left to do."""
        self.sandbox.use_faults(script([]))
        options = ["--resume=by-content", "--allow-edited"]
        code = self.carry_out(options)
        assert code in ENDED
        counts = self.check(self.titles, code)
        assert not counts["not_sent"]
        requests = len(self.sandbox.requests)
        assert self.carry_out(["--resume"]) == code
        assert len(self.sandbox.requests) == requests

    @invariant()
    def nothing_is_done_twice(self) -> None:
        """No title is there more often than a version of the file had it."""
        assert self.there() <= self.most + self.before, "something was done twice"

    def begun(self) -> bool:
        """Whether a run has begun with the journal."""
        return Journal(self.folder / "journal.sqlite").begun() is not None

    def there(self) -> Counter[str]:
        """The records in the sandbox's account."""
        return Counter(
            str(record.properties["hs_call_title"]) for record in self.sandbox.records("calls")
        )

    def carry_out(self, options: list[str]) -> int:
        """Run the command; return its exit code."""
        given = ["calls", "create", str(self.path), "--base-url", "http://127.0.0.1:9"]
        return cli.main([*given, "--rate", "1000000/1", "--quiet", "--yes", *options])

    def check(self, titles: list[str], code: int) -> Counter[str]:
        """Hold what is written of each row against the account; return the statuses."""
        lines = (self.folder / "outcomes.jsonl").read_bytes().splitlines()
        found = sorted((json.loads(line) for line in lines), key=lambda one: one["index"])
        assert [one["line"] for one in found] == [*range(2, len(titles) + 2)]
        counts = Counter(one["status"] for one in found)
        assert (code == 0) == (counts["succeeded"] == len(titles))
        ids = {
            record.id: record.properties["hs_call_title"]
            for record in self.sandbox.records("calls")
        }
        done = [(one["id"], titles[one["index"]]) for one in found if one["status"] == "succeeded"]
        assert all(ids[id_] == title for id_, title in done if id_ is not None)
        assert len({*done}) == len(done)
        for name, status in (("rejects", "failed"), ("unknown", "unknown")):
            path = self.folder / f"{name}.csv"
            rows = path.read_text().splitlines()[1:] if path.exists() else []
            told = [titles[one["index"]] for one in found if one["status"] == status]
            assert [row.split(",")[1] for row in rows] == told
        return counts


TestCommand = Command.TestCase
TestCommand.settings = settings(max_examples=25, stateful_step_count=10, deadline=None)
