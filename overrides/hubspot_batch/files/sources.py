"""Where the bytes of a file come from: a path, standard input, or an open file; compressed or not.

This module decides how bytes can be read again and again. It never looks at what they mean.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import sys
import tempfile
import weakref
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, cast

from .errors import FileError

_BLOCK = 1 << 20
_GZIP = b"\x1f\x8b"


class Source:
    """The bytes of a file, which can be opened as often as they are needed.

    What cannot be read twice (standard input, a pipe) is first copied into a temporary file.

    Args:
        given: A path, `-` for standard input, or a binary file that is open.

    Raises:
        FileError: It cannot be opened.
    """

    def __init__(self, given: str | os.PathLike[str] | BinaryIO) -> None:
        if isinstance(given, str | os.PathLike):
            self.name = os.fspath(given)
            if self.name == "-":
                self.name = "standard input"
                self.path = self._copy(sys.stdin.buffer)
            else:
                self.path = Path(given)
        else:
            self.name = str(getattr(given, "name", "the open file"))
            self.path = self._copy(given)
        with self.opened(self._raw) as stream:
            if self.path.is_fifo():
                self.path = self._copy(stream)
        with self._raw() as stream:
            self.gzip = stream.read(2) == _GZIP
        if self.suffixes[-1:] == [".gz"] and not self.gzip and self.path.stat().st_size:
            raise FileError("its name ends in .gz, but it is not compressed.", path=self.name)

    @property
    def suffixes(self) -> list[str]:
        """The ends of the name, in lower case."""
        return [suffix.lower() for suffix in Path(self.name).suffixes]

    def open(self) -> BinaryIO:
        """Open the bytes, uncompressed."""
        if not self.gzip:
            return self._raw()
        return cast("BinaryIO", _GzipStream(self.name, self._raw()))

    def fingerprint(self) -> tuple[int, str]:
        """Return the size and the SHA-256 of the bytes, as they stand in the file."""
        digest, size = hashlib.sha256(), 0
        with self._raw() as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
                size += len(block)
        return size, digest.hexdigest()

    def _raw(self) -> BinaryIO:
        return self.path.open("rb")

    def opened(self, open_bytes: Callable[[], BinaryIO]) -> BinaryIO:
        """Open the bytes, or say why that is not possible."""
        try:
            if self.path.is_dir():
                raise FileError("it is a folder, and no file.", path=self.name)
            return open_bytes()
        except (OSError, ValueError) as error:  # also a name that no file can have
            reason = getattr(error, "strerror", None) or str(error)
            raise FileError(f"it cannot be read: {reason}.", path=self.name) from None

    def _copy(self, stream: BinaryIO) -> Path:
        folder = tempfile.mkdtemp(prefix="hubspot-batch-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        path = Path(folder) / "input"
        with path.open("wb") as copy:
            shutil.copyfileobj(stream, copy, _BLOCK)
        return path


class _GzipStream(gzip.GzipFile):
    """Uncompressed bytes; damage ends in a `FileError`."""

    def __init__(self, name: str, raw: BinaryIO) -> None:
        super().__init__(fileobj=raw)
        self._shown = name
        self._raw_stream = raw

    def read(self, size: int | None = -1) -> bytes:
        return self._guarded(super().read, size)

    def read1(self, size: int = -1) -> bytes:
        return self._guarded(super().read1, size)

    def _guarded(self, read: Callable[[Any], bytes], size: int | None) -> bytes:
        try:
            return read(size)
        except (EOFError, OSError, zlib.error) as error:
            raise FileError(f"its compression is damaged: {error}.", path=self._shown) from None

    def close(self) -> None:
        super().close()
        self._raw_stream.close()
