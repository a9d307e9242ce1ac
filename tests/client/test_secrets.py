"""Nothing shows the token, whatever goes wrong, also over real sockets and in every library.

Each test makes something go wrong. `leak_watch.py` then searches for the token, in the frames of
httpx, httpcore, h11 and anyio, too. Only real time-outs are waited for, and they are short.
"""

from __future__ import annotations

import asyncio
import functools
import gzip
import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import h11
import httpx
import pytest
from both_clients import ClientFactory, clock_of, watched_errors
from hubspot_batch import (
    AsyncHubSpotBatch,
    AuthenticationError,
    BatchResult,
    BrokenOffError,
    ConfigurationError,
    HubSpotBatchError,
    UnreachableError,
    result_of,
)
from hubspot_batch.cli import main as cli
from hubspot_batch.sandbox import FAULTS, FakeClock, Sandbox, live_sandbox, script, served
from hubspot_batch_client.api.calls import create_calls
from hubspot_batch_client.models import CallBatchInput, CallInput
from leak_watch import SECRET, WATCH
from loopback import answering, http

ROW = {"properties": {"hs_timestamp": "2026-01-31T12:00:00Z"}}
RAW = CallBatchInput(inputs=[CallInput(properties={"hs_timestamp": "2026-01-31T12:00:00Z"})])


def patient() -> dict[str, Any]:
    """Arguments of a client that never waits."""
    return {"clock": clock_of(FakeClock()), "rate_limit": None}


def settle(make_client: ClientFactory, client: Any, rows: Any = (ROW, ROW)) -> BatchResult[Any]:
    """Create calls, however that ends, in two requests and in one of the generated client."""
    try:
        result = client.calls.create(rows, chunk_size=1)
    except HubSpotBatchError as error:
        result = error.result
    with suppress(HubSpotBatchError):
        list(client.calls.create_iter(rows))
    with suppress(httpx.HTTPError, HubSpotBatchError):
        raw(make_client, client)
    assert isinstance(result, BatchResult)
    return result


def raw(make_client: ClientFactory, client: Any) -> Any:
    """Call a generated function; what it returns or raises is searched."""
    with watched_errors("a generated function"):
        if make_client.kind == "sync":
            answer = create_calls.sync_detailed(client=client.raw, body=RAW)
        else:
            answer = client._runner.run(create_calls.asyncio_detailed(client=client.raw, body=RAW))
    WATCH.value("a generated answer", answer)
    WATCH.value("its headers", dict(answer.headers))
    WATCH.text("its body", answer.content)
    return answer


# ---------------------------------------------------------------- real sockets


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[Sandbox, str]]:
    """One sandbox on one socket for all tests of this file, which lets in one token only."""
    sandbox = Sandbox(rate_limit=None, token=SECRET)
    with served(sandbox) as url:
        yield sandbox, url


@pytest.fixture
def sandbox(place: tuple[Sandbox, str]) -> Sandbox:
    """The sandbox behind the socket, without faults."""
    place[0].use_faults(None)
    return place[0]


def test_a_real_connection_shows_nothing(
    make_client: ClientFactory, sandbox: Sandbox, place: tuple[Sandbox, str]
) -> None:
    """Every library logs what it does, and none says with which token."""
    client = make_client(base_url=place[1], **patient())
    assert len(settle(make_client, client).succeeded) == 2
    assert raw(make_client, client).status_code == 201
    client.close()


@pytest.mark.many
@pytest.mark.parametrize("fault", [name for name, fault in FAULTS.items() if fault.loss])
def test_a_lost_connection_shows_nothing(
    make_client: ClientFactory, sandbox: Sandbox, place: tuple[Sandbox, str], fault: str
) -> None:
    """Reset, closed or silent, before the work or after it."""
    sandbox.use_faults(script([fault] * 9))
    result = settle(make_client, make_client(base_url=place[1], timeout=0.1, **patient()))
    assert len(result.succeeded) == 0
    assert sandbox.requests[-1].fault == fault


REFUSALS = ["expired_token", "rate_limited", "daily_limit", "locked", "moved", "redirect", "502"]


@pytest.mark.many
@pytest.mark.parametrize("fault", [*REFUSALS, "520", "525", "truncated_json"])
def test_a_refusal_shows_nothing(
    make_client: ClientFactory, sandbox: Sandbox, place: tuple[Sandbox, str], fault: str
) -> None:
    """The token is not shown by what stops a run, what is repeated, and what fails."""
    sandbox.use_faults(script([fault] * 99))
    assert not settle(make_client, make_client(base_url=place[1], **patient())).succeeded


@pytest.mark.parametrize("token", ["pat-na1-0123456789abcdef-other", lambda: SECRET[::-1]])
def test_a_wrong_token_shows_nothing(
    make_client: ClientFactory, sandbox: Sandbox, place: tuple[Sandbox, str], token: Any
) -> None:
    """It may be nearly right."""
    client = make_client(token, base_url=place[1], **patient())
    with pytest.raises(AuthenticationError):
        client.calls.create([ROW])
    assert raw(make_client, client).status_code == 401


def test_nobody_listens(make_client: ClientFactory) -> None:
    """The connection is refused, again and again."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    client = make_client(base_url=f"http://127.0.0.1:{port}", **patient())
    with pytest.raises(UnreachableError):
        client.calls.create([ROW])
    with pytest.raises(httpx.ConnectError):
        raw(make_client, client)


def test_a_body_that_nobody_reads(make_client: ClientFactory) -> None:
    """A time-out while writing stands in the middle of the request."""
    row = {"properties": {**ROW["properties"], "hs_call_body": "x" * 20_000_000}}
    with answering(None) as address:
        client = make_client(base_url=f"http://{address}", timeout=0.1, **patient())
        (outcome,) = client.calls.create([row]).unknown
        assert "WriteTimeout" in outcome.error.message
        client.close()


def test_a_server_without_a_certificate(
    make_client: ClientFactory, place: tuple[Sandbox, str]
) -> None:
    """It speaks http where https was meant, so no byte of the request is sent."""
    client = make_client(base_url=place[1].replace("http:", "https:"), **patient())
    with pytest.raises(UnreachableError, match="SSL"):
        client.calls.create([ROW])
    with pytest.raises(httpx.ConnectError):
        raw(make_client, client)


def said(token: bytes, **more: object) -> bytes:
    words = f"of {token.decode()} nothing is known"
    return json.dumps({"message": words, "status": "error", "category": words, **more}).encode()


ECHOES: dict[str, Callable[[bytes], tuple[bytes, tuple[bytes, ...]]]] = {
    "as it is": lambda token: (said(token), ()),
    "with slashes escaped": lambda token: (said(token).replace(b"/", b"\\/"), ()),
    "all escaped": lambda token: (
        said(token).replace(token, b"".join(b"\\u%04x" % char for char in token)),
        (),
    ),
    "compressed": lambda token: (gzip.compress(said(token)), (b"Content-Encoding: gzip",)),
    "in UTF-16": lambda token: (said(token).decode().encode("utf-16"), ()),
    "in UTF-32": lambda token: (said(token).decode().encode("utf-32"), ()),
    "in the words of a page": lambda token: (
        b"<p>" + token + b"</p>",
        (b"Content-Type: text/html",),
    ),
    "in a page that escapes it": lambda token: (
        b"<p>" + b"".join(b"&#%d;" % char for char in token) + b"</p>",
        (b"Content-Type: text/html",),
    ),
    "in a page that marks it": lambda token: (
        b"<p>Bearer " + token[:9] + b"<wbr>" + token[9:] + b"</p>",
        (b"Content-Type: text/html",),
    ),
    "in the context": lambda token: (said(b"it", context={token.decode(): [token.decode()]}), ()),
    "twice": lambda token: (said(token + token), ()),
    "in a list of errors": lambda token: (
        said(b"it", results=[], errors=[json.loads(said(token))]),
        (),
    ),
}


@pytest.fixture
def echoing(make_client: ClientFactory) -> Iterator[Callable[[Callable[[bytes], bytes]], None]]:
    """Makes requests to a server whose answer is made of the token."""

    def ask(answer: Callable[[bytes], bytes]) -> None:
        current.append(answer)
        settle(make_client, client)

    current: list[Callable[[bytes], bytes]] = []
    with answering(lambda token: current[-1](token)) as address:  # noqa: PLW0108 - it changes
        client = make_client(base_url=f"http://{address}", **patient())
        yield ask
        client.close()


@pytest.mark.many
@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
def test_a_server_that_repeats_the_token(
    echoing: Callable[[Callable[[bytes], bytes]], None],
    echo: Callable[[bytes], tuple[bytes, tuple[bytes, ...]]],
) -> None:
    """In whatever spelling it is read out of the answer."""
    for status in (b"400 Bad", b"401 No", b"403 No", b"429 Slow", b"500 Oh", b"207 Some"):

        def answer(token: bytes, status: bytes = status) -> bytes:
            body, headers = echo(token)
            return http(status, body, *headers)

        echoing(answer)
        assert not WATCH.found, status


@pytest.mark.many
@pytest.mark.parametrize(
    "head",
    [
        "X-HubSpot-Correlation-Id: of {}",
        "Location: https://x.example/?token={}",
        "Set-Cookie: token={}",
        "Retry-After: {}",
    ],
)
def test_a_header_that_repeats_the_token(
    echoing: Callable[[Callable[[bytes], bytes]], None], head: str
) -> None:
    """Neither an outcome shows it, nor an answer of the generated client, nor httpcore's log."""
    for status in (b"400 Bad", b"401 No", b"429 Slow", b"201 Done", b"303 There"):
        echoing(
            lambda token, status=status: http(status, b"{}", head.format(token.decode()).encode())
        )
        assert not WATCH.found, status


def test_a_reason_that_repeats_the_token(
    echoing: Callable[[Callable[[bytes], bytes]], None],
) -> None:
    """The words behind the status are in the repr of an answer, and in the log of httpx."""
    echoing(lambda token: http(b"400 no " + token, b"{}"))


CHUNKED = b"HTTP/1.1 400 X\r\nTransfer-Encoding: chunked\r\n"
MALFORMED: dict[str, Callable[[bytes], bytes]] = {
    "status line": lambda token: b"Authorization: Bearer " + token + b"\r\n\r\n",
    "half a status line": lambda token: b"HTTP/1.1 " + token[:-1],
    "status": lambda token: b"HTTP/1.1 " + token + b" X\r\n\r\n",
    "header line": lambda token: b"HTTP/1.1 400 X\r\nYou sent " + token + b"\r\n\r\n",
    "header name": lambda token: b"HTTP/1.1 400 X\r\n" + token + b" : x\r\n\r\n",
    "header value": lambda token: b"HTTP/1.1 400 X\r\nX: " + token + b"\x00\r\n\r\n",
    "folded first header": lambda token: b"HTTP/1.1 400 X\r\n " + token + b"\r\n\r\n",
    "length": lambda token: b"HTTP/1.1 400 X\r\nContent-Length: " + token + b"\r\n\r\n",
    "framing": lambda token: b"HTTP/1.1 400 X\r\nTransfer-Encoding: " + token + b"\r\n\r\n",
    "chunk header": lambda token: CHUNKED + b"\r\n" + token + b"\r\n",
    "chunk end": lambda token: CHUNKED + b"\r\n1\r\nx" + token + b"\r\n",
    "trailer": lambda token: CHUNKED + b"\r\n0\r\n" + token + b"\r\n\r\n",
    "coding": lambda token: http(b"201 Done", token, b"Content-Encoding: gzip"),
    "interim": lambda token: b"HTTP/1.1 103 X\r\n" + token + b"\r\n\r\n",
}


@pytest.mark.parametrize("answer", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_response_that_repeats_the_token(
    echoing: Callable[[Callable[[bytes], bytes]], None], answer: Callable[[bytes], bytes]
) -> None:
    """h11 quotes the line that it cannot read."""
    echoing(answer)


@pytest.mark.parametrize("kind", [httpx.ReadError, httpx.ConnectError, OSError, KeyError])
def test_a_transport_of_ones_own_that_repeats_the_token(
    make_client: ClientFactory, kind: type[Exception]
) -> None:
    """Its exceptions are the server's words too, or the library's."""

    def fail(request: httpx.Request) -> httpx.Response:
        token = request.headers["Authorization"]
        raise kind(f"cannot send {token}") if kind is not KeyError else KeyError({"t": token})

    client = make_client(transport=httpx.MockTransport(fail), **patient())
    with suppress(Exception):
        raw(make_client, client)
    shown = []
    try:
        shown += client.calls.create([ROW, ROW], chunk_size=1).to_dicts()
    except HubSpotBatchError as error:
        told = [outcome.to_dict() for outcome in error.result or ()]
        shown += [error, error.__cause__, *told]
    assert "(the token)" in repr(shown)


def test_only_our_own_lines_of_httpcore_are_shortened(
    make_client: ClientFactory, place: tuple[Sandbox, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Other programs in the process see what they are used to."""
    caplog.set_level(logging.DEBUG, "httpcore")
    client = make_client(base_url=place[1], **patient())
    client.calls.create([ROW])
    lines = [one.getMessage() for one in caplog.records if one.name == "httpcore.http11"]
    assert "receive_response_headers.complete" in lines
    caplog.clear()
    httpx.get(f"{place[1]}/nowhere", trust_env=False)
    lines = [one.getMessage() for one in caplog.records if one.name == "httpcore.http11"]
    assert any("receive_response_headers.complete return_value=" in line for line in lines)
    client.close()


# ---------------------------------------------------------------- in the middle of a request


@pytest.mark.many
@pytest.mark.parametrize("where", ["send", "next_event"])
@pytest.mark.parametrize(
    "raised",
    [ZeroDivisionError, MemoryError, KeyboardInterrupt, SystemExit],
    ids=lambda e: e.__name__,
)
def test_what_is_raised_in_the_middle_of_a_request(
    make_client: ClientFactory,
    sandbox: Sandbox,
    place: tuple[Sandbox, str],
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    raised: type[BaseException],
) -> None:
    """There the headers, token and all, are variables of several libraries."""
    whole = getattr(h11.Connection, where)

    def broken(self: h11.Connection, *arguments: Any) -> Any:
        if self.our_role is h11.CLIENT:
            raise raised
        return whole(self, *arguments)

    monkeypatch.setattr(h11.Connection, where, broken)
    client = make_client(base_url=place[1], **patient())
    wanted: Any = BrokenOffError if issubclass(raised, Exception) else raised
    with pytest.raises(wanted) as caught:
        client.calls.create([ROW] * 3, chunk_size=1)
    result = result_of(caught.value)
    assert result is not None
    assert len(result.outcomes) == 3
    with pytest.raises(wanted):
        list(client.calls.create_iter([ROW] * 3, chunk_size=1))
    with pytest.raises(raised):
        raw(make_client, client)
    client.close()


@pytest.mark.parametrize("through", ["calls", "raw"])
def test_a_cancelled_request_shows_nothing(through: str) -> None:
    """Cancellation is raised in the innermost frame there is."""
    arrived = threading.Event()

    def keep_waiting(_: bytes) -> bytes:
        arrived.set()
        return b""

    async def main(address: str) -> None:
        async with AsyncHubSpotBatch(SECRET, base_url=f"http://{address}") as client:
            if through == "raw":
                task = asyncio.create_task(create_calls.asyncio(client=client.raw, body=RAW))
            else:
                task = asyncio.create_task(client.calls.create([ROW] * 3, chunk_size=1))
            await asyncio.to_thread(arrived.wait, 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            WATCH.error("a cancelled task", caught.value)
            result = result_of(caught.value)
            assert (result is None) == (through == "raw")
            WATCH.value("what is left", result)

    with answering(keep_waiting) as address:
        asyncio.run(main(address), debug=True)


# ---------------------------------------------------------------- providers

UNFIT: list[Any] = [
    f"{SECRET}\n{SECRET}",
    f"{SECRET}\u00f6",
    SECRET.encode(),
    [SECRET],
    {"access_token": SECRET},
]


@pytest.mark.parametrize("unfit", UNFIT, ids=lambda unfit: type(unfit).__name__)
@pytest.mark.parametrize("asked", [0, 1])
def test_a_provider_that_returns_no_token(
    make_client: ClientFactory, unfit: Any, asked: int
) -> None:
    """Neither at first, nor in place of one that has expired."""
    given = iter(["pat-na1-0123456789abcdef-first"][:asked] + [unfit] * 9)
    client = make_client(lambda: next(given), transport=Sandbox(token=SECRET), **patient())
    with pytest.raises(HubSpotBatchError) as caught:
        client.calls.create([ROW])
    assert result_of(caught.value) is not None
    with pytest.raises(HubSpotBatchError):
        raw(make_client, client)


def test_an_asynchronous_provider_that_returns_no_token(make_client: ClientFactory) -> None:
    """The same, where it has to be awaited."""

    async def provide() -> Any:
        return {"access_token": SECRET}

    with pytest.raises(ConfigurationError):
        make_client(provide, transport=Sandbox(), **patient()).calls.create([ROW])


@pytest.mark.parametrize("asked", [0, 1])
def test_a_provider_that_raises_when_it_has_the_token(
    make_client: ClientFactory, asked: int
) -> None:
    """Its own frames are its own; ours show nothing."""
    given = iter([SECRET] * asked)

    def provide() -> str:
        token = next(given, "")
        if not token:
            raise OSError("vault sealed")
        return token

    sandbox = Sandbox(token="pat-na1-0123456789abcdef-other")
    client = make_client(provide, transport=sandbox, **patient())
    with pytest.raises(AuthenticationError):
        client.calls.create([ROW])
    with pytest.raises(HubSpotBatchError):
        raw(make_client, client)


@pytest.mark.parametrize("fault", ["expired_token", "connect_error", "reset_after", None])
def test_a_provider_that_shows_a_token_itself(
    make_client: ClientFactory, fault: str | None
) -> None:
    """Such as a function with its arguments, of which a refresh token is often one."""
    sandbox = Sandbox(faults=script([fault] * 99))
    assert settle(
        make_client, make_client(functools.partial(str, SECRET), transport=sandbox, **patient())
    )
    with pytest.raises(HubSpotBatchError):
        make_client(functools.partial(str, f"{SECRET}\n!"), transport=sandbox).calls.create([ROW])
    with pytest.raises(ConfigurationError):
        make_client(functools.partial(str, SECRET), timeout=-1)


# ---------------------------------------------------------------- the constructor

WRONG: list[dict[str, Any]] = [
    {"base_url": "http://api.hubapi.com"},
    {"base_url": "https://user:word@api.hubapi.com"},
    {"base_url": "\x00"},
    {"base_url": 5},
    {"timeout": "5"},
    {"timeout": -1},
    {"max_concurrency": 0},
    {"rate_limit": (100, 10)},
    {"retry": None},
    {"daily_reserve": "many"},
    {"on_wait": 5},
    {"on_event": 5},
    {"on_outcome": 5},
    {"headers": {"Authorization": "Bearer x"}},
    {"headers": {"X": "two\nlines"}},
    {"proxy": "ftp://host"},
    {"proxy": 5},
    {"verify": False},
    {"verify": "/nowhere"},
    {"transport": "https"},
    {"clock": None},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
@pytest.mark.parametrize("where", ["argument", "environment", "function"])
def test_a_wrong_argument_beside_a_good_token(
    make_client: ClientFactory, monkeypatch: pytest.MonkeyPatch, where: str, wrong: dict[str, Any]
) -> None:
    """The constructor has the token in its hands when it raises."""
    token: Any = SECRET
    if where == "environment":
        monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", SECRET)
        token = None
    elif where == "function":
        token = functools.partial(str, SECRET)
    with pytest.raises(ConfigurationError):
        make_client(token, **wrong)


@pytest.mark.parametrize("unfit", UNFIT, ids=lambda unfit: type(unfit).__name__)
def test_a_token_that_is_none(make_client: ClientFactory, unfit: Any) -> None:
    """The refused value may be nearly right."""
    with pytest.raises(ConfigurationError):
        make_client(unfit)


def test_arguments_that_were_mixed_up(make_client: ClientFactory) -> None:
    """The sentence does not repeat what could be a token in the wrong place."""
    with pytest.raises(ConfigurationError) as caught:
        make_client("https://api.hubapi.com", base_url="pat-na1-in-the-wrong-place")
    assert "pat-na1" not in str(caught.value)


def test_an_environment_that_cannot_be_used(
    make_client: ClientFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that httpx does not know is named by its variable."""
    monkeypatch.setenv("HTTPS_PROXY", "gopher://nowhere")
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY"):
        make_client()


# ---------------------------------------------------------------- commands


def test_the_commands_show_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither where all is well nor where the token is refused."""
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", SECRET)
    sandbox = live_sandbox()
    sandbox.use_token(SECRET)
    with served(sandbox) as url:
        assert cli.main(["demo", "--all", "--base-url", url]) in (0, 1)
        assert "All operations" in capsys.readouterr().out
        sandbox.use_token("another")
        assert cli.main(["demo", "--base-url", url]) == 3
        assert "does not accept the token" in capsys.readouterr().out
