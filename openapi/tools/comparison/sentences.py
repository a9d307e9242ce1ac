"""The facts in the sentences of a documentation page: the batch limit and the order of results.

Decides which number of a text is the limit of a batch. Reads English, French, German and Spanish;
a text without a known phrase states nothing.
"""

import re
from collections.abc import Iterator

# A sentence about the batch limit has a word for "at most" and a word for what is counted.
_MOST = re.compile(
    r"\b(?:max(?:imum|imal\w*|imo|ima)?|m[áa]xim[oa]s?|höchst\w*|l[ií]mit\w*|up to|at most|hasta"
    r"|no more than|(?:can ?not|can't|may not|must not) (?:exceed|have more than)|jusqu.\s?à"
    r"|au plus|ne (?:peut|doit|peuvent|doivent) pas dépasser|bis zu|begrenzt|beschränkt"
    r"|no (?:puede|debe|pueden|deben) (?:superar|exceder))\b",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"\b(?:batch\w*|lots?|lotes?|stapel\w*|inputs?|entr[ée]es?|entradas?|eingaben?|requests?"
    r"|requêtes?|solicitud(?:es)?|anfragen?|items?|[ée]l[ée]ments?|elementos?|elementen?|at once"
    r"|at a time|à la fois|gleichzeitig|auf einmal|a la vez)\b",
    re.IGNORECASE,
)
# A rate limit is not a batch limit.
_RATE = re.compile(
    r"\b(?:per|each|every|par|chaque|pro|je|por|cada)\s+(?:\d+\s+)?(?:second|minute|hour|day|heure|jour"
    r"|sekunde|stunde|tag|segundo|minuto|hora|d[ií]a)",
    re.IGNORECASE,
)
_MOST_DIGITS = 10
_NUMBER = re.compile(
    r"(?<![\w.,-])\d{1,3}(?:[ .,\u00a0\u202f]\d{3})+(?![\w-])|(?<![\w.-])\d+(?![\w-])"
)
# The next sentence may follow without a space.
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[a-zà-ÿ0-9)][.!?])(?=[A-ZÀ-Þ][a-zà-ÿ])")
_UNORDERED = re.compile(
    r"not guaranteed|no guarantee|pas garanti|nicht garantiert|keine Garantie|no se garantiza"
    r"|no est[áa] garantizad",
    re.IGNORECASE,
)


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a text, with white space normalized; a line break is a space."""
    for paragraph in re.split(r"\n[ \t]*\n", text):
        for sentence in _SENTENCE_END.split(paragraph):
            if even := " ".join(sentence.split()):
                yield even


def limits(text: str) -> set[int]:
    """Return the numbers that sentences name as the batch limit."""
    found: set[int] = set()
    for sentence in sentences(text):
        said = _MOST.search(sentence) and _COUNTED.search(sentence)
        if said and not _RATE.search(sentence):
            numbers = [re.sub(r"\D", "", number[0]) for number in _NUMBER.finditer(sentence)]
            if len(numbers) == 1 and len(numbers[0]) < _MOST_DIGITS:
                found.add(int(numbers[0]))
    return found


def order(text: str) -> str | None:
    """Return `not guaranteed` if a text says so about the order of results."""
    return "not guaranteed" if _UNORDERED.search(text) else None
