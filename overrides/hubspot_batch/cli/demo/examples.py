"""The example files: the operation of each, and the columns that name its rows.

This module decides the order of loading. Their mappings stand beside them, as TOML.
"""

from __future__ import annotations

import csv
import io
from importlib.resources import files
from pathlib import Path

from attrs import frozen


@frozen
class Example:
    """An example file.

    Attributes:
        operation: The operation, as the command line calls it.
        stem: The name of the file and of its mapping, without `.csv` and `.toml`.
        label: The columns that name a row for people; the first that is filled in counts.
        options: Options of its command.
    """

    operation: str
    stem: str
    label: tuple[str, ...]
    options: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """The name of the file."""
        return f"{self.stem}.csv"


CAMPAIGNS = Example("campaigns create", "campaigns", ("Name", "UTM"))
CAMPAIGN_IDS = Example(
    "campaigns read",
    "campaign_ids",
    ("Remark", "Campaign ID"),
    (
        *("--properties", "hs_name,hs_start_date"),
        *("--start-date", "2026-01-01", "--end-date", "2026-03-31", "--to", "jsonl"),
    ),
)
EVENT_UPDATES = Example("marketing-events update", "event_updates", ("Event", "Object ID"))
CALLS = Example("calls create", "calls", ("Title", "Notes", "Date"))
EXAMPLES = (CAMPAIGNS, CAMPAIGN_IDS, EVENT_UPDATES, CALLS)

_HOME = files("hubspot_batch.cli.demo").joinpath("examples")


def copy_example(example: Example, folder: Path) -> tuple[Path, Path]:
    """Copy an example file and its mapping into a folder; return their paths."""
    made = folder / example.file, folder / f"{example.stem}.toml"
    for path in made:
        path.write_bytes(_HOME.joinpath(path.name).read_bytes())
    return made


def account_events() -> list[tuple[str, str, str]]:
    """Return the events that the example files know: id, name and start."""
    text = _HOME.joinpath("account_events.csv").read_text("utf-8-sig")
    rows = csv.DictReader(io.StringIO(text, newline=""))
    return [(row["Object ID"], row["Event"], row["Start"]) for row in rows]
