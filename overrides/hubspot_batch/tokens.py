"""The access token: where it comes from, and that no answer shows it.

This module decides what can be a token. It never stores one, and never checks its format, of which
HubSpot has several.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Generator, Iterable
from contextlib import contextmanager
from typing import TypeAlias

import httpx

from .errors import AuthenticationError, ConfigurationError, HubSpotBatchError

TokenProvider: TypeAlias = Callable[[], str] | Callable[[], Awaitable[str]]


class Token:
    """A token that no repr shows, and so no traceback with the values of variables."""

    __slots__ = ("value",)

    def __init__(self, value: str) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "Token(...)"


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


def ask(token: Token | TokenProvider) -> Token:
    """Return the token, asking its provider if there is one.

    Raises:
        AuthenticationError: The provider raised; its exception is the cause.
        ConfigurationError: It is asynchronous, or returned no token.
    """
    if isinstance(token, Token):
        return token
    with _blaming_the_provider():
        provided = token()
        if inspect.iscoroutine(provided):
            provided.close()
            raise ConfigurationError(
                "The function that returns the token is asynchronous; use AsyncHubSpotBatch."
            )
        return Token(read_token(provided))


async def ask_async(token: Token | TokenProvider) -> Token:
    """Return the token like `ask`; the provider may be asynchronous."""
    if isinstance(token, Token):
        return token
    with _blaming_the_provider():
        provided = token()
        return Token(read_token(await provided if inspect.isawaitable(provided) else provided))


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
_SHOWN_INSTEAD = "(the token)"


def hide(tokens: Iterable[Token], response: httpx.Response) -> httpx.Response:
    """Return an answer that does not repeat a token, as a message about it could."""
    for token in tokens:
        if len(token.value) >= _LEAST_SECRET and _shows(response, token):
            response = _without(response, token)
    return response


def _shows(response: httpx.Response, token: Token) -> bool:
    if token.value.encode() in response.content:
        return True
    if any(token.value in value for value in response.headers.values()):
        return True
    # A refusal is short, so there is time to look for other spellings.
    return not response.is_success and bool(_spellings(token).search(response.content))


def _without(response: httpx.Response, token: Token) -> httpx.Response:
    changed = ("content-encoding", "content-length", "transfer-encoding")
    headers = [
        (name, value.replace(token.value, _SHOWN_INSTEAD))
        for name, value in response.headers.multi_items()
        if name not in changed
    ]
    content = _spellings(token).sub(_SHOWN_INSTEAD.encode(), response.content)
    return httpx.Response(
        response.status_code, headers=headers, content=content, extensions=response.extensions
    )


def _spellings(token: Token) -> re.Pattern[bytes]:
    """Return what finds a token in JSON, where any character can be written as an escape."""
    return re.compile(
        b"".join(
            rb"(?:\\?%b|\\u(?i:%04x))" % (re.escape(char.encode()), ord(char))
            for char in token.value
        )
    )
