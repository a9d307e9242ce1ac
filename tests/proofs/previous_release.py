"""Runs the public tests of the previous release against the code of today.

What they promised still holds, or it is a break that the changelog names. A test file is public if
neither it nor the helpers that it imports use an internal module or name. `make previous` compares
with the last tag; SINCE names another commit.

Exit status: 0 all passed, or nothing was released; 1 some failed; 2 it cannot be done.
"""

from __future__ import annotations

import argparse
import ast
import io
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "openapi" / "tools"
FOLDERS = ("client", "files", "jobs", "generated", "sandbox")
PACKAGES = ("hubspot_batch", "hubspot_batch_client")
_DEPRECATED = r".* is deprecated since version .* and goes in .*"
MEANT = ROOT / "tests" / "proofs" / "meant_breaks.toml"
"""Tests of the previous release that fail on purpose, each with the reason."""
NEW = ("generated", "overrides", "openapi", "pyproject.toml", "generator-config.yaml", ".venv")


def is_public(path: Path, tests: Path) -> bool:
    """Whether a test uses public names only, and so do the helpers that it imports."""
    seen: set[Path] = set()
    todo = [path]
    while todo:
        module = todo.pop()
        if module in seen:
            continue
        seen.add(module)
        for name in imported(module):
            first, *rest = name.split(".")
            if first in PACKAGES and any(part.startswith("_") for part in rest):
                return False
            helper = tests / "support" / f"{first}.py"
            if helper.is_file():
                todo.append(helper)
    return True


def imported(path: Path) -> Iterator[str]:
    """The dotted names of everything that a module imports."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def lay_out(revision: str, home: Path) -> list[Path]:
    """Put the tests of a commit beside the code of today; return the public ones."""
    archive = subprocess.run(
        ["git", "archive", revision, "tests", "README.md"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as old:
        old.extractall(home, filter="data")
    for name in NEW:
        (home / name).symlink_to(ROOT / name)
    tests = home / "tests"
    found = (path for folder in FOLDERS for path in sorted((tests / folder).glob("test_*.py")))
    return [path for path in found if is_public(path, tests)]


def meant() -> dict[str, str]:
    """The tests that fail on purpose, and why."""
    return {} if not MEANT.is_file() else tomllib.loads(MEANT.read_text("utf-8"))["breaks"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit statuses are listed at the top of this file."""
    command = argparse.ArgumentParser(description="Run the previous release's public tests.")
    command.add_argument("--since", metavar="COMMIT", help="the last tag vX.Y.Z by default")
    command.add_argument("files", nargs="*", help="only test files with these names")
    options = command.parse_args(arguments)
    sys.path.append(str(TOOLS))
    from releases.git_history import BrokenHistoryError, UnknownHistoryError, last_release

    revision = options.since
    try:
        if revision is None:
            release = last_release(ROOT)
            revision = release and release.tag
    except (UnknownHistoryError, BrokenHistoryError) as error:
        print(f"previous: {error}", file=sys.stderr)
        return 2
    if revision is None:
        print("Nothing was released before (no tag vX.Y.Z), so no earlier promise is tested.")
        return 0
    with tempfile.TemporaryDirectory(prefix="previous-") as folder:
        home = Path(folder)
        try:
            files = lay_out(revision, home)
        except subprocess.CalledProcessError as error:
            print(f"previous: {error.stderr.decode().strip()}", file=sys.stderr)
            return 2
        files = [one for one in files if not options.files or one.name in options.files]
        print(f"{len(files)} public test files of {revision}, on the code of today")
        skipped = [f"--deselect={name}" for name in meant()]
        run = [
            sys.executable,
            "-m",
            "pytest",
            f"--rootdir={home}",
            f"--override-ini=cache_dir={home}/.cache",
        ]
        run += ["--numprocesses", "auto", "--maxprocesses", "4", "--dist", "loadfile", *skipped]
        # A name that is deprecated meanwhile still works.
        run += [f"--override-ini=filterwarnings=error\nignore:{_DEPRECATED}:DeprecationWarning"]
        done = subprocess.run([*run, *map(str, files)], cwd=home, check=False)
    return 0 if done.returncode == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
