"""Reads inputs, and puts encoded ones together into requests.

This module decides when the caller's iterable is asked for more, and which inputs share a request.
"""

from __future__ import annotations

from collections import deque
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
    Sized,
)
from contextlib import AbstractContextManager
from itertools import chain, islice
from typing import TypeAlias, cast

from hubspot_batch._matching.items import EncodedInput
from hubspot_batch.errors import ConfigurationError, InputError

from .chunk import SameKey

# The most bytes of inputs in a request. HubSpot publishes no such limit for these operations. A
# larger input is sent alone.
BYTES_AT_MOST = 2_000_000

Inputs: TypeAlias = Iterable[object]
AsyncInputs: TypeAlias = Inputs | AsyncIterable[object]

# Other classes are the caller's code, and can take their time.
_PLAIN = (list, tuple)


class Blocks(Iterable[object]):
    """Inputs that come in lists, and stay as they are when more are read.

    They are encoded a request at a time, which takes a third of the time of one by one.

    Args:
        blocks: The lists.
    """

    def __init__(self, blocks: Iterable[Sequence[object]]) -> None:
        self._blocks = blocks

    def __iter__(self) -> Iterator[object]:
        """Yield the inputs."""
        return chain.from_iterable(self._blocks)


class InputReader:
    """The inputs of a run, and which of them have no outcome yet.

    Args:
        given: The caller's iterable. Its iterator is made when the first input is wanted.
        operation: The name of the operation that they are for.
        reading: The context manager to enter while the caller's iterable is read.

    Raises:
        ConfigurationError: `given` is no iterable of inputs.

    Attributes:
        exhausted: Whether there are no more.
        count: How many were read.
        open: Those that were read and have no outcome yet, by position.
    """

    def __init__(
        self, given: AsyncInputs, operation: str, reading: AbstractContextManager[object]
    ) -> None:
        if (advice := self._refuse(given)) is not None:
            raise ConfigurationError(
                f"The inputs of {operation} must be an iterable of inputs, such as a list; got "
                f"{type(given).__name__}.{advice}"
            )
        self.exhausted, self.count = False, 0
        self.open: dict[int, object] = {}
        self._given = given
        self._reading = reading
        self._iterator: Iterator[object] | None = None
        self._taken: list[object] = []

    @staticmethod
    def _refuse(given: object) -> str | None:
        """Return advice on what cannot be the inputs; None if it can be."""
        if type(given) in _PLAIN:  # usually
            return None
        # A text and a mapping are iterable, but never what was meant.
        if isinstance(given, str | bytes | Mapping):
            return " Put a single input into a list: [input]."
        if isinstance(given, Iterable):
            return None
        return " Use AsyncHubSpotBatch." if isinstance(given, AsyncIterable) else ""

    def read(self, most: int) -> list[object]:
        """Read the next inputs: as many as are wanted from a list, a tuple or `Blocks`, else one.

        Another iterator may fill the same mapping anew for each input, so each is encoded before
        the next is read.

        Returns:
            The inputs; none at the end.

        Raises:
            InputError: The iterable raised an exception; it is not asked again.
        """
        if self.exhausted:
            return []
        if isinstance(self._given, _PLAIN) and type(self._given) in _PLAIN:
            self._taken = [*self._given[self.count : self.count + most]]
            self.exhausted = len(self._taken) < most
            return self.register()
        try:
            with self._reading:
                if self._iterator is None:
                    self._iterator = iter(cast("Iterable[object]", self._given))
                # One call in C, so an interrupt cannot lose an input that was taken.
                wanted = most if isinstance(self._given, Blocks) else 1
                self._taken.extend(islice(self._iterator, wanted))
        except Exception as error:
            self.exhausted = True
            self.register()
            raise self._failed(error) from error
        self.exhausted = not self._taken
        return self.register()

    def _failed(self, error: Exception) -> InputError:
        return InputError(
            f"The iterable of inputs raised {type(error).__name__} after {self.count} inputs; "
            "see this error's cause."
        )

    def register(self) -> list[object]:
        """Give a position to the inputs that were taken from the iterable, and return them."""
        taken = self._taken
        self.open.update(enumerate(taken, self.count))
        self._taken = []
        self.count += len(taken)
        return taken

    def read_rest(self) -> None:
        """Read the rest of inputs that have a length, after an interruption."""
        self.register()
        given: object = self._given
        if self.exhausted or not isinstance(given, Sized):
            return
        self.exhausted = True
        try:
            if isinstance(given, Sequence):  # the iterator can be further than the count
                self._taken = [given[at] for at in range(self.count, len(given))]
            else:
                self._taken.extend(self._iterator or cast("Iterable[object]", given))
        except BaseException:  # noqa: BLE001 - of the caller's code; another one is on its way
            self._taken = []
        self.register()


class AsyncInputReader(InputReader):
    """The inputs of a run in a task, from an asynchronous iterable.

    `await_input` awaits the next one, and `read` returns it.
    """

    _source: AsyncIterator[object] | None = None
    _failure: Exception | None = None

    @staticmethod
    def _refuse(given: object) -> str | None:
        return None if isinstance(given, AsyncIterable) else ""

    async def await_input(self) -> None:
        """Await the next input, unless there is one already."""
        if self.exhausted or self._taken or self._failure is not None:
            return
        try:
            if self._source is None:
                self._source = aiter(cast("AsyncIterable[object]", self._given))
            self._taken.append(await anext(self._source))
        except StopAsyncIteration:
            self.exhausted = True
        except Exception as error:  # noqa: BLE001 - of the caller's code; `read` raises it
            self._failure = error

    def read(self, most: int) -> list[object]:  # noqa: ARG002 - one is fetched at a time
        """Return the input that was fetched; none if there is none now.

        Raises:
            InputError: The iterable raised an exception; it is not asked again.
        """
        failure, self._failure = self._failure, None
        if failure is not None:
            self.exhausted = True
            raise self._failed(failure) from failure
        return self.register()


class Chunker:
    """Encoded inputs on their way into requests.

    Args:
        size: Inputs in a request at most.
        same_key: How several inputs with the same key are sent.
        rename: Returns an input with a key of its own.

    Attributes:
        waiting: The inputs that are in no request yet.
    """

    def __init__(
        self, size: int, same_key: SameKey, rename: Callable[[EncodedInput], EncodedInput]
    ) -> None:
        self.waiting: deque[EncodedInput] = deque()
        self._size = size
        self._same_key = same_key
        self._rename = rename
        self._under_way: set[str | int | None] = set()

    def cut(self) -> list[EncodedInput]:
        """Return the inputs of the next request; none if the first has to wait for its turn."""
        if (together := self._all_waiting()) is not None:  # usually
            return together
        taken: list[EncodedInput] = []
        keys: set[str | int] = set()
        size = 0
        while self.waiting and len(taken) < self._size:
            entry = self.waiting[0]
            key = entry.identity
            if key in self._under_way:
                break
            if key in keys:
                if self._same_key is SameKey.IN_TURN:
                    break
                if self._same_key is SameKey.RENAMED:
                    entry = self._rename(entry)
                    key = entry.identity
            size += len(entry.text)
            if taken and size > BYTES_AT_MOST:
                break
            keys.add(key)
            taken.append(entry)
            self.waiting.popleft()
        if self._same_key is SameKey.IN_TURN:
            self._under_way |= keys
        return taken

    def _all_waiting(self) -> list[EncodedInput] | None:
        """Return all inputs that wait, if they fit into one request; else None."""
        taken = [*self.waiting]
        keys = {entry.key for entry in taken}
        different = len(keys) == len(taken) and keys.isdisjoint(self._under_way)
        if not (different or keys == {None}) or len(taken) > self._size:
            return None
        if sum([len(entry.text) for entry in taken]) > BYTES_AT_MOST:
            return None
        self.waiting.clear()
        if self._same_key is SameKey.IN_TURN:
            self._under_way |= keys - {None}
        return taken

    def release(self, entries: Iterable[EncodedInput]) -> None:
        """Let inputs with the same keys as these have their turn."""
        self._under_way.difference_update([entry.identity for entry in entries])
