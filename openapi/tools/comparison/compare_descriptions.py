"""The differences between two descriptions, operation by operation.

Decides which operations are compared with which. compare_operation.py compares two operations.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from .compare_operation import OperationComparison
from .compare_schema import Agreement, Comparison, Locate
from .description import Description, Operation, UnreadableError
from .findings import Change, Finding, Report, ordered, severity_of_operation
from .schema_forms import SchemaError


@frozen
class ComparisonResult:
    """The differences, and what both sides say alike, by operation."""

    findings: list[Finding]
    agreed: dict[str, list[Agreement]]


def compare_documents(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Finding]:
    """Compare two bundles, or two published descriptions, given as data.

    Raises:
        SchemaError: A part that is compared cannot be read.
    """
    return compare_descriptions(Description(old), Description(new), ()).findings


def compare_sides(old: Description, new: Description, known: Sequence[Operation]) -> Report:
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
    if not result.agreed and not result.findings:
        raise UnreadableError(
            f"{old.name} and {new.name}: neither describes an operation that we know."
        )
    return Report(result.findings, old.name, new.name)


def _compare_with_itself(side: Description, known: Sequence[Operation]) -> None:
    try:
        compare_descriptions(side, side, known)
    except SchemaError as error:
        raise UnreadableError(f"{side.name}: {error}") from None


def compare_descriptions(
    old: Description, new: Description, known: Sequence[Operation], *, locate: Locate | None = None
) -> ComparisonResult:
    """Compare two descriptions.

    Args:
        old: The earlier one.
        new: The later one.
        known: The operations to look for in a published description. All operations of a bundle
            are compared.
        locate: Returns the file and line of a place in the old description.
    """
    wanted = {one.signature: one for one in known}
    for side in (new, old):
        if side.ours:
            wanted |= {one.signature: one for one in side.operations}
    result = ComparisonResult([], {})
    for one in wanted.values():
        before, after = old.find(one), new.find(one)
        if before is not None and after is not None:
            compare_operation(before, after, old, new, one.id, result, locate=locate)
        elif before is not None or after is not None:
            note_missing_operation(before, after, old, new, result, locate=locate)
    result.findings[:] = ordered(result.findings)
    return result


def note_missing_operation(
    before: Operation | None,
    after: Operation | None,
    old: Description,
    new: Description,
    result: ComparisonResult,
    *,
    locate: Locate | None = None,
) -> None:
    """Add a finding for an operation that only one side has."""
    one = before or after
    here = Comparison(one.id if one else "", old.reader, new.reader, locate)
    change: Change = "added" if before is None else "removed"
    shown = (before and before.title, after and after.title)
    verdict = severity_of_operation("operation", change)
    here.note(verdict, "operation", "", shown, before.at if before else None)
    result.findings.extend(here.findings)


def compare_operation(
    old: Operation,
    new: Operation,
    old_side: Description,
    new_side: Description,
    name: str,
    result: ComparisonResult,
    *,
    locate: Locate | None = None,
) -> None:
    """Compare one operation, and add the findings under the operation id `name`."""
    here = Comparison(name, old_side.reader, new_side.reader, locate)
    OperationComparison(here, old, new, old_side, new_side).compare()
    # Several responses may be compared with one; the same difference is reported once.
    result.findings.extend({repr(one): one for one in here.findings}.values())
    different = {(one.pointer, one.kind) for one in here.findings}
    result.agreed[name] = [one for one in here.agreed if (one.pointer, one.kind) not in different]
