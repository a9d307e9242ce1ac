"""API descriptions in the form in which HubSpot publishes them, made from what is known of them.

One OpenAPI 3.0.1 document for each product and version, with many paths beside ours, null for
most examples, the error under `*/*`, operation ids that are no names, and security as scopes. The
fields are facts; no sentence is HubSpot's.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

PRODUCTS = ("campaigns", "marketing-events", "calls")
VERSIONS = ("v3", "2026-03", "2026-09")


def _text(**more: Any) -> Json:
    return {"type": "string", "example": None, **more}


def _moment() -> Json:
    return _text(format="date-time")


def _number(size: str) -> Json:
    return {"type": "integer", "format": size, "example": None}


def _list(item: Json) -> Json:
    return {"type": "array", "example": None, "items": item}


def _map(item: Json) -> Json:
    return {"type": "object", "additionalProperties": item, "example": None}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(required: list[str], **properties: Any) -> Json:
    return {"type": "object", "required": required, "properties": properties, "example": None}


def _frame(result: str, *, errors: bool) -> Json:
    schema = _object(
        ["completedAt", "results", "startedAt", "status"],
        completedAt=_moment(),
        requestedAt=_moment(),
        startedAt=_moment(),
        links=_map({"type": "string"}),
        results=_list(_ref(result)),
        status=_text(enum=["CANCELED", "COMPLETE", "PENDING", "PROCESSING"]),
    )
    if errors:
        schema["properties"] |= {
            "numErrors": _number("int32"),
            "errors": _list(_ref("StandardError")),
        }
    return schema


COMMON: Json = {
    "Error": _object(
        ["category", "correlationId", "message"],
        category=_text(),
        context=_map(_list({"type": "string"})),
        correlationId=_text(format="uuid", example="aeb5f871-7f07-4993-9211-075dc63e7cbf"),
        errors=_list(_ref("ErrorDetail")),
        links=_map({"type": "string"}),
        message=_text(example="An error occurred"),
        subCategory=_text(),
    ),
    "ErrorDetail": _object(
        ["message"],
        code=_text(),
        context=_map(_list({"type": "string"})),
        message=_text(),
        subCategory=_text(),
        **{"in": _text()},
    ),
    "StandardError": _object(
        ["category", "context", "errors", "links", "message", "status"],
        category=_text(),
        context=_map(_list({"type": "string"})),
        errors=_list(_ref("ErrorDetail")),
        id=_text(),
        links=_map({"type": "string"}),
        message=_text(),
        status=_text(),
        subCategory={"type": "object", "properties": {}, "example": None},
    ),
}

CAMPAIGN = {
    "id": _text(),
    "businessUnits": _list(_ref("PublicBusinessUnit")),
    "createdAt": _moment(),
    "properties": _map({"type": "string"}),
    "updatedAt": _moment(),
}
_NEEDED = ["businessUnits", "createdAt", "id", "properties", "updatedAt"]

CAMPAIGNS: Json = {
    "PublicBusinessUnit": _object(["id"], id=_number("int64")),
    "PublicCampaign": _object(_NEEDED, **CAMPAIGN),
    "PublicCampaignWithAssets": {
        "allOf": [_ref("PublicCampaign"), _object(["assets"], assets=_map(_ref("AssetPage")))],
        "example": None,
    },
    "AssetPage": _object(["results"], paging=_ref("Paging"), results=_list(_ref("PublicAsset"))),
    "PublicAsset": _object(["id"], id=_text(), metrics=_map({"type": "number"}), name=_text()),
    "Paging": _object([], next=_ref("NextPage"), prev=_ref("PreviousPage")),
    "NextPage": _object(["after"], after=_text(), link=_text()),
    "PreviousPage": _object(["before"], before=_text(), link=_text()),
    "PublicCampaignInput": _object(["properties"], properties=_map({"type": "string"})),
    "PublicCampaignReadInput": _object(["id"], id=_text()),
    "BatchInputPublicCampaignInput": _object(["inputs"], inputs=_list(_ref("PublicCampaignInput"))),
    "BatchInputPublicCampaignReadInput": _object(
        ["inputs"], inputs=_list(_ref("PublicCampaignReadInput"))
    ),
    "PublicCampaignUpdate": _object(
        ["id", "properties"], id=_text(), properties=_map({"type": "string"})
    ),
    "BatchInputPublicCampaignUpdate": _object(
        ["inputs"], inputs=_list(_ref("PublicCampaignUpdate"))
    ),
    "PublicCampaignDelete": _object(["id"], id=_text()),
    "BatchInputPublicCampaignDelete": _object(
        ["inputs"], inputs=_list(_ref("PublicCampaignDelete"))
    ),
    "BatchResponsePublicCampaign": _frame("PublicCampaign", errors=False),
    "BatchResponsePublicCampaignWithErrors": _frame("PublicCampaign", errors=True),
    "BatchResponsePublicCampaignWithAssets": _frame("PublicCampaignWithAssets", errors=False),
    "BatchResponsePublicCampaignWithAssetsWithErrors": _frame(
        "PublicCampaignWithAssets", errors=True
    ),
}

EVENT = {
    "eventDescription": _text(),
    "eventName": _text(),
    "eventOrganizer": _text(),
    "eventType": _text(),
    "eventUrl": _text(),
    "startDateTime": _moment(),
    "endDateTime": _moment(),
    "eventCancelled": {"type": "boolean", "example": None},
    "objectId": _text(),
}

EXTERNAL = {"externalAccountId": _text(), "externalEventId": _text()}

MARKETING_EVENTS: Json = {
    "PropertyValue": _object(
        [
            *("dataSensitivity", "isEncrypted", "isLargeValue", "maskedSubstrings", "name"),
            *("persistenceTimestamp", "requestId", "selectedByUser", "selectedByUserTimestamp"),
            *("source", "sourceId", "sourceLabel", "sourceMetadata", "sourceUpstreamDeployable"),
            *("sourceVid", "timestamp", "unit", "updatedByUserId"),
            *("useTimestampAsPersistenceTimestamp", "value"),
        ],
        dataSensitivity=_text(enum=["high", "none", "standard"]),
        isEncrypted={"type": "boolean"},
        isLargeValue={"type": "boolean"},
        maskedSubstrings=_object(["substrings"], substrings=_list({"type": "string"})),
        name=_text(),
        persistenceTimestamp=_number("int64"),
        requestId=_text(),
        selectedByUser={"type": "boolean"},
        selectedByUserTimestamp=_number("int64"),
        source=_text(enum=["ACADEMY", "API", "CRM_UI", "IMPORT"]),
        sourceId=_text(),
        sourceLabel=_text(),
        sourceMetadata=_text(),
        sourceUpstreamDeployable=_text(),
        sourceVid=_list(_number("int64")),
        timestamp=_number("int64"),
        unit=_text(),
        updatedByUserId=_number("int32"),
        useTimestampAsPersistenceTimestamp={"type": "boolean"},
        value=_text(),
    ),
    "CrmPropertyWrapper": _object(["name", "value"], name=_text(), value=_text()),
    "AppInfo": _object(["id", "name"], id=_text(), name=_text()),
    "EventUpdate": _object(
        ["customProperties", "objectId"],
        customProperties=_list(_ref("PropertyValue")),
        **EVENT,
    ),
    "Event": _object(
        ["createdAt", "customProperties", "eventName", "objectId", "updatedAt"],
        appInfo=_ref("AppInfo"),
        createdAt=_moment(),
        customProperties=_list(_ref("CrmPropertyWrapper")),
        eventCompleted={"type": "boolean", "example": None},
        updatedAt=_moment(),
        **EVENT,
    ),
    "EventCreate": _object(
        ["customProperties", "eventName", "eventOrganizer", *EXTERNAL],
        customProperties=_list(_ref("PropertyValue")),
        eventCompleted={"type": "boolean", "example": None},
        **{name: schema for name, schema in EVENT.items() if name != "objectId"},
        **EXTERNAL,
    ),
    "EventName": _object(["appId", *EXTERNAL], appId=_number("int32"), **EXTERNAL),
    "EventId": _object(["objectId"], objectId=_text()),
    "BatchInputEventCreate": _object(["inputs"], inputs=_list(_ref("EventCreate"))),
    "BatchInputEventName": _object(["inputs"], inputs=_list(_ref("EventName"))),
    "BatchInputEventId": _object(["inputs"], inputs=_list(_ref("EventId"))),
    "BatchInputEventUpdate": _object(["inputs"], inputs=_list(_ref("EventUpdate"))),
    "BatchResponseEvent": _frame("Event", errors=False),
    "BatchResponseEventWithErrors": _frame("Event", errors=True),
}

CALLS: Json = {
    "AssociationSpec": _object(
        ["associationCategory", "associationTypeId"],
        associationCategory=_text(
            enum=["HUBSPOT_DEFINED", "INTEGRATOR_DEFINED", "USER_DEFINED", "WORK"]
        ),
        associationTypeId=_number("int32"),
    ),
    "PublicObjectId": _object(["id"], id=_text(example="37295")),
    "PublicAssociationsForObject": _object(
        ["to", "types"], to=_ref("PublicObjectId"), types=_list(_ref("AssociationSpec"))
    ),
    "SimplePublicObjectInput": _object(
        ["associations", "properties"],
        associations=_list(_ref("PublicAssociationsForObject")),
        objectWriteTraceId=_text(),
        properties=_map({"type": "string"}),
    ),
    "ValueWithTimestamp": _object(
        ["sourceType", "timestamp", "value"],
        sourceId=_text(),
        sourceLabel=_text(),
        sourceType=_text(),
        timestamp=_moment(),
        updatedByUserId=_number("int32"),
        value=_text(),
    ),
    "SimplePublicObject": _object(
        ["archived", "createdAt", "id", "properties", "updatedAt"],
        archived={"type": "boolean", "example": False},
        archivedAt=_moment(),
        createdAt=_moment(),
        id=_text(example="512"),
        objectWriteTraceId=_text(),
        properties=_map({"type": "string", "nullable": True}),
        propertiesWithHistory=_map(_list(_ref("ValueWithTimestamp"))),
        updatedAt=_moment(),
        url=_text(),
        warnings=_list(
            _object(
                ["category", "context", "message"],
                category=_text(),
                context=_map(_text()),
                message=_text(),
            )
        ),
    ),
    "BatchInputSimplePublicObjectInput": _object(
        ["inputs"], inputs=_list(_ref("SimplePublicObjectInput"))
    ),
    "SimplePublicObjectId": _object(["id"], id=_text(example="430001")),
    "SimplePublicObjectBatchInput": _object(
        ["id", "properties"],
        id=_text(),
        idProperty=_text(),
        objectWriteTraceId=_text(),
        properties=_map({"type": "string"}),
    ),
    "UpsertObject": {
        "allOf": [
            _ref("SimplePublicObject"),
            _object(["new"], new={"type": "boolean", "example": False}),
        ]
    },
    "BatchReadInput": _object(
        ["inputs"],
        inputs=_list(_ref("SimplePublicObjectId")),
        properties=_list({"type": "string"}),
        propertiesWithHistory=_list({"type": "string"}),
        idProperty=_text(),
    ),
    "BatchInputId": _object(["inputs"], inputs=_list(_ref("SimplePublicObjectId"))),
    "BatchInputUpdate": _object(["inputs"], inputs=_list(_ref("SimplePublicObjectBatchInput"))),
    "BatchResponseUpsertObject": _frame("UpsertObject", errors=False),
    "BatchResponseUpsertObjectWithErrors": _frame("UpsertObject", errors=True),
    "BatchResponseSimplePublicObject": _frame("SimplePublicObject", errors=False),
    "BatchResponseSimplePublicObjectWithErrors": _frame("SimplePublicObject", errors=True),
}

_SCHEMAS = {"campaigns": CAMPAIGNS, "marketing-events": MARKETING_EVENTS, "calls": CALLS}


def path_of(product: str, version: str, rest: str) -> str:
    """The path of an operation: the version stands elsewhere since 2026-03."""
    before, after = {
        "campaigns": ("/marketing", "/campaigns"),
        "marketing-events": ("/marketing", "/marketing-events"),
        "calls": ("/crm", "/objects"),
    }[product]
    if product == "calls":
        rest = f"/calls{rest}"
    return f"{before}/v3{after}{rest}" if version == "v3" else f"{before}{after}/{version}{rest}"


def _operation(path: str, body: str, answer: str, success: str, scopes: list[str]) -> Json:
    def answered(name: str, words: str) -> Json:
        return {
            "description": words,
            "content": {"application/json": {"schema": _ref(name)}},
        }

    return {
        "tags": ["Batch"],
        "operationId": f"post-{path}",
        "requestBody": {
            "content": {"application/json": {"schema": _ref(body)}},
            "required": True,
        },
        "responses": {
            success: answered(answer, "done"),
            "207": answered(f"{answer}WithErrors", "some done"),
            "default": {"$ref": "#/components/responses/Error"},
        },
        "security": [{"oauth2": scopes}, {"private_apps": scopes}],
    }


def _without_answer(path: str, body: str, scopes: list[str]) -> Json:
    """An operation that only says that all was done."""
    made = _operation(path, body, "", "204", scopes)
    made["responses"] = {
        "204": {"description": "No content", "content": {}},
        "default": made["responses"]["default"],
    }
    return made


def _others(product: str, version: str) -> Iterator[tuple[str, Json]]:
    """The operations that came after the first four."""
    # Path, body and answer of each; without an answer, it has none.
    scope, rows = {
        "campaigns": (
            "marketing.campaigns.write",
            [
                ("/batch/update", "BatchInputPublicCampaignUpdate", "BatchResponsePublicCampaign"),
                ("/batch/archive", "BatchInputPublicCampaignDelete", ""),
            ],
        ),
        "marketing-events": (
            "crm.objects.marketing_events.write",
            [
                ("/batch/archive", "BatchInputEventId", ""),
                ("/events/upsert", "BatchInputEventCreate", "BatchResponseEvent"),
                ("/events/delete", "BatchInputEventName", ""),
            ],
        ),
        "calls": (
            "crm.objects.contacts.write",
            [
                ("/batch/read", "BatchReadInput", "BatchResponseSimplePublicObject"),
                ("/batch/update", "BatchInputUpdate", "BatchResponseSimplePublicObject"),
                ("/batch/upsert", "BatchInputUpdate", "BatchResponseUpsertObject"),
                ("/batch/archive", "BatchInputId", ""),
            ],
        ),
    }[product]
    for rest, body, answer in rows:
        path = path_of(product, version, rest)
        scopes = [scope.replace("write", "read") if rest == "/batch/read" else scope]
        if answer:
            yield path, _operation(path, body, answer, "200", scopes)
        else:
            yield path, _without_answer(path, body, scopes)


def _ours(product: str, version: str) -> Iterator[tuple[str, Json]]:
    if product == "campaigns":
        create = path_of(product, version, "/batch/create")
        made = _operation(
            create,
            "BatchInputPublicCampaignInput",
            "BatchResponsePublicCampaign",
            "201",
            ["marketing.campaigns.write"],
        )
        made["description"] = "Make campaigns. A batch request takes a maximum of 50 items."
        yield create, made
        read = path_of(product, version, "/batch/read")
        made = _operation(
            read,
            "BatchInputPublicCampaignReadInput",
            "BatchResponsePublicCampaignWithAssets",
            "200",
            ["marketing.campaigns.read"],
        )
        made["description"] = "Fetch campaigns. Up to 50 inputs in a request."
        made["parameters"] = [
            {"$ref": "#/components/parameters/StartDate"},
            {"name": "endDate", "in": "query", "required": False, "schema": {"type": "string"}},
            {
                "name": "properties",
                "in": "query",
                "explode": True,
                "schema": {"type": "array", "items": {"type": "string"}},
            },
        ]
        yield read, made
    elif product == "marketing-events":
        update = path_of(product, version, "/batch/update")
        yield (
            update,
            _operation(
                update,
                "BatchInputEventUpdate",
                "BatchResponseEvent",
                "200",
                ["crm.objects.marketing_events.write"],
            ),
        )
    else:
        create = path_of(product, version, "/batch/create")
        yield (
            create,
            _operation(
                create,
                "BatchInputSimplePublicObjectInput",
                "BatchResponseSimplePublicObject",
                "201",
                ["crm.objects.contacts.write"],
            ),
        )


def description(product: str, version: str = "v3", *, others: int = 3) -> Json:
    """Return the published description of a product, with some operations beside ours.

    It shares nothing with another one, so a test can change what it likes. From 2026-09 on, errors
    stand in the one answer, and an event is written without masked substrings.
    """
    made = (*_ours(product, version), *_others(product, version))
    paths = {path: {"post": operation} for path, operation in made}
    for number in range(others):
        path = path_of(product, version, f"/{{id}}/other{number}")
        paths[path] = {
            "get": {
                "operationId": f"get-{path}",
                "responses": {"200": {"description": "", "content": {}}},
            }
        }
    made = {
        "openapi": "3.0.1",
        "info": {"title": product, "version": version, "x-hubspot-product-tier-requirements": {}},
        "servers": [{"url": "https://api.hubapi.com"}],
        "tags": [{"name": "Batch"}, {"name": "Basic"}],
        "paths": paths,
        "components": {
            "parameters": {
                "StartDate": {"name": "startDate", "in": "query", "schema": {"type": "string"}}
            },
            "responses": {
                "Error": {
                    "description": "An error occurred.",
                    "content": {"*/*": {"schema": _ref("Error")}},
                }
            },
            "schemas": copy.deepcopy({**COMMON, **_SCHEMAS[product]}),
            "securitySchemes": {
                "oauth2": {"type": "oauth2", "flows": {}},
                "private_apps": {"type": "apiKey", "in": "header", "name": "private-app"},
            },
        },
        "x-hubspot-available-client-libraries": ["PYTHON"],
    }
    return _merged(made) if version >= "2026-09" and version[0] != "v" else made


def _merged(made: Json) -> Json:
    """Describe one response for each success, and events without masked substrings."""
    for path in made["paths"].values():
        for operation in path.values():
            answers = operation["responses"]
            if partial := answers.pop("207", None):
                (success,) = (code for code in answers if code[0] == "2")
                answers[success]["content"] = partial["content"]
    if value := made["components"]["schemas"].get("PropertyValue"):
        del value["properties"]["maskedSubstrings"]
        value["required"].remove("maskedSubstrings")
    return made
