"""Servers on loopback that do what no proper server does: say nothing, or what they were told.

This module decides how bytes are exchanged. It never decides what an answer means.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO


def read_head(stream: BinaryIO) -> dict[bytes, bytes]:
    """The headers of a request, with small names; none at the end of the connection."""
    headers: dict[bytes, bytes] = {}
    while line := stream.readline().rstrip():
        name, _, value = line.partition(b": ")
        headers[name.lower()] = value
    return headers


@contextmanager
def answering(answer: Callable[[bytes], bytes] | None) -> Iterator[str]:
    """Listen on loopback, and answer each request with bytes made of the token that it carried.

    None: read nothing, say nothing. Gives the address, without the scheme.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        if answer is None:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        open_ones: list[socket.socket] = []

        def speak(one: socket.socket) -> None:
            with one, one.makefile("rb") as stream, suppress(OSError):
                while head := read_head(stream):
                    stream.read(int(head[b"content-length"]))
                    assert answer
                    said = answer(head[b"authorization"].removeprefix(b"Bearer "))
                    one.sendall(said)
                    if said and b"\n" not in said:
                        return  # a client would wait for the rest of the line

        def accept() -> None:
            while True:
                try:
                    one, _ = listening.accept()
                except OSError:
                    return
                open_ones.append(one)
                if answer is not None:
                    threading.Thread(target=speak, args=(one,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{listening.getsockname()[1]}"
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()
            for one in open_ones:
                one.close()


def http(status: bytes, body: bytes, *headers: bytes) -> bytes:
    """An answer as it goes over the wire."""
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join([*lines, b"", body])
