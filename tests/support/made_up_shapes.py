"""Fragments for made-up operations of every class that HubSpot publishes.

Each has a family of its own, so that its records in the sandbox are its own too. Everything that is
drawn comes from a seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, NamedTuple

Json = dict[str, Any]

KINDS = ("create", "read", "update", "upsert", "archive", "purge", "clone")
KEYS = ("id", "objectId", "said", "number", "together", "bare", "fields", "either")
ANSWERS = ("usual", "none", "renamed")
PATHS = ("plain", "named")


class MadeUp(NamedTuple):
    """One operation: its family, what it does, how it is named and how it answers."""

    tag: str
    kind: str
    key: str
    answer: str
    path: str
    says_kind: bool

    @property
    def id(self) -> str:
        """The operation's id."""
        return f"{self.kind}_{self.tag}"

    @property
    def refused(self) -> str:
        """A part of the reason for which the tools refuse it; empty if they take it."""
        if self.kind == "read" and self.answer == "none":
            return "has no list of results"
        if self.answer != "none" and not self._matched:
            return "says which input it belongs to"
        return ""

    @property
    def _matched(self) -> bool:
        """True if input and result share something that can say whose a result is."""
        if self.key == "bare":
            return self.kind != "create"
        return True


def draw(seed: int, count: int) -> list[MadeUp]:
    """Return operations of all combinations, in an order that the seed decides."""
    rng = random.Random(seed)
    every = [
        (kind, key, answer, path)
        for kind in KINDS
        for key in KEYS
        for answer in ANSWERS
        for path in PATHS
    ]
    rng.shuffle(every)
    made = []
    for number, (kind, key, answer, path) in enumerate(every[:count]):
        made.append(MadeUp(f"zone{number}", kind, key, answer, path, rng.random() < 0.3))
    return made


def fragment(made: list[MadeUp], page: str) -> Json:
    """Return a fragment with operations and their schemas."""
    document: Json = {"paths": {}, "components": {"schemas": {}}}
    for one in made:
        path, operation = _operation(one, page)
        document["paths"][path] = {"post": operation}
        document["components"]["schemas"] |= dict(_schemas(one, page))
    return document


def _name(one: MadeUp, part: str) -> str:
    return f"{one.tag.capitalize()}{part}"


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _operation(one: MadeUp, page: str) -> tuple[str, Json]:
    path = f"/made/up/{one.tag}"
    parameters: list[Json] = []
    if one.path == "named":
        path += "/{tableIdOrName}"
        text = {"type": "string", "description": "The table."}
        parameters = [
            {"name": "tableIdOrName", "in": "path", "required": True, "x-source": page}
            | {"schema": text}
        ]
    json = {"application/json": {"schema": _ref(_name(one, "Batch"))}}
    responses: Json = {"2XX": {"description": "Done.", "content": json}}
    if one.answer == "none":
        responses = {"204": {"description": "Done."}}
    operation: Json = {
        "operationId": one.id,
        "tags": [one.tag],
        "summary": f"{one.kind.capitalize()} what is made up.",
        "x-source": page,
        "security": [{"bearer": ["made.up"]}],
        "parameters": parameters,
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _ref(_name(one, "BatchInput"))}},
        },
        "responses": {**responses, "default": {"$ref": "#/components/responses/Error"}},
    }
    if one.answer == "renamed":
        operation["x-results"] = "rows"
    if one.key == "said":
        operation["x-key"] = "code"
    if one.key == "together":
        operation["x-key"] = ["accountId", "eventId"]
    if one.kind == "purge" and one.says_kind:
        operation["x-kind"] = "archive"
    if not parameters:
        del operation["parameters"]
    return f"{path}/batch/{one.kind}", operation


def _fields(one: MadeUp) -> tuple[Json, list[str]]:
    """Return the fields of an input, and the required ones."""
    text = {"type": "string", "description": "A text."}
    named: Json = {
        "id": {"id": text},
        "objectId": {"objectId": text},
        "said": {"code": text, "other": text},
        "number": {"id": {"type": "integer", "description": "A number."}},
        "together": {"accountId": text, "eventId": text},
        "fields": {},
        "either": {"id": text},
    }[one.key]
    fields = named | {"title": text, "amount": {"type": "number", "description": "How much."}}
    return fields, [*named, *(["title"] if one.key == "fields" else [])]


def _schemas(one: MadeUp, page: str) -> Iterator[tuple[str, Json]]:
    noted = {"description": "Made up.", "x-source": page}
    item: Json = {"type": "string"}
    fields: Json = {}
    if one.key != "bare":
        fields, required = _fields(one)
        model = {"type": "object", **noted, "properties": fields, "required": required}
        yield _name(one, "Input"), model
        item = _ref(_name(one, "Input"))
    if one.key == "either":
        more = {"flag": {"type": "boolean", "description": "A flag."}}
        other = {"type": "object", **noted, "required": ["id", "flag"]}
        yield _name(one, "Other"), {**other, "properties": {"id": fields["id"], **more}}
        item = {"oneOf": [_ref(_name(one, "Input")), _ref(_name(one, "Other"))]}
    inputs = {"type": "array", "maxItems": 3, "items": item}
    body = {"type": "object", **noted, "required": ["inputs"], "properties": {"inputs": inputs}}
    yield _name(one, "BatchInput"), body
    if one.answer == "none":
        return
    id_ = {"type": "string", "description": "The record's id."}
    own = {"id": id_} if "id" not in fields else {}
    result = {"type": "object", **noted, "properties": {**own, **fields}}
    yield _name(one, ""), {**result, "required": [*own, *_required(one)]}
    name = "rows" if one.answer == "renamed" else "results"
    rows = {"type": "array", "description": "Records.", "items": _ref(_name(one, ""))}
    framed = {"type": "object", "required": [name], "properties": {name: rows}}
    yield (
        _name(one, "Batch"),
        (
            {**noted, **framed}
            if one.answer == "renamed"
            else {**noted, "allOf": [_ref("BatchSummary"), framed]}
        ),
    )


def _required(one: MadeUp) -> list[str]:
    return [] if one.key == "bare" else _fields(one)[1]
