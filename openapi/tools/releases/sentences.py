"""How a difference is told in the changelog: one line each, or one for many that are alike.

Decides the words. Never decides what is a difference, or how much it matters.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from attrs import frozen
from comparison.findings import Finding, Severity, ordered
from generation.yaml_source import is_list

MARK = "**Breaking:** "
_FEW = 3  # things that a line names one by one
_LONGEST = 60  # what a value may take of a line
_SIDES = {"request": "a request", "response": "an answer", "operation": ""}


@frozen
class Note:
    """A line of the changelog, and how much it matters."""

    severity: Severity
    text: str

    def __str__(self) -> str:
        return f"- {MARK if self.severity is Severity.BREAKING else ''}{self.text}"


# ---------------------------------------------------------------- the description


def of_description(findings: Iterable[Finding]) -> list[Note]:
    """A line for each finding, by operation; what is only worded differently is counted."""
    found = ordered(findings)
    notes = [
        Note(one.severity, f"`{one.operation}`: {_sentence(one)}")
        for one in found
        if one.severity is not Severity.WORDING
    ]
    if count := len(found) - len(notes):
        places = "one place" if count == 1 else f"{count} places"
        notes.append(Note(Severity.WORDING, f"The description is worded differently in {places}."))
    return notes


def _sentence(finding: Finding) -> str:
    where, place = _SIDES[finding.direction], finding.spot
    what = " ".join([finding.kind.replace("_", " "), *([f"`{place}`"] if place else [])])
    was: Any = finding.was
    now: Any = finding.now
    if finding.kind == "limit" and _is_number(was, now) and place == "inputs":
        return f"{where} takes {now} inputs at most, it was {was}."
    inside = f" of {where}" if where else ""
    if is_list(was) and is_list(now):
        said = _lists(was, now)
    elif was is None:
        said = f" is new{_shown(': ', now)}."
    elif now is None:
        said = f" is gone{_shown(' (it was ', was, ')')}."
    elif _short(was) and _short(now):
        said = f" is {_short(now)}, it was {_short(was)}."
    else:
        said = " is another."
    why = f" {finding.why}" if finding.why and finding.severity is Severity.BREAKING else ""
    return f"the {what}{inside}{said}{why}"


def _lists(was: list[Any], now: list[Any]) -> str:
    fresh = [_short(one) for one in now if one not in was]
    gone = [_short(one) for one in was if one not in now]
    if (not fresh and not gone) or not all([*fresh, *gone]):
        return " is another."
    said = [f"{', '.join(fresh)} new"] if fresh else []
    said += [f"{', '.join(gone)} gone"] if gone else []
    return f": {'; '.join(said)}."


def _shown(before: str, value: Any, after: str = "") -> str:
    short = _short(value)
    return f"{before}{short}{after}" if short else ""


def _short(value: Any) -> str:
    """A value as text, or nothing where there is none or it would be long."""
    if is_list(value):
        parts = [_short(part) for part in value]
        text = ", ".join(parts) if all(parts) else ""
    elif isinstance(value, bool):
        text = "`true`" if value else "`false`"
    elif isinstance(value, int | float):
        text = str(value)
    else:
        text = f"`{value}`" if isinstance(value, str) else ""
    return text if len(text) <= _LONGEST and text.isprintable() else ""


def _is_number(*values: object) -> bool:
    return all(isinstance(value, int) and not isinstance(value, bool) for value in values)


# ---------------------------------------------------------------- the packages


@frozen(order=True)
class Change:
    """One difference, at a public name of the packages."""

    path: str
    severity: Severity
    text: str

    def __str__(self) -> str:
        return f"`{self.path.removesuffix('.__init__')}`{self.text}"


def of_face(changes: Iterable[Change]) -> list[Note]:
    """A line for each change at a public name, or one where many classes have the same."""
    alike: dict[tuple[object, ...], list[Change]] = defaultdict(list)
    for change in changes:
        thing, _, member = change.path.rpartition(".")
        in_a_class = thing.rpartition(".")[2][:1].isupper()
        alike[change.severity, change.text, member if in_a_class else change.path].append(change)
    return [note for group in alike.values() for note in _told(group)]


def _told(group: list[Change]) -> Iterator[Note]:
    if len(group) <= _FEW:
        yield from (Note(change.severity, str(change)) for change in group)
    else:
        others = f" The same is true of {len(group) - 1} other classes."
        yield Note(group[0].severity, str(group[0]) + others)
