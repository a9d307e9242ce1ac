"""Joins root.yaml and the fragments into one OpenAPI description, and validates it.

Decides the order of the bundle, what counts as a contradiction between fragments, and what is
written. Never mends a fragment: whatever is wrong is reported, all of it, and nothing is written.

Exit status: 0 written (or up to date), 1 `--check` found another text, 2 the fragments are wrong.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import fragments
import sources
from attrs import field, frozen
from sources import Document, Pointer, Problem, SourceError, is_map

HEADER = (
    "# Joined from openapi/root.yaml and openapi/fragments by openapi/tools/bundle.py.\n"
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
_HOME = Path(__file__).resolve().parents[1]


@frozen
class Bundle:
    """The joined description: as data, as the text of its file, and where each part is from."""

    document: dict[str, Any]
    text: str = field(repr=False)
    origins: Mapping[Pointer, Document] = field(repr=False)

    def problem(self, pointer: Pointer, text: str) -> Problem:
        """A problem with what stands at `pointer` of the bundle, at its line in a fragment."""
        here = pointer
        while here not in self.origins:
            here = here[:-1]
        return self.origins[here].problem(pointer, text)


def build(home: Path) -> Bundle:
    """Join and validate what stands in the folder `home`.

    Raises SourceError with every problem that was found.
    """
    bundle = join(home)
    validate(bundle)
    return bundle


def join(home: Path) -> Bundle:
    """Join what stands in the folder `home`; whether that is valid OpenAPI is not known yet.

    Raises SourceError with every problem that was found.
    """
    problems: list[Problem] = []
    root = _read(home / "root.yaml", problems)
    parts = [document for path in _paths(home, problems) if (document := _read(path, problems))]
    whole = root is not None and not problems
    pages = {path.stem for path in (home / "pages").glob("*.yaml")}
    if root is not None:
        problems += fragments.form(root, _ROOT_KEYS, ["securitySchemes"])
        problems += fragments.notes(root, pages)
    for document in parts:
        problems += fragments.form(document, _FRAGMENT_KEYS, fragments.SECTIONS)
        problems += fragments.containers(document)
        problems += fragments.required(document)
        problems += fragments.names(document)
        problems += fragments.notes(document, pages)
    origins: dict[Pointer, Document] = {}
    problems += _contradictions(parts, origins)
    if root is not None and whole:  # else a reference could lead into what was not read
        defined = {at: origin for at, origin in origins.items() if at[0] == "components"}
        problems += fragments.links([root, *parts], defined)
        problems += fragments.security(parts, root)
    if problems or root is None:
        raise SourceError(problems)
    joined = _join(root, parts)
    return Bundle(joined, HEADER + sources.dump(joined), {**origins, (): root})


def validate(bundle: Bundle) -> None:
    """Ask openapi-spec-validator about a bundle.

    Raises SourceError with every problem that it finds.
    """
    if problems := [*_invalid(bundle)]:
        raise SourceError(problems)


def _read(path: Path, problems: list[Problem]) -> Document | None:
    document, found = sources.read(path)
    problems += found
    return document


def _paths(home: Path, problems: list[Problem]) -> Iterator[Path]:
    folder = home / "fragments"
    found = sorted(path for path in folder.glob("*") if not path.name.startswith("."))
    if not found:
        text = "there are no fragments; add a file NAME.yaml."
        problems.append(Problem(sources.shown(folder), 1, text))
    for path in found:
        if path.suffix == ".yaml":
            yield path
        else:
            text = "this is not a fragment; rename it to NAME.yaml or move it away."
            problems.append(Problem(sources.shown(path), 1, text))


def _contradictions(parts: list[Document], origins: dict[Pointer, Document]) -> Iterator[Problem]:
    """Things that are defined twice, and not in the same way; fills in where each is from."""
    owners: dict[str, tuple[Document, Pointer]] = {}
    for document in parts:
        for pointer, thing in _definitions(document):
            first = origins.setdefault(pointer, document)
            if not _same(thing, _at(first, pointer)):
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
    yield from fragments.components(document)


def _at(document: Document, pointer: Pointer) -> Any:
    value: Any = document.data
    for key in pointer:
        value = value[key]
    return value


def _same(one: Any, other: Any) -> bool:
    texts = [json.dumps(fragments.strip(value), sort_keys=True) for value in (one, other)]
    return texts[0] == texts[1]


def _name(pointer: Pointer) -> str:
    if pointer[0] == "paths":
        return f"{str(pointer[2]).upper()} {pointer[1]}"
    return f"the {str(pointer[1]).removesuffix('s')} {pointer[2]}"


def _join(root: Document, parts: list[Document]) -> dict[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    found: dict[str, dict[str, Any]] = {section: {} for section in fragments.SECTIONS}
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
    stripped: dict[str, Any] = fragments.strip(joined)
    return stripped


def _invalid(bundle: Bundle) -> Iterator[Problem]:
    """What openapi-spec-validator says, each at the line of the fragment it is about."""
    version = bundle.document.get("openapi")
    if not isinstance(version, str) or not version.startswith("3.1."):
        text = f"this tool reads OpenAPI 3.1, not {version!r}; write `openapi: 3.1.0`."
        yield bundle.problem(("openapi",), text)
        return
    # Imported here: a broken fragment need not wait for it.
    from openapi_spec_validator import OpenAPIV31SpecValidator  # noqa: PLC0415

    found = 0
    try:
        for error in OpenAPIV31SpecValidator(bundle.document).iter_errors():
            found += 1
            pointer, message = _place(bundle.document, error), _message(error)
            where = "/".join(["#", *map(str, pointer)])
            yield bundle.problem(pointer, f"not valid OpenAPI at {where}: {message}; mend it.")
    except Exception as error:  # noqa: BLE001 - it trips over what it has only reported before
        if not found:
            text = f"openapi-spec-validator cannot read the bundle ({error!r}); look for a slip."
            yield bundle.problem((), text)


def _place(document: dict[str, Any], error: Any) -> Pointer:
    """Where an error stands. One about a schema names its place from that schema only."""
    path: Pointer = tuple(error.absolute_path)
    if path[:1] and path[0] in document:
        return path
    for pointer, node in fragments.walk(document):
        if path and _reach(node, path) == error.instance:
            return (*pointer, *path)
        if not path and node == error.schema:  # a default that does not fit
            return (*pointer, "default")
    return ()


def _reach(value: Any, path: Pointer) -> Any:
    for key in path:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return ...  # nothing in YAML equals it
    return value


def _message(error: Any) -> str:
    """What is wrong, said by the alternative that came nearest."""
    while error.context:
        error = max(error.context, key=lambda inner: len(inner.absolute_path))
    return str(error.message)


def write(path: Path, text: str) -> None:
    """Put `text` into the file in one step: a reader sees the old text or the new."""
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.write_bytes(text.encode())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def report(error: SourceError) -> None:
    """Print every problem, one to a line."""
    for problem in error.problems:
        print(problem, file=sys.stderr)
    count = len(error.problems)
    print(f"{count} problem{'s'[: count != 1]}; nothing was written.", file=sys.stderr)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the status is described at the top of this file."""
    parser = argparse.ArgumentParser(description="Join the fragments into one description.")
    parser.add_argument("--root", type=Path, default=_HOME, help="folder of root.yaml")
    parser.add_argument("--output", type=Path, help="the bundle (default: openapi.yaml there)")
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    options = parser.parse_args(arguments)
    output: Path = options.output or options.root / "openapi.yaml"
    try:
        text = build(options.root).text
        if not options.check:
            write(output, text)
            print(f"{sources.shown(output)} is written.")
        elif not output.is_file():
            print(f"{sources.shown(output)} is missing; run `make regenerate`.", file=sys.stderr)
            return 1
        elif output.read_bytes() != text.encode():
            says = "is not what the fragments say; run `make regenerate`."
            print(f"{sources.shown(output)} {says}", file=sys.stderr)
            return 1
        else:
            print(f"{sources.shown(output)} is what the fragments say.")
    except SourceError as error:
        report(error)
        return 2
    except OSError as error:
        print(f"{sources.shown(output)}: {error.strerror}; nothing was written.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
