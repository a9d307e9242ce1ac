"""Builds and tries the distributions, uploads them, or does both.

releases/built.py, releases/publish.py and the checks decide whether a release may go out.

Exit status: 0 done, 1 refused, 2 wrong use.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
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
        for line in _run(options):
            print(line)
    except ReleaseRefusedError as refusal:
        return fail(str(refusal), refusal.code)
    return 0


def _run(options: argparse.Namespace) -> Iterator[object]:
    """Carry out a command; yield the lines to print."""
    if options.command == "release":  # before a build that takes a while
        check_before(options.url, os.environ, any_tree=options.any_tree)
    if options.command != "publish":
        yield from built.make(options.into, os.environ)
    if options.command == "release":
        yield built.compare_with_clone(options.into)
    if options.command != "build":
        yield publish(
            options.url,
            options.into,
            os.environ,
            any_tree=options.any_tree,
            any_index=options.any_index,
            attestations=options.attestations,
            dry=options.command == "release" and not options.go,
        )


_ALLOWED = {
    "--any-tree": "publish a tree that has changes, or is not tagged as the version",
    "--any-index": "publish to an index that does not say which versions it has",
    "--attestations": "the index takes attestations; send those that lie beside the files",
}


if __name__ == "__main__":
    sys.exit(main())
