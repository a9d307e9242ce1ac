"""How much of a response is read, and how it is decoded.

This module limits the size of a response. A response that is larger than any of HubSpot's is
unreadable, and the rest of it is neither read nor decompressed. httpx itself would read and
decompress all of it.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeAlias, cast

import httpx

from .retry import Effect, disposition_of

LARGEST = 64 * 2**20
"""Bytes of a response at most, as received and decoded. HubSpot's have some hundred thousand."""

ACCEPT_ENCODING = "gzip, deflate"
"""The codings that are decoded here."""


def read_whole(response: httpx.Response) -> httpx.Response:
    """Return a response with its whole body, decoded.

    Raises:
        httpx.HTTPError: It ended too early, is too large, or cannot be decoded. It is no refusal,
            of which the status alone is enough.
    """
    if response.is_closed:
        return _of_fair_size(response)
    body = ResponseBody()
    try:
        for part in cast("httpx.SyncByteStream", response.stream):
            body.add(part)
    except httpx.HTTPError as failure:
        body.failure = failure
    finally:
        response.close()
    return body.response(response.status_code, response.headers.raw, response.extensions)


async def aread_whole(response: httpx.Response) -> httpx.Response:
    """Return a response with its whole body like `read_whole`, in a task."""
    if response.is_closed:
        return _of_fair_size(response)
    body = ResponseBody()
    try:
        async for part in cast("httpx.AsyncByteStream", response.stream):
            body.add(part)
    except httpx.HTTPError as failure:
        body.failure = failure
    finally:
        await response.aclose()
    return body.response(response.status_code, response.headers.raw, response.extensions)


RawHeaders: TypeAlias = Sequence[tuple[bytes, bytes]]


class ResponseBody:
    """The body of a response while it is received.

    Attributes:
        failure: Why the rest of it cannot be received; None if all came.
    """

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, part: bytes) -> None:
        """Take in the next bytes.

        Raises:
            httpx.DecodingError: The response is too large.
        """
        self._size += len(part)
        _check_size(self._size)
        self._parts.append(part)

    def response(
        self, status: int, headers: RawHeaders, extensions: Mapping[str, Any]
    ) -> httpx.Response:
        """Return the response, decoded. Headers that describe its coding are left out then.

        A refusal is returned without its body if that cannot be read: its status alone says that
        the request was not carried out.

        Raises:
            httpx.DecodingError: It is no refusal, and cannot be decoded, or is too large.
            Exception: It is no refusal, and the rest of it did not come.
        """
        codings = [value for name, value in headers if name.lower() == b"content-encoding"]
        try:
            content = self._content(b",".join(codings).decode("latin-1").lower())
        except Exception:
            if disposition_of(status).effect is not Effect.NOT_APPLIED:
                raise
            content = b""
        if codings or self.failure:
            gone = (b"content-encoding", b"content-length", b"transfer-encoding")
            headers = [one for one in headers if one[0].lower() not in gone]
        return httpx.Response(status, headers=headers, content=content, extensions={**extensions})

    def _content(self, codings: str) -> bytes:
        if self.failure is not None:
            raise self.failure
        content = b"".join(self._parts)
        for coding in reversed(codings.split(",") if codings else ()):
            content = _decoded(coding.strip(), content)
        return content


def _of_fair_size(response: httpx.Response) -> httpx.Response:
    _check_size(len(response.content))
    return response


def _check_size(size: int) -> None:
    if size > LARGEST:
        raise httpx.DecodingError(f"the response has more than {LARGEST // 2**20} MB")


def _decoded(coding: str, content: bytes) -> bytes:
    forms: tuple[int, ...] = ()
    if coding in ("gzip", "x-gzip"):
        forms = (zlib.MAX_WBITS | 16,)
    elif coding == "deflate":
        forms = (zlib.MAX_WBITS, -zlib.MAX_WBITS)  # some servers leave out the frame
    for form in forms if content else ():  # a response without a body can have the header
        with suppress(zlib.error):
            return _inflated(content, form, coding)
    if forms and content:
        raise httpx.DecodingError(f"the response is not coded as {coding}, as it says")
    # Servers send names here that are no codings, such as "utf-8", over a plain body. A coding
    # that was not asked for leaves a body that cannot be read as JSON.
    return content


# What each part of a body in several parts begins with, and how many are read
# (https://www.rfc-editor.org/rfc/rfc1952#section-2.2).
_MEMBER = b"\x1f\x8b"
_MEMBERS_AT_MOST = 64


def _inflated(content: bytes, form: int, coding: str) -> bytes:
    inflated = b""
    for _ in range(_MEMBERS_AT_MOST):
        decoder = zlib.decompressobj(form)
        inflated += decoder.decompress(content, LARGEST + 1 - len(inflated))
        _check_size(len(inflated))
        if not decoder.eof:
            raise httpx.DecodingError(f"the {coding} of the response ends too early")
        content = decoder.unused_data
        if coding == "deflate" or not content.startswith(_MEMBER):
            return inflated
    raise httpx.DecodingError(f"the {coding} of the response has too many parts")
