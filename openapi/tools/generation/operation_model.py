"""A model of each operation in a bundle: its inputs, arguments and results.

Decides where a bundle has each of these, and its name in Python. An operation that is not a batch,
or of a form that the client cannot send or read, is an error.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .keywords import KIND, METHODS, RESULTS
from .operation_meaning import ContractError, Fields, Meaning, is_scalar, meaning_of
from .python_names import python_name
from .yaml_source import Pointer, is_list, is_map

# The batch limit if none is published: that of most batch endpoints of the CRM.
CEILING = 100


class Inputs(NamedTuple):
    """The list `inputs` of a request body: its place, its schema and the fields beside it."""

    at: Pointer
    schema: dict[str, Any]
    beside: dict[str, tuple[Pointer, Any]]
    required: list[str]


class Parameter(NamedTuple):
    """An argument of an operation besides its inputs; `at` is the place of its schema."""

    name: str
    place: str
    required: bool
    form: str
    at: Pointer
    schema: Any
    description: str

    @property
    def keyword(self) -> str:
        """The name in Python."""
        return python_name(self.name)


class Item(NamedTuple):
    """One item of `inputs`: the names of its schemas, or the type of an item that is one value."""

    models: tuple[str, ...]
    alternatives: tuple[Fields, ...]
    bare: str


class Result(NamedTuple):
    """A successful response: its schema's name, and the name and the fields of one result."""

    answer: str
    name: str
    fields: tuple[str, ...]


def operations(document: Mapping[str, Any]) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    """Yield the place of every batch operation, and its path item."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item and not is_listing(document, item[method]):
                yield ("paths", path, method), item


# The kinds of operations that return records page by page (`listing_model`).
LISTING_KINDS = ("search", "list")


def listing_kind(operation: Mapping[str, Any]) -> str:
    """Return the kind of an operation that returns records page by page; empty for any other."""
    word = str(operation.get("operationId")).partition("_")[0]
    said = operation.get(KIND, word)
    return str(said) if said in LISTING_KINDS else ""


def is_listing(document: Mapping[str, Any], operation: dict[str, Any]) -> bool:
    """Return True for an operation that returns records page by page, and is no batch."""
    if not listing_kind(operation):
        return False
    return "inputs" not in body_of(document, (), operation)[0]


def body_of(
    document: Mapping[str, Any], pointer: Pointer, operation: dict[str, Any]
) -> tuple[dict[str, tuple[Pointer, Any]], list[str]]:
    """Return the fields of a JSON body with their places, and the names of the required ones."""
    at: Pointer = (*pointer, "requestBody")
    here: Any = operation
    for key in ("requestBody", "content", "application/json", "schema"):
        here = here.get(key) if is_map(here) else None
        at = at if key == "requestBody" else (*at, key)
        at, here = follow(document, at, here)
    required: list[str] = here.get("required", []) if is_map(here) else []
    return _fields(document, at, here), required


def inputs_of(document: Mapping[str, Any], pointer: Pointer, operation: dict[str, Any]) -> Inputs:
    """Return the body's list `inputs`, and the fields beside it.

    Raises ContractError if there is none.
    """
    beside, required = body_of(document, pointer, operation)
    at, inputs = follow(document, *beside.pop("inputs", (pointer, None)))
    if not is_map(inputs) or not is_map(inputs.get("items")):
        text = "has no JSON body with a list `inputs`; every operation here is a batch."
        raise ContractError(pointer, f"{operation['operationId']} {text}")
    return Inputs(at, inputs, beside, required)


def _fields(
    document: Mapping[str, Any], at: Pointer, value: Any, around: tuple[Pointer, ...] = ()
) -> dict[str, tuple[Pointer, Any]]:
    """Return the fields of an object with their places, including those of `allOf` parts."""
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


def item_of(document: Mapping[str, Any], inputs: Inputs) -> Item:
    """Return what an item of `inputs` may be."""
    item = inputs.schema["items"]
    at, said = follow(document, (*inputs.at, "items"), item)
    if is_scalar(said):
        kinds = said["type"] if is_list(said["type"]) else [said["type"]]
        return Item((), (), next(kind for kind in kinds if kind != "null"))
    either = said.get("oneOf") or said.get("anyOf") or [item] if is_map(said) else [item]
    names = tuple(schema_name(one) for one in either)
    return Item(names, tuple(_all_fields(document, at, one) for one in either), "")


def _all_fields(document: Mapping[str, Any], at: Pointer, value: Any) -> Fields:
    """Return the fields of an object, those of its `allOf` parts included."""
    found = {
        name: follow(document, *place)[1] for name, place in _fields(document, at, value).items()
    }
    return Fields(found, frozenset(_required(document, at, value)))


def _required(document: Mapping[str, Any], at: Pointer, value: Any) -> Iterator[str]:
    at, value = follow(document, at, value)
    if is_map(value):
        yield from value.get("required", ())
        for part in value.get("allOf", ()):
            yield from _required(document, at, part)


def result_of(document: Mapping[str, Any], operation: dict[str, Any]) -> Result:
    """Return the model of a successful response, empty if none has a list of results."""
    answer, item = _results_of(document, operation)
    if item is None:
        return Result("", "", ())
    return Result(answer, schema_name(item), (*_fields(document, (), item),))


def has_results(document: Mapping[str, Any], operation: dict[str, Any]) -> bool:
    """Return True if a successful response has a list of results."""
    return _results_of(document, operation)[1] is not None


def _results_of(document: Mapping[str, Any], operation: dict[str, Any]) -> tuple[str, Any]:
    """Return the name of a successful response, and the schema of one of its results."""
    name = operation.get(RESULTS, "results")
    for here in _answers(document, operation):
        at, results = _fields(document, (), here).get(name, ((), None))
        _, results = follow(document, at, results)
        if is_map(results) and is_map(item := results.get("items")):
            return schema_name(here), item
    return "", None


def page_of(
    document: Mapping[str, Any], operation: dict[str, Any]
) -> tuple[str, dict[str, tuple[Pointer, Any]], Any]:
    """Return the name and the fields of a successful response, and the schema of a result."""
    name, item = _results_of(document, operation)
    first = next(_answers(document, operation), None)
    return name, _fields(document, (), first), item


def fields_of(document: Mapping[str, Any], schema: Any) -> Fields:
    """Return the fields of an object, given as a schema or a reference to one."""
    return _all_fields(document, (), schema)


def _answers(document: Mapping[str, Any], operation: dict[str, Any]) -> Iterator[Any]:
    """Yield the schemas of the bodies of successful responses; None for one without a body."""
    for code, response in sorted(operation.get("responses", {}).items()):
        if str(code)[0] == "2":
            _, here = follow(document, (), response)
            for key in ("content", "application/json", "schema"):
                here = here.get(key) if is_map(here) else None
            yield here


def meaning(document: Mapping[str, Any], pointer: Pointer, operation: dict[str, Any]) -> Meaning:
    """Return what an operation does, and how its answer names inputs.

    Raises ContractError if its answer has a form that the client cannot read.
    """
    item = item_of(document, inputs_of(document, pointer, operation))
    _, results = _results_of(document, operation)
    _check_answer(document, pointer, operation, results)
    fields = None if results is None else _all_fields(document, (), results)
    return meaning_of(pointer, operation, item.alternatives, fields)


def _check_answer(
    document: Mapping[str, Any], pointer: Pointer, operation: dict[str, Any], results: Any
) -> None:
    if results is not None:
        return
    name, bodies = operation["operationId"], [*_answers(document, operation)]
    if RESULTS in operation:
        text = f"the answer to {name} has no list `{operation[RESULTS]}`; name the one it has."
        raise ContractError((*pointer, RESULTS), text)
    if bodies and None not in bodies:
        _, first = follow(document, (), bodies[0])
        if is_map(first) and "items" in first:
            text = f"the answer to {name} is a list without an object around it"
            raise ContractError(pointer, f"{text}, and such an answer is not supported.")
        text = f"the answer to {name} has no list `results`; name the list in `{RESULTS}`,"
        raise ContractError(pointer, f"{text} or leave out the body of an answer without one.")


def schema_name(schema: Any) -> str:
    """Return the name of a schema in the description, empty if it has none."""
    return str(schema.get("$ref", "")).rpartition("/")[2] if is_map(schema) else ""


def parameters_of(
    document: Mapping[str, Any], pointer: Pointer, item: dict[str, Any], inputs: Inputs
) -> list[Parameter]:
    """Return the arguments besides the inputs: those of the path, of the query and of the body."""
    return parameters_beside(document, pointer, item, inputs.beside, inputs.required)


def parameters_beside(
    document: Mapping[str, Any],
    pointer: Pointer,
    item: dict[str, Any],
    beside: Mapping[str, tuple[Pointer, Any]],
    required: list[str],
) -> list[Parameter]:
    """Return the arguments of the path, of the query and of the given fields of the body."""
    found: dict[tuple[str, str], Parameter] = {}
    listed = [
        ((*place, "parameters", index), one)
        for place, thing in ((pointer[:2], item), (pointer, item[str(pointer[2])]))
        for index, one in enumerate(thing.get("parameters", []))
    ]
    for place, one in listed:
        at, said = follow(document, place, one)
        if said["in"] in ("path", "query"):
            name, schema = said["name"], said.get("schema", {})
            text = said.get("description") or _text(schema)
            at, must = (*at, "schema"), said.get("required", False)
            form = form_of(document, at, schema)
            found[said["in"], name] = Parameter(name, said["in"], must, form, at, schema, text)
    body: list[Parameter] = []
    for name, (at, schema) in beside.items():
        _, said = follow(document, at, schema)
        form, must = form_of(document, at, schema), name in required
        body.append(Parameter(name, "body", must, form, at, schema, _text(said)))
    return [*sorted(found.values(), key=lambda one: one.place), *body]


def _text(schema: Any) -> str:
    return str(schema.get("description", "")) if is_map(schema) else ""


def form_of(document: Mapping[str, Any], at: Pointer, schema: Any) -> str:
    """Return the form of a parameter: "text", "date", "time", "integer", "number" or "boolean".

    A list has a plural form, such as "texts"; anything else is "json".
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


def follow(document: Mapping[str, Any], at: Pointer, value: Any) -> tuple[Pointer, Any]:
    """Resolve a chain of references; keywords beside a reference override its target."""
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
    return at, {**value, **beside} if beside and is_map(value) else value


def component(document: Mapping[str, Any], reference: str) -> Any:
    """Return the target of a reference."""
    section, name = reference.split("/")[2:]
    return document["components"][section][name]
