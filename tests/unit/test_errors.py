"""The tree of exceptions."""

from __future__ import annotations

import copy
import inspect
import pickle
import sqlite3

import hubspot_batch
import pytest
from hubspot_batch import BatchResult, HubSpotBatchError, Outcome, OutcomeStatus, errors

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, HubSpotBatchError)
]


@pytest.mark.parametrize("kind", KINDS)
def test_errors_survive_pickling_and_copying(kind: type[HubSpotBatchError]) -> None:
    """They cross to other processes with all that they carry."""
    result = BatchResult((Outcome(0, {"a": 1}, OutcomeStatus.UNKNOWN),))
    error = kind("what happened", result=result, status_code=477, correlation_id="abc")
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is kind
        assert str(again) == again.message == "what happened"
        assert (again.result, again.status_code, again.correlation_id) == (result, 477, "abc")


def test_errors_survive_pickling_whatever_the_inputs_are() -> None:
    """A row of a database cannot be pickled; the outcomes have its values anyway."""
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    row = connection.execute("SELECT 'Spring' AS name").fetchone()
    connection.close()
    function = {"properties": {"hs_name": lambda: None}}
    outcomes = [
        Outcome(at, one, OutcomeStatus.NOT_SENT) for at, one in enumerate([row, function, 5])
    ]
    error = HubSpotBatchError("stopped", result=BatchResult(tuple(outcomes)))
    again = pickle.loads(pickle.dumps(error))
    assert [one.index for one in again.result] == [0, 1, 2]
    assert again.result[0].input == {"name": "Spring"}
    assert "function" in again.result[1].input["properties"]["hs_name"]
    assert again.result[2].input == 5


@pytest.mark.parametrize("kind", KINDS)
def test_errors_are_exported_and_drawn(kind: type[HubSpotBatchError]) -> None:
    """Each has a place in the package and in the tree of the module's docstring."""
    assert getattr(hubspot_batch, kind.__name__) is kind
    assert kind.__name__ in str(errors.__doc__)
