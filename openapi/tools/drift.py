"""Compares HubSpot's documentation with the fragments, or two descriptions with each other.

Decides what the two sides are: a file, a captured page or a git revision of our bundle. It writes
no file except the HTML report.

Exit status: 0 nothing new, 1 something changed, 2 a file cannot be read.
"""

import argparse
import contextlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import command_line
from attrs import evolve
from command_line import fail
from comparison.compare_descriptions import compare_sides
from comparison.compare_with_fragments import (
    Fragments,
    compare_with_fragments,
    read_fragments,
)
from comparison.description import Description, UnreadableError, from_yaml, read
from comparison.findings import Report
from comparison.schema_forms import SchemaError
from comparison.text_report import format_report, print_text
from generation.atomic_swap import write_file
from generation.yaml_source import SourceError
from pages.compare_page import compare_page
from releases import git_history


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit statuses are listed at the top of this file."""
    options = _parse(arguments)
    try:
        report = _compare(options, read_fragments(command_line.PROJECT / "openapi"))
        if options.html:
            _write_html(options.html, report)
    except (UnreadableError, SourceError) as error:
        return fail(str(error))
    except SchemaError as error:
        return fail(f"{options.spec or options.page or options.new}: {error}")
    except OSError as error:
        return fail(f"{options.html}: cannot be written ({error.strerror}).")
    if options.json:
        print_text(json.dumps([one.json() for one in report.findings], indent=2))
    else:
        print_text(format_report(report))
    return 1 if report.findings else 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    command = command_line.parser(
        "Compare HubSpot's documentation with the fragments, or two descriptions.",
        "0 nothing new, 1 something changed, 2 a file cannot be read",
    )
    command.add_argument("--spec", type=Path, metavar="FILE", help="a published API description")
    command.add_argument("--page", type=Path, metavar="FILE", help="a captured documentation page")
    command.add_argument("--old", metavar="FILE", help="a description, or a git revision of ours")
    command.add_argument("--new", metavar="FILE", help="the description to compare it with")
    command.add_argument("--json", action="store_true", help="print the findings as JSON")
    command.add_argument("--html", type=Path, metavar="FILE", help="also write an HTML report")
    options = command.parse_args(arguments)
    two = (options.old is not None) + (options.new is not None)
    if (options.spec is not None) + (options.page is not None) + two / 2 != 1:
        command.error(
            "give --spec FILE, or --page FILE, or --old FILE and --new FILE "
            "(to make: SPEC=, PAGE=, OLD= and NEW=)"
        )
    return options


def _compare(options: argparse.Namespace, fragments: Fragments) -> Report:
    if options.spec:
        return compare_with_fragments(read(options.spec), fragments)
    if options.page:
        return compare_page(options.page, fragments)
    sides = _side(options.old), _side(options.new)
    report = compare_sides(*sides, fragments.description.operations)
    return evolve(report, old=options.old, new=options.new)


def _side(given: str) -> Description:
    """Read a file, or the bundle of a git revision."""
    path = Path(given)
    with contextlib.suppress(OSError):  # no file can have such a name
        if path.exists() and not (given and path.is_dir()):  # to git, no revision is the index
            return read(path)
    revision = given if ":" in given else f"{given}:openapi/openapi.yaml"
    try:
        text = git_history.text_of(command_line.PROJECT, revision)
    except (git_history.UnknownHistoryError, git_history.BrokenHistoryError) as error:
        raise UnreadableError(
            f"{given}: this is neither a file nor a git revision that has openapi/openapi.yaml "
            f"({error}); give a path, a tag, a branch or a commit."
        ) from None
    return from_yaml(text.decode("utf-8", "replace"), given)


def _write_html(path: Path, report: Report) -> None:
    from comparison.html_report import render  # noqa: PLC0415 - needs Jinja, which is slow to load

    page = render(report.findings, old=report.old, new=report.new, notes=report.notes)
    write_file(path, page)


if __name__ == "__main__":
    sys.exit(main())
