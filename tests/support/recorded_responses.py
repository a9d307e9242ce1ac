"""Answers and requests in the forms that real traffic has, as data.

The forms follow recorded traffic and HubSpot's description; every value is made up. `shows` names
the deviations (openapi/deviations.yaml) that a body is an example of, so that a test can
tell which deviation has none.
"""

import json
from typing import Any

from attrs import field, frozen

Json = dict[str, Any]


@frozen
class Answer:
    """An answer with a JSON body."""

    name: str
    operation: str
    status: int
    body: Json = field(repr=False)
    shows: tuple[str, ...] = ()
    headers: dict[str, str] = field(factory=dict, repr=False)


@frozen
class Sent:
    """The inputs of a caller, and the JSON and query that the API must get for them."""

    name: str
    operation: str
    inputs: list[Json] = field(repr=False)
    arguments: Json = field(factory=dict, repr=False)
    query: dict[str, str] = field(factory=dict, repr=False)
    shows: tuple[str, ...] = ()


TIMES: Json = {
    "startedAt": "2026-03-02T08:15:30.120Z",
    "completedAt": "2026-03-02T08:15:30.457Z",
}
TRACE = "5d0c9c1e-call-17"
CORRELATION = "0b8f6a52-3f0e-4f4b-9f2d-7f0f7f8a1c11"


def batch(results: list[Json], status: str = "COMPLETE", **more: Any) -> Json:
    """Return a batch answer."""
    return {"status": status, "results": results, **TIMES, **more}


def refused(message: str, category: str | None = None, **more: Any) -> Json:
    """Return an error body; `category` is left out where there is none."""
    found = {"category": category} if category else {}
    return {"status": "error", "message": message, "correlationId": CORRELATION, **found, **more}


CALL: Json = {
    "id": "70014",
    "properties": {
        "hs_call_title": "Renewal",
        "hs_timestamp": "2026-03-02T08:00:00Z",
        "hs_call_body": None,
        "hs_object_id": "70014",
    },
    "createdAt": "2026-03-02T08:15:30.301Z",
    "updatedAt": "2026-03-02T08:15:30Z",
    "archived": False,
}
CAMPAIGN: Json = {
    "id": "3f0b1e7a-7f1c-4b38-9a56-2f7a1f6d0a01",
    "properties": {"hs_name": "Spring fair", "hs_notes": None},
    "businessUnits": [{"id": 0}],
    "createdAt": "2026-03-02T08:15:30.301Z",
    "updatedAt": "2026-03-02T08:15:30.301Z",
}
EVENT: Json = {
    "objectId": "990017",
    "eventName": "Open house",
    "customProperties": [{"name": "seats", "value": "40"}],
    "createdAt": "2026-02-01T10:00:00Z",
    "updatedAt": "2026-03-02T08:15:30.301Z",
}

CREATES = ("create_calls", "create_campaigns")
OPERATIONS = ("create_calls", "create_campaigns", "read_campaigns", "update_marketing_events")

CALLS = (
    Answer(
        "calls created",
        "create_calls",
        201,
        batch([CALL, {**CALL, "id": "70015", "objectWriteTraceId": TRACE}]),
        shows=("null-properties",),
    ),
    Answer("200 in place of 201", "create_calls", 200, batch([CALL]), ("success-of-creates",)),
    Answer(
        "calls created in part",
        "create_calls",
        207,
        batch(
            [CALL],
            requestedAt="2026-03-02T08:15:29.998Z",
            numErrors=1,
            errors=[
                {
                    "status": "error",
                    "category": "VALIDATION_ERROR",
                    "subCategory": "CallApiError.MISSING_TIMESTAMP",
                    "message": "A call needs hs_timestamp.",
                    "context": {"objectWriteTraceId": [TRACE]},
                }
            ],
        ),
        shows=("success-of-creates", "one-success-of-creates", "errors-left-out", "sub-category"),
    ),
    Answer(
        "an error without context",
        "create_calls",
        207,
        batch(
            [],
            numErrors=1,
            errors=[{"status": "error", "category": "CONFLICT", "message": "It exists already."}],
        ),
        shows=("errors-left-out",),
    ),
    Answer(
        "a status that is new",
        "create_calls",
        201,
        batch([CALL], status="QUEUED_FOR_REVIEW"),
        shows=("open-status", "open-values"),
    ),
    Answer(
        "calls with warnings, history and nulls",
        "create_calls",
        201,
        batch(
            [
                {
                    **CALL,
                    "archivedAt": None,
                    "url": None,
                    "objectWriteTraceId": None,
                    "propertiesWithHistory": {
                        "hs_call_title": [
                            {
                                "value": "Renewal",
                                "timestamp": "2026-03-02T08:15:30.301Z",
                                "sourceType": "INTEGRATION",
                                "sourceId": None,
                                "updatedByUserId": 12,
                            }
                        ],
                        "hs_call_body": [],
                    },
                    "warnings": [
                        {
                            "category": "UNKNOWN_OWNER",
                            "message": "The owner does not exist.",
                            "context": {"hubspot_owner_id": "31"},
                        },
                        {"category": None, "message": "Look again.", "context": None},
                    ],
                }
            ],
            links=None,
            errors=None,
            numErrors=None,
        ),
        shows=("warnings", "null-fields"),
    ),
)

CAMPAIGNS = (
    Answer(
        "campaigns created",
        "create_campaigns",
        201,
        batch([CAMPAIGN, {**CAMPAIGN, "businessUnits": []}]),
    ),
    Answer(
        "no campaign created",
        "create_campaigns",
        207,
        batch(
            [],
            numErrors=1,
            errors=[
                {
                    "status": "error",
                    "category": "VALIDATION_ERROR",
                    "subCategory": "CampaignApiError.INVALID_REQUEST",
                    "message": 'The properties are wrong: {"hs_color_hex": ["no colour"]}',
                }
            ],
        ),
        shows=("success-of-creates", "one-success-of-creates", "errors-left-out", "sub-category"),
    ),
    Answer("neither results nor errors", "create_campaigns", 207, batch([])),
    Answer(
        "results and no errors under 207", "create_campaigns", 207, batch([CAMPAIGN], numErrors=0)
    ),
    Answer(
        "campaigns with assets",
        "read_campaigns",
        200,
        batch(
            [
                {
                    **CAMPAIGN,
                    "assets": {
                        "EMAIL": {
                            "results": [
                                {"id": "51", "name": "Mail", "metrics": {"SENT": 90, "OPEN": 0.25}}
                            ],
                            "paging": {
                                "next": {"after": "NTI%3D", "link": "?after=NTI%3D"},
                                "prev": None,
                            },
                        },
                        "HOLOGRAM": {"results": [{"id": "7", "name": None}], "paging": None},
                    },
                },
                {**CAMPAIGN, "assets": None},
            ]
        ),
        shows=("assets-left-out",),
    ),
    Answer(
        "one error for two campaigns",
        "read_campaigns",
        207,
        batch(
            [{**CAMPAIGN, "properties": {}, "assets": {}}],
            numErrors=1,
            errors=[
                {
                    "status": "error",
                    "category": "OBJECT_NOT_FOUND",
                    "message": "Some campaigns were not found.",
                    "context": {"ids": ["a-1", "a-2"]},
                }
            ],
        ),
        shows=("success-of-others", "one-success-of-others", "errors-left-out"),
    ),
    Answer(
        "an error for one campaign",
        "read_campaigns",
        207,
        batch(
            [],
            errors=[
                {
                    "status": "error",
                    "category": "OBJECT_NOT_FOUND",
                    "message": "Not found.",
                    "context": {"id": "a-1", "expire time": ["2026-03-02T08:00:00Z"]},
                    "links": {},
                    "errors": [],
                    "subCategory": {"of": ["CampaignApiError"]},
                    "id": None,
                }
            ],
        ),
        shows=("context-values",),
    ),
)

EVENTS = (
    Answer("events updated", "update_marketing_events", 200, batch([EVENT])),
    Answer("201 in place of 200", "update_marketing_events", 201, batch([EVENT])),
    Answer(
        "events as they are read",
        "update_marketing_events",
        200,
        batch(
            [
                {
                    **EVENT,
                    "startDateTime": None,
                    "endDateTime": None,
                    "eventType": None,
                    "eventOrganizer": "Aspen Fairs",
                    "eventDescription": None,
                    "eventUrl": None,
                    "eventCancelled": None,
                    "eventCompleted": True,
                    "eventStatus": "PAST",
                    "eventStatusV2": "PAST",
                    "attendees": 12,
                    "noShows": 3,
                    "appInfo": {"id": "88", "name": "Fair planner"},
                    "customProperties": [],
                },
                {**EVENT, "startDateTime": "2026-04-01T09:00:00+02:00", "appInfo": None},
            ]
        ),
        shows=("event-status",),
    ),
    Answer(
        "events updated in part",
        "update_marketing_events",
        207,
        batch(
            [EVENT],
            numErrors=1,
            errors=[
                {
                    "status": "error",
                    "category": "OBJECT_NOT_FOUND",
                    "message": "No event has this object id.",
                    "context": {"ids": ["990018", "990019"]},
                    "subCategory": "MarketingEventApiError.NOT_FOUND",
                }
            ],
        ),
        shows=("success-of-others", "one-success-of-others", "errors-left-out", "sub-category"),
    ),
)

RATE_LIMITED = Answer(
    "too fast",
    "create_calls",
    429,
    {
        "status": "error",
        "message": "You have reached your ten_secondly_rolling limit.",
        "errorType": "RATE_LIMIT",
        "policyName": "TEN_SECONDLY_ROLLING",
        "groupName": "publicapi:private_app-api-calls-ten-secondly:4711:1234",
        "correlationId": CORRELATION,
    },
    shows=("refusals-left-out", "refusals-more"),
    headers={
        "X-HubSpot-RateLimit-Max": "100",
        "X-HubSpot-RateLimit-Remaining": "0",
        "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
    },
)
ERRORS = (
    RATE_LIMITED,
    Answer(
        "the day's allowance is spent",
        "read_campaigns",
        429,
        {
            "status": "error",
            "message": "You have reached your daily limit.",
            "errorType": "RATE_LIMIT",
            "policyName": "DAILY",
            "requestId": "4f1e",
        },
        shows=("refusals-left-out", "refusals-more"),
    ),
    Answer(
        "malformed JSON, and no category",
        "create_campaigns",
        400,
        refused("The JSON ends too early, on line 1, column 9"),
        shows=("refusals-left-out",),
    ),
    Answer(
        "too many inputs, and nothing else said",
        "create_calls",
        400,
        {
            "category": "VALIDATION_ERROR",
            "message": "The maximum number of inputs supported in a batch is 100. "
            "Please reduce the number of items and try again",
        },
        shows=("refusals-left-out",),
    ),
    Answer(
        "a correlation id that is no UUID",
        "update_marketing_events",
        400,
        {**refused("These values are wrong", "VALIDATION_ERROR"), "correlationId": "na1/7"},
        shows=("refusals-left-out", "correlation-id"),
    ),
    Answer(
        "an expired token",
        "create_calls",
        401,
        refused(
            "The token is two hours too old.",
            "EXPIRED_AUTHENTICATION",
            context={"expire time": ["2026-03-02T06:15:30.120Z"]},
            links={"api key": "https://app.hubspot.com/l/api-key/"},
        ),
        shows=("refusals-left-out",),
    ),
    Answer(
        "a scope is missing",
        "create_campaigns",
        403,
        refused(
            "The token may not do this.",
            "MISSING_SCOPES",
            subCategory=None,
            errors=[
                {
                    "message": "One of these scopes is needed.",
                    "context": {"requiredGranularScopes": ["marketing.campaigns.write"]},
                }
            ],
            context={"links": ["https://developers.hubspot.com/scopes"], "app": "4711"},
        ),
        shows=("context-values",),
    ),
    Answer(
        "a context that is one string",
        "read_campaigns",
        400,
        refused(
            "Invalid input",
            "VALIDATION_ERROR",
            errors=[
                {
                    "message": "startDate is no date",
                    "code": "INVALID_DATE",
                    "in": "startDate",
                    "subCategory": None,
                    "context": "{fields=[startDate, endDate]}",
                }
            ],
        ),
        shows=("detail-context",),
    ),
    Answer("no category on a 404", "read_campaigns", 404, refused("There is nothing here.")),
    Answer(
        "a call that exists",
        "create_calls",
        409,
        refused("There is such a call: 70014", "CONFLICT"),
    ),
    Answer(
        "a message that holds a document",
        "create_calls",
        400,
        refused(
            "These values are wrong: "
            + json.dumps([{"isValid": False, "name": "hs_timestamp", "error": "INVALID_DATE"}]),
            "VALIDATION_ERROR",
        ),
    ),
    Answer("locked", "update_marketing_events", 423, refused("This record is locked.", "LOCKED")),
    Answer(
        "being moved",
        "create_calls",
        477,
        refused("The account is being moved.", "MIGRATION_IN_PROGRESS"),
        headers={"Retry-After": "86400"},
    ),
)

ANSWERS = (*CALLS, *CAMPAIGNS, *EVENTS, *ERRORS)

SENT = (
    Sent(
        "a call with an association",
        "create_calls",
        [
            {
                "properties": {"hs_timestamp": "2026-03-02T08:00:00Z"},
                "associations": [
                    {
                        "to": {"id": "501"},
                        "types": [
                            {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 194}
                        ],
                    }
                ],
                "objectWriteTraceId": TRACE,
            },
            {"properties": {"hs_timestamp": "1772438400000"}, "associations": []},
        ],
    ),
    Sent("two campaigns", "create_campaigns", [{"properties": {"hs_name": n}} for n in "ab"]),
    Sent(
        "ids, with properties and dates",
        "read_campaigns",
        [{"id": CAMPAIGN["id"]}],
        arguments={
            "properties": ["hs_name", "hs_start_date"],
            "start_date": "2026-01-01",
            "end_date": "2026-01-31",
        },
        query={
            "properties": "hs_name,hs_start_date",
            "startDate": "2026-01-01",
            "endDate": "2026-01-31",
        },
        shows=("joined-properties", "metric-dates"),
    ),
    Sent("ids and nothing else", "read_campaigns", [{"id": "a-1"}]),
    Sent(
        "events, one with a short and a long custom property",
        "update_marketing_events",
        [
            {"objectId": "990017", "customProperties": [], "eventName": "Open house"},
            {
                "objectId": "990018",
                "customProperties": [
                    {"name": "seats", "value": "40"},
                    {
                        "name": "hall",
                        "value": "3",
                        "source": "A_SOURCE_OF_TOMORROW",
                        "dataSensitivity": "none",
                        "isLargeValue": False,
                        "maskedSubstrings": {"substrings": [{"from": 1, "to": 2}]},
                        "sourceVid": [1, 2],
                        "timestamp": 1772438400000,
                    },
                    {"name": "floor", "value": "1", "maskedSubstrings": {}},
                ],
                "startDateTime": "2026-04-01T09:00:00Z",
                "endDateTime": "2026-04-01T11:00:00+02:00",
                "eventCancelled": False,
            },
        ],
        shows=(
            "short-custom-properties",
            "free-custom-values",
            "free-sources",
            "masked-substrings",
            "masked-substrings-left-out",
        ),
    ),
    Sent(
        "as many events as the CRM takes",
        "update_marketing_events",
        [{"objectId": str(i), "customProperties": []} for i in range(100)],
        shows=("event-limit",),
    ),
)

EDGE_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Service unavailable</title></head>"
    b"<body><h1>Error 1020</h1><p>Please try again.</p></body></html>\n"
)

# Bodies that hold no JSON object.
UNREADABLE: dict[str, bytes] = {
    "empty": b"",
    "HTML": EDGE_PAGE,
    "cut off": json.dumps(batch([CALL])).encode()[:-40],
    "cut off inside a character": '{"message": "caf\u00e9'.encode()[:-1],
    "Latin-1": '{"status": "error", "message": "caf\u00e9"}'.encode("latin-1"),
    "binary": bytes(range(256)),
    "nested too deeply": b'{"results":' + b"[" * 200_000,
    "nested too deeply, and closed": b"[" * 200_000 + b"]" * 200_000,
    "a number that is too long": b'{"numErrors": ' + b"9" * 5_000 + b"}",
    "a list": b"[]",
    "a text": b'"OK"',
    "a number": b"1",
    "null": b"null",
    "two documents": b"{}{}",
}
