"""Writes the fragment of an operation from a published API description.

drafting/draft.py has the steps. If the fragments have the operation already, the command compares
instead, and writes nothing.

Exit status: 0 written (or nothing new), 1 the description says something new about an operation
that the fragments have, 2 the description, the operation or the fragments cannot be used.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from command_line import add_project, fail, fail_with_problems, parser
from comparison.description import UnreadableError, read
from comparison.schema_forms import SchemaError
from comparison.text_report import format_report, print_text, printable
from drafting.draft import RefusedError, Written, draft, find_operation, listing, source_of
from generation.yaml_source import SourceError, shown


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit statuses are listed at the top of this file."""
    options = _parse(arguments)
    home: Path = options.project.absolute() / "openapi"
    try:
        given = read(options.spec)
        if options.list:
            lines = (f"{title}\n  {state}" for title, state in listing(given, home))
            print_text("\n".join(map(printable_lines, lines)))
            return 0
        one = find_operation(given, options.operation)
        found = draft(home, given, one, source_of(options.spec))
    except UnreadableError as error:
        return fail(str(error))
    except RefusedError as error:
        return fail(str(error).replace(f"{shown(options.spec)}: ", f"{_place(options)}: ", 1))
    except SourceError as error:
        return fail_with_problems(error)
    except SchemaError as error:
        return fail(f"{_place(options)}: {error}")
    except OSError as error:
        return fail(f"{error.filename}: {error.strerror}; nothing was written.")
    if not isinstance(found, Written):
        print_text(format_report(found))
        return 1 if found.findings else 0
    print_text(_lines_of(found))
    return 0


def _place(options: argparse.Namespace) -> str:
    """Return the file, and the line of the operation's path if that stands in it."""
    path = str(options.operation or "").rpartition(" ")[2]
    lines = options.spec.read_text("utf-8-sig").splitlines()
    written = (f'"{path}":', f"'{path}':", f"{path}:")
    found = [n for n, line in enumerate(lines, 1) if line.strip().startswith(written)]
    return f"{options.spec}:{found[0]}" if found else str(options.spec)


def printable_lines(text: str) -> str:
    """Return a text of several lines without control characters."""
    return "\n".join(map(printable, text.split("\n")))


def _lines_of(found: Written) -> str:
    files = " and ".join(found.files)
    notes = [f"- {note}" for note in found.draft.notes]
    head = [f"{files}: {found.draft.id} is written; read it, then run `make regenerate`."]
    return "\n".join(map(printable, [*head, *(["To decide:"] if notes else []), *notes]))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    command = parser(
        "Write the fragment of an operation from a published API description.",
        "0 written or nothing new, 1 the description says something new about an operation that "
        "the fragments have, 2 something cannot be used",
    )
    command.add_argument("--spec", type=Path, metavar="FILE", help="the published description")
    command.add_argument("--operation", metavar="'METHOD PATH'", help="the operation to write")
    command.add_argument("--list", action="store_true", help="show what the description has")
    add_project(command)
    options = command.parse_args(arguments)
    if options.spec is None or bool(options.operation) is options.list:
        command.error(
            "give --spec FILE, and either --operation 'METHOD PATH' or --list "
            "(to make: SPEC=, OPERATION= and LIST=1)"
        )
    return options


if __name__ == "__main__":
    sys.exit(main())
