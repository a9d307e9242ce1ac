"""The sandbox as an httpx transport, for tests without a socket.

The module decides which httpx exception a lost connection raises. A delay longer than the read
timeout is a lost connection, too. Only the `sleep` that it is given waits.
"""

import inspect
from collections.abc import Awaitable, Callable
from email.utils import formatdate

import httpx

from .clock import FakeClock
from .core import Sandbox
from .messages import SandboxRequest, SandboxResponse

_LOSSES: dict[str, tuple[type[httpx.TransportError], str]] = {
    "refused": (httpx.ConnectError, "Connection refused"),
    "reset": (httpx.ReadError, "Connection reset by peer"),
    "closed": (httpx.RemoteProtocolError, "Server disconnected without sending a response."),
    "timeout": (httpx.ReadTimeout, "The read operation timed out"),
}


class SandboxTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Send the requests of an `httpx.Client` or an `httpx.AsyncClient` to a sandbox.

    `sleep` gets the seconds by which a response is delayed. For the asynchronous client it may
    return an awaitable. Without it, a delay advances the sandbox's clock if that is a `FakeClock`,
    and is skipped otherwise.

    Attributes:
        connectionless: True: a client may use it in several processes and event loops.
    """

    connectionless = True

    def __init__(
        self, sandbox: Sandbox, *, sleep: Callable[[float], Awaitable[None] | None] | None = None
    ) -> None:
        self.sandbox = sandbox
        clock = sandbox.clock
        self._sleep = sleep or (clock.advance if isinstance(clock, FakeClock) else _skip)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response, or raise the `httpx.TransportError` of a real connection."""
        request.read()
        seconds, outcome = self._process(request)
        if seconds:
            self._sleep(seconds)
        return _return_or_raise(outcome)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Do the same as `handle_request`, for an asynchronous client."""
        await request.aread()
        seconds, outcome = self._process(request)
        if seconds and inspect.isawaitable(waiting := self._sleep(seconds)):
            await waiting
        return _return_or_raise(outcome)

    def _process(
        self, request: httpx.Request
    ) -> tuple[float, httpx.Response | httpx.TransportError]:
        """Return the seconds to wait, and the response or the error that follows."""
        answer = self.sandbox.handle(
            SandboxRequest(
                method=request.method,
                path=request.url.raw_path.partition(b"?")[0].decode("ascii"),
                query=tuple(request.url.params.multi_items()),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=request.content,
            )
        )
        read_timeout = request.extensions.get("timeout", {}).get("read")
        loss, seconds = answer.loss, answer.delay
        too_late = loss is None and read_timeout is not None and seconds > read_timeout
        if loss == "timeout" or too_late:
            loss, seconds = "timeout", read_timeout or 0.0
        return seconds, self._response(answer, request) if loss is None else _error(loss, request)

    def _response(self, answer: SandboxResponse, request: httpx.Request) -> httpx.Response:
        # A server on a socket sends the time, too.
        date = formatdate(self.sandbox.clock(), usegmt=True)
        headers = {"Date": date, **answer.headers}
        return httpx.Response(answer.status, headers=headers, content=answer.body, request=request)


def _error(loss: str, request: httpx.Request) -> httpx.TransportError:
    kind, message = _LOSSES[loss]
    return kind(message, request=request)


def _return_or_raise(outcome: httpx.Response | httpx.TransportError) -> httpx.Response:
    if isinstance(outcome, httpx.TransportError):
        raise outcome
    return outcome


def _skip(_: float) -> None:
    """Do not wait."""
