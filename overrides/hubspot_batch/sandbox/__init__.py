"""A stateful stand-in for HubSpot's batch operations, for development and tests.

It decides how HubSpot would respond to a batch request, and which planned fault goes wrong.
In: HTTP requests, from httpx (`SandboxTransport`) or from a socket (`app`, `serve`, `served`).
Out: HTTP responses, or lost connections; the records and a log of requests stay in the `Sandbox`.
"""

from .asgi import app
from .clock import FakeClock
from .core import RequestEntry, Sandbox, add_examples
from .fault_plans import Rates, Script, rates, script
from .faults import FAULTS, LATE, Fault
from .messages import SandboxRequest, SandboxResponse
from .server import ServeError, live_sandbox, serve, served
from .store import Record
from .transport import SandboxTransport
from .usage import ClientUsage, TokenUsage

__all__ = [
    "FAULTS",
    "LATE",
    "ClientUsage",
    "FakeClock",
    "Fault",
    "Rates",
    "Record",
    "RequestEntry",
    "Sandbox",
    "SandboxRequest",
    "SandboxResponse",
    "SandboxTransport",
    "Script",
    "ServeError",
    "TokenUsage",
    "add_examples",
    "app",
    "live_sandbox",
    "rates",
    "script",
    "serve",
    "served",
]
