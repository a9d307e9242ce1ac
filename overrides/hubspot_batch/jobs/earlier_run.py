"""Decides what a job does about an earlier run with the same journal.

This module decides when a run may go on, and when it must be refused because rows could be sent
twice or to another account. Nothing has been sent when it refuses.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from attrs import frozen

from hubspot_batch.errors import ConfigurationError
from hubspot_batch.journal import Journal
from hubspot_batch.journal.options import check_head

from .recorded_rows import JournalComparison, compare_with_journal
from .work import Work

CREATES_TWICE = "some may be created twice"
_FLAGS = ("--resume", "--restart", "--plan", "--yes", "--allow-edited")


@frozen
class EarlierRun:
    """The options about an earlier run.

    Attributes:
        resume: `same` or `by-content`; empty if it is not to be resumed.
        restart: Whether to forget it.
        allow_edited: Whether rows are sent that may be edited forms of rows that were done.
    """

    resume: str = ""
    restart: bool = False
    allow_edited: bool = False


def command_line(arguments: Sequence[str], *more: str) -> str:
    """Return the command with other words about an earlier run, as it is typed.

    Args:
        arguments: The arguments that were given, without the program's name.
        more: What to add.
    """
    kept = [one for one in arguments if one.partition("=")[0] not in _FLAGS]
    return shlex.join(["hubspot-batch", *kept, *more])


def check_earlier(
    work: Work, journal: Journal, base_url: str, earlier: EarlierRun, arguments: Sequence[str]
) -> str:
    """Return what a person should know of how an earlier run is resumed; empty if nothing.

    Args:
        work: The work.
        journal: The journal, with the size and the digest of the file.
        base_url: The server.
        earlier: What was said about an earlier run.
        arguments: The arguments that were given, to print commands.

    Raises:
        ConfigurationError: It must not be resumed so; the message has the commands that may.
        JournalError: The journal cannot be read, or another run has it.
    """
    head = journal.begun()
    if head is None or earlier.restart:
        return ""
    now = work.call.head(base_url)
    if journal.mapping is not None:
        now["mapping"] = journal.mapping
    restart = command_line(arguments, "--restart")
    if head.get("mapping") not in (None, journal.mapping):
        # Digests mean nothing to people.
        head, now = {**head, "mapping": "another one"}, {**now, "mapping": "the one given"}
    try:
        check_head(journal.path, head, now)
    except ConfigurationError as error:
        message = error.message.partition(" Use another journal")[0]
        raise ConfigurationError(
            f"{message}\nName another folder with --out, or forget that job, which sends every row "
            f"again:\n  {restart}"
        ) from None
    if not earlier.resume:
        counts = {name: count for name, count in journal.counts().items() if count}
        said = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
        raise ConfigurationError(
            f"{journal.path} is there already: an earlier run has begun this job "
            f"({said or 'nothing sent'}), and nothing was sent now.\n"
            f"To send only what was not sent:\n  {command_line(arguments, '--resume')}\n"
            f"To forget that run, and send every row again:\n  {restart}"
        )
    found = compare_with_journal(work, journal, base_url)
    if head.get("source_digest") in (None, journal.source_digest):
        _check_reading(found, work, earlier, arguments)
        return ""
    return _check_changed(found, work, earlier, arguments)


def _check_reading(
    found: JournalComparison, work: Work, earlier: EarlierRun, arguments: Sequence[str]
) -> None:
    """Refuse the same file if its rows are read differently: they would be sent once more."""
    if not (found.new and found.gone_succeeded):
        return
    if earlier.resume == "by-content" and earlier.allow_edited:
        return
    by_content = command_line(arguments, "--resume=by-content", "--allow-edited")
    raise ConfigurationError(
        f"{work.table.name} is as before, but it is read in another way: {found.gone_succeeded} "
        f"rows that were done or may have been done are no longer found, and {found.new} are new "
        f"(see {work.table.form.unit} {_listed(found)}). Nothing was sent now.\n"
        "Give the options of the earlier run again (--encoding, --delimiter, --sheet, --headings), "
        f"or send the new rows anyway:\n  {by_content}"
    )


def _listed(found: JournalComparison) -> str:
    lines = ", ".join(map(str, found.new_lines))
    return lines + (" and others" if found.new > len(found.new_lines) else "")


def _check_changed(
    found: JournalComparison, work: Work, earlier: EarlierRun, arguments: Sequence[str]
) -> str:
    name, unit = work.table.name, work.table.form.unit
    changed = min(found.new, found.gone)
    counted = (
        f"{name} has changed since the earlier run: {found.known} rows are as before, "
        f"{found.new} are new, {found.gone} are gone"
        + (f" (up to {changed} of these are rows that were edited)" if changed else "")
        + "."
    )
    by_content = command_line(arguments, "--resume=by-content")
    if earlier.resume != "by-content":
        raise ConfigurationError(
            f"{counted} Nothing was sent now.\n"
            f"To send only rows whose content was never sent:\n  {by_content}\n"
            "To go on as before, put the file back as it was."
        )
    if found.new and found.gone_succeeded and not earlier.allow_edited:
        raise ConfigurationError(
            f"{counted} {found.gone_succeeded} of the rows that are gone were done or may have "
            f"been done. If they were edited, they would be sent once more as new rows: see {unit} "
            f"{_listed(found)}. Nothing was sent now.\n"
            f"To send them anyway:\n  {by_content} --allow-edited"
        )
    return counted
