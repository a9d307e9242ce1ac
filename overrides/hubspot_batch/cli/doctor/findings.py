"""A finding of `doctor`: a sentence, and the values that it is made of.

This module decides what the states of a finding are. No finding holds the token, a password or a
header's value.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from attrs import field, frozen


class CheckState(StrEnum):
    """How a finding is meant."""

    OK = "ok"
    NOTE = "note"
    """Something to know, which need not be wrong."""
    FAILED = "failed"
    """A load cannot work like this, or not for this operation."""
    SKIPPED = "skipped"
    """It could not be looked at."""


@frozen
class CheckResult:
    """One thing that was looked at.

    Attributes:
        name: Its name, which stays the same from version to version.
        state: How it is meant.
        message: A sentence for people.
        values: The values in it, for programs.
    """

    name: str
    state: CheckState
    message: str
    values: Mapping[str, Any] = field(factory=dict[str, Any])

    def to_dict(self) -> dict[str, Any]:
        """Return it in a form that JSON can hold."""
        return {
            "name": self.name,
            "state": str(self.state),
            "message": self.message,
            **self.values,
        }
