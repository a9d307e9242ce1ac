"""Rate limit headers that are nonsense stop no run for long."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from both_clients import ClientFactory, clock_of
from hubspot_batch import RateLimit, RateLimitError, Retry
from hubspot_batch.options import DEFAULT_RATE_LIMIT
from hubspot_batch.sandbox import FakeClock

ROW = {"properties": {"hs_timestamp": "2026-01-31T12:00:00Z"}}


def limited(most: object, interval: object, left: object = 0) -> dict[str, str]:
    prefix = "X-HubSpot-RateLimit"
    values = {"Max": most, "Interval-Milliseconds": interval, "Remaining": left}
    return {f"{prefix}-{name}": str(value) for name, value in values.items()}


class Limiting:
    """Answers each create with rate limit headers, and a first one with a status."""

    def __init__(self, headers: dict[str, str], first: int = 201) -> None:
        self.clock = FakeClock(0.0)
        self.times: list[float] = []
        self._headers = headers
        self._first = first

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.times.append(self.clock())
        status = self._first if len(self.times) == 1 else 201
        return httpx.Response(status, json={"results": []}, headers=self._headers)

    def client(self, make_client: ClientFactory, **arguments: Any) -> Any:
        transport = httpx.MockTransport(self)
        return make_client(
            transport=transport, clock=clock_of(self.clock), max_concurrency=1, **arguments
        )


@pytest.mark.parametrize("most", [1, 100])
@pytest.mark.parametrize("interval", [60_001, 86_400_000, 10**15, "9" * 400, "1e9"])
@pytest.mark.parametrize("status", [201, 429])
def test_an_interval_above_a_minute_is_not_believed(
    make_client: ClientFactory, most: int, interval: object, status: int
) -> None:
    """The known limit goes on, and a 429 is waited for as without the header."""
    server = Limiting(limited(most, interval), status)
    server.client(make_client).calls.create([ROW] * 20, chunk_size=1)
    assert server.times[-1] <= (10 if status == 429 else 0)


def test_an_interval_of_a_minute_is_believed(make_client: ClientFactory) -> None:
    """It is waited for, as long as `retry` allows such a wait."""
    server = Limiting(limited(1, 60_000))
    server.client(make_client).calls.create([ROW] * 2, chunk_size=1)
    assert 60 <= server.times[1] < 61


@pytest.mark.parametrize(
    "retry", [Retry(max_elapsed=30), Retry(max_wait=20), Retry(max_wait=0), Retry(max_elapsed=0)]
)
def test_a_wait_beyond_retry_ends_the_run(make_client: ClientFactory, retry: Retry) -> None:
    """Nothing is waited for then, and the rest is not sent."""
    server = Limiting(limited(1, 60_000))
    with pytest.raises(RateLimitError, match=r"6\d s, and `retry` allows") as caught:
        server.client(make_client, retry=retry).calls.create([ROW] * 3, chunk_size=1)
    result = caught.value.result
    assert result is not None
    assert [len(result.unknown), len(result.not_sent)] == [1, 2]
    assert server.times == [0.0]


@pytest.mark.parametrize("retry", [Retry(max_wait=0), Retry(max_elapsed=0), Retry(max_attempts=1)])
def test_the_normal_pace_is_no_wait_beyond_retry(make_client: ClientFactory, retry: Retry) -> None:
    """Without any retry, the rate limit is kept nevertheless."""
    for limit in (DEFAULT_RATE_LIMIT, RateLimit(5, 1.0, learns=True)):
        server = Limiting(limited(2, 10_000))
        client = server.client(make_client, retry=retry, rate_limit=limit)
        client.calls.create([ROW] * 9, chunk_size=1)
        assert len(server.times) == 9
    own = RateLimit(1, 300)
    server = Limiting({})
    server.client(make_client, retry=retry, rate_limit=own).calls.create([ROW] * 3, chunk_size=1)
    assert server.times[-1] >= 600
