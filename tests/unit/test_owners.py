"""The transport that a client makes for its first request."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
from hubspot_batch._transport.owners import ProcessTransport


class Inner(httpx.BaseTransport):
    """Says which transport it is, and notes that it is closed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.closed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text=self.name)

    def close(self) -> None:
        self.closed = True


def test_threads_that_send_first_at_the_same_time_share_one_transport() -> None:
    """Each may make one; all send over the same one, which counts the requests of the client."""
    both = threading.Barrier(2)
    made: list[Inner] = []

    def make() -> Inner:
        both.wait(5)
        made.append(Inner(str(len(made))))
        return made[-1]

    client = httpx.Client(transport=ProcessTransport(make))
    with ThreadPoolExecutor(2) as threads:
        names = {*threads.map(lambda _: client.get("http://host").text, range(2))}
    assert len(made) == 2
    assert len(names) == 1


def test_a_transport_that_was_never_used_is_closed() -> None:
    """The caller may have opened something for it."""
    given = Inner("given")
    httpx.Client(transport=ProcessTransport(lambda: given)).close()
    assert given.closed
