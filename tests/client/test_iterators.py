"""Iterating in a `with` block: whatever ends it, the run is ended and its account is kept."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from hubspot_batch import (
    AsyncHubSpotBatch,
    AuthenticationError,
    HubSpotBatch,
    OutcomeStatus,
    result_of,
)
from hubspot_batch.sandbox import Sandbox, SandboxTransport

ROWS = [{"properties": {"hs_timestamp": "2026-01-31T09:30:00Z"}} for _ in range(30)]
SETTINGS: dict[str, Any] = {"rate_limit": None, "max_concurrency": 2}


def left_by(sandbox: Sandbox, kind: str, error: BaseException | None) -> tuple[Any, Any]:
    """Leave a block after one outcome; return the iterator and what left the block."""
    transport = SandboxTransport(sandbox)

    async def leave() -> tuple[Any, Any]:
        async with AsyncHubSpotBatch("token", transport=transport, **SETTINGS) as client:
            outcomes = client.calls.create_iter(ROWS, chunk_size=5)
            try:
                async with outcomes as same:
                    assert same is outcomes
                    async for _ in same:
                        if error is not None:
                            raise error
                        break
            except BaseException as raised:  # noqa: BLE001 - it is looked at
                return outcomes, raised
            return outcomes, None

    if kind == "async":
        return asyncio.run(leave())
    with HubSpotBatch("token", transport=transport, **SETTINGS) as client:
        outcomes = client.calls.create_iter(ROWS, chunk_size=5)
        try:
            with outcomes as same:
                assert same is outcomes
                for _ in same:
                    if error is not None:
                        raise error
                    break
        except BaseException as raised:  # noqa: BLE001 - it is looked at
            return outcomes, raised
        return outcomes, None


kinds = pytest.mark.parametrize("kind", ["sync", "async"])


@kinds
@pytest.mark.parametrize("ends", [None, ValueError, MemoryError])
def test_leaving_a_block_ends_the_run_and_keeps_the_account(
    kind: str, ends: type[Exception] | None
) -> None:
    """Requests under way are waited for; the rest is with the iterator and the exception."""
    error = None if ends is None else ends("the caller's")
    sandbox = Sandbox(rate_limit=None)
    outcomes, raised = left_by(sandbox, kind, error)
    assert raised is error
    assert outcomes.result is not None
    assert {o.status for o in outcomes.result.outcomes} <= {
        OutcomeStatus.SUCCEEDED,
        OutcomeStatus.NOT_SENT,
    }
    # One outcome was handed out.
    assert 1 + len(outcomes.result.succeeded) == len(sandbox.records("calls"))
    assert len(sandbox.records("calls")) < len(ROWS)
    if error is not None:
        assert result_of(error) is outcomes.result


@kinds
def test_what_an_exception_has_of_its_own_is_left_alone(kind: str) -> None:
    """A result that is not ours stays."""
    error = httpx.HTTPError("of another library")
    error.result = "its own"  # type: ignore[attr-defined]
    outcomes, raised = left_by(Sandbox(rate_limit=None), kind, error)
    assert raised.result == "its own"
    assert outcomes.result is not None
    assert result_of(error) is None


def test_the_runs_own_exception_keeps_its_account() -> None:
    """A block through which it passes changes nothing."""
    transport = SandboxTransport(Sandbox(token="another"))
    with (
        HubSpotBatch("token", transport=transport, **SETTINGS) as client,
        pytest.raises(AuthenticationError) as caught,
        client.calls.create_iter(ROWS) as outcomes,
    ):
        assert {outcome.status for outcome in outcomes} == {OutcomeStatus.NOT_SENT}
    assert result_of(caught.value) is caught.value.result is outcomes.result
