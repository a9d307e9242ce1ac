"""The output of a command, which its reader may close.

This module decides that a closed output harms nothing: it is not written to any more, and the
command goes on.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TextIO

from .job_words import one_line
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


def complain(text: str) -> None:
    """Say on the error output what is wrong; its other lines keep their indent."""
    if sys.stderr is not None:
        first, *rest = text.splitlines()
        lines = [f"hubspot-batch: {one_line(first)}", *(one_line(one, keep=True) for one in rest)]
        try:
            sys.stderr.write("\n".join(lines) + "\n")
            sys.stderr.flush()
        except OSError:
            return
