"""A Postgres of its own on loopback, for tests that need a real database.

This module decides how it is started and ended. Without the programs, the tests are skipped.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from redis_server import free_port

USER = "tester"
_MISSING = "The server of Postgres is not installed; apt-get has it as `postgresql`."


def _program(name: str) -> str:
    """Return the path of a program of the server, which Debian keeps out of PATH."""
    folders = [*Path("/usr/lib/postgresql").glob("*/bin")]
    newest_first = sorted(folders, key=lambda one: int(one.parent.name), reverse=True)
    path = os.pathsep.join([*map(str, newest_first), os.environ.get("PATH", "")])
    return shutil.which(name, path=path) or pytest.skip(_MISSING)


def _owner() -> dict[str, Any]:
    """Return the user that runs the server: it refuses to be run by root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            found = pwd.getpwnam(name)
            return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    pytest.skip("Postgres refuses to be run by root, and there is no other user.")


@contextmanager
def running() -> Iterator[str]:
    """Run a server; gives what to connect with."""
    pytest.importorskip("psycopg", reason="psycopg is not installed; the extra `postgres` has it.")
    initdb, postgres, owner = _program("initdb"), _program("postgres"), _owner()
    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as folder:
        if owner:
            os.chown(folder, owner["user"], owner["group"])
        data, port = f"{folder}/data", free_port()
        how: dict[str, Any] = {**owner, "cwd": folder, "stdout": subprocess.DEVNULL}
        made = [initdb, "--no-sync", "--auth=trust", f"--username={USER}", "--encoding=UTF8"]
        subprocess.run([*made, "--locale=C", "-D", data], check=True, **how)
        settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": ""}
        options = [f"--{name}={value}" for name, value in {**settings, "fsync": "off"}.items()]
        with Path(folder, "log").open("wb") as log:
            process = subprocess.Popen([postgres, "-D", data, *options], stderr=log, **how)
        try:
            conninfo = f"host=127.0.0.1 port={port} user={USER} dbname=postgres"
            _wait(conninfo, process)
            yield conninfo
        finally:
            process.send_signal(signal.SIGINT)  # it ends its connections
            process.wait()


def _wait(conninfo: str, process: subprocess.Popen[bytes]) -> None:
    import psycopg

    for _ in range(500):
        assert process.poll() is None, "The server has ended."
        try:
            psycopg.connect(conninfo).close()
        except psycopg.OperationalError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("The server does not listen.")
