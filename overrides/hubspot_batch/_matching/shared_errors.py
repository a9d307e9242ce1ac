"""One error for many inputs, reduced to the part about one input.

HubSpot writes the ids of up to 100 inputs into one message. The outcome of an input shows only its
own id. This module never decides which inputs an error is for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from attrs import evolve

from hubspot_batch.outcomes import OutcomeError

# Between two ids of a list stand at most this many other characters, such as `", "` in JSON.
_MARK = r"[\s,;\"']{1,6}(?:(?:and|or)\s)?"


def error_for_key(error: OutcomeError, keys: Collection[str]) -> Callable[[str], OutcomeError]:
    """Return a function that returns the error as the input with a key gets it.

    Args:
        error: The error as HubSpot worded it.
        keys: The keys of all inputs that the error is for.
    """
    if len(keys) < 2:
        return lambda _: error
    one = "(?:" + "|".join(map(re.escape, sorted(keys, key=len, reverse=True))) + ")"
    parts = re.split(rf"(?<![\w-]){one}(?:{_MARK}{one})+(?![\w-])", error.message)

    def error_for(key: str) -> OutcomeError:
        listed = {
            name: (key,) if key in values else values for name, values in error.context.items()
        }
        return evolve(error, message=key.join(parts), context=listed)

    return error_for
