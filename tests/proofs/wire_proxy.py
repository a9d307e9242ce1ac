"""A proxy for CONNECT that goes wrong, in front of the server of a run.

It decides where a tunnel fails, and tells the server's side of those in which a request can have
been lost. In all others nothing has reached the server, so nothing may be in doubt.
"""

from __future__ import annotations

import random
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from wire_peer import Peer
from wire_server import Connection, WireServer, response, wire_server

PASSWORD = "opensesame-of-the-wire-0123"
"""The proxy's, which nothing may show."""

_NO_TUNNEL = (
    *(
        "close",
        "reset",
        "half a line",
        "close later",
        "garbage",
        "echo",
        "407",
        "403",
        "502",
        "503",
    ),
    *("no tunnel", "reset tunnel", "garbage tunnel"),
)
PROXY_FAULTS = (*_NO_TUNNEL, "interim", "slow line", *["cut up", "cut down"] * 2)
"""What goes wrong in a proxy. Only through a tunnel that is cut can a request have gone."""

_GOOD = b"HTTP/1.1 200 Connection established\r\n\r\n"


def _said(fault: str, rng: random.Random, password: bytes) -> bytes:
    """Return what a proxy says that makes no tunnel, or none that holds."""
    if fault.isdigit():
        return response(int(fault), b"no")
    if fault == "half a line":
        return _GOOD[: rng.randrange(1, len(_GOOD) - 2)]
    if fault == "garbage":
        return b"SSH-2.0-proxy\r\n\r\n"
    if fault == "echo":
        line = b"Proxy-Authorization: " + password
        heads = (line, b"HTTP/1.1 502 " + line, b"HTTP/1.1 502 X\r\n " + line)
        return rng.choice(heads) + b"\r\n\r\n"
    return _GOOD if "tunnel" in fault else b""


class ProxyPeer:
    """A proxy for CONNECT that goes wrong, in front of a server.

    Args:
        peer: What the server sees; it is told of tunnels that were cut.
        server: The server.
        rng: Where its choices come from.
        faults: What goes wrong with each connection, in turn; None, and the end, for nothing.
    """

    def __init__(
        self, peer: Peer, server: WireServer, rng: random.Random, faults: Sequence[str | None]
    ) -> None:
        self.met: list[str] = []
        self._peer = peer
        self._server = server
        self._rng = rng
        self._faults = iter(faults)
        self._at_peace = False
        self._lock = threading.Lock()

    def peace(self) -> None:
        """Let nothing go wrong from here on."""
        self._at_peace = True

    def talk(self, connection: Connection) -> None:
        """Make a tunnel, or not."""
        with self._lock:
            fault = None if self._at_peace else next(self._faults, None)
            rng = random.Random(self._rng.random())
            self.met += [] if fault is None else [f"proxy: {fault}"]
        if fault == "reset" and rng.random() < 0.3:
            connection.reset()
            return
        request = connection.receive_head()
        if request is not None:
            password = request.headers.get("proxy-authorization", "").encode()
            self._answer(connection, fault, rng, password)

    def _answer(
        self, connection: Connection, fault: str | None, rng: random.Random, password: bytes
    ) -> None:
        if fault in _NO_TUNNEL:
            connection.send(_said(fault, rng, password))
            if "tunnel" in fault:
                connection.receive_bytes(rng.randrange(200))
            if fault == "garbage tunnel":
                connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            elif "reset" in fault:
                connection.reset()
            elif fault == "close later":
                time.sleep(0.003)
            return
        if fault == "interim":
            connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if fault == "slow line":
            connection.trickle(_GOOD, size=9, pause=0.001)
        else:
            connection.send(_GOOD)
        self._tunnel(connection, fault, rng)

    def _tunnel(self, connection: Connection, fault: str | None, rng: random.Random) -> None:
        with socket.create_connection(self._server.address) as other:
            for sock in (connection.sock, other):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            port = other.getsockname()[1]
            # A handshake takes some 600 bytes up, and 1,200 down.
            up = rng.randrange(300, 1600) if fault == "cut up" else None
            down = rng.randrange(300, 3000) if fault == "cut down" else None
            if fault in ("cut up", "cut down"):
                self._peer.cut_ports.add(port)
                self._peer.note_blind()
            self._pass_on({connection.sock: up, other: down})
            if fault in ("cut up", "cut down") and rng.random() < 0.5:
                for sock in (connection.sock, other):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _pass_on(self, left: dict[socket.socket, int | None]) -> None:
        """Pass bytes on both ways, up to an end or so many of them."""
        one, other = left
        while True:
            for source in select.select([one, other], [], [])[0]:
                target = other if source is one else one
                allowed = None if self._at_peace else left[source]
                try:
                    part = source.recv(65536)[:allowed]
                    target.sendall(part)
                except OSError:
                    return
                if allowed is not None:
                    left[source] = allowed - len(part)
                if not part or left[source] == 0:
                    return


@contextmanager
def proxying(proxy: ProxyPeer | None) -> Iterator[str | None]:
    """Serve a proxy on loopback, if there is one; gives its address."""
    if proxy is None:
        yield None
        return
    with wire_server(proxy.talk) as server:
        yield server.url.replace("//", f"//user:{PASSWORD}@")
