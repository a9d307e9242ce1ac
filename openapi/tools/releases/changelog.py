"""Puts what was found into the changelog, between two markers.

Decides where that stands: below the first heading, if that is of what is not released yet, else
below a new one above it. Never touches a line outside of the markers, nor markers further down,
which belong to releases.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from packaging.version import InvalidVersion, Version

BEGIN = "<!-- From here on `make release-notes` writes. -->"
END = "<!-- Up to here. -->"
_HEADING = re.compile(r"## ")
_VERSION = re.compile(r"[0-9]+(?:\.[0-9]+)+\w*")


class DamagedError(Exception):
    """A changelog that cannot be written into without a guess."""


def write(path: Path, lines: Sequence[str], last: Version | None) -> bool:
    """Put the lines into the file; returns whether it is another now.

    Raises DamagedError, and writes nothing, when the markers are not one pair, or there is no file.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise DamagedError(f"it cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise DamagedError("it is not UTF-8") from error
    ending = "\r\n" if "\r\n" in text else "\n"
    fresh = ending.join(put(text.splitlines(), lines, last)) + ending
    if fresh == text:
        return False
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(fresh.encode())
    beside.replace(path)
    return True


def put(present: Sequence[str], lines: Sequence[str], last: Version | None) -> list[str]:
    """The lines of the changelog with these between the markers."""
    headings = [number for number, line in enumerate(present) if _HEADING.match(line)]
    start = headings[0] if headings else len(present)
    end = headings[1] if headings[1:] else len(present)
    block = [BEGIN, "", *lines, "", END]
    if not headings or not _is_open(present[start], last):
        _marked(present[:start], 0)
        above = [*present[:start], ""] if start and present[start - 1] else [*present[:start]]
        below = ["", *present[start:]] if headings else []
        return [*above, "## Unreleased", "", *block, *below]
    _marked(present[:start], 0)
    if (found := _marked(present[start:end], start)) is not None:
        first, last_line = found
        return [*present[:first], *block, *present[last_line + 1 :]]
    while not present[end - 1].strip():
        end -= 1
    return [*present[:end], "", *block, *present[end:]]


def _is_open(heading: str, last: Version | None) -> bool:
    """Whether a heading is of what is not released yet."""
    if "unreleased" in heading.lower():
        return True
    try:
        named = [Version(text) for text in _VERSION.findall(heading)[:1]]
    except InvalidVersion:
        return False
    return any(last is None or version > last for version in named)


def _marked(section: Sequence[str], offset: int) -> tuple[int, int] | None:
    places = [(n, line.strip()) for n, line in enumerate(section) if line.strip() in (BEGIN, END)]
    if not places:
        return None
    if [line for _, line in places] != [BEGIN, END]:
        numbers = ", ".join(str(offset + number + 1) for number, _ in places)
        raise DamagedError(
            f"below one heading stands `{BEGIN}` once and then `{END}` once, or neither; mend "
            f"line {numbers}, or delete what is left of them"
        )
    return offset + places[0][0], offset + places[1][0]
