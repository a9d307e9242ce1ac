"""What is different between two descriptions, operation by operation.

Decides which operations are compared with which. Never decides what is different between two of
them (compare_operation.py).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import frozen
from generation.yaml_source import Pointer

from .compare_operation import Pair
from .compare_schema import Comparison, Statement
from .description import Description, Operation
from .findings import Change, Finding, ordered, severity_of_operation

Place = Callable[[Pointer], tuple[str, int]]


@frozen
class Compared:
    """What came of it: what is different, and what both sides say alike."""

    findings: list[Finding]
    agreed: dict[str, list[Statement]]


def documents(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Finding]:
    """Compare two bundles, or two published descriptions, given as data.

    Raises:
        SchemaError: A part that has to be looked into cannot be read.
    """
    return descriptions(Description(old), Description(new), ()).findings


def descriptions(
    old: Description, new: Description, known: Sequence[Operation], *, place: Place | None = None
) -> Compared:
    """Compare two descriptions.

    Args:
        known: Operations that are looked for in a published description. All of those of a bundle
            are looked at.
        place: The file and line of a place in the old one.
    """
    looked_for = {one.signature: one for one in known}
    for side in (new, old):
        if side.ours:
            looked_for |= {one.signature: one for one in side.operations}
    compared = Compared([], {})
    for one in looked_for.values():
        before, after = old.find(one), new.find(one)
        if before is not None and after is not None:
            operation(before, after, old, new, one.id, compared, place=place)
        elif before is not None or after is not None:
            lone(before, after, old, new, compared, place=place)
    compared.findings[:] = ordered(compared.findings)
    return compared


def lone(
    before: Operation | None,
    after: Operation | None,
    old: Description,
    new: Description,
    compared: Compared,
    *,
    place: Place | None = None,
) -> None:
    """Note an operation that one side has, and the other has not."""
    one = before or after
    here = Comparison(one.id if one else "", old.reader, new.reader, place)
    change: Change = "added" if before is None else "removed"
    shown = (before and before.title, after and after.title)
    verdict = severity_of_operation("operation", change)
    here.note(verdict, "operation", "", shown, before.at if before else None)
    compared.findings.extend(here.findings)


def operation(
    old: Operation,
    new: Operation,
    old_side: Description,
    new_side: Description,
    name: str,
    compared: Compared,
    *,
    place: Place | None = None,
) -> None:
    """Compare one operation, and add what is found."""
    here = Comparison(name, old_side.reader, new_side.reader, place)
    Pair(here, old, new, old_side, new_side).compare()
    # Several answers are compared with one: what is different in each is told once.
    compared.findings.extend({repr(one): one for one in here.findings}.values())
    told = {(one.pointer, one.kind) for one in here.findings}
    compared.agreed[name] = [one for one in here.agreed if (one.pointer, one.kind) not in told]
