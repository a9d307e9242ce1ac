"""Proposes a mapping for a file, to be read and changed by a person.

This module decides what is proposed: the shipped mapping of the system that the headings are from,
else names that are alike. It uses nothing by itself: what it is not sure of is written as a
comment, and the run then stops at that column.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from itertools import islice
from typing import Any

from attrs import frozen

from .known import SYNONYMS
from .operations import PROPERTIES, FileOperation, file_operation, nearest
from .table import OUR_COLUMNS, Table, is_blank, normal
from .toml import PLACEHOLDER, toml_line, toml_value

_SAMPLES = 3
_SHOWN = 40
_ROWS = 200


@frozen(eq=False)
class ShippedMapping:
    """A mapping for the exports of one system.

    Attributes:
        name: The system's name.
        about: What a person should know before using it.
        source: Where the headings are from.
        operation: The operation's words.
        columns: What each heading means, by the heading without case and space; what comes first
            is preferred where two mean the same.
        ignored: The headings that mean nothing, likewise.
    """

    name: str
    about: tuple[str, ...]
    source: str
    operation: str
    columns: Mapping[str, Any]
    ignored: frozenset[str]


@lru_cache
def shipped() -> tuple[ShippedMapping, ...]:
    """Return the mappings that come with the package."""
    found: list[ShippedMapping] = []
    folder = files("hubspot_batch.files").joinpath("mappings")
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        if file.name.endswith(".toml"):
            said = tomllib.loads(file.read_text("utf-8"))
            found.append(
                ShippedMapping(
                    file.name.removesuffix(".toml").replace("_", " "),
                    tuple(said.get("about", ())),
                    said["source"],
                    said["operation"],
                    {normal(heading): value for heading, value in said["columns"].items()},
                    frozenset(map(normal, said.get("ignore", ()))),
                )
            )
    return tuple(found)


def proposed_line(heading: str, wanted: FileOperation) -> str:
    """Return the line of a mapping file that may be meant for a column; empty if there is none."""
    name = normal(heading)
    for mapping in shipped():
        if file_operation(mapping.operation).id == wanted.id and name in mapping.columns:
            value: Any = mapping.columns[name]
            if not (isinstance(value, dict) and "join" in value):
                return toml_line(heading, value)
    known = wanted.known()
    if (record := name.removesuffix("s").removesuffix(" id")) in wanted.family.associations:
        return toml_line(heading, {"associate": record})
    if wanted.record_id and name in _names_of_ids(wanted):
        return toml_line(heading, wanted.record_id)
    short = {
        one.removeprefix("hs_call_").removeprefix("hs_").replace("_", " "): one for one in known
    }
    target = SYNONYMS.get(name, "")
    if target not in known:
        if not name.endswith(" id"):  # which may be another system's
            name = name.removeprefix(f"{_family(wanted)} ")
        close = nearest(name, tuple(short), 0.7) or nearest(name, known, 0.7)
        target = short.get(close or "", close or "")
    if not target:
        return ""
    kind = wanted.family.properties[target].kind if target in wanted.family.properties else ""
    settings = {"unit": "seconds"} if kind == "duration" else {}
    place = "property" if target in wanted.family.properties else "field"
    return toml_line(heading, {place: target, **settings} if settings else target)


def _names_of_ids(wanted: FileOperation) -> frozenset[str]:
    """Return how the id of a record is called, except where another system has such an id."""
    family = _family(wanted)
    others = [one.ignored for one in shipped() if one.operation.startswith(f"{family}s")]
    names = {f"{family} id", f"{family.rpartition(' ')[2]} id"}.difference(*others)
    return frozenset({"record id", "object id", "hs_object_id"} | names)


def _family(wanted: FileOperation) -> str:
    """Return what one record of the family is called."""
    return wanted.words.partition(" ")[0].replace("-", " ").removesuffix("s")


def propose(table: Table, operation_name: str | None = None) -> str:
    """Return the text of a mapping file for a table, to start from.

    Args:
        table: The table.
        operation_name: The operation, such as `calls create`; None for the one that fits.
    """
    columns = [name for name in table.columns if name not in OUR_COLUMNS]
    best = _best(columns, operation_name)
    wanted = file_operation(operation_name or (best.operation if best else _guess(columns)))
    samples = _samples(table)
    lines = [f"# What the columns of {_name(table)} mean. Check every line before you use it."]
    if best is not None:
        lines += [
            f"# Proposed from the mapping for {best.name}, because of the headings.",
            f"# Source of those: {best.source}",
            *(f"# {line}" for line in best.about),
        ]
    lines += [
        f"operation = {toml_value(wanted.words)}",
        '# timezone = "Europe/Paris"   # of times that name no zone; without it they are UTC',
    ]
    decided, ignored, open_ = _decide(columns, best, wanted)
    lines += ["ignore = [", *(f"  {toml_value(one)},{_said(samples[one])}" for one in ignored), "]"]
    lines += ["", "[columns]"]
    for name, line in decided.items():
        lines.append(f"{line}{_said(samples[name])}")
    if open_:
        lines += ["", "# Not decided yet: remove the # and name a property, or add it to ignore."]
    for name in open_:
        line = proposed_line(name, wanted) or toml_line(name, PLACEHOLDER)
        lines.append(f"# {line}{_said(samples[name])}")
    if PROPERTIES in wanted.fields:
        lines += ["", "# [set]   # what every record gets", '# hs_property = "value"']
    return "\n".join(lines) + "\n"


def _name(table: Table) -> str:
    return " ".join(table.name.replace("\\", "/").rpartition("/")[2].split())


def _best(columns: list[str], wanted: str | None) -> ShippedMapping | None:
    """Return the shipped mapping that knows most of the columns; at least half, and three."""
    names = {normal(one) for one in columns}
    found: list[tuple[int, ShippedMapping]] = []
    for mapping in shipped():
        if wanted is None or file_operation(wanted).id == file_operation(mapping.operation).id:
            joined = {normal(one) for value in mapping.columns.values() for one in _joined(value)}
            found.append((len(names & {*mapping.columns, *mapping.ignored, *joined}), mapping))
    count, best = max(found, key=lambda one: one[0], default=(0, None))
    return best if count >= 3 and count * 2 >= len(names) else None


def _guess(columns: list[str]) -> str:
    """Return the operation that knows most of the headings."""
    counts: dict[str, tuple[int, int]] = {}
    for words in ("calls create", "campaigns create", "marketing-events update"):
        wanted = file_operation(words)
        own = len({*columns} & {*wanted.known()})
        counts[words] = (own, sum(bool(proposed_line(name, wanted)) for name in columns))
    return max(counts, key=lambda words: counts[words])


def _decide(
    columns: list[str], best: ShippedMapping | None, wanted: FileOperation
) -> tuple[dict[str, str], list[str], list[str]]:
    """Return the lines of the columns that are decided, and the ignored and the open columns."""
    found = {normal(name): name for name in columns}
    lines: dict[str, str] = {}
    targets: set[str] = set()
    ignored: set[str] = set()
    parts: set[str] = set()
    for heading, value in best.columns.items() if best else ():
        joined = _joined(value)
        if not all(normal(one) in found for one in (heading, *joined)):
            continue
        name, *others = (found[normal(one)] for one in (heading, *joined))
        if _target(value) in targets:  # another column that is preferred means the same
            ignored |= {name, *others}
            continue
        targets.add(_target(value))
        lines[name] = toml_line(name, {**value, "join": others} if others else value)
        parts |= {*others}
    if best is not None:
        ignored |= {found[one] for one in best.ignored if one in found}
    ignored -= lines.keys() | parts
    rest = [name for name in columns if name not in lines.keys() | parts | ignored]
    for name in rest:
        if name in wanted.known():
            lines[name] = toml_line(name, name)
    return (
        lines,
        [name for name in columns if name in ignored],
        [name for name in rest if name not in lines],
    )


def _joined(value: Any) -> list[str]:
    return list(value.get("join", ())) if isinstance(value, dict) else []  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType, reportUnknownArgumentType]


def _target(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    targets = ("property", "field", "custom", "associate")
    return next(f"{one} {value[one]}" for one in targets if one in value)


def _samples(table: Table) -> dict[str, list[str]]:
    """Return the first different values of each column."""
    found: dict[str, dict[str, None]] = {name: {} for name in table.columns}
    rows = (row for row in islice(table, _ROWS) if not row.problem)
    for row in rows:
        for name, cell in zip(table.columns, row.cells, strict=True):
            if not is_blank(cell) and len(found[name]) < _SAMPLES:
                text = "".join(one if one.isprintable() else " " for one in str(cell))
                found[name][text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."] = None
    return {name: list(texts) for name, texts in found.items()}


def _said(samples: list[str]) -> str:
    return f"   # {' | '.join(samples) if samples else '(empty in the first rows)'}"
