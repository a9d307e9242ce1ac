"""The facts that a documentation page states, as data that is saved and compared.

Decides how facts are written to a file, and which parts of a description a page cannot state. It
stores no sentence of a page, only fingerprints that show when one has changed.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen
from comparison import sentences
from comparison.description import Description, UnreadableError
from comparison.schema_forms import UNSAID
from generation import yaml_source
from generation.yaml_source import is_list, is_map

HEADER = """\
# Facts read off HubSpot's documentation page of this operation; null where the page is silent.
# `prose` has a short number for each sentence, which tells whether one has changed.
"""
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})")
_CHANGING = re.compile(r"\b[A-Z][A-Z0-9_]{2,}(?:\b|(?=[A-Z][a-z])),?|\d+")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
# The keywords about which an example says nothing.
_EXAMPLE = ["required", "additionalProperties", "null", "rules", "default", "enum"]


@frozen
class Source:
    """A page from which facts were read, and the fingerprints of its sentences."""

    page: str
    language: str | None = None
    modified: str | None = None
    captured: str | None = None
    prose: tuple[str, ...] = field(default=(), repr=False)


@frozen
class FieldFact:
    """A field in a page's list: its type in the page's words, and if it is required."""

    type: str
    required: bool = False


@frozen
class Facts:
    """The facts that the pages of one operation state; None where they say nothing."""

    operation: str | None
    sources: tuple[Source, ...]
    method: str
    path: str
    limit: int | None
    order_of_results: str | None
    scopes: tuple[str, ...] | None
    enums: Mapping[str, list[str]]
    query: Mapping[str, FieldFact] | None
    fields: Mapping[str, FieldFact] | None
    request: Mapping[str, Any]
    response: Mapping[str, Any]

    def description(self) -> Description:
        """Return the facts as a description with this one operation."""
        body = _of_example(self.request)
        inputs = body["properties"]["inputs"]
        inputs |= {} if self.limit is None else {"maxItems": self.limit}
        answer = _completed(_of_example(self.response), self.enums, self.fields or {})
        unsaid = ["responses", *(() if self.query is not None else ("parameters",))]
        operation = {
            "operationId": "page",
            "requestBody": {
                "content": {"application/json": {"schema": body}},
                UNSAID: ["required"],
            },
            "responses": {"200": {"content": {"application/json": {"schema": answer}}}},
            "parameters": [_parameter(name, fact) for name, fact in (self.query or {}).items()],
            UNSAID: unsaid,
        }
        if self.scopes:
            operation["security"] = [{"scopes": [*self.scopes]}]
        document = {"openapi": "3.1.0", "paths": {self.path: {self.method.lower(): operation}}}
        return Description(document, self.sources[0].page, excerpt=True)

    def merged_with(self, more: "Facts") -> "Facts":
        """Return these facts updated by a newer page, which is known to be complete.

        Facts that only some forms of a page show are kept if the newer page lacks them.
        """
        pages = {source.page: source for source in (*self.sources, *more.sources)}
        return evolve(
            more,
            operation=self.operation,
            sources=tuple(pages.values()),
            scopes=more.scopes or self.scopes,
            enums={**self.enums, **more.enums},
            query=self.query if more.query is None else more.query,
            fields=self.fields if more.fields is None else more.fields,
        )


def fingerprints(text: str) -> tuple[str, ...]:
    """Return a short hash for each sentence; white space, numbers and constants are ignored."""
    plain = (_CHANGING.sub("#", part) for part in sentences.sentences(text))
    even = (re.sub(r"[\W_]+", " ", part).strip().lower() for part in plain)
    return tuple(
        dict.fromkeys(hashlib.sha256(part.encode()).hexdigest()[:10] for part in even if part)
    )


def read(path: Path) -> Facts:
    """Read the facts in a file.

    Raises:
        UnreadableError: The file does not have the form that `to_yaml` gives.
    """
    document, problems = yaml_source.read(path)
    if document is None or problems:
        raise UnreadableError(str(problems[0]))
    data = document.data
    try:
        _check_types(data)
        return Facts(
            operation=str(data["operation"]),
            sources=tuple(_source(item) for item in data["source"]),
            method=data["method"],
            path=data["path"],
            limit=data["limit"],
            order_of_results=data["order_of_results"],
            scopes=None if data.get("scopes") is None else tuple(data["scopes"]),
            enums=data["enums"],
            query=_field_facts(data.get("query")),
            fields=_field_facts(data.get("fields")),
            request=data["request"],
            response=data["response"],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise UnreadableError(
            f"{yaml_source.shown(path)}: these are no facts of a page ({error}); write them with "
            "`make page PAGE=file`."
        ) from None


def _check_types(data: Mapping[str, Any]) -> None:
    """Check the parts that are used without conversion."""
    kinds = {"source": list, "enums": dict, "request": dict, "response": dict}
    for name, kind in kinds.items():
        if not isinstance(data[name], kind) or (not data[name] and name != "enums"):
            raise TypeError(f"`{name}` is {data[name]!r:.40}")
    if not all(is_list(values) for values in data["enums"].values()):
        raise TypeError("`enums` has no lists")
    if not is_list(data["request"].get("inputs")) or not is_list(data["response"].get("results")):
        raise TypeError("an example lacks `inputs` or `results`")


def to_yaml(facts: Facts) -> str:
    """Return the text of the file for these facts."""
    data: dict[str, Any] = {
        "operation": facts.operation,
        "source": [
            {key: [*value] if key == "prose" else value for key, value in pairs if value}
            for source in facts.sources
            for pairs in [_pairs(source)]
        ],
        "method": facts.method,
        "path": facts.path,
        "limit": facts.limit,
        "order_of_results": facts.order_of_results,
        "scopes": None if facts.scopes is None else [*facts.scopes],
        "enums": {name: [*values] for name, values in facts.enums.items()},
        "query": _shown(facts.query),
        "fields": _shown(facts.fields),
        "request": facts.request,
        "response": facts.response,
    }
    return HEADER + yaml_source.dump(data)


def _pairs(source: Source) -> Iterable[tuple[str, Any]]:
    names = ("page", "language", "modified", "captured", "prose")
    return ((name, getattr(source, name)) for name in names)


def _source(data: Mapping[str, Any]) -> Source:
    known = {name: data.get(name) for name in ("language", "modified", "captured")}
    return Source(page=data["page"], prose=tuple(data.get("prose", ())), **known)


def _field_facts(data: Mapping[str, str] | None) -> dict[str, FieldFact] | None:
    if data is None:
        return None
    return {
        name: FieldFact(text.removesuffix(", required"), required=text.endswith(", required"))
        for name, text in data.items()
    }


def _shown(facts: Mapping[str, FieldFact] | None) -> dict[str, str] | None:
    if facts is None:
        return None
    return {
        name: f"{fact.type}, required" if fact.required else fact.type
        for name, fact in facts.items()
    }


def _parameter(name: str, fact: FieldFact) -> dict[str, Any]:
    schema = _of_type(fact.type)
    return {
        "name": name,
        "in": "query",
        "required": fact.required,
        "schema": schema,
        UNSAID: ["style"],
    }


def _of_type(text: str) -> dict[str, Any]:
    """Return the schema for a type in a page's words, such as `string<date-time>[]`."""
    text = text.removesuffix(" | null")
    if text.endswith("[]"):
        return {"type": "array", "items": _of_type(text[:-2]), UNSAID: ["rules", "null", "default"]}
    plain, _, inner = text.removesuffix(">").partition("<")
    schema: dict[str, Any] = {UNSAID: ["rules", "null", "default", "enum", "additionalProperties"]}
    if plain == "enum":
        return schema | {"type": inner}
    if plain in ("any", "null", "file"):
        return {UNSAID: ["type", "default"]}
    schema[UNSAID] += ["properties", "required"] if plain == "object" else []
    return schema | {"type": plain} | ({"format": inner} if inner else {})


def _of_example(value: Any) -> dict[str, Any]:
    """Return the schema that an example implies, with the keywords that it leaves open."""
    if is_map(value):
        fields = {name: _of_example(inner) for name, inner in value.items()}
        unsaid = [*_EXAMPLE, *(() if fields else ("properties",))]
        return {"type": "object", "properties": fields, UNSAID: unsaid}
    if is_list(value):
        item = _of_example(value[0]) if value else {UNSAID: ["type", "default"]}
        return {"type": "array", "items": item, UNSAID: ["null", "default", "rules"]}
    if value is None:
        return {UNSAID: ["type", "default"]}
    if isinstance(value, bool):
        return {"type": "boolean", UNSAID: _EXAMPLE}
    if isinstance(value, str):
        formats = {"date-time": _MOMENT, "date": _DAY}
        known = [{"format": name} for name, form in formats.items() if form.fullmatch(value)]
        return {"type": "string", **(known[0] if known else {}), UNSAID: [*_EXAMPLE, "format"]}
    kind = "integer" if isinstance(value, int) else "number"
    return {"type": kind, UNSAID: [*_EXAMPLE, "number", "format"]}


def _completed(
    schema: dict[str, Any], enums: Mapping[str, list[str]], listed: Mapping[str, FieldFact]
) -> dict[str, Any]:
    """Add the fields and values that the page lists to the schema of an example."""
    fields: dict[str, dict[str, Any]] = schema["properties"]
    for name, fact in listed.items():
        fields[name] = _refined(fields.get(name), _of_type(fact.type))
    for name, values in enums.items():
        if name in fields and fields[name].get("type") == "string":
            kept = [word for word in fields[name][UNSAID] if word not in ("enum", "rules")]
            fields[name] |= {"enum": values, UNSAID: [*kept, "open"]}
    if not listed:
        return schema
    needed = [name for name, fact in listed.items() if fact.required]
    silent = [name for name in fields if name not in listed]
    around = [word for word in _EXAMPLE if word != "required"]
    return schema | {"required": needed, UNSAID: [*around, *silent]}


def _refined(example: dict[str, Any] | None, listed: dict[str, Any]) -> dict[str, Any]:
    """Return the listed schema, with the inner fields that only the example shows."""
    if example is None or listed.get("type") not in ("array", "object"):
        return listed
    if listed["type"] == "array" and example.get("type") == "array":
        return listed | {"items": _refined(example["items"], listed["items"])}
    return example if example.get("type") == listed["type"] else listed


def modified_on(text: str) -> str | None:
    """Return a date such as `March 24, 2026` as ISO 8601, or None if there is no such day."""
    try:
        return datetime.strptime(text, "%B %d, %Y").date().isoformat()  # noqa: DTZ007 - a day
    except ValueError:
        return None
