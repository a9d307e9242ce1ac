"""Makes outcomes fit to leave their process.

This module decides what takes the place of an input that cannot be pickled, such as a row of a
database: its form in the types of JSON.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from attrs import evolve

from hubspot_batch._json import json_ready

if TYPE_CHECKING:
    from . import Outcome


def can_be_pickled(value: object) -> bool:
    """Return whether a value can be pickled, which only trying tells."""
    import pickle  # noqa: PLC0415 - few outcomes leave their process

    try:
        pickle.dumps(value)
    except Exception:  # noqa: BLE001 - the caller's code, which may raise anything
        return False
    return True


def portable(outcomes: Iterable[Outcome[Any]]) -> tuple[Outcome[Any], ...]:
    """Return outcomes whose inputs can all be pickled."""
    return tuple(
        [
            one if can_be_pickled(one.input) else evolve(one, input=json_ready(one.input))
            for one in outcomes
        ]
    )
