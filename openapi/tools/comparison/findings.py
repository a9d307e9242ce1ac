"""The findings of a comparison, and how much each one matters.

Decides what a finding consists of, whether a changed value allows less or more than before, and the
severity of every change. The severity answers one question: can a program that worked before fail
now? In a request, that is what the server accepted and may now refuse. In a response, it is what a
program could rely on and no longer can. Enumerations in responses are open in this client, so
their values may come and go.

It does not look for differences: compare_operation.py and compare_schema.py do.
"""

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Any, Literal, TypeAlias

from attrs import frozen

Direction: TypeAlias = Literal["request", "response"]
Change: TypeAlias = Literal["added", "removed", "narrower", "wider", "other"]


class Severity(IntEnum):
    """The effect of a difference on a program that was written for the old side."""

    BREAKING = 0
    ADDITIVE = 1
    WORDING = 2

    def __str__(self) -> str:
        return self.name.lower()


@frozen(kw_only=True)
class Finding:
    """One difference, at one operation.

    Attributes:
        operation: The operation's id, as the fragments name it.
        pointer: The place, as a JSON pointer (RFC 6901) into the operation with its references
            resolved. The first part is the direction or the aspect: `/request/...` is the JSON
            body of the request, `/response/2XX/...` that of a response, `/query/NAME` a parameter.
            `/path`, `/scopes` and similar aspects have one part.
        kind: The subject, such as `field`, `type`, `enum`, `limit`.
        severity: How much it matters.
        was, now: The two sides, as JSON; None where a side has nothing there.
        why: The reason for this severity, as a sentence.
        file, line: The place to edit in our fragments, if one side is ours; else None.
    """

    operation: str
    pointer: str
    kind: str
    severity: Severity
    was: Any = None
    now: Any = None
    why: str = ""
    file: str | None = None
    line: int | None = None

    @property
    def direction(self) -> str:
        """`request`, `response`, or `operation` for both."""
        if self.pointer == "/path":
            return "operation"
        return _DIRECTIONS.get(self.pointer[1:].split("/")[0], "operation")

    @property
    def spot(self) -> str:
        """The field or parameter in a readable form, such as `inputs[].to.id`."""
        parts = [part.replace("~1", "/").replace("~0", "~") for part in self.pointer.split("/")]
        if self.direction == "operation":
            return ""
        if parts[1] not in ("request", "response"):
            return parts[2]
        parts = parts[2 if parts[1] == "request" else 3 :]
        spot = ""
        while parts:
            keyword = parts.pop(0)
            if keyword == "properties" and parts:
                spot += f".{parts.pop(0)}"
            else:
                spot += {"items": "[]", "additionalProperties": "{}"}.get(keyword, "")
        return spot.removeprefix(".")

    @property
    def place(self) -> str | None:
        """The fragment and the line to edit, in the form that editors open: `FILE:LINE`."""
        return None if self.file is None else f"{self.file}:{self.line}"

    def json(self) -> dict[str, Any]:
        """Return the finding as `--json` prints it. Keys are added, and never removed."""
        return {
            "operation": self.operation,
            "pointer": self.pointer,
            "kind": self.kind,
            "severity": str(self.severity),
            "was": self.was,
            "now": self.now,
            "direction": self.direction,
            "why": self.why,
            "file": self.file,
            "line": self.line,
        }


@frozen
class Report:
    """The findings, the names of the two sides, and notes for the reader."""

    findings: list[Finding]
    old: str
    new: str
    notes: tuple[str, ...] = ()


_DIRECTIONS = {
    **dict.fromkeys(("request", "query", "path", "header", "cookie"), "request"),
    "response": "response",
}


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Sort by operation, then by severity (the worst first), then by place."""
    return sorted(findings, key=lambda one: (one.operation, one.severity, one.pointer, one.kind))


# ---------------------------------------------------------------- narrower or wider

DATES = ("date-time", "date")
# The generated models have a Python type for these; any other format is a str or a number.
_TYPED = (*DATES, "uuid", "binary")
_SIZES = ("int32", "int64", None)  # from the smallest range to the largest
_AT_MOST = ("maxItems", "maxLength", "maximum", "exclusiveMaximum", "maxProperties")
_AT_LEAST = ("minItems", "minLength", "minimum", "exclusiveMinimum", "minProperties")


def change_of_presence(had: bool, has: bool) -> Change:
    """Classify the appearance or disappearance of something."""
    return "other" if had == has else "added" if has else "removed"


def change_of_kinds(old: frozenset[str], new: frozenset[str]) -> Change:
    """Classify a change of the JSON types that a value may have; an empty set means any type."""
    if not new:
        return "wider"
    if not old:
        return "narrower"
    old, new = _with_integers(old), _with_integers(new)
    return "wider" if old < new else "narrower" if new < old else "other"


def _with_integers(kinds: frozenset[str]) -> frozenset[str]:
    return kinds | {"integer"} if "number" in kinds else kinds


def change_of_format(old: str | None, new: str | None, way: Direction) -> Change:
    """Classify a change of format; in a response, only a change of the Python type counts."""
    if old in _SIZES and new in _SIZES:
        wider = _SIZES.index(new) > _SIZES.index(old)
        # An integer of any size is an int in Python, so a response may grow.
        return "wider" if wider and way == "request" else "narrower"
    if way == "request":
        return "wider" if new is None else "narrower"
    if old in _TYPED or new in _TYPED:
        return change_of_presence(old is not None, new is not None)
    return "narrower"


def change_of_rule(name: str, old: Any, new: Any) -> Change:
    """Classify a change of a keyword such as `maxLength`."""
    if old is None or new is None:
        return "narrower" if old is None else "wider"
    if name not in (*_AT_MOST, *_AT_LEAST) or not _is_number(old) or not _is_number(new):
        return "other"
    return "narrower" if (new < old) == (name in _AT_MOST) else "wider"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# ---------------------------------------------------------------- severity

Verdict: TypeAlias = tuple[Severity, str]

_BREAKING, _ADDITIVE = Severity.BREAKING, Severity.ADDITIVE

REWORDED: Verdict = (Severity.WORDING, "Only the words are different.")

UNREADABLE: Verdict = (
    _BREAKING,
    "This part cannot be read, so it was not compared: it may have changed in any way.",
)

_REFUSES = "The server may refuse what it accepted before."
_TAKES = "The server accepts all that it accepted before, and more."
_RELIED = "A program can no longer rely on this in a response."
_FEWER = "All values that come now could come before."
_UNFILLED = "The client fills in no default."
_OPEN = "Programs must accept unknown values in responses: the client passes them on."

_VERDICTS: Mapping[Direction, Mapping[tuple[str, Change], Verdict]] = {
    "request": {
        ("field", "added"): (_ADDITIVE, "It can be left out."),
        ("field", "removed"): (_BREAKING, "The server no longer accepts it."),
        ("required", "added"): (
            _BREAKING,
            "Without it the server refuses what it accepted before.",
        ),
        ("required", "removed"): (_ADDITIVE, "It can be left out now."),
        ("parameter", "added"): (_ADDITIVE, "It can be left out."),
        ("parameter", "removed"): (_BREAKING, "The server no longer accepts it."),
        ("enum", "added"): (_ADDITIVE, _TAKES),
        ("default", "added"): (_ADDITIVE, "It says what happens if no value is given."),
        ("default", "removed"): (_BREAKING, "The effect of giving no value may be different."),
        ("default", "other"): (_BREAKING, "The effect of giving no value is different."),
        ("style", "other"): (_BREAKING, "The value is written in another way."),
        ("*", "narrower"): (_BREAKING, _REFUSES),
        ("*", "removed"): (_BREAKING, _REFUSES),
        ("*", "other"): (_BREAKING, _REFUSES),
        ("*", "wider"): (_ADDITIVE, _TAKES),
        ("*", "added"): (_ADDITIVE, _TAKES),
    },
    "response": {
        ("field", "added"): (_ADDITIVE, "A program that does not know it ignores it."),
        ("field", "removed"): (_BREAKING, "A program that reads it finds nothing."),
        ("required", "added"): (_ADDITIVE, "It is always there now."),
        ("required", "removed"): (_BREAKING, "A program that reads it may find nothing."),
        ("enum", "added"): (_ADDITIVE, _OPEN),
        ("enum", "removed"): (_ADDITIVE, _FEWER),
        ("enum", "wider"): (_ADDITIVE, _OPEN),
        ("open", "wider"): (_ADDITIVE, _OPEN),
        ("status", "added"): (_ADDITIVE, "The client looks only at the class of a status."),
        ("status", "removed"): (_BREAKING, "A program that expects this status never gets it."),
        ("status", "narrower"): (_ADDITIVE, "The client looks only at the class of a status."),
        ("status", "wider"): (_ADDITIVE, "The client looks only at the class of a status."),
        ("error", "added"): (_ADDITIVE, "The client looks only at the class of a status."),
        ("error", "removed"): (_ADDITIVE, "The client looks only at the class of a status."),
        ("default", "added"): (_ADDITIVE, _UNFILLED),
        ("default", "removed"): (_ADDITIVE, _UNFILLED),
        ("default", "other"): (_ADDITIVE, _UNFILLED),
        ("format", "added"): (_BREAKING, "The value gets another type in Python."),
        ("format", "removed"): (_BREAKING, "The value gets another type in Python."),
        ("format", "other"): (_BREAKING, "The value gets another type in Python."),
        ("format", "narrower"): (_ADDITIVE, "The value keeps its type in Python."),
        ("*", "narrower"): (_ADDITIVE, _FEWER),
        ("*", "removed"): (_ADDITIVE, _FEWER),
        ("*", "wider"): (_BREAKING, _RELIED),
        ("*", "added"): (_BREAKING, _RELIED),
        ("*", "other"): (_BREAKING, _RELIED),
    },
}

_OF_OPERATIONS: Mapping[tuple[str, Change], Verdict] = {
    ("operation", "added"): (_ADDITIVE, "Nothing else is different."),
    ("operation", "removed"): (_BREAKING, "Calls to it fail."),
    ("path", "other"): (_BREAKING, "A request to the old path may fail."),
    ("method", "other"): (_BREAKING, "A request with the old method fails."),
    ("server", "removed"): (_BREAKING, "A request to the old address may fail."),
    ("server", "added"): (_ADDITIVE, "The old address is still there."),
    ("scopes", "narrower"): (_BREAKING, "A token that was enough before is refused."),
    ("scopes", "wider"): (_ADDITIVE, "Every token that was enough before is still enough."),
    ("name", "other"): (_BREAKING, "Functions and methods of the client are named after it."),
    ("deprecated", "added"): (_ADDITIVE, "It still works, but will be removed."),
    ("deprecated", "removed"): (_ADDITIVE, "It will not be removed."),
    ("content", "added"): (_ADDITIVE, "It is one more form to choose from."),
    ("content", "removed"): (_BREAKING, "The body is no longer accepted or sent in this form."),
}


def severity_of_value(kind: str, change: Change, way: Direction) -> Verdict:
    """Return the severity of a change in what a value may be, and the reason."""
    if kind in ("deprecated", "content"):
        return _OF_OPERATIONS[kind, change]
    table = _VERDICTS[way]
    return table.get((kind, change)) or table["*", change]


def severity_of_operation(kind: str, change: Change) -> Verdict:
    """Return the severity of a change of an operation as a whole, and the reason."""
    return _OF_OPERATIONS[kind, change]
