"""Prose is plain English: some words and openings make a reader read twice, and stay out."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

HOME = Path(__file__).parents[2]
SITE = sorted(path.relative_to(HOME).as_posix() for path in (HOME / "docs").rglob("*.md"))
PAGES = ("README.md", "CONTRIBUTING.md", "openapi/README.md", "Makefile", *SITE)
FOLDERS = ("docs", "overrides", "openapi", "tests")

# Each with a plainer way to say it.
BANNED = {
    "nobody": "name who does not, or say what is missing",
    "lest": "so that ... does not",
    "but for": "except",
    "so is": "begin a new sentence with its subject",
    "so are": "begin a new sentence with its subject",
    "all the same": "anyway, or nevertheless",
    "told apart": "distinguished",
    "in the midst": "during",
    "cannot be had": "is not available",
    "for ever": "forever, or without end",
    "nobody has said": "the response does not mention it",
}
_WORDS = re.compile(rf"\b({'|'.join(BANNED)})\b", re.IGNORECASE)
# A docstring that begins so is half a sentence. Begin with a verb, or with the subject.
_OPENINGS = re.compile(r"(what|whatever|whoever|who|whose)\b", re.IGNORECASE)


def sources() -> Iterator[Path]:
    for folder in FOLDERS:
        for path in sorted((HOME / folder).rglob("*.py")):
            if path != Path(__file__):
                yield path


def docstrings(text: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node)
            if docstring:
                yield node.body[0].lineno, docstring


def prose(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of comments and of texts that can be sentences."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        sentence = token.type == tokenize.STRING and " " in token.string
        if sentence or token.type == tokenize.COMMENT:
            yield token.start[0], token.string


@pytest.mark.parametrize("page", PAGES)
def test_pages_have_no_banned_words(page: str) -> None:
    """They are read first."""
    lines = (HOME / page).read_text("utf-8").splitlines()
    found = [
        f"{page}:{number}: {match[0]!r}; write: {BANNED[match[0].lower()]}"
        for number, line in enumerate(lines, 1)
        for match in _WORDS.finditer(line)
    ]
    assert found == []


def test_comments_docstrings_and_messages_have_no_banned_words() -> None:
    """A message is read by users, the others by maintainers."""
    found = [
        f"{path.relative_to(HOME)}:{line}: {match[0]!r}; write: {BANNED[match[0].lower()]}"
        for path in sources()
        for line, text in prose(path.read_text("utf-8"))
        for match in _WORDS.finditer(" ".join(text.split()))
    ]
    assert found == []


def test_docstrings_begin_with_a_verb_or_a_subject() -> None:
    """So one reading is enough."""
    found = [
        f"{path.relative_to(HOME)}:{line}: {text.splitlines()[0]}"
        for path in sources()
        for line, text in docstrings(path.read_text("utf-8"))
        if _OPENINGS.match(text)
    ]
    assert found == []
