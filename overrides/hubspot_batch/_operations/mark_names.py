"""The names of the properties that hold keys and stamps.

This module decides which names a caller may give. It is apart from `marks`, because every call
needs the check and few need the rest.
"""

from __future__ import annotations

import re

from hubspot_batch.errors import ConfigurationError

_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}", re.ASCII)


def check_names(key_property: object, stamp_property: object) -> None:
    """Refuse names that no property can have.

    Raises:
        ConfigurationError: One of them cannot be the name of a property, or both are the same.
    """
    given = {"key_property": key_property, "stamp_property": stamp_property}
    for argument, name in given.items():
        if name is not None and not (isinstance(name, str) and _NAME.fullmatch(name)):
            raise ConfigurationError(
                f"{argument} must be the internal name of a property, such as hubspot_batch_key; "
                f"got {name!r}."
            )
    if key_property is not None and key_property == stamp_property:
        raise ConfigurationError("key_property and stamp_property must name two properties.")
