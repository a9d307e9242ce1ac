"""Reads inputs, and puts them together into requests.

This module decides which inputs go together, how many and how large, and how a refused request is
taken apart. It never decides what becomes of an input.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence, Sized
from itertools import islice
from typing import Generic, TypeVar, cast

from attrs import define, field, frozen

from .errors import ConfigurationError
from .flights import Flight
from .outcomes import Outcome
from .ties import Entry

ResultT = TypeVar("ResultT")

# Bytes of the inputs of a request, at most. HubSpot publishes no such limit for these operations;
# a single input that is larger goes alone.
BYTES_AT_MOST = 2_000_000

# A request asks for a record once, however often it is given. Without a bound, an iteration would
# have a million times the same id in memory.
_REPEATED_AT_MOST = 20

# Requests that are sent at most to find the bad inputs of a refused one. HubSpot wants errors to
# stay below 5 % of a day's requests (HubSpot, API usage guidelines).
EXTRA_AT_MOST = 50


class InvalidInputError(Exception):
    """An input that cannot be valid, and why in a sentence."""


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
    """

    id: str
    limit: int
    reads: bool
    splits: bool
    by_properties: bool
    key_field: str | None
    keys_are_names: bool
    prepare: Callable[[int, object], Entry]

    def named(self, entry: Entry, run_id: str) -> Entry:
        """Return an input with a name that no other input of any run has."""
        name = f"{run_id}-{entry.index}"
        if entry.key is None and entry.text != b"{}":
            # Most inputs have none yet, and no letter of a name needs an escape in JSON.
            text = entry.text[:-1] + f',"{self.key_field}":"{name}"}}'.encode()
        else:
            text = json.dumps({**entry.wire, str(self.key_field): name}).encode()
        return Entry(entry.index, entry.input, text, name)


@define
class Budget:
    """Requests that may still be spent on taking a refused one apart."""

    left: int = EXTRA_AT_MOST


@define(eq=False)
class Chunk:
    """Inputs that go into one request, and what is known of it while it is under way."""

    entries: list[Entry]
    flight: Flight = field(factory=Flight)
    _budget: Budget = field(factory=Budget)

    @property
    def texts(self) -> list[bytes]:
        """What to send, each record that is read once."""
        return list({entry.name: entry.text for entry in self.entries}.values())

    def halves(self) -> tuple[Chunk, Chunk] | None:
        """Return two chunks in its place; None if it is one input, or too much was spent."""
        names = list(dict.fromkeys(entry.name for entry in self.entries))
        if len(names) < 2 or self._budget.left < 2:
            return None
        self._budget.left -= 2
        first = frozenset(names[: len(names) // 2])
        return (
            self._part(entry for entry in self.entries if entry.name in first),
            self._part(entry for entry in self.entries if entry.name not in first),
        )

    def _part(self, entries: Iterable[Entry]) -> Chunk:
        return Chunk(list(entries), Flight(in_doubt=self.flight.in_doubt), self._budget)


# Stands for an input that is being read.
_UNREAD = object()


class Inputs:
    """The inputs of a run, read one by one.

    Args:
        given: The caller's iterable. It is not even asked for an iterator before the first input
            is wanted.
        operation_id: What they are for.

    Raises:
        ConfigurationError: It is no such iterable.

    Attributes:
        all_read: Whether there are no more.
        open: Those that were read and have no outcome yet, by position.
        length: How many there are, where the iterable says so.
    """

    def __init__(self, given: Iterable[object], operation_id: str) -> None:
        if not _holds_inputs(given):
            raise ConfigurationError(
                f"The inputs of {operation_id} are an iterable of inputs, such as a list, and "
                f"not {type(given).__name__}."
            )
        self.all_read = False
        self.open: dict[int, object] = {}
        self.length = _length(given)
        self._given = given
        self._iterator: Iterator[object] | None = None
        self._count = 0

    def read(self) -> int | None:
        """Read the next input, and return its position; None when there is none.

        Raises whatever the iterable raises; it is not asked again then.
        """
        if self.all_read:
            return None
        index = self._count
        # An interruption can come between any two of these steps, so its place is taken first.
        self.open[index] = _UNREAD
        try:
            if self._iterator is None:
                self._iterator = iter(self._given)
            self.open[index] = next(self._iterator)
        except Exception as error:
            self.all_read = True
            del self.open[index]
            if isinstance(error, StopIteration):
                return None
            raise
        self._count = index + 1
        return index

    def at_hand(self, number: int) -> bool:
        """Whether so many more can be read without waiting for any, and without seeing the end."""
        if type(self._given) not in (list, tuple):  # a class of the caller's can take its time
            return False
        return self._count + number <= len(cast("list[object]", self._given))

    def resume(self) -> None:
        """Make good for an interruption, which can have come between any two steps of `read`."""
        if isinstance(self._given, Sequence) and not self.all_read:
            self._iterator = islice(self._given, self._count, None)

    def left(self) -> dict[int, object]:
        """Return the inputs without an outcome, by position."""
        return {index: given for index, given in self.open.items() if given is not _UNREAD}


@define
class Gathering:
    """Inputs on their way into the next request.

    Args:
        size: Inputs to a request, at most.
        repeats: Whether one request may hold a record several times, asking for it once.
        in_turn: Whether two changes of one record go one after the other, in the order they were
            given.

    Attributes:
        entries: Those that have a place.
        held: One that has none.
        names: What tells those apart that have a place.
    """

    size: int
    repeats: bool
    in_turn: bool
    entries: list[Entry] = field(factory=list[Entry])
    held: Entry | None = None
    names: set[str | int] = field(factory=set[str | int])
    _bytes: int = 0
    _under_way: set[str | int] = field(factory=set[str | int])

    @property
    def full(self) -> bool:
        """Whether not even the smallest input has a place."""
        return len(self.entries) >= self.size * (_REPEATED_AT_MOST if self.repeats else 1)

    def take(self, entry: Entry) -> bool:
        """Give an input a place; hold it, and return False, if there is none."""
        name = entry.name
        size = self._bytes + len(entry.text)
        if name in self.names:
            fits = self.repeats
            size = self._bytes
        else:
            fits = not self.entries or (size <= BYTES_AT_MOST and len(self.names) < self.size)
        if not fits or name in self._under_way:
            self.held = entry
            return False
        self._bytes = size
        self.names.add(name)
        self.entries.append(entry)
        return True

    def give(self) -> list[Entry]:
        """Return the inputs that have a place, and begin anew."""
        if self.in_turn:
            self._under_way |= self.names
        entries, self.entries = self.entries, []
        self.names.clear()
        self._bytes = 0
        return entries

    def give_up(self) -> list[Entry]:
        """Return all inputs, also the one that has no place."""
        held, self.held = self.held, None
        return self.give() if held is None else [*self.give(), held]

    def let_follow(self, entries: Iterable[Entry], open_: Container[int]) -> None:
        """Let changes of the same records go, now that these are done, but for those still open."""
        if self.in_turn:
            self._under_way -= {entry.name for entry in entries if entry.index not in open_}


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

    def ask(self, chunk: Chunk) -> Chunk:
        """Note a request, and return it."""
        if self.on:
            self._asked.update((entry.name, chunk) for entry in chunk.entries)
        return chunk

    def note(self, entry: Entry, outcome: Outcome[ResultT]) -> None:
        """Note what became of an input; where the server did not say, it is asked again."""
        if self.on and (outcome.error is None or outcome.error.kind in _SAID):
            self._known[entry.name] = outcome
        elif self.on:
            self._asked.pop(entry.name, None)

    def join(self, entry: Entry) -> bool:
        """Add an input to the request that asks for the same record; return whether there is one.

        It need not be under way any more: see `known`.
        """
        chunk = self._asked.get(entry.name)
        if chunk is not None and entry.name not in self._known:
            chunk.entries.append(entry)
        return chunk is not None

    def known(self, entry: Entry) -> Outcome[ResultT] | None:
        """Return what became of an earlier input that asked for the same record."""
        return self._known.get(entry.name)


def _holds_inputs(given: object) -> bool:
    # A text and a mapping are iterable, but never what was meant.
    return isinstance(given, Iterable) and not isinstance(given, str | bytes | Mapping)


def _length(given: Iterable[object]) -> int | None:
    try:
        return len(given) if isinstance(given, Sized) else None
    except Exception:  # noqa: BLE001 - the caller's code may raise anything
        return None
