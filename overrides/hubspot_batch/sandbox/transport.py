"""The sandbox as an httpx transport, for tests without a socket.

It decides which httpx exception stands for which loss, and that a delay longer than the read
time-out is one. It never waits by itself: it hands the seconds to `sleep`.
"""

import inspect
from collections.abc import Awaitable, Callable

import httpx

from .clock import FakeClock
from .core import Sandbox
from .messages import SandboxAnswer, SandboxRequest

_LOSSES: dict[str, tuple[type[httpx.TransportError], str]] = {
    "refused": (httpx.ConnectError, "Connection refused"),
    "reset": (httpx.ReadError, "Connection reset by peer"),
    "closed": (httpx.RemoteProtocolError, "Server disconnected without sending a response."),
    "timeout": (httpx.ReadTimeout, "The read operation timed out"),
}


class SandboxTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answer the requests of `httpx.Client` and `httpx.AsyncClient` out of a sandbox.

    `sleep` takes the seconds that an answer is delayed and may return an awaitable for the
    asynchronous client. Without it nobody waits: a sandbox with a `FakeClock` has it advanced,
    with any other clock the delay is passed over.
    """

    def __init__(
        self, sandbox: Sandbox, *, sleep: Callable[[float], Awaitable[None] | None] | None = None
    ) -> None:
        self.sandbox = sandbox
        clock = sandbox.clock
        self._sleep = sleep or (clock.advance if isinstance(clock, FakeClock) else _pass_over)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, or raise the `httpx.TransportError` that a real connection would raise."""
        request.read()
        seconds, outcome = self._settle(request)
        if seconds:
            self._sleep(seconds)
        return _given(outcome)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Do the same for an asynchronous client."""
        await request.aread()
        seconds, outcome = self._settle(request)
        if seconds and inspect.isawaitable(waiting := self._sleep(seconds)):
            await waiting
        return _given(outcome)

    def _settle(
        self, request: httpx.Request
    ) -> tuple[float, httpx.Response | httpx.TransportError]:
        answer = self.sandbox.handle(
            SandboxRequest(
                method=request.method,
                path=request.url.path,
                query=tuple(request.url.params.multi_items()),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=request.content,
            )
        )
        patience = request.extensions.get("timeout", {}).get("read")
        loss, seconds = answer.loss, answer.delay
        if loss == "timeout" or (loss is None and patience is not None and seconds > patience):
            loss, seconds = "timeout", patience or 0.0
        return seconds, _response(answer, request) if loss is None else _error(loss, request)


def _response(answer: SandboxAnswer, request: httpx.Request) -> httpx.Response:
    return httpx.Response(
        answer.status, headers=dict(answer.headers), content=answer.body, request=request
    )


def _error(loss: str, request: httpx.Request) -> httpx.TransportError:
    kind, message = _LOSSES[loss]
    return kind(message, request=request)


def _given(outcome: httpx.Response | httpx.TransportError) -> httpx.Response:
    if isinstance(outcome, httpx.TransportError):
        raise outcome
    return outcome


def _pass_over(_: float) -> None:
    """Let the time of a delay go by unnoticed."""
