"""The output of a command, which its reader may close.

This module decides that a closed output harms nothing: it is not written to any more, and the
command goes on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from .progress import discard


class Output:
    """An output that its reader may close.

    Args:
        stream: Where it goes.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._open = True

    def lines(self, lines: Iterable[str]) -> None:
        """Write lines, unless the output was closed."""
        if not self._open:
            return
        try:
            self.stream.write("".join(f"{line}\n" for line in lines))
            self.stream.flush()
        except (OSError, ValueError):
            self._open = False
            discard(self.stream)
