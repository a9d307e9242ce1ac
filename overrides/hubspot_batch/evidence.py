"""What is known of the inputs of a request, and what its answer says, before they are tied.

This module decides nothing: it is what `ties` looks at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from attrs import define

from .documents import read, split
from .outcomes import OutcomeError


@define(slots=False)
class Array:
    """The JSON array that is sent for inputs; it is taken apart when one is needed by itself.

    Attributes:
        text: The array.
        first: The position of the first input.
    """

    text: bytes
    first: int

    @cached_property
    def items(self) -> list[bytes]:
        """What is sent for each input, as JSON text."""
        return split(self.text)


# A frozen class takes twice as long to make, and there is one of these for each input.
@define
class Entry:
    """An input on its way; nothing of it is changed any more.

    Attributes:
        index: Its position.
        input: What was given.
        key: What an answer can name it by, a record's id or a trace id; None where there is none.
        found: What is sent, as `shapes` found it; None where it did not, or nobody will look at it.
    """

    index: int
    input: object
    _text: bytes | Array
    key: str | None
    found: Any = None

    @property
    def text(self) -> bytes:
        """What is sent, as JSON text."""
        text = self._text
        return text.items[self.index - text.first] if isinstance(text, Array) else text

    @property
    def name(self) -> str | int:
        """What tells it apart from the others in a request."""
        return self.index if self.key is None else self.key

    @property
    def wire(self) -> dict[str, Any]:
        """What is sent, as a JSON object."""
        wire: dict[str, Any] = read(self.text)
        return wire


def names_of(entries: Iterable[Entry]) -> list[str | int]:
    """Return what tells inputs apart from the others in a request."""
    return [entry.index if entry.key is None else entry.key for entry in entries]


class Results(NamedTuple):
    """The results of an answer, with the evidence that they carry, in lists of the same length.

    Attributes:
        values: The results as the server gave them.
        ids: The ids of the records; None where one has none.
        keys: The keys by which they name their inputs; None where one names none.
        properties_of: Returns the property values that a result repeats.
    """

    values: Sequence[Any] = ()
    ids: Sequence[str | None] = ()
    keys: Sequence[str | None] = ()
    properties_of: Callable[[Any], Mapping[str, Any]] = lambda _: {}


class Refusal(NamedTuple):
    """An error that the server reported of some inputs, and the keys that it names them by."""

    error: OutcomeError
    keys: frozenset[str]
