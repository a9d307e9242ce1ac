"""The last release in the git history, and the files that it had.

Decides what counts as a release: a tag `vX.Y.Z`, the highest that HEAD descends from. It only
reads: the work tree, the index and the tags stay as they are.
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
    """There is no history to look at, such as in unpacked sources; this is no mistake."""


class BrokenHistoryError(Exception):
    """There is a history, but it cannot be read."""


@frozen
class Release:
    """A released version."""

    version: Version

    @property
    def tag(self) -> str:
        """The name of its tag in git."""
        return f"v{self.version}"


def last_release(home: Path, below: Version | None = None) -> Release | None:
    """Return the last release before the work tree of the project `home`; None before the first.

    With `below`, releases from that version on do not count.

    Raises UnknownHistoryError without a repository, without git and in a shallow clone that holds
    no release; BrokenHistoryError where git fails.
    """
    if not (home / ".git").exists():  # a repository further up is another project's
        raise UnknownHistoryError("this is not a git repository, so no earlier release is known")
    if _git(home, "rev-parse", "--quiet", "--verify", "HEAD^{commit}", fails=True) is None:
        return None
    # A plumbing command, because the user's settings change the output of `git tag`.
    listed = _git(home, "for-each-ref", "--merged=HEAD", "--format=%(refname:strip=2)", "refs/tags")
    tags = listed.decode().split() if listed else []
    versions = [Version(tag[1:]) for tag in tags if _TAG.fullmatch(tag)]
    versions = [version for version in versions if below is None or version < below]
    if versions:
        return Release(max(versions))
    if _git(home, "rev-parse", "--is-shallow-repository") == b"true\n":
        raise UnknownHistoryError(
            "this is a shallow clone that does not reach back to a release; "
            "run `git fetch --unshallow --tags` to compare with it"
        )
    return None


def unchanged(home: Path, release: Release) -> bool:
    """Return True if the work tree has exactly the release's files, and no untracked ones."""
    same = _git(home, "diff", "--quiet", "--no-ext-diff", release.tag, "--", *PARTS, fails=True)
    others = "ls-files", "--others", "--exclude-standard", "--", *PARTS
    return same is not None and not _git(home, *others)


def uncommitted(home: Path) -> list[str]:
    """Return the files that differ from the commit, and those that git does not know.

    Raises UnknownHistoryError without a repository or without git.
    """
    if not (home / ".git").exists():  # a repository further up is another project's
        raise UnknownHistoryError("this is not a git repository")
    found = _git(home, "status", "--porcelain", "--no-renames", "--untracked-files=all", "-z")
    return [entry[3:] for entry in (found or b"").decode(errors="replace").split("\0") if entry]


def clean_commit(home: Path) -> str | None:
    """Return the commit that the tree is; None if it differs from it, or is not known."""
    try:
        if uncommitted(home):
            return None
        return (_git(home, "rev-parse", "HEAD") or b"").decode().strip() or None
    except (UnknownHistoryError, BrokenHistoryError):
        return None


def tracked(home: Path) -> set[str]:
    """Return the names of all files that git knows.

    Raises UnknownHistoryError without git, and BrokenHistoryError where git fails.
    """
    found = (_git(home, "ls-files", "-z") or b"").decode(errors="surrogateescape")
    return {*found.split("\0")} - {""}


def clone(home: Path, into: Path) -> None:
    """Write the commit that is checked out, with its history, into a new folder.

    Raises UnknownHistoryError without git, and BrokenHistoryError where git fails.
    """
    _git(home, "clone", "--quiet", "--no-hardlinks", "--no-local", str(home), str(into))
    commit = (_git(home, "rev-parse", "HEAD") or b"").decode().strip()
    _git(into, "checkout", "--quiet", "--detach", commit)


def tags_at_head(home: Path) -> list[str]:
    """Return the tags of the commit that is checked out."""
    listed = _git(
        home, "for-each-ref", "--points-at=HEAD", "--format=%(refname:strip=2)", "refs/tags"
    )
    return (listed or b"").decode().split()


def extract(home: Path, release: Release, into: Path) -> None:
    """Write the release's description and its two packages into a folder.

    Raises BrokenHistoryError if the release lacks one of them.
    """
    archive = _git(home, "archive", "--format=zip", release.tag, "--", *PARTS)
    with zipfile.ZipFile(io.BytesIO(archive or b"")) as files:
        files.extractall(into)


def text_of(home: Path, revision: str) -> bytes:
    """Return a file of a revision, given as `REVISION:PATH`.

    Raises UnknownHistoryError without git, and BrokenHistoryError if there is no such file.
    """
    return _git(home, "show", "--end-of-options", revision) or b""


def _git(home: Path, *arguments: str, fails: bool = False) -> bytes | None:
    """Run git and return its output; with `fails`, return None for exit status 1."""
    # A git hook or another caller may have set another repository.
    kept = {n: v for n, v in os.environ.items() if n[:4] != "GIT_" or n[:11] == "GIT_CONFIG_"}
    environment = kept | {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
    # A mounted folder often has another owner; the user of this command trusts the project.
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
