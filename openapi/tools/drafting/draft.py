"""The steps from a published operation to a fragment, and their order.

Decides between a new fragment and a comparison, which file gets the new parts, and that nothing is
written unless `make regenerate` will read it: a copy of the fragments is bundled with the new parts
first.
"""

import datetime as dt
import difflib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from attrs import evolve, frozen
from comparison.compare_with_fragments import (
    NAME,
    Fragments,
    compare_with_fragments,
    is_page,
    read_fragments,
)
from comparison.description import DescribedOperation, Description, UnreadableError
from comparison.findings import Report
from comparison.schema_forms import SchemaError
from generation import bundle
from generation.atomic_swap import write_file
from generation.families_module import is_taken
from generation.fragment_rules import SAME_TAG
from generation.pipeline import written_modules
from generation.yaml_source import SourceError, SourceProblem, is_list, is_map, read, shown

from .fragment_text import extended, new_fragment, with_tag
from .names import tags_of
from .operation_drafter import Draft, OperationDrafter, title
from .published_batch import PublishedBatch, refusal

_NOT_COPIED = shutil.ignore_patterns("tools", "templates", "runtime", "__pycache__")


class RefusedError(Exception):
    """An operation that cannot have a fragment; the text says why."""


@frozen
class Written:
    """A new fragment: its parts, and the files that have them."""

    draft: Draft
    files: tuple[str, ...]


def source_of(path: Path) -> str:
    """Return the `x-source` of what is taken from a file: its name and the day it was written.

    Raises:
        OSError: There is no such file.
    """
    day = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC).date()
    name = "".join(letter if letter.isprintable() else "?" for letter in path.name).strip()
    return f"{name} of {day.isoformat()}"


def find_operation(given: Description, wanted: str) -> DescribedOperation:
    """Return the operation that a text such as `POST /crm/v3/objects/contacts/batch/read` names.

    Raises:
        UnreadableError: There is none.
    """
    method, _, path = wanted.strip().rpartition(" ")
    for one in given.operations:
        if (one.path == path and one.method == method.strip().lower()) or one.id == wanted:
            return one
    titles = [one.title for one in given.operations]
    close = difflib.get_close_matches(wanted, titles, n=1)
    advice = f"did you mean {close[0]}?" if close else "LIST=1 shows what it has."
    raise UnreadableError(f"{given.name}: there is no operation {wanted!r}; {advice}")


def listing(given: Description, home: Path) -> Iterator[tuple[str, str]]:
    """Yield the title of each operation of a description, and what can be done about it.

    Raises:
        SourceError: The fragments cannot be joined.
    """
    fragments = read_fragments(home)
    for one in given.operations:
        ours = _ours(one, fragments)
        try:
            reason = refusal(PublishedBatch(one, given))
        except SchemaError as error:
            reason = str(error)
        if ours:
            yield one.title, f"is {ours.id} already"
        else:
            yield one.title, f"is refused: {reason}" if reason else "can be written"


def draft(home: Path, given: Description, one: DescribedOperation, source: str) -> Written | Report:
    """Write a fragment for an operation, or compare the one that exists.

    Args:
        home: The folder of root.yaml.
        given: The published description.
        one: The operation.
        source: The `x-source` of the new parts.

    Raises:
        SourceError: The fragments cannot be joined.
        RefusedError: The operation cannot have a fragment.
        SchemaError, UnreadableError: The description cannot be read.
    """
    fragments = read_fragments(home)
    alone = Description({**given.document, "paths": {one.path: one.item}}, given.name, excerpt=True)
    if ours := _ours(one, fragments):
        return compare_with_fragments(alone, fragments, only=[ours.id])
    published = PublishedBatch(one, given)
    if reason := refusal(published):
        raise RefusedError(f"{given.name}: {one.title}: {reason}")
    tag, file = _family(published, fragments)
    own = frozenset(
        name for name in _schemas(fragments) if _file_of(fragments, name) == shown(file)
    )
    made = OperationDrafter(published, tag, fragments.bundle.document, own, source).draft()
    texts = {file.relative_to(home): _text(file, made)}
    if root := _root(home, tag):
        texts[Path("root.yaml")] = root
    left = _try(home, texts, alone, made.id)
    for name, text in texts.items():
        write_file(home / name, text)
    files = tuple(shown(home / name) for name in texts)
    return Written(evolve(made, notes=(*made.notes, *left)), files)


def _ours(one: DescribedOperation, fragments: Fragments) -> DescribedOperation | None:
    known = fragments.description.operations
    return next((our for our in known if our.signature == one.signature), None)


def _schemas(fragments: Fragments) -> list[str]:
    parts = fragments.bundle.document.get("components")
    found = parts.get("schemas") if is_map(parts) else None
    return [*found] if is_map(found) else []


def _file_of(fragments: Fragments, schema: str) -> str:
    return fragments.locate(("components", "schemas", schema))[0]


def _family(one: PublishedBatch, fragments: Fragments) -> tuple[str, Path]:
    """Return the tag of an operation's family, and the file of its fragment."""
    folder = fragments.home / "fragments"
    owners = {
        tag: PublishedBatch(our, fragments.description).family
        for our in fragments.description.operations
        if not is_page(our)  # its path has another form
        for tag in our.raw.get("tags", [])
    }
    ids = {our.id for our in fragments.description.operations}
    for tag in tags_of(one.family):
        if is_taken(tag):
            continue
        if owners.get(tag, one.family) == one.family and f"{one.verb}_{tag}" not in ids:
            for our in fragments.description.operations:
                if tag in our.raw.get("tags", []):
                    return tag, folder / Path(fragments.locate(our.at)[0]).name
            return tag, folder / f"{tag.replace('_', '-')}.yaml"
    raise RefusedError(
        f"{one.side.name}: {one.operation.title}: its path has no name for a family that another "
        "family does not have; write this fragment by hand."
    )


def _text(file: Path, made: Draft) -> str:
    if not file.exists():
        return new_fragment(title(made.tag), made.paths, made.schemas)
    document, problems = read(file)
    if document is None:
        raise SourceError(problems)
    return extended(file.read_text("utf-8"), document, made.paths, made.schemas)


def _root(home: Path, tag: str) -> str:
    """Return root.yaml with a tag, if the tag could be taken for a misspelt one; else nothing."""
    document, problems = read(home / "root.yaml")
    if document is None:
        raise SourceError(problems)
    listed = document.data.get("tags")
    named = [str(one.get("name")) for one in listed if is_map(one)] if is_list(listed) else []
    if tag in named or not difflib.get_close_matches(tag, named, n=1, cutoff=SAME_TAG):
        return ""
    return with_tag((home / "root.yaml").read_text("utf-8"), document, tag, f"{title(tag)}.")


def _try(home: Path, texts: dict[Path, str], alone: Description, id_: str) -> list[str]:
    """Bundle the fragments with the new parts; return how these differ from what is published.

    Raises:
        RefusedError: The bundle does not accept them.
    """
    with tempfile.TemporaryDirectory(prefix="fragment-") as folder:
        there = Path(folder).resolve() / "openapi"
        shutil.copytree(home, there, ignore=_NOT_COPIED)
        for name, text in texts.items():
            (there / name).write_text(text, "utf-8")
        try:
            joined = bundle.build(there)
            written_modules(joined)
            fragments = Fragments(Description(joined.document, NAME), joined, there)
            report = compare_with_fragments(alone, fragments, only=[id_])
        except SourceError as error:
            problems = [evolve(one, file=_moved(one, there, home)) for one in error.problems]
            said = "\n".join(map(str, problems))
            raise RefusedError(
                f"{alone.name}: the fragment that follows from this operation is refused, and "
                f"nothing was written:\n{said}"
            ) from None
    return [
        f"It differs from the description at {one.pointer} ({one.kind}: {one.now!r} there, "
        f"{one.was!r} here); if that is meant, note it in deviations.yaml."
        for one in report.findings
    ]


def _moved(problem: SourceProblem, there: Path, home: Path) -> str:
    return problem.file.replace(str(there), shown(home))
