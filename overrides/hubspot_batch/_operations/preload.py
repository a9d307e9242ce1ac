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

_ON_FIRST_USE = (
    "hubspot_batch._engine.thread_driver",
    "hubspot_batch._lookup.endpoints",
    "hubspot_batch._operations.call",
    "hubspot_batch._operations.fast_validation",
    "hubspot_batch._transport.network",
    "hubspot_batch._transport.transport",
    "fastjsonschema",
    "msgspec.json",
    "encodings.idna",  # by the first connection
)
_IN_TASKS = (
    "asyncio",
    "hubspot_batch._engine.task_driver",
    "anyio._backends._asyncio",
    "httpcore._backends.anyio",
)


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
    from hubspot_batch_client import models  # noqa: PLC0415 - not before there is a fork

    from .registry import SPECS  # noqa: PLC0415 - not before there is a fork

    for name in models.__all__:
        getattr(models, name)
    for spec in SPECS.values():
        _ = spec.functions
