"""Builds and tries the distributions, uploads them, or does both.

releases/built.py, releases/publish.py and the checks decide whether a release may go out.

Exit status: 0 done, 1 refused, 2 wrong use.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from command_line import PROJECT, fail, parser
from releases import built
from releases.package_index import ReleaseRefusedError
from releases.publish import check_before, publish


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit statuses are listed at the top of this file."""
    command = parser("Build and publish.", "0 done, 1 refused, 2 wrong use")
    actions = command.add_subparsers(dest="command", required=True)
    for name in ("build", "publish", "release"):
        action = actions.add_parser(name)
        action.add_argument("--into", type=Path, default=PROJECT / "dist", metavar="FOLDER")
        if name == "build":
            continue
        action.add_argument("url", metavar="INDEX_URL")
        for option, words in _ALLOWED.items():
            action.add_argument(option, action="store_true", help=words)
        if name == "release":
            action.add_argument("--go", action="store_true", help="upload, after all checks")
    options = command.parse_args(arguments)
    try:
        if options.command == "release":  # before a build that takes a while
            check_before(options.url, os.environ, any_tree=options.any_tree)
        if options.command != "publish":
            for file in built.make(options.into, os.environ):
                print(file)
        if options.command == "release":
            print(built.compare_with_clone(options.into))
        if options.command != "build":
            allowed = {
                "any_tree": options.any_tree,
                "any_index": options.any_index,
                "attestations": options.attestations,
                "dry": options.command == "release" and not options.go,
            }
            print(publish(options.url, options.into, os.environ, **allowed))
    except ReleaseRefusedError as refusal:
        return fail(str(refusal), refusal.code)
    return 0


_ALLOWED = {
    "--any-tree": "publish a tree that has changes, or is not tagged as the version",
    "--any-index": "publish to an index that does not say which versions it has",
    "--attestations": "the index takes attestations; send those that lie beside the files",
}


if __name__ == "__main__":
    sys.exit(main())
