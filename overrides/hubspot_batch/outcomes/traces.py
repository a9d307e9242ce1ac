"""The traces of an input that may have been done; they find its record.

This module decides the form of it: when its request was under way, and which values its record has
and no other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple


class Attempted(NamedTuple):
    """When a request was under way, in seconds of the clock of the client that sent it.

    Another process has another clock, so this is lost by pickling and becomes None.

    Attributes:
        first: When its first attempt started.
        given_up: When the last one ended; None if it was given up while it was under way.
    """

    first: float
    given_up: float | None

    def __reduce__(self) -> tuple[Any, ...]:
        return type(None), ()


class Mark(NamedTuple):
    """A value that distinguishes the record of an input from all others.

    Attributes:
        property: The property that holds it.
        value: The value.
        unique: Whether the server lets no two records have the same value.
        ours: Whether the run made it; then no input of another run has it.
    """

    property: str
    value: str
    unique: bool
    ours: bool


def write_marks(marks: Iterable[Mark]) -> str:
    """Return the JSON text of marks."""
    return json.dumps([[*mark] for mark in marks])


def read_marks(text: str | None) -> tuple[Mark, ...]:
    """Return the marks of a JSON text."""
    return () if text is None else tuple([Mark(*one) for one in json.loads(text)])
