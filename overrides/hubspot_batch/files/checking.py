"""Compares the settings of a mapping with the columns of a table.

This module decides what each column means: what the mapping says, else what the heading says if it
is HubSpot's own name. It never decides by what the cells look like, and a column that means nothing
must be said to mean nothing.
"""

from __future__ import annotations

from typing import Any

from . import cells
from .cells import Read
from .definitions import Definitions, refusal, value_problems
from .errors import MappingError
from .known import KnownProperty
from .mapping_file import Column, MappingSettings
from .moments import AssumedUtc, plain, zone_of
from .operations import CUSTOM, PROPERTIES, FileOperation, file_operation, nearest
from .proposals import proposed_line
from .row_mapper import Association, RowMapper, Step, raw
from .table import OUR_COLUMNS, normal
from .toml import PLACEHOLDER, toml_line, toml_value

_MEANT_FOR = {
    "unit": (("duration",), "durations"),
    "date": (("moment", "day"), "dates and times"),
    "time": (("moment",), "dates and times"),
    "timezone": (("moment",), "dates and times"),
}


def check_columns(
    settings: MappingSettings,
    columns: tuple[str, ...],
    unit: str = "line",
    account: Definitions | None = None,
) -> RowMapper:
    """Return what makes inputs of rows with these columns.

    Args:
        settings: The settings of the mapping.
        columns: The names of the columns.
        unit: What the number of a row counts.
        account: How the account defines its properties; None if it was not asked.

    Raises:
        MappingError: Something does not fit; the message has a line for each such thing.
    """
    return _Check(settings, columns, unit, account).mapper()


class _Check:
    """Compares a mapping with columns, and collects everything that does not fit."""

    def __init__(
        self,
        settings: MappingSettings,
        columns: tuple[str, ...],
        unit: str,
        account: Definitions | None,
    ) -> None:
        if settings.operation is None:
            raise MappingError(
                f"{settings.source} does not say for which operation it is. Add the line "
                'operation = "calls create", or the like.'
            )
        self._settings = settings
        self._operation: FileOperation = file_operation(settings.operation)
        self._columns = columns
        self._unit = unit
        self._account = account
        self._at = {name: at for at, name in enumerate(columns)}
        self._problems: list[str] = []
        self._notes: list[str] = []
        self._assumed = AssumedUtc()
        self._says_known = False
        self._steps: dict[str, list[Step]] = {
            place: [] for place in ("property", "field", "custom")
        }
        self._associations: list[Association] = []
        self._targets: dict[str, str] = {}

    def mapper(self) -> RowMapper:
        for column in self._settings.columns:
            self._add(column)
        ignored = {self._find(name) for name in self._settings.ignore}
        for name in self._columns:
            if name in self._targets:
                continue
            if name in ignored or name in OUR_COLUMNS:
                self._targets[name] = "ignored"
            elif name in self._operation.known() or self._is_container(name):
                self._add(Column(name, "to", name))
            elif self._settings.ignore_unknown:
                self._targets[name] = "ignored"
            else:
                self._problems.append(self._unmapped(name))
        constants = self._constants()
        self._check_required(constants)
        if self._problems:
            known = ", ".join(self._operation.known())
            raise MappingError(
                "The mapping does not fit the columns, so nothing was sent:\n"
                + "\n".join(f"- {problem}" for problem in self._problems)
                + (f"\nKnown here are {known}." if self._says_known else "")
            )
        steps = {place: tuple(found) for place, found in self._steps.items()}
        return RowMapper(
            operation=self._operation,
            properties=steps["property"],
            fields=steps["field"],
            custom=steps["custom"],
            associations=tuple(self._associations),
            constants=constants,
            notes=tuple(self._notes),
            assumed=self._assumed,
            targets=tuple((name, self._targets[name]) for name in self._columns),
            unit=self._unit,
            account=self._account,
        )

    def _find(self, heading: str) -> str | None:
        """Return the column with a heading, which may differ in case and space if it is the one."""
        if heading in self._at:
            return heading
        wanted = normal(heading)
        found = [name for name in self._columns if normal(name) == wanted]
        return found[0] if len(found) == 1 else None

    def _is_container(self, name: str) -> bool:
        return name in self._operation.fields

    def _add(self, column: Column) -> None:
        name = self._find(column.heading)
        if name is None:
            if not self._is_repeated(column.heading):
                self._missing(column.heading)
            return
        joined = [self._find(one) for one in column.join]
        for heading, found in zip(column.join, joined, strict=True):
            if found is None:
                self._missing(heading)
        if name in self._targets:
            self._problems.append(f'"{name}" is mapped twice.')
            return
        self._targets[name] = column.target  # said better below, if nothing is wrong
        if column.place == "associate":
            self._associate(name, column)
        else:
            self._target(name, column, tuple(self._at[one] for one in joined if one is not None))
        for one in joined:
            if one in self._targets:
                self._problems.append(f'"{one}" is mapped twice.')
            elif one is not None:
                self._targets[one] = f'part of "{name}"'

    def _is_repeated(self, heading: str) -> bool:
        """Say that a heading is there several times; return whether it is."""
        start = f"{normal(heading)} (column "
        found = [name for name in self._columns if normal(name).startswith(start)]
        if found:
            names = ", ".join(f'"{name}"' for name in found)
            self._problems.append(
                f'The heading "{heading}" is there {len(found)} times. Name the column you mean: '
                f"{names}."
            )
        return bool(found)

    def _missing(self, heading: str) -> None:
        close = nearest(heading, self._columns)
        hint = f'Did you mean "{close}"?' if close else "Remove it from the mapping."
        self._problems.append(f'The mapping has a column "{heading}" that the table lacks. {hint}')

    def _target(self, name: str, column: Column, joined: tuple[int, ...]) -> None:
        place, target = column.place, column.target
        if place == "to":
            found = self._operation.place(target)
            if found is None:
                fields = ", ".join(self._operation.known())
                custom = f' A custom property is written "{name}" = {{ custom = "{target}" }}.'
                self._problems.append(
                    f'"{name}" is mapped to {target}, which {self._operation.words} does not '
                    f"have; it has {fields}.{custom if CUSTOM in self._operation.fields else ''}"
                )
                return
            place, target = found
        if place != "field" and (problem := self._forbidden(place, target)):
            self._problems.append(f'"{name}": {problem}')
            return
        if any(step.name == target for step in self._steps[place]):
            other = next(step.heading for step in self._steps[place] if step.name == target)
            self._problems.append(f'"{name}" and "{other}" are both mapped to {target}.')
            return
        known = self._operation.kind(place, target)
        self._refuse_needless(name, column, target, known.kind)
        read = self._reader(column, known, own=name == target)
        clear = column.empty == "clear"
        self._steps[place].append(Step(name, target, self._at[name], joined, read, clear))
        self._targets[name] = f"{'custom property ' if place == 'custom' else ''}{target}"

    def _refuse_needless(self, name: str, column: Column, target: str, kind: str) -> None:
        """Refuse a setting that means nothing for its target: the cell would be sent as it is."""
        for setting, (kinds, words) in _MEANT_FOR.items():
            if getattr(column, setting) is not None and kind not in kinds:
                self._problems.append(
                    f'"{name}": {setting} is for {words}, and {target} is not known as one. '
                    "Remove it."
                )

    def _forbidden(self, place: str, name: str) -> str:
        """Return why a property cannot be written; empty if nothing is known against it."""
        if place == "custom":
            return "" if self._account is None else refusal(name, self._account)
        family, known = self._operation.family, tuple(self._operation.family.properties)
        if PROPERTIES not in self._operation.fields:
            return f"{self._operation.words} has no properties."
        if self._account is not None and (problem := refusal(name, self._account)):
            return problem
        if name in family.properties:
            return ""
        close = nearest(name, known)
        lower = name.lower()
        if lower in family.refused or (family.closed and lower.startswith("hs_")):
            hint = f"Did you mean {close}?" if close else f"It takes {', '.join(known)}."
            return f"HubSpot does not let {name} be written. {hint}"
        if self._account is not None:
            return ""
        if lower.startswith("hs_") and close:
            return f"there is no property {name} that is known. Did you mean {close}?"
        if family.properties:
            self._notes.append(f"{name} is not among the properties known here, and not checked.")
        return ""

    def _reader(self, column: Column, known: KnownProperty, *, own: bool) -> Read:
        if known.kind == "raw":
            return raw
        zone = column.timezone or self._settings.timezone
        unit = column.unit or ("milliseconds" if own and known.kind == "duration" else None)
        read = cells.reader(
            known.kind,
            options=known.options,
            date=column.date,
            zone=zone_of(zone) if zone else self._assumed,
            time=column.time,
            own=own or column.date is None,
            unit=unit,
        )
        if column.separator:
            read = _with_separator(column.separator, read)
        return _with_words(column, read, known) if column.words else read

    def _associate(self, name: str, column: Column) -> None:
        types = self._operation.family.associations
        type_id = types.get(column.target.lower(), column.target)
        if not str(type_id).isdecimal() or "associations" not in self._operation.fields:
            known = ", ".join(types) or "none"
            self._problems.append(
                f'"{name}": {self._operation.words} knows no association with {column.target!r}; '
                f"it knows {known}, and type ids."
            )
            return
        read: Read = cells.record
        if column.words:
            read = _with_words(column, read, KnownProperty("record"))
        kind = {"associationCategory": column.category, "associationTypeId": int(type_id)}
        separator = column.separator or ";"
        self._associations.append(Association(name, self._at[name], read, separator, kind))
        self._targets[name] = f"association with {column.target}"

    def _constants(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {"property": {}, "field": {}, "custom": {}}
        for name, value in self._settings.constants.items():
            place = self._operation.place(name)
            if place is None:
                self._problems.append(f"{self._operation.words} has no {name} to set.")
                continue
            problem = "" if place[0] == "field" else self._forbidden(*place)
            known = self._operation.kind(*place)
            try:
                read = self._reader(Column(name, *place), known, own=True)
                found[place[0]][place[1]] = value if value == "" else read(value)
            except ValueError as error:
                problem = f"{error}."
            else:
                problem = problem or self._refused_value(*place, found[place[0]][place[1]])
            if problem:
                self._problems.append(f"set {name}: {problem}")
        return found

    def _refused_value(self, place: str, name: str, value: Any) -> str:
        """Return why the account does not take a value; empty if it was not asked, or takes it."""
        if self._account is None or place == "field":
            return ""
        return next((f"{words}." for _, words in value_problems({name: value}, self._account)), "")

    def _check_required(self, constants: dict[str, dict[str, Any]]) -> None:
        wanted = [("field", name) for name in self._operation.required]
        raw_properties = any(step.name == PROPERTIES for step in self._steps["field"])
        required = self._operation.required_property
        if required and not raw_properties:
            wanted.append(("property", required))
        for place, name in wanted:
            if name not in constants[place] and all(s.name != name for s in self._steps[place]):
                self._problems.append(f"No column is mapped to {name}, which HubSpot requires.")

    def _unmapped(self, name: str) -> str:
        line = proposed_line(name, self._operation)
        if line:
            return f'The column "{name}" is not mapped. Add to [columns] of the mapping: {line}'
        self._says_known = True
        return (
            f'The column "{name}" is not mapped, and no known property is like it. Add to '
            f"[columns] of the mapping: {toml_line(name, PLACEHOLDER)} or to its top: "
            f"ignore = [{toml_value(name)}]"
        )


def _with_separator(separator: str, read: Read) -> Read:
    """Return a reader of lists, which HubSpot separates by semicolons."""

    def read_all(cell: Any) -> str:
        return ";".join(map(str, cells.separated(cell, separator, read)))

    return read_all


def _with_words(column: Column, read: Read, known: KnownProperty) -> Read:
    """Return a reader that first looks up the words of the column."""
    strict = known.kind in ("text", "short", "phone", "url") and column.others == "refuse"

    def look_up(cell: Any) -> Any:
        word = plain(cells.text_of(cell)).casefold() if isinstance(cell, str | int) else None
        if word is not None and (found := column.words.get(word)) is not None:
            return read(found) if found else ""
        if strict:
            raise ValueError(f"{cell!r} is none of the words of the mapping")
        return read(cell)

    return cells.remembered(look_up)
