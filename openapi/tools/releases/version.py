"""The version of the package, and the smallest version that fits the changes since a release.

Decides by semantic versioning. Before 1.0.0, where semantic versioning promises nothing, the second
number stands for the first, and the third for the second.
"""

import runpy
from collections.abc import Iterable
from pathlib import Path

from comparison.findings import Severity
from packaging.version import Version

from .changelog import Note

VERSION_FILE = "overrides/hubspot_batch/version.py"


def read_version(project: Path) -> Version:
    """Return the version that the build reads too."""
    return Version(runpy.run_path(str(project / VERSION_FILE))["__version__"])


def smallest(last: Version, notes: Iterable[Note]) -> Version:
    """Return the smallest honest version after the release `last`."""
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
    """Compare a version with the smallest honest one; 0.2.0.dev1 counts as the later 0.2.0."""
    return Version(present.base_version) >= least and present >= last
