"""Makes an input of each row, or says why there is none.

This module decides how the cells of a row become one input. What each column means has been decided
and checked before.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import ItemsView, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from attrs import field, frozen

from hubspot_batch._operations.problems import InvalidInputError

from .cells import Read, separated
from .definitions import Definitions, value_problems
from .known import TOTALS
from .moments import AssumedUtc
from .operations import ASSOCIATIONS, CUSTOM, PROPERTIES, FileOperation
from .table import Row, is_blank

_LONGER_THAN_TOTALS = 16
_NO_ZONE = "Times that name no zone are taken as UTC; set timezone if they are not."

Input = Mapping[str, Any] | str
"""What a client takes: a mapping in the API's own names, or an id to read."""


class InvalidRowError(InvalidInputError):
    """An `InvalidRow` was read like an input; the message says why it is none."""

    def __init__(self, reason: str) -> None:
        Exception.__init__(self, reason)
        self.problems = ()


class InvalidRow(Mapping[str, Any]):
    """A row that makes no input. A client that is given one reports it as `failed`, unsent.

    Reading it like an input raises `InvalidRowError`. Its items say what is wrong.

    Attributes:
        line: The line (of a workbook or a DataFrame the row) of the row.
        problems: What is wrong: the column (empty for the whole row) and a sentence.
        unit: What the number of the row counts.
    """

    __slots__ = ("line", "problems", "unit")

    def __init__(self, line: int, problems: Sequence[tuple[str, str]], unit: str = "line") -> None:
        self.line = line
        self.problems = tuple(problems)
        self.unit = unit

    @property
    def reason(self) -> str:
        """The problem, with the line and the columns, in a sentence."""
        parts = [f"{column}: {words}" if column else words for column, words in self.problems]
        return f"{self.unit.capitalize()} {self.line}, {'; '.join(parts)}."

    def __repr__(self) -> str:
        return f"InvalidRow({self.reason!r})"

    def _refuse(self) -> NoReturn:
        raise InvalidRowError(self.reason)

    def items(self) -> ItemsView[str, Any]:
        """Return the line and the reason, for those who only show what became of a row."""
        return {self.unit: self.line, "problem": self.reason}.items()

    # The encoder reads an input by its keys, and gets the reason instead.
    def __getitem__(self, key: str) -> Any:
        self._refuse()

    def __iter__(self) -> Iterator[str]:
        self._refuse()

    def __len__(self) -> int:  # noqa: PLE0303 - it never returns
        self._refuse()

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, InvalidRow) and self.reason == other.reason

    __hash__ = None  # type: ignore[assignment]


class Step(NamedTuple):
    """The target of a column.

    Attributes:
        heading: The column's name.
        name: The target's name.
        at: The position of the cell.
        joined: The positions of the cells that belong to it.
        read: Turns the cell into a value.
        clear: Whether an empty cell is sent as the empty text.
    """

    heading: str
    name: str
    at: int
    joined: tuple[int, ...]
    read: Read
    clear: bool


class Association(NamedTuple):
    """A column of ids of other records.

    Attributes:
        heading: The column's name.
        at: The position of the cell.
        read: Turns an id into one that can be sent.
        separator: What separates the ids.
        kind: The kind of association, as it is sent.
    """

    heading: str
    at: int
    read: Read
    separator: str
    kind: Mapping[str, Any]


@frozen(eq=False)
class RowMapper:
    """Makes the inputs of a table; its columns fit the mapping.

    Attributes:
        operation: The operation.
        properties: The columns that become properties.
        fields: The columns that become fields.
        custom: The columns that become custom properties of an event.
        associations: The columns of ids of other records.
        constants: What every record gets, by place and name.
        targets: For each column, in order, what becomes of it, in words.
        unit: What the number of a row counts.
        assumed: The zone of times that name none, if none was set.
        account: How the account defines its properties; None if it was not asked.
    """

    operation: FileOperation
    properties: tuple[Step, ...]
    fields: tuple[Step, ...]
    custom: tuple[Step, ...]
    associations: tuple[Association, ...]
    constants: Mapping[str, Mapping[str, Any]]
    _notes: tuple[str, ...] = field(alias="notes")
    targets: tuple[tuple[str, str], ...]
    unit: str
    assumed: AssumedUtc
    account: Definitions | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for people about the mapping, and about the rows so far."""
        return (*self._notes, _NO_ZONE) if self.assumed.used else self._notes

    def rows(self, rows: Iterable[Row]) -> Iterator[tuple[Row, Input]]:
        """Yield rows, each with its input or an `InvalidRow`."""
        return ((row, self.input(row)) for row in rows)

    def input(self, row: Row) -> Input:
        """Return the input of a row, or an `InvalidRow` that says why there is none."""
        if row.problem:
            return InvalidRow(row.line, [("", row.problem)], self.unit)
        cells, problems = row.cells, list[tuple[str, str]]()
        operation, constants = self.operation, self.constants
        made: dict[str, Any] = dict(constants["field"])
        if self.fields:
            _fill(made, self.fields, cells, problems)
        if PROPERTIES in operation.fields:
            made[PROPERTIES] = self._properties(made.get(PROPERTIES) or {}, cells, problems)
        for name in operation.required:
            _require(name, made, self.fields, problems)
        if self.custom or constants["custom"]:
            _add(made, CUSTOM, self._custom(cells, problems))
        if self.associations:
            _add(made, ASSOCIATIONS, _associate(self.associations, cells, problems))
        if operation.creates and _is_total(cells):
            problems = [("", "it looks like a line of totals, and not like a record")]
        if problems:
            return InvalidRow(row.line, problems, self.unit)
        if operation.reads and made.keys() == {"id"}:
            return str(made["id"])
        return made

    def _properties(
        self, given: Mapping[str, Any], cells: Sequence[Any], problems: list[tuple[str, str]]
    ) -> dict[str, Any]:
        properties: dict[str, Any] = {**self.constants["property"], **given}
        _fill(properties, self.properties, cells, problems)
        _require(self.operation.required_property, properties, self.properties, problems)
        if self.account is not None:
            _check(properties, self.properties, self.account, problems)
        return properties

    def _custom(
        self, cells: Sequence[Any], problems: list[tuple[str, str]]
    ) -> list[dict[str, Any]]:
        values = dict(self.constants["custom"])
        _fill(values, self.custom, cells, problems)
        if self.account is not None:
            _check(values, self.custom, self.account, problems)
        return [{"name": name, "value": value} for name, value in values.items()]


def _fill(
    into: dict[str, Any],
    steps: Sequence[Step],
    cells: Sequence[Any],
    problems: list[tuple[str, str]],
) -> None:
    """Put the values of the cells under the names of their targets."""
    for heading, name, at, joined, read, clear in steps:
        cell = cells[at]
        if joined:
            cell = _join(cell, [cells[one] for one in joined])
        # Nearly all cells are texts, and of those nearly half are empty.
        if (not cell or cell.isspace()) if type(cell) is str else is_blank(cell):
            if clear:
                into[name] = ""
            continue
        try:
            value = read(cell)
        except (ValueError, ArithmeticError) as error:
            problems.append((heading, str(error)))
            into[name] = None  # so that it is not said to be missing as well
        else:
            if value != "" or clear:
                into[name] = value


def _add(made: dict[str, Any], name: str, listed: list[dict[str, Any]]) -> None:
    """Put objects behind those that are given in the API's own form."""
    made[name] = [*(made.get(name) or ()), *listed]


def _associate(
    columns: Sequence[Association], cells: Sequence[Any], problems: list[tuple[str, str]]
) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for heading, at, read, separator, kind in columns:
        cell = cells[at]
        if is_blank(cell):
            continue
        try:
            ids = separated(cell, separator, read)
        except ValueError as error:
            problems.append((heading, str(error)))
            continue
        made += [{"to": {"id": id_}, "types": [dict(kind)]} for id_ in ids]
    return made


def _require(
    name: str | None,
    values: Mapping[str, Any],
    steps: Sequence[Step],
    problems: list[tuple[str, str]],
) -> None:
    if name is not None and (name not in values or values[name] == ""):
        heading = next((step.heading for step in steps if step.name == name), "")
        problems.append((heading, f"it is empty, but HubSpot requires {name}"))


def _check(
    values: Mapping[str, Any],
    steps: Sequence[Step],
    account: Definitions,
    problems: list[tuple[str, str]],
) -> None:
    """Add what the account does not take."""
    for name, words in value_problems(values, account):
        heading = next((step.heading for step in steps if step.name == name), name)
        problems.append((heading, words))


def _join(cell: Any, others: Sequence[Any]) -> Any:
    """Return a date with its time, or texts behind each other."""
    filled = [one for one in others if not is_blank(one)]
    if is_blank(cell) or not filled:
        return cell
    if isinstance(cell, dt.date) and isinstance(filled[0], dt.time):
        return dt.datetime.combine(dt.date(cell.year, cell.month, cell.day), filled[0])
    if isinstance(cell, dt.datetime) and cell.time() == dt.time():
        cell = cell.date()
    return " ".join(str(one).strip() for one in (cell, *filled))


def _is_total(cells: Sequence[Any]) -> bool:
    first = cells[0] or next((cell for cell in cells if not is_blank(cell)), None)
    return (
        isinstance(first, str)
        and len(first) < _LONGER_THAN_TOTALS
        and first.strip().casefold().rstrip(": ") in TOTALS
        and sum(map(is_blank, cells)) * 3 >= len(cells)
    )


def raw(cell: Any) -> Any:
    """Return a piece of an input that is in the API's own form already."""
    if not isinstance(cell, dict | list):
        raise ValueError("it must be in the API's own form, as JSON")
    return cell  # pyright: ignore[reportUnknownVariableType]
