"""The keywords of OpenAPI 3.1, by the kind of object that may have them.

Decides whether each key of a fragment is a keyword at its place, and whether its value has the form
of one. The validator and the generator ignore an unknown keyword, so a misspelt one would lose
what it says.
"""

import difflib
from collections.abc import Collection, Iterator, Mapping
from typing import Any, TypeAlias

from .yaml_source import Document, Pointer, SourceProblem, is_list, is_map

_At: TypeAlias = tuple[Pointer, dict[str, Any]]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

# The value of a keyword: data of any form (""), one object of a kind ("schema"), a list of them
# ("[schema]"), or a mapping from names to them ("{schema}").
_WORDS = dict.fromkeys(("summary", "description", "externalDocs"), "")
_EXAMPLES = dict.fromkeys(("example", "examples"), "")

# Keywords that say something about values of these types only.
OF_TYPES: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("array",): (
        *("items", "prefixItems", "contains", "minContains", "maxContains"),
        *("minItems", "maxItems", "uniqueItems", "unevaluatedItems"),
    ),
    ("object",): (
        *("properties", "patternProperties", "additionalProperties", "propertyNames", "required"),
        *("minProperties", "maxProperties", "dependentRequired", "dependentSchemas"),
        "unevaluatedProperties",
    ),
    ("string",): ("minLength", "maxLength", "pattern", "contentEncoding", "contentMediaType"),
    ("number", "integer"): (
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    ),
}
_ONE_SCHEMA = (
    *("items", "contains", "additionalProperties", "propertyNames", "unevaluatedItems"),
    *("unevaluatedProperties", "not", "if", "then", "else", "contentSchema"),
)
_SCHEMAS = ("allOf", "anyOf", "oneOf", "prefixItems")
_SCHEMAS_BY_NAME = ("properties", "patternProperties", "dependentSchemas", "$defs")
_SCHEMA = {
    **{word: "" for words in OF_TYPES.values() for word in words},
    **dict.fromkeys(("type", "format", "enum", "const", "default", "title", "deprecated"), ""),
    **dict.fromkeys(("readOnly", "writeOnly", "discriminator", "xml"), ""),
    **dict.fromkeys(("$ref", "$comment", "$id", "$anchor", "$schema", "$dynamicRef"), ""),
    **dict.fromkeys(("description", "externalDocs", *_EXAMPLES), ""),
    **dict.fromkeys(_ONE_SCHEMA, "schema"),
    **dict.fromkeys(_SCHEMAS, "[schema]"),
    **dict.fromkeys(_SCHEMAS_BY_NAME, "{schema}"),
}
_VALUE = {
    **dict.fromkeys(("description", "required", "deprecated", "allowEmptyValue"), ""),
    **dict.fromkeys(("style", "explode", "allowReserved"), ""),
    **_EXAMPLES,
    "schema": "schema",
    "content": "{media type}",
}

KEYWORDS: Mapping[str, Mapping[str, str]] = {
    "description": {
        **dict.fromkeys(("openapi", "jsonSchemaDialect", "externalDocs", "security"), ""),
        "info": "info",
        "servers": "[server]",
        "tags": "[tag]",
        "paths": "{path}",
        "components": "components",
    },
    "info": {
        **dict.fromkeys(("title", "version", "termsOfService", "contact"), ""),
        **_WORDS,
        "license": "license",
    },
    "license": dict.fromkeys(("name", "identifier", "url"), ""),
    "server": dict.fromkeys(("url", "description", "variables"), ""),
    "tag": {"name": "", **_WORDS},
    "components": {
        "parameters": "{parameter}",
        "responses": "{response}",
        "schemas": "{schema}",
        "securitySchemes": "{security scheme}",
    },
    "path": {
        **_WORDS,
        "parameters": "[parameter]",
        **dict.fromkeys(METHODS, "operation"),
    },
    "operation": {
        **_WORDS,
        **dict.fromkeys(("operationId", "tags", "deprecated", "security", "callbacks"), ""),
        "parameters": "[parameter]",
        "requestBody": "request body",
        "responses": "{response}",
    },
    "parameter": {"name": "", "in": "", **_VALUE},
    "header": _VALUE,
    "request body": {"description": "", "required": "", "content": "{media type}"},
    "response": {
        "description": "",
        "links": "",
        "headers": "{header}",
        "content": "{media type}",
    },
    "media type": {"schema": "schema", "encoding": "", **_EXAMPLES},
    "schema": _SCHEMA,
    "security scheme": {
        **dict.fromkeys(("type", "description", "name", "in", "scheme", "bearerFormat"), ""),
        **dict.fromkeys(("flows", "openIdConnectUrl"), ""),
    },
    # Except in a schema, all other keywords beside a reference are ignored.
    "reference": dict.fromkeys(("$ref", "summary", "description"), ""),
}

_MEDIA_TYPE = "application/json"
# Notes about the fragments. Any `x-` key that is not named here is free, unless it looks like one.
SOURCE, DEVIATION = "x-source", "x-deviation"
# What an operation does, and how its answer names inputs; `operation_meaning` reads them.
KIND, KEY, RESULTS = "x-kind", "x-key", "x-results"
NAMED_BY, ALL_OR_NOTHING = "x-named-by", "x-all-or-nothing"
# Whether creates in doubt can be looked up; `families_module` reads it.
RECONCILES = "x-reconcile"
OF_OPERATIONS = (KIND, KEY, RESULTS, NAMED_BY, ALL_OR_NOTHING, RECONCILES)
# The versions of the API that have an operation or a field; `versions` reads it.
VERSIONS = "x-versions"
# At a map, or at the items of a list: the names of HubSpot's own that it may have.
KNOWN = "x-known"
_ALIKE = 0.82


def check_keywords(document: Document) -> Iterator[SourceProblem]:
    """Report unknown keywords, and values that have another form than their keyword needs."""
    for key, value in document.data.items():
        if kind := KEYWORDS["description"].get(key):
            yield from _check_value(document, (key,), value, kind)


def _check_value(document: Document, at: Pointer, value: Any, kind: str) -> Iterator[SourceProblem]:
    """Check one keyword's value, which has a kind such as `schema`, `[schema]` or `{schema}`."""
    inner = kind.strip("[]{}")
    if kind[0] == "[":
        if not is_list(value):
            yield document.problem(
                at, f"`{at[-1]}` is not a list; write its {inner}s with a dash each."
            )
            return
        for index, item in enumerate(value):
            yield from _check_object(document, (*at, index), item, inner)
    elif kind[0] == "{":
        if not is_map(value):
            yield document.problem(at, f"`{at[-1]}` is not a mapping; write names below it.")
            return
        for name, item in value.items():
            if inner == "media type" and name != _MEDIA_TYPE:
                text = f"the client reads and writes no `{name}`; write {_MEDIA_TYPE}."
                yield document.problem((*at, name), text)
            yield from _check_object(document, (*at, name), item, inner)
    else:
        yield from _check_object(document, at, value, inner)


def _check_object(
    document: Document, at: Pointer, value: Any, kind: str
) -> Iterator[SourceProblem]:
    if kind == "schema" and isinstance(value, bool):
        return
    if not is_map(value):
        advice = "fill it or delete it" if kind in ("path", "components") else "describe it"
        yield document.problem(at, f"`{at[-1]}` is not a mapping; {advice}.")
        return
    if "$ref" in value and kind != "schema":
        kind = "reference"
    for key, inner in value.items():
        if key in KEYWORDS[kind]:
            if of := KEYWORDS[kind][key]:
                yield from _check_value(document, (*at, key), inner, of)
        elif text := _unknown(key, kind):
            yield document.problem((*at, key), text)


def walk_schemas(value: Any, at: Pointer = (), kind: str = "description") -> Iterator[_At]:
    """Yield every schema with its place, the outer ones first; what has a wrong form is skipped."""
    inner = kind.strip("[]{}")
    if kind[0] == "[":
        for index, item in enumerate(value if is_list(value) else ()):
            yield from walk_schemas(item, (*at, index), inner)
    elif kind[0] == "{":
        for name, item in value.items() if is_map(value) else ():
            yield from walk_schemas(item, (*at, name), inner)
    elif is_map(value):
        if kind == "schema":
            yield at, value
        for key, item in value.items():
            if of := KEYWORDS[kind].get(key):
                yield from walk_schemas(item, (*at, key), of)


def _unknown(key: str, kind: str) -> str:
    """Return what is wrong with a key that is no keyword; nothing, if it may stand there."""
    known, article = KEYWORDS[kind], "an" if kind[0] in "aeio" else "a"
    if key.startswith("x-"):
        if key in OF_OPERATIONS:
            text = f"`{key}` says something about an operation, and not about {article} {kind}"
            return "" if kind == "operation" else f"{text}; move it there."
        ours = (SOURCE, DEVIATION, VERSIONS, KNOWN, *OF_OPERATIONS)
        like = "" if key in ours else closest(key, ours, _ALIKE)
        return f"`{key}` is no keyword; did you mean {like}." if like else ""
    if kind == "components":
        return ""  # each file has other sections, which check_form knows
    text = f"`{key}` is no keyword of {article} {kind}"
    if kind == "schema" and key == "nullable":
        return f"{text} in OpenAPI 3.1; write the type 'null' beside the other: [string, 'null']."
    if like := closest(key, {*known, "$ref"}):
        return f"{text}; did you mean {like}."
    places = [name for name, words in KEYWORDS.items() if key in words and name != "reference"]
    if places:
        return f"{text}, but of: {', '.join(places)}; move it there."
    nearest = closest(key, known, 0)
    return f"{text}; the nearest is {nearest}. Write that, or delete this."


def closest(key: str, known: Collection[str], cutoff: float = 0.6) -> str:
    """Return the known word that is most like a key, or an empty text if none is."""
    plain = {word.lower(): word for word in known}
    found = difflib.get_close_matches(_plain(key), sorted(plain), n=1, cutoff=cutoff)
    return plain[found[0]] if found else ""


def _plain(key: str) -> str:
    return key.lower().replace("_", "")
