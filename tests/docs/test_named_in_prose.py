"""Commands, options, goals and variables that the pages only mention exist, too."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from page_blocks import DOCS, ROOT, pages

sys.path.append(str(DOCS / "extensions"))

from hubspot_batch.cli.main import _parser
from reference_pages import _parsers

PAGES = pages()
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
TOOLS = [*ROOT.glob("openapi/tools/*.py"), ROOT / "tests" / "proofs" / "soak.py"]
GOALS = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def sources(folder: str) -> str:
    return "\n".join(path.read_text("utf-8") for path in (ROOT / folder).rglob("*.py"))


def options() -> set[str]:
    """Every option of the command, and of the tools behind the goals of make."""
    parsers = _parsers(_parser())
    ours = {name for one in parsers for action in one._actions for name in action.option_strings}
    soak = re.findall(r'"(\w+)": [\d_]+,', (ROOT / "tests/proofs/soak.py").read_text("utf-8"))
    tools = "".join(path.read_text("utf-8") for path in TOOLS)
    return ours | set(re.findall(r'"(--[a-z-]+)"', tools)) | {f"--{name}" for name in soak}


OPTIONS = options()
SOURCES = sources("overrides")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
class TestNamed:
    def test_options(self, page: Path) -> None:
        """An option that a sentence names is one of a command or of a tool."""
        named = {
            found
            for code in INLINE.findall(page.read_text("utf-8"))
            for found in re.findall(r"(?<![\w-])--[a-z][a-z-]+", code)
        }
        assert named <= OPTIONS

    def test_commands(self, page: Path) -> None:
        """A command that a sentence names is understood as it stands there."""
        first = {one.prog for one in _parsers(_parser())}
        for code in INLINE.findall(page.read_text("utf-8")):
            if code.startswith("hubspot-batch "):
                words = [word for word in code.split() if re.fullmatch(r"[a-z-]+", word)]
                known = [" ".join(words[:count]) for count in (3, 2)]
                assert any(one in first for one in known), code

    def test_goals(self, page: Path) -> None:
        """A goal of make that a sentence names is in the Makefile."""
        text = page.read_text("utf-8")
        assert set(re.findall(r"`make ([a-z-]+)", text)) <= GOALS

    def test_variables(self, page: Path) -> None:
        """The package reads a variable that a sentence names."""
        for name in re.findall(r"\bHUBSPOT_[A-Z_]+\b", page.read_text("utf-8")):
            assert f'"{name}"' in SOURCES
