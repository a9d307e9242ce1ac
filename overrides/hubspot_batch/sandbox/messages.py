"""What goes into the sandbox and what comes out, free of any HTTP library.

It decides the shape of a request and of an answer. It never sends, waits or parses.
"""

import json
from collections.abc import Mapping
from typing import Any, Literal

from attrs import evolve, field, frozen

CORRELATION = "X-HubSpot-Correlation-Id"

Loss = Literal["refused", "reset", "closed", "timeout"]
"""How the connection fails, so that no answer arrives.

- `refused`: it never comes about, so nothing was sent;
- `reset`: it is cut after the request went out;
- `closed`: the server hangs up in good order, without a word;
- `timeout`: it stays open and silent until the client gives up.
"""


@frozen
class SandboxRequest:
    """One HTTP request as the core sees it: header names in lower case, query in order."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(factory=dict[str, str], repr=False)  # holds the token
    body: bytes = field(default=b"", repr=False)


@frozen
class SandboxAnswer:
    """One answer; `delay` is in seconds, and `loss` means that the client never sees the rest."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    delay: float = 0.0
    loss: Loss | None = None

    @property
    def correlation_id(self) -> str:
        """The name of the request, as in the header that every answer has."""
        return self.headers[CORRELATION]

    def document(self) -> Any:
        """Parse the body as JSON; ValueError when it is not JSON."""
        return json.loads(self.body)

    def with_json(self, document: object, status: int | None = None) -> "SandboxAnswer":
        """Return a copy with this JSON body, and another status if one is given."""
        headers = {**self.headers, "Content-Type": "application/json;charset=utf-8"}
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        return evolve(
            self,
            status=self.status if status is None else status,
            headers=headers,
            body=text.encode(errors="replace"),
        )

    def with_html(self, status: int, text: str) -> "SandboxAnswer":
        """Return a copy with an HTML page from the edge, which knows nothing of rate limits."""
        headers = {CORRELATION: self.correlation_id, "Content-Type": "text/html; charset=UTF-8"}
        return evolve(self, status=status, headers=headers, body=text.encode())
