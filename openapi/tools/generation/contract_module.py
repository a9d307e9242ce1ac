"""The text of contract.py: the table of operations that the handwritten package reads.

Decides which parts of the bundle go into the table, and how a schema of OpenAPI 3.1 becomes draft 7
of JSON Schema. An unknown keyword is an error, never a guess.
"""

from collections.abc import Callable, Mapping
from typing import Any

from . import contract_head, listing_model, operation_model, versions
from .keywords import KNOWN, RESULTS, VERSIONS
from .operation_meaning import ContractError
from .yaml_source import Pointer, is_list, is_map

# Keywords with plain values that mean the same in draft 7.
_PLAIN = (
    *("type", "enum", "const", "format", "pattern", "minLength", "maxLength", "multipleOf"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "uniqueItems"),
    *("minItems", "maxItems", "minProperties", "maxProperties", "required"),
)
_ONE = ("items", "additionalProperties", "not", "propertyNames", "contains")
_MANY = ("anyOf", "oneOf", "allOf")
_BY_NAME = ("properties", "patternProperties")
# A default is dropped too: a validator that fills it in would change what is sent.
_DROPPED = (
    *("title", "description", "$comment", "example", "examples", "default", "deprecated"),
    *("readOnly", "writeOnly", "xml", "externalDocs", "discriminator"),
    *("contentEncoding", "contentMediaType"),
)


def render(document: Mapping[str, Any]) -> str:
    """Return the text of contract.py for a bundle, not yet formatted.

    Raises ContractError if the contract has no place for something in the bundle.
    """
    rows = [_row(document, pointer, item) for pointer, item in operation_model.operations(document)]
    if not rows:
        raise ContractError(("paths",), "there are no operations; describe one.")
    calls = [f"Operation({_written(row)})" for row in rows]
    listed = [
        f"{one.operation['operationId']!r}: Listing({_written(_listing_row(document, one))})"
        for one in listing_model.listings(document)
    ]
    head = contract_head.HEAD.replace("@CEILING@", str(operation_model.CEILING))
    known = versions.listed_in(document)
    return (
        f"{head}VERSIONS = {known!r}\n"
        '"""The versions of the API that an operation can have."""\n\n'
        f"_ALL = ({', '.join(calls)},)\n\n"
        "OPERATIONS: Mapping[str, Operation] = "
        "MappingProxyType({operation.id: operation for operation in _ALL})\n\n"
        f"LISTINGS: Mapping[str, Listing] = MappingProxyType({{{', '.join(listed)}}})\n"
    )


def _written(row: Mapping[str, Any]) -> str:
    shown = {name: repr(value) for name, value in row.items() if name != "arguments"}
    calls = [
        f"Argument({', '.join(f'{name}={value!r}' for name, value in one.items())}),"
        for one in row["arguments"]
    ]
    shown["arguments"] = f"({' '.join(calls)})"
    listed = [
        f"Version({', '.join(f'{name}={value!r}' for name, value in one.items() if value)}),"
        for one in row["versions"]
    ]
    shown["versions"] = f"({' '.join(listed)})"
    return ", ".join(f"{name}={text}" for name, text in shown.items())


def _row(document: Mapping[str, Any], pointer: Pointer, item: dict[str, Any]) -> dict[str, Any]:
    _, path, method = map(str, pointer)
    operation = item[method]
    name = operation["operationId"]
    if not operation.get("tags"):
        raise ContractError(pointer, f"{name} has no tag; give it one.")
    inputs = operation_model.inputs_of(document, pointer, operation)
    inliner = _Inliner(document)
    convert = inliner.convert
    input_schema = convert(inputs.schema["items"], (*inputs.at, "items"))
    writable = tuple(
        name
        for fields in operation_model.item_of(document, inputs).alternatives[:1]
        for name in _known(pointer, fields.schemas.get("properties"))
    )
    parted = [*inliner.parted.items()]  # of fields that only some versions have
    offered = versions.versions_of(pointer, operation)
    item_form = operation_model.item_of(document, inputs)
    result = operation_model.result_of(document, operation)
    meaning = operation_model.meaning(document, pointer, operation)
    arguments = [
        _argument(document, one, convert)
        for one in operation_model.parameters_of(document, pointer, item, inputs)
    ]
    return {
        "id": name,
        "kind": meaning.kind,
        "tag": operation["tags"][0],
        "method": method.upper(),
        "path": path,
        "scopes": _scopes(operation.get("security", document.get("security", []))),
        "max_inputs": inputs.schema.get("maxItems"),
        "success": tuple(sorted(code for code in operation.get("responses", {}) if code[0] == "2")),
        "input_models": tuple(filter(None, item_form.models)),
        "result_model": result.name,
        "answer_model": result.answer,
        "results": operation.get(RESULTS, "results") if result.answer else "",
        "result_fields": result.fields,
        "key": meaning.key,
        "result_key": meaning.result_key,
        "repeated": meaning.repeated,
        "record_key": meaning.record_key,
        "named_by": meaning.named_by,
        "all_or_nothing": meaning.all_or_nothing,
        "version": versions.default_of(pointer, operation),
        "versions": [
            {
                **one._asdict(),
                "absent": tuple(names for names, having in parted if one.name not in having),
            }
            for one in offered
        ],
        "arguments": arguments,
        "input_schema": _either(input_schema),
        **({"writable": writable} if writable else {}),
    }


def _argument(
    document: Mapping[str, Any],
    one: operation_model.Parameter,
    convert: Callable[[Any, Pointer], Any],
) -> dict[str, Any]:
    names = ("name", "keyword", "place", "required", "form")
    made = {**{name: getattr(one, name) for name in names}, "schema": convert(one.schema, one.at)}
    _, schema = operation_model.follow(document, one.at, one.schema)
    items = schema.get("items") if is_map(schema) else None
    known = _known(one.at, operation_model.follow(document, one.at, items)[1])
    return {**made, **({"known": known} if known else {}), "description": one.description}


def _known(at: Pointer, schema: Any) -> tuple[str, ...]:
    """Return the names of HubSpot's own that a map or a list may have; none if it says nothing."""
    said = schema.get(KNOWN, ()) if is_map(schema) else ()
    if not is_list(said) and said != ():
        raise ContractError(at, f"`{KNOWN}` is no list; write names with a dash each.")
    return tuple(map(str, said))


def _listing_row(document: Mapping[str, Any], one: listing_model.Listing) -> dict[str, Any]:
    operation, inliner = one.operation, _Inliner(document)
    body, _ = operation_model.body_of(document, one.at, operation)
    fields = {name: inliner.convert(part, at) for name, (at, part) in body.items()}
    offered = versions.versions_of(one.at, operation)
    return {
        "id": operation["operationId"],
        "kind": one.kind,
        "tag": operation["tags"][0],
        "method": str(one.at[2]).upper(),
        "path": one.at[1],
        "scopes": _scopes(operation.get("security", document.get("security", []))),
        "page_model": one.page,
        "record_model": one.record,
        "limit": one.limit,
        "counted": one.counted,
        "version": versions.default_of(one.at, operation),
        "versions": [each._asdict() for each in offered],
        "arguments": [_argument(document, each, inliner.convert) for each in one.parameters],
        "body_schema": _close({"type": "object", "properties": fields}) if fields else None,
    }


def _either(schema: Any) -> Any:
    """Let an input be any of its alternatives; one that fits two is no worse than one that fits."""
    if is_map(schema) and "oneOf" in schema:
        return {("anyOf" if key == "oneOf" else key): part for key, part in schema.items()}
    return schema


def _scopes(requirements: list[dict[str, list[str]]]) -> tuple[str, ...]:
    scopes = [scope for entry in requirements for names in entry.values() for scope in names]
    return tuple(dict.fromkeys(scopes))


class _Inliner:
    """Replaces references by their targets, and drops annotations."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._open: list[str] = []
        self._names: tuple[str, ...] = ()
        # The fields that only some versions have: the names that lead to each, and those versions.
        self.parted: dict[tuple[str, ...], Any] = {}

    def convert(self, schema: Any, at: Pointer, closed: bool = True) -> Any:
        if not is_map(schema):
            return schema  # true and false are schemas too
        result: dict[str, Any] = {}
        for key, value in schema.items():
            here = (*at, key)
            if key in _PLAIN:
                result[key] = value
            elif key in _ONE:
                result[key] = self.convert(value, here)
            elif key in _MANY:
                result[key] = [
                    # A closed part of an `allOf` would refuse what the other parts add.
                    self.convert(part, (*here, index), key != "allOf")
                    for index, part in enumerate(value)
                ]
            elif key in _BY_NAME:
                result[key] = {
                    name: self._convert_field(name, part, (*here, name))
                    for name, part in value.items()
                }
            elif key == "$ref":
                pass  # resolved below, with the keywords beside it
            elif key not in _DROPPED and not key.startswith("x-"):
                text = f"`{key}` has no place in the contract; say it with other keywords."
                raise ContractError(here, text)
        if "$ref" in schema:
            result = self._inline(schema["$ref"], at, result, closed)
        return _close(result) if closed else result

    def _convert_field(self, name: str, schema: Any, at: Pointer) -> Any:
        around, self._names = self._names, (*self._names, name)
        if is_map(schema) and VERSIONS in schema:
            self.parted[self._names] = schema[VERSIONS]
        converted = self.convert(schema, at)
        self._names = around
        return converted

    def _inline(
        self, reference: str, at: Pointer, beside: dict[str, Any], closed: bool
    ) -> dict[str, Any]:
        if reference in self._open:
            names = [name.rpartition("/")[2] for name in (*self._open, reference)]
            circle = " > ".join(names[names.index(names[-1]) :])
            text = f"a schema contains itself ({circle}); an input must have an end."
            raise ContractError((*at, "$ref"), text)
        self._open.append(reference)
        target = self.convert(
            operation_model.component(self._document, reference),
            tuple(reference.split("/")[1:]),
            closed and not beside,
        )
        self._open.pop()
        if not beside:
            return dict(target) if is_map(target) else {"allOf": [target]}
        return {"allOf": [target, beside]}


def _close(schema: dict[str, Any]) -> dict[str, Any]:
    """Refuse unknown keys of an object that declares keys, unless the schema decides it."""
    names = _declared(schema)
    if not names or _decided(schema):
        return schema
    # Keys that a part of an `allOf` declares are checked there, and only allowed here.
    properties = dict.fromkeys(names, True) | schema.get("properties", {})
    return {**schema, "properties": properties, "additionalProperties": False}


def _declared(schema: Any) -> dict[str, None]:
    if not is_map(schema):
        return {}
    names: dict[str, None] = dict.fromkeys(schema.get("properties", {}))
    for part in schema.get("allOf", []):
        names |= _declared(part)
    return names


def _decided(schema: Any) -> bool:
    if not is_map(schema):
        return False
    return "additionalProperties" in schema or any(map(_decided, schema.get("allOf", [])))
