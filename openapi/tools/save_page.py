"""Keeps the facts of a captured page in pages/, as the data that fragments are held against.

Decides which file they go to, and that facts of the operation's other pages stay. Never keeps a
sentence, and never edits a fragment.

Exit status: 0 written, 2 the page cannot be read.
"""

import argparse
import datetime as dt
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import drift
from attrs import evolve
from comparison.description import MOST_OF_PAGE, UnreadableError, signature, text_of
from generation import bundle
from generation.yaml_source import SourceError, shown
from pages import facts, history, reader


def keep(path: Path, home: Path, *, operation: str | None = None) -> Path:
    """Write the facts of one page, and return the file they are in.

    Args:
        home: The folder that has fragments/ and pages/.
        operation: The id of an operation that no fragment describes yet.

    Raises:
        UnreadableError: The page cannot be read, may be half of one, or is about an operation
            without a name.
    """
    text = text_of(path, shown(path), most=MOST_OF_PAGE)
    stated = reader.read(text, shown(path))
    month = dt.datetime.now(dt.UTC).strftime("%Y-%m")
    stated = evolve(stated, sources=(evolve(stated.sources[0], captured=month),))
    target = home / "pages" / f"{operation or _known(stated, home, shown(path))}.yaml"
    stated = evolve(stated, operation=target.stem)
    before = facts.read(target) if target.exists() else None
    if before:
        history.whole(stated, before, history.compared(text, stated, before), shown(path))
    bundle.write(target, facts.write(before.joined(stated) if before else stated))
    return target


def _known(stated: facts.Facts, home: Path, name: str) -> str:
    for one in drift.ours(home).description.operations:
        if one.signature == signature(stated.path):
            return one.id
    raise UnreadableError(
        f"{name}: no fragment describes {stated.method} {stated.path}; "
        "name its operation, such as --operation create_contacts."
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the status is described at the top of this file."""
    parser = argparse.ArgumentParser(description="Keep the facts of a captured page.")
    parser.add_argument("page", type=Path, metavar="FILE")
    parser.add_argument("--operation", metavar="ID", help="of an operation that is new")
    options = parser.parse_args(arguments)
    if options.operation and not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)+", options.operation):
        parser.error(f"{options.operation!r} is no operation id; write it in snake_case")
    try:
        written = keep(options.page, drift.HOME, operation=options.operation)
    except (UnreadableError, SourceError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{shown(written)} has the facts of {shown(options.page)}; `git diff` shows what is new.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
