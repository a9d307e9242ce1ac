"""Makes the property that holds stamps or keys, once for an account.

This module decides what that property is: a text, in the group of a property that HubSpot has
already, so that no name of a group has to be known.

HubSpot: https://developers.hubspot.com/docs/api-reference/latest/crm/properties/guide
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx

from hubspot_batch._json import is_map, read_object
from hubspot_batch._operations.registry import SPECS
from hubspot_batch._operations.versions import properties_path
from hubspot_batch.errors import ConfigurationError, HubSpotBatchError

from .endpoints import JSON, LOOKUP_ENDPOINTS

STAMP = "hubspot_batch_stamp"
KEY = "hubspot_batch_key"
Send = Callable[..., httpx.Response]


class Made(NamedTuple):
    """The property.

    Attributes:
        name: Its name.
        new: Whether it was made now.
        unique: Whether HubSpot keeps its values unique.
    """

    name: str
    new: bool
    unique: bool


def create_stamp(
    send: Send, operation: str, name: str, *, unique: bool, api_version: str | None = None
) -> Made:
    """Make the property, unless there is one of that name.

    Args:
        send: Sends a request: `method`, `url` and others of httpx.
        operation: The id of the operation that creates the records.
        name: The name of the property.
        unique: Whether HubSpot shall keep its values unique.
        api_version: The version of HubSpot's API; None for the operation's default.

    Raises:
        ConfigurationError: The account has another property of that name, or cannot have one.
        HubSpotBatchError: HubSpot refused it, or there was no response.
    """
    described = SPECS[operation].described
    family, properties = described.tag, properties_path(api_version or described.version)
    there = _send(send, "GET", f"{properties}/{family}/{quote(name)}", may_be_missing=True)
    if there is not None:
        return _checked(family, name, there, unique=unique)
    known = (
        _send(send, "GET", f"{properties}/{family}/{LOOKUP_ENDPOINTS[operation].named_by}") or {}
    )
    asked = {
        "name": name,
        "label": name.replace("_", " ").capitalize(),
        "description": "Filled in by hubspot-batch, which finds the records of a load by it.",
        "groupName": known.get("groupName"),
        "type": "string",
        "fieldType": "text",
        "hasUniqueValue": unique,
    }
    content = json.dumps(asked).encode()
    _send(send, "POST", f"{properties}/{family}", content=content, headers=dict(JSON))
    return Made(name, new=True, unique=unique)


def _checked(family: str, name: str, there: dict[str, Any], *, unique: bool) -> Made:
    """Return a property that the account has, if it will do."""
    is_unique = there.get("hasUniqueValue") is True
    if there.get("type") != "string" or (unique and not is_unique):
        kind = f"of type {there.get('type')}{'' if is_unique else ', not unique'}"
        raise ConfigurationError(
            f"{family} have a property {name} already, and it is {kind}. HubSpot cannot change "
            "that; name another one with --property."
        )
    return Made(name, new=False, unique=is_unique)


def _send(
    send: Send, method: str, url: str, *, may_be_missing: bool = False, **more: Any
) -> dict[str, Any] | None:
    """Return what HubSpot answers; None for a 404 that may be."""
    try:
        response = send(method=method, url=url, **more)
    except httpx.HTTPError as error:
        raise HubSpotBatchError(
            f"No response came to {method} {url} ({type(error).__name__}). Try again: what is "
            "there already stays as it is."
        ) from None
    body = read_object(response.content)
    if response.status_code == 404 and may_be_missing and is_map(body):
        return None
    if response.is_success and body is not None:
        return body
    words = str((body or {}).get("message") or "no reason is given")
    raise HubSpotBatchError(
        f"HubSpot refuses {method} {url} (HTTP {response.status_code}: {words.rstrip('.')}).",
        status_code=response.status_code,
    )
