"""A package index on loopback, and wheels of what is installed here, so that no other is asked."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# A process of its own: pypiserver changes how its process imports. It prints its port.
_INDEX = """
import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from pypiserver import app

class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

class Quiet(WSGIRequestHandler):
    def log_message(self, *arguments):
        pass

users = sys.argv[2:]
index = app(
    roots=[Path(sys.argv[1])],
    password_file=users[0] if users else ".",
    authenticate=["update", "list", "download"] if users else [],
    disable_fallback=True,
)
with make_server("127.0.0.1", 0, index, Server, Quiet) as server:
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
"""


@contextmanager
def serving(command: Sequence[str | Path], folder: Path) -> Iterator[str]:
    """The loopback address that a server of its own process prints once it listens."""
    plain = {"HOME": str(folder), "PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=folder, env=plain, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout
        said = ""
        try:
            for line in process.stdout:
                said += line
                if address := re.search(r"http://127\.0\.0\.1:\d+", line):
                    yield address[0]
                    break
            else:
                pytest.fail(f"the server did not start: {said}")
        finally:
            process.terminate()


@contextmanager
def index(files: Path, folder: Path, users: Path | None = None) -> Iterator[str]:
    """Serve a folder of files; with `users`, nothing is shown or taken without a password."""
    command = [sys.executable, "-c", _INDEX, files, *([users] if users else [])]
    with serving(command, folder) as url:
        yield url


def pack_installed(name: str, extras: frozenset[str], folder: Path, seen: set[str]) -> None:
    """Make wheels of an installed distribution's dependencies."""
    for text in importlib.metadata.requires(name) or ():
        needed = Requirement(text)
        marks = [{"extra": extra} for extra in ("", *extras)]
        if needed.marker and not any(map(needed.marker.evaluate, marks)):
            continue
        if canonicalize_name(needed.name) not in seen:
            seen.add(canonicalize_name(needed.name))
            pack(importlib.metadata.distribution(needed.name), folder)
        pack_installed(needed.name, frozenset(needed.extras), folder, seen)


def pack(distribution: importlib.metadata.Distribution, folder: Path) -> None:
    tags = re.findall(r"^Tag: (.+)$", distribution.read_text("WHEEL") or "", re.MULTILINE)
    name = f"{distribution.name.replace('-', '_')}-{distribution.version}-{tags[-1]}.whl"
    with zipfile.ZipFile(folder / name, "w") as wheel:
        for file in distribution.files or ():
            if not {"..", "__pycache__"} & set(file.parts) and Path(file.locate()).exists():
                wheel.write(str(file.locate()), file.as_posix())
