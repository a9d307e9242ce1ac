"""A Redis or Valkey of its own on loopback, for tests that need a real store.

This module decides how it is started and ended. Without the program, the tests are skipped.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

PROGRAM = shutil.which("valkey-server") or shutil.which("redis-server")


def free_port() -> int:
    """Return a free port of loopback."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
    return port


def start(port: int) -> subprocess.Popen[bytes]:
    """Start a server that keeps nothing on disk, and wait until it listens."""
    if PROGRAM is None:
        pytest.skip("Neither valkey-server nor redis-server is installed; apt-get has both.")
    pytest.importorskip("redis", reason="redis-py is not installed; the extra `shared` has it.")
    process = subprocess.Popen(
        [PROGRAM, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL,
    )
    _wait_for(port, process)
    return process


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.01)
        else:
            return
    stop(process)
    raise AssertionError("The server does not listen.")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server."""
    process.kill()
    process.wait()


@contextmanager
def sentinel(port: int) -> Iterator[int]:
    """Run a sentinel that knows a server by the name `store`; gives its port."""
    own = free_port()
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as settings:
        settings.write(f"port {own}\nbind 127.0.0.1\nsentinel monitor store 127.0.0.1 {port} 1\n")
        settings.flush()
        process = subprocess.Popen(
            [str(PROGRAM), settings.name, "--sentinel"], stdout=subprocess.DEVNULL
        )
        try:
            _wait_for(own, process)
            yield own
        finally:
            stop(process)


@contextmanager
def running() -> Iterator[int]:
    """Run a server; gives its port."""
    port = free_port()
    process = start(port)
    try:
        yield port
    finally:
        stop(process)
