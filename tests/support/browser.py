"""Chromium, as tests of pages use it: without a window, without a network, and for a limited time.

This module decides how the browser is found, started and ended, and reads its pictures. It never
decides what a page should look like.
"""

from __future__ import annotations

import os
import shutil
import signal
import struct
import subprocess
import tempfile
import zlib
from collections import Counter
from pathlib import Path

from attrs import frozen

NAMES = ("chromium", "chromium-browser")
SECONDS = 90
# Nothing is looked up, and what would be fetched is asked of a port that no server listens on.
OFFLINE = (
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=127.0.0.1:9",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-quic",
    "--disable-sync",
    "--no-pings",
)
PLAIN = (
    "--headless",
    "--no-sandbox",  # which needs rights that CI may not have; only our own pages are opened
    "--no-first-run",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
)


@frozen
class Browser:
    """A browser that is started anew, with a profile of its own, for each thing it is asked for."""

    command: str

    def text(self, page: Path, width: int = 1000) -> str:
        """The document as the browser has understood it, written as HTML again."""
        return self._run("--dump-dom", f"--window-size={width},800", page.as_uri()).decode()

    def picture(self, page: Path, width: int, height: int, *more: str) -> Picture:
        """Take a picture of a page in a window of this size."""
        into = page.with_suffix(".png")
        size = f"--window-size={width},{height}"
        self._run(f"--screenshot={into}", size, *more, page.as_uri())
        return picture(into.read_bytes())

    def print(self, page: Path) -> bytes:
        """The page as a PDF."""
        into = page.with_suffix(".pdf")
        self._run(f"--print-to-pdf={into}", "--no-pdf-header-footer", page.as_uri())
        return into.read_bytes()

    def _run(self, *arguments: str) -> bytes:
        # Not below `tmp_path`, where all that a test writes is searched.
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
            command = [self.command, *PLAIN, *OFFLINE, f"--user-data-dir={home}/profile"]
            return run([*command, *arguments], home)


def run(command: list[str], home: str, seconds: float = SECONDS) -> bytes:
    """Return what a command prints; it and all that it started are ended if they take too long."""
    environment = {"PATH": os.environ.get("PATH", ""), "HOME": home, "LANG": "C.UTF-8"}
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            output, errors = process.communicate(timeout=seconds)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    assert process.returncode == 0, errors.decode(errors="replace")[-2000:]
    return output


def found() -> Browser | str:
    """A browser that starts, or why there is none."""
    asked = os.environ.get("CHROMIUM")
    commands = [asked] if asked else [*NAMES]
    command = next((path for name in commands if (path := shutil.which(name))), None)
    if command is None:
        return f"{' and '.join(commands)} missing: install Debian's chromium, or set CHROMIUM"
    try:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
            run([command, "--version"], home)
    except (OSError, AssertionError, subprocess.TimeoutExpired):
        return f"{Path(command).name} does not start"
    return Browser(command)


@frozen
class Picture:
    """Rows of pixels, red, green and blue."""

    width: int
    height: int
    colours: Counter[tuple[int, int, int]]


def picture(data: bytes) -> Picture:
    """Read a PNG of 8 bits a colour, as browsers write it."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    place, packed, header = 8, b"", b""
    while place < len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        body = data[place + 8 : place + 8 + length]
        header = body if kind == b"IHDR" else header
        packed += body if kind == b"IDAT" else b""
        place += length + 12
    width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", header)
    assert (depth, rest) == (8, [0, 0, 0])
    size = {2: 3, 6: 4}[colour]
    lines, step = zlib.decompress(packed), width * size + 1
    colours: Counter[tuple[int, int, int]] = Counter()
    above = bytearray(width * size)
    for start in range(0, height * step, step):
        above = _line(lines[start], bytearray(lines[start + 1 : start + step]), above, size)
        colours.update(zip(above[::size], above[1::size], above[2::size], strict=True))
    return Picture(width, height, colours)


def _line(kind: int, line: bytearray, above: bytearray, size: int) -> bytearray:
    """Undo the filter of one line (PNG, section 9)."""
    if kind == 2:
        return bytearray((byte + up) & 0xFF for byte, up in zip(line, above, strict=True))
    for place in range(len(line)) if kind else ():
        left = line[place - size] if place >= size else 0
        if kind == 1:
            guess = left
        elif kind == 3:
            guess = (left + above[place]) // 2
        else:
            guess = _paeth(left, above[place], above[place - size] if place >= size else 0)
        line[place] = (line[place] + guess) & 0xFF
    return line


def _paeth(left: int, up: int, corner: int) -> int:
    if up == corner:
        return left
    if left == corner:
        return up
    near = left + up - corner
    return min((left, up, corner), key=lambda value: abs(near - value))
