# Copied from openapi/runtime/_lazy.py; "make regenerate" writes it, do not edit.
"""Lets a package offer names whose modules are imported on first use."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def offer(
    package: str, modules: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the `__getattr__` and the `__dir__` of a package.

    Args:
        package: Its `__name__`.
        modules: For each name that it offers, the module in the package that has it.
    """
    names = vars(sys.modules[package])

    def get(name: str) -> Any:
        module = modules.get(name)
        if module is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        # Kept, so that Python does not ask again.
        value = names[name] = getattr(import_module(f".{module}", package), name)
        return value

    def list_names() -> list[str]:
        return sorted({*names, *modules})

    return get, list_names
