"""Reads inputs, and puts them together into requests.

This module decides which inputs go together, how many and how large, and that one which cannot be
valid goes nowhere. It never decides what becomes of an input that was sent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence, Sized
from itertools import islice
from typing import Generic, TypeVar, cast

from attrs import define, evolve, field

from .chunks import InvalidInputError, Operation, Sharing, Written
from .errors import ConfigurationError, InputError
from .evidence import Entry, names_of
from .outcomes import Outcome, OutcomeError, OutcomeStatus

ResultT = TypeVar("ResultT")

# Bytes of the inputs of a request, at most. HubSpot publishes no such limit for these operations;
# a single input that is larger goes alone.
BYTES_AT_MOST = 2_000_000

# A request asks for a record once, however often it is given. Without a bound, an iteration would
# have a million times the same id in memory.
_REPEATED_AT_MOST = 20

# Outcomes of inputs that cannot be valid wait for no more than these.
_READY_AT_MOST = 1000

# Stands for an input that is being read.
_UNREAD = object()


class Inputs(Generic[ResultT]):
    """The inputs of a run, read one by one, or several that are at hand.

    Args:
        given: The caller's iterable. It is not even asked for an iterator before the first input
            is wanted.
        operation_id: What they are for.

    Raises:
        ConfigurationError: It is no such iterable.

    Attributes:
        all_read: Whether there are no more.
        count: How many were read.
        open: Those that were read and have no outcome yet, by position.
        ready: Outcomes that have become known, and that nobody has taken yet.
        length: How many there are, where the iterable says so.
    """

    def __init__(self, given: Iterable[object], operation_id: str) -> None:
        if not _holds_inputs(given):
            raise ConfigurationError(
                f"The inputs of {operation_id} are an iterable of inputs, such as a list, and "
                f"not {type(given).__name__}."
            )
        self.all_read, self.count = False, 0
        self.open: dict[int, object] = {}
        self.ready: deque[Outcome[ResultT]] = deque()
        self.length = _length(given)
        self._given = given
        self._iterator: Iterator[object] | None = None

    def read(self) -> int | None:
        """Read the next input, and return its position; None when there is none.

        Raises:
            InputError: The iterable raised something; it is not asked again.
        """
        if self.all_read:
            return None
        index = self.count
        # An interruption can come between any two steps, so its place is taken first.
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
            raised = f"The iterable of inputs raised {type(error).__name__}"
            raise InputError(f"{raised}; see this error's cause.") from error
        self.count = index + 1
        return index

    def at_hand(self, number: int) -> list[object]:
        """Return up to so many of the next inputs, where none has to be waited for."""
        # A class of the caller's can take its time.
        if self.all_read or type(self._given) not in (list, tuple):
            return []
        return [*cast("list[object]", self._given)[self.count : self.count + number]]

    def read_at_hand(self, given: list[object]) -> None:
        """Read inputs that `at_hand` has returned."""
        self.open.update(enumerate(given, self.count))
        if self._iterator is None:
            self._iterator = iter(self._given)
        for _ in islice(self._iterator, len(given)):
            pass
        self.count += len(given)

    def resume(self) -> None:
        """Make good for an interruption, which can have come between any two steps of `read`."""
        if isinstance(self._given, Sequence) and not self.all_read:
            self._iterator = islice(self._given, self.count, None)

    def tell(self, outcomes: Iterable[Outcome[ResultT]]) -> None:
        """Note what became of inputs."""
        self.ready.extend(outcomes)
        for outcome in outcomes:
            self.open.pop(outcome.index, None)

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
    _text: bytes | None = None
    _bytes: int = 0
    _at_once: bool = False
    _under_way: set[str | int] = field(factory=set[str | int])

    @property
    def empty(self) -> bool:
        """Whether no input has a place, or waits for one."""
        return not self.entries and self.held is None

    @property
    def full(self) -> bool:
        """Whether not even the smallest input has a place."""
        most = self.size * (_REPEATED_AT_MOST if self.repeats else 1)
        return self._at_once or len(self.entries) >= most

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

    def may_take(self, entries: Written[Entry]) -> bool:
        """Whether inputs with different names can all have a place, where no other has one yet."""
        if entries.text is None or len(entries.text) > BYTES_AT_MOST:
            return False
        return not self.in_turn or self._under_way.isdisjoint(names_of(entries))

    def take_all(self, entries: Written[Entry]) -> None:
        """Give inputs a place, and take no others."""
        self._at_once = True
        self.entries, self._text = entries, entries.text

    def give(self) -> Written[Entry]:
        """Return the inputs that have a place, and begin anew."""
        if self.in_turn:
            self._under_way.update(names_of(self.entries))
        given = Written(self.entries, self._text)
        self.names.clear()
        self.entries, self._text, self._bytes, self._at_once = [], None, 0, False
        return given

    def give_up(self) -> list[Entry]:
        """Return all inputs, also the one that has no place."""
        held, self.held = self.held, None
        return self.give() if held is None else [*self.give(), held]

    def let_follow(self, entries: Iterable[Entry], open_: Container[int]) -> None:
        """Let changes of the same records go, now that these are done, but for those still open."""
        if self.in_turn:
            self._under_way -= {*names_of(one for one in entries if one.index not in open_)}


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
        given = self._inputs.at_hand(self.gathering.size)
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


def _holds_inputs(given: object) -> bool:
    # A text and a mapping are iterable, but never what was meant.
    return isinstance(given, Iterable) and not isinstance(given, str | bytes | Mapping)


def _length(given: Iterable[object]) -> int | None:
    try:
        return len(given) if isinstance(given, Sized) else None
    except Exception:  # noqa: BLE001 - the caller's code may raise anything
        return None
