"""The files of a build that was tried, and the record by which a later step knows them again.

Decides that only such files are published: build and publish can be two jobs, and in between lie
files that anything may have changed. `build.json` holds the commit and a digest of each file.
"""

import hashlib
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from attrs import frozen
from packaging.version import Version

from . import checks, distributions, git_history
from .package_index import ReleaseRefusedError

RECORD = "build.json"
SUMS = "SHA256SUMS"
_BUILD = "Run `make build`, and publish what it made."


@frozen
class Built:
    """The files of a build.

    Attributes:
        version: Their version.
        commit: The commit that they were made of; None if it is not known, or differed.
        files: Wheel and source distribution, which an index takes.
    """

    version: Version
    commit: str | None
    files: tuple[Path, ...]


def make(into: Path, environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Build the distributions into a folder, try the wheel, and write what stands beside them.

    These are the bill of materials, `SHA256SUMS` and the record. Returns all of the files.

    Raises ReleaseRefusedError as `distributions.build`, `checks.check_tracked` and
    `checks.check_wheel` do; then there is no record.
    """
    _, version = distributions.named_version()
    into = into.resolve()
    for name in (RECORD, SUMS):
        (into / name).unlink(missing_ok=True)
    for old in into.glob("hubspot_batch-*.cdx.json"):
        old.unlink()
    home = distributions.ROOT
    commit = git_history.clean_commit(home)
    tagged = commit is not None and f"v{version}" in git_history.tags_at_head(home)
    files = distributions.build(into, tagged=tagged)
    for sdist in (file for file in files if file.suffix == ".gz" and commit is not None):
        checks.check_tracked(sdist, git_history.tracked(home))
    for wheel in (file for file in files if file.suffix == ".whl"):
        checks.check_wheel(wheel, version, environment)
        files += _bill_of_materials(wheel, into)
    digests = {file.name: _digest(file) for file in sorted(files)}
    lines = "".join(f"{digest}  {name}\n" for name, digest in digests.items())
    (into / SUMS).write_text(lines, "utf-8")
    record = {"version": str(version), "commit": commit, "files": digests}
    (into / RECORD).write_text(json.dumps(record, indent=2) + "\n", "utf-8")
    return (*sorted(files), into / SUMS, into / RECORD)


def _bill_of_materials(wheel: Path, into: Path) -> tuple[Path, ...]:
    """Copy the bill of materials out of a wheel."""
    with ZipFile(wheel) as archive:
        names = [one for one in archive.namelist() if ".dist-info/sboms/" in one]
        return tuple(_write(into / Path(one).name, archive.read(one)) for one in names)


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def find(folder: Path) -> Built:
    """Return the files that a build left in a folder, as they were then.

    Raises ReleaseRefusedError if there is no build, or a file was changed, lost or added since.
    """
    name, version = distributions.named_version()
    try:
        record: Any = json.loads((folder / RECORD).read_text("utf-8"))
        digests: dict[str, str] = {str(one): str(sum_) for one, sum_ in record["files"].items()}
        made, commit = Version(record["version"]), record["commit"]
    except OSError:
        raise ReleaseRefusedError(
            f"publish: {folder} holds no build that was tried. {_BUILD}"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ReleaseRefusedError(f"publish: {folder / RECORD} is damaged. {_BUILD}") from None
    if made != version:
        raise ReleaseRefusedError(
            f"publish: {folder} holds the version {made}, and this tree is {version}. {_BUILD}"
        )
    for file, digest in digests.items():
        path = folder / file
        if not path.is_file() or _digest(path) != digest:
            what = "was changed" if path.is_file() else "is missing"
            raise ReleaseRefusedError(f"publish: {file} {what} since it was tried. {_BUILD}")
    sums = "".join(f"{digest}  {file}\n" for file, digest in digests.items())
    if not (folder / SUMS).is_file() or (folder / SUMS).read_text("utf-8") != sums:
        raise ReleaseRefusedError(f"publish: {SUMS} does not belong to the build. {_BUILD}")
    start = f"{name.replace('-', '_')}-"
    found = {one.name for one in folder.iterdir() if one.name.startswith(start)}
    if more := sorted(one for one in found - digests.keys() if not one.endswith(".attestation")):
        raise ReleaseRefusedError(f"publish: {', '.join(more)} was not tried. {_BUILD}")
    sent = (file for file in digests if file.endswith((".whl", ".tar.gz")))
    return Built(version, commit, tuple(folder / file for file in sent))


def compare_with_clone(folder: Path) -> str:
    """Build the commit again in a clone elsewhere, and compare; return a sentence.

    Raises ReleaseRefusedError if a file differs.
    """
    built = find(folder)
    if built.commit is None:
        return "There was no second build, because the tree is no commit."
    with tempfile.TemporaryDirectory(prefix="again-") as temporary:
        clone, again = Path(temporary) / "a clone", Path(temporary) / "dist"
        git_history.clone(distributions.ROOT, clone)
        distributions.build_both(clone, again)
        for file in built.files:
            other = again / file.name
            if not other.is_file() or other.read_bytes() != file.read_bytes():
                raise ReleaseRefusedError(
                    f"release: {file.name} differs from the one that a clone of the commit gives. "
                    "Nothing was uploaded. Look for files that git ignores, or for tools of "
                    "other versions."
                )
    return "A second build, of a clone in another folder, gave the same bytes."


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
