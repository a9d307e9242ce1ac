"""The fenced blocks of a page of Markdown, and what their info strings say of them.

This module decides how a page says what to do with a block:

    python                  run it; all blocks of a page share one session
    console                 run each line that begins with `$ `; the other lines are its output
    sh                      run it; its output is not shown
    text output             what the block before it prints
    LANGUAGE file=NAME      a file of this content, to be saved first
    console clone           run it in the project's own folder
    ... exit=N              the exit code of the last command, if it is not 0
    ... needs=MODULE        run it where this module is installed
    ... not-run: REASON     do not run it, because of this
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"

RUN = ("python", "console", "sh")
_FENCE = re.compile(r"^```([^\n`]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_REASON = re.compile(r"\bnot-run: *(.*)")


@frozen
class Block:
    """A fenced block: where it is, what it is written in, what is said of it, and its text."""

    page: Path
    start: int
    end: int
    line: int
    info: str
    text: str

    @property
    def language(self) -> str:
        return self.info.split()[0]

    @property
    def reason(self) -> str:
        """Why it is not run; empty if it is."""
        found = _REASON.search(self.info)
        return found[1].strip() if found else ""

    @property
    def is_output(self) -> bool:
        return self.info.split()[:2] == ["text", "output"]

    @property
    def in_clone(self) -> bool:
        return self.info.split()[1:2] == ["clone"]

    @property
    def file(self) -> str:
        return self._value("file")

    @property
    def needs(self) -> str:
        return self._value("needs")

    @property
    def exit_code(self) -> int:
        return int(self._value("exit") or 0)

    def _value(self, name: str) -> str:
        found = re.search(rf" {name}=(\S+)", self.info.partition("not-run:")[0])
        return found[1] if found else ""

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    return [README, *sorted(DOCS.rglob("*.md"))]


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text("utf-8")
    for found in _FENCE.finditer(text):
        if found[1].startswith("{"):
            continue  # a directive of the site's generator
        line = text.count("\n", 0, found.start()) + 1
        yield Block(page, *found.span(2), line, found[1].strip(), found[2])


@frozen
class Command:
    """A line of a shell, as it is run and written, and the output that is shown, if any is."""

    line: str
    written: str
    shown: str | None


def commands(block: Block) -> list[Command]:
    """The commands of a block, in their order; a line that ends with a backslash goes on."""
    if block.language == "sh":
        joined = block.text.replace("\\\n", " ")
        return [Command(line, line, None) for line in joined.splitlines() if line.strip()]
    found = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
    assert not found[0], f"{block}: it begins with no command"
    made = []
    for one in found[1:]:
        line, _, shown = one.replace("\\\n", "\0").partition("\n")
        written = line.replace("\0", "\\\n")
        made.append(Command(line.replace("\0", " "), written, shown.replace("\0", "\\\n")))
    return made
