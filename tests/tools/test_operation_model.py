"""The facts that the tools find out about each operation of a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from generation import operation_meaning, operation_model
from generation.operation_meaning import ContractError, Fields
from hubspot_batch._operations import registry

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("schema", "form"),
    [
        ({"type": "string"}, "text"),
        ({"type": "string", "enum": ["a"]}, "text"),
        ({"type": ["string", "null"]}, "text"),
        ({"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "string"}]}, "text"),
        ({"anyOf": [{"$ref": "#/components/schemas/Day"}, {"type": "null"}]}, "date"),
        ({"type": "string", "format": "date-time"}, "time"),
        ({"$ref": "#/components/schemas/Day"}, "date"),
        ({"type": "integer", "format": "int32"}, "integer"),
        ({"type": "number"}, "number"),
        ({"type": "boolean"}, "boolean"),
        ({"type": "array", "items": {"type": "string"}}, "texts"),
        ({"type": "array", "items": {"type": "integer"}}, "integers"),
        ({"type": "array", "items": {"type": "string", "format": "date"}}, "json"),
        ({"type": "array"}, "json"),
        ({"type": "object"}, "json"),
        ({"type": ["string", "integer"]}, "json"),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, "json"),
        ({}, "json"),
        (True, "json"),
    ],
    ids=str,
)
def test_the_form_of_an_argument(schema: Any, form: str) -> None:
    """A form that is not understood as a whole is JSON."""
    document = {"components": {"schemas": {"Day": {"type": "string", "format": "date"}}}}
    assert operation_model.form_of(document, (), schema) == form


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"operationId": "archive_contacts"}, "archive"),
        ({"operationId": "contacts"}, "action"),
        ({"operationId": "purge_contacts"}, "action"),
        ({"operationId": "purge_contacts", "x-kind": "archive"}, "archive"),
        ({"operationId": "create_contacts", "x-kind": "action"}, "action"),
    ],
    ids=str,
)
def test_an_unknown_verb_is_never_sent_twice(said: dict[str, Any], kind: str) -> None:
    """A fragment says what it is, or it counts as something that must not be done twice."""
    assert operation_meaning.kind_of(("paths", "/x", "post"), said) == kind


@pytest.mark.parametrize(
    ("said", "words", "place"),
    [
        ({"operationId": "creates_calls"}, "did you mean create?", "operationId"),
        ({"operationId": "updat_calls"}, "did you mean update?", "operationId"),
        (
            {"operationId": "purge_calls", "x-kind": "purge"},
            "which is no kind of operation; write one of",
            "x-kind",
        ),
        ({"operationId": "purge_calls", "x-kind": "archiv"}, "did you mean archive", "x-kind"),
        ({"operationId": "purge_calls", "x-kind": None}, "which is no kind of operation", "x-kind"),
    ],
    ids=str,
)
def test_a_misspelt_kind_is_told(said: dict[str, Any], words: str, place: str) -> None:
    """It decides whether a request is sent again, so it is never guessed."""
    with pytest.raises(ContractError) as caught:
        operation_meaning.kind_of(("paths", "/x", "post"), said)
    assert words in str(caught.value)
    assert caught.value.pointer[-1] == place


def test_the_client_knows_every_kind() -> None:
    """The tools take the same kinds as the client, which knows more of each."""
    assert [*registry.KINDS] == [*operation_meaning.KINDS]


@pytest.mark.parametrize(
    ("kind", "more", "record_key"),
    [
        ("create", [], ""),
        ("create", ["eventId"], "eventId"),
        ("create", ["id"], "id"),
        ("read", ["eventId"], "eventName"),
        ("update", [], "eventName"),
    ],
)
def test_the_key_of_a_create_is_no_id(kind: str, more: list[str], record_key: str) -> None:
    """Two new records can have the same name, but a read or an update names one that exists."""
    names = ["eventName", *more]
    fields = Fields({name: {"type": "string"} for name in names}, frozenset(names))
    said = {"operationId": f"{kind}_events", "x-key": "eventName"}
    meaning = operation_meaning.meaning_of(("paths", "/x", "post"), said, [fields], fields)
    assert (meaning.key, meaning.result_key) == (("eventName",), ("eventName",))
    assert meaning.record_key == record_key


def test_a_schema_that_holds_itself_is_told() -> None:
    """Its fields have no end."""
    part = {"allOf": [{"$ref": "#/components/schemas/A"}]}
    document = {"components": {"schemas": {"A": part}}}
    answer = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}
    with pytest.raises(ContractError, match="contains itself under `allOf`"):
        operation_model.result_of(document, {"responses": {"200": answer}})


def test_the_answer_to_a_success_says_what_a_result_is() -> None:
    """The first that has results; errors and empty answers have none."""
    item = {"allOf": [{"$ref": "#/components/schemas/B"}, {"properties": {"new": {}}}]}
    schemas = {
        "A": {
            "allOf": [{"properties": {"results": {"items": {"$ref": "#/components/schemas/C"}}}}]
        },
        "B": {"properties": {"id": {}, "name": {}}},
        "C": item,
    }
    answer = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}
    document = {"components": {"schemas": schemas, "responses": {"A": answer}}}
    responses = {"200": {}, "207": {"$ref": "#/components/responses/A"}, "400": answer}
    found = operation_model.result_of(document, {"responses": responses})
    assert found == ("A", "C", ("id", "name", "new"))
    assert operation_model.result_of(document, {"responses": {"400": answer}}) == ("", "", ())
