"""The rules for fragments, and the walk over their content.

Decides if a fragment has the right form and names its sources, if every reference has a target, and
if every component is used.
"""

import difflib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from .keywords import DEVIATION, METHODS, SOURCE
from .yaml_source import Document, Pointer, SourceProblem, is_list, is_map

SECTIONS = ("parameters", "responses", "schemas")

# Below these keywords the keys are chosen names, not keywords.
_NAMED = (
    *("paths", "content", "headers", "responses", "parameters", "schemas", "securitySchemes"),
    *("properties", "patternProperties", "dependentSchemas", "$defs"),
)
# Below these keywords there is data, not description.
_LITERAL = ("default", "enum", "const", "example", "examples")


# A source that is no page: a published description, as `make fragment` names it.
DESCRIPTION = re.compile(r"\S(?:.*\S)? of \d{4}-\d\d-\d\d")

SAME_TAG = 0.8  # how much a tag must be like another one to count as misspelt


def walk(
    value: object, pointer: Pointer = (), named: bool = False
) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    """Yield every mapping whose keys are keywords, the outer ones first, without examples."""
    if is_list(value):
        for index, item in enumerate(value):
            yield from walk(item, (*pointer, index))
    elif is_map(value):
        if not named:
            yield pointer, value
        for key, child in value.items():
            if named or not (key in _LITERAL or key.startswith("x-")):
                yield from walk(child, (*pointer, key), not named and key in _NAMED)


def strip(value: Any, named: bool = False) -> Any:
    """Return a copy without the notes about the fragments themselves."""
    if is_list(value):
        return [strip(item) for item in value]
    if not is_map(value):
        return value
    return {
        key: child if not named and key in _LITERAL else strip(child, not named and key in _NAMED)
        for key, child in value.items()
        if named or key not in (SOURCE, DEVIATION)
    }


def operations(document: Document) -> Iterator[tuple[Pointer, Any]]:
    """Yield every operation with its place."""
    paths = document.data.get("paths")
    for path, item in paths.items() if is_map(paths) else ():
        for method, operation in item.items() if is_map(item) else ():
            if method in METHODS:
                yield ("paths", path, method), operation


def components(document: Document) -> Iterator[tuple[Pointer, Any]]:
    """Yield every component of the sections that fragments have, with its place."""
    parts = document.data.get("components")
    for section, entries in parts.items() if is_map(parts) else ():
        if section in SECTIONS and is_map(entries):
            for name, component in entries.items():
                yield ("components", section, name), component


def check_form(
    document: Document, top: Collection[str], sections: Collection[str]
) -> Iterator[SourceProblem]:
    """Report keys that another file has."""
    for key in document.data:
        if key not in top:
            text = f"`{key}` does not belong here; this file has {_listed(top)}."
            yield document.problem((key,), text)
    sections_here = document.data.get("components")
    for name in sections_here if is_map(sections_here) else ():
        if name not in sections:
            text = f"`{name}` does not belong here; `components` has {_listed(sections)}."
            yield document.problem(("components", name), text)


def check_required(
    document: Document, defined: Mapping[Pointer, Document]
) -> Iterator[SourceProblem]:
    """Report required names that are not among the properties, those of `allOf` included."""
    for pointer, node in walk(document.data):
        names = node.get("required")
        if is_list(names) and (node.keys() & {"properties", "allOf"}):
            declared = _declared(node, defined, ())
            for index, name in enumerate(names):
                if isinstance(name, str) and name not in declared:
                    advice = _suggest(name, declared, "declare it")
                    text = f"`{name}` is required and is not among the properties; {advice}."
                    yield document.problem((*pointer, "required", index), text)


def _declared(
    node: Any, defined: Mapping[Pointer, Document], above: tuple[Pointer, ...]
) -> set[str]:
    """Return the names of all properties of a schema, as far as its parts can be found."""
    if not is_map(node):
        return set()
    properties, parts = node.get("properties"), node.get("allOf")
    names = {*properties} if is_map(properties) else set[str]()
    target = _target(node.get("$ref"))
    if target in defined and target not in above:
        names |= _declared(defined[target].at(target), defined, (*above, target))
    for part in parts if is_list(parts) else ():
        names |= _declared(part, defined, above)
    return names


def check_names(document: Document) -> Iterator[SourceProblem]:
    """Report names that the generated package uses already, or cannot use."""
    for pointer, operation in operations(document):
        name = operation.get("operationId") if is_map(operation) else None
        if isinstance(name, str) and not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
            text = f"the operationId {name} becomes a module; write it in snake_case."
            yield document.problem((*pointer, "operationId"), text)
    for pointer, _ in components(document):
        if pointer[1] == "schemas" and pointer[2] in _TAKEN:
            text = f"a schema cannot be called {pointer[2]}, which the client has; rename it."
            yield document.problem(pointer, text)
    for pointer, node in walk(document.data):
        if is_map(declared := node.get("properties")):
            for name in declared:
                if re.sub(r"(?<=[a-z])(?=[A-Z])|[\W_]+", "_", name).lower() in _METHODS:
                    text = f"a property called {name} would hide a method of every model."
                    yield document.problem((*pointer, "properties", name), f"{text} Rename it.")
        if node.get("in") in ("header", "cookie") and "name" in node:
            text = f"the client sends no {node['in']} parameters; use the query, or leave it out."
            yield document.problem((*pointer, "in"), text)


# The names that endpoint functions and models import besides the models.
_TAKEN = ("Any", "Client", "Mapping", "Model", "Response", "Self", "Unset")
_METHODS = ("to_dict", "from_dict", "additional_properties", "additional_keys")


def check_sources(document: Document, pages: Collection[str]) -> Iterator[SourceProblem]:
    """Report sources that are missing or name no page, and deviations in the wrong file."""
    for pointer, node in walk(document.data):
        if SOURCE in node:
            yield from _source(document, (*pointer, SOURCE), node[SOURCE], pages)
        if DEVIATION in node:
            text = (
                "a deviation is noted in deviations.yaml, which `make drift` reads; move it there."
            )
            yield document.problem((*pointer, DEVIATION), text)
    for pointer, operation in operations(document):
        if is_map(operation):
            what = f"the operation {str(pointer[2]).upper()} {pointer[1]}"
            if SOURCE not in operation:
                yield document.problem(pointer, f"{what} has no {SOURCE}; name its page.")
            if not isinstance(operation.get("operationId"), str):
                text = f"{what} has no operationId; give it a name in snake_case."
                yield document.problem(pointer, text)
    for pointer, component in components(document):
        if pointer[1] == "schemas" and is_map(component) and SOURCE not in component:
            text = f"the schema {pointer[2]} has no {SOURCE}; name its page."
            yield document.problem(pointer, text)


def _source(
    document: Document, pointer: Pointer, value: Any, pages: Collection[str]
) -> Iterator[SourceProblem]:
    names = value if is_list(value) else [value]
    if not names or not all(isinstance(name, str) for name in names):
        text = f"{SOURCE} is not a page's name or a list of them; write `{SOURCE}: NAME`."
        yield document.problem(pointer, text)
        return
    for index, name in enumerate(names):
        if name not in pages and not DESCRIPTION.fullmatch(name):
            inner = (*pointer, index) if is_list(value) else pointer
            text = f"{SOURCE} names no page: pages/{name}.yaml does not exist"
            yield document.problem(inner, f"{text}; {_suggest(name, pages, 'add it')}.")


def check_references(
    documents: Sequence[Document], defined: Mapping[Pointer, Document]
) -> Iterator[SourceProblem]:
    """Report references without a target, and components that no operation uses."""
    used_by: dict[Pointer, set[Pointer]] = {}
    for document in documents:
        for pointer, node in walk(document.data):
            if "$ref" in node:
                target, here = _target(node["$ref"]), (*pointer, "$ref")
                if target not in defined:
                    yield document.problem(here, _nowhere(node["$ref"], defined))
                    continue
                used_by.setdefault(pointer[:3], set()).add(target)
                if target[1] != (wanted := _wanted(pointer)):
                    text = f"the reference {node['$ref']!r} stands where one of {wanted} belongs"
                    yield document.problem(here, f"{text}; refer to one of them.")
    reached: set[Pointer] = set()
    waiting = [owner for owner in used_by if owner[:1] == ("paths",)]
    while waiting:
        new = used_by.get(waiting.pop(), set()) - reached
        reached |= new
        waiting.extend(new)
    for pointer, document in defined.items():
        if pointer not in reached:
            kind = str(pointer[1]).removesuffix("s")
            text = f"no operation uses the {kind} {pointer[2]}; refer to it or delete it."
            yield document.problem(pointer, text)


def _wanted(pointer: Pointer) -> str:
    """Return the section of components to which a reference at this place must point."""
    if pointer[:1] == ("components",) and len(pointer) == 3:
        return str(pointer[1])
    if pointer[:1] == ("paths",):
        if pointer[-2] == "parameters" and len(pointer) in (4, 5):
            return "parameters"
        if pointer[3:4] == ("responses",) and len(pointer) == 5:
            return "responses"
    return "schemas"


def _target(reference: object) -> Pointer:
    parts = reference.split("/") if isinstance(reference, str) else []
    return tuple(parts[1:]) if parts[:1] == ["#"] else ()


def _nowhere(reference: object, defined: Mapping[Pointer, Document]) -> str:
    target = _target(reference)
    if len(target) != 3 or target[0] != "components" or target[1] not in SECTIONS:
        form = "'#/components/schemas/NAME'"
        return f"the reference {reference!r} has another form than {form}; write it like that."
    names = [str(pointer[2]) for pointer in defined if pointer[1] == target[1]]
    advice = _suggest(str(target[2]), names, "define it")
    return f"the reference {reference!r} leads nowhere; {advice}."


def check_tags(documents: Sequence[Document], root: Document) -> Iterator[SourceProblem]:
    """Report tags that look like a misspelt one of root.yaml; a new family needs no entry there."""
    listed = root.data.get("tags")
    named = [tag.get("name") for tag in listed if is_map(tag)] if is_list(listed) else []
    known = [name for name in named if isinstance(name, str)]
    for document in documents:
        for pointer, operation in operations(document):
            tags = operation.get("tags") if is_map(operation) else None
            for index, tag in enumerate(tags if is_list(tags) else ()):
                close = difflib.get_close_matches(str(tag), known, n=1, cutoff=SAME_TAG)
                if tag not in known and close:
                    text = f"the tag {tag} is not in root.yaml; did you mean {close[0]}?"
                    advice = "If it is another family, add it there."
                    yield document.problem((*pointer, "tags", index), f"{text} {advice}")


def check_security(documents: Sequence[Document], root: Document) -> Iterator[SourceProblem]:
    """Report operations that require a security scheme that root.yaml does not have."""
    parts = root.data.get("components")
    schemes = parts.get("securitySchemes") if is_map(parts) else None
    known: list[str] = [*schemes] if is_map(schemes) else []
    places: list[tuple[Document, Pointer, Any]] = [(root, (), root.data)]
    for document in documents:
        places += [(document, pointer, thing) for pointer, thing in operations(document)]
    for document, pointer, thing in places:
        asked = thing.get("security") if is_map(thing) else None
        for index, requirement in enumerate(asked if is_list(asked) else ()):
            for name in requirement if is_map(requirement) else ():
                if name not in known:
                    advice = _suggest(name, known, "add it to root.yaml")
                    text = f"the security scheme {name!r} does not exist; {advice}."
                    yield document.problem((*pointer, "security", index, name), text)


def _suggest(name: str, known: Collection[str], otherwise: str) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=1)
    return f"did you mean {close[0]}" if close else otherwise


def _listed(names: Collection[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
