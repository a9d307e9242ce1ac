"""The parts of the site that the build writes: reference, `llms.txt`, and the index of the search.

This module decides where they go. The text of the reference is made in `reference_pages`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from pygments.lexers.special import TextLexer
from reference_pages import PARTS
from search_words import index
from sphinx.errors import ExtensionError

_MARK = re.compile(r"^<!-- reference: (\w+) -->$", re.MULTILINE)
_TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
_DESCRIPTION = re.compile(r"^ +description: \"(.+)\"$", re.MULTILINE)


def fill(_: Any, __: str, source: list[str]) -> None:
    """Put the generated part of the reference in the place of its mark."""
    source[0] = _MARK.sub(lambda found: PARTS[found[1]](), source[0])


def write_llms(app: Any, error: Exception | None) -> None:
    """Write the list of pages for programs that read text, and each page's own source beside it."""
    if error or app.builder.name != "html":
        return
    lines = [
        "# hubspot-batch",
        "",
        "> A typed Python client and a command for HubSpot's batch endpoints, with an outcome for",
        "> every input: succeeded, failed, unknown or not sent.",
        "",
        "## Pages",
        "",
    ]
    into = Path(app.outdir)
    described: dict[str, str] = {}
    texts: dict[str, str] = {}
    for name in _in_order(app.env):
        text = [Path(app.env.doc2path(name)).read_text("utf-8")]
        fill(None, name, text)
        title = _found(_TITLE, text[0], f"{name} has no heading")
        description = _found(
            _DESCRIPTION, text[0], f"{name} has no description in its front matter"
        )
        page = into / f"{name}.md"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text[0], "utf-8")
        described[name] = description
        texts[name] = text[0]
        lines.append(f"- [{title}]({name}.md): {description}")
    (into / "llms.txt").write_text("\n".join(lines) + "\n", "utf-8")
    # A page that is opened as a file cannot read another one, so results get their text from here.
    known = {"DESCRIPTIONS": described, "WORDS": index(texts)}
    script = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in known.items())
    (into / "_static" / "pages.js").write_text(script, "utf-8")


def _found(pattern: re.Pattern[str], text: str, complaint: str) -> str:
    found = pattern.search(text)
    if found is None:
        raise ExtensionError(complaint)
    return found[1]


def _in_order(env: Any) -> list[str]:
    """Return the pages in the order of the tables of contents."""
    found: list[str] = []

    def add(name: str) -> None:
        if name not in found:
            found.append(name)
            for below in env.toctree_includes.get(name, ()):
                add(below)

    add("index")
    return found


def setup(app: Any) -> dict[str, bool]:
    """Connect both to the build."""
    app.add_lexer("csv", TextLexer)  # Pygments has none
    app.connect("source-read", fill)
    app.connect("build-finished", write_llms)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
