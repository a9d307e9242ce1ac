"""An input in doubt, and the findings of a look-up.

These types are shared by all kinds of evidence.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, NamedTuple, Protocol

from hubspot_batch.outcomes.traces import Attempted, Mark

from .endpoints import FoundRecord
from .steps import Step


class DoubtfulInput(NamedTuple):
    """An input in doubt.

    Attributes:
        place: Its place among the outcomes.
        properties: What was sent of it, the values that the run filled in included.
        attempted: When its request was under way; None if that is not known here.
        mark: By which value its record is found; None if by none.
        refused: Whether the server refused it, since a record has its key.
    """

    place: int
    properties: dict[str, Any]
    attempted: Attempted | None
    mark: Mark | None = None
    refused: bool = False

    @property
    def end(self) -> float:
        """When its request was given up."""
        if self.attempted is None or self.attempted.given_up is None:
            return 0.0
        return self.attempted.given_up


class Findings(NamedTuple):
    """The findings of a look-up, by the places of inputs.

    Attributes:
        done: The inputs that were done, each with its record where that is certain.
        disputed: Inputs with the records that may belong to them or to other inputs.
        unclaimed: The records that belong to one of the inputs, but not certainly to which.
        absent: The inputs that were certainly not done, each with the time of the last read, in
            seconds after its request was given up.
    """

    done: dict[int, FoundRecord | None]
    disputed: dict[int, tuple[FoundRecord, ...]]
    unclaimed: tuple[FoundRecord, ...]
    absent: dict[int, float]


class LookupStrategy(Protocol):
    """The look-up of those inputs that have the same kind of evidence.

    Attributes:
        evidence: The kind, as outcomes name it.
        doubts: The inputs.
        found: What was found.
        complete_at: When the last complete look began; None before.
        failure: Why the last look brought nothing; empty if it brought something.
    """

    evidence: str
    doubts: Sequence[DoubtfulInput]
    found: Findings
    complete_at: float | None
    failure: str

    def look(self, now: float) -> Generator[Step, tuple[float, Any], float]:
        """Look once; return the time.

        Raises:
            FailedError: The look brought nothing.
        """
        ...

    @property
    def settled(self) -> bool:
        """Whether another look would bring nothing more."""
        ...
