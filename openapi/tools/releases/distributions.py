"""The source distribution and the wheel of the package.

Decides whether they may be built: the generated client must be what the fragments give, and the
version as high as the changes demand. It never changes the version.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import Version

from .package_index import ReleaseRefusedError
from .version import VERSION_FILE, read_version

ROOT = Path(__file__).resolve().parents[3]
_REFUSALS = {
    "regenerate.py": "Nothing is built from a stale or broken description. "
    "Run `make regenerate`, look at the difference, and build again.",
    "release_notes.py": "Nothing is built under a version that says too little, or may do so.",
}


def run(
    command: Sequence[str], environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command in the project's folder; return both streams as one text."""
    return subprocess.run(
        command,
        cwd=ROOT,
        env=None if environment is None else dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )


def named_version() -> tuple[str, Version]:
    """Return the distribution's name from pyproject.toml, and its version.

    Raises ReleaseRefusedError when there is no version to read.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    try:
        version = read_version(ROOT)
    except Exception as error:  # noqa: BLE001 - the file may be half edited
        raise ReleaseRefusedError(
            f"{VERSION_FILE} does not say the version ({type(error).__name__}: {error})."
        ) from None
    return canonicalize_name(project["name"]), version


def build(into: Path, *, tagged: bool = False) -> tuple[Path, ...]:
    """Put a source distribution, and the wheel built from it, into the folder `into`.

    With `tagged`, the version has its tag already, and is compared with the release before it.

    Removes older distributions of this project from there. Two builds of one commit have the same
    bytes. Raises ReleaseRefusedError when the generated client is stale, when the version is too
    small, when a build fails, and when no index could show the metadata.
    """
    for tool, refusal in _REFUSALS.items():
        options = ["--tagged"] if tagged and tool == "release_notes.py" else []
        command = [sys.executable, str(ROOT / "openapi" / "tools" / tool), "--check", *options]
        check = run(command)
        if check.returncode != 0:
            raise ReleaseRefusedError(f"{check.stdout.rstrip()}\n{refusal}")
        # A check without anything to compare with passes, and its output says so.
        print(check.stdout, end="", file=sys.stderr)
    into = into.resolve()
    into.mkdir(parents=True, exist_ok=True)
    name = named_version()[0].replace("-", "_")
    with tempfile.TemporaryDirectory(dir=into, prefix=".build-") as temporary:
        build_both(ROOT, Path(temporary))
        files = sorted(Path(temporary).iterdir())
        checked = run(
            [sys.executable, "-m", "twine", "--no-color", "check", "--strict", *map(str, files)]
        )
        if checked.returncode != 0:
            raise ReleaseRefusedError(
                f"{checked.stdout.rstrip()}\nNo index could show this package; see above."
            )
        for pattern in (f"{name}-*.whl", f"{name}-*.tar.gz"):
            for old in into.glob(pattern):
                old.unlink()
        return tuple(Path(shutil.move(file, into / file.name)) for file in files)


def build_both(home: Path, into: Path) -> None:
    """Build the project in a folder, without looking at anything else.

    Raises ReleaseRefusedError when the build fails.
    """
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(into), str(home)]
    made = run(command, os.environ | commit_time(home))
    if made.returncode != 0:
        raise ReleaseRefusedError(f"{made.stdout.rstrip()}\nThe build failed; see above.")


def commit_time(home: Path) -> dict[str, str]:
    """Return the time for the archives: the commit's, whatever the environment says.

    In a source distribution it is the time that its files have; else the build tool decides.
    """
    if not (home / ".git").exists():
        info = home / "PKG-INFO"
        return {"SOURCE_DATE_EPOCH": str(int(info.stat().st_mtime))} if info.is_file() else {}
    try:
        commit = run(["git", "-C", str(home), "log", "-1", "--format=%ct"])
    except OSError:
        return {}
    time = commit.stdout.strip()
    return {"SOURCE_DATE_EPOCH": time} if commit.returncode == 0 and time.isdigit() else {}
