"""The access token: where it comes from, and that nothing shows it.

This module decides which text can be a token, and when its provider is asked for another. It never
stores a token, and never checks its format: HubSpot has several.
"""

from __future__ import annotations

import inspect
import json
import re
import threading
from collections.abc import Awaitable, Callable, Generator, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import httpx

from hubspot_batch.errors import AuthenticationError, ConfigurationError, HubSpotBatchError

from .owners import PerLoop

if TYPE_CHECKING:
    from asyncio import Lock

TokenProvider: TypeAlias = Callable[[], str]
"""A function that returns a token."""

AsyncTokenProvider: TypeAlias = TokenProvider | Callable[[], Awaitable[str]]
"""A function that returns a token, or an awaitable of it."""

_ASYNCHRONOUS = (
    "The function that returns the token is asynchronous; use AsyncHubSpotBatch, or a function "
    "that is not."
)


class Token:
    """A token, its provider, or the provider's result; no repr shows it.

    So no traceback with the values of variables shows it either: the text itself is never the value
    of a variable of ours where an exception can be raised.
    """

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "Token(...)"

    def read(self) -> Token:
        """Return the token, fit for a header.

        HubSpot's tokens have several formats, so none is checked.

        Raises:
            ConfigurationError: It is not text, is empty, or has characters that no token has.
        """
        problem = _problem(self.value)
        if problem is not None:
            raise ConfigurationError(problem)
        return Token(self.value.strip())


def refuse_asynchronous(token: Token) -> None:
    """Refuse a function that only a task can await, as far as it can be seen before it is called.

    Raises:
        ConfigurationError: It is asynchronous.
    """
    call = getattr(token.value, "__call__", None)  # noqa: B004 - of an object that is a function
    if inspect.iscoroutinefunction(token.value) or inspect.iscoroutinefunction(call):
        raise ConfigurationError(_ASYNCHRONOUS)


def _problem(token: object) -> str | None:
    if not isinstance(token, str):
        return (
            "The access token must be text, or a function that returns text; got "
            f"{type(token).__name__}."
        )
    if not token.strip():
        return (
            "No access token: pass one, or a function that returns one, or set "
            "HUBSPOT_ACCESS_TOKEN."
        )
    token = token.strip()
    if not (token.isascii() and token.isprintable()):
        return "The access token has a character that no HTTP header can hold; copy it again."
    if any(sign in token for sign in " \"'"):  # none of RFC 6750's has one
        return 'The access token has a blank or a quotation mark; pass it alone, without "Bearer".'
    return None


class TokenSource:
    """The token of a client, asked for when it is first needed, and anew when it was refused.

    Many requests can meet the refusal of one token at the same moment; its provider is asked once
    for all of them (OAuth tokens live 30 minutes, and a long run outlives them). Requests of
    several event loops do not wait for each other.

    Attributes:
        renewable: Whether there is a provider to ask.
        asked: How often the provider has returned, or raised.
    """

    def __init__(self, source: Token) -> None:
        self._provider = source if callable(source.value) else None
        self._token = None if callable(source.value) else source.read()
        self._failure: HubSpotBatchError | None = None
        self._lock = threading.Lock()
        self._loop_locks = PerLoop(_loop_lock)
        self.renewable = self._provider is not None
        self.asked = 0

    @property
    def latest(self) -> Token:
        """The token that `get` returned last."""
        assert self._token is not None  # noqa: S101 - it is read after `get` has returned one
        return self._token

    @property
    def renewing(self) -> bool:
        """Whether the provider is being asked."""
        if self._lock.locked():
            return True
        locks = self._loop_locks.values
        return bool(locks) and any(lock.locked() for lock in [*locks.values()])

    def get(self, refused: Token | None, asked: int) -> Token:
        """Return the token, asking its provider if need be.

        Args:
            refused: The token that the server has refused, if it has.
            asked: What `asked` was when that request was sent.

        Raises:
            AuthenticationError: The provider raised; its exception is the cause.
            ConfigurationError: It is asynchronous, or returned no token.
        """
        with self._lock:
            if (known := self._known(refused, asked)) is not None:
                return known
            with self._asking():
                provided = Token(self._ask())
                if inspect.isawaitable(provided.value):
                    if inspect.iscoroutine(provided.value):
                        provided.value.close()
                    raise ConfigurationError(_ASYNCHRONOUS)
                self._token = provided.read()
            return self._token

    async def get_async(self, refused: Token | None, asked: int) -> Token:
        """Return the token like `get`; the provider may be asynchronous."""
        async with self._loop_locks.here():
            if (known := self._known(refused, asked)) is not None:
                return known
            with self._asking():
                provided = Token(self._ask())
                if inspect.isawaitable(provided.value):
                    provided = Token(await provided.value)
                self._token = provided.read()
            return self._token

    def _ask(self) -> object:
        assert self._provider is not None  # noqa: S101 - for the type checker
        return self._provider.value()

    def _known(self, refused: Token | None, asked: int) -> Token | None:
        """Return a token that need not be asked for."""
        needed = self._token is None or self._token is refused
        if needed and self._failure is not None and self.asked > asked:
            # Who asked in the meantime got none, for this request too.
            raise self._failure.again()
        return None if needed else self._token

    @contextmanager
    def _asking(self) -> Generator[None]:
        self._failure = None
        try:
            yield
        except HubSpotBatchError as error:
            self._failure = error.again()
            raise
        except Exception as error:
            failure = AuthenticationError(
                f"The function that returns the token raised {type(error).__name__}."
            )
            failure.__cause__ = error
            self._failure = failure.again()
            raise failure from error
        finally:
            # Only now: requests that ask meanwhile get the same token, or the same failure.
            self.asked += 1


def _loop_lock() -> Lock:
    from asyncio import Lock  # noqa: PLC0415 - a thread needs none of it

    return Lock()


# Shorter texts are made up, and could be in a response by chance.
_LEAST_SECRET = 16
_SHOWN_INSTEAD = "(the token)"
# Bytes in which JSON has begun, and bytes of a page of which something can be shown.
_BEGINNING = 64
_PAGE_AT_MOST = 40_000
# The headers that are no longer true of a response whose body was changed.
_OF_BODY = ("content-encoding", "content-length", "transfer-encoding")


def hide(tokens: Iterable[Token], response: httpx.Response) -> httpx.Response:
    """Return a response that does not repeat a token, as a message about it could."""
    for token in tokens:
        if len(token.value) >= _LEAST_SECRET and _shows(response, token):
            response = _without(response, token)
    if response.content[:_BEGINNING].lstrip().startswith((b"{", b"[")):
        return response
    return _without_words(tokens, response)


def _without_words(tokens: Iterable[Token], response: httpx.Response) -> httpx.Response:
    """Return what is not JSON so that its words, without the marks of HTML, repeat no token."""
    from html import unescape  # noqa: PLC0415 - few runs meet a page

    page = _text(response)[:_PAGE_AT_MOST].decode(errors="replace")
    words = unescape(re.sub(r"<[^>]*(>|$)", "", page))
    for token in tokens:
        if len(token.value) >= _LEAST_SECRET and token.value in words:
            headers = [one for one in response.headers.multi_items() if one[0] not in _OF_BODY]
            return httpx.Response(response.status_code, headers=headers, content=_SHOWN_INSTEAD)
    return response


FailureT = TypeVar("FailureT", bound=Exception)


def hide_in_failure(tokens: Iterable[Token], failure: FailureT) -> FailureT:
    """Return a failure to send, without a token in its message.

    A library can quote the lines that it could not read, and they can repeat the request.
    """
    for token in tokens:
        if len(token.value) >= _LEAST_SECRET:
            failure.args = tuple(_without_token(one, token) for one in failure.args)
    return failure


def _without_token(value: object, token: Token) -> object:
    if isinstance(value, bytes | bytearray):
        return bytes(value).replace(token.value.encode(), _SHOWN_INSTEAD.encode())
    shown = value if isinstance(value, str) else repr(value)
    hidden = shown.replace(token.value, _SHOWN_INSTEAD)
    return value if hidden == shown else hidden


def _shows(response: httpx.Response, token: Token) -> bool:
    content = _text(response)
    if token.value.encode() in content:
        return True
    if any(token.value in value for value in response.headers.values()):
        return True
    if token.value.encode() in response.extensions.get("reason_phrase", b""):
        return True
    # In JSON any character can be written as an escape. A single byte is looked for fastest.
    return b"\\" in content and bool(_spellings(token).search(content))


def _text(response: httpx.Response) -> bytes:
    """Return the body in UTF-8, which JSON need not be in."""
    content = response.content
    if b"\0" not in content:
        return content
    return content.decode(json.detect_encoding(content), "replace").encode(errors="replace")


def _without(response: httpx.Response, token: Token) -> httpx.Response:
    headers = [
        (name, value.replace(token.value, _SHOWN_INSTEAD))
        for name, value in response.headers.multi_items()
        if name not in _OF_BODY
    ]
    content = _spellings(token).sub(_SHOWN_INSTEAD.encode(), _text(response))
    # The words beside the status are the server's too.
    extensions = {n: v for n, v in response.extensions.items() if n != "reason_phrase"}
    return httpx.Response(
        response.status_code, headers=headers, content=content, extensions=extensions
    )


def _spellings(token: Token) -> re.Pattern[bytes]:
    """Return what finds a token in JSON, where any character can be written as an escape."""
    return re.compile(
        b"".join(
            rb"(?:\\?%b|\\u(?i:%04x))" % (re.escape(char.encode()), ord(char))
            for char in token.value
        )
    )
