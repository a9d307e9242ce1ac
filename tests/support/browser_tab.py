"""A page in a browser that stays open: keys are typed, and scripts are asked what they see.

This module decides how Chromium is spoken to: over two pipes, in its own protocol
(https://chromedevtools.github.io/devtools-protocol/). No port is opened.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import RawIOBase
from pathlib import Path
from typing import Any

from browser import OFFLINE, PLAIN, Browser

SECONDS = 30.0
# The browser reads from 3 and writes to 4.
_START = """
import fcntl, os, sys
ours, theirs = (fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3])
os.dup2(ours, 3), os.dup2(theirs, 4)
os.execvp(sys.argv[3], sys.argv[3:])
"""
_KEYS = {"Tab": 9, "Enter": 13}


class Tab:
    """One page. What it asked for, from anywhere, is in `requested`."""

    def __init__(self, commands: RawIOBase, messages: RawIOBase) -> None:
        self._commands = commands
        self._messages = messages
        self._unread = b""
        self._count = 0
        self._session: dict[str, str] = {}
        self.requested: list[str] = []
        targets = self.ask("Target.getTargets")["targetInfos"]
        (page,) = [one["targetId"] for one in targets if one["type"] == "page"]
        made = self.ask("Target.attachToTarget", targetId=page, flatten=True)
        self._session = {"sessionId": made["sessionId"]}
        for part in ("Page", "Runtime", "Network"):
            self.ask(f"{part}.enable")

    def ask(self, method: str, **parameters: Any) -> Any:
        """Send a command, and return its result."""
        self._count += 1
        sent = {"id": self._count, "method": method, "params": parameters} | self._session
        self._commands.write(json.dumps(sent).encode() + b"\0")
        while (message := self._next()).get("id") != self._count:
            pass
        assert "error" not in message, message["error"]
        return message["result"]

    def open(self, address: str) -> None:
        """Go to a page, and wait until it is loaded."""
        self.ask("Page.navigate", url=address)
        self.until(f"location.href == {json.dumps(address)} && document.readyState == 'complete'")

    def see(self, script: str) -> Any:
        """Return the value of a script in the page."""
        made = self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in made, made["exceptionDetails"]
        return made["result"].get("value")

    def until(self, script: str) -> Any:
        """Ask until a script's value is true, and return it; between two pages it has none."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            with suppress(AssertionError):
                if value := self.see(script):
                    return value
            time.sleep(0.02)
        raise TimeoutError(f"not in {SECONDS} seconds: {script}")

    def type(self, text: str) -> None:
        self.ask("Input.insertText", text=text)

    def press(self, key: str) -> None:
        """Press a key; after Enter, another page may be loading."""
        code = {"key": key, "code": key, "windowsVirtualKeyCode": _KEYS[key]}
        text = {"text": "\r"} if key == "Enter" else {}
        self.ask("Input.dispatchKeyEvent", type="keyDown", **code, **text)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **code)

    def size(self, width: int, height: int) -> None:
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def media(self, kind: str = "", scheme: str = "light") -> None:
        """Show the page as on paper (`print`), or in another scheme of colours."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.ask("Emulation.setEmulatedMedia", media=kind, features=features)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            read = self._messages.read(1 << 16)
            assert read, "the browser has ended"
            self._unread += read
        first, _, self._unread = self._unread.partition(b"\0")
        message: dict[str, Any] = json.loads(first)
        if message.get("method") == "Network.requestWillBeSent":
            self.requested.append(message["params"]["request"]["url"])
        return message


@contextmanager
def tab(browser: Browser) -> Iterator[Tab]:
    """Start a browser without a window, and end it with all that it started."""
    commands, for_us = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        profile = f"--user-data-dir={home}/profile"
        command = [browser.command, *PLAIN, *OFFLINE, profile, "--remote-debugging-pipe"]
        ends = [str(commands[0]), str(for_us[1])]
        process = subprocess.Popen(
            [sys.executable, "-c", _START, *ends, *command],
            pass_fds=(commands[0], for_us[1]),
            env={"PATH": os.environ.get("PATH", ""), "HOME": home, "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(commands[0])
        os.close(for_us[1])
        with (
            os.fdopen(commands[1], "wb", buffering=0) as sent,
            os.fdopen(for_us[0], "rb", buffering=0) as received,
        ):
            try:
                yield Tab(sent, received)
            finally:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def address(page: Path) -> str:
    return page.resolve().as_uri()
