"""What a comparison says: one finding for each thing that is not the same.

Decides what a finding consists of, how it is ordered and how it is written as JSON. Never decides
what is a difference, or how much it matters.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import Any

from attrs import frozen


class Severity(IntEnum):
    """How much a difference matters to a program that was written for the old side."""

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
        pointer: Where it is, as a JSON pointer (RFC 6901) into the operation with its references
            written out. The first part is the direction or the aspect: `/request/...` is the JSON
            body of the request, `/response/2XX/...` that of an answer, `/query/NAME` a parameter;
            `/path`, `/scopes` and the like stand alone.
        kind: What it is about, such as `field`, `type`, `enum`, `limit`.
        severity: How much it matters.
        was, now: The two sides, as JSON; None where a side has nothing there.
        why: Why it has this severity, as a sentence.
        file, line: What to edit in our fragments, where one side is ours; else None.
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
        """`request`, `response`, or `operation` for what is about both."""
        if self.pointer == "/path":
            return "operation"
        return _DIRECTIONS.get(self.pointer[1:].split("/")[0], "operation")

    @property
    def spot(self) -> str:
        """The field or parameter that it is about, for people, such as `inputs[].to.id`."""
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
        """The fragment and the line to edit, as editors take it."""
        return None if self.file is None else f"{self.file}:{self.line}"

    def json(self) -> dict[str, Any]:
        """The finding as the command prints it; names are never taken back, only added."""
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


_DIRECTIONS = {
    **dict.fromkeys(("request", "query", "path", "header", "cookie"), "request"),
    "response": "response",
}


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """By operation, then what matters most first, then by place."""
    return sorted(findings, key=lambda one: (one.operation, one.severity, one.pointer, one.kind))
