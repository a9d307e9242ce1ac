"""The commands around a load: `mapping FILE`, and `jobs list`, `show`, `rejects` and `reconcile`.

This module decides what they print. They create nothing; `reconcile` looks up what was created.
"""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from hubspot_batch.errors import ConfigurationError, JournalError
from hubspot_batch.files import open_table, propose
from hubspot_batch.jobs.outcome_files import OUTCOMES, REJECTS, UNKNOWN
from hubspot_batch.jobs.report_files import REPORTS, read_outcomes
from hubspot_batch.journal import Journal

from .commands import add_reading
from .job_words import one_line
from .load import JOURNAL, load
from .output import Output, complain

_DONE, _WRONG_USE = 0, 2


def add_mapping(parser: argparse.ArgumentParser) -> None:
    """Add the options of `mapping`."""
    parser.add_argument("file", metavar="FILE", help="a file; - for standard input")
    parser.add_argument(
        "--operation", metavar='"FAMILY VERB"', help='such as "calls create"; proposed by default'
    )
    add_reading(parser)
    parser.set_defaults(run=_guarded(_mapping))


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """Add the commands below `jobs`."""
    kinds = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, dest="verb")
    for name, run, words in (
        ("list", _list, "the jobs below a folder, with a line each"),
        ("show", _show, "one job: what it was, its counts, its files"),
        ("rejects", _rejects, "the rows that failed or are unknown, and where they are to mend"),
        ("reconcile", _reconcile, "what became of the rows that may have been created"),
    ):
        one: argparse.ArgumentParser = kinds.add_parser(
            name, help=words, description=f"Print {words}.", allow_abbrev=False
        )
        example = "such as calls.csv.hubspot"
        if name == "list":
            one.add_argument("folder", metavar="DIR", type=Path, nargs="?", default=Path())
        else:
            one.add_argument("folder", metavar="DIR", type=Path, help=example)
        one.set_defaults(run=_guarded(run))


def _guarded(
    run: Callable[[argparse.Namespace, Output], int],
) -> Callable[[argparse.Namespace, TextIO], int]:
    def guarded(arguments: argparse.Namespace, stream: TextIO) -> int:
        try:
            return run(arguments, Output(stream))
        except (ConfigurationError, JournalError) as error:
            complain(error.message)
        except OSError as error:
            complain(f"{error.filename}: it cannot be read: {error.strerror}.")
        return _WRONG_USE

    return guarded


def _mapping(arguments: argparse.Namespace, out: Output) -> int:
    table = open_table(
        arguments.file,
        format=arguments.format,
        encoding=arguments.encoding,
        delimiter=arguments.delimiter,
        sheet=arguments.sheet,
        headings=arguments.headings,
    )
    out.lines([propose(table, arguments.operation).rstrip("\n")])
    return _DONE


def _list(arguments: argparse.Namespace, out: Output) -> int:
    folder: Path = arguments.folder
    if not folder.is_dir():
        raise ConfigurationError(f"{folder} is no folder.")
    found = sorted({path.parent for path in (*folder.glob(JOURNAL), *folder.rglob(f"*/{JOURNAL}"))})
    out.lines(f"{one_line(str(one))}  {_state(one)}" for one in found)
    if not found:
        out.lines([f"There is no job below {folder}."])
    return _DONE


def _state(folder: Path) -> str:
    """Return in a line what a job is, and what became of its rows."""
    try:
        journal = Journal(folder / JOURNAL)
        head = journal.begun()
        if head is None:
            return "no run has begun"
        counts = journal.counts()
    except JournalError as error:
        return "running now" if "in use" in error.message else one_line(error.message)
    said = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count)
    report = None if _cut_off(folder) else _report(folder)
    end = "" if report is None or not report.get("stopped") else f"; {report['stopped']}"
    return one_line(f"{head['operation']}  {said or 'nothing sent'}{end}")


def _report(folder: Path) -> dict[str, Any] | None:
    """Return the report of the last run that ended; None if there is none."""
    try:
        report: dict[str, Any] = json.loads((folder / REPORTS[0]).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return report


def _cut_off(folder: Path) -> bool:
    """Return whether the last run has written outcomes, but no report: it was killed."""
    try:
        written, reported = ((folder / name).stat().st_mtime_ns for name in (OUTCOMES, REPORTS[0]))
    except OSError:
        return False
    return written > reported


def _show(arguments: argparse.Namespace, out: Output) -> int:
    folder = _job(arguments.folder)
    out.lines([f"{folder}: {_state(folder)}"])
    report = _report(folder)
    if report is None:
        out.lines(["No run has ended by itself; run the same command with --resume."])
        return _DONE
    if _cut_off(folder):
        out.lines(
            [
                "The last run was cut off; run the same command with --resume. "
                "The rest is of the run before it."
            ]
        )
    names = ("file", "base_url", "started", "ended", "command", "resume")
    out.lines(f"{name:<9} {one_line(str(report[name]))}" for name in names if report.get(name))
    out.lines(
        f"{status.replace('_', ' '):<9} {count}" for status, count in report["counts"].items()
    )
    for reason in report["reasons"]:
        text = one_line(reason["message"])[:300]
        out.lines([f"  {reason['rows']} x {reason['kind']}: {text}"])
    files = sorted(one.name for one in folder.iterdir() if one.suffix != ".part")
    out.lines([f"files     {', '.join(files)}"])
    return _DONE


def _rejects(arguments: argparse.Namespace, out: Output) -> int:
    folder = _job(arguments.folder)
    found = False
    for line in _rejected(folder):
        found = True
        out.lines([line])
    if not found:
        out.lines(["No row failed, and none is unknown."])
    for stem, words in (
        (REJECTS, "Mend the rows there, and load that file like the first one"),
        (UNKNOWN, "Look these rows up in HubSpot before you send them again"),
    ):
        for path in folder.glob(f"{stem}.*"):
            if path.suffix != ".part":
                out.lines([f"{words}: {path}"])
    return _DONE


def _reconcile(arguments: argparse.Namespace, out: Output) -> int:
    """Carry the command of a job out once more, without sending a row."""
    from .main import parse  # noqa: PLC0415 - which loads this module

    folder = _job(arguments.folder).absolute()
    head = Journal(folder / JOURNAL).begun() or {}
    again = "Run its command again with --resume --reconcile."
    if "command" not in head:
        raise ConfigurationError(
            f"The journal in {folder} does not say by which command it was made. {again}"
        )
    said = json.loads(head["command"])
    given = parse(said["arguments"])
    if not hasattr(given, "reconcile"):
        raise ConfigurationError(f"What {given.operation} has done cannot be looked up.")
    if not Path(said["folder"]).is_dir():
        raise ConfigurationError(f"The folder {said['folder']} of that run is gone. {again}")
    given.files = [one for one in given.files if _is_of(one, folder)] or given.files
    if len(given.files) != 1 or given.files == ["-"]:
        raise ConfigurationError(f"The file of the job in {folder} is not known. {again}")
    given.out, given.journal = str(folder), str(folder / JOURNAL)
    given.resume, given.restart, given.retry, given.allow_edited = "same", False, [], False
    given.plan, given.expect, given.yes, given.max_failures = False, None, True, None
    given.reconcile, given.sends_nothing = True, True
    given.api_version = said.get("api_version") or given.api_version
    for name in ("token", "wall", "quiet", "json"):
        if hasattr(arguments, name):
            setattr(given, name, getattr(arguments, name))
    with contextlib.chdir(said["folder"]):
        return load(given, out.stream)


def _is_of(name: str, folder: Path) -> bool:
    """Return whether a folder of results can be that of a file."""
    return folder.name in (f"{Path(name).name}.hubspot", Path(name).name)


def _rejected(folder: Path) -> Iterator[str]:
    for done in read_outcomes(folder):
        if done.status in ("failed", "unknown"):
            message = one_line(done.message or "")
            yield f"{done.line}\t{done.status}\t{done.kind or ''}\t{message}"


def _job(folder: Path) -> Path:
    if not any((folder / name).is_file() for name in (JOURNAL, OUTCOMES)):
        raise ConfigurationError(
            f"{folder} is no folder of a job: it has neither {JOURNAL} nor {OUTCOMES}."
        )
    return folder
