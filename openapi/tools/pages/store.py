"""The files in openapi/pages/ that hold the facts of captured pages.

Decides which file the facts of a page go to, and that facts of the operation's other pages stay. It
stores no sentence of a page.
"""

import datetime as dt
from pathlib import Path

from attrs import evolve
from comparison.compare_with_fragments import read_fragments
from comparison.description import MOST_OF_PAGE, UnreadableError, signature, text_of
from generation.atomic_swap import write_file
from generation.yaml_source import shown

from . import facts, history, reader


def save_facts(path: Path, home: Path, *, operation: str | None = None) -> Path:
    """Write the facts of one page, and return the file that has them.

    Args:
        path: The page, saved as text.
        home: The folder that has fragments/ and pages/.
        operation: The id of an operation that no fragment describes yet.

    Raises:
        UnreadableError: The page cannot be read, may be cut off, or is about an operation without
            a name.
    """
    text = text_of(path, shown(path), most=MOST_OF_PAGE)
    stated = reader.read(text, shown(path))
    month = dt.datetime.now(dt.UTC).strftime("%Y-%m")
    stated = evolve(stated, sources=(evolve(stated.sources[0], captured=month),))
    target = home / "pages" / f"{operation or _operation_of(stated, home, shown(path))}.yaml"
    stated = evolve(stated, operation=target.stem)
    before = facts.read(target) if target.exists() else None
    if before:
        words = history.compare_sentences(text, stated, before)
        history.check_complete(stated, before, words, shown(path))
    write_file(target, facts.to_yaml(before.merged_with(stated) if before else stated))
    return target


def _operation_of(stated: facts.Facts, home: Path, name: str) -> str:
    for one in read_fragments(home).description.operations:
        if one.signature == signature(stated.path):
            return one.id
    raise UnreadableError(
        f"{name}: no fragment describes {stated.method} {stated.path}; "
        "name its operation, such as --operation create_contacts."
    )
