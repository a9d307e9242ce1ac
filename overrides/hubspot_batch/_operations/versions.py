"""The version of the API that a client uses.

This module decides which versions there are, and where each sends the requests of an operation. The
fragments list the differences between versions (`x-versions`).

HubSpot: https://developers.hubspot.com/docs/developer-tooling/platform/versioning
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from hubspot_batch_client.contract import LISTINGS, OPERATIONS, VERSIONS, Listing, Version
from hubspot_batch_client.contract import Operation as Described

from hubspot_batch._transport.repeatable import path_pattern
from hubspot_batch.errors import ConfigurationError

# The only form of a wrong version that is shown. Any other text may be the token in the wrong
# place.
_LIKE_A_VERSION = re.compile(r"v?[\d.-]{1,10}(?:-[a-z]{1,8})?")
_NAMES = re.compile(r"\{[^{}/]*\}")


def check_version(name: str) -> str:
    """Return the name of a version.

    Raises:
        ConfigurationError: There is no such version.
    """
    if name in VERSIONS:
        return name
    got = repr(name) if _LIKE_A_VERSION.fullmatch(name) else "another text"
    raise ConfigurationError(
        f"api_version (HUBSPOT_API_VERSION) must be one of {', '.join(VERSIONS)}, or None; "
        f"got {got}."
    )


def located(described: Described | Listing, version: str | None) -> Version:
    """Return an operation in a version; in its default one, if None.

    Raises:
        ConfigurationError: It is not there in that version.
    """
    found = described.in_version(version or described.version)
    if found is None:
        raise ConfigurationError(
            f"{described.id} does not exist in the version {version} of the API; "
            f"it has {', '.join(one.name for one in described.versions)}."
        )
    return found


def path_in(version: str, path: str) -> str:
    """Return where a request is sent in a version.

    Args:
        version: Its name.
        path: Where it is sent in the default version.

    Raises:
        ConfigurationError: Its operation is not there in that version.
    """
    every: list[Described | Listing] = [*OPERATIONS.values(), *LISTINGS.values()]
    for described in every:
        if found := path_pattern(described.path).fullmatch(path):
            there = located(described, version).path
            for name, value in zip(_NAMES.findall(described.path), found.groups(), strict=True):
                there = there.replace(name, value)  # a value is quoted, so it has no braces
            return there
    return path


def properties_path(version: str | None) -> str:
    """Return where a version of the API has the definitions of properties."""
    # https://developers.hubspot.com/docs/api-reference/2026-03/crm/properties/get-properties
    dated = version and not version.startswith("v")
    return f"/crm/properties/{version}" if dated else "/crm/v3/properties"


def all_paths(operations: Iterable[Described | Listing]) -> frozenset[tuple[str, str]]:
    """Return method and path of some operations in all of their versions."""
    return frozenset(
        (one.method, path)
        for one in operations
        for path in (one.path, *(version.path for version in one.versions))
    )
