"""A response without end, or one that grows when it is decompressed, takes no memory."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from both_clients import ClientFactory
from hubspot_batch import Retry
from wire_server import Connection, created, each, response, wire_server

ROW = {"properties": {"hs_timestamp": "2026-01-31T12:00:00Z"}}
MEGABYTE = 2**20


@pytest.fixture
def little_memory() -> Iterator[None]:
    """Fail the test if it has more than 300 MB at a time."""
    tracemalloc.start()
    yield
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 300 * MEGABYTE


def endless(connection: Connection, _: object) -> None:
    connection.send(b"HTTP/1.1 201 X\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(1000):
        connection.send(b"100000\r\n", b" " * MEGABYTE, b"\r\n")


def without_length(connection: Connection, _: object) -> None:
    connection.send(b"HTTP/1.1 201 X\r\n\r\n")
    for _ in range(1000):
        connection.send(b" " * MEGABYTE)


def long_header(connection: Connection, _: object) -> None:
    connection.send(b"HTTP/1.1 201 X\r\nX-Long: ")
    for _ in range(1000):
        connection.send(b" " * MEGABYTE)


def bomb(times: int) -> Callable[[Connection, object], None]:
    coder = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    first, more = (
        coder.compress(bytes(MEGABYTE)) + coder.flush(zlib.Z_FULL_FLUSH) for _ in range(2)
    )
    content = first + more * 999
    for _ in range(times - 1):
        content = gzip.compress(content)
    said = response(201, content, f"Content-Encoding: {', '.join(['gzip'] * times)}")
    return lambda connection, _: connection.send(said)


@pytest.mark.usefixtures("little_memory")
@pytest.mark.parametrize("answer", [endless, without_length, long_header])
def test_a_response_without_end(make_client: ClientFactory, answer: Callable[..., None]) -> None:
    """No more than 64 MB of it is read, and the create is unknown."""
    with wire_server(each(answer)) as server:
        client = make_client(base_url=server.url, retry=Retry(max_attempts=1))
        (outcome,) = client.calls.create([ROW]).unknown
        assert outcome.error.kind == "no_answer"
        client.close()


@pytest.mark.usefixtures("little_memory")
@pytest.mark.parametrize("times", [1, 2])
def test_a_bomb_of_gzip(make_client: ClientFactory, times: int) -> None:
    """It is not decompressed."""
    answer = bomb(times)
    with wire_server(each(answer)) as server:
        client = make_client(base_url=server.url, retry=Retry(max_attempts=1))
        (outcome,) = client.calls.create([ROW]).unknown
        assert "64 MB" in outcome.error.message
        assert outcome.error.message.startswith("A response came that cannot be read (Decod")
        client.close()


def test_a_response_in_gzip_is_read(make_client: ClientFactory) -> None:
    """HubSpot's are."""

    def answer(connection: Connection, request: Any) -> None:
        assert request.headers["accept-encoding"] == "gzip, deflate"
        plain = response(201, created(request)).partition(b"\r\n\r\n")[2]
        connection.send(response(201, gzip.compress(plain), "Content-Encoding: gzip"))

    with wire_server(each(answer)) as server:
        client = make_client(base_url=server.url)
        assert len(client.calls.create([ROW] * 2, chunk_size=1).succeeded) == 2
        client.close()
