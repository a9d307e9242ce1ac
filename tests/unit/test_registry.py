"""The operations and their specs."""

from __future__ import annotations

from typing import Any

import attrs
import httpx
import pytest
from hubspot_batch._engine.chunk import BatchResponse, Chunk
from hubspot_batch._operations import parsing
from hubspot_batch._operations.parsing import MatchKeys
from hubspot_batch._operations.registry import SPECS, OperationSpec
from hubspot_batch._transport.request_state import Interpretation, RequestState
from hubspot_batch._transport.retry import disposition_of
from hubspot_batch.outcomes import OutcomeError
from hubspot_batch_client.contract import OPERATIONS
from hubspot_batch_client.models import CallBatch, CampaignReadBatch, MarketingEventBatch
from hubspot_batch_client.types import as_model


def test_every_operation_of_the_description_has_a_spec() -> None:
    """And every spec an operation."""
    assert {*SPECS} == {*OPERATIONS} == {spec.id for spec in SPECS.values()}


def test_the_input_key_is_a_field_of_the_input() -> None:
    """A misspelt key would tie nothing."""
    for spec in SPECS.values():
        named = spec.input_key if isinstance(spec.input_key, tuple) else (spec.input_key,)
        if spec.input_key is not None:
            assert {*named} <= {*OPERATIONS[spec.id].input_schema["properties"]}
        if spec.result is not None and spec.result_key is not None:
            assert spec.result_key in {attribute.name for attribute in attrs.fields(spec.result)}


@pytest.mark.parametrize("given", [b"1", True, ["1"], object()])
def test_what_is_no_input_is_named_by_its_type(given: object) -> None:
    """The sentence says what an input is."""
    (error,) = SPECS["read_campaigns"].encoder("run").encode(0, [given])
    assert isinstance(error, OutcomeError)
    assert error.kind == "invalid_input"
    assert "CampaignReadInput or a mapping" in error.message


@pytest.mark.parametrize("status", [200, 207, 299])
@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b"null"])
def test_a_success_without_a_batch_is_unreadable(status: int, content: bytes) -> None:
    """Only a JSON object says what was done, whatever stands in the body."""
    response = httpx.Response(status, content=content)
    assert SPECS["create_calls"].read_success(response) is None


def answered(spec: OperationSpec, status: int, body: dict[str, Any], **headers: str) -> Any:
    response = httpx.Response(status, json=body, headers=headers)
    read = spec.read_success(response) if status < 300 else body
    state = RequestState()
    state.interpretation = Interpretation(disposition_of(status), read)
    parsed: BatchResponse = spec.parse(response, Chunk([], state))
    return parsed


@pytest.mark.parametrize("value", ["7", 7])
def test_an_id_that_comes_as_a_number_is_the_same_id(value: object) -> None:
    """Both have been seen in answers of one API."""
    body = {"results": [{"id": value}]}
    found = answered(SPECS["read_campaigns"], 200, body).results
    assert (found.ids, found.keys) == (["7"], ["7"])
    found = answered(SPECS["create_calls"], 201, body).results
    assert (found.ids, found.keys) == (["7"], [None])


@pytest.mark.parametrize("value", [None, True, 1.5, [], {}, ""])
def test_what_is_no_id_names_nothing(value: object) -> None:
    """It is a result without a name."""
    found = answered(SPECS["create_calls"], 201, {"results": [{"id": value}]}).results
    assert (found.ids, found.keys) == ([None], [None])


@pytest.mark.parametrize(
    ("spec", "model", "names"),
    [
        (SPECS["read_campaigns"], CampaignReadBatch, ["id", "ids"]),
        (
            SPECS["update_marketing_events"],
            MarketingEventBatch,
            ["id", "ids", "objectId", "objectIds"],
        ),
        (SPECS["create_calls"], CallBatch, ["objectWriteTraceId"]),
    ],
)
def test_an_error_names_inputs_under_any_of_its_keys(
    spec: OperationSpec, model: Any, names: list[str]
) -> None:
    """One as a text, many as a list."""
    for name in names:
        for value in ("7", ["7"]):
            body = {"results": [], "errors": [{"context": {name: value, "other": ["8"]}}]}
            (error,) = answered(spec, 207, body).errors
            assert error.keys == {"7"}


@pytest.mark.parametrize(
    "more",
    [
        {"errors": ["some text"]},
        {"errors": {"odd": 1}},
        {"errors": [], "numErrors": 1},
        {"numErrors": 2},
        {"message": "The account is read-only."},
    ],
)
def test_an_error_that_cannot_be_read_is_an_error_all_the_same(more: dict[str, Any]) -> None:
    """It names no input."""
    answer = answered(SPECS["create_calls"], 207, {"results": [], **more})
    assert [error.keys for error in answer.errors] == [frozenset()] * len(answer.errors) != []
    if "message" in more:
        assert answer.errors[0].error.message == more["message"]


@pytest.mark.parametrize("more", [{}, {"errors": None, "numErrors": None}, {"numErrors": 0}])
def test_no_error_is_none(more: dict[str, Any]) -> None:
    """Absent, null and nought say the same."""
    assert answered(SPECS["create_calls"], 207, {"results": [], **more}).errors == ()


def test_the_body_names_the_request_and_else_the_header() -> None:
    """And what stands at the top of an error is nearer to it than its details."""
    header = {"X-HubSpot-Correlation-Id": "header"}
    context = {"a": ["top"]}
    details = [{"message": "m", "context": {"a": ["detail"], "b": ["detail"]}}, "junk"]
    body = {"correlationId": "body", "context": context, "errors": details}
    error = answered(SPECS["create_calls"], 400, body, **header).error
    assert error.correlation_id == "body"
    assert error.context == {"a": ("top",), "b": ("detail",)}
    assert answered(SPECS["create_calls"], 400, {}, **header).error.correlation_id == "header"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(302, "refused"), (400, "refused"), (500, "server_error"), (526, "server_error")],
)
def test_the_kind_of_an_error_is_that_of_its_status(status: int, kind: str) -> None:
    """The kind of an error says who has to act."""
    assert answered(SPECS["create_calls"], status, {"message": "m"}).error.kind == kind


@pytest.mark.parametrize(("is_id", "records"), [(True, 1), (False, 2)])
def test_two_new_records_can_have_the_same_key(is_id: bool, records: int) -> None:
    """Unless the key is an id. The same record twice is one in either case."""
    spec = SPECS["create_calls"]
    texts = [{"id": id_, "objectWriteTraceId": "a name"} for id_ in ("1", "2", "2")]
    values = [as_model(spec.result, text) for text in texts]
    found = parsing._results(values, MatchKeys(spec.result_key, None, (), is_id=is_id), None)
    assert len({*found.ids}) == records
    assert {*found.keys} == {"a name"}
