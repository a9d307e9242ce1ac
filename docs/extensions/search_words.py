"""The index that the search ranks pages by: how much each word says of each page.

This module decides what counts: a page's title and its keywords most, then its description and its
headings, then how often the text has a word. `_static/ranked_search.js` reads the index.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import snowballstemmer

_FRONT = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_SETTING = re.compile(r"^ +(description|keywords): \"(.+)\"$", re.MULTILINE)
_HEADING = re.compile(r"^(#+) +(.+)$", re.MULTILINE)
_WORD = re.compile(r"\w+")
# Words that a long page has anyway; more of them say no more of it.
_MOST = 4
_WEIGHTS = {"title": 8.0, "keywords": 6.0, "description": 3.0, "heading": 3.0}

_stem = snowballstemmer.stemmer("english").stemWord


def words(text: str) -> list[str]:
    """Return the stems of a text; a name of several words has those of its parts, too."""
    found: list[str] = []
    for word in _WORD.findall(text.lower()):
        found += dict.fromkeys([word, *word.split("_")])
    return [_stem(word) for word in found if word]


def weights(text: str) -> dict[str, float]:
    """Return what each word of a page in Markdown weighs."""
    front = _FRONT.match(text)
    said = dict(_SETTING.findall(front[1])) if front else {}
    body = text[front.end() :] if front else text
    weighed: Counter[str] = Counter()
    counted = Counter(words(body))
    length = 1 + sum(counted.values()) / 400
    for word, count in counted.items():
        weighed[word] += min(count, _MOST) / length
    parts = [(name, set(words(value))) for name, value in said.items()]
    parts += [
        ("title" if level == "#" else "heading", set(words(heading)))
        for level, heading in _HEADING.findall(body)
    ]
    for name, weight in _WEIGHTS.items():
        # A long page has many headings.
        share = weight / length if name == "heading" else weight
        for word in set[str]().union(*(found for part, found in parts if part == name)):
            weighed[word] += share
    return dict(weighed)


def index(pages: dict[str, str]) -> dict[str, Any]:
    """Return the index of pages: for each word the numbers of pages and their weights."""
    found: dict[str, list[list[float]]] = {}
    for number, text in enumerate(pages.values()):
        for word, weight in weights(text).items():
            found.setdefault(word, []).append([number, round(weight, 2)])
    return {"pages": [*pages], "words": found}
