"""Puts inputs together into requests.

This module decides which inputs go together, how many and how large, and that one which cannot be
valid goes nowhere. It never decides what becomes of an input that was sent.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Generic, TypeVar

from attrs import define, evolve, field

from hubspot_batch._matching.items import Entries, Entry
from hubspot_batch.outcomes import Outcome, OutcomeError, OutcomeStatus

from .chunk import InvalidInputError, Operation, Sharing
from .reading import Inputs

ResultT = TypeVar("ResultT")

# Bytes of the inputs of a request, at most. HubSpot publishes no such limit for these operations;
# a single input that is larger goes alone.
BYTES_AT_MOST = 2_000_000

# A request asks for a record once, however often it is given. Without a bound, an iteration would
# have a million times the same id in memory.
_REPEATED_AT_MOST = 20

# Outcomes of inputs that cannot be valid wait for no more than these.
_READY_AT_MOST = 1000


@define
class Gathering:
    """Inputs on their way into the next request.

    Args:
        size: Inputs to a request, at most.
        repeats: Whether one request may hold a record several times, asking for it once.
        in_turn: Whether two changes of one record go one after the other, in the order they were
            given.

    Attributes:
        entries: Those that were given a place one by one.
        held: One that has none.
        names: What tells those apart.
    """

    size: int
    repeats: bool
    in_turn: bool
    entries: list[Entry] = field(factory=list[Entry])
    held: Entry | None = None
    names: set[str | int] = field(factory=set[str | int])
    _bytes: int = 0
    _together: Entries | None = None
    _under_way: set[str | int] = field(factory=set[str | int])

    @property
    def empty(self) -> bool:
        """Whether no input has a place, or waits for one."""
        return self.held is None and not self.filled

    @property
    def filled(self) -> bool:
        """Whether an input has a place."""
        return bool(self.entries) or self._together is not None

    @property
    def full(self) -> bool:
        """Whether not even the smallest input has a place."""
        most = self.size * (_REPEATED_AT_MOST if self.repeats else 1)
        return self._together is not None or len(self.entries) >= most

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

    def may_take(self, entries: Entries) -> bool:
        """Whether inputs with different names can all have a place, where no other has one yet."""
        if entries.array is None or len(entries.array) > BYTES_AT_MOST:
            return False
        return not self.in_turn or self._under_way.isdisjoint(entries.names)

    def take_all(self, entries: Entries) -> None:
        """Give inputs a place, and take no others."""
        self._together = entries

    def give(self) -> Entries:
        """Return the inputs that have a place, and begin anew."""
        given = self._together or Entries.of(self.entries)
        if self.in_turn:
            self._under_way.update(given.names)
        self.names.clear()
        self.entries, self._bytes, self._together = [], 0, None
        return given

    def give_up(self) -> Entries:
        """Return all inputs, also the one that has no place."""
        held, self.held = self.held, None
        return self.give() if held is None else Entries.of([*self.give(), held])

    def let_follow(self, entries: Entries, open_: Container[int]) -> None:
        """Let changes of the same records go, now that these are done, but for those still open."""
        if self.in_turn:
            pairs = zip(entries.names, entries.indexes, strict=True)
            self._under_way -= {name for name, index in pairs if index not in open_}


class Intake(Generic[ResultT]):
    """The way of inputs into requests.

    Args:
        operation: What is done with the inputs.
        inputs: The inputs, read no further than the next request needs.
        sharing: The answers that several inputs have part in.
        run_id: A text that no other run has.
        size: Inputs to a request, at most.
        collects: Whether the outcomes of all inputs are kept until the end.

    Attributes:
        gathering: The inputs on their way into the next request.
    """

    def __init__(
        self,
        operation: Operation[ResultT],
        inputs: Inputs[ResultT],
        sharing: Sharing[ResultT],
        *,
        run_id: str,
        size: int,
        collects: bool,
    ) -> None:
        in_turn = not operation.reads and not operation.keys_are_names
        self.gathering = Gathering(size, operation.reads, in_turn)
        self._operation = operation
        self._inputs = inputs
        self._sharing = sharing
        self._run_id = run_id
        self._collects = collects

    @property
    def over(self) -> bool:
        """Whether no more request will come of the inputs."""
        return self._inputs.all_read and self.gathering.empty

    @property
    def brims(self) -> bool:
        """Whether outcomes have to be handed out before more is read."""
        return not self._collects and len(self._inputs.ready) >= _READY_AT_MOST

    @property
    def at_hand(self) -> bool:
        """Whether the inputs of the next request can be read while answers are waited for.

        Others may have to be waited for too, or depend on outcomes, and a list may grow.
        """
        if self._collects and self._inputs.length is not None:
            return self._inputs.count < self._inputs.length
        return len(self._inputs.at_hand(self.gathering.size)) == self.gathering.size

    def gather(self) -> None:
        """Read what the next request will hold.

        Raises:
            InputError: The iterable of inputs raised something.
        """
        if self.gathering.empty and not self.brims:
            self._gather_at_hand()
        while not self.gathering.full:
            if (entry := self._next()) is None or not self.gathering.take(entry):
                break

    def _gather_at_hand(self) -> None:
        """Gather the inputs of a whole request at once, if nothing is the matter with any."""
        if not (given := self._inputs.at_hand(self.gathering.size)):
            return
        entries = self._operation.prepare_all(self._inputs.count, given, self._run_id)
        if entries and not self._sharing.knows(entries) and self.gathering.may_take(entries):
            self._inputs.read_at_hand(given)  # before they have a place: an interruption can come
            self.gathering.take_all(entries)

    def _next(self) -> Entry | None:
        """Return the next input that can be sent; None when there is none, or too many were not."""
        entry, self.gathering.held = self.gathering.held, None
        while entry is None and not self.brims and (index := self._inputs.read()) is not None:
            entry = self._prepare(index, self._inputs.open[index])
        return entry

    def _prepare(self, index: int, given: object) -> Entry | None:
        try:
            names = self.gathering.names
            entry = self._operation.prepare_one(index, given, self._run_id, names)
            if not (self._sharing.on and self._sharing.join(entry)):
                return entry
            if (known := self._sharing.known(entry)) is not None:
                self._inputs.tell([evolve(known, index=index, input=given)])
            return None
        except InvalidInputError as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001 - an input is the caller's, and may raise anything
            reason = f"The input cannot be read: it raised {type(error).__name__}."
        problem = OutcomeError("invalid_input", reason)
        self._inputs.tell([Outcome(index, given, OutcomeStatus.FAILED, error=problem)])
        return None
