"""Tells objects of a forked process that they are copies.

A fork copies locks that another thread holds, and connections that the parent goes on using. This
module decides nothing else than who is told, and when: before any other code of the child runs.
"""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class Forkable(Protocol):
    """An object that begins anew in a forked process."""

    def begin_in_fork(self) -> None:
        """Leave what belongs to the parent alone, and begin anew."""
        ...


_KNOWN: WeakSet[Forkable] = WeakSet()


def tell_of_forks(one: Forkable) -> None:
    """Have an object told when its process is a forked one."""
    _KNOWN.add(one)


def _tell() -> None:
    for one in [*_KNOWN]:
        one.begin_in_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_tell)
