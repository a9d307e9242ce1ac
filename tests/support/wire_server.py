"""A server that speaks raw bytes on loopback, for whatever can happen on the wire.

It decides how bytes are exchanged, and shares no code with the sandbox: a test says, as a function
of a connection, what is read and what is sent. What an answer means is decided elsewhere.

    def talk(connection: Connection) -> None:
        for request in connection.requests():
            connection.send(response(201, {"results": []}))

    with wire_server(talk) as server:
        ...  # server.url, server.requests
"""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

CERTIFICATE = Path(__file__).with_suffix(".pem")
"""For hubspot.test, localhost and 127.0.0.1, with its key; it signs itself."""


class Request(NamedTuple):
    """A request as it came in; the names of its headers are in small letters."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """The inputs of a batch."""
        inputs: list[dict[str, Any]] = json.loads(self.body)["inputs"]
        return inputs

    @property
    def token(self) -> str:
        """The token that it carries."""
        return self.headers.get("authorization", "").removeprefix("Bearer ")


class Connection:
    """A connection, as the server sees it.

    Attributes:
        number: Which of the server's connections it is, from 0.
        received: How many bytes have come in.
    """

    def __init__(self, server: WireServer, sock: socket.socket, number: int) -> None:
        self.number = number
        self.received = 0
        self.sock = sock
        self._server = server
        self._received = b""

    # ------------------------------------------------------------ what comes in

    def receive_until(self, end: bytes) -> bytes:
        """Return what came, up to and with an ending; less if the connection ends before."""
        while end not in self._received:
            if not self._more():
                return self._take(len(self._received))
        return self._take(self._received.index(end) + len(end))

    def receive_bytes(self, count: int) -> bytes:
        """Return so many bytes; fewer if the connection ends before."""
        while len(self._received) < count and self._more():
            pass
        return self._take(count)

    def peek(self, most: int) -> None:
        """Let up to so many bytes come in; they stay to be taken."""
        self._more(most)

    def receive_head(self) -> Request | None:
        """Return a request without its body; None at the end of the connection."""
        head = self.receive_until(b"\r\n\r\n")
        if not head.endswith(b"\r\n\r\n"):
            return None
        first, *lines = head[:-4].decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in lines)}
        return Request(method, target, headers, b"")

    def receive(self) -> Request | None:
        """Return a whole request, and note it; None at the end of the connection."""
        head = self.receive_head()
        if head is None:
            return None
        length = int(head.headers.get("content-length", "0"))
        body = self.receive_bytes(length)
        if len(body) < length:
            return None
        request = head._replace(body=body)
        self._server.requests.append(request)
        return request

    def requests(self) -> Iterator[Request]:
        """Yield each whole request that comes."""
        while (request := self.receive()) is not None:
            yield request

    @property
    def unread(self) -> int:
        """How many of them are still to be taken."""
        return len(self._received)

    def _more(self, most: int = 65536) -> bool:
        part = self.sock.recv(most)
        self._received += part
        self.received += len(part)
        return bool(part)

    def _take(self, count: int) -> bytes:
        taken, self._received = self._received[:count], self._received[count:]
        return taken

    # ------------------------------------------------------------ what goes out

    def send(self, *parts: bytes) -> None:
        """Send bytes at once."""
        self.sock.sendall(b"".join(parts))

    def trickle(self, data: bytes, *, size: int = 1, pause: float = 0.02) -> None:
        """Send bytes a few at a time."""
        for start in range(0, len(data), size):
            self.send(data[start : start + size])
            self.wait(pause)

    def wait(self, seconds: float) -> None:
        """Say nothing for a while; the end of the server ends it."""
        if self._server.ended.wait(seconds):
            raise ConnectionAbortedError

    # ------------------------------------------------------------ how it ends

    def reset(self) -> None:
        """End it with a reset, which loses what the other side has not read."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def half_close(self) -> None:
        """Say that nothing more will be sent, and go on reading."""
        self.sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """End it."""
        self.sock.close()

    # ------------------------------------------------------------ what it leads to

    def secure(self) -> None:
        """Begin TLS, as the server that the certificate is for."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        self.sock = context.wrap_socket(self.sock, server_side=True)

    def tunnel_to(self, server: WireServer) -> None:
        """Pass on all bytes to another server, and back, as a proxy does after CONNECT."""
        with socket.create_connection(server.address) as other:
            back = threading.Thread(target=_pass_on, args=(other, self.sock), daemon=True)
            back.start()
            _pass_on(self.sock, other)
            back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(65536):
            target.sendall(part)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


Talk: TypeAlias = Callable[[Connection], object]


class WireServer:
    """A server that handles each connection with a function, in a thread of its own.

    Attributes:
        address: Host and port.
        requests: The whole requests that came, of all connections.
        connections: How many connections came.
        ended: Set when it is closed.
        failures: What the function raised, except the end of a connection.
    """

    def __init__(self, talk: Talk) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self.ended = threading.Event()
        self.failures: list[Exception] = []
        self._talk = talk
        self._open: list[Connection] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.address: tuple[str, int] = self._listener.getsockname()
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    @property
    def url(self) -> str:
        """Its address over plain http."""
        return f"http://127.0.0.1:{self.address[1]}"

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            connection = Connection(self, sock, self.connections)
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._handle, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _handle(self, connection: Connection) -> None:
        try:
            self._talk(connection)
        except OSError:
            pass  # the other side has ended it, or the server was closed
        except Exception as error:  # noqa: BLE001 - the test's thread raises it
            self.failures.append(error)
        finally:
            connection.close()

    def close(self) -> None:
        """End all connections, and raise what went wrong in them."""
        self.ended.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join()
        for connection in self._open:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        if self.failures:
            raise self.failures[0]


@contextmanager
def wire_server(talk: Talk) -> Iterator[WireServer]:
    """Serve connections with a function while the block runs."""
    server = WireServer(talk)
    try:
        yield server
    finally:
        server.close()


def each(*answers: bytes | Callable[[Connection, Request], object]) -> Talk:
    """Return a function that meets each request of a connection with the next answer.

    The last one is used for all that follow.
    """

    def talk(connection: Connection) -> None:
        for number, request in enumerate(connection.requests()):
            answer = answers[min(number, len(answers) - 1)]
            if callable(answer):
                answer(connection, request)
            else:
                connection.send(answer)

    return talk


def secured(talk: Talk) -> Talk:
    """Return a function that begins TLS before another one."""

    def talk_securely(connection: Connection) -> None:
        connection.secure()
        talk(connection)

    return talk_securely


def proxy(server: WireServer) -> Talk:
    """Return a function that makes tunnels to a server, whichever host is asked for."""

    def talk(connection: Connection) -> None:
        request = connection.receive_head()
        assert request is not None
        assert request.method == "CONNECT"
        connection.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        connection.tunnel_to(server)

    return talk


# ---------------------------------------------------------------- responses, as bytes


def response(
    status: int, body: object = b"", *headers: str, length: int | None = None, reason: str = "X"
) -> bytes:
    """Return a response; a body that is no bytes is written as JSON.

    Args:
        status: Its status.
        body: Its body.
        headers: Header lines that are added.
        length: The Content-Length that it states; that of the body by default.
        reason: The words behind the status.
    """
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} {reason}", *headers]
    lines.append(f"Content-Length: {len(content) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + content


def chunked(status: int, body: object, *headers: str, size: int = 1024, ends: bool = True) -> bytes:
    """Return a response in chunks; without the last one if `ends` is False."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", "Transfer-Encoding: chunked", *headers]
    parts = [content[start : start + size] for start in range(0, len(content), size)]
    chunks = [b"%x\r\n%b\r\n" % (len(part), part) for part in parts]
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    return b"".join([head, *chunks, b"0\r\n\r\n" if ends else b""])


def created(request: Request) -> dict[str, Any]:
    """Return the body of a success that has created every input of a request."""
    results = [{"id": str(number), **one} for number, one in enumerate(request.inputs, 1)]
    return {"status": "COMPLETE", "results": results}
