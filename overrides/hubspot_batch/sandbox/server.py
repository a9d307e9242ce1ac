"""The sandbox on a real socket, served by uvicorn.

It decides how a connection is cut, which ASGI cannot express, how a missing uvicorn or a taken port
is reported, and what a sandbox for people is like. uvicorn is imported late: the rest of the
package works without the extra `[sandbox]`.
"""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from .asgi import DROP, Application, Receive, Scope, Send, app
from .core import Sandbox, add_examples
from .fault_plans import Faults

if TYPE_CHECKING:
    import uvicorn

DEFAULT_PORT = 8765

# On, after no seconds: closing throws away what is unsent and sends a reset.
_LINGER = struct.pack("ii", 1, 0)


class ServeError(Exception):
    """The sandbox cannot be served; the message says why and what to do, in one sentence."""


def live_sandbox(*, seed: int = 0, faults: Faults = None) -> Sandbox:
    """Make a sandbox for people: on the machine's clock, with the example records in it.

    A sandbox with its usual clock, which stands still, would never open its rolling window again.
    """
    sandbox = Sandbox(seed=seed, faults=faults, clock=time.time)
    add_examples(sandbox)
    return sandbox


def serve(
    sandbox: Sandbox,
    *,
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    ready: Callable[[str], object] = print,
) -> None:
    """Serve a sandbox over HTTP until interrupted.

    `ready` is handed the base URL once the port is open; port 0 takes a free one. ServeError when
    uvicorn is missing or the port cannot be had.
    """
    server = uvicorn_server(app(sandbox))
    try:
        listening = listen(host, port)
    except OSError as error:
        raise ServeError(
            f"The sandbox cannot listen on {host}, port {port} ({error}): choose another port, "
            "or 0 for a free one."
        ) from None
    with listening:
        ready(address(listening))
        run(server, listening)


@contextmanager
def served(sandbox: Sandbox) -> Generator[str, None, None]:
    """Serve a sandbox on a free port of loopback while the block runs; gives the base URL.

    ServeError when uvicorn is missing.
    """
    server = uvicorn_server(app(sandbox))
    with listen("127.0.0.1", 0) as listening:
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        try:
            # The socket listens already: early requests wait in its queue.
            yield address(listening)
        finally:
            server.should_exit = True
            thread.join()


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


def run(server: "uvicorn.Server", listening: socket.socket) -> None:
    """Serve until interrupted; Ctrl-C is the usual end, not an error."""
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listening])


def uvicorn_server(application: Application) -> "uvicorn.Server":
    """Make a server that is not running yet; ServeError when uvicorn is missing."""
    try:
        import uvicorn  # noqa: PLC0415
        from uvicorn.protocols.http.h11_impl import H11Protocol  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ServeError(
            f"The sandbox needs {error.name} to listen on a port: "
            'pip install "hubspot-batch[sandbox]"'
        ) from None

    class DroppingProtocol(H11Protocol):
        """uvicorn's own protocol, plus the `DROP` extension on every request of a connection."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            """Give the application a way to cut this very connection."""
            super().connection_made(transport)
            self.app = _droppable(self.app, transport)

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


def _droppable(inner: Application, transport: asyncio.Transport) -> Application:
    """Wrap an application: it can cut its connection, with the `DROP` extension."""

    def drop(reset: bool) -> None:
        if reset:
            raw = transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
        transport.abort()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("extensions", {})[DROP] = drop
        await inner(scope, receive, send)

    return application
