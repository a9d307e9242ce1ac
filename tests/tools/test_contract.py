"""The table of operations: what it takes from the bundle, and the shapes it closes."""

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest
import yaml
from generation import bundle, contract_module
from hypothesis import given
from hypothesis import strategies as st

REAL = Path(__file__).parents[2] / "openapi"


def table(document: Mapping[str, Any], name: str = "OPERATIONS") -> Mapping[str, Any]:
    """Run the text that is written, and hand out one of its tables."""
    names: dict[str, Any] = {"__name__": "contract_under_test"}
    exec(compile(contract_module.render(document), "contract.py", "exec"), names)
    operations: Mapping[str, Any] = names[name]
    return operations


def document(item: Any, **schemas: Any) -> dict[str, Any]:
    """A bundle with one operation whose inputs are `item`."""
    inputs = {"type": "array", "maxItems": 3, "items": item}
    body = {"type": "object", "properties": {"inputs": inputs}}
    return {
        "paths": {
            "/things": {
                "post": {
                    "operationId": "create_things",
                    "tags": ["things", "more"],
                    "requestBody": {"content": {"application/json": {"schema": body}}},
                    "responses": {"default": {}, "207": {}, "201": {}, "404": {}},
                }
            }
        },
        "components": {"schemas": schemas, "parameters": {"Q": {"name": "q", "in": "query"}}},
    }


def shape(item: Any, **schemas: Any) -> Any:
    """The schema of one input, as the table has it."""
    return table(document(item, **schemas))["create_things"].input_schema


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def accepts(schema: Any, value: object) -> bool:
    try:
        fastjsonschema.compile(schema)(value)
    except fastjsonschema.JsonSchemaValueException:
        return False
    return True


@pytest.fixture(scope="module")
def real() -> Mapping[str, Any]:
    return table(bundle.build(REAL).document)


@pytest.fixture(scope="module")
def every(real: Mapping[str, Any]) -> Mapping[str, Any]:
    """The batch operations, the searches and the lists."""
    return {**real, **table(bundle.build(REAL).document, "LISTINGS")}


PAGES = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in REAL.glob("pages/*.yaml")}


@pytest.mark.parametrize("name", PAGES)
def test_the_real_operations(every: Mapping[str, Any], name: str) -> None:
    """The rows say what the documentation pages say, as far as a page says it."""
    row, page = every[name], PAGES[name]
    assert (row.id, row.method, row.path) == (page["operation"], page["method"], page["path"])
    assert page["limit"] is None or page["limit"] == row.max_inputs
    assert page["query"] is None or sorted(row.query) == sorted(page["query"])
    assert len(row.scopes) == 1


def test_every_real_operation_has_a_page(every: Mapping[str, Any]) -> None:
    """And every page an operation."""
    assert set(every) == set(PAGES)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        (
            "create_calls",
            {
                "properties": {"hs_timestamp": "0"},
                "associations": [
                    {
                        "to": {"id": "1"},
                        "types": [
                            {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 194}
                        ],
                    }
                ],
                "objectWriteTraceId": "a",
            },
            {"properties": {}, "associations": [{"to": {"id": "1"}, "types": [{}]}]},
        ),
        ("create_campaigns", {"properties": {"hs_name": "A"}}, {"property": {"hs_name": "A"}}),
        ("read_campaigns", {"id": "1"}, {"id": 1}),
        (
            "update_marketing_events",
            {"objectId": "1", "customProperties": [{"name": "a", "value": "b"}]},
            {"customProperties": []},
        ),
    ],
)
def test_the_real_inputs(
    real: Mapping[str, Any], name: str, good: dict[str, Any], bad: dict[str, Any]
) -> None:
    """Each input schema compiles, takes an input of the page and refuses a spoilt one."""
    schema = real[name].input_schema
    assert accepts(schema, good)
    assert not accepts(schema, bad)
    assert not accepts(schema, good | {"no_such_field": 1})


def test_the_row_of_an_operation() -> None:
    """Tag, success codes, limit and query parameters are taken over; rows cannot be changed."""
    made = document({"type": "string"})
    made["security"] = [{"a": ["one", "two"]}, {"b": ["two"]}]
    item = made["paths"]["/things"]
    item["parameters"] = [{"$ref": "#/components/parameters/Q"}, {"name": "h", "in": "header"}]
    item["post"]["parameters"] = [{"name": "p", "in": "query"}, {"name": "q", "in": "query"}]
    operations = table(made)
    row = operations["create_things"]
    assert row.tag == "things"
    assert row.success == ("201", "207")
    assert row.scopes == ("one", "two")
    assert row.query == ("q", "p")
    assert row.max_inputs == 3
    assert row.input_schema == {"type": "string"}
    assert hash(row) == hash(copy.copy(row))
    with pytest.raises(AttributeError):
        row.max_inputs = 4
    with pytest.raises(TypeError):
        operations["other"] = row  # type: ignore[index]


def test_no_limit_and_no_scope() -> None:
    """Where nothing is published the row has None and nothing."""
    made = document({"type": "string"})
    body = made["paths"]["/things"]["post"]["requestBody"]["content"]["application/json"]
    del body["schema"]["properties"]["inputs"]["maxItems"]
    row = table(made)["create_things"]
    assert row.max_inputs is None
    assert row.scopes == ()


def test_the_way_to_the_inputs_may_lead_over_references() -> None:
    """Body and list can be components, and what stands beside a reference counts."""
    made = document({}, Body={"properties": {"inputs": ref("List") | {"maxItems": 2}}})
    made["components"]["schemas"]["List"] = {"maxItems": 9, "items": {"type": "integer"}}
    content = made["paths"]["/things"]["post"]["requestBody"]["content"]
    content["application/json"]["schema"] = ref("Body")
    row = table(made)["create_things"]
    assert row.max_inputs == 2
    assert row.input_schema == {"type": "integer"}


def test_references_are_written_out_and_notes_dropped() -> None:
    """Nothing of OpenAPI's own remains in the shape, and null stays allowed."""
    schema = shape(
        ref("Thing"),
        Thing={
            "type": "object",
            "description": "A thing.",
            "x-note": 1,
            "required": ["description"],
            "properties": {
                "description": ref("Text"),
                "kind": {"enum": ["A", None], "default": "A", "title": "Kind"},
                "at": {"type": ["string", "null"], "format": "date-time", "example": "x"},
                "any": {"anyOf": [ref("Text"), {"type": "null"}]},
                "free": {"type": "object", "additionalProperties": ref("Text")},
                "open": {"properties": {"a": True}, "additionalProperties": True},
            },
        },
        Text={"type": "string", "maxLength": 3},
    )
    text = {"type": "string", "maxLength": 3}
    assert schema == {
        "type": "object",
        "required": ["description"],
        "properties": {
            "description": text,
            "kind": {"enum": ["A", None]},
            "at": {"type": ["string", "null"], "format": "date-time"},
            "any": {"anyOf": [text, {"type": "null"}]},
            "free": {"type": "object", "additionalProperties": text},
            "open": {"properties": {"a": True}, "additionalProperties": True},
        },
        "additionalProperties": False,
    }
    assert accepts(schema, {"description": "abc", "kind": None, "at": None, "any": None})
    assert not accepts(schema, {"description": "abcd"})


def test_parts_of_an_all_of_are_closed_together() -> None:
    """A part does not refuse what another part declares, and no other key passes."""
    base = {"properties": {"a": {"type": "string"}}, "required": ["a"]}
    for schema in (
        shape({"allOf": [ref("Base"), {"properties": {"b": {"type": "integer"}}}]}, Base=base),
        shape(ref("Base") | {"properties": {"b": {"type": "integer"}}}, Base=base),
        shape({"allOf": [{"allOf": [ref("Base")]}, True], "properties": {"b": True}}, Base=base),
    ):
        assert accepts(schema, {"a": "x", "b": 1})
        assert not accepts(schema, {"a": 1, "b": 1})
        assert not accepts(schema, {"b": 1})
        assert not accepts(schema, {"a": "x", "c": 1})


def test_an_all_of_that_says_what_else_may_come_is_left() -> None:
    """A part decides for itself which other names it takes."""
    schema = shape({"allOf": [{"properties": {"a": True}, "additionalProperties": {}}]})
    assert accepts(schema, {"b": 1})


def test_references_to_a_plain_schema() -> None:
    """A component may be `true`, alone or with something beside the reference."""
    assert accepts(shape(ref("All"), All=True), 1)
    assert accepts(shape(ref("All") | {"type": "integer"}, All=True), 1)
    assert not accepts(shape(ref("All") | {"type": "integer"}, All=True), "a")


WRONG: dict[str, tuple[Callable[[], dict[str, Any]], str]] = {
    "circle": (
        lambda: document(
            ref("A"),
            A={"properties": {"b": ref("B")}},
            B={"items": ref("C")},
            C={"properties": {"b": ref("B")}},
        ),
        "#/components/schemas/C/properties/b/$ref: a schema contains itself (B > C > B)",
    ),
    "circle of references": (
        lambda: document(ref("A"), A=ref("B"), B=ref("A")),
        "#/components/schemas/B/$ref: a schema contains itself (A > B > A)",
    ),
    "keyword": (
        lambda: document({"type": "string", "nullable": True}),
        "properties/inputs/items/nullable: `nullable` has no place in the contract",
    ),
    "no tag": (
        lambda: _without(document({}), "tags"),
        "#/paths//things/post: create_things has no tag; give it one.",
    ),
    "no body": (
        lambda: _without(document({}), "requestBody"),
        "#/paths//things/post: create_things has no JSON body with a list `inputs`",
    ),
    "inputs that are anything": (
        lambda: document(True),
        "#/paths//things/post: create_things has no JSON body with a list `inputs`",
    ),
    "no operations": (
        lambda: document({}) | {"paths": {}},
        "#/paths: there are no operations; describe one.",
    ),
}


def _without(made: dict[str, Any], key: str) -> dict[str, Any]:
    del made["paths"]["/things"]["post"][key]
    return made


@pytest.mark.parametrize("name", WRONG)
def test_what_the_table_cannot_hold_is_told(name: str) -> None:
    """A bundle that is valid, and says something the table has no place for, is refused."""
    make, expected = WRONG[name]
    with pytest.raises(contract_module.ContractError) as caught:
        contract_module.render(make())
    assert expected in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_body_that_only_refers_to_itself_is_told() -> None:
    """Following references to the inputs ends."""
    made = document({}, A=ref("B"), B=ref("A"))
    content = made["paths"]["/things"]["post"]["requestBody"]["content"]
    content["application/json"]["schema"] = ref("A")
    with pytest.raises(contract_module.ContractError, match="refers only to itself"):
        contract_module.render(made)


NAMES = st.sampled_from(["a", "b", "properties", "required", "description", "x-source", "$ref"])
PLAIN = st.sampled_from(
    [({"type": "string"}, "text"), ({"type": "integer"}, 7), ({"type": ["null"]}, None)]
)


def _object(parts: dict[str, tuple[Any, Any]]) -> tuple[Any, Any]:
    schema = {
        "type": "object",
        "description": "Dropped.",
        "properties": {name: part[0] for name, part in parts.items()},
        "required": [*parts],
    }
    return schema, {name: part[1] for name, part in parts.items()}


SHAPES = st.recursive(
    PLAIN,
    lambda inner: (
        st.dictionaries(NAMES, inner, min_size=1, max_size=3).map(_object)
        | inner.map(lambda part: ({"type": "array", "items": part[0]}, [part[1]]))
        | inner.map(lambda part: ({"anyOf": [part[0], {"type": "boolean"}]}, part[1]))
    ),
    max_leaves=6,
)


def _objects(value: Any) -> list[dict[str, Any]]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    found = [thing for part in inner for thing in _objects(part)]
    return [value, *found] if isinstance(value, dict) else found


@given(made=SHAPES)
def test_declared_objects_are_closed_at_every_depth(made: tuple[Any, Any]) -> None:
    """A fitting value passes; one unknown key in any of its objects, and it is refused."""
    schema, value = made
    found = contract_module._Inliner({}).convert(schema, ())
    check = fastjsonschema.compile(found)
    check(copy.deepcopy(value))
    for index in range(len(_objects(value))):
        spoilt = copy.deepcopy(value)
        _objects(spoilt)[index]["unknown"] = 1
        with pytest.raises(fastjsonschema.JsonSchemaValueException):
            check(spoilt)
