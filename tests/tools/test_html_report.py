"""Findings as a page: what it says, that it stays text, and how a browser shows it."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen
from browser import Browser, found, run
from comparison.findings import Finding, Severity
from comparison.html_report import render
from hypothesis import example, given, settings
from hypothesis import strategies as st
from page_tree import Element, parsed

STYLE = (
    Path(__file__).parents[2] / "openapi" / "tools" / "comparison" / "html_report.css"
).read_text("utf-8")
SIGNS = {"breaking": "!", "additive": "+", "wording": "~"}


def finding(severity: Severity = Severity.BREAKING, **more: Any) -> Finding:
    """A finding of which a test says only what it is about."""
    plain = {"operation": "create_calls", "pointer": "/request/properties/inputs", "kind": "limit"}
    return Finding(**plain | {"severity": severity} | more)


def page(*findings: Finding, **more: Any) -> Element:
    """The page of some findings, as a tree."""
    return parsed(render(findings, **{"old": "the fragments", "new": "campaigns.json"} | more))


BEFORE = "Creates a campaign for each input. Results come in any order."
AFTER = "Creates one campaign for each input. Results come in the order of the inputs."
BREAKING = finding(
    was=50, now=10, why="Requests are refused.", file="openapi/fragments/calls.yaml", line=7
)
ADDITIVE = finding(Severity.ADDITIVE, pointer="/query/dryRun", kind="parameter", now={"a": [1]})
WORDING = finding(
    Severity.WORDING, operation="create_campaigns", pointer="/description", was=BEFORE, now=AFTER
)
EACH = (WORDING, ADDITIVE, BREAKING)


# ---------------------------------------------------------------- what the page says


def test_the_page_says_what_is_compared_and_how_much_differs() -> None:
    """The heading names both sides; the counts and the notes stand below."""
    seen = page(*EACH, ADDITIVE, notes=["read_campaigns is not in it.", "No servers."])
    assert seen.texts("h1") == ["Drift from the fragments to campaigns.json"] == seen.texts("title")
    assert seen.texts(".summary")[0].startswith("4 findings at 2 operations.")
    assert seen.texts("li") == ["read_campaigns is not in it.", "No servers."]
    labels = [" ".join(text.split()) for text in seen.texts("label")]
    assert labels == ["! breaking 1", "+ additive 2", "~ wording 1"]


def test_a_finding_is_shown_whole() -> None:
    """Severity, kind, place, both values, the reason and the line to edit."""
    (row,) = page(BREAKING).all("article")
    assert row.texts("h3") == ["! breaking limit /request/properties/inputs #"]
    assert dict(zip(row.texts("dt"), row.texts("dd"), strict=True)) == {
        "Was": "50",
        "Now": "10",
        "Why": "Requests are refused.",
        "Edit": "openapi/fragments/calls.yaml:7",
    }


def test_what_is_not_known_is_left_out() -> None:
    """Without a reason, a file or a line the page shows none, and an absent side is said to be."""
    (row,) = page(finding(now=1)).all("article")
    assert row.texts("dd") == ["not there", "1"]
    (row,) = page(finding(file="a.yaml")).all("article")
    assert row.texts("dd") == ["not there", "not there", "a.yaml"]


def test_findings_are_grouped_and_ordered() -> None:
    """Operations by name, and at each what matters most first, however they were given."""
    orders = [EACH, EACH[::-1]]
    for seen in (page(*order) for order in orders):
        assert [code.text for title in seen.all("h2") for code in title.all("code")] == [
            "create_calls",
            "create_campaigns",
        ]
        groups = [group.texts(".pointer") for group in seen.all("section")]
        assert groups == [["/request/properties/inputs", "/query/dryRun"], ["/description"]]
    assert len({render(order, old="a", new="b") for order in orders}) == 1


def test_headings_go_down_by_one() -> None:
    """The page, the operations and the findings are its three levels."""
    levels = [one.tag for one in page(*EACH) if re.fullmatch("h[1-6]", one.tag)]
    assert levels == ["h1", "h2", "h3", "h3", "h2", "h3"]


def test_an_empty_page_says_so() -> None:
    """Where nothing differs there is nothing to filter, and the notes stay."""
    seen = page(notes=["create_calls is not in this description."])
    assert seen.texts(".summary") == ["Nothing differs."]
    assert seen.texts("li") == ["create_calls is not in this description."]
    assert not seen.all("fieldset")
    assert not seen.all("article")


def test_every_finding_has_a_link_that_stays() -> None:
    """An anchor is the finding's own, also when others come before it or are alike."""
    alone = [row.attributes["id"] for row in page(WORDING).all("article")]
    rows = page(*EACH, BREAKING).all("article")
    names = [row.attributes["id"] for row in rows]
    assert names[-1:] == alone
    assert len(set(names)) == 4
    assert [row.all("a")[0].attributes["href"] for row in rows] == [f"#{name}" for name in names]


# ---------------------------------------------------------------- values


def values(was: Any, now: Any) -> tuple[str, str]:
    """How two values are shown."""
    was, now = page(finding(was=was, now=now)).texts(".value")
    return was, now


def marks(was: Any, now: Any) -> tuple[list[str], list[str]]:
    """Return the parts that are marked in two values."""
    seen = page(finding(was=was, now=now))
    return seen.texts("del"), seen.texts("ins")


@pytest.mark.parametrize("value", [0, 1.5, True, "string", "", [], {}, {"é": [None, "\n"]}])
def test_values_are_json(value: Any) -> None:
    """A short value stands on one line."""
    assert values(value, "other")[0] == json.dumps(value, ensure_ascii=False)


def test_long_values_are_indented_alike() -> None:
    """One long side is enough for both to be indented, so that the layout never differs."""
    long, short = [f"value_{number}" for number in range(9)], ["value_0"]
    assert values(long, short) == (json.dumps(long, indent=2), json.dumps(short, indent=2))
    assert marks(short, short + long) == (
        [],
        [",", *(f'"{text}",' for text in long[:-1]), '"value_8"'],
    )


def test_words_that_differ_are_marked() -> None:
    """In texts and in lists what is not on the other side is marked, and neighbours together."""
    assert values(BEFORE, AFTER) == (BEFORE, AFTER)
    assert marks(BEFORE, AFTER) == (["a", "any"], ["one", "the", " of the inputs"])
    assert marks(["A", "B"], ["A", "C"]) == (["B"], ["C"])
    assert marks(f"{BEFORE}\n  One", f"{BEFORE}\nOne two") == ([], [" two"])


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("string", "integer"),
        (50, 100),
        (BEFORE, "Something that has nothing to do with it, whatever it is about"),
        ("word " * 400, "word " * 399 + "other"),
        (BEFORE, None),
    ],
)
def test_nothing_is_marked_where_marks_would_not_help(was: Any, now: Any) -> None:
    """Short values, texts that have little in common, and texts that take long to compare."""
    assert marks(was, now) == ([], [])


# ---------------------------------------------------------------- what stays text

HOSTILE = (
    "</code></q></title></style><script>document.title='run'</script><img src=x onerror=alert(1)>"
    "{{ 7*7 }}{% raw %}&lt;&amp;&#60;'\"<!--]]>"
    "\0\x01\x08\x0b\r\x7f\x85\xa0\ud800\udfff\u200b\u202e\u2066\u2028\ufeff\ufffe\U000e0001"
    " שלום\n" + "w" * 500
)
anything = st.text(st.characters(codec=None, exclude_categories=())) | st.sampled_from(
    ["<script>", "</code>", "<!--", "-->", "]]>", "&lt;", "&#0;", "<q/onclick='", "\0", "\ud800"]
)


def spelled(text: str) -> str:
    """A text as the page has it."""
    return "".join(
        char if char == "\n" or char.isprintable() else json.dumps(char)[1:-1] for char in text
    )


def tags(seen: Element) -> list[tuple[str, list[str]]]:
    """The elements of a page with the names of their attributes; marks hang on the texts."""
    marks = [one for name in ("del", "ins", "wbr") for one in seen.all(name)]
    assert not any(one.attributes for one in marks)
    return [
        ("value" if "value" in one.classes else one.tag, sorted(one.attributes))
        for one in seen
        if one.tag not in ("del", "ins", "wbr")
    ]


def both(text: str) -> list[Finding]:
    """Findings that have a text everywhere, and a name before it that tells the places apart."""
    return [
        finding(
            operation=f"operation-{text}",
            pointer=f"/pointer-{number}-{text}",
            kind=f"kind-{number}-{text}",
            was=f"was-{number}-{text}" if number else {f"was-{number}-{text}": [text]},
            now=f"now-{number}-{text}",
            why=f"why-{number}-{text}",
            file=f"file-{number}-{text}",
            line=number,
        )
        for number in range(2)
    ]


@settings(max_examples=200)
@given(anything)
@example(HOSTILE)
def test_whatever_findings_hold_stays_text(text: str) -> None:
    """Every text is on the page once, as text, and no element or attribute came out of one."""
    plain, hostile = (
        parsed(render(both(each), old=f"old-{each}", new=f"new-{each}", notes=[f"note-{each}"]))
        for each in ("x", text)
    )
    assert tags(hostile) == tags(plain)
    body = hostile.all("body")[0]
    for name in ("old", "new", "note", "operation"):
        assert body.text.count(spelled(f"{name}-{text}")) >= 1
    assert [one.text for one in body.all("h2")[0].all("code")] == [spelled(f"operation-{text}")]
    assert body.texts("li") == [spelled(f"note-{text}")]
    for number, row in enumerate(body.all("article")):
        assert row.texts(".kind") == [spelled(f"kind-{number}-{text}")]
        assert row.texts(".pointer") == [spelled(f"/pointer-{number}-{text}")]
        _, now, why, place = row.texts("dd")
        assert why == spelled(f"why-{number}-{text}")
        assert place == spelled(f"file-{number}-{text}:{number}")
        assert now in (
            spelled(f"now-{number}-{text}"),
            spelled(json.dumps(f"now-{number}-{text}", ensure_ascii=False)),
        )
    for number in range(2):
        for name in ("pointer", "kind", "was", "now", "why", "file"):
            assert body.text.count(f"{name}-{number}-") == 1


@given(anything)
@example(HOSTILE)
def test_whatever_findings_hold_can_be_written(text: str) -> None:
    """The page is UTF-8, and no character of it is unseen or turns the others around."""
    made = render(both(text), old=text, new=text, notes=[text])
    assert made.encode().decode() == made
    assert made.replace("\n", "").isprintable()


def test_values_stay_json_when_they_are_spelled_out() -> None:
    """Invisible characters are escapes of JSON, so that the value can be read back."""
    text = HOSTILE.replace("\udfff", "")  # which JSON makes one character of with what is before
    value = {text: [text]}
    assert json.loads(values(value, 1)[0]) == value


# ---------------------------------------------------------------- one file, by itself


def test_the_page_asks_for_nothing() -> None:
    """No script, no address, nothing that is fetched, and a policy that would refuse it."""
    made = render([*EACH, *both(HOSTILE)], old="a", new="b")
    seen = parsed(made)
    tags = {one.tag for one in seen}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "form", "base", "svg"}
    names = {name for one in seen for name in one.attributes}
    assert not {name for name in names if name.startswith("on") or name in ("src", "style")}
    assert all((one.attributes["href"] or "").startswith("#") for one in seen.all("a"))
    assert not re.search(r"url\(|@import|@font-face", STYLE)
    (style,) = seen.all("style")
    digest = b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
    (policy,) = (one for one in seen.all("meta") if "http-equiv" in one.attributes)
    assert policy.attributes["content"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def test_every_severity_has_a_look_and_a_box() -> None:
    """A severity that is added is given a colour, a sign and its rules of filtering."""
    boxes = {box.attributes["id"] for box in page(*EACH).all("input")}
    for severity in map(str, Severity):
        assert f"show-{severity}" in boxes
        assert f"--{severity}:" in STYLE
        assert f"#show-{severity}:not(:checked)) main .{severity}" in STYLE
        assert severity in SIGNS


# ---------------------------------------------------------------- in a browser


@frozen
class Shown:
    """Writes pages, and shows them."""

    browser: Browser
    folder: Path

    def write(self, made: str) -> Path:
        """The file of a page."""
        path = self.folder / f"page-{len(list(self.folder.iterdir()))}.html"
        path.write_text(made, "utf-8")
        return path


@pytest.fixture(scope="session")
def browser() -> Browser:
    """A browser that starts; without one a test is skipped, and says so."""
    there = found()
    if isinstance(there, str):
        pytest.skip(there)
    return there


@pytest.fixture
def shown(browser: Browser, tmp_path: Path) -> Shown:
    """A browser and a place for pages."""
    return Shown(browser, tmp_path)


def colour(name: str, scheme: int = 0) -> tuple[int, int, int]:
    """A colour of the style, of the light or the dark scheme."""
    red, green, blue = bytes.fromhex(re.findall(rf"--{name}: #([0-9a-f]{{6}})", STYLE)[scheme])
    return red, green, blue


def test_a_browser_shows_the_text(shown: Shown) -> None:
    """A browser understands exactly what was written, hostile texts too."""
    made = render([*EACH, *both(HOSTILE)], old="a", new="b", notes=[HOSTILE])
    written, seen = parsed(made), parsed(shown.browser.text(shown.write(made)))
    for name in ("title", "h1", "h2", "h3", "dt", "dd", "li", "label", "style"):
        assert seen.texts(name) == written.texts(name)
    assert [one.tag for one in seen.all("body")[0]] == [one.tag for one in written.all("body")[0]]


def test_a_browser_draws_and_filters(shown: Shown) -> None:
    """A picture of the asked size shows every severity, and not those whose box is empty."""
    made = render(EACH, old="a", new="b")
    whole = shown.browser.picture(shown.write(made), 700, 720)
    assert (whole.width, whole.height) == (700, 720)
    assert len(whole.colours) > 50
    for severity in SIGNS:
        unchecked = made.replace(f'id="show-{severity}" checked', f'id="show-{severity}"')
        assert unchecked != made
        part = shown.browser.picture(shown.write(unchecked), 700, 720)
        # The label keeps its badge.
        assert 0 < part.colours[colour(severity)] < whole.colours[colour(severity)] / 2
        others = {colour(other) for other in SIGNS if other != severity}
        assert all(part.colours[other] > 0.9 * whole.colours[other] for other in others)


def test_a_browser_in_the_dark(shown: Shown) -> None:
    """A reader who prefers dark pages gets one."""
    path = shown.write(render(EACH, old="a", new="b"))
    seen = shown.browser.picture(path, 500, 400, "--blink-settings=preferredColorScheme=0")
    light = shown.browser.picture(path, 500, 400)
    assert seen.colours.most_common(1)[0][0] in (colour("page", 1), colour("card", 1))
    assert light.colours.most_common(1)[0][0] == colour("page")


@pytest.mark.parametrize("width", [420, 1200])
def test_nothing_sticks_out(shown: Shown, width: int) -> None:
    """The page is no wider than its window, for any findings."""
    made = render([*EACH, *both(HOSTILE)], old=HOSTILE, new=HOSTILE, notes=[HOSTILE])
    # The page itself allows no script.
    open_page = re.sub("<meta http-equiv.*?>", "", made).replace(
        "</body>",
        "<script>document.title = [innerWidth, document.documentElement.scrollWidth]</script>",
    )
    (title,) = parsed(shown.browser.text(shown.write(open_page), width)).texts("title")
    window, needed = map(int, title.split(","))
    assert needed <= window
    assert abs(window - width) <= 100


def test_a_browser_prints_pages(shown: Shown) -> None:
    """A long report is several pages, and one that shows less has fewer."""
    many = [evolve(BREAKING, pointer=f"/request/{number}") for number in range(30)]
    made = render([*many, WORDING], old="a", new="b")
    pages = []
    for each in (made, made.replace('id="show-breaking" checked', 'id="show-breaking"')):
        data = shown.browser.print(shown.write(each))
        assert data.startswith(b"%PDF-")
        pages.append(len(re.findall(rb"/Type\s*/Page\b", data)))
    assert pages[0] > 2
    assert pages[1] == 1


def test_a_policy_is_kept(shown: Shown) -> None:
    """The browser runs no script that got into the page after all."""
    made = render(EACH, old="a", new="b")
    bad = made.replace("</body>", "<script>document.title = 'run'</script></body>")
    seen = parsed(shown.browser.text(shown.write(bad)))
    assert seen.texts("title") == ["Drift from a to b"]


# ---------------------------------------------------------------- without a browser


def test_a_missing_browser_is_said_to_be_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The reason why tests are skipped says what to do, or that the browser does not start."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    assert str(found()).startswith("chromium and chromium-browser missing: install Debian's")
    broken = tmp_path / "chromium-browser"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    assert found() == "chromium-browser does not start"
    monkeypatch.setenv("CHROMIUM", "elsewhere")
    assert str(found()).startswith("elsewhere missing")


def test_a_browser_that_hangs_is_ended(tmp_path: Path) -> None:
    """A page that never ends does not hold the tests up."""
    import subprocess

    with pytest.raises(subprocess.TimeoutExpired):
        run(["/bin/sh", "-c", "sleep 600 & wait"], str(tmp_path), seconds=0.2)
