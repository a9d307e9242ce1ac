"""Bytes that arrive without having been asked for are never taken for a response."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest
from both_clients import ClientFactory
from hubspot_batch import BatchResult, HubSpotBatchError, Retry
from wire_server import (
    CERTIFICATE,
    Connection,
    Request,
    Talk,
    WireServer,
    chunked,
    created,
    each,
    response,
    secured,
    wire_server,
)

NOON = "2026-01-31T12:00:00Z"
CALLS = [{"properties": {"hs_timestamp": NOON, "hs_call_title": f"Call {n}"}} for n in range(3)]
EVENTS = [{"objectId": "1", "eventName": name} for name in ("first", "refused", "third")]
GOOD = response(201, {"status": "COMPLETE", "results": []})

STRAYS = {
    "a time-out of an edge": response(408),
    "a rate limit": response(429, {"policyName": "SECONDLY"}),
    "a refusal": response(400, {"message": "no"}),
    "a token that is refused": response(401, {"message": "no"}),
    "a success": GOOD,
    "a chunked success": chunked(201, {"status": "COMPLETE", "results": []}, size=7),
    "half a response": GOOD[: len(GOOD) // 2],
    "one letter": b"H",
    "an empty line": b"\r\n",
    "garbage": b"\x00\xff garbage",
    "interim": b"HTTP/1.1 103 Early Hints\r\n\r\n",
}


def creating(stray: bytes | None, *, framing: Any = response, later: float = 0.0) -> Talk:
    """Return a server that does as it is asked, and sends something behind each response.

    None: the response again.
    """

    def answer(connection: Connection, request: Request) -> None:
        said = framing(201, created(request))
        extra = said if stray is None else stray
        if later:
            connection.send(said)
            connection.wait(later)
            connection.send(extra)
        else:
            connection.send(said, extra)

    return each(answer)


def create(
    make_client: ClientFactory, server: WireServer, url: str | None = None
) -> BatchResult[Any]:
    client = make_client(
        base_url=url or server.url, timeout=5, retry=Retry(max_attempts=1), max_concurrency=1
    )
    result: BatchResult[Any] | None
    try:
        result = client.calls.create(CALLS, chunk_size=1)
    except HubSpotBatchError as error:
        result = error.result
    client.close()
    assert result is not None
    return result


@pytest.mark.parametrize("framing", [response, chunked])
@pytest.mark.parametrize("stray", [*STRAYS, "the same again"])
def test_what_comes_behind_a_response(make_client: ClientFactory, stray: str, framing: Any) -> None:
    """Its connection is not used again."""
    with wire_server(creating(STRAYS.get(stray), framing=framing)) as server:
        result = create(make_client, server)
        assert len(result.succeeded) == len(server.requests) == server.connections == 3


@pytest.mark.parametrize("stray", [*STRAYS, "the same again"])
def test_what_comes_behind_a_response_over_tls(
    make_client: ClientFactory, monkeypatch: pytest.MonkeyPatch, stray: str
) -> None:
    """There it can wait in the TLS layer, where the socket does not show it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with wire_server(secured(creating(STRAYS.get(stray)))) as server:
        result = create(make_client, server, f"https://127.0.0.1:{server.address[1]}")
        assert len(result.succeeded) == len(server.requests) == server.connections == 3


@pytest.mark.skipif(not hasattr(socket, "TCP_CORK"), reason="it takes two records in one segment")
def test_a_record_of_tls_behind_a_response(
    make_client: ClientFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two records that arrive together: the second is never read."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))

    def answer(connection: Connection, request: Request) -> None:
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        connection.send(response(201, created(request)))
        connection.send(response(429, {"policyName": "SECONDLY"}))
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)

    with wire_server(secured(each(answer))) as server:
        result = create(make_client, server, f"https://127.0.0.1:{server.address[1]}")
        assert len(result.succeeded) == len(server.requests) == server.connections == 3


def test_connections_are_used_again_otherwise(make_client: ClientFactory) -> None:
    """With both kinds of framing, also behind interim responses and without a body."""

    def answer(connection: Connection, request: Request) -> None:
        said = chunked if len(server.requests) % 2 else response
        connection.send(b"HTTP/1.1 103 Early Hints\r\n\r\n", said(201, created(request)))

    with wire_server(each(answer)) as server:
        assert len(create(make_client, server).succeeded) == 3
        assert server.connections == 1


def test_an_idle_connection_that_is_spoken_on(make_client: ClientFactory) -> None:
    """An edge ends it with a 408 while nothing is asked."""
    said = threading.Event()

    def answer(connection: Connection, request: Request) -> None:
        connection.send(response(201, created(request)))
        if connection.number == 0:
            connection.wait(0.05)
            connection.send(response(408))
            said.set()

    with wire_server(each(answer)) as server:
        client = make_client(base_url=server.url, max_concurrency=1)
        assert len(client.calls.create(CALLS[:1]).succeeded) == 1
        assert said.wait(5)
        assert len(client.calls.create(CALLS[1:2]).succeeded) == 1
        assert server.connections == 2
        client.close()


def test_a_408_that_crosses_a_request(make_client: ClientFactory) -> None:
    """The server sent it before it read the request, and carries the request out nevertheless.

    The response to the request comes behind it, and is not taken for that to the next one.
    """

    def talk(connection: Connection) -> None:
        for number, request in enumerate(connection.requests()):
            if number == 1:
                connection.send(response(408))
                connection.wait(0.05)
            connection.send(response(201, created(request)))

    with wire_server(talk) as server:
        client = make_client(base_url=server.url, max_concurrency=1, retry=Retry(max_attempts=1))
        result = client.calls.create(CALLS, chunk_size=1)
        assert len(server.requests) == 3
        statuses = [str(one.status) for one in result.outcomes]
        assert statuses == ["succeeded", "unknown", "succeeded"]
        client.close()


def test_a_408_to_the_first_request_of_a_connection(make_client: ClientFactory) -> None:
    """There it can be about this request only, and says that it was not taken in."""
    with wire_server(each(response(408, b"", "Connection: close"))) as server:
        result = create(make_client, server)
    assert {str(one.status) for one in result.outcomes} == {"failed"}


def test_an_update_whose_first_response_comes_twice(make_client: ClientFactory) -> None:
    """The second event is refused, whatever the first response says of the same event."""

    def answer(connection: Connection, request: Request) -> None:
        (event,) = request.inputs
        if event["eventName"] == "refused":
            error = {"message": "no", "context": {"ids": ["1"]}}
            body: dict[str, Any] = {"results": [], "numErrors": 1, "errors": [error]}
            connection.send(response(207, {"status": "COMPLETE", **body}))
        else:
            good = response(200, created(request))
            connection.send(good, good)

    with wire_server(each(answer)) as server:
        client = make_client(base_url=server.url, max_concurrency=1)
        result = client.marketing_events.update(EVENTS, chunk_size=1)
        assert [str(one.status) for one in result.outcomes] == ["succeeded", "failed", "succeeded"]
        client.close()


def test_another_httpcore_never_uses_a_connection_twice(
    make_client: ClientFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If what came behind a response cannot be seen, nothing is taken for granted."""
    import h11

    monkeypatch.delattr(h11.Connection, "trailing_data")

    def trailing(_: object) -> Any:
        raise AttributeError("trailing_data")

    with wire_server(creating(b"")) as server:
        # httpcore itself looks at it once, when the headers have come.
        looked: list[int] = []

        def look(self: Any) -> Any:
            looked.append(1)
            return (b"", False) if len(looked) % 2 else trailing(self)

        monkeypatch.setattr(h11.Connection, "trailing_data", property(look), raising=False)
        assert len(create(make_client, server).succeeded) == 3
        assert server.connections == 3
