"""The unexpected differences between a published description and our fragments.

Decides which operations are looked for, and when a text for people counts. Differences in wording
count only between two texts of one author, so only where the description was made from our bundle.
"""

from collections.abc import Collection
from pathlib import Path

from attrs import evolve, field, frozen
from generation import bundle, operation_model, versions
from generation.yaml_source import Pointer

from . import deviations
from .compare_descriptions import (
    ComparisonResult,
    compare_operation,
    find_both,
    note_missing_operation,
)
from .compare_schema import Comparison
from .description import DescribedOperation, Description, UnreadableError, is_same_path
from .findings import Finding, Report, Severity, ordered
from .text_report import join_names

NAME = "the fragments"


@frozen
class Fragments:
    """The fragments as a description, with the file and line of each part."""

    description: Description
    bundle: bundle.Bundle
    home: Path
    _by_version: dict[str, Description] = field(
        factory=dict[str, Description], init=False, repr=False, eq=False
    )

    def beside(
        self, one: DescribedOperation, found: DescribedOperation
    ) -> tuple[Description, DescribedOperation]:
        """Return the side and the operation of ours that a published operation is compared with.

        If it is published at the path of another version of ours, these are of that version.
        """
        if not is_same_path(one.path.split("/"), found.path.split("/")):
            for version in versions.versions_of(one.at, one.raw):
                if is_same_path(version.path.split("/"), found.path.split("/")):
                    side = self._in_version(version.name)
                    return side, next(each for each in side.operations if each.id == one.id)
        return self.description, one

    def _in_version(self, name: str) -> Description:
        if name not in self._by_version:
            document = versions.document_in(self.bundle.document, name)
            self._by_version[name] = Description(document, NAME)
        return self._by_version[name]

    def _at_own_path(self, pointer: Pointer) -> Pointer:
        """Return a place of another version as one of the bundle."""
        if pointer[:1] != ("paths",) or pointer[1] in self.bundle.document["paths"]:
            return pointer
        for one in self.description.operations:
            if any(each.path == pointer[1] for each in versions.versions_of(one.at, one.raw)):
                return ("paths", one.path, *pointer[2:])
        return pointer

    def locate(self, pointer: Pointer) -> tuple[str, int]:
        """Return the fragment and the line of a part of the bundle, in any version."""
        pointer = self._at_own_path(pointer)
        if pointer[:1] == ("paths",) and len(pointer) == 2:  # a path is where its methods are
            origin = next(one for at, one in self.bundle.origins.items() if at[:2] == pointer)
            return origin.file, origin.line(pointer)
        problem = self.bundle.problem(pointer, "")
        return problem.file, problem.line

    @property
    def titles(self) -> str:
        """The operations, for a message."""
        return ", ".join(one.title for one in self.description.operations)


def read_fragments(home: Path) -> Fragments:
    """Read the fragments of the folder `home`, which has root.yaml.

    Raises:
        SourceError: They cannot be joined.
    """
    joined = bundle.join(home)
    return Fragments(Description(joined.document, NAME), joined, home)


def compare_with_fragments(
    given: Description, fragments: Fragments, *, only: Collection[str] = ()
) -> Report:
    """Compare a published description with the fragments.

    Args:
        given: The published description.
        fragments: The fragments.
        only: The ids of the operations to compare; all, if it is empty.

    Raises:
        UnreadableError, SchemaError: It cannot be read, or describes none of our operations.
    """
    result = ComparisonResult([], {})
    missing: list[str] = []
    covered = 0
    sides = (fragments.description, given)
    for one in fragments.description.operations:
        if only and one.id not in only:
            continue
        here = Comparison(one.id, sides[0].reader, given.reader, fragments.locate)
        both = find_both(one, *sides, here)
        found = both and both[1]
        if both is None:
            result.findings.extend(here.findings)
            covered += 1
        elif found is not None:
            covered += 1
            side, own = fragments.beside(one, found)
            here = Comparison(one.id, side.reader, given.reader, fragments.locate)
            compare_operation(own, found, side, given, one.id, result, here=here)
        elif given.covers_page(one) if is_page(one) else given.covers(one):
            note_missing_operation(one, None, here)
            result.findings.extend(here.findings)
        else:
            missing.append(one.id)
    if not covered:
        raise UnreadableError(
            f"{given.name}: it describes none of our operations ({fragments.titles}) at any "
            "version; give the description of another product."
        )
    verb = "is" if len(missing) == 1 else "are"
    notes = [f"{join_names(missing)} {verb} not described in {given.name}."] if missing else []
    return Report(unexpected(result, fragments, "description"), NAME, given.name, tuple(notes))


def is_page(one: DescribedOperation) -> bool:
    """Return True for a search or a list; some descriptions of a family have only its batches."""
    return bool(operation_model.listing_kind(one.raw))


def unexpected(
    result: ComparisonResult, fragments: Fragments, seen: deviations.Seen
) -> list[Finding]:
    """Return the findings that no deviation expects, and the deviations that no longer hold.

    Raises:
        UnreadableError: The deviations cannot be read.
    """
    findings = [one for one in result.findings if one.severity is not Severity.WORDING]
    same = sum(one.kind == "wording" for agreed in result.agreed.values() for one in agreed)
    if same > len(result.findings) - len(findings):
        return ordered(result.findings)  # made from our bundle, which has no deviations
    known = deviations.read(fragments.home / deviations.NAME)
    return deviations.apply(known, evolve(result, findings=findings), seen)
