"""The table of faults: what each does to an answer, and whether the work is done.

A fault that does the work is handed the true answer; one that does not is handed the answer to a
batch that nobody worked on. It decides what becomes of that answer and never touches the store.
"""

import random
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from attrs import evolve, frozen

from .limits import DAILY, ROLLING, SECONDLY
from .messages import Loss, SandboxAnswer
from .responses import edge_page, rate_limited, refusal

Change = Callable[[SandboxAnswer, random.Random], SandboxAnswer]


def _keep(answer: SandboxAnswer, _: random.Random) -> SandboxAnswer:
    return answer


@frozen
class Fault:
    """One thing that goes wrong.

    `work_done` says whether the request is worked on as if nothing were wrong. `delay` is in
    seconds. Make a variant with `attrs.evolve(FAULTS["delay"], delay=0.2)`.
    """

    name: str
    work_done: bool
    effect: str
    change: Change = _keep
    delay: float = 0.0
    loss: Loss | None = None

    def apply(self, answer: SandboxAnswer, rng: random.Random) -> SandboxAnswer:
        """Return what is left of the answer."""
        return evolve(self.change(answer, rng), delay=self.delay, loss=self.loss)


def _status(
    status: int,
    category: str | None,
    message: str,
    answer: SandboxAnswer,
    _: random.Random,
    headers: Mapping[str, str] | None = None,
) -> SandboxAnswer:
    said = answer.with_json(refusal(answer.correlation_id, message, category), status)
    return evolve(said, headers={**said.headers, **(headers or {})})


def _limit(
    policy: str,
    answer: SandboxAnswer,
    _: random.Random,
    headers: Mapping[str, str] | None = None,
) -> SandboxAnswer:
    said = answer.with_json(rate_limited(answer.correlation_id, policy), 429)
    return evolve(said, headers={**said.headers, **(headers or {})})


def _page(status: int, answer: SandboxAnswer, _: random.Random) -> SandboxAnswer:
    return answer.with_html(status, edge_page(status, answer.correlation_id))


def _cut(answer: SandboxAnswer, rng: random.Random) -> SandboxAnswer:
    return evolve(answer, body=answer.body[: rng.randrange(1, len(answer.body))])


def _empty(answer: SandboxAnswer, _: random.Random) -> SandboxAnswer:
    return evolve(answer, body=b"")


def _other_success(answer: SandboxAnswer, _: random.Random) -> SandboxAnswer:
    return evolve(answer, status=201 if answer.status == 200 else 200)


def _edit(
    edit: Callable[[dict[str, Any], random.Random], None],
    answer: SandboxAnswer,
    rng: random.Random,
) -> SandboxAnswer:
    document = answer.document()
    edit(document, rng)
    return answer.with_json(document)


def _unknown_status(document: dict[str, Any], _: random.Random) -> None:
    document["status"] = "SOMETHING_NEW"


def _drop_results(document: dict[str, Any], rng: random.Random) -> None:
    results = document["results"]
    kept = rng.sample(range(len(results)), k=len(results) // 2)
    document["results"] = [results[place] for place in sorted(kept)]


# Optional fields of the four results, which can arrive as null as well as be absent.
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
    news = {"addedLater": {"deep": [1, None, "text"]}}
    for part in (document, *document["results"], *document.get("errors", ())):
        part.update(news)


def _bare_errors(document: dict[str, Any], _: random.Random) -> None:
    for error in document.get("errors", ()):
        error.pop("context", None)


def _only_success(change: Change, answer: SandboxAnswer, rng: random.Random) -> SandboxAnswer:
    return change(answer, rng) if answer.status < 300 else answer


def _body(name: str, effect: str, change: Change, *, work_done: bool = True) -> Fault:
    """A fault of a 2xx answer; a refusal stays the refusal that it is."""
    return Fault(name, work_done, effect, partial(_only_success, change))


_FAULTS = (
    Fault("delay", True, "the answer takes 2 seconds", delay=2.0),
    Fault("connect_error", False, "no connection comes about", loss="refused"),
    Fault("reset_before", False, "the connection is cut before the work", loss="reset"),
    Fault("reset_after", True, "the connection is cut after the work", loss="reset"),
    Fault("closed_before", False, "the server hangs up before the work", loss="closed"),
    Fault("closed_after", True, "the server hangs up after the work", loss="closed"),
    Fault("timeout_before", False, "no work and no answer", loss="timeout"),
    Fault("timeout_after", True, "the work is done and no answer comes", loss="timeout"),
    Fault(
        "rate_limited",
        False,
        "429, too many requests in ten seconds",
        partial(_limit, ROLLING),
    ),
    Fault(
        "rate_limited_for",
        False,
        "the same; Retry-After says 3 seconds",
        partial(_limit, ROLLING, headers={"Retry-After": "3"}),
    ),
    Fault("secondly", False, "429, too many requests in one second", partial(_limit, SECONDLY)),
    Fault("daily_limit", False, "429, the day's requests are used up", partial(_limit, DAILY)),
    Fault(
        "expired_token",
        False,
        "401, the token was good once",
        partial(_status, 401, "EXPIRED_AUTHENTICATION", "The access token has expired."),
    ),
    Fault(
        "locked",
        False,
        "423, locked for about two seconds",
        partial(_status, 423, "LOCKED", "The records are locked by another request."),
    ),
    Fault(
        "moved",
        False,
        "477, the account is being moved; Retry-After says 60 seconds",
        partial(
            _status,
            477,
            None,
            "The account is being moved to another place.",
            headers={"Retry-After": "60"},
        ),
    ),
    Fault(
        "moved_for_a_day",
        False,
        "the same; Retry-After says 24 hours",
        partial(
            _status,
            477,
            None,
            "The account is being moved to another place.",
            headers={"Retry-After": "86400"},
        ),
    ),
    Fault(
        "refused",
        False,
        "400, the batch is refused as a whole",
        partial(_status, 400, "VALIDATION_ERROR", "One of the inputs is not valid."),
    ),
    Fault(
        "conflict",
        False,
        "409, the batch is refused as a whole",
        partial(_status, 409, "CONFLICT", "One of the records exists already."),
    ),
    Fault(
        "redirect",
        False,
        "307 to another host",
        partial(
            _status,
            307,
            None,
            "The API lives elsewhere.",
            headers={"Location": "https://elsewhere.invalid/"},
        ),
    ),
    *(
        Fault(
            str(status), False, f"{status} as an HTML page, before the work", partial(_page, status)
        )
        for status in (
            *(413, 414, 500, 501, 502, 503, 504, 505),
            *(520, 521, 522, 523, 524, 525, 526, 530),
        )
    ),
    *(
        Fault(
            f"{status}_after", True, f"{status} as an HTML page, work done", partial(_page, status)
        )
        for status in (500, 502, 503, 504, 520, 521, 523, 524)
    ),
    _body("truncated_json", "the body ends too early", _cut),
    _body("empty_body", "the body is empty", _empty),
    _body("success_code", "200 for 201 and 207, 201 for 200", _other_success),
    _body("unknown_enum", "`status` is SOMETHING_NEW", partial(_edit, _unknown_status)),
    _body("silent_noop", "2xx that did nothing and says nothing", _keep, work_done=False),
    _body("drop_results", "half of the results are not mentioned", partial(_edit, _drop_results)),
    _body("null_fields", "optional fields are null", partial(_edit, _null_fields)),
    _body("extra_fields", "fields that no page knows", partial(_edit, _extra_fields)),
    _body("bare_errors", "the errors of a 207 have no context", partial(_edit, _bare_errors)),
)

FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in _FAULTS}
