"""The faults on the wire, as functions of an exchange: one request and its response.

It decides how bytes come and go, where the connection breaks, and whether the work is done then.
Each fault says with `exchange.give` why a client cannot know the outcome, if it cannot, and a run
holds each `unknown` against these reasons. No fault lies: what a whole response says of its request
is so.
"""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wire_deformed import (
    PAGE,
    Deform,
    charset,
    code,
    cut_json,
    long,
    malform,
    short,
    stray,
    switching,
    unreadable,
)
from wire_server import chunked, response

if TYPE_CHECKING:
    from wire_exchange import Exchange

Fault = Callable[["Exchange"], bool]
"""Carries out an exchange; returns whether the connection goes on."""


def plain(exchange: Exchange) -> bool:
    """Answer as one should."""
    if not exchange.receive():
        return False
    answer = exchange.work()
    exchange.send(_framed(exchange.rng, answer.status, answer.body))
    return True


def _framed(rng: random.Random, status: int, body: object, *headers: str) -> bytes:
    """Return a response in one of the forms that HTTP does not distinguish."""
    form = rng.choice(("length", "length", "length", "chunks", "gzip", "deflate", "spaced"))
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = (*headers, *_limits(rng))
    if form == "chunks":
        return chunked(status, content, *headers, size=rng.choice((1, 7, 100, 10_000)))
    if form == "gzip":
        content, headers = gzip.compress(content), (*headers, "Content-Encoding: gzip")
    elif form == "deflate":
        content, headers = zlib.compress(content), (*headers, "content-encoding: deflate")
    elif form == "spaced":
        content = b" \r\n" + content + b"\n "
    if not any(one.lower().startswith("content-type") for one in headers):
        kind = rng.choice(("Type: application/json", "Type: application/json;charset=utf-8"))
        headers = (*headers, f"Content-{kind}")
    return response(status, content, *headers)


_NUMBERS = ("100", "110", "1", "0", "-1", "1e9", "nan", "", " 50 ", "10000", "86400000", "9" * 400)


def _limits(rng: random.Random) -> list[str]:
    """Return what a response says of the limits of its account, which can be anything."""
    if rng.random() < 0.8:
        return []
    names = ("Max", "Remaining", "Interval-Milliseconds", "Daily", "Daily-Remaining")
    return [f"X-HubSpot-RateLimit-{name}: {rng.choice(_NUMBERS)}" for name in names]


_AFTER = ("0", "1", "3", "3600", "soon", "-1", "1e9", "9" * 400, "Wed, 21 Oct 2099 07:28:00 GMT")


# ---------------------------------------------------------------- good responses in odd forms


def _in_pieces(exchange: Exchange) -> bool:
    if not exchange.receive():
        return False
    answer = exchange.work()
    said = response(answer.status, answer.body)
    size = exchange.rng.choice((1, 3, 50))
    first = exchange.rng.randrange(60)
    slow = range(first, first + 10 * size, size)
    exchange.send(said[:first])
    for start in slow:
        exchange.send(said[start : start + size])
        exchange.wait(0.0005)
    exchange.send(said[slow.stop :])
    return True


def _interim(exchange: Exchange) -> bool:
    if not exchange.receive():
        return False
    answer = exchange.work()
    interims = (
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n",
        b"HTTP/1.1 199 X\r\nRetry-After: 5\r\n\r\n",
    )
    for _ in range(exchange.rng.randrange(1, 5)):
        exchange.send(exchange.rng.choice(interims))
    exchange.send(_framed(exchange.rng, answer.status, answer.body))
    return True


def _closing(exchange: Exchange) -> bool:
    """Say that the connection ends, and end it."""
    if not exchange.receive():
        return False
    answer = exchange.work()
    exchange.send(_framed(exchange.rng, answer.status, answer.body, "Connection: close"))
    return False


def _until_the_end(exchange: Exchange) -> bool:
    """The form of HTTP/1.0: the end of the connection is that of the body."""
    if not exchange.receive():
        return False
    answer = exchange.work()
    version = exchange.rng.choice(("1.0", "1.1"))
    content = json.dumps(answer.body).encode()
    exchange.send(f"HTTP/{version} {answer.status} X\r\n\r\n".encode(), content)
    return False


def _trailed(exchange: Exchange) -> bool:
    """Chunks with extensions, and lines behind the last one."""
    if not exchange.receive():
        return False
    answer = exchange.work()
    said = chunked(answer.status, answer.body)
    said = said.replace(b"\r\n\r\n", b"\r\n\r\n", 1)[:-5] + b"0;a=b\r\nX-Trailer: 5\r\n\r\n"
    exchange.send(said)
    return True


def _unannounced(exchange: Exchange) -> bool:
    """End the connection behind a response, without a word; a request may be on its way."""
    if not exchange.receive():
        return False
    answer = exchange.work()
    exchange.send(_framed(exchange.rng, answer.status, answer.body))
    exchange.end(exchange.rng.choice(("close", "reset", "half-close")))
    return False


# ---------------------------------------------------------------- breaks


def _breaking(where: str, how: str) -> Fault:
    """Return a fault that ends the connection somewhere, in some way."""

    def fault(exchange: Exchange) -> bool:
        if where in ("before the request", "in its headers", "in its body"):
            exchange.receive_part(where)
            exchange.end(how)
            return False
        if not exchange.receive():
            return False
        exchange.give("lost")
        if where == "before the work":
            if exchange.rng.random() < 0.5:
                exchange.work_later()
            exchange.end(how)
            return False
        answer = exchange.work()
        exchange.give("lost")
        said = response(answer.status, answer.body)
        if exchange.rng.random() < 0.3:
            said = chunked(answer.status, answer.body, size=50)
        head = said.index(b"\r\n\r\n") + 4
        sections = {
            "after the work": (0, 1),
            "in the status line": (1, said.index(b"\r\n") + 1),
            "in the headers": (said.index(b"\r\n") + 2, head),
            "in the response": (head, len(said)),
        }
        cut = exchange.rng.randrange(*sections[where])
        if how == "drip":
            exchange.drip(said, cut)
        else:
            exchange.send(said[:cut])
            exchange.end(how)
        return False

    return fault


REQUEST_PARTS = ("before the request", "in its headers", "in its body")
RESPONSE_PARTS = (
    *("before the work", "after the work", "in the status line", "in the headers"),
    "in the response",
)
QUICK_ENDS = ("close", "reset", "half-close")
SLOW_ENDS = ("silence", "drip")


# ---------------------------------------------------------------- statuses

NOT_DONE = (
    *(429, 429, 429, 423, 477, 400, 409, 403, 404, 405, 413, 414, 301, 302, 307, 308, 422),
    *(501, 505, 522, 525, 526, 530, 401, 408, 304, 304),
)
DOUBTFUL = (500, 502, 503, 504, 520, 521, 523, 524, 303, 527, 599, 600, 999)


def _refusing(exchange: Exchange) -> bool:
    """Refuse the request in one of many ways; nothing of it is done."""
    status = exchange.rng.choice(NOT_DONE)
    early = exchange.rng.random() < 0.2
    if early:
        exchange.receive_part("in its body")
    elif not exchange.receive():
        return False
    exchange.give("refused", "refused again")
    if status in (400, 409):
        exchange.give("refused together")
    if status == 408:  # on a connection that has been used, it says nothing of this request
        exchange.give("lost")
    exchange.may_end(status)
    headers: list[str] = []
    if exchange.rng.random() < 0.4:
        headers.append(f"Retry-After: {exchange.rng.choice(_AFTER)}")
    body: Any = {"status": "error", "message": "no", "correlationId": "c", "category": "REFUSED"}
    if status == 429:
        body["policyName"] = exchange.rng.choice(("SECONDLY", "TEN_SECONDLY_ROLLING", "DAILY", 5))
    if exchange.rng.random() < 0.3:
        body, headers = PAGE, [*headers, "Content-Type: text/html; charset=UTF-8"]
    exchange.send(_framed(exchange.rng, status, body, *headers))
    if early:
        exchange.end("close")
    return not early and status != 408


def _doubting(exchange: Exchange) -> bool:
    """Answer with a status that leaves it open whether the work was done."""
    if not exchange.receive():
        return False
    if exchange.rng.random() < 0.6:
        exchange.work()
    elif exchange.rng.random() < 0.3:
        exchange.work_later()
    exchange.give("ambiguous")
    body: Any = PAGE if exchange.rng.random() < 0.7 else {"message": "internal error"}
    kind = "text/html" if body is PAGE else "application/json"
    status = exchange.rng.choice(DOUBTFUL)
    exchange.may_end(status)
    exchange.send(_framed(exchange.rng, status, body, f"Content-Type: {kind}"))
    return True


# ---------------------------------------------------------------- deformed responses


def _deformed(deform: Deform, *, goes_on: bool) -> Fault:
    """Return a fault that does the work, and answers with bytes that are not quite right."""

    def fault(exchange: Exchange) -> bool:
        if not exchange.receive():
            return False
        answer = exchange.work()
        exchange.give("lost", "unreadable")
        exchange.may_end(200)
        content = json.dumps(answer.body).encode()
        exchange.send(deform(exchange.rng, answer.status, content))
        if goes_on:
            return True
        exchange.end(exchange.rng.choice(QUICK_ENDS))
        return False

    return fault


def _echoing(exchange: Exchange) -> bool:
    """Repeat the header with the token, in words or in a response that cannot be read."""
    if not exchange.receive():
        return False
    exchange.work()
    exchange.give("lost", "unreadable", "ambiguous")
    line = exchange.token_line
    said: tuple[bytes, ...] = (
        line + b"\r\n\r\n",
        b"HTTP/1.1 201 " + line + b"\r\nA B\r\n\r\n",
        b"HTTP/1.1 400 Bad Request\r\nYou sent " + line + b"\r\n\r\n",
        b"HTTP/1.1 400 Bad Request\r\n " + line + b"\r\n\r\n",
        b"HTTP/1.1 201 X\r\nTransfer-Encoding: chunked\r\n\r\n" + line + b"\r\n",
        b"HTTP/1.1 201 X\r\nTransfer-Encoding: " + line + b"\r\n\r\n",
        b"HTTP/1.1 201 X\r\nContent-Length: " + line + b"\r\n\r\n",
        response(502, b"<h1>You sent " + line + b"</h1>", f"X-Echo: {line.decode()}"),
        response(500, {"message": line.decode(), "context": {"sent": [line.decode()]}}),
        response(502, b"sorry", reason=line.decode()),
    )
    exchange.send(exchange.rng.choice(said))
    exchange.end("close")
    return False


def _reading_slowly(exchange: Exchange) -> bool:
    """Take in the request a few bytes at a time."""
    for _ in range(3):
        exchange.receive_few(exchange.rng.randrange(1, 40))
        exchange.wait(0.001)
    return plain(exchange)


def _hinting(exchange: Exchange) -> bool:
    """Send one interim response after the other, and never the response."""
    if not exchange.receive():
        return False
    exchange.give("lost")
    if exchange.rng.random() < 0.5:
        exchange.work()
    exchange.repeat(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
    return False


# ---------------------------------------------------------------- what was not asked for


def _strayed(exchange: Exchange) -> bool:
    """Send something behind a good response, in the same breath."""
    if not exchange.receive():
        return False
    answer = exchange.work()
    said = response(answer.status, answer.body)
    if exchange.rng.random() < 0.3:
        said = chunked(answer.status, answer.body)
    exchange.send(said, stray(exchange.rng, said))
    return True


FAULTS: dict[str, Fault] = {
    "pieces": _in_pieces,
    "interim": _interim,
    "closing": _closing,
    "until the end": _until_the_end,
    "trailers": _trailed,
    "unannounced end": _unannounced,
    "refused": _refusing,
    "doubtful": _doubting,
    "malformed": _deformed(malform, goes_on=False),
    "too short a length": _deformed(short, goes_on=True),
    "too long a length": _deformed(long, goes_on=False),
    "coded": _deformed(code, goes_on=True),
    "charset": _deformed(charset, goes_on=True),
    "unreadable": _deformed(unreadable, goes_on=True),
    "cut JSON": _deformed(cut_json, goes_on=True),
    "switching": _deformed(switching, goes_on=False),
    "stray": _strayed,
    "echo": _echoing,
    "slow reading": _reading_slowly,
    **{
        f"{how} {where}": _breaking(where, how)
        for where in (*REQUEST_PARTS, *RESPONSE_PARTS)
        for how in QUICK_ENDS
    },
}
SLOW_FAULTS: dict[str, Fault] = {
    f"{how} {where}": _breaking(where, how)
    for where in (*REQUEST_PARTS, *RESPONSE_PARTS)
    for how in SLOW_ENDS
    if how == "silence" or where in RESPONSE_PARTS[1:]
} | {"hints": _hinting}
