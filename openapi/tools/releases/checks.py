"""The checks before an upload: the tree is the tagged commit, and the built wheel works.

Decides what may be uploaded. A published version can never be changed, so both are checked before
the index is sent anything.
"""

import os
import re
import sys
import tarfile
import tempfile
import tomllib
import venv
from collections.abc import Collection, Iterator, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.version import Version

from . import distributions, git_history
from .package_index import ReleaseRefusedError

ANY_TREE = "--any-tree (make publish ANY_TREE=1)"
_NAMED = 5  # so many changed files are named

# Imports each module of the wheel that is given. One that needs a package of an extra is skipped.
_IMPORT_ALL = """
import importlib, sys, zipfile
wheel, home, *optional = sys.argv[1:]
names = [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".py")]
for name in sorted(names):
    module = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    if module.endswith("__main__"):
        continue
    try:
        found = importlib.import_module(module).__file__
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in optional:
            sys.exit(f"{module}: {error}")
        continue
    except BaseException as error:
        sys.exit(f"{module}: {type(error).__name__}: {error}")
    if not found.startswith(home):
        sys.exit(f"{module}: it was found outside the wheel, in {found}")
"""


def check_tree(home: Path, version: Version) -> None:
    """Refuse a tree that differs from the commit with the version's tag.

    Raises ReleaseRefusedError.
    """
    tag = f"v{version}"
    try:
        changed = git_history.uncommitted(home)
        tags = git_history.tags_at_head(home)
    except (git_history.UnknownHistoryError, git_history.BrokenHistoryError) as error:
        raise ReleaseRefusedError(
            f"publish: it cannot be checked if this tree is the commit {tag} ({error}). "
            f"Publish from a clone, or give {ANY_TREE}."
        ) from None
    if changed:
        names = ", ".join(changed[:_NAMED])
        more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
        raise ReleaseRefusedError(
            f"publish: the tree has changes that are not committed ({names}{more}). Nothing was "
            f"built or uploaded. Commit or remove them, or give {ANY_TREE}."
        )
    if tag not in tags:
        raise ReleaseRefusedError(
            f"publish: the commit has no tag {tag}. Nothing was built or uploaded. Tag the commit "
            f"that you mean (git tag {tag}), or give {ANY_TREE}."
        )


def check_changelog(home: Path, version: Version) -> None:
    """Refuse a version whose changes the changelog does not have below its first heading.

    Raises ReleaseRefusedError.
    """
    try:
        lines = (home / "CHANGELOG.md").read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ReleaseRefusedError(f"publish: CHANGELOG.md cannot be read ({error}).") from None
    heading = next((line for line in lines if line.startswith("## ")), "")
    if not re.fullmatch(rf"## \[?v?{re.escape(str(version))}\]?\W+\d{{4}}-\d\d-\d\d", heading):
        raise ReleaseRefusedError(
            f"publish: the first heading of CHANGELOG.md is {heading!r}, and must be "
            f"'## {version} - YYYY-MM-DD', with the day of the release. Nothing was uploaded."
        )


def check_tracked(sdist: Path, tracked: Collection[str]) -> None:
    """Refuse a source distribution with files that the commit does not have.

    A file that git ignores is no change of the tree, and may be in the archives nevertheless.

    Raises ReleaseRefusedError.
    """
    with tarfile.open(sdist) as archive:
        names = [one.name.partition("/")[2] for one in archive if one.isfile()]
    if more := sorted({*names} - {*tracked} - {"PKG-INFO"}):
        others = f" and {len(more) - _NAMED} more" if len(more) > _NAMED else ""
        raise ReleaseRefusedError(
            f"build: {sdist.name} has files that the commit does not have, because git ignores "
            f"them here ({', '.join(more[:_NAMED])}{others}). Remove them, and build again."
        )


def check_wheel(wheel: Path, version: Version, environment: Mapping[str, str]) -> None:
    """Install the wheel into a fresh environment, and import each of its modules there.

    Its dependencies come from where pip's settings say. Raises ReleaseRefusedError.
    """
    with tempfile.TemporaryDirectory(prefix="release-") as folder:
        home = Path(folder).resolve() / "environment"
        venv.create(home, symlinks=os.name != "nt")
        programs = home / ("Scripts" if os.name == "nt" else "bin")
        python = str(programs / "python")
        pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
        _run([*pip, "install", "--quiet", str(wheel)], "cannot be installed", environment)
        imports = [python, "-I", "-B", "-c", _IMPORT_ALL, str(wheel), str(home), *_optional()]
        _run(imports, "cannot be imported", environment)
        command = [str(programs / "hubspot-batch"), "--version"]
        said = _run(command, "has no command that runs", environment)
        if str(version) not in said.split():
            raise ReleaseRefusedError(
                f"publish: the built wheel says that it is {said.strip()!r}, and not {version}. "
                "Nothing was uploaded."
            )


def _run(command: list[str], what: str, environment: Mapping[str, str]) -> str:
    # Settings of Python would let modules from elsewhere in, and the package needs no password.
    hidden = ("PYTHON", "TWINE_")
    plain = {name: text for name, text in environment.items() if not name.startswith(hidden)}
    done = distributions.run(command, plain)
    if done.returncode != 0:
        raise ReleaseRefusedError(
            f"{done.stdout.rstrip()}\npublish: the built wheel {what}; see above. "
            "Nothing was uploaded."
        )
    return done.stdout


def _optional() -> Iterator[str]:
    """Yield what is imported of the extras, and of what there are plugins and adapters for."""
    project = tomllib.loads((distributions.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"].get("optional-dependencies", {}).values()
    engines = project.get("dependency-groups", {}).get("engines", [])
    yield "pytest"
    modules = packages_distributions()
    named = [one for one in engines if isinstance(one, str)]
    for needed in (one for wanted in [*extras, named] for one in wanted):
        name = re.split(r"[^\w.-]", needed, maxsplit=1)[0]
        yield name.replace("-", "_")
        yield from (module for module, of in modules.items() if name in of)
