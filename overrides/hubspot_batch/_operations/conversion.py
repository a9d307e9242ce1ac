"""Turns a caller's input into the JSON object that is sent.

This module decides, by the JSON Schema of an input, which Python values each field takes, and names
all problems of an input at once. `values` decides how a single value is written. The full check
applies the other rules of a schema.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, cast

from hubspot_batch_client.types import Model, to_json

from hubspot_batch._json import is_list, is_map

from . import values
from .problems import InputProblem, year_problem
from .schemas import is_id, is_list_of_properties, merged
from .values import NO_VALUE, shown

Convert: TypeAlias = Callable[[Any, str, list[InputProblem]], Any]
"""Returns what is sent for a value; takes its place, and a list that gets the problems."""


def converter(
    schema: Any, *, closed: bool = True, name: str = "", property_: bool = False
) -> Convert:
    """Return what converts values by a schema.

    Args:
        schema: The schema.
        closed: Whether names that it does not declare are problems.
        name: The name of the field, by which ids and the values of properties are known.
        property_: Whether it is the schema of the values of properties.
    """
    schema = merged(schema)
    said: Any = schema.get("type")
    kinds: list[Any] = said if is_list(said) else [said]
    nullable = "null" in kinds
    named = [kind for kind in kinds if kind != "null"]
    made: Convert = _free
    if len(named) == 1 and not schema.keys() & {"anyOf", "oneOf"}:
        made = _of_kind(named[0], schema, closed=closed, name=name, property_=property_)
    if not nullable or property_:
        return made
    return lambda value, at, problems: None if value is None else made(value, at, problems)


def _of_kind(kind: Any, schema: Any, *, closed: bool, name: str, property_: bool) -> Convert:
    match kind:
        case "string":
            return _text(schema, name, property_=property_)
        case "integer":
            return _value(values.whole_number)
        case "boolean":
            return _value(values.flag)
        case "array" if "items" in schema:
            item: Any = schema["items"]
            return _array(converter(item, closed=closed), merged(item))
        case "object" if schema.get("properties"):
            return _Object(schema, closed=closed)
        case "object" if is_map(schema.get("additionalProperties")):
            return _map(converter(schema["additionalProperties"], closed=closed, property_=True))
        case _:
            return _free


def items_of(value: object) -> dict[Any, Any] | None:
    """Return the items of a mapping of any kind; None if a value is no mapping.

    An object with keys and values is a mapping too, such as a row of pandas or sqlite3.
    """
    if type(value) is dict:
        return value  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, Model):
        return value._json_fields()  # pyright: ignore[reportPrivateUsage]
    if isinstance(value, Mapping):
        return {**value}  # pyright: ignore[reportUnknownVariableType]
    if hasattr(value, "keys") and hasattr(value, "__getitem__"):
        return dict(cast("Any", value))
    return None


def _free(value: Any, at: str, problems: list[InputProblem]) -> Any:
    """Pass any JSON on."""
    try:
        return to_json(value)
    except RecursionError:
        problems.append(InputProblem(at, "is nested too deeply, or holds itself"))
        return None


def _value(convert: Callable[[Any], Any]) -> Convert:
    def convert_value(value: Any, at: str, problems: list[InputProblem]) -> Any:
        try:
            return convert(value)
        except ValueError as error:
            problems.append(InputProblem(at, str(error)))
            return value

    return convert_value


def _text(schema: Mapping[str, Any], name: str, *, property_: bool) -> Convert:
    if "enum" in schema:
        return _value(lambda value: _option(value, schema["enum"]))
    if schema.get("format") == "date-time":
        return _value(values.time_text)
    if is_id(name):
        return _value(values.id_text)
    # In a list of properties, such as customProperties, the field `value` has the property's value.
    several = property_ or name == "value"
    return _value(lambda value: values.property_text(value, several=several))


def _option(value: Any, options: list[Any]) -> Any:
    text = values.property_text(value, several=False)
    if text is NO_VALUE or text in options:
        return text
    near = [one for one in options if str(one).casefold() == text.strip().casefold()]
    advice = f'; write "{near[0]}"' if near else ""
    raise ValueError(f"is {shown(text)}, but must be one of {', '.join(map(str, options))}{advice}")


def _array(convert: Convert, item: Mapping[str, Any]) -> Convert:
    names = [*item.get("required", ())]

    def convert_array(value: Any, at: str, problems: list[InputProblem]) -> Any:
        found = values.simplify(value)
        if found is NO_VALUE:
            return NO_VALUE
        if not is_list(found):
            problems.append(
                InputProblem(at, f"is {shown(value)}, but must be a list{advice(value)}")
            )
            return value
        done = [convert(one, f"{at}[{number}]", problems) for number, one in enumerate(found)]
        return [one for one in done if one is not NO_VALUE]

    def advice(value: Any) -> str:
        items = items_of(value)
        if not items or names != ["name", "value"]:
            return ""
        listed = ", ".join(f'{{"name": {shown(n)}, "value": ...}}' for n in items)
        return f" such as [{listed.replace(chr(39), chr(34))}]"

    return convert_array


def _map(convert: Convert) -> Convert:
    def convert_map(value: Any, at: str, problems: list[InputProblem]) -> Any:
        items = items_of(value)
        if items is None:
            if values.simplify(value) is NO_VALUE:
                return NO_VALUE
            problems.append(InputProblem(at, f"is {shown(value)}, but must be a map"))
            return value
        done: dict[str, Any] = {}
        for name, one in items.items():
            text = _name(name, at, problems)
            where = f"{at}.{text}"
            if (sent := convert(one, where, problems)) is NO_VALUE:
                continue
            done[text] = sent
            _check_year(one, sent, where, problems)
        return done

    return convert_map


def _check_year(value: object, sent: Any, at: str, problems: list[InputProblem]) -> None:
    if isinstance(value, dt.date) and value.year < 1900 and isinstance(sent, str):
        problems.append(InputProblem(at, year_problem(sent), doubtful=True))


def _name(name: object, at: str, problems: list[InputProblem]) -> str:
    if not isinstance(name, str):
        problems.append(InputProblem(at, f"has the name {shown(name)}, but names must be text"))
        return shown(name)
    text = str.__str__(name)
    try:
        return values.sendable(text)
    except ValueError as error:
        problems.append(InputProblem(at, f"has a name that {error}"))
        return shown(text)


class _Object:
    """Converts objects with fields."""

    def __init__(self, schema: Mapping[str, Any], *, closed: bool) -> None:
        fields: dict[str, Any] = schema["properties"]
        self._names = [*fields]
        self._required: list[str] = [*schema.get("required", ())]
        self._lists = [n for n in self._required if merged(fields.get(n)).get("type") == "array"]
        self._closed = closed and schema.get("additionalProperties") is False
        self._fields = {n: converter(part, closed=closed, name=n) for n, part in fields.items()}
        # A property's value in a list of properties: without one, the property is left out.
        self._is_property = {"name", "value"} <= {*self._required}
        self._maps = isinstance(merged(fields.get("properties")).get("additionalProperties"), dict)
        self._listed = next(
            (n for n, part in fields.items() if is_list_of_properties(merged(part))), None
        )

    def __call__(self, value: Any, at: str, problems: list[InputProblem]) -> Any:
        items = items_of(value)
        if items is None:
            if values.simplify(value) is NO_VALUE and at:
                return NO_VALUE
            problems.append(InputProblem(at, f"is {shown(value)}, but must be a map"))
            return value
        done: dict[str, Any] = {}
        empty: list[str] = []
        more: dict[str, Any] = {}
        for given, one in items.items():
            name = _name(given, at, problems)
            convert = self._fields.get(name)
            if convert is None:
                more[name] = one
                continue
            sent = convert(one, f"{at}.{name}" if at else name, problems)
            if sent is NO_VALUE:
                empty.append(name)
            else:
                done[name] = sent
            if self._is_property:
                _check_year(one, sent, f"{at}.{name}", problems)
        if self._is_property and "value" in empty:
            return NO_VALUE
        for name in self._lists:
            done.setdefault(name, [])
        if more:
            self._add(more, done, at, problems)
        self._check_required(done, empty, {*more}, at, problems)
        return done

    def _add(
        self, more: dict[str, Any], done: dict[str, Any], at: str, problems: list[InputProblem]
    ) -> None:
        if not self._closed:
            done.update({name: _free(one, at, problems) for name, one in more.items()})
            return
        from difflib import get_close_matches  # noqa: PLC0415 - few inputs need it

        flat: list[str] = []
        for name in more:
            near = get_close_matches(name, self._names, 1, 0.75)
            if near and near[0] not in done:
                problems.append(InputProblem(at, f'has no field {name}; write "{near[0]}"'))
            else:
                flat.append(name)
        if not flat:
            return
        names = ", ".join(sorted(flat))
        advice = f"it has {', '.join(self._names)}"
        shape = ", ".join(f'"{name}": ...' for name in flat)
        if self._maps:
            advice = f'put these under properties: {{"properties": {{{shape}}}}}'
        elif self._listed:
            shape = ", ".join(f'{{"name": "{name}", "value": ...}}' for name in flat)
            advice += f'; custom properties go under {self._listed}: "{self._listed}": [{shape}]'
        problems.append(InputProblem(at, f"has no field {names}; {advice}"))

    def _check_required(
        self,
        done: dict[str, Any],
        empty: list[str],
        more: set[str],
        at: str,
        problems: list[InputProblem],
    ) -> None:
        missing = [name for name in self._required if name not in done]
        problems += [
            InputProblem(f"{at}.{name}" if at else name, "has no value")
            for name in missing
            if name in empty
        ]
        # A flat row lacks only the field that its values belong under.
        lacking = [n for n in missing if n not in empty and not (more and self._maps)]
        if lacking:
            problems.append(InputProblem(at, f"lacks {', '.join(lacking)}"))
