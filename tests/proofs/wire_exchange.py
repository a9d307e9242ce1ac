"""One request and its response, as the server of a run sees them.

It decides how the steps of a fault are carried out, and takes down what can be known of the inputs.
Which steps a fault takes is decided in `wire_faults`.
"""

from __future__ import annotations

import random
import select
import socket
import ssl
import time
from typing import TYPE_CHECKING

from attrs import define
from wire_server import Connection, Request
from wire_store import PATHS, Answer, mark_of

if TYPE_CHECKING:
    from wire_peer import Peer

_NEVER = 5.0
"""Seconds for which a silent server waits for the end of its client, which must come before."""

_ENDS_BEHIND = ("unannounced end", "malformed", "echo")
"""Faults that may end a connection behind a response that is whole to a client."""


@define
class Entry:
    """A request that came in whole.

    Attributes:
        marks: The marks of its inputs.
        port: The port of the other side.
        fault: The name of its fault.
        reasons: For each mark, what its client was told, and why that may not be clear.
    """

    marks: list[str]
    port: int
    fault: str
    reasons: dict[str, set[str]]


class Exchange:
    """One request and its response, for a fault to carry out.

    Attributes:
        rng: Where its choices come from.
        entry: The request; None before it has come in whole.
        connection: The number of the connection.
    """

    def __init__(
        self, peer: Peer, connection: Connection, fault: str, port: int, rng: random.Random
    ) -> None:
        self.rng = rng
        self.entry: Entry | None = None
        self.connection = connection.number
        self._peer = peer
        self._connection = connection
        self._fault = fault
        self._port = port
        self._request: Request | None = None
        self._start = connection.received - connection.unread

    @property
    def begun(self) -> bool:
        """Whether at least a part of a request has come in."""
        return self._connection.received > self._start

    def receive(self) -> bool:
        """Take in a request; return whether it came in whole."""
        request = self._connection.receive()
        if request is None:
            if self.begun:
                self._peer.note_blind()
            return False
        self._request = request
        operation = PATHS[request.target.partition("?")[0]]
        marks = [mark_of(operation, one) for one in request.inputs]
        reasons: dict[str, set[str]] = {mark: set() for mark in marks}
        self.entry = Entry(marks, self._port, self._fault, reasons)
        self._peer.add(self.entry)
        return True

    def receive_part(self, where: str) -> None:
        """Take in a part of a request only."""
        self._peer.note_blind()
        if where == "in its headers":
            self._connection.receive_bytes(self.rng.randrange(1, 120))
        elif where == "in its body":
            head = self._connection.receive_head()
            length = 0 if head is None else int(head.headers.get("content-length", "0"))
            self._connection.receive_bytes(self.rng.randrange(length) if length else 0)

    def work(self) -> Answer:
        """Do what the request asks for."""
        assert self._request is not None
        assert self.entry is not None
        operation = PATHS[self._request.target.partition("?")[0]]
        answer = self._peer.store.carry_out(operation, self._request.inputs)
        for mark, reasons in answer.reasons.items():
            self.entry.reasons[mark] |= reasons
        return answer

    def work_later(self) -> None:
        """Do what the request asks for when no client waits for it any more."""
        self._peer.later(self.work, self.rng.choice((0.0, 0.002, 0.01)))

    def give(self, *reasons: str) -> None:
        """Note why the client cannot know what became of these inputs, or what it was told."""
        if self.entry is not None:
            for told in self.entry.reasons.values():
                told.update(reasons)

    def may_end(self, status: int) -> None:
        """Note a status that may end the run."""
        self._peer.ends.add(status)

    def send(self, *parts: bytes) -> None:
        """Send bytes."""
        self._connection.send(*parts)

    def wait(self, seconds: float) -> None:
        """Say nothing for a while."""
        time.sleep(seconds)

    def receive_few(self, count: int) -> None:
        """Let a few bytes of a request come in."""
        if is_readable(self._connection.sock, 0.01):
            self._connection.peek(count)

    @property
    def token_line(self) -> bytes:
        """The header line of the request that holds the token."""
        assert self._request is not None
        return f"Authorization: {self._request.headers['authorization']}".encode()

    def repeat(self, said: bytes) -> None:
        """Send the same again and again, until the client ends the connection."""
        self.drip(said * 1000, 0, len(said))

    def drip(self, said: bytes, cut: int, size: int = 1) -> None:
        """Send the rest of a response so slowly that no time-out between two bytes ends it."""
        self.send(said[:cut])
        begun = time.monotonic()
        for start in range(cut, len(said), size):
            assert time.monotonic() - begun < _NEVER, "a client waited without end"
            self.send(said[start : start + size])
            if is_readable(self._connection.sock, 0.03):
                return

    def end(self, how: str) -> None:
        """End the connection, or wait for its client to end it."""
        if self._fault in _ENDS_BEHIND:  # a request can be on its way
            self._peer.note_blind()
        if how == "reset":
            self._connection.reset()
        elif how in ("half-close", "silence"):
            if how == "half-close":
                self._connection.half_close()
            self._drain()
        else:
            self._connection.close()

    def _drain(self) -> None:
        """Read and forget what comes, up to the end; in peace, end it if it is idle."""
        sock, until = self._connection.sock, time.monotonic() + _NEVER
        more = bool(self._connection.unread)
        self._peer.draining.add(self.connection)
        self._peer.busy.discard(self.connection)
        try:
            while more or not self._peer.at_peace:
                if is_readable(sock, 0.005):
                    if not sock.recv(65536):
                        return
                    more = True
                    self._peer.draining.discard(self.connection)
                assert time.monotonic() < until, "a client did not end its connection"
        finally:
            self._peer.draining.discard(self.connection)
            if more:
                self._peer.note_blind()


def is_readable(sock: socket.socket, seconds: float) -> bool:
    """Return whether bytes, or the end, can be read within so many seconds."""
    if isinstance(sock, ssl.SSLSocket) and sock.pending():
        return True
    return bool(select.select([sock], [], [], seconds)[0])
