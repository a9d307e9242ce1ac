"""The sandbox on a real socket, served by uvicorn.

The module decides how a connection is dropped, how a missing uvicorn or a port in use is reported,
and the settings of the sandbox that the command line serves. uvicorn is imported only when a server
is made: the rest of the package works without the extra `[sandbox]`.
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

# SO_LINGER on, with 0 seconds: close() discards unsent data and sends a reset.
_LINGER = struct.pack("ii", 1, 0)


class ServeError(Exception):
    """The sandbox cannot be served. The message says why and what to do, in one sentence."""


def live_sandbox(*, seed: int = 0, faults: Faults = None) -> Sandbox:
    """Make a sandbox to serve: with the machine's clock and the example records.

    With the default clock, which stands still, a full rolling window would never open again.
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
    """Serve a sandbox over HTTP until Ctrl-C.

    `ready` is called with the base URL once the port is open. Port 0 stands for any free port.
    ServeError if uvicorn is missing or the port cannot be opened.
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
    """Serve a sandbox on a free port of 127.0.0.1 while the block runs, and give its base URL.

    ServeError if uvicorn is missing.
    """
    server = uvicorn_server(app(sandbox))
    with listen("127.0.0.1", 0) as listening:
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        try:
            # The socket is listening already, so requests wait in its queue until uvicorn runs.
            yield address(listening)
        finally:
            server.should_exit = True
            thread.join()


def listen(host: str, port: int) -> socket.socket:
    """Open a listening socket; OSError if the host or the port is not available."""
    if not 0 <= port <= 65_535:
        raise OSError("a port must be from 0 to 65535")
    listening = socket.create_server((host, port))
    # asyncio sets TCP_NODELAY only on sockets that it has made itself. Without it, the body of a
    # response waits until the client acknowledges the headers, which it delays.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def address(listening: socket.socket) -> str:
    """Return the base URL of a listening socket."""
    host, port = listening.getsockname()[:2]
    return f"http://{host}:{port}"


def run(server: "uvicorn.Server", listening: socket.socket) -> None:
    """Run a server on an open socket until Ctrl-C, which is not an error."""
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listening])


def uvicorn_server(application: Application) -> "uvicorn.Server":
    """Make a server that can drop connections; ServeError if uvicorn is missing."""
    try:
        import uvicorn  # noqa: PLC0415
        from uvicorn.protocols.http.h11_impl import H11Protocol  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ServeError(
            f"The sandbox needs {error.name} to listen on a port: "
            'pip install "hubspot-batch[sandbox]"'
        ) from None

    class DroppingProtocol(H11Protocol):
        """uvicorn's HTTP protocol with the `DROP` extension."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            """Give the application the means to drop this connection."""
            super().connection_made(transport)
            self.app = _with_drop(self.app, transport)

    return uvicorn.Server(
        uvicorn.Config(
            application,
            http=DroppingProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=1,
        )
    )


def _with_drop(inner: Application, transport: asyncio.Transport) -> Application:
    """Add the `DROP` extension to every request of an application on this connection."""

    def drop(reset: bool) -> None:
        if reset:
            raw = transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
        transport.abort()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("extensions", {})[DROP] = drop
        await inner(scope, receive, send)

    return application
