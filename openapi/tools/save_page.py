"""Saves the facts of a captured page in openapi/pages/, which fragments are compared with.

pages/store.py decides which file they go to.

Exit status: 0 written, 2 the page cannot be read.
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

import command_line
from command_line import fail
from comparison.description import UnreadableError
from generation.yaml_source import SourceError, shown
from pages.store import save_facts

_OPERATION_ID = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit statuses are listed at the top of this file."""
    command = command_line.parser(
        "Save the facts of a captured page.", "0 written, 2 the page cannot be read"
    )
    command.add_argument("page", type=Path, metavar="FILE")
    command.add_argument("--operation", metavar="ID", help="the id of a new operation")
    options = command.parse_args(arguments)
    if options.operation and not _OPERATION_ID.fullmatch(options.operation):
        command.error(f"{options.operation!r} is no operation id; write it in snake_case")
    home = command_line.PROJECT / "openapi"
    try:
        written = save_facts(options.page, home, operation=options.operation)
    except (UnreadableError, SourceError) as error:
        return fail(str(error))
    print(f"{shown(written)} has the facts of {shown(options.page)}; `git diff` shows what is new.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
