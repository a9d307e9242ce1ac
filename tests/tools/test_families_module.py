"""The methods that are written off a bundle: their names, arguments and docstrings."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable
from typing import Any

import pytest
from generation import families_module
from generation.operation_meaning import ContractError

Document = dict[str, Any]


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def operation(id_: str, **more: Any) -> Document:
    answer = {"description": "", "content": {"application/json": {"schema": ref("Answer")}}}
    body = {"content": {"application/json": {"schema": ref("Body")}}}
    made = {"operationId": id_, "tags": ["odd_things"], "requestBody": body, **more}
    return {"post": {**made, "responses": {"200": answer}}}


def document(*operations: Document) -> Document:
    inputs = {"type": "array", "maxItems": 7, "items": ref("ThingInput")}
    results = {"type": "array", "items": ref("Thing")}
    schemas = {
        "Body": {"properties": {"inputs": inputs}},
        "Answer": {"properties": {"results": results}},
        "ThingInput": {"properties": {"id": {"type": "string"}}, "description": "A thing."},
        "Thing": {"properties": {"id": {"type": "string"}}},
    }
    paths = {f"/{number}": one for number, one in enumerate(operations)}
    return {"paths": paths, "components": {"schemas": schemas}}


def classes(made: Document) -> dict[str, dict[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """The methods of each class of the text that is written."""
    tree = ast.parse(families_module.render(made))
    return {
        node.name: {
            part.name: part
            for part in node.body
            if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    }


def query(**more: Any) -> Document:
    return {"name": "some", "in": "query", "schema": {"type": "string"}, **more}


def test_a_family_has_a_class_for_threads_and_one_for_tasks() -> None:
    """Both are attributes of what the clients inherit, and methods are called as people say."""
    found = classes(document(operation("create_odd_things"), operation("read_odd_things_by_name")))
    names = ["create", "create_iter", "read_by_name", "read_by_name_iter"]
    assert [*found["OddThings"]] == [*found["AsyncOddThings"]] == names
    assert isinstance(found["AsyncOddThings"]["create"], ast.AsyncFunctionDef)
    assert isinstance(found["AsyncOddThings"]["create_iter"], ast.FunctionDef)
    text = families_module.render(document(operation("create_odd_things")))
    assert "odd_things: OddThings\n" in text
    assert "self.odd_things = AsyncOddThings(runner, call, reconcile, pages)" in text
    assert '"""Odd things."""' in text


def test_a_family_whose_records_can_be_looked_up_has_a_method_for_it() -> None:
    """The create says so in the description; no other family has it."""
    made = operation("create_odd_things", **{"x-reconcile": True})
    found = classes(document(made))
    names = ["create", "create_iter", "reconcile"]
    assert [*found["OddThings"]] == [*found["AsyncOddThings"]] == names
    assert isinstance(found["AsyncOddThings"]["reconcile"], ast.AsyncFunctionDef)


def test_arguments_are_typed_and_those_that_are_required_come_first() -> None:
    """In Python's own names; what goes into the body is no other."""
    asked = [query(), query(name="mustBe", required=True, schema={"type": "integer"})]
    made = document(operation("read_odd_things", parameters=asked))
    body = made["components"]["schemas"]["Body"]
    body["properties"]["idProperty"] = {"type": "string", "description": "Which one."}
    function = classes(made)["OddThings"]["read"]
    shown = {a.arg: ast.unparse(a.annotation or ast.Pass()) for a in function.args.kwonlyargs}
    assert shown == {
        "must_be": "int",
        "some": "str | None",
        "id_property": "str | None",
        "chunk_size": "int | None",
        "journal": "Journal | JournalPath | None",
    }
    assert function.args.kw_defaults[0] is None
    inputs = function.args.args[1].annotation
    assert inputs is not None
    assert ast.unparse(inputs) == "Inputs[str | models.ThingInput | Fields]"
    assert "id_property: Which one." in (ast.get_docstring(function) or "")
    call = ast.unparse(function.body[-1])
    assert "'read_odd_things', chunk_size, must_be=must_be, some=some" in call


@pytest.mark.parametrize(
    ("name", "traced", "isolates"),
    [("create", False, True), ("create", True, False), ("upsert", True, False)],
)
def test_a_create_without_trace_ids_can_be_isolated(
    name: str, traced: bool, isolates: bool
) -> None:
    """With them, the server tells the good inputs from the bad ones itself."""
    made = document(operation(f"{name}_odd_things"))
    if traced:
        fields = made["components"]["schemas"]["ThingInput"]["properties"]
        fields["objectWriteTraceId"] = {"type": "string"}
    function = classes(made)["OddThings"][name]
    assert ("isolate" in {a.arg for a in function.args.kwonlyargs}) == isolates
    assert ("gets an `objectWriteTraceId`" in (ast.get_docstring(function) or "")) == traced


def test_a_missing_limit_is_said() -> None:
    """The docstring says that the number is ours."""
    made = document(operation("read_odd_things"))
    doc = ast.get_docstring(classes(made)["OddThings"]["read"]) or ""
    assert "chunk_size: Inputs to a request; 7 by default and at most.\n" in doc
    del made["components"]["schemas"]["Body"]["properties"]["inputs"]["maxItems"]
    doc = " ".join((ast.get_docstring(classes(made)["OddThings"]["read"]) or "").split())
    assert "100 by default and at most, since the description names no limit." in doc


@pytest.mark.parametrize("odd", ['"', '"""', "\\", '\\"""', "\\n", 'it is "so"'])
def test_any_text_becomes_a_docstring(odd: str) -> None:
    """It ends where it ends, and is read as it was written."""
    made = document(operation("read_odd_things", summary=f"Odd {odd}", description=f"See {odd}"))
    for name in ("OddThings", "AsyncOddThings"):
        doc = ast.get_docstring(classes(made)[name]["read"]) or ""
        assert doc.startswith(f"Odd {odd}")
    assert f"See {odd}" in (ast.get_docstring(classes(made)["OddThings"]["read"]) or "")


def _nameless(made: Document, *path: str) -> Document:
    made = copy.deepcopy(made)
    place = made["components"]["schemas"]
    for key in path:
        place = place[key]
    place["items"] = {"type": "object"}
    return made


READ = document(operation("read_odd_things"))
WRONG: dict[str, tuple[Callable[[], Document], str]] = {
    "two methods of one name": (
        lambda: document(operation("read_odd_things"), operation("read")),
        "read and read_odd_things would both be odd_things.read; rename one.",
    ),
    "two that clash by their iterator": (
        lambda: document(operation("read_odd_things_iter"), operation("read_odd_things")),
        "read_odd_things and read_odd_things_iter would both be odd_things.read_iter",
    ),
    "an argument that methods have": (
        lambda: document(operation("read_x", parameters=[query(name="chunkSize")])),
        "a method cannot take `chunkSize`",
    ),
    "an argument without a name": (
        lambda: document(operation("read_x", parameters=[query(name="5")])),
        "a method cannot take `5`",
    ),
    "two arguments that are one": (
        lambda: document(operation("read_x", parameters=[query(name="ab"), query(name="\uff41b")])),
        "`ab` and `\uff41b` are one argument in Python; leave one out.",
    ),
    "an argument that no address can hold": (
        lambda: document(operation("read_x", parameters=[query(schema={"type": "object"})])),
        "`some` has no form in a query; describe another.",
    ),
    "a tag that is no name": (
        lambda: document(operation("read_x", tags=["Odd Things"])),
        "the tag Odd Things becomes an attribute",
    ),
    "a tag that a client has": (
        lambda: document(operation("read_x", tags=["raw"])),
        "a family cannot be called raw",
    ),
    "inputs without a name": (
        lambda: _nameless(READ, "Body", "properties", "inputs"),
        "an item of `inputs` or the response of read_odd_things has no schema with a name",
    ),
    "results without a name": (
        lambda: _nameless(READ, "Answer", "properties", "results"),
        "an item of `results` or the response of read_odd_things has no schema with a name",
    ),
}


@pytest.mark.parametrize("tag", ["close", "options", "raw", "validate", "with_options"])
def test_what_a_client_has_is_no_family(tag: str) -> None:
    """A family would hide it."""
    with pytest.raises(ContractError, match=f"a family cannot be called {tag}"):
        families_module.render(document(operation("read_x", tags=[tag])))


@pytest.mark.parametrize("name", WRONG)
def test_what_no_method_can_be_made_of_is_told(name: str) -> None:
    """In a sentence, with its place."""
    make, expected = WRONG[name]
    with pytest.raises(ContractError) as caught:
        families_module.render(make())
    assert expected in str(caught.value)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("id_", "said", "words"),
    [
        ("create_things", "by-kee", "`x-reconcile` is 'by-kee'; write true, or by-key."),
        ("create_things", "true", "`x-reconcile` is 'true'"),
        ("update_things", True, "`x-reconcile` is about a create"),
    ],
)
def test_what_can_be_looked_up_is_said_rightly(id_: str, said: object, words: str) -> None:
    """A misspelt value would lose the method `reconcile` or its keys."""
    made = document(operation(id_))
    made["paths"]["/0"]["post"]["x-reconcile"] = said
    with pytest.raises(ContractError, match=words) as caught:
        families_module.render(made)
    assert caught.value.pointer == ("paths", "/0", "post", "x-reconcile")
