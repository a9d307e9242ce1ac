"""The sandbox as an ASGI application.

It decides how an HTTP request becomes one of the core and how a lost connection is played out.
It imports no server; `server` runs it.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from .core import Sandbox
from .messages import Loss, SandboxAnswer, SandboxRequest

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

DROP = "hubspot_batch.drop"
"""The ASGI extension with which `server` lets the application cut a connection.

`scope["extensions"][DROP](reset)` closes the socket without a word; with `reset` true the client
sees a reset in place of an orderly end. Plain ASGI has no way to say this.
"""


def app(
    sandbox: Sandbox, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> Application:
    """Make an ASGI application that answers out of `sandbox`.

    Under a server that lacks the `DROP` extension a lost connection ends in a RuntimeError, which
    such a server turns into a 500.
    """

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"the sandbox answers http, not {scope['type']}")
        body = await _body(receive)
        if body is None:
            return
        answer = sandbox.handle(
            SandboxRequest(
                method=scope["method"],
                path=scope["path"],
                query=tuple(
                    parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
                ),
                headers={
                    name.decode("latin-1").lower(): value.decode("latin-1")
                    for name, value in scope["headers"]
                },
                body=body,
            )
        )
        if answer.delay:
            await sleep(answer.delay)
        if answer.loss:
            await _lose(answer.loss, scope, receive)
        else:
            await _send(answer, send)

    return application


async def _body(receive: Receive) -> bytes | None:
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def _lose(loss: Loss, scope: Scope, receive: Receive) -> None:
    if loss != "timeout":
        drop = scope.get("extensions", {}).get(DROP)
        if drop is None:
            raise RuntimeError(
                "this server cannot cut a connection; use hubspot_batch.sandbox.serve"
            )
        # A server that has accepted can no longer refuse: `refused` looks like a reset here.
        drop(loss != "closed")
    # Returning sooner would make the server answer 500. A silent one waits for the client.
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(answer: SandboxAnswer, send: Send) -> None:
    headers = {**answer.headers, "Content-Length": str(len(answer.body))}
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": answer.body})
