"""Reads the settings of a mapping file's tables, and names the line of one that is wrong.

This module decides which values a setting takes. What a setting means is decided elsewhere.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from hubspot_batch._json import is_list

from .date_formats import format_problem
from .errors import MappingError
from .moments import NAMED, zone_of
from .operations import nearest
from .toml import toml_value


class TomlSettings:
    """The settings of a table.

    Args:
        said: The table.
        source: The name of the file.
        text: The text of the file; empty if there is none.
        heading: The column that the table is about; empty if it is about none.
        below: The line below which the table stands.
    """

    def __init__(
        self,
        said: Mapping[str, Any],
        source: str,
        text: str = "",
        heading: str = "",
        below: int = 0,
    ) -> None:
        self.said = said
        self._source = source
        self._text = text
        self._heading = heading
        self._below = below

    def error(self, name: str, sentence: str) -> MappingError:
        """Return the exception for a setting that is wrong; an empty name is the whole table."""
        line = self._line(name) or self._line("")
        where = f"{self._source}, line {line}" if line else self._source
        column = f' "{self._heading}":' if self._heading else ""
        return MappingError(f"{where}:{column} {sentence}")

    def _line(self, name: str) -> int:
        """Return the line in which a name is set; 0 if it cannot be found."""
        if not name:
            return self._below
        spelled = "|".join(map(re.escape, (name, toml_value(name)[1:-1])))
        named = re.compile(rf"""(?:^|[\s{{,.\[])["']?(?:{spelled})["']?\s*[=\].]""")
        lines = enumerate(self._text.splitlines(), 1)
        found = (at for at, line in lines if at >= self._below and named.search(line))
        return next(found, 0)

    def inner(self, name: str) -> TomlSettings:
        """Return the table with a name; an empty one if there is none."""
        value = self.said.get(name, {})
        if not isinstance(value, dict):
            raise self.error(name, f"{name} must be a table.")
        table: dict[str, Any] = {str(key): one for key, one in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        return TomlSettings(
            table, self._source, self._text, self._heading, self._line(name) or self._below
        )

    def column(self, heading: str) -> TomlSettings:
        """Return the settings of a column, which must be a table."""
        value = self.said[heading]
        if not isinstance(value, dict):
            sentence = f'"{heading}": write a property\'s name, or settings in braces.'
            raise self.error(heading, sentence)
        table: dict[str, Any] = {str(key): one for key, one in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        return TomlSettings(table, self._source, self._text, heading, self._line(heading))

    def check_names(self, names: tuple[str, ...]) -> None:
        """Refuse a setting that there is not."""
        for name in self.said:
            if name not in names:
                raise self.error(name, f"there is no setting {name!r}; {_hint(name, names)}")

    def text(self, name: str) -> str | None:
        """Return a text that is not empty; None if it is not set."""
        value = self.said.get(name)
        if value is None or (isinstance(value, str) and value):
            return value
        raise self.error(name, f"{name} is {value!r}, but must be a text.")

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of headings, which may also be one."""
        value = self.said.get(name, [])
        listed: Any = [value] if isinstance(value, str) else value
        if not is_list(listed) or not all(isinstance(one, str) for one in listed):
            raise self.error(name, f"{name} must be a list of headings.")
        return tuple(listed)

    def flag(self, name: str) -> bool:
        """Return true or false; false if it is not set."""
        value = self.said.get(name, False)
        if isinstance(value, bool):
            return value
        raise self.error(name, f"{name} is {value!r}, but must be true or false.")

    def choice(self, name: str, names: tuple[str, ...]) -> str | None:
        """Return one of several words; None if it is not set."""
        value = self.said.get(name)
        if value is None or value in names:
            return value
        raise self.error(name, f"{name} is {value!r}; {_hint(value, names)}")

    def date(self, name: str) -> str | None:
        """Return the format of dates; None if it is not set."""
        value = self.text(name)
        if value is None or value in NAMED:
            return value
        if "%" not in value:
            close = _hint(value, NAMED)
            formats = 'formats such as "%d.%m.%Y %H:%M"'
            raise self.error(name, f"{name} is {value!r}; {close} There are also {formats}.")
        if problem := format_problem(value):
            raise self.error(name, f"{name} is {value!r}: {problem}.")
        return value

    def zone(self, name: str) -> str | None:
        """Return the name of a time zone; None if it is not set."""
        value = self.text(name)
        if value is not None:
            try:
                zone_of(value)
            except ValueError as error:
                raise self.error(name, f"{error}") from None
        return value

    def time(self, name: str) -> dt.time | None:
        """Return a time of day; None if it is not set."""
        value = self.said.get(name)
        if value is None or isinstance(value, dt.time):
            return value
        try:
            return dt.time.fromisoformat(value)
        except (TypeError, ValueError):
            raise self.error(name, f'{name} is {value!r}; write it as "12:00".') from None

    def words(self, name: str) -> dict[str, str]:
        """Return what is sent for each word, in lower case."""
        found: dict[str, str] = {}
        for word, value in self.inner(name).said.items():
            if not isinstance(value, str):
                raise self.error(name, f"words stand for texts, and {value!r} is none.")
            key = word.strip().casefold()
            if found.setdefault(key, value) != value:
                raise self.error(name, f"{word!r} stands for two texts; case does not count.")
        return found

    def constants(self, name: str) -> dict[str, Any]:
        """Return what every record gets."""
        inner = self.inner(name)
        for key, value in inner.said.items():
            if not key.strip():
                raise inner.error(key, f"{name} has a value for {key!r}, which is no name.")
            if not isinstance(value, str | int | float | dt.date):
                sentence = f"{name}.{key} is {value!r}, but must be a single value."
                raise inner.error(key, sentence)
        return dict(inner.said)


def _hint(name: Any, names: tuple[str, ...]) -> str:
    close = nearest(name, names, 0.6) if isinstance(name, str) else None
    return f"did you mean {close}?" if close else f"there are {', '.join(names)}."
