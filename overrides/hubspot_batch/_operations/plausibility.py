"""Finds values that can be sent, but are most likely mistakes.

This module decides which values are implausible: words that programs write for a missing value,
years below 1900, times of calls in the wrong unit, and properties that HubSpot does not take. The
caller can send such values anyway (`allow_implausible`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from keyword import iskeyword
from operator import attrgetter
from typing import Any, NamedTuple

from hubspot_batch._json import is_list, is_map

from .problems import InputProblem, year_problem
from .schemas import is_id, is_list_of_properties, merged
from .values import epoch_time

# The property that holds the time of a call, in ISO 8601 or epoch milliseconds
# (https://developers.hubspot.com/docs/faq/how-should-timestamps-be-formatted-for-hubspots-apis).
_TIMESTAMP = "hs_timestamp"

# The texts of missing values in Python, pandas, JSON and SQL.
_WORDS = frozenset(("nan", "NaN", "NaT", "None", "null", "NULL", "<NA>"))

# Matches times that are not usual; usual are epoch milliseconds of 13 digits, and dates of this
# century.
_UNUSUAL = re.compile(r"(?!\d{13}\Z|2\d\d\d-)\s*[+-]?\d", re.ASCII)

# A date before 1900, with or without a time, that is the whole of a text. One search looks at all
# texts of a request, which are joined by a character that hardly any text has.
_JOINT = "\0"
_OLD_DATE = re.compile(
    r"\0(?:0\d|1[0-8])\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:[T ]\d\d:[^\0]*)?(?=\0)",
    re.ASCII,
)
# The beginning of a time of which only the date is wanted.
_TIMED = re.compile(r"(\d{4}-\d\d-\d\d)[T ]\d\d:", re.ASCII)


def foreign_names(names: Iterable[str], known: Collection[str]) -> list[str]:
    """Return HubSpot's own names that are not known to be writable.

    An account cannot give a property of its own such a name.
    """
    return [one for one in names if known and one.startswith("hs_") and one not in known]


def advice(name: str, known: Collection[str]) -> str:
    """Return which name is meant, in words."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for a wrong name

    near = get_close_matches(name, sorted(known), n=1, cutoff=0.8)
    return f"did you mean {near[0]}" if near else f"it takes {', '.join(sorted(known))}"


class WrittenTexts(NamedTuple):
    """The fields of an input with texts that HubSpot stores.

    Attributes:
        fields: The names of text fields, except ids.
        key: The name of the field with the id of a record; None if there is none.
        maps: The names of fields that hold properties by name.
        lists: The names of fields that hold lists of properties with `name` and `value`.
        ids: The names of fields that hold lists of objects, each with the way to an id in one, such
            as `to.id`.
        known: The properties of HubSpot's own that can be written; empty if that is not known.
    """

    fields: tuple[str, ...]
    key: str | None
    maps: tuple[str, ...]
    lists: tuple[str, ...]
    ids: tuple[tuple[str, str], ...] = ()
    known: frozenset[str] = frozenset()

    def problems(self, wire: Mapping[str, Any]) -> list[InputProblem]:
        """Return what is implausible in an input, given as a JSON object."""
        found = ((where, self._reason(name, text)) for where, name, text in self._texts(wire))
        return [InputProblem(where, reason, doubtful=True) for where, reason in found if reason]

    def _reason(self, name: str, text: str) -> str | None:
        if foreign_names((name,), self.known):
            return f"is none of the properties that HubSpot takes; {advice(name, self.known)}"
        if _holds_date(name, self.known) and (timed := _TIMED.match(text)):
            return f'is {text}, but HubSpot takes no time here; write "{timed[1]}"'
        return _reason(name, text)

    def _texts(self, wire: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
        """Yield the texts, with their places and names."""
        for name in (*self.fields, *((self.key,) if self.key else ())):
            if isinstance(text := wire.get(name), str):
                yield name, name, text
        for name in self.maps:
            values: object = wire.get(name)
            for each, text in values.items() if is_map(values) else ():
                if isinstance(text, str):
                    yield f"{name}.{each}", each, text
        for name in self.lists:
            items: object = wire.get(name)
            for number, item in enumerate(items) if is_list(items) else ():
                if is_map(item) and isinstance(text := item.get("value"), str):
                    # Not by its name: to look at all names would take too long.
                    yield f"{name}[{number}].value", "", text
        yield from self._texts_of_ids(wire)

    def _texts_of_ids(self, wire: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
        for name, way in self.ids:
            items: object = wire.get(name)
            for number, item in enumerate(items) if is_list(items) else ():
                found: object = item
                for part in way.split("."):
                    found = found.get(part) if is_map(found) else None
                if isinstance(found, str):
                    yield f"{name}[{number}].{way}", "", found

    def suspicious(self, inputs: Sequence[Any]) -> bool:
        """Return whether `problems` can find something in one of the inputs.

        Args:
            inputs: Objects with the fields that the fast path knows as attributes.
        """
        return (
            any(
                _maps_suspicious([*filter(None, map(attrgetter(n), inputs))], self.known)
                for n in self.maps
            )
            or any(_fields_suspicious(inputs, name) for name in self.fields)
            or (self.key is not None and _fields_suspicious(inputs, "key"))
            or any(_lists_suspicious(inputs, name, "value") for name in self.lists)
            or any(_lists_suspicious(inputs, name, way) for name, way in self.ids)
        )


_TEXTS = dict[str, str].values

# Every input passes these, so they leave the loops to C where they can.


def _maps_suspicious(maps: list[dict[str, str]], known: frozenset[str]) -> bool:
    if _texts_suspicious([*chain.from_iterable(map(_TEXTS, maps))]):
        return True
    names = {*chain.from_iterable(maps)}
    if known and foreign_names(names, known):
        return True
    dates = [name for name in names if _holds_date(name, known)] if known else []
    if any(len(one.get(name, "")) > len("2026-01-31") for name in dates for one in maps):
        return True
    return _times_suspicious([one[_TIMESTAMP] for one in maps if _TIMESTAMP in one])


def _fields_suspicious(inputs: Sequence[Any], name: str) -> bool:
    if not hasattr(inputs[0], name):  # the fast path does not know it
        return False
    return _texts_suspicious([*filter(None, map(attrgetter(name), inputs))])


def _lists_suspicious(inputs: Sequence[Any], name: str, way: str) -> bool:
    items = chain.from_iterable(filter(None, map(attrgetter(name), inputs)))
    return _texts_suspicious([*map(attrgetter(way), items)])


def _texts_suspicious(texts: list[str]) -> bool:
    if not _WORDS.isdisjoint(map(str.strip, texts)):
        return True
    return bool(texts) and _OLD_DATE.search(_JOINT.join(("", *texts, ""))) is not None


def _times_suspicious(texts: list[str]) -> bool:
    """Return whether one of these may be no plausible time of a call."""
    years = {text[:5] for text in texts}
    usual = all(year[:1] == "2" and year[4:] == "-" for year in years)
    return not usual and any(map(_UNUSUAL.match, texts))


def _holds_date(name: str, known: Collection[str]) -> bool:
    """Return whether a property is known to hold a date without a time.

    A campaign's are hs_start_date and hs_end_date. HubSpot refuses the whole request for a time
    there (seen: CampaignValidationError.INVALID_DATE_PROPERTY).
    """
    return name.endswith("_date") and name in known


def written_texts(
    schema: dict[str, Any], key: str | None, known: Iterable[str] = ()
) -> WrittenTexts:
    """Return the fields of an input with texts that HubSpot stores.

    Args:
        schema: The schema of an input.
        key: The name of the field with the id of a record; None if there is none.
        known: The properties of HubSpot's own that can be written; none if that is not known.
    """
    fields: dict[str, Any] = {
        name: merged(part)
        for name, part in merged(schema).get("properties", {}).items()
        if name.isidentifier() and not iskeyword(name)  # as an attribute of the fast path
    }
    return WrittenTexts(
        tuple(
            name
            for name, part in fields.items()
            if part.get("type") == "string" and "enum" not in part and not is_id(name)
        ),
        key if key in fields else None,
        tuple(n for n, part in fields.items() if is_map(part.get("additionalProperties"))),
        tuple(n for n, part in fields.items() if is_list_of_properties(part)),
        tuple((n, way) for n, part in fields.items() for way in _ids_in(merged(part.get("items")))),
        frozenset(known),
    )


def _ids_in(schema: dict[str, Any], before: str = "") -> Iterator[str]:
    """Yield the ways to the ids that each object of a schema has."""
    fields: dict[str, Any] = schema.get("properties", {})
    for name in schema.get("required", ()):
        inner = merged(fields.get(name))
        if inner.get("type") == "string" and is_id(name):
            yield f"{before}{name}"
        else:
            yield from _ids_in(inner, f"{before}{name}.")


def _reason(name: str, text: str) -> str | None:
    if text.strip() in _WORDS:
        return (
            f'is the text "{text}", which programs write for a missing value; leave the field '
            "out, or give None"
        )
    if _OLD_DATE.match(f"{_JOINT}{text}{_JOINT}"):
        return year_problem(text)
    return _reason_of_time(text) if name == _TIMESTAMP else None


def _reason_of_time(text: str) -> str | None:
    """Return why a text is no plausible time of a call."""
    if date := re.match(r"(\d{4})-\d\d-\d\d", text, re.ASCII):
        if date[1] != "1970":
            return None
        return f"is {text}; epoch seconds that are read as milliseconds give such a time"
    if not re.fullmatch(r"\s*[+-]?\d+(?:\.\d*)?\s*", text, re.ASCII):
        return None
    number = float(text)
    if number < 0:
        return f"is {text}, a time before 1970 in epoch milliseconds"
    for least, unit, factor in ((10**17, "nano", 10**6), (10**14, "micro", 10**3)):
        if number >= least:
            meant = epoch_time(number // factor)
            advice = f'; if it is in epoch {unit}seconds, write "{meant}"' if meant else ""
            return f"is {text}, a time too far in the future{advice}"
    if number < 10**11:
        meant = epoch_time(number)
        advice = f'; if it is in epoch seconds, write "{meant}"' if meant else ""
        return f"is {text}, a time of 1970 in epoch milliseconds{advice}"
    if number == int(number) and text.strip().isdecimal():
        return None
    return f'is {text}, but epoch milliseconds have no decimals; write "{int(number)}"'
