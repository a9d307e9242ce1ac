"""Imports the modules that runs need, before a fork.

If a process is forked while another thread imports a module, the child can never import it: the
lock of that import stays held. So this module decides which imports are complete before a fork.
"""

from __future__ import annotations

import os
import sys
import threading
from functools import cache
from importlib import import_module

from hubspot_batch_client import models

from .registry import SPECS

_ON_FIRST_USE = (
    "hubspot_batch._engine.run",
    "hubspot_batch._operations.fast_validation",
    "fastjsonschema",
    "msgspec.json",
    "encodings.idna",  # by the first connection
)
_IN_TASKS = ("asyncio", "anyio._backends._asyncio", "httpcore._backends.anyio")


@cache
def preload_before_forks() -> None:
    """Have everything imported before each fork from now on, if the system has forks."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_preload)


def _preload() -> None:
    if threading.active_count() == 1:
        return  # nothing else can import anything
    for name in (*_ON_FIRST_USE, *(_IN_TASKS if "asyncio" in sys.modules else ())):
        import_module(name)
    for name in models.__all__:
        getattr(models, name)
    for spec in SPECS.values():
        _ = spec.functions
