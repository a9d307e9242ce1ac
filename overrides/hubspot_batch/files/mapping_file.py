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
from .moments import CLOCKS, NAMED, UNITS, zone_of
from .operations import nearest

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
        )


def load(path: str | os.PathLike[str]) -> MappingSettings:
    """Read a mapping file.

    Raises:
        MappingError: It is no TOML, or has settings that there are not.
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
    return parse(said, name)


def parse(said: Mapping[str, Any], source: str) -> MappingSettings:
    """Return the settings of a mapping file's content.

    Raises:
        MappingError: There are no such settings.
    """
    _known(said, _TOP, source)
    columns = _table(said, "columns", source)
    return MappingSettings(
        operation=_text(said, "operation", source),
        columns=tuple(column(heading, value, source) for heading, value in columns.items()),
        constants={k: _constant(k, v, source) for k, v in _table(said, "set", source).items()},
        ignore=_texts(said.get("ignore", ()), "ignore", source),
        ignore_unknown=said.get("ignore_unknown") is True,
        timezone=_zone(said, source),
        source=source,
    )


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
        heading, target = _pair(option, "--map", "Column=property", last=True)
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
            timezone=_zone({"timezone": timezone} if timezone else {}, "--timezone"),
        )
    )


def _pair(option: str, name: str, form: str, *, last: bool = False) -> tuple[str, str]:
    first, equals, second = option.rpartition("=") if last else option.partition("=")
    if not equals or not first.strip() or (last and not second.strip()):
        raise MappingError(f'{name} {option!r}: write it as "{form}".')
    return first.strip(), second.strip() if last else second


def column(heading: str, said: Any, source: str) -> Column:
    """Return what a mapping file says of a column.

    Raises:
        MappingError: There are no such settings.
    """
    where = f'{source}: "{heading}"'
    if isinstance(said, str):
        return Column(heading, "to", said)
    if not isinstance(said, dict):
        raise MappingError(f"{where}: write a property's name, or settings in braces.")
    settings: dict[str, Any] = {str(k): v for k, v in said.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    _known(settings, _SETTINGS, where)
    targets = [name for name in _TARGETS if name in settings]
    if len(targets) != 1:
        raise MappingError(f"{where}: name one of {', '.join(_TARGETS[:-1])}.")
    target = settings[targets[0]]
    if isinstance(target, bool) or not isinstance(target, str | int) or target == "":
        raise MappingError(f"{where}: {targets[0]} is {target!r}; write a name.")
    words = _table(settings, "words", where)
    return Column(
        heading,
        *(targets[0], str(target)),
        join=_texts(settings.get("join", ()), "join", where),
        date=_date(settings, where),
        timezone=_zone(settings, where),
        time=_time(settings, where),
        unit=_choice(settings, "unit", (*UNITS, *CLOCKS), where),
        words={word.strip().casefold(): _word(value, where) for word, value in words.items()},
        others=_choice(settings, "others", ("refuse", "keep"), where) or "refuse",
        separator=_text(settings, "separator", where),
        empty=_choice(settings, "empty", ("omit", "clear"), where) or "omit",
        category=_text(settings, "category", where) or "HUBSPOT_DEFINED",
    )


def _known(said: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
    for name in said:
        if name not in names:
            close = nearest(name, names, 0.6)
            hint = f"did you mean {close}?" if close else f"there are {', '.join(names)}."
            raise MappingError(f"{where}: there is no setting {name!r}; {hint}")


def _table(said: Mapping[str, Any], name: str, where: str) -> dict[str, Any]:
    value = said.get(name, {})
    if not isinstance(value, dict):
        raise MappingError(f"{where}: {name} must be a table.")
    return value  # pyright: ignore[reportUnknownVariableType]


def _text(said: Mapping[str, Any], name: str, where: str) -> str | None:
    value = said.get(name)
    if value is None or (isinstance(value, str) and value):
        return value
    raise MappingError(f"{where}: {name} is {value!r}, but must be a text.")


def _texts(value: Any, name: str, where: str) -> tuple[str, ...]:
    listed: list[Any] = [value] if isinstance(value, str) else [*value]
    if not all(isinstance(one, str) for one in listed):
        raise MappingError(f"{where}: {name} must be a list of headings.")
    return tuple(listed)


def _choice(said: Mapping[str, Any], name: str, names: tuple[str, ...], where: str) -> str | None:
    value = said.get(name)
    if value is None or value in names:
        return value
    raise MappingError(f"{where}: {name} is {value!r}; there are {', '.join(names)}.")


def _date(said: Mapping[str, Any], where: str) -> str | None:
    value = _text(said, "date", where)
    if value is None or value in NAMED or "%" in value:
        return value
    raise MappingError(
        f"{where}: date is {value!r}; there are {', '.join(NAMED)}, and formats such as "
        '"%d.%m.%Y %H:%M".'
    )


def _zone(said: Mapping[str, Any], where: str) -> str | None:
    value = _text(said, "timezone", where)
    if value is not None:
        try:
            zone_of(value)
        except ValueError as error:
            raise MappingError(f"{where}: {error}.") from None
    return value


def _time(said: Mapping[str, Any], where: str) -> dt.time | None:
    value = said.get("time")
    if value is None or isinstance(value, dt.time):
        return value
    try:
        return dt.time.fromisoformat(value)
    except (TypeError, ValueError):
        raise MappingError(f'{where}: time is {value!r}; write it as "12:00".') from None


def _word(value: Any, where: str) -> str:
    if isinstance(value, str):
        return value
    raise MappingError(f"{where}: words stand for texts, and {value!r} is none.")


def _constant(name: str, value: Any, where: str) -> Any:
    if isinstance(value, str | int | float | dt.date):
        return value
    raise MappingError(f"{where}: set.{name} is {value!r}, but must be a single value.")
