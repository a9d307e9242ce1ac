"""The report of a comparison as one HTML page, to read, print and send.

Decides how the page is divided, how a value is written and which words are marked as changed. It
reads no clock and no file except its template and style, so the same findings always give the same
page. The page loads nothing: no script, no font, no picture, nothing from another address.
"""

import hashlib
import json
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from attrs import frozen
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from .findings import Finding, Severity, ordered

_HOME = Path(__file__).resolve().parent
_SIGNS = {Severity.BREAKING: "!", Severity.ADDITIVE: "+", Severity.WORDING: "~"}
_ONE_LINE = 48  # characters of JSON that are easy to read on one line
_TEXT = 48  # a longer string is shown as a text, a shorter one as a value
_TOKENS = 700  # words, spaces and signs; the time grows with up to their cube
_ALIKE = 0.3  # texts with a smaller common share are shown without marks

# The pieces of a text; True for a piece that only this side has.
_Parts = list[tuple[bool, str]]


@frozen
class _Row:
    """A finding in the form that the template needs."""

    id: str
    finding: Finding
    prose: bool
    was: _Parts | None
    now: _Parts | None
    place: str | None


def render(findings: Sequence[Finding], *, old: str, new: str, notes: Sequence[str] = ()) -> str:
    """Return the whole page, which can be encoded as UTF-8 for any findings.

    `old` and `new` name the two sides, such as "the fragments" and "campaigns.json"; `notes` are
    sentences above the findings.
    """
    seen: Counter[str] = Counter()
    groups = [
        (operation, _counts(group := list(found)), [_row(finding, seen) for finding in group])
        for operation, found in groupby(ordered(findings), key=lambda one: one.operation)
    ]
    style = (_HOME / "html_report.css").read_text("utf-8")
    return (
        _environment()
        .get_template("html_report.jinja")
        .render(
            old=old,
            new=new,
            notes=notes,
            total=len(findings),
            counts=_counts(findings),
            groups=groups,
            signs={str(severity): sign for severity, sign in _SIGNS.items()},
            style=Markup(style),  # noqa: S704 - a file of our own; escaped, it would be no style
            style_hash="sha256-" + b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        )
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_HOME),
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _visible(value: object) -> str:
    """Escape, as JSON does, characters that are invisible, not encodable or reverse the text.

    Jinja calls this for every value on the page.
    """
    if isinstance(value, Markup):
        return value
    text = str(value)
    if text.isprintable():
        return text
    return "".join(
        char if char == "\n" or char.isprintable() else json.dumps(char)[1:-1] for char in text
    )


def _counts(findings: Sequence[Finding]) -> dict[str, int]:
    counter = Counter(finding.severity for finding in findings)
    return {str(severity): counter[severity] for severity in Severity}


def _row(finding: Finding, seen: Counter[str]) -> _Row:
    there = [side for side in (finding.was, finding.now) if side is not None]
    texts = [side for side in there if isinstance(side, str)]
    prose = texts == there and any(len(text) > _TEXT or "\n" in text for text in texts)
    spelled = there if prose else _json(there)
    sides = iter([[(False, text)] for text in spelled])
    was, now = (None if side is None else next(sides) for side in (finding.was, finding.now))
    # In a different number or name, every word would be marked.
    if was and now and (prose or all(isinstance(side, dict | list) for side in there)):
        was, now = _marked(was[0][1], now[0][1])
    place = finding.place if finding.line is not None else finding.file
    return _Row(_anchor(finding, seen), finding, prose, was, now, place)


def _anchor(finding: Finding, seen: Counter[str]) -> str:
    """Return an id that does not depend on other findings, so that links keep working."""
    what = json.dumps([finding.operation, finding.pointer, finding.kind])
    name = f"finding-{hashlib.sha256(what.encode()).hexdigest()[:10]}"
    seen[name] += 1
    return name if seen[name] == 1 else f"{name}-{seen[name]}"


def _json(values: Sequence[Any]) -> list[str]:
    """Return both values in the same layout, so that only content differs."""
    lines = [json.dumps(value, ensure_ascii=False) for value in values]
    if max(map(len, lines), default=0) <= _ONE_LINE:
        return lines
    return [json.dumps(value, ensure_ascii=False, indent=2) for value in values]


def _marked(was: str, now: str) -> tuple[_Parts, _Parts]:
    """Split both texts into pieces, and mark the words that the other one lacks."""
    sides = _words(was), _words(now)
    matcher = SequenceMatcher(None, *sides, autojunk=False)
    if max(map(len, sides)) > _TOKENS or not _alike(matcher, *sides):
        return [(False, was)], [(False, now)]
    parts: tuple[_Parts, _Parts] = [], []
    for same, here, there in _runs(matcher.get_opcodes(), sides[0]):
        texts = "".join(sides[0][here]), "".join(sides[1][there])
        for side, text, other in zip(parts, texts, reversed(texts), strict=True):
            # Spaces beside new words and the indentation of a line are not marked.
            new = not same and not (text.isspace() and other.strip())
            pieces = filter(None, re.split(r"(\s*\n\s*)", text))
            side.extend((new and "\n" not in piece, piece) for piece in pieces)
    return parts


def _alike(matcher: SequenceMatcher[str], was: Sequence[str], now: Sequence[str]) -> bool:
    shared = sum(
        not word.isspace()
        for start, _, size in matcher.get_matching_blocks()
        for word in was[start : start + size]
    )
    return shared >= _ALIKE * min(sum(not word.isspace() for word in side) for side in (was, now))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+|\s+|[^\w\s]", text)


def _runs(
    steps: Sequence[tuple[str, int, int, int, int]], was: Sequence[str]
) -> Iterator[tuple[bool, slice, slice]]:
    """Yield equal and different runs in turn; a space between two changes joins them."""
    alike = [
        name == "equal" and not (number and "".join(was[start:end]).isspace())
        for number, (name, start, end, *_) in enumerate(steps)
    ]
    for same, found in groupby(zip(alike, steps, strict=True), key=itemgetter(0)):
        run = [step for _, step in found]
        yield same, slice(run[0][1], run[-1][2]), slice(run[0][3], run[-1][4])
