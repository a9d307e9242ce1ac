"""The fields that a page lists with their types, and the values that it lists for them.

Decides to which side a listed name belongs, in every language, and where a list of values ends. The
inner fields of an object are read from its example instead.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import field, frozen
from generation.yaml_source import is_list, is_map

from .facts import FieldFact

_TYPE = re.compile(
    r"(?P<plain>string|integer|number|boolean|object|array|enum|file|any|null)"
    r"(?P<list>(?:\[\])*)(?:<(?P<inner>[\w-]+)>)?(?P<more>(?:\[\])*)(?: \| null)?"
)
_NAME = re.compile(r"[A-Za-z_$][\w$.-]*")
_REQUIRED = ("required", "erforderlich", "requis", "obligatoire", "obligatorio", "requerido")
_MARKS = (*_REQUIRED, "header", "query", "path", "body", "deprecated")
_DEFAULT = re.compile(
    r"(?:default|standard(?:wert)?|(?:valeur )?par défaut|(?:valor )?predeterminado|por defecto)"
    r"\s*:.*",
    re.IGNORECASE,
)
_VALUE = re.compile(r"[A-Za-z0-9_][\w.-]*")
# The next text may follow the last value without a space, with one capital and small letters.
_UPPER = r"(?:[A-Z][A-Z0-9_]*(?![A-Za-z0-9_])|[A-Z][A-Z0-9_]*(?=[A-Z][a-z]))"
_VALUES = re.compile(
    rf"(?<!,\n)(?<!,\n\n)^ *({_UPPER}(?:, *(?:\n{{1,2}} *)?{_UPPER})+)(?![a-z0-9_.,-])",
    re.MULTILINE,
)
# A list within a sentence: values in quotation marks or without, with a word before the last one.
_AND = r"(?:and|or|und|oder|et|ou|y|o|e|u)"
_NAMED = rf"(?:[`'\"\u201c\u201e\u2018]|\u00ab ?)?{_UPPER}(?:[`'\"\u201c\u201d\u2019]| ?\u00bb)?"
# Possessive, because a page may be one long list.
_IN_SENTENCE = re.compile(
    rf"(?<![\w.-]){_NAMED}(?:(?:\s*+[,;/|]\s*+(?:{_AND}\s+)?|\s++{_AND}\s++){_NAMED})++"
)
_GOES_ON = re.compile(r"[a-z0-9_-]|\s*[,;/|]")
_SEPARATOR = re.compile(r"\s*[,;|]\s*")
_HEADINGS = {
    "query": (
        "query parameters",
        "abfrageparameter",
        "paramètres de requête",
        "parámetros de consulta",
    ),
    "request": ("body", "corps", "cuerpo", "inhalt"),
    "response": ("response", "antwort", "réponse", "respuesta"),
    "header": ("authorizations", "autorisierungen", "autorisations", "autorizaciones", "headers"),
}


@frozen
class ListedFields:
    """The fields that a page lists with their types."""

    query: dict[str, FieldFact] = field(factory=dict[str, FieldFact])
    response: dict[str, FieldFact] = field(factory=dict[str, FieldFact])
    enums: dict[str, list[str]] = field(factory=dict[str, list[str]])


def take_fields(
    text: str, request: Mapping[str, Any], response: Mapping[str, Any], listed: ListedFields
) -> str:
    """Move the fields with their types from the text into `listed`; return the other text."""
    lines = text.split("\n")
    # A type in the very last line may be cut off.
    end = len(text.rstrip().split("\n")) - 1
    rest: list[str] = []
    section, index, current = "", 0, ""
    inner: Counter[str] = Counter()  # inner fields of the last field that may still follow
    inside = False
    while index < len(lines):
        line = lines[index].strip()
        if not line:
            rest.append("")
            index += 1
            continue
        following = lines[index + 1].strip() if index + 1 < end else ""
        section = next((s for s, words in _HEADINGS.items() if line.lower() in words), section)
        kind = _TYPE.fullmatch(following)
        if kind and _NAME.fullmatch(line) and not _TYPE.fullmatch(line):
            index += 2
            marks: list[str] = []
            while index < len(lines) and _is_mark(lines[index]):
                marks.append(lines[index].strip().lower())
                index += 1
            fact = FieldFact(following, required=any(mark in _REQUIRED for mark in marks))
            inside = inner[line] > 0 and (inside or line not in response)
            if inside or line.partition(".")[0] in listed.response.keys() - {line}:
                inner[line] -= 1
                current = ""
                continue
            current = line
            if line in response and section not in ("query", "header", "request"):
                listed.response[line] = fact
                inner = Counter(_names(response[line]))
            elif "header" not in marks and line not in request and section in ("query", ""):
                listed.query[line] = fact
            elif section == "response":
                listed.response[line] = fact
            continue
        begins = _values_of(line)
        if begins and current and (line.endswith(",") or response.get(current) in begins[:-1]):
            values, index = _listed_values(lines, index)
            listed.enums[current] = sorted(values)
            continue
        rest.append(lines[index])
        index += 1
    return "\n".join(rest)


def _names(value: Any) -> Iterator[str]:
    """Yield the names of all fields in an example, as often as a page may list them."""
    if is_map(value):
        yield from value
        for inner in value.values():
            yield from _names(inner)
    elif is_list(value) and value:
        yield from _names(value[0])


def _is_mark(line: str) -> bool:
    plain = line.strip().lower()
    return plain in _MARKS or _DEFAULT.fullmatch(plain) is not None


def _values_of(line: str) -> list[str]:
    """Return the values on a line that has nothing else, or an empty list."""
    values = _SEPARATOR.split(line.removesuffix(","))
    return values if all(_VALUE.fullmatch(value) for value in values) else []


def _listed_values(lines: list[str], index: int) -> tuple[list[str], int]:
    """Return the values of a list with one or more values on a line, and the line after it."""
    values: list[str] = []
    while index < len(lines):
        line = lines[index].strip()
        if line:
            if not (here := _values_of(line)):
                break
            values += here
        index += 1
        if line and not line.endswith(","):
            break
    return values, index


def enums(text: str, response: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the values that the text lists, each for the field whose example has one of them."""
    found: dict[str, set[str]] = {}
    end = len(text.rstrip())
    in_sentences = (
        match for match in _IN_SENTENCE.finditer(text) if not _GOES_ON.match(text, match.end())
    )
    for match in (*_VALUES.finditer(text), *in_sentences):
        if match.end() >= end:
            continue  # cut off
        values = set(re.findall(_UPPER, match[0]))
        for name, value in response.items():
            if isinstance(value, str) and value in values:
                found.setdefault(name, set()).update(values)
    return {name: sorted(values) for name, values in found.items()}
