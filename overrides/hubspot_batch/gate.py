"""Lets no more requests at a time to the server than it can bear.

This module decides who waits for whom: first come, first served, whether in a thread or in a task.
How many may pass is told by `policies.Concurrency`.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from concurrent.futures import Future

from .policies import Concurrency


class Gate:
    """Requests under way, at most as many as its concurrency allows."""

    def __init__(self, concurrency: Concurrency) -> None:
        self._concurrency = concurrency
        self._inside = 0
        self._waiting: deque[Future[None]] = deque()
        self._lock = threading.Lock()

    def enter(self) -> None:
        """Pass, or wait in this thread until one may."""
        place = self._take()
        try:
            place.result()
        except BaseException:
            self._give_up(place)
            raise

    async def enter_async(self) -> None:
        """Pass, or wait in this task until one may."""
        place = self._take()
        if place.done():
            return
        try:
            await asyncio.wrap_future(place)
        except BaseException:
            self._give_up(place)
            raise

    def leave(self, *, strain: bool, started: float, ended: float) -> None:
        """Say that a request is over, and how it fared; the next may pass."""
        with self._lock:
            self._concurrency.note(strain=strain, started=started, ended=ended)
            self._inside -= 1
            self._admit()

    def _take(self) -> Future[None]:
        place: Future[None] = Future()
        with self._lock:
            self._waiting.append(place)
            self._admit()
        return place

    def _admit(self) -> None:
        while self._waiting and self._inside < self._concurrency.limit:
            place = self._waiting.popleft()
            # One that has given up by now is passed over.
            if place.set_running_or_notify_cancel():
                self._inside += 1
                place.set_result(None)

    def _give_up(self, place: Future[None]) -> None:
        if not place.cancel():  # it was admitted at the last moment
            with self._lock:
                self._inside -= 1
                self._admit()
