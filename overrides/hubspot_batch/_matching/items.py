"""The inputs of a request, and what its response reports, before they are matched.

This module decides nothing: it holds the values that `match` compares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from attrs import define

from hubspot_batch._json import read
from hubspot_batch.outcomes import OutcomeError


@define(eq=False)  # a frozen class takes twice as long to make
class EncodedInput:
    """An input as it is sent. Immutable.

    Attributes:
        index: Its position among the inputs of the run.
        input: The input as the caller gave it.
        text: Its JSON text.
        key: The id or trace id by which a response can name it; None if it has none.
    """

    index: int
    input: object
    text: bytes
    key: str | None

    @property
    def identity(self) -> str | int:
        """The key, or the position of an input without one: distinct within a request."""
        return self.index if self.key is None else self.key

    @property
    def wire(self) -> dict[str, Any]:
        """The JSON object that is sent."""
        wire: dict[str, Any] = read(self.text)
        return wire


class Results(NamedTuple):
    """The results of a response, in lists of the same length.

    Attributes:
        values: The results as the server gave them.
        ids: The ids of the records; None where a result has none.
        keys: The keys by which they name their inputs; None where a result names none.
        properties_of: Returns the property values that a result repeats.
    """

    values: Sequence[Any] = ()
    ids: Sequence[str | None] = ()
    keys: Sequence[str | None] = ()
    properties_of: Callable[[Any], Mapping[str, Any]] = lambda _: {}


class ItemError(NamedTuple):
    """An error that the server reported for some inputs, and the keys that it names them by."""

    error: OutcomeError
    keys: frozenset[str]
