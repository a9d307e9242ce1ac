"""What the operations are."""

from __future__ import annotations

from typing import Any

import attrs
import httpx
import pytest
from hubspot_batch._engine.chunk import InvalidInputError
from hubspot_batch._engine.response import Answer
from hubspot_batch._operations import registry as operations
from hubspot_batch._operations.registry import ROWS, Row
from hubspot_batch_client.contract import OPERATIONS
from hubspot_batch_client.models import ApiError, CallBatch, CampaignReadBatch, MarketingEventBatch
from hubspot_batch_client.types import Response


def test_every_operation_of_the_description_has_a_row() -> None:
    """And every row an operation."""
    assert {*ROWS} == {*OPERATIONS} == {row.id for row in ROWS.values()}


def test_a_row_without_an_operation_is_told_at_once() -> None:
    """A renamed operation is noticed when the client is regenerated, and not in a run."""
    with pytest.raises(LookupError, match="create_cals"):
        operations._row("create_cals")


def test_the_input_key_is_a_field_of_the_input() -> None:
    """A misspelt key would tie nothing."""
    for row in ROWS.values():
        if row.input_key is not None:
            assert row.input_key in OPERATIONS[row.id].input_schema["properties"]
            assert row.result_key in {attribute.name for attribute in attrs.fields(row.result)}


@pytest.mark.parametrize("given", [b"1", 1, None, ["1"], object()])
def test_what_is_no_input_is_named_by_its_type(given: object) -> None:
    """The sentence says what an input is."""
    with pytest.raises(InvalidInputError, match="CampaignReadInput or a mapping"):
        ROWS["read_campaigns"].prepare(0, given)


@pytest.mark.parametrize("status", [200, 207, 299])
@pytest.mark.parametrize("parsed", [None, ApiError.from_dict({})])
def test_a_success_without_a_batch_is_unreadable(status: int, parsed: object) -> None:
    """Whatever stands in the body, only a batch says what was done."""
    response = Response(status, b"", httpx.Headers(), parsed)
    assert not ROWS["create_calls"].read(response).readable


def answered(row: Row, status: int, model: Any, body: dict[str, Any], **headers: str) -> Answer:
    return row.read(Response(status, b"", httpx.Headers(headers), model.from_dict(body)))


@pytest.mark.parametrize("value", ["7", 7])
def test_an_id_that_comes_as_a_number_is_the_same_id(value: object) -> None:
    """Both have been seen in answers of one API."""
    body = {"results": [{"id": value}]}
    found = answered(ROWS["read_campaigns"], 200, CampaignReadBatch, body).results
    assert (found.ids, found.keys) == (["7"], ["7"])
    found = answered(ROWS["create_calls"], 201, CallBatch, body).results
    assert (found.ids, found.keys) == (["7"], [None])


@pytest.mark.parametrize("value", [None, True, 1.5, [], {}, ""])
def test_what_is_no_id_names_nothing(value: object) -> None:
    """It is a result without a name."""
    found = answered(ROWS["create_calls"], 201, CallBatch, {"results": [{"id": value}]}).results
    assert (found.ids, found.keys) == ([None], [None])


@pytest.mark.parametrize(
    ("row", "model", "names"),
    [
        (ROWS["read_campaigns"], CampaignReadBatch, ["id", "ids"]),
        (
            ROWS["update_marketing_events"],
            MarketingEventBatch,
            ["id", "ids", "objectId", "objectIds"],
        ),
        (ROWS["create_calls"], CallBatch, ["objectWriteTraceId"]),
    ],
)
def test_an_error_names_inputs_under_any_of_its_keys(
    row: Row, model: Any, names: list[str]
) -> None:
    """One as a text, many as a list."""
    for name in names:
        for value in ("7", ["7"]):
            body = {"results": [], "errors": [{"context": {name: value, "other": ["8"]}}]}
            (refusal,) = answered(row, 207, model, body).refusals
            assert refusal.keys == {"7"}


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
    """It names nobody."""
    answer = answered(ROWS["create_calls"], 207, CallBatch, {"results": [], **more})
    assert (
        [refusal.keys for refusal in answer.refusals] == [frozenset()] * len(answer.refusals) != []
    )
    if "message" in more:
        assert answer.refusals[0].error.message == more["message"]


@pytest.mark.parametrize("more", [{}, {"errors": None, "numErrors": None}, {"numErrors": 0}])
def test_no_error_is_none(more: dict[str, Any]) -> None:
    """Absent, null and nought say the same."""
    assert answered(ROWS["create_calls"], 207, CallBatch, {"results": [], **more}).refusals == ()


def test_the_body_names_the_request_and_else_the_header() -> None:
    """And what stands at the top of an error is nearer to it than its details."""
    header = {"X-HubSpot-Correlation-Id": "header"}
    context = {"a": ["top"]}
    details = [{"message": "m", "context": {"a": ["detail"], "b": ["detail"]}}, "junk"]
    body = {"correlationId": "body", "context": context, "errors": details}
    error = answered(ROWS["create_calls"], 400, ApiError, body, **header).error
    assert error.correlation_id == "body"
    assert error.context == {"a": ("top",), "b": ("detail",)}
    assert (
        answered(ROWS["create_calls"], 400, ApiError, {}, **header).error.correlation_id == "header"
    )


@pytest.mark.parametrize(
    ("status", "kind"),
    [(302, "refused"), (400, "refused"), (500, "server_error"), (526, "server_error")],
)
def test_the_kind_of_an_error_is_that_of_its_status(status: int, kind: str) -> None:
    """Whoever looks at the kind learns who has to act."""
    assert answered(ROWS["create_calls"], status, ApiError, {"message": "m"}).error.kind == kind
