"""The sandbox on a real socket: uvicorn, and the one thing that ASGI cannot say.

It decides how a connection is cut. It never answers a request; `asgi` does. uvicorn is imported
here alone, so only what needs a socket needs the extra `[sandbox]`.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from .asgi import DROP, Application, Receive, Scope, Send

# On, after no seconds: closing throws away what is unsent and sends a reset.
_LINGER = struct.pack("ii", 1, 0)


class DroppingProtocol(H11Protocol):
    """uvicorn's own protocol, plus the `DROP` extension on every request of a connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give the application a way to cut this very connection."""
        super().connection_made(transport)
        inner = self.app

        def drop(reset: bool) -> None:
            if reset:
                raw = transport.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
            transport.abort()

        async def droppable(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[DROP] = drop
            await inner(scope, receive, send)

        self.app = droppable


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket; OSError when the port cannot be had or the host is not ours."""
    if not 0 <= port <= 65_535:
        raise OSError("a port is a number from 0 to 65535")
    listening = socket.create_server((host, port))
    # asyncio sets this only on sockets that it has made itself; without it an answer in two parts
    # waits for the client's delayed acknowledgement of the first.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def address(listening: socket.socket) -> str:
    """Return the base URL of a listening socket."""
    host, port = listening.getsockname()[:2]
    return f"http://{host}:{port}"


def run(application: Application, listening: socket.socket) -> None:
    """Serve until interrupted; Ctrl-C is the usual end, not an error."""
    with suppress(KeyboardInterrupt):
        _server(application).run(sockets=[listening])


@contextmanager
def running(application: Application) -> Generator[str, None, None]:
    """Serve on a free port of loopback in a thread of its own; gives the base URL."""
    with listen("127.0.0.1", 0) as listening:
        server = _server(application)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        try:
            # The socket listens already: early requests wait in its queue.
            yield address(listening)
        finally:
            server.should_exit = True
            thread.join()


def _server(application: Application) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            application,
            http=DroppingProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
    )
