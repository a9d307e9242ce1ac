"""The lines of the changelog, and their place in it.

Decides the sentence for each difference, and where the sentences go: between two markers below the
first heading if that is not released yet, else below a new heading above it. It never touches a
line outside of the markers, nor markers of earlier releases.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen
from comparison.findings import Finding, Severity, ordered
from generation.yaml_source import is_list
from packaging.version import InvalidVersion, Version

if TYPE_CHECKING:
    from .api_changes import ApiChange

BEGIN = "<!-- From here on `make release-notes` writes. -->"
END = "<!-- Up to here. -->"
MARK = "**Breaking:** "
_FEW = 3  # the most changes that get a line each
_LONGEST = 60  # the longest value in a line
_SIDES = {"request": "a request", "response": "a response", "operation": ""}
_HEADING = re.compile(r"## ")
_VERSION = re.compile(r"[0-9]+(?:\.[0-9]+)+\w*")


@frozen
class Note:
    """A line of the changelog, and its severity."""

    severity: Severity
    text: str

    def __str__(self) -> str:
        return f"- {MARK if self.severity is Severity.BREAKING else ''}{self.text}"


# ---------------------------------------------------------------- the description


def notes_of_description(findings: Iterable[Finding]) -> list[Note]:
    """Return a line for each finding, by operation; changes of wording are only counted."""
    found = ordered(findings)
    notes = [
        Note(one.severity, f"`{one.operation}`: {_sentence(one)}")
        for one in found
        if one.severity is not Severity.WORDING
    ]
    if count := len(found) - len(notes):
        places = "one place" if count == 1 else f"{count} places"
        notes.append(Note(Severity.WORDING, f"The description is worded differently in {places}."))
    return notes


def _sentence(finding: Finding) -> str:
    where, place = _SIDES[finding.direction], finding.spot
    what = " ".join([finding.kind.replace("_", " "), *([f"`{place}`"] if place else [])])
    was: Any = finding.was
    now: Any = finding.now
    if finding.kind == "limit" and _is_number(was, now) and place == "inputs":
        return f"{where} takes {now} inputs at most, and took {was} before."
    inside = f" of {where}" if where else ""
    if is_list(was) and is_list(now):
        said = _lists(was, now)
    elif was is None:
        said = f" is new{_shown(': ', now)}."
    elif now is None:
        said = f" is gone{_shown(' (it was ', was, ')')}."
    elif _short(was) and _short(now):
        said = f" is {_short(now)}, it was {_short(was)}."
    else:
        said = " has changed."
    why = f" {finding.why}" if finding.why and finding.severity is Severity.BREAKING else ""
    return f"the {what}{inside}{said}{why}"


def _lists(was: list[Any], now: list[Any]) -> str:
    fresh = [_short(one) for one in now if one not in was]
    gone = [_short(one) for one in was if one not in now]
    if (not fresh and not gone) or not all([*fresh, *gone]):
        return " has changed."
    said = [f"{', '.join(fresh)} new"] if fresh else []
    said += [f"{', '.join(gone)} gone"] if gone else []
    return f": {'; '.join(said)}."


def _shown(before: str, value: Any, after: str = "") -> str:
    short = _short(value)
    return f"{before}{short}{after}" if short else ""


def _short(value: Any) -> str:
    """Return a value as text, or an empty text if there is none or it is long."""
    if is_list(value):
        parts = [_short(part) for part in value]
        text = ", ".join(parts) if all(parts) else ""
    elif isinstance(value, bool):
        text = "`true`" if value else "`false`"
    elif isinstance(value, int | float):
        text = str(value)
    else:
        text = f"`{value}`" if isinstance(value, str) else ""
    return text if len(text) <= _LONGEST and text.isprintable() else ""


def _is_number(*values: object) -> bool:
    return all(isinstance(value, int) and not isinstance(value, bool) for value in values)


# ---------------------------------------------------------------- the packages


def notes_of_api(changes: Iterable[ApiChange]) -> list[Note]:
    """Return a line for each change of the API, or one line for many equal changes."""
    alike: dict[tuple[object, ...], list[ApiChange]] = defaultdict(list)
    for change in changes:
        thing, _, member = change.path.rpartition(".")
        in_a_class = thing.rpartition(".")[2][:1].isupper()
        alike[change.severity, change.text, member if in_a_class else change.path].append(change)
    return [note for group in alike.values() for note in _notes_of_group(group)]


def _notes_of_group(group: list[ApiChange]) -> Iterator[Note]:
    if len(group) <= _FEW:
        yield from (Note(change.severity, str(change)) for change in group)
    else:
        others = f" The same is true of {len(group) - 1} other classes."
        yield Note(group[0].severity, str(group[0]) + others)


# ---------------------------------------------------------------- the file


class DamagedError(Exception):
    """A changelog in which the place for the lines is not clear."""


def write(path: Path, lines: Sequence[str], last: Version | None) -> bool:
    """Put the lines into the file; return True if that changes it.

    Raises DamagedError, and writes nothing, if the markers are not one pair, or there is no file.
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


def section(
    last: Version | None, description: Sequence[Note], packages: Sequence[Note]
) -> list[str]:
    """Return the lines between the markers: the changes since the release `last`."""
    if last is None:
        return ["Everything is new: nothing was released before."]
    if not description and not packages:
        return [f"Nothing that is public has changed since {last}."]
    lines: list[str] = []
    for title, notes in (("API", description), ("Python", packages)):
        if notes:
            lines += [*([""] if lines else []), f"### {title}", "", *map(str, notes)]
    return lines


def put(present: Sequence[str], lines: Sequence[str], last: Version | None) -> list[str]:
    """Return the changelog with these lines between the markers."""
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
    """Return True if a heading belongs to an unreleased version."""
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
            f"a heading is followed by one `{BEGIN}` and then one `{END}`, or by neither; fix "
            f"line {numbers}, or delete these marks"
        )
    return offset + places[0][0], offset + places[1][0]
