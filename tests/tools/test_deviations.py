"""Deliberate deviations: silent while they hold, news when they do not, and well-formed."""

from __future__ import annotations

from pathlib import Path

import pytest
from comparison import deviations
from comparison.compare_descriptions import ComparisonResult
from comparison.compare_schema import Agreement
from comparison.description import UnreadableError
from comparison.findings import Finding, Severity

REAL = Path(__file__).parents[2] / "openapi" / deviations.NAME

TEXT = """\
deviations:
  - name: one
    pointer: /response/*/properties/**/color
    kind: type
    ours: string
    published: integer
    reason: It was seen.
    source: Somewhere
"""


def noted(tmp_path: Path, text: str = TEXT) -> list[deviations.Deviation]:
    path = tmp_path / deviations.NAME
    path.write_text(text, "utf-8")
    return deviations.read(path)


def found(
    now: object = "integer",
    pointer: str = "/response/200/properties/a/b/color",
    was: str = "string",
) -> ComparisonResult:
    finding = Finding(
        operation="o", pointer=pointer, kind="type", severity=Severity.BREAKING, was=was, now=now
    )
    return ComparisonResult([finding], {"o": []})


def agreed(pointer: str = "/response/200/properties/color") -> ComparisonResult:
    return ComparisonResult([], {"o": [Agreement(pointer, "type", "string")]})


def test_what_is_expected_is_silent(tmp_path: Path) -> None:
    """At a pointer that fits, with both sides as noted."""
    known = noted(tmp_path)
    assert deviations.apply(known, found(), "page") == []
    for other in (found(pointer="/request/color"), found(was="number")):
        assert deviations.apply(known, other, "page") == other.findings


def test_another_change_at_the_same_place_is_news(tmp_path: Path) -> None:
    """It is told with what was noted."""
    (news,) = deviations.apply(noted(tmp_path), found("boolean"), "page")
    assert "The deviation one was noted when HubSpot said 'integer'." in news.why


def test_coming_round_is_news(tmp_path: Path) -> None:
    """Where both sides say the same the deviation can go; unless that is no news."""
    (news,) = deviations.apply(noted(tmp_path), agreed(), "page")
    assert (news.kind, news.file, news.line) == (
        "deviation",
        (tmp_path / deviations.NAME).as_posix(),
        2,
    )
    assert news.why.endswith("It was noted because: It was seen.")
    assert deviations.apply(noted(tmp_path), agreed("/request/color"), "page") == []
    lasting = noted(tmp_path, f"{TEXT}    lasting: true\n")
    assert deviations.apply(lasting, agreed(), "page") == []
    assert deviations.apply(lasting, found(), "page") == []


def test_a_deviation_may_be_seen_in_one_place_only(tmp_path: Path) -> None:
    """On pages, or in descriptions, or of some operations."""
    pages = noted(tmp_path, f"{TEXT}    seen: page\n")
    assert deviations.apply(pages, found(), "page") == []
    assert deviations.apply(pages, found(), "description") == found().findings
    others = noted(tmp_path, f"{TEXT}    operations: [other]\n")
    assert deviations.apply(others, found(), "page") == found().findings


def test_any_value_may_be_expected(tmp_path: Path) -> None:
    """Where nothing is noted as published."""
    known = noted(tmp_path, TEXT.replace("    published: integer\n", ""))
    for now in ("integer", None, ["a"]):
        assert deviations.apply(known, found(now), "page") == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("deviations:", "others:", "this file has one list, `deviations`"),
        ("deviations:\n", "", ""),
        ("    reason: It was seen.\n", "", "2: a deviation has no `reason`; write it."),
        ("    kind: type\n", "", "2: a deviation has no `kind`; write it."),
        ("It was seen.", "5", "`reason` of a deviation is not text"),
        ("It was seen.", "''", "`reason` of a deviation is not text"),
        ("    ours:", "    theirs:", "has no place for `theirs`"),
        ("    ours: string", "    seen: never", "`seen` is `page` or `description`"),
        ("  - name: one", "  - text\n  - name: one", "2: a deviation has no `name`"),
        ("string", "[", "not YAML"),
    ],
)
def test_a_file_that_is_wrong_is_told(old: str, new: str, words: str, tmp_path: Path) -> None:
    """With its line, and what to do."""
    with pytest.raises(UnreadableError, match=deviations.NAME) as caught:
        noted(tmp_path, TEXT.replace(old, new))
    assert words in str(caught.value)


def test_without_a_file_there_are_none(tmp_path: Path) -> None:
    """The fragments need not deviate."""
    assert deviations.read(tmp_path / "none.yaml") == []


def test_the_real_ones_have_names_of_their_own() -> None:
    """So that messages and tests can speak of one."""
    names = [one.name for one in deviations.read(REAL)]
    assert len(names) == len({*names}) > 20
