"""What the operations are."""

from __future__ import annotations

import attrs
import httpx
import pytest
from hubspot_batch import operations
from hubspot_batch.batch import InvalidInputError
from hubspot_batch.operations import CREATE_CALLS, READ_CAMPAIGNS, Row
from hubspot_batch_client.contract import OPERATIONS
from hubspot_batch_client.models import ApiError
from hubspot_batch_client.types import Response

ROWS = [value for value in vars(operations).values() if isinstance(value, Row)]


def test_every_operation_of_the_description_has_a_row() -> None:
    """And every row an operation; the limit is the description's."""
    assert {row.id for row in ROWS} == set(OPERATIONS)
    assert {row.id: row.limit for row in ROWS} == {
        operation.id: operation.max_inputs for operation in OPERATIONS.values()
    }


def test_the_input_key_is_a_field_of_the_input() -> None:
    """A misspelt key would tie nothing."""
    for row in ROWS:
        if row.input_key is not None:
            assert row.input_key in OPERATIONS[row.id].input_schema["properties"]
            assert row.result_key in {attribute.name for attribute in attrs.fields(row.result)}


@pytest.mark.parametrize("given", [b"1", 1, None, ["1"], object()])
def test_what_is_no_input_is_named_by_its_type(given: object) -> None:
    """The sentence says what an input is."""
    with pytest.raises(InvalidInputError, match="CampaignReadInput or a mapping"):
        READ_CAMPAIGNS.prepare(0, given)


@pytest.mark.parametrize("status", [200, 207, 299])
@pytest.mark.parametrize("parsed", [None, ApiError.from_dict({})])
def test_a_success_without_a_batch_is_unreadable(status: int, parsed: object) -> None:
    """Whatever stands in the body, only a batch says what was done."""
    response = Response(status, b"", httpx.Headers(), parsed)
    assert not CREATE_CALLS.read(response).readable
