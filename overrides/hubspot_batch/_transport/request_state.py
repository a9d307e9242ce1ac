"""What is known of a request while it is under way, and how it is called back.

This module decides whether a request that is broken off may have been carried out. The engine makes
a flight for each chunk, the transport keeps it up to date; a context variable carries it from one
to the other, since the generated functions between them know nothing of it.
"""

from __future__ import annotations

from contextvars import ContextVar


class HaltedError(Exception):
    """A request was called back before it was sent."""


class Journey:
    """What the requests of one run have in common.

    Attributes:
        asked: How often the token's provider had been asked when the first of them began; None
            before. If it fails then, it has failed for all of them.
    """

    __slots__ = ("asked",)

    def __init__(self) -> None:
        self.asked: int | None = None


class Flight:
    """One request, with all its attempts.

    One thread sends it while another may call it back. Each writes its own word first and then
    reads the other's, so that at least one of them sees both.

    Attributes:
        journey: What it has in common with others.
        halted: Whether it has been called back, so that nothing more may be sent.
        waiting: Whether it waits, for a start or before another attempt, with nothing under way.
        in_doubt: Whether an attempt is under way, or may have been carried out.
    """

    __slots__ = ("_maybe_done", "_on_wire", "halted", "journey", "waiting")

    def __init__(self, journey: Journey | None = None, *, in_doubt: bool = False) -> None:
        self.journey = Journey() if journey is None else journey
        self.halted = False
        self.waiting = False
        self._on_wire = False
        self._maybe_done = in_doubt

    @property
    def in_doubt(self) -> bool:
        """Whether an attempt is under way, or may have been carried out."""
        return self._on_wire or self._maybe_done

    @property
    def over(self) -> bool:
        """Whether it was called back while nothing was under way, and so need not be awaited."""
        return self.halted and self.waiting

    def pause(self) -> None:
        """Say that nothing is under way.

        Raises:
            HaltedError: It has been called back already.
        """
        self.waiting = True
        self.check()

    def go_on(self) -> None:
        """Say that the pause is over."""
        self.waiting = False

    def check(self) -> None:
        """Raise HaltedError if it was called back."""
        if self.halted:
            raise HaltedError

    def take_off(self) -> None:
        """Say that an attempt is about to be sent.

        Raises:
            HaltedError: It was called back.
        """
        self._on_wire = True
        if self.halted:
            self._on_wire = False
            raise HaltedError

    def land(self, *, in_doubt: bool) -> None:
        """Say how the attempt ended; what was in doubt before stays so."""
        self._maybe_done = self._maybe_done or in_doubt
        self._on_wire = False


_current: ContextVar[Flight | None] = ContextVar("hubspot_batch.flight", default=None)


def current_flight() -> Flight:
    """Return the flight of the request that is being made; a new one for a request of its own."""
    return _current.get() or Flight()


def depart(flight: Flight) -> None:
    """Make this the flight of the requests that are made next in this context."""
    _current.set(flight)
