"""The form of a value of one JSON type, made from all schemas that apply to it.

Decides what the keywords of several schemas mean together. References and alternatives are already
resolved by schema.py.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from attrs import define, evolve, field
from generation.yaml_source import Pointer, is_list, is_map

from .findings import change_of_rule

Parts: TypeAlias = tuple[tuple[Any, Pointer], ...]
"""Schemas that all apply to one value, each with its place in the document."""

# All other keywords of a schema are rules about its value.
TEXTS = ("title", "description", "example", "examples")
_NOT_RULES = (
    *("$comment", "$id", "$schema", "$anchor", "$defs", "xml", "externalDocs", "discriminator"),
    *("readOnly", "writeOnly", "deprecated", "default", "nullable", "const", "required"),
    *("type", "format", "enum", "properties", "items", "additionalProperties"),
    *("$ref", "allOf", "anyOf", "oneOf", *TEXTS),
)
_OF_KIND = {
    "string": ("minLength", "maxLength", "pattern", "contentEncoding", "contentMediaType"),
    "array": ("minItems", "maxItems", "uniqueItems", "contains", "prefixItems"),
    "object": ("minProperties", "maxProperties", "propertyNames", "patternProperties"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}
_WIDER = {"integer": "number"}
_EXCLUSIVE = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}
_NO_LESS = ("minLength", "minItems", "minProperties")  # 0 is no rule
_KINDS = ("string", "integer", "number", "boolean", "object", "array", "null")
UNSAID: Any = object()
"""The key, in a description made from a page, of the keywords that it does not mention."""


class SchemaError(Exception):
    """A schema that cannot be read; `pointer` is its place, and `text` says why."""

    def __init__(self, pointer: Pointer, text: str) -> None:
        self.pointer = pointer
        self.text = text
        super().__init__(f"#/{'/'.join(map(str, pointer))}: {text}")


class PartError(SchemaError):
    """A part that cannot be read; all else in the file can be."""

    kind = "schema"


class DeadReferenceError(PartError):
    """A reference whose target is not in the file, or is the reference itself."""

    kind = "reference"


@define(eq=False)
class Form:
    """One alternative of a shape: a value of one JSON type."""

    kind: str
    format: str | None = None
    values: frozenset[str] | None = None  # of an enumeration, as JSON
    open: bool = False  # True if other values are expected too
    rules: Mapping[str, Any] = field(factory=dict[str, Any])
    items: Parts = ()
    fields: Mapping[str, Parts] = field(factory=dict[str, Parts])
    required: frozenset[str] = frozenset()
    others: Parts | bool = True  # the schema of other fields, or if there may be any
    unsaid: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        """The type, with its format if it has one."""
        if self.kind == "array" and self.items:
            return "array"
        return f"{self.kind} ({self.format})" if self.format else self.kind


def listed(raw: Mapping[str, Any], key: str, at: Pointer) -> list[Any]:
    """Return the list under a keyword, or an empty one."""
    value = raw.get(key, [])
    if not is_list(value):
        raise PartError((*at, key), f"`{key}` is not a list.")
    return value


def mappings(flat: Parts) -> Iterator[dict[str, Any]]:
    """Yield the schemas that are mappings."""
    return (raw for raw, _ in flat if is_map(raw))


def forms_of(flat: Parts) -> list[Form]:
    """Return the forms that all of these schemas allow; they have no alternatives."""
    kinds: list[str] | None = None
    for raw, at in flat:
        if (given := _kinds(raw, at)) is not None:
            kinds = given if kinds is None else _both(kinds, given)
    raws = [*mappings(flat)]
    values = _values(flat)
    nullable = any(raw.get("nullable") is True for raw in raws)
    if kinds is None:
        kinds = _guessed(raws, values)
    if nullable and kinds and "null" not in kinds:
        kinds = [*kinds, "null"]
    return [_form(kind, flat, values) for kind in kinds]


def _kinds(raw: dict[str, Any], at: Pointer) -> list[str] | None:
    given = raw.get("type")
    if given is None:
        return None
    kinds = given if is_list(given) else [given]
    if not kinds or not all(kind in _KINDS for kind in kinds):
        raise PartError((*at, "type"), f"`type` is {given!r}, which is none of JSON's.")
    return list(dict.fromkeys(kinds))


def _both(one: list[str], other: list[str]) -> list[str]:
    found = [kind for kind in one if kind in other]
    if "integer" in {*one, *other} and "number" in {*one, *other} and "integer" not in found:
        found.append("integer")
    return found


def _guessed(raws: list[dict[str, Any]], values: list[Any] | None) -> list[str]:
    """Infer the JSON types if there is no `type`; an empty list means any type."""
    if values is not None:
        return list(dict.fromkeys(_kind(value) for value in values))
    keys = {key for raw in raws for key in raw}
    if keys & {"properties", "additionalProperties", "required"}:
        return ["object"]
    if "items" in keys:
        return ["array"]
    return ["string"] if "format" in keys else []


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    kinds = ((str, "string"), (int, "integer"), (float, "number"), (list, "array"))
    found = (name for kind, name in kinds if isinstance(value, kind))
    return "null" if value is None else next(found, "object")


def _values(flat: Parts) -> list[Any] | None:
    """Return the values that all enumerations have in common."""
    found: list[Any] | None = None
    for raw, at in flat:
        for given in (listed(raw, "enum", at) if "enum" in raw else None, _constant(raw)):
            if given is not None:
                known = {repr(value) for value in given}
                found = [v for v in (given if found is None else found) if repr(v) in known]
    return found


def _constant(raw: dict[str, Any]) -> list[Any] | None:
    return [raw["const"]] if "const" in raw else None


def _form(kind: str, flat: Parts, values: list[Any] | None) -> Form:
    form = Form(kind, unsaid=frozenset(n for raw in mappings(flat) for n in raw.get(UNSAID, ())))
    if kind == "null":
        return form
    if values is not None:
        given = [value for value in values if value is not None]
        # Without a type, one enumeration can have values of several; each form has its own.
        own = [value for value in given if kind in (_kind(value), _WIDER.get(_kind(value)))]
        form.values = frozenset(map(_shown, own or given))
    form.rules = _rules(kind, flat)
    form.format = next((str(raw["format"]) for raw in mappings(flat) if raw.get("format")), None)
    if kind == "array":
        form.items = tuple((raw["items"], (*at, "items")) for raw, at in flat if "items" in raw)
    if kind == "object":
        form.fields, form.required = _fields(flat)
        form.others = _others(flat)
    return form


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)


def _rules(kind: str, flat: Parts) -> dict[str, Any]:
    """Return the rules of all schemas; of several values, the narrowest."""
    own = "number" if kind == "integer" else kind
    of_others = {name for other, names in _OF_KIND.items() if other != own for name in names}
    rules: dict[str, Any] = {}
    for raw in mappings(flat):
        for name, value in _bounds_of_numbers(raw).items():
            skipped = name is UNSAID or name in (*_NOT_RULES, *of_others) or name[:2] == "x-"
            if skipped or value is None or value is False or (name in _NO_LESS and value == 0):
                continue
            if name not in rules or change_of_rule(name, rules[name], value) == "narrower":
                rules[name] = value
    return rules


def _bounds_of_numbers(raw: dict[str, Any]) -> dict[str, Any]:
    """Convert bounds to OpenAPI 3.1; in 3.0, `exclusiveMinimum` is true or false."""
    exclusive = {name: plain for name, plain in _EXCLUSIVE.items() if raw.get(name) is True}
    kept = {name: value for name, value in raw.items() if name not in exclusive.values()}
    return kept | {name: raw.get(plain) for name, plain in exclusive.items()}


def _fields(flat: Parts) -> tuple[dict[str, Parts], frozenset[str]]:
    fields: dict[str, Parts] = {}
    required: set[str] = set()
    for raw, at in flat:
        declared = raw.get("properties", {})
        if not is_map(declared):
            raise PartError((*at, "properties"), "`properties` is not a mapping.")
        for name, inner in declared.items():
            fields[name] = (*fields.get(name, ()), (inner, (*at, "properties", name)))
        required |= {name for name in listed(raw, "required", at) if isinstance(name, str)}
    return fields, frozenset(required)


def _others(flat: Parts) -> Parts | bool:
    found: Parts = ()
    for raw, at in flat:
        given = raw.get("additionalProperties", True)
        if given is False:
            return False
        if given is not True and given != {}:
            found = (*found, (given, (*at, "additionalProperties")))
    return found or True


def joined(forms: list[Form]) -> list[Form]:
    """Merge alternatives of one type that differ only in their values."""
    joined: list[Form] = []
    for form in forms:
        for index, other in enumerate(joined):
            if (both := _one(other, form)) is not None:
                joined[index] = both
                break
        else:
            joined.append(form)
    return joined


def _one(one: Form, other: Form) -> Form | None:
    if one.kind != other.kind or one.kind in ("object", "array") or one.format != other.format:
        return None
    if one.values is None and other.values is None:
        return one if one.rules == other.rules else None
    # The rules apply to values that the enumeration does not list.
    free = one if one.values is None else other
    listed = other if free is one else one
    if listed.rules and listed.rules != free.rules:
        return None
    both = (one.values or frozenset()) | (other.values or frozenset())
    is_open = one.open or other.open or free.values is None
    return evolve(free, values=both, open=is_open, unsaid=one.unsaid | other.unsaid)
