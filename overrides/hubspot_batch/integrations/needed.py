"""Says what to install where an adapter's other program is missing."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def needed_by(module: str, install: str) -> Generator[None]:
    """Name what pip must install if an import in this block fails.

    Raises:
        ModuleNotFoundError: A module is missing; `name` is its name.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        text = f'{module} needs {error.name}: pip install "{install}"'
        raise ModuleNotFoundError(text, name=error.name) from None
