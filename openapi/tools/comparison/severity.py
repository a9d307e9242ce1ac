"""How much a difference matters to a program that was written for the old side.

Decides it by one question: can a program that worked before fail now? In a request that is what
the server took and may refuse; in an answer it is what a program could count on and no longer
can. Enumerations of answers are open in this client, so values may come and go there.
"""

from collections.abc import Mapping
from typing import TypeAlias

from .changes import Change, Way
from .findings import Severity

Verdict: TypeAlias = tuple[Severity, str]

_BREAKING, _ADDITIVE = Severity.BREAKING, Severity.ADDITIVE

WORDING: Verdict = (Severity.WORDING, "It is said in other words; nothing else is different.")

_REFUSES = "The server may refuse what it took before."
_TAKES = "The server takes all that it took before, and more."
_COUNTED = "What a program could count on in an answer need not hold any more."
_FEWER = "All that comes now could come before."
_UNFILLED = "Nothing is filled in by the client."
_OPEN = "Programs must bear unknown values in answers: the client treats them as values."

_VERDICTS: Mapping[Way, Mapping[tuple[str, Change], Verdict]] = {
    "request": {
        ("field", "added"): (_ADDITIVE, "It can be left out."),
        ("field", "removed"): (_BREAKING, "The server does not take it any more."),
        ("required", "added"): (_BREAKING, "Without it the server refuses what it took before."),
        ("required", "removed"): (_ADDITIVE, "It can be left out now."),
        ("parameter", "added"): (_ADDITIVE, "It can be left out."),
        ("parameter", "removed"): (_BREAKING, "The server does not take it any more."),
        ("enum", "added"): (_ADDITIVE, _TAKES),
        ("default", "added"): (_ADDITIVE, "It says what happens where nothing is given."),
        ("default", "removed"): (_BREAKING, "What happens where nothing is given may be another."),
        ("default", "other"): (_BREAKING, "What happens where nothing is given is another."),
        ("style", "other"): (_BREAKING, "The value is written in another way."),
        ("*", "narrower"): (_BREAKING, _REFUSES),
        ("*", "removed"): (_BREAKING, _REFUSES),
        ("*", "other"): (_BREAKING, _REFUSES),
        ("*", "wider"): (_ADDITIVE, _TAKES),
        ("*", "added"): (_ADDITIVE, _TAKES),
    },
    "response": {
        ("field", "added"): (_ADDITIVE, "A program that does not know it is not disturbed."),
        ("field", "removed"): (_BREAKING, "A program that reads it finds nothing."),
        ("required", "added"): (_ADDITIVE, "It is always there now."),
        ("required", "removed"): (_BREAKING, "A program that reads it may find nothing."),
        ("enum", "added"): (_ADDITIVE, _OPEN),
        ("enum", "removed"): (_ADDITIVE, _FEWER),
        ("enum", "wider"): (_ADDITIVE, _OPEN),
        ("open", "wider"): (_ADDITIVE, _OPEN),
        ("status", "added"): (_ADDITIVE, "The client goes by the class of a status."),
        ("status", "removed"): (_BREAKING, "A program that waits for this status waits in vain."),
        ("status", "narrower"): (_ADDITIVE, "The client goes by the class of a status."),
        ("status", "wider"): (_ADDITIVE, "The client goes by the class of a status."),
        ("error", "added"): (_ADDITIVE, "The client takes any status for what its class says."),
        ("error", "removed"): (_ADDITIVE, "The client takes any status for what its class says."),
        ("default", "added"): (_ADDITIVE, _UNFILLED),
        ("default", "removed"): (_ADDITIVE, _UNFILLED),
        ("default", "other"): (_ADDITIVE, _UNFILLED),
        ("format", "added"): (_BREAKING, "The value becomes one of another type in programs."),
        ("format", "removed"): (_BREAKING, "The value becomes one of another type in programs."),
        ("format", "other"): (_BREAKING, "The value becomes one of another type in programs."),
        ("format", "narrower"): (_ADDITIVE, "The value is of the same type in programs."),
        ("*", "narrower"): (_ADDITIVE, _FEWER),
        ("*", "removed"): (_ADDITIVE, _FEWER),
        ("*", "wider"): (_BREAKING, _COUNTED),
        ("*", "added"): (_BREAKING, _COUNTED),
        ("*", "other"): (_BREAKING, _COUNTED),
    },
}

_OF_OPERATIONS: Mapping[tuple[str, Change], Verdict] = {
    ("operation", "added"): (_ADDITIVE, "Nothing that was there is different."),
    ("operation", "removed"): (_BREAKING, "There is nothing to call any more."),
    ("path", "other"): (_BREAKING, "A request to the old path need not be answered any more."),
    ("method", "other"): (_BREAKING, "A request with the old method is not answered any more."),
    ("server", "removed"): (_BREAKING, "A request to the old address need not be answered."),
    ("server", "added"): (_ADDITIVE, "The old address is still there."),
    ("scopes", "narrower"): (_BREAKING, "A token that was enough before is refused."),
    ("scopes", "wider"): (_ADDITIVE, "Every token that was enough before is still enough."),
    ("name", "other"): (_BREAKING, "Functions and methods of the client are named after it."),
    ("deprecated", "added"): (_ADDITIVE, "It still works, and is to go away."),
    ("deprecated", "removed"): (_ADDITIVE, "It is to stay."),
    ("content", "added"): (_ADDITIVE, "It is one more form to choose from."),
    ("content", "removed"): (_BREAKING, "The body is not taken, or does not come, in this form."),
}


def of_value(kind: str, change: Change, way: Way) -> Verdict:
    """Return how much it matters that what a value may be has changed."""
    if kind in ("deprecated", "content"):
        return _OF_OPERATIONS[kind, change]
    table = _VERDICTS[way]
    return table.get((kind, change)) or table["*", change]


def of_operation(kind: str, change: Change) -> Verdict:
    """Return how much it matters that an operation as a whole has changed."""
    return _OF_OPERATIONS[kind, change]
