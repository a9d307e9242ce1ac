"""Whole files as people have them, with everything that goes wrong in one kind of cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from call_files import HEADINGS, MAPPING, file, mapping
from hubspot_batch.files import FileError, InvalidRow, MappingError, open_table

ROW = {
    "Date": "2026-05-04 10:20",
    "Title": "Check",
    "Notes": "",
    "Direction": "Outbound",
    "Status": "Completed",
    "Outcome": "Connected",
    "Duration": "3:10",
    "From": "+1 202-555-0121",
    "To": "+1 202-555-0122",
    "Contact ID": "501",
    "Company ID": "",
    "Deal ID": "",
}


def table(folder: Path, column: str, values: list[str], headings: str = HEADINGS) -> Path:
    """A file of calls, with one column of values that differ."""
    lines = [headings]
    for value in values:
        quoted = value.replace('"', '""')
        lines.append(",".join({**ROW, column: f'"{quoted}"'}.values()))
    return file(folder, "\n".join(lines) + "\n")


def outcomes(folder: Path, path: Path, text: str = MAPPING) -> list[str | dict[str, Any]]:
    """For each row its input, or what is wrong and where."""
    made = mapping(folder, text).inputs(path)
    return [one.reason if isinstance(one, InvalidRow) else one for one in made]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("column", "good", "bad"),
    [
        (
            "Date",
            {
                "30/04/2026 10:20": "2026-04-30T10:20:00Z",
                "4/30/26 10:20 AM": "2026-04-30T10:20:00Z",
                "2026-04-30T10:20:00.000+0000": "2026-04-30T10:20:00Z",
                "2026-04-30 10:20:00 +0100": "2026-04-30T09:20:00Z",
                "1777544400000": "2026-04-30T10:20:00Z",
            },
            ["04/05/2026", "1777544400", "46142.43", "10:20", "2026-04", "12/2026", "1970-01-01"],
        ),
        (
            "Duration",
            {"00:03:10": "190000", "3m 10s": "190000", "PT3M10S": "190000", "00:00:00": "0"},
            ["190", "190.0", "0.0021990740740741", "1,234", "-1:00", "12:65", "in progress"],
        ),
        (
            "Contact ID",
            {"501;502": "501 502", "501 ": "501", "501;": "501", "501;501": "501", "'501": "501"},
            ["501,502", "501.0", "1.01E+14", "003x00000AbCdEf", "bo@example.com", "https://a.b/5"],
        ),
        (
            "Direction",
            {"inbound": "INBOUND", "OUTBOUND ": "OUTBOUND"},
            ["Incoming", "Outgoing", "Internal", "In", "Eingehend"],
        ),
        (
            "Status",
            {"completed": "COMPLETED", "No answer": "NO_ANSWER", "missed": "MISSED"},
            ["answered", "Voicemail", "Call connected", "Hang Up", "Abgeschlossen"],
        ),
        (
            "From",
            {"12025550101": "12025550101", '="0044163296"': "0044163296"},
            ["4.47E+11", "nan"],
        ),
    ],
)
def test_a_column_of_values(
    tmp_path: Path, column: str, good: dict[str, str], bad: list[str]
) -> None:
    """A cell with one meaning is read; the rest is named with line and column; nothing shifts."""
    properties = {
        "Date": "hs_timestamp",
        "Duration": "hs_call_duration",
        "Direction": "hs_call_direction",
        "Status": "hs_call_status",
        "From": "hs_call_from_number",
    }
    found = outcomes(tmp_path, table(tmp_path, column, [*good, *bad]))
    for made, sent in zip(found, good.values(), strict=False):
        assert isinstance(made, dict), made
        ids = " ".join(one["to"]["id"] for one in made["associations"])
        assert made["properties"].get(properties.get(column, ""), ids) == sent
    for line, (reason, text) in enumerate(zip(found[len(good) :], bad, strict=True), len(good) + 2):
        assert isinstance(reason, str)
        assert reason.startswith(f"Line {line}, {column}: ")
        assert text[:10] in reason


def test_numbers_of_excel(tmp_path: Path) -> None:
    """All cells of a row that Excel has spoiled are named at once."""
    row = "46142.43,Call,,Inbound,Completed,Busy,0.0021990740740741,4.47E+11,1.2E+10,1.01E+14,,"
    (reason,) = outcomes(tmp_path, file(tmp_path, f"{HEADINGS}\n{row}\n"))
    assert isinstance(reason, str)
    for column in ("Date", "Duration", "From", "To", "Contact ID"):
        assert f"{column}: " in reason


def test_numbers_of_excel_with_settings(tmp_path: Path) -> None:
    """Dates and durations are read once it is said what they are."""
    text = MAPPING.replace('"hs_timestamp"', '{ property = "hs_timestamp", date = "excel" }')
    text = text.replace('"hs_call_duration"', '{ property = "hs_call_duration", unit = "days" }')
    row = "46142.4305555556,Call,,Inbound,Completed,Connected,0.00219907407407407,,,501,,"
    (made,) = outcomes(tmp_path, file(tmp_path, f"{HEADINGS}\n{row}\n"), text)
    assert isinstance(made, dict)
    assert made["properties"]["hs_timestamp"] == "2026-04-30T10:20:00Z"
    assert made["properties"]["hs_call_duration"] == "190000"


@pytest.mark.parametrize(
    ("headings", "words"),
    [
        (HEADINGS.replace("Notes", ""), 'The column "\\(column 3\\)" is not mapped'),
        (HEADINGS.replace("Deal ID", "Notes"), 'The heading "Notes" is there 2 times'),
        (
            HEADINGS.replace("Duration", "Durration"),
            'column "Duration" .* Did you mean "Durration"',
        ),
    ],
)
def test_headings_that_do_not_fit(tmp_path: Path, headings: str, words: str) -> None:
    """A blank, repeated or misspelled heading stops the run before its first request."""
    path = table(tmp_path, "Notes", ["Said hello"], headings)
    with pytest.raises(MappingError, match=words):
        outcomes(tmp_path, path)


def test_a_quoted_formula_that_is_not_quoted_rightly(tmp_path: Path) -> None:
    """A number that Excel was to keep as a text is read if it is CSV, and else stops the file."""
    good, bad = '"=""0044163296"""', '"="""0044163296"""'
    row = ",".join(ROW.values())
    lines = [row.replace("+1 202-555-0121", cell) for cell in (good, bad)]
    path = file(tmp_path, "\n".join([HEADINGS, *lines, row]))
    made = mapping(tmp_path).inputs(path)
    first = next(made)
    assert isinstance(first, dict)
    assert first["properties"]["hs_call_from_number"] == "0044163296"
    with pytest.raises(FileError, match="line 3: it is no CSV"):
        next(made)


def test_a_row_that_is_too_short(tmp_path: Path) -> None:
    """It is named, and the rows after it are read."""
    short = ",".join([*ROW.values()][:10])
    path = file(tmp_path, f"{HEADINGS}\n{short}\n{','.join(ROW.values())}\n")
    first, second = outcomes(tmp_path, path)
    assert first == "Line 2, it has 10 cells, but there are 12 headings."
    assert isinstance(second, dict)


def test_totals_below_the_rows(tmp_path: Path) -> None:
    """A line of totals makes no call."""
    path = file(tmp_path, f"{HEADINGS}\n{','.join(ROW.values())}\nTotal,,,,,,3:10,,,,,\n")
    first, total = outcomes(tmp_path, path)
    assert isinstance(first, dict)
    assert total == "Line 3, it looks like a line of totals, and not like a record."
    assert len(open_table(path).columns) == 12
