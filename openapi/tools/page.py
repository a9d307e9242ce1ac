"""A documentation page, captured as text or as Markdown: the facts that it states.

Decides what on a page is an example, what is sample code, what is a field with its type, and what
is said in sentences; in every language, since field names, types and values are the same in all.
Never takes half a page for a page: what is missing is an error.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import prose
from attrs import field, frozen
from description import UnreadableError
from facts import Facts, FieldFact, Source, fingerprints, modified_on
from sources import is_list, is_map

_ENDPOINT = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE)((?:\s*/\s*[A-Za-z0-9_{}.-]+){2,})")
_URL = re.compile(r"--url\s+['\"]?https?://[^\s/'\"]+(/[^\s'\"?\\]+)")
_METHOD = re.compile(r"(?:--request|-X)\s+['\"]?([A-Z]+)")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\ufeff\u2060"), None)

_TYPE = re.compile(
    r"(?P<plain>string|integer|number|boolean|object|array|enum|file|any|null)"
    r"(?P<list>(?:\[\])*)(?:<(?P<inner>[\w-]+)>)?(?P<more>(?:\[\])*)(?: \| null)?"
)
_NAME = re.compile(r"[A-Za-z_$][\w$.-]*")
_REQUIRED = ("required", "erforderlich", "requis", "obligatoire", "obligatorio", "requerido")
_MODIFIED = re.compile(r"^Last modified on (\w+ \d{1,2}, \d{4})\s*$", re.MULTILINE)
_VALUE = re.compile(r"[A-Za-z0-9_][\w.-]*")
_VALUES = re.compile(r"(?<![\w.,-])[A-Z][A-Z0-9_]*(?:,\s+[A-Z][A-Z0-9_]*)+,?(?![\w.])")
_SCOPE = re.compile(r"[a-z][a-z0-9_-]*(?:\.[a-z0-9_-]+)+")
_COMPONENT = re.compile(
    r"^(?:export|import)\b.*?(?=^(?:#|>|</?[A-Z]|```|\Z))", re.MULTILINE | re.DOTALL
)
_TAG = re.compile(r"^[ \t]*</?[A-Z]\w*[^>]{0,2000}>[ \t]*$", re.MULTILINE)
_FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})[^\n]*$", re.MULTILINE)
_QUOTED = re.compile(r"^[ \t]*>[ \t]?", re.MULTILINE)
_PLACEHOLDER = re.compile(r"<\w+>")
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
_LANGUAGES = {  # words that the others do not have
    "English": r"\b(?:the|and|with|was|of)\b",
    "French": r"\b(?:les|des|est|dans|du|pour)\b",
    "German": r"\b(?:der|die|das|und|mit|wann)\b",
    "Spanish": r"\b(?:el|los|con|se|cuando|en)\b",
}


@frozen
class _Example:
    """A JSON object that stands in a text."""

    start: int
    end: int
    value: dict[str, Any] = field(repr=False)


def read(text: str, name: str) -> Facts:
    """Read the facts off the text of a page; `name` is that of the file, for sources and errors.

    Raises:
        UnreadableError: It is no such page, or not a whole one. It says what was found.
    """
    plain = _plain(text)
    examples = [*_examples(plain, name)]
    requests = [one for one in examples if is_list(one.value.get("inputs"))]
    responses = [one for one in examples if is_list(one.value.get("results"))]
    endpoints = {*_endpoints(plain)}
    words = _outside(plain, examples, responses)
    found = {
        "the operation": endpoints,
        "an example of the request (with `inputs`)": requests,
        "an example of the response (with `results`)": responses,
    }
    _demand(found, name)
    if len(endpoints) > 1:
        several = " and ".join(sorted(f"{method} {path}" for method, path in endpoints))
        raise UnreadableError(
            f"{name}: the page speaks of several operations ({several}); give a page of one."
        )
    request, response = (
        _union([one.value for one in side], name) for side in (requests, responses)
    )
    ((method, path),) = endpoints
    listed = _Listed()
    rest = _without_fields(words, request, response, listed)
    enums = {**_enums(rest, response), **listed.enums}
    expected: dict[str, object] = {
        f"the values of `{key}`": enums.get(key)
        for key, value in response.items()
        if isinstance(value, str) and re.fullmatch(r"[A-Z][A-Z_]+", value)
    }
    if listed.response:
        last = next(reversed(response))
        expected |= {f"the type of `{last}`, the last field": listed.response.get(last)}
    _demand({**found, **expected}, name)
    numbers = prose.limits(rest)
    if len(numbers) > 1:
        several = " and ".join(map(str, sorted(numbers)))
        raise UnreadableError(
            f"{name}: the page names two limits, {several}; look which one holds."
        )
    modified = _MODIFIED.search(plain)
    return Facts(
        operation=None,
        sources=(
            Source(
                page=name.rpartition("/")[2],
                language=_language(rest),
                modified=modified_on(modified[1]) if modified else None,
                prose=fingerprints(_MODIFIED.sub("", rest)),
            ),
        ),
        method=method,
        path=path,
        limit=numbers.pop() if numbers else None,
        order_of_results=prose.order(rest),
        scopes=tuple(_scopes(rest)) or None,
        enums=enums,
        query=listed.query if listed.response else None,
        fields=listed.response or None,
        request=request,
        response=response,
    )


def sentences(text: str) -> list[str]:
    """Return what a page says in words, without examples, code and fields."""
    plain = _plain(text)
    examples = [*_examples(plain, "")]
    responses = [one for one in examples if is_list(one.value.get("results"))]
    requests = [one for one in examples if is_list(one.value.get("inputs"))]
    request, response = (
        _union([one.value for one in side], "") if side else {} for side in (requests, responses)
    )
    outside = _outside(plain, examples, responses)
    words = _without_fields(outside, request, response, _Listed())
    return [*prose.sentences(_MODIFIED.sub("", words))]


def _plain(text: str) -> str:
    """The text without what only Markdown needs."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_INVISIBLE)
    text = _TAG.sub("", _COMPONENT.sub("", text)) if _FENCE.search(text) else text
    return _QUOTED.sub("", _FENCE.sub("", text))


def _demand(found: Mapping[str, Any], name: str) -> None:
    missing = [what for what, value in found.items() if not value]
    if missing:
        seen = ", ".join(what for what, value in found.items() if value) or "nothing of a page"
        raise UnreadableError(
            f"{name}: this is not a whole page of a batch endpoint. Found: {seen}. "
            f"Missing: {', '.join(missing)}. Capture the page again, from its top to its end."
        )


def _examples(text: str, name: str) -> Iterator[_Example]:
    """JSON objects, the outermost ones; what only looks like one is sample code."""
    decoder = json.JSONDecoder()
    position = text.find("{")
    while position >= 0:
        following = position + 1
        if re.match(r"\{\s*[\"}]", text[position : position + 200]):
            try:
                value, following = decoder.raw_decode(text, position)
                if is_map(value):
                    yield _Example(position, following, value)
            except RecursionError:
                raise UnreadableError(f"{name}: an example is nested too deeply.") from None
            except json.JSONDecodeError as error:
                # True, None, a name, an escaped quote: another language than JSON.
                code = re.match(r"[A-Za-z$\\']", text[error.pos : error.pos + 1])
                if not code and _is_ours(text[position:]):
                    line = text.count("\n", 0, error.pos) + 1
                    raise UnreadableError(
                        f"{name}:{line}: the example that begins on line "
                        f"{text.count(chr(10), 0, position) + 1} is not whole ({error.msg}); "
                        "the page is cut off or damaged: capture it again."
                    ) from None
        position = text.find("{", following)


def _is_ours(text: str) -> bool:
    """Whether a broken object is one of the examples, by its first key, and no piece of code."""
    return re.match(r"\{\s*\"(?:inputs|completedAt|results|status|startedAt)\"", text) is not None


def _endpoints(text: str) -> Iterator[tuple[str, str]]:
    methods = _METHOD.findall(text)
    for path in _URL.findall(text):
        yield (methods[0] if methods else "POST"), path.rstrip("/")
    for method, path in _ENDPOINT.findall(text):
        yield method, re.sub(r"\s+", "", path)


def _outside(text: str, examples: Sequence[_Example], responses: Sequence[_Example]) -> str:
    """What is left without examples and the sample code between a call and its response."""
    spans = [(one.start, one.end) for one in examples]
    for call in re.finditer(r"\bcurl\s", text):
        end = next((one.end for one in responses if one.end > call.start()), None)
        if end is not None:
            spans.append((call.start(), end))
    left, position = "", 0
    for start, end in sorted(spans):
        if end > position:
            left += text[position : max(start, position)] + "\n\n"
            position = end
    return left + text[position:]


def _union(values: Sequence[dict[str, Any]], name: str) -> dict[str, Any]:
    """One example made of several: a page prints it twice, or with and without errors."""
    whole = max(values, key=lambda value: len(json.dumps(value)))
    for value in values:
        whole = _both(whole, value, name)
    return whole


def _both(one: Any, other: Any, name: str) -> Any:
    if is_map(one) and is_map(other):
        keys = [*one, *(key for key in other if key not in one)]
        return {key: _both(one.get(key), other.get(key), name) for key in keys}
    if is_list(one) and is_list(other):
        return [_both(one[0], other[0], name)] if one and other else one or other
    if one is None or other is None:
        return one if other is None else other
    if type(one) is not type(other):
        raise UnreadableError(
            f"{name}: two examples of the page contradict each other ({one!r} and {other!r}); "
            "capture the page again."
        )
    return one


@frozen
class _Listed:
    """The fields that a page lists with their types."""

    query: dict[str, FieldFact] = field(factory=dict[str, FieldFact])
    response: dict[str, FieldFact] = field(factory=dict[str, FieldFact])
    enums: dict[str, list[str]] = field(factory=dict[str, list[str]])


def _without_fields(
    text: str, request: Mapping[str, Any], response: Mapping[str, Any], listed: _Listed
) -> str:
    """Collect the fields that stand with their types, and return the text without them."""
    lines = text.split("\n")
    rest: list[str] = []
    section, index, current = "", 0, ""
    while index < len(lines):
        line = lines[index].strip()
        following = lines[index + 1].strip() if index + 1 < len(lines) else ""
        section = next((s for s, words in _HEADINGS.items() if line.lower() in words), section)
        kind = _TYPE.fullmatch(following)
        if kind and _NAME.fullmatch(line) and not _TYPE.fullmatch(line):
            index += 2
            marks: list[str] = []
            while index < len(lines) and _is_mark(lines[index]):
                marks.append(lines[index].strip().lower())
                index += 1
            fact = FieldFact(following, required=any(mark in _REQUIRED for mark in marks))
            current = line
            if line in response and section not in ("query", "header", "request"):
                listed.response[line] = fact
            elif "header" not in marks and line not in request and section in ("query", ""):
                listed.query[line] = fact
            elif section == "response":
                listed.response[line] = fact
            continue
        if current and _VALUE.fullmatch(line.rstrip(",")) and line.endswith(","):
            values: list[str] = []
            while index < len(lines) and _VALUE.fullmatch(lines[index].strip().rstrip(",")):
                values.append(lines[index].strip().rstrip(","))
                index += 1
                if not lines[index - 1].strip().endswith(","):
                    break
            listed.enums[current] = sorted(values)
            continue
        rest.append(lines[index])
        index += 1
    return "\n".join(rest)


def _is_mark(line: str) -> bool:
    return line.strip().lower() in (*_REQUIRED, "header", "query", "path", "body", "deprecated")


def _enums(text: str, response: Mapping[str, Any]) -> dict[str, list[str]]:
    """Lists of values that stand by themselves, each for the field whose example has one."""
    found: dict[str, list[str]] = {}
    for match in _VALUES.finditer(text):
        line_start = text.rfind("\n", 0, match.start()) + 1
        if text[line_start : match.start()].strip() or not text[match.end() :].strip():
            continue  # in a sentence, or cut off
        values = [value.strip() for value in match[0].split(",") if value.strip()]
        for name, value in response.items():
            if value in values:
                found[name] = sorted(values)
    return found


def _scopes(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        for word in line.split():
            plain = word.strip("`,;")
            host = re.search(r"\.(?:com|net|org|html?|txt|md|json|yaml)$", plain)
            if _SCOPE.fullmatch(plain) and not host and line.strip().strip("`*- ") == plain:
                yield plain


def _language(text: str) -> str | None:
    counts = {name: len(re.findall(words, text)) for name, words in _LANGUAGES.items()}
    name = max(counts, key=lambda name: counts[name])
    return name if counts[name] else None
