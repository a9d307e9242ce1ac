"""`timeout` bounds a whole attempt, whatever the server sends in the meantime."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from both_clients import ClientFactory, clock_of
from hubspot_batch import Retry
from hubspot_batch.sandbox import FakeClock
from wire_server import CERTIFICATE, Connection, created, each, response, secured, wire_server

ROW = {"properties": {"hs_timestamp": "2026-01-31T12:00:00Z"}}
TIMEOUT = 0.3
# Each drip is much shorter than the time-out, and all of them are much longer: half a minute.
PAUSE, DRIPS = 0.03, 1000
# What a busy machine may add.
LATE = 8.0


def body(connection: Connection, _: object) -> None:
    connection.send(response(201, length=DRIPS))
    connection.trickle(b" " * DRIPS, pause=PAUSE)


def chunks(connection: Connection, _: object) -> None:
    connection.send(b"HTTP/1.1 201 X\r\nTransfer-Encoding: chunked\r\n\r\n")
    connection.trickle(b"1\r\n \r\n" * DRIPS, size=6, pause=PAUSE)


def status_line(connection: Connection, _: object) -> None:
    connection.trickle(b"HTTP/1.1 201 " + b"x" * DRIPS, pause=PAUSE)


def headers(connection: Connection, _: object) -> None:
    connection.send(b"HTTP/1.1 201 Created\r\n")
    connection.trickle(b"X-H: a\r\n" * DRIPS, size=8, pause=PAUSE)


def informational(connection: Connection, _: object) -> None:
    connection.trickle(b"HTTP/1.1 102 X\r\n\r\n" * DRIPS, size=18, pause=PAUSE)


def no_length(connection: Connection, _: object) -> None:
    connection.send(b"HTTP/1.1 201 Created\r\n\r\n")
    connection.trickle(b" " * DRIPS, pause=PAUSE)


def silence(connection: Connection, _: object) -> None:
    connection.wait(60)


DRIPPING = (body, chunks, status_line, headers, informational, no_length, silence)


@pytest.mark.parametrize("drip", DRIPPING)
@pytest.mark.parametrize("timeout", [TIMEOUT, httpx.Timeout(TIMEOUT, connect=0.1)], ids=str)
def test_a_response_that_drips_ends_with_the_timeout(
    make_client: ClientFactory, drip: Callable[..., None], timeout: Any
) -> None:
    """The create is unknown, since it was sent."""
    with wire_server(each(drip)) as server:
        client = make_client(base_url=server.url, timeout=timeout, retry=Retry(max_attempts=1))
        began = time.monotonic()
        result = client.calls.create([ROW])
        seconds = time.monotonic() - began
        client.close()
    (outcome,) = result.unknown
    assert outcome.error.kind == "no_answer"
    assert "ReadTimeout" in outcome.error.message
    assert TIMEOUT * 0.9 <= seconds < TIMEOUT + LATE


@pytest.mark.parametrize("rest", ["drips", "ends", "is garbled"])
def test_a_refusal_whose_body_cannot_be_read_is_a_refusal(
    make_client: ClientFactory, rest: str
) -> None:
    """Its status had come, so nothing was created: it is sent again, or failed."""
    statuses = iter((429, 400))

    def talk(connection: Connection) -> None:
        for _ in connection.requests():
            status = next(statuses)
            if rest == "is garbled":
                connection.send(response(status, b"no gzip", "Content-Encoding: gzip"))
                continue
            connection.send(response(status, length=DRIPS))
            if rest == "drips":
                connection.trickle(b" " * DRIPS, pause=PAUSE)
            break

    with wire_server(talk) as server:
        client = make_client(base_url=server.url, timeout=TIMEOUT, clock=clock_of(FakeClock()))
        result = client.calls.create([ROW])
        client.close()
    assert len(server.requests) == 2
    (outcome,) = result.failed
    assert (outcome.error.kind, outcome.error.status_code) == ("refused", 400)


def test_each_attempt_has_the_whole_time(make_client: ClientFactory) -> None:
    """A read is sent again, and a wait between attempts does not count."""
    good = {"status": "COMPLETE", "results": [{"id": "a", "properties": {}}]}
    with wire_server(each(body)) as slow, wire_server(each(response(200, good))) as fast:
        clock = FakeClock()
        client = make_client(base_url=slow.url, timeout=TIMEOUT, clock=clock_of(clock))
        began = time.monotonic()
        result = client.campaigns.read(["a"])
        seconds = time.monotonic() - began
        assert len(result.failed) == 1
        assert TIMEOUT * 5 * 0.9 <= seconds < TIMEOUT * 5 + LATE
        client.close()
        client = make_client(base_url=fast.url, timeout=TIMEOUT)
        assert len(client.campaigns.read(["a"]).succeeded) == 1
        client.close()


def test_a_request_that_is_read_slowly(make_client: ClientFactory) -> None:
    """A server that takes in a little now and then does not keep a client writing without end."""

    def reading(connection: Connection) -> None:
        for _ in range(DRIPS):
            connection.receive_bytes(40_000)
            connection.wait(PAUSE)

    with wire_server(reading) as server:
        client = make_client(base_url=server.url, timeout=TIMEOUT, retry=Retry(max_attempts=1))
        began = time.monotonic()
        with pytest.raises(httpx.TimeoutException):
            make_client.request(
                client, "POST", f"{server.url}/x", content=b"x" * 40_000_000, timeout=TIMEOUT
            )
        assert time.monotonic() - began < TIMEOUT + LATE
        client.close()


def test_tls_that_drips(make_client: ClientFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same over TLS, before and after its handshake."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with wire_server(secured(each(body))) as server:
        client = make_client(
            base_url=f"https://127.0.0.1:{server.address[1]}",
            timeout=TIMEOUT,
            retry=Retry(max_attempts=1),
        )
        began = time.monotonic()
        assert len(client.calls.create([ROW]).unknown) == 1
        assert time.monotonic() - began < TIMEOUT + LATE
        client.close()


def test_no_timeout_waits(make_client: ClientFactory) -> None:
    """None is no limit, and a limit of one step is no limit of the attempt."""

    def slow(connection: Connection, _: object) -> None:
        connection.trickle(response(201, {"status": "COMPLETE", "results": []}), size=8, pause=0.01)

    with wire_server(each(slow)) as server:
        for timeout in (None, httpx.Timeout(None, connect=0.05), 20.0):
            client = make_client(base_url=server.url, timeout=timeout)
            (outcome,) = client.calls.create([ROW]).outcomes
            assert outcome.error.kind == "not_mentioned"
            client.close()


@pytest.mark.parametrize("timeout", [float("inf"), 1e12, httpx.Timeout(float("inf"))], ids=str)
def test_a_time_out_that_no_socket_can_hold(make_client: ClientFactory, timeout: Any) -> None:
    """It is as good as none."""

    def answer(connection: Connection, request: Any) -> None:
        connection.send(response(201, created(request)))

    with wire_server(each(answer)) as server:
        client = make_client(base_url=server.url, timeout=timeout)
        assert len(client.calls.create([ROW]).succeeded) == 1
        client.close()
