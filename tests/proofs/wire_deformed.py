"""Responses that are not quite right, as bytes.

It decides in which ways a response can be deformed, and what can arrive that was not asked for.
None of them says anything false in a form that HTTP allows.
"""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Callable, Mapping

from wire_server import chunked, response

PAGE = b"<html><head><title>An edge</title></head><body><h1>Sorry</h1></body></html>"

Deform = Callable[[random.Random, int, bytes], bytes]
"""Makes a response of a status and a body."""


def _lines(*lines: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join([*lines, b"", body])


def _length(value: bytes) -> bytes:
    return b"Content-Length: " + value


def _with_length(status: int, body: bytes, length: object) -> bytes:
    return _lines(b"HTTP/1.1 %d X" % status, _length(str(length).encode()), body=body)


_MALFORMED: tuple[Callable[[int, bytes], bytes], ...] = (
    lambda status, body: _lines(b"HTTP/9.9 %d X" % status, _length(b"%d" % len(body)), body=body),
    lambda status, body: _lines(b"HTTP/2 %d" % status, b"", body=body),
    lambda status, body: _lines(b"HTTP/1.1 2x1 X", body=body),
    lambda status, body: _lines(b"%d Created" % status, body=body),
    lambda status, body: _lines(b"HTTP/1.1 %d X" % status, b"no colon", body=body),
    lambda status, body: _lines(b"HTTP/1.1 %d X" % status, b" folded: first", body=body),
    lambda status, body: _lines(b"HTTP/1.1 %d X" % status, b"A: \x00\x01", body=body),
    lambda status, body: _lines(b"HTTP/1.1 %d X" % status, b"A: " + b"x" * 120_000, body=body),
    lambda status, body: _with_length(status, body, -1),
    lambda status, body: _with_length(status, body, "many"),
    lambda status, body: _with_length(status, body, f"{len(body)}, {len(body) + 1}"),
    lambda status, body: _lines(
        b"HTTP/1.1 %d X" % status, _length(b"3"), _length(b"%d" % len(body)), body=body
    ),
    lambda status, body: _lines(
        b"HTTP/1.1 %d X" % status, b"Transfer-Encoding: gzip, chunked", body=body
    ),
    lambda status, body: chunked(status, body, f"Content-Length: {len(body) // 2}"),
    lambda status, body: chunked(status, body)[:-5] + b"-1\r\n\r\n",
    lambda status, body: chunked(status, body).replace(b"\r\n\r\n", b"\r\n\r\nzz\r\n", 1),
    lambda status, body: chunked(status, body, size=20, ends=False),
    lambda status, body: chunked(status, body, size=20)[:-20],
    lambda status, body: chunked(status, body) + chunked(status, body)[5:],
    lambda status, body: b"\r\n\r\n" + _with_length(status, body, len(body)),
    lambda status, body: body,
    lambda status, body: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    lambda status, body: PAGE,
    lambda status, body: _with_length(status, body, len(body)).replace(b"\r\n", b"\n"),
)


def malform(rng: random.Random, status: int, body: bytes) -> bytes:
    """Break the rules of HTTP/1.1."""
    return rng.choice(_MALFORMED)(status, body)


def short(rng: random.Random, status: int, body: bytes) -> bytes:
    """State a length that is too short."""
    return response(status, body, length=rng.choice((0, 1, len(body) // 2, len(body) - 1)))


def long(rng: random.Random, status: int, body: bytes) -> bytes:
    """State a length that is too long."""
    return response(status, body, length=len(body) + rng.choice((1, 10, 10**6, 10**12)))


_CODED: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": lambda body: body,
    "gzip ": lambda body: gzip.compress(body)[:-9],
    "gzip  ": lambda body: gzip.compress(body)[:-4] + b"\0\0\0\0",
    "gzip, gzip": lambda body: gzip.compress(gzip.compress(body)),
    "deflate": lambda body: zlib.compress(body)[2:-4],
    "deflate ": lambda body: zlib.compress(body)[:-6],
    "br": lambda body: b"\x8b\x02\x80" + body,
    "zstd": lambda body: b"\x28\xb5\x2f\xfd" + body,
    "utf-8": lambda body: body,
    "identity": lambda body: body,
    "": lambda body: body,
}


def code(rng: random.Random, status: int, body: bytes) -> bytes:
    """Code the body in a way, or say so."""
    name = rng.choice([*_CODED])
    return response(status, _CODED[name](body), f"Content-Encoding: {name.strip()}")


_CHARSETS: tuple[tuple[str, Callable[[bytes], bytes]], ...] = (
    ("utf-16", lambda body: body.decode().encode("utf-16")),
    ("utf-16le", lambda body: body.decode().encode("utf-16-le")),
    ("utf-8", lambda body: b"\xef\xbb\xbf" + body),
    ("latin-1", lambda body: body),
    ("no-such-charset", lambda body: body),
    ("cp037", lambda body: body.decode().encode("cp037")),
    ("rot13", lambda body: body),
    ("utf-8", lambda body: body[:20] + b"\xff\xfe" + body[20:]),
)


def charset(rng: random.Random, status: int, body: bytes) -> bytes:
    """Write the body in a character set, or say so."""
    name, write = rng.choice(_CHARSETS)
    return response(status, write(body), f"Content-Type: application/json; charset={name}")


_UNREADABLE = (b"", b"null", b"[]", b"5", b'"done"', b"{", b"{}", b"NaN", b'{"results": 5}', PAGE)


def unreadable(rng: random.Random, status: int, _: bytes) -> bytes:
    """Answer with a success that says nothing of the inputs."""
    body = rng.choice(_UNREADABLE)
    status = rng.choice((status, 200, 201, 202, 204, 205, 206, 226, 299))
    kind = rng.choice(("text/html", "application/json", "application/octet-stream"))
    return response(status, body, f"Content-Type: {kind}")


def cut_json(rng: random.Random, status: int, body: bytes) -> bytes:
    """Let the end of the body be missing, and the length be right."""
    return response(status, body[: rng.randrange(len(body))])


def switching(rng: random.Random, status: int, body: bytes) -> bytes:
    """Switch to a protocol that was not asked for."""
    return _lines(b"HTTP/1.1 101 Switching Protocols", b"Upgrade: x", b"Connection: upgrade")


_STRAYS: tuple[Callable[[bytes], bytes], ...] = (
    lambda _: response(408),
    lambda _: response(408, PAGE, "Connection: close"),
    lambda _: response(429, {"policyName": "SECONDLY"}),
    lambda _: response(429, {"policyName": "DAILY"}),
    lambda _: response(400, {"message": "no", "category": "VALIDATION_ERROR"}),
    lambda _: response(401, {"message": "no"}),
    lambda said: said,
    lambda said: said[: len(said) // 2],
    lambda _: b"H",
    lambda _: b"\r\n",
    lambda _: b"HTTP/1.1 103 Early Hints\r\n\r\n",
    lambda _: response(201, {"status": "COMPLETE", "results": []}),
    lambda _: chunked(201, {"status": "COMPLETE", "results": []}),
)


def stray(rng: random.Random, said: bytes = b"") -> bytes:
    """Return what arrives without having been asked for."""
    return rng.choice(_STRAYS)(said or response(201, {"status": "COMPLETE", "results": []}))
