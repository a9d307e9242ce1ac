"""The bill of materials of the package: what is installed with it, as CycloneDX.

Decides which components it names: the dependencies at run time, and theirs, in the locked versions
that the tests have run with. Extras are left out. It has no time and no random number, so that two
builds give the same text. It imports only the standard library, because the build runs it too.
"""

import json
import re
import tomllib
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

LOCK = "tests/requirements/dev.txt"
_SPEC = "1.6"
_ENTRY = re.compile(r"([a-z0-9][a-z0-9._-]*)(?:\[[^]]*\])?==(\S+)(?: ; ([^\\]+?))? *\\?$")


class Locked(NamedTuple):
    """A locked package: its version, where it is needed, and what needs it."""

    version: str
    marker: str
    needed_by: tuple[str, ...]


def file_name(name: str, version: str) -> str:
    """Return the name of the file for a distribution."""
    return f"{name.replace('-', '_')}-{version}.cdx.json"


def read_lock(text: str) -> dict[str, Locked]:
    """Return the packages of a requirements file that `make lock` wrote."""
    found: dict[str, Locked] = {}
    for part in re.split(r"\n(?=[a-z0-9])", text):
        lines = part.splitlines()
        entry = _ENTRY.match(lines[0]) if lines else None
        if entry is None:
            continue
        comments = [line.strip().lstrip("# ") for line in lines if line.lstrip().startswith("#")]
        needed_by = tuple(one.removeprefix("via").strip() for one in comments)
        name, version, marker = entry.groups()
        found[name] = Locked(version, marker or "", tuple(filter(None, needed_by)))
    return found


def render(project: Path, version: str) -> str:
    """Return the document for a version of the project in a folder.

    Raises ValueError if a dependency is not locked.
    """
    about = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]
    lock = read_lock((project / LOCK).read_text("utf-8"))
    declared: dict[str, str] = {}
    for one in about["dependencies"]:
        name, span = re.fullmatch(r"([\w.-]+)(.*)", one.replace(" ", "")).groups()  # type: ignore[union-attr]
        declared[re.sub(r"[-_.]+", "-", name).lower()] = span
    if missing := sorted(declared.keys() - lock.keys()):
        raise ValueError(f"{LOCK} does not hold {', '.join(missing)}; run `make lock`")
    needs = _reached(declared, lock)
    document: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": _SPEC,
        "version": 1,
        "metadata": {
            "lifecycles": [{"phase": "build"}],
            "component": {
                "type": "library",
                "bom-ref": _ref(about["name"], version),
                "name": about["name"],
                "version": version,
                "description": about["description"],
                "licenses": [{"license": {"id": about["license"]}}],
                "purl": _ref(about["name"], version),
            },
        },
        "components": [_component(name, lock[name], declared.get(name)) for name in needs],
        "dependencies": [
            {
                "ref": _ref(about["name"], version),
                "dependsOn": sorted(_ref(name, lock[name].version) for name in declared),
            },
            *(
                {
                    "ref": _ref(name, lock[name].version),
                    "dependsOn": sorted(_ref(one, lock[one].version) for one in under),
                }
                for name, under in needs.items()
            ),
        ],
    }
    content = json.dumps(document, sort_keys=True)
    document["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content)}"
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def _reached(declared: Mapping[str, str], lock: Mapping[str, Locked]) -> dict[str, list[str]]:
    """Return each package that is installed, by name, with the packages that it needs."""
    found: dict[str, list[str]] = {}
    todo = [*declared]
    while todo:
        name = todo.pop()
        if name not in found:
            found[name] = sorted(one for one, locked in lock.items() if name in locked.needed_by)
            todo += found[name]
    return dict(sorted(found.items()))


def _component(name: str, locked: Locked, span: str | None) -> dict[str, Any]:
    said = {"hubspot-batch:accepted-versions": span, "hubspot-batch:marker": locked.marker}
    properties = [{"name": key, "value": value} for key, value in said.items() if value]
    return {
        "type": "library",
        "bom-ref": _ref(name, locked.version),
        "name": name,
        "version": locked.version,
        "scope": "required",
        "purl": _ref(name, locked.version),
        **({"properties": properties} if properties else {}),
    }


def _ref(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version}"
