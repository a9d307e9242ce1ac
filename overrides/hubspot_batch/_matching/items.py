"""What is known of the inputs of a request, and what its answer says, before they are tied.

This module decides nothing: it is what `ties` looks at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from attrs import define, field

from hubspot_batch._json import read, split
from hubspot_batch.outcomes import OutcomeError


# A frozen class takes twice as long to make.
@define
class Entry:
    """An input on its way; nothing of it is changed any more.

    Attributes:
        index: Its position.
        input: What was given.
        text: What is sent, as JSON text.
        key: What an answer can name it by, a record's id or a trace id; None where there is none.
        found: What is sent, as `shapes` found it; None where it did not, or nobody will look at it.
    """

    index: int
    input: object
    text: bytes
    key: str | None
    found: Any = None

    @property
    def name(self) -> str | int:
        """What tells it apart from the others in a request."""
        return self.index if self.key is None else self.key

    @property
    def wire(self) -> dict[str, Any]:
        """What is sent, as a JSON object."""
        wire: dict[str, Any] = read(self.text)
        return wire


@define(eq=False)
class Entries:
    """The inputs of a request, in columns of the same length.

    An object for each is made only where one is looked at by itself; that takes as long as all else
    that is done for an input.

    Attributes:
        indexes, inputs, keys, found: What an `Entry` has, of each.
        array: What is sent for all of them, as a JSON array; None where it is not written.
    """

    indexes: Sequence[int]
    inputs: Sequence[object]
    keys: Sequence[str | None]
    found: Sequence[Any]
    array: bytes | None = None
    _texts: Sequence[bytes] | None = field(default=None, alias="texts")

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Entries:
        """Return inputs that were prepared one by one."""
        all_ = [*entries]
        return cls(
            [entry.index for entry in all_],
            [entry.input for entry in all_],
            [entry.key for entry in all_],
            [entry.found for entry in all_],
            texts=[entry.text for entry in all_],
        )

    @property
    def texts(self) -> Sequence[bytes]:
        """What is sent for each, as JSON text."""
        if self._texts is None:
            self._texts = split(self.array or b"[]")
        return self._texts

    @property
    def names(self) -> list[str | int]:
        """What tells each apart from the others in a request."""
        pairs = zip(self.indexes, self.keys, strict=True)
        return [index if key is None else key for index, key in pairs]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.indexes)

    def __getitem__(self, at: int) -> Entry:
        """Return one."""
        return Entry(
            *(self.indexes[at], self.inputs[at], self.texts[at], self.keys[at], self.found[at])
        )

    def __iter__(self) -> Iterator[Entry]:
        """Return one after the other."""
        return map(Entry, self.indexes, self.inputs, self.texts, self.keys, self.found)


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
