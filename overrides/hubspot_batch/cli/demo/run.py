"""Loads the example files through all four operations and shows what became of each row.

This module decides in which order the files go and which server they go to. It never decides what
an outcome is: the client does, and where the server is the embedded sandbox, the sandbox is asked
whether the client was right.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, TextIO, TypeAlias

import httpx
from attrs import define, field

from hubspot_batch.client import HubSpotBatch
from hubspot_batch.errors import ConfigurationError, HubSpotBatchError, MissingScopesError
from hubspot_batch.options import is_loopback, read_base_url
from hubspot_batch.outcomes import BatchResult, Outcome, OutcomeError, OutcomeStatus
from hubspot_batch.sandbox import Sandbox, served

from .account import disagreements, fill_account, look
from .forms import CALLS, CAMPAIGN_IDS, CAMPAIGNS, EVENT_UPDATES
from .rows import FileRow, Form, read_example
from .tables import Entry, Report, Section

SEED = 2026
_TOKEN = "HUBSPOT_ACCESS_TOKEN"  # noqa: S105 - the variable's name
_MADE_UP_TOKEN = "made-up-for-the-sandbox"  # noqa: S105 - no server but a sandbox takes it

_Inputs: TypeAlias = Sequence[Any]
_Send: TypeAlias = Callable[[_Inputs], BatchResult[Any]]


def run(
    stream: TextIO,
    *,
    base_url: str | None = None,
    everything: bool = False,
    confirmed: bool = False,
) -> int:
    """Run the demo, write the report to `stream`, and return the exit code.

    Args:
        stream: Where the tables go; in colour if it is a terminal.
        base_url: The server to load into; by default an embedded sandbox that is started here.
            The token is the environment's HUBSPOT_ACCESS_TOKEN. This machine's own addresses need
            none, and the embedded sandbox is never given it.
        everything: Whether rows that succeeded get a line each, too.
        confirmed: Whether the records may be created on a server that is not this machine: there
            they are made-up records in a HubSpot account, which nothing removes.

    Returns:
        0 where every operation was carried out (bad rows are part of it), 1 where the sandbox does
        not hold what the client said, 3 where something stopped an operation.

    Raises:
        ConfigurationError: The base URL is none, its server needs a token and there is none, or
            it is a HubSpot account and `confirmed` is false.
        ServeError: The sandbox cannot be started.
    """
    token = os.environ.get(_TOKEN, "").strip()
    report = Report(stream, everything=everything)
    if base_url is not None:
        return _run_against(base_url, token, report, confirmed=confirmed)
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
        loading = load(url, _MADE_UP_TOKEN, report)
    return _compare(loading, disagreements(before, look(sandbox), loading.sections), sandbox)


def _run_against(base_url: str, token: str, report: Report, *, confirmed: bool) -> int:
    address = read_base_url(base_url)
    local = is_loopback(httpx.URL(address).host)
    if not token and not local:
        raise ConfigurationError(
            f"{address} needs an access token: set {_TOKEN}, or leave out --base-url to use the "
            "embedded sandbox."
        )
    if not local and not confirmed:
        made = len(read_example(CAMPAIGNS).rows) + len(read_example(CALLS).rows)
        raise ConfigurationError(
            f"The demo would create about {made} made-up campaigns and calls in the HubSpot "
            f"account of {_TOKEN} at {address}, and nothing removes them. Add --yes (make demo: "
            "YES=1) if that is meant, or leave out --base-url to use the embedded sandbox."
        )
    report.say(f"Loading the example files into {address}.")
    return 3 if load(address, token or _MADE_UP_TOKEN, report).stopped else 0


def _compare(loading: Loading, found: Sequence[str], sandbox: Sandbox) -> int:
    report, requests = loading.report, len(sandbox.requests)
    if found:
        report.say("The sandbox does not hold what the client said:", "bold red")
        for sentence in found:
            report.say(f"- {sentence}")
        return 1
    done = sum(section.counts[OutcomeStatus.SUCCEEDED] for section in loading.sections)
    report.say(
        f"The client's word agrees with what the sandbox holds, in {requests} requests: all {done} "
        "that succeeded are there, nothing is there twice, and nothing that failed or was not sent "
        "is there.",
        "green",
    )
    return 3 if loading.stopped else 0


def load(base_url: str, token: str, report: Report) -> Loading:
    """Load the example files into a server, one operation after another, and report each."""
    report.say("Times in the files that name no zone are taken as UTC.")
    loading = Loading(report)
    with HubSpotBatch(token, base_url=base_url) as hubspot:
        campaigns = loading.carry_out(
            "campaigns create", *_rows(CAMPAIGNS), hubspot.campaigns.create
        )
        created = _created(campaigns)
        source, rows = _rows(CAMPAIGN_IDS)
        loading.carry_out(
            "campaigns read",
            f"{len(created)} campaigns that were just made, and {source}",
            (*created, *rows),
            lambda ids: hubspot.campaigns.read(
                ids,
                properties=["hs_name", "hs_start_date"],
                start_date="1 January 2026",
                end_date="31 March 2026",
            ),
        )
        loading.carry_out(
            "marketing events update", *_rows(EVENT_UPDATES), hubspot.marketing_events.update
        )
        loading.carry_out("calls create", *_rows(CALLS), hubspot.calls.create)
    report.summary(loading.sections)
    return loading


def _rows(form: Form) -> tuple[str, tuple[FileRow, ...]]:
    """Return what the rows of an example file are, in words, and the rows."""
    sheet = read_example(form)
    blank = "a blank line" if sheet.blank == 1 else f"{sheet.blank} blank lines"
    return (
        f"{len(sheet.rows)} rows of {sheet.file}" + (f" (and {blank})" if sheet.blank else ""),
        sheet.rows,
    )


def _created(section: Section) -> list[FileRow]:
    """Return a row for each campaign that was made, with its id as the input."""
    return [
        FileRow(entry.row.file, entry.row.line, entry.row.label, entry.outcome.result.id)
        for entry in section.entries
        if entry.outcome is not None and entry.outcome.result is not None
    ]


@define
class Loading:
    """Carries out one operation after another, until something stops it.

    Attributes:
        report: Where each operation is shown when it is done.
        sections: What became of the rows so far.
        stopped: Whether something stopped an operation.
    """

    report: Report
    sections: list[Section] = field(factory=list[Section])
    stopped: bool = False
    _given_up: bool = False

    def carry_out(
        self, operation: str, source: str, rows: Sequence[FileRow], send: _Send
    ) -> Section:
        """Hand the rows without a problem to the client, and report all of them."""
        inputs = [row.input for row in rows if row.problem is None]
        result, stop = self._send(send, inputs)
        outcomes = iter(result.outcomes)
        section = Section(
            operation,
            source,
            tuple(Entry(row, None if row.problem else next(outcomes)) for row in rows),
            len(result.unmatched),
            stop,
        )
        self.sections.append(section)
        self.report.section(section)
        return section

    def _send(self, send: _Send, inputs: _Inputs) -> tuple[BatchResult[Any], str | None]:
        if self._given_up:
            return _none_sent(inputs, "The run had been stopped before."), None
        try:
            return send(inputs), None
        except HubSpotBatchError as error:
            self.stopped = True
            # A scope is missing for one operation; whatever else stops one stops them all.
            self._given_up = not isinstance(error, MissingScopesError)
            return error.result or _none_sent(inputs, str(error)), str(error)


def _none_sent(inputs: _Inputs, reason: str) -> BatchResult[Any]:
    error = OutcomeError("stopped", reason)
    return BatchResult(
        tuple(
            Outcome(index, given, OutcomeStatus.NOT_SENT, error=error)
            for index, given in enumerate(inputs)
        )
    )
