"""What changed since the last release, for the changelog, and the version that it asks for.

Decides what a difference does to the version, and its sentence. Never changes the version, and
never decides what is a difference: `compare` says that of the two descriptions, `face_changes` of
what stands for them in Python.

Exit status: 0 written (or the version is honest, or there is nothing to compare with), 1 the
version is too small, 2 something cannot be read.
"""

import argparse
import runpy
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import field, frozen
from comparison.findings import Severity
from generation import yaml_source
from packaging.version import InvalidVersion, Version
from releases import changelog, git_history
from releases.changelog import Note
from releases.git_history import BrokenHistoryError, Release, UnknownHistoryError

VERSION_FILE = "overrides/hubspot_batch/version.py"


class UnreadableError(Exception):
    """One of the two sides cannot be read."""


# ---------------------------------------------------------------- the version


def smallest(last: Version, notes: Iterable[Note]) -> Version:
    """The smallest honest version after the release `last`.

    Semantic versioning; before 1.0.0, when it promises nothing, the second number stands for the
    first, and the third for the second.
    """
    worst = min((note.severity for note in notes), default=None)
    major, minor, patch = last.major, last.minor, last.micro
    if worst is None:
        return last
    if worst is Severity.BREAKING:
        return Version(f"{major + 1}.0.0" if major else f"0.{minor + 1}.0")
    if worst is Severity.ADDITIVE and major:
        return Version(f"{major}.{minor + 1}.0")
    return Version(f"{major}.{minor}.{patch + 1}")


def is_honest(present: Version, least: Version, last: Version) -> bool:
    """Whether a version will do; 0.2.0.dev1 counts as the 0.2.0 that it leads to."""
    return Version(present.base_version) >= least and present >= last


# ---------------------------------------------------------------- what changed


def changes(home: Path, release: Release) -> tuple[list[Note], list[Note]]:
    """What the work tree does to a program that was written for a release.

    That is what differs in the description, and in the two packages. Raises BrokenHistoryError,
    and UnreadableError where one of the sides cannot be read.
    """
    if git_history.unchanged(home, release):
        return [], []
    # Imported here: it takes longer than to see that nothing changed, or nothing was released.
    from comparison import compare_descriptions  # noqa: PLC0415
    from comparison.schema_forms import SchemaError  # noqa: PLC0415
    from releases import api_changes, public_api  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="release-") as folder:
        old = Path(folder).resolve()
        git_history.extract(home, release, old)
        before = _description(old, f"the description of {release.tag}")
        now = _description(home, "the description")
        try:
            findings = compare_descriptions.documents(before, now)
        except (SchemaError, LookupError, TypeError, AttributeError) as error:
            raise UnreadableError(f"the two descriptions cannot be compared ({error})") from error
        names: list[public_api.Names] = []
        for tree, where in ((old, f"of {release.tag}, "), (home, "")):
            try:
                names.append(public_api.read(tree))
            except public_api.UnreadableFaceError as error:
                raise UnreadableError(f"{where}{error}") from error
    found = api_changes.compare(*names)
    return changelog.notes_of_description(findings), changelog.notes_of_api(found)


def _description(tree: Path, what: str) -> Mapping[str, Any]:
    document, problems = yaml_source.read(tree / git_history.PARTS[0])
    if document is None or problems:
        said = "; ".join(f"line {one.line}: {one.text.removesuffix('.')}" for one in problems)
        raise UnreadableError(f"{what} cannot be read ({said})")
    paths = document.data.get("paths")
    if not yaml_source.is_map(paths) or not all(map(yaml_source.is_map, paths.values())):
        raise UnreadableError(f"{what} cannot be read (its `paths` are no mapping of mappings)")
    return document.data


def section(release: Release | None, description: list[Note], packages: list[Note]) -> list[str]:
    """The lines of the changelog."""
    if release is None:
        return ["Everything is new: nothing was released before."]
    if not description and not packages:
        return [f"Nothing that is public has changed since {release.version}."]
    lines: list[str] = []
    for title, notes in (("API", description), ("Python", packages)):
        if notes:
            lines += [*([""] if lines else []), f"### {title}", "", *map(str, notes)]
    return lines


# ---------------------------------------------------------------- the command


@frozen
class _State:
    """What is known of the version here."""

    present: Version
    release: Release | None
    description: list[Note] = field(factory=list[Note])
    packages: list[Note] = field(factory=list[Note])

    @property
    def notes(self) -> list[Note]:
        return [*self.description, *self.packages]


def _look(home: Path) -> _State:
    try:
        present = Version(runpy.run_path(str(home / VERSION_FILE))["__version__"])
    except (OSError, SyntaxError, KeyError, TypeError, InvalidVersion) as error:
        raise UnreadableError(f"{VERSION_FILE} does not say the version ({error})") from error
    release = git_history.last_release(home)
    return _State(present, release, *(changes(home, release) if release else ()))


def _verdict(state: _State) -> tuple[int, str]:
    """The status of `--check`, and a sentence about the version."""
    present, release = state.present, state.release
    if release is None:
        return 0, f"Nothing was released before (no tag vX.Y.Z), so {present} is honest."
    least = smallest(release.version, state.notes)
    worst = min(state.notes, key=lambda note: note.severity, default=None)
    reason = f"{release.tag} was released"
    if worst is not None:
        alike = sum(note.severity is worst.severity for note in state.notes) - 1
        more = f", and {alike} more like it" if alike else ""
        reason = f"since {release.tag}, {_MATTERS[worst.severity]}: {worst.text.rstrip('.')}{more}"
    if is_honest(present, least, release.version):
        since = f"{least} is the smallest honest version" if worst else "nothing public changed"
        return 0, f"The version {present} is honest: since {release.tag}, {since}."
    return 1, (
        f"The version {present} is too small: {reason}. "
        f"Raise it in {VERSION_FILE} to {least} at least."
    )


_MATTERS = {
    Severity.BREAKING: "something breaks",
    Severity.ADDITIVE: "something is new",
    Severity.WORDING: "the description is worded differently",
}


def _write(project: Path, state: _State) -> str:
    path, release = project / "CHANGELOG.md", state.release
    lines = section(release, state.description, state.packages)
    try:
        fresh = changelog.write(path, lines, release.version if release else None)
    except changelog.DamagedError as error:
        raise UnreadableError(f"{path.name}: {error}") from error
    counts = [sum(note.severity is one for note in state.notes) for one in Severity]
    said = ", ".join(
        f"{count} {severity}" for count, severity in zip(counts, Severity, strict=True)
    )
    return f"{path.name} {'is written' if fresh else 'was up to date'}: {said}."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the status is described at the top of this file."""
    parser = argparse.ArgumentParser(
        description="Write what changed since the last release into CHANGELOG.md.",
        epilog="Exit status: 0 done, 1 the version is too small, 2 something cannot be read.",
    )
    home = Path(__file__).resolve().parents[2]
    parser.add_argument("--check", action="store_true", help="look at the version; write nothing")
    parser.add_argument("--project", type=Path, default=home, help="the project's folder")
    options = parser.parse_args(arguments)
    project: Path = options.project.absolute()
    try:
        state = _look(project)
        status, verdict = _verdict(state)
        if not options.check:
            print(_write(project, state))
            status = 0
    except UnknownHistoryError as unknown:
        print(f"The version was not compared with the last release: {unknown}.", file=sys.stderr)
        return 0 if options.check else 2
    except (BrokenHistoryError, UnreadableError, OSError) as error:
        print(f"{error}; nothing was written.", file=sys.stderr)
        return 2
    print(verdict, file=sys.stderr if status else sys.stdout)
    return status


if __name__ == "__main__":
    sys.exit(main())
