# Handwritten; "make regenerate" copies this module into generated/hubspot_batch_client.
"""A client library for accessing HubSpot batch endpoints.

The clients are imported on first use, so that a program that only wants models does not load httpx.
"""

from typing import TYPE_CHECKING

from ._lazy import offer

if TYPE_CHECKING:
    from .client import AuthenticatedClient, Client

__all__ = (
    "AuthenticatedClient",
    "Client",
)

if not TYPE_CHECKING:  # with a `__getattr__`, type checkers would accept any name
    __getattr__, __dir__ = offer(__name__, dict.fromkeys(__all__, "client"))
