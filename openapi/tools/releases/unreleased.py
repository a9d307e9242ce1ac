"""The changes since the last release, and whether the version is high enough for them.

Decides which two source trees are compared: the tag of the last release and the work tree.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen
from comparison.findings import Severity
from generation import yaml_source
from packaging.version import InvalidVersion, Version

from . import changelog, git_history
from .changelog import Note
from .git_history import Release
from .version import VERSION_FILE, is_honest, read_version, smallest

_MATTERS = {
    Severity.BREAKING: "something breaks",
    Severity.ADDITIVE: "something is new",
    Severity.WORDING: "the description is worded differently",
}


class UnreadableError(Exception):
    """One of the two source trees cannot be read."""


@frozen
class Unreleased:
    """The version of the work tree, the last release, and the changes between them."""

    present: Version
    release: Release | None
    description: list[Note] = field(factory=list[Note])
    packages: list[Note] = field(factory=list[Note])

    @property
    def notes(self) -> list[Note]:
        """All changes."""
        return [*self.description, *self.packages]


def read_unreleased(home: Path, *, tagged: bool = False) -> Unreleased:
    """Compare the work tree of the project in `home` with its last release.

    With `tagged`, the version of the work tree has its tag already, and the release before it
    counts.

    Raises UnknownHistoryError, BrokenHistoryError, and UnreadableError where one of the two trees
    cannot be read.
    """
    try:
        present = read_version(home)
    except (OSError, SyntaxError, KeyError, TypeError, InvalidVersion) as error:
        raise UnreadableError(f"{VERSION_FILE} does not say the version ({error})") from error
    release = git_history.last_release(home, below=present if tagged else None)
    return Unreleased(present, release, *(_changes(home, release) if release else ()))


def _changes(home: Path, release: Release) -> tuple[list[Note], list[Note]]:
    """Return the changes of the description, and those of the two packages."""
    if git_history.unchanged(home, release):
        return [], []
    # Imported here: loading griffe takes longer than finding out that nothing changed.
    from comparison.compare_descriptions import compare_documents  # noqa: PLC0415
    from comparison.schema_forms import SchemaError  # noqa: PLC0415

    from . import api_changes, public_api  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="release-") as folder:
        old = Path(folder).resolve()
        git_history.extract(home, release, old)
        before = _description(old, f"the description of {release.tag}")
        now = _description(home, "the description")
        try:
            findings = compare_documents(before, now)
        except (SchemaError, LookupError, TypeError, AttributeError) as error:
            raise UnreadableError(f"the two descriptions cannot be compared ({error})") from error
        names: list[public_api.PublicNames] = []
        for tree, where in ((old, f"of {release.tag}, "), (home, "")):
            try:
                names.append(public_api.read(tree))
            except public_api.UnreadablePackageError as error:
                raise UnreadableError(f"{where}{error}") from error
    changes = api_changes.compare_names(*names)
    return changelog.notes_of_description(findings), changelog.notes_of_api(changes)


def _description(tree: Path, what: str) -> Mapping[str, Any]:
    document, problems = yaml_source.read(tree / git_history.PARTS[0])
    if document is None or problems:
        said = "; ".join(f"line {one.line}: {one.text.removesuffix('.')}" for one in problems)
        raise UnreadableError(f"{what} cannot be read ({said})")
    paths = document.data.get("paths")
    if not yaml_source.is_map(paths) or not all(map(yaml_source.is_map, paths.values())):
        raise UnreadableError(f"{what} cannot be read (its `paths` are no mapping of mappings)")
    return document.data


def judge_version(unreleased: Unreleased) -> tuple[bool, str]:
    """Return whether the version is honest, and a sentence that says why."""
    present, release = unreleased.present, unreleased.release
    if release is None:
        return True, f"Nothing was released before (no tag vX.Y.Z), so {present} is honest."
    notes = unreleased.notes
    least = smallest(release.version, notes)
    worst = min(notes, key=lambda note: note.severity, default=None)
    if is_honest(present, least, release.version):
        since = f"{least} is the smallest honest version" if worst else "nothing public changed"
        return True, f"The version {present} is honest: since {release.tag}, {since}."
    reason = f"{release.tag} was released"
    if worst is not None:
        alike = sum(note.severity is worst.severity for note in notes) - 1
        more = f", and {alike} more like it" if alike else ""
        reason = f"since {release.tag}, {_MATTERS[worst.severity]}: {worst.text.rstrip('.')}{more}"
    return False, (
        f"The version {present} is too small: {reason}. "
        f"Raise it in {VERSION_FILE} to {least} at least."
    )


def write_changelog(project: Path, unreleased: Unreleased) -> str:
    """Write the changes into CHANGELOG.md, and return a sentence about that.

    Raises UnreadableError when the place for them cannot be found.
    """
    path, release = project / "CHANGELOG.md", unreleased.release
    lines = changelog.section(
        release.version if release else None, unreleased.description, unreleased.packages
    )
    try:
        fresh = changelog.write(path, lines, release.version if release else None)
    except changelog.DamagedError as error:
        raise UnreadableError(f"{path.name}: {error}") from error
    counts = [sum(note.severity is one for note in unreleased.notes) for one in Severity]
    said = ", ".join(
        f"{count} {severity}" for count, severity in zip(counts, Severity, strict=True)
    )
    return f"{path.name} {'is written' if fresh else 'was up to date'}: {said}."
