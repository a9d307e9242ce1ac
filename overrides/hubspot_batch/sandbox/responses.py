"""The bodies of responses, in the forms that public projects recorded.

The module decides which fields a body has. `handler` and `faults` decide when it is sent.
"""

from collections.abc import Sequence
from typing import Any

from .clock import format_datetime
from .input_checks import Refusal
from .limits import DAILY, ROLLING, SECONDLY
from .messages import SandboxResponse

_GROUPS = {
    ROLLING: "publicapi:private_app-api-calls-ten-secondly:1234567:7654321",
    SECONDLY: "publicapi:private_app-api-calls-secondly:1234567:7654321",
    DAILY: "publicapi:private_app-api-calls-daily:7654321",
}


def error_body(
    correlation_id: str,
    message: str,
    category: str | None = None,
    *,
    sub_category: str | None = None,
    errors: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Return the body of a 4xx. Broken JSON and some 404s have no category."""
    body: dict[str, Any] = {"status": "error", "message": message, "correlationId": correlation_id}
    if errors:
        body["errors"] = list(errors)
    if category:
        body["category"] = category
    if sub_category:
        body["subCategory"] = sub_category
    return body


def error_response(empty: SandboxResponse, problem: Refusal) -> SandboxResponse:
    """Return the response that refuses a request."""
    body = error_body(
        empty.correlation_id,
        problem.message,
        problem.category,
        sub_category=problem.sub_category,
        errors=problem.details,
    )
    return empty.with_json(body, problem.status)


def rate_limit_body(correlation_id: str, policy: str) -> dict[str, Any]:
    """Return the body of a 429, which has no category."""
    kind = "daily" if policy == DAILY else policy.lower()
    return {
        "status": "error",
        "message": f"You have reached your {kind} limit.",
        "errorType": "RATE_LIMIT",
        "policyName": policy,
        "groupName": _GROUPS[policy],
        "correlationId": correlation_id,
    }


def missing_scopes_body(correlation_id: str, scopes: Sequence[str]) -> dict[str, Any]:
    """Return the body of a 403, which names the scopes that the operation needs."""
    detail = {
        "message": "The app needs one or more of these scopes.",
        "context": {"requiredGranularScopes": list(scopes)},
    }
    return error_body(
        correlation_id,
        "The app has not been granted all scopes that this call needs.",
        "MISSING_SCOPES",
        errors=[detail],
    )


def batch_body(
    results: Sequence[dict[str, Any]],
    errors: Sequence[dict[str, Any]],
    started: float,
    completed: float,
) -> dict[str, Any]:
    """Return the body of a 2xx. With errors it is a 207, and `numErrors` counts them."""
    body: dict[str, Any] = {
        "status": "COMPLETE",
        "results": list(results),
        "startedAt": format_datetime(started),
        "completedAt": format_datetime(completed),
    }
    if errors:
        body |= {"numErrors": len(errors), "errors": list(errors)}
    return body


def edge_page(status: int, correlation_id: str) -> str:
    """Return the HTML page that HubSpot's edge sends in place of the API's response."""
    return (
        f"<!DOCTYPE html>\n<html><head><title>{status}</title></head>\n"
        f"<body><h1>Error {status}</h1><p>Ray {correlation_id}</p></body></html>\n"
    )
