"""How much of a response is read, and how it is decoded."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import httpx
import pytest
from hubspot_batch._transport.response_body import LARGEST, ResponseBody, aread_whole, read_whole
from hypothesis import given
from hypothesis import strategies as st

CODERS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "GZIP": gzip.compress,
    "deflate": zlib.compress,
    "identity": bytes,
    "utf-8": bytes,
}


def decoded(content: bytes, *codings: str) -> httpx.Response:
    body = ResponseBody()
    body.add(content)
    headers = [(b"Content-Length", b"%d" % len(content)), (b"X-Other", b"stays")]
    headers += [(b"Content-Encoding", coding.encode()) for coding in codings]
    return body.response(201, headers, {"http_version": b"HTTP/1.1"})


@given(st.binary(max_size=500), st.lists(st.sampled_from(sorted(CODERS)), max_size=3))
def test_each_coding_is_undone_in_turn(content: bytes, codings: list[str]) -> None:
    """A name that is no coding is passed over, as httpx does."""
    coded = content
    for coding in codings:
        coded = CODERS[coding](coded)
    for response in (decoded(coded, ", ".join(codings)), decoded(coded, *codings)):
        assert response.content == content
        assert "content-encoding" not in response.headers
        assert response.headers.get("content-length", "0") == str(len(content))
        assert response.headers["x-other"] == "stays"
    assert response.extensions["http_version"] == b"HTTP/1.1"


@pytest.mark.parametrize("end", [b"", bytes(20)])
def test_a_body_in_several_members(end: bytes) -> None:
    """A server may write each part on its own, and fill up the end."""
    # https://www.rfc-editor.org/rfc/rfc1952#section-2.2
    parts = [b"x" * 999, b"", b"y"]
    content = b"".join(gzip.compress(part) for part in parts) + end
    assert decoded(content, "gzip").content == b"".join(parts)


def test_a_bomb_in_several_members() -> None:
    """They are one body."""
    with pytest.raises(httpx.DecodingError, match="64 MB"):
        decoded(gzip.compress(bytes(LARGEST // 2 + 1)) * 2, "gzip")


def test_deflate_without_its_frame() -> None:
    """Some servers leave it out."""
    coder = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    assert decoded(coder.compress(b"x" * 99) + coder.flush(), "deflate").content == b"x" * 99


@pytest.mark.parametrize(
    "content", [b"plain", gzip.compress(b"x" * 9999, mtime=0)[:-9], b"\x1f\x8b"]
)
@pytest.mark.parametrize("coding", ["gzip", "gzip, gzip", "deflate"])
def test_what_cannot_be_decoded(content: bytes, coding: str) -> None:
    """Also what ends too early, of which httpx returns the beginning."""
    with pytest.raises(httpx.DecodingError) as caught:
        decoded(content, coding)
    assert type(caught.value) is httpx.DecodingError  # messages name it


def bomb(times: int) -> bytes:
    """Return bytes that are many more when they have been decompressed so often."""
    coder = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    first, each = (coder.compress(bytes(2**20)) + coder.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    content = first + each * (2 * LARGEST // 2**20)
    for _ in range(times - 1):
        content = gzip.compress(content)
    return content


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_bomb_is_not_decompressed(times: int) -> None:
    """Not even one of several layers."""
    with pytest.raises(httpx.DecodingError, match="64 MB"):
        decoded(bomb(times), ", ".join(["gzip"] * times))


class Parts(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body without end, of a transport of the user's own."""

    def __init__(self) -> None:
        self.taken = 0
        self.closed = False

    def __iter__(self) -> Any:
        while True:
            self.taken += 1
            yield bytes(2**20)

    async def __aiter__(self) -> Any:
        for part in self:
            yield part

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


def test_a_body_without_end_is_not_read_on() -> None:
    """And its connection is closed."""
    parts = Parts()
    with pytest.raises(httpx.DecodingError, match="64 MB"):
        read_whole(httpx.Response(201, stream=parts))
    assert parts.closed
    assert parts.taken == LARGEST // 2**20 + 1


def test_a_body_without_end_is_not_read_on_in_a_task() -> None:
    """The same, asynchronously."""
    import asyncio

    parts = Parts()
    with pytest.raises(httpx.DecodingError, match="64 MB"):
        asyncio.run(aread_whole(httpx.Response(201, stream=parts)))
    assert parts.closed
    assert parts.taken == LARGEST // 2**20 + 1


def test_a_body_that_is_in_memory_is_no_larger() -> None:
    """A transport of the user's own may have read it."""
    assert read_whole(httpx.Response(201, content=bytes(LARGEST))).status_code == 201
    with pytest.raises(httpx.DecodingError, match="64 MB"):
        read_whole(httpx.Response(201, content=bytes(LARGEST + 1)))
