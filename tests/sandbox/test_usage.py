"""How clients used the rate limit, counted over all of them."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

import httpx
import pytest
from hubspot_batch.sandbox import FakeClock, Sandbox, SandboxRequest, rates, script
from hubspot_batch.sandbox.usage import Arrival, usage_of, worst_window
from hubspot_batch_client.contract import OPERATIONS
from hypothesis import given
from hypothesis import strategies as st

READ = OPERATIONS["read_campaigns"]
SEARCH = OPERATIONS["create_calls"].path.replace("/batch/create", "/search")


def ask(sandbox: Sandbox, client: str = "", token: str = "t", path: str = READ.path) -> None:
    sandbox.handle(
        SandboxRequest("POST", path, (), {"authorization": f"Bearer {token}"}, b"{}", client)
    )


@given(st.lists(st.floats(0, 3), max_size=30), st.floats(0.5, 5))
def test_the_worst_window(pauses: list[float], seconds: float) -> None:
    """No window holds more, and one holds as many."""
    now, arrivals = 0.0, list[Arrival]()
    for pause in pauses:
        now += pause
        arrivals.append(Arrival(now, "", False))
    counts = [
        sum(0 <= other.at - one.at < seconds for other in arrivals[number:])
        for number, one in enumerate(arrivals)
    ]
    assert worst_window(arrivals, seconds) == max(counts, default=0)


def test_clients_and_tokens_are_counted_apart() -> None:
    """All clients of a token together, and each of them; another token is another app."""
    clock = FakeClock()
    sandbox = Sandbox(clock=clock, rate_limit=(4, 10.0))
    for client in ("127.0.0.1", "127.0.0.2", "127.0.0.1", "127.0.0.1", "127.0.0.2"):
        ask(sandbox, client)
        clock.advance(1)
    ask(sandbox, "127.0.0.3", "another")
    one, other = sandbox.usage()
    assert (one.requests, one.refused, one.worst, one.seconds) == (5, 1, 5, 4.0)
    assert [(c.client, c.requests, c.refused, c.worst) for c in one.clients] == [
        ("127.0.0.1", 3, 0, 3),
        ("127.0.0.2", 2, 1, 2),
    ]
    assert other.requests == 1
    assert one.used is None
    assert "t" not in {entry.app for entry in sandbox.requests}


def test_the_share_used_is_that_after_the_first_window() -> None:
    """Refused requests use nothing."""
    arrivals = [Arrival(float(at), "", at == 15) for at in range(21)]
    assert usage_of(arrivals, (20, 10.0)).used == 10 / 20


def test_requests_that_do_not_count_are_left_out() -> None:
    """Those without access, a search, an unknown path, and one that never arrived."""
    sandbox = Sandbox(token="t", faults=script(["connect_error"]))
    for token, path in (("t", READ.path), ("wrong", READ.path), ("t", SEARCH), ("t", "/nowhere")):
        ask(sandbox, "", token, path)
    assert sandbox.usage() == ()
    ask(sandbox)
    assert [one.requests for one in sandbox.usage()] == [1]
    assert Sandbox(rate_limit=None).usage() == ()


def test_planned_429s_are_told() -> None:
    """They are refused requests, whatever the window says."""
    sandbox = Sandbox(faults=rates({"rate_limited": 1.0}))
    ask(sandbox)
    assert [one.refused for one in sandbox.usage()] == [1]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_a_report_at_its_end(how: signal.Signals) -> None:
    """With each client address, however it is ended."""
    command = [sys.executable, "-m", "hubspot_batch", "sandbox", "--port=0", "--report"]
    process = subprocess.Popen(
        [*command, "--rate-limit", "2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    for address in ("127.0.0.1", "127.0.0.2", "127.0.0.2"):
        with httpx.Client(transport=httpx.HTTPTransport(local_address=address)) as client:
            client.post(url + READ.path, json={}, headers={"Authorization": "Bearer t"})
    process.send_signal(how)
    said, problem = process.communicate(timeout=20)
    assert (process.returncode, problem) == (0, "")
    assert re.search(
        r"token 1: 3 requests in .* 1 refused \(429\), worst window 3 of 2 in 10 s", said
    )
    assert "  127.0.0.1: 1 requests (33.3%), 0 refused, worst window 1\n" in said
    assert "  127.0.0.2: 2 requests (66.7%), 1 refused, worst window 2\n" in said
