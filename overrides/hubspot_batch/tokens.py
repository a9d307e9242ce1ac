"""The access token: where it comes from, and that no answer shows it.

This module decides what can be a token. It never stores one, and never checks its format, of which
HubSpot has several.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import TypeAlias

import httpx

from .errors import AuthenticationError, ConfigurationError, HubSpotBatchError

TokenProvider: TypeAlias = Callable[[], str] | Callable[[], Awaitable[str]]


def read_token(token: object) -> str:
    """Return a token fit for a header.

    HubSpot's tokens have several formats, so none is checked.

    Raises:
        ConfigurationError: It is not text, is empty, or has characters that no header can carry.
    """
    if not isinstance(token, str) or not token.strip():
        raise ConfigurationError(
            "No access token: pass one, or a function that returns one, or set "
            "HUBSPOT_ACCESS_TOKEN."
        )
    token = token.strip()
    if not (token.isascii() and token.isprintable()):
        raise ConfigurationError(
            "The access token has a character that no HTTP header can carry; copy it again."
        )
    return token


def ask(token: str | TokenProvider) -> str:
    """Return the token, asking its provider if there is one.

    Raises:
        AuthenticationError: The provider raised; its exception is the cause.
        ConfigurationError: It is asynchronous, or returned no token.
    """
    if isinstance(token, str):
        return token
    with _blaming_the_provider():
        provided = token()
        if inspect.iscoroutine(provided):
            provided.close()
            raise ConfigurationError(
                "The function that returns the token is asynchronous; use AsyncHubSpotBatch."
            )
        return read_token(provided)


async def ask_async(token: str | TokenProvider) -> str:
    """Return the token like `ask`; the provider may be asynchronous."""
    if isinstance(token, str):
        return token
    with _blaming_the_provider():
        provided = token()
        return read_token(await provided if inspect.isawaitable(provided) else provided)


@contextmanager
def _blaming_the_provider() -> Generator[None]:
    try:
        yield
    except HubSpotBatchError:
        raise
    except Exception as error:
        raise AuthenticationError(
            f"The function that returns the token raised {type(error).__name__}."
        ) from error


# Shorter texts are made up, and could stand in an answer by chance.
_LEAST_SECRET = 16


def hide(token: str, response: httpx.Response) -> httpx.Response:
    """Return an answer that does not repeat the token, as a message about it could."""
    secret = token.encode()
    if len(secret) < _LEAST_SECRET or secret not in response.content:
        return response
    changed = ("content-encoding", "content-length", "transfer-encoding")
    return httpx.Response(
        response.status_code,
        headers=[item for item in response.headers.multi_items() if item[0] not in changed],
        content=response.content.replace(secret, b"(the token)"),
        extensions=response.extensions,
    )
