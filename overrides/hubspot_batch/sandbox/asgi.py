"""The sandbox as an ASGI application.

The module decides how an ASGI request becomes a sandbox request, and how a connection is lost. It
works without a server; `server` runs it on uvicorn.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl

from .core import Sandbox
from .messages import Loss, SandboxRequest, SandboxResponse

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

DROP = "hubspot_batch.drop"
"""The ASGI extension by which the application drops a connection; `server` provides it.

`scope["extensions"][DROP](reset)` closes the socket without a response. If `reset` is true, the
client gets a connection reset. ASGI itself has no way to drop a connection.
"""


def app(
    sandbox: Sandbox, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> Application:
    """Make an ASGI application that sends its requests to `sandbox`.

    On a server without the `DROP` extension a lost connection raises a RuntimeError, and the client
    gets a 500.
    """

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"the sandbox answers http, not {scope['type']}")
        body = await _read_body(receive)
        if body is None:
            return
        response = sandbox.handle(
            SandboxRequest(
                method=scope["method"],
                # Not decoded yet, so that a quoted slash is no slash.
                path=scope.get("raw_path", scope["path"].encode()).decode("latin-1"),
                query=tuple(
                    parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
                ),
                headers={
                    name.decode("latin-1").lower(): value.decode("latin-1")
                    for name, value in scope["headers"]
                },
                body=body,
                client=(scope.get("client") or ("",))[0],
            )
        )
        if response.delay:
            await sleep(response.delay)
        if response.loss:
            await _lose_connection(response.loss, scope, receive)
        else:
            await _send_response(response, sandbox.clock(), send)

    return application


async def _read_body(receive: Receive) -> bytes | None:
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def _lose_connection(loss: Loss, scope: Scope, receive: Receive) -> None:
    if loss != "timeout":
        drop = scope.get("extensions", {}).get(DROP)
        if drop is None:
            raise RuntimeError(
                "this server cannot cut a connection; use hubspot_batch.sandbox.serve"
            )
        # The server has accepted the connection already, so `refused` becomes a reset.
        drop(loss != "closed")
    # An earlier return would make the server send a 500. So wait until the client disconnects.
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_response(response: SandboxResponse, now: float, send: Send) -> None:
    # Records have times of the sandbox's clock, so its responses have them too.
    date = formatdate(now, usegmt=True)
    length = str(len(response.body))
    headers = {"Date": date, **response.headers, "Content-Length": length}
    await send(
        {
            "type": "http.response.start",
            "status": response.status,
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": response.body})
