"""The example files of the package, with the mappings beside them."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hubspot_batch._matching.items import EncodedInput
from hubspot_batch._operations.registry import SPECS
from hubspot_batch.files import InvalidRow, Mapping, open_table

EXAMPLES = Path(str(files("hubspot_batch.cli.demo").joinpath("examples")))


@pytest.mark.parametrize(
    ("name", "rows", "invalid"),
    [("calls", 432, 23), ("campaigns", 68, 6), ("campaign_ids", 12, 2), ("event_updates", 65, 6)],
)
def test_every_row_is_an_input_or_has_a_reason(name: str, rows: int, invalid: int) -> None:
    """The bad rows that stand in them on purpose are found before anything is sent."""
    mapping = Mapping.load(EXAMPLES / f"{name}.toml")
    table = open_table(EXAMPLES / f"{name}.csv")
    made = [*mapping.inputs(table)]
    good: list[Any] = [one for one in made if not isinstance(one, InvalidRow)]
    assert (len(made), len(made) - len(good)) == (rows, invalid)
    encoder = SPECS[mapping.check(table.columns).operation.id].encoder("run")
    assert all(isinstance(one, EncodedInput) for one in encoder.encode(0, good))
