"""The commands that load a file: `hubspot-batch calls create FILE`, and their like.

This module decides in which order a file is checked, when a person is asked, and with which exit
code a run ends: 0 all succeeded, 1 some did not, 2 wrong use (nothing sent), 3 stopped, and 128
and the number of a signal.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TextIO

import httpx
from attrs import evolve, frozen

from hubspot_batch.client import HubSpotBatch
from hubspot_batch.errors import ConfigurationError, JournalError
from hubspot_batch.files.definitions import refusal
from hubspot_batch.jobs import (
    CREATES_TWICE,
    EarlierRun,
    Job,
    JobEvent,
    JobResult,
    Plan,
    Work,
    check_earlier,
    check_folder,
    command_line,
    make_plan,
)
from hubspot_batch.jobs.json_forms import event_to_json
from hubspot_batch.jobs.kept_rows import KeptRows
from hubspot_batch.jobs.online import ask_account
from hubspot_batch.jobs.record_tables import RecordTables
from hubspot_batch.journal import Journal
from hubspot_batch.options import (
    DEFAULT_RATE_LIMIT,
    SYSTEM_CLOCK,
    ClientOptions,
    is_loopback,
)

from .job_words import brief_lines, how_to_go_on, plan_lines, summary_lines
from .opening import open_all, open_work
from .output import Output, complain
from .progress import displays, shown
from .signals import Signals

SUCCEEDED, SOME_FAILED, WRONG_USE, STOPPED = 0, 1, 2, 3
JOURNAL = "journal.sqlite"
_MADE_UP_TOKEN = "made-up-for-this-machine"  # noqa: S105 - only a sandbox takes it


def load(arguments: argparse.Namespace, stream: TextIO) -> int:
    """Load the files, one after another, and return the exit code; the worst of theirs.

    Args:
        arguments: The options, `argv` (what was typed), `token` (None for the environment's)
            and `wall` (returns the time of day).
        stream: Where the output goes.
    """
    out = Output(stream)
    arguments.definitions = None
    opened = open_all(arguments)
    if opened is None:
        return WRONG_USE
    worst, sent = SUCCEEDED, False
    for name in arguments.files:
        try:
            work = opened.get(name) or open_work(arguments, name)
            code = _load_file(arguments, work, name, out)
        except (ConfigurationError, JournalError) as error:
            complain(error.message)
            code = WRONG_USE
        if code == WRONG_USE and sent:
            code = STOPPED  # wrong use means that nothing was sent
        sent = sent or (code != WRONG_USE and not arguments.plan)
        worst = max(worst, code)
        if code >= STOPPED:
            break
    return worst


@frozen(eq=False)
class _Place:
    """Where the results of a file go."""

    folder: Path
    journal: Path


def _load_file(arguments: argparse.Namespace, work: Work, name: str, out: Output) -> int:
    rate_limit = arguments.rate or DEFAULT_RATE_LIMIT
    options = ClientOptions(
        arguments.base_url,
        rate_limit=rate_limit,
        daily_reserve=arguments.daily_reserve,
        api_version=arguments.api_version,
    )
    work = evolve(work, api_version=options.api_version)
    if getattr(arguments, "online", False):
        work = _checked_online(arguments, work, options)
    _ = work.mapper  # whose columns are checked before the whole file is read
    if arguments.plan:
        plan = make_plan(work, options.base_url, rate_limit)
        _show_plan(plan, arguments, out)
        _check_expected(arguments, plan)
        return SUCCEEDED
    with closing(KeptRows()) as kept:
        return _load_rows(arguments, evolve(work, kept=kept), options, _place(arguments, name), out)


def _load_rows(
    arguments: argparse.Namespace, work: Work, options: ClientOptions, place: _Place, out: Output
) -> int:
    journal = _journal(arguments, work, place)
    earlier = EarlierRun(arguments.resume, arguments.restart, arguments.allow_edited)
    note = check_earlier(work, journal, options.base_url, earlier, arguments.argv)
    plan = make_plan(work, options.base_url, arguments.rate or DEFAULT_RATE_LIMIT)
    _check_expected(arguments, plan)
    if not (arguments.quiet or arguments.json):
        out.lines(brief_lines(plan))
        if note:
            out.lines([note])
    reads = work.spec.kind.reads or not journal.sends
    if not confirmed(options.base_url, yes=arguments.yes or reads):
        complain("Nothing was sent.")
        return WRONG_USE
    with shown(displays(arguments, out.stream, sys.stderr, os.environ)) as tell:
        tell(plan.event)
        ended, signals = _run(arguments, work, plan, place, journal, options, tell)
    return _end(arguments, ended, signals, out)


def _check_expected(arguments: argparse.Namespace, plan: Plan) -> None:
    """Refuse a plan that is not the one that was reviewed."""
    if arguments.expect and arguments.expect.lower() != plan.digest:
        again = command_line(
            _without(_without(arguments.argv, "--expect"), "--plan", valued=False), "--plan"
        )
        raise ConfigurationError(
            f"The plan's digest is {plan.digest} and not {arguments.expect}: the file, the mapping "
            "or an option is not the one that was reviewed. Nothing was sent. Look at the plan "
            f"again:\n  {again}"
        )


def _checked_online(arguments: argparse.Namespace, work: Work, options: ClientOptions) -> Work:
    """Return the work, checked against the account, which is asked once for all files."""
    if arguments.definitions is None:
        with HubSpotBatch(
            arguments.token or token_for(options.base_url),
            base_url=options.base_url,
            rate_limit=options.rate_limit,
            daily_reserve=options.daily_reserve,
        ) as client:
            arguments.definitions = ask_account(client, work.spec, options.api_version)
    for place in ("key_property", "stamp_property"):
        name = work.doubt_options.get(place)
        if name and (problem := refusal(name, arguments.definitions)):
            option = f"--{place.replace('_', '-')}"
            raise ConfigurationError(f"{option}: {problem} Nothing was sent.")
    return evolve(work, mapping=evolve(work.mapping, account=arguments.definitions))


def _run(
    arguments: argparse.Namespace,
    work: Work,
    plan: Plan,
    place: _Place,
    journal: Journal,
    options: ClientOptions,
    tell: Callable[[JobEvent], object],
) -> tuple[JobResult, Signals]:
    form = getattr(arguments, "to", None)
    job = Job(
        work,
        plan,
        folder=place.folder,
        journal=journal,
        command=command_line(arguments.argv),
        resume=command_line(arguments.argv, "--resume"),
        tell=tell,
        max_failures=arguments.max_failures,
        records=RecordTables(place.folder, form) if form else None,
        clock=SYSTEM_CLOCK,
        wall=arguments.wall,
    )
    with HubSpotBatch(
        arguments.token or token_for(options.base_url),
        base_url=options.base_url,
        rate_limit=options.rate_limit,
        daily_reserve=options.daily_reserve,
        api_version=options.api_version,
        on_event=job.on_event,
    ) as client:
        _check_place(place)
        with Signals() as signals:
            return job.run(client), signals


def _check_place(place: _Place) -> None:
    """Refuse folders in which files cannot be written."""
    try:
        check_folder(place.folder)
    except OSError as error:
        raise ConfigurationError(
            f"The results cannot be written to {place.folder} ({error.strerror}), so nothing "
            "was sent. Name another folder with --out."
        ) from None
    try:
        check_folder(place.journal.parent, ())
    except OSError as error:
        raise ConfigurationError(
            f"The journal cannot be written to {place.journal.parent} ({error.strerror}), so "
            "nothing was sent. Name another file with --journal."
        ) from None


def _end(arguments: argparse.Namespace, ended: JobResult, signals: Signals, out: Output) -> int:
    summary, failure = ended.summary, ended.failure
    if ended.unwritten:
        complain(f"The reports cannot be written to {summary.folder}: {ended.unwritten}.")
    if not (arguments.quiet or arguments.json):
        out.lines(summary_lines(summary))
    if isinstance(failure, ConfigurationError) and not summary.requests:
        complain(failure.message)
        return WRONG_USE
    if summary.stopped is not None:
        complain(f"{summary.stopped}\n{how_to_go_on(summary)}")
        return signals.code if isinstance(failure, KeyboardInterrupt) else STOPPED
    return SUCCEEDED if summary.counts["succeeded"] == sum(summary.counts.values()) else SOME_FAILED


def _place(arguments: argparse.Namespace, name: str) -> _Place:
    called = "stdin" if name == "-" else name
    if arguments.out is None:
        folder = Path(f"{called}.hubspot")
    else:
        several = len(arguments.files) > 1
        folder = Path(arguments.out) / Path(called).name if several else Path(arguments.out)
    journal = Path(arguments.journal) if arguments.journal else folder / JOURNAL
    return _Place(folder, journal)


def _journal(arguments: argparse.Namespace, work: Work, place: _Place) -> Journal:
    if arguments.retry and not arguments.resume:
        raise ConfigurationError("--retry is about an earlier run: add --resume.")
    if arguments.allow_edited and arguments.resume != "by-content":
        raise ConfigurationError("--allow-edited is about a changed file: add --resume=by-content.")
    if arguments.insist and "unknown" not in arguments.retry:
        raise ConfigurationError("--insist is about unknown rows: add --retry unknown.")
    if arguments.resume and arguments.restart:
        raise ConfigurationError("--resume and --restart exclude each other: name one of them.")
    retry = [status for status in arguments.retry if status != "not-sent"]
    size, digest = work.table.fingerprint()
    return Journal(
        place.journal,
        retry=retry,
        may_create_twice="unknown" in retry and _may_create_twice(arguments, work),
        restart=arguments.restart,
        mapping=work.mapping.digest(),
        source_size=size,
        source_digest=digest,
        command=json.dumps(
            {
                "arguments": arguments.argv,
                "folder": str(Path.cwd()),
                # The environment may name another version when the job is looked up.
                "api_version": work.api_version or work.spec.described.version or None,
            }
        ),
        sends=not getattr(arguments, "sends_nothing", False),
    )


def _may_create_twice(arguments: argparse.Namespace, work: Work) -> bool:
    """Return whether rows that may have been created are sent again; raise without consent."""
    if work.spec.kind.repeatable:
        return False
    said = arguments.insist
    if said is None and _asks():
        said = _ask(
            f"Rows that are unknown may have been created. Look them up in HubSpot first. To send "
            f"them again, type: {CREATES_TWICE}\n> "
        )
    if said != CREATES_TWICE:
        raise ConfigurationError(
            "--retry unknown sends rows again that may have been created, and nothing was sent "
            f'now. Look them up in HubSpot first, then add --insist "{CREATES_TWICE}".'
        )
    return True


def confirmed(base_url: str, *, yes: bool) -> bool:
    """Return whether a server may be written to; ask, if there is a person to ask."""
    if yes or is_loopback(httpx.URL(base_url).host) or not _asks():
        return True
    answer = _ask(f"Write to the HubSpot account of this token at {base_url}? [y/N] ")
    return answer.lower() in ("y", "yes")


def _asks() -> bool:
    """Return whether there is a person to ask."""
    return all(one is not None and one.isatty() for one in (sys.stdin, sys.stderr))


def _ask(question: str) -> str:
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip()


def token_for(base_url: str) -> str | None:
    """Return the token for a server; None for the environment's, which is never shown.

    Raises:
        ConfigurationError: There is none, and the server is not this machine.
    """
    if os.environ.get("HUBSPOT_ACCESS_TOKEN"):
        return None
    if not is_loopback(httpx.URL(base_url).host):
        raise ConfigurationError("There is no access token; set HUBSPOT_ACCESS_TOKEN.")
    return _MADE_UP_TOKEN


def _show_plan(plan: Plan, arguments: argparse.Namespace, out: Output) -> None:
    if arguments.json:
        out.lines([json.dumps(event_to_json(plan.event))])
    else:
        out.lines(plan_lines(plan))


def _without(argv: list[str], option: str, *, valued: bool = True) -> list[str]:
    """Return arguments without an option and its value, if it has one."""
    kept: list[str] = []
    skip = False
    for one in argv:
        if not (skip or one.partition("=")[0] == option):
            kept.append(one)
        skip = valued and one == option
    return kept
