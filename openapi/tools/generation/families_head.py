"""The beginning of families.py: its imports, its types, and the bases of its classes.

Decides what the methods pass their arguments on to.
"""

HEAD = '''"""The methods of each family of records, blocking and asynchronous.

Generated from openapi/openapi.yaml by openapi/tools/generation/families_module.py;
"make regenerate" writes it. The methods only pass their arguments on to a runner.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from . import models

# At run time this package imports nothing handwritten.
if TYPE_CHECKING:
    from hubspot_batch import AsyncOutcomeIterator, BatchResult, Outcome, OutcomeIterator
    from hubspot_batch._engine.runner import AsyncRunner, Runner, RunRequest
    from hubspot_batch.journal import Journal

_InputT = TypeVar("_InputT")
Inputs: TypeAlias = Iterable[_InputT]
AsyncInputs: TypeAlias = Iterable[_InputT] | AsyncIterable[_InputT]

Fields: TypeAlias = Mapping[str, Any]
"""An input as a mapping in the API's own names."""

JournalPath: TypeAlias = str | os.PathLike[str]
"""The file of a journal."""

Date: TypeAlias = str | datetime.date
Time: TypeAlias = str | datetime.datetime


def _methods_of(family: object) -> str:
    names = [name for name in vars(type(family)) if not name.startswith("_")]
    return f"<{type(family).__name__}: {', '.join(names)}>"


class _Family:
    def __init__(
        self,
        runner: Runner,
        call: Callable[..., RunRequest],
        reconcile: Callable[..., Any],
        pages: Callable[..., Any],
    ) -> None:
        self._runner = runner
        self._call = call
        self._reconcile = reconcile
        self._pages = pages

    def __repr__(self) -> str:
        return _methods_of(self)


class _AsyncFamily:
    def __init__(
        self,
        runner: AsyncRunner,
        call: Callable[..., RunRequest],
        reconcile: Callable[..., Any],
        pages: Callable[..., Any],
    ) -> None:
        self._runner = runner
        self._call = call
        self._reconcile = reconcile
        self._pages = pages

    def __repr__(self) -> str:
        return _methods_of(self)
'''
