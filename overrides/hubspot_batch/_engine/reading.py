"""Reads the inputs of a run, and keeps what has no outcome yet.

This module decides when the caller's iterable is asked for another input. It never looks into one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from itertools import islice
from typing import Generic, TypeVar, cast

from hubspot_batch.errors import ConfigurationError, InputError
from hubspot_batch.outcomes import Outcome

ResultT = TypeVar("ResultT")

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
        next(islice(self._iterator, len(given) - 1, None), None)  # takes them all, in one step
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


def _holds_inputs(given: object) -> bool:
    # A text and a mapping are iterable, but never what was meant.
    return isinstance(given, Iterable) and not isinstance(given, str | bytes | Mapping)


def _length(given: Iterable[object]) -> int | None:
    try:
        return len(given) if isinstance(given, Sized) else None
    except Exception:  # noqa: BLE001 - the caller's code may raise anything
        return None
