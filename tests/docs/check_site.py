"""The site as people use it: found, searched, printed, and read on a telephone and in the dark.

`make docs` builds it and runs this file; it is no part of `make test`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import browser
import browser_tab
import pytest
from browser_tab import Tab
from page_blocks import DOCS, ROOT

SITE = (ROOT / os.environ.get("DIST", "dist") / "docs").resolve()
PAGES = sorted(SITE.rglob("*.html"))
SOURCES = {path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md")}
# Addresses that a page shows as text; none of them is asked for anything.
SHOWN = re.compile(
    r"https?://(127\.0\.0\.1|app\b|hubspot\.internal|proxy\.internal|api\.hubapi\.com|host\b|"
    r"index\.example\.com|developers\.hubspot\.com|www\.w3\.org/2000/svg|localhost)"
)

QUESTIONS = {
    "How do I load an Excel file?": "load-a-file",
    "what does unknown mean and what should I do": "outcomes",
    "429 too many requests": "pace",
    "share the rate limit between celery workers": "many-workers",
    "fix rejected rows and upload them again": "rejects-and-resume",
    "pandas dataframe": "dataframe",
    "corporate proxy certificate error": "connect",
    "which scopes does my token need": "connect",
    "how can I test my code without a HubSpot account": "sandbox",
    "replace hubspot-api-client": "migrate/hubspot-api-client",
    "new api version 2026-09": "migrate/dated-versions",
    "command line options": "reference/commands",
    "how do I avoid duplicates when my script runs again": "script",
    "what happens if the connection drops": "outcomes",
    "can I see what would be sent before loading": "load-a-file",
    "kubernetes pods": "many-workers",
    "HubSpot changed its API, what now": "when-hubspot-changes",
    "is it fast": "proof",
}


class Page(HTMLParser):
    """The links of a page, what it loads, and where links to it can lead."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.ids: set[str] = set()
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.ids.add(given["id"])
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag in ("link", "script", "img", "iframe", "source", "form"):
            named = (given.get(name) for name in ("href", "src", "srcset", "action"))
            self.loaded += [value for value in named if value]


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    if not PAGES:
        pytest.skip("there is no site: make docs")


@pytest.fixture(scope="module")
def in_browser() -> Iterator[Tab]:
    found = browser.found()
    if isinstance(found, str):
        pytest.skip(found)
    with browser_tab.tab(found) as made:
        yield made


@pytest.fixture
def page(in_browser: Tab) -> Tab:
    in_browser.size(1200, 900)
    in_browser.media()
    in_browser.requested.clear()
    return in_browser


def test_there_is_a_page_for_each_source() -> None:
    """And no other, except the search and the index of terms."""
    built = {path.relative_to(SITE).with_suffix("").as_posix() for path in PAGES}
    assert built == SOURCES | {"search", "genindex"}


def test_nothing_is_loaded_from_another_server() -> None:
    """No page, style or script names another server, except in text that people read."""
    for path in PAGES:
        page = Page(path)
        assert [one for one in (*page.loaded, *page.links) if "//" in one] == [], path
        for found in re.finditer(r"https?://[\w.]+[^\s\"'<]*", path.read_text("utf-8")):
            assert SHOWN.match(found[0]), f"{path}: {found[0]}"
    for path in SITE.rglob("*.css"):
        assert not re.search(r"url\(\s*['\"]?(https?:)?//|@import", path.read_text("utf-8")), path


def test_links_lead_somewhere() -> None:
    """To a file of the site, and to a place in it."""
    places = {path.resolve(): Page(path) for path in PAGES}
    for path, page in places.items():
        for link in page.links:
            to = urlsplit(link)
            target = (path.parent / unquote(to.path)).resolve() if to.path else path
            assert target.is_file(), f"{path}: {link}"
            if to.fragment and target in places:
                assert unquote(to.fragment) in places[target].ids, f"{path}: {link}"


def test_programs_find_every_page_as_text() -> None:
    """`llms.txt` names each page once, with a sentence; its Markdown is beside it."""
    lines = (SITE / "llms.txt").read_text("utf-8").splitlines()
    found = [re.fullmatch(r"- \[.+\]\((.+)\.md\): .+\.", line) for line in lines]
    names = [one[1] for one in found if one]
    assert sorted(names) == sorted(SOURCES)
    for name in names:
        text = (SITE / f"{name}.md").read_text("utf-8")
        assert "<!-- reference:" not in text


@pytest.mark.parametrize(("question", "wanted"), QUESTIONS.items())
def test_search(page: Tab, question: str, wanted: str) -> None:
    """A person types a question, and the right page is among the first three."""
    page.open(browser_tab.address(SITE / "index.html"))
    page.see("document.querySelector('.sidebar-search').focus()")
    page.type(question)
    page.press("Enter")
    page.until("document.readyState == 'complete' && /Search finished|did not match/.test("
               "document.querySelector('.search-summary')?.innerText)")  # fmt: skip
    hits = page.see("[...document.querySelectorAll('ul.search > li > a')].map(a => a.href)")
    found = (hit.partition("#")[0].removesuffix(".html") for hit in hits)
    pages = list(dict.fromkeys(one.removeprefix(f"{SITE.as_uri()}/") for one in found))
    assert wanted in pages[:3], pages[:6]
    assert [one for one in page.requested if re.match("https?:|wss?:|//", one)] == []
    assert any(one.endswith("/searchindex.js") for one in page.requested)


CONTRAST = """
(() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => {
      const one = part / 255;
      return one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (!/, 0\\)|transparent/.test(colour)) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [];
  const texts = "p, a, td, code, pre span".split(", ").map((name) => `article ${name}`);
  for (const element of document.querySelectorAll(texts.join(", "))) {
    if (!element.innerText.trim() || !element.getClientRects().length) continue;
    const [a, b] = [light(getComputedStyle(element).color), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push([element.outerHTML.slice(0, 80), ratio]);
  }
  return { found, dark: light(behind(document.querySelector("article"))) < 0.1 };
})()
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours(page: Tab, scheme: str) -> None:
    """The page follows the scheme of the system, and all text can be read (WCAG 2.2, 1.4.3)."""
    page.media(scheme=scheme)
    for name in ("load-a-file", "outcomes", "reference/methods"):
        page.open(browser_tab.address(SITE / f"{name}.html"))
        seen = page.see(CONTRAST)
        assert seen["dark"] == (scheme == "dark")
        assert seen["found"] == [], name


@pytest.mark.parametrize("width", [320, 390])
def test_telephone(page: Tab, width: int) -> None:
    """No page is wider than a small screen; what is wide moves in a box of its own."""
    page.size(width, 700)
    for path in PAGES:
        page.open(browser_tab.address(path))
        assert page.see("document.documentElement.scrollWidth") <= width, path


def test_print(page: Tab) -> None:
    """On paper there is no navigation, and no line of code is cut off."""
    page.media("print")
    page.size(700, 900)
    page.open(browser_tab.address(SITE / "load-a-file.html"))
    for part in (".sidebar-drawer", ".mobile-header", ".related-pages"):
        shown = f"!!document.querySelector('{part}')?.getClientRects().length"
        assert not page.see(shown), part
    cut_off = "[...document.querySelectorAll('pre')].some(e => e.scrollWidth > e.clientWidth + 1)"
    assert not page.see(cut_off)
    assert len(page.ask("Page.printToPDF")["data"]) > 10_000


def test_keyboard(page: Tab) -> None:
    """The first stop leads past the navigation; search and links are reached, and are seen."""
    page.open(browser_tab.address(SITE / "index.html"))
    focused = "document.activeElement.className + ' ' + (document.activeElement.name || '')"
    page.press("Tab")
    assert "skip-to-content" in page.see(focused)
    stops = []
    for _ in range(12):
        page.press("Tab")
        stops.append(page.see(focused))
    assert any("sidebar-search" in stop for stop in stops), stops
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.see(outline) != "none"
