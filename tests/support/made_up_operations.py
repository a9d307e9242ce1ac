"""Published descriptions of made-up batch operations, as many as there are seeds.

Decides which combinations come: kind, path, fields of inputs and results, enumerations, maps,
recursion, defaults, ways of stating limits and scopes. Everything is spelled as HubSpot spells it
(published_descriptions.py). The sentences are marked, so that a copied one is noticed.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import published_descriptions as published

Json = dict[str, Any]

COPIED = "Zephyrs seldom whistle"
"""A phrase in every text of these descriptions, and nowhere else."""

FAMILIES = (
    *("contacts", "companies", "exchange-rates", "marketing-emails", "feedback_submissions"),
    *(
        "statuses",
        "addresses",
        "taxes",
        "goalTargets",
        "series",
        "0-3",
        "invoices",
        "call",
        "campaign",
    ),
)
BEFORE = ("/crm/{v}/objects", "/crm/objects/{v}", "/cms/{v}/blogs", "/marketing/{v}", "/{v}")
VERBS = ("create", "read", "update", "upsert")
_UNNAMED = ("create", "upsert")  # no result has the id of its input
# What is less usual, and works nevertheless.
FORMS = (
    *("archive", "purge", "path", "strings", "choice", "other id", "number id", "no frame"),
    *("no body", "no success", "renamed", "nested maps", "one traced", "number value"),
    *("holds itself", "uuid"),
)
# What no fragment can have today, each with the words of its reason.
ODD = {
    "no answer": "it is a read, and has no successful JSON response",
    "mixed": "its inputs are neither objects, nor texts",
    "list": "its successful JSON response is no object",
    "nothing repeated": "nothing in its results says which input each belongs to",
    "no inputs": "it is no batch",
    "header": "it requires a header",
    "own name": "`objectType` and `objectType` are one argument in Python",
}
WORDS = ("from", "class", "ownerId", "color", "is_active", "hasMore", "foo-bar", "count", "dueAt")


def operation(seed: int, odd: str = "") -> tuple[Json, str]:
    """Return a description with one made-up batch operation, and that operation's title.

    Args:
        seed: Decides everything else.
        odd: A name in FORMS, or in ODD for an operation that no fragment can have.
    """
    rng = random.Random(f"{seed} {odd}")
    return _Maker(rng, odd).description()


class _Maker:
    def __init__(self, rng: random.Random, odd: str) -> None:
        self.rng = rng
        self.odd = odd
        self.schemas: Json = dict(published.COMMON)
        named = odd in ("other id", "number id", "strings", "uuid")
        if odd in ("one traced", "number value"):
            self.verb = "upsert"
            return
        verbs = VERBS[1:] if named else _UNNAMED if odd == "nothing repeated" else VERBS
        verbs = ("read",) if odd == "no answer" else verbs
        verbs = ("create", "update", "archive") if odd in ("no body", "no success") else verbs
        self.verb = odd if odd in ("archive", "purge") else rng.choice(verbs)

    def description(self) -> tuple[Json, str]:
        rng = self.rng
        version = rng.choice(("v3", "v1", "2026-03", "2026-09-beta"))
        before = rng.choice(BEFORE).format(v=version)
        family = rng.choice(FAMILIES)
        if self.odd in ("path", "own name"):
            family = "{objectType}/" + family
        path = f"{before}/{family}/batch/{self.verb}"
        document = published.description("calls")
        document["paths"][path] = {"post": self._operation(path)}
        document["components"]["schemas"] = {**document["components"]["schemas"], **self.schemas}
        return document, f"POST {path}"

    def _operation(self, path: str) -> Json:
        rng = self.rng
        self.schemas["BatchInputThing"] = self._body()
        merged, success = rng.random() < 0.3, "201" if self.verb == "create" else "200"
        self._result()
        if self.verb in _UNNAMED and self.odd != "no inputs":
            self._repeat()
        for end in ("", "WithErrors"):
            self.schemas[f"BatchResponseThing{end}"] = self._frame(errors=merged or bool(end))
        made = published._operation(
            *(path, "BatchInputThing", "BatchResponseThing", success),
            rng.choice(([], ["things.write"], ["things.read", "things.write"])),
        )
        if merged:
            del made["responses"]["207"]
        if self.odd in ("no body", "no answer") or self.verb == "archive":
            made["responses"] = {"204": {"description": "No content", "content": {}}}
        if self.odd == "no success":
            made["responses"] = {"default": {"description": COPIED}}
        if self.odd == "list":
            media = {"schema": published._list(published._ref("PublicThing"))}
            content = {"application/json": media}
            made["responses"] = {"200": {"description": COPIED, "content": content}}
        if rng.random() < 0.2:
            made["security"].append({"private_apps": ["other.scope"]})
        if rng.random() < 0.1:
            made["deprecated"] = True
        limit = rng.choice(("", "", " A batch request takes a maximum of 20 items."))
        made |= {"summary": COPIED, "description": f"{COPIED} to {self.verb}.{limit}"}
        made["parameters"] = [*self._parameters()]
        return made

    def _parameters(self) -> list[Json]:
        rng = self.rng
        every = [
            {"name": "archived", "in": "query", "schema": {"type": "boolean", "default": False}},
            {
                "name": "colors",
                "in": "query",
                "schema": {"type": "array", "items": {"type": "string"}},
            },
            {"name": "level", "in": "query", "schema": {"type": "string", "enum": ["LOW", "HIGH"]}},
            {"name": "X-Trace", "in": "header", "schema": {"type": "string"}},
            {"name": "since", "in": "query", "schema": {"type": "string", "format": "date-time"}},
        ]
        found = [{**one, "description": COPIED} for one in rng.sample(every, rng.randrange(3))]
        if self.odd in ("path", "own name"):
            found.append({"name": "objectType", "in": "path", "required": True})
            found[-1]["schema"] = published._text()
        if self.odd == "header":
            found.append({**every[3], "required": True})
        return found

    def _body(self) -> Json:
        rng = self.rng
        if self.odd == "no inputs":
            return published._object([], other=published._text())
        items = published._ref("ThingInput")
        if self.odd == "strings":
            items = published._text()
        if self.odd == "mixed":
            items = {"oneOf": [published._ref("ThingInput"), published._text()]}
        self._input()
        if self.odd == "choice":
            items = {"oneOf": [published._ref("ThingInput"), published._ref("OtherThing")]}
            fields = self.schemas["ThingInput"]
            more = {**fields["properties"], "number": published._number("int32")}
            self.schemas["OtherThing"] = published._object([*fields["required"], "number"], **more)
        if self.odd == "one traced":  # no request can have a trace id for each of its inputs
            text = published._map({"type": "string"})
            fields = {"id": published._text(), "idProperty": published._text(), "properties": text}
            self.schemas["ThingInput"] = published._object(["id"], **fields)
            more = {**fields, "objectWriteTraceId": published._text()}
            self.schemas["OtherThing"] = published._object(["objectWriteTraceId"], **more)
            items = {"oneOf": [published._ref("ThingInput"), published._ref("OtherThing")]}
        inputs = published._list(items)
        if rng.random() < 0.3:
            inputs["maxItems"] = rng.choice((1, 10, 50, 1000))
        more: Json = {}
        if self.verb == "read":
            more["properties"] = published._list({"type": "string"})
        if self.odd == "own name":  # an argument of the path has the same name
            more["objectType"] = published._text()
        if rng.random() < 0.3:
            more["dryRun"] = {"type": "boolean", "default": False, "description": COPIED}
        return published._object(
            ["inputs", *([*more][:1] if rng.random() < 0.4 else [])], inputs=inputs, **more
        )

    def _input(self) -> None:
        rng = self.rng
        fields: Json = {}
        if self.verb != "create":
            name = "recordId" if self.odd == "other id" else "id"
            numbers = self.odd in ("number id", "number value")
            fields[name] = published._number("int64") if numbers else published._text()
            if self.odd == "uuid":
                fields[name] = published._text(format="uuid")
        if self.odd == "number value":
            fields["idProperty"] = published._text()
            fields["properties"] = published._map({"type": "string"})
        if rng.random() < 0.7 and self.verb != "read":
            fields["properties"] = published._map({"type": "string"})
        if rng.random() < 0.4 and self.verb in ("create", "upsert"):
            fields["objectWriteTraceId"] = published._text(description=COPIED)
        if rng.random() < 0.4 and self.verb in ("update", "upsert"):
            fields["idProperty"] = published._text()
        if rng.random() < 0.3 and self.verb == "create":
            fields["associations"] = published._list(published._ref("PublicAssociationsForObject"))
        for name in rng.sample(WORDS, rng.randrange(3)):
            fields[name] = self._value(name, depth=0)
        ids = ("id", "recordId")
        needed = [name for name in fields if name in ids or rng.random() < 0.4]
        self.schemas["ThingInput"] = published._object(needed, **fields)

    def _result(self) -> None:
        rng = self.rng
        name = "recordId" if self.odd == "other id" and self.verb != "create" else "id"
        fields: Json = {name: published._text(description=COPIED)}
        if self.odd in ("number id", "number value"):
            fields[name] = published._number("int64")
        if self.odd == "uuid":
            fields[name] = published._text(format="uuid")
        if self.odd == "holds itself":
            text = {"field": published._text()}  # a name that models use
            more = {"whole": published._ref("PublicThing"), **text}
            self.schemas["ThingNode"] = published._object([], **more)
            fields |= {"nodes": published._map(published._ref("ThingNode")), **text}
        if self.odd == "nested maps":
            level = published._text(enum=["LOW", "HIGH"])
            fields["levels"] = published._map(published._map(published._list(level)))
        if rng.random() < 0.8 or self.odd in ("one traced", "number value"):
            fields["properties"] = published._map({"type": "string"})
        if rng.random() < 0.5:
            fields["objectWriteTraceId"] = published._text()
        if rng.random() < 0.3:
            fields["propertiesWithHistory"] = published._map(
                published._list(published._ref("ValueWithTimestamp"))
            )
        for name in rng.sample([*WORDS, "createdAt", "archived"], rng.randrange(5)):
            fields[name] = self._value(name, depth=0)
        ids = ("id", "recordId")
        needed = [name for name in fields if name in ids or rng.random() < 0.5]
        whole = published._object(needed, **fields)
        if rng.random() < 0.2:
            self.schemas["ThingBase"] = whole
            more = published._object(["extra"], extra=published._text())
            whole = {"allOf": [published._ref("ThingBase"), more]}
        self.schemas["PublicThing"] = whole

    def _repeat(self) -> None:
        """Let results repeat a part of their inputs, or nothing if that is what is odd."""
        given = self.schemas["ThingInput"]
        result = self.schemas.get("ThingBase", self.schemas["PublicThing"])
        had, names = given["properties"], {*result["properties"]}
        if self.odd == "nothing repeated":
            useful = {"objectWriteTraceId", "idProperty", *names} - {"id"}
            given["properties"] = {key: part for key, part in had.items() if key not in useful}
            given["required"] = [key for key in given["required"] if key not in useful]
            given["properties"]["colour"] = published._text()
        elif not {"objectWriteTraceId", "idProperty", *names} & {*had} - {"id"}:
            for fields in (had, result["properties"]):
                fields["properties"] = published._map({"type": "string"})

    def _frame(self, *, errors: bool) -> Json:
        frame = published._frame("PublicThing", errors=errors)
        if self.odd == "no frame":
            del frame["properties"]["startedAt"]
            frame["required"].remove("startedAt")
        if self.odd == "renamed":
            fields = frame["properties"]
            fields["rows"] = fields.pop("results")
            frame["required"][frame["required"].index("results")] = "rows"
        if self.rng.random() < 0.1:
            frame["properties"]["warningCount"] = published._number("int32")
        return frame

    def _value(self, name: str, depth: int) -> Json:
        rng, said = self.rng, {"description": COPIED}
        plain: list[Callable[[], Json]] = [
            lambda: published._text(**said),
            lambda: published._text(format=rng.choice(["date-time", "date", "uuid", "uri"])),
            lambda: {**published._number(rng.choice(["int32", "int64"])), "minimum": 0},
            lambda: {"type": "boolean", "default": rng.random() < 0.5},
            lambda: published._text(enum=rng.choice([["ON", "OFF"], ["a b", "c-d"]]), **said),
            lambda: published._text(maxLength=200, nullable=True),
            lambda: {"type": "object", "properties": {}, "example": None},
        ]
        nested: list[Callable[[], Json]] = [
            lambda: published._list(self._value(name, depth + 1)),
            lambda: published._map(self._value(name, depth + 1)),
            lambda: {"oneOf": [published._text(), published._number("int32")]},
            lambda: self._part(name, depth),
        ]
        return rng.choice([*plain, *(nested if depth < 2 else [])])()

    def _part(self, name: str, depth: int) -> Json:
        made = f"Public{name.title().replace('-', '').replace('_', '')}Part{depth}"
        if made not in self.schemas:
            self.schemas[made] = {}
            value = self._value("value", depth + 1)
            self.schemas[made] = published._object(["value"], value=value, note=published._text())
        return published._ref(made)
