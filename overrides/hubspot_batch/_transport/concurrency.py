"""Lets no more requests at a time to the server than it can bear.

This module decides who waits for whom: first come, first served, whether in a thread or in a task.
How many may pass is told by `policies.Concurrency`.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING
from weakref import WeakSet

from .retry import Concurrency

if TYPE_CHECKING:
    from concurrent.futures import Future


class Place:
    """A request's place at a gate.

    Attributes:
        turn: What is waited for; None where nothing is, as a rule.
    """

    __slots__ = ("__weakref__", "turn")

    def __init__(self) -> None:
        self.turn: Future[None] | None = None


class Gate:
    """Requests under way, at most as many as its concurrency allows.

    A place is made first, then entered, then left in any case, however far it came: Ctrl-C can come
    between any two steps. One that was not even left is forgotten with its request.
    """

    def __init__(self, concurrency: Concurrency) -> None:
        self._concurrency = concurrency
        self._inside: WeakSet[Place] = WeakSet()
        self._waiting: deque[tuple[Place, Future[None]]] = deque()
        self._lock = threading.Lock()

    @property
    def occupied(self) -> bool:
        """Whether someone has passed and not left, or waits."""
        return bool(self._waiting or self._inside)

    def enter(self, place: Place) -> None:
        """Pass, or wait in this thread until one may."""
        if (turn := self._queue(place)) is not None:
            turn.result()

    async def enter_async(self, place: Place) -> None:
        """Pass, or wait in this task until one may."""
        turn = self._queue(place)
        if turn is not None and not turn.done():
            from asyncio import wrap_future  # noqa: PLC0415 - a thread needs none of it

            await wrap_future(turn)

    def leave(self, place: Place) -> None:
        """Give a place up; the next may pass."""
        if place.turn is not None:
            place.turn.cancel()
        with self._lock:
            self._inside.discard(place)
            self._admit()

    def note(self, *, strain: bool, started: float, ended: float) -> None:
        """Say how a request fared, before its place is given up."""
        with self._lock:
            self._concurrency.note(strain=strain, started=started, ended=ended)

    def _queue(self, place: Place) -> Future[None] | None:
        with self._lock:
            if not self._waiting and self._has_room:
                self._inside.add(place)
                return None
            from concurrent.futures import Future  # noqa: PLC0415 - few ever wait

            place.turn = turn = Future[None]()
            self._waiting.append((place, turn))
            self._admit()
        return turn

    @property
    def _has_room(self) -> bool:
        return len(self._inside) < self._concurrency.limit

    def _admit(self) -> None:
        while self._waiting and self._has_room:
            place, turn = self._waiting.popleft()
            # One that has given up by now is passed over.
            if turn.set_running_or_notify_cancel():
                self._inside.add(place)
                turn.set_result(None)
