"""The report of a job as a page: what it says, that texts stay text, and how a browser shows it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from browser import Browser, found
from hubspot_batch.jobs import JobSummary, PacePoint, Reason, RowDone, report
from hubspot_batch.jobs.pace_plot import duration, pace_plot
from hubspot_batch.jobs.report import MOST_ROWS, report_html
from hypothesis import example, given, settings
from hypothesis import strategies as st
from page_tree import Element, parsed

pytestmark = pytest.mark.once

HOME = Path(report.__file__).parent
STYLE = (HOME / "report.css").read_text("utf-8")
BEGAN = dt.datetime(2026, 11, 30, 9, 0, tzinfo=dt.UTC)
MESSAGE = 'Property values were not valid: [{"message": "WRONG was not one of the options"}]'
SUMMARY = JobSummary(
    file="calls.csv",
    folder="calls.csv.hubspot",
    command="hubspot-batch calls create calls.csv",
    operation="calls create",
    base_url="https://api.hubapi.com",
    started=BEGAN,
    ended=BEGAN + dt.timedelta(seconds=83),
    rows=1204,
    counts={"succeeded": 1198, "failed": 3, "unknown": 1, "not_sent": 2},
    requests=13,
    waits=2,
    waited=12.5,
    pace=[PacePoint(second, requests) for second, requests in ((0, 4), (10, 19), (20, 0), (70, 9))],
    reasons=[
        Reason("refused", MESSAGE, 3, (17, 18, 203)),
        Reason("stopped", "The run ended before it was done.", 2, (1204, 1205)),
    ],
    mapping=[("datetime (utc)", "hs_timestamp, UTC"), ("comments", "ignored")],
    notes=["The file is cp1252."],
    stopped="The daily limit of the account is reached.",
    resume="hubspot-batch calls create calls.csv --resume",
    files=["outcomes.jsonl", "rejects.csv", "report.html"],
)
ROWS = [
    RowDone(0, 2, "succeeded", id="51000000001", evidence="trace_id"),
    RowDone(15, 17, "failed", kind="refused", message=MESSAGE, correlation_id="c0ffee-1"),
    RowDone(16, 18, "failed", kind="refused", message=MESSAGE),
    RowDone(40, 42, "unknown", kind="no_answer", message="The connection broke."),
    RowDone(1202, 1204, "not_sent", kind="stopped", message="The run ended before it was done."),
]


def page(summary: JobSummary = SUMMARY, rows: Iterable[RowDone] = ROWS) -> Element:
    """The page as a tree."""
    return parsed(report_html(summary, rows))


def words(element: Element) -> str:
    """The text of an element on one line."""
    return " ".join(element.text.split())


def cells(seen: Element, table: str) -> list[list[str]]:
    """The rows of a table, heading first."""
    (found,) = seen.all(f".{table}")
    return [[words(cell) for cell in row if cell.tag in ("td", "th")] for row in found.all("tr")]


# ---------------------------------------------------------------- what the page says


def test_the_page_says_what_became_of_the_job() -> None:
    """Counts, state, facts and the command that goes on."""
    seen = page()
    assert seen.texts("title") == ["calls create: calls.csv"]
    assert seen.texts("h1") == ["calls create calls.csv"]
    assert [words(one) for one in seen.all(".state")] == [
        "Stopped. The daily limit of the account is reached."
    ]
    (counts,) = seen.all(".counts")
    assert dict(zip(counts.texts("dt"), counts.texts("dd"), strict=True)) == {
        "succeeded": "1,198",
        "failed": "3",
        "unknown": "1",
        "not sent": "2",
    }
    (facts,) = seen.all(".facts")
    assert dict(zip(facts.texts("dt"), facts.texts("dd"), strict=True)) == {
        "Rows in the file": "1,204",
        "Server": "https://api.hubapi.com",
        "Began": "2026-11-30 09:00:00 UTC",
        "Ended": "2026-11-30 09:01:23 UTC, after 1 min 23 s",
        "Requests": "13",
        "Waits": "2, 12 s in all",
        "Command": "hubspot-batch calls create calls.csv",
        "Folder": "calls.csv.hubspot",
        "Files": "outcomes.jsonl, rejects.csv",
    }
    assert seen.texts("pre") == ["hubspot-batch calls create calls.csv --resume"]
    assert seen.texts("li") == ["The file is cp1252."]


def test_reasons_columns_and_rows_are_tables() -> None:
    """Reasons are grouped, each row stands at its line, and a reason links to the rows shown."""
    seen = page()
    assert cells(seen, "reasons") == [
        ["Rows", "Kind", "What is wrong", "First lines"],
        ["3", "refused", MESSAGE, "17, 18, 203"],
        ["2", "stopped", "The run ended before it was done.", "1204, 1205"],
    ]
    assert cells(seen, "mapping") == [
        ["Column", "Meaning"],
        ["datetime (utc)", "hs_timestamp, UTC"],
        ["comments", "ignored"],
    ]
    assert cells(seen, "rows") == [
        ["Line", "Outcome", "Record", "What is wrong"],
        ["2", "succeeded", "51000000001 by trace_id", ""],
        ["17", "failed", "", f"refused {MESSAGE} correlation id c0ffee-1"],
        ["18", "failed", "", f"refused {MESSAGE}"],
        ["42", "unknown", "", "no_answer The connection broke."],
        ["1204", "not sent", "", "stopped The run ended before it was done."],
    ]
    ids = {one.attributes["id"] for one in seen.all("tr") if "id" in one.attributes}
    links = [one.attributes["href"] for one in seen.all(".reasons")[0].all("a")]
    assert links == ["#line-17", "#line-18", "#line-1204"]
    assert {link[1:] for link in links if link} <= ids


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"succeeded": 1204}, "Done. Every row succeeded."),
        ({"succeeded": 1203, "failed": 1}, "Done. 1 row did not succeed."),
        ({"succeeded": 2, "failed": 1200, "unknown": 2}, "Done. 1,202 rows did not succeed."),
    ],
)
def test_a_job_that_was_not_stopped_is_done(more: dict[str, int], said: str) -> None:
    """The state is one sentence; what there is nothing of has no section."""
    plain = evolve(
        SUMMARY, counts=more, stopped=None, resume=None, notes=(), reasons=(), mapping=(), pace=()
    )
    seen = page(plain, [])
    assert [words(one) for one in seen.all(".state")] == [said]
    assert seen.texts("h2") == ["The job"]


def test_a_large_job_shows_what_went_wrong_first() -> None:
    """The page has a bounded number of rows, reads them once, and says what it leaves out."""
    rows = (
        RowDone(number, number + 2, "failed" if number % 100 == 99 else "succeeded")
        for number in range(3 * MOST_ROWS)
    )
    seen = page(rows=rows)
    shown = cells(seen, "rows")[1:]
    assert len(shown) == MOST_ROWS
    assert sum(row[1] == "failed" for row in shown) == 3 * MOST_ROWS / 100
    assert [int(row[0]) for row in shown] == sorted(int(row[0]) for row in shown)
    assert "These are 5,000 of 15,000 rows" in words(seen)


def test_only_failures_can_fill_the_page() -> None:
    """Many failures leave no place for others, and are no more than the page holds."""
    rows = (RowDone(n, n, "succeeded" if n < 9 else "failed") for n in range(MOST_ROWS + 99))
    shown = cells(page(rows=rows), "rows")[1:]
    assert {row[1] for row in shown} == {"failed"}
    assert len(shown) == MOST_ROWS


def test_a_long_message_is_cut() -> None:
    """HubSpot's messages can hold whole documents; the other files have them whole."""
    row = RowDone(0, 2, "failed", kind="refused", message="x" * 5000)
    assert cells(page(rows=[row]), "rows")[1][3] == "refused " + "x" * 600 + " …"


# ---------------------------------------------------------------- the plot


def drawn(points: list[PacePoint], seconds: float) -> list[tuple[float, float]]:
    """The corners of the outline."""
    (path,) = (one for one in parsed(pace_plot(points, seconds)).all(".pace"))
    corners = re.findall(r"[ML]([0-9.]+) ([0-9.]+)", path.attributes["d"] or "")
    return [(float(x), float(y)) for x, y in corners]


def test_the_plot_is_to_scale() -> None:
    """A step of twice the requests is twice as high, and a gap is a pace of nothing."""
    (_, zero), (left, first), (_, _), (gap, none), *_ = corners = drawn(
        [PacePoint(0, 10), PacePoint(2, 20), PacePoint(8, 20)], 10
    )
    assert none == pytest.approx(zero - 2 * (zero - first), abs=0.2)
    (right, _) = corners[-1]
    assert gap - left == pytest.approx((right - left) * 2 / 10, abs=0.2)
    assert [y for _, y in corners].count(zero) == 4  # both ends, and the gap's two


@given(
    st.lists(st.integers(0, 10_000), max_size=600),
    st.sampled_from([1.0, 2.5, 60.0, 3600.0]),
    st.floats(0, 1e6),
)
def test_whatever_the_pace_the_picture_holds_it(
    requests: list[int], width: float, seconds: float
) -> None:
    """Nothing is drawn outside, few labels are written, and no pace at all is no picture."""
    made = pace_plot([PacePoint(n * width, count) for n, count in enumerate(requests)], seconds)
    assert bool(made) is bool(requests)
    if made:
        seen = parsed(made)
        numbers = re.findall(r"[ML]([0-9.]+) ([0-9.]+)", made)
        assert all(0 <= float(x) <= 760 and 0 <= float(y) <= 200 for x, y in numbers)
        assert 4 <= len(seen.all("text")) <= 14
        assert "nan" not in made
        assert "inf" not in made


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (3.21, "3.2 s"),
        (12.5, "12 s"),
        (60, "1 min"),
        (83, "1 min 23 s"),
        (3599.9, "1 h"),
        (3900, "1 h 5 min"),
        (90_000, "25 h"),
    ],
)
def test_a_length_of_time_is_written_as_people_do(seconds: float, said: str) -> None:
    """Units that say nothing are left out."""
    assert duration(seconds) == said


# ---------------------------------------------------------------- what stays text

HOSTILE = (
    "</code></q></td></title></style></script><script>document.title='run'</script>"
    "<img src=x onerror=alert(1)>$title ${style} $$ {{ 7*7 }}&lt;&amp;&#60;'\"<!--]]>"
    "\0\x01\x08\x0b\r\x7f\x85\xa0\ud800\udfff\u200b\u202e\u2066\u2028\ufeff\ufffe\U000e0001"
    " שלום\n" + "w" * 300
)
anything = st.text(st.characters(codec=None, exclude_categories=())) | st.sampled_from(
    ["<script>", "</td>", "<!--", "-->", "$title", "&lt;", "&#0;", "' onclick='", "\0", "\ud800"]
)


def spelled(given: str) -> str:
    """A text as the page has it."""
    return "".join(
        char if char == "\n" or char.isprintable() else json.dumps(char)[1:-1] for char in given
    )


def filled(given: str) -> str:
    """A page with a text in every place that holds one."""
    summary = evolve(
        SUMMARY,
        **{
            name: f"{name}-{given}"
            for name in ("file", "folder", "command", "operation", "base_url", "stopped", "resume")
        },
        unit=f"unit-{given}",
        reasons=[Reason(f"kind-{given}", f"reason-{given}", 7, (2,))],
        mapping=[(f"column-{given}", f"meaning-{given}")],
        notes=[f"note-{given}"],
        files=[f"name-{given}"],
    )
    row = RowDone(
        *(0, 2, f"status-{given}", f"id-{given}", f"kind-{given}", f"message-{given}"),
        correlation_id=f"correlation-{given}",
        evidence=f"evidence-{given}",
    )
    return report_html(summary, [row])


def tags(seen: Element) -> list[tuple[str, list[str]]]:
    """The elements of a page with the names of their attributes."""
    return [(one.tag, sorted(one.attributes)) for one in seen]


@settings(max_examples=150)
@given(anything)
@example(HOSTILE)
def test_whatever_a_job_holds_stays_text(given: str) -> None:
    """Every text is on the page, as text, and no element or attribute came out of one."""
    made = filled(given)
    seen = parsed(made)
    assert tags(seen) == tags(parsed(filled("x")))
    assert made.encode().decode() == made
    said = seen.all("body")[0].text
    for name in (
        *("file", "folder", "command", "operation", "base_url", "stopped", "resume", "unit"),
        *("kind", "reason", "column", "meaning", "note", "name", "status", "id", "message"),
        *("correlation", "evidence"),
    ):
        wanted = spelled(f"{name}-{given}")
        assert wanted in said or wanted.capitalize() in said, name


@given(anything)
def test_a_link_to_a_file_leads_into_the_folder(name: str) -> None:
    """A name cannot become an address of something else."""
    seen = page(evolve(SUMMARY, files=[name], reasons=()))
    (link,) = seen.all("a")
    assert re.fullmatch(r"\./[A-Za-z0-9%_.~/-]*", link.attributes["href"] or "")


# ---------------------------------------------------------------- one file, by itself


def test_the_page_asks_for_nothing() -> None:
    """Nothing is fetched, and a policy allows the page's own style and script and nothing else."""
    seen = page()
    assert not {one.tag for one in seen} & {"link", "img", "iframe", "object", "embed", "form"}
    names = {name for one in seen for name in one.attributes}
    assert not {name for name in names if name.startswith("on") or name in ("src", "style")}
    hrefs = [one.attributes["href"] or "" for one in seen.all("a")]
    assert all(href.startswith(("#", "./")) for href in hrefs)
    assert not re.search(r"url\(|@import|@font-face", STYLE)
    style, script = (
        b64encode(hashlib.sha256(seen.all(tag)[0].text.encode()).digest()).decode()
        for tag in ("style", "script")
    )
    (policy,) = (one for one in seen.all("meta") if "http-equiv" in one.attributes)
    assert policy.attributes["content"] == (
        f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; "
        "base-uri 'none'; form-action 'none'"
    )


# ---------------------------------------------------------------- in a browser


@pytest.fixture(scope="session")
def browser() -> Browser:
    """A browser that starts; without one a test is skipped, and says so."""
    there = found()
    if isinstance(there, str):
        pytest.skip(there)
    return there


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A page with a hostile text beside the usual rows."""
    path = tmp_path / "report.html"
    hostile = RowDone(50, 52, "failed", kind="refused", message=HOSTILE)
    path.write_text(report_html(SUMMARY, [*ROWS, hostile]), "utf-8")
    return path


class At:
    """A page at a fragment, as the browser is asked for it."""

    def __init__(self, path: Path, fragment: str) -> None:
        self.path, self.fragment = path, fragment

    def as_uri(self) -> str:
        """The address."""
        return f"{self.path.as_uri()}#{self.fragment}"


def visible(seen: Element) -> list[str]:
    """The lines of the rows that are not hidden."""
    (table,) = seen.all(".rows")
    rows = table.all("tbody")[0].all("tr")
    return [words(row.all("td")[0]) for row in rows if "hidden" not in row.attributes]


def test_a_browser_shows_every_text(browser: Browser, written: Path) -> None:
    """A browser understands what was written, and nothing of a text has run."""
    before, seen = parsed(written.read_text("utf-8")), parsed(browser.text(written))
    for name in ("title", "h1", "h2", "dt", "dd", "li", "td", "th", "pre", "style"):
        assert seen.texts(name) == before.texts(name)
    (search,) = seen.all(".search")
    assert "hidden" not in search.attributes  # the script has run
    assert "hidden" in before.all(".search")[0].attributes
    assert visible(seen) == ["2", "17", "18", "42", "52", "1204"]


@pytest.mark.parametrize(
    ("search", "lines"),
    [
        ("options%20FAILED", ["17", "18"]),
        ("c0ffee", ["17"]),
        ("not%20sent", ["1204"]),
        ("51000000001", ["2"]),
        ("nothing%20like%20it", []),
        ("%", ["2", "17", "18", "42", "52", "1204"]),
    ],
)
def test_a_search_hides_other_rows(
    browser: Browser, written: Path, search: str, lines: list[str]
) -> None:
    """All words must be in a row, in any case; the page says how many rows are left."""
    at: Any = At(written, f"search={search}")
    seen = parsed(browser.text(at))
    assert visible(seen) == lines
    counted = f"{len(lines)} of 6 rows" if len(lines) < 6 else ""
    assert seen.texts("output") == [counted]


def colour(name: str, scheme: int) -> tuple[int, int, int]:
    """A colour of the style, of the light or the dark scheme."""
    red, green, blue = bytes.fromhex(re.findall(rf"--{name}: #([0-9a-f]{{6}})", STYLE)[scheme])
    return red, green, blue


@pytest.mark.parametrize(
    ("scheme", "more"), [(0, ()), (1, ("--blink-settings=preferredColorScheme=0",))]
)
def test_a_browser_draws_both_schemes(
    browser: Browser, written: Path, scheme: int, more: tuple[str, ...]
) -> None:
    """Every outcome and the pace have their colour, by day and by night."""
    picture = browser.picture(written, 900, 1900, *more)
    assert picture.colours.most_common(1)[0][0] == colour("page", scheme)
    for name in ("succeeded", "failed", "unknown", "not_sent", "pace"):
        assert picture.colours[colour(name, scheme)] > 50, name


def test_a_browser_prints_the_page(browser: Browser, written: Path) -> None:
    """It becomes a PDF of few pages, without an error."""
    printed = browser.print(written)
    assert printed.startswith(b"%PDF")
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 4
