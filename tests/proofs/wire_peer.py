"""The other side of a run: a server on loopback sockets, with faults.

It decides which request meets which fault, and takes down what happened to each, as the server saw
it. It judges nothing, and shares no code with the package or its sandbox.
"""

from __future__ import annotations

import random
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from wire_exchange import Entry, Exchange, is_readable
from wire_faults import FAULTS, SLOW_FAULTS, Fault, plain, stray
from wire_server import Connection, WireServer, wire_server
from wire_store import Store


class Peer:
    """A server, and what it saw.

    Args:
        store: The account that it serves.
        rng: Where its choices come from.
        faults: The names of faults that requests meet, in turn; None for none, and none after them.
        secure: Whether it speaks TLS.

    Attributes:
        entries: The requests that came in whole.
        blind: How many connections ended before a whole request had come in.
        ends: The statuses it sent that may end a run.
        met: The names of faults that were met.
        cut_ports: The ports of tunnels that were cut.
        busy: The numbers of connections on which an exchange is under way.
        draining: The numbers of those that only wait for their end.
        at_peace: Whether no request meets a fault any more.
    """

    def __init__(
        self, store: Store, rng: random.Random, faults: Sequence[str | None], *, secure: bool
    ) -> None:
        self.store = store
        self.entries: list[Entry] = []
        self.blind = 0
        self.ends: set[int] = set()
        self.met: list[str] = []
        self.cut_ports: set[int] = set()
        self.busy: set[int] = set()
        self.draining: set[int] = set()
        self.at_peace = False
        self._rng = rng
        self._faults = iter(faults)
        self._secure = secure
        self._lock = threading.Lock()
        self._late: list[threading.Timer] = []
        self._open = 0
        self._idle: set[int] = set()
        self._disturbance = ""

    # ------------------------------------------------------------ connections

    def talk(self, connection: Connection) -> None:
        """Serve a connection with one exchange after the other."""
        with self._lock:
            self._open += 1
        try:
            if self._secure:
                connection.secure()
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._talk(connection)
        except (ssl.SSLError, OSError):
            pass  # the other side has ended it
        finally:
            connection.close()
            with self._lock:
                self._open -= 1

    def _talk(self, connection: Connection) -> None:
        port = 0
        with suppress(OSError):
            port = connection.sock.getpeername()[1]
        while True:
            with self._lock:
                name = next(self._faults, None)
            if name is None or "before the request" not in name:
                self._await_request(connection)
            if self.at_peace:
                name = None
            fault = plain if name is None else {**FAULTS, **SLOW_FAULTS}[name]
            exchange = Exchange(self, connection, name or "none", port, self.fork())
            if not self._carry_out(exchange, fault, name):
                return

    def _carry_out(self, exchange: Exchange, fault: Fault, name: str | None) -> bool:
        with self._lock:
            self.met += [] if name is None else [name]
        self.busy.add(exchange.connection)
        try:
            return fault(exchange)
        except OSError:
            # The other side has gone, within the response or the request.
            exchange.give("lost")
            if exchange.entry is None and exchange.begun:
                self.note_blind()
            return False
        finally:
            self.busy.discard(exchange.connection)

    def _await_request(self, connection: Connection) -> None:
        """Wait for the first byte of a request, and be disturbed meanwhile if that is wanted."""
        idle = connection.number
        with self._lock:
            self._idle.add(idle)
        try:
            while not (connection.unread or is_readable(connection.sock, 0.003)):
                if self._disturbance and idle in self._idle:
                    self._disturb(connection)
                    self._idle.discard(idle)
        finally:
            self._idle.discard(idle)

    def _disturb(self, connection: Connection) -> None:
        how = self._disturbance
        if how == "stray":
            connection.send(stray(self.fork()))
        elif how == "half-close":
            connection.half_close()
        elif how == "reset":
            connection.reset()
            raise ConnectionResetError
        elif how == "close":
            connection.close()
            raise ConnectionAbortedError

    def disturb_idle(self, how: str) -> None:
        """Let something happen on each idle connection; return when it has happened."""
        self._disturbance = how
        until = time.monotonic() + 5
        while (self._idle or self.draining) and time.monotonic() < until:
            time.sleep(0.001)
        self._disturbance = ""

    # ------------------------------------------------------------ what is taken down

    def fork(self) -> random.Random:
        """Return random numbers for one exchange."""
        with self._lock:
            return random.Random(self._rng.random())

    def note_blind(self) -> None:
        """Take down that a connection ended before a whole request had come in."""
        with self._lock:
            self.blind += 1

    def add(self, entry: Entry) -> None:
        """Take down a request."""
        with self._lock:
            self.entries.append(entry)

    def later(self, work: Callable[[], object], seconds: float) -> None:
        """Do some work after a while."""
        timer = threading.Timer(seconds, work)
        timer.start()
        with self._lock:
            self._late.append(timer)

    def settle(self) -> None:
        """Wait until no exchange is under way, and for late work."""
        time.sleep(0.001)  # what has arrived is taken up
        until = time.monotonic() + 5
        while self.busy and time.monotonic() < until:
            time.sleep(0.001)
        for timer in self._late:
            timer.join()

    def reasons(self, mark: str) -> set[str]:
        """Return all that a client was told of an input, and why that may not be clear."""
        found: set[str] = set()
        for entry in self.entries:
            found |= entry.reasons.get(mark, set())
            if mark in entry.reasons and entry.port in self.cut_ports:
                found.add("lost")
        return found

    def all_ended(self, patience: float) -> bool:
        """Return whether all connections have been ended by their clients."""
        until = time.monotonic() + patience
        while self._open and time.monotonic() < until:
            time.sleep(0.002)
        return not self._open


@contextmanager
def serving(peer: Peer) -> Iterator[WireServer]:
    """Serve a peer on loopback."""
    with wire_server(peer.talk) as server:
        yield server
