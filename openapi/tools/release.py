"""Builds the distributions and hands them to a package index.

Decides whether a release may go out: the generated client must be what the fragments say, the
version as high as what changed asks for, and new to the index. Never changes a version, and never
shows or keeps a credential.

It stands with the tools of the description because what it guards is what they made.
"""

import argparse
import os
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
from packaging.utils import canonicalize_name
from packaging.version import Version
from releases.package_index import (
    ReleaseRefusedError,
    index_url,
    not_let_in,
    published_versions,
    shown,
    wrong_use,
)

ROOT = Path(__file__).resolve().parents[2]
# Where the build reads the version too.
VERSION_FILE = "overrides/hubspot_batch/version.py"
_REFUSALS = {
    "regenerate.py": "Nothing is built from a stale or broken description. "
    "Run `make regenerate`, look at the difference, and build again.",
    "release_notes.py": "Nothing is built under a version that says too little, or may do so.",
}


def run(
    command: Sequence[str], environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command at the project's root; both streams are kept, as one text."""
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
    """The distribution's name, as pyproject.toml says, and its version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version: str = runpy.run_path(str(ROOT / VERSION_FILE))["__version__"]
    return canonicalize_name(project["name"]), Version(version)


def build(into: Path) -> tuple[Path, ...]:
    """Put a source distribution, and the wheel built from it, into the folder `into`.

    Older distributions of this project there are removed. Two builds of one commit give the
    same bytes. Raises ReleaseRefusedError when the generated client is stale, when the version
    is too small, when a build fails, and when no index could show the metadata.
    """
    for tool, refusal in _REFUSALS.items():
        check = run([sys.executable, str(ROOT / "openapi" / "tools" / tool), "--check"])
        if check.returncode != 0:
            raise ReleaseRefusedError(f"{check.stdout.rstrip()}\n{refusal}")
        # A check that had nothing to compare with passes, and says so.
        print(check.stdout, end="", file=sys.stderr)
    into = into.resolve()
    into.mkdir(parents=True, exist_ok=True)
    name = named_version()[0].replace("-", "_")
    with tempfile.TemporaryDirectory(dir=into, prefix=".build-") as temporary:
        made = run(
            [sys.executable, "-m", "build", "--no-isolation", "--outdir", temporary, str(ROOT)],
            os.environ | commit_time(),
        )
        if made.returncode != 0:
            raise ReleaseRefusedError(f"{made.stdout.rstrip()}\nThe build failed; see above.")
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


def commit_time() -> dict[str, str]:
    """The time that goes into the archives: the commit's, else the one the build tool fixes."""
    if "SOURCE_DATE_EPOCH" in os.environ or not (ROOT / ".git").exists():
        return {}
    try:
        commit = run(["git", "log", "-1", "--format=%ct"])
    except OSError:
        return {}
    time = commit.stdout.strip()
    return {"SOURCE_DATE_EPOCH": time} if commit.returncode == 0 and time.isdigit() else {}


def credentials(environment: Mapping[str, str]) -> tuple[str, str]:
    """User name and password, from the environment and from nowhere else."""
    missing = [name for name in ("TWINE_USERNAME", "TWINE_PASSWORD") if not environment.get(name)]
    if missing:
        wrong_use(f"{' and '.join(missing)} not set in the environment; nothing was sent.")
    return environment["TWINE_USERNAME"], environment["TWINE_PASSWORD"]


def publish(
    url: str,
    into: Path,
    environment: Mapping[str, str],
    transport: httpx.BaseTransport | None = None,
) -> str:
    """Build the distributions and upload them; returns what to do next.

    Raises ReleaseRefusedError when the address or the credentials will not do, when the index
    has the version or refuses it, and where `build` does.
    """
    target = index_url(url)
    auth = credentials(environment)
    name, version = named_version()
    simple = target.copy_with(path=f"{target.path}simple/")
    page = simple.copy_with(path=f"{simple.path}{name}/")
    if version in published_versions(page, auth, transport):
        raise ReleaseRefusedError(_taken(name, version, target))
    files = build(into)
    _upload(files, target, environment, taken=_taken(name, version, target))
    return (
        f"Published {name} {version} to {shown(target)}\n"
        f"To install it:  pip install --index-url {shown(simple)} {name}=={version}\n"
        f"Next: tag the commit v{version}, which the next version is compared with, and raise the "
        f"version in {VERSION_FILE} when something changes: `make check` says by how much."
    )


def _taken(name: str, version: Version, target: httpx.URL) -> str:
    return (
        f"publish: the index at {shown(target)} has {name} {version} already, and a published "
        f"version never changes. Raise the version in {VERSION_FILE}, and publish again."
    )


def _upload(
    files: Sequence[Path], target: httpx.URL, environment: Mapping[str, str], taken: str
) -> None:
    command = [sys.executable, "-m", "twine", "--no-color", "upload", "--non-interactive"]
    # A ~/.pypirc could name another index, or hold other credentials.
    command += ["--disable-progress-bar", "--config-file", os.devnull]
    command += ["--repository-url", str(target), *map(str, files)]
    done = run(command, environment)
    if done.returncode == 0:
        return
    said = _last_words(done.stdout).replace(environment["TWINE_PASSWORD"], "***")
    status = re.search(r"HTTPError: (\d{3})\b", said)
    code = int(status[1]) if status else 0
    if code == 409 or "already exist" in said.lower():
        raise ReleaseRefusedError(taken)
    if code in (401, 403):
        raise ReleaseRefusedError(not_let_in(target, code))
    raise ReleaseRefusedError(
        f"publish: the upload to {shown(target)} failed ({said}). "
        "It may have taken one of the two files: look at the index before you try again."
    )


def _last_words(output: str) -> str:
    """What twine says at the end, in one line: it wraps its words, and warns at length before."""
    if "Traceback (" in output:
        return output.rstrip().rpartition("\n")[2]
    return " ".join(output[max(output.rfind("ERROR"), 0) :].split())


def main(arguments: Sequence[str] | None = None) -> int:
    """`release.py build`, or `release.py publish INDEX_URL`; returns the exit code."""
    parser = argparse.ArgumentParser(prog="release.py", description="Build and publish.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("build", "publish"):
        command = commands.add_parser(name)
        command.add_argument("--into", type=Path, default=ROOT / "dist", metavar="FOLDER")
        if name == "publish":
            command.add_argument("url", metavar="INDEX_URL")
    options = parser.parse_args(arguments)
    try:
        if options.command == "publish":
            print(publish(options.url, options.into, os.environ))
        else:
            for file in build(options.into):
                print(file)
    except ReleaseRefusedError as refusal:
        print(refusal, file=sys.stderr)
        return refusal.code
    return 0


if __name__ == "__main__":
    sys.exit(main())
