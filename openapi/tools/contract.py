"""Writes the table of operations that the handwritten package reads its limits and shapes from.

Decides what of the bundle becomes the text of contract.py, and how a schema of OpenAPI 3.1 is
said in draft 7 of JSON Schema. Never guesses: what it does not understand is an error.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from fragments import METHODS
from sources import Pointer, is_map

_HEAD = '''"""What each operation is, off the OpenAPI description: limit, path, scopes, shape.

Generated from openapi/openapi.yaml by openapi/tools/contract.py; "make regenerate" writes it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from attrs import field, frozen


@frozen
class Operation:
    """One operation of the API, in the API's own names.

    `max_inputs` is None where no limit is published. `query` holds names of query parameters,
    `success` the documented 2xx codes or classes. `input_schema` is the JSON Schema (draft 7,
    without references) of one item of `inputs`.
    """

    id: str
    tag: str
    method: str
    path: str
    scopes: tuple[str, ...]
    max_inputs: int | None
    query: tuple[str, ...]
    success: tuple[str, ...]
    input_schema: dict[str, Any] = field(eq=False, repr=False)


'''

# Keywords that hold plain values, and mean the same in draft 7.
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


class ContractError(Exception):
    """Something of the bundle that has no place in the contract; `pointer` says where it is."""

    def __init__(self, pointer: Pointer, text: str) -> None:
        self.pointer = pointer
        self.text = text
        super().__init__(f"#/{'/'.join(map(str, pointer))}: {text}")


def render(document: Mapping[str, Any]) -> str:
    """The text of contract.py for a bundle, before it is formatted.

    Raises ContractError where the bundle says something the contract cannot hold.
    """
    rows = [_row(document, pointer, item) for pointer, item in _operations(document)]
    if not rows:
        raise ContractError(("paths",), "there are no operations; describe one.")
    calls = [
        f"Operation({', '.join(f'{key}={value!r}' for key, value in row.items())})" for row in rows
    ]
    return (
        f"{_HEAD}_ALL = ({', '.join(calls)},)\n\n"
        "OPERATIONS: Mapping[str, Operation] = "
        "MappingProxyType({operation.id: operation for operation in _ALL})\n"
    )


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield ("paths", path, method), item


def _row(document: Mapping[str, Any], pointer: Pointer, item: dict[str, Any]) -> dict[str, Any]:
    _, path, method = map(str, pointer)
    operation = item[method]
    if not operation.get("tags"):
        raise ContractError(pointer, f"{operation['operationId']} has no tag; give it one.")
    at, inputs = _inputs(document, pointer, operation)
    return {
        "id": operation["operationId"],
        "tag": operation["tags"][0],
        "method": method.upper(),
        "path": path,
        "scopes": _scopes(operation.get("security", document.get("security", []))),
        "max_inputs": inputs.get("maxItems"),
        "query": _query(document, item, operation),
        "success": tuple(sorted(code for code in operation.get("responses", {}) if code[0] == "2")),
        "input_schema": _Inliner(document).convert(inputs["items"], (*at, "items")),
    }


def _inputs(
    document: Mapping[str, Any], pointer: Pointer, operation: dict[str, Any]
) -> tuple[Pointer, dict[str, Any]]:
    """The schema of the body's list `inputs`, and where it stands."""
    at: Pointer = (*pointer, "requestBody")
    here: Any = operation
    for key in ("requestBody", "content", "application/json", "schema", "properties", "inputs"):
        here = here.get(key) if is_map(here) else None
        at = at if key == "requestBody" else (*at, key)
        at, here = _follow(document, at, here)
    if not is_map(here) or not is_map(here.get("items")):
        text = "has no JSON body with a list `inputs`; every operation here is a batch."
        raise ContractError(pointer, f"{operation['operationId']} {text}")
    return at, here


def _follow(document: Mapping[str, Any], at: Pointer, value: Any) -> tuple[Pointer, Any]:
    """What stands behind a chain of references, with what is said beside them on top."""
    seen: set[str] = set()
    beside: dict[str, Any] = {}
    while is_map(value) and "$ref" in value:
        reference = value["$ref"]
        if reference in seen:
            raise ContractError(at, f"{reference} refers only to itself; describe it.")
        seen.add(reference)
        beside = {key: part for key, part in value.items() if key != "$ref"} | beside
        at = tuple(reference.split("/")[1:])
        value = _component(document, reference)
    return at, {**value, **beside} if beside else value


def _component(document: Mapping[str, Any], reference: str) -> Any:
    section, name = reference.split("/")[2:]
    return document["components"][section][name]


def _scopes(requirements: list[dict[str, list[str]]]) -> tuple[str, ...]:
    scopes = [scope for entry in requirements for names in entry.values() for scope in names]
    return tuple(dict.fromkeys(scopes))


def _query(
    document: Mapping[str, Any], item: dict[str, Any], operation: dict[str, Any]
) -> tuple[str, ...]:
    listed = [*item.get("parameters", []), *operation.get("parameters", [])]
    parameters = [_follow(document, (), parameter)[1] for parameter in listed]
    names = [parameter["name"] for parameter in parameters if parameter["in"] == "query"]
    return tuple(dict.fromkeys(names))


class _Inliner:
    """Writes a schema out: references replaced by what they refer to, notes dropped."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._open: list[str] = []

    def convert(self, schema: Any, at: Pointer, closed: bool = True) -> Any:
        if not is_map(schema):
            return schema  # true or false: a schema of its own
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
                    name: self.convert(part, (*here, name)) for name, part in value.items()
                }
            elif key == "$ref":
                pass  # below, when what stands beside it is known
            elif key not in _DROPPED and not key.startswith("x-"):
                text = f"`{key}` has no place in the contract; say it with other keywords."
                raise ContractError(here, text)
        if "$ref" in schema:
            result = self._inline(schema["$ref"], at, result, closed)
        return _close(result) if closed else result

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
            _component(self._document, reference),
            tuple(reference.split("/")[1:]),
            closed and not beside,
        )
        self._open.pop()
        if not beside:
            return dict(target) if is_map(target) else {"allOf": [target]}
        return {"allOf": [target, beside]}


def _close(schema: dict[str, Any]) -> dict[str, Any]:
    """Refuse unknown keys of an object that declares its own, unless the schema says otherwise."""
    names = _declared(schema)
    if not names or _decided(schema):
        return schema
    # Keys that a part of an `allOf` declares are checked there and only let through here.
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
