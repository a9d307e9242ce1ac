"""The names of a new fragment: family, operation and schemas.

Decides the short names in the house's form. `contacts` has the schemas `Contact`, `ContactInput`,
`ContactBatch` and `ContactBatchInput`, whatever they are called where they are published.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

# Words that say how HubSpot made a class, and nothing about what it describes.
_BEFORE = ("Public", "Simple", "External", "Internal", "Crm", "Api", "Vnext")
_BEHIND = ("Dto", "Request", "Response", "Egg")
# Names that Python or the generated package uses for something else.
_COMMON = {
    *("Any", "Client", "Date", "Datetime", "Dict", "Enum", "File", "List", "Literal", "Mapping"),
    *("Model", "None", "Response", "Self", "Set", "Time", "Tuple", "Type", "Union", "Unset"),
}
_SAME_IN_BOTH = ("series", "news", "species", "means")


class Roles(NamedTuple):
    """The names of an operation's own schemas. A result has several, the shortest first."""

    input: str
    batch_input: str
    results: tuple[str, ...]


def words_of(name: str) -> list[str]:
    """Return the words of a name in any style: `exchangeRates`, `exchange-rates`, `HTTPStatus`."""
    plain = re.sub(r"[^A-Za-z0-9]+", " ", name)
    return re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", plain)


def singular(word: str) -> str:
    """Return the singular of an English word in small letters."""
    if word in _SAME_IN_BOTH or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "ches", "shes", "zzes", "uses")):
        return word[:-2]
    return word[:-1]


def spoken(tag: str, *, one: bool = False) -> str:
    """Return a family in words, such as `marketing events`; with `one`, one of its records."""
    *most, last = tag.split("_")
    return " ".join([*most, singular(last) if one else last])


def with_article(words: str) -> str:
    """Return `a contact`, `an email`."""
    return f"{'an' if words[:1].lower() in 'aeio' else 'a'} {words}"


def class_name(words: Iterable[str]) -> str:
    """Return a name in the form of a class."""
    return "".join(word[:1].upper() + word[1:] for word in words)


def tags_of(family: Sequence[str]) -> Iterator[str]:
    """Yield the names that a family can have, the shortest first.

    The last part of the path is enough, unless something else has the name already.
    """
    parts = ["_".join(words_of(part)).lower() for part in family]
    names = ["_".join(filter(None, parts[at:])) for at in range(len(parts) - 1, -1, -1)]
    for name in (*names, *(f"{name}_records" for name in names)):
        if name[:1].isalpha():
            yield name


def roles(tag: str, kind: str) -> Roles:
    """Return the names of the schemas of an operation of a family."""
    one = class_name(spoken(tag, one=True).split())
    verb = class_name(kind.split("_"))
    given = {"create": f"{one}Input", "read": f"{one}ReadInput"}.get(kind, f"{one}{verb}")
    batch = f"{one}BatchInput" if kind == "create" else f"{one}{verb}BatchInput"
    done = f"{verb}{'d' if kind.endswith('e') else '' if kind == 'read' else 'ed'}"
    return Roles(given, batch, (one, f"{done}{one}"))


def part_names(published: str, owner: str, field: str, *, sent: bool) -> Iterator[str]:
    """Yield the names that a schema within an input or a result can have, the best first.

    Args:
        published: Its published name, or an empty text.
        owner: The name of the schema that has it.
        field: The field that has it.
        sent: Whether it is a part of a request.
    """
    words = words_of(published)
    while len(words) > 1 and words[0] in _BEFORE:
        words = words[1:]
    while len(words) > 1 and words[-1] in _BEHIND:
        words = words[:-1]
    ending = "Input" if sent and class_name(words)[-5:] != "Input" else ""
    whole = f"{class_name(words)}{ending}"
    if words and not words[0].isdigit() and whole not in _COMMON:
        yield whole
    *most, last = words_of(field) or ["part"]
    near = f"{owner.removesuffix('Input')}{class_name([*most, singular(last)])}{ending}"
    yield near
    yield from (f"{near}{number}" for number in range(2, 1_000))


def related(one: str, other: str) -> bool:
    """Return True if two names have a word in common, whatever its number."""
    first, second = ({singular(word.lower()) for word in words_of(name)} for name in (one, other))
    return bool(first & second - {"batch", "input", "object", "public", "result"})
