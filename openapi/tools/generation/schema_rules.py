"""The rules for values of keywords in a schema, beyond those of the validator.

Decides which limits no value could follow, which formats exist, and which keywords say nothing
about a type. The validator accepts all of these, and what was meant would be lost.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeGuard

from .keywords import OF_TYPES, closest, walk_schemas
from .yaml_source import Document, Pointer, SourceProblem, is_list, is_map

_TYPES = {"array", "boolean", "integer", "null", "number", "object", "string"}
_TEXT, _WHOLE = ("string",), ("integer", "number")
FORMATS = {
    **dict.fromkeys(("int32", "int64"), _WHOLE),
    **dict.fromkeys(("float", "double"), ("number",)),
    **dict.fromkeys(("date", "date-time", "time", "duration", "uuid", "byte", "binary"), _TEXT),
    **dict.fromkeys(("password", "email", "idn-email", "hostname", "idn-hostname"), _TEXT),
    **dict.fromkeys(("ipv4", "ipv6", "uri", "uri-reference", "iri", "iri-reference"), _TEXT),
    **dict.fromkeys(("uri-template", "json-pointer", "relative-json-pointer", "regex"), _TEXT),
}
_RANGES = (
    ("minItems", "maxItems"),
    ("minLength", "maxLength"),
    ("minProperties", "maxProperties"),
    ("minimum", "maximum"),
)
_HOLDS = ("items", "additionalProperties", "anyOf", "oneOf", "allOf")
_LARGEST = ("maxItems", "maxLength", "maxProperties")


def check_schemas(document: Document) -> Iterator[SourceProblem]:
    """Report limits that no value can follow, unknown formats, and rules about another type."""
    for at, schema in walk_schemas(document.data):
        yield from _check_limits(document, at, schema)
        form = schema.get("format", "date")
        if isinstance(form, str) and form not in FORMATS:  # else the validator reports it
            like = closest(form, FORMATS)
            advice = f"did you mean {like}" if like else "leave it out"
            text = f"`format` is {form!r}, which is not known; {advice}."
            yield document.problem((*at, "format"), text)
        yield from _check_types(document, at, schema)


def check_loops(documents: Iterable[Document]) -> Iterator[SourceProblem]:
    """Report lists, maps and alternatives that hold only themselves; no object is between them."""
    found = {
        f"#/components/schemas/{at[2]}": (document, at, schema)
        for document in documents
        for at, schema in walk_schemas(document.data)
        if at[:2] == ("components", "schemas") and len(at) == 3
    }
    for name, (document, at, _) in found.items():
        around, waiting = set[str](), [name]
        while waiting:
            _, _, schema = found[waiting.pop()]
            inner = {one for one in _held(schema) if one in found} - around
            around |= inner
            waiting += inner
        if name in around:
            text = f"the schema {at[2]} holds itself without an object of fields between"
            yield document.problem(at, f"{text}; describe such an object.")


def _held(schema: Any) -> Iterator[str]:
    """Yield the references of a schema that has no fields, beside those in its fields."""
    if is_list(schema):
        for one in schema:
            yield from _held(one)
    elif is_map(schema):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        for key in _HOLDS:
            if key != "additionalProperties" or not schema.get("properties"):
                yield from _held(schema.get(key))


def _check_limits(
    document: Document, at: Pointer, schema: dict[str, Any]
) -> Iterator[SourceProblem]:
    for key in _LARGEST:
        if key in schema and not (type(schema[key]) is int and schema[key] > 0):
            text = f"`{key}` is {schema[key]!r}; write a whole number from 1 up, or leave it out."
            yield document.problem((*at, key), text)
    for least, most in _RANGES:
        low, high = schema.get(least), schema.get(most)
        if _is_number(low) and _is_number(high) and low > high:
            text = f"`{least}` is {low} and `{most}` is {high}: no value can follow both"
            yield document.problem((*at, most), f"{text}; change one.")


def _check_types(
    document: Document, at: Pointer, schema: dict[str, Any]
) -> Iterator[SourceProblem]:
    given = schema.get("type")
    types = [name for name in (given if is_list(given) else [given]) if isinstance(name, str)]
    if not types or not {*types} <= _TYPES:  # the validator says which types there are
        return
    form = str(schema.get("format"))
    owned = [(key, key, owners) for owners, keys in OF_TYPES.items() for key in keys]
    owned += [("format", f"format: {form}", FORMATS[form])] if form in FORMATS else []
    for key, shown, owners in owned:
        if key in schema and not {*types} & {*owners}:
            text = f"`{shown}` says nothing about the type {_either(types)}"
            yield document.problem((*at, key), f"{text}; it belongs to {_either(owners)}.")


def _either(names: Sequence[str]) -> str:
    return " or ".join(names)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
