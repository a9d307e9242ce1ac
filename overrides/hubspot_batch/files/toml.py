"""Writes values as TOML, which the standard library only reads.

This module decides how a setting looks in a mapping file.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from typing import Any

PLACEHOLDER = "PROPERTY"
"""What a proposed line has in the place of a name that a person must write."""

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def toml_value(value: Any) -> str:
    """Return a value as TOML writes it, on one line."""
    if isinstance(value, str):
        # TOML's texts are JSON's, except for the character DEL.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        pairs = [f"{toml_key(k)} = {toml_value(v)}" for k, v in value.items()]  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value)


def toml_key(name: Any) -> str:
    """Return a name as TOML writes it."""
    return str(name) if _BARE.fullmatch(str(name)) else toml_value(str(name))


def toml_line(heading: str, value: Any) -> str:
    """Return the line of a mapping file for a column. Headings always stand in quotes."""
    return f"{toml_value(heading)} = {toml_value(value)}"
