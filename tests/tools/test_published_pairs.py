"""The findings about two published descriptions, where one change was made between them."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import drift
import published_descriptions as published
import pytest
from comparison import compare_with_fragments as ours
from comparison.compare_descriptions import ComparisonResult, compare_operation
from comparison.compare_schema import Comparison
from comparison.description import Description

Json = dict[str, Any]
Told = set[tuple[str, str, str]]
CREATE = "/crm/v3/objects/calls/batch/create"
ONE, ALL = ("create_calls",), ("create_calls", "read_calls", "update_calls", "upsert_calls")
ROOT = Path(__file__).parents[2]


def description() -> Json:
    """The published description of calls, with one scheme that has no old API key beside it."""
    document = copy.deepcopy(published.description("calls"))
    operation(document)["security"] = [{"oauth2": ["w"]}, {"private_apps": ["w"]}]
    schemes = document["components"]["securitySchemes"]
    schemes |= {
        "private_apps": {"type": "apiKey", "in": "header", "name": "private-app"},
        "oauth2_legacy": {"type": "oauth2", "flows": {}},
        "hapikey": {"type": "apiKey", "in": "query", "name": "hapikey"},
        "cookie": {"type": "apiKey", "in": "cookie", "name": "c"},
        "basic": {"type": "http", "scheme": "basic"},
        "service": {"type": "http", "scheme": "Bearer"},
    }
    return document


def operation(document: Json) -> Json:
    return next(item["post"] for path, item in document["paths"].items() if "batch/create" in path)


def moved(document: Json, path: str) -> None:
    document["paths"][path] = document["paths"].pop(CREATE)
    named = {"name": "objectType", "in": "path", "required": True, "schema": {"type": "string"}}
    operation(document).setdefault("parameters", []).append(named)


def told(
    old: Json,
    new: Json,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    of: tuple[str, ...] = ONE,
) -> list[Json]:
    paths = [tmp_path / name for name in ("old.json", "new.json")]
    for path, document in zip(paths, (old, new), strict=True):
        path.write_text(json.dumps(document), "utf-8")
    status = drift.main(["--old", str(paths[0]), "--new", str(paths[1]), "--json"])
    out, err = capsys.readouterr()
    assert err == ""
    found: list[Json] = json.loads(out)
    assert status == bool(found)
    assert {one["operation"] for one in found} <= {*of}
    return found


def shown(found: list[Json]) -> Told:
    return {(one["severity"], one["kind"], one["pointer"]) for one in found}


# ---------------------------------------------------------------- bodies


def answers(document: Json) -> Json:
    found: Json = operation(document)["responses"]
    return found


def lose(document: Json, *codes: str) -> None:
    for code in codes:
        answers(document)[code]["content"] = {}


def _renamed(document: Json, old: str, new: str) -> None:
    answers(document)[new] = answers(document).pop(old)


BODIES: dict[str, tuple[Callable[[Json], object], Told]] = {
    "one that stays, while another comes": (
        lambda d: (lose(d, "201"), answers(d).update({"202": answers(d)["207"]})),
        {
            ("breaking", "content", "/response/201/content"),
            ("additive", "status", "/response/202"),
        },
    ),
    "one that stays, while another goes": (
        lambda d: (lose(d, "201"), answers(d).pop("207")),
        {
            ("breaking", "content", "/response/201/content"),
            ("breaking", "status", "/response/207"),
        },
    ),
    "all, which get other codes": (
        lambda d: (lose(d, "201", "207"), _renamed(d, "201", "200"), _renamed(d, "207", "206")),
        {
            ("breaking", "content", "/response/200/content"),
            ("breaking", "content", "/response/206/content"),
            ("additive", "status", "/response/200"),
            ("additive", "status", "/response/206"),
            ("breaking", "status", "/response/201"),
            ("breaking", "status", "/response/207"),
        },
    ),
    "one, with equal codes": (
        lambda d: lose(d, "201"),
        {("breaking", "content", "/response/201/content")},
    ),
}


@pytest.mark.parametrize("what", BODIES)
def test_a_body_that_is_lost(what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A lost body breaks a program, whatever happens to the other codes."""
    change, expected = BODIES[what]
    new = description()
    change(new)
    assert shown(told(description(), new, tmp_path, capsys)) == expected


def test_a_body_that_is_gained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A body that comes breaks nothing, whatever happens to the other codes."""
    old, new = description(), description()
    lose(old, "201")
    del answers(new)["207"]
    found = shown(told(old, new, tmp_path, capsys))
    assert ("additive", "content", "/response/201/content") in found


def test_a_body_that_we_expect(tmp_path: Path) -> None:
    """The fragments have one response for all codes; a code without a body is told."""
    document = copy.deepcopy(published.description("calls"))
    lose(document, "201")
    fragments = ours.read_fragments(ROOT / "openapi")
    report = ours.compare_with_fragments(Description(document), fragments)
    (found,) = report.findings
    assert (found.kind, found.pointer) == ("content", "/response/201/content")


# ---------------------------------------------------------------- ways to be let in

OAUTH, APP, LEGACY = {"oauth2": ["w"]}, {"private_apps": ["w"]}, {"oauth2_legacy": []}
WAYS: dict[str, tuple[list[Json], list[Json], str]] = {
    "one comes": ([LEGACY], [LEGACY, OAUTH], "additive"),
    "one goes": ([OAUTH, APP], [OAUTH], "breaking"),
    "another scheme, the same scope": ([OAUTH], [{"oauth2_legacy": ["w"]}], "breaking"),
    "another scope": ([OAUTH], [{"oauth2": ["x"]}], "breaking"),
    "a scope more": ([OAUTH], [{"oauth2": ["w", "x"]}], "breaking"),
    "a scope less": ([{"oauth2": ["w", "x"]}], [OAUTH], "additive"),
    "one scope of several will do": (
        [{"oauth2": ["w", "x"]}],
        [{"oauth2": ["w"]}, {"oauth2": ["x"]}],
        "additive",
    ),
    "none is needed": ([OAUTH], [], "additive"),
    "none was needed": ([{}], [OAUTH], "breaking"),
    "none was needed beside": ([{}, OAUTH], [OAUTH], "breaking"),
    "none is needed beside": ([OAUTH], [OAUTH, {}], "additive"),
    "an old key is let in by all": ([{"hapikey": []}], [], "additive"),
    "all need an old key": ([], [{"hapikey": []}], "breaking"),
    "only a cookie will do": ([OAUTH], [{"cookie": []}], "breaking"),
    "a cookie beside the token": ([OAUTH], [{"oauth2": ["w"], "cookie": []}], "breaking"),
    "the scope of a cookie": ([OAUTH, {"cookie": ["a"]}], [OAUTH, {"cookie": ["b"]}], ""),
    "a cookie comes": ([OAUTH], [OAUTH, {"cookie": ["a"]}], ""),
    "an old key goes": ([OAUTH, {"hapikey": ["a"]}], [OAUTH], ""),
    "a password comes": ([OAUTH], [OAUTH, {"basic": []}], ""),
    "a service key comes": ([OAUTH], [OAUTH, {"service": []}], "additive"),
    "another order": ([OAUTH, APP], [APP, OAUTH], ""),
}


@pytest.mark.parametrize("what", WAYS)
def test_ways_to_be_let_in(what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A way that a bearer token satisfies may come; if one goes, some tokens are refused."""
    before, after, severity = WAYS[what]
    old, new = description(), description()
    operation(old)["security"], operation(new)["security"] = before, after
    every = told(old, new, tmp_path, capsys)
    assert shown(every) == ({(severity, "scopes", "/scopes")} if severity else set())
    assert all(one["was"] != one["now"] for one in every)


# ---------------------------------------------------------------- paths with a parameter

TEMPLATE = "/crm/objects/2025-09/{objectType}/batch/create"


def needed(document: Json) -> None:
    schema = document["components"]["schemas"]["SimplePublicObjectInput"]
    schema["required"] = [*schema["required"], "objectWriteTraceId"]


def test_a_parameter_may_stand_for_the_record_type(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`{objectType}` in a path is calls, too; the parameter itself is no news."""
    old, new = description(), description()
    moved(old, TEMPLATE)
    moved(new, TEMPLATE)
    needed(new)
    field = "/request/properties/inputs/items/properties/objectWriteTraceId"
    assert shown(told(old, new, tmp_path, capsys)) == {("breaking", "required", field)}
    old = description()
    (found, other) = told(old, new, tmp_path, capsys)
    assert (found["kind"], found["was"], found["now"]) == ("path", CREATE, TEMPLATE)
    assert other["pointer"] == field
    same = description()
    moved(same, "/crm/v3/objects/{objectType}/batch/create")
    assert told(old, same, tmp_path, capsys) == []


def test_a_path_with_a_parameter_that_comes_beside_the_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A note names it, because it may take the place of the other one."""
    new = description()
    new["paths"][TEMPLATE] = copy.deepcopy(new["paths"][CREATE])
    assert told(description(), new, tmp_path, capsys) == []
    sides = ["--old", str(tmp_path / "old.json"), "--new", str(tmp_path / "new.json")]
    assert drift.main(sides) == 0
    assert f"create_calls is also described at {TEMPLATE}" in capsys.readouterr().out
    assert drift.main([sides[0], sides[3], sides[2], sides[1]]) == 0
    assert TEMPLATE not in capsys.readouterr().out


def test_a_written_path_comes_before_one_with_a_parameter() -> None:
    """Paths of other lengths, actions and families are not taken for ours."""
    document = description()
    document["paths"]["/crm/v3/objects/{objectType}/batch/create"] = {"post": {"operationId": "x"}}
    document["paths"]["/crm/v4/objects/{objectType}/{objectId}/create"] = {"post": {}}
    (wanted,) = (
        one
        for one in ours.read_fragments(ROOT / "openapi").description.operations
        if one.id == "create_calls"
    )
    found = Description(document).find(wanted)
    assert found is not None
    assert found.path == CREATE
    del document["paths"][CREATE], document["paths"]["/crm/v3/objects/{objectType}/batch/create"]
    assert Description(document).find(wanted) is None


def test_what_covers_a_family() -> None:
    """Another batch at a path with a parameter shows that ours is gone; other paths do not."""
    (wanted,) = (
        one
        for one in ours.read_fragments(ROOT / "openapi").description.operations
        if one.id == "create_calls"
    )
    for path, covered in {
        "/crm/objects/2025-09/{objectType}/batch/read": True,
        "/crm/v3/objects/calls/search": True,
        "/crm/v4/objects/{objectType}/{objectId}/associations": False,
        "/crm/v3/objects/notes/batch/read": False,
    }.items():
        document = {"paths": {path: {"post": {}}, "/other": {"post": {}}}}
        assert Description(document).covers(wanted) is covered, path


# ---------------------------------------------------------------- references that lead nowhere

NOWHERE = {"$ref": "#/components/schemas/Gone"}
# Each with its place, and the operations that meet it there.
DEAD: dict[str, tuple[Callable[[Json], object], str, tuple[str, ...]]] = {
    "a schema within a response": (
        lambda d: d["components"]["schemas"]["StandardError"]["properties"].update(id=NOWHERE),
        "/response/207/properties/errors/items/properties/id",
        ALL,
    ),
    "the schema of a response": (
        lambda d: answers(d)["207"]["content"]["application/json"].update(schema=NOWHERE),
        "/response/207",
        ONE,
    ),
    "a response": (
        lambda d: answers(d).update({"207": {"$ref": "#/components/responses/Gone"}}),
        "/response/207",
        ONE,
    ),
    "a response in another file": (
        lambda d: answers(d).update({"default": {"$ref": "other.json#/Gone"}}),
        "/response/default",
        ONE,
    ),
    "a parameter": (
        lambda d: operation(d).update(parameters=[{"$ref": "#/components/parameters/Gone"}]),
        "/parameters",
        ONE,
    ),
    "a schema that is itself": (
        lambda d: d["components"]["schemas"].update(
            StandardError={"$ref": "#/components/schemas/StandardError"}
        ),
        "/response/207/properties/errors/items",
        ALL,
    ),
    "two schemas that are each other": (
        lambda d: d["components"]["schemas"].update(
            StandardError={"allOf": [{"$ref": "#/components/schemas/Loop"}]},
            Loop={"allOf": [{"$ref": "#/components/schemas/StandardError"}]},
        ),
        "/response/207/properties/errors/items",
        ALL,
    ),
    "the schema of a parameter": (
        lambda d: operation(d).update(parameters=[{"name": "a", "in": "query", "schema": NOWHERE}]),
        "/query/a",
        ONE,
    ),
    "a part of a schema": (
        lambda d: d["components"]["schemas"]["StandardError"].update(allOf=[NOWHERE]),
        "/response/207/properties/errors/items",
        ALL,
    ),
}


@pytest.mark.parametrize("what", DEAD)
@pytest.mark.parametrize("side", ["old", "new"])
def test_a_reference_that_leads_nowhere(
    what: str, side: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is told at its place, and all else is compared."""
    spoil, pointer, operations = DEAD[what]
    sides = {"old": description(), "new": description()}
    if what == "the schema of a parameter":
        for document in sides.values():
            readable = {"name": "a", "in": "query", "schema": {"type": "array"}}
            operation(document)["parameters"] = [readable]
    needed(sides["new"])
    spoil(sides[side])
    found = told(sides["old"], sides["new"], tmp_path, capsys, operations)
    dead = [one for one in found if one["kind"] == "reference"]
    assert sorted(one["operation"] for one in dead) == [*operations]
    assert {(one["pointer"], one["severity"]) for one in dead} == {(pointer, "breaking")}
    for one in dead:
        told_of = one["was" if side == "old" else "now"]
        assert re.search("leads nowhere|leads out of this file|refers only to itself", told_of)
    (other,) = (one for one in found if one not in dead)
    assert (other["operation"], other["severity"]) == ("create_calls", "breaking")
    assert other["kind"] == "required"


@pytest.mark.parametrize("what", DEAD)
def test_what_neither_side_lets_be_read_is_no_change(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same file twice is nothing new; a note says what was not compared."""
    same = description()
    DEAD[what][0](same)
    assert told(same, same, tmp_path, capsys) == []
    drift.main(["--old", str(tmp_path / "old.json"), "--new", str(tmp_path / "new.json")])
    assert re.search(r"Not compared in \d+ places?, on both sides: ", capsys.readouterr().out)


SPOILT: dict[str, Json] = {
    "a text for a schema": {"type": "array", "items": "Call"},
    "a type that there is not": {"type": "text"},
    "alternatives that are no list": {"anyOf": {}},
    "fields that are a list": {"type": "object", "properties": []},
    "itself as an alternative": {"oneOf": [{"$ref": "#/components/schemas/Spoilt"}]},
}


@pytest.mark.parametrize("what", SPOILT)
def test_a_schema_that_cannot_be_read(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It hides nothing else."""
    new = description()
    schemas = new["components"]["schemas"]
    schemas["Spoilt"] = SPOILT[what]
    schemas["StandardError"]["properties"]["id"] = {"$ref": "#/components/schemas/Spoilt"}
    needed(new)
    found = told(description(), new, tmp_path, capsys, ALL)
    assert {one["operation"] for one in found if one["kind"] in ("schema", "type")} == {*ALL}
    assert [one["operation"] for one in found if one["kind"] == "required"] == ["create_calls"]


def test_two_limits_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The limit was not compared, and all else was."""
    old, new = description(), description()
    operation(new)["description"] = "Up to 25 inputs in a batch. Up to 50 inputs in a batch."
    needed(new)
    found = shown(told(old, new, tmp_path, capsys))
    assert ("breaking", "schema", "/request/properties/inputs/maxItems") in found
    assert "required" in {kind for _, kind, _ in found}
    assert told(new, new, tmp_path, capsys) == []


def test_a_request_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither its fields nor its limit are compared; the response is."""
    new = description()
    operation(new)["requestBody"]["content"]["application/json"]["schema"] = NOWHERE
    lose(new, "201")
    assert shown(told(description(), new, tmp_path, capsys)) == {
        ("breaking", "reference", "/request"),
        ("breaking", "content", "/response/201/content"),
    }


def test_a_path_that_leads_nowhere_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The other operations of the file are compared."""
    document = copy.deepcopy(published.description("campaigns"))
    document["paths"]["/marketing/v3/campaigns/batch/create"] = {"$ref": "#/paths/gone"}
    document["paths"].pop("/marketing/v3/campaigns/batch/read")
    path = tmp_path / "new.json"
    path.write_text(json.dumps(document), "utf-8")
    assert drift.main(["--spec", str(path), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert {(one["operation"], one["kind"]) for one in found} == {
        ("create_campaigns", "reference"),
        ("read_campaigns", "operation"),
    }


# ---------------------------------------------------------------- the limit in words


@pytest.mark.parametrize("way", [("with", "without"), ("without", "with")])
@pytest.mark.parametrize("rest", [None, "Makes some."])
def test_a_text_that_says_nothing_is_no_change_of_the_server(
    way: tuple[str, str], rest: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sentence with the limit may go, with or without the other text, and come back."""
    sides = {"with": description(), "without": description()}
    said = "Makes some. The maximum number of items in a batch request is 50."
    operation(sides["with"])["description"] = said
    operation(sides["without"])["description"] = rest
    found = told(*(sides[name] for name in way), tmp_path, capsys)
    assert shown(found) == {("wording", "wording", "/description")}


def test_another_limit_in_words_is_a_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A sentence with another number, and a limit in the schema, count."""
    old, new = description(), description()
    operation(old)["description"] = "At most 50 items in a batch."
    operation(new)["description"] = "At most 25 items in a batch."
    limit = ("breaking", "limit", "/request/properties/inputs/maxItems")
    assert limit in shown(told(old, new, tmp_path, capsys))
    operation(new)["description"] = None
    name = operation(new)["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    body = new["components"]["schemas"][name.rpartition("/")[2]]
    body["properties"]["inputs"]["maxItems"] = 25
    assert limit in shown(told(old, new, tmp_path, capsys))


@pytest.mark.parametrize("way", [1, -1])
def test_an_operation_that_comes_or_goes_has_our_name(
    way: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`operation` is the id in the fragments, not HubSpot's."""
    whole, less = description(), description()
    del less["paths"][CREATE]
    ((found),) = told(*[whole, less][::way], tmp_path, capsys)
    assert (found["operation"], found["kind"]) == ("create_calls", "operation")


# ---------------------------------------------------------------- the line to edit


def test_a_field_of_a_schema_that_extends_another_is_named_there() -> None:
    """The schema of a read extends that of a create; an edit there would change both."""
    document = copy.deepcopy(published.description("campaigns"))
    schema = document["components"]["schemas"]["PublicCampaignWithAssets"]["allOf"][1]
    schema["properties"]["more"] = {"type": "string"}
    schema["required"] = ["assets", "more"]
    fragments = ours.read_fragments(ROOT / "openapi")
    sides = (fragments.description, Description(document))
    (wanted,) = (one for one in fragments.description.operations if one.id == "read_campaigns")
    both = wanted, sides[1].find(wanted)
    assert both[1] is not None
    here = Comparison(wanted.id, *(side.reader for side in sides), fragments.locate)
    result = ComparisonResult([], {})
    compare_operation(wanted, both[1], *sides, wanted.id, result, here=here)
    path = ROOT / "openapi" / "fragments" / "campaigns.yaml"
    text = path.read_text("utf-8").splitlines()
    first, last = text.index("    CampaignWithAssets:"), text.index("    CampaignReadBatch:")
    lines = {
        (one.kind, one.spot): one.line
        for one in result.findings
        if one.spot in ("results[].more", "results[].assets")
    }
    assert {("field", "results[].more"), ("required", "results[].assets")} <= lines.keys()
    assert all(line and first < line <= last for line in lines.values()), lines
