"""Files of calls, and the mapping that fits them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hubspot_batch.files import FileError, InvalidRow, Mapping, Row, Table, open_table

HEADINGS = (
    "Date,Title,Notes,Direction,Status,Outcome,Duration,From,To,Contact ID,Company ID,Deal ID"
)
FIRST = (
    "2026-03-02 08:15,Hello,Asked for a price,Inbound,Completed,Connected,2:30,"
    "+1 202-555-0111,+1 202-555-0112,901,,"
)
NOTE = "Çelik & Söderström: „ja“ €"
SECOND = (
    f"2026-03-03 17:45,Again,{NOTE},Outbound,No answer,Busy,0:45,"
    "+1 202-555-0113,+1 202-555-0114,902;903,71,81"
)
PLAIN = f"{HEADINGS}\n{FIRST}\n{SECOND}\n"

MAPPING = """
operation = "calls create"
[columns]
Date = "hs_timestamp"
Title = "hs_call_title"
Notes = "hs_call_body"
Direction = "hs_call_direction"
Status = "hs_call_status"
Outcome = "hs_call_disposition"
Duration = "hs_call_duration"
From = "hs_call_from_number"
To = "hs_call_to_number"
"Contact ID" = { associate = "contact" }
"Company ID" = { associate = "company" }
"Deal ID" = { associate = "deal" }
"""


def file(folder: Path, content: str | bytes, name: str = "calls.csv") -> Path:
    """Write a file, a text as UTF-8."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(path: Path, **options: Any) -> tuple[list[Row], FileError | None, Table]:
    """Read a table: its rows, what stopped it, and the table."""
    table = open_table(path, **options)
    rows: list[Row] = []
    try:
        rows += table
    except FileError as error:
        return rows, error, table
    return rows, None, table


def mapping(folder: Path, text: str = MAPPING) -> Mapping:
    """Load a mapping file."""
    return Mapping.load(file(folder, text, "mapping.toml"))


def reasons(made: list[Any]) -> list[str]:
    """Why there is no input, of each row that has none."""
    return [one.reason for one in made if isinstance(one, InvalidRow)]
