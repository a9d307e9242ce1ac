"""Why a file or a mapping cannot be used, as exceptions that name the place.

This module decides what the exceptions carry. Nothing that they tell of has been sent.
"""

from __future__ import annotations

from typing import Any

from hubspot_batch.errors import ConfigurationError


class FileError(ConfigurationError):
    """A file cannot be read, or only up to a line. The rows before that line count.

    Attributes:
        path: The file's name, as it was given.
        line: The line at which reading stopped, counted from 1; None if it is no single line.
    """

    def __init__(self, sentence: str, *, path: str = "", line: int | None = None, **more: Any):
        where = ", ".join([*([path] if path else []), *([f"line {line}"] if line else [])])
        super().__init__(f"{where}: {sentence}" if where else sentence, **more)
        self.path = path
        self.line = line

    def __reduce__(self) -> tuple[Any, ...]:
        return (*super().__reduce__(), {"path": self.path, "line": self.line})


class EmptyTableError(FileError):
    """A file has no rows: it is empty, or has headings only."""


class MappingError(ConfigurationError):
    """A mapping cannot be used, or does not fit the columns."""
