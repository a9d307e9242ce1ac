# Copied from openapi/runtime/__init__.py; "make regenerate" writes it, do not edit.
"""A client library for accessing HubSpot batch endpoints.

The clients are imported on first use, so that a program that only wants models does not load httpx.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .client import AuthenticatedClient, Client

__all__ = (
    "AuthenticatedClient",
    "Client",
)


if not TYPE_CHECKING:  # for type checkers it would have every name there is

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from . import client  # noqa: PLC0415 - it imports httpx

        value = globals()[name] = getattr(client, name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
