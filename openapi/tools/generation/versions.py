"""The versions of the API that have an operation, and what differs between them: `x-versions`.

At an operation, `x-versions` has the path of each version. The default is the version whose path is
the operation's own. At a field, it lists the versions that have the field; without it, all do.
"""

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .keywords import METHODS, VERSIONS, closest, walk_schemas
from .operation_meaning import ContractError
from .yaml_source import Pointer, is_list, is_map

_NAME = re.compile(r"v\d+|\d{4}-\d{2}(?:-[a-z]+)?")
_PATH, _STATUS, _STRICT = "path", "status", "strict"


class Version(NamedTuple):
    """An operation in one version of the API.

    - `status`: the only status of a success, where errors of single inputs stand in it; None if
      such a response is a 207.
    - `strict`: the server enforces the account's rules on properties, and says in a warning if it
      has normalised a value.
    """

    name: str
    path: str
    status: int | None = None
    strict: bool = False


def versions_of(at: Pointer, operation: Mapping[str, Any]) -> tuple[Version, ...]:
    """Return the versions that have an operation, in the order of the fragment.

    Raises ContractError if `x-versions` has another form.
    """
    if VERSIONS not in operation:
        return ()
    here, said = (*at, VERSIONS), operation[VERSIONS]
    if not is_map(said) or not said:
        text = f"`{VERSIONS}` is no mapping; write a version and its path on each line."
        raise ContractError(here, text)
    return tuple([_version((*here, name), name, given) for name, given in said.items()])


def default_of(at: Pointer, operation: Mapping[str, Any]) -> str:
    """Return the version whose path is the operation's own; empty if it lists no versions.

    Raises ContractError if no version has that path.
    """
    listed = versions_of(at, operation)
    names = [one.name for one in listed if one.path == at[1]]
    if listed and not names:
        text = f"no version in `{VERSIONS}` has the path {at[1]}; add the one that has it."
        raise ContractError((*at, VERSIONS), text)
    return names[-1] if names else ""


def _version(at: Pointer, name: object, given: Any) -> Version:
    path: Any = given
    status: Any = None
    strict: Any = False
    if is_map(given):
        for key in given:
            if key not in (_PATH, _STATUS, _STRICT):
                like = closest(str(key), (_PATH, _STATUS, _STRICT), 0)
                text = f"`{key}` says nothing about a version; did you mean {like}?"
                raise ContractError((*at, key), text)
        path, status, strict = given.get(_PATH), given.get(_STATUS), given.get(_STRICT, False)
    if not (isinstance(name, str) and _NAME.fullmatch(name)):
        raise ContractError(at, f"{name!r} is no version; a version looks like v3 or 2026-03.")
    if not isinstance(path, str) or path[:1] != "/":
        raise ContractError(at, f"the path of {name} is {path!r}; a path begins with a slash.")
    if sorted(_names(path)) != sorted(_names(str(at[1]))):
        text = f"the path of {name} has other names in braces than {at[1]}; write the same ones."
        raise ContractError(at, text)
    if status is not None and (type(status) is not int or not 200 <= status <= 299):
        text = f"`{_STATUS}` of {name} is {status!r}; write the status of a success, such as 201."
        raise ContractError((*at, _STATUS), text)
    if not isinstance(strict, bool):
        text = f"`{_STRICT}` of {name} is {strict!r}; write true or false."
        raise ContractError((*at, _STRICT), text)
    return Version(name, path, status, strict)


def _names(path: str) -> list[str]:
    return re.findall(r"\{([^{}/]*)\}", path)


def listed_in(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the versions that any operation has, and check all that is said of versions.

    Raises ContractError for a wrong form, for a path that two operations have, and for a field of a
    version that no operation has.
    """
    found: dict[str, None] = {}
    owners: dict[tuple[str, str], str] = {}
    for at, operation in _operations(document):
        default_of(at, operation)
        name = operation["operationId"]
        for one in versions_of(at, operation):
            found[one.name] = None
            owner = owners.setdefault((one.path, str(at[2])), name)
            if owner != name:
                text = f"{one.path} is the path of {owner}, too; write another one."
                raise ContractError((*at, VERSIONS, one.name), text)
    for at, schema in walk_schemas(document):
        if VERSIONS in schema:
            _check_field((*at, VERSIONS), schema[VERSIONS], found)
    return (*found,)


def _check_field(at: Pointer, said: Any, known: Mapping[str, None]) -> None:
    if "properties" not in at[-3:-2]:
        text = f"`{VERSIONS}` says something about an operation or a field; move it there."
        raise ContractError(at, text)
    if not is_list(said) or not said:
        raise ContractError(at, f"`{VERSIONS}` of a field is no list; list the versions it is in.")
    for name in said:
        if name not in known:
            like = closest(str(name), [*known], 0)
            advice = f"the nearest is {like}" if like else f"write `{VERSIONS}` at operations first"
            raise ContractError(at, f"no operation is in the version {name!r}; {advice}.")


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield ("paths", path, method), item[method]


def document_in(document: Mapping[str, Any], version: str) -> dict[str, Any]:
    """Return a bundle as one version has it: with its paths, and without the fields it lacks.

    Operations without that version are left out.
    """
    made: dict[str, Any] = copy.deepcopy(dict(document))
    for _, schema in walk_schemas(made):
        fields = schema.get("properties")
        for name, field in [*fields.items()] if is_map(fields) else ():
            if is_map(field) and version not in field.get(VERSIONS, (version,)):
                schema["properties"].pop(name)
    paths: dict[str, dict[str, Any]] = {}
    for at, operation in _operations(document):
        for one in versions_of(at, operation):
            if one.name == version:
                item = made["paths"][at[1]]
                common = {key: part for key, part in item.items() if key not in METHODS}
                paths.setdefault(one.path, common)[str(at[2])] = item[str(at[2])]
    made["paths"] = paths
    return made
