"""The intended differences between our fragments and HubSpot's documentation.

Decides which findings a deviation expects, and which deviations no longer hold. Each entry of
openapi/deviations.yaml is a finding that somebody has reviewed and that is expected from then on.
"""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal, TypeAlias

from attrs import evolve, frozen
from generation import yaml_source
from generation.yaml_source import is_list, is_map

from .compare_descriptions import ComparisonResult
from .compare_schema import Agreement
from .description import UnreadableError
from .findings import Finding, Severity, ordered

Seen: TypeAlias = Literal["page", "description"]

NAME = "deviations.yaml"
_TEXTS = ("name", "kind", "reason", "source")
_NEEDED = (*_TEXTS, "pointer")
_KEYS = (*_NEEDED, "operations", "seen", "ours", "published", "lasting")
_UNSET = object()


@frozen
class Deviation:
    """One intended difference.

    Attributes:
        name: Its name in messages.
        operations: Ids, or patterns such as `create_*`; empty for all.
        pointers, kind: As in a finding; `*` matches one name of a pointer, `**` any number.
        ours, published: The two sides of the finding; a side that is left out may be anything.
        seen: `page` or `description`, if HubSpot says it only there.
        lasting: True if it stays although both sides agree somewhere.
        reason, source: The reason, and where it was seen.
    """

    name: str
    operations: tuple[str, ...]
    pointers: tuple[str, ...]
    kind: str
    reason: str
    source: str
    file: str
    line: int
    ours: Any = _UNSET
    published: Any = _UNSET
    seen: str | None = None
    lasting: bool = False

    def is_about(self, operation: str, pointer: str, kind: str, ours: Any) -> bool:
        """Return True if it covers this place, where our side says `ours`."""
        return (
            kind == self.kind
            and any(fnmatchcase(operation, one) for one in self.operations or ("*",))
            and (self.ours is _UNSET or self.ours == ours)
            and any(_fits(one.split("/"), pointer.split("/")) for one in self.pointers)
        )

    def expects(self, published: Any) -> bool:
        """Return True if HubSpot says what it said when the deviation was noted."""
        return self.published is _UNSET or self.published == published


def _fits(pattern: Sequence[str], parts: Sequence[str]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_fits(pattern[1:], parts[count:]) for count in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _fits(pattern[1:], parts[1:])


def read(path: Path) -> list[Deviation]:
    """Read the file of deviations, or return none if it does not exist.

    Raises:
        UnreadableError: An entry has the wrong form.
    """
    if not path.exists():
        return []
    document, problems = yaml_source.read(path)
    if document is None or problems:
        raise UnreadableError(str(problems[0]))
    given = document.data.get("deviations")
    if not is_list(given) or [*document.data] != ["deviations"]:
        raise UnreadableError(f"{document.file}:1: this file has one list, `deviations`; write it.")
    return [_one(item, document, index) for index, item in enumerate(given)]


def _one(item: Any, document: yaml_source.Document, index: int) -> Deviation:
    line = document.line(("deviations", index))
    missing = [key for key in _NEEDED if not is_map(item) or key not in item]
    if missing:
        text = f"a deviation has no `{missing[0]}`; write it."
        raise UnreadableError(f"{document.file}:{line}: {text}")
    for key in item:
        if key not in _KEYS:
            text = f"a deviation has no place for `{key}`; it has {', '.join(_KEYS)}."
            raise UnreadableError(f"{document.file}:{line}: {text}")
    for key in _TEXTS:
        if not isinstance(item[key], str) or not item[key].strip():
            text = f"`{key}` of a deviation is not text; write a sentence, quoted if need be."
            raise UnreadableError(f"{document.file}:{line}: {text}")
    if item.get("seen") not in (None, "page", "description"):
        text = "`seen` is `page` or `description`; without it, both are meant."
        raise UnreadableError(f"{document.file}:{line}: {text}")
    operations, pointers = (
        tuple(map(str, given)) if is_list(given := item.get(key, [])) else (str(given),)
        for key in ("operations", "pointer")
    )
    return Deviation(
        name=item["name"],
        operations=operations,
        pointers=pointers,
        kind=item["kind"],
        reason=item["reason"],
        source=item["source"],
        file=document.file,
        line=line,
        ours=item.get("ours", _UNSET),
        published=item.get("published", _UNSET),
        lasting=item.get("lasting") is True,
        seen=item.get("seen"),
    )


def apply(deviations: Iterable[Deviation], result: ComparisonResult, seen: Seen) -> list[Finding]:
    """Return the unexpected findings, and one for each deviation that no longer holds."""
    known = [one for one in deviations if one.seen in (None, seen)]
    news: list[Finding] = []
    for finding in result.findings:
        about = [
            one
            for one in known
            if one.is_about(finding.operation, finding.pointer, finding.kind, finding.was)
        ]
        expected = [one for one in about if one.expects(finding.now)]
        if not expected:
            news.append(_changed_again(finding, about[0]) if about else finding)
    for one in known:
        for operation, agreed in () if one.lasting else result.agreed.items():
            news += _no_longer_needed(one, operation, agreed)
    return ordered(news)


def _changed_again(finding: Finding, deviation: Deviation) -> Finding:
    said = "nothing" if deviation.published is None else repr(deviation.published)
    noted = f"The deviation {deviation.name} was noted when HubSpot said {said}."
    return evolve(finding, why=f"{finding.why} {noted}")


def _no_longer_needed(
    deviation: Deviation, operation: str, agreed: Sequence[Agreement]
) -> list[Finding]:
    """Return a finding if both sides now agree, so that the deviation can be deleted."""
    for statement in agreed:
        if deviation.is_about(operation, statement.pointer, statement.kind, statement.value):
            reason = f"It was noted because: {deviation.reason}"
            return [
                Finding(
                    operation=operation,
                    pointer=statement.pointer,
                    kind="deviation",
                    severity=Severity.ADDITIVE,
                    was=deviation.published,
                    now=statement.value,
                    why=f"HubSpot says now what we say, so this deviation can go. {reason}",
                    file=deviation.file,
                    line=deviation.line,
                )
            ]
    return []
