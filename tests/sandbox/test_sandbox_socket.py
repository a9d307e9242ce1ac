"""The sandbox on a real socket of loopback, served by uvicorn."""

import asyncio
import socket
import sys
import time
from collections.abc import Iterator, MutableMapping
from typing import Any

import httpx
import pytest
from hubspot_batch.sandbox import (
    FAULTS,
    Sandbox,
    ServeError,
    add_examples,
    app,
    live_sandbox,
    script,
    serve,
    served,
)
from hubspot_batch.sandbox.asgi import DROP
from hubspot_batch.sandbox.core import CAMPAIGN_IDS
from hubspot_batch_client.contract import OPERATIONS

CALLS = OPERATIONS["create_calls"].path
CALL = {"properties": {"hs_timestamp": "1767603600000"}, "associations": []}
HEADERS = {"Authorization": "Bearer t"}


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[Sandbox, str]]:
    """One sandbox on one socket for all tests of this file."""
    sandbox = Sandbox(rate_limit=None)
    add_examples(sandbox)
    with served(sandbox) as url:
        yield sandbox, url
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


@pytest.fixture
def sandbox(place: tuple[Sandbox, str]) -> Sandbox:
    """The sandbox behind the socket, without faults."""
    place[0].use_faults(None)
    return place[0]


@pytest.fixture
def client(place: tuple[Sandbox, str]) -> Iterator[httpx.Client]:
    """A client that keeps its connections, as people's clients do."""
    with httpx.Client(base_url=place[1], headers=HEADERS, timeout=5.0, trust_env=False) as made:
        yield made


def test_an_answer_goes_through_whole(sandbox: Sandbox, client: httpx.Client) -> None:
    """Query, body and headers arrive, several times on one connection."""
    path = OPERATIONS["read_campaigns"].path
    inputs = {"inputs": [{"id": CAMPAIGN_IDS[0]}]}
    for _ in range(3):
        response = client.post(path, json=inputs, params={"properties": "hs_name,hs_utm"})
        assert response.status_code == 200
        (result,) = response.json()["results"]
        assert result["properties"] == {"hs_name": "Spring launch", "hs_utm": None}
        assert response.headers["x-hubspot-correlation-id"]
        assert "server" not in response.headers


def test_a_large_body_arrives_in_pieces(sandbox: Sandbox, client: httpx.Client) -> None:
    """A body of several chunks is put together again."""
    one = {**CALL, "properties": {**CALL["properties"], "hs_call_body": "x" * 1_000_000}}
    assert client.post(CALLS, json={"inputs": [one]}).status_code == 201
    assert sandbox.records("calls")[-1].properties["hs_call_body"] == "x" * 1_000_000


LOSSES = {
    "refused": httpx.ReadError,  # who has accepted can no longer refuse
    "reset": httpx.ReadError,
    "closed": httpx.RemoteProtocolError,
    "timeout": httpx.ReadTimeout,
}


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault.loss])
def test_a_lost_connection_is_really_lost(
    sandbox: Sandbox, client: httpx.Client, name: str
) -> None:
    """The socket is reset, closed or silent, the work is done or not, and the server lives on."""
    sandbox.use_faults(script([None, name]))
    assert client.post(CALLS, json={"inputs": [CALL]}).status_code == 201
    before = len(sandbox.records("calls"))
    loss = FAULTS[name].loss
    assert loss
    with pytest.raises(LOSSES[loss]):
        client.post(CALLS, json={"inputs": [CALL]}, timeout=0.4 if loss == "timeout" else 5.0)
    assert len(sandbox.records("calls")) - before == FAULTS[name].work_done
    assert client.post(CALLS, json={"inputs": [CALL]}).status_code == 201


def test_a_reset_is_a_reset(sandbox: Sandbox, place: tuple[Sandbox, str]) -> None:
    """Seen from the bare socket, a reset sends RST and a close sends the end, and no byte."""
    host, port = place[1].removeprefix("http://").split(":")
    request = f"POST {CALLS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\n"
    request += "Content-Length: 2\r\n\r\n{}"
    sandbox.use_faults(script(["reset_after", "closed_after"]))
    with socket.create_connection((host, int(port)), timeout=5) as bare:
        bare.sendall(request.encode())
        with pytest.raises(ConnectionResetError):
            bare.recv(1)
    with socket.create_connection((host, int(port)), timeout=5) as bare:
        bare.sendall(request.encode())
        assert bare.recv(1) == b""


@pytest.mark.many
@pytest.mark.parametrize(
    "name", [name for name, fault in FAULTS.items() if not fault.loss and not fault.delay]
)
def test_every_answer_can_be_sent(sandbox: Sandbox, client: httpx.Client, name: str) -> None:
    """Statuses without a known phrase and broken bodies go out as they are."""
    sandbox.use_faults(script([name]))
    response = client.post(CALLS, json={"inputs": [CALL]})
    assert response.status_code == sandbox.requests[-1].status
    assert int(response.headers["content-length"]) == len(response.content)


def test_the_url_is_told_when_the_port_is_open() -> None:
    """`serve` answers from the moment when it hands out its URL."""
    told: list[str] = []

    def ready(url: str) -> None:
        told.append(url)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        serve(Sandbox(), port=0, ready=ready)
    assert told[0].startswith("http://127.0.0.1:")


def test_serve_runs_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the URL is out, uvicorn takes the open socket; Ctrl-C is an orderly end."""
    ran: list[list[socket.socket]] = []

    def run(server: object, sockets: list[socket.socket]) -> None:
        ran.append(sockets)
        raise KeyboardInterrupt

    monkeypatch.setattr("uvicorn.Server.run", run)
    serve(Sandbox(), port=0, ready=lambda url: None)
    assert len(ran[0]) == 1


@pytest.mark.parametrize("port", [None, 70_000])
def test_a_port_that_cannot_be_had_ends_in_a_sentence(port: int | None) -> None:
    """A taken or impossible port says what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        wanted = taken.getsockname()[1] if port is None else port
        with pytest.raises(ServeError, match=f"cannot listen on 127.0.0.1, port {wanted} .*choose"):
            serve(Sandbox(), port=wanted)


def test_a_missing_uvicorn_ends_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, the sentence names what to install."""
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(ServeError, match=r'uvicorn .*pip install "hubspot-batch\[sandbox\]"$'):
        serve(Sandbox(), port=0)
    with pytest.raises(ServeError, match="uvicorn"), served(Sandbox()):
        pass


# The application without a server


def speak(sandbox: Sandbox, *received: dict[str, Any], **scope: Any) -> list[Any]:
    """Run the application on its own; returns what it sent, and the seconds it slept."""
    sent: list[Any] = []
    messages = iter(received)

    async def receive() -> MutableMapping[str, Any]:
        return next(messages)

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def sleep(seconds: float) -> None:
        sent.append(seconds)

    whole: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": CALLS,
        "query_string": b"",
        "headers": [(b"Authorization", b"Bearer t\xff")],
        **scope,
    }
    asyncio.run(app(sandbox, sleep=sleep)(whole, receive, send))
    return sent


def test_a_delay_is_slept_by_the_application() -> None:
    """The seconds go to the sleep that was handed in, before the answer."""
    sandbox = Sandbox(faults=script(["delay"]))
    sent = speak(sandbox, {"type": "http.request", "body": b'{"inputs": []}'})
    assert sent[0] == 2.0
    assert sent[1]["status"] == 201


def test_a_client_that_leaves_early_is_not_answered() -> None:
    """Without the whole body there is no request."""
    sandbox = Sandbox()
    part = {"type": "http.request", "body": b"{", "more_body": True}
    assert speak(sandbox, part, {"type": "http.disconnect"}) == []
    assert sandbox.requests == ()


def test_a_server_that_cannot_cut_connections_is_told() -> None:
    """Under another server a lost connection is an error, not an answer."""
    sandbox = Sandbox(faults=script(["reset_after"]))
    with pytest.raises(RuntimeError, match="cannot cut a connection"):
        speak(sandbox, {"type": "http.request", "body": b"{}"})


@pytest.mark.parametrize(("name", "reset"), [("reset_after", True), ("closed_before", False)])
def test_a_server_that_can_is_asked_to_cut(name: str, reset: bool) -> None:
    """The application says how to cut, and then waits until the client is gone."""
    cut: list[bool] = []
    part = {"type": "http.request", "body": b"{}"}
    sandbox = Sandbox(faults=script([name]))
    extensions = {DROP: cut.append}
    assert speak(sandbox, part, part, {"type": "http.disconnect"}, extensions=extensions) == []
    assert cut == [reset]


def test_a_sandbox_for_people_has_a_clock_that_runs_and_records_to_read() -> None:
    """Its clock is the machine's, and the examples are in place."""
    sandbox = live_sandbox(seed=3, faults=script(["500"]))
    assert sandbox.clock is time.time
    assert [record.id for record in sandbox.records("campaigns")] == list(CAMPAIGN_IDS)
    speak(sandbox, {"type": "http.request", "body": b"{}"})
    assert sandbox.requests[0].fault == "500"


def test_only_http_is_spoken() -> None:
    """Other protocols are refused, as ASGI asks for."""
    with pytest.raises(RuntimeError, match="answers http, not lifespan"):
        speak(Sandbox(), type="lifespan")
