"""Finds out what each operation of a bundle is: its inputs, its arguments, its results.

Decides where in a bundle each of these stands, and what it is called in Python. Never guesses: an
operation that is no batch, or of which nobody knows what it does, is an error.
"""

import builtins
import keyword
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .fragment_rules import METHODS
from .yaml_source import Pointer, is_list, is_map

# What can be done with the records of a batch. The word decides what may be repeated, so there is
# no default: an operation that is none of these has no place here.
KINDS = ("create", "read", "update", "upsert")

# Inputs to a request where no limit is published: what most batch endpoints of the CRM take.
CEILING = 100

TRACE_ID = "objectWriteTraceId"


class ContractError(Exception):
    """Something of the bundle that has no place in the contract; `pointer` says where it is."""

    def __init__(self, pointer: Pointer, text: str) -> None:
        self.pointer = pointer
        self.text = text
        super().__init__(f"#/{'/'.join(map(str, pointer))}: {text}")


class Inputs(NamedTuple):
    """The list `inputs` of an operation's body: where it stands, what it is, what is beside it."""

    at: Pointer
    schema: dict[str, Any]
    beside: dict[str, tuple[Pointer, Any]]
    required: list[str]


class Parameter(NamedTuple):
    """What an operation takes beside its inputs; `at` is the place of its schema."""

    name: str
    place: str
    required: bool
    form: str
    at: Pointer
    schema: Any
    description: str

    @property
    def keyword(self) -> str:
        """Its name in Python."""
        return python_name(self.name)


class Result(NamedTuple):
    """What the answer to a success holds: the names of its schema and of a result's, and fields."""

    answer: str
    name: str
    fields: tuple[str, ...]


def operations(document: Mapping[str, Any]) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    """Every operation's place, and what stands at its path."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield ("paths", path, method), item


def kind_of(pointer: Pointer, name: str) -> str:
    """What an operation does, which its id says.

    Raises ContractError where it is none of the known kinds.
    """
    kind = name.partition("_")[0]
    if kind not in KINDS:
        text = f"{name} begins with none of {', '.join(KINDS)}, so nobody knows what it does;"
        raise ContractError((*pointer, "operationId"), f"{text} rename it.")
    return kind


def inputs_of(document: Mapping[str, Any], pointer: Pointer, operation: dict[str, Any]) -> Inputs:
    """The body's list `inputs`, and what stands beside it.

    Raises ContractError where there is none.
    """
    at: Pointer = (*pointer, "requestBody")
    here: Any = operation
    for key in ("requestBody", "content", "application/json", "schema"):
        here = here.get(key) if is_map(here) else None
        at = at if key == "requestBody" else (*at, key)
        at, here = follow(document, at, here)
    beside = _fields(document, at, here)
    required: list[str] = here.get("required", []) if is_map(here) else []
    at, inputs = follow(document, *beside.pop("inputs", (pointer, None)))
    if not is_map(inputs) or not is_map(inputs.get("items")):
        text = "has no JSON body with a list `inputs`; every operation here is a batch."
        raise ContractError(pointer, f"{operation['operationId']} {text}")
    return Inputs(at, inputs, beside, required)


def _fields(
    document: Mapping[str, Any], at: Pointer, value: Any, around: tuple[Pointer, ...] = ()
) -> dict[str, tuple[Pointer, Any]]:
    """The fields of an object, those of the parts of an `allOf` too, and where each stands."""
    at, value = follow(document, at, value)
    if not is_map(value):
        return {}
    if at in around:
        raise ContractError(at, "a schema contains itself under `allOf`; describe it.")
    found: dict[str, tuple[Pointer, Any]] = {}
    for index, part in enumerate(value.get("allOf", [])):
        found |= _fields(document, (*at, "allOf", index), part, (*around, at))
    declared = value.get("properties", {})
    return found | {name: ((*at, "properties", name), part) for name, part in declared.items()}


def result_of(document: Mapping[str, Any], operation: dict[str, Any]) -> Result:
    """What the answer to a success holds; nothing where no success has a list `results`."""
    for code, response in sorted(operation.get("responses", {}).items()):
        _, here = follow(document, (), response)
        for key in ("content", "application/json", "schema"):
            here = here.get(key) if is_map(here) else None
        at, results = _fields(document, (), here).get("results", ((), None))
        _, results = follow(document, at, results)
        if code[0] == "2" and is_map(results) and is_map(item := results.get("items")):
            return Result(schema_name(here), schema_name(item), (*_fields(document, (), item),))
    return Result("", "", ())


def schema_name(schema: Any) -> str:
    """The name under which a schema stands in the description; empty where it has none."""
    return str(schema.get("$ref", "")).rpartition("/")[2] if is_map(schema) else ""


def parameters_of(
    document: Mapping[str, Any], item: dict[str, Any], operation: dict[str, Any], inputs: Inputs
) -> list[Parameter]:
    """What an operation takes beside its inputs, by the places in which it is sent."""
    found: dict[str, Parameter] = {}
    for listed in (*item.get("parameters", []), *operation.get("parameters", [])):
        at, said = follow(document, (), listed)
        if said["in"] == "query":
            name, schema = said["name"], said.get("schema", {})
            text = said.get("description") or _text(schema)
            at, must = (*at, "schema"), said.get("required", False)
            form = form_of(document, at, schema)
            found[name] = Parameter(name, "query", must, form, at, schema, text)
    body: list[Parameter] = []
    for name, (at, schema) in inputs.beside.items():
        _, said = follow(document, at, schema)
        form, must = form_of(document, at, schema), name in inputs.required
        body.append(Parameter(name, "body", must, form, at, schema, _text(said)))
    return [*found.values(), *body]


def _text(schema: Any) -> str:
    return str(schema.get("description", "")) if is_map(schema) else ""


def form_of(document: Mapping[str, Any], at: Pointer, schema: Any) -> str:
    """What a parameter is: "text", "date", "time", "integer", "number" or "boolean".

    Or several of a kind, such as "texts"; "json" for anything else.
    """
    _, said = follow(document, at, schema)
    if not is_map(said):
        return "json"
    either = [part for part in said.get("anyOf", [said]) if part != {"type": "null"}]
    if "anyOf" in said:
        forms = {form_of(document, at, part) for part in either}
        return forms.pop() if len(forms) == 1 else "json"
    names: Any = said.get("type", "")
    listed: list[str] = names if is_list(names) else [names]
    name = " ".join(name for name in listed if name != "null")
    if name == "array" and "items" in said:
        inner = form_of(document, at, said["items"])
        return f"{inner}s" if inner in ("text", "integer", "number") else "json"
    if name == "string":
        return {"date": "date", "date-time": "time"}.get(said.get("format", ""), "text")
    return name if name in ("integer", "number", "boolean") else "json"


def python_name(name: str) -> str:
    """The name of a parameter in Python, as the generator makes it."""
    spaced = " ".join(re.split("([A-Z]?[a-z]+)", name)) if name != name.lower() else name
    made = "_".join(re.findall(r"[^. _-]+", re.sub(r"[^\w. -]", "", spaced))).lower()
    reserved = made in _RESERVED or keyword.iskeyword(made)
    return f"{made}_" if reserved else made


# What the generator gives another name, since the code around it has another use for it.
_RESERVED = {*dir(builtins), "self", "true", "false", "datetime"} - {"id"}


def follow(document: Mapping[str, Any], at: Pointer, value: Any) -> tuple[Pointer, Any]:
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
        value = component(document, reference)
    return at, {**value, **beside} if beside else value


def component(document: Mapping[str, Any], reference: str) -> Any:
    """What a reference leads to."""
    section, name = reference.split("/")[2:]
    return document["components"][section][name]
