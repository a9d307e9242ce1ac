"""What goes into one request, and how a refused one is taken apart.

This module decides what is sent for an input, under which name, and who has part in an answer. It
never decides what becomes of an input.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterable
from typing import Any, Generic, NamedTuple, TypeVar

from attrs import define, field, frozen

from hubspot_batch._json import write_array
from hubspot_batch._matching.items import Entries, Entry
from hubspot_batch._transport.request_state import Flight
from hubspot_batch.outcomes import Outcome

ResultT = TypeVar("ResultT")

# Requests that are sent at most to find the bad inputs of a refused one. HubSpot wants errors to
# stay below 5 % of a day's requests (HubSpot, API usage guidelines).
EXTRA_AT_MOST = 50


class InvalidInputError(Exception):
    """An input that cannot be valid, and why in a sentence."""


class Glimpse(NamedTuple):
    """What is sent for inputs that are all valid at first sight.

    Attributes:
        found: What is sent for each, with its key as attribute `key`: false where it has none.
        text: The JSON array of them; None where it is not written yet.
    """

    found: list[Any]
    text: bytes | None = None


@frozen
class Operation(Generic[ResultT]):
    """What the engine has to know of an operation.

    Attributes:
        id: The operation's id in the description.
        limit: Inputs to a request, at most.
        reads: Whether it changes nothing, so that one answer serves all inputs of a key.
        splits: Whether a refused request has done nothing, or may be repeated, so that its parts
            may be sent again.
        by_properties: Whether results repeat the values of their inputs.
        key_field: The field of an input that answers name it by, or None.
        keys_are_names: Whether that field is only a name for the input, so that a fresh one may be
            given, and not the id of a record.
        prepare: Turns the input at a position into what is sent, or raises `InvalidInputError`.
        glance: Returns what is sent for inputs, if all are valid at first sight; None where each
            has to be looked at.
    """

    id: str
    limit: int
    reads: bool
    splits: bool
    by_properties: bool
    key_field: str | None
    keys_are_names: bool
    prepare: Callable[[int, object], Entry]
    glance: Callable[[list[Any]], Glimpse | None]

    def prepare_all(self, first: int, given: list[Any], run_id: str) -> Entries | None:
        """Return what to send for inputs, with a name for each that needs one.

        Args:
            first: The position of the first.
            given: The inputs.
            run_id: A text that no other run has.

        Returns:
            Them with their array; None where each has to be looked at, or two share a key.
        """
        glimpse = self.glance(given)
        if glimpse is None:
            return None
        found, text = glimpse
        count = len(found)
        keys: list[str | None] = [None] * count
        if self.key_field is not None:
            keys = [one.key or None for one in found]
            if self.keys_are_names and None in keys:
                text = None
                for place, one in enumerate(found):
                    if not one.key:
                        one.key = keys[place] = _name(run_id, first + place)
            if len(set(keys)) < count:
                return None
        try:
            text = write_array(found) if text is None else text
        except ValueError:  # a text that JSON cannot hold
            return None
        # What was found takes more memory than the text, and would push other things out of caches.
        kept = found if self.by_properties else [None] * count
        return Entries(range(first, first + count), given, keys, kept, text)

    def prepare_one(
        self, index: int, given: object, run_id: str, names: Container[object]
    ) -> Entry:
        """Return what to send for an input, with a name that is not among others.

        Raises:
            InvalidInputError: It cannot be valid.
        """
        all_ = self.prepare_all(index, [given], run_id)
        entry = self.prepare(index, given) if all_ is None else all_[0]
        unnamed = entry.key is None or entry.key in names
        return self._named(entry, run_id) if unnamed and self.keys_are_names else entry

    def _named(self, entry: Entry, run_id: str) -> Entry:
        name = _name(run_id, entry.index)
        text = json.dumps({**entry.wire, str(self.key_field): name}).encode()
        return Entry(entry.index, entry.input, text, name)


def _name(run_id: str, index: int) -> str:
    """Return a name that no other input of any run has."""
    return f"{run_id}-{index}"


@define
class Budget:
    """Requests that may still be spent on taking a refused one apart."""

    left: int = EXTRA_AT_MOST


@define(eq=False)
class Chunk:
    """Inputs that go into one request, and what is known of it while it is under way."""

    _entries: Entries
    flight: Flight = field(factory=Flight)
    _budget: Budget = field(factory=Budget)
    _joined: list[Entry] = field(factory=list[Entry], init=False)

    @property
    def entries(self) -> Entries:
        """The inputs; at the end those that joined when the request was made already."""
        # What has joined stands apart, since an interruption can come between two columns.
        return Entries.of([*self._entries, *self._joined]) if self._joined else self._entries

    def join(self, entry: Entry) -> None:
        """Add an input that asks for one of the same records."""
        self._joined.append(entry)

    @property
    def array(self) -> bytes:
        """What to send, as a JSON array."""
        written = self._entries.array
        return b"[" + b",".join(self.texts) + b"]" if written is None else written

    @property
    def texts(self) -> list[bytes]:
        """What to send, each record that is read once."""
        entries = self.entries
        return [*dict(zip(entries.names, entries.texts, strict=True)).values()]

    def halves(self) -> tuple[Chunk, Chunk] | None:
        """Return two chunks in its place; None if it is one input, or too much was spent."""
        entries = self.entries
        names = [*dict.fromkeys(entries.names)]
        if len(names) < 2 or self._budget.left < 2:
            return None
        self._budget.left -= 2
        first = frozenset(names[: len(names) // 2])
        return (
            self._part(entry for entry in entries if entry.name in first),
            self._part(entry for entry in entries if entry.name not in first),
        )

    def _part(self, entries: Iterable[Entry]) -> Chunk:
        flight = Flight(self.flight.journey, in_doubt=self.flight.in_doubt)
        return Chunk(Entries.of(entries), flight, self._budget)


# The kinds of errors by which the server speaks of a single record.
_SAID = ("refused", "not_returned")


class Sharing(Generic[ResultT]):
    """The answers of a run that several inputs have part in, so that no record is read twice.

    Args:
        on: Whether they have. What has been read is kept until the end then.

    Attributes:
        on: As given; where it is not, there is no need to ask.
    """

    def __init__(self, *, on: bool) -> None:
        self.on = on
        self._asked: dict[str | int, Chunk] = {}
        self._known: dict[str | int, Outcome[ResultT]] = {}
        # What is entered there when it is looked up, which a run of one request never does.
        self._later: list[tuple[Entries, Chunk | Iterable[Outcome[ResultT]]]] = []

    def ask(self, chunk: Chunk) -> Chunk:
        """Note a request, and return it."""
        if self.on:
            self._later.append((chunk.entries, chunk))
        return chunk

    def note(self, entries: Entries, outcomes: Iterable[Outcome[ResultT]]) -> None:
        """Note what became of inputs; where the server did not say, they are asked again."""
        if self.on:
            self._later.append((entries, outcomes))

    def _catch_up(self) -> None:
        for entries, what in self._later:
            if isinstance(what, Chunk):
                self._asked.update(dict.fromkeys(entries.names, what))
                continue
            for name, outcome in zip(entries.names, what, strict=True):
                if outcome.error is None or outcome.error.kind in _SAID:
                    self._known[name] = outcome
                else:
                    self._asked.pop(name, None)
        self._later.clear()

    def knows(self, entries: Entries) -> bool:
        """Whether an earlier input asked for the same record as one of these."""
        self._catch_up()
        return bool(self._asked) and not self._asked.keys().isdisjoint(entries.names)

    def join(self, entry: Entry) -> bool:
        """Add an input to the request that asks for the same record; return whether there is one.

        It need not be under way any more: see `known`.
        """
        self._catch_up()
        chunk = self._asked.get(entry.name)
        if chunk is not None and entry.name not in self._known:
            chunk.join(entry)
        return chunk is not None

    def known(self, entry: Entry) -> Outcome[ResultT] | None:
        """Return what became of an earlier input that asked for the same record."""
        self._catch_up()
        return self._known.get(entry.name)
