"""Loads the example files by the commands that everyone uses, and shows each row's outcome.

This module decides which server the files go to. It never decides what an outcome is: the client
does, and where the server is the embedded sandbox, the sandbox is asked whether the client was
right.
"""

from __future__ import annotations

import json
import os
import shlex
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

import httpx

from hubspot_batch.errors import ConfigurationError
from hubspot_batch.files import Mapping, Table, open_table
from hubspot_batch.jobs.report_files import read_outcomes
from hubspot_batch.options import is_loopback, read_base_url
from hubspot_batch.sandbox import Sandbox, served

from .account import Loaded, disagreements, fill_account, look
from .examples import CALLS, CAMPAIGNS, EXAMPLES, Example, copy_example
from .tables import DemoReport, DemoRow, Section

SEED = 2026
_TOKEN = "HUBSPOT_ACCESS_TOKEN"  # noqa: S105 - the variable's name
_MADE_UP_TOKEN = "made-up-for-the-sandbox"  # noqa: S105 - no server but a sandbox takes it
_WRONG_USE, _STOPPED = 2, 3

Command = Callable[[Sequence[str], str | None], int]
"""Runs the command line; the second argument is the token, None for the environment's."""


def run(
    stream: TextIO,
    command: Command,
    *,
    base_url: str | None = None,
    everything: bool = False,
    confirmed: bool = False,
    folder: Path | None = None,
) -> int:
    """Run the demo, write to `stream` what became of each row, and return the exit code.

    Args:
        stream: Where the tables go; in colour if it is a terminal.
        command: Runs the command line.
        base_url: The server to load into; by default an embedded sandbox that is started here.
            The token is the environment's HUBSPOT_ACCESS_TOKEN. This machine's own addresses need
            none, and the embedded sandbox is never given it.
        everything: Whether rows that succeeded get a line each, too.
        confirmed: Whether the records may be created on a server that is not this machine: there
            they are made-up records in a HubSpot account, which nothing removes.
        folder: Where the files and the results go; a new folder by default.

    Returns:
        0 where every operation was carried out (bad rows are part of it), 1 where the sandbox does
        not hold what the client said, 3 where something stopped an operation.

    Raises:
        ConfigurationError: The base URL is none, its server needs a token and there is none, or
            it is a HubSpot account and `confirmed` is false.
        ServeError: The sandbox cannot be started.
    """
    token = os.environ.get(_TOKEN, "").strip()
    report = DemoReport(stream, everything=everything)
    if base_url is not None:
        address = _checked(base_url, token, confirmed=confirmed)
        report.say(f"Loading the example files into {address}.")
        return _load(address, None, command, report, folder)[0]
    sandbox = Sandbox(seed=SEED)
    fill_account(sandbox)
    with served(sandbox) as url:
        report.say(f"Loading the example files into the embedded sandbox at {url}.")
        if token:
            report.say(
                f"{_TOKEN} is set, but is not used without a server to use it for: for the real "
                "API, add --base-url https://api.hubapi.com --yes."
            )
        before = look(sandbox)
        code, loaded = _load(url, _MADE_UP_TOKEN, command, report, folder)
    return code if code == _WRONG_USE else _compare(code, loaded, before, sandbox, report)


def _checked(base_url: str, token: str, *, confirmed: bool) -> str:
    address = read_base_url(base_url)
    local = is_loopback(httpx.URL(address).host)
    if not token and not local:
        raise ConfigurationError(
            f"{address} needs an access token: set {_TOKEN}, or leave out --base-url to use the "
            "embedded sandbox."
        )
    if not local and not confirmed:
        raise ConfigurationError(
            f"The demo would create the made-up campaigns of {CAMPAIGNS.file} and calls of "
            f"{CALLS.file} in the HubSpot account of {_TOKEN} at {address}, and nothing removes "
            "them. Add --yes (make demo: YES=1) if that is meant, or leave out --base-url to use "
            "the embedded sandbox."
        )
    return address


def _compare(
    code: int, loaded: Sequence[Loaded], before: Any, sandbox: Sandbox, report: DemoReport
) -> int:
    found = disagreements(before, look(sandbox), loaded)
    if found:
        report.say("The sandbox does not hold what the client said:", "bold red")
        for sentence in found:
            report.say(f"- {sentence}")
        return 1
    done = sum(one.status == "succeeded" for file in loaded for _, one in file.rows)
    report.say(
        "Checked: the outcomes match the records in the sandbox, in "
        f"{len(sandbox.requests)} requests. All {done} rows that succeeded are there, and nothing "
        "that failed or was not sent is there.",
        "green",
    )
    return code


def _load(
    base_url: str, token: str | None, command: Command, report: DemoReport, folder: Path | None
) -> tuple[int, list[Loaded]]:
    """Load the example files, one after another; return the exit code and what was loaded."""
    folder = folder or Path(tempfile.mkdtemp(prefix="hubspot-batch-demo-"))
    worst = 0
    loaded: list[Loaded] = []
    sections: list[Section] = []
    for example in EXAMPLES:
        path, mapping = copy_example(example, folder)
        words = [*example.operation.split(), str(path), "--map", str(mapping), *example.options]
        report.say(f"\n$ hubspot-batch {shlex.join(words)}", "bold")
        code = command(
            [*words, "--base-url", base_url, "--yes", "--quiet", "--progress", "none"], token
        )
        if code == _WRONG_USE or code > _STOPPED:
            return code, loaded
        worst = max(worst, code if code == _STOPPED else 0)
        file = _read(example, path, mapping)
        loaded.append(file)
        sections.append(_section(example, path, file))
        report.section(sections[-1])
    report.summary(sections)
    report.say(f"The results are in {folder}. Each load has its report there:")
    for example in EXAMPLES:
        report.say(f"  {folder / f'{example.file}.hubspot' / 'report.html'}")
    return worst, loaded


def _read(example: Example, path: Path, mapping: Path) -> Loaded:
    """Return the inputs of a file with what its load says of them."""
    results = path.with_name(f"{path.name}.hubspot")
    done = sorted(read_outcomes(results), key=lambda one: one.index)
    made = Mapping.load(mapping).map_rows(open_table(path))
    rows = [(given, one) for (_, given), one in zip(made, done, strict=True)]
    return Loaded(example.operation, rows, dict(_records(results)))


def _records(results: Path) -> Iterator[tuple[str, Any]]:
    with suppress(FileNotFoundError), (results / "records.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            yield record["id"], record


def _section(example: Example, path: Path, file: Loaded) -> Section:
    table = open_table(path)
    labels = _labels(table, example.label)
    entries = tuple(
        DemoRow(example.file, label, done)
        for label, (_, done) in zip(labels, file.rows, strict=True)
    )
    results = path.with_name(f"{path.name}.hubspot") / "report.json"
    stopped: str | None = json.loads(results.read_text("utf-8"))["stopped"]
    return Section(example.operation, f"{len(entries)} rows of {example.file}", entries, stopped)


def _labels(table: Table, columns: Sequence[str]) -> Iterator[str]:
    positions = [table.columns.index(name) for name in columns]
    for row in table:
        cells = [row.cells[at] for at in positions if at < len(row.cells)]
        yield next((str(cell).strip() for cell in cells if str(cell).strip()), "")
