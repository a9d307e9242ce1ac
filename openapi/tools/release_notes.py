"""Writes what changed since the last release into CHANGELOG.md, and checks the version.

releases/unreleased.py compares, and decides whether the version is high enough.

Exit status: 0 written (or the version is honest, or there is nothing to compare with), 1 the
version is too small, 2 something cannot be read.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from command_line import add_project, fail, parser
from releases.git_history import BrokenHistoryError, UnknownHistoryError
from releases.unreleased import UnreadableError, judge_version, read_unreleased, write_changelog


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit statuses are listed at the top of this file."""
    command = parser(
        "Write what changed since the last release into CHANGELOG.md.",
        "0 done, 1 the version is too small, 2 something cannot be read",
    )
    command.add_argument("--check", action="store_true", help="check the version; write nothing")
    command.add_argument(
        "--tagged", action="store_true", help="the version has its tag: compare with the one before"
    )
    add_project(command)
    options = command.parse_args(arguments)
    project: Path = options.project.absolute()
    try:
        unreleased = read_unreleased(project, tagged=options.tagged)
        honest, sentence = judge_version(unreleased)
        if not options.check:
            print(write_changelog(project, unreleased))
    except UnknownHistoryError as unknown:
        sentence = f"The version was not compared with the last release: {unknown}."
        return fail(sentence, 0 if options.check else 2)
    except (BrokenHistoryError, UnreadableError, OSError) as error:
        return fail(f"{error}; nothing was written.")
    if options.check and not honest:
        return fail(sentence, 1)
    print(sentence)
    return 0


if __name__ == "__main__":
    sys.exit(main())
