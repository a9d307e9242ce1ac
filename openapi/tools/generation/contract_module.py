"""The text of contract.py: the table of operations that the handwritten package reads.

Decides which parts of the bundle go into the table, and how a schema of OpenAPI 3.1 becomes draft 7
of JSON Schema. An unknown keyword is an error, never a guess.
"""

from collections.abc import Mapping
from typing import Any

from . import operation_model, versions
from .keywords import RESULTS, VERSIONS
from .operation_meaning import ContractError
from .yaml_source import Pointer, is_map

_HEAD = '''"""The operations of the OpenAPI description: limits, paths, scopes, schemas.

Generated from openapi/openapi.yaml by openapi/tools/generation/contract_module.py;
"make regenerate" writes it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from attrs import field, frozen


CEILING = @CEILING@
"""The batch limit if none is published: that of most batch endpoints of the CRM."""


@frozen
class Argument:
    """An argument of an operation besides its inputs: in the path, in the query or in the body.

    `keyword` is its name in Python. `form` is "text", "date", "time", "integer", "number",
    "boolean", several of a kind ("texts", ...), or "json" for anything else. `schema` is its JSON
    Schema (draft 7, without references).
    """

    name: str
    keyword: str
    place: Literal["path", "query", "body"]
    required: bool
    form: str
    schema: Any = field(eq=False, repr=False)


class Version(NamedTuple):
    """An operation in one version of the API.

    `status` is the only status of a success, if errors of single inputs stand in it; None if such a
    response is a 207. `strict` says that the server enforces the account's rules on properties, and
    says in a warning if it has normalised a value. `absent` are the fields of an input that this
    version lacks, each as the names that lead to it.
    """

    name: str
    path: str
    status: int | None = None
    strict: bool = False
    absent: tuple[tuple[str, ...], ...] = ()


@frozen
class Operation:
    """One operation of the API, in the API's own names.

    `path` is that of `version`, which is the default. `versions` are all that it has; none if its
    path is the same in all.

    `kind` says what it does; an "action" is never sent twice. `max_inputs` is None if no limit is
    published; `limit` is the ceiling then. `success` holds the documented 2xx codes or classes. The
    models are the names of the schemas of an input (several for alternatives, none for an input
    that is one value), of a result and of the response, empty for a schema without a name.
    `input_schema` is the JSON Schema (draft 7, without references) of one item of `inputs`;
    `result_fields` are the names of the fields of one result.

    `results` is the field of the response that holds the results, empty if it has none. `key` are
    the fields of an input that name its record, and `result_key` those of a result that repeat
    them. `repeated` are the fields that a result shares with its input, if it can be matched by
    them alone. `record_key` is the field of a result with its record's id. `named_by` is the
    property that every record has from its input. `all_or_nothing` says that a refused request has
    done nothing.
    """

    id: str
    kind: Literal["create", "read", "update", "upsert", "archive", "action"]
    tag: str
    method: str
    path: str
    scopes: tuple[str, ...]
    max_inputs: int | None
    success: tuple[str, ...]
    input_models: tuple[str, ...]
    result_model: str
    answer_model: str
    results: str
    result_fields: tuple[str, ...]
    key: tuple[str, ...]
    result_key: tuple[str, ...]
    repeated: tuple[str, ...]
    record_key: str
    named_by: str
    all_or_nothing: bool
    version: str
    versions: tuple[Version, ...]
    arguments: tuple[Argument, ...]
    input_schema: dict[str, Any] = field(eq=False, repr=False)

    @property
    def offered(self) -> tuple[Version, ...]:
        """The operation in all versions, at least at its own path."""
        own = Version(self.version, self.path)
        known = any(one.path == self.path for one in self.versions)
        return self.versions if known else (own, *self.versions)

    def in_version(self, name: str) -> Version | None:
        """Return the operation in a version; None if it is not there."""
        if not self.versions:
            return Version(name, self.path)
        return next((one for one in self.versions if one.name == name), None)

    def schema_in(self, version: Version) -> Any:
        """Return the schema of an input, without the fields that a version lacks."""
        schema: Any = self.input_schema
        for names in version.absent:
            schema = _without(schema, names)
        return schema

    @property
    def limit(self) -> int:
        """The most inputs of one request."""
        return CEILING if self.max_inputs is None else self.max_inputs

    @property
    def query(self) -> tuple[str, ...]:
        """The names of the query parameters."""
        return tuple(one.name for one in self.arguments if one.place == "query")


def _without(schema: Any, names: tuple[str, ...]) -> Any:
    """Return a schema without a field, given by the names that lead to it."""
    if isinstance(schema, list):
        return [_without(part, names) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {
        key: _without(part, names) if key in ("items", "allOf", "anyOf") else part
        for key, part in schema.items()
    }
    first, rest = names[0], names[1:]
    if first in made.get("properties", {}):
        inner = {name: part for name, part in made["properties"].items() if name != first or rest}
        made["properties"] = {
            name: _without(part, rest) if name == first else part for name, part in inner.items()
        }
        made["required"] = [one for one in made.get("required", ()) if one in inner]
    return made


'''

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
    head = _HEAD.replace("@CEILING@", str(operation_model.CEILING))
    known = versions.listed_in(document)
    return (
        f"{head}VERSIONS = {known!r}\n"
        '"""The versions of the API that an operation can have."""\n\n'
        f"_ALL = ({', '.join(calls)},)\n\n"
        "OPERATIONS: Mapping[str, Operation] = "
        "MappingProxyType({operation.id: operation for operation in _ALL})\n"
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
    parted = [*inliner.parted.items()]  # of fields that only some versions have
    offered = versions.versions_of(pointer, operation)
    item_form = operation_model.item_of(document, inputs)
    result = operation_model.result_of(document, operation)
    meaning = operation_model.meaning(document, pointer, operation)
    arguments = [
        {
            "name": one.name,
            "keyword": one.keyword,
            "place": one.place,
            "required": one.required,
            "form": one.form,
            "schema": convert(one.schema, one.at),
        }
        for one in operation_model.parameters_of(document, item, operation, inputs)
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
