"""Looks for access tokens in everything that people can be shown.

This module decides what counts as showing a token, and in which spellings one is found. It never
decides what a test does with what is found; `conftest.py` lets no test pass with it.
"""

from __future__ import annotations

import base64
import json
import logging
import pickle
import re
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import quote

SECRET = "pat-na1-5e5a/OpenSesame0b5c7d1fDoNotTell=9c1d"
"""The token of tests that name none; half of its characters have other spellings."""

# As in the code under test: shorter texts are made up, and could stand anywhere by chance.
LEAST = 16
TESTS = str(Path(__file__).resolve().parents[1])


def spellings(token: str) -> Iterator[str]:
    """The texts that give a token away.

    The longest run of letters and digits is the same in a repr, in JSON, in a URL and among bytes,
    so mostly that one search does for all of them.
    """
    core = max(re.findall("[A-Za-z0-9]+", token), key=len, default="")
    if len(core) >= LEAST:
        yield core
    else:
        yield from {token, quote(token, safe=""), json.dumps(token)[1:-1], repr(token)[1:-1]}
        yield json.dumps(token)[1:-1].replace("/", "\\/")
        core = token
    yield "".join(f"\\u{ord(char):04x}" for char in core)
    for shift in range(3):
        # Base64 goes by threes, so a text has three spellings; the ends hang on what is next to it.
        coded = base64.b64encode(b"\0" * shift + core.encode()).decode().rstrip("=")
        yield coded[4 if shift else 0 : -1]


class Watch:
    """Searches for the tokens that it was told of, and keeps what it finds.

    Tests that give a text on purpose (in a frame of their own, say) are not looked at: frames of
    the files in this folder are left out.
    """

    def __init__(self, *tokens: str) -> None:
        self.found: list[str] = []
        self._needles: tuple[str, ...] = ()
        self._raw: tuple[bytes, ...] = ()
        for token in tokens:
            self.add(token)

    def add(self, token: object) -> None:
        """Look for this token from now on, if it is long enough to be told from other texts."""
        if isinstance(token, str) and len(token.strip()) >= LEAST:
            self._needles = tuple(dict.fromkeys((*self._needles, *spellings(token.strip()))))
            self._raw = tuple(needle.encode() for needle in self._needles)

    def begin(self, *tokens: str) -> None:
        """Forget all tokens but these, and what was found."""
        self.__init__(*tokens)  # type: ignore[misc]

    def take(self) -> list[str]:
        """Return what was found, and forget it."""
        found, self.found = self.found, []
        return found

    def text(self, where: str, text: str | bytes) -> None:
        """Look into a text, or into bytes."""
        if isinstance(text, bytes | bytearray):
            at = next((place for n in self._raw if (place := text.find(n)) >= 0), -1)
        else:
            at = next((place for n in self._needles if (place := text.find(n)) >= 0), -1)
        if at >= 0:
            self.found.append(f"{where}: {text[max(0, at - 60) : at + 60]!r}")

    def value(self, where: str, value: object) -> None:
        """Look at an object as people see it."""
        self.text(where, _shown(repr, value))
        # The repr of a result is short, and that of an outcome too.
        self.text(where, _shown(repr, getattr(value, "outcomes", None)))
        for name in ("to_dicts", "to_dict"):
            if callable(getattr(value, name, None)):
                self.text(where, _shown(lambda one, name=name: repr(getattr(one, name)()), value))
        if type(value).__str__ is not object.__str__:  # which is the repr again
            self.text(where, _shown(str, value))

    def error(self, where: str, error: BaseException) -> None:
        """Look at an exception, at those behind it, and at the values of variables in their frames.

        These are what `traceback.TracebackException` shows with `capture_locals` and without
        `compact`, except that it leaves out repeated frames.
        """
        for one in _chain(error):
            name = f"{where}: {type(one).__name__}"
            self.value(name, one)
            # Its notes are among them.
            self.value(f"{name}, its attributes", _shown(repr, getattr(one, "__dict__", None)))
            self.text(f"{name}, pickled", _pickled(one))
            for frame, _ in traceback.walk_tb(one.__traceback__):
                if not frame.f_code.co_filename.startswith(TESTS):
                    self._frame(name, frame)

    def _frame(self, where: str, frame: FrameType) -> None:
        code = frame.f_code
        for name, value in list(frame.f_locals.items()):
            place = f"{where}, {name} in {code.co_name} ({code.co_filename}:{frame.f_lineno})"
            self.text(place, _shown(repr, value))

    def record(self, record: logging.LogRecord) -> None:
        """Look at a log line, at what it was made of, and at its exception."""
        where = f"log of {record.name}"
        self.text(where, record.getMessage())
        self.text(where, _shown(repr, record.args))
        # A server is handed the token; that its frames hold it is no leak of ours.
        if record.exc_info and record.exc_info[1] and not record.name.startswith("uvicorn"):
            self.error(where, record.exc_info[1])

    def folder(self, folder: Path) -> None:
        """Look into every file that a test has written: journals, reports, outcomes."""
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                self.text(f"file {path.name}", path.read_bytes())

    def sections(self, sections: Iterable[tuple[str, str]]) -> None:
        """Look at what pytest has captured, under its headings."""
        for heading, text in sections:
            self.text(heading, text)


WATCH = Watch(SECRET)
"""The watch of the running test."""


class WatchingHandler(logging.Handler):
    """Hands every log record of every library to the watch."""

    def emit(self, record: logging.LogRecord) -> None:
        WATCH.record(record)


def watch_outputs(owner: Any, name: str) -> Callable[..., Any]:
    """Put a method in place that searches the texts that the old one returns; gives the old one."""
    old: Callable[..., Any] = getattr(owner, name)

    def returning(self: Any, *args: Any, **kwargs: Any) -> Any:
        texts = old(self, *args, **kwargs)
        for text in texts:
            if isinstance(text, str | bytes):
                WATCH.text(f"{owner.__name__}.{name}", text)
        return texts

    setattr(owner, name, returning)
    return old


def _chain(error: BaseException) -> list[BaseException]:
    seen: dict[int, BaseException] = {}
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen[id(one)] = one
        waiting += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
    return list(seen.values())


def _shown(show: Callable[[object], str], value: object) -> str:
    try:
        return show(value)
    except Exception:  # noqa: BLE001 - a variable may be of any type, and half-made
        return ""


def _pickled(error: BaseException) -> bytes:
    try:
        return pickle.dumps(error)
    except Exception:  # noqa: BLE001 - a test's own exception may hold anything
        return b""
