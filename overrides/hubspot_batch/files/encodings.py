"""Decides the encoding of a text's bytes, and where they stop being a text.

It never decides by a part: every byte is decoded before the first row is handed out, so that a
fault far below does not change how the rows above it were read.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple, TextIO

from .errors import FileError

Open = Callable[[], BinaryIO]
"""Opens the bytes of a text from their beginning."""

_BLOCK = 1 << 18
# The longer marks first: the mark of UTF-32 begins with the mark of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ALL_MARKS = [mark for mark, _ in _MARKS]
_MARK = "\ufeff"
# What `surrogateescape` makes of bytes that are no UTF-8 is left out.
_BEYOND_ASCII = re.compile("[\x80-\ud7ff\ue000-\U0010ffff]")


class Encoding(NamedTuple):
    """How the bytes of a text are decoded.

    Attributes:
        name: Python's name of the encoding, without a mark.
        mark: Whether the text begins with a byte order mark.
        note: What a person should know of the choice; empty if nothing.
        fault_line: The first line that cannot be decoded; None if all can.
        fault: What is wrong there.
    """

    name: str
    mark: bool = False
    note: str = ""
    fault_line: int | None = None
    fault: str = ""

    def open(self, open_bytes: Open) -> TextIO:
        """Open the text behind its byte order marks; some programs write two."""
        stream, start = open_bytes(), 0
        mark = _MARK.encode(self.name) if self.name.startswith("utf") else b""
        while mark and stream.read(len(mark)) == mark:
            start += len(mark)
        stream.seek(start)
        return io.TextIOWrapper(stream, self.name, errors="replace", newline="")

    def lines(self, name: str, open_bytes: Open) -> Iterator[str]:
        """Yield the lines with their ends.

        Raises:
            FileError: A line cannot be decoded. The lines before it stand.
        """
        with self.open(open_bytes) as text:
            if self.fault_line is None:
                yield from text
                return
            for number, line in enumerate(text, 1):
                if number == self.fault_line:
                    raise FileError(self.fault, path=name, line=number)
                yield line


def find_encoding(name: str, open_bytes: Open, said: str | None) -> Encoding:
    """Return the encoding of a text.

    Args:
        name: The file's name, for messages.
        open_bytes: Opens the bytes.
        said: The encoding that the caller has named, or None.

    Raises:
        FileError: The bytes are in no encoding that can be told with certainty.
    """
    with open_bytes() as stream:
        start = stream.read(4096)
    marked = next((encoding for mark, encoding in _MARKS if start.startswith(mark)), "")
    if said is not None:
        wanted = _known(name, said)
        if marked and not marked.startswith(wanted):
            raise FileError(
                f"it begins with the byte order mark of {marked}, but the encoding was given as "
                f"{said}. Leave the encoding out.",
                path=name,
            )
        found = _checked(name, open_bytes, marked or wanted, mark=bool(marked))
        return found._replace(note=_doubt(name, open_bytes, wanted))
    if marked or (marked := _utf_16_without_mark(start)):
        return _checked(name, open_bytes, marked, mark=any(map(start.startswith, _ALL_MARKS)))
    found = _checked(name, open_bytes, "utf-8")
    if found.fault_line is None:
        return found
    line = found.fault_line
    if _has_utf_8(open_bytes):
        raise FileError(
            "it is not UTF-8 here, though other lines are. Correct this line; or add --encoding "
            "utf-8 to read the lines before it only.",
            path=name,
            line=line,
        )
    western = _checked(name, open_bytes, "cp1252")
    if western.fault_line is not None:
        raise FileError(
            "it is neither UTF-8 nor Windows-1252 here. Name the encoding with --encoding.",
            path=name,
            line=western.fault_line,
        )
    note = f"Read as Windows-1252 (cp1252), because line {line} is not UTF-8."
    return western._replace(note=note)


def _doubt(name: str, open_bytes: Open, said: str) -> str:
    """Return a note if a text that is said to be in another encoding is UTF-8, too."""
    if said.startswith("utf") or not _has_utf_8(open_bytes):
        return ""
    if _checked(name, open_bytes, "utf-8").fault_line is not None:
        return ""
    return f"Read as {said}, but all of it is UTF-8, too: look at letters beyond A to Z."


def _known(name: str, said: str) -> str:
    try:
        found = codecs.lookup(said).name
        "".encode(found)  # some codecs are not for text
    except (LookupError, ValueError):
        raise FileError(
            f"there is no encoding {said!r}; utf-8, utf-16 and cp1252 are some.", path=name
        ) from None
    if found == "utf-16":
        return "utf-16-le" if codecs.BOM_UTF16 == codecs.BOM_UTF16_LE else "utf-16-be"
    return found.removesuffix("-sig")


def _utf_16_without_mark(start: bytes) -> str:
    """Return the UTF-16 that a text of mostly Latin letters is in; empty if it is not."""
    for at, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros = start[at::2].count(0)
        if zeros and zeros * 10 >= len(start[at::2]) * 4 and not start[1 - at :: 2].count(0):
            return encoding
    return ""


def _checked(name: str, open_bytes: Open, encoding: str, *, mark: bool = False) -> Encoding:
    """Decode everything, and return the encoding with the first fault.

    Raises:
        FileError: It holds the character NUL, so it is no text.
    """
    decoder, line = codecs.getincrementaldecoder(encoding)(), 1
    counter = _LineCounter()
    with open_bytes() as stream:
        while True:
            block = stream.read(_BLOCK)
            try:
                text = decoder.decode(block, not block)
            except UnicodeDecodeError as error:
                before = error.object[: error.start].decode(encoding, "replace")
                line += counter.count(before)
                found = error.object[error.start : error.start + 1]
                fault = f"the byte 0x{found.hex()} is not {encoding}"
                return Encoding(encoding, mark, "", line, fault)
            if "\0" in text:
                line += counter.count(text[: text.index("\0")])
                raise FileError(
                    "it holds the character NUL, so it is no text.", path=name, line=line
                )
            line += counter.count(text)
            if not block:
                return Encoding(encoding, mark)


class _LineCounter:
    """Counts line ends; the end of a block may cut one of two characters apart."""

    def __init__(self) -> None:
        self._newlines = io.IncrementalNewlineDecoder(None, translate=True)

    def count(self, text: str) -> int:
        return self._newlines.decode(text).count("\n")


def _has_utf_8(open_bytes: Open) -> bool:
    """Return whether some of the bytes beyond ASCII are UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    with open_bytes() as stream:
        while True:
            block = stream.read(_BLOCK)
            if _BEYOND_ASCII.search(decoder.decode(block, not block)):
                return True
            if not block:
                return False
