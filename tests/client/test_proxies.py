"""A request counts as not sent if none of its bytes has left, above all when a proxy fails."""

from __future__ import annotations

import asyncio
import logging
import re
import select
import socket
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from both_clients import ClientFactory, clock_of
from httpcore import AnyIOBackend, SyncBackend
from hubspot_batch import (
    AsyncHubSpotBatch,
    BatchResult,
    ConfigurationError,
    HubSpotBatchError,
    Retry,
    UnreachableError,
    result_of,
)
from hubspot_batch._transport.request_state import (
    EXTENSION,
    CancelledBeforeSendError,
    RequestState,
)
from hubspot_batch._transport.retry import Effect, RetryWhen, disposition_of_failure
from hubspot_batch.sandbox import FakeClock
from leak_watch import SECRET, WATCH
from wire_server import (
    CERTIFICATE,
    Connection,
    WireServer,
    created,
    each,
    proxy,
    response,
    secured,
    wire_server,
)

ROWS = [{"properties": {"hs_timestamp": "2026-01-31T12:00:00Z"}}] * 3
PASSWORD = "opensesame-0123456789"
BASIC = b64encode(f"user:{PASSWORD}".encode()).decode()
BASE_URL = "https://hubspot.test"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxies but the test's own; the test's certificate is trusted."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    WATCH.add(PASSWORD)
    WATCH.add(BASIC)


@pytest.fixture
def behind(monkeypatch: pytest.MonkeyPatch) -> Callable[[WireServer], None]:
    """Let clients use a server as their proxy, with a user and a password."""

    def use(server: WireServer) -> None:
        address = f"http://user:{PASSWORD}@127.0.0.1:{server.address[1]}"
        monkeypatch.setenv("HTTPS_PROXY", address)

    return use


def patient(**arguments: Any) -> dict[str, Any]:
    """Arguments of a client that never waits between attempts."""
    return {"base_url": BASE_URL, "clock": clock_of(FakeClock()), "rate_limit": None, **arguments}


@pytest.fixture
def hubspot() -> Iterator[WireServer]:
    """A server with TLS that creates what it is asked for."""

    def answer(connection: Connection, request: Any) -> None:
        connection.send(response(201, created(request)))

    with wire_server(secured(each(answer))) as server:
        yield server


def test_requests_go_through_the_tunnel(
    make_client: ClientFactory, behind: Callable[[WireServer], None], hubspot: WireServer
) -> None:
    """One tunnel serves several requests, one after the other."""
    with wire_server(proxy(hubspot)) as server:
        behind(server)
        client = make_client(**patient(max_concurrency=1))
        assert len(client.calls.create(ROWS, chunk_size=1).succeeded) == 3
        assert (server.connections, len(hubspot.requests)) == (1, 3)
        client.close()


def silent(connection: Connection) -> None:
    connection.receive_head()
    connection.wait(60)


def dripping(connection: Connection) -> None:
    connection.receive_head()
    connection.trickle(b"HTTP/1.1 200 OK\r\n" + b"X-Header: x\r\n" * 1000, size=13)


def resetting(connection: Connection) -> None:
    connection.receive_head()
    connection.reset()


def refused_tls(connection: Connection) -> None:
    connection.receive_head()
    connection.send(b"HTTP/1.1 200 OK\r\n\r\n")
    connection.receive_bytes(20)
    connection.send(b"this is not TLS, and nothing like it\r\n")


def silent_tls(connection: Connection) -> None:
    connection.receive_head()
    connection.send(b"HTTP/1.1 200 OK\r\n\r\n")
    connection.wait(60)


def says(text: bytes) -> Callable[[Connection], None]:
    def talk(connection: Connection) -> None:
        connection.receive_head()
        connection.send(text)

    return talk


BROKEN = {
    "closes at once": lambda connection: connection.close(),
    "closes": says(b""),
    "resets": resetting,
    "is silent": silent,
    "drips": dripping,
    "half a status line": says(b"HTTP/1.1 2"),
    "half of the headers": says(b"HTTP/1.1 200 OK\r\nX: y\r\n"),
    "no HTTP": says(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    "502": says(response(502)),
    "429": says(response(429)),
    "closes after 200": says(b"HTTP/1.1 200 OK\r\n\r\n"),
    "no TLS": refused_tls,
    "silent TLS": silent_tls,
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_proxy_that_breaks_off_before_the_request(
    make_client: ClientFactory, behind: Callable[[WireServer], None], how: str
) -> None:
    """Nothing was sent, so it is tried again, and in the end the proxy is named."""
    with wire_server(BROKEN[how]) as server:
        behind(server)
        client = make_client(**patient(timeout=0.2, retry=Retry(max_attempts=2), max_concurrency=1))
        with pytest.raises(UnreachableError) as caught:
            client.calls.create(ROWS, chunk_size=1)
        client.close()
    assert len(outcomes(caught).not_sent) == 3
    assert f"through the proxy http://127.0.0.1:{server.address[1]} (" in str(caught.value)
    assert "the proxy that HTTPS_PROXY names" in str(caught.value)
    # The cause stands there in words, and not only the name of an exception.
    assert not re.search(r"\((\w+): \1?(Read|Connect)?Error, with", str(caught.value))
    assert server.connections == 2


@pytest.mark.parametrize("status", [301, 400, 403, 405, 407, 501, 505, 511])
def test_a_proxy_that_says_no_ends_the_run(
    make_client: ClientFactory, behind: Callable[[WireServer], None], status: int
) -> None:
    """It would say so again. Its words are not repeated: they may repeat the password."""
    said = response(status, b"", f"X-Seen: {BASIC}", reason=f"Basic {PASSWORD} {BASIC}")
    with wire_server(says(said)) as server:
        behind(server)
        client = make_client(**patient(max_concurrency=1))
        with pytest.raises(UnreachableError, match=f"{status}.*HTTPS_PROXY") as caught:
            client.calls.create(ROWS, chunk_size=1)
        client.close()
    assert len(outcomes(caught).not_sent) == 3
    assert server.connections == 1


@pytest.mark.parametrize(
    "line",
    [
        "{}\r\n\r\n",
        "HTTP/1.1 200 X\r\n{}\r\n\r\n",
        "HTTP/1.1 {} X\r\n\r\n",
        "HTTP/1.1 200 X\r\nContent-Length: {}\r\n\r\n",
        "HTTP/1.1 502 {}\r\n\r\n",
    ],
)
def test_a_proxy_that_repeats_its_password(
    make_client: ClientFactory,
    behind: Callable[[WireServer], None],
    line: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Neither the error shows it, nor httpcore's log."""
    caplog.set_level(logging.DEBUG)
    for secret in (PASSWORD, f"Proxy-Authorization: Basic {BASIC}"):
        with wire_server(says(line.format(secret).encode())) as server:
            behind(server)
            client = make_client(**patient(retry=Retry(max_attempts=1), max_concurrency=1))
            with pytest.raises(UnreachableError):
                client.calls.create(ROWS, chunk_size=1)
            client.close()
    assert any(one.name == "httpcore.http11" for one in caplog.records)


def test_a_proxy_of_the_users_own_transport(make_client: ClientFactory) -> None:
    """There httpx's exception tells."""

    def refuse(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        raise httpx.ProxyError("407 Proxy Authentication Required")

    seen: list[httpx.Request] = []
    client = make_client(transport=httpx.MockTransport(refuse), max_concurrency=1)
    with pytest.raises(UnreachableError, match="407"):
        client.calls.create(ROWS, chunk_size=1)
    assert len(seen) == 1


def test_a_proxy_that_is_an_argument(make_client: ClientFactory) -> None:
    """It is named as one."""
    with wire_server(says(response(407))) as server:
        address = f"http://user:{PASSWORD}@127.0.0.1:{server.address[1]}"
        client = make_client(**patient(proxy=address))
        with pytest.raises(UnreachableError, match="with the proxy that the argument proxy names"):
            client.calls.create(ROWS)
        client.close()


# What RFC 1928 and RFC 1929 have for a proxy by SOCKS, in bytes: its choice of a method, its answer
# to user and password, and its reply (https://www.rfc-editor.org/rfc/rfc1928#section-6).
SOCKS = {
    "no method that both know": ([b"\5\xff"], 1),
    "another method": ([b"\5\0"], 1),
    "user and password are wrong": ([b"\5\2", b"\1\1"], 1),
    "general failure": ([b"\5\2", b"\1\0", b"\5\1\0\1" + bytes(6)], 2),
    "not allowed": ([b"\5\2", b"\1\0", b"\5\2\0\1" + bytes(6)], 1),
    "no way to the network": ([b"\5\2", b"\1\0", b"\5\3\0\1" + bytes(6)], 2),
    "no way to the host": ([b"\5\2", b"\1\0", b"\5\4\0\1" + bytes(6)], 2),
    "refused by the host": ([b"\5\2", b"\1\0", b"\5\5\0\1" + bytes(6)], 2),
    "too far away": ([b"\5\2", b"\1\0", b"\5\6\0\1" + bytes(6)], 2),
    "no such command": ([b"\5\2", b"\1\0", b"\5\7\0\1" + bytes(6)], 1),
    "no such kind of address": ([b"\5\2", b"\1\0", b"\5\10\0\1" + bytes(6)], 1),
    "no SOCKS": ([b"HTTP/1.1 400 Bad Request\r\n\r\n"], 2),
    "closes": ([b""], 2),
}


@pytest.mark.parametrize("how", SOCKS)
def test_a_proxy_by_socks_that_says_no(make_client: ClientFactory, how: str) -> None:
    """A lasting refusal ends the run at once; any other may pass, and is tried again."""
    pytest.importorskip("socksio")
    answers, connections = SOCKS[how]
    closed = threading.Semaphore(0)
    lengths = (3, 3 + len(f"user{PASSWORD}"), 7 + len("hubspot.test"))

    def talk(connection: Connection) -> None:
        for length, answer in zip(lengths, answers, strict=False):
            connection.receive_bytes(length)
            connection.send(answer)
        while answers != [b""] and connection.receive_bytes(1):
            pass
        closed.release()

    with wire_server(talk) as server:
        address = f"socks5://user:{PASSWORD}@127.0.0.1:{server.address[1]}"
        client = make_client(**patient(proxy=address, retry=Retry(max_attempts=2)))
        with pytest.raises(UnreachableError, match=f"socks5://127.0.0.1:{server.address[1]} ") as (
            caught
        ):
            client.calls.create(ROWS)
        # The client has closed each connection, also before it is closed itself.
        assert all(closed.acquire(timeout=5) for _ in range(connections))
        client.close()
    assert len(outcomes(caught).not_sent) == 3
    assert server.connections == connections


@pytest.mark.parametrize(
    ("words", "lasts"),
    [
        ("Requested USERNAME/PASSWORD from proxy server, but got NO ACCEPTABLE METHODS.", True),
        ("Invalid username/password", True),
        ("Proxy Server could not connect: Connection not allowed by ruleset.", True),
        ("Proxy Server could not connect: Command not supported.", True),
        ("Proxy Server could not connect: Address type not supported.", True),
        ("Proxy Server could not connect: General SOCKS server failure.", False),
        ("Proxy Server could not connect: Host unreachable.", False),
        ("Proxy Server could not connect: Connection refused.", False),
        ("503 Service Unavailable", False),
        ("511 Network Authentication Required", True),
        ("", False),
    ],
)
def test_the_words_of_httpcore_tell_whether_a_proxy_says_the_same_again(
    words: str, *, lasts: bool
) -> None:
    """Also where the package for SOCKS is not installed."""
    disposition = disposition_of_failure(httpx.ProxyError(words))
    assert disposition.effect is Effect.NOT_SENT
    assert (disposition.retry is RetryWhen.NEVER) is lasts


def test_an_unreachable_host_is_named_with_the_cause(make_client: ClientFactory) -> None:
    """In the words of the operating system, in threads and in tasks."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    client = make_client(**patient(base_url=f"http://127.0.0.1:{port}", retry=Retry(1, 1)))
    with pytest.raises(UnreachableError, match=rf"127.0.0.1:{port}/.*Connection refused"):
        client.calls.create(ROWS)


def test_a_host_that_has_no_address(make_client: ClientFactory) -> None:
    """Names are looked up before anything is sent; a label of a name has 63 characters at most."""
    for host in (f"{'a' * 64}.test", "nowhere.invalid"):
        client = make_client(**patient(base_url=f"https://{host}", retry=Retry(max_attempts=1)))
        with pytest.raises(UnreachableError) as caught:
            client.calls.create(ROWS)
        assert len(outcomes(caught).not_sent) == 3


def test_a_header_that_cannot_be_sent(make_client: ClientFactory) -> None:
    """h11 refuses it before the first byte, and would refuse it again."""
    with wire_server(each(response(201, {"results": []}))) as server:
        client = make_client(**patient(base_url=server.url))
        with pytest.raises(httpx.UnsupportedProtocol):
            make_client.request(client, "POST", f"{server.url}/x", headers={"X": "a\nb"})
        client.close()
    assert not server.requests


def test_a_request_that_is_cancelled_while_it_connects(
    make_client: ClientFactory, behind: Callable[[WireServer], None], hubspot: WireServer
) -> None:
    """A request that another thread cancels before its first byte is not sent."""
    state = RequestState()

    def talk(connection: Connection) -> None:
        state.cancelled = True
        tunnel(connection)

    tunnel = proxy(hubspot)
    with wire_server(talk) as server:
        behind(server)
        client = make_client(**patient())
        with pytest.raises(CancelledBeforeSendError):
            make_client.request(client, "POST", f"{BASE_URL}/x", extensions={EXTENSION: state})
        client.close()
    assert not state.in_doubt
    assert not hubspot.requests


@pytest.mark.parametrize("said", [b"", response(408)])
def test_a_server_that_ends_a_new_connection(
    make_client: ClientFactory, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    """It is seen before the first byte, so nothing was sent."""

    def wait(stream: Any) -> Any:
        select.select([stream.get_extra_info("socket")], [], [], 5)
        return stream

    connect, connect_later = SyncBackend.connect_tcp, AnyIOBackend.connect_tcp

    async def connecting(*arguments: Any, **more: Any) -> Any:
        return wait(await connect_later(*arguments, **more))

    monkeypatch.setattr(SyncBackend, "connect_tcp", lambda *a, **more: wait(connect(*a, **more)))
    monkeypatch.setattr(AnyIOBackend, "connect_tcp", connecting)
    with wire_server(lambda connection: connection.send(said)) as server:
        once = Retry(max_attempts=1)
        client = make_client(**patient(base_url=server.url, max_concurrency=1, retry=once))
        with pytest.raises(UnreachableError, match="spoke first") as caught:
            client.calls.create(ROWS, chunk_size=1)
        client.close()
    assert len(outcomes(caught).not_sent) == 3


def test_a_task_that_is_cancelled_while_it_connects(behind: Callable[[WireServer], None]) -> None:
    """No byte of its request has left."""

    async def cancel() -> BatchResult[Any] | None:
        async with AsyncHubSpotBatch(SECRET, **patient()) as client:
            task = asyncio.create_task(client.calls.create(ROWS, chunk_size=1))
            await asyncio.to_thread(asked.wait, 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            return result_of(caught.value)

    asked = threading.Event()

    def talk(connection: Connection) -> None:
        connection.receive_head()
        asked.set()
        connection.wait(60)

    with wire_server(talk) as server:
        behind(server)
        result = asyncio.run(cancel())
    assert result is not None
    assert len(result.not_sent) == 3


def outcomes(caught: pytest.ExceptionInfo[HubSpotBatchError]) -> BatchResult[Any]:
    result = caught.value.result
    assert result is not None
    return result


# ---------------------------------------------------------------- what the environment names


BAD_PROXIES = [
    f"http://user:{PASSWORD}@127.0.0.1:9\n",
    f"http://user:{PASSWORD}@[::1",
    f"http://user:{PASSWORD}@127.0.0.1:port",
    f"http://user:{PASSWORD}@127.0.0.1:99999",
    f"http://user:{PASSWORD}@ex\u00e4mple..com:9",
    f"http://user:{PASSWORD}@",
    f"http://user:{PASSWORD}@ 127.0.0.1:9",
    f"http://user:{PASSWORD}@127.0.0.1\x00:9",
    f"gopher://user:{PASSWORD}@127.0.0.1:9",
    f"://user:{PASSWORD}@127.0.0.1:9",
]


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("value", BAD_PROXIES, ids=ascii)
def test_a_proxy_that_cannot_be_used_is_named_by_its_variable(
    make_client: ClientFactory, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """And never by its value, which can hold a password."""
    if "\x00" in value:
        value = value.replace("\x00", "\x01")  # an environment cannot hold the other
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=f"^{variable} ") as caught:
        make_client()
    assert "127.0.0.1" not in str(caught.value)


def test_a_proxy_by_socks_needs_a_package(
    make_client: ClientFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Httpx needs it too."""
    monkeypatch.setenv("ALL_PROXY", f"socks5h://user:{PASSWORD}@127.0.0.1:9")
    monkeypatch.setattr("hubspot_batch._transport.environment.find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match=r"^ALL_PROXY names a SOCKS proxy.*httpx\[socks\]"):
        make_client()


@pytest.mark.parametrize(
    ("variable", "name"),
    [
        ("SSL_CERT_FILE", "missing"),
        ("SSL_CERT_FILE", ""),
        ("SSL_CERT_FILE", "empty"),
        ("SSL_CERT_FILE", "garbage"),
        ("SSL_CERT_DIR", "missing"),
        ("SSLKEYLOGFILE", "missing/file"),
    ],
)
def test_certificates_that_cannot_be_used_are_named(
    make_client: ClientFactory,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    variable: str,
    name: str,
) -> None:
    """By their variable."""
    (tmp_path / "empty").write_text("")
    (tmp_path / "garbage").write_text("no certificate")
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv(variable, str(tmp_path / name))
    with pytest.raises(ConfigurationError, match=f"^{variable} "):
        make_client()


def test_certificates_for_a_proxy_are_read_when_the_client_is_made(
    make_client: ClientFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the server may be others: a file that cannot be used is named before any request."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE.parent / "none.pem"))
    with pytest.raises(ConfigurationError, match=r"^SSL_CERT_FILE cannot be used"):
        make_client(base_url=None, proxy="https://proxy.example:3128", verify=CERTIFICATE)


def test_all_addresses_of_a_host_share_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread tries one after the other."""
    from hubspot_batch import HubSpotBatch

    waited: list[float | None] = []

    def resolve(*_: Any, **__: Any) -> list[Any]:
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*kind, (f"192.0.2.{number}", 443)) for number in range(4)]

    def connect(_: Any, timeout: float | None, **__: Any) -> None:
        waited.append(timeout)
        raise TimeoutError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    with (
        HubSpotBatch(SECRET, **patient(timeout=2, retry=Retry(max_attempts=1))) as client,
        pytest.raises(UnreachableError),
    ):
        client.calls.create(ROWS)
    assert len(waited) == 4
    assert sum(one or 99 for one in waited) <= 2
