"""The entry to `server` for those who may not have installed uvicorn.

It decides with which sentence a missing uvicorn or a taken port ends, and what a sandbox for
people is like. It alone reads the machine's clock.
"""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import ModuleType

from .asgi import app
from .core import Sandbox
from .examples import add_examples
from .fault_plans import Faults

DEFAULT_PORT = 8765


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
    server = _server()
    try:
        listening = server.listen(host, port)
    except OSError as error:
        raise ServeError(
            f"The sandbox cannot listen on {host}, port {port} ({error}): choose another port, "
            "or 0 for a free one."
        ) from None
    with listening:
        ready(server.address(listening))
        server.run(app(sandbox), listening)


@contextmanager
def served(sandbox: Sandbox) -> Generator[str, None, None]:
    """Serve a sandbox on a free port of loopback while the block runs; gives the base URL.

    ServeError when uvicorn is missing.
    """
    with _server().running(app(sandbox)) as url:
        yield url


def _server() -> ModuleType:
    try:
        from . import server  # noqa: PLC0415 - the rest works without uvicorn
    except ModuleNotFoundError as error:
        raise ServeError(
            f"The sandbox needs {error.name} to listen on a port: "
            'pip install "hubspot-batch[sandbox]"'
        ) from None
    return server
