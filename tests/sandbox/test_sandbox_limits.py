"""The request limits of the sandbox: the rolling window, the day, and what the headers say."""

import json
from typing import Any

from hubspot_batch.sandbox import FakeClock, Sandbox, SandboxRequest, SandboxResponse
from hubspot_batch.sandbox.limits import DAY, RequestLimits
from hubspot_batch_client.contract import OPERATIONS
from hypothesis import given
from hypothesis import strategies as st

READ = OPERATIONS["read_campaigns"]


def read(sandbox: Sandbox) -> SandboxResponse:
    """Send one request that changes nothing."""
    body = json.dumps({"inputs": []}).encode()
    return sandbox.handle(
        SandboxRequest(READ.method, READ.path, (), {"authorization": "Bearer t"}, body)
    )


@given(
    st.integers(1, 5),
    st.floats(0.1, 20.0),
    st.lists(st.floats(0.0, 6.0) | st.sampled_from([0.0, 2.5, 5.0]), max_size=60),
)
def test_no_window_ever_holds_more_than_the_limit(
    requests: int, seconds: float, pauses: list[float]
) -> None:
    """However the arrivals fall, any N + 1 that were let in span the window at least."""
    limits = RequestLimits(requests, seconds, None)
    now, accepted = 1_767_603_600.0, list[float]()
    for pause in pauses:
        now += pause
        inside = [one for one in accepted if now - one < seconds]
        refused = limits.admit(now)
        # Refused only when the window is full, so a refusal itself uses nothing up.
        assert (refused is not None) == (len(inside) >= requests)
        if refused is None:
            accepted.append(now)
    for first, last in zip(accepted, accepted[requests:], strict=False):
        assert last - first >= seconds


@given(st.integers(0, 4), st.lists(st.floats(0.0, DAY / 2), max_size=30))
def test_no_day_ever_holds_more_than_its_allowance(daily: int, pauses: list[float]) -> None:
    """The allowance is that of the day in UTC, and refused requests do not count."""
    limits = RequestLimits(None, 0.0, daily)
    now, accepted = 0.0, list[float]()
    for pause in pauses:
        now += pause
        before = sum(one // DAY == now // DAY for one in accepted)
        refused = limits.admit(now)
        assert (refused is not None) == (before >= daily)
        assert refused in {None, "DAILY"}
        if refused is None:
            accepted.append(now)


def test_the_answer_to_one_request_too_many() -> None:
    """It is a 429 in the recorded form, and the window opens again in time."""
    clock = FakeClock()
    sandbox = Sandbox(rate_limit=(2, 10.0), clock=clock)
    assert [read(sandbox).status for _ in range(3)] == [200, 200, 429]
    clock.advance(9.99)
    answer = read(sandbox)
    assert answer.status == 429
    assert answer.document() == {
        "status": "error",
        "message": "You have reached your ten_secondly_rolling limit.",
        "errorType": "RATE_LIMIT",
        "policyName": "TEN_SECONDLY_ROLLING",
        "groupName": "publicapi:private_app-api-calls-ten-secondly:1234567:7654321",
        "correlationId": answer.correlation_id,
    }
    assert "Retry-After" not in answer.headers
    clock.advance(0.02)
    assert [read(sandbox).status for _ in range(3)] == [200, 200, 429]


def test_the_day_is_over_at_midnight() -> None:
    """When the day's allowance is spent, only the next day helps."""
    clock = FakeClock()
    sandbox = Sandbox(daily_limit=1, clock=clock)
    assert read(sandbox).status == 200
    clock.advance(3600)
    answer = read(sandbox)
    assert (answer.status, answer.document()["policyName"]) == (429, "DAILY")
    assert answer.document()["message"] == "You have reached your daily limit."
    assert answer.headers["X-HubSpot-RateLimit-Daily-Remaining"] == "0"
    clock.advance(DAY)
    assert read(sandbox).status == 200


def test_headers_count_down() -> None:
    """Every answer behind the door says how much is left, refused ones too."""
    sandbox = Sandbox(rate_limit=(2, 10.0), daily_limit=50)

    def said(answer: SandboxResponse) -> dict[str, Any]:
        start = "X-HubSpot-RateLimit-"
        return {
            name.removeprefix(start): int(value)
            for name, value in answer.headers.items()
            if name.startswith(start)
        }

    first, _, third = read(sandbox), read(sandbox), read(sandbox)
    assert said(first) == {
        "Max": 2,
        "Remaining": 1,
        "Interval-Milliseconds": 10_000,
        "Secondly": 1,
        "Secondly-Remaining": 1,
        "Daily": 50,
        "Daily-Remaining": 49,
    }
    assert (said(third)["Remaining"], said(third)["Daily-Remaining"]) == (0, 48)
    assert said(read(Sandbox(rate_limit=None, daily_limit=None))) == {}
