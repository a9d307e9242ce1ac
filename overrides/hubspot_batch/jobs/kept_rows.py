"""Keeps the rows of a file with their inputs, from the pass that plans a job to the one that sends.

This module decides when the kept rows replace the file: after one pass has read it to its end. So
most files are read and mapped once, and the rows that are sent are the rows that were planned.
"""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import IO, TypeAlias

from hubspot_batch.files import Input, Row

Rows: TypeAlias = Iterator[tuple[Row, Input]]

# Rows beyond this are read again from their file: a disk must not be filled by them.
BYTES_AT_MOST = 1 << 28
_BLOCK = 100


class KeptRows:
    """Rows in a file without a name, which the system removes when this is no longer used.

    Args:
        bytes_at_most: More than this is not kept.
    """

    def __init__(self, bytes_at_most: int = BYTES_AT_MOST) -> None:
        self._bytes_at_most = bytes_at_most
        self._file: IO[bytes] | None = None
        self.complete = False

    def keep(self, rows: Rows) -> Rows:
        """Yield rows, and keep them if they are yielded to their end and there is space."""
        self.close()
        try:
            # Only this process knows the file, so what is unpickled is what was pickled.
            self._file = tempfile.TemporaryFile(prefix="hubspot-batch-")  # noqa: SIM115
        except OSError:
            self._file = None
        while block := list(islice(rows, _BLOCK)):
            if self._file is not None:
                self._write(self._file, block)
            yield from block
        self.complete = self._file is not None

    def _write(self, file: IO[bytes], block: list[tuple[Row, Input]]) -> None:
        """Keep a block; where that cannot be done, let go of all of them."""
        try:
            pickle.dump([(*row, made) for row, made in block], file, pickle.HIGHEST_PROTOCOL)
            file.flush()
            if file.tell() <= self._bytes_at_most:
                return
        except (OSError, pickle.PicklingError, TypeError, AttributeError):
            pass  # the disk is full, or a cell is of a class that cannot be kept
        self.close()

    def close(self) -> None:
        """Let go of what was kept."""
        file, self._file, self.complete = self._file, None, False
        if file is not None:
            with suppress(OSError):  # what it could not write is not needed
                file.close()

    def __iter__(self) -> Rows:
        """Yield the rows that were kept."""
        file = self._file
        if file is None:
            return
        at, end = 0, file.seek(0, 2)
        while at < end:
            # Another pass may be on its way, so each remembers where it is.
            file.seek(at)
            block = pickle.load(file)  # noqa: S301 - see above
            at = file.tell()
            for line, cells, problem, made in block:
                yield Row(line, cells, problem), made
