"""The differences between two descriptions, operation by operation.

Decides which operations are compared with which. compare_operation.py compares two operations.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import field, frozen

from .compare_operation import OperationComparison
from .compare_schema import Agreement, Comparison
from .description import DescribedOperation, Description, UnreadableError
from .findings import Change, Finding, Report, ordered, severity_of_operation
from .schema_forms import SchemaError


@frozen
class ComparisonResult:
    """The differences, and what both sides say alike, by operation.

    `skipped` says why parts were not compared that neither side lets be read.
    """

    findings: list[Finding]
    agreed: dict[str, list[Agreement]]
    skipped: list[str] = field(factory=list[str])


def compare_documents(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Finding]:
    """Compare two bundles, or two published descriptions, given as data.

    Raises:
        SchemaError: A part that is compared cannot be read.
    """
    return compare_descriptions(Description(old), Description(new), (), strict=True).findings


def compare_sides(
    old: Description, new: Description, known: Sequence[DescribedOperation]
) -> Report:
    """Compare two descriptions, and say which of them cannot be read.

    Raises:
        UnreadableError: One of them cannot be read, or neither has an operation of ours.
    """
    try:
        result = compare_descriptions(old, new, known)
    except SchemaError:
        for side in (old, new):  # the broken one cannot be compared with itself either
            _compare_with_itself(side, known)
        raise
    if not (result.agreed or result.findings or result.skipped):
        raise UnreadableError(
            f"{old.name} and {new.name}: neither describes an operation that we know."
        )
    notes = (*_skipped_notes(result.skipped), *_path_notes(old, new, known))
    return Report(result.findings, old.name, new.name, notes)


def _skipped_notes(skipped: Sequence[str]) -> Iterator[str]:
    """Say what was not compared, because neither side can be read there."""
    for text, count in Counter(skipped).items():
        places = "1 place" if count == 1 else f"{count} places"
        yield f"Not compared in {places}, on both sides: {text}"


def _path_notes(
    old: Description, new: Description, known: Sequence[DescribedOperation]
) -> Iterator[str]:
    """Name the new paths that stand for an operation of ours beside its own."""
    for one in known:
        found = new.find_readable(one)
        paths = new.other_paths(one) - old.other_paths(one) - {found and found.path}
        for path in sorted(paths):
            yield f"{one.id} is also described at {path}, which is new, and was not compared."


def _compare_with_itself(side: Description, known: Sequence[DescribedOperation]) -> None:
    try:
        compare_descriptions(side, side, known)
    except SchemaError as error:
        raise UnreadableError(f"{side.name}: {error}") from None


def compare_descriptions(
    old: Description, new: Description, known: Sequence[DescribedOperation], *, strict: bool = False
) -> ComparisonResult:
    """Compare two descriptions.

    Args:
        old: The earlier one.
        new: The later one.
        known: The operations to look for in a published description. All operations of a bundle
            are compared.
        strict: True if a part that cannot be read ends the comparison; else it is a finding.
    """
    wanted = {one.signature: one for one in known}
    for side in (new, old):
        if side.ours:
            wanted |= {one.signature: one for one in side.operations}
    result = ComparisonResult([], {})
    for one in wanted.values():
        here = Comparison(one.id, old.reader, new.reader, strict=strict)
        sides = find_both(one, old, new, here)
        if sides is None:
            result.findings.extend(here.findings)
            result.skipped.extend(here.skipped)
            continue
        before, after = sides
        if before is not None and after is not None:
            compare_operation(before, after, old, new, one.id, result, here=here)
        elif before is not None or after is not None:
            note_missing_operation(before, after, here)
            result.findings.extend(here.findings)
    result.findings[:] = ordered(result.findings)
    return result


def find_both(
    one: DescribedOperation, old: Description, new: Description, here: Comparison
) -> tuple[DescribedOperation | None, DescribedOperation | None] | None:
    """Find an operation in both descriptions; None, and a finding, if its path cannot be read."""
    read = (lambda: old.find(one), lambda: new.find(one))
    return here.read_both("/path", one.at[:2] if old.ours else None, *read)


def note_missing_operation(
    before: DescribedOperation | None, after: DescribedOperation | None, here: Comparison
) -> None:
    """Add a finding for an operation that only one side has."""
    change: Change = "added" if before is None else "removed"
    shown = (before and before.title, after and after.title)
    verdict = severity_of_operation("operation", change)
    here.note(verdict, "operation", "", shown, before.at if before else None)


def compare_operation(
    old: DescribedOperation,
    new: DescribedOperation,
    old_side: Description,
    new_side: Description,
    name: str,
    result: ComparisonResult,
    *,
    here: Comparison | None = None,
) -> None:
    """Compare one operation, and add the findings under the operation id `name`.

    `here` collects them, if it is to know the lines of the fragments or to be strict.
    """
    here = here or Comparison(name, old_side.reader, new_side.reader)
    OperationComparison(here, old, new, old_side, new_side).compare()
    # Several responses may be compared with one; the same difference is reported once.
    result.findings.extend({repr(one): one for one in here.findings}.values())
    result.skipped.extend(here.skipped)
    different = {(one.pointer, one.kind) for one in here.findings}
    result.agreed[name] = [one for one in here.agreed if (one.pointer, one.kind) not in different]
