"""A documentation page, captured as text or as Markdown: the facts that it states.

Decides what on a page is an example, sample code, a field with its type, or a sentence. Field
names, types and values are the same in all languages. A page that lacks a part is an error.
"""

import re
from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from attrs import field, frozen
from comparison import sentences
from comparison.description import UnreadableError
from generation.yaml_source import is_list

from . import examples, fields
from .examples import Example
from .facts import Facts, Source, fingerprints, modified_on

_METHODS = "GET|POST|PUT|PATCH|DELETE"
_ENDPOINT = re.compile(rf"\b({_METHODS})((?:\s*/\s*[A-Za-z0-9_{{}}.-]+){{2,12}})")
# Labels may precede a call without a space; PHP has variables called `curl`.
_CALL = re.compile(r"curl\s+(?=-|[\"']?https?:)")
_CALL_HEAD = 1000
_URL = re.compile(r"https?://[^\s/'\"]+(/[^\s'\"?\\^]+)")
_METHOD = re.compile(rf"(?:--request|-X)[\s=]*['\"]?({_METHODS})\b")
_SPACES = {
    **dict.fromkeys(map(ord, "\u00a0\u2007\u202f\t"), " "),
    **dict.fromkeys(map(ord, "\v\f\x85\u2028\u2029"), "\n"),
}
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\ufeff\u2060"), None)
# The buttons and tabs around examples.
_BUTTON = re.compile(
    r"^ *(?:Copy(?: page)?|Ask AI|Try it|cURL|Python|JavaScript|Node(?:\.js)?|PHP|Go|Java|Ruby|C#"
    r"|\d{3}|default) *$",
    re.MULTILINE,
)
_UNFOLD = re.compile(r"[ \n]?(?:Show|Hide)[ \n]child[ \n]attributes[ \n]?")
_MODIFIED = re.compile(r"^ *Last modified on (\w+ \d{1,2}, \d{4})\s*$", re.MULTILINE)
_SCOPE = re.compile(r"[a-z][a-z0-9_-]*(?:\.[a-z0-9_-]+)+")
_COMPONENT = re.compile(
    r"^export (?:const|default|function|let|var)\b.*?(?:^\}[;)]*$|(?=^(?:#|>|</?[A-Z]|```)|\Z))"
    r"|^import (?:[^\n{]*|\{[^}]*\} from )(?<=[ ])[\"'][^\"'\n]*[\"'];?$",
    re.MULTILINE | re.DOTALL,
)
# The text above the title that a documentation site adds to each page, and the title.
_HEADER = re.compile(r"\A\s*(?:>[^\n]*\n)*\s*# [^\n]*\n")
_TAG = re.compile(r"^ *</?[A-Z][^<>]*> *$", re.MULTILINE)
_FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})[^\n]*$", re.MULTILINE)
_QUOTED = re.compile(r"^[ \t]*>[ \t]?", re.MULTILINE)
_LANGUAGES = {  # words that the other languages do not have
    "English": r"\b(?:the|and|with|was|of)\b",
    "French": r"\b(?:les|des|est|dans|du|pour)\b",
    "German": r"\b(?:der|die|das|und|mit|wann)\b",
    "Spanish": r"\b(?:el|los|con|se|cuando|en)\b",
}


@frozen
class _Parts:
    """The parts of a page's text."""

    plain: str = field(repr=False)
    found: dict[str, object] = field(repr=False)
    endpoint: tuple[str, str]
    request: dict[str, Any]
    response: dict[str, Any]
    listed: fields.ListedFields
    rest: str = field(repr=False)


def read(text: str, name: str) -> Facts:
    """Read the facts from the text of a page; `name` is the file's, for sources and errors.

    Raises:
        UnreadableError: It is not a page of a batch endpoint, or is cut off.
    """
    parts = _parts(text, name)
    request, response = parts.request, parts.response
    method, path = parts.endpoint
    listed, rest = parts.listed, parts.rest
    enums = fields.enums(rest, response)
    for key, values in listed.enums.items():  # a sentence may name one that the list lacks
        enums[key] = sorted({*enums.get(key, ()), *values})
    expected: dict[str, object] = {
        f"the values of `{key}`": enums.get(key)
        for key, value in response.items()
        if isinstance(value, str) and re.fullmatch(r"[A-Z][A-Z_]+", value)
    }
    if listed.response:
        last = next(reversed(response))
        expected |= {f"the type of `{last}`, the last field": listed.response.get(last)}
    _require({**parts.found, **expected}, name)
    for key, values in enums.items():
        if re.fullmatch(r"\w+", str(shown := response.get(key, ""))) and shown not in values:
            raise UnreadableError(
                f"{name}: the example of `{key}` is {shown}, which is not among the values that "
                f"the page lists ({', '.join(values)}); capture the page again."
            )
    numbers = sentences.limits(rest)
    if len(numbers) > 1:
        several = " and ".join(map(str, sorted(numbers)))
        raise UnreadableError(
            f"{name}: the page names two limits, {several}; look which one holds."
        )
    modified = _MODIFIED.search(parts.plain)
    return Facts(
        operation=None,
        sources=(
            Source(
                page=name.rpartition("/")[2],
                language=_language(rest),
                modified=modified_on(modified[1]) if modified else None,
                prose=fingerprints(rest),
            ),
        ),
        method=method,
        path=path,
        limit=numbers.pop() if numbers else None,
        order_of_results=sentences.order(rest),
        scopes=tuple(_scopes(rest)) or None,
        enums=enums,
        query=listed.query if listed.response else None,
        fields=listed.response or None,
        request=request,
        response=response,
    )


def sentences_of(text: str) -> list[str]:
    """Return the sentences of a page, without examples, code and fields."""
    return [*sentences.sentences(_parts(text, "").rest)]


def _parts(text: str, name: str) -> _Parts:
    plain = _plain(text)
    objects = [*examples.find_examples(plain, name)]
    responses = [one for one in objects if is_list(one.value.get("results"))]
    requests = [one for one in objects if is_list(one.value.get("inputs"))]
    endpoints = {*_endpoints(plain)}
    found: dict[str, object] = {
        "the operation": endpoints,
        "an example of the request (with `inputs`)": requests,
        "an example of the response (with `results`)": responses,
    }
    _require(found, name)
    if len(endpoints) > 1:
        several = " and ".join(sorted(f"{method} {path}" for method, path in endpoints)[:4])
        raise UnreadableError(
            f"{name}: the page speaks of several operations ({several}); give a page of one."
        )
    request, response = (
        examples.merge([one.value for one in side], name) for side in (requests, responses)
    )
    if mixed := request.keys() & {"results", "completedAt"}:
        raise UnreadableError(
            f"{name}: the example of the request holds `{min(mixed)}` of a response; something "
            "between the two is missing: capture the page again."
        )
    words = _outside(plain, objects, responses)
    words = _UNFOLD.sub("\n", _BUTTON.sub(" ", _ENDPOINT.sub("", words)))
    listed = fields.ListedFields()
    rest = _MODIFIED.sub("", fields.take_fields(words, request, response, listed))
    return _Parts(plain, found, next(iter(endpoints)), request, response, listed, rest)


def _plain(text: str) -> str:
    """Return the text without Markdown syntax and with normalized white space."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.translate(_SPACES).translate(_INVISIBLE)
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    if _FENCE.search(text):
        text = _TAG.sub("", _COMPONENT.sub("", _HEADER.sub("", text)))
    return _QUOTED.sub("", _FENCE.sub("", text))


def _require(found: Mapping[str, Any], name: str) -> None:
    missing = [what for what, value in found.items() if not value]
    if missing:
        seen = ", ".join(what for what, value in found.items() if value) or "nothing of a page"
        raise UnreadableError(
            f"{name}: this is not a whole page of a batch endpoint. Found: {seen}. "
            f"Missing: {', '.join(missing)}. Capture the page again, from its top to its end."
        )


def _endpoints(text: str) -> Iterator[tuple[str, str]]:
    for call in _CALL.finditer(text):
        head = text[call.end() : call.end() + _CALL_HEAD]
        if url := _URL.search(head):
            method = _METHOD.search(head)
            yield method[1] if method else "POST", url[1].rstrip("/")
    for method, path in _ENDPOINT.findall(text):
        yield method, re.sub(r"\s+", "", path)


def _outside(text: str, found: Sequence[Example], responses: Sequence[Example]) -> str:
    """Return the text outside examples and outside the code between a call and its response."""
    spans = [(one.start, one.end) for one in found]
    calls = [call.start() for call in _CALL.finditer(text)]
    starts = [one.start for one in responses]
    for call, after in pairwise([*calls, len(text)]):
        index = bisect(starts, call)
        # A call without its own response ends before the words that follow.
        if index < len(starts) and starts[index] < after:
            spans.append((call, responses[index].end))
    left: list[str] = []
    position = 0
    for start, end in sorted(spans):
        if end > position:
            left.append(text[position : max(start, position)])
            position = end
    return "\n\n".join([*left, text[position:]])


def _scopes(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        plain = line.strip("`*-,; ")
        host = re.search(r"\.(?:com|net|org|html?|txt|md|json|yaml)$", plain)
        if _SCOPE.fullmatch(plain) and not host:
            yield plain


def _language(text: str) -> str | None:
    counts = {name: len(re.findall(words, text)) for name, words in _LANGUAGES.items()}
    name = max(counts, key=lambda name: counts[name])
    return name if counts[name] else None
