"""Asks an account how it defines the properties of the records that a job writes.

This module decides which request that is, and the message if the account does not answer.
"""

from __future__ import annotations

import re
from typing import Any

import httpx

from hubspot_batch._operations.registry import OperationSpec
from hubspot_batch._operations.versions import properties_path
from hubspot_batch.client import HubSpotBatch
from hubspot_batch.errors import ConfigurationError, HubSpotBatchError
from hubspot_batch.files.definitions import Definitions, read_definitions

_OBJECTS = re.compile(r"/objects/(?:\d{4}-\d{2}/)?([^/{}]+)/")


def ask_account(
    client: HubSpotBatch, spec: OperationSpec, api_version: str | None = None
) -> Definitions:
    """Return the definitions of the properties that an operation can write, in one request.

    Args:
        client: Sends the request.
        spec: The operation.
        api_version: The version of HubSpot's API; None for the operation's default.

    Raises:
        ConfigurationError: The account does not give them.
    """
    kind = object_type(spec)
    path = f"{properties_path(api_version or spec.described.version)}/{kind}"
    try:
        response = client.raw.get_httpx_client().get(path)
    except httpx.HTTPError as error:
        raise _failure(kind, f"{type(error).__name__}: {error}") from None
    except HubSpotBatchError as error:
        raise _failure(kind, error.message) from None
    if not response.is_success:
        raise _failure(kind, f"HTTP {response.status_code}{_said(response)}")
    try:
        return read_definitions(response.json())
    except ValueError as error:
        raise _failure(kind, str(error)) from None


def object_type(spec: OperationSpec) -> str:
    """Return how HubSpot calls the kind of records of an operation."""
    found = _OBJECTS.search(spec.described.path)
    return found[1] if found else spec.described.tag


def _failure(kind: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"--online: the account does not give its properties of {kind} ({why.rstrip('.')}), so "
        "nothing was sent. Check the token and its scopes, or leave --online out."
    )


def _said(response: httpx.Response) -> str:
    try:
        body: Any = response.json()
        return f": {str(body['message'])[:200]}"
    except (ValueError, KeyError, TypeError):
        return ""
