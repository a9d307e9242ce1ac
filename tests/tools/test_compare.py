"""The differences between two descriptions: all of them, and no others."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import published_descriptions as published
import pytest
from comparison.compare_descriptions import (
    ComparisonResult,
    compare_descriptions,
    compare_documents,
    compare_operation,
)
from comparison.description import Description
from comparison.findings import Finding, Severity
from comparison.schema_forms import SchemaError
from generation import bundle, fragment_rules
from hypothesis import given, settings
from hypothesis import strategies as st
from rewritten_descriptions import SAME
from thoroughness import FACTOR

HOME = Path(__file__).parents[2] / "openapi"
Json = dict[str, Any]


@cache
def _bundle() -> Json:
    return bundle.build(HOME).document


def real() -> Json:
    """Our bundle, to be changed at will."""
    return copy.deepcopy(_bundle())


DOCUMENTS: dict[str, Callable[[], Json]] = {
    "bundle": real,
    **{
        f"{product} {version}": lambda p=product, v=version: copy.deepcopy(
            published.description(p, v)
        )
        for product in published.PRODUCTS
        for version in published.VERSIONS
    },
}


def seen(findings: list[Finding]) -> set[tuple[str, str, str]]:
    """Operation and direction of what is told, with what matters most of it."""
    most: dict[tuple[str, str], Severity] = {}
    for one in findings:
        key = (one.operation, one.direction)
        most[key] = min(one.severity, most.get(key, Severity.WORDING))
    return {(*key, str(severity)) for key, severity in most.items()}


# ---------------------------------------------------------------- precision


def shuffled(value: Any, draw: Callable[[Any], Any]) -> Any:
    """The same with keys, and lists without an order, in another order."""
    if isinstance(value, list):
        return [shuffled(item, draw) for item in value]
    if not isinstance(value, dict):
        return value
    keys = draw(st.permutations([*value]))
    made = {key: shuffled(value[key], draw) for key in keys}
    for key in ("required", "enum", "anyOf", "oneOf", "type"):
        if isinstance(made.get(key), list):
            made[key] = draw(st.permutations(made[key]))
    if isinstance(made.get("security"), list):
        made["security"] = draw(st.permutations(made["security"]))
    return made


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("how", SAME)
def test_the_same_written_otherwise_is_no_change(name: str, how: str) -> None:
    """Renamed, inlined, extracted, re-wrapped: there is nothing to report, either way round."""
    old, new = DOCUMENTS[name](), SAME[how](DOCUMENTS[name]())
    assert compare_documents(old, new) == []
    assert compare_documents(new, old) == []


@settings(max_examples=15)
@given(data=st.data())
def test_order_is_no_change(data: st.DataObject) -> None:
    """Keys, required names, values and alternatives may stand in any order."""
    name = data.draw(st.sampled_from([*DOCUMENTS]))
    new = shuffled(DOCUMENTS[name](), data.draw)
    assert compare_documents(DOCUMENTS[name](), new) == []


# ---------------------------------------------------------------- recall

BREAKS, ADDS, WORDS = (str(one) for one in Severity)
Both = tuple[str, str]  # the severity in a request, and in an answer
Change = Callable[[Json], object]


def schema_changes(node: Json) -> Iterator[tuple[str, Change, Both]]:
    """Every way to change one schema, and what it means in a request and in an answer."""
    kinds = node.get("type")
    plain = [kinds] if isinstance(kinds, str) else [k for k in kinds or () if k != "null"]
    if plain:
        yield from kind_changes(plain[0], isinstance(kinds, list))
        if "enum" not in node:
            yield "a default", lambda n: n.update(default="a"), (ADDS, ADDS)
    if plain == ["string"] and "enum" not in node:
        yield from text_changes(node)
    if plain == ["integer"]:
        fewer = {"int64": "int32"}.get(node.get("format", ""), "int64")
        severity = (BREAKS, ADDS) if fewer == "int32" else (ADDS, ADDS)
        yield "resize", lambda n: n.update(format=fewer), severity
        yield "a minimum", lambda n: n.update(minimum=n.get("minimum", 0) + 1), (BREAKS, ADDS)
    if "enum" in node:
        yield "value out", lambda n: n["enum"].pop(), (BREAKS, ADDS)
        yield "value in", lambda n: n["enum"].append("NEW"), (ADDS, ADDS)
        yield "any value", lambda n: n.pop("enum"), (ADDS, ADDS)
    if plain == ["array"]:
        yield from limit_changes(node)
    if "properties" in node:
        yield from field_changes(node)
    if isinstance(node.get("additionalProperties"), dict):
        yield "a closed map", lambda n: n.update(additionalProperties=False), (BREAKS, ADDS)
    yield "reworded", lambda n: n.update(description="Other words."), (WORDS, WORDS)
    if "description" in node:
        yield "wordless", lambda n: n.pop("description"), (WORDS, WORDS)


def kind_changes(kind: str, nullable: bool) -> Iterator[tuple[str, Change, Both]]:
    """Every way to change what kind a value is of."""
    other = "string" if kind in ("integer", "number") else "integer"
    new = [other, "null"] if nullable else other
    yield "retype", lambda n: n.update(type=new), (BREAKS, BREAKS)
    if kind == "integer":
        wider = ["number", "null"] if nullable else "number"
        yield "to any number", lambda n: n.update(type=wider), (ADDS, BREAKS)
    if nullable:
        yield "never null", lambda n: n.update(type=kind), (BREAKS, ADDS)
    else:
        yield "perhaps null", lambda n: n.update(type=[kind, "null"]), (ADDS, BREAKS)
        yield "nullable", lambda n: n.update(nullable=True), (ADDS, BREAKS)


def text_changes(node: Json) -> Iterator[tuple[str, Change, Both]]:
    """Every way to change what a text may be."""
    if "format" in node:
        typed = node["format"] in ("date-time", "date")
        yield "no format", lambda n: n.pop("format"), (ADDS, BREAKS if typed else ADDS)
        yield "reformat", lambda n: n.update(format="uuid"), (BREAKS, BREAKS)
    else:
        yield "to a moment", lambda n: n.update(format="date-time"), (BREAKS, BREAKS)
    yield "shorter", lambda n: n.update(maxLength=5), (BREAKS, ADDS)
    yield "a pattern", lambda n: n.update(pattern="^a"), (BREAKS, ADDS)
    yield "to a list of values", lambda n: n.update(enum=["A"]), (BREAKS, ADDS)


def limit_changes(node: Json) -> Iterator[tuple[str, Change, Both]]:
    """Every way to change how long a list may be."""
    if "maxItems" in node:
        yield "lower limit", lambda n: n.update(maxItems=n["maxItems"] - 1), (BREAKS, ADDS)
        yield "higher limit", lambda n: n.update(maxItems=n["maxItems"] + 1), (ADDS, BREAKS)
        yield "no limit", lambda n: n.pop("maxItems"), (ADDS, BREAKS)
    else:
        yield "a limit", lambda n: n.update(maxItems=7), (BREAKS, ADDS)


def field_changes(node: Json) -> Iterator[tuple[str, Change, Both]]:
    """Every way to change which fields an object has, and which of them it needs."""
    for name in node["properties"]:

        def drop(n: Json, name: str = name) -> None:
            del n["properties"][name]
            if name in n.get("required", ()):
                n["required"].remove(name)

        yield f"drop {name}", drop, (BREAKS, BREAKS)
        if name in node.get("required", ()):
            yield f"{name} optional", lambda n, x=name: n["required"].remove(x), (ADDS, BREAKS)
        else:
            needs = lambda n, x=name: n.setdefault("required", []).append(x)  # noqa: E731
            yield f"{name} required", needs, (BREAKS, ADDS)

    def add(n: Json) -> None:
        n["properties"]["brandNew"] = {"type": "string"}

    def need(n: Json) -> None:
        add(n)
        n.setdefault("required", []).append("brandNew")

    yield "a new field", add, (ADDS, ADDS)
    yield "a new required field", need, (BREAKS, ADDS)


def reached(document: Json) -> dict[tuple[Any, ...], set[tuple[str, str]]]:
    """For every schema, the operations that reach it, and whether in a request or an answer."""
    found: dict[tuple[Any, ...], set[tuple[str, str]]] = {}

    def visit(value: Any, place: tuple[Any, ...], who: tuple[str, str]) -> None:
        inner = enumerate(value) if isinstance(value, list) else ()
        if isinstance(value, dict) and who not in found.setdefault(place, set()):
            found[place].add(who)
            inner = value.items()
            if isinstance(value.get("$ref"), str):
                target = tuple(value["$ref"].split("/")[1:])
                visit(at(document, target), target, who)
        for key, item in inner:
            visit(item, (*place, key), who)

    for path, item in document["paths"].items():
        for method, operation in item.items():
            place, name = ("paths", path, method), operation["operationId"]
            for key in ("parameters", "requestBody", "responses"):
                way = "response" if key == "responses" else "request"
                visit(operation.get(key), (*place, key), (name, way))
    return found


def not_alone(document: Json) -> set[tuple[Any, ...]]:
    """Schemas of which others decide whether null is allowed: alternatives, and parts of all."""
    found: set[tuple[Any, ...]] = set()
    for pointer, node in fragment_rules.walk(document):
        for key in ("anyOf", "allOf"):
            parts = node.get(key, [])
            for index, part in enumerate(
                parts if key == "allOf" or {"type": "null"} in parts else ()
            ):
                found.add((*pointer, key, index))
                if "$ref" in part:
                    found.add(tuple(part["$ref"].split("/")[1:]))
    return found


def at(document: Json, pointer: tuple[Any, ...]) -> Any:
    here: Any = document
    for key in pointer:
        here = here[key]
    return here


def is_schema(pointer: tuple[Any, ...], node: Json) -> bool:
    keys = {"type", "anyOf", "allOf", "enum", "properties", "additionalProperties"}
    return bool(node.keys() & keys) or pointer[-1] == "schema"


@cache
def _places() -> tuple[tuple[Any, ...], ...]:
    document = _bundle()
    where = reached(document)
    return tuple(
        pointer
        for pointer, node in fragment_rules.walk(document)
        if pointer in where and is_schema(pointer, node) and node != {"type": "null"}
    )


@pytest.mark.many
@pytest.mark.parametrize("part", range(8))
def test_every_change_of_a_schema_is_told(part: int) -> None:
    """At every node of the bundle, every change: right operations, direction and severity."""
    where = reached(_bundle())
    around = not_alone(_bundle())
    tried = 0
    for pointer in _places()[part :: 8 * max(1, 4 // FACTOR)]:
        for what, change, severities in schema_changes(at(_bundle(), pointer)):
            if pointer in around and what in ("perhaps null", "nullable"):
                continue
            new = real()
            change(at(new, pointer))
            expected = {(name, way, severities[way == "response"]) for name, way in where[pointer]}
            told = seen(compare_documents(_bundle(), new))
            assert told == expected, ("/".join(map(str, pointer)), what, told, expected)
            tried += 1
    assert tried > 30


NAME, PATH = "read_campaigns", "/marketing/v3/campaigns/batch/read"


def _operation(document: Json) -> Json:
    operation: Json = document["paths"][PATH]["post"]
    return operation


def _parameter(document: Json, name: str = "MetricsFrom") -> Json:
    parameter: Json = document["components"]["parameters"][name]
    return parameter


def _move(document: Json, path: str) -> None:
    document["paths"][path] = document["paths"].pop(PATH)


WHOLE: dict[str, tuple[Change, str, str]] = {
    "path": (lambda d: _move(d, "/marketing/campaigns/2026-03/batch/read"), "operation", BREAKS),
    "method": (
        lambda d: d["paths"][PATH].update(put=d["paths"][PATH].pop("post")),
        "operation",
        BREAKS,
    ),
    "gone": (lambda d: d["paths"].pop(PATH), "operation", BREAKS),
    "id": (lambda d: _operation(d).update(operationId="get_campaigns"), "operation", BREAKS),
    "tag": (lambda d: _operation(d).update(tags=["ads"]), "operation", BREAKS),
    "deprecated": (lambda d: _operation(d).update(deprecated=True), "operation", ADDS),
    "summary": (lambda d: _operation(d).update(summary="Else."), "operation", WORDS),
    "scope added": (
        lambda d: _operation(d)["security"][0]["bearer"].append("more"),
        "operation",
        BREAKS,
    ),
    "scope changed": (
        lambda d: _operation(d).update(security=[{"bearer": ["other"]}]),
        "operation",
        BREAKS,
    ),
    "scope removed": (lambda d: _operation(d).pop("security"), "operation", ADDS),
    "another scope will do": (
        lambda d: _operation(d)["security"].append({"bearer": ["other"]}),
        "operation",
        ADDS,
    ),
    "parameter gone": (lambda d: _operation(d)["parameters"].pop(), "request", BREAKS),
    "parameter new": (
        lambda d: _operation(d)["parameters"].append(
            {"name": "n", "in": "query", "schema": {"type": "string"}}
        ),
        "request",
        ADDS,
    ),
    "parameter new and required": (
        lambda d: _operation(d)["parameters"].append(
            {"name": "n", "in": "query", "required": True, "schema": {"type": "string"}}
        ),
        "request",
        BREAKS,
    ),
    "parameter required": (lambda d: _parameter(d).update(required=True), "request", BREAKS),
    "parameter repeated": (
        lambda d: _parameter(d, "CampaignProperties").update(explode=True),
        "request",
        BREAKS,
    ),
    "body optional": (
        lambda d: _operation(d)["requestBody"].update(required=False),
        "request",
        ADDS,
    ),
    "body as XML": (
        lambda d: _operation(d)["requestBody"].update(
            content={"application/xml": _operation(d)["requestBody"]["content"]["application/json"]}
        ),
        "request",
        BREAKS,
    ),
    "success otherwise": (
        lambda d: _operation(d)["responses"].update({"200": _operation(d)["responses"].pop("2XX")}),
        "response",
        ADDS,
    ),
    "no success": (lambda d: _operation(d)["responses"].pop("2XX"), "response", BREAKS),
    "no error": (lambda d: _operation(d)["responses"].pop("default"), "response", ADDS),
    "an error more": (
        lambda d: _operation(d)["responses"].update({"404": {"description": "No."}}),
        "response",
        ADDS,
    ),
    "answer reworded": (
        lambda d: _operation(d)["responses"]["2XX"].update(description="Else."),
        "response",
        WORDS,
    ),
}


def test_null_among_alternatives_may_come_and_go() -> None:
    """An alternative of its own for null is told as that, and no more."""
    new = real()
    property_ = new["components"]["schemas"]["BatchSummary"]["properties"]["links"]
    property_["anyOf"].remove({"type": "null"})
    kinds = {(one.kind, one.severity) for one in compare_documents(_bundle(), new)}
    assert kinds == {("nullable", Severity.ADDITIVE)}
    kinds = {(one.kind, one.severity) for one in compare_documents(new, _bundle())}
    assert kinds == {("nullable", Severity.BREAKING)}


@pytest.mark.parametrize("what", WHOLE)
def test_every_change_of_an_operation_is_told(what: str) -> None:
    """Path, scopes, parameters, statuses: the operations, the right direction and severity."""
    change, direction, severity = WHOLE[what]
    new = real()
    change(new)
    told = seen(compare_documents(_bundle(), new))
    if what == "body as XML":
        assert (NAME, direction, severity) in told
    else:
        # A read and a list of campaigns share the parameter.
        names = {NAME, "list_campaigns"} if what == "parameter repeated" else {NAME}
        assert told == {(name, direction, severity) for name in names}


def test_a_new_operation_is_an_addition() -> None:
    """Both ways round: added, and gone."""
    new = real()
    new["paths"]["/crm/v3/objects/notes/batch/create"] = {
        "post": {**copy.deepcopy(_operation(new)), "operationId": "create_notes"}
    }
    (added,) = compare_documents(_bundle(), new)
    (gone,) = compare_documents(new, _bundle())
    assert (added.operation, added.kind, added.severity) == (
        "create_notes",
        "operation",
        Severity.ADDITIVE,
    )
    assert (gone.operation, gone.severity) == ("create_notes", Severity.BREAKING)


def test_codes_of_success_are_compared_one_by_one() -> None:
    """Between two published descriptions 201 may become 200, and one answer may lose a field."""
    old, new = (published.description("campaigns") for _ in range(2))
    old, new = copy.deepcopy(old), copy.deepcopy(new)
    create = new["paths"]["/marketing/v3/campaigns/batch/create"]["post"]
    create["responses"]["200"] = create["responses"].pop("201")
    new["components"]["schemas"]["BatchResponsePublicCampaignWithAssets"]["properties"].pop("links")
    known = Description(_bundle()).operations
    sides = (Description(old), Description(new))
    findings = compare_descriptions(*sides, known).findings
    assert {(one.operation, one.pointer, str(one.severity)) for one in findings} == {
        ("create_campaigns", "/response/200", ADDS),
        ("create_campaigns", "/response/201", BREAKS),
        ("read_campaigns", "/response/200/properties/links", BREAKS),
    }


def test_a_limit_in_a_sentence_counts() -> None:
    """Published descriptions have no `maxItems`; the sentence is read, and reported apart."""
    old, new = (copy.deepcopy(published.description("campaigns")) for _ in range(2))
    create = new["paths"]["/marketing/v3/campaigns/batch/create"]["post"]
    create["description"] = create["description"].replace("50", "25")
    known = Description(_bundle()).operations
    sides = (Description(old), Description(new))
    findings = compare_descriptions(*sides, known).findings
    assert [(one.kind, one.was, one.now) for one in findings if one.kind == "limit"] == [
        ("limit", 50, 25)
    ]


def test_what_holds_itself_comes_to_an_end() -> None:
    """A schema may hold itself at any depth; what is different in it is told once a place."""
    old = real()
    old["components"]["schemas"]["Call"]["properties"]["parent"] = {
        "$ref": "#/components/schemas/Call"
    }
    new = copy.deepcopy(old)
    new["components"]["schemas"]["Call"]["properties"]["more"] = {"type": "string"}
    assert compare_documents(old, old) == []
    told = [(one.operation, one.pointer) for one in compare_documents(old, new)]
    item = "/response/2XX/properties/results/items/properties"
    operations = ("create_calls", "read_calls", "search_calls", "update_calls", "upsert_calls")
    # The result of an upsert only has the fields of a Call; its `parent` is the first Call there.
    again = ("upsert_calls", f"{item}/parent/properties/more")
    assert sorted(told) == [*((name, f"{item}/more") for name in operations), again]


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"$ref": "#/components/schemas/Loop"}, "refers only to itself"),
        ({"$ref": "#/components/schemas/Nothing"}, "leads nowhere"),
        ({"$ref": "other.json#/a"}, "leads out of this file"),
        ({"anyOf": [{"$ref": "#/components/schemas/Deep"}]}, "too large once|without end"),
        ({"type": "text"}, "none of JSON's"),
        ({"$ref": "#/components/schemas/S0"}, "too large once"),
        ("string", "is no schema"),
        ({"anyOf": {}}, "is not a list"),
        ({"properties": []}, "is not a mapping"),
    ],
)
def test_what_cannot_be_read_is_told(schema: Any, words: str) -> None:
    """Circles, dead ends and what doubles at each step end in a sentence with a place."""
    new = real()
    schemas = new["components"]["schemas"]
    schemas["Loop"] = {"$ref": "#/components/schemas/Loop"}
    schemas["Deep"] = {"oneOf": [{"$ref": "#/components/schemas/Deep"}]}
    for step in range(40):
        inner = {"$ref": f"#/components/schemas/S{step + 1}"}
        schemas[f"S{step}"] = {"type": "object", "properties": {"a": inner, "b": inner}}
    schemas["S40"] = {"type": "string"}
    schemas["Call"]["properties"]["id"] = schema
    with pytest.raises(SchemaError, match=words):
        compare_documents(new if words == "too large once" else _bundle(), new)


# ---------------------------------------------------------------- several answers


def _against_ours(document: Json, operation: str) -> ComparisonResult:
    """Compare one operation of our bundle with a published description."""
    ours, theirs = (
        Description(_bundle()),
        Description(document),
    )
    (one,) = (one for one in ours.operations if one.id == operation)
    found = theirs.find(one)
    assert found is not None
    compared = ComparisonResult([], {})
    compare_operation(one, found, ours, theirs, operation, compared)
    return compared


FRAMES = ("BatchResponsePublicCampaign", "BatchResponsePublicCampaignWithErrors")
IN_AN_ANSWER: dict[str, tuple[Change, str, str]] = {
    "value in": (lambda p: p["status"]["enum"].append("NEW"), "enum", "/status/enum"),
    "value out": (lambda p: p["status"]["enum"].pop(), "enum", "/status/enum"),
    "reformat": (lambda p: p["completedAt"].update(format="uuid"), "format", "/completedAt/format"),
    "retype": (lambda p: p["completedAt"].update(type="integer"), "type", "/completedAt"),
    "a limit": (lambda p: p["results"].update(maxItems=7), "rule", "/results/maxItems"),
}


@pytest.mark.parametrize("what", IN_AN_ANSWER)
@pytest.mark.parametrize("frames", [FRAMES[:1], FRAMES[1:], FRAMES])
def test_a_change_of_one_of_several_answers_is_told_once(
    what: str, frames: tuple[str, ...]
) -> None:
    """Where we have one answer for a class of codes, each that is published is compared with it."""
    change, kind, pointer = IN_AN_ANSWER[what]
    document = copy.deepcopy(published.description("campaigns"))
    before = {repr(one) for one in _against_ours(document, "create_campaigns").findings}
    for frame in frames:
        change(document["components"]["schemas"][frame]["properties"])
    after = _against_ours(document, "create_campaigns").findings
    (told,) = (one for one in after if repr(one) not in before)
    assert (told.kind, told.pointer) == (kind, f"/response/2XX/properties{pointer}")


def test_what_one_of_several_answers_says_is_not_agreed_upon() -> None:
    """A deviation has had its day when all of them have come round."""
    document = copy.deepcopy(published.description("campaigns"))
    wanted = ("/response/2XX/properties/status/enum", "open")
    for frame in FRAMES:
        agreed = _against_ours(document, "create_campaigns").agreed["create_campaigns"]
        assert wanted not in {(one.pointer, one.kind) for one in agreed}
        properties = document["components"]["schemas"][frame]["properties"]
        properties["status"] = {"anyOf": [properties["status"], {"type": "string"}]}
    agreed = _against_ours(document, "create_campaigns").agreed["create_campaigns"]
    assert wanted in {(one.pointer, one.kind) for one in agreed}


# ---------------------------------------------------------------- bounds


def test_a_reference_may_be_escaped() -> None:
    """With ~ for what is special in a pointer, and with % for what is in an address."""
    new = real()
    new["components"]["schemas"]["A/B {c}"] = new["components"]["schemas"]["AppInfo"]
    for _, node in fragment_rules.walk(new):
        if node.get("$ref") == "#/components/schemas/AppInfo":
            node["$ref"] = "#/components/schemas/A~1B%20%7Bc%7D"
    assert compare_documents(_bundle(), new) == []


def test_no_file_can_silence_a_comparison() -> None:
    """A part that a page leaves open is noted under a key that JSON does not have."""
    new = real()
    call = new["components"]["schemas"]["Call"]["properties"]
    call["id"] = {"type": "integer", "x-unsaid": ["type"]}
    call["archived"]["x-unsaid"] = 5
    assert {one.kind for one in compare_documents(_bundle(), new)} == {
        "type",
        "wording",
    }


def _nested(schema: Json, more: Json, times: int) -> Json:
    """A description in which schemas refer to the next one, and the last one is text."""
    new = real()
    schemas = new["components"]["schemas"]
    for step in range(times):
        following = {"$ref": f"#/components/schemas/S{step + 1}"}
        schemas[f"S{step}"] = {
            "anyOf": [{**schema, "items": following}, {**schema, **more, "items": following}]
        }
    schemas[f"S{times}"] = {"type": "string"}
    schemas["Call"]["properties"]["id"] = {"$ref": "#/components/schemas/S0"}
    return new


def test_alternatives_within_alternatives_come_to_an_end() -> None:
    """To try which are alike counts, too, for what is looked at."""
    new = _nested({"type": "array"}, {"maxItems": 3}, 25)
    with pytest.raises(SchemaError, match="too large once"):
        compare_documents(new, new)


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"anyOf": [{"type": "string", "maxLength": n} for n in range(5000)]}, "alternatives"),
        ({"allOf": [{"enum": [f"V{n}" for n in range(50_000)]}] * 2, "type": "string"}, None),
    ],
)
def test_long_lists_are_compared_in_time(schema: Json, words: str | None) -> None:
    """Values and alternatives, of which each could be compared with each."""
    new = real()
    new["components"]["schemas"]["BatchError"]["properties"]["id"] = schema
    if words is None:
        assert compare_documents(new, copy.deepcopy(new)) == []
        return
    with pytest.raises(SchemaError, match=words):
        compare_documents(new, copy.deepcopy(new))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"type": "string", "minLength": 0}, {"type": "string"}),
        ({"type": "array", "minItems": 0}, {"type": "array", "uniqueItems": False}),
        (
            {"type": "integer", "minimum": 0, "exclusiveMinimum": True},
            {"type": "integer", "exclusiveMinimum": 0},
        ),
        (
            {"type": "integer", "maximum": 9, "exclusiveMaximum": False},
            {"type": "integer", "maximum": 9},
        ),
        (
            {"allOf": [{"type": "string", "maxLength": 5}, {"maxLength": 9}]},
            {"allOf": [{"type": "string", "maxLength": 9}, {"maxLength": 5}]},
        ),
        (
            {"allOf": [{"type": "string", "minLength": 2}, {"minLength": 1}]},
            {"type": "string", "minLength": 2},
        ),
    ],
)
def test_rules_that_mean_the_same_are_no_change(one: Json, other: Json) -> None:
    """In both versions of OpenAPI, with bounds that bind nothing, and with several of them."""
    old, new = real(), real()
    old["components"]["schemas"]["AssociationTarget"]["properties"]["id"] = one
    new["components"]["schemas"]["AssociationTarget"]["properties"]["id"] = other
    assert compare_documents(old, new) == []
    assert compare_documents(new, old) == []


def test_a_description_that_has_scopes_may_lose_those_of_an_operation() -> None:
    """Unless it says nothing of any; then nothing is known of ours."""
    document = copy.deepcopy(published.description("calls"))
    (path,) = (path for path in document["paths"] if path.endswith("batch/create"))
    before = {one.kind for one in _against_ours(document, "create_calls").findings}
    del document["paths"][path]["post"]["security"]
    after = {one.kind for one in _against_ours(document, "create_calls").findings}
    assert after - before == {"scopes"}
    del document["components"]["securitySchemes"]
    assert {one.kind for one in _against_ours(document, "create_calls").findings} == before


def test_a_pace_is_no_limit() -> None:
    """A sentence about requests in a time says nothing about one request."""
    document = copy.deepcopy(published.description("campaigns"))
    create = document["paths"]["/marketing/v3/campaigns/batch/create"]["post"]
    create["description"] += " At most 100 requests per 10 seconds are taken."
    create["description"] += " Names have a limit of 256 in a batch."
    findings = _against_ours(document, "create_campaigns").findings
    assert not [one for one in findings if one.kind == "limit"]


def test_a_path_that_cannot_be_read_is_of_no_concern_if_it_is_not_ours() -> None:
    """One that is ours is."""
    document = copy.deepcopy(published.description("campaigns"))
    document["paths"]["/other"] = {"$ref": "elsewhere.json#/a"}
    assert _against_ours(document, "create_campaigns").agreed
    document["paths"]["/marketing/v3/campaigns/batch/create"] = {"$ref": "elsewhere.json#/a"}
    with pytest.raises(SchemaError, match="out of this file"):
        _against_ours(document, "create_campaigns")


def test_how_a_value_without_parts_is_written_is_no_difference() -> None:
    """`explode` says something about lists and objects."""
    new = real()
    _parameter(new)["explode"] = False
    assert compare_documents(_bundle(), new) == []
    _parameter(new)["deprecated"] = True
    (found,) = compare_documents(_bundle(), new)
    assert (found.kind, found.pointer) == ("deprecated", "/query/startDate/deprecated")
