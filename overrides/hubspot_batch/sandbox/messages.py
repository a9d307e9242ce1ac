"""A request to the sandbox and its response, independent of any HTTP library."""

import json
from collections.abc import Mapping
from typing import Any, Literal

from attrs import evolve, field, frozen

CORRELATION_ID = "X-HubSpot-Correlation-Id"

Loss = Literal["refused", "reset", "closed", "timeout"]
"""How a connection fails, so that the client gets no response.

- `refused`: the connection is not established, so no request is sent;
- `reset`: the connection is reset after the request was sent;
- `closed`: the server closes the connection without a response;
- `timeout`: the server sends nothing until the client gives up.
"""


@frozen
class SandboxRequest:
    """One HTTP request: header names in lower case, query parameters in their order.

    `client` is the address that it comes from; empty if it came through no socket.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(factory=dict[str, str], repr=False)  # holds the token
    body: bytes = field(default=b"", repr=False)
    client: str = ""


@frozen
class SandboxResponse:
    """One HTTP response: it takes `delay` seconds, or the client gets only the `loss`."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    delay: float = 0.0
    loss: Loss | None = None

    @property
    def correlation_id(self) -> str:
        """The id of the request, from the header that every response has."""
        return self.headers[CORRELATION_ID]

    def document(self) -> Any:
        """Parse the body as JSON; ValueError if it is not JSON."""
        return json.loads(self.body)

    def with_json(self, document: object, status: int | None = None) -> "SandboxResponse":
        """Return a copy with this JSON body, and with another status if one is given."""
        headers = {**self.headers, "Content-Type": "application/json;charset=utf-8"}
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        return evolve(
            self,
            status=self.status if status is None else status,
            headers=headers,
            body=text.encode(errors="replace"),
        )

    def with_html(self, status: int, text: str) -> "SandboxResponse":
        """Return a copy with an HTML page, as HubSpot's edge sends it: no rate-limit headers."""
        headers = {CORRELATION_ID: self.correlation_id, "Content-Type": "text/html; charset=UTF-8"}
        return evolve(self, status=status, headers=headers, body=text.encode())


def add_headers(response: SandboxResponse, headers: Mapping[str, str]) -> SandboxResponse:
    """Return a copy of a response with these headers in addition to its own."""
    return evolve(response, headers={**response.headers, **headers})
