"""Deprecated names: how long they still work, and their replacements.

This module decides the words of the warning. A deprecated name works as before in at least one
whole release; a test fails once the version in which it goes has come.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

CallableT = TypeVar("CallableT", bound=Callable[..., Any])


def deprecated(*, since: str, until: str, instead: str) -> Callable[[CallableT], CallableT]:
    """Mark a function, a method or a class as deprecated: each call of it warns.

    Args:
        since: The version that began to warn.
        until: The version in which it goes.
        instead: What to use in its place.
    """

    def mark(target: CallableT) -> CallableT:
        name = target.__qualname__.removesuffix(".__init__")
        message = _message(name, since, until, instead)
        if isinstance(target, type):
            made: Any = target
            made.__init__ = deprecated(since=since, until=until, instead=instead)(made.__init__)
        elif inspect.iscoroutinefunction(target):

            @wraps(target)
            async def later(*args: Any, **kwargs: Any) -> Any:
                warnings.warn(message, DeprecationWarning, stacklevel=2)
                return await target(*args, **kwargs)

            made = later
        else:

            @wraps(target)
            def now(*args: Any, **kwargs: Any) -> Any:
                warnings.warn(message, DeprecationWarning, stacklevel=2)
                return target(*args, **kwargs)

            made = now
        made.__deprecated__ = message  # where Python's own decorator puts it (PEP 702)
        made.__doc__ = f"{inspect.getdoc(target) or name}\n\nDeprecated: {message}"
        return cast("CallableT", made)

    return mark


def warn_argument(name: str, *, since: str, until: str, instead: str, level: int = 2) -> None:
    """Warn that an argument is deprecated; `level` callers up from here stands who gave it.

    A decorator would keep all arguments in a frame of its own, the token among them.
    """
    message = _message(f"The argument {name}", since, until, instead)
    warnings.warn(message, DeprecationWarning, stacklevel=level + 1)


def _message(name: str, since: str, until: str, instead: str) -> str:
    return f"{name} is deprecated since version {since} and goes in {until}: use {instead}."
