"""A stateful stand-in for HubSpot's batch operations, to develop and to test against.

One core without I/O (`Sandbox`) is mounted as an httpx transport (`SandboxTransport`) or served
over HTTP (`app`, `serve`, `served`; these need the extra `[sandbox]` to listen on a port). What
it can do wrong on demand is a table, `FAULTS`. It never talks to HubSpot.
"""

from .asgi import app
from .clock import FakeClock
from .core import RequestEntry, Sandbox, add_examples
from .fault_plans import Rates, Script, rates, script
from .faults import FAULTS, Fault
from .messages import SandboxAnswer, SandboxRequest
from .server import ServeError, live_sandbox, serve, served
from .store import Record
from .transport import SandboxTransport

__all__ = [
    "FAULTS",
    "FakeClock",
    "Fault",
    "Rates",
    "Record",
    "RequestEntry",
    "Sandbox",
    "SandboxAnswer",
    "SandboxRequest",
    "SandboxTransport",
    "Script",
    "ServeError",
    "add_examples",
    "app",
    "live_sandbox",
    "rates",
    "script",
    "serve",
    "served",
]
