"""The names that the generator makes in Python, and those that Python takes for one.

Decides which names of a fragment collide. Python normalizes identifiers (NFKC), and the generator
drops what no identifier may hold, so two different names can become one, and one would be lost.
"""

import builtins
import keyword
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any
from unicodedata import normalize

from .keywords import walk_schemas
from .yaml_source import Document, Pointer, SourceProblem, is_list, is_map

_DELIMITERS = r"\. _-"
# Names that the generator changes, because its code uses them already.
_RESERVED = {*dir(builtins), "self", "true", "false", "datetime"} - {"id"}


def python_name(name: str) -> str:
    """Return the name of a parameter or property in Python, as the generator makes it."""
    return _identifier(name, _snake(name))


def _identifier(name: str, made: str) -> str:
    made = f"{made}_" if made in _RESERVED or keyword.iskeyword(made) else made
    return made if made.isidentifier() and not _kept(name).startswith("_") else f"field_{made}"


def _kept(name: str) -> str:
    """Return a name without the characters that the generator drops."""
    return "".join(c for c in name if c.isidentifier() or c.isdecimal() or c in _DELIMITERS)


def _words(name: str) -> list[str]:
    kept = _kept(name)
    if any(letter.isupper() for letter in kept):
        kept = " ".join(re.split("([A-Z]?[a-z]+)", kept))
    return re.findall(rf"[^{re.escape(_DELIMITERS)}]+", kept)


def _snake(name: str) -> str:
    return "_".join(_words(name)).lower()


def class_name(name: str) -> str:
    """Return the class of a schema."""
    words = _words(name)
    return "".join(word if word.isupper() else word.capitalize() for word in words)


def member_name(value: str | int, index: int) -> str:
    """Return the name of a value of an enumeration, which is the value at `index` there."""
    if isinstance(value, int):
        return f"VALUE_NEGATIVE_{-value}" if value < 0 else f"VALUE_{value}"
    return _snake(value.upper() if value[:1].isalpha() else f"VALUE_{index}").upper()


def _forms(name: str | int, made: Callable[[Any], str]) -> set[str]:
    """Return what becomes of a name, as it is and as Python normalizes it.

    The generator drops what no identifier may hold, such as the ² of TIER², which Python takes
    for the 2 of TIER2.
    """
    plain = name if isinstance(name, int) else normalize("NFKC", name)
    return {normalize("NFKC", made(one)) for one in (name, plain)}


def check_python_names(documents: Sequence[Document]) -> Iterator[SourceProblem]:
    """Report names that become one in Python, and values that no enumeration can hold."""
    classes: dict[str, tuple[str, Document, Pointer]] = {}
    for document in documents:
        for at, schema in walk_schemas(document.data):
            if at[:2] == ("components", "schemas") and len(at) == 3:
                yield from _check_class(document, at, classes)
            if is_map(declared := schema.get("properties")):
                yield from _check_properties(document, (*at, "properties"), declared)
            if is_list(values := schema.get("enum")):
                yield from _check_values(document, (*at, "enum"), values)


def _check_class(
    document: Document, at: Pointer, classes: dict[str, tuple[str, Document, Pointer]]
) -> Iterator[SourceProblem]:
    name = str(at[2])
    # The module of a class is named after it, in small letters.
    forms = _forms(name, lambda one: _snake(class_name(one)))
    taken = next((classes[one] for one in sorted(forms) if one in classes), (name, document, at))
    first, owner, place = taken
    classes.update({one: taken for one in forms if one not in classes})
    if first != name:
        there = f"{owner.file}:{owner.line(place)}"
        text = f"the schemas {name} and {first} ({there}) are one name in Python; rename one."
        yield document.problem(at, text)
    elif "" in forms:
        yield document.problem(at, f"the schema {name} has no name in Python; rename it.")


def _check_properties(
    document: Document, at: Pointer, names: Iterable[str]
) -> Iterator[SourceProblem]:
    seen: dict[str, str] = {}
    for name in names:
        forms = sorted(_forms(name, python_name))
        first = next((seen[one] for one in forms if one in seen), name)
        seen = dict.fromkeys(forms, name) | seen
        if first != name and not _resolved(first, name):
            text = f"the properties {first} and {name} are one name in Python; rename one."
            yield document.problem((*at, name), text)


def _resolved(one: str, other: str) -> bool:
    """Return True if the generator sees the collision, and its second way of naming ends it."""
    plain = (_identifier(name, re.sub(r"[^\w]+", "", _kept(name))) for name in (one, other))
    first, second = (normalize("NFKC", name) for name in plain)
    return python_name(one) == python_name(other) and first != second


def _check_values(
    document: Document, at: Pointer, values: Sequence[Any]
) -> Iterator[SourceProblem]:
    kinds: set[object] = {type(value) for value in values if value is not None}
    if not kinds:
        yield document.problem(at, "`enum` names no value; write its values, or leave it out.")
        return
    if len(kinds) > 1 or not kinds <= {str, int}:
        text = "the values of `enum` are not all texts, or all whole numbers; write one kind."
        yield document.problem(at, text)
        return
    seen: dict[str, str | int] = {}
    for index, value in enumerate(values):
        if not isinstance(value, str | int):
            continue  # which is null
        forms = sorted(_forms(value, partial(member_name, index=index)))
        made = next((one for one in forms if one in seen), None)
        if made is not None:
            both = f"{seen[made]!r} and {value!r}"
            text = f"the values {both} of `enum` are one name in Python ({made}); keep one."
            yield document.problem((*at, index), text)
        seen = dict.fromkeys(forms, value) | seen
