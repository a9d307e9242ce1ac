"""Reads JSON Lines and JSON arrays of objects, one object at a time.

This module decides what is an object and which columns there are. It stops at the first thing that
is no JSON object.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

from hubspot_batch._json import is_map

from .errors import FileError

_BLOCK = 1 << 16
_SPACE = re.compile(r"[ \t\r\n]*")
_LAYOUT = "Write one whole object in each line, or an array: [{...}, {...}]."


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; refuse a name that is there twice, because one value would be lost."""
    made = dict(pairs)
    if len(made) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise ValueError(f'"{counts.most_common(1)[0][0]}" is there twice in one object')
    return made


_DECODER = json.JSONDecoder(object_pairs_hook=_distinct)


def read_json_lines(name: str, lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the line and the object of each line that is not blank.

    Raises:
        FileError: A line is no JSON object. Nothing after it is read.
    """
    for number, line in enumerate(lines, 1):
        if line.isspace():
            continue
        try:
            value = _DECODER.decode(line)
        except (ValueError, RecursionError) as error:
            hint = f" {_LAYOUT}" if _is_part(line, error) else ""
            raise FileError(
                f"it is no JSON: {_words(error)}.{hint}", path=name, line=number
            ) from None
        yield number, _object(name, number, value)


def read_json_array(name: str, text: TextIO) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the line and the object of each item of an array.

    Raises:
        FileError: It is no array of JSON objects. Nothing after the fault is read.
    """
    array = _ArrayReader(name, text)
    array.take("[", "an array must begin with [")
    if not array.skip("]"):
        while True:
            value = array.value()
            yield array.line, _object(name, array.line, value)
            if array.skip("]"):
                break
            array.take(",", "a comma or ] must follow an object")
    if array.peek():
        raise array.fault("nothing may follow the end of the array")


def _object(name: str, line: int, value: Any) -> dict[str, Any]:
    if not is_map(value):
        kind = type(value).__name__
        raise FileError(f"a row must be a JSON object, and not {kind}.", path=name, line=line)
    return value


def _is_part(line: str, error: Exception) -> bool:
    """Return whether a line holds a part of an object, or more than one object."""
    if not isinstance(error, json.JSONDecodeError) or line[:1] != "{":
        return False
    return error.msg == "Extra data" or line.strip() == "{"


def _words(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return error.msg
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return "an integer is too long" if "int_max_str_digits" in str(error) else str(error)


class _ArrayReader:
    """An array that is being read; the buffer holds the item under way, and not much more."""

    def __init__(self, name: str, text: TextIO) -> None:
        self.line = 1
        self._name = name
        self._text = text
        self._buffer = ""
        self._at = self._counted = 0

    def fault(self, words: str) -> FileError:
        self._count()
        return FileError(f"it is no JSON: {words}.", path=self._name, line=self.line)

    def _count(self) -> None:
        self.line += self._buffer.count("\n", self._counted, self._at)
        self._counted = self._at

    def _fill(self) -> bool:
        """Read more; return whether there was more."""
        self._count()
        rest = self._buffer[self._at :]
        # Twice as much each time, so that a large item is not copied too often.
        more = self._text.read(max(_BLOCK, len(rest)))
        self._buffer, self._at, self._counted = rest + more, 0, 0
        return bool(more)

    def peek(self) -> str:
        """Return the next character that is no white space; empty at the end."""
        while True:
            space = _SPACE.match(self._buffer, self._at)
            self._at = space.end() if space else self._at
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._fill():
                return ""

    def skip(self, character: str) -> bool:
        """Skip a character if it is the next one."""
        if self.peek() != character:
            return False
        self._at += 1
        return True

    def take(self, character: str, words: str) -> None:
        """Skip a character that must be the next one."""
        if not self.skip(character):
            raise self.fault(words)

    def value(self) -> Any:
        """Return the next item, and set `line` to where it begins."""
        if self.peek() != "{":
            raise self.fault("a row must be an object, such as {...}")
        self._count()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._buffer, self._at)
            except json.JSONDecodeError as error:
                # An item that goes on behind the buffer fails near its end, or within a text.
                cut = error.msg.startswith("Unterminated") or error.pos + 20 > len(self._buffer)
                if not cut or not self._fill():
                    raise self.fault(error.msg) from None
            except (ValueError, RecursionError) as error:
                raise self.fault(_words(error)) from None
            else:
                self._at = end
                return value
