"""Fixtures for the tests of people who use this package; pytest finds them by itself.

They decide that a sandbox in a test never limits requests by time and that no test waits. A test
that wants limits, faults or a token makes its own `Sandbox`. The sandbox is imported when a test
asks for it, since pytest loads this module in every run, wanted or not.
"""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from hubspot_batch.sandbox import Sandbox, SandboxTransport


@pytest.fixture
def hubspot_sandbox() -> "Sandbox":
    """Give a fresh, empty sandbox with a clock that stands still and no rolling request limit.

    Its clock stands still while the client's own runs, so a rolling window would never open.
    """
    from hubspot_batch.sandbox import Sandbox  # noqa: PLC0415

    return Sandbox(rate_limit=None)


@pytest.fixture
def hubspot_sandbox_transport(hubspot_sandbox: "Sandbox") -> "SandboxTransport":
    """Give a transport, for synchronous and asynchronous clients, to the test's sandbox."""
    from hubspot_batch.sandbox import SandboxTransport  # noqa: PLC0415

    return SandboxTransport(hubspot_sandbox)
