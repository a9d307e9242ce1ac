"""The settings of a mapping: what a TOML file or options say, checked and put into values.

This module decides which settings there are. Whether they fit a file's columns is for the mapping.
"""

from __future__ import annotations

import datetime as dt
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from attrs import Factory, evolve, frozen

from .errors import MappingError
from .moments import CLOCKS, UNITS
from .operations import file_operation
from .toml import PLACEHOLDER
from .toml_settings import TomlSettings

_TARGETS = ("property", "field", "custom", "associate", "to")
_SETTINGS = (
    *_TARGETS,
    *("join", "date", "timezone", "time", "unit", "words", "others", "separator", "empty"),
    "category",
)
_TOP = ("operation", "timezone", "ignore", "ignore_unknown", "columns", "set", "source", "about")


@frozen
class Column:
    """The meaning of a column.

    Attributes:
        heading: Its heading.
        place: `property`, `field`, `custom` (a custom property of an event), `associate`, or `to`
            for whichever of them has that name.
        target: The name there; of an association the other record's name, or a type id.
        join: The columns whose texts follow this one's, such as the time that belongs to a date.
        date: The format of dates: one of `moments.NAMED`, or a format of strptime.
        timezone: The zone of times that name none.
        time: The time of day of dates without one.
        unit: What a bare number of a duration counts, or how a clock is read.
        words: What is sent for each word of the file.
        others: Whether other words are refused (`refuse`) or read as they are (`keep`).
        separator: What separates the values of a list.
        empty: What an empty cell means: `omit`, or `clear` for the empty text.
        category: The category of an association's type id.
    """

    heading: str
    place: str
    target: str
    join: tuple[str, ...] = ()
    date: str | None = None
    timezone: str | None = None
    time: dt.time | None = None
    unit: str | None = None
    words: Mapping[str, str] = Factory(dict[str, str])
    others: str = "refuse"
    separator: str | None = None
    empty: str = "omit"
    category: str = "HUBSPOT_DEFINED"


@frozen
class MappingSettings:
    """All settings of a mapping.

    Attributes:
        operation: The operation's words or id; None if it is said elsewhere.
        columns: The columns that mean something.
        constants: What every record gets.
        ignore: The columns that mean nothing.
        ignore_unknown: Whether columns that are not named at all mean nothing.
        timezone: The zone of times that name none; None for UTC.
        source: Where the settings are from.
    """

    operation: str | None = None
    columns: tuple[Column, ...] = ()
    constants: Mapping[str, Any] = Factory(dict[str, Any])
    ignore: tuple[str, ...] = ()
    ignore_unknown: bool = False
    timezone: str | None = None
    source: str = "the mapping"

    def joined(self, other: MappingSettings) -> MappingSettings:
        """Return these settings with others, which win where both say something."""
        new = {column.heading for column in other.columns}
        old = (one for one in self.columns if one.heading not in (*new, *other.ignore))
        return evolve(
            self,
            operation=other.operation or self.operation,
            columns=(*old, *other.columns),
            constants={**self.constants, **other.constants},
            ignore=tuple(one for one in (*self.ignore, *other.ignore) if one not in new),
            ignore_unknown=self.ignore_unknown or other.ignore_unknown,
            timezone=other.timezone or self.timezone,
            source=other.source if other.operation else self.source,
        )


def load(path: str | os.PathLike[str]) -> MappingSettings:
    """Read a mapping file.

    Raises:
        MappingError: It is no TOML, or has unknown settings.
    """
    name = os.fspath(path)
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
        said = tomllib.loads(text)
    except OSError as error:
        raise MappingError(f"{name}: it cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise MappingError(f"{name}: it is not UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"{name}: it is no TOML: {error}.") from None
    return parse(said, name, text)


def parse(said: Mapping[str, Any], source: str, text: str = "") -> MappingSettings:
    """Return the settings of a mapping file's content.

    Args:
        said: The content.
        source: The file's name.
        text: Its text, in which the lines of mistakes are found.

    Raises:
        MappingError: There are no such settings.
    """
    top = TomlSettings(said, source, text)
    top.check_names(_TOP)
    columns, ignore = top.inner("columns"), top.texts("ignore")
    for name in ignore:
        if name in columns.said:
            raise top.error("ignore", f'"{name}" is in ignore and in [columns]. Remove one.')
    return MappingSettings(
        operation=_operation(top),
        columns=tuple(column(heading, columns) for heading in columns.said),
        constants=top.constants("set"),
        ignore=ignore,
        ignore_unknown=top.flag("ignore_unknown"),
        timezone=top.zone("timezone"),
        source=source,
    )


def _operation(top: TomlSettings) -> str | None:
    name = top.text("operation")
    if name is not None:
        try:
            file_operation(name)
        except MappingError as error:
            raise top.error("operation", error.message) from None
    return name


def from_options(
    *,
    map: Iterable[str] = (),  # noqa: A002 - the option's name
    set: Iterable[str] = (),  # noqa: A002 - the option's name
    associate: Iterable[str] = (),
    timezone: str | None = None,
    ignore: Iterable[str] = (),
    ignore_unknown: bool = False,
) -> MappingSettings:
    """Return the settings that options of the command line say.

    Args:
        map: Mapping files (`FILE.toml`) and columns (`Column=property`); later ones win.
        set: What every record gets, as `property=value`.
        associate: Columns of ids, as `contact=Column`.
        timezone: The zone of times that name none.
        ignore: Columns that mean nothing.
        ignore_unknown: Whether columns that are not named mean nothing.

    Raises:
        MappingError: An option cannot be read.
    """
    settings = MappingSettings(source="the options")
    for option in map:
        if option.endswith(".toml") and "=" not in option:
            settings = settings.joined(load(option))
            continue
        if "=" not in option:
            raise MappingError(
                f'--map {option!r}: write it as "Column=property", or name a mapping file, which '
                "ends in .toml."
            )
        heading, target = _pair(option, "--map", "Column=property", last=True)
        if problem := _target_problem(target):
            raise MappingError(f"--map {option!r}: {problem}")
        settings = settings.joined(MappingSettings(columns=(Column(heading, "to", target),)))
    for option in associate:
        target, heading = _pair(option, "--associate", "contact=Column")
        settings = settings.joined(MappingSettings(columns=(Column(heading, "associate", target),)))
    pairs = [_pair(option, "--set", "property=value") for option in set]
    return settings.joined(
        MappingSettings(
            constants=dict(pairs),
            ignore=tuple(ignore),
            ignore_unknown=ignore_unknown,
            timezone=TomlSettings({"timezone": timezone or None}, "--timezone").zone("timezone"),
        )
    )


def _pair(option: str, name: str, form: str, *, last: bool = False) -> tuple[str, str]:
    first, equals, second = option.rpartition("=") if last else option.partition("=")
    if not equals or not first.strip() or (last and not second.strip()):
        raise MappingError(f'{name} {option!r}: write it as "{form}".')
    return first.strip(), second.strip() if last else second


def column(heading: str, columns: TomlSettings) -> Column:
    """Return what a mapping file says of a column.

    Raises:
        MappingError: There are no such settings.
    """
    target = columns.said[heading]
    if isinstance(target, str):
        if problem := _target_problem(target):
            raise columns.error(heading, f'"{heading}": {problem}')
        return Column(heading, "to", target)
    said = columns.column(heading)
    said.check_names(_SETTINGS)
    targets = [name for name in _TARGETS if name in said.said]
    if len(targets) != 1:
        raise said.error("", f"name one of {', '.join(_TARGETS[:-1])}.")
    target = said.said[targets[0]]
    if isinstance(target, bool) or not isinstance(target, str | int):
        raise said.error(targets[0], f"{targets[0]} is {target!r}; write a name.")
    if problem := _target_problem(str(target)):
        raise said.error(targets[0], problem)
    return Column(
        heading,
        *(targets[0], str(target)),
        join=said.texts("join"),
        date=said.date("date"),
        timezone=said.zone("timezone"),
        time=said.time("time"),
        unit=said.choice("unit", (*UNITS, *CLOCKS)),
        words=said.words("words"),
        others=said.choice("others", ("refuse", "keep")) or "refuse",
        separator=said.text("separator"),
        empty=said.choice("empty", ("omit", "clear")) or "omit",
        category=said.text("category") or "HUBSPOT_DEFINED",
    )


def _target_problem(target: str) -> str:
    """Return why a text is the name of nothing; empty if it may be a name."""
    if not target.strip():
        return f"{target!r} is no name; write a property's name, or add the column to ignore."
    if target.strip() == PLACEHOLDER:
        return f"{PLACEHOLDER} stands for a name; write it, or add the column to ignore."
    return ""
