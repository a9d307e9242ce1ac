"""The bundle: root.yaml and the fragments joined into one OpenAPI description, and validated.

Decides the order of the bundle, and what counts as a contradiction between fragments. All problems
are reported together, with file and line; nothing is repaired.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from . import fragment_rules, keywords, python_names, schema_rules, yaml_source
from .yaml_source import Document, Pointer, SourceError, SourceProblem, is_map

HEADER = (
    "# Joined from openapi/root.yaml and openapi/fragments by openapi/tools/generation/bundle.py.\n"
    '# "make regenerate" writes it, do not edit.\n'
)
_ROOT_KEYS = (
    "openapi",
    "info",
    "jsonSchemaDialect",
    "externalDocs",
    "servers",
    "security",
    "tags",
    "components",
)
_FRAGMENT_KEYS = ("paths", "components")


@frozen
class Bundle:
    """The joined description, with the fragment that each part comes from."""

    document: dict[str, Any]
    origins: Mapping[Pointer, Document] = field(repr=False)

    @property
    def text(self) -> str:
        """The description for the generator. A comparison does not need it."""
        return HEADER + yaml_source.dump(self.document)

    def problem(self, pointer: Pointer, text: str) -> SourceProblem:
        """Return a problem with a part of the bundle, at its line in a fragment."""
        here = pointer
        while here not in self.origins:
            here = here[:-1]
        return self.origins[here].problem(pointer, text)


def build(home: Path) -> Bundle:
    """Join and validate the fragments of the folder `home`.

    Raises SourceError with every problem that was found.
    """
    bundle = join(home)
    validate(bundle)
    return bundle


def join(home: Path) -> Bundle:
    """Join the fragments of the folder `home`; `validate` checks if the result is valid OpenAPI.

    Raises SourceError with every problem that was found.
    """
    problems: list[SourceProblem] = []
    root = _read(home / "root.yaml", problems)
    parts = [document for path in _paths(home, problems) if (document := _read(path, problems))]
    whole = root is not None and not problems
    pages = {path.stem for path in (home / "pages").glob("*.yaml")}
    if root is not None:
        problems += fragment_rules.check_form(root, _ROOT_KEYS, ["securitySchemes"])
        problems += fragment_rules.check_sources(root, pages)
    for document in parts:
        problems += fragment_rules.check_form(document, _FRAGMENT_KEYS, fragment_rules.SECTIONS)
        problems += fragment_rules.check_names(document)
        problems += fragment_rules.check_sources(document, pages)
        problems += schema_rules.check_schemas(document)
    problems += python_names.check_python_names(parts)
    origins: dict[Pointer, Document] = {}
    problems += _contradictions(parts, origins)
    documents = [*([root] if root is not None else []), *parts]
    unknown = [one for document in documents for one in keywords.check_keywords(document)]
    problems += unknown
    # References from an unread file, or under an unknown keyword, would be missed.
    if root is not None and whole and not unknown:
        defined = {at: origin for at, origin in origins.items() if at[0] == "components"}
        for document in parts:
            problems += fragment_rules.check_required(document, defined)
        problems += fragment_rules.check_references(documents, defined)
        problems += fragment_rules.check_security(parts, root)
        problems += fragment_rules.check_tags(parts, root)
    if not problems:
        problems += schema_rules.check_loops(parts)
    if problems or root is None:
        raise SourceError(problems)
    joined = _join(root, parts)
    return Bundle(joined, {**origins, (): root})


def validate(bundle: Bundle) -> None:
    """Check a bundle with openapi-spec-validator.

    Raises SourceError with every problem that it finds.
    """
    if problems := [*_invalid(bundle)]:
        raise SourceError(problems)


def _read(path: Path, problems: list[SourceProblem]) -> Document | None:
    document, found = yaml_source.read(path)
    problems += found
    return document


def _paths(home: Path, problems: list[SourceProblem]) -> Iterator[Path]:
    folder = home / "fragments"
    found = sorted(path for path in folder.glob("*") if not path.name.startswith("."))
    if not found:
        text = "there are no fragments; add a file NAME.yaml."
        problems.append(SourceProblem(yaml_source.shown(folder), 1, text))
    for path in found:
        if path.suffix == ".yaml":
            yield path
        else:
            text = "this is not a fragment; rename it to NAME.yaml or move it away."
            problems.append(SourceProblem(yaml_source.shown(path), 1, text))


def _contradictions(
    parts: list[Document], origins: dict[Pointer, Document]
) -> Iterator[SourceProblem]:
    """Yield definitions that contradict each other, and fill in the origin of each part."""
    owners: dict[str, tuple[Document, Pointer]] = {}
    for document in parts:
        for pointer, thing in _definitions(document):
            first = origins.setdefault(pointer, document)
            if not _same(thing, first.at(pointer)):
                what = _name(pointer)
                there = f"{first.file}:{first.line(pointer)}"
                text = f"{what} is defined differently in {there}; keep one, or make both the same."
                yield document.problem(pointer, text)
            name = thing.get("operationId") if is_map(thing) else None
            if pointer[0] != "paths" or not isinstance(name, str):
                continue
            owner, place = owners.setdefault(name, (document, pointer))
            if place != pointer:
                there = f"{owner.file}:{owner.line(place)}"
                text = f"the operationId {name} belongs to {_name(place)} in {there}; rename one."
                yield document.problem((*pointer, "operationId"), text)


def _definitions(document: Document) -> Iterator[tuple[Pointer, Any]]:
    paths = document.data.get("paths")
    for path, item in paths.items() if is_map(paths) else ():
        for key, value in item.items() if is_map(item) else ():
            yield ("paths", path, key), value
    yield from fragment_rules.components(document)


def _same(one: Any, other: Any) -> bool:
    texts = [json.dumps(fragment_rules.strip(value), sort_keys=True) for value in (one, other)]
    return texts[0] == texts[1]


def _name(pointer: Pointer) -> str:
    if pointer[0] == "paths":
        return f"{str(pointer[2]).upper()} {pointer[1]}"
    return f"the {str(pointer[1]).removesuffix('s')} {pointer[2]}"


def _join(root: Document, parts: list[Document]) -> dict[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    found: dict[str, dict[str, Any]] = {section: {} for section in fragment_rules.SECTIONS}
    for document in parts:
        for pointer, thing in _definitions(document):
            first, second, key = map(str, pointer)
            target = paths if first == "paths" else found
            target.setdefault(second, {}).setdefault(key, thing)
    joined = {key: root.data[key] for key in _ROOT_KEYS if key in root.data}
    components = dict(joined.pop("components", {}))
    for section, entries in found.items():
        if entries:
            components[section] = dict(sorted(entries.items()))
    joined["paths"] = paths
    if components:
        joined["components"] = components
    stripped: dict[str, Any] = fragment_rules.strip(joined)
    return stripped


def _invalid(bundle: Bundle) -> Iterator[SourceProblem]:
    """Yield the problems that openapi-spec-validator finds, each at its line in a fragment."""
    version = bundle.document.get("openapi")
    if not isinstance(version, str) or not version.startswith("3.1."):
        text = f"this tool reads OpenAPI 3.1, not {version!r}; write `openapi: 3.1.0`."
        yield bundle.problem(("openapi",), text)
        return
    # Imported here, because it is slow to load and broken fragments do not need it.
    from openapi_spec_validator import OpenAPIV31SpecValidator  # noqa: PLC0415

    found = 0
    try:
        for error in OpenAPIV31SpecValidator(bundle.document).iter_errors():
            found += 1
            pointer, message = _place(bundle.document, error), _message(error)
            where = "/".join(["#", *map(str, pointer)])
            yield bundle.problem(pointer, f"not valid OpenAPI at {where}: {message}; fix it.")
    except Exception as error:  # noqa: BLE001 - it may crash on a problem that it has already reported
        if not found:
            text = f"openapi-spec-validator cannot read the bundle ({error!r}); look for a slip."
            yield bundle.problem((), text)


def _place(document: dict[str, Any], error: Any) -> Pointer:
    """Return the place of an error. An error in a schema has a path from that schema only."""
    path: Pointer = tuple(error.absolute_path)
    if path[:1] and path[0] in document:
        return path
    for pointer, node in fragment_rules.walk(document):
        if path and _reach(node, path) == error.instance:
            return (*pointer, *path)
        if not path and node == error.schema:  # a default that does not match its schema
            return (*pointer, "default")
    return ()


def _reach(value: Any, path: Pointer) -> Any:
    for key in path:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return ...  # equal to nothing in YAML
    return value


def _message(error: Any) -> str:
    """Return the message of the alternative that matched best."""
    while error.context:
        error = max(error.context, key=lambda inner: len(inner.absolute_path))
    return str(error.message)
