"""What the repository remembers: the last release, and the files that it had.

Decides what counts as a release (a tag `vX.Y.Z`, the highest that HEAD descends from) and how its
files are read. Never touches the work tree, the index or a tag, and never compares.
"""

import io
import os
import re
import subprocess
import zipfile
from pathlib import Path

from attrs import frozen
from packaging.version import Version

PARTS = ("openapi/openapi.yaml", "generated", "overrides")
_TAG = re.compile(r"v(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2}")
_SECONDS = 60


class UnknownHistoryError(Exception):
    """There is no history here that could be asked, which is nobody's mistake."""


class BrokenHistoryError(Exception):
    """There is a history, and it cannot be read."""


@frozen
class Release:
    """A version that was tagged."""

    version: Version

    @property
    def tag(self) -> str:
        return f"v{self.version}"


def last_release(home: Path) -> Release | None:
    """The last release before what stands in the project `home`; None before the first.

    Raises UnknownHistoryError without a repository, without git and in a shallow clone that holds
    no release; BrokenHistoryError where git fails.
    """
    if not (home / ".git").exists():  # a repository further up is somebody else's
        raise UnknownHistoryError("this is not a git repository, so no earlier release is known")
    if _git(home, "rev-parse", "--quiet", "--verify", "HEAD^{commit}", fails=True) is None:
        return None
    # The plumbing command: `git tag` writes as the user's settings say.
    listed = _git(home, "for-each-ref", "--merged=HEAD", "--format=%(refname:strip=2)", "refs/tags")
    tags = listed.decode().split() if listed else []
    versions = [Version(tag[1:]) for tag in tags if _TAG.fullmatch(tag)]
    if versions:
        return Release(max(versions))
    if _git(home, "rev-parse", "--is-shallow-repository") == b"true\n":
        raise UnknownHistoryError(
            "this is a shallow clone that does not reach back to a release; "
            "run `git fetch --unshallow --tags` to compare with it"
        )
    return None


def unchanged(home: Path, release: Release) -> bool:
    """Whether the work tree has the release's very files, those that nobody added included."""
    same = _git(home, "diff", "--quiet", "--no-ext-diff", release.tag, "--", *PARTS, fails=True)
    others = "ls-files", "--others", "--exclude-standard", "--", *PARTS
    return same is not None and not _git(home, *others)


def extract(home: Path, release: Release, into: Path) -> None:
    """Write what the release had of the description and the two packages into a folder.

    Raises BrokenHistoryError when it did not have all of them.
    """
    archive = _git(home, "archive", "--format=zip", release.tag, "--", *PARTS)
    with zipfile.ZipFile(io.BytesIO(archive or b"")) as files:
        files.extractall(into)


def text_of(home: Path, revision: str) -> bytes:
    """A file as a revision has it (`REVISION:PATH`).

    Raises UnknownHistoryError without git; BrokenHistoryError where there is no such thing.
    """
    return _git(home, "show", "--end-of-options", revision) or b""


def _git(home: Path, *arguments: str, fails: bool = False) -> bytes | None:
    """What git prints; None where it `fails` and may."""
    # A hook, or a caller of its own, may have set another repository.
    kept = {n: v for n, v in os.environ.items() if n[:4] != "GIT_" or n[:11] == "GIT_CONFIG_"}
    environment = kept | {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
    # The owner of a mounted folder is often another one; whoever runs this trusts the project.
    command = ["git", "-c", f"safe.directory={home.resolve()}", *arguments]
    try:
        done = subprocess.run(
            command,
            cwd=home,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise UnknownHistoryError("git is not installed, so no earlier release is known") from error
    except subprocess.TimeoutExpired as error:
        said = f"`git {arguments[0]}` did not end within {_SECONDS} seconds"
        raise BrokenHistoryError(said) from error
    if done.returncode == 0:
        return done.stdout
    if fails and done.returncode == 1:
        return None
    words = " ".join(done.stderr.decode(errors="replace").split())
    raise BrokenHistoryError(f"`git {arguments[0]}` failed ({words or done.returncode})")
