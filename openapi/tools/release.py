"""Builds the distributions, or builds and uploads them.

releases/distributions.py and releases/publish.py decide whether a release may go out.

Exit status: 0 done, 1 refused, 2 wrong use.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from command_line import PROJECT, fail, parser
from releases.distributions import build
from releases.package_index import ReleaseRefusedError
from releases.publish import publish


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit statuses are listed at the top of this file."""
    command = parser("Build and publish.", "0 done, 1 refused, 2 wrong use")
    actions = command.add_subparsers(dest="command", required=True)
    for name in ("build", "publish"):
        action = actions.add_parser(name)
        action.add_argument("--into", type=Path, default=PROJECT / "dist", metavar="FOLDER")
        if name == "publish":
            action.add_argument("url", metavar="INDEX_URL")
            action.add_argument(
                "--any-tree",
                action="store_true",
                help="publish a tree that has changes, or is not tagged as the version",
            )
            action.add_argument(
                "--any-index",
                action="store_true",
                help="publish to an index that does not say which versions it has",
            )
    options = command.parse_args(arguments)
    try:
        if options.command == "publish":
            allowed = {"any_tree": options.any_tree, "any_index": options.any_index}
            print(publish(options.url, options.into, os.environ, **allowed))
        else:
            for file in build(options.into):
                print(file)
    except ReleaseRefusedError as refusal:
        return fail(str(refusal), refusal.code)
    return 0


if __name__ == "__main__":
    sys.exit(main())
