"""The sandbox as a transport of httpx, in both kinds of client, and the fixtures for users."""

import asyncio
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from hubspot_batch.sandbox import FAULTS, FakeClock, Sandbox, SandboxTransport, add_examples, script
from hubspot_batch.sandbox.core import CAMPAIGN_IDS
from hubspot_batch_client.contract import OPERATIONS

CALL = {"properties": {"hs_timestamp": "1767603600000"}, "associations": []}
Post = Callable[..., httpx.Response]


@pytest.fixture(params=["sync", "async"])
def post(request: pytest.FixtureRequest) -> Post:
    """Send one batch through a client of either kind."""

    def run(
        transport: SandboxTransport, operation: str, inputs: list[Any], **options: Any
    ) -> httpx.Response:
        known = OPERATIONS[operation]
        settings: dict[str, Any] = {
            "transport": transport,
            "base_url": "https://api.example.com",
            "headers": {"Authorization": "Bearer t"},
            "timeout": options.pop("timeout", 5.0),
        }
        arguments: Any = {"url": known.path, "json": {"inputs": inputs}, **options}
        if request.param == "sync":
            with httpx.Client(**settings) as client:
                return client.post(**arguments)

        async def send() -> httpx.Response:
            async with httpx.AsyncClient(**settings) as client:
                return await client.post(**arguments)

        return asyncio.run(send())

    return run


def test_an_answer_goes_through_whole(post: Post) -> None:
    """Status, headers, body and query arrive as they are in the core."""
    sandbox = Sandbox()
    add_examples(sandbox)
    response = post(
        SandboxTransport(sandbox),
        "read_campaigns",
        [{"id": CAMPAIGN_IDS[0]}],
        params={"properties": ["hs_name", "hs_notes"]},
    )
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json;charset=utf-8"
    assert response.headers["x-hubspot-correlation-id"]
    assert response.json()["results"][0]["properties"]["hs_name"] == "Spring launch"


@pytest.mark.parametrize(
    ("loss", "error"),
    [
        ("refused", httpx.ConnectError),
        ("reset", httpx.ReadError),
        ("closed", httpx.RemoteProtocolError),
        ("timeout", httpx.ReadTimeout),
    ],
)
def test_each_loss_is_the_error_of_a_real_connection(
    post: Post, loss: str, error: type[httpx.TransportError]
) -> None:
    """Every fault that loses the connection raises the error of its kind."""
    for fault in FAULTS.values():
        if fault.loss == loss:
            transport = SandboxTransport(Sandbox(faults=script([fault.name])))
            with pytest.raises(error) as caught:
                post(transport, "create_calls", [CALL])
            assert caught.value.request.method == "POST"
            assert type(caught.value) is error


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if not fault.loss])
def test_every_other_fault_is_an_answer(post: Post, name: str) -> None:
    """Statuses that httpx does not know do not break it."""
    response = post(SandboxTransport(Sandbox(faults=script([name]))), "create_calls", [CALL])
    assert 200 <= response.status_code < 600


def test_time_passes_on_the_fake_clock_only(post: Post) -> None:
    """A delay and a time-out advance the clock; the test does not wait."""
    clock = FakeClock()
    transport = SandboxTransport(
        Sandbox(clock=clock, faults=script(["delay", "delay", "timeout_after"]))
    )
    begun = clock()
    assert post(transport, "create_calls", [CALL]).status_code == 201
    assert clock() - begun == 2.0
    with pytest.raises(httpx.ReadTimeout):
        post(transport, "create_calls", [CALL], timeout=0.5)
    assert clock() - begun == 2.5
    with pytest.raises(httpx.ReadTimeout):
        post(transport, "create_calls", [CALL], timeout=None)
    assert clock() - begun == 2.5
    assert len(transport.sandbox.records("calls")) == 3


def test_a_clock_of_another_kind_is_left_alone(post: Post) -> None:
    """Without a fake clock and without a sleep the delay is passed over."""
    transport = SandboxTransport(Sandbox(clock=lambda: 0.0, faults=script(["delay"])))
    assert post(transport, "create_calls", [CALL]).status_code == 201


def test_sleep_is_the_caller_s(post: Post) -> None:
    """A sleep that was handed in gets the seconds."""
    slept: list[float] = []
    transport = SandboxTransport(Sandbox(faults=script(["delay"])), sleep=slept.append)
    assert post(transport, "create_calls", [CALL]).status_code == 201
    assert slept == [2.0]


def test_an_asynchronous_sleep_is_awaited() -> None:
    """A coroutine function serves the asynchronous client."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(0)
        slept.append(seconds)

    async def run() -> None:
        transport = SandboxTransport(Sandbox(faults=script(["delay"])), sleep=sleep)
        async with httpx.AsyncClient(transport=transport) as client:
            url = f"https://x{OPERATIONS['create_calls'].path}"
            await client.post(url, headers={"Authorization": "Bearer t"})

    asyncio.run(run())
    assert slept == [2.0]


def test_many_threads_share_one_sandbox() -> None:
    """Concurrent requests are counted and kept one by one."""
    sandbox = Sandbox(rate_limit=(30, 10.0))
    known = OPERATIONS["create_calls"]
    with (
        httpx.Client(
            transport=SandboxTransport(sandbox), headers={"Authorization": "Bearer t"}
        ) as client,
        ThreadPoolExecutor(8) as pool,
    ):
        sent = [
            pool.submit(client.post, f"https://x{known.path}", json={"inputs": [CALL, CALL]})
            for _ in range(40)
        ]
        statuses = [one.result().status_code for one in sent]
    assert (statuses.count(201), statuses.count(429)) == (30, 10)
    assert len({record.id for record in sandbox.records("calls")}) == 60
    assert [entry.number for entry in sandbox.requests] == list(range(1, 41))


def test_the_fixtures_are_a_plugin_of_pytest(tmp_path: Path) -> None:
    """A user's test gets a fresh sandbox and its transport by name."""
    (tmp_path / "test_user.py").write_text(
        textwrap.dedent(
            """
            import httpx
            import pytest
            from hubspot_batch_client.contract import OPERATIONS

            @pytest.mark.parametrize("again", [1, 2])
            def test_calls(hubspot_sandbox, hubspot_sandbox_transport, again):
                one = {"properties": {"hs_timestamp": "1767603600000"}, "associations": []}
                with httpx.Client(transport=hubspot_sandbox_transport) as client:
                    for _ in range(150):
                        client.post(
                            "https://x" + OPERATIONS["create_calls"].path,
                            json={"inputs": [one]},
                            headers={"Authorization": "Bearer t"},
                        ).raise_for_status()
                assert len(hubspot_sandbox.records("calls")) == 150
            """
        )
    )
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", "-p", "hubspot_batch.testing", "-q"],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "2 passed" in finished.stdout, finished.stdout + finished.stderr
