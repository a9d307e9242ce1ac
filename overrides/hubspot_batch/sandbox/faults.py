"""The table of faults: how each one changes a response, and whether the request takes effect.

A fault that lets the request take effect gets the true response. Any other fault gets the response
to an empty batch. The fault decides what remains of that response.
"""

import random
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal, TypeAlias

from attrs import evolve, frozen

from . import rewrites
from .limits import DAILY, ROLLING, SECONDLY
from .messages import Loss, SandboxResponse, add_headers
from .responses import edge_page, error_body, rate_limit_body

Change = Callable[[SandboxResponse, random.Random], SandboxResponse]
Edit = Callable[[dict[str, Any], random.Random], None]
Treatment: TypeAlias = Literal["alone", "partly", "incomplete", "refused"]
"""How inputs are treated: bad ones fail alone, without being named; those before the first bad one
are created and then the batch is refused; they need not be complete; all are refused one by one."""


def _unchanged(response: SandboxResponse, _: random.Random) -> SandboxResponse:
    return response


@frozen
class Fault:
    """One thing that goes wrong.

    `work_done` is True if the request takes effect as it would without the fault, except for its
    `treatment`. With `latest`, the request takes effect after its response, up to so many seconds
    later. `delay` is in seconds. Make a variant with
    `attrs.evolve(FAULTS["delay"], delay=0.2)`.
    """

    name: str
    work_done: bool
    effect: str
    change: Change = _unchanged
    delay: float = 0.0
    loss: Loss | None = None
    treatment: Treatment | None = None
    latest: float = 0.0

    def apply(self, answer: SandboxResponse, rng: random.Random) -> SandboxResponse:
        """Return the response as the fault changes it."""
        return evolve(self.change(answer, rng), delay=self.delay, loss=self.loss)


def _error(
    status: int,
    category: str | None,
    message: str,
    response: SandboxResponse,
    _: random.Random,
    headers: Mapping[str, str] | None = None,
) -> SandboxResponse:
    body = error_body(response.correlation_id, message, category)
    return add_headers(response.with_json(body, status), headers or {})


def _rate_limit(
    policy: str,
    response: SandboxResponse,
    _: random.Random,
    headers: Mapping[str, str] | None = None,
) -> SandboxResponse:
    body = rate_limit_body(response.correlation_id, policy)
    return add_headers(response.with_json(body, 429), headers or {})


def _html(status: int, response: SandboxResponse, _: random.Random) -> SandboxResponse:
    return response.with_html(status, edge_page(status, response.correlation_id))


def _truncate(response: SandboxResponse, rng: random.Random) -> SandboxResponse:
    return evolve(response, body=response.body[: rng.randrange(1, len(response.body))])


def _empty(response: SandboxResponse, _: random.Random) -> SandboxResponse:
    return evolve(response, body=b"")


def _other_success_status(response: SandboxResponse, _: random.Random) -> SandboxResponse:
    return evolve(response, status=201 if response.status == 200 else 200)


def _unknown_status(document: dict[str, Any], _: random.Random) -> None:
    document["status"] = "SOMETHING_NEW"


def _drop_results(document: dict[str, Any], rng: random.Random) -> None:
    results = document["results"]
    kept = rng.sample(range(len(results)), k=len(results) // 2)
    document["results"] = [results[index] for index in sorted(kept)]


# Optional fields of the four results. Each can be absent or null.
_OPTIONAL = (
    *("archivedAt", "assets", "appInfo", "endDateTime", "eventCancelled", "eventCompleted"),
    *("eventDescription", "eventOrganizer", "eventType", "eventUrl", "objectWriteTraceId"),
    *("propertiesWithHistory", "startDateTime", "url", "warnings"),
)


def _null_fields(document: dict[str, Any], _: random.Random) -> None:
    document |= {"links": None, "requestedAt": None}
    document |= {"errors": document.get("errors"), "numErrors": document.get("numErrors")}
    for result in document["results"]:
        result.update(dict.fromkeys(_OPTIONAL))
        properties = result.get("properties", {})
        properties.update({name: None for name in properties if name.startswith("hs_object")})
    for error in document["errors"] or ():
        error.update(dict.fromkeys(("errors", "id", "links")))


def _extra_fields(document: dict[str, Any], _: random.Random) -> None:
    extra = {"addedLater": {"deep": [1, None, "text"]}}
    for part in (document, *document["results"], *document.get("errors", ())):
        part.update(extra)


def _remove_contexts(document: dict[str, Any], _: random.Random) -> None:
    for error in document.get("errors", ()):
        error.pop("context", None)


def _if_success(change: Change, response: SandboxResponse, rng: random.Random) -> SandboxResponse:
    return change(response, rng) if response.status < 300 and response.body else response


def _success_fault(name: str, effect: str, change: Change, *, work_done: bool = True) -> Fault:
    """Make a fault that changes a 2xx response and leaves any other response as it is."""
    return Fault(name, work_done, effect, partial(_if_success, change))


def _edit_json(edit: Edit, response: SandboxResponse, rng: random.Random) -> SandboxResponse:
    document = response.document()
    edit(document, rng)
    return response.with_json(document)


def _json_fault(name: str, effect: str, edit: Edit) -> Fault:
    """Make a fault that edits the JSON document of a 2xx response."""
    return _success_fault(name, effect, partial(_edit_json, edit))


_FAULTS = (
    Fault("delay", True, "the response takes 2 seconds", delay=2.0),
    Fault("connect_error", False, "the connection is refused", loss="refused"),
    Fault(
        "reset_before", False, "the connection is reset; the request has no effect", loss="reset"
    ),
    Fault("reset_after", True, "the connection is reset; the request takes effect", loss="reset"),
    Fault(
        "closed_before",
        False,
        "the server closes the connection; the request has no effect",
        loss="closed",
    ),
    Fault(
        "closed_after",
        True,
        "the server closes the connection; the request takes effect",
        loss="closed",
    ),
    Fault("timeout_before", False, "no response; the request has no effect", loss="timeout"),
    Fault("timeout_after", True, "no response; the request takes effect", loss="timeout"),
    Fault(
        "rate_limited",
        False,
        "429, too many requests in ten seconds",
        partial(_rate_limit, ROLLING),
    ),
    Fault(
        "rate_limited_for",
        False,
        "429, too many requests in ten seconds; Retry-After: 3",
        partial(_rate_limit, ROLLING, headers={"Retry-After": "3"}),
    ),
    Fault(
        "secondly", False, "429, too many requests in one second", partial(_rate_limit, SECONDLY)
    ),
    Fault("daily_limit", False, "429, the day's requests are used up", partial(_rate_limit, DAILY)),
    Fault(
        "expired_token",
        False,
        "401, the token has expired",
        partial(_error, 401, "EXPIRED_AUTHENTICATION", "The access token has expired."),
    ),
    Fault(
        "locked",
        False,
        "423, locked for about two seconds",
        partial(_error, 423, "LOCKED", "The records are locked by another request."),
    ),
    Fault(
        "moved",
        False,
        "477, the account is being moved; Retry-After: 60",
        partial(
            _error,
            477,
            None,
            "The account is being moved to another place.",
            headers={"Retry-After": "60"},
        ),
    ),
    Fault(
        "moved_for_a_day",
        False,
        "477, the account is being moved; Retry-After: 86400",
        partial(
            _error,
            477,
            None,
            "The account is being moved to another place.",
            headers={"Retry-After": "86400"},
        ),
    ),
    Fault(
        "refused",
        False,
        "400 for the whole batch",
        partial(_error, 400, "VALIDATION_ERROR", "One of the inputs is not valid."),
    ),
    Fault(
        "conflict",
        False,
        "409 for the whole batch",
        partial(_error, 409, "CONFLICT", "One of the records exists already."),
    ),
    Fault(
        "redirect",
        False,
        "307 to another host",
        partial(
            _error,
            307,
            None,
            "The API has moved to another host.",
            headers={"Location": "https://elsewhere.invalid/"},
        ),
    ),
    *(
        Fault(
            str(status),
            False,
            f"{status} as an HTML page; the request has no effect",
            partial(_html, status),
        )
        for status in (
            *(413, 414, 500, 501, 502, 503, 504, 505),
            *(520, 521, 522, 523, 524, 525, 526, 530),
        )
    ),
    *(
        Fault(
            f"{status}_after",
            True,
            f"{status} as an HTML page; the request takes effect",
            partial(_html, status),
        )
        for status in (500, 502, 503, 504, 520, 521, 523, 524)
    ),
    _success_fault("truncated_json", "the body is truncated", _truncate),
    _success_fault("empty_body", "the body is empty", _empty),
    _success_fault(
        "success_code", "200 in place of 201 or 207, 201 in place of 200", _other_success_status
    ),
    _json_fault("unknown_enum", "`status` is SOMETHING_NEW", _unknown_status),
    _success_fault(
        "silent_noop",
        "2xx without results and errors; the request has no effect",
        _unchanged,
        work_done=False,
    ),
    _json_fault("drop_results", "half of the results are missing", _drop_results),
    _json_fault("null_fields", "optional fields are null", _null_fields),
    _json_fault("extra_fields", "fields that HubSpot does not document", _extra_fields),
    _json_fault("bare_errors", "the errors of a 207 have no context", _remove_contexts),
    _json_fault("milliseconds", "times come back with milliseconds", rewrites.keep_milliseconds),
    _json_fault("escaped_html", "texts come back with HTML escapes", rewrites.escape_html),
    _json_fault("straightened", "blanks at ends and curly quotes are lost", rewrites.straighten),
    _json_fault("cut_texts", "all texts are cut at the same length", rewrites.cut_texts),
    _json_fault("normalized", "texts come back in other forms, with warnings", rewrites.normalize),
    _json_fault("dropped_empty", "empty properties are missing", rewrites.drop_empty),
    Fault(
        "nameless_errors",
        True,
        "bad inputs of a create fail alone, and no error names its input",
        treatment="alone",
    ),
    Fault(
        "partly_refused",
        True,
        "a batch is refused after the inputs before the bad one are created (campaigns)",
        treatment="partly",
    ),
    Fault(
        "incomplete_accepted",
        True,
        "records are created without their required properties",
        treatment="incomplete",
    ),
    Fault(
        "inputs_refused",
        False,
        "207, every input is refused for a reason of the moment",
        treatment="refused",
    ),
)

# HubSpot's edge gives up after 100 seconds (524), so a request can be carried out that long after
# it was sent (https://developers.cloudflare.com/support/troubleshooting/http-status-codes/).
LATE = Fault(
    "late",
    False,
    "the connection is reset; the request takes effect up to 100 s later",
    loss="reset",
    latest=100.0,
)
"""A fault that is not drawn by rates, since its effect comes after the end of most runs."""

FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in _FAULTS}
